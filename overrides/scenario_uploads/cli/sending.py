"""Running uploads: one file, several with a line each and a summary, a plan, or resumed ones."""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from scenario_uploads.arguments import omit
from scenario_uploads.bulk.listing import MAGIC
from scenario_uploads.bulk.options import BulkOptions, UploadResult, UploadSource
from scenario_uploads.bulk.plan import plan_many
from scenario_uploads.client.sync_client import Scenario
from scenario_uploads.display import report
from scenario_uploads.errors import LedgerLockedError, ScenarioError, TransferError
from scenario_uploads.progress import format_size
from scenario_uploads.redaction import redact, snippet
from scenario_uploads.remote import is_url, split_pattern
from scenario_uploads.settings.client import ClientOptions
from scenario_uploads.upload.ledger import Entry, is_locked, list_entries, name_ledger
from scenario_uploads.upload.media_types import infer_media
from scenario_uploads.upload.prepare import make_key

from .options import UploadStoppedError, UsageError
from .terminal import GOES_ON, describe_result, name_source, print_json, show_name, speak

SOME_FAILED = 8
STDIN = "-"
# Default limit for stdin, in bytes.
MAX_STDIN = 10 * 1024**3
_TOO_LARGE = "stdin has more bytes than --max-size allows; give a larger one."
_CHUNK_SIZE = 1024 * 1024


def find_single(paths: list[str], *many: object) -> str | None:
    """Return the single file, or None when there are, or may be, several."""
    if STDIN in paths and (len(paths) != 1 or any(many)):
        raise UsageError("- stands for stdin, which is a single file; give it alone.")
    if len(paths) != 1 or any(many):
        return None
    path = paths[0]
    if path == STDIN or is_url(path):
        return None if split_pattern(path) else path
    # `exists` returns False for an invalid path.
    if not os.path.exists(path):  # noqa: PTH110
        if MAGIC.search(path):
            return None
        raise UsageError(f"File {path!r} does not exist.")
    if os.path.isdir(path):  # noqa: PTH112
        raise UsageError(f"File {path!r} is a directory; give -r to upload what is in it.")
    return path


def is_one(paths: list[str], manifest: Path | None, *, recursive: bool) -> bool:
    """Return whether the sources are a single file, even with options for many."""
    if len(paths) != 1 or manifest or os.path.isdir(paths[0]):  # noqa: PTH112
        return False
    if is_url(paths[0]):
        return not recursive and not split_pattern(paths[0])
    return os.path.exists(paths[0]) or not MAGIC.search(paths[0])  # noqa: PTH110


@contextmanager
def naming(source: str | None, *, goes_on: bool = False) -> Iterator[None]:
    """Add to an error its file, and whether the same command resumes it."""
    try:
        yield
    except (ScenarioError, KeyboardInterrupt) as error:
        raise UploadStoppedError(error, source, goes_on) from error


def check_stdin(
    *, file_name: str | None, content_type: str | None, kind: str | None, resume: bool | None, dry_run: bool
) -> None:
    """Check the options for stdin before reading it."""
    if dry_run or resume:
        raise UsageError(f"{'--dry-run' if dry_run else '--resume'} is for what can be read again, and stdin cannot.")
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("stdin is no file; lead one into this command, as in: make-dragon | scenario-uploads upload -")
    if file_name is None and kind is None:
        raise UsageError("Give --file-name, such as dragon.glb, or --kind: stdin has no name.")
    infer_media(file_name or "stdin", content_type=content_type, kind=kind)


@contextmanager
def open_file(file: str, max_size: int | None) -> Iterator[str | BinaryIO]:
    """Yield the file to send; a pipe becomes a temporary file, since its length is needed."""
    if file != STDIN:
        yield file
    elif (stdin := sys.stdin.buffer).seekable():
        start = stdin.tell()
        size = stdin.seek(0, os.SEEK_END) - start
        stdin.seek(start)
        if max_size is not None and size > max_size:
            raise UsageError(_TOO_LARGE)
        yield stdin
    else:
        with tempfile.TemporaryFile() as kept:
            _keep_stdin(kept, MAX_STDIN if max_size is None else max_size)
            yield cast("BinaryIO", kept)


def _keep_stdin(kept: IO[bytes], left: int) -> None:
    try:
        while chunk := sys.stdin.buffer.read(_CHUNK_SIZE):
            left -= kept.write(chunk)
            if left < 0:
                raise UsageError(_TOO_LARGE)
        kept.seek(0)
    except OSError as error:
        where = tempfile.gettempdir()
        raise UsageError(f"stdin cannot be kept in {where} (TMPDIR names another place): {error.strerror}.") from error


