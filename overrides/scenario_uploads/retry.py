"""Whether to try again, and after how long. Pure: outcomes and numbers in, a delay or None out.

Delays follow "exponential backoff and full jitter": each is drawn evenly from zero to a bound that doubles. What the
service asks for (`Retry-After`, `remainingSeconds`) is a lower bound; more than a cap is not waited for.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum

from attrs import Factory, define, field, frozen

# The largest bound of a delay, in seconds, while nobody can be reached.
AWAY_CAP = 20.0

# Seconds without a byte after which an upload is given up, unless told otherwise.
DEFAULT_PATIENCE = 900.0

RETRYABLE_STATUSES = frozenset({408, 409, 429})


class Repeat(Enum):
    """What a second sending of the same request would do."""

    SAFE = "safe"
    """Nothing more than the first: reading."""
    ONCE = "once"
    """Something harmless, such as a pending upload without parts: worth one more try when no response came."""
    NEVER = "never"
    """Perhaps harm: an import would be started twice."""


@frozen
class Outcome:
    """How one attempt failed.

    Attributes:
        status: The HTTP status, or None when no answer came.
        sent: Whether the request may have reached the service.
        retryable: False for faults that no retry mends, such as a bad TLS certificate.
        retry_after: Seconds that the service asked to wait, or None.
        away: Whether nobody could be reached: no connection was made, and no byte went out.
        told: What the service said of trying again (`x-should-retry`); None when it said nothing.
    """

    status: int | None = None
    sent: bool = True
    retryable: bool = True
    retry_after: float | None = None
    away: bool = False
    told: bool | None = None

    @property
    def unanswered(self) -> bool:
        """Whether the service may have acted on the request although no response came."""
        return self.sent and self.status is None


@frozen
class RetryPolicy:
    """How often and how patiently.

    Attributes:
        max_retries: Tries after the first, 0 or more; infinite for no end.
        base: The bound of the first delay in seconds; it doubles with each retry.
        cap: The largest bound in seconds.
        retry_after_cap: The longest wait in seconds that the service may ask for.
        clip: Whether to wait that long when more is asked for; else the call is given up at once.
        patience: Seconds since a byte last moved for which a service that is away is tried again, however often; None
            counts these tries like others.
    """

    max_retries: float = 2
    base: float = 0.5
    cap: float = 8.0
    retry_after_cap: float = 60.0
    clip: bool = False
    patience: float | None = None


def backoff(policy: RetryPolicy, retry: int, draw: Callable[[], float]) -> float:
    """Return the delay in seconds before `retry` (0 is the first); `draw` gives an even number from 0 to 1."""
    return draw() * min(policy.cap, policy.base * 2.0 ** min(retry, 30))


def is_retryable(outcome: Outcome, repeat: Repeat, unanswered: int) -> bool:
    """Return whether the request may be sent again after this outcome; `unanswered` earlier tries got no response."""
    if not outcome.retryable or outcome.told is False:
        return False
    if not outcome.sent:
        return True
    if repeat is Repeat.NEVER:
        return False
    if outcome.told:
        return True
    if outcome.status is None:
        return repeat is Repeat.SAFE or unanswered == 0
    if outcome.status == 409:
        return repeat is Repeat.SAFE
    return outcome.status in RETRYABLE_STATUSES or outcome.status >= 500


def next_delay(
    policy: RetryPolicy,
    retry: int,
    outcome: Outcome,
    *,
    repeat: Repeat,
    draw: Callable[[], float],
    unanswered: int = 0,
    idle: float = 0.0,
) -> float | None:
    """Return after how many seconds to send again, or None to give up.

    Args:
        policy: How often and how patiently.
        retry: How many tries have failed before this one, from 0; those that `policy.patience` bounds do not count.
        outcome: How this one failed.
        repeat: What sending it again would do.
        draw: Gives an even number from 0 to 1.
        unanswered: How many earlier tries got no response.
        idle: Seconds since a byte last moved.
    """
    if policy.patience is not None and outcome.away and outcome.retryable:
        remaining = policy.patience - idle
        return min(remaining, draw() * min(AWAY_CAP, max(policy.base, idle))) if remaining > 0 else None
    if retry >= policy.max_retries or not is_retryable(outcome, repeat, unanswered):
        return None
    asked = outcome.retry_after or 0.0
    if asked > policy.retry_after_cap and not policy.clip:
        return None
    return max(backoff(policy, retry, draw), min(asked, policy.retry_after_cap))


@define
class Tries:
    """The tries of one request: those that have failed, and whether there is another.

    Attributes:
        policy: How often and how patiently.
        repeat: What sending it again would do.
        draw: Gives an even number from 0 to 1.
        clock: Gives seconds.
        counted: Failed tries that count for `policy.max_retries`.
        away: Failed tries that found nobody, which `policy.patience` bounds.
        unanswered: Failed tries that got no response.
        moved_at: When a byte last moved, by the clock.
        is_away: Whether the last one found nobody.
    """

    policy: RetryPolicy
    repeat: Repeat
    draw: Callable[[], float]
    clock: Callable[[], float]
    counted: int = 0
    away: int = 0
    unanswered: int = 0
    moved_at: float = field(default=Factory(lambda tries: tries.clock(), takes_self=True))
    is_away: bool = False

    @property
    def failed(self) -> int:
        """How many tries have failed."""
        return self.counted + self.away

    @property
    def level(self) -> int:
        """The level to log the last failure at: nobody there is worth one warning, since it may go on for long."""
        return logging.WARNING if self.is_away and self.away == 1 else logging.INFO

    def __str__(self) -> str:
        """Return how far the next try is from the last one."""
        return (
            f"for up to {self.policy.patience:g} s" if self.is_away else f"{self.counted} of {self.policy.max_retries}"
        )

    def fail(self, outcome: Outcome) -> float | None:
        """Note that a try has failed, and return after how many seconds to make another, or None to give up."""
        away = self.is_away = outcome.away and self.policy.patience is not None
        now = self.clock()
        if not away:
            self.moved_at = now
        delay = next_delay(
            self.policy,
            self.counted,
            outcome,
            repeat=self.repeat,
            draw=self.draw,
            unanswered=self.unanswered,
            idle=now - self.moved_at,
        )
        if delay is not None:
            self.counted, self.away = self.counted + (not away), self.away + away
            self.unanswered += outcome.unanswered
        return delay


def parse_retry_after(value: str | None, *, now: datetime) -> float | None:
    """Return the seconds that a `Retry-After` header asks for (RFC 9110, 10.2.3: seconds or a date), or None."""
    if value is None:
        return None
    text = value.strip()
    seconds = parse_seconds(text)
    if seconds is not None:
        return seconds
    moment = parse_date(text)
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def parse_date(value: str | None) -> datetime | None:
    """Return the moment that an HTTP date names (RFC 9110, 5.6.7), or None."""
    try:
        moment = parsedate_to_datetime(value or "")
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def parse_seconds(value: object) -> float | None:
    """Return a number of seconds, given as a number or a text, when it is one that can be waited for; else None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
