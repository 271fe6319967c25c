"""Running the steps of many files at once, in threads.

Steps that send are limited in number. Steps that wait for an import pause most of the time, without occupying a thread.
"""

from __future__ import annotations

import heapq
import queue
import threading
import time
from contextlib import suppress
from itertools import count
from typing import Any, Protocol, TypeVar

from scenario_uploads.errors import TransferError
from scenario_uploads.steps import Pause, Steps, carry_on
from scenario_uploads.system import SLICE, join_threads

T = TypeVar("T")

# How many files may wait for their import while others are sent.
MOST_WAITING = 128


class Runner(Protocol):
    """The runner of the sync client: runs the steps of calls, from many threads."""

    def open(self) -> object: ...

    def run(self, steps: Steps[T]) -> T: ...

    def close(self) -> None: ...


class Workers:
    """Threads that run steps; one thread collects the results."""

    def __init__(self, runner: Runner, at_once: int) -> None:
        self._runner, self._at_once = runner, at_once
        self._sending = self._waiting = 0
        # When to go on with which steps, and whether they only wait. The number keeps the order of equal times.
        self._todo: list[tuple[float, int, bool, Steps[Any]]] = []
        self._number = count()
        self._results: queue.SimpleQueue[tuple[bool, Any, BaseException | None]] = queue.SimpleQueue()
        self._turn = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._ended = False

    @property
    def busy(self) -> bool:
        return self._sending + self._waiting > 0

    @property
    def has_room(self) -> bool:
        """Whether more may be started. Some are queued, so that workers stay busy while the caller handles a result."""
        return self._sending < 2 * self._at_once and self._waiting < MOST_WAITING

    def start(self, steps: Steps[Any], *, waiting: bool) -> None:
        """Run steps, `waiting` when they send no file."""
        self._sending, self._waiting = self._sending + (not waiting), self._waiting + waiting
        self._put(0.0, steps, waiting=waiting)
        if len(self._threads) < min(self._at_once, self._sending):
            thread = threading.Thread(target=self._work, name="scenario-uploads-file", daemon=True)
            try:
                thread.start()
                self._threads.append(thread)
            except RuntimeError as error:
                # The system is out of threads; continue with those there are.
                if not self._threads:
                    raise TransferError(f"The files cannot be sent: {error}.") from error

    def get(self, *, block: bool) -> Any:
        """Return the next result, or raise its error; without `block`, None when there is none yet."""
        while True:
            self._runner.open()
            with suppress(queue.Empty):
                waiting, value, error = self._results.get(block, SLICE)
                # Closed: the steps ended because of that.
                self._runner.open()
                self._sending, self._waiting = self._sending - (not waiting), self._waiting - waiting
                if error is not None:
                    raise error
                return value
            if not block:
                return None

    def end(self) -> None:
        """Stop the steps in progress, and wait for at most a second."""
        with self._turn:
            self._ended = True
            self._turn.notify_all()
        self._runner.close()
        join_threads(self._threads)
        for *_, steps in self._todo:
            steps.close()

    def _put(self, seconds: float, steps: Steps[Any], *, waiting: bool) -> None:
        with self._turn:
            heapq.heappush(self._todo, (time.monotonic() + seconds, next(self._number), waiting, steps))
            self._turn.notify()

    def _work(self) -> None:
        while (work := self._take()) is not None:
            waiting, steps = work
            value, error = None, None
            try:
                value = self._runner.run(carry_on(steps, until=Pause) if waiting else steps)
            except BaseException as raised:  # noqa: BLE001 - raised again where results are got
                error = raised
            if isinstance(value, Pause):
                self._put(value.seconds, steps, waiting=True)
            else:
                self._results.put((waiting, value, error))

    def _take(self) -> tuple[bool, Steps[Any]] | None:
        """Wait until steps are due, and return them and whether they only wait; None at the end."""
        with self._turn:
            while not self._ended:
                due = self._todo[0][0] - time.monotonic() if self._todo else None
                if due is not None and due <= 0:
                    _, _, waiting, steps = heapq.heappop(self._todo)
                    return waiting, steps
                self._turn.wait(due)
            return None
