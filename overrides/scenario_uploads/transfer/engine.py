"""Sending the parts of a file: worker threads that send, and one thread that counts.

Both clients use it; the async one waits in a thread and stops it with the same event.
"""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from attrs import evolve, field, frozen

from scenario_uploads.errors import TransferError
from scenario_uploads.progress import OnProgress, UploadPhase, UploadProgress
from scenario_uploads.retry import DEFAULT_PATIENCE
from scenario_uploads.steps import SLICE, Step

from .pace import Budget, Pace
from .part import PartEvent, PartJob, send_part
from .parts import PartTarget
from .pool import Storage
from .sockets import HaltedError
from .source import Source

# Together with the time until a stop is noticed, a second.
STOP_PATIENCE = 0.75


class Turns:
    """Limits on sending: parts at once, fewer while storage asks to slow down, and bytes a second.

    They apply to one file, or to all files that share the object.
    """

    def __init__(self, concurrency: int, max_bandwidth: float | None = None) -> None:
        self._pace, self._budget = Pace.begin(concurrency), Budget(max_bandwidth or math.inf)
        self._active = 0
        self._turn = threading.Condition()

    def take(self, halted: Callable[[], bool]) -> None:
        """Wait for a turn, or until stopped."""
        with self._turn:
            while self._active >= self._pace.limit and not halted():
                self._turn.wait(SLICE)
            self._active += 1

    def give_back(self) -> None:
        """Release a turn."""
        with self._turn:
            self._active -= 1
            self._turn.notify()

    def heed(self, event: PartEvent) -> None:
        """Update the pace after an event of a part."""
        if not (event.slow or event.done or (self._pace.opening and event.seconds is not None)):
            return
        with self._turn:
            pace = self._pace if event.seconds is None else self._pace.measured(event.seconds)
            self._pace = pace.slower() if event.slow else pace.steady() if event.done else pace
            self._turn.notify_all()

    def spend(self, most: int) -> tuple[int, float]:
        """Return how many of `most` bytes may be sent, and after how many seconds."""
        with self._turn:
            amount = self._budget.share(most, self._pace.maximum)
            self._budget, delay = self._budget.spend(amount, time.monotonic())
            return amount, delay


@frozen
class TransferJob:
    """The parts to send, and how. The callbacks are called from the counting thread."""

    source: Source = field(repr=False)  # stays open while the job runs
    targets: tuple[PartTarget, ...] = field(repr=False)  # the missing parts
    size: int  # of the whole file
    parts_total: int  # of the whole file
    concurrency: int
    integrity: bool = True
    patience: float = DEFAULT_PATIENCE
    max_bandwidth: float | None = None
    on_progress: OnProgress | None = field(default=None, repr=False)
    on_part: Callable[[int, str | None], object] | None = field(default=None, repr=False)
    """Called with the number of each stored part, and its MD5 if it was computed."""
    settled: bool = False
    """Whether a part that differs from the bytes in storage is an error, instead of being sent."""
    turns: Turns | None = field(default=None, repr=False)
    """Limits shared with other files. `concurrency` still applies to this one; `max_bandwidth` only enables theirs."""
    interrupted: Callable[[], bool] = field(default=lambda: False, repr=False)
    """Returns whether to stop and leave the missing parts to another transfer."""


@frozen
class Transfer(Step):
    """To do: send the parts of this job and return the highest number of attempts of a part."""

    job: TransferJob


def transfer_parts(storage: Storage, job: TransferJob, *, stop: threading.Event | None = None) -> int:
    """Send every part of a job; return the highest number of attempts of a part.

    Callbacks run in this thread; an exception in one stops the transfer. Setting `stop` ends it within a second.
    """
    workers = _Workers(storage, job, stop or threading.Event())
    try:
        workers.start()
        attempt = workers.count()
    finally:
        workers.end()
    if workers.stopped:
        closed = "The client was closed while the parts were being sent."
        raise TransferError(closed if storage.closed else "The upload was cancelled.")
    return attempt


def pause(seconds: float, ended: Callable[[], bool], wait: Callable[[float], object] | None = None) -> None:
    """Wait, or return early when `ended` returns True."""
    deadline = time.monotonic() + seconds
    while not ended() and (remaining := deadline - time.monotonic()) > 0:
        (wait or time.sleep)(min(SLICE, remaining))


def join_threads(threads: Iterable[threading.Thread], seconds: float = 1.0) -> None:
    """Join threads, for at most `seconds` in total."""
    deadline = time.monotonic() + seconds
    for thread in threads:
        # An interrupt may arrive while a thread is being started, when it cannot be joined yet.
        while thread.ident is None and thread in threading.enumerate() and time.monotonic() < deadline:
            time.sleep(0.001)
        # Skip threads that never started, and the current one: a callback may call this.
        if thread.ident not in (None, threading.get_ident()):
            thread.join(max(0.0, deadline - time.monotonic()))


