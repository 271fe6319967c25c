"""One part: attempts, classifying responses, and checking the ETag.

Of an error response of storage only the code and the request id are shown: the rest may quote the signed request.
"""

from __future__ import annotations

import hashlib
import random
import re
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from urllib.parse import urlsplit

import h11
from attrs import define, evolve, field, frozen

from scenario_uploads.arguments import FileInput
from scenario_uploads.errors import IntegrityError, SourceChangedError, TransferError, UploadURLExpiredError
from scenario_uploads.logs import logger
from scenario_uploads.redaction import explain, redact_chain
from scenario_uploads.remote import Source
from scenario_uploads.retry import DEFAULT_PATIENCE, Outcome, Repeat, RetryPolicy, Tries, parse_date, parse_retry_after
from scenario_uploads.system import is_used_up
from scenario_uploads.tls import find_certificate_error, is_tls_refusal

from .connection import CHUNK_SIZE, Body, StorageResponse
from .parts import Part, UploadPlan
from .sockets import HaltedError, ProxyRefusedError, UnreachableError
from .source import open_source, read_chunk

PART_POLICY = RetryPolicy(max_retries=8, base=0.5, cap=20.0, clip=True)
# Report in steps: each event wakes the counting thread, which competes with TLS for the GIL.
REPORT_SECONDS = 0.25
# A part that takes fewer seconds is quick, and one that goes out in fewer: the rest is in buffers.
QUICK_PART, QUICK_SENT = 10.0, 1.0
# The rate of so many seconds tells how long a part will take; not that of the first, which fill buffers.
RATE_SECONDS = 0.5
SLOW_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
RETRYABLE_CODES = frozenset({"RequestTimeout", "SlowDown", "InternalError", "ServiceUnavailable", "OperationAborted"})
# The multipart upload is gone, or its bucket, or the key that signed the URL.
_GONE = {"NoSuchUpload", "NoSuchKey", "NoSuchBucket"}
_DEAD_CODES = _GONE | {"InvalidAccessKeyId", "InvalidToken", "InvalidTokenId", "TokenRefreshRequired"}
_CODE = re.compile(rb"<Code>([A-Za-z0-9]{1,64})</Code>")
_REQUEST_ID = re.compile(rb"<RequestId>([A-Za-z0-9/+=_-]{1,128})</RequestId>")
# In words of S3 and of those like it, and of Azure; not in elements that quote the request, and with it the file name.
_EXPIRED = re.compile(
    rb"(?:\A[^<{]*|<(?!Key|Resource|CanonicalRequest)[^<>]*>[^<]*"
    rb'|"(?!key|resource|path)[^"]*"\s*:\s*"[^"]*)(?:expired|in the specified time frame|signed expiry)',
    re.IGNORECASE,
)
_MD5_ETAG = re.compile(r'(?:W/)?"?([0-9a-fA-F]{32})"?')


@frozen
class PartEvent:
    """An event of a part: an attempt begins, bytes sent (negative: to be sent again), slow down, done."""

    number: int = 0
    attempt: int = 0
    sent: int = 0
    slow: bool = False
    done: bool = False
    quick: bool = False  # whether the part took little time, or will
    md5: str | None = None  # of a stored part, in hexadecimal, if it was computed


@frozen
class PartJob:
    body: Body
    put: Callable[[str, Body], StorageResponse]
    report: Callable[[PartEvent], object]
    pause: Callable[[float], object]  # waits some seconds, or until the transfer stops
    patience: float = DEFAULT_PATIENCE
    settled: bool = False  # whether a part that differs from the bytes in storage is an error, instead of being sent
    policy: RetryPolicy = field(factory=lambda: PART_POLICY)
    draw: Callable[[], float] = random.random
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


@define
class _Meter:
    """Counts the bytes that one attempt sends, and reports them in steps."""

    job: PartJob
    tries: Tries
    length: int
    begun_at: float
    told_at: float
    rated_at: float
    sent: int = 0
    told: int = 0
    rated: int = 0

    def count(self, amount: int) -> None:
        self.sent += amount
        self.tries.moved_at = now = self.job.clock()
        whole = self.sent == self.length
        if whole or now - self.told_at >= REPORT_SECONDS:
            quick = whole and now - self.begun_at < QUICK_SENT
            if (seconds := now - self.rated_at) >= RATE_SECONDS:
                rate = (self.sent - self.rated) / seconds
                quick = quick or (self.rated > 0 and self.length < rate * QUICK_PART)
                self.rated, self.rated_at = self.sent, now
            self.job.report(PartEvent(sent=self.sent - self.told, quick=quick))
            self.told, self.told_at = self.sent, now


