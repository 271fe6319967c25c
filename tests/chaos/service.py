"""An API and a storage, on sockets of their own, that do to each upload what its script says.

It keeps the SHA-256 of every part that it stored, and notes whatever no client may do.
"""

import gzip
import hashlib
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from attrs import define, field

from tests.chaos.script import PART_SIZE, STORM, Script, draw_fault
from tests.support.server import Answering, Exchange, Server, encode_head, lose, reply
from tests.support.service import make_upload

SIGNATURE = "ChaosSignature"
# Longer than any silence that the run's clients bear, and than a whole answer may take them.
_DRIBBLE = 0.1
_UNSIGNED = ("authorization", "cookie", "content-md5", "transfer-encoding", "proxy-authorization")


@define
class Stored:
    """One upload as the service knows it."""

    upload_id: str
    expires: float
    """When its URLs stop working, by `time.time`."""
    parts: dict[int, tuple[int, str]] = field(factory=dict)
    """For each part that came whole, its length and SHA-256."""
    completed: bool = False
    polls: int = 0


@define
class Job:
    """What happened to the uploads of one script."""

    script: Script
    digests: list[tuple[int, str]] = field(factory=list)
    sizes: set[tuple[int, int]] = field(factory=set)
    """Part numbers with the sizes that they have had; a request of an earlier call may arrive late."""
    """What has to be stored: for each part its length and SHA-256."""
    uploads: dict[str, Stored] = field(factory=dict)
    answered: list[str] = field(factory=list)
    """The ids that a create was answered with, whole."""
    earlier: set[str] = field(factory=set)
    """Those of them that an earlier call got, or a process that was killed."""
    creates: list[str] = field(factory=list)
    """What became of each create: `answered`, `lost`, `refused`."""
    violations: list[str] = field(factory=list)
    injected: Counter[str] = field(factory=Counter)
    log: list[str] = field(factory=list)
    hooks: dict[str, Callable[[], object]] = field(factory=dict)
    """Called once, when a step is asked for: `create`, `part 3`, `complete`, `retrieve`."""
    settled: set[tuple[str, int]] = field(factory=set)
    """Parts that a ledger has as done; sending them again is a fault."""
    acknowledged: set[tuple[str, int]] = field(factory=set)
    """Parts that the last call, or process, was told are stored."""
    calls: int = 0
    resumable: bool = False
    """Whether there is a ledger that fits, so that a create would be one too many."""
    changed: bool = False
    lock: threading.Lock = field(factory=threading.Lock)
    hooked: threading.Lock = field(factory=threading.Lock)
    """Held while a hook runs: what the client asks meanwhile has to wait."""
    faults: dict[str, list[str]] = field(factory=dict)
    chance: random.Random = field(init=False)
    storm: int = 0
    begun: float = field(factory=time.monotonic)

    def __attrs_post_init__(self) -> None:
        self.chance = random.Random(f"{self.script.index}/{self.script.at}")
        self.faults = {step: list(names) for step, names in self.script.faults.items()}
        self.storm = STORM if self.script.event == "storm" else 0

    def note(self, line: str) -> None:
        self.log.append(f"{time.monotonic() - self.begun:7.3f} {line}")

    def accuse(self, line: str) -> None:
        self.note(f"VIOLATION {line}")
        self.violations.append(line)

    def begin_call(self) -> None:
        """Forget what only the last call answers for."""
        self.calls += 1
        self.creates.clear()
        self.acknowledged.clear()
        self.earlier.update(self.answered)

    def next_fault(self, step: str) -> str | None:
        """Take the next fault of a step off the script; run what waits for the step."""
        with self.hooked:
            if hook := self.hooks.pop(step, None):
                hook()
        with self.lock:
            fault = None
            if step.startswith("part") and self.storm:
                self.storm, fault = self.storm - 1, "storm"
            elif self.faults.get(step):
                fault = self.faults[step].pop(0)
            elif self.chance.random() < self.script.rate:
                kind = "part" if step.startswith("part") else step
                fault = draw_fault(self.chance, kind, lost="lost" in self.creates)
            if fault:
                kind = "event" if fault == "storm" else step.partition(" ")[0]
                self.injected[f"{kind}: {fault}"] += 1
        self.note(f"{step} {fault or ''}")
        return fault


