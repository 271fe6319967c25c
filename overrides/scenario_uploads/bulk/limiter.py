"""One pace for the calls of all files: when the service asks to slow down, all do, and grow again together."""

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

# Seconds between two looks whether it is a call's turn, when fewer may go out than want to.
TURN = 0.05

# The longest wait in seconds that the service may ask for at a time.
LONGEST_HOLD = 300.0

# Seconds without any success after which a refusal is handed on.
PATIENCE = 900.0


@mutable
class Limiter:
    """How many calls may be under way at once, over all files, and from when on."""

    pace: Pace
    _active: int = 0
    _free_at: float = 0.0
    _succeeded_at: float | None = None
    _lock: threading.Lock = field(factory=threading.Lock, repr=False)

    @classmethod
    def begin(cls, most: int) -> Self:
        """Return one that allows so many calls at once."""
        return cls(Pace(most, most))

    def admit(self, now: float) -> float | None:
        """Take a turn and return None, or return after how many seconds to ask again."""
        with self._lock:
            if now < self._free_at:
                return self._free_at - now
            if self._active >= self.pace.limit:
                return TURN
            self._active += 1
            return None

    def release(self, succeeded_at: float | None = None) -> None:
        """Give a turn back, after a success or after a call that says nothing about the pace."""
        with self._lock:
            self._active -= 1
            if succeeded_at is not None:
                self._succeeded_at, self.pace = succeeded_at, self.pace.steady()

    def slow(self, seconds: float, now: float) -> bool:
        """Give a turn back after a call that came too early; return whether to make it again."""
        with self._lock:
            if self._succeeded_at is None:
                self._succeeded_at = now
            # Calls that were under way together are refused together, which is one reason to slow down.
            if now >= self._free_at:
                self.pace = evolve(self.pace, limit=min(self.pace.limit, self._active)).slower()
            self._active -= 1
            self._free_at = max(self._free_at, now + min(seconds, LONGEST_HOLD))
            return now - self._succeeded_at < PATIENCE


def limit(steps: Steps[T], limiter: Limiter, api: Api) -> Steps[T]:
    """Carry steps on at the pace that all share. A 429 is waited out, but for that of a plan that allows no more."""
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
