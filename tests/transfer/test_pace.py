"""How many parts at once, and how many bytes a second."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario_uploads.transfer.pace import Budget, Pace


def test_storage_that_asks_to_slow_down_gets_half_as_many_parts_at_once() -> None:
    pace = Pace(8, 8)
    assert [8, 4, 2, 1, 1] == [pace.limit] + [(pace := pace.slower()).limit for _ in range(4)]


def test_every_full_round_of_successes_adds_one_part_again() -> None:
    pace = Pace(4, 4).slower()
    limits = [(pace := pace.steady()).limit for _ in range(8)]
    assert [2, 3, 3, 3, 4, 4, 4, 4] == limits


def test_asking_to_slow_down_ends_a_round_of_successes() -> None:
    pace = Pace(maximum=8, limit=4, streak=3)
    assert Pace(maximum=8, limit=2, streak=0) == pace.slower()


class TestTheBeginning:
    def test_two_parts_are_sent_at_once_and_twice_as_many_with_each_round(self) -> None:
        pace = Pace.begin(8)
        limits = [pace.limit] + [(pace := pace.steady()).limit for _ in range(14)]
        assert limits == [2, 2, *[4] * 4, *[8] * 9]

    @pytest.mark.parametrize("maximum", [1, 2])
    def test_nothing_is_held_back_where_there_is_nothing(self, maximum: int) -> None:
        assert Pace.begin(maximum).limit == maximum

    def test_ends_at_once_when_a_part_takes_less_than_ten_seconds(self) -> None:
        assert Pace.begin(64).measured(10.0).limit == 2
        assert Pace.begin(64).measured(9.9).limit == 64

    def test_is_over_when_storage_asks_to_slow_down(self) -> None:
        pace = Pace.begin(8).slower()
        assert pace.measured(0.1) == pace
        assert pace.steady().limit == 2


@given(maximum=st.integers(1, 64), answers=st.lists(st.booleans(), max_size=300))
def test_whatever_storage_answers_the_limit_stays_between_one_and_the_maximum(
    maximum: int, answers: list[bool]
) -> None:
    pace = Pace.begin(maximum)
    for slow in answers:
        pace = pace.slower() if slow else pace.steady()
        assert 1 <= pace.limit <= maximum


def test_a_budget_makes_each_chunk_wait_for_those_before_it() -> None:
    budget, delays = Budget(rate=100.0), []
    for now in (10.0, 10.0, 10.5, 20.0):
        budget, delay = budget.spend(50, now)
        delays.append(delay)
    assert [0.0, 0.5, 0.5, 0.0] == delays


@given(
    rate=st.floats(1.0, 1e9),
    steps=st.lists(st.tuples(st.integers(1, 1 << 20), st.floats(0.0, 2.0)), min_size=1, max_size=50),
)
def test_no_more_than_the_rate_ever_goes_out(rate: float, steps: list[tuple[int, float]]) -> None:
    budget, now, spent, last = Budget(rate), 0.0, 0, 0
    for amount, idle in steps:
        now += idle
        budget, delay = budget.spend(amount, now)
        now += delay
        spent, last = spent + amount, amount
        # All but the chunk that goes out just now has had its time on the line.
        assert spent - last <= rate * now * (1 + 1e-9) + 1e-6


@pytest.mark.parametrize("rate", [1.0, 1e6])
def test_a_line_that_was_idle_is_free_at_once(rate: float) -> None:
    budget, _ = Budget(rate).spend(1, 0.0)
    assert budget.spend(1, 1e9)[1] == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("rate", "lines", "share"),
    [
        (8e9, 8, 256 * 1024),
        (800_000.0, 8, 100_000),
        (800_000.0, 1, 256 * 1024),
        (10.0, 64, 1),
        (math.inf, 1, 256 * 1024),
    ],
)
def test_a_line_sends_so_little_at_once_that_each_has_its_turn_every_second(
    rate: float, lines: int, share: int
) -> None:
    assert share == Budget(rate).share(1 << 30, lines)
    assert Budget(rate).share(5, 1) == 5


@given(rate=st.floats(64.0, 1e9), lines=st.integers(1, 64))
def test_no_line_is_silent_for_more_than_a_second(rate: float, lines: int) -> None:
    budget, delays = Budget(rate), list[float]()
    for _ in range(lines):
        budget, delay = budget.spend(budget.share(1 << 20, lines), 0.0)
        delays.append(delay)
    assert delays[-1] <= 1.0
