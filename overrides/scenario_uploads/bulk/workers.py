"""Running the steps of many files at once, in threads.

Steps that send are limited in number. Steps that wait for an import pause most of the time, without occupying a thread.
In an event loop, the same threads send many small files four times as fast as tasks.
"""

from __future__ import annotations

import heapq
import queue
import threading
import time
from collections import deque
from contextlib import suppress
from itertools import count
from typing import Any, Protocol, TypeVar

from scenario_uploads.errors import TransferError
from scenario_uploads.steps import SLICE, Pause, Steps, carry_on
from scenario_uploads.transfer.engine import join_threads

T = TypeVar("T")

# How many files may wait for their import while others are sent.
MOST_WAITING = 128


class Runner(Protocol):
    """Runs the steps of calls, from many threads."""

    @property
    def closed(self) -> bool:
        """Whether no more calls can be made."""
        ...

    def open(self) -> object:
        """Raise ScenarioError when no more calls can be made."""
        ...

    def run(self, steps: Steps[T]) -> T:
        """Run the steps of a call in this thread."""
        ...

    def close(self) -> None:
        """Refuse further calls."""
        ...


class Workers:
    """Threads that run steps; one thread collects the results."""

    def __init__(self, runner: Runner, at_once: int) -> None:
        self._runner, self._at_once = runner, at_once
        self._sending = self._waiting = 0
        self._todo: deque[Steps[Any]] = deque()
        self._paused: list[tuple[float, int, Steps[Any]]] = []
        self._number = count()
        self._results: queue.SimpleQueue[tuple[bool, Any, BaseException | None]] = queue.SimpleQueue()
        self._turn = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._ended = False

    @property
    def busy(self) -> bool:
        """Whether results are still to come."""
        return self._sending + self._waiting > 0

    @property
    def has_room(self) -> bool:
        """Whether more may be started. Some are queued, so that workers stay busy while the caller handles a result."""
        return self._sending < 2 * self._at_once and self._waiting < MOST_WAITING

    def start(self, steps: Steps[Any], *, waiting: bool) -> None:
        """Run steps that only wait, or queue steps that send."""
        if waiting:
            self._waiting += 1
            self._pause(0, steps)
            return
        self._sending += 1
        with self._turn:
            self._todo.append(steps)
            self._turn.notify()
        if len(self._threads) < min(self._at_once, self._sending):
            thread = threading.Thread(target=self._work, name="scenario-uploads-file", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                # The system is out of threads; continue with those there are.
                if not self._threads:
                    raise TransferError(f"The files cannot be sent: {error}.") from error
            else:
                self._threads.append(thread)

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
        for steps in (*self._todo, *(steps for _, _, steps in self._paused)):
            steps.close()

    def _work(self) -> None:
        while (work := self._take()) is not None:
            waiting, steps = work
            value, error = None, None
            try:
                value = self._runner.run(carry_on(steps, until=Pause) if waiting else steps)
            except BaseException as raised:  # noqa: BLE001 - raised again where results are got
                error = raised
            if isinstance(value, Pause):
                self._pause(value.seconds, steps)
            else:
                self._results.put((waiting, value, error))

    def _pause(self, seconds: float, steps: Steps[Any]) -> None:
        with self._turn:
            heapq.heappush(self._paused, (time.monotonic() + seconds, next(self._number), steps))
            self._turn.notify()

    def _take(self) -> tuple[bool, Steps[Any]] | None:
        """Return the next steps and whether they only wait; None at the end."""
        with self._turn:
            while not self._ended:
                due = self._paused[0][0] - time.monotonic() if self._paused else None
                if due is not None and due <= 0:
                    return True, heapq.heappop(self._paused)[2]
                if self._todo:
                    return False, self._todo.popleft()
                self._turn.wait(due)
            return None
