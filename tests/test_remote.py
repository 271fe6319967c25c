"""What is not on this disk: files at URLs, and streams that can be read once."""

from __future__ import annotations

import asyncio
import concurrent.futures
import hashlib
import io
import sys
import threading
import traceback
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from scenario_uploads import (
    AsyncScenario,
    Scenario,
    ScenarioError,
    SourceChangedError,
    SourceError,
    TransferError,
    UploadProgress,
    UploadSource,
    UploadTimeoutError,
)
from scenario_uploads.remote import RANGE_SIZE
from scenario_uploads.system import Worker
from scenario_uploads.transfer.source import open_source

from tests.support.clients import Connect, find_upload_threads, raises
from tests.support.content import make_content
from tests.support.pickles import pickle_whole
from tests.support.server import Server, encode_head, reply, until
from tests.support.service import Service, answer_upload

MIB = 1024 * 1024
PART = 5 * MIB
CONTENT = make_content(3 * PART + 9)
URL = "ranges://bucket/folder/dragon.glb"
HANGING = "hanging://folder/a.glb"
SECRET_URL = "ranges://someone:pa55@bucket/a.glb?token=s3cret"
GONE = reply(404, b"<Error><Code>NoSuchUpload</Code></Error>")


class Ranges(MemoryFileSystem):  # type: ignore[misc]
    """A memory whose objects have an ETag, and that notes what is read of them."""

    protocol = "ranges"
    store: dict[str, Any] = {}  # noqa: RUF012
    read: list[tuple[int, int]] = []  # noqa: RUF012
    failure: Exception | None = None
    led: Exception | None = None
    ranged = True

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        if self.failure:
            raise self.failure
        info: dict[str, Any] = super().info(path, **kwargs)
        if info["type"] == "file":
            info["ETag"] = hashlib.md5(super().cat_file(path)).hexdigest()
        return info

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any) -> bytes:
        if self.led:
            raise self.led
        self.read.append((start or 0, end or 0))
        data: bytes = super().cat_file(path, *(start, end) if self.ranged else (), **kwargs)
        return data


class Opened(Ranges):
    """One whose files are opened, and cannot be read in ranges at once."""

    protocol = "opened"
    cat_file: Any = fsspec.AbstractFileSystem.cat_file

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        found: dict[str, Any] = MemoryFileSystem.info(self, path.replace("opened:", "ranges:"), **kwargs)
        return found

    def _open(self, path: str, *arguments: Any, **options: Any) -> Any:
        return self

    def seek(self, place: int) -> None:
        raise self.led or OSError

    def close(self) -> None:
        pass


@pytest.fixture
def ranges() -> Iterator[Ranges]:
    fsspec.register_implementation("ranges", Ranges, clobber=True)
    system = fsspec.filesystem("ranges")
    system.pipe(URL, CONTENT)
    system.read.clear()
    Ranges.failure, Ranges.led, Ranges.ranged = None, None, True
    yield system
    system.store.clear()


@pytest.fixture
def client(service: Service) -> Iterator[Scenario]:
    with Scenario(base_url=service.url, bearer_auth="token") as one:
        yield one


def get_parts(service: Service) -> dict[int, str]:
    return {number: request.md5 for number, request in service.parts.items()}


PARTS = {n: hashlib.md5(CONTENT[(n - 1) * PART : n * PART]).hexdigest() for n in (1, 2, 3, 4)}