class ChaosService:
    """The API under `/v1` and, on another port, storage under `/bucket`."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.violations: list[str] = []
        self._by_upload: dict[str, Job] = {}
        self._uploads: dict[str, Stored] = {}
        self.api, self.storage = Server(self._serve_api), Server(self._serve_storage)

    def __enter__(self) -> Self:
        self.api.__enter__()
        self.storage.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.storage.__exit__(kind, error, traceback)
        self.api.__exit__(kind, error, traceback)

    @property
    def url(self) -> str:
        return self.api.origin + "/v1"

    # The API

    def _serve_api(self, exchange: Exchange) -> None:
        request = exchange.request
        segments = request.path.strip("/").split("/")
        if (request.header("authorization") or "").split()[0] != "Basic":
            self.violations.append(f"{request!r} came without credentials")
        if request.method == "POST" and segments == ["v1", "uploads"]:
            exchange.read_body()
            asked = request.json
            job, step = self.jobs[asked["fileName"]], "create"
            call = _Call(self, job, None, asked, exchange)
        elif len(segments) >= 3 and segments[2] in self._by_upload:
            job = self._by_upload[segments[2]]
            step = "complete" if request.method == "POST" else "retrieve"
            call = _Call(self, job, self._uploads[segments[2]], {}, exchange)
        else:
            self.violations.append(f"the API was asked for {request.method} {request.path}")
            reply(404, {"reason": "no such thing"})(exchange)
            return
        fault = job.next_fault(step)
        exchange.read_body()
        if step == "create":
            # What becomes of it is noted before the client can know; a fault changes this first word.
            with job.lock:
                job.creates.append("answered" if fault in (None, "slow_answer") else "refused")
        _API_FAULTS[fault](call, step) if fault else call.do(step)(exchange)

    def create(self, job: Job, asked: dict[str, Any]) -> tuple[Stored, dict[str, Any]]:
        with job.lock:
            number = len(job.uploads) + 1
            upload = Stored(f"up-{job.script.index}-{number}", time.time() + 600.0)
            job.uploads[upload.upload_id] = upload
            self._by_upload[upload.upload_id], self._uploads[upload.upload_id] = job, upload
        event = job.script.event or ""
        if job.resumable:
            job.accuse("create was sent though there was an upload to resume")
        if event.startswith("expiry") and (number == 1 or event == "expiry_twice"):
            upload.expires = time.time() + 0.5
        expires = datetime.fromtimestamp(upload.expires + job.script.skew, UTC).isoformat()
        if asked["parts"] != job.script.parts_count or asked["fileSize"] != sum(size for size, _ in job.digests):
            job.accuse(f"create asked for {asked['parts']} parts and {asked['fileSize']} bytes")
        parts = [
            {
                "number": part,
                "url": f"{self.storage.origin}/bucket/{upload.upload_id}/{part}?X-Amz-Signature={SIGNATURE}{part:05}",
                "expires": expires,
            }
            for part in range(1, asked["parts"] + 1)
        ]
        body = make_upload(
            id=upload.upload_id, fileName=job.script.name, status="pending", entityId=None, parts=parts, kind="3d"
        )
        return upload, body

    # Storage

    def _serve_storage(self, exchange: Exchange) -> None:
        request = exchange.request
        segments = request.path.strip("/").split("/")
        if request.method != "PUT" or len(segments) != 3 or segments[0] != "bucket":
            self.violations.append(f"storage was asked for {request.method} {request.path}")
            exchange.close()
            return
        upload, number = self._uploads[segments[1]], int(segments[2])
        job = self._by_upload[segments[1]]
        names = request.names
        if found := [name for name in names if name in _UNSIGNED or name.startswith("x-")]:
            job.accuse(f"part {number} was sent with {found}")
        if not parse_qs(request.target.partition("?")[2]).get("X-Amz-Signature", [""])[0].endswith(f"{number:05}"):
            job.accuse(f"part {number} was sent without its signature")
        if (number, request.length) not in job.sizes and not job.changed:
            job.accuse(f"part {number} was announced with {request.length} bytes")
        if (upload.upload_id, number) in job.settled:
            job.accuse(f"part {number} of {upload.upload_id} was sent again after it was in the ledger")
        event = job.script.event or ""
        put, call = _Put(job, upload, number, exchange), job.calls
        expires = event.startswith("expiry") and (upload.upload_id.endswith("-1") or event == "expiry_twice")
        if expires and (number == job.script.event_part or time.time() >= upload.expires):
            job.note(f"part {number} expiry")
            put.expire()
            return
        if job.script.changes_file and number == job.script.event_part and not job.changed:
            put.receive(request.length // 2)
        fault = job.next_fault(f"part {number}")
        if fault is None:
            put.store()
            put.accept()
            # What a process had sent before it was killed still arrives, but nobody is told of it.
            if call == job.calls and is_connected(exchange):
                job.acknowledged.add((upload.upload_id, number))
        else:
            _PART_FAULTS[fault](put)


@define
class _Call:
    """One call to the API: `do` does what it asks for and returns the good answer."""

    service: ChaosService
    job: Job
    upload: Stored | None
    asked: dict[str, Any]
    exchange: Exchange

    def do(self, step: str) -> Answering:
        if step == "create":
            upload, body = self.service.create(self.job, self.asked)
            with self.job.lock:
                if self.job.creates[-1] == "answered":
                    self.job.answered.append(upload.upload_id)
            return reply(200, {"upload": body})
        assert self.upload is not None
        return self._complete(self.upload) if step == "complete" else self._retrieve(self.upload)

    def _complete(self, upload: Stored) -> Answering:
        job = self.job
        if upload.completed and job.script.complete_again != 200:
            return reply(job.script.complete_again, {"reason": "it is complete already", "traceId": "t1"})
        stored = [upload.parts.get(number) for number in range(1, job.script.parts_count + 1)]
        if stored != job.digests:
            wrong = [n for n, (is_, be) in enumerate(zip(stored, job.digests, strict=False), 1) if is_ != be]
            job.accuse(f"{upload.upload_id} was completed with parts {wrong} wrong or missing")
        if job.changed:
            job.accuse(f"{upload.upload_id} was completed though its file had changed")
        upload.completed = True
        return reply(200, {"upload": make_upload(id=upload.upload_id, status="validating", entityId=None)})

    def _retrieve(self, upload: Stored) -> Answering:
        changes: dict[str, Any] = {"status": "pending", "entityId": None}
        if upload.completed:
            upload.polls += 1
            script = self.job.script
            if upload.polls <= len(script.statuses):
                changes["status"] = script.statuses[upload.polls - 1]
            else:
                self.job.injected[f"ending: {script.ending}"] += 1
                changes = _ENDINGS[script.ending]
        return reply(200, {"upload": make_upload(id=upload.upload_id, **changes)})

    def lose_create(self) -> None:
        """Note that this create's answer does not arrive."""
        if self.upload is None:
            self.job.creates[-1] = "lost"


