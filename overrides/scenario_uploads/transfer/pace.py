"""How fast to send: how many parts at once, and how many bytes a second. Pure: numbers in, numbers out."""

from __future__ import annotations

from attrs import evolve, frozen

LARGEST_SHARE = 256 * 1024


@frozen
class Pace:
    """How many parts may be under way at once.

    Storage that asks to slow down gets half as many, at least one; every full round of successes adds one again, up to
    `maximum`. This is how TCP shares a link, and what S3's guidance on 503 answers asks for.
    """

    maximum: int
    limit: int
    streak: int = 0

    @classmethod
    def full(cls, maximum: int) -> Pace:
        """Return the pace at the start: as many as there may be."""
        return cls(maximum, maximum)

    def slower(self) -> Pace:
        """Return the pace after storage asked to slow down."""
        return evolve(self, limit=max(1, self.limit // 2), streak=0)

    def steady(self) -> Pace:
        """Return the pace after a part was acknowledged."""
        if self.limit == self.maximum:
            return self
        if self.streak + 1 < self.limit:
            return evolve(self, streak=self.streak + 1)
        return evolve(self, limit=self.limit + 1, streak=0)


@frozen
class Budget:
    """When the next bytes may go out under a limit of `rate` bytes a second over all parts.

    Attributes:
        rate: Bytes a second, above 0.
        free_at: The time in seconds from which on the line is free.
    """

    rate: float
    free_at: float = 0.0

    def share(self, most: int, lines: int) -> int:
        """Return how many of `most` bytes one of so many lines sends at once: few enough that each sends every second.

        Storage gives up a connection that is silent for long (S3 after some 20 s, with `RequestTimeout`).
        """
        return max(1, int(min(most, LARGEST_SHARE, self.rate / lines)))

    def spend(self, amount: int, now: float) -> tuple[Budget, float]:
        """Return the budget after `amount` more bytes, and how many seconds to wait before they are sent."""
        start = max(now, self.free_at)
        return evolve(self, free_at=start + amount / self.rate), start - now
