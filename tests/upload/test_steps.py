"""`upload_file` as a whole, where it depends on storage: pace, limits, expiry, stopping, secrets."""

from __future__ import annotations

import gzip
import hashlib
import io
import itertools
import logging
import math
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from scenario_uploads import (
    InvalidArgumentError,
    Scenario,
    SourceError,
    TransferError,
    UploadProgress,
    UploadURLExpiredError,
)
from scenario_uploads.retry import RetryPolicy
from scenario_uploads.sandbox import Sandbox
from scenario_uploads.sandbox.storage.bucket import Storage as SandboxStorage
from scenario_uploads.transfer import engine, part
from scenario_uploads.transfer.connection import Storage
from scenario_uploads.transfer.engine import transfer_parts
from scenario_uploads.transfer.parts import Part
from scenario_uploads.transfer.source import open_source

from tests.support.clients import Clock, Connect, find_upload_threads, raises
from tests.support.content import make_content
from tests.support.server import Answering, Exchange, Server, hang, lose, reply, stall, until
from tests.support.service import SIGNATURE, UPLOAD_ID, Service, answer_upload
from tests.support.storing import (
    ENDLESS,
    ConnectProxy,
    Silence,
    bear_with_storage,
    bucket,
    closing_everything,
    make_certificate,
    make_job,
    make_tls,
    store,
)

MIB = 1024 * 1024
PART = 5 * MIB
CONTENT = make_content(2 * PART + 9)


def upload(connect: Connect, service: Service, **options: Any) -> Any:
    return connect(service.url).uploads.upload_file(CONTENT, **{"file_name": "a.glb", "part_size": PART} | options)


def refuse(status: int, code: str, message: str = "AKIASECRET", **headers: str) -> Answering:
    body = f"<Error><Code>{code}</Code><Message>{message}</Message><Signature>{SIGNATURE}</Signature></Error>"
    return reply(status, body.encode(), headers)


EXPIRED = refuse(403, "AccessDenied", "Request has expired")


@pytest.fixture
def storage() -> Iterator[Storage]:
    one = Storage(ENDLESS)
    yield one
    one.close()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part, "PART_POLICY", RetryPolicy(max_retries=8, base=0.01))


def begin_with(service: Service, **changes: Any) -> Answering:
    """Answer a create with three parts, each changed like this."""
    return answer_upload(status="pending", entityId=None, parts=[made | changes for made in service.make_parts(3)])


