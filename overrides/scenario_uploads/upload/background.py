"""Uploads in the background: handles that cancel and pause them, and the deadline of any upload."""

from __future__ import annotations

import asyncio
import atexit
import math
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from attrs import evolve

from scenario_uploads.errors import TransferError, UploadTimeoutError
from scenario_uploads.models import Upload
from scenario_uploads.progress import OnProgress, UploadPhase, UploadProgress
from scenario_uploads.steps import Pause, Send, Step, Steps, Work, carry_on
from scenario_uploads.transfer.engine import Transfer, join_threads

T = TypeVar("T")
# How many uploads of a client go on in the background at once. Paused ones, and those that only wait, do not count.
MOST_AT_ONCE = 8
# Seconds between two looks whether an upload may go on.
SLICE = 0.1


class Line:
    """Uploads in the order of their arrival; the first `most` may go on."""

    def __init__(self, most: int = MOST_AT_ONCE) -> None:
        self._most, self._line, self._lock = most, list[object](), threading.Lock()

    def has_turn(self, who: object) -> bool:
        """Return whether it is the turn of an upload, which enters the line if it is not there."""
        with self._lock:
            if who not in self._line:
                self._line.append(who)
            return who in self._line[: self._most]

    def leave(self, who: object) -> None:
        """Let others have the turn."""
        with self._lock, suppress(ValueError):
            self._line.remove(who)


class Control:
    """What holds an upload up: a pause, other uploads, or its deadline. While it is paused its clock stands still.

    Args:
        clock: Returns seconds.
        on_progress: Told of each event besides.
        line: The uploads that take turns with it.
    """

    def __init__(
        self, clock: Callable[[], float], on_progress: OnProgress | None = None, line: Line | None = None
    ) -> None:
        self._clock, self._on_progress, self._line = clock, on_progress, line or Line()
        self._lock = threading.Lock()
        self._paused_at: float | None = None
        self._lost = 0.0
        self._until, self._fault = math.inf, ""
        self.progress: UploadProgress | None = None

    def clock(self) -> float:
        """Return seconds in which the upload was not paused."""
        with self._lock:
            return (self._clock() if self._paused_at is None else self._paused_at) - self._lost

    def pause(self) -> None:
        """Let no byte move until `unpause`."""
        with self._lock:
            self._paused_at = self._clock() if self._paused_at is None else self._paused_at

    def unpause(self) -> None:
        """Go on."""
        with self._lock:
            self._lost += 0.0 if self._paused_at is None else self._clock() - self._paused_at
            self._paused_at = None

    def follow(self, event: UploadProgress) -> None:
        """Keep the last event, and pass it on."""
        self.progress = event
        if self._on_progress:
            self._on_progress(event)

    def end_after(self, seconds: float, fault: str) -> None:
        """Raise UploadTimeoutError with this message once so many seconds have passed."""
        self._until, self._fault = self.clock() + seconds, fault

    def hold(self, steps: Steps[T]) -> Steps[T]:
        """Carry steps on while the upload may go on. What is opened is closed in any case: work is never held up."""
        try:
            yield from self._admit()
            return (yield from carry_on(steps, self._carry_out))
        finally:
            self._line.leave(self)

    def _admit(self) -> Steps[None]:
        """Wait until the upload may go on."""
        while True:
            if self.clock() >= self._until:
                raise UploadTimeoutError(self._fault)
            only_waits = self.progress is not None and self.progress.phase is UploadPhase.WAITING
            if self._paused_at is not None or only_waits:
                self._line.leave(self)
            if self._paused_at is None and (only_waits or self._line.has_turn(self)):
                return
            yield Pause(SLICE)

    def _carry_out(self, step: Step) -> Steps[Any]:
        if isinstance(step, Work):
            return (yield step)
        yield from self._admit()
        if isinstance(step, Transfer):
            return (yield from self._transfer(step))
        left = self._until - self.clock()
        if isinstance(step, Pause):
            return (yield Pause(min(step.seconds, left)))
        if isinstance(step, Send):
            limits = step.request.extensions.get("timeout", {})
            bound = max(SLICE, left)
            step.request.extensions["timeout"] = {name: min(value or bound, bound) for name, value in limits.items()}
        return (yield step)

    def _transfer(self, step: Transfer) -> Steps[int]:
        """Send parts; those that were not there at a pause are begun again after it, as if they had not been tried."""
        done: set[int] = set()

        def note(number: int, md5: str | None) -> None:
            if step.job.on_part:
                step.job.on_part(number, md5)
            done.add(number)

        attempt, job = 1, evolve(step.job, on_part=note, interrupted=self._is_interrupted)
        while True:
            left = tuple(target for target in job.targets if target.part.number not in done)
            tries: int = yield Transfer(evolve(job, targets=left))
            attempt = max(attempt, tries)
            if len(done) >= len(job.targets):
                return attempt
            yield from self._admit()

    def _is_interrupted(self) -> bool:
        return self._paused_at is not None or self.clock() >= self._until