class _Workers:
    """The threads of one transfer and their shared state."""

    def __init__(self, storage: Storage, job: TransferJob, stop: threading.Event) -> None:
        self._storage, self._job, self._stop, self._halt = storage, job, stop, threading.Event()
        # A worker's last event is its error, or None.
        self._events: queue.SimpleQueue[PartEvent | BaseException | None] = queue.SimpleQueue()
        self._todo, self._todo_lock = iter(job.targets), threading.Lock()
        # A sequential source is sent part by part.
        count = max(1, min(1 if job.source.sequential else job.concurrency, len(job.targets)))
        self._turns = job.turns or Turns(count, job.max_bandwidth)
        self._part_job = PartJob(
            source=job.source,
            put=storage.put,
            integrity=job.integrity,
            report=self._handle,
            halted=self._halted,
            pause=self._step_back,
            allow=self._allow if job.max_bandwidth else None,
            alone=count == 1 and not job.turns,
            patience=job.patience,
            settled=job.settled,
        )
        # With many small files, each has a thread already; another for its part would cost as much as sending it.
        count = 0 if job.turns and count == 1 else count
        names = [f"scenario-uploads-{number}" for number in range(count)]
        self._threads = [threading.Thread(target=self._work, name=name, daemon=True) for name in names]

    @property
    def stopped(self) -> bool:
        """Whether the caller stopped the upload or closed the client."""
        return self._stop.is_set() or self._storage.closed

    def start(self) -> None:
        try:
            for thread in self._threads:
                thread.start()
        except RuntimeError as error:
            # The interpreter is exiting, or the system is out of threads.
            raise TransferError(f"The parts cannot be sent: {error}.") from error

    def end(self) -> None:
        """Stop the workers and wait for them, for a second at most."""
        self._halt.set()
        join_threads(self._threads, STOP_PATIENCE)
        # Record parts acknowledged meanwhile, so that resuming does not send them again.
        while self._job.on_part and not self._events.empty():
            event = self._events.get()
            if isinstance(event, PartEvent) and event.done:
                # The first error is more useful.
                with suppress(TransferError):
                    self._job.on_part(event.number, event.md5)

    def count(self) -> int:
        """Process the events of the workers until all have ended; return the most attempts or raise the first error."""
        job, done = self._job, self._job.size - sum(target.part.length for target in self._job.targets)
        parts_done = job.parts_total - len(job.targets)
        self._progress = UploadProgress(UploadPhase.TRANSFERRING, done, job.size, parts_done, job.parts_total)
        if job.on_progress:
            job.on_progress(self._progress)
        if not self._threads:
            self._work()
        running = len(self._threads) or 1
        while running and not self._halted():
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
        error: BaseException | None = None
        try:
            while (target := self._take()) is not None:
                try:
                    send_part(self._part_job, target)
                finally:
                    self._turns.give_back()
        except HaltedError:
            pass
        except BaseException as raised:  # noqa: BLE001 - the counting thread raises it again
            error = raised
        self._events.put(error)

    def _take(self) -> PartTarget | None:
        """Wait for a turn and return the next part, or None when there is none left."""
        self._turns.take(self._halted)
        with self._todo_lock:
            target = None if self._halted() else next(self._todo, None)
        if target is None:
            self._turns.give_back()
        return target

    def _step_back(self, seconds: float) -> None:
        """Wait before a retry, giving the turn to another worker meanwhile."""
        self._turns.give_back()
        self._pause(seconds)
        self._turns.take(self._halted)

    def _handle(self, event: PartEvent) -> None:
        self._turns.heed(event)
        # Without a progress callback, skip the queue: at wire speed each event costs the sender CPU time.
        if not (self._job.on_progress or event.done or event.attempt):
            return
        if self._threads:
            self._events.put(event)
            return
        try:
            self._note(event)
        except BaseException as error:
            # Not raised here: while a part is sent, an OSError of a callback would pass for a network error.
            self._events.put(error)
            raise HaltedError from error

    def _halted(self) -> bool:
        return self._halt.is_set() or self.stopped or self._job.interrupted()

    def _pause(self, seconds: float) -> None:
        pause(seconds, self._halted, self._halt.wait)

    def _allow(self, most: int) -> int:
        """Wait for the bandwidth limit; return how many bytes may go out."""
        amount, delay = self._turns.spend(most)
        self._pause(delay)
        if self._halted():
            raise HaltedError
        return amount
