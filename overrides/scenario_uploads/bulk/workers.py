"""Running the steps of many files at once, in threads. A thread of its own finds the files, since sources may block.

Steps that send are limited in number. Steps that wait for an import pause most of the time, without occupying a thread.
"""

from __future__ import annotations

import heapq
import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import partial
from itertools import count
from typing import Any, Protocol

from scenario_uploads.errors import TransferError
from scenario_uploads.steps import Pause, Steps, T, carry_on
from scenario_uploads.system import SLICE, Worker, join_threads

# How many files may wait for their import while others are sent.
MOST_WAITING = 128


class Runner(Protocol):
    """The runner of the sync client: runs the steps of calls, from many threads."""

    def open(self) -> object: ...

    def run(self, steps: Steps[T]) -> T: ...

    def close(self) -> None: ...


class Workers:
    """Threads that run steps, and one that finds them; the caller's thread collects the results."""

    def __init__(self, runner: Runner, at_once: int) -> None:
        self._runner, self._at_once = runner, at_once
        self._sending = self._waiting = 0
        # When to go on with which steps, and whether they only wait. The number keeps the order of equal times.
        self._todo: list[tuple[float, int, bool, Steps[Any]]] = []
        self._number = count()
        self._results: queue.SimpleQueue[tuple[bool, Any, BaseException | None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._turn, self._room = threading.Condition(self._lock), threading.Condition(self._lock)
        self._finder, self._threads = list[threading.Thread](), list[threading.Thread]()
        self._ended = False

    def run(self, found: Generator[Any]) -> Iterator[Any]:
        """Yield the results that are found, and those of steps; of steps that send, these may be steps that wait."""
        self._count(waiting=1)  # until all are found
        self._start_thread(self._finder, partial(self._find, found), "scenario-uploads-finder")
        while self._sending + self._waiting:
            self._runner.open()
            try:
                waiting, value, error = self._results.get(timeout=SLICE)
            except queue.Empty:
                continue
            # Closed: the steps ended because of that.
            self._runner.open()
            self._count(sending=waiting - 1, waiting=-waiting)
            if error is not None:
                raise error
            if isinstance(value, Generator):
                self._start(value, waiting=True)
            elif value is not None:
                yield value

    def end(self) -> None:
        """Stop the steps in progress, and wait for at most a second."""
        with self._lock:
            self._ended = True
            self._turn.notify_all()
            self._room.notify()
        self._runner.close()
        join_threads(self._threads)
        join_threads(self._finder, SLICE)  # it is left when it hangs in a source
        for *_, steps in self._todo:
            steps.close()

    def _count(self, *, sending: int = 0, waiting: int = 0) -> None:
        with self._lock:
            self._sending, self._waiting = self._sending + sending, self._waiting + waiting
            if self._has_room():
                self._room.notify()

    def _has_room(self) -> bool:
        """Return whether to find more. Some are queued, so that workers stay busy while the caller handles a result."""
        return self._ended or (self._sending < 2 * self._at_once and self._waiting <= MOST_WAITING)

    def _start(self, steps: Steps[Any], *, waiting: bool) -> None:
        self._count(sending=not waiting, waiting=waiting)
        self._put(0.0, steps, waiting=waiting)
        if not waiting and len(self._threads) < min(self._at_once, self._sending):
            self._start_thread(self._threads, self._work, "scenario-uploads-file")

    def _start_thread(self, threads: list[threading.Thread], work: Callable[[], object], name: str) -> None:
        thread = Worker(work, name)
        threads.append(thread)  # now: after an interrupt it may run
        try:
            thread.start()
        except TransferError:
            # Continue with the threads there are.
            threads.remove(thread)
            if not threads:
                raise

    def _find(self, found: Generator[Any]) -> None:
        error: BaseException | None = None
        try:
            with closing(found):
                for one in found:
                    if isinstance(one, Generator):
                        self._start(one, waiting=False)
                    else:
                        self._count(waiting=1)
                        self._results.put((True, one, None))
                    with self._lock:
                        self._room.wait_for(self._has_room)
                    if self._ended:
                        break
        except BaseException as raised:  # noqa: BLE001 - raised again where results are got
            error = raised
        self._results.put((True, None, error))

    def _put(self, seconds: float, steps: Steps[Any], *, waiting: bool) -> None:
        with self._lock:
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
        with self._lock:
            while not self._ended:
                due = self._todo[0][0] - time.monotonic() if self._todo else None
                if due is not None and due <= 0:
                    _, _, waiting, steps = heapq.heappop(self._todo)
                    return waiting, steps
                self._turn.wait(due)
            return None