def tell(
    results: Iterable[UploadResult], *, as_json: bool, quiet: bool, verbose: bool, goes_on: bool, single: bool = False
) -> int:
    """Print each result and a summary; return the exit code. Raises the error of a single file."""
    told: Counter[str] = Counter()
    stopped = ended = False
    try:
        with naming(None, goes_on=goes_on):
            for result in results:
                told["failed" if result.error else "skipped" if result.skipped else "uploaded"] += 1
                if single and result.error:
                    raise UploadStoppedError(result.error, name_source(result.source), goes_on=goes_on)
                stopped = stopped or isinstance(result.error, TransferError)
                _tell_one(result, as_json=as_json, verbose=verbose)
        ended = True
    finally:
        if (told or ended) and not (as_json or quiet or (single and not told["skipped"])):
            report(", ".join(f"{told[what]:,} {what}" for what in ("uploaded", "skipped", "failed")))
    if stopped and goes_on and not quiet:
        report(GOES_ON)
    return SOME_FAILED if told["failed"] else 0


def _tell_one(result: UploadResult, *, as_json: bool, verbose: bool) -> None:
    name, error = show_name(result.source), result.error
    if as_json:
        print_json(describe_result(result))
    elif error:
        report(f"error: {name}: {speak(error)}")
    elif result.skipped in (None, "done"):
        became = result.entity_id or (result.upload.id if result.upload else "")
        print(f"{name}: {snippet(became)}{' (done before)' if result.skipped else ''}", flush=True)
    elif verbose:
        print(f"{name}: skipped ({result.skipped})", flush=True)


def plan(sources: Any, options: BulkOptions, service: ClientOptions | None, *, as_json: bool, verbose: bool) -> int:
    """Print which files would be sent or skipped, without a request; return the exit code."""
    files: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    told: Counter[str] = Counter()
    left_out: list[dict[str, Any]] = []
    for result, file in plan_many(sources, options, service):
        name = show_name(result.source)
        if file:
            kind, size = str(file.options.kind), file.plan.size
            files[kind] += 1
            sizes[kind] += size
            if verbose and not as_json:
                print(f"{name}: {kind}, {format_size(size)}")
            continue
        told[result.skipped or "failed"] += 1
        if as_json:
            left_out.append(describe_result(result))
        elif result.error:
            _tell_one(result, as_json=False, verbose=True)
        else:
            print(f"{name}: skipped ({result.skipped})", flush=True)
    failed = told.pop("failed", 0)
    if as_json:
        kinds = {kind: {"files": files[kind], "bytes": sizes[kind]} for kind in files}
        sums = {"dryRun": True, "files": files.total(), "bytes": sizes.total(), "kinds": kinds}
        print_json(sums | {"skipped": told, "failed": failed, "notSent": left_out})
    else:
        rows = [(f"{kind}:", files[kind], sizes[kind]) for kind in sorted(files)]
        for text, count, size in (*rows, ("would upload", files.total(), sizes.total())):
            print(f"{text} {count:,} file{'' if count == 1 else 's'}, {format_size(size)}")
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in told.items())
        print(f"skip {told.total():,}{reasons and f' ({reasons})'}{f'; {failed:,} would fail' if failed else ''}")
    return SOME_FAILED if failed else 0


def find_entries(folder: Path | None, names: list[str]) -> list[tuple[Path, Entry]]:
    """Return the unfinished uploads, or those with these names, with the paths of their ledgers."""
    entries = [*list_entries(folder)] if folder else []
    chosen = {} if names else dict(entries)
    for name in names:
        known = {name, os.path.realpath(name)}
        found = {path: entry for path, entry in entries if known & {entry.upload_id, entry.file, Path(entry.file).name}}
        if not found:
            raise UsageError(
                f"No upload named {snippet(name)!r} can be resumed; `scenario-uploads resume` lists what can."
            )
        chosen |= found
    return [*chosen.items()]


def resume_all(client: Scenario, entries: list[tuple[Path, Entry]], **options: Any) -> Iterator[UploadResult]:
    """Resume unfinished uploads with their arguments; yield the results."""
    for path, entry in entries:
        asked = entry.asked
        source = UploadSource(
            entry.file,
            kind=asked.get("kind"),
            file_name=asked.get("fileName"),
            content_type=asked.get("contentType"),
            asset_options=asked.get("assetOptions"),
        )
        if error := _find_obstacle(client, path, entry):
            yield UploadResult(source, error=error)
            continue
        # Resume the upload even if the file was uploaded before.
        yield from client.uploads.upload_many(
            [source], part_size=entry.part_size, project_id=asked.get("projectId", omit), force=True, **options
        )


def _find_obstacle(client: Scenario, path: Path, entry: Entry) -> ScenarioError | None:
    """Return why an upload cannot be resumed here, or None."""
    mine = client.uploads._api.options  # noqa: SLF001 - to send nothing for another account
    kind: type[ScenarioError] = UsageError
    if entry.base_url and entry.base_url != mine.base_url:
        text = f"It goes to {redact(entry.base_url)}; give --base-url or --profile."
    elif path.name != name_ledger(*make_key(mine, entry.file, entry.asked)):
        text = "Other credentials began it; give --profile, or upload the file again."
    elif is_locked(path):
        kind, text = LedgerLockedError, "Another process uploads it; wait for that."
    else:
        return None
    return kind(text, upload_id=entry.upload_id)
