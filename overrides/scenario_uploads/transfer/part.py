"""One part: attempts, classifying responses, and checking the ETag.

Of an error response of storage only the code and the request id are shown: the rest may quote the signed request.
"""

from __future__ import annotations

import hashlib
import logging
import random
import re
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

import h11
from attrs import Factory, define, evolve, field, frozen

from scenario_uploads.arguments import FileInput
from scenario_uploads.errors import IntegrityError, SourceChangedError, TransferError, UploadURLExpiredError
from scenario_uploads.redaction import redact_chain, snippet
from scenario_uploads.retry import DEFAULT_PATIENCE, Outcome, Repeat, RetryPolicy, Tries, parse_date, parse_retry_after
from scenario_uploads.system import is_used_up
from scenario_uploads.tls import REMEDY, find_certificate_error, is_tls_refusal

from .connection import CHUNK_SIZE, Body, StorageResponse
from .parts import Part, PartTarget, UploadPlan
from .sockets import HaltedError, ProxyRefusedError, UnreachableError
from .source import Source, open_source, read_chunk

logger = logging.getLogger("scenario_uploads")
PART_POLICY = RetryPolicy(max_retries=8, base=0.5, cap=20.0, clip=True)
# Report in steps: each event wakes the counting thread, which competes with TLS for the GIL.
REPORT_SIZE = 4 * 1024 * 1024
REPORT_SECONDS = 0.25
# Bytes that the buffers of both systems may hold when a link is slow.
BUFFERED_SIZE = 6 * 1024 * 1024
SLOW_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
RETRYABLE_CODES = frozenset({"RequestTimeout", "SlowDown", "InternalError", "ServiceUnavailable", "OperationAborted"})
_CODE = re.compile(rb"<Code>([A-Za-z0-9]{1,64})</Code>")
_REQUEST_ID = re.compile(rb"<RequestId>([A-Za-z0-9/+=_-]{1,128})</RequestId>")

# Not in elements that quote the request, and with it the file name.
_EXPIRED = re.compile(
    rb"\A[^<{]*expired|<(?!Key|Resource|CanonicalRequest)[^<>]*>[^<]*expired"
    rb'|"(?!key|resource|path)[^"]*"\s*:\s*"[^"]*expired',
    re.IGNORECASE,
)
# The multipart upload is gone, or the key that signed the URL.
_DEAD_CODES = frozenset({"NoSuchUpload", "InvalidToken", "TokenRefreshRequired", "InvalidAccessKeyId"})

_MD5_ETAG = re.compile(r'(?:W/)?"?([0-9a-fA-F]{32})"?')


@frozen
class PartEvent:
    """An event of a part: an attempt begins, bytes sent (negative: to be sent again), slow down, done."""

    number: int = 0
    attempt: int = 0
    sent: int = 0
    seconds: float | None = None
    slow: bool = False
    done: bool = False
    md5: str | None = None
    """The MD5 of a stored part, in hexadecimal, if it was computed."""


@frozen
class PartJob:
    """What it takes to send a part, with callbacks."""

    source: Source
    put: Callable[[str, Body], StorageResponse]
    integrity: bool  # whether the MD5 of the part is compared with storage's ETag
    report: Callable[[PartEvent], object]
    halted: Callable[[], bool]
    pause: Callable[[float], object]  # waits some seconds, or until the transfer stops
    allow: Callable[[int], int] | None = None  # waits for the bandwidth limit; returns how many bytes may go out
    alone: bool = False  # whether no other part is sent concurrently
    patience: float = DEFAULT_PATIENCE
    settled: bool = False  # whether a part that differs from the bytes in storage is an error, instead of being sent
    policy: RetryPolicy = field(factory=lambda: PART_POLICY)
    draw: Callable[[], float] = random.random
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


@frozen
class AttemptResult:
    """The result of one attempt: no error when the part is stored, else the error and the retry outcome."""

    error: TransferError | None = None
    outcome: Outcome = field(factory=Outcome)
    slow: bool = False
    forbidden: bool = False
    md5: str | None = None


