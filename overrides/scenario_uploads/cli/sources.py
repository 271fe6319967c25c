"""What to upload: a single file, stdin, or the rows of a manifest (one per CSV row or JSON line, read row by row)."""

from __future__ import annotations

import csv
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from fileinput import FileInput
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, BinaryIO

from scenario_uploads.arguments import GIB, MIB
from scenario_uploads.bulk.options import UploadSource
from scenario_uploads.redaction import explain
from scenario_uploads.remote import is_url, split_pattern
from scenario_uploads.upload.media_types import infer_media
from scenario_uploads.upload.options import FileOptions
from scenario_uploads.upload.prepare import check_all_options

from .options import ASSET_COLUMNS, MANIFEST_COLUMNS, Options, UsageError

_SWITCHES = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_REMEDIES: Mapping[type, str] = {
    UnicodeDecodeError: "; save it as UTF-8, which spreadsheets call CSV UTF-8",
    csv.Error: "; check the quotes",
    json.JSONDecodeError: '; a manifest that is no .csv has an object such as {"file": "a.png"} on each line',
}
STDIN = "-"


def find_single(paths: list[str], options: Options) -> str | None:
    """Return the single file, or None when there are, or may be, several."""
    if STDIN in paths and (len(paths) > 1 or options.manifest):
        raise UsageError("- stands for stdin, which is a single file; give it alone.")
    if len(paths) != 1 or options.manifest:
        return None
    path = paths[0]
    if path == STDIN:
        _check_stdin(options)
        return path
    # `isdir` and `exists` return False for an invalid path.
    folder, exists = os.path.isdir(path), os.path.exists(path)  # noqa: PTH110, PTH112
    if folder and not options.recursive:
        raise UsageError(f"{path!r} is a folder; give -r to upload what is in it.")
    if folder or (is_url(path) and options.recursive) or (split_pattern(path) and not exists):
        return None
    if not exists and not is_url(path):
        raise UsageError(f"{path!r} does not exist.")
    return path


def _check_stdin(options: Options) -> None:
    if options.dry_run or options.resume or options.include or options.exclude or options.ledger or options.dask:
        others = "--include, --exclude, --ledger and --dask"
        raise UsageError(f"stdin can be read only once, and has no path; leave out --dry-run and --resume, {others}.")
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("stdin is no file; pipe one into this command, as in: make-dragon | scenario-uploads upload -")
    if options.file_name is None and options.kind is None:
        raise UsageError("Give --file-name, such as dragon.glb, or --kind: stdin has no name.")
    infer_media(options.file_name or "stdin", content_type=options.content_type, kind=options.kind)


@contextmanager
def open_file(file: str, max_size: int | None) -> Iterator[str | BinaryIO]:
    """Yield the file to send; a pipe becomes a temporary file, since its length is needed."""
    stdin = sys.stdin.buffer if file == STDIN else None
    if stdin is None or (max_size is None and stdin.seekable()):
        yield stdin or file
        return
    left = 10 * GIB if max_size is None else max_size
    with tempfile.TemporaryFile() as kept:
        try:
            while chunk := stdin.read(MIB):
                left -= kept.write(chunk)
                if left < 0:
                    raise UsageError("stdin has more bytes than --max-size allows; give a larger one.")
            kept.seek(0)
        except OSError as error:
            raise UsageError(f"stdin cannot be kept in {tempfile.gettempdir()}: {error.strerror}.") from error
        yield kept


def read_manifest(path: Path, asset_options: Mapping[str, Any] | None) -> Iterator[UploadSource]:
    """Yield each row's source, by default with these asset options; paths are relative to the manifest's folder."""
    if not path.is_file():
        fault = "must be a regular file, since it is read twice" if path.exists() else "does not exist"
        raise UsageError(f"The manifest {path} {fault}.")
    begin = 1
    with FileInput(path.absolute(), encoding="utf-8-sig", errors="surrogateescape") as file:
        # Decode line by line: otherwise an error would be one of the chunk that happens to be read.
        lines = (line.encode(errors="surrogateescape").decode() for line in file)
        # None for a blank line.
        values = ((json.loads(line.strip()) or 0) if line.strip() else None for line in lines)
        try:
            for row in _read_csv(lines) if path.suffix.lower() == ".csv" else values:
                if row is not None:
                    yield _read_row(row, path.parent, asset_options or {})
                begin = file.lineno() + 1
        except (csv.Error, OSError, RecursionError, ValueError) as error:
            # A line of JSON is line 1 to its parser.
            reason = explain(error).replace(": line 1 column", " at column") + _REMEDIES.get(type(error), "")
            raise UsageError(f"{path}, line {begin}: {reason}.") from None


def _read_csv(lines: Iterator[str]) -> Iterator[dict[str, str] | None]:
    """Yield each row, and None for the header and for rows without a value."""
    header = next(lines, "")
    # The delimiter that spreadsheets write depends on the locale.
    delimiter = next((mark for mark in ",;\t" if mark in header), ",")
    rows = csv.reader(chain([header], lines), delimiter=delimiter, skipinitialspace=True, strict=True)
    names = next(rows, [])
    _check_columns(filter(None, names), MANIFEST_COLUMNS)
    if "file" not in names:
        raise UsageError(f"the header has no column 'file'; it may have {', '.join(MANIFEST_COLUMNS)}")
    yield None
    for row in rows:
        # Spreadsheets write empty cells after the last one.
        yield {name: cell for name, cell in zip_longest(names, row, fillvalue="") if cell} or None


def _check_columns(names: Iterable[str], known: tuple[str, ...]) -> None:
    for name in names:
        if name not in known:
            raise UsageError(f"unknown column {name or '(no name)'!r}; there are {', '.join(known)}")


def _read_row(row: Any, folder: Path, asset_options: Mapping[str, Any]) -> UploadSource:
    if not isinstance(row, dict) or not isinstance(row.get("asset_options") or {}, dict):
        raise UsageError('it must be an object such as {"file": "a.png", "asset_options": {}}')
    given = {name: value for name, value in row.items() if value not in (None, "")}
    _check_columns(given, (*MANIFEST_COLUMNS, "asset_options"))
    own = given.pop("asset_options", {}) | {name: given.pop(name) for name in ASSET_COLUMNS if name in given}
    if isinstance(own.get("collection_ids"), str):
        own["collection_ids"] = re.findall(r"[^\s;,]+", own["collection_ids"])
    if isinstance(own.get("hide"), str):
        own["hide"] = _SWITCHES.get(own["hide"].lower(), own["hide"])
    file, options = given.pop("file", None), {**asset_options, **own} if own else None
    if not isinstance(file, str):
        raise UsageError(f"file must be a text, not {file!r}")
    check_all_options(FileOptions(**given, asset_options=options))
    return UploadSource(file if is_url(file) else str(folder / file), **given, asset_options=options)
