"""Running uploads: one file, several with a line each and a summary, a plan, or resumed ones."""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from scenario_uploads.arguments import GIB, MIB, omit
from scenario_uploads.bulk.options import BulkOptions, UploadResult, UploadSource
from scenario_uploads.bulk.plan import File, plan_many
from scenario_uploads.client.sync_client import Scenario
from scenario_uploads.errors import LedgerLockedError, ScenarioError
from scenario_uploads.progress import format_size
from scenario_uploads.redaction import snippet
from scenario_uploads.remote import is_url, split_pattern
from scenario_uploads.settings.client import ClientOptions
from scenario_uploads.upload.ledger import Entry, is_locked, locate_ledger
from scenario_uploads.upload.media_types import infer_media

from .options import Options, UsageError
from .terminal import SOME_FAILED, describe_result, print_json, print_result, show_name

STDIN = "-"
# Default limit for stdin, in bytes.
MAX_STDIN = 10 * GIB


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
    if is_url(path):
        return None if options.recursive or split_pattern(path) else path
    # `isdir` and `exists` return False for an invalid path.
    several = os.path.isdir(path) or (split_pattern(path) and not os.path.exists(path))  # noqa: PTH110, PTH112
    return None if several else path


def _check_stdin(options: Options) -> None:
    """Check the options for stdin before reading it."""
    if options.dry_run or options.resume:
        raise UsageError("stdin can be read only once; leave out --dry-run and --resume.")
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("stdin is no file; lead one into this command, as in: make-dragon | scenario-uploads upload -")
    if options.file_name is None and options.kind is None:
        raise UsageError("Give --file-name, such as dragon.glb, or --kind: stdin has no name.")
    infer_media(options.file_name or "stdin", content_type=options.content_type, kind=options.kind)


@contextmanager
def open_file(file: str, max_size: int | None) -> Iterator[str | BinaryIO]:
    """Yield the file to send; a pipe becomes a temporary file, since its length is needed."""
    if file != STDIN:
        yield file
        return
    stdin = sys.stdin.buffer
    if max_size is None and stdin.seekable():
        yield stdin
        return
    left = MAX_STDIN if max_size is None else max_size
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


def plan(sources: Any, bulk: BulkOptions, service: ClientOptions | None, options: Options) -> int:
    """Print which files would be sent or skipped, without a request; return the exit code."""
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    skipped: Counter[str] = Counter()
    left_out: list[dict[str, Any]] = []
    for result in plan_many(sources, bulk, service):
        if isinstance(result, File):
            kind, size = str(result.options.kind), result.plan.size
            kinds[kind].update(files=1, bytes=size)
            if options.verbose and not options.as_json:
                print(f"{show_name(result.source)}: {kind}, {format_size(size)}")
            continue
        skipped[result.skipped or "failed"] += 1
        if options.as_json:
            left_out.append(describe_result(result))
        else:
            print_result(result, options)
    failed, whole = skipped.pop("failed", 0), sum(kinds.values(), Counter[str]())
    if options.as_json:
        sums = {"dryRun": True, "files": whole["files"], "bytes": whole["bytes"], "kinds": kinds}
        print_json(sums | {"skipped": skipped, "failed": failed, "notSent": left_out})
    else:
        for text, sizes in (*((f"{kind}:", kinds[kind]) for kind in sorted(kinds)), ("would upload", whole)):
            count = sizes["files"]
            print(f"{text} {count:,} file{'' if count == 1 else 's'}, {format_size(sizes['bytes'])}")
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in skipped.items())
        print(f"skip {skipped.total():,}{reasons and f' ({reasons})'}{f'; {failed:,} would fail' if failed else ''}")
    return SOME_FAILED if failed else 0


def find_entries(entries: list[tuple[Path, Entry]], names: list[str]) -> list[tuple[Path, Entry]]:
    """Return the unfinished uploads with these names: ids, paths, or names of files."""
    chosen: dict[Path, Entry] = {}
    for name in names:
        known = {name, os.path.realpath(name)}
        found = {path: entry for path, entry in entries if known & {entry.upload_id, entry.file, Path(entry.file).name}}
        if not found:
            raise UsageError(f"There is no unfinished upload {snippet(name)!r}; `scenario-uploads resume` lists them.")
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
    if path != locate_ledger(path.parent, mine, entry.file, entry.asked):
        text = f"It was begun with other credentials or at {entry.base_url}; give --profile or --base-url."
        return UsageError(text, upload_id=entry.upload_id)
    if is_locked(path):
        return LedgerLockedError("Another process uploads it; wait for that.", upload_id=entry.upload_id)
    return None