@define
class _Meter:
    """Counts the bytes that one attempt sends, and reports them in steps."""

    job: PartJob
    length: int
    tries: Tries
    begun_at: float = field(default=Factory(lambda meter: meter.job.clock(), takes_self=True))
    sent: int = 0
    told: int = 0
    told_at: float = field(default=Factory(lambda meter: meter.begun_at, takes_self=True))

    def count(self, amount: int) -> None:
        """Add `amount` sent bytes."""
        self.sent += amount
        self.tries.moved_at = now = self.job.clock()
        unheard = self.sent - self.told
        if unheard >= REPORT_SIZE or self.sent == self.length or now - self.told_at >= REPORT_SECONDS:
            self.job.report(PartEvent(sent=unheard, seconds=self._estimate(now)))
            self.told, self.told_at = self.sent, now

    def _estimate(self, now: float) -> float | None:
        """Return how long the part takes at the rate so far, or None when all of that may wait in buffers."""
        seconds, arrived = now - self.begun_at, self.sent - BUFFERED_SIZE
        if self.sent == self.length and seconds < 1.0:
            return seconds
        return seconds * self.length / arrived if arrived > 0 else None


def send_part(job: PartJob, target: PartTarget) -> None:
    """Send a part until storage acknowledges it, reading it again for each attempt. HaltedError when stopped."""
    if target.md5 is not None:
        if read_md5(job.source, target.part, job.halted) == target.md5:
            job.report(PartEvent(target.part.number, sent=target.part.length, done=True, md5=target.md5))
            return
        if job.settled:
            raise SourceChangedError(
                f"The file changed while it was being sent: part {target.part.number} differs, although size and"
                " time do not; upload it again once nothing writes to it."
            )
    tries = Tries(evolve(job.policy, patience=job.patience), Repeat.SAFE, job.draw, job.clock)
    forbidden = False
    while True:
        job.report(PartEvent(target.part.number, attempt=tries.failed + 1))
        meter = _Meter(job, target.part.length, tries)
        result = _try(job, target, meter.count)
        if result.error is None:
            seconds = job.clock() - meter.begun_at
            job.report(PartEvent(target.part.number, seconds=seconds, done=True, md5=result.md5))
            return
        job.report(PartEvent(sent=-meter.told, slow=result.slow))
        delay = tries.fail(result.outcome)
        if delay is None or (result.forbidden and forbidden):
            raise result.error
        logger.log(tries.level, "%s Trying again in %.2f s, %s.", result.error, delay, tries)
        forbidden = forbidden or result.forbidden
        job.pause(delay)
        if job.halted():
            raise HaltedError


def read_md5(source: Source, part: Part, halted: Callable[[], bool] = lambda: False) -> str:
    """Return the MD5 of a part, in hexadecimal. HaltedError when stopped."""
    md5, buffer = hashlib.md5(usedforsecurity=False), memoryview(bytearray(min(CHUNK_SIZE, part.length)))
    position, end = part.offset, part.offset + part.length
    while position < end:
        if halted():
            raise HaltedError
        chunk = read_chunk(source, position, buffer[: end - position])
        md5.update(chunk)
        position += len(chunk)
    return md5.hexdigest()


def read_md5s(file: FileInput, size: int, part_size: int) -> list[str] | None:
    """Return the MD5 of each part of a file; None when it has another size or cannot be read again."""
    with closing(open_source(file)) as source:
        if source.size != size or source.once:
            return None
        plan = UploadPlan(size, part_size)
        md5s = [read_md5(source, plan.part(number)) for number in range(1, plan.parts_count + 1)]
        source.check_unchanged()
        return md5s


def _try(job: PartJob, target: PartTarget, count: Callable[[int], object]) -> AttemptResult:
    part = target.part
    body = Body(
        read=partial(read_chunk, job.source),
        # `sendfile` sends page by page and saves CPU time, but a single connection is up to a quarter faster through
        # a buffer, which the kernel takes in larger pieces.
        descriptor=None if job.alone else job.source.descriptor,
        offset=part.offset,
        length=part.length,
        hashed=job.integrity,
        sent=count,
        halted=job.halted,
        allow=job.allow,
    )
    try:
        response = job.put(target.url, body)
    except (OSError, h11.RemoteProtocolError) as error:
        redact_chain(error)
        return _classify_exception(error, target)
    return classify_response(response, target, now=job.now())


