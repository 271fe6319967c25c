"""The commands `upload` and `resume`."""

from __future__ import annotations

import sys
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer
from attrs import evolve

from scenario_uploads.arguments import CallOptions
from scenario_uploads.bulk.options import BulkOptions, UploadResult, UploadSource
from scenario_uploads.display import report
from scenario_uploads.models import UploadKind
from scenario_uploads.upload.ledger import clean as remove_ledgers
from scenario_uploads.upload.ledger import default_folder

from .connect import connect, find_service, join_cluster
from .manifest import check_manifest, read_manifest
from .options import (
    AllowHttpStorage,
    AsJson,
    BaseUrl,
    Collection,
    Concurrency,
    Hide,
    LedgerPath,
    MaxBandwidth,
    MaxSize,
    NoWait,
    Parent,
    Patience,
    Profile,
    ProjectId,
    Quiet,
    Timeout,
    UsageError,
    Verbose,
    gather_asset_options,
    load_settings,
    parse_size,
    pick,
    set_log,
)
from .sending import (
    STDIN,
    check_stdin,
    find_entries,
    find_single,
    is_one,
    naming,
    open_file,
    plan,
    resume_all,
    tell,
)
from .terminal import describe_result, print_entries, print_json, print_upload


def upload(  # noqa: PLR0913, PLR0917 - each is an option
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH...", help="Files, globs, URLs, folders with -r, or - for stdin."),
    ] = None,
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="Upload the files in folders.")] = False,
    include: Annotated[list[str] | None, typer.Option(metavar="GLOB", help="Upload only matching files.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(metavar="GLOB", help="Skip matching files.")] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A .csv or .jsonl file with a row for each file: file, kind, file_name, content_type, collection_ids,"
            " parent_id, hide.",
        ),
    ] = None,
    ledger: LedgerPath = None,
    no_ledger: Annotated[bool, typer.Option("--no-ledger", help="Keep no ledger.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be uploaded and skipped; make no request.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Upload files again that are already done.")] = False,
    dask: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Send with the workers of this Dask cluster, such as tcp://scheduler:8786. They need the files at the"
            " same paths.",
        ),
    ] = None,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop at the first file that fails.")] = False,
    kind: Annotated[UploadKind | None, typer.Option(help="The kind of file. Default: inferred from its name.")] = None,
    content_type: Annotated[
        str | None, typer.Option(metavar="TYPE", help="The MIME type. Default: inferred from the file's name.")
    ] = None,
    file_name: Annotated[str | None, typer.Option(metavar="NAME", help="The name to upload it under.")] = None,
    max_size: MaxSize = None,
    collection: Collection = None,
    parent: Parent = None,
    hide: Hide = False,
    project_id: ProjectId = None,
    part_size: Annotated[
        int | None,
        typer.Option(parser=parse_size, metavar="SIZE", help="The size of a part, such as 32MiB; 5 MiB to 5 GiB."),
    ] = None,
    concurrency: Concurrency = None,
    max_bandwidth: MaxBandwidth = None,
    integrity: Annotated[bool, typer.Option(help="Compare checksums with what storage received.")] = True,
    resume: Annotated[
        bool | None,
        typer.Option(
            "--resume/--no-resume",
            help="Send only the missing parts of an interrupted upload. Default: where possible. With --resume, fail"
            " if another upload of the same file is running.",
        ),
    ] = None,
    no_wait: NoWait = False,
    timeout: Timeout = None,
    patience: Patience = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    profile: Profile = None,
    base_url: BaseUrl = None,
    allow_http_storage: AllowHttpStorage = False,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Upload to a sandbox that runs for this command; needs no account.")
    ] = False,
) -> None:
    """Upload files, and wait until they are imported."""
    set_log(quiet=quiet, verbose=verbose)
    if ledger and (no_ledger or sandbox):
        raise UsageError(f"Give --ledger or {'--no-ledger' if no_ledger else '--sandbox'}, not both.")
    paths = paths or []
    if not paths and manifest is None:
        raise UsageError("Give the PATH of what to upload, or a --manifest.")
    if manifest and not paths and (include or exclude):
        raise UsageError("--include and --exclude are about paths; a manifest names its files itself.")
    settings = load_settings(profile)
    asset_options = gather_asset_options(collection, parent, hide=hide)
    which: dict[str, Any] = {"recursive": recursive, "include": include, "exclude": exclude}
    common: dict[str, Any] = {"kind": kind, "asset_options": asset_options} | pick(
        settings, part_size=part_size, concurrency=concurrency, max_bandwidth=max_bandwidth
    )
    waiting: dict[str, Any] = {"wait": not no_wait} | pick(settings, timeout=timeout, patience=patience)
    with naming(paths[0] if len(paths) == 1 else None):
        file = find_single(paths, manifest, ledger, no_ledger, force, dask, fail_fast, *which.values())
    if file is None and (content_type or file_name or not integrity or resume is not None):
        raise UsageError("--content-type, --file-name, --no-integrity and --[no-]resume are for a single file.")
    if file == STDIN:
        check_stdin(file_name=file_name, content_type=content_type, kind=kind, resume=resume, dry_run=dry_run)
    sources = _gather(paths, manifest, asset_options)
    # No ledger for a sandbox, which ends with this command, nor for a single file, which is always sent.
    kept: Any = False if no_ledger or sandbox or file is not None else settings.get("ledger", ledger)
    if dry_run:
        if file is not None:
            sources = UploadSource(file, content_type=content_type, file_name=file_name)
        service = None if kept is False or force else find_service(settings, base_url=base_url, project_id=project_id)
        call = service.resolve_call() if service else CallOptions()
        options = BulkOptions(**which, **common, ledger=kept, force=force, call=call)
        raise typer.Exit(plan(sources, options, service, as_json=as_json, verbose=verbose))
    progress = not (as_json or quiet)
    code = 0
    with (
        naming(file, goes_on=file not in (None, STDIN) and resume is not False and not sandbox),
        connect(
            settings, base_url=base_url, project_id=project_id, allow_http=allow_http_storage, sandbox=sandbox
        ) as client,
    ):
        if file is not None:
            with open_file(file, max_size) as opened:
                result = client.uploads.upload_file(
                    opened,
                    progress=progress,
                    content_type=content_type,
                    file_name=file_name or ("stdin" if file == STDIN else None),
                    integrity=integrity,
                    # A sandbox of this command ends with it, so there is nothing to resume.
                    resume=False if sandbox else resume,
                    **common,
                    **waiting,
                )
            if as_json:
                print_json(describe_result(UploadResult(file, result, entity_id=result.entity_id)))
            else:
                print_upload(result, as_json=False, source=file)
        else:
            goes_on = kept is not False and not force
            common |= {"ledger": kept, "force": force, "fail_fast": fail_fast, "progress": progress}
            with join_cluster(dask) as shared:
                results = client.uploads.upload_many(sources, **which, **common, **waiting, **shared)
                single = is_one(paths, manifest, recursive=recursive)
                code = tell(results, as_json=as_json, quiet=quiet, verbose=verbose, goes_on=goes_on, single=single)
    if sandbox and progress:
        report("That was a sandbox on this machine: it has ended, and nothing was sent to Scenario.")
    raise typer.Exit(code)


