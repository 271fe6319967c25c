"""`upload_many` of both clients: results, what is not sent twice, the pace, and the end."""

from __future__ import annotations

import asyncio
import pickle
import random
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import aclosing, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import evolve
from scenario_uploads import (
    AsyncScenario,
    BulkProgress,
    InvalidArgumentError,
    LedgerLockedError,
    RateLimitError,
    Scenario,
    ScenarioError,
    SourceError,
    UploadFailedError,
    UploadResult,
    UploadSource,
    models,
)
from scenario_uploads.bulk import limiter
from scenario_uploads.sandbox import Sandbox
from scenario_uploads.settings.credentials import resolve_credentials
from scenario_uploads.steps import Pause, Send, Steps

from tests.support.clients import find_upload_threads
from tests.support.server import Exchange, reply, until
from tests.support.service import SIGNATURE, Service, answer_upload

PNG = b"\x89PNG\r\n\x1a\n"


def png(seed: int, size: int = 2000) -> bytes:
    return PNG + random.Random(seed).randbytes(size)


def write(folder: Path, count: int, *, seed: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"{number}.png").write_bytes(png(seed + number))
    return folder


class Caller:
    """Calls `upload_many` of one of the two clients, and returns all its results."""

    def __init__(self, kind: str, url: str, **settings: Any) -> None:
        self.kind = kind
        self._settings: dict[str, Any] = {"base_url": url, "trust_env": False, "max_retries": 2} | settings

    def __call__(self, sources: Any, **options: Any) -> list[UploadResult]:
        if self.kind == "sync":
            with Scenario(**self._settings) as client:
                return list(client.uploads.upload_many(sources, **options))

        async def collect() -> list[UploadResult]:
            async with AsyncScenario(**self._settings) as client:
                return [result async for result in client.uploads.upload_many(sources, **options)]

        return asyncio.run(collect())


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(step_delay=0.01) as box:
        yield box


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def upload_many(kind: str, box: Sandbox) -> Caller:
    return Caller(kind, box.base_url, api_key=box.api_key, api_secret=box.api_secret)


@pytest.fixture
def call(kind: str, service: Service) -> Caller:
    """The same with the pretended service, which has one upload and tells what it was asked for."""
    return Caller(kind, service.url, api_key="key", api_secret="secret")


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite3"


def tell(results: list[UploadResult]) -> Counter[str]:
    """Return how many files were sent, skipped, and failed."""
    return Counter(
        "failed" if result.error else result.skipped or ("sent" if result.upload else "?") for result in results
    )


def names(results: list[UploadResult]) -> dict[str, UploadResult]:
    return {Path(str(result.source)).name: result for result in results}


