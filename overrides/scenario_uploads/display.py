"""Progress of uploads on stderr: bars on a terminal or in a notebook, plain lines elsewhere and without rich.

Sizes are in KiB, MiB, GiB. A rate is that of the last seconds, and none is shown when no byte moves.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from typing import Any, Self

from attrs import define, field

from .progress import BulkProgress, UploadPhase, UploadProgress, format_duration, format_size
from .redaction import snippet

# Seconds: without progress until an upload counts as stalled; over which a rate is measured; between two lines about
# many files, without a terminal.
STALL, WINDOW, QUIET = 5.0, 10.0, 30.0
_MOST_FILES = 8
_STEP = 10
_NARROW = 60


def report(line: str) -> None:
    """Print a line on stderr. A missing or broken stderr is ignored."""
    if sys.stderr is None:
        # `print` would use stdout instead.
        return
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        silence(2)


def silence(descriptor: int) -> None:
    """Redirect stdout (1) or stderr (2) to the null device, so that flushing at exit does not fail."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, descriptor)
    os.close(null)


@define
class Gauge:
    """Bytes over time."""

    done: int = 0
    moved_at: float = 0.0
    _samples: deque[tuple[float, int]] = field(factory=deque)

    def move(self, done: int, now: float) -> None:
        """Record the number of bytes done."""
        if done != self.done or not self._samples:
            self.done, self.moved_at = done, now
        if not self._samples or now - self._samples[-1][0] >= WINDOW / 40:
            self._samples.append((now, done))
        while now - self._samples[0][0] > WINDOW and len(self._samples) > 1:
            self._samples.popleft()

    def find_stall(self, now: float) -> float | None:
        """Return the seconds without progress, or None while they are few."""
        idle = now - self.moved_at
        return idle if self._samples and idle >= STALL else None

    def find_rate(self, now: float) -> float | None:
        """Return bytes a second, or None when unknown."""
        if not self._samples or self.find_stall(now) is not None:
            return None
        since, before = self._samples[0]
        moved = self.done - before
        return moved / (now - since) if moved > 0 and now - since >= 1 else None

    def describe_rate(self, total: int, now: float, *, complete: bool = True) -> list[str]:
        """Return the rate and, when the total is complete, the time left; empty when unknown."""
        rate = self.find_rate(now)
        left = format_duration(max(total - self.done, 0) / rate) if rate else ""
        return [f"{format_size(rate)}/s", f"{left} left"][: 1 + complete] if rate else []


class FileProgress:
    """The progress of one file, called with its events."""

    def __init__(self, display: Display, name: str) -> None:
        self.name = snippet(name, 4096)
        self.gauge, self.retrying, self._display = Gauge(), False, display
        self.event: UploadProgress | None = None
        # What `Lines` has printed.
        self.percent, self.stalled = -_STEP, False

    @property
    def sending(self) -> UploadProgress | None:
        """The last event while bytes are sent, else None."""
        return self.event if self.event and self.event.phase is UploadPhase.TRANSFERRING else None

    def __call__(self, event: UploadProgress) -> None:
        """Show an event."""
        with self._display.lock:
            before, self.event = self.event, event
            if before and (event.attempt > before.attempt or event.bytes_done < before.bytes_done):
                self.retrying = True
            elif event.bytes_done > self.gauge.done or event.phase is not UploadPhase.TRANSFERRING:
                self.retrying = False
            self.gauge.move(event.bytes_done, self._display.clock())
            self._display.show_file(self, before)

    def end(self) -> None:
        """Remove the file from the display. Idempotent."""
        with self._display.lock, suppress(ValueError):
            self._display.files.remove(self)

    def find_trouble(self, now: float) -> str | None:
        """Return why nothing is being sent (retrying or stalled), or None."""
        if (event := self.sending) is None:
            return None
        if self.retrying:
            return f"retrying, try {event.attempt}" if event.attempt > 1 else "retrying"
        stall = self.gauge.find_stall(now)
        return None if stall is None else f"stalled for {format_duration(stall)}"

    def describe(self, now: float) -> list[str]:
        """Return the status texts: trouble, phase, or rate and time left."""
        if event := self.sending:
            trouble = self.find_trouble(now)
            return [trouble] if trouble else self.gauge.describe_rate(event.bytes_total, now)
        waiting = self.event and self.event.phase is UploadPhase.WAITING
        return ["waiting for the import" if waiting else str(self.event.phase)] if self.event else []