def _gather(paths: list[str], manifest: Path | None, asset_options: dict[str, Any] | None) -> Any:
    """Return the sources: the paths, then the rows of the manifest, which are all checked first."""
    if manifest is None:
        return paths
    check_manifest(manifest)
    rows = (
        evolve(row, asset_options=(asset_options or {}) | row.asset_options) if row.asset_options else row
        for row in read_manifest(manifest)
    )
    return chain(paths, rows)


def resume(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="What to resume: file names, paths or upload ids.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Resume all of them.")] = False,
    clean: Annotated[bool, typer.Option("--clean", help="Delete their ledgers: they start afresh.")] = False,
    ledger: LedgerPath = None,
    concurrency: Concurrency = None,
    max_bandwidth: MaxBandwidth = None,
    timeout: Timeout = None,
    patience: Patience = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    profile: Profile = None,
    base_url: BaseUrl = None,
    allow_http_storage: AllowHttpStorage = False,
) -> None:
    """List unfinished uploads of several parts, or resume them.

    `upload` with the same file resumes it, too.
    """
    set_log(quiet=quiet, verbose=verbose)
    if (clean and (names or everything)) or (names and everything):
        raise UsageError("Give NAME, --all or --clean, one of them.")
    try:
        folder = default_folder()
    except OSError as error:
        report(f"Nothing can be resumed here: {error.strerror}.")
        folder = None
    entries = find_entries(folder, names or [])
    if clean:
        sure = True
        if entries and sys.stdin is not None and sys.stdin.isatty():
            question = f"Forget {len(entries)} unfinished uploads, so that they start afresh? [y/N] "
            print(question, end="", file=sys.stderr, flush=True)
            sure = input().strip().lower() in ("y", "yes")
        removed = remove_ledgers(folder) if folder and sure else 0
        print_json({"removed": removed}) if as_json else print(f"{removed} removed")
    elif not names and not everything:
        print_entries([entry for _, entry in entries], as_json=as_json)
    else:
        settings = load_settings(profile)
        options: dict[str, Any] = {"ledger": settings.get("ledger", ledger), "progress": not (as_json or quiet)}
        options |= pick(
            settings, concurrency=concurrency, max_bandwidth=max_bandwidth, timeout=timeout, patience=patience
        )
        with connect(settings, base_url=base_url, allow_http=allow_http_storage) as client:
            results = resume_all(client, entries, **options)
            single = len(entries) == 1
            code = tell(results, as_json=as_json, quiet=quiet, verbose=verbose, goes_on=True, single=single)
        raise typer.Exit(code)