class TestAURL:
    def test_is_read_in_ranges_and_sent_at_once(self, connect: Connect, service: Service, ranges: Ranges) -> None:
        connect(service.url).uploads.upload_file(URL, part_size=PART, resume=False)
        (create,) = service.of("create")
        assert (create.json["fileName"], create.json["kind"], create.json["fileSize"]) == (
            "dragon.glb",
            "3d",
            len(CONTENT),
        )
        assert get_parts(service) == PARTS
        assert max(end - start for start, end in ranges.read) <= RANGE_SIZE
        assert len(ranges.read) <= 3 * -(-PART // RANGE_SIZE) + 1

    def test_is_resumed_when_it_is_the_same_object(
        self, connect: Connect, service: Service, ranges: Ranges, tmp_path: Path
    ) -> None:
        uploads = connect(service.url, max_retries=0).uploads
        service.script("part 3", reply(400))
        options: dict[str, Any] = {"part_size": PART, "concurrency": 1, "resume": tmp_path}
        with raises(TransferError, "400"):
            uploads.upload_file(URL, **options)
        ranges.pipe(URL, CONTENT)  # the same bytes, written again
        ranges.read.clear()
        service.script("retrieve", answer_upload(status="pending", entityId=None))
        uploads.upload_file(URL, **options)
        assert min(start for start, _ in ranges.read) == 2 * PART
        assert get_parts(service) == PARTS

    def test_36_is_compared_when_it_may_be_another_object(
        self, connect: Connect, service: Service, ranges: Ranges, tmp_path: Path
    ) -> None:
        uploads = connect(service.url, max_retries=0).uploads
        service.script("part 3", reply(400))
        options: dict[str, Any] = {"part_size": PART, "concurrency": 1, "resume": tmp_path}
        with raises(TransferError, "400"):
            uploads.upload_file(URL, **options)
        changed = b"glTF" + CONTENT[4:]
        ranges.pipe(URL, changed)
        service.script("retrieve", answer_upload(status="pending", entityId=None))
        uploads.upload_file(URL, **options)
        assert service.steps.count("part 1") == 2
        assert service.steps.count("part 2") == 1
        assert get_parts(service) == PARTS | {1: hashlib.md5(changed[:PART]).hexdigest()}

    def test_25_that_changes_meanwhile_is_never_completed(
        self, connect: Connect, service: Service, ranges: Ranges
    ) -> None:
        def change(_event: object) -> None:
            ranges.pipe(URL, CONTENT[::-1])

        with raises(SourceChangedError, "changed while it was being sent"):
            connect(service.url).uploads.upload_file(URL, part_size=PART, on_progress=change)
        assert "complete" not in service.steps

    @pytest.mark.parametrize(
        ("failure", "kind", "kept"),
        [(FileNotFoundError(URL), SourceChangedError, 0), (TimeoutError("too slow"), TransferError, 1)],
    )
    def test_26_that_cannot_be_looked_at_at_the_end_is_resumed_unless_it_is_gone(
        self,
        connect: Connect,
        service: Service,
        ranges: Ranges,
        tmp_path: Path,
        failure: Exception,
        kind: type[Exception],
        kept: int,
    ) -> None:
        def fail(event: UploadProgress) -> None:
            if event.parts_done:
                Ranges.failure = failure

        with raises(kind, "can no longer be checked"):
            connect(service.url).uploads.upload_file(URL, part_size=PART, resume=tmp_path, on_progress=fail)
        assert "complete" not in service.steps
        assert len([*tmp_path.iterdir()]) == kept

    def test_whose_server_sends_no_ranges_is_told(self, connect: Connect, service: Service, ranges: Ranges) -> None:
        Ranges.ranged = False
        with raises(TransferError, "the server does not send ranges"):
            connect(service.url).uploads.upload_file(URL, part_size=PART)

    def test_hides_what_is_secret_in_it(self, ranges: Ranges) -> None:
        Ranges.failure = OSError(f"no login for {SECRET_URL}")
        with raises(SourceError, "'ranges://bucket/a.glb?…' cannot be uploaded: no login") as caught:
            open_source(SECRET_URL)
        told = "".join(traceback.format_exception(caught.error)) + repr(pickle_whole(caught.error))
        assert "pa55" not in told
        assert "s3cret" not in told

    @pytest.mark.parametrize("kind", ["ranges", "opened"])
    def test_hides_what_is_secret_in_where_it_leads(
        self, service: Service, client: Scenario, ranges: Ranges, kind: str
    ) -> None:
        """As hf:// leads to a presigned URL, which its errors quote, in several lines."""
        fsspec.register_implementation("opened", Opened, clobber=True)
        Ranges.led = OSError("403 for url 'https://cdn.example/a?X-Amz-Signature=s3cret'\n\x1b[2JMake sure")
        with raises(TransferError, "cannot be read: 403 for url 'https://cdn.example/a?…'") as caught:
            client.uploads.upload_file(f"{kind}://bucket/folder/dragon.glb")
        assert "s3cret" not in "".join(traceback.format_exception(caught.error)) + repr(pickle_whole(caught.error))
        assert str(caught.error).isprintable()

    def test_that_is_packed_is_read_in_order(self, connect: Connect, service: Service) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr("dragon.glb", CONTENT)
        fsspec.filesystem("memory").pipe("/packed.zip", packed.getvalue())
        connect(service.url).uploads.upload_file("zip://dragon.glb::memory://packed.zip", part_size=PART, resume=False)
        assert get_parts(service) == PARTS

    def test_of_a_file_is_the_file(self, tmp_path: Path) -> None:
        path = tmp_path / "a b%c.glb"
        path.write_bytes(CONTENT)
        source = open_source(path.as_uri())
        assert (source.path, source.name, source.size) == (str(path), "a b%c.glb", len(CONTENT))
        source.close()

    def test_among_many_is_sent_once(self, client: Scenario, ranges: Ranges, tmp_path: Path) -> None:
        sources = [URL, "ranges://bucket/missing.glb"]
        results = [list(client.uploads.upload_many(sources, ledger=tmp_path / "ledger")) for _ in range(2)]
        assert [{result.source: (result.skipped, bool(result.error)) for result in each} for each in results] == [
            {sources[0]: (None, False), sources[1]: (None, True)},
            {sources[0]: ("done", False), sources[1]: (None, True)},
        ]
        assert len(ranges.read) == -(-len(CONTENT) // RANGE_SIZE)

    @pytest.mark.parametrize(
        ("url", "reason"),
        [
            ("ranges://bucket/missing.glb", "there is no such file"),
            ("ranges://bucket/*.glb", "there is no such file"),
            ("ranges://bucket/folder", "it is a folder"),
            ("nosuch://bucket/a.glb?X-Amz-Signature=s3cret", "Protocol not known: nosuch"),
        ],
    )
    def test_31_that_cannot_be_read_is_told(self, ranges: Ranges, url: str, reason: str) -> None:
        with raises(SourceError, f"cannot be uploaded: {reason}") as caught:
            open_source(url)
        assert "s3cret" not in str(caught.error)

    def test_over_http_is_missing_only_when_the_server_says_so(self, ranges: Ranges) -> None:
        fsspec.register_implementation("httpranges", Ranges, clobber=True)
        gone, away = OSError("404, message='Not Found'"), OSError("cannot connect to host for s3cret")
        gone.status = 404  # type: ignore[attr-defined]
        for cause, reason in ((gone, "there is no such file"), (away, "cannot connect to host for …")):
            Ranges.failure = FileNotFoundError("httpranges://host/a.glb")
            Ranges.failure.__cause__ = cause
            with raises(SourceError, f"cannot be uploaded: {reason}; or let the service fetch it"):
                open_source("httpranges://host/a.glb?s3cret")

    def test_31_needs_an_extra(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "fsspec.core", None)
        monkeypatch.setitem(sys.modules, "fsspec", None)
        with raises(SourceError, "needs fsspec: pip install fsspec (the extra [fsspec]"):
            open_source("s3://bucket/dragon.glb")


class Stream(io.RawIOBase):
    """A stream that cannot seek, and gives a little at a time."""

    def __init__(self, content: bytes = CONTENT) -> None:
        self.rest = io.BytesIO(content)

    def read(self, size: int = -1, /) -> bytes:
        return self.rest.read(min(size, 70_000))


class Pieces:
    """A wrapped generator, which returns a piece however little is asked for."""

    def __init__(self) -> None:
        self.pieces = (CONTENT[start : start + 3 * MIB] for start in range(0, len(CONTENT), 3 * MIB))

    def read(self, _size: int) -> bytes:
        return next(self.pieces, b"")


class Sized(Stream):
    def __len__(self) -> int:
        return len(CONTENT)


class TestAStream:
    @pytest.mark.parametrize("kind", [Stream, Pieces])
    def test_is_read_once_and_a_part_is_sent_again_from_what_is_kept(
        self, connect: Connect, service: Service, kind: type[Any]
    ) -> None:
        for number in (1, 2, 4):
            service.script(f"part {number}", reply(503))
        uploads = connect(service.url).uploads
        uploads.upload_file(kind(), file_name="dragon.glb", size=len(CONTENT), part_size=PART)
        assert get_parts(service) == PARTS
        assert service.steps.count("part 2") == 2

    def test_says_itself_how_long_it_is(self, service: Service) -> None:
        def serve(exchange: Any) -> None:
            exchange.read_body()
            exchange.send(encode_head(200, [("Content-Length", str(len(CONTENT)))]) + CONTENT)

        with Server(serve) as server, urllib.request.urlopen(server.origin) as response:
            for stream in (Sized(), response):
                source = open_source(stream)
                assert (source.size, source.sequential) == (len(CONTENT), True)
                source.close()

    def test_12_is_not_started_afresh(self, connect: Connect, service: Service) -> None:
        service.script("part 2", GONE)
        with raises(TransferError, "NoSuchUpload"):
            connect(service.url).uploads.upload_file(Sized(), file_name="dragon.glb", part_size=PART)
        assert service.steps.count("create") == 1

    def test_25_that_ends_early_is_never_completed(self, connect: Connect, service: Service) -> None:
        with raises(SourceChangedError, "ends at byte 7"):
            connect(service.url).uploads.upload_file(Stream(b"1234567"), file_name="dragon.glb", size=100)
        assert "complete" not in service.steps

    def test_among_many_is_not_read_to_be_compared(self, client: Scenario, service: Service, tmp_path: Path) -> None:
        for number in (1, 2):
            source = UploadSource(Sized(), file_name="a.glb")
            (result,) = client.uploads.upload_many(source, ledger=tmp_path / "ledger")
            assert result.error is None
            assert service.steps.count("create") == number

    @pytest.mark.parametrize("size", [-1, True, "7", 2.5])
    def test_31_of_a_size_that_is_none(self, size: Any) -> None:
        with raises(SourceError, "size must be a whole number of bytes"):
            open_source(Stream(), size)

    def test_31_a_size_that_is_not_that_of_the_file(self) -> None:
        with raises(SourceError, "size is 5, but the file has 3 bytes"):
            open_source(b"abc", 5)


class Hanging(Ranges):
    """One that hangs at a step, until the test ends."""

    protocol = "hanging"
    hangs = ""
    asked, free = threading.Event(), threading.Event()

    def meet(self, step: str) -> None:
        if step == self.hangs:
            self.asked.set()
            self.free.wait()

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        self.meet("check" if self.read else "open")
        return super().info(path, **kwargs)

    def cat_file(self, *arguments: Any, **options: Any) -> bytes:
        data = super().cat_file(*arguments, **options)
        self.meet("read")
        return data

    def walk(self, *arguments: Any, **options: Any) -> Any:
        self.meet("list")
        return super().walk(*arguments, **options)


class HangingFile(io.BytesIO):
    """A file object that hangs when it is opened, as one that has to be unpacked does."""

    def __init__(self) -> None:
        super().__init__(CONTENT)
        self.asked, self.free = threading.Event(), threading.Event()

    def tell(self) -> int:
        self.asked.set()
        self.free.wait()
        return super().tell()


@pytest.fixture
def hanging(ranges: Ranges) -> Iterator[type[Hanging]]:
    fsspec.register_implementation("hanging", Hanging, clobber=True)
    fsspec.filesystem("hanging").pipe(HANGING, CONTENT)
    Hanging.asked.clear()
    Hanging.free.clear()
    yield Hanging
    Hanging.free.set()
    until(lambda: not find_upload_threads())


STEPS = pytest.mark.parametrize("step", ["open", "read", "check"])
CALLS = [*((method, step) for method in ("upload_file", "upload_many") for step in ("open", "read", "check"))]
CALLS += [("upload_many", "list")]


class TestARemoteThatHangs:
    @STEPS
    def test_28_does_not_hold_up_cancelling(self, client: Scenario, hanging: type[Hanging], step: str) -> None:
        hanging.hangs = step
        handle = client.uploads.start_upload(HANGING, part_size=PART)
        hanging.asked.wait()
        assert handle.cancel()
        assert concurrent.futures.wait([handle]).done
        assert handle.cancelled()

    @STEPS
    def test_is_bounded_by_a_deadline(
        self, connect: Connect, service: Service, hanging: type[Hanging], step: str
    ) -> None:
        hanging.hangs = step
        with raises(UploadTimeoutError, "deadline of 0.1 s"):
            connect(service.url).uploads.upload_file(HANGING, part_size=PART, deadline=0.1)
        assert "complete" not in service.steps

    def test_28_does_not_hold_up_the_cancelling_of_a_file_object(self, client: Scenario) -> None:
        file = HangingFile()
        handle = client.uploads.start_upload(file, file_name="a.glb")
        file.asked.wait()
        assert handle.cancel()
        assert concurrent.futures.wait([handle]).done
        file.free.set()

    @pytest.mark.parametrize(("method", "step"), CALLS)
    def test_44_does_not_hold_up_closing(
        self, client: Scenario, hanging: type[Hanging], step: str, method: str
    ) -> None:
        def run() -> None:
            if method == "upload_file":
                client.uploads.upload_file(HANGING, part_size=PART)
            else:
                list(client.uploads.upload_many("hanging://folder", recursive=True, ledger=False))

        hanging.hangs = step
        worker = Worker(run, "test")
        worker.start()
        until(lambda: hanging.asked.is_set() or worker.outcome.done())
        client.close()
        with pytest.raises(ScenarioError, match="closed"):
            worker.outcome.result()

    @pytest.mark.parametrize(("method", "step"), CALLS)
    def test_28_does_not_hold_up_a_task(self, service: Service, hanging: type[Hanging], step: str, method: str) -> None:
        async def run(client: AsyncScenario) -> None:
            if method == "upload_file":
                await client.uploads.upload_file(HANGING, part_size=PART)
            async for _ in client.uploads.upload_many("hanging://folder", recursive=True, ledger=False):
                pass

        async def main() -> None:
            async with AsyncScenario(base_url=service.url, bearer_auth="token") as client:
                task = asyncio.create_task(run(client))
                await asyncio.to_thread(hanging.asked.wait)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task

        hanging.hangs = step
        asyncio.run(main())

    def test_closes_what_it_opens_too_late(self, client: Scenario, hanging: type[Hanging]) -> None:
        """So no connection of the file system stays open."""
        opened, closed = threading.Event(), threading.Event()

        class File(io.BytesIO):
            def close(self) -> None:
                closed.set()

        class Slow(fsspec.AbstractFileSystem):  # type: ignore[misc]
            protocol = "slow"

            def info(self, path: str, **_options: Any) -> dict[str, Any]:
                return {"name": path, "type": "file", "size": 3}

            def open(self, *_arguments: Any, **_options: Any) -> Any:
                opened.set()
                hanging.free.wait()
                return File()

        fsspec.register_implementation("slow", Slow, clobber=True)
        handle = client.uploads.start_upload("slow://folder/a.glb")
        opened.wait()
        handle.cancel()
        assert concurrent.futures.wait([handle]).done
        assert not closed.is_set()
        hanging.free.set()
        closed.wait()