def _classify_exception(error: OSError | h11.RemoteProtocolError, target: PartTarget) -> AttemptResult:
    if certificate := find_certificate_error(error):
        what = f"the TLS certificate is not trusted: {certificate}; {REMEDY}"
    elif isinstance(error, h11.RemoteProtocolError):
        what = "the response was cut short or is not HTTP"
    else:
        what = snippet(error.strerror or str(error) or type(error).__name__)
    failure = TransferError(f"Part {target.part.number} did not reach {urlsplit(target.url).hostname}: {what}.")
    failure.__cause__ = error
    unreached = isinstance(error, UnreachableError)
    refused = is_tls_refusal(error) or is_used_up(error) or isinstance(error.__cause__, ProxyRefusedError)
    outcome = Outcome(sent=not unreached, retryable=certificate is None, away=unreached and not refused)
    return AttemptResult(failure, outcome)


def classify_response(response: StorageResponse, target: PartTarget, *, now: datetime) -> AttemptResult:
    """Return what storage's response means: stored, retry, or give up."""
    status, number = response.status, target.part.number
    # S3 acknowledges a part with an empty body; anything else is an error, or from a middlebox.
    accepted, wordy = 200 <= status < 300, bool(response.body.strip())
    if accepted and response.whole and not wordy:
        return _classify_etag(response, number)
    found = (pattern.search(response.body) for pattern in (_CODE, _REQUEST_ID))
    code, request_id = (match and match.group(1).decode("ascii") for match in found)
    message = f"Part {number} was refused by storage with status {status}"
    message += f" and code {code}" if code else ""
    message += f" (request id {request_id})" if request_id else ""
    wait = parse_retry_after(response.headers.get("retry-after"), now=now)
    if accepted and wordy and code is None:
        message = (
            f"Part {number} was answered with status {status} and a body, which storage does not send: a proxy,"
            " a filter or a login page may have answered instead"
        )
    slow, forbidden = status in SLOW_STATUSES, status == 403
    if accepted or slow or code in RETRYABLE_CODES:
        return AttemptResult(TransferError(f"{message}."), Outcome(status=503, retry_after=wait), slow=slow)
    if _is_expired(response, target, now=now):
        message += ": the presigned URL has expired, so the upload must be started afresh"
        return AttemptResult(UploadURLExpiredError(f"{message}."), Outcome(retryable=False))
    if code == "SignatureDoesNotMatch":
        message += "; a proxy, or a header that it adds, may have changed the request"
    error = TransferError(f"{message}.")
    error.needs_new_upload = code in _DEAD_CODES
    return AttemptResult(error, Outcome(status=503 if forbidden else status, retry_after=wait), forbidden=forbidden)


def _classify_etag(response: StorageResponse, number: int) -> AttemptResult:
    """Compare the ETag with the MD5 of the bytes sent. With SSE-KMS and SSE-C it is not an MD5 (S3, UploadPart)."""
    etag = _MD5_ETAG.fullmatch(response.headers.get("etag", ""))
    encryption = response.headers.get("x-amz-server-side-encryption", "")
    opaque = encryption.startswith("aws:") or "x-amz-server-side-encryption-customer-algorithm" in response.headers
    if response.md5 is None or etag is None or opaque or etag.group(1).lower() == response.md5:
        return AttemptResult(md5=response.md5)
    message = f"Storage received other bytes of part {number} than were sent: its MD5 differs."
    return AttemptResult(IntegrityError(message), Outcome(status=503))


def _is_expired(response: StorageResponse, target: PartTarget, *, now: datetime) -> bool:
    """Return whether a refusal says that the URL or its token has expired."""
    if not 400 <= response.status < 500:
        return False
    # Storage uses its own clock, which `Date` shows.
    moment = parse_date(response.headers.get("date")) or now
    return bool(_EXPIRED.search(response.body)) or (response.status == 403 and target.is_expired(moment))
