"""Running the steps of many calls at once: in threads (`Workers`) or in tasks of the event loop (`AsyncWorkers`).

Of two kinds of steps, those that send are limited to so many at once. Those that only wait pause nearly all the time,
and no thread pauses with them.
"""

from __future__ import annotations

import asyncio
import heapq
import queue
import threading
import time
from collections import deque
from collections.abc import Generator
from contextlib import suppress
from itertools import count
from typing import Any

from scenario_uploads.api.exchange import Pause
from scenario_uploads.bulk.limiter import until_pause

from .async_runner import AsyncRunner
from .runner import Runner

Steps = Generator[Any, Any, Any]

# How many may wait for their import while others are sent.
MOST_WAITING = 128

# Seconds between two looks at what a thread cannot be woken for.
SLICE = 0.25

# Seconds that what is under way has to stop.
STOP_PATIENCE = 1.0


class Workers:
    """Threads that carry steps out; what these come to is got from one thread.

    Args:
        runner: How to carry them out.
        at_once: How many send at once.
    """

    def __init__(self, runner: Runner, at_once: int) -> None:
        self._runner, self._at_once = runner.share(), at_once
        self._sending = self._waiting = 0
        self._todo: deque[Steps] = deque()
        self._paused: list[tuple[float, int, Steps]] = []
        self._number = count()
        self._results: queue.SimpleQueue[tuple[bool, Any, BaseException | None]] = queue.SimpleQueue()
        self._turn = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._ended = False

    @property
    def busy(self) -> bool:
        """Whether there is something to get."""
        return self._sending + self._waiting > 0

    @property
    def has_room(self) -> bool:
        """Whether more may be started; some are kept ready, for times in which nobody looks."""
        return self._sending < 2 * self._at_once and self._waiting < MOST_WAITING

    def start(self, steps: Steps) -> None:
        """Carry out steps that send, when it is their turn."""
        self._sending += 1
        with self._turn:
            self._todo.append(steps)
            self._turn.notify()
        if len(self._threads) < min(self._at_once, self._sending):
            thread = threading.Thread(target=self._work, name="scenario-uploads-file", daemon=True)
            self._threads.append(thread)
            thread.start()

    def start_waiting(self, steps: Steps) -> None:
        """Carry out steps that only wait."""
        self._waiting += 1
        self._pause(0, steps)

    def get(self, *, block: bool) -> Any:
        """Return what steps came to, or raise it; with `block` once some have, else None when none has."""
        while True:
            self._runner.check_open()
            try:
                waiting, value, error = self._results.get(block, SLICE)
            except queue.Empty:
                if block:
                    continue
                return None
            self._sending, self._waiting = self._sending - (not waiting), self._waiting - waiting
            if error is not None:
                raise error
            return value

    def end(self) -> None:
        """Stop what is under way, and wait for it, for a second at most."""
        with self._turn:
            self._ended = True
            self._turn.notify_all()
        self._runner.close()
        deadline = time.monotonic() + STOP_PATIENCE
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        for steps in (*self._todo, *(steps for _, _, steps in self._paused)):
            steps.close()

    def _work(self) -> None:
        while (work := self._take()) is not None:
            waiting, steps = work
            value, error = None, None
            try:
                value = self._runner.run(until_pause(steps) if waiting else steps)
            except BaseException as raised:  # noqa: BLE001 - raised again where results are got
                error = raised
            if isinstance(value, Pause):
                self._pause(value.seconds, steps)
            else:
                self._results.put((waiting, value, error))

    def _pause(self, seconds: float, steps: Steps) -> None:
        with self._turn:
            heapq.heappush(self._paused, (time.monotonic() + seconds, next(self._number), steps))
            self._turn.notify()

    def _take(self) -> tuple[bool, Steps] | None:
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


class AsyncWorkers:
    """Tasks that carry steps out; what these come to is got from one task.

    Args:
        runner: How to carry them out.
        at_once: How many send at once.
    """

    def __init__(self, runner: AsyncRunner, at_once: int) -> None:
        self._runner, self._at_once = runner, at_once
        self._sending = self._waiting = 0
        self._turn = asyncio.Semaphore(at_once)
        self._results: asyncio.Queue[tuple[bool, Any, BaseException | None]] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> bool:
        """Whether there is something to get."""
        return self._sending + self._waiting > 0

    @property
    def has_room(self) -> bool:
        """Whether more may be started; some are kept ready, for times in which nobody looks."""
        return self._sending < 2 * self._at_once and self._waiting < MOST_WAITING

    def start(self, steps: Steps) -> None:
        """Carry out steps that send, when it is their turn."""
        self._sending += 1
        self._begin(self._send(steps))

    def start_waiting(self, steps: Steps) -> None:
        """Carry out steps that only wait."""
        self._waiting += 1
        self._begin(self._work(steps, waiting=True))

    async def get(self, *, block: bool) -> Any:
        """Return what steps came to, or raise it; with `block` once some have, else None when none has."""
        self._runner.check_open()
        if not block and self._results.empty():
            # What is under way goes on, however long nobody waits for it.
            await asyncio.sleep(0)
            return None
        waiting, value, error = await self._results.get()
        self._sending, self._waiting = self._sending - (not waiting), self._waiting - waiting
        if error is not None:
            raise error
        return value

    async def end(self) -> None:
        """Stop what is under way, and wait for it."""
        for task in self._tasks:
            task.cancel()
        while self._tasks:
            with suppress(asyncio.CancelledError):
                await asyncio.wait(self._tasks)

    def _begin(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, steps: Steps) -> None:
        async with self._turn:
            await self._work(steps, waiting=False)

    async def _work(self, steps: Steps, *, waiting: bool) -> None:
        value, error = None, None
        try:
            value = await self._runner.run(steps)
        except asyncio.CancelledError:
            raise
        except BaseException as raised:  # noqa: BLE001 - raised again where results are got
            error = raised
        self._results.put_nowait((waiting, value, error))
