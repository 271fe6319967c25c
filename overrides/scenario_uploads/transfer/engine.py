"""Sending the parts of a file: worker threads that send, and one thread that counts, for both clients."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from attrs import evolve, field, frozen

from scenario_uploads.errors import TransferError
from scenario_uploads.pace import Turns
from scenario_uploads.progress import OnProgress, UploadPhase, UploadProgress
from scenario_uploads.remote import Source
from scenario_uploads.retry import DEFAULT_PATIENCE
from scenario_uploads.steps import Step
from scenario_uploads.system import SLICE, Worker, join_threads

from .connection import Body, Storage
from .part import PartEvent, PartJob, send_part
from .parts import DEFAULT_PART_SIZE, Part
from .sockets import HaltedError

# Together with the time until a stop is noticed, a second.
STOP_PATIENCE = 0.5


@frozen
class Transfer(Step):
    """Send these parts, with callbacks from the counting thread; return the highest number of attempts of a part."""

    source: Source = field(repr=False)  # stays open while the job runs
    parts: tuple[Part, ...] = field(repr=False)  # the missing ones
    parts_total: int  # of the whole file
    concurrency: int
    integrity: bool = True
    patience: float = DEFAULT_PATIENCE
    max_bandwidth: float | None = None
    on_progress: OnProgress | None = field(default=None, repr=False)
    # Called with the number of each stored part, and its MD5 if it was computed.
    on_part: Callable[[int, str | None], object] | None = field(default=None, repr=False)
    settled: bool = False  # whether a part that differs from the bytes in storage is an error, instead of being sent
    # Limits shared with other files. `concurrency` still applies to this one; `max_bandwidth` only enables theirs.
    turns: Turns | None = field(default=None, repr=False)
    # Returns whether to stop and leave the missing parts to another transfer.
    interrupted: Callable[[], bool] = field(default=lambda: False, repr=False)


def transfer_parts(storage: Storage, job: Transfer, *, stop: threading.Event | None = None) -> int:
    """Send every part of a job, with callbacks from this thread, or end within a second when `stop` is set."""
    stop = stop or threading.Event()
    workers = _Workers(storage, job, stop)
    try:
        attempt = workers.run()
    finally:
        workers.end()
    if stop.is_set() or storage.closed:
        raise TransferError("The client was closed while the parts were being sent.")
    return attempt


def pause(seconds: float, ended: Callable[[], bool]) -> None:
    deadline = time.monotonic() + seconds
    while not ended() and (remaining := deadline - time.monotonic()) > 0:
        time.sleep(min(SLICE, remaining))


class _Workers:
    def __init__(self, storage: Storage, job: Transfer, stop: threading.Event) -> None:
        self._storage, self._job, self._stop, self._halt = storage, job, stop, threading.Event()
        # A sequential source is sent part by part.
        count = max(1, min(1 if job.source.sequential else job.concurrency, len(job.parts)))
        self._turns = job.turns or Turns(count, job.max_bandwidth)
        allow, alone = self._allow if job.max_bandwidth else int, count == 1 and not job.turns
        body = Body(job.source, job.integrity, self._is_halted, allow, alone)
        self._part_job = PartJob(body, storage.put, self._handle, self._step_back, job.patience, job.settled)
        self._todo: queue.SimpleQueue[Part] = queue.SimpleQueue()
        for part in job.parts:
            self._todo.put(part)
        # The last event of each worker is its error, or None.
        self._events: queue.SimpleQueue[PartEvent | BaseException | None] = queue.SimpleQueue()
        self._workers = [Worker(self._work, f"scenario-uploads-{number}") for number in range(count)]
        # With many small files, each has a thread already; another for its part would cost as much as sending it.
        self._inline = bool(job.turns) and len(job.parts) <= 1 and job.source.size <= DEFAULT_PART_SIZE
        size, total = job.source.size, job.parts_total
        done = size - sum(part.length for part in job.parts)
        self._progress = UploadProgress(UploadPhase.TRANSFERRING, done, size, total - len(job.parts), total)

    def run(self) -> int:
        """Process the events of the workers until all have ended; return the most attempts or raise the first error."""
        if self._job.on_progress:
            self._job.on_progress(self._progress)
        running = len(self._workers)
        for worker in self._workers:
            worker.outcome.add_done_callback(lambda outcome: self._events.put(outcome.exception()))
            (worker.run if self._inline else worker.start)()
        while running and not self._is_halted():
            try:
                event = self._events.get(timeout=SLICE)
            except queue.Empty:
                continue
            if isinstance(event, BaseException):
                raise event
            if event is None:
                running -= 1
            else:
                self._note(event)
        return self._progress.attempt

    def end(self) -> None:
        """Stop the workers and wait for them, for a second at most."""
        self._halt.set()
        join_threads(self._workers, STOP_PATIENCE)
        # Record parts acknowledged meanwhile, so that resuming does not send them again.
        while self._job.on_part and not self._events.empty():
            event = self._events.get()
            if isinstance(event, PartEvent) and event.done:
                # The first error is more useful.
                with suppress(TransferError):
                    self._job.on_part(event.number, event.md5)

    def _note(self, event: PartEvent) -> None:
        if event.done and self._job.on_part:
            self._job.on_part(event.number, event.md5)
        before = self._progress
        self._progress = evolve(
            before,
            bytes_done=before.bytes_done + event.sent,
            parts_done=before.parts_done + event.done,
            attempt=max(before.attempt, event.attempt),
        )
        if self._job.on_progress and self._progress != before:
            self._job.on_progress(self._progress)

    def _work(self) -> None:
        with suppress(queue.Empty, HaltedError):
            while True:
                part = self._todo.get_nowait()
                self._turns.take(self._is_halted)
                try:
                    send_part(self._part_job, part)
                finally:
                    self._turns.give_back()

    def _step_back(self, seconds: float) -> None:
        """Wait before a retry, giving the turn to another worker meanwhile."""
        self._turns.give_back()
        pause(seconds, self._is_halted)
        self._turns.take(self._is_halted)

    def _handle(self, event: PartEvent) -> None:
        if event.slow or event.quick or event.done:
            self._turns.adjust(slow=event.slow, quick=event.quick, done=event.done)
        # Without a progress callback, skip the queue: at wire speed each event costs the sender CPU time.
        if self._job.on_progress or event.done or event.attempt:
            self._events.put(event)

    def _is_halted(self) -> bool:
        return self._halt.is_set() or self._stop.is_set() or self._storage.closed or self._job.interrupted()

    def _allow(self, most: int) -> int:
        """Wait for the bandwidth limit; return how many bytes may go out."""
        amount, delay = self._turns.spend(most, time.monotonic())
        pause(delay, self._is_halted)
        if self._is_halted():
            raise HaltedError
        return amount
