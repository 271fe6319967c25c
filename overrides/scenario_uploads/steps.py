"""What the steps of a call, which are generators that decide, ask of the runner, which sends, waits and works."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeVar

import httpx
from attrs import frozen

T = TypeVar("T")
# Seconds between two looks at what nobody can be woken for.
SLICE = 0.2
CLOSED = "This client is closed; make a new one."


class Step:
    """To do, by the runner, which gives the result back; besides these here a `Transfer`."""

    __slots__ = ()


@frozen
class Send(Step):
    """To do: send the request and return the response, its body up to `limit` bytes or, with `stream`, not yet read."""

    request: httpx.Request
    limit: int
    stream: bool = False


@frozen
class Pause(Step):
    """To do: wait this many seconds."""

    seconds: float


@frozen
class Work(Step):
    """To do: call this, which may block or take long, and return its result."""

    call: Callable[[], object]


Steps = Generator[Step, Any, T]
"""The steps of a call, which return what it comes to."""


def _ask(step: Step) -> Steps[Any]:
    return (yield step)


def carry_on(
    steps: Steps[T], carry_out: Callable[[Step], Steps[Any]] = _ask, *, until: type[Step] | tuple[()] = ()
) -> Steps[T | Any]:
    """Carry steps on, each in a way of its own, and return what they come to, or the first step to stop at."""
    try:
        step = next(steps)
        while not isinstance(step, until):
            try:
                result = yield from carry_out(step)
            except BaseException as error:  # noqa: BLE001 - the steps decide what becomes of it
                step = steps.throw(error)
            else:
                step = steps.send(result)
    except StopIteration as end:
        return end.value
    return step
