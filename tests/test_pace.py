"""How many parts at once, and how many bytes a second."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario_uploads.pace import Pace, Turns


def adjust(pace: Pace, times: int = 1, **event: bool) -> list[int]:
    """Return the limit after each of some events."""
    limits = []
    for _ in range(times):
        pace.adjust(**event)
        limits.append(pace.limit)
    return limits


def test_storage_that_asks_to_slow_down_gets_half_as_many_parts_at_once() -> None:
    assert [4, 2, 1, 1] == adjust(Pace(8, 8), 4, slow=True)


def test_every_full_round_of_successes_adds_one_part_again() -> None:
    assert [2, 3, 3, 3, 4, 4, 4, 4] == adjust(Pace(4, 2), 8, done=True)


def test_asking_to_slow_down_ends_a_round_of_successes() -> None:
    pace = Pace(8, 4, streak=3)
    pace.adjust(slow=True)
    assert Pace(8, 2, streak=0) == pace


def begin(maximum: int) -> Pace:
    return Turns(maximum).pace


class TestTheBeginning:
    def test_two_parts_are_sent_at_once_and_twice_as_many_with_each_round(self) -> None:
        assert [2, *[4] * 4, *[8] * 9] == adjust(begin(8), 14, done=True)

    @pytest.mark.parametrize("maximum", [1, 2])
    def test_nothing_is_held_back_where_there_is_nothing(self, maximum: int) -> None:
        assert begin(maximum).limit == maximum

    def test_ends_at_once_when_a_part_is_quick(self) -> None:
        assert [64] == adjust(begin(64), quick=True)

    def test_is_over_when_storage_asks_to_slow_down(self) -> None:
        pace = begin(8)
        pace.adjust(slow=True)
        assert [1] == adjust(pace, quick=True)


@given(maximum=st.integers(1, 64), answers=st.lists(st.booleans(), max_size=300))
def test_whatever_storage_answers_the_limit_stays_between_one_and_the_maximum(
    maximum: int, answers: list[bool]
) -> None:
    pace = begin(maximum)
    for slow in answers:
        pace.adjust(slow=slow, done=not slow)
        assert 1 <= pace.limit <= maximum


def test_a_budget_makes_each_chunk_wait_for_those_before_it() -> None:
    turns = Turns(1, 100.0)
    assert [turns.spend(50, now) for now in (10.0, 10.0, 10.5, 20.0)] == [(50, 0.0), (50, 0.5), (50, 0.5), (50, 0.0)]


@given(
    rate=st.floats(1.0, 1e9),
    steps=st.lists(st.tuples(st.integers(1, 1 << 20), st.floats(0.0, 2.0)), min_size=1, max_size=50),
)
def test_no_more_than_the_rate_ever_goes_out(rate: float, steps: list[tuple[int, float]]) -> None:
    turns, now, spent, last = Turns(1, rate), 0.0, 0, 0
    for most, idle in steps:
        now += idle
        last, delay = turns.spend(most, now)
        now += delay
        spent += last
        # All but the chunk that goes out just now has had its time on the line.
        assert spent - last <= rate * now * (1 + 1e-9) + 1e-6


@pytest.mark.parametrize("rate", [1.0, 1e6])
def test_a_line_that_was_idle_is_free_at_once(rate: float) -> None:
    turns = Turns(1, rate)
    turns.spend(1, 0.0)
    assert turns.spend(1, 1e9)[1] == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("rate", "lines", "share"),
    [
        (8e9, 8, 256 * 1024),
        (800_000.0, 8, 100_000),
        (800_000.0, 1, 256 * 1024),
        (10.0, 64, 1),
        (None, 1, 256 * 1024),
    ],
)
def test_a_line_sends_so_little_at_once_that_each_has_its_turn_every_second(
    rate: float | None, lines: int, share: int
) -> None:
    assert share == Turns(lines, rate).spend(1 << 30, 0.0)[0]
    assert Turns(1, rate).spend(5, 0.0)[0] == 5


@given(rate=st.floats(64.0, 1e9), lines=st.integers(1, 64))
def test_no_line_is_silent_for_more_than_a_second(rate: float, lines: int) -> None:
    turns = Turns(lines, rate)
    assert [turns.spend(1 << 20, 0.0)[1] for _ in range(lines)][-1] <= 1.0
