"""Sending the parts: threads that PUT, one thread that counts.

Both clients use this engine; the async one awaits it in a worker thread and stops it through the same event. A part is
done when storage has answered it with a whole 2xx. Nothing here knows the API: storage gets no credential.
"""

from __future__ import annotations

import queue
import random
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import cast

import httpx
from attrs import evolve, field, frozen

from .errors import TransferError, UploadURLExpiredError
from .http import find_certificate_error
from .options import STORAGE_TIMEOUT, UploadPhase, UploadProgress
from .plan import PartTarget
from .redaction import guard_logs, snippet
from .retry import Outcome, Repeat, RetryPolicy, next_delay, parse_retry_after
from .source import Source, iterate

PART_POLICY = RetryPolicy(max_retries=6, base=0.5, cap=16.0)
# An S3 error is a few hundred bytes; whatever sends more is not S3.
ANSWER_LIMIT = 64 * 1024
STOP_PATIENCE = 1.0
RETRYABLE_CODES = frozenset({"RequestTimeout", "SlowDown", "InternalError", "ServiceUnavailable"})
_CODE = re.compile(rb"<Code>([A-Za-z0-9]{1,64})</Code>")
_REQUEST_ID = re.compile(rb"<RequestId>([A-Za-z0-9/+=_-]{1,128})</RequestId>")
_FACTS = (_CODE, _REQUEST_ID)

OnProgress = Callable[[UploadProgress], object]


@frozen
class TransferJob:
    """What is to be sent, and where to.

    Attributes:
        source: Where the bytes are read from; it stays open while the job runs.
        targets: The parts with their URLs.
        concurrency: How many parts are sent at once.
        size: Bytes in all.
        upload_id: The upload that errors name.
        policy: How often a part is tried.
    """

    source: Source = field(repr=False)
    targets: tuple[PartTarget, ...] = field(repr=False)
    concurrency: int
    size: int
    upload_id: str | None
    on_progress: OnProgress | None = field(default=None, repr=False)
    policy: RetryPolicy = PART_POLICY


@frozen
class Transfer:
    """To do: send the parts of this job; returns nothing, raises `TransferError` and its kin."""

    job: TransferJob


@frozen
class _Event:
    """What a worker tells the counting thread: bytes sent (or taken back), a part done, a try, an error, the end."""

    sent: int = 0
    done: bool = False
    attempt: int = 0
    error: BaseException | None = None
    ended: bool = False


class _StoppedError(Exception):
    """Raised inside a part's body when its siblings have failed or the caller has given up."""


def open_storage(*, trust_env: bool = True) -> httpx.Client:
    """Return the bare client that parts go through: no credentials, no redirects, connections for every thread."""
    # At INFO httpx logs the whole URL of each request; here that is a key to the storage.
    guard_logs("httpx")
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=256)
    return httpx.Client(timeout=STORAGE_TIMEOUT, limits=limits, follow_redirects=False, trust_env=trust_env, auth=None)


def transfer_parts(storage: httpx.Client, job: TransferJob, *, stop: threading.Event | None = None) -> None:
    """Send every part of a job and return when all are acknowledged.

    `job.on_progress` is called from this thread alone; an exception in it stops the upload and comes out here.

    Args:
        storage: What `open_storage` returned.
        job: The parts.
        stop: Set from another thread, it ends the transfer within a second.

    Raises:
        TransferError: When a part was refused, or given up after its retries.
        SourceChangedError: When the file is shorter than it was.
    """
    stop = stop or threading.Event()
    halt = threading.Event()
    events: queue.SimpleQueue[_Event] = queue.SimpleQueue()
    todo = iter(job.targets)
    lock = threading.Lock()

    def halted() -> bool:
        return halt.is_set() or stop.is_set()

    def take() -> PartTarget | None:
        with lock:
            return None if halted() else next(todo, None)

    def work() -> None:
        try:
            while (target := take()) is not None:
                send_part(storage, job, target, tell=events.put, halted=halted, pause=halt.wait)
        except _StoppedError:
            pass
        except BaseException as error:  # noqa: BLE001 - it is raised again by the counting thread
            events.put(_Event(error=error))
        finally:
            events.put(_Event(ended=True))

    count = max(1, min(job.concurrency, len(job.targets)))
    workers = [threading.Thread(target=work, name=f"scenario-uploads-{n}", daemon=True) for n in range(count)]
    try:
        for worker in workers:
            worker.start()
        _count(events, job, len(workers), stop)
    finally:
        halt.set()
        deadline = time.monotonic() + STOP_PATIENCE
        for worker in workers:
            if worker.ident is not None:
                worker.join(max(0.0, deadline - time.monotonic()))
    if stop.is_set():
        raise TransferError("The upload was cancelled.", upload_id=job.upload_id)


