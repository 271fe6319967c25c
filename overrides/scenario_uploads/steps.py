"""The steps that calls, written as generators, yield to a runner, which sends, waits and works."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeVar

import httpx
from attrs import frozen

T = TypeVar("T")
CLOSED = "This client is closed; make a new one."


class Step:
    """A step for the runner, which sends its result back. The others are here and in `transfer.engine`."""

    __slots__ = ()


@frozen
class Send(Step):
    """Send the request and return the response, its body up to `limit` bytes or, with `stream`, not yet read."""

    request: httpx.Request
    limit: int
    stream: bool = False


@frozen
class Pause(Step):
    """Wait this many seconds."""

    seconds: float


@frozen
class Work(Step):
    """Call a function that may block or take long, and return its result."""

    call: Callable[[], object]
    remote: bool = False  # it may hang, and is left when `check` raises; what it returns after that is closed
    check: Callable[[], object] = int


Steps = Generator[Step, Any, T]
"""The steps of a call, which return its result."""


def ask(step: Step) -> Steps[Any]:
    """Return the steps of a call that takes only one."""
    return (yield step)


def carry_on(
    steps: Steps[T], carry_out: Callable[[Step], Steps[Any]] = ask, *, until: type[Step] | tuple[()] = ()
) -> Steps[T | Any]:
    """Run steps, passing each through `carry_out`, and return their result, or the first step of type `until`."""
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
