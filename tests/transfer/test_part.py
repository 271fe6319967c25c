"""One part until storage has it: what each answer means, and what is done about it."""

from __future__ import annotations

import errno
import hashlib
import socket
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from attrs import frozen
from scenario_uploads.errors import IntegrityError, ScenarioError, TransferError, UploadURLExpiredError
from scenario_uploads.retry import Repeat, RetryPolicy, Tries
from scenario_uploads.transfer import part as room
from scenario_uploads.transfer import sockets
from scenario_uploads.transfer.connection import Body, Storage, StorageResponse, StorageTimeouts
from scenario_uploads.transfer.part import PART_POLICY, PartEvent, PartJob, classify_response, send_part
from scenario_uploads.transfer.parts import Part
from scenario_uploads.transfer.sockets import HaltedError, Socket
from scenario_uploads.transfer.source import open_source

from tests.support.content import make_content
from tests.support.server import Answering, Exchange, Server, encode_head, lose, reply, reset_in_body, stall
from tests.support.storing import IMPATIENT, Resets, Silence, SocksAnswers, bucket, make_certificate, make_tls, store

MIB = 1024 * 1024
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CONTENT = make_content(6 * MIB)
MD5 = "0123456789abcdef0123456789abcdef"
OTHER = "f" * 32
# What Azure says of a URL out of its time.
DETAIL = "AuthenticationErrorDetail"
WINDOW = "Signature not valid in the specified time frame: Start [1] - Expiry [2] - Current [3]"


def make_target(origin: str = "https://storage.example", *, expires: str = "2026-01-01T01:00:00Z") -> Part:
    return Part(7, 0, len(CONTENT), f"{origin}/bucket/key?X-Amz-Signature=s3cret", expires)


def error_body(code: str, message: str = "about AKIASECRET") -> bytes:
    return f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>REQ1</RequestId></Error>".encode()


@frozen
class Judged:
    """What an answer comes to, as whoever sends parts sees it."""

    error: type[ScenarioError] | None
    again: bool = False
    slow: bool = False


def judge(
    status: int, body: bytes = b"", *, whole: bool = True, md5: str | None = None, expires: str = "", **headers: Any
) -> Judged:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = StorageResponse(status, told, body, whole, md5)
    error, outcome = classify_response(answer, make_target(expires=expires), now=NOW)
    delay = Tries(PART_POLICY, Repeat.SAFE, lambda: 1.0, lambda: 0.0).fail(outcome)
    return Judged(type(error) if error else None, delay is not None, outcome.status in room.SLOW_STATUSES)


DONE = Judged(None, again=True)
AGAIN = Judged(TransferError, again=True)
SLOW = Judged(TransferError, again=True, slow=True)
FINAL = Judged(TransferError)


