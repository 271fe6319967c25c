"""Whether to try again, and after how long."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from scenario_uploads.retry import (
    Outcome,
    Repeat,
    RetryPolicy,
    Tries,
    is_retryable,
    parse_retry_after,
    parse_seconds,
)

NOW = datetime(2025, 6, 30, 15, 15, 27, tzinfo=UTC)
SECONDS = st.floats(0, 1e6)
POLICIES = st.builds(
    RetryPolicy,
    max_retries=st.integers(0, 100),
    base=st.floats(0, 10),
    cap=st.floats(0, 100),
    retry_after_cap=st.floats(0, 1000),
    clip=st.booleans(),
)
BUSY = Outcome(status=503)
OUTCOMES = st.builds(
    Outcome,
    status=st.none() | st.integers(100, 599),
    sent=st.booleans(),
    retryable=st.booleans(),
    retry_after=st.none() | SECONDS,
)


def next_delay(
    policy: RetryPolicy, retry: int, outcome: Outcome, repeat: Repeat, draw: Callable[[], float], *, idle: float = 0.0
) -> float | None:
    return Tries(policy, repeat, draw, clock=lambda: idle, counted=retry, moved_at=0.0).fail(outcome)


@given(POLICIES, st.integers(0, 10_000), st.floats(0, 1))
def test_backoff_is_full_jitter_below_a_bound_that_doubles_to_its_cap(
    policy: RetryPolicy, retry: int, drawn: float
) -> None:
    bound = min(policy.cap, policy.base * 2.0 ** min(retry, 30))
    assert next_delay(evolve(policy, max_retries=math.inf), retry, BUSY, Repeat.SAFE, lambda: drawn) == drawn * bound


def test_the_bounds_of_the_delays_double_up_to_the_cap() -> None:
    policy = RetryPolicy(7, base=0.5, cap=8.0)
    delays = [next_delay(policy, retry, BUSY, Repeat.SAFE, lambda: 1.0) for retry in range(7)]
    assert delays == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]


@given(POLICIES, st.integers(0, 200), OUTCOMES, st.sampled_from(Repeat), st.floats(0, 1))
def test_every_delay_is_within_its_bounds(
    policy: RetryPolicy, retry: int, outcome: Outcome, repeat: Repeat, drawn: float
) -> None:
    """At least what the service asked for, capped; and there is an end to retrying."""
    delay = next_delay(policy, retry, outcome, repeat=repeat, draw=lambda: drawn)
    if delay is None:
        too_long = (outcome.retry_after or 0.0) > policy.retry_after_cap and not policy.clip
        assert retry >= policy.max_retries or not is_retryable(outcome, repeat, 0) or too_long
        return
    assert retry < policy.max_retries
    asked = min(outcome.retry_after or 0.0, policy.retry_after_cap)
    assert asked <= delay <= max(asked, policy.cap)


@given(POLICIES, OUTCOMES, st.sampled_from(Repeat), st.integers(0, 200))
def test_a_fault_that_no_retry_mends_is_not_retried(
    policy: RetryPolicy, outcome: Outcome, repeat: Repeat, retry: int
) -> None:
    hopeless = Outcome(status=outcome.status, sent=outcome.sent, retryable=False)
    assert next_delay(policy, retry, hopeless, repeat=repeat, draw=lambda: 1.0) is None


@given(OUTCOMES, st.integers(0, 200))
def test_an_import_is_never_sent_twice_once_it_may_have_arrived(outcome: Outcome, retry: int) -> None:
    """Fault 17: whatever the answer was."""
    assert not outcome.sent or not is_retryable(outcome, Repeat.NEVER, retry)


@pytest.mark.parametrize("repeat", Repeat)
def test_what_was_not_sent_is_sent_again(repeat: Repeat) -> None:
    assert is_retryable(Outcome(sent=False), repeat, 0)
    assert is_retryable(Outcome(sent=False), repeat, 7)


def test_17_a_lost_answer_to_a_create_is_worth_one_more_try() -> None:
    assert is_retryable(Outcome(), Repeat.ONCE, 0)
    assert not is_retryable(Outcome(), Repeat.ONCE, 1)
    assert is_retryable(Outcome(), Repeat.SAFE, 1)


@pytest.mark.parametrize(
    ("status", "safe", "once"),
    [
        (400, False, False),
        (401, False, False),
        (403, False, False),
        (404, False, False),
        (408, True, True),
        (409, True, False),
        (422, False, False),
        (429, True, True),
        (500, True, True),
        (502, True, True),
        (503, True, True),
        (504, True, True),
        (520, True, True),
        (307, False, False),
    ],
)
def test_which_statuses_are_tried_again(status: int, safe: bool, once: bool) -> None:
    """Connection errors, 408, 409 where safe, 429 and 5xx."""
    assert safe is is_retryable(Outcome(status=status), Repeat.SAFE, 0)
    assert once is is_retryable(Outcome(status=status), Repeat.ONCE, 0)


def test_no_retries_means_none() -> None:
    assert next_delay(RetryPolicy(0), 0, Outcome(sent=False), repeat=Repeat.SAFE, draw=lambda: 1.0) is None


@pytest.mark.parametrize(("clip", "longest"), [(False, None), (True, 60.0)])
def test_what_the_service_asks_for_is_honoured_up_to_a_cap(clip: bool, longest: float | None) -> None:
    policy = RetryPolicy(max_retries=2, retry_after_cap=60.0, clip=clip)

    def delay(asked: float | None) -> float | None:
        return next_delay(policy, 0, Outcome(429, retry_after=asked), repeat=Repeat.SAFE, draw=lambda: 1.0)

    assert delay(None) == 0.5
    assert delay(0.0) == 0.5
    assert delay(7.0) == 7.0
    assert delay(60.0) == 60.0
    assert delay(3600.0) == longest


class TestPatience:
    """Row 42: what cannot be reached is tried again by the clock, and not by counting."""

    AWAY = Outcome(sent=False, away=True)

    def delays(self, patience: float | None, outcome: Outcome = AWAY) -> list[float]:
        policy, waited = RetryPolicy(max_retries=2, base=0.5, cap=8.0, patience=patience), list[float]()
        while (
            delay := next_delay(policy, len(waited), outcome, repeat=Repeat.SAFE, draw=lambda: 1.0, idle=sum(waited))
        ) is not None:
            waited.append(delay)
        return waited

    def test_tries_go_on_with_delays_up_to_twenty_seconds_and_a_last_one_at_the_end(self) -> None:
        assert self.delays(100.0) == [0.5, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0, 20.0, 8.0]

    def test_without_patience_there_is_no_second_try(self) -> None:
        assert self.delays(0.0) == []

    @pytest.mark.parametrize(
        ("patience", "outcome"), [(None, AWAY), (900.0, Outcome()), (900.0, Outcome(503)), (900.0, Outcome(sent=False))]
    )
    def test_other_faults_are_counted(self, patience: float | None, outcome: Outcome) -> None:
        assert self.delays(patience, outcome) == [0.5, 1.0]

    def test_what_no_retry_mends_is_not_tried_again(self) -> None:
        assert self.delays(900.0, Outcome(sent=False, away=True, retryable=False)) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", 0.0),
        ("3", 3.0),
        (" 3 ", 3.0),
        ("1.5", 1.5),
        ("Mon, 30 Jun 2025 15:15:37 GMT", 10.0),
        ("Mon, 30 Jun 2025 17:15:37 +0200", 10.0),
        ("Mon, 30 Jun 2025 15:15:37 -0000", 10.0),
        ("Monday, 30-Jun-25 15:15:37 GMT", 10.0),
        ("Mon Jun 30 15:15:37 2025", 10.0),
        ("Mon, 30 Jun 2025 15:15:17 GMT", 0.0),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0.0),
        ("-3", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("9" * 5000, None),
        ("soon", None),
        ("", None),
        ("Mon, 99 Jun 2025 15:15:37 GMT", None),
        ("Mon, 30 Jun 99999999999 15:15:37 GMT", None),
        (None, None),
    ],
)
def test_retry_after_is_read_in_both_forms(value: str | None, expected: float | None) -> None:
    """RFC 9110, 10.2.3: seconds, or a date in one of its three formats."""
    assert parse_retry_after(value, now=NOW) == expected


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ \d+:\d+:\d+ [+-]?\w+", fullmatch=True))
def test_no_retry_after_is_too_odd(value: str) -> None:
    seconds = parse_retry_after(value, now=NOW)
    assert seconds is None or (math.isfinite(seconds) and seconds >= 0)


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 30)))  # noqa: DTZ001 - hypothesis wants them so
def test_every_date_is_read_as_the_seconds_to_it(moment: datetime) -> None:
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    expected = max(timedelta(), moment - NOW).total_seconds()
    assert parse_retry_after(format_datetime(moment, usegmt=True), now=NOW) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3.0),
        (0, 0.0),
        (1.5, 1.5),
        ("3", 3.0),
        (-1, None),
        (True, None),
        (None, None),
        ([3], None),
        ({}, None),
        ("three", None),
        (math.nan, None),
        (math.inf, None),
        (10**400, None),
    ],
)
def test_seconds_in_a_body_are_taken_when_they_can_be_waited_for(value: object, expected: float | None) -> None:
    assert parse_seconds(value) == expected
