"""Limits on sending: how many parts at once, and how many bytes a second."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from attrs import define

from .system import SLICE

# Parts sent at once at the start.
FIRST_PARTS = 2
# Bytes that one connection sends at once under a bandwidth limit: S3 drops connections after 20 s of silence.
LARGEST_SHARE = 256 * 1024


@define
class Pace:
    """How many parts may be sent at once: few first, for parts to resume from on a slow link; then as TCP does."""

    maximum: int
    limit: int
    opening: bool = False
    streak: int = 0

    def adjust(self, *, slow: bool = False, quick: bool = False, done: bool = False) -> None:
        """Adjust the limit after storage asked to slow down, a part took little time, or one was stored."""
        if slow:
            self.limit, self.opening, self.streak = max(1, self.limit // 2), False, 0
        if quick and self.opening:
            self.limit, self.opening = self.maximum, False
        self.streak += done
        if self.streak >= self.limit:
            self.limit, self.streak = min(self.maximum, self.limit * 2 if self.opening else self.limit + 1), 0


class Turns:
    """The limits for one file, or for all files that share the object."""

    def __init__(self, concurrency: int, max_bandwidth: float | None = None) -> None:
        self.pace = Pace(concurrency, min(FIRST_PARTS, concurrency), opening=True)
        self._rate, self._free_at, self._active = max_bandwidth or math.inf, 0.0, 0
        self._turn = threading.Condition()

    def take(self, halted: Callable[[], bool]) -> None:
        with self._turn:
            while self._active >= self.pace.limit and not halted():
                self._turn.wait(SLICE)
            self._active += 1

    def give_back(self) -> None:
        with self._turn:
            self._active -= 1
            self._turn.notify()

    def adjust(self, *, slow: bool, quick: bool, done: bool) -> None:
        with self._turn:
            self.pace.adjust(slow=slow, quick=quick, done=done)
            self._turn.notify_all()

    def spend(self, most: int, now: float) -> tuple[int, float]:
        """Return how many of `most` bytes one connection may send, and after how many seconds."""
        with self._turn:
            amount = max(1, int(min(most, LARGEST_SHARE, self._rate / self.pace.maximum)))
            start = max(now, self._free_at)
            self._free_at = start + amount / self._rate
            return amount, start - now