_ENDINGS: dict[str, dict[str, Any]] = {
    "imported": {},
    "no_entity": {"entityId": None},
    "failed": {"status": "failed", "entityId": None, "errorMessage": "no mesh in it"},
    "failed_silently": {"status": "failed", "entityId": None},
    "never": {"status": "validating", "entityId": None},
    "unknown_for_ever": {"status": "quarantined", "entityId": None},
}


def _echo(call: _Call) -> str:
    # Careless gateways repeat what they were sent.
    return f"<html>502 Bad Gateway. Authorization: {call.exchange.request.header('authorization')}</html>"


def _cut(call: _Call, step: str) -> None:
    call.lose_create()
    call.do(step)
    call.exchange.send(encode_head(200, {"Content-Length": "5000"}.items()) + b'{"upload": {')
    call.exchange.close()


def is_connected(exchange: Exchange) -> bool:
    """Tell whether the client is still there."""
    return exchange.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == 1


def _dribble(exchange: Exchange, data: bytes) -> None:
    """Send byte after byte until the client has left."""
    for place in range(len(data)):
        exchange.send(data[place : place + 1])
        if exchange.server.stopping.wait(_DRIBBLE):
            break
        if not is_connected(exchange):
            break
    exchange.close()


def _dribble_answer(call: _Call, step: str) -> None:
    call.lose_create()
    call.do(step)
    call.exchange.send(encode_head(200, {"Content-Length": "5000"}.items()))
    _dribble(call.exchange, b" " * 5000)


def _lost(call: _Call, step: str, *, done: bool, hang: bool = False) -> None:
    call.lose_create()
    if done:
        call.do(step)
    if hang:
        call.exchange.hang()
    else:
        lose(call.exchange)


def _reset(call: _Call, step: str) -> None:
    call.lose_create()
    call.exchange.reset()


