"""Limits on sending: how many parts at once, and how many bytes a second."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from attrs import evolve, frozen

from scenario_uploads.steps import SLICE

# Parts sent at once at the start.
FIRST_PARTS = 2
# Bytes that one connection sends at once under a bandwidth limit: S3 drops connections after 20 s of silence.
LARGEST_SHARE = 256 * 1024


@frozen
class Pace:
    """How many parts may be sent at once.

    Two at first, so that a slow link soon has finished parts to resume from. The maximum once a part was quick; until
    then, each full round of successes doubles the limit. A request to slow down halves it, and each full round then
    adds one, as in TCP and S3's guidance on 503.
    """

    maximum: int
    limit: int
    streak: int = 0
    opening: bool = False

    def slower(self) -> Pace:
        """Return the pace after storage asked to slow down."""
        return Pace(self.maximum, max(1, self.limit // 2))

    def quick(self) -> Pace:
        """Return the pace after a part took little time."""
        return Pace(self.maximum, self.maximum) if self.opening else self

    def steady(self) -> Pace:
        """Return the pace after a part was acknowledged."""
        if self.limit == self.maximum:
            return self
        if self.streak + 1 < self.limit:
            return evolve(self, streak=self.streak + 1)
        limit = min(self.limit * 2, self.maximum) if self.opening else self.limit + 1
        return evolve(self, limit=limit, streak=0)


class Turns:
    """The limits in force for one file, or for all files that share the object."""

    def __init__(self, concurrency: int, max_bandwidth: float | None = None) -> None:
        self.pace = Pace(concurrency, min(FIRST_PARTS, concurrency), opening=True)
        self._rate, self._free_at, self._active = max_bandwidth or math.inf, 0.0, 0
        self._turn = threading.Condition()

    def take(self, halted: Callable[[], bool]) -> None:
        """Wait for a turn, or until stopped."""
        with self._turn:
            while self._active >= self.pace.limit and not halted():
                self._turn.wait(SLICE)
            self._active += 1

    def give_back(self) -> None:
        """Release a turn."""
        with self._turn:
            self._active -= 1
            self._turn.notify()

    def adjust(self, change: Callable[[Pace], Pace]) -> None:
        """Change the pace."""
        with self._turn:
            self.pace = change(self.pace)
            self._turn.notify_all()

    def spend(self, most: int, now: float | None = None) -> tuple[int, float]:
        """Return how many of `most` bytes one connection may send, and after how many seconds."""
        with self._turn:
            amount = max(1, int(min(most, LARGEST_SHARE, self._rate / self.pace.maximum)))
            now = time.monotonic() if now is None else now
            start = max(now, self._free_at)
            self._free_at = start + amount / self._rate
            return amount, start - now
