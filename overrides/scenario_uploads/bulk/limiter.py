"""The rate limit shared by the calls of all files: after a 429 or 503, all slow down and speed up again together."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any, Self, TypeVar

import httpx
from attrs import evolve, field, mutable

from scenario_uploads.api.exchange import Api
from scenario_uploads.api.responses import classify_response
from scenario_uploads.steps import Pause, Send, Step, Steps, carry_on
from scenario_uploads.transfer.pace import Pace

T = TypeVar("T")

# Seconds between checks whether a queued call may go out.
TURN = 0.05

# The longest wait in seconds that the service may ask for at once.
LONGEST_HOLD = 300.0

# Seconds without any success after which a 429 is returned to the caller.
PATIENCE = 900.0


@mutable
class Limiter:
    """How many calls may be in progress at once, over all files, and when the next one may start."""

    pace: Pace
    _active: int = 0
    _free_at: float = 0.0
    _succeeded_at: float | None = None
    _lock: threading.Lock = field(factory=threading.Lock, repr=False)

    @classmethod
    def begin(cls, most: int) -> Self:
        """Return a limiter that allows at most `most` calls at once."""
        return cls(Pace(most, most))

    def admit(self, now: float) -> float | None:
        """Take a turn and return None, or return the seconds after which to ask again."""
        with self._lock:
            if now < self._free_at:
                return self._free_at - now
            if self._active >= self.pace.limit:
                return TURN
            self._active += 1
            return None

    def release(self, succeeded_at: float | None = None) -> None:
        """Give a turn back after a call that was not refused."""
        with self._lock:
            self._active -= 1
            if succeeded_at is not None:
                self._succeeded_at, self.pace = succeeded_at, self.pace.steady()

    def slow(self, seconds: float, now: float) -> bool:
        """Give a turn back after a refused call; return whether to retry it."""
        with self._lock:
            if self._succeeded_at is None:
                self._succeeded_at = now
            # Concurrent calls are refused together: slow down once for all of them.
            if now >= self._free_at:
                self.pace = evolve(self.pace, limit=min(self.pace.limit, self._active)).slower()
            self._active -= 1
            self._free_at = max(self._free_at, now + min(seconds, LONGEST_HOLD))
            return now - self._succeeded_at < PATIENCE


def limit(steps: Steps[T], limiter: Limiter, api: Api) -> Steps[T]:
    """Run steps under the shared rate limit. Retry a 429, unless it is the limit of a plan."""
    return carry_on(steps, partial(_carry_out, limiter, api))


def _carry_out(limiter: Limiter, api: Api, step: Step) -> Steps[Any]:
    if not isinstance(step, Send):
        return (yield step)
    while True:
        while (delay := limiter.admit(api.clock())) is not None:
            yield Pause(delay)
        try:
            response: httpx.Response = yield step
        except BaseException:
            limiter.release()
            raise
        if response.status_code not in (429, 503):
            limiter.release(api.clock())
            return response
        _, outcome = classify_response(response, "upload_many", now=api.now())
        if outcome.told is False:
            limiter.release()
            return response
        seconds = 1.0 if outcome.retry_after is None else max(outcome.retry_after, TURN)
        again = limiter.slow(seconds, api.clock())
        if response.status_code != 429 or not again:
            return response