class TestResults:
    """What is told of each file."""

    def test_a_folder_arrives(self, upload_many: Caller, box: Sandbox, tmp_path: Path, ledger: Path) -> None:
        folder = write(tmp_path / "refs", 20)
        write(folder / "deep", 3, seed=100)
        results = upload_many(folder, recursive=True, ledger=ledger)
        assert tell(results) == {"sent": 23}
        for result in results:
            assert result.upload is not None
            assert result.entity_id == result.upload.entity_id is not None
            assert isinstance(result.source, Path)
            assert b"".join(box.read_file(result.upload.id)) == result.source.read_bytes()

    def test_49_what_is_wrong_with_one_stops_no_other(self, upload_many: Caller, tmp_path: Path, ledger: Path) -> None:
        folder = write(tmp_path / "refs", 3)
        (folder / "empty.png").write_bytes(b"")
        (folder / "odd.xyz").write_bytes(b"odd")
        (folder / "no.png").write_bytes(b"not really a PNG")
        results = upload_many([folder, folder / "missing.png"], recursive=True, ledger=ledger)
        assert tell(results) == {"sent": 3, "failed": 4}
        told = names(results)
        assert isinstance(told["empty.png"].error, SourceError)
        assert "empty" in told["empty.png"].error.message
        assert "kind" in str(told["odd.xyz"].error)
        assert "no such file" in str(told["missing.png"].error)
        assert isinstance(told["no.png"].error, UploadFailedError)
        assert told["no.png"].entity_id is None

    def test_it_may_stop_all_others(self, upload_many: Caller, tmp_path: Path, ledger: Path) -> None:
        folder = write(tmp_path / "refs", 3)
        (tmp_path / "empty.png").write_bytes(b"")
        results = upload_many([tmp_path / "empty.png", folder], recursive=True, ledger=ledger, fail_fast=True)
        assert tell(results) == {"failed": 1}

    def test_what_is_left_out_is_named(self, upload_many: Caller, tmp_path: Path, ledger: Path) -> None:
        folder = write(tmp_path / "refs", 2)
        (folder / ".DS_Store").write_bytes(b"x")
        (folder / "link.png").symlink_to(folder / "0.png")
        results = upload_many(str(folder), recursive=True, ledger=ledger, exclude="1.*")
        told = {name: result.skipped for name, result in names(results).items()}
        assert told == {"0.png": None, "1.png": "excluded", ".DS_Store": "hidden", "link.png": "link"}

    def test_the_ledger_is_no_file_to_send(self, upload_many: Caller, tmp_path: Path) -> None:
        folder = write(tmp_path / "refs", 2)
        for outcome in ("sent", "done"):
            assert tell(upload_many(folder, recursive=True, ledger=folder / "ledger.sqlite3")) == {outcome: 2}
        assert len(list(folder.iterdir())) == 4

    def test_sources_have_settings_of_their_own(self, upload_many: Caller, tmp_path: Path, ledger: Path) -> None:
        folder = write(tmp_path / "refs", 1)
        given = [
            UploadSource(folder / "0.png", file_name="named.png", asset_options={"hide": True}),
            UploadSource(b"some words", file_name="words", kind="text", content_type="text/plain"),
            str(folder / "*.png"),
        ]
        results = upload_many(iter(given), ledger=ledger, kind="image")
        uploads = {id(result.source): result.upload for result in results}
        assert tell(results) == {"sent": 3}
        assert uploads[id(given[0])].asset_options.hide is True  # type: ignore[union-attr]
        assert uploads[id(given[1])].kind == "text"  # type: ignore[union-attr]

    def test_a_folder_has_to_be_asked_for(self, upload_many: Caller, tmp_path: Path) -> None:
        for sources in (tmp_path, [str(tmp_path)], iter([tmp_path])):
            with pytest.raises(InvalidArgumentError, match="recursive=True"):
                upload_many(sources, ledger=False)

    @pytest.mark.parametrize(
        "wrong",
        [
            *(
                {"files_at_once": 0},
                {"files_at_once": True},
                {"concurrency": 65},
                {"ledger": 7},
                {"ledger": ""},
                {"ledger": "a\0b"},
                {"on_progress": 7},
            ),
            {"on_progress": asyncio.sleep},
            *({"kind": "picture"}, {"asset_options": {"nope": 1}}, {"part_size": 5}),
        ],
    )
    def test_arguments_are_checked_at_once(self, wrong: dict[str, Any]) -> None:
        with Scenario(api_key="key", api_secret="secret") as client, pytest.raises(InvalidArgumentError):
            client.uploads.upload_many([], **wrong)

    def test_progress_adds_up(self, upload_many: Caller, tmp_path: Path, ledger: Path) -> None:
        folder = write(tmp_path / "refs", 4)
        (folder / "empty.png").write_bytes(b"")
        (folder / ".hidden").write_bytes(b"x")
        told: list[BulkProgress] = []
        upload_many(folder, recursive=True, ledger=ledger, on_progress=told.append)
        size = 4 * len(png(0))
        assert told[-1] == BulkProgress(6, 4, 1, 1, size, size, complete=True)

    def test_a_bar_is_for_terminals(
        self, upload_many: Caller, tmp_path: Path, ledger: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        told: list[BulkProgress] = []
        folder = write(tmp_path / "refs", 2)
        results = upload_many(folder, recursive=True, ledger=ledger, progress=True, on_progress=told.append)
        assert tell(results) == {"sent": 2}
        assert told[-1].files_done == 2
        assert capsys.readouterr().err.strip() == ""

    def test_without_the_package_that_draws_bars_there_are_lines(
        self, upload_many: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "rich.console", None)
        results = upload_many(write(tmp_path / "refs", 1), recursive=True, ledger=False, progress=True)
        assert tell(results) == {"sent": 1}

    def test_an_error_of_the_callback_comes_out(self, upload_many: Caller, tmp_path: Path, ledger: Path) -> None:
        def raising(event: BulkProgress) -> None:
            if event.bytes_done:
                raise BrokenPipeError

        # It is no fault of the network, although it comes while bytes are sent.
        with pytest.raises(BrokenPipeError):
            upload_many(write(tmp_path / "refs", 4), recursive=True, ledger=ledger, on_progress=raising)


class TestAgain:
    """What an earlier run has done is not done again."""

    def test_over_runs_and_names(self, upload_many: Caller, tmp_path: Path, ledger: Path) -> None:
        folder = write(tmp_path / "refs", 5)
        before = names(upload_many(folder, recursive=True, ledger=ledger))
        (folder / "0.png").rename(folder / "renamed.png")
        (folder / "copy.png").write_bytes(png(1))
        (folder / "2.png").write_bytes(png(99))
        results = upload_many(folder, recursive=True, ledger=ledger)
        after = names(results)
        assert tell(results) == {"done": 5, "sent": 1}
        assert after["renamed.png"].entity_id == before["0.png"].entity_id
        assert after["copy.png"].entity_id == before["1.png"].entity_id
        assert after["2.png"].upload is not None
        assert tell(upload_many(folder, recursive=True, ledger=ledger)) == {"done": 6}

    def test_unless_it_is_wanted(self, upload_many: Caller, tmp_path: Path, ledger: Path) -> None:
        folder = write(tmp_path / "refs", 2)
        upload_many(folder, recursive=True, ledger=ledger)
        assert tell(upload_many(folder, recursive=True, ledger=ledger, force=True)) == {"sent": 2}
        assert tell(upload_many(folder, recursive=True, ledger=False)) == {"sent": 2}

    def test_but_equal_files_of_one_run_are_each_sent(self, upload_many: Caller, tmp_path: Path, ledger: Path) -> None:
        for name in ("a.png", "b.png", "c.png"):
            (tmp_path / name).write_bytes(png(1))
        results = upload_many(str(tmp_path / "*.png"), ledger=ledger, files_at_once=1)
        assert len({result.entity_id for result in results if result.upload}) == 3

    @pytest.mark.parametrize(
        "other", [{"kind": "3d"}, {"asset_options": {"hide": True}}, {"project_id": "proj_2"}], ids=str
    )
    def test_what_would_become_something_else_is_sent(
        self, upload_many: Caller, tmp_path: Path, ledger: Path, other: dict[str, Any]
    ) -> None:
        (tmp_path / "a.txt").write_bytes(b"some words")
        given = UploadSource(tmp_path / "a.txt", content_type="text/plain")
        assert tell(upload_many(given, ledger=ledger)) == {"sent": 1}
        assert set(tell(upload_many(given, ledger=ledger, **other))) <= {"sent", "failed"}
        assert tell(upload_many(given, ledger=ledger)) == {"done": 1}

    def test_bytes_are_known_by_what_they_are(self, upload_many: Caller, ledger: Path) -> None:
        given = UploadSource(b"some words", file_name="a.txt")
        assert tell(upload_many(given, ledger=ledger)) == {"sent": 1}
        assert tell(upload_many(given, ledger=ledger)) == {"done": 1}

    def test_no_file_is_read_for_it_without_one_of_its_size(
        self, upload_many: Caller, tmp_path: Path, ledger: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from scenario_uploads.bulk import run  # noqa: PLC0415

        folder = write(tmp_path / "refs", 2)
        upload_many(folder, recursive=True, ledger=ledger)
        read: list[str] = []
        original = run.read_md5s
        monkeypatch.setattr(run, "read_md5s", lambda file, *rest: read.append(Path(file).name) or original(file, *rest))
        (folder / "other size.png").write_bytes(png(7, 2001))
        (folder / "same size.png").write_bytes(png(8))
        given = UploadSource(png(9, 2002), file_name="a.png")
        assert tell(upload_many([folder, given], recursive=True, ledger=ledger)) == {"done": 2, "sent": 3}
        assert read == ["same size.png"]

    def test_without_waiting_the_next_run_tells_what_became_of_it(
        self, upload_many: Caller, tmp_path: Path, ledger: Path
    ) -> None:
        folder = write(tmp_path / "refs", 2)
        results = upload_many(folder, recursive=True, ledger=ledger, wait=False)
        sent = {result.upload.id for result in results if result.upload}
        assert len(sent) == 2
        results = upload_many(folder, recursive=True, ledger=ledger)
        assert {result.upload.id for result in results if result.upload} == sent
        assert all(result.entity_id for result in results)
        assert tell(upload_many(folder, recursive=True, ledger=ledger)) == {"done": 2}

    def test_an_upload_that_has_failed_since_is_made_anew(
        self, call: Caller, service: Service, tmp_path: Path, ledger: Path
    ) -> None:
        folder = write(tmp_path / "refs", 1)
        service.script("complete", answer_upload(status="validating", entityId=None))
        call(folder, recursive=True, ledger=ledger, wait=False)
        service.script("retrieve", answer_upload(status="failed", entityId=None, errorMessage="broken"))
        assert tell(call(folder, recursive=True, ledger=ledger)) == {"sent": 1}
        assert len(service.of("create")) == 2

    @pytest.mark.parametrize("given", ["path", "bytes"])
    def test_29_an_upload_that_was_cut_off_before_it_was_complete_is_completed(
        self, call: Caller, service: Service, tmp_path: Path, ledger: Path, given: str
    ) -> None:
        file = write(tmp_path / "refs", 1) / "0.png"
        source = file if given == "path" else UploadSource(file.read_bytes(), file_name="a.png")
        service.script("complete", reply(403, b'{"reason": "not now"}'))
        assert tell(call(source, ledger=ledger)) == {"failed": 1}
        service.script("retrieve", answer_upload(status="pending", entityId=None))
        (result,) = call(source, ledger=ledger)
        assert result.entity_id is not None
        assert [len(service.of(name)) for name in ("create", "part 1", "complete")] == [1, 1, 2]

    def test_29_also_when_it_was_renamed_meanwhile(
        self, call: Caller, service: Service, tmp_path: Path, ledger: Path
    ) -> None:
        """It may have been imported: a run that is killed does not learn of it."""
        file = write(tmp_path / "refs", 1) / "0.png"
        service.script("complete", reply(403, b'{"reason": "not now"}'))
        assert tell(call(file, ledger=ledger)) == {"failed": 1}
        (result,) = call(file.rename(tmp_path / "renamed.png"), ledger=ledger)
        assert result.entity_id is not None
        assert [len(service.of(name)) for name in ("create", "part 1")] == [1, 1]
        assert tell(call(tmp_path / "renamed.png", ledger=ledger)) == {"done": 1}

    def test_a_file_that_grew_before_its_turn_is_known_as_it_was_sent(
        self, call: Caller, service: Service, tmp_path: Path, ledger: Path
    ) -> None:
        folder, found = write(tmp_path / "refs", 2), threading.Event()

        def grow(exchange: Exchange) -> None:
            assert found.wait(30)
            with (folder / "1.png").open("ab") as file:
                file.write(b"more")
            exchange.read_body()
            reply(200, headers={"ETag": '""'})(exchange)

        service.script("part 1", grow)
        results = call(
            [folder / "0.png", folder / "1.png"],
            ledger=ledger,
            files_at_once=1,
            on_progress=lambda progress: found.set() if progress.files_found == 2 else None,
        )
        assert tell(results) == {"sent": 2}
        assert tell(call(folder, recursive=True, ledger=ledger)) == {"done": 2}

    def test_an_upload_that_lacks_parts_is_made_anew(
        self, call: Caller, service: Service, tmp_path: Path, ledger: Path
    ) -> None:
        file = write(tmp_path / "refs", 1) / "0.png"
        service.script("complete", reply(403, b'{"reason": "not now"}'), reply(422, b'{"reason": "no parts"}'))
        assert tell(call(file, ledger=ledger)) == {"failed": 1}
        service.script("retrieve", *[answer_upload(status="pending", entityId=None)] * 2)
        assert tell(call(file, ledger=ledger)) == {"sent": 1}
        assert len(service.of("create")) == 2

    def test_an_upload_that_the_service_has_no_more_is_made_anew(
        self, call: Caller, service: Service, tmp_path: Path, ledger: Path
    ) -> None:
        folder = write(tmp_path / "refs", 1)
        service.script("complete", answer_upload(status="validating", entityId=None))
        call(folder, recursive=True, ledger=ledger, wait=False)
        service.script("retrieve", reply(404, b'{"reason": "no such upload"}'))
        assert tell(call(folder, recursive=True, ledger=ledger)) == {"sent": 1}
        assert len(service.of("create")) == 2

    def test_a_second_run_on_a_ledger_is_refused_at_once(self, box: Sandbox, tmp_path: Path, ledger: Path) -> None:
        folder = write(tmp_path / "refs", 3)
        with Scenario(api_key=box.api_key, api_secret=box.api_secret, base_url=box.base_url) as client:
            with closing(client.uploads.upload_many(folder, recursive=True, ledger=ledger)) as first:
                next(first)
                with pytest.raises(LedgerLockedError):
                    next(client.uploads.upload_many(folder, recursive=True, ledger=ledger))
            assert tell(list(client.uploads.upload_many(folder, recursive=True, ledger=ledger))).total() == 3


class TestNames:
    """`UploadSource` is a file to upload, and the enum of the contract as well."""

    def test_files_and_members_come_of_the_same_name(self) -> None:
        file = UploadSource(Path("a.glb"), kind="3d")
        assert (file.file, file.kind, file.file_name) == (Path("a.glb"), "3d", None)
        assert isinstance(file, UploadSource)
        assert pickle.loads(pickle.dumps(file)) == file
        assert UploadSource("url") is UploadSource.URL
        assert UploadSource is models.UploadSource
        assert UploadSource(file="a.glb", kind="3d") == UploadSource("a.glb", kind="3d")
        named = UploadSource("a.glb")
        assert (named.file, named.kind) == ("a.glb", None)

    def test_a_path_alone_is_shown_as_one(self, call: Caller, tmp_path: Path) -> None:
        path = str(tmp_path / "nothing.png")
        (result,) = call(UploadSource(path), ledger=False)
        assert str(result.error).startswith(f"{path!r} cannot be uploaded")
        with pytest.raises(InvalidArgumentError) as refused:
            call([UploadSource(str(tmp_path))], ledger=False)
        assert str(refused.value).startswith(f"{str(tmp_path)!r} is a folder")

    def test_bytes_are_not_shown(self) -> None:
        assert repr(UploadSource(b"secret bytes")).startswith("UploadSource(file=bytes,")


class TestPace:
    """One pace for all files."""

    def test_a_429_is_waited_out_by_all(self, call: Caller, service: Service, tmp_path: Path) -> None:
        busy = reply(429, b'{"reason": "slow down", "remainingSeconds": 0.01}')
        service.script("create", *[busy] * 12)
        results = call(write(tmp_path / "refs", 6), recursive=True, ledger=False, files_at_once=6)
        assert tell(results) == {"sent": 6}

    def test_that_of_a_plan_is_an_error(self, call: Caller, service: Service, tmp_path: Path) -> None:
        body = b'{"reason": "limit reached", "details": {"actionName": "upload", "actionLimit": 5}}'
        # Neither is it asked again, nor does it hold up the others.
        service.script("create", reply(429, body, {"Retry-After": "3600"}))
        results = call(write(tmp_path / "refs", 3), recursive=True, ledger=False)
        assert tell(results) == {"failed": 1, "sent": 2}
        assert isinstance(next(result.error for result in results if result.error), RateLimitError)
        assert len(service.of("create")) == 3

    def test_so_many_parts_at_once_over_all_files(self, call: Caller, service: Service, tmp_path: Path) -> None:
        under_way, most, lock = 0, 0, threading.Lock()

        def hold(exchange: Exchange) -> None:
            nonlocal under_way, most
            with lock:
                under_way += 1
                most = max(most, under_way)
            threading.Event().wait(0.01)
            with lock:
                under_way -= 1
            reply(200, headers={"ETag": '""'})(exchange)

        service.script("part 1", *[hold] * 12)
        results = call(write(tmp_path / "refs", 12), recursive=True, ledger=False, files_at_once=8, concurrency=2)
        assert tell(results) == {"sent": 12}
        assert most <= 2


class TestEnd:
    """What is left when nobody asks for more."""

    def test_nothing_goes_on_once_nobody_asks_for_more(self, box: Sandbox, tmp_path: Path, ledger: Path) -> None:
        folder = write(tmp_path / "refs", 30)
        with Scenario(api_key=box.api_key, api_secret=box.api_secret, base_url=box.base_url) as client:
            for _ in client.uploads.upload_many(folder, recursive=True, ledger=ledger, files_at_once=2):
                break
            until(lambda: not find_upload_threads())
            # The ledger is free again, and the rest is sent.
            results = list(client.uploads.upload_many(folder, recursive=True, ledger=ledger))
        assert tell(results)["failed"] == 0
        assert len(results) == 30

    def test_nor_in_an_event_loop(self, box: Sandbox, tmp_path: Path, ledger: Path) -> None:
        folder = write(tmp_path / "refs", 30)

        async def run() -> int:
            async with AsyncScenario(api_key=box.api_key, api_secret=box.api_secret, base_url=box.base_url) as client:
                results: Any = client.uploads.upload_many(folder, recursive=True, ledger=ledger)
                async with aclosing(results):
                    await anext(results)
                assert asyncio.all_tasks() == {asyncio.current_task()}
                again = client.uploads.upload_many(folder, recursive=True, ledger=ledger)
                return len([result async for result in again])

        assert asyncio.run(run()) == 30

    def test_a_break_in_an_event_loop_leaves_the_ledger_free(self, box: Sandbox, tmp_path: Path, ledger: Path) -> None:
        folder = write(tmp_path / "refs", 30)

        async def run() -> int:
            async with AsyncScenario(api_key=box.api_key, api_secret=box.api_secret, base_url=box.base_url) as client:
                async for _ in client.uploads.upload_many(folder, recursive=True, ledger=ledger):
                    break
                again = client.uploads.upload_many(folder, recursive=True, ledger=ledger)
                return len([result async for result in again])

        assert asyncio.run(run()) == 30

    def test_a_client_of_the_callers_own_stays_in_its_event_loop(self, service: Service, tmp_path: Path) -> None:
        seen: list[str] = []

        async def see(request: httpx.Request) -> None:
            seen.append(f"{request.method} in {threading.current_thread().name}")

        async def run() -> None:
            async with (
                httpx.AsyncClient(event_hooks={"request": [see]}) as own,
                AsyncScenario(api_key="key", api_secret="secret", base_url=service.url, http_client=own) as client,
            ):
                results = client.uploads.upload_many(
                    write(tmp_path / "refs", 2),
                    recursive=True,
                    ledger=False,
                    on_progress=lambda _: seen.append(f"progress in {threading.current_thread().name}"),
                )
                assert tell([result async for result in results]) == {"sent": 2}

        asyncio.run(run())
        assert set(seen) == {f"{what} in MainThread" for what in ("POST", "GET", "progress")}

    def test_a_task_that_is_cancelled_while_files_are_looked_for_ends(self, box: Sandbox, tmp_path: Path) -> None:
        looking, go_on = threading.Event(), threading.Event()

        def sources() -> Iterator[Path]:
            yield write(tmp_path / "refs", 1) / "0.png"
            looking.set()
            assert go_on.wait(30)
            yield tmp_path / "refs" / "0.png"

        async def run() -> None:
            async with AsyncScenario(api_key=box.api_key, api_secret=box.api_secret, base_url=box.base_url) as client:

                async def collect() -> None:
                    async for _ in client.uploads.upload_many(sources(), ledger=False):
                        pass

                task = asyncio.create_task(collect())
                assert await asyncio.to_thread(looking.wait, 30)
                task.cancel()
                asyncio.get_running_loop().call_later(0.05, go_on.set)
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert asyncio.all_tasks() == {asyncio.current_task()}

        asyncio.run(run())

    def test_closing_the_client_ends_it(self, box: Sandbox, tmp_path: Path) -> None:
        client = Scenario(api_key=box.api_key, api_secret=box.api_secret, base_url=box.base_url)
        results = client.uploads.upload_many(write(tmp_path / "refs", 20), recursive=True, ledger=False)
        next(results)
        client.close()
        with pytest.raises(ScenarioError, match="closed"):
            list(results)


class TestLimiter:
    @pytest.mark.parametrize(
        ("told", "seconds"), [({}, 1), ({"Retry-After": "0"}, limiter.TURN), ({"Retry-After": "7"}, 7)]
    )
    def test_it_asks_again_as_soon_as_it_may(self, told: dict[str, str], seconds: float) -> None:
        with Scenario(api_key="key", api_secret="secret") as client:
            api = evolve(client.uploads._api, clock=lambda: 0.0)

        request = httpx.Request("GET", "https://api.example")

        def call() -> Steps[None]:
            yield Send(request, 0)

        response = httpx.Response(429, headers=told, request=request)
        response.elapsed = timedelta()
        steps = limiter.limit(call(), limiter.Limiter(4), api)
        next(steps)
        assert steps.send(response) == Pause(seconds)

    def test_it_slows_down_once_for_calls_that_were_under_way_together(self) -> None:
        pace = limiter.Limiter(16)
        assert [pace.admit(0.0) for _ in range(8)] == [None] * 8
        for _ in range(8):
            pace.release(0.0, hold=5.0)
        assert pace.pace.limit == 4
        assert pace.admit(1.0) == 4.0
        assert [pace.admit(5.0) for _ in range(5)] == [None] * 4 + [limiter.TURN]
        for _ in range(4):
            pace.release(5.0, accepted=True)
        assert pace.pace.limit == 5

    def test_it_gives_up_when_a_call_is_refused_for_long(self) -> None:
        with Scenario(api_key="key", api_secret="secret") as client:
            now = 0.0
            api = evolve(client.uploads._api, clock=lambda: now)
        request = httpx.Request("GET", "https://api.example")

        def call() -> Steps[httpx.Response]:
            response: httpx.Response = yield Send(request, 0)
            return response

        response = httpx.Response(429, headers={"Retry-After": "1000"}, request=request)
        response.elapsed = timedelta()
        steps = limiter.limit(call(), limiter.Limiter(4), api)
        next(steps)
        while now < limiter.PATIENCE:
            assert steps.send(response) == Pause(limiter.LONGEST_HOLD)
            now += limiter.LONGEST_HOLD
            next(steps)
        with pytest.raises(StopIteration) as end:
            steps.send(response)
        assert end.value.value is response


@pytest.mark.parametrize(
    ("credentials", "account"),
    [
        ({"api_key": "key", "api_secret": "secret"}, "key"),
        ({"bearer_auth": "h.eyJzdWIiOiAibWUiLCAiaXNzIjogInlvdSJ9.s"}, '["you", "me"]'),
        ({"bearer_auth": "opaque"}, "opaque"),
        ({"bearer_auth": "a.b.c"}, "a.b.c"),
    ],
)
def test_an_account_stays_the_same_when_its_token_is_renewed(credentials: dict[str, str], account: str) -> None:
    key, secret, token = (credentials.get(name) for name in ("api_key", "api_secret", "bearer_auth"))
    assert resolve_credentials(key, secret, token, {}).account == account


def test_a_ledger_holds_no_secret(service: Service, tmp_path: Path, ledger: Path) -> None:
    Caller("sync", service.url, api_key="the-key-itself", api_secret="s3cret-of-it")(
        write(tmp_path / "refs", 2), recursive=True, ledger=ledger
    )
    content = ledger.read_bytes()
    assert not [secret for secret in (b"the-key-itself", b"s3cret-of-it", SIGNATURE.encode()) if secret in content]


def test_a_url_is_no_glob_for_its_question_mark() -> None:
    """It gets the word of help that `upload_file` has for it, without what is secret in it."""
    with Scenario(base_url="http://127.0.0.1:9", api_key="key", api_secret="secret") as client:
        (result,) = client.uploads.upload_many("https://storage.example/a.png?X-Amz-Signature=s3cret", ledger=False)
    assert isinstance(result.error, SourceError)
    assert "import_url" in str(result.error)
    assert "s3cret" not in str(result.error)
