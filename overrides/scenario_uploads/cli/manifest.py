"""`--manifest`: the files to upload and their settings, one per CSV row or JSON line. Read row by row."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scenario_uploads.bulk.options import UploadSource
from scenario_uploads.errors import InvalidArgumentError
from scenario_uploads.models import UploadKind
from scenario_uploads.remote import is_url
from scenario_uploads.upload.media_types import infer_media
from scenario_uploads.upload.options import check_file_name

from .options import UsageError, suggest

_OPTIONS = ("collection_ids", "parent_id", "hide")
COLUMNS = ("file", "kind", "file_name", "content_type", *_OPTIONS)
_KINDS = tuple(str(kind) for kind in UploadKind)
_SWITCHES = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def read_manifest(path: Path) -> Iterator[UploadSource]:
    """Yield the source of each row; paths are relative to the folder of the manifest.

    Raises:
        UsageError: When it cannot be read, or a row cannot be used; names the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = _read_csv(file, path) if path.suffix.lower() == ".csv" else _read_json(file, path)
            for line, row in rows:
                try:
                    yield _read_row(row, path.parent)
                except InvalidArgumentError as error:
                    raise UsageError(f"{path}, line {line}: {error.message}") from None
    except OSError as error:
        raise UsageError(f"The manifest {path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"The manifest {path} is not in UTF-8; save it as UTF-8.") from error


def check_manifest(path: Path) -> None:
    """Check all rows before the first request, where the manifest can be read twice."""
    if path.suffix.lower() not in (".csv", ".jsonl", ".ndjson"):
        raise UsageError(f"The name of the manifest {path} must end in .csv or .jsonl.")
    if path.is_file() or not path.exists():
        for _ in read_manifest(path):
            pass


def _read_csv(file: Any, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    header = file.readline()
    # The delimiter that spreadsheets write depends on the locale.
    delimiter = next((mark for mark in ",;\t" if mark in header), ",")
    columns = [name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])]
    try:
        _check_names(columns, COLUMNS)
        if "file" not in columns:
            raise UsageError("there is no column 'file'; the first line names the columns.")
    except UsageError as error:
        raise UsageError(f"{path}, line 1: {error.message}") from None
    reader = csv.DictReader(file, columns, delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if None in row:
                raise csv.Error("it has more fields than there are columns")
            yield reader.line_num + 1, {name: value.strip() for name, value in row.items() if value and value.strip()}
    except csv.Error as error:
        raise UsageError(f"{path}, line {reader.reader.line_num + 1}: {error}.") from None


def _read_json(file: Any, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{path}, line {number}: it is not JSON: {error}.") from None
        if not isinstance(row, dict):
            raise UsageError(f'{path}, line {number}: it must be an object such as {{"file": "a.png"}}.')
        yield number, {name: value for name, value in row.items() if value is not None}


def _check_names(names: list[str], known: tuple[str, ...]) -> None:
    for name in names:
        if name not in known:
            hint = suggest(name, known) or f"; there are {', '.join(known)}."
            raise UsageError(f"unknown column {name!r}{hint}")
        if names.count(name) > 1:
            raise UsageError(f"the column {name!r} appears twice.")


def _read_row(row: Mapping[str, Any], folder: Path) -> UploadSource:
    _check_names([*row], (*COLUMNS, "asset_options"))
    texts = {name: row.get(name) for name in ("file", "kind", "file_name", "content_type", "parent_id")}
    for name, value in texts.items():
        if (value is not None or name == "file") and not (isinstance(value, str) and value.strip()):
            raise UsageError(f"{name} must be a text, not {value!r}.")
    kind, file = texts["kind"], str(texts["file"])
    if kind is not None and kind not in _KINDS:
        raise UsageError(f"kind must be one of {', '.join(_KINDS)}, not {kind!r}.")
    if texts["file_name"] is not None:
        check_file_name(texts["file_name"])
    if texts["content_type"] is not None:
        infer_media("a.png", content_type=texts["content_type"], kind="image")
    options = _read_options(row)
    return UploadSource(
        file if is_url(file) else str(folder / file),
        kind=kind,
        file_name=texts["file_name"],
        content_type=texts["content_type"],
        asset_options=options or None,
    )


def _read_options(row: Mapping[str, Any]) -> dict[str, Any]:
    options = row.get("asset_options", {})
    if not isinstance(options, dict):
        raise UsageError(f"asset_options must be an object, not {options!r}.")
    _check_names([*options], _OPTIONS)
    options = options | {name: row[name] for name in _OPTIONS if name in row}
    if isinstance(ids := options.get("collection_ids"), str):
        options["collection_ids"] = ids = [one for one in re.split(r"[\s;,]+", ids) if one]
    if ids is not None and not (isinstance(ids, list) and all(isinstance(one, str) for one in ids)):
        raise UsageError(f"collection_ids must be the ids of collections, not {ids!r}.")
    hide = options.get("hide", False)
    options |= {"hide": _SWITCHES.get(str(hide).lower())} if "hide" in options else {}
    if options.get("hide", False) is None:
        raise UsageError(f"hide must be true or false, not {hide!r}.")
    return options
