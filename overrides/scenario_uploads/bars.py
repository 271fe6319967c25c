"""Bars by rich: a line for the whole, and one for each file in flight; other output goes above them."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Self

from rich.cells import cell_len, set_cell_size
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

from .lines import FileProgress, Lines

# Narrower terminals have no bars, but names and figures.
_NARROW = 60


class Screen(Console):
    """A console to which one thread prints at a time, or output would mix with the bars that another one draws."""

    _turn = threading.RLock()

    def __enter__(self) -> Self:
        self._turn.acquire()
        super().__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        try:
            super().__exit__(None, None, None)
        finally:
            self._turn.release()


class Bars(Lines):
    """The bars, drawn in `look`."""

    def __init__(self, screen: Screen, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self._screen = screen
        self._live = Live(
            get_renderable=self._render,
            console=screen,
            transient=True,
            auto_refresh=False,
            # Output that goes to a file is not redirected to the terminal.
            redirect_stdout=sys.stdout is not None and sys.stdout.isatty(),
        )

    def __enter__(self) -> Self:
        with self._screen:
            self._live.start()
        return super().__enter__()

    def __exit__(self, *error: object) -> None:
        super().__exit__()
        with self._screen:
            self._live.stop()

    def look(self) -> None:
        super().look()
        with self._screen:
            self._live.refresh()

    def show(self, *files: FileProgress) -> None:
        """Wait for the next look."""

    def _render(self) -> Group:
        width, most = self._screen.width, max(1, self._screen.height - 3)
        names = width * 3 // 10
        rows = Table.grid(Column(no_wrap=True), Column(max_width=30), Column(no_wrap=True), padding=(0, 2, 0, 0))
        with self.lock:
            for file in self.files[:most]:
                shown = file.sending and width >= _NARROW
                bar = ProgressBar(file.event.bytes_total, file.event.bytes_done) if shown else ""
                rows.add_row(_shorten(file.name, names), bar, _fit(file.describe(), width - names - 4))
            return Group(_fit(self.describe_whole(self.whole), width), rows) if self.whole else Group(rows)


def _fit(texts: list[str], width: int) -> Text:
    """Return as many of the texts as the width has room for, at least the first."""
    while len(texts) > 1 and len("  ".join(texts)) > width:
        texts = texts[:-1]
    return Text("  ".join(texts), no_wrap=True, overflow="ellipsis")


def _shorten(name: str, width: int) -> Text:
    half = (width - 1) // 2
    if cell_len(name) > width:
        # A wide character cut in half becomes a blank.
        name = f"{set_cell_size(name, half).rstrip()}…{set_cell_size(name[::-1], half).rstrip()[::-1]}"
    return Text(name, no_wrap=True)