class TestJudging:
    @pytest.mark.parametrize("status", [200, 201, 204])
    def test_6_a_part_is_there_on_a_whole_2xx(self, status: int) -> None:
        assert judge(status).error is None
        assert judge(status, whole=False) == AGAIN

    @pytest.mark.parametrize("body", [error_body("InternalError"), b"<Error/>", b'<?xml?>\n<Error xmlns="x">'])
    def test_7_a_part_is_not_there_when_the_body_says_error(self, body: bytes) -> None:
        assert judge(200, body) == AGAIN

    @pytest.mark.parametrize("body", [b"<html>please log in</html>", b"scanned", b"{}", b" " * 1000 + b"<p>"])
    @pytest.mark.parametrize("etag", ["", MD5])
    def test_39_nor_when_somebody_on_the_way_answers(self, body: bytes, etag: str) -> None:
        assert judge(200, body, etag=etag) == AGAIN

    @pytest.mark.parametrize("body", [b"", b"\r\n", b" " * 1000])
    def test_39_silence_is_what_acknowledges_even_without_an_etag(self, body: bytes) -> None:
        assert judge(200, body).error is None

    @pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
    def test_10_storage_that_is_busy_is_asked_again_and_less(self, status: int) -> None:
        assert judge(status, error_body("SlowDown")) == SLOW
        assert judge(status, b"<html>") == SLOW

    @pytest.mark.parametrize(("status", "code"), [(400, "RequestTimeout"), (409, "OperationAborted")])
    def test_10_a_code_that_says_try_again_is_believed_whatever_the_status(self, status: int, code: str) -> None:
        assert judge(status, error_body(code)) == AGAIN

    @pytest.mark.parametrize("status", [300, 301, 307, 400, 401, 404, 405, 411, 412, 413, 416])
    def test_11_14_other_refusals_are_final(self, status: int) -> None:
        assert judge(status, error_body("NoSuchUpload")) == FINAL

    @pytest.mark.parametrize(
        ("expires", "date", "expired"),
        [
            ("2025-12-31T23:00:00Z", None, True),
            ("2026-01-01T01:00:00Z", None, False),
            ("2026-01-01T00:00:00Z", None, True),
            # This machine's clock is slow: storage says that it is later.
            ("2026-01-01T01:00:00Z", NOW + timedelta(hours=2), True),
            # It is fast: storage says that it is earlier.
            ("2025-12-31T23:00:00Z", NOW - timedelta(hours=2), False),
            ("", None, False),
            ("soon", None, False),
        ],
    )
    def test_12_13_a_403_is_about_expiry_when_storages_clock_says_so(
        self, expires: str, date: datetime | None, expired: bool
    ) -> None:
        headers: dict[str, Any] = {"date": format_datetime(date, usegmt=True)} if date else {}
        expected = Judged(UploadURLExpiredError) if expired else AGAIN
        assert judge(403, error_body("AccessDenied"), expires=expires, **headers) == expected

    @pytest.mark.parametrize(
        "body",
        [
            error_body("AccessDenied", "Request has expired"),
            error_body("ExpiredToken", "The provided token has expired."),
            error_body("RequestExpired", ""),
        ],
    )
    def test_12_or_when_storage_says_so_in_words(self, body: bytes) -> None:
        assert judge(403, body) == Judged(UploadURLExpiredError)

    @pytest.mark.parametrize(
        "quoted",
        [
            b"<Resource>/bucket/Expired.glb</Resource>",
            b"<Key>my expired model.glb</Key>",
            b"<CanonicalRequest>PUT\n/expired.glb\nX-Amz-Expires=1</CanonicalRequest>",
        ],
    )
    def test_13_but_not_when_the_file_is_called_so(self, quoted: bytes) -> None:
        body = error_body("SignatureDoesNotMatch") + quoted
        assert judge(403, body) == AGAIN
        assert judge(400, body) == FINAL
        assert judge(400, b'{"resource": "/bucket/expired.glb"}') == FINAL

    @pytest.mark.parametrize("status", [400, 401, 403])
    @pytest.mark.parametrize(
        "body",
        [
            error_body("ExpiredToken", "The provided token has expired."),
            error_body("TokenExpired", ""),
            b"<Error><Code>AccessDenied</Code><Details>Request signature expired at: 2026</Details></Error>",
            b"<Error xmlns='urn:x'><Code lang='en'>ExpiredToken</Code></Error>",
            b"<html><title>403</title><h1>Request has expired</h1></html>",
            b'{"error": "the link has expired"}',
            b'{"error": {"error_description": "Signature expired"}}',
            b"Request has expired",
        ],
    )
    def test_12_whatever_the_status_and_the_words(self, status: int, body: bytes) -> None:
        assert judge(status, body) == Judged(UploadURLExpiredError)

    @pytest.mark.parametrize(
        ("status", "code", "rest"),
        [
            (403, "AccessDenied", "<Message>Request has expired</Message><X-Amz-Expires>900</X-Amz-Expires>"),
            (400, "ExpiredToken", "<Message>The provided token has expired.</Message>"),
            (403, "AccessDenied", "<Message>The pre-signed URL has expired</Message>"),
            (403, "ExpiredRequest", "<Message>Forbidden</Message>"),
            (400, "ExpiredToken", "<Message>Invalid argument.</Message>"),
            (403, "SecurityTokenExpired", "<Message>The token you provided is too old.</Message>"),
            (403, "AuthenticationFailed", f"<Message>Server failed.</Message><{DETAIL}>{WINDOW}</{DETAIL}>"),
            (
                403,
                "AuthenticationFailed",
                f"<{DETAIL}>Signed expiry time [1] must be after signed start time [2]</{DETAIL}>",
            ),
        ],
        ids=["S3 and MinIO", "S3 token", "Ceph", "R2", "GCS", "OSS", "Azure", "Azure expiry"],
    )
    def test_12_by_each_storage_in_its_own_words(self, status: int, code: str, rest: str) -> None:
        body = f"<?xml version='1.0' encoding='utf-8'?><Error><Code>{code}</Code>{rest}</Error>".encode()
        assert judge(status, body) == Judged(UploadURLExpiredError)

    def test_13_a_signature_that_does_not_fit_is_not_one_that_has_expired(self) -> None:
        assert judge(403, error_body("AuthenticationFailed", "Signature did not match.")) == AGAIN

    @pytest.mark.parametrize("status", [400, 404, 410])
    def test_40_a_multipart_upload_that_is_gone_needs_a_new_one(self, status: int) -> None:
        # The last one is MinIO's word for a temporary key that has expired.
        dead = ["NoSuchUpload", "NoSuchKey", "NoSuchBucket", "InvalidToken", "InvalidAccessKeyId", "InvalidTokenId"]
        for code, gone in (dict.fromkeys(dead, True) | {"InvalidPart": False}).items():
            answer = StorageResponse(status, {}, error_body(code), True)
            error, _ = classify_response(answer, make_target(), now=NOW)
            assert error is not None
            assert error.needs_new_upload is gone

    def test_13_a_signature_that_does_not_match_hints_at_who_may_have_changed_the_request(self) -> None:
        answer = StorageResponse(403, {}, error_body("SignatureDoesNotMatch"), True)
        error, _ = classify_response(answer, make_target(), now=NOW)
        assert "a proxy, or a header that it adds" in str(error)

    def test_a_message_has_number_status_code_and_request_id_and_nothing_else_of_the_body(self) -> None:
        error, _ = classify_response(StorageResponse(400, {}, error_body("Odd"), True), make_target(), now=NOW)
        assert str(error) == "Part 7 was refused by storage with status 400 and code Odd (request id REQ1)."

    @pytest.mark.parametrize("etag", [MD5, f'"{MD5}"', f'W/"{MD5}"', MD5.upper(), f'"{MD5.upper()}"'])
    def test_8_the_md5_of_what_was_sent_is_the_etag_however_it_is_written(self, etag: str) -> None:
        assert judge(200, md5=MD5, etag=etag).error is None
        assert judge(200, md5=OTHER, etag=etag) == Judged(IntegrityError, again=True)
        assert judge(200, md5=None, etag=etag).error is None

    def test_8_encryption_with_s3s_own_key_leaves_the_etag_a_md5(self) -> None:
        judged = judge(200, md5=OTHER, etag=f'"{MD5}"', x_amz_server_side_encryption="AES256")
        assert judged.error is IntegrityError

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"etag": ""},
            {"etag": '"0"'},
            {"etag": f'"{MD5}-2"'},
            {"etag": f'"{MD5}0"'},
            {"etag": f'"{MD5}"', "x_amz_server_side_encryption": "aws:kms"},
            {"etag": f'"{MD5}"', "x_amz_server_side_encryption": "aws:kms:dsse"},
            {"etag": f'"{MD5}"', "x_amz_server_side_encryption_customer_algorithm": "AES256"},
        ],
    )
    def test_9_an_etag_that_is_no_md5_proves_nothing(self, headers: dict[str, Any]) -> None:
        assert judge(200, md5=OTHER, **headers).error is None


