"""Terminal output: results on stdout; progress on stderr, as a bar on a terminal and as lines elsewhere."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from scenario_uploads.models import Upload
from scenario_uploads.progress import OnProgress, UploadPhase, UploadProgress
from scenario_uploads.redaction import SecretURL, mask_known, redact, snippet
from scenario_uploads.upload.ledger import Entry

MIB = 1024 * 1024
STEP = 10


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


@contextmanager
def show_progress(name: str, *, quiet: bool) -> Iterator[OnProgress | None]:
    """Yield the progress callback for `upload_file`."""
    # Escape sequences in it would reach the terminal.
    name = snippet(name)
    # A daemon may have no stderr.
    if quiet or sys.stderr is None:
        yield None
    elif sys.stderr.isatty():
        with _bar(name) as on_progress:
            yield on_progress
    else:
        yield _Lines(name)


class _Lines:
    """One line for every tenth of the bytes, and one for every phase."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._phase: UploadPhase | None = None
        self._percent = -STEP

    def __call__(self, event: UploadProgress) -> None:
        if event.phase is not self._phase:
            self._phase = event.phase
            if event.phase is not UploadPhase.TRANSFERRING:
                self._say(event.phase.value)
        percent = event.bytes_done * 100 // event.bytes_total
        if event.phase is UploadPhase.TRANSFERRING and percent >= self._percent + STEP:
            self._percent = percent - percent % STEP
            total = event.bytes_total / MIB
            self._say(f"{percent} % of {total:.1f} MiB, {event.parts_done} of {event.parts_total} parts")

    def _say(self, what: str) -> None:
        report(f"{self._name}: {what}")


@contextmanager
def _bar(name: str) -> Iterator[OnProgress]:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name, total=None)

        def on_progress(event: UploadProgress) -> None:
            phase = "" if event.phase is UploadPhase.TRANSFERRING else f": {event.phase}"
            progress.update(task, completed=event.bytes_done, total=event.bytes_total, description=f"{name}{phase}")

        yield on_progress


def print_upload(upload: Upload, *, as_json: bool) -> None:
    """Print an upload on stdout."""
    if as_json:
        shown = upload.to_dict(exclude_none=True)
        # A part's URL allows writing to storage, and output ends up in logs.
        shown.pop("parts", None)
        print(json.dumps(_hide(shown)))
        return
    print(f"upload: {snippet(str(upload.id))}")
    print(f"status: {snippet(str(upload.status))}")
    if upload.entity_id:
        print(f"entityId: {snippet(str(upload.entity_id))}")
    if upload.error_message:
        print(f"error: {snippet(str(upload.error_message))}")


def print_entries(entries: list[Entry], *, as_json: bool) -> None:
    """Print the resumable uploads on stdout."""
    if as_json:
        uploads = [
            {
                "id": entry.upload_id,
                "file": entry.file,
                "size": entry.state.size,
                "parts": len(entry.parts),
                "partsDone": len(entry.done),
            }
            for entry in entries
        ]
        print(json.dumps({"uploads": uploads}))
        return
    for entry in entries:
        done, parts, upload = len(entry.done), len(entry.parts), snippet(entry.upload_id)
        print(f"{snippet(entry.file, 4096)}: {done} of {parts} parts sent (upload {upload})")


def _hide(value: Any) -> Any:
    if isinstance(value, SecretURL):
        return mask_known(redact(value))
    if isinstance(value, str):
        return mask_known(value)
    if isinstance(value, dict):
        return {mask_known(redact(key)): _hide(item) for key, item in value.items()}
    return [_hide(item) for item in value] if isinstance(value, list) else value