def _refuse(status: int, body: object = None, *, done: bool = False, **headers: str) -> Callable[[_Call, str], None]:
    def refuse(call: _Call, step: str) -> None:
        if done:
            call.do(step)
        content = {"reason": f"chaos {status}", "traceId": "trace-1"} if body is None else body
        shown = _echo(call).encode() if content == "html" else content
        reply(status, shown, {name.replace("_", "-"): value for name, value in headers.items()})(call.exchange)

    return refuse


def _slow_answer(call: _Call, step: str) -> None:
    answer = call.do(step)
    call.exchange.server.stopping.wait(0.3)
    answer(call.exchange)


def _stale_pending(call: _Call, step: str) -> None:
    assert call.upload is not None
    body = make_upload(id=call.upload.upload_id, status="pending", entityId=None)
    reply(200, {"upload": body})(call.exchange)


def _spoil(change: Callable[[dict[str, Any]], object], *, has_id: bool = True) -> Callable[[_Call, str], None]:
    """Answer a create with something that cannot be used."""

    def answer(call: _Call, step: str) -> None:
        upload, body = call.service.create(call.job, call.asked)
        change(body)
        if has_id:
            call.job.creates[-1] = "answered"
            call.job.answered.append(upload.upload_id)
        reply(200, {"upload": body})(call.exchange)

    return answer


def _redirect_parts(body: dict[str, Any], before: str, after: str) -> None:
    for part in body["parts"]:
        part["url"] = part["url"].replace(before, after)


def _forget_port(body: dict[str, Any]) -> None:
    """Let the parts go where nobody listens."""
    port = urlsplit(body["parts"][0]["url"]).port
    _redirect_parts(body, f":{port}/", ":1/")


_DEEP = b'{"upload":' * 3000 + b"1" + b"}" * 3000
_BOMB = gzip.compress(b" " * 30_000_000, 1)

_API_FAULTS: dict[str, Callable[[_Call, str], object]] = {
    "reset": _reset,
    "lost_before": lambda call, step: _lost(call, step, done=False),
    "lost_after": lambda call, step: _lost(call, step, done=True),
    "hang_before": lambda call, step: _lost(call, step, done=False, hang=True),
    "hang_after": lambda call, step: _lost(call, step, done=True, hang=True),
    "cut": _cut,
    "dribble": _dribble_answer,
    "slow_answer": _slow_answer,
    "stale_pending": _stale_pending,
    "s500": _refuse(500),
    "s500_odd_json": _refuse(500, {"error": {"message": ["deep", {"x": 1}]}}),
    "s502_after": _refuse(502, done=True),
    "s503_retry_after": _refuse(503, Retry_After="0.2"),
    "s429_remaining": _refuse(429, {"reason": "too many", "remainingSeconds": 0.3}),
    "s408": _refuse(408),
    "s520": _refuse(520, b""),
    "html_502": _refuse(502, "html"),
    "html_200": _refuse(200, "html"),
    "empty_200": _refuse(200, b""),
    "list_200": _refuse(200, ["upload"]),
    "deep_200": _refuse(200, _DEEP),
    "cut_json_200": _refuse(200, b'{"upload": {"id": "up'),
    "gzip_bomb_200": _refuse(200, _BOMB, Content_Encoding="gzip"),
    "no_upload_200": _refuse(200, {"upload": None}),
    "s400": _refuse(400),
    "s401": _refuse(401, "html"),
    "s403": _refuse(403),
    "s404": _refuse(404),
    "s409": _refuse(409),
    "s409_after": _refuse(409, done=True),
    "s422": _refuse(422),
    "no_id": _spoil(lambda body: body.pop("id"), has_id=False),
    "part_twice": _spoil(lambda body: body["parts"].append(body["parts"][0])),
    "part_missing": _spoil(lambda body: body["parts"].pop()),
    "part_surplus": _spoil(lambda body: body["parts"].append(body["parts"][0] | {"number": len(body["parts"]) + 1})),
    "no_parts": _spoil(lambda body: body.pop("parts")),
    "part_url_http": _spoil(lambda body: _redirect_parts(body, "127.0.0.1", "storage.invalid")),
    "part_url_userinfo": _spoil(lambda body: _redirect_parts(body, "127.0.0.1", "u:p@127.0.0.1")),
    "part_url_dead": _spoil(_forget_port),
    "part_number_text": _spoil(lambda body: body["parts"][0].update(number="first")),
}