def send_part(job: PartJob, part: Part) -> None:
    """Send a part until storage acknowledges it, reading it again for each attempt. HaltedError when stopped."""
    halted = job.body.halted
    if part.md5 is not None:
        if read_md5(job.body.source, part, halted) == part.md5:
            job.report(PartEvent(part.number, sent=part.length, done=True, md5=part.md5))
            return
        if job.settled:
            raise SourceChangedError(
                f"The file changed while it was being sent: part {part.number} differs, although size and"
                " time do not; upload it again once nothing writes to it."
            )
    tries, forbidden = Tries(evolve(job.policy, patience=job.patience), Repeat.SAFE, job.draw, job.clock), 0
    while True:
        job.report(PartEvent(attempt=tries.failed + 1))
        now = job.clock()
        meter = _Meter(job, tries, part.length, now, now, now)
        error: TransferError | None
        try:
            response = job.put(part.url, evolve(job.body, part=part, sent=meter.count))
        except (OSError, h11.RemoteProtocolError) as raised:
            redact_chain(raised)
            error, outcome = _classify_exception(raised, part)
        else:
            error, outcome = classify_response(response, part, now=job.now())
            if error is None:
                quick = job.clock() - now < QUICK_PART
                job.report(PartEvent(part.number, done=True, quick=quick, md5=response.md5))
                return
        job.report(PartEvent(sent=-meter.told, slow=outcome.status in SLOW_STATUSES))
        delay, forbidden = tries.fail(outcome), forbidden + (outcome.status == 403)
        if delay is None or forbidden > 1:
            raise error
        logger.log(tries.level, "%s%s Trying again in %.2f s, %s.", job.body.source.about, error, delay, tries)
        job.pause(delay)
        if halted():
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


def _classify_exception(error: OSError | h11.RemoteProtocolError, part: Part) -> tuple[TransferError, Outcome]:
    if certificate := find_certificate_error(error):
        what = f"the TLS certificate is not trusted: {certificate}"
    elif isinstance(error, h11.RemoteProtocolError):
        what = "the response was cut short or is not HTTP"
    else:
        what = explain(error)
    failure = TransferError(f"Part {part.number} did not reach {urlsplit(part.url).hostname}: {what}.")
    failure.__cause__ = error
    unreached = isinstance(error, UnreachableError)
    refused = isinstance(error.__cause__, ProxyRefusedError)
    away = unreached and not (is_tls_refusal(error) or is_used_up(error))
    return failure, Outcome(sent=not unreached, retryable=certificate is None and not refused, away=away)


def classify_response(response: StorageResponse, part: Part, *, now: datetime) -> tuple[TransferError | None, Outcome]:
    """Return the error that storage's response means, or None when the part is stored, and how the attempt ended."""
    status, headers, number = response.status, response.headers, part.number
    accepted = 200 <= status < 300
    # S3 acknowledges a part with an empty body; anything else is an error, or from a middlebox.
    if accepted and response.whole and not response.body.strip():
        if _has_md5(response):
            return None, Outcome(status)
        message = f"Storage received other bytes of part {number} than were sent: its MD5 differs."
        return IntegrityError(message), Outcome(status, told=True)
    found = (pattern.search(response.body) for pattern in (_CODE, _REQUEST_ID))
    code, request_id = (match and match.group(1).decode("ascii") for match in found)
    message = f"Part {number} was refused by storage with status {status}"
    message += f" and code {code}" if code else ""
    message += f" (request id {request_id})" if request_id else ""
    busy = accepted or status in SLOW_STATUSES or code in RETRYABLE_CODES
    # Storage uses its own clock, which `Date` shows.
    expired = status == 403 and part.is_expired(parse_date(headers.get("date")) or now)
    if not busy and (expired or (400 <= status < 500 and _EXPIRED.search(response.body))):
        message += ": the presigned URL has expired, so the upload must be started afresh"
        return UploadURLExpiredError(f"{message}."), Outcome(status, retryable=False)
    if code == "SignatureDoesNotMatch":
        message += "; a proxy, or a header that it adds, may have changed the request"
    error = TransferError(f"{message}.")
    error.needs_new_upload = not busy and code in _DEAD_CODES
    wait = parse_retry_after(headers.get("retry-after"), now=now)
    return error, Outcome(status, retry_after=wait, told=True if busy or status == 403 else None)


def _has_md5(response: StorageResponse) -> bool:
    """Return whether the ETag agrees with the bytes sent. With SSE-KMS and SSE-C it is not an MD5 (S3, UploadPart)."""
    etag = _MD5_ETAG.fullmatch(response.headers.get("etag", ""))
    encryption = response.headers.get("x-amz-server-side-encryption", "")
    opaque = encryption.startswith("aws:") or "x-amz-server-side-encryption-customer-algorithm" in response.headers
    return response.md5 is None or etag is None or opaque or etag.group(1).lower() == response.md5