class _Handle:
    _control: Control

    @property
    def progress(self) -> UploadProgress | None:
        """The last event of the upload, or None before the first one."""
        return self._control.progress

    def pause(self) -> None:
        """Send nothing until `unpause`: parts under way are begun again after it.

        Meanwhile no retry, timeout, patience or deadline runs out. Presigned URLs do expire; then the upload starts
        once more, unless `restart_on_expiry=False`. A paused upload lets others have its turn.
        """
        self._control.pause()

    def unpause(self) -> None:
        """Go on after a `pause`."""
        self._control.unpause()


class UploadHandle(_Handle, Future[Upload]):
    """An upload in the background, as `start_upload` returns it: a `concurrent.futures.Future` of the `Upload`.

    It goes on in a thread of its own, in which `on_progress` and callbacks are called. Closing the client, and the end
    of the interpreter, cancel it.
    """

    __module__ = "scenario_uploads"

    def __init__(
        self, run: Callable[[], Upload], close: Callable[[], object], control: Control, owners: tuple[object, ...]
    ) -> None:
        super().__init__()
        self._run, self._close, self._control, self._owners = run, close, control, owners
        self._turn = threading.Lock()
        self._stopping = self._ending = False
        self._thread = threading.Thread(target=self._work, name="scenario-uploads-handle", daemon=True)
        _LIVE.add(self)
        try:
            self._thread.start()
        except RuntimeError as error:
            _LIVE.discard(self)
            raise TransferError(f"The upload cannot be started: {error}.") from error

    def running(self) -> bool:
        """Return whether the upload goes on, paused or not."""
        return not self.done()

    def cancel(self) -> bool:
        """End the upload, within a second wherever it is; return whether it is or will be cancelled.

        What is sent stays in the ledger, if there is one, and the same call goes on from there. When the service has
        been told that all parts are there, only the waiting ends, and the service imports the file all the same.
        """
        with self._turn:
            self._stopping = self._stopping or not self._ending
        if self._stopping:
            self._close()
        return self._stopping

    def _work(self) -> None:
        upload: Upload | None = None
        error: BaseException | None = None
        try:
            upload = self._run()
        except BaseException as raised:  # noqa: BLE001 - it is raised where the result is asked for
            error = raised
        self._close()
        with self._turn:
            self._ending = True
        _LIVE.discard(self)
        if self._stopping:
            super().cancel()
            # Wakes those who wait for several futures.
            self.set_running_or_notify_cancel()
        elif error is not None:
            self.set_exception(error)
        else:
            self.set_result(upload)  # type: ignore[arg-type]


class AsyncUploadHandle(_Handle, asyncio.Task[Upload]):
    """An upload in the background, as `start_upload` returns it: an `asyncio.Task` of the `Upload`, to be awaited.

    Cancelling it ends the upload within a second wherever it is. What is sent stays in the ledger, if there is one, and
    the same call goes on from there. When the service has been told that all parts are there, only the waiting ends,
    and the service imports the file all the same. Closing the client, and the end of the event loop, cancel it.
    """

    __module__ = "scenario_uploads"

    def __init__(self, work: Coroutine[Any, Any, Upload], control: Control) -> None:
        super().__init__(work, name="scenario-uploads-handle")
        self._control = control


_LIVE: set[UploadHandle] = set()


def end_uploads(owner: object = None) -> None:
    """Cancel the uploads in the background, all of them or those of an owner, and wait for it, for a second at most."""
    ending = [handle for handle in [*_LIVE] if owner is None or owner in handle._owners]  # noqa: SLF001 - of this module
    for handle in ending:
        handle.cancel()
    join_threads(handle._thread for handle in ending)  # noqa: SLF001 - of this module


atexit.register(end_uploads)
