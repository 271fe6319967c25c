"""`upload` of several files: a line for each as it finishes, and a summary."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import typer

from scenario_uploads.bulk.options import UploadResult
from scenario_uploads.client.sync_client import Scenario
from scenario_uploads.redaction import snippet

from .terminal import report

SOME_FAILED = 8

_MAGIC = re.compile(r"[*?[]")


def find_single(paths: list[str], **many: object) -> Path | None:
    """Return the one file that is meant, or None when there are, or may be, several.

    Raises:
        typer.BadParameter: When it is missing, or a folder.
    """
    path = Path(paths[0])
    exists = path.exists()
    if len(paths) == 1 and not exists and "://" in paths[0]:
        raise typer.BadParameter(f"{paths[0]!r} is a URL; save it to a file first.", param_hint="FILE")
    if len(paths) > 1 or any(many.values()) or (not exists and _MAGIC.search(paths[0])):
        return None
    if not exists:
        raise typer.BadParameter(f"File {paths[0]!r} does not exist.", param_hint="FILE")
    if path.is_dir():
        raise typer.BadParameter(
            f"File {paths[0]!r} is a directory; give -r to upload what is in it.", param_hint="FILE"
        )
    return path


def upload_many(client: Scenario, paths: list[str], *, as_json: bool, **options: Any) -> int:
    """Upload, tell what became of each file and of all, and return the exit code."""
    told: Counter[str] = Counter()
    for result in client.uploads.upload_many(paths, progress=not as_json, **options):
        told["failed" if result.error else "skipped" if result.skipped else "uploaded"] += 1
        if as_json:
            print(json.dumps(_to_json(result)), flush=True)
        elif result.error:
            report(f"error: {_name(result)}: {snippet(result.error.message, 1000)}")
        elif result.skipped in (None, "done"):
            became = result.entity_id or (result.upload.id if result.upload else "")
            print(f"{_name(result)}: {snippet(became)}{' (done before)' if result.skipped else ''}", flush=True)
    if not as_json:
        report(", ".join(f"{told[what]:,} {what}" for what in ("uploaded", "skipped", "failed")))
    return SOME_FAILED if told["failed"] else 0


def _name(result: UploadResult) -> str:
    return snippet(str(result.source), 4096)


def _to_json(result: UploadResult) -> dict[str, Any]:
    error, upload = result.error, result.upload
    values = {
        "source": os.fspath(result.source) if isinstance(result.source, str | os.PathLike) else str(result.source),
        "upload": {"id": upload.id, "status": str(upload.status)} if upload else None,
        "entityId": result.entity_id,
        "skipped": result.skipped,
        "error": snippet(error.message, 1000) if error else None,
        "code": type(error).__name__ if error else None,
        "upload_id": error.upload_id if error else upload.id if upload else None,
    }
    return {name: value for name, value in values.items() if value is not None}