class Display:
    """What `Bars` and `Lines` share. A context manager, usable from any thread.

    Args:
        interval: Seconds between two calls of `look`; None for no calls.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, interval: float | None = None) -> None:
        self.clock, self.lock = clock, threading.RLock()
        self.files: list[FileProgress] = []
        self.whole: BulkProgress | None = None
        self.gauge = Gauge()
        self._interval, self._ended = interval, threading.Event()
        self._thread = threading.Thread(target=self._watch, name="scenario-uploads-display", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while self._interval and not self._ended.wait(self._interval):
            self.look()

    def look(self) -> None:
        """Update what depends on time alone."""

    def follow(self, name: str) -> FileProgress:
        """Return the progress callback of one file, which is shown from its first event on."""
        return FileProgress(self, name)

    def tell(self, progress: BulkProgress) -> None:
        """Update the progress of many files."""
        with self.lock:
            self.whole = progress
            self.gauge.move(progress.bytes_done, self.clock())

    def show_file(self, file: FileProgress, before: UploadProgress | None) -> None:
        """Show an event of a file."""
        if before is None:
            self.files.append(file)

    def describe_whole(self, now: float) -> list[str]:
        """Return the texts on all files: counts, bytes, rate and time left."""
        whole = self.whole
        if whole is None:
            return []
        ended = whole.files_done + whole.files_skipped + whole.files_failed
        texts = [f"{ended:,} of {whole.files_found:,}{'' if whole.complete else '+'} files"]
        sending = any(file.sending for file in self.files)
        stall = self.gauge.find_stall(now) if sending else None
        texts += [f"stalled for {format_duration(stall)}"] if stall is not None else []
        texts += [format_size(whole.bytes_done, whole.bytes_found)] if whole.bytes_found else []
        texts += self.gauge.describe_rate(whole.bytes_found, now, complete=whole.complete) if sending else []
        return [*texts, *([f"{whole.files_failed:,} failed"] if whole.files_failed else [])]


class Lines(Display):
    """One file: a line for every tenth of its bytes, every phase and every problem. Many files: a line now and then."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock, interval=1)
        self._said_at = clock()

    def show_file(self, file: FileProgress, before: UploadProgress | None) -> None:
        """Print an event of a file."""
        super().show_file(file, before)
        event = file.event
        if event is None or self.whole is not None:
            return
        if event.phase is not UploadPhase.TRANSFERRING:
            if before is None or event.phase is not before.phase:
                report(f"{file.name}: {event.phase}")
            return
        percent = event.bytes_done * 100 // event.bytes_total
        if percent >= file.percent + _STEP:
            file.percent = percent - percent % _STEP
            parts = f"{event.parts_done} of {event.parts_total} parts"
            report(f"{file.name}: {percent} % of {format_size(event.bytes_total)}, {parts}")
        if before and event.attempt > before.attempt:
            report(f"{file.name}: {file.find_trouble(self.clock())}")

    def look(self) -> None:
        """Print stalled files and, now and then, the total."""
        with self.lock:
            now = self.clock()
            for file in self.files if self.whole is None else ():
                trouble, before = file.find_trouble(now) or "", file.stalled
                file.stalled = trouble.startswith("stalled")
                if file.stalled and not before:
                    report(f"{file.name}: {trouble}")
            if self.whole is not None and now - self._said_at >= QUIET:
                self._said_at = now
                report(", ".join(self.describe_whole(now)))


