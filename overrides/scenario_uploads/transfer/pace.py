"""Concurrency and bandwidth limits. Pure functions."""

from __future__ import annotations

from attrs import evolve, frozen

# Parts sent at once at the start.
FIRST_PARTS = 2

# A part that takes fewer seconds ends the start phase.
QUICK_PART = 10.0

LARGEST_SHARE = 256 * 1024


@frozen
class Pace:
    """How many parts may be sent at once.

    Two at first, so that a slow link soon has finished parts to resume from. The maximum once a part takes less than
    `QUICK_PART` seconds; until then, each full round of successes doubles the limit. A request to slow down halves it,
    and each full round then adds one, as in TCP and S3's guidance on 503.
    """

    maximum: int
    limit: int
    streak: int = 0
    opening: bool = False

    @classmethod
    def begin(cls, maximum: int) -> Pace:
        """Return the pace at the start."""
        return cls(maximum, min(FIRST_PARTS, maximum), opening=True)

    def measured(self, part_seconds: float) -> Pace:
        """Return the pace after a part took `seconds`."""
        if not self.opening or part_seconds >= QUICK_PART:
            return self
        return Pace(self.maximum, self.maximum)

    def slower(self) -> Pace:
        """Return the pace after storage asked to slow down."""
        return Pace(self.maximum, max(1, self.limit // 2))

    def steady(self) -> Pace:
        """Return the pace after a part was acknowledged."""
        if self.limit == self.maximum:
            return self
        if self.streak + 1 < self.limit:
            return evolve(self, streak=self.streak + 1)
        limit = min(self.limit * 2, self.maximum) if self.opening else self.limit + 1
        return evolve(self, limit=limit, streak=0)


@frozen
class Budget:
    """The bandwidth limit: `rate` bytes a second over all parts; the next bytes may go out at `free_at` seconds."""

    rate: float
    free_at: float = 0.0

    def share(self, most: int, lines: int) -> int:
        """Return how many of `most` bytes one connection sends at once: S3 drops connections after 20 s of silence."""
        return max(1, int(min(most, LARGEST_SHARE, self.rate / lines)))

    def spend(self, amount: int, now: float) -> tuple[Budget, float]:
        """Return the budget after `amount` more bytes, and the seconds to wait before sending them."""
        start = max(now, self.free_at)
        return evolve(self, free_at=start + amount / self.rate), start - now