class Sending:
    """A part on its way to a server, with all that happens noted and no time lost."""

    def __init__(self, storage: Storage, *, on_pause: Callable[[], object] = lambda: None) -> None:
        self.events: list[PartEvent] = []
        self.pauses: list[float] = []
        self.seconds = 0.0
        self.halted = False
        self._on_pause = on_pause
        self.source = open_source(CONTENT)
        self.settings: dict[str, Any] = {
            "put": storage.put,
            "report": self.events.append,
            "pause": self._pause,
            "draw": lambda: 1.0,
            "clock": lambda: self.seconds,
            "now": lambda: NOW,
        }

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.seconds += seconds
        self._on_pause()

    def __call__(self, origin: str, allow: Callable[[int], int] = int, **changes: Any) -> None:
        body = Body(self.source, True, lambda: self.halted, allow)
        send_part(PartJob(body, **self.settings | changes), make_target(origin))

    @property
    def bytes_told(self) -> int:
        return sum(event.sent for event in self.events)


@pytest.fixture
def storage() -> Iterator[Storage]:
    one = Storage(StorageTimeouts(5, 5, 5))
    yield one
    one.close()


@pytest.fixture
def send(storage: Storage) -> Sending:
    return Sending(storage)


def serve(*answers: Answering) -> Server:
    """A bucket that answers first with these."""
    waiting = list(answers)

    def answer(exchange: Exchange) -> None:
        (waiting.pop(0) if waiting else store)(exchange)

    return Server(answer)


