"""Output on stderr, and the progress of uploads as lines. `bars` draws the same progress on a terminal."""

from __future__ import annotations

import io
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from .progress import BulkProgress, UploadPhase, UploadProgress, format_duration, format_size
from .redaction import snippet
from .system import Worker

# Seconds: between two looks; without progress until an upload counts as stalled; between two lines about many files.
INTERVAL, STALL, QUIET = 0.25, 5.0, 30.0
_NOTHING = UploadProgress(UploadPhase.TRANSFERRING, 0, 0, 0, 0)


def report(line: str) -> None:
    """Print a line on stderr. A missing or broken stderr is ignored."""
    try:
        # For None, `print` would use stdout instead.
        print(line, file=sys.stderr or io.StringIO(), flush=True)
    except OSError:
        silence(2)


def silence(descriptor: int) -> None:
    """Redirect stdout (1) or stderr (2) to the null device, so that flushing at exit does not fail."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, descriptor)
    os.close(null)


class Gauge:
    """The bytes of the last 10 s. When none moves, there is no rate."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque(maxlen=40)
        self._moved_at = 0.0
        self.stall = 0.0  # seconds without progress, or 0 while they are few

    def sample(self, done: int | None, now: float) -> None:
        """Record the number of bytes done; None while none are to be sent."""
        if done is None:
            self._samples.clear()
            self.stall = 0
            return
        if not self._samples or done != self._samples[-1][1]:
            self._moved_at = now
        self._samples.append((now, done))
        self.stall = now - self._moved_at if now - self._moved_at >= STALL else 0

    def describe(self, amount: str, total: int | None) -> list[str]:
        """Return the rate, or that there is none; the amount; with a total, the time left."""
        if self.stall:
            return [f"stalled for {format_duration(self.stall)}", amount]
        if not self._samples:
            return [amount]
        (since, before), (now, done) = self._samples[0], self._samples[-1]
        if now - since < 1 or done <= before:
            return [amount]
        rate = (done - before) / (now - since)
        left = [] if total is None else [f"{format_duration(max(total - done, 0) / rate)} left"]
        return [f"{format_size(rate)}/s", amount, *left]


class FileProgress:
    """The progress of one file, called with its events."""

    def __init__(self, display: Lines, name: str) -> None:
        self.name, self.gauge, self._display = snippet(name, 4096), Gauge(), display
        self.event, self.retrying = _NOTHING, False
        self.said: object = None  # what `Lines` has printed

    @property
    def sending(self) -> bool:
        return self.event.phase is UploadPhase.TRANSFERRING

    def __call__(self, event: UploadProgress) -> None:
        with self._display.lock:
            before, self.event = self.event, event
            if before is _NOTHING:
                self._display.files.append(self)
            again = event.attempt > before.attempt or event.bytes_done < before.bytes_done
            self.retrying = again or (self.retrying and event.bytes_done == before.bytes_done)
            self._display.show(self)

    def end(self) -> None:
        with self._display.lock, suppress(ValueError):
            self._display.files.remove(self)

    def describe(self) -> list[str]:
        """Return the phase, or the rate or what is wrong, the amount, and the time left."""
        event = self.event
        if not self.sending:
            return ["waiting for the import" if event.phase is UploadPhase.WAITING else str(event.phase)]
        amount = format_size(event.bytes_done, event.bytes_total)
        if self.retrying:
            return [f"retrying, try {event.attempt}" if event.attempt > 1 else "retrying", amount]
        return self.gauge.describe(amount, event.bytes_total)


class Lines:
    """Shows progress, from any thread: a line for each tenth, phase and problem of a file; of many, now and then."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock, self.lock = clock, threading.RLock()
        self.files: list[FileProgress] = []
        self.whole: BulkProgress | None = None
        self.gauge = Gauge()
        self._said_at = clock()
        self._ended = threading.Event()
        self._thread = Worker(self._watch, "scenario-uploads-display")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(INTERVAL):
            self.look()

    def look(self) -> None:
        """Measure what moves, and show what follows from it."""
        with self.lock:
            now = self.clock()
            for file in self.files:
                file.gauge.sample(file.event.bytes_done if file.sending and not file.retrying else None, now)
            sending = self.whole is not None and any(file.sending for file in self.files)
            self.gauge.sample(self.whole.bytes_done if self.whole and sending else None, now)
            self.show(*self.files)

    def follow(self, name: str) -> FileProgress:
        """Return the progress callback of one file, which is shown from its first event on."""
        return FileProgress(self, name)

    def tell(self, progress: BulkProgress) -> None:
        self.whole = progress

    def show(self, *files: FileProgress) -> None:
        """Show what is new of these files, or of all."""
        if self.whole is not None:
            if self.clock() - self._said_at >= QUIET:
                self._said_at = self.clock()
                report(", ".join(self.describe_whole(self.whole)))
            return
        for file in files:
            event = file.event
            state = event.phase, event.attempt, event.bytes_done * 10 // event.bytes_total, bool(file.gauge.stall)
            if state != file.said:
                file.said = state
                report(f"{file.name}: {', '.join(file.describe())}")

    def describe_whole(self, whole: BulkProgress) -> list[str]:
        """Return the texts on all files: counts, rate or what is wrong, bytes, time left."""
        ended = whole.files_done + whole.files_skipped + whole.files_failed
        texts = [f"{ended:,}/{whole.files_found:,}{'' if whole.complete else '+'} files"]
        texts += [f"{whole.files_failed:,} failed"] if whole.files_failed else []
        amount = format_size(whole.bytes_done, whole.bytes_found)
        return texts + self.gauge.describe(amount, whole.bytes_found if whole.complete else None)
