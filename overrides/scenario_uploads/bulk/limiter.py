"""The rate limit shared by the calls of all files: after a 429 or 503, all slow down and speed up again together."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import httpx

from scenario_uploads.api.exchange import Api
from scenario_uploads.api.responses import classify_response
from scenario_uploads.logs import logger
from scenario_uploads.pace import Pace
from scenario_uploads.steps import Pause, Send, Step, Steps, T, carry_on

# Seconds between checks for a turn, that the service may ask for at most, and until a call gives up after many 429s.
TURN, LONGEST_HOLD, PATIENCE = 0.05, 300.0, 900.0


class Limiter:
    """How many calls may be in progress at once, over all files, and when the next one may start."""

    def __init__(self, most: int) -> None:
        self.pace = Pace(most, most)
        self._active, self._free_at, self._lock = 0, 0.0, threading.Lock()

    def admit(self, now: float) -> float | None:
        """Take a turn and return None, or return the seconds after which to ask again."""
        with self._lock:
            if now < self._free_at:
                return self._free_at - now
            if self._active >= self.pace.limit:
                return TURN
            self._active += 1
            return None

    def release(self, now: float, *, accepted: bool = False, hold: float = 0.0) -> None:
        """Give a turn back, and let all calls wait for `hold` seconds after one that was refused."""
        with self._lock:
            if hold:
                # Concurrent calls are refused together: slow down once for all of them.
                if now >= self._free_at:
                    logger.info("The service is busy: all calls wait for %.1f s.", min(hold, LONGEST_HOLD))
                    self.pace.limit = min(self.pace.limit, self._active)
                    self.pace.adjust(slow=True)
                self._free_at = max(self._free_at, now + min(hold, LONGEST_HOLD))
            self._active -= 1
            self.pace.adjust(done=accepted)


def limit(steps: Steps[T], limiter: Limiter, api: Api) -> Steps[T]:
    """Run steps under the shared rate limit. Retry a 429, unless it is the limit of a plan."""
    return carry_on(steps, partial(_carry_out, limiter, api))


def _carry_out(limiter: Limiter, api: Api, step: Step) -> Steps[Any]:
    if not isinstance(step, Send):
        return (yield step)
    begun = api.clock()
    while True:
        while (delay := limiter.admit(api.clock())) is not None:
            yield Pause(delay)
        accepted, hold = False, 0.0
        try:
            response: httpx.Response = yield step
            accepted = response.status_code not in (429, 503)
            if not accepted:
                _, outcome = classify_response(response, "upload_many", now=api.now())
                if outcome.told is not False:
                    hold = 1.0 if outcome.retry_after is None else max(outcome.retry_after, TURN)
        finally:
            limiter.release(api.clock(), accepted=accepted, hold=hold)
        if not hold or response.status_code != 429 or api.clock() - begun >= PATIENCE:
            return response
