"""Retries: whether to try again, and after how long. Pure functions.

Exponential backoff with full jitter: each delay is drawn evenly from zero to a bound that doubles. `Retry-After` and
`remainingSeconds` are lower bounds; more than a cap is not waited for.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum

from attrs import Factory, define, field, frozen

DEFAULT_MAX_RETRIES = 2
# Seconds without progress after which an upload gives up, and the largest bound of a delay without a connection.
DEFAULT_PATIENCE, AWAY_CAP = 900.0, 20.0
# Statuses of a `complete` for an upload that is gone or lacks parts.
REFUSED = frozenset({400, 404, 410, 422})


class Repeat(Enum):
    """The effect of sending a request twice."""

    SAFE = "safe"
    """Nothing: it only reads."""
    ONCE = "once"
    """Something harmless, such as a second pending upload without parts: retried once without a response."""
    NEVER = "never"
    """Possibly harm, such as a second import."""


@frozen
class Outcome:
    """How one attempt failed."""

    status: int | None = None  # the HTTP status, or None without a response
    sent: bool = True  # whether the request may have reached the service
    retryable: bool = True  # False for permanent faults, such as a bad TLS certificate
    retry_after: float | None = None  # seconds that the service asked to wait
    away: bool = False  # whether no connection was made, so that no byte went out
    told: bool | None = None  # whether the service says that a retry makes sense, if it says so


@frozen
class RetryPolicy:
    """How often to retry after the first attempt, and how long to wait, in seconds."""

    max_retries: float = DEFAULT_MAX_RETRIES
    base: float = 0.5  # bound of the first delay; it doubles with each retry
    cap: float = 8.0  # largest bound
    retry_after_cap: float = 60.0  # longest wait that the service may ask for
    clip: bool = False  # whether to wait for that cap when the service asks for more, instead of giving up
    patience: float | None = None  # attempts without a connection go on so long, or count as retries


def is_retryable(outcome: Outcome, repeat: Repeat, unanswered: int) -> bool:
    """Return whether to send again after this outcome; `unanswered` earlier attempts got no response."""
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
    return outcome.status in (408, 429) or outcome.status >= 500


@define
class Tries:
    """The attempts of one request; `away` counts those without a connection, which `policy.patience` bounds."""

    policy: RetryPolicy
    repeat: Repeat
    draw: Callable[[], float]  # a number from 0 to 1
    clock: Callable[[], float]
    counted: int = 0
    away: int = 0
    unanswered: int = 0
    moved_at: float = field(default=Factory(lambda tries: tries.clock(), takes_self=True))  # when a byte last moved
    is_away: bool = False

    @property
    def failed(self) -> int:
        return self.counted + self.away

    @property
    def level(self) -> int:
        """The level to log the last failure at: the first attempt without a connection is a warning."""
        return logging.WARNING if self.is_away and self.away == 1 else logging.INFO

    def __str__(self) -> str:
        """Return how much of the policy is used up, for the log."""
        policy = self.policy
        return f"for up to {policy.patience:g} s" if self.is_away else f"{self.counted} of {policy.max_retries}"

    def fail(self, outcome: Outcome) -> float | None:
        """Record a failed attempt; return the delay in seconds before the next, or None to give up."""
        policy = self.policy
        self.is_away = outcome.away and policy.patience is not None
        if policy.patience is not None and outcome.away:
            idle = self.clock() - self.moved_at
            if idle >= policy.patience or not outcome.retryable:
                return None
            self.away += 1
            return min(policy.patience - idle, self.draw() * min(AWAY_CAP, max(policy.base, idle)))
        self.moved_at = self.clock()
        asked = outcome.retry_after or 0.0
        too_long = asked > policy.retry_after_cap and not policy.clip
        if too_long or self.counted >= policy.max_retries or not is_retryable(outcome, self.repeat, self.unanswered):
            return None
        bound = min(policy.cap, policy.base * 2.0 ** min(self.counted, 30))
        self.counted += 1
        # The service may have acted on it.
        self.unanswered += outcome.sent and outcome.status is None
        return max(self.draw() * bound, min(asked, policy.retry_after_cap))


def parse_retry_after(value: str | None, *, now: datetime) -> float | None:
    """Return the seconds in a `Retry-After` header (RFC 9110, 10.2.3: seconds or a date), or None."""
    seconds, moment = parse_seconds(value), parse_date(value)
    return max(0.0, (moment - now).total_seconds()) if seconds is None and moment else seconds


def parse_date(value: str | None) -> datetime | None:
    """Parse an HTTP date (RFC 9110, 5.6.7); None when it is none."""
    try:
        moment = parsedate_to_datetime(value or "")
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def parse_seconds(value: object) -> float | None:
    """Return a finite number of seconds from a number or a string, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