def _count(events: queue.SimpleQueue[_Event], job: TransferJob, running: int, stop: threading.Event) -> None:
    """Add up what the workers tell until all have ended; raise the first error."""
    progress = UploadProgress(UploadPhase.TRANSFERRING, 0, job.size, 0, len(job.targets))
    if job.on_progress:
        job.on_progress(progress)
    while running:
        try:
            event = events.get(timeout=STOP_PATIENCE / 5)
        except queue.Empty:
            if stop.is_set():
                return
            continue
        if event.error is not None:
            raise event.error
        running -= event.ended
        changed = evolve(
            progress,
            bytes_done=progress.bytes_done + event.sent,
            parts_done=progress.parts_done + event.done,
            attempt=max(progress.attempt, event.attempt),
        )
        if changed != progress:
            progress = changed
            if job.on_progress:
                job.on_progress(progress)


def send_part(
    storage: httpx.Client,
    job: TransferJob,
    target: PartTarget,
    *,
    tell: Callable[[_Event], object],
    halted: Callable[[], bool],
    pause: Callable[[float], bool],
    draw: Callable[[], float] = random.random,
) -> None:
    """Send one part until storage acknowledges it; its body is read anew for each try.

    Args:
        storage: The bare client.
        job: The job that the part belongs to.
        target: The part and its URL.
        tell: Takes what happens on the way.
        halted: Whether to give up, asked between chunks.
        pause: Waits and returns whether to give up.
        draw: Gives an even number from 0 to 1, for the jitter.
    """
    retry = 0
    while True:
        tell(_Event(attempt=retry + 1))
        sent = 0

        def body() -> Iterator[bytes | memoryview]:
            nonlocal sent
            for chunk in iterate(job.source, target.part.offset, target.part.length, upload_id=job.upload_id):
                if halted():
                    raise _StoppedError
                yield chunk
                sent += len(chunk)
                tell(_Event(sent=len(chunk)))

        error, outcome = _put(storage, target, body(), job.upload_id)
        if error is None:
            tell(_Event(done=True))
            return
        tell(_Event(sent=-sent))
        delay = next_delay(job.policy, retry, outcome, repeat=Repeat.SAFE, draw=draw)
        if delay is None:
            raise error
        if pause(delay):
            raise _StoppedError
        retry += 1


def _put(
    storage: httpx.Client, target: PartTarget, body: Iterable[bytes | memoryview], upload_id: str | None
) -> tuple[TransferError | None, Outcome]:
    """Send one part once; return what went wrong, or None."""
    # No header besides the length: S3 refuses what the signature does not cover.
    headers = {"Content-Length": str(target.part.length)}
    request = storage.build_request("PUT", target.url, content=cast("Iterable[bytes]", body), headers=headers)
    name = f"Part {target.part.number}"
    try:
        response = storage.send(request, stream=True)
        try:
            answer = _read(response)
        finally:
            response.close()
    except httpx.HTTPError as raised:
        certificate = find_certificate_error(raised)
        what = f"the TLS certificate is not trusted: {certificate}" if certificate else snippet(str(raised))
        error = TransferError(
            f"{name} did not reach {request.url.host}: {what or type(raised).__name__}", upload_id=upload_id
        )
        error.__cause__ = raised
        return error, Outcome(retryable=certificate is None)
    return _judge(name, response, answer, upload_id)


def _read(response: httpx.Response) -> bytes:
    """Return the start of storage's answer, which must end in time as a whole."""
    deadline = time.monotonic() + (STORAGE_TIMEOUT.read or 120.0)
    answer = b""
    for chunk in response.iter_raw():
        answer = (answer + chunk)[:ANSWER_LIMIT]
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("The answer did not end in time.", request=response.request)
    return answer


def _judge(
    name: str, response: httpx.Response, answer: bytes, upload_id: str | None
) -> tuple[TransferError | None, Outcome]:
    """Tell from storage's answer whether a part is there. Of an error only its code and request id are shown."""
    status = response.status_code
    code, request_id = (found.group(1).decode() if (found := pattern.search(answer)) else None for pattern in _FACTS)
    if response.is_success and code is None and b"<Error" not in answer:
        return None, Outcome(status=status)
    message = f"{name} was refused by storage with status {status}" + (f" and code {code}" if code else "")
    message += f" (request id {request_id})" if request_id else ""
    wait = parse_retry_after(response.headers.get("retry-after"), now=datetime.now(UTC))
    if response.is_success or code in RETRYABLE_CODES:
        return TransferError(message, upload_id=upload_id), Outcome(status=503, retry_after=wait)
    if status == 403 and b"expired" in answer.lower():
        message += "; its presigned URL has expired, so the upload must be started again"
        return UploadURLExpiredError(message, upload_id=upload_id), Outcome(retryable=False)
    if code == "SignatureDoesNotMatch":
        message += "; something between here and storage, such as a proxy, may have changed the request"
    return TransferError(message, upload_id=upload_id), Outcome(status=status, retry_after=wait)
