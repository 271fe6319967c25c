"""How far the whole is: what `on_progress` of `upload_many` is told, and a bar of it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from attrs import evolve, frozen

from scenario_uploads.errors import InvalidArgumentError
from scenario_uploads.progress import UploadProgress


@frozen
class BulkProgress:
    """Where `upload_many` stands, as `on_progress` gets it.

    Attributes:
        files_found: Files that were come across so far, skipped ones too.
        files_done: Files that were uploaded.
        files_skipped: Files that were not sent: done before, excluded, hidden, links.
        files_failed: Files with an error.
        bytes_found: Bytes of the files to be sent that were come across so far.
        bytes_done: Bytes sent so far. It falls only when a part is sent again.
        complete: Whether all sources were gone through, so that `files_found` is all there are.
    """

    __module__ = "scenario_uploads"

    files_found: int = 0
    files_done: int = 0
    files_skipped: int = 0
    files_failed: int = 0
    bytes_found: int = 0
    bytes_done: int = 0
    complete: bool = False


class Counter:
    """Adds up what happens to the files, from any thread, and reports it to one callback at a time."""

    def __init__(self, on_progress: Callable[[BulkProgress], object] | None) -> None:
        self.progress = BulkProgress()
        self._on_progress = on_progress
        self._lock = threading.Lock()

    def add(self, **more: int) -> None:
        """Count so many more of these."""
        if self._on_progress is None or not any(more.values()):
            return
        with self._lock:
            changes: dict[str, Any] = {name: getattr(self.progress, name) + count for name, count in more.items()}
            self.progress = evolve(self.progress, **changes)
            self._on_progress(self.progress)

    def end(self) -> None:
        """Note that there are no more files to come."""
        if self._on_progress is not None:
            with self._lock:
                self.progress = evolve(self.progress, complete=True)
                self._on_progress(self.progress)

    def follow(self) -> Callable[[UploadProgress], object] | None:
        """Return what follows one file, or None when nobody wants to know."""
        if self._on_progress is None:
            return None
        before = 0

        def on_progress(event: UploadProgress) -> None:
            nonlocal before
            moved, before = event.bytes_done - before, event.bytes_done
            self.add(bytes_done=moved)

        return on_progress


@contextmanager
def show_bar() -> Iterator[Callable[[BulkProgress], object]]:
    """Give a callback that shows a bar on stderr, on a terminal or in a notebook.

    Raises:
        InvalidArgumentError: When the package that draws it is not installed.
    """
    try:
        from rich.console import Console  # noqa: PLC0415 - only who wants a bar needs it
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn  # noqa: PLC0415
    except ImportError as error:
        raise InvalidArgumentError(
            "progress=True needs rich: install scenario-uploads[cli], or give on_progress= instead."
        ) from error
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(binary_units=True), TransferSpeedColumn())
    console = Console(stderr=True)
    shown = console.is_terminal or console.is_jupyter
    # What goes to a file is not taken to the terminal; what goes there is written above the bar.
    above = sys.stdout is not None and sys.stdout.isatty()
    with Progress(*columns, console=console, transient=True, disable=not shown, redirect_stdout=above) as bar:
        task = bar.add_task("looking for files", total=None)

        def on_progress(event: BulkProgress) -> None:
            ended = event.files_done + event.files_skipped + event.files_failed
            text = f"{ended:,} of {event.files_found:,}{'' if event.complete else '+'} files"
            text += f", {event.files_failed:,} failed" if event.files_failed else ""
            bar.update(task, completed=event.bytes_done, total=event.bytes_found or None, description=text)

        yield on_progress