class TestExpiry:
    @pytest.mark.parametrize("number", [1, 2, 3])
    def test_12_one_fresh_upload_is_begun_and_sent_whole(
        self, connect: Connect, service: Service, clock: Clock, number: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        fresh = answer_upload(id="upload_2", status="pending", entityId=None, parts=service.make_parts(3))
        service.script("create", begin_with(service), fresh)
        service.script(f"part {number}", EXPIRED)
        seen: list[UploadProgress] = []
        with caplog.at_level(logging.WARNING, "scenario_uploads"):
            assert upload(connect, service, concurrency=1, on_progress=seen.append)
        assert service.steps.count("create") == 2
        assert service.steps.count("complete") == 1
        assert [request.path for request in service.of("complete")] == ["/v1/uploads/upload_2/action"]
        assert {n: request.md5 for n, request in service.parts.items()} == {
            n: hashlib.md5(CONTENT[(n - 1) * PART : n * PART]).hexdigest() for n in (1, 2, 3)
        }
        assert len(service.of("part 1")) == 2
        assert (seen[-1].bytes_done, seen[-1].parts_done) == (len(CONTENT), 3)
        assert f"Upload {UPLOAD_ID}: " in caplog.text
        assert "; it starts afresh." in caplog.text

    def test_12_one_and_not_two(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("part 1", *[EXPIRED] * 9)
        with raises(UploadURLExpiredError, "Part 1", "expired") as caught:
            upload(connect, service, concurrency=1)
        assert service.steps.count("create") == 2
        assert len(service.of("part 1")) == 2
        assert "complete" not in service.steps
        assert caught.error.upload_id == UPLOAD_ID

    def test_12_none_when_that_is_asked_for(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("part 1", EXPIRED)
        with raises(UploadURLExpiredError):
            upload(connect, service, concurrency=1, restart_on_expiry=False)
        assert service.steps == ["create", "part 1"]

    def test_12_all_parts_under_way_are_stopped(
        self, connect: Connect, service: Service, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waiting = threading.Event()

        def wait_for_ever(exchange: Exchange) -> None:
            waiting.set()
            stall(exchange)

        def expire(exchange: Exchange) -> None:
            assert waiting.wait()
            EXPIRED(exchange)

        service.script("part 1", wait_for_ever)
        service.script("part 2", expire)
        bear_with_storage(monkeypatch, 3600)
        with raises(UploadURLExpiredError):
            upload(connect, service, concurrency=2, restart_on_expiry=False)
        assert service.of("part 3") == []

    @pytest.mark.parametrize(("drift", "expired"), [(timedelta(hours=-3), True), (timedelta(hours=3), False)])
    def test_12_13_storages_clock_decides_and_not_this_machines(
        self, connect: Connect, service: Service, clock: Clock, drift: timedelta, expired: bool
    ) -> None:
        """The clock here is three hours slow, or fast; URLs live for an hour."""
        storages_now = datetime.now(UTC) - drift
        end = storages_now + timedelta(hours=-1 if expired else 1)
        service.script("create", begin_with(service, expires=end.isoformat()))
        denied = refuse(403, "AccessDenied", Date=format_datetime(storages_now, usegmt=True))
        service.script("part 1", *[denied] * 9)
        with raises(UploadURLExpiredError if expired else TransferError, "AccessDenied"):
            upload(connect, service, concurrency=1, restart_on_expiry=False)
        assert len(service.of("part 1")) == (1 if expired else 2)

    def test_13_a_403_before_expiry_has_one_more_try(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("part 1", refuse(403, "AccessDenied"))
        assert upload(connect, service)
        assert len(service.of("part 1")) == 2

    def test_13_then_it_fails_and_hints_at_what_changes_requests(
        self, connect: Connect, service: Service, clock: Clock
    ) -> None:
        service.script("part 1", *[refuse(403, "SignatureDoesNotMatch")] * 9)
        with raises(TransferError, "SignatureDoesNotMatch", "a proxy, or a header"):
            upload(connect, service)
        assert len(service.of("part 1")) == 2
        assert service.steps.count("create") == 1

    def test_12_real_urls_that_ran_out_lead_to_fresh_ones(self, monkeypatch: pytest.MonkeyPatch) -> None:
        lifetimes, presign = iter([1, 3600]), SandboxStorage.presign_parts
        monkeypatch.setattr(
            SandboxStorage, "presign_parts", lambda *arguments: presign(*arguments[:-1], next(lifetimes))
        )
        content = b"glTF\x02\x00\x00\x00" + (PART + 5).to_bytes(4, "little") + CONTENT[: PART - 7]
        connect = Connect("sync")
        with Sandbox(step_delay=0.01) as box:
            client = connect(box.base_url, api_key=box.api_key, api_secret=box.api_secret)
            source = LateOnce(content)
            uploaded = client.uploads.upload_file(source, file_name="a.glb", part_size=PART, concurrency=1)
            connect.end()
            assert source.late
            assert list(lifetimes) == []
            assert box.sha256(uploaded.id) == hashlib.sha256(content).hexdigest()


class LateOnce(io.BytesIO):
    """Takes its time over the first part, once, so that the URL of the second has run out when its turn comes."""

    late = False

    def read(self, size: int | None = -1, /) -> bytes:
        if size and not self.late:
            self.late = True
            time.sleep(1.1)
        return super().read(size)


class TestURLs:
    @pytest.mark.parametrize(
        "url",
        [
            "http://storage.example/part-{number}?sig=" + SIGNATURE,
            "ftp://127.0.0.1/part-{number}?sig=" + SIGNATURE,
            "https://user:word@storage.example/part-{number}?sig=" + SIGNATURE,
            "//storage.example/part-{number}?sig=" + SIGNATURE,
            "",
        ],
    )
    def test_15_that_are_not_safe_are_refused_before_a_byte_is_sent(
        self, connect: Connect, service: Service, clock: Clock, url: str
    ) -> None:
        service.part_url = url
        with raises(TransferError, "The URL of part 1 is refused") as caught:
            upload(connect, service)
        assert caught.error.upload_id == UPLOAD_ID
        assert SIGNATURE not in str(caught.error)
        assert service.steps == ["create"]

    @pytest.mark.parametrize("numbers", [[1, 2], [1, 2, 2], [1, 2, 3, 4], [0, 1, 2], []])
    def test_16_parts_that_do_not_fit_are_refused_before_a_byte_is_sent(
        self, connect: Connect, service: Service, clock: Clock, numbers: list[int]
    ) -> None:
        made = service.make_parts(1)[0]
        service.script("create", answer_upload(parts=[made | {"number": number} for number in numbers]))
        with raises(TransferError, "create response") as caught:
            upload(connect, service)
        assert caught.error.upload_id == UPLOAD_ID
        assert service.steps == ["create"]


class TestPace:
    @pytest.mark.usefixtures("hasty")
    def test_10_under_503s_fewer_parts_are_sent_at_once_and_then_more_again(self, storage: Storage) -> None:
        """As the server sees it: how many requests it has at once."""
        all_there, lock = threading.Barrier(8), threading.Lock()
        running, seen = 0, list[int]()

        def answer(exchange: Exchange) -> None:
            nonlocal running
            with lock:
                running += 1
                seen.append(running)
                # After the first two parts, which are alone.
                storm = 2 < len(seen) <= 10
            exchange.read_body()
            if storm:
                all_there.wait()
            else:
                exchange.server.stopping.wait(0.01)
            with lock:
                running -= 1
            (reply(503) if storm else store)(exchange)

        source = open_source(CONTENT[:150_000])
        with Server(answer) as server:
            transfer_parts(storage, make_job(source, server.origin, 1000, concurrency=8))
        assert len(server.requests) == 158
        assert max(seen[2:10]) == 8
        assert [1, 1] == seen[10:12]
        assert max(seen[10:32]) < 8
        assert max(seen[10:]) == 8

    def test_29_two_parts_are_alone_until_one_has_gone_out(self, storage: Storage) -> None:
        """So that a slow link has finished parts soon, from which an upload can go on."""
        seen, third, early = list[str](), threading.Event(), list[bool]()

        def answer(exchange: Exchange) -> None:
            seen.append(exchange.request.path)
            if len(seen) > 2:
                third.set()
            else:
                early.append(third.wait(0.2))
            exchange.read_body()
            store(exchange)

        # More than the buffers of two sockets hold, so that no part has gone out before it is taken.
        size = 16 * 1024 * 1024
        with Server(answer) as server:
            job = make_job(open_source(bytes(4 * size)), server.origin, size, concurrency=4)
            transfer_parts(storage, job)
        assert (early[0], len(seen)) == (False, 4)

    def test_10_a_part_that_pauses_leaves_its_turn_to_others(
        self, storage: Storage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One that is asked to come back much later does not hold up the rest."""

        def answer(exchange: Exchange) -> None:
            first = exchange.request.path == "/part-1" and "/part-1" not in sent
            (reply(503, b"", {"Retry-After": "1"}) if first else store)(exchange)
            sent.append(exchange.request.path)
            if len(sent) == 20:
                others_sent.set()

        sent, others_sent = list[str](), threading.Event()
        # Its pause ends once all others are sent; if it kept its turn, never before the timeout.
        monkeypatch.setattr(engine, "pause", lambda *_: others_sent.wait(60))
        with Server(answer) as server:
            job = make_job(open_source(CONTENT[:20_000]), server.origin, 1000, concurrency=2)
            transfer_parts(storage, job)
        assert len(sent) == 21
        assert (sent.count("/part-1"), sent[-1]) == (2, "/part-1")


class TestFileObjects:
    @pytest.mark.parametrize("concurrency", [1, 8])
    def test_that_unpack_are_read_once_and_in_order_at_any_concurrency(
        self, connect: Connect, service: Service, clock: Clock, concurrency: int
    ) -> None:
        """A step back begins again at the first byte, so that time would grow with the square of the size."""
        reads: list[int] = []

        class Noting(gzip.GzipFile):
            def read(self, size: int | None = -1) -> bytes:
                reads.append(self.tell())
                return super().read(size)

        content = CONTENT
        packed = Noting(fileobj=io.BytesIO(gzip.compress(content, 0)))
        connect(service.url).uploads.upload_file(packed, file_name="a.glb", part_size=PART, concurrency=concurrency)
        assert reads == sorted(reads)
        assert {n: request.md5 for n, request in service.parts.items()} == {
            n: hashlib.md5(content[(n - 1) * PART : n * PART]).hexdigest() for n in (1, 2, 3)
        }


class TestBandwidth:
    @pytest.mark.parametrize("integrity", [True, False])
    def test_is_kept_to_over_all_parts(self, storage: Storage, tmp_path: Path, integrity: bool) -> None:
        (tmp_path / "file").write_bytes(CONTENT[: 4 * MIB])
        source = open_source(tmp_path / "file")
        with bucket() as server:
            job = make_job(source, server.origin, MIB, max_bandwidth=4.0 * MIB, integrity=integrity)
            begin = time.monotonic()
            transfer_parts(storage, job)
            seconds = time.monotonic() - begin
        source.close()
        # One second at the least, but for the pieces that go out at once at the beginning.
        assert seconds > 0.6

    def test_5_a_low_limit_silences_no_connection_for_long(self, storage: Storage) -> None:
        """S3 gives one up after some 20 seconds."""
        first: dict[str, int] = {}

        def answer(exchange: Exchange) -> None:
            while exchange.request.received < exchange.request.length:
                exchange.read_body(min(exchange.request.received + 500, exchange.request.length))
                first.setdefault(exchange.request.path, len(exchange.server.requests))
            store(exchange)

        stop, source = threading.Event(), open_source(CONTENT[: 4 * MIB])

        def stop_when_all_move(_event: UploadProgress) -> None:
            # An upload begins with two parts.
            if len(first) == 2:
                stop.set()

        with Server(answer) as server:
            job = make_job(source, server.origin, MIB, max_bandwidth=20_000, on_progress=stop_when_all_move)
            with pytest.raises(TransferError, match="closed"):
                transfer_parts(storage, job, stop=stop)
        assert len(first) == 2

    @pytest.mark.parametrize("value", [0, -1, 0.5, math.nan, True, "1MB", 1j])
    def test_that_makes_no_sense_is_refused_before_any_request(
        self, connect: Connect, service: Service, clock: Clock, value: Any
    ) -> None:
        with raises(InvalidArgumentError, "max_bandwidth must be a number of bytes a second from 1"):
            upload(connect, service, max_bandwidth=value)
        assert service.requests == []

    def test_that_is_infinite_is_none(self, connect: Connect, service: Service, clock: Clock) -> None:
        assert upload(connect, service, max_bandwidth=math.inf)


class TestStopping:
    """From another thread, as the asynchronous client does it."""

    @staticmethod
    def stop_when(storage: Storage, origin: str, reached: Callable[[], object], **options: Any) -> None:
        """Send parts until something holds, and stop."""
        stop, failures = threading.Event(), list[BaseException]()
        source = open_source(bytes(24 * MIB))

        def work() -> None:
            try:
                transfer_parts(storage, make_job(source, origin, 12 * MIB, **options), stop=stop)
            except BaseException as error:  # noqa: BLE001 - looked at below
                failures.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        until(reached)
        stop.set()
        thread.join()
        assert ["The client was closed while the parts were being sent."] == [str(error) for error in failures]

    @pytest.mark.parametrize("tls", [False, True], ids=["http", "tls"])
    @pytest.mark.parametrize("integrity", [True, False])
    @pytest.mark.parametrize(
        "obstacle",
        [stall, hang, reply(503, b"", {"Retry-After": "3600"}), "bandwidth"],
        ids=["stalled", "unanswered", "pausing", "bandwidth"],
    )
    def test_27_28_ends_everything_at_once(
        self, storage: Storage, monkeypatch: pytest.MonkeyPatch, obstacle: Any, integrity: bool, tls: bool
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(make_certificate()))
        with closing_everything():
            limit = {"max_bandwidth": 1.0} if obstacle == "bandwidth" else {}
            server = Server(stall if obstacle == "bandwidth" else obstacle, tls=make_tls() if tls else None)
            with server:
                reached = lambda: len(server.requests) == 2  # noqa: E731
                self.stop_when(storage, server.origin, reached, integrity=integrity, **limit)
                assert not find_upload_threads()
            storage.close()

    @pytest.mark.parametrize("obstacle", ["handshake", "tunnel"])
    def test_27_28_ends_the_making_of_connections(
        self, storage: Storage, monkeypatch: pytest.MonkeyPatch, obstacle: str
    ) -> None:
        with closing_everything(), Silence() as silence:
            if obstacle == "tunnel":
                monkeypatch.setenv("HTTPS_PROXY", silence.origin)
            origin = f"https://{'storage.example' if obstacle == 'tunnel' else '127.0.0.1'}:{silence.port}"
            self.stop_when(storage, origin, lambda: silence.connections == 2)
            assert not find_upload_threads()


class TestAcknowledgedParts:
    def test_29_are_told_even_when_another_part_fails_meanwhile(self, storage: Storage) -> None:
        """What is there need not be sent again by whoever resumes this."""
        told: list[int] = []
        failed = threading.Event()

        def answer(exchange: Exchange) -> None:
            exchange.read_body()
            if exchange.request.path == "/part-1":
                refuse(404, "NoSuchUpload")(exchange)
            else:
                assert failed.wait()
                store(exchange)

        def hold(event: UploadProgress) -> None:
            # The counting thread is here while part 1 fails, and then the others arrive.
            if event.bytes_done and not failed.is_set():
                until(lambda: len(find_upload_threads()) == 3)
                failed.set()
                until(lambda: not find_upload_threads())

        with Server(answer) as server:
            job = make_job(
                open_source(bytes(4000)),
                server.origin,
                1000,
                on_progress=hold,
                on_part=lambda number, _md5: told.append(number),
            )
            with pytest.raises(TransferError, match="NoSuchUpload"):
                transfer_parts(storage, job)
        assert sorted(told) == [2, 3, 4]


class TestProgress:
    def test_is_monotone_but_for_what_is_sent_again(self, connect: Connect, service: Service, clock: Clock) -> None:
        service.script("part 2", refuse(503, "SlowDown"), lose)
        seen: list[UploadProgress] = []
        upload(connect, service, on_progress=seen.append)
        falls = [
            (before.bytes_done - after.bytes_done)
            for before, after in itertools.pairwise(seen)
            if after.bytes_done < before.bytes_done
        ]
        assert [PART, PART] == falls
        for name in ("parts_done", "attempt"):
            values = [getattr(event, name) for event in seen if event.phase == "transferring"]
            assert values == sorted(values)
        assert max(event.attempt for event in seen) == 3
        assert all(0 <= event.bytes_done <= event.bytes_total == len(CONTENT) for event in seen)


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "fragment"),
        [
            ({"resume": 1}, "resume must be"),
            ({"resume": ""}, "resume must be"),
            ({"resume": b"folder"}, "resume must be"),
            ({"concurrency": 0}, "concurrency must be"),
            ({"concurrency": 65}, "concurrency must be"),
            ({"timeout": -1}, "timeout"),
            ({"on_progress": "print"}, "on_progress must be"),
            ({"file_name": "a\x00.glb"}, "file_name must be"),
        ],
    )
    def test_that_make_no_sense_are_refused_before_any_request(
        self, connect: Connect, service: Service, clock: Clock, options: dict[str, Any], fragment: str
    ) -> None:
        with raises(InvalidArgumentError, fragment):
            upload(connect, service, **options)
        assert service.requests == []

    @pytest.mark.parametrize("resume", [True, "folder"])
    def test_30_bytes_cannot_be_resumed(
        self, connect: Connect, service: Service, clock: Clock, resume: Any, tmp_path: Path, monkeypatch: Any
    ) -> None:
        monkeypatch.chdir(tmp_path)
        with raises(SourceError, "Only a file given by its path can be resumed"):
            upload(connect, service, resume=resume)
        assert service.requests == []
        assert [] == list(tmp_path.iterdir())


class TestSecrets:
    """In whatever is shown: logs at DEBUG, errors with their tracebacks, and what a debugger prints."""

    SECRETS = ("key_of_test", "s3cret-of-test", "a2V5X29mX3Rlc3Q6czNjcmV0LW9mLXRlc3Q", SIGNATURE, "AKIASECRET")

    @pytest.mark.parametrize(
        "fault",
        [
            refuse(503, "SlowDown"),
            refuse(403, "SignatureDoesNotMatch"),
            EXPIRED,
            refuse(404, "NoSuchUpload", Location="https://x.example/?sig=" + SIGNATURE),
            reply(200, b"", {"ETag": f'"{"0" * 32}"'}),
            lose,
            "proxy",
            "certificate",
        ],
        ids=["503", "signature", "expired", "404", "integrity", "lost", "proxy", "certificate"],
    )
    def test_are_not_there(
        self,
        connect: Connect,
        service: Service,
        clock: Clock,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        fault: Any,
    ) -> None:
        service.part_url = "{origin}/bucket/part-{number}?ticket=" + SIGNATURE
        monkeypatch.setattr(part, "PART_POLICY", RetryPolicy(max_retries=1, base=0.01))
        secrets: tuple[str, ...] = self.SECRETS
        file = tmp_path / "a.glb"
        file.write_bytes(CONTENT)
        with (
            caplog.at_level(logging.DEBUG),
            ConnectProxy(b"HTTP/1.1 407 Who\r\n\r\n") as proxy,
            bucket(tls=True) as tls,
        ):
            if isinstance(fault, str):
                service.part_url = f"{tls.origin}/bucket/part-{{number}}?ticket={SIGNATURE}"
                if fault == "proxy":
                    service.part_url = service.part_url.replace("127.0.0.1", "storage.example")
                    monkeypatch.setenv("HTTPS_PROXY", f"http://user:passw0rd@127.0.0.1:{proxy.port}")
                    secrets += ("passw0rd", "dXNlcjpwYXNzdzByZA")
            else:
                for number in (1, 2, 3):
                    service.script(f"part {number}", *[fault] * 30)
            client = connect(service.url)
            with pytest.raises(TransferError) as caught:
                client.uploads.upload_file(file, part_size=PART, resume=tmp_path / "ledgers")
        storage = (client.client if connect.is_async else client)._runner.connections._storage
        errors, error = list[BaseException](), caught.value
        while error is not None:
            errors.append(error)
            error = error.__cause__ or error.__context__  # type: ignore[assignment]
        shown = [*errors, storage, vars(storage), client, storage._idle]
        text = "\n".join([*map(repr, shown), *map(str, shown), *traceback.format_exception(caught.value), caplog.text])
        text += "\n".join(repr(vars(record)) for record in caplog.records)
        assert len(caplog.records) > 3
        assert caught.value.upload_id == UPLOAD_ID
        for secret in secrets:
            assert secret not in text


def test_a_target_has_a_repr_without_its_secret() -> None:
    assert "s3cret" not in repr(Part(1, 0, 5, "https://a.example/x?sig=s3cret"))


@pytest.mark.parametrize("copied", [False, True])
def test_35_closing_the_client_ends_an_upload_that_is_under_way(service: Service, copied: bool) -> None:
    """And not only once every byte has gone out. A copy shares its connections, which stay open."""
    owner = Scenario(base_url=service.url, api_key="key_of_test", api_secret="s3cret-of-test")
    client = owner.copy() if copied else owner
    failures: list[BaseException] = []

    def work() -> None:
        try:
            client.uploads.upload_file(CONTENT, file_name="a.glb", part_size=PART, max_bandwidth=1000)
        except BaseException as error:  # noqa: BLE001 - looked at below
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    until(lambda: "create" in service.steps and find_upload_threads())
    client.close()
    thread.join()
    assert [type(error) for error in failures] == [TransferError]
    assert "The client was closed while the parts were being sent." in str(failures[0])
    assert failures[0].upload_id == UPLOAD_ID  # type: ignore[attr-defined]
    until(lambda: not find_upload_threads())
    owner.close()


def test_27_a_file_object_that_does_not_answer_holds_up_nobody(connect: Connect, service: Service) -> None:
    released = threading.Event()

    class Slow(io.BytesIO):
        """A remote file, of which nothing comes any more."""

        def read(self, size: int | None = -1) -> bytes:
            if self.tell() >= PART:
                released.wait()
            return super().read(size)

    def stop(event: UploadProgress) -> None:
        if event.parts_done:
            raise KeyError("enough")

    try:
        with pytest.raises(KeyError, match="enough"):
            connect(service.url).uploads.upload_file(
                Slow(CONTENT), file_name="a.glb", part_size=PART, on_progress=stop, concurrency=1
            )
    finally:
        released.set()
    until(lambda: not find_upload_threads())