class TestSending:
    @pytest.mark.parametrize(
        "fault",
        [
            *[reply(status, error_body("SlowDown")) for status in (408, 429, 500, 502, 503, 504)],
            reply(400, error_body("RequestTimeout")),
            reply(200, error_body("InternalError")),
            reply(200, b" " * 100_000 + error_body("InternalError")),
            reply(200, b"<html>please log in</html>"),
            reply(200, b"", {"ETag": f'"{OTHER}"'}),
            reply(200, b"ok", length=10),
            reply(403, error_body("AccessDenied")),
            lose,
            reset_in_body,
        ],
        ids=[
            "408",
            "429",
            "500",
            "502",
            "503",
            "504",
            "400",
            "200-error",
            "late",
            "portal",
            "other-md5",
            "cut",
            "403",
            "lost",
            "reset",
        ],
    )
    def test_3_6_7_8_10_13_what_may_pass_is_tried_again_from_the_parts_first_byte(
        self, send: Sending, fault: Answering
    ) -> None:
        with serve(fault) as server:
            send(server.origin)
        assert [1, 2] == [event.attempt for event in send.events if event.attempt]
        assert len(server.requests) == 2
        assert [0.5] == send.pauses
        assert send.bytes_told == len(CONTENT)
        md5 = hashlib.md5(CONTENT).hexdigest()
        assert send.events[-1] == PartEvent(7, done=True, quick=True, md5=md5)

    def test_10_the_delays_double_to_their_bound_and_the_tries_are_counted(self, send: Sending) -> None:
        with serve(*[reply(503)] * 20) as server, pytest.raises(TransferError, match="status 503"):
            send(server.origin)
        assert [0.5, 1, 2, 4, 8, 16, 20, 20] == send.pauses
        assert len(server.requests) == 9
        assert send.bytes_told == 0
        assert sum(event.slow for event in send.events) == 9
        assert not any(event.done for event in send.events)

    @pytest.mark.parametrize(
        ("value", "pause"),
        [
            ("7", 7.0),
            (format_datetime(NOW + timedelta(seconds=9), usegmt=True), 9.0),
            ("86400", 60.0),
            (format_datetime(NOW + timedelta(days=9), usegmt=True), 60.0),
            (format_datetime(NOW - timedelta(days=9), usegmt=True), 0.5),
            ("0", 0.5),
            ("later", 0.5),
        ],
    )
    def test_10_retry_after_is_honoured_in_both_forms_and_capped(self, send: Sending, value: str, pause: float) -> None:
        with serve(reply(503, b"", {"Retry-After": value})) as server:
            send(server.origin)
        assert [pause] == send.pauses

    def test_42_storage_that_is_away_is_tried_again_until_patience_ends(self, send: Sending) -> None:
        with pytest.raises(TransferError, match="refused"):
            send("http://127.0.0.1:1", policy=RetryPolicy(max_retries=0), patience=200.0)
        assert send.seconds == pytest.approx(200.0)
        assert max(send.pauses) == 20.0

    @pytest.mark.parametrize(
        "fault",
        [
            ConnectionRefusedError(errno.ECONNREFUSED, "refused"),
            OSError(errno.ENETUNREACH, "unreachable"),
            socket.gaierror(socket.EAI_AGAIN, "no such name for now"),
            ConnectionResetError(errno.ECONNRESET, "reset"),
            TimeoutError("no connection within 10 s"),
        ],
    )
    def test_42_and_may_be_there_again_after_an_hour(
        self, send: Sending, monkeypatch: pytest.MonkeyPatch, fault: OSError
    ) -> None:
        connect = sockets.open_socket

        def connect_late(*args: Any) -> Socket:
            if send.seconds < 3600:
                raise fault
            return connect(*args)

        monkeypatch.setattr(sockets, "open_socket", connect_late)
        with serve(reply(503), reply(503)) as server:
            send(server.origin, policy=RetryPolicy(max_retries=2), patience=4000.0)
        assert send.events[-1].done

    @pytest.mark.parametrize("kind", [Resets, Silence])
    def test_42_a_handshake_that_fails_is_an_outage(self, kind: type[Resets | Silence]) -> None:
        send = Sending(Storage(StorageTimeouts(connect=0.1)))
        with kind() as server, pytest.raises(TransferError):
            send(f"https://127.0.0.1:{server.port}", policy=RetryPolicy(max_retries=0), patience=30.0)
        assert send.seconds == pytest.approx(30.0)

    @pytest.mark.parametrize(("status", "seconds"), [(407, 0.0), (403, 0.0), (429, 60.0), (503, 60.0)])
    def test_42_a_proxy_that_refuses_is_no_outage(
        self, send: Sending, monkeypatch: pytest.MonkeyPatch, status: int, seconds: float
    ) -> None:
        with serve(*[reply(status)] * 20) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.origin)
            with pytest.raises(TransferError, match=str(status)):
                send("https://storage.example", patience=60.0)
        assert send.seconds == seconds

    @pytest.mark.parametrize(
        ("credentials", "answers", "told", "seconds"),
        [
            ("", b"\x05\xff", "requires other credentials", 0.0),
            ("", b"\x05\x02", "requires other credentials", 0.0),
            ("user:passw0rd@", b"\x05\xff", "requires other credentials", 0.0),
            ("user:passw0rd@", b"\x05\x02|\x01\x01", "wrong user name or password", 0.0),
            ("", b"\x05\x00|\x05\x02\x00\x01" + bytes(6), "connection not allowed by ruleset", 0.0),
            ("", b"\x05\x00|\x05\x08\x00\x01" + bytes(6), "address type not supported", 0.0),
            ("", b"\x05\x00|\x05\x04\x00\x01" + bytes(6), "host unreachable", 60.0),
            ("", b"\x05\x00|", "closed the connection", 60.0),
            ("user:passw0rd@", b"\x05\x02|", "closed the connection", 60.0),
            ("", b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak SOCKS5", 0.0),
        ],
    )
    def test_42_nor_one_that_refuses_by_socks(
        self,
        send: Sending,
        monkeypatch: pytest.MonkeyPatch,
        credentials: str,
        answers: bytes,
        told: str,
        seconds: float,
    ) -> None:
        with SocksAnswers(*answers.split(b"|")) as proxy:
            monkeypatch.setenv("ALL_PROXY", f"socks5://{credentials}127.0.0.1:{proxy.port}")
            with pytest.raises(TransferError, match=told) as caught:
                send("https://storage.example", patience=60.0)
        assert send.seconds == seconds
        assert "passw0rd" not in "".join(traceback.format_exception(caught.value))

    def test_10_but_not_while_bytes_move(self, send: Sending) -> None:
        """A part of hours may fail twice."""

        def pass_by() -> None:
            send.seconds += 4000

        send._on_pause = pass_by
        with serve(*[reply(503)] * 5) as server:
            send(server.origin)
        assert len(server.requests) == 6

    def test_13_a_second_403_is_final(self, send: Sending) -> None:
        answers = [reply(403, error_body("SignatureDoesNotMatch"))] * 9
        with serve(*answers) as server, pytest.raises(TransferError, match="SignatureDoesNotMatch"):
            send(server.origin)
        assert len(server.requests) == 2

    def test_13_even_with_other_faults_between(self, send: Sending) -> None:
        forbidden = reply(403, error_body("AccessDenied"))
        with serve(forbidden, reply(503), forbidden) as server, pytest.raises(TransferError, match="AccessDenied"):
            send(server.origin)
        assert len(server.requests) == 3

    def test_2_a_certificate_is_not_tried_twice(self, send: Sending) -> None:
        said = "the TLS certificate is not trusted: self-signed"
        with Server(store, tls=make_tls()) as server, pytest.raises(TransferError, match=said) as caught:
            send(server.origin)
        assert [] == send.pauses
        assert "127.0.0.1" in str(caught.value)
        assert "s3cret" not in str(caught.value)

    def test_1_what_cannot_be_reached_is_named_without_its_secret(self, send: Sending) -> None:
        with pytest.raises(TransferError, match=r"Part 7 did not reach 127\.0\.0\.1: .*refused") as caught:
            send("http://127.0.0.1:1", patience=0.0)
        assert send.pauses == []
        assert "s3cret" not in repr(caught.value)

    def test_6_no_http_is_told_so(self, send: Sending) -> None:
        with serve(lose) as server, pytest.raises(TransferError, match="the response was cut short or is not HTTP"):
            send(server.origin, policy=RetryPolicy(max_retries=0))

    def test_5_a_stall_is_told_so(self) -> None:
        impatient = Storage(IMPATIENT)
        with serve(stall) as server, pytest.raises(TransferError, match=r"no (byte moved|whole response)"):
            Sending(impatient)(server.origin, policy=RetryPolicy(max_retries=0))
        impatient.close()

    def test_27_a_stop_in_a_pause_ends_it(self, send: Sending) -> None:
        def stop() -> None:
            send.halted = True

        send._on_pause = stop
        with serve(reply(503)) as server, pytest.raises(HaltedError):
            send(server.origin)
        assert len(server.requests) == 1

    def test_what_the_source_says_is_wrong_is_not_tried_again(self, send: Sending) -> None:
        send.source.close()
        with bucket() as server, pytest.raises(TransferError, match="cannot be read"):
            send(server.origin)
        assert [] == send.pauses


@pytest.mark.parametrize(
    ("seconds_a_chunk", "expected", "quick"),
    [(0.0, [6 * MIB], [True]), (1.0, [MIB] * 6, [False] + [True] * 5), (2.0, [MIB] * 6, [False] * 6)],
)
def test_progress_is_told_in_steps_and_on_a_slow_link_in_small_ones(
    send: Sending, seconds_a_chunk: float, expected: list[int], quick: list[bool]
) -> None:
    """Every word wakes the counting thread, but nobody looks at a bar that stands still."""

    def allow(most: int) -> int:
        send.seconds += seconds_a_chunk
        return most

    with bucket() as server:
        send(server.origin, allow=allow)
    told = [event for event in send.events if event.sent]
    assert expected == [event.sent for event in told]
    # A slow link must not be taken for a fast one: all parts would begin before one is there to resume from.
    assert quick == [event.quick for event in told]
    assert send.events[-1].quick == any(quick)


def test_what_buffers_take_at_first_says_nothing_of_the_link(send: Sending) -> None:
    seconds = iter([0.0, 0.0, 0.0, 1.1, 12.0, 12.0])

    def allow(most: int) -> int:
        send.seconds += next(seconds)
        return most

    with bucket() as server:
        send(server.origin, allow=allow)
    assert not any(event.quick for event in send.events)


def test_the_defaults_are_a_real_clock_and_real_chance() -> None:
    job = PartJob(Body(open_source(b"x"), True, bool), Storage().put, print, print)
    assert 0 <= job.draw() < 1
    assert job.now().tzinfo is UTC
    assert job.clock() <= job.clock()
    assert job.policy is room.PART_POLICY


def test_3_an_early_403_over_tls_is_told_with_its_code(send: Sending, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(exchange: Exchange) -> None:
        exchange.read_body(1000)
        body = error_body("AccessDenied", "Request has expired")
        exchange.send(encode_head(403, [("Content-Length", str(len(body)))]) + body)
        exchange.hang()

    monkeypatch.setenv("SSL_CERT_FILE", str(make_certificate()))
    with Server(refuse, tls=make_tls()) as server, pytest.raises(UploadURLExpiredError, match="AccessDenied"):
        send(server.origin)
    assert len(server.requests) == 1