@define
class _Put:
    """One try to send a part."""

    job: Job
    upload: Stored
    number: int
    exchange: Exchange
    md5: Any = field(factory=lambda: hashlib.md5(usedforsecurity=False))
    sha256: Any = field(factory=hashlib.sha256)

    def chunks(self, limit: int | None = None, size: int = 1 << 18) -> Iterator[bytearray]:
        """Take the body off the wire, up to `limit` bytes of it in all."""
        request, exchange = self.exchange.request, self.exchange
        wanted = request.length if limit is None else min(limit, request.length)
        while request.received < wanted:
            chunk = exchange.rest or exchange.sock.recv(min(size, wanted - request.received))
            if not chunk:
                raise ConnectionResetError("the client left in the middle of a body")
            used = min(len(chunk), wanted - request.received)
            exchange.rest = chunk[used:]
            request.received += used
            request.whole = request.received >= request.length
            yield bytearray(chunk[:used])

    def receive(self, limit: int | None = None) -> None:
        for chunk in self.chunks(limit):
            self.take(chunk)

    def take(self, chunk: bytearray) -> None:
        self.md5.update(chunk)
        self.sha256.update(chunk)

    def store(self) -> None:
        self.receive()
        self.keep()

    def keep(self) -> None:
        self.upload.parts[self.number] = (self.exchange.request.received, self.sha256.hexdigest())

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.exchange.send(self.encode(status, body, **headers))

    def encode(self, status: int, body: bytes = b"", **headers: str) -> bytes:
        fields = {
            "Date": format_datetime(datetime.now(UTC) + timedelta(seconds=self.job.script.skew), usegmt=True),
            "Content-Length": str(len(body)),
            "x-amz-request-id": "CHAOS",
        }
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        return encode_head(status, fields.items()) + body

    def accept(self, **headers: str) -> None:
        self.answer(200, b"", **({"ETag": f'"{self.md5.hexdigest()}"'} | headers))

    def refuse(self, status: int, code: str, words: str = "No.", *, early: bool = False, **headers: str) -> None:
        """Answer as S3 does, with an error that repeats the signed request."""
        if not early:
            self.receive()
        body = (
            f'<?xml version="1.0"?>\n<Error><Code>{code}</Code><Message>{words}</Message>'
            f"<StringToSign>{SIGNATURE}{self.number:05}</StringToSign><RequestId>CHAOS</RequestId></Error>"
        )
        self.answer(status, body.encode(), **headers)
        if early:
            self.exchange.close()

    def expire(self) -> None:
        """Answer as storage does when the URL no longer works, once it no longer does."""
        self.job.injected[f"event: {self.job.script.event}"] += 1
        self.receive()
        self.exchange.server.stopping.wait(max(0.0, self.upload.expires - time.time()))
        wordless = self.job.script.event == "expiry_wordless"
        # HTTP dates have no fractions: what happens within the second of expiry is not to be told from them.
        if wordless:
            self.exchange.server.stopping.wait(1.0)
        self.refuse(403, "AccessDenied", "Access Denied" if wordless else "Request has expired")

    def part_of_body(self) -> int:
        return self.exchange.request.length // 2


def _put_slow(put: _Put) -> None:
    for chunk in put.chunks(size=1 << 16):
        put.take(chunk)
        put.exchange.server.stopping.wait(0.005)
    put.keep()
    put.accept()


def _put_stall(put: _Put) -> None:
    put.receive(min(put.part_of_body(), 1 << 16))
    put.exchange.stall()


def _put_hang(put: _Put, *, keep: bool) -> None:
    put.receive()
    if keep:
        put.keep()
    put.exchange.hang()


def _put_reset(put: _Put, limit: int) -> None:
    put.receive(limit)
    put.exchange.reset()


def _put_error_200(put: _Put) -> None:
    put.refuse(200, "InternalError")