class Bars(Display):
    """Bars by rich: one for the whole, and one for each file in flight; other output goes above them.

    Args:
        console: From `make_console`.
        interval: Seconds between two refreshes; None to draw only in `look`.
    """

    def __init__(
        self, console: Any, clock: Callable[[], float] = time.monotonic, *, interval: float | None = 0.25
    ) -> None:
        from rich.live import Live  # noqa: PLC0415 - an extra

        super().__init__(clock, interval=interval)
        self._console = console
        self._plain = not console.encoding.startswith("utf")
        self._live: Any = Live(
            get_renderable=self._render,
            console=console,
            transient=True,
            auto_refresh=False,
            # Output that goes to a file is not redirected to the terminal.
            redirect_stdout=sys.stdout is not None and sys.stdout.isatty(),
        )

    def __enter__(self) -> Self:
        with self._console:
            self._live.start()
        return super().__enter__()

    def __exit__(self, *error: object) -> None:
        super().__exit__()
        with self._console:
            self._live.stop()

    def look(self) -> None:
        """Draw the bars now."""
        with self._console:
            self._live.refresh()

    def _render(self) -> Any:
        from rich.text import Text  # noqa: PLC0415

        return Text("\n".join(self.list_lines(self._console.width, self._console.height)), no_wrap=True)

    def list_lines(self, width: int, height: int) -> list[str]:
        """Return the lines to show, each within the width."""
        with self.lock:
            now = self.clock()
            lines = [self._fit_whole(self.describe_whole(now), width)] if self.whole is not None else []
            most = max(1, min(_MOST_FILES, height - 3))
            for file in self.files[:most]:
                texts, share, troubled = file.describe(now), None, file.find_trouble(now) is not None
                if event := file.sending:
                    done, total = event.bytes_done, event.bytes_total
                    texts.insert(0, f"{done * 100 // total} %" if self.whole else format_size(done, total))
                    share = done / total
                lines.append(self._fit(file.name, texts, width, share, troubled=troubled))
            lines += [f"… and {len(self.files) - most} more"] if len(self.files) > most else []
            return [_shorten(line, width - 1) for line in lines]

    def _fit_whole(self, texts: list[str], width: int) -> str:
        texts, separator = _abbreviate(texts, width), " " if width < _NARROW else "  "
        while len(texts) > 1 and len(separator.join(texts)) >= width:
            texts.pop()
        return separator.join(texts)

    def _fit(self, name: str, texts: list[str], width: int, share: float | None, *, troubled: bool) -> str:
        from rich.cells import cell_len  # noqa: PLC0415

        room, texts = width - 1, _abbreviate(texts, width)
        # When space is short, problems come before amounts, and amounts before rates.
        while len(texts) > 1 and room - sum(len(text) + 2 for text in texts) < min(cell_len(name), width // 3):
            texts.pop(0 if troubled else -1)
        tail = "".join(f"  {text}" for text in texts)
        name, bar = _shorten(name, max(room - len(tail), 8)), ""
        space = min(room - cell_len(name) - len(tail) - 2, 30)
        if share is not None and space >= 8:
            done, rest = ("#", "-") if self._plain else ("━", "┄")
            filled = int(share * space)
            bar = "  " + done * filled + rest * (space - filled)
        return f"{name}{bar}{tail}"


def _abbreviate(texts: list[str], width: int) -> list[str]:
    return [text.replace(" of ", "/").removesuffix(" left") for text in texts] if width < _NARROW else texts


def _shorten(name: str, width: int) -> str:
    """Shorten a name to `width` columns by cutting its middle."""
    from rich.cells import cell_len, set_cell_size  # noqa: PLC0415

    if cell_len(name) <= width:
        return name
    # A wide character cut in half becomes a blank.
    head = set_cell_size(name, max((width - 1) // 2, 1)).rstrip()
    return f"{head}…{set_cell_size(name[::-1], width - 1 - cell_len(head)).rstrip()[::-1]}"


def make_console(**settings: Any) -> Any:
    """Return a rich console to which one thread prints at a time.

    Otherwise output would be mixed with the bars that another thread draws.
    """
    from rich.console import Console  # noqa: PLC0415 - an extra

    class OneAtATime(Console):
        turn = threading.RLock()

        def __enter__(self) -> Self:
            self.turn.acquire()
            super().__enter__()
            return self

        def __exit__(self, *error: object) -> None:
            try:
                super().__exit__(*error)
            finally:
                self.turn.release()

    return OneAtATime(soft_wrap=True, **settings)


def open_display() -> Display:
    """Return bars on a terminal or in a notebook, else lines; also with `TERM=dumb` and `NO_COLOR`."""
    if sys.stderr is None:
        return Display()
    try:
        console = make_console(stderr=True)
    except ImportError:
        return Lines()
    terminal = sys.stderr.isatty() and not console.is_dumb_terminal and not os.environ.get("NO_COLOR")
    # In a notebook, rich uses widgets.
    notebook = console.is_jupyter and find_spec("ipywidgets") is not None
    return Bars(console) if terminal or notebook else Lines()
