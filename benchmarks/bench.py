"""What the measures stand on: workers in processes of their own, and ratios of what was taken in turns."""

from __future__ import annotations

import contextlib
import itertools
import json
import operator
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from attrs import frozen

from benchmarks.environment import ROOT
from benchmarks.quiet import QUIET, Moment


class BenchError(Exception):
    """A measure could not be taken; the message is one line that says why."""


@frozen
class Settings:
    """How thorough the run is.

    Attributes:
        rounds: How often each contender takes its turn.
        size: Bytes of the file whose throughput is measured.
        quick: Whether a rough answer is enough.
        seconds: How long rounds that others disturbed are taken again.
        proxy: Whether the slow link is a proxy even where a network namespace could be made.
    """

    rounds: int
    size: int
    quick: bool
    seconds: float
    proxy: bool


class Worker:
    """A process that does one task after the other; see `benchmarks.worker`."""

    def __init__(self, name: str, environ: Mapping[str, str], prefix: Sequence[str] = ()) -> None:
        self.name = name
        self._process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "benchmarks.worker", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**environ},
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            # Nobody wants to know any more what it is at.
            self._process.kill()
        stop(self._process)

    def run(self, arguments: Mapping[str, Any], timeout: float) -> dict[str, float]:
        """Let the worker do one task.

        Raises:
            BenchError: When it fails, or takes longer than `timeout` seconds.
        """
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(arguments).encode() + b"\n")
        self._process.stdin.flush()
        if not select.select([self._process.stdout], [], [], timeout)[0]:
            self._process.kill()
            raise BenchError(f"{self.name} was not done within {timeout:g} s")
        line = self._process.stdout.readline()
        result = json.loads(line) if line else {"error": "the process ended"}
        if "error" in result:
            raise BenchError(f"{self.name}: {result['error']}")
        return {name: float(value) for name, value in result.items()}


def stop(process: subprocess.Popen[Any]) -> None:
    """End a process that ends with its standard input, or at a signal."""
    if process.stdin:
        with contextlib.suppress(OSError):
            process.stdin.close()
    else:
        process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


@frozen
class Turns:
    """What taking turns came to.

    Attributes:
        seconds: How long each took in each round that counts.
        disturbance: How much of the processors others took in the worst of these rounds, from 0 to 1.
    """

    seconds: dict[str, tuple[float, ...]]
    disturbance: float

    def compare(self, one: str, other: str) -> tuple[float, ...]:
        """Return, for each round, how many times as fast `one` was as `other`."""
        return tuple(theirs / ours for ours, theirs in zip(self.seconds[one], self.seconds[other], strict=True))


def take_turns(tasks: Mapping[str, Callable[[], float]], settings: Settings, *, warm: bool = True) -> Turns:
    """Time each task once a round, in turns, so that what else the machine does hits all alike.

    Every second round goes backwards, so that nobody always comes after the same one. With `warm`, a round goes before
    that does not count. Rounds that others disturbed are taken again while there is time.
    """
    rounds: list[tuple[float, dict[str, float]]] = []
    for task in tasks.values() if warm else ():
        task()
    start = time.monotonic()
    for number in itertools.count():
        quiet = sum(share <= QUIET for share, _ in rounds)
        if quiet >= settings.rounds or (number >= settings.rounds and time.monotonic() - start > settings.seconds):
            break
        before = Moment.now()
        names = list(tasks) if number % 2 == 0 else list(reversed(list(tasks)))
        taken = {name: tasks[name]() for name in names}
        rounds.append((Moment.now().share_since(before), taken))
    best = sorted(rounds, key=operator.itemgetter(0))[: settings.rounds]
    return Turns({name: tuple(taken[name] for _, taken in best) for name in tasks}, best[-1][0])