def _put_flip(put: _Put) -> None:
    spoilt = False
    for chunk in put.chunks():
        if not spoilt:
            chunk[len(chunk) // 2] ^= 1
            spoilt = True
        put.take(chunk)
    put.keep()
    put.accept()


def _put_raw(put: _Put, data: bytes, *, close: bool = True) -> None:
    put.store()
    put.exchange.send(data)
    if close:
        put.exchange.close()


def _put_dribble(put: _Put) -> None:
    put.store()
    _dribble(put.exchange, put.encode(200, ETag=f'"{put.md5.hexdigest()}"', X_Padding="x" * 1000))


def _put_dribble_ok(put: _Put) -> None:
    put.store()
    data = put.encode(200, ETag=f'"{put.md5.hexdigest()}"')
    for place in range(0, len(data), 20):
        put.exchange.send(data[place : place + 20])
        put.exchange.server.stopping.wait(0.01)


def _put_accept(put: _Put, **headers: str) -> None:
    put.store()
    put.accept(**headers)


def _put_no_etag(put: _Put) -> None:
    put.store()
    put.answer(200)


def _put_quoteless_etag(put: _Put) -> None:
    put.store()
    put.accept(ETag=put.md5.hexdigest().upper())


def _put_html_502(put: _Put) -> None:
    put.receive()
    put.answer(502, b"<html>bad gateway</html>")


def _put_stale(put: _Put) -> None:
    put.store()
    put.accept()
    put.exchange.close()


def _put_interim(put: _Put) -> None:
    put.store()
    put.exchange.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n")
    put.accept()


def _put_early_200(put: _Put) -> None:
    put.receive(put.part_of_body())
    put.accept()
    put.exchange.close()


def _put_slowdown_date(put: _Put) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=1)
    put.refuse(503, "SlowDown", Retry_After=format_datetime(moment, usegmt=True))


def _refuse_put(status: int, code: str, *, early: bool = False, **headers: str) -> Callable[[_Put], None]:
    return lambda put: put.refuse(status, code, early=early, **headers)


_PART_FAULTS: dict[str, Callable[[_Put], object]] = {
    "slow": _put_slow,
    "dribble_ok": _put_dribble_ok,
    "no_etag": _put_no_etag,
    "kms_etag": lambda put: _put_accept(put, ETag=f'"{"0" * 32}"', x_amz_server_side_encryption="aws:kms"),
    "opaque_etag": lambda put: _put_accept(put, ETag='"not-an-md5-7"'),
    "quoteless_etag": _put_quoteless_etag,
    "stale": _put_stale,
    "interim": _put_interim,
    "reset_at_once": lambda put: _put_reset(put, 0),
    "reset_mid": lambda put: _put_reset(put, put.part_of_body()),
    "stall": _put_stall,
    "hang": lambda put: _put_hang(put, keep=False),
    "hang_stored": lambda put: _put_hang(put, keep=True),
    "dribble_answer": _put_dribble,
    "cut_answer": lambda put: _put_raw(put, b"HTTP/1.1 200 OK\r\nETag: "),
    "cut_body": lambda put: _put_raw(put, b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<Er"),
    "lost_answer": lambda put: _put_raw(put, b""),
    "garbage": lambda put: _put_raw(put, b"220 mail.example ESMTP\r\n\r\n"),
    "error_200": _put_error_200,
    "storm": _refuse_put(503, "SlowDown", Retry_After="0.1"),
    "slowdown": _refuse_put(503, "SlowDown", Retry_After="1"),
    "slowdown_date": _put_slowdown_date,
    "slowdown_early": _refuse_put(503, "SlowDown", early=True),
    "s500": _refuse_put(500, "InternalError"),
    "html_502": _put_html_502,
    "s504": _refuse_put(504, "GatewayTimeout"),
    "s429": _refuse_put(429, "TooManyRequests"),
    "s408": _refuse_put(408, "RequestTimeout", early=True),
    "request_timeout": _refuse_put(400, "RequestTimeout", early=True),
    "wrong_etag": lambda put: _put_accept(put, ETag=f'"{"f" * 32}"'),
    "flip": _put_flip,
    "early_200": _put_early_200,
    "early_403": _refuse_put(403, "AccessDenied", early=True),
    "signature_403": _refuse_put(403, "SignatureDoesNotMatch"),
    "s403_twice": _refuse_put(403, "AccessDenied"),
    "no_such_upload": _refuse_put(404, "NoSuchUpload"),
    "too_small": _refuse_put(400, "EntityTooSmall"),
    "redirect": _refuse_put(307, "TemporaryRedirect", Location="/stolen/part"),
    "redirect_303": _refuse_put(303, "SeeOther", Location="/stolen/part"),
}


def digest_parts(data: memoryview) -> list[tuple[int, str]]:
    """Return what has to be stored for these bytes: for each part its length and SHA-256."""
    pieces = (data[offset : offset + PART_SIZE] for offset in range(0, len(data), PART_SIZE))
    return [(len(piece), hashlib.sha256(piece).hexdigest()) for piece in pieces]
