"""How far the whole is: what `on_progress` of `upload_many` is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from attrs import evolve

from scenario_uploads.display import FileProgress
from scenario_uploads.progress import BulkProgress, UploadProgress


class Counter:
    """Adds up what happens to the files, from any thread, and tells callbacks of it, one at a time."""

    def __init__(self, *told: Callable[[BulkProgress], object] | None) -> None:
        self.progress = BulkProgress()
        self._told = [one for one in told if one]
        self._lock = threading.Lock()

    def add(self, *, complete: bool = False, **more: int) -> None:
        """Count so many more of these, and whether there are no more files to come."""
        if not self._told or not (complete or any(more.values())):
            return
        with self._lock:
            changes: dict[str, Any] = {name: getattr(self.progress, name) + count for name, count in more.items()}
            self.progress = evolve(self.progress, complete=complete or self.progress.complete, **changes)
            for one in self._told:
                one(self.progress)

    def follow(self, shown: FileProgress | None) -> Callable[[UploadProgress], object] | None:
        """Return what follows one file, which may be shown by itself too; None when nobody wants to know."""
        if not self._told:
            return None
        before = 0

        def on_progress(event: UploadProgress) -> None:
            nonlocal before
            moved, before = event.bytes_done - before, event.bytes_done
            self.add(bytes_done=moved)
            if shown is not None:
                shown(event)

        return on_progress
