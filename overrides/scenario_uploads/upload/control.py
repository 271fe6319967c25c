"""Pauses, turns of background uploads, and deadlines."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from attrs import evolve

from scenario_uploads.errors import UploadTimeoutError
from scenario_uploads.progress import OnProgress, UploadPhase, UploadProgress
from scenario_uploads.steps import Pause, Send, Step, Steps, Work, carry_on
from scenario_uploads.transfer.engine import Transfer

T = TypeVar("T")
# Uploads of a client that run in the background at once, without those that are paused or wait for their import.
MOST_AT_ONCE = 8
# Seconds between checks whether an upload may continue.
SLICE = 0.1


class Line:
    """A queue of uploads, of which the first `most` may run."""

    def __init__(self, most: int = MOST_AT_ONCE) -> None:
        self._most, self._line, self._lock = most, list[object](), threading.Lock()

    def has_turn(self, who: object) -> bool:
        """Return whether an upload may run, queueing it if necessary."""
        with self._lock:
            if who not in self._line:
                self._line.append(who)
            return who in self._line[: self._most]

    def leave(self, who: object) -> None:
        """Remove an upload from the queue."""
        with self._lock, suppress(ValueError):
            self._line.remove(who)


class Control:
    """Pauses an upload, queues it behind others and enforces its deadline. Its clock stops while paused.

    Args:
        clock: Returns seconds.
        on_progress: Called with each event.
        line: The queue of uploads that take turns.
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
        """Return the time in seconds, without paused time."""
        with self._lock:
            return (self._clock() if self._paused_at is None else self._paused_at) - self._lost

    def pause(self) -> None:
        """Send nothing until `unpause`."""
        with self._lock:
            self._paused_at = self._clock() if self._paused_at is None else self._paused_at

    def unpause(self) -> None:
        """Go on."""
        with self._lock:
            self._lost += 0.0 if self._paused_at is None else self._clock() - self._paused_at
            self._paused_at = None

    def follow(self, event: UploadProgress) -> None:
        """Store the event and call `on_progress`."""
        self.progress = event
        if self._on_progress:
            self._on_progress(event)

    def end_after(self, seconds: float, fault: str) -> None:
        """Raise UploadTimeoutError with this message after `seconds`."""
        self._until, self._fault = self.clock() + seconds, fault

    def run(self, steps: Steps[T]) -> Steps[T]:
        """Yield steps while the upload may run. `Work` is never delayed, so files are closed even while paused."""
        try:
            yield from self._admit()
            return (yield from carry_on(steps, self._carry_out))
        finally:
            self._line.leave(self)

    def _admit(self) -> Steps[None]:
        """Wait until the upload may run."""
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
        """Send parts. Parts that a pause interrupts are sent again after it, with all their attempts."""
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


class BaseHandle:
    """What the sync and the async handle share."""

    _control: Control

    @property
    def progress(self) -> UploadProgress | None:
        """The last event of the upload, or None before the first one."""
        return self._control.progress

    def pause(self) -> None:
        """Send nothing until `unpause`, which starts interrupted parts again.

        Retries, timeouts, patience and deadlines do not count paused time. Presigned URLs do expire; then the upload
        starts once more, unless `restart_on_expiry=False`. A paused upload gives its turn to others.
        """
        self._control.pause()

    def unpause(self) -> None:
        """Continue after a `pause`."""
        self._control.unpause()
