"""What holds an upload up: a pause, the turns of those in the background, the deadline of any."""

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


class BaseHandle:
    """What the handles of both clients have in common."""

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
