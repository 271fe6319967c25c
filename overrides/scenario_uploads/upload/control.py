"""Pauses, turns of background uploads, and deadlines."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from attrs import evolve

from scenario_uploads.errors import UploadTimeoutError
from scenario_uploads.progress import OnProgress, UploadPhase, UploadProgress
from scenario_uploads.steps import Pause, Send, Step, Steps, T, Work, carry_on
from scenario_uploads.system import SLICE
from scenario_uploads.transfer.engine import Transfer

# Uploads of a client that run in the background at once, without those that are paused or wait for their import.
MOST_AT_ONCE = 8


class Control:
    """Pauses an upload and its clock, lets it wait for its turn in a `line` of uploads, and enforces its deadline."""

    def __init__(
        self, clock: Callable[[], float], on_progress: OnProgress | None = None, line: list[Control] | None = None
    ) -> None:
        self._clock, self._on_progress, self._line = clock, on_progress, [] if line is None else line
        # When it was paused, or None, and how long it was paused before.
        self._pause: tuple[float | None, float] = None, 0.0
        self._until, self._fault = math.inf, ""
        self.progress: UploadProgress | None = None

    @property
    def paused(self) -> bool:
        return self._pause[0] is not None

    def clock(self) -> float:
        """Return the time in seconds, without paused time."""
        since, lost = self._pause
        return (self._clock() if since is None else since) - lost

    def pause(self) -> None:
        if not self.paused:
            self._pause = self._clock(), self._pause[1]

    def unpause(self) -> None:
        self._pause = None, self._clock() - self.clock()

    def follow(self, event: UploadProgress) -> None:
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
            self._leave()

    def _check(self) -> None:
        if self.clock() >= self._until:
            raise UploadTimeoutError(self._fault)

    def _leave(self) -> None:
        if self in self._line:
            self._line.remove(self)

    def _admit(self) -> Steps[None]:
        while True:
            self._check()
            only_waits = self.progress is not None and self.progress.phase is UploadPhase.WAITING
            if self.paused or only_waits:
                self._leave()
            elif self not in self._line:
                self._line.append(self)
            if not self.paused and (only_waits or self in self._line[:MOST_AT_ONCE]):
                return
            yield Pause(SLICE)

    def _carry_out(self, step: Step) -> Steps[Any]:
        if isinstance(step, Work):
            return (yield evolve(step, check=self._check))
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
            if step.on_part:
                step.on_part(number, md5)
            done.add(number)

        attempt = 1
        while True:
            left = tuple(part for part in step.parts if part.number not in done)
            tries: int = yield evolve(step, parts=left, on_part=note, interrupted=self._is_interrupted)
            attempt = max(attempt, tries)
            if len(done) == len(step.parts):
                return attempt
            yield from self._admit()

    def _is_interrupted(self) -> bool:
        return self.paused or self.clock() >= self._until


class BaseHandle:
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
