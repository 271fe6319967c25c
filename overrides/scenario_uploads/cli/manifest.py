"""`--manifest`: the files to upload and their settings, one per CSV row or JSON line. Read row by row."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from fileinput import FileInput
from itertools import chain
from pathlib import Path
from typing import Any

from scenario_uploads.bulk.options import UploadSource
from scenario_uploads.remote import is_url
from scenario_uploads.upload.options import FileOptions
from scenario_uploads.upload.prepare import check_all_options

from .options import UsageError

_ASSET = ("collection_ids", "parent_id", "hide")
_COLUMNS = ("file", "kind", "file_name", "content_type", *_ASSET)
_SWITCHES = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def read_manifest(path: Path, asset_options: Mapping[str, Any] | None) -> Iterator[UploadSource]:
    """Yield the source of each row, with the given asset options unless it has its own.

    Paths are relative to the folder of the manifest. A UsageError names the line that cannot be used.
    """
    try:
        with FileInput(path, encoding="utf-8-sig") as file:
            try:
                lines = (json.loads(line) for line in file if line.strip())
                for row in _read_csv(file) if path.suffix.lower() == ".csv" else lines:
                    yield _read_row(row, path.parent, asset_options or {})
            except (csv.Error, RecursionError, ValueError) as error:
                raise UsageError(f"{path}, line {file.lineno()}: {str(error).rstrip('.')}.") from None
    except OSError as error:
        raise UsageError(f"The manifest {path} cannot be read: {error.strerror or error}.") from error


def check_manifest(path: Path) -> None:
    """Check all rows before the first request, where the manifest can be read twice."""
    if path.suffix.lower() not in (".csv", ".jsonl", ".ndjson"):
        raise UsageError(f"The name of the manifest {path} must end in .csv or .jsonl.")
    if path.is_file() or not path.exists():
        for _ in read_manifest(path, None):
            pass


def _read_csv(file: FileInput[str]) -> Iterable[object]:
    header = file.readline()
    # The delimiter that spreadsheets write depends on the locale.
    delimiter = next((mark for mark in ",;\t" if mark in header), ",")
    rows = csv.DictReader(
        chain([header], file), restkey="(no name)", delimiter=delimiter, skipinitialspace=True, strict=True
    )
    _check_columns(rows.fieldnames or (), _COLUMNS)
    return rows


def _check_columns(names: Iterable[str], known: tuple[str, ...]) -> None:
    for name in names:
        if name not in known:
            raise UsageError(f"unknown column {name!r}; there are {', '.join(known)}")


def _read_row(row: Any, folder: Path, asset_options: Mapping[str, Any]) -> UploadSource:
    if not isinstance(row, dict) or not isinstance(row.get("asset_options") or {}, dict):
        raise UsageError('it must be an object such as {"file": "a.png", "asset_options": {}}')
    given = {name: value for name, value in row.items() if value not in (None, "")}
    _check_columns(given, (*_COLUMNS, "asset_options"))
    own = given.pop("asset_options", {}) | {name: given.pop(name) for name in _ASSET if name in given}
    if isinstance(own.get("collection_ids"), str):
        own["collection_ids"] = re.findall(r"[^\s;,]+", own["collection_ids"])
    if isinstance(own.get("hide"), str):
        own["hide"] = _SWITCHES.get(own["hide"].lower(), own["hide"])
    file, options = given.pop("file", None), {**asset_options, **own} if own else None
    if not isinstance(file, str):
        raise UsageError(f"file must be a text, not {file!r}")
    check_all_options(FileOptions(**given, asset_options=options))
    return UploadSource(file if is_url(file) else str(folder / file), **given, asset_options=options)
