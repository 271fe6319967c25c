"""The commands of `scenario-uploads`."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer

from scenario_uploads.arguments import CallOptions, omit
from scenario_uploads.bulk.options import BulkOptions, UploadResult, UploadSource
from scenario_uploads.client.sync_client import Scenario
from scenario_uploads.errors import InvalidArgumentError, LedgerLockedError
from scenario_uploads.logs import logger
from scenario_uploads.models import UploadAction
from scenario_uploads.redaction import redact, snippet
from scenario_uploads.system import find_state_folder, find_version
from scenario_uploads.upload.imports import name_address
from scenario_uploads.upload.ledger import Entry, is_locked, list_entries, locate_ledger
from scenario_uploads.upload.ledger import clean as remove_ledgers
from scenario_uploads.upload.options import ImportOptions

from .connect import connect, find_service, join_cluster, serve
from .options import SECRETS, SETTINGS, Options, UsageError, command
from .sources import STDIN, find_single, open_file, read_manifest
from .terminal import describe_result, label_errors, plan, print_fields, print_json, print_upload, run_app, tell

app = typer.Typer(
    help="Upload files of any size to Scenario.",
    epilog="Exit codes: 0 done, 2 usage or bad input, 3 credentials, 4 API error, 5 transfer failed or a ledger cannot"
    " be used, 6 import failed, 7 timed out, 8 some of several files failed, 130 interrupted. Credentials come from"
    " SCENARIO_SDK_API_KEY and SCENARIO_SDK_API_SECRET, from SCENARIO_SDK_JWT, or from the file that"
    " `scenario-uploads config show` names.",
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    # Its tracebacks show the values of variables, including secrets.
    pretty_exceptions_enable=False,
)
config = typer.Typer(help="Show the settings.", epilog="Example: scenario-uploads config show", rich_markup_mode=None)
app.add_typer(config, name="config")
# The options of every command about one upload, and of `resume`.
_CLIENT = "as_json profile base_url project_id"
_RESUME = "ledger concurrency max_bandwidth timeout patience as_json quiet verbose profile base_url allow_http_storage"
_ASKED = {"kind": "kind", "file_name": "fileName", "content_type": "contentType", "asset_options": "assetOptions"}
UploadId = Annotated[str, typer.Argument(metavar="ID", help="The id of the upload.")]


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    profile: Annotated[
        str | None, typer.Option(metavar="NAME", help="Profile in config.toml. Default: SCENARIO_PROFILE.")
    ] = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    context.obj = profile
    if version:
        typer.echo(find_version())
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


@command(
    app,
    "upload dragon.glb",
    "upload refs -r --exclude '*.tmp' --collection collection_4wQh2",
    "upload --manifest list.csv --dry-run",
    "upload refs -r --sandbox",
)
def upload(
    options: Options,
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH...", help="Files, globs, URLs, folders with -r, or - for stdin."),
    ] = None,
) -> None:
    """Upload files, and wait until they are imported."""
    paths, manifest = paths or [], options.manifest
    if not paths and manifest is None:
        raise UsageError("Give the PATH of what to upload, or a --manifest.")
    if not paths and (options.include or options.exclude):
        raise UsageError("--include and --exclude are about paths; a manifest names its files itself.")
    with label_errors(paths[0] if len(paths) == 1 else None):
        single = find_single(paths, options)
    file = None if options.ledger or options.dask or options.include or options.exclude else single
    if file is None and (options.pick("content_type", "file_name", "resume") or not options.integrity):
        raise UsageError("--content-type, --file-name, --no-integrity and --[no-]resume are for a single file.")
    sources: Any = paths
    if manifest:
        # Check all rows before the first request.
        if not sum(1 for _ in read_manifest(manifest, options.asset_options)):
            logger.info("The manifest %s names no file.", manifest)
        sources = chain(paths, read_manifest(manifest, options.asset_options))
    # No ledger for a sandbox, which ends with this command, nor for a single file, which is always sent.
    ledger = False if options.no_ledger or options.sandbox or file else options.pick("ledger").get("ledger")
    which = options.pick("recursive", "include", "exclude", "force")
    how = options.pick("kind", "asset_options", "part_size", "concurrency", "max_bandwidth")
    if options.dry_run:
        if file is not None:
            sources = UploadSource(file, content_type=options.content_type, file_name=options.file_name)
        service = None if ledger is False else find_service(options)
        call = service.resolve_call() if service else CallOptions()
        bulk = BulkOptions(**which, **how, ledger=ledger, call=call)
        raise typer.Exit(plan(sources, bulk, service, options))
    how |= options.pick("wait", "timeout", "patience", "progress")
    goes_on = options.resume is not False and not options.sandbox if file else ledger is not False and not options.force
    with label_errors(file, goes_on=goes_on and file != STDIN), connect(options) as client:
        if file is None:
            with join_cluster(options.dask) as shared:
                given = which | how | options.pick("fail_fast") | shared
                results = client.uploads.upload_many(sources, ledger=ledger, **given)
                raise typer.Exit(tell(results, options, paths, goes_on=goes_on, single=single is not None))
        with open_file(file, options.max_size) as opened:
            result = client.uploads.upload_file(
                opened,
                file_name=options.file_name or ("stdin" if file == STDIN else None),
                resume=False if options.sandbox else options.resume,
                **how,
                **options.pick("content_type", "integrity"),
            )
    if options.as_json:
        print_json(describe_result(UploadResult(file, result, entity_id=result.entity_id)))
    else:
        print_upload(result, options, source=file)


@command(app, "status upload_ZJvXr7nTqXUBNgL6wEAhyPqT", options=_CLIENT)
def status(upload_id: UploadId, options: Options) -> None:
    """Show the status of an upload."""
    with connect(options) as client:
        print_upload(client.uploads.retrieve(upload_id).upload, options)


@command(app, "wait upload_ZJvXr7nTqXUBNgL6wEAhyPqT --timeout 10m", options=f"timeout {_CLIENT}")
def wait(upload_id: UploadId, options: Options) -> None:
    """Wait until an upload is imported."""
    with connect(options) as client:
        print_upload(client.uploads.wait(upload_id, **options.pick("timeout")), options)


@command(app, "complete upload_ZJvXr7nTqXUBNgL6wEAhyPqT", options=_CLIENT)
def complete(upload_id: UploadId, options: Options) -> None:
    """Tell the service that all parts of an upload are stored.

    `upload` does this itself; use it for parts that you sent by other means. `wait` waits for the import.
    """
    with connect(options) as client:
        print_upload(client.uploads.trigger_action(upload_id, action=UploadAction.COMPLETE).upload, options)


@command(
    app,
    "import https://example.com/cat.png",
    "import hf:stabilityai/stable-diffusion-xl-base-1.0 --no-wait",
    "import 'civitai:https://civitai.com/models/370194/x?modelVersionId=413566' --cost",
    name="import",
    options="kind collection parent hide project_id wait timeout as_json profile base_url sandbox",
)
def import_file(
    options: Options,
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="A URL, hf:OWNER/NAME, or civitai:URL of a model's page.")
    ],
    cost: Annotated[bool, typer.Option("--cost", help="Show the cost; import nothing.")] = False,
) -> None:
    """Let the service fetch a file from a URL, or a model from Hugging Face or Civitai.

    The address tells which. A request that may have arrived is never retried: the import might run twice.
    """
    arguments = name_address(address, options.kind)
    if options.asset_options:
        if "url" not in arguments:
            raise UsageError("--collection, --parent and --hide are for an asset, and this becomes a model.")
        arguments["asset_options"] = options.asset_options
    with label_errors(address), connect(options) as client:
        if cost:
            values = client.uploads.create(**arguments, dry_run=True).to_dict(exclude_none=True)
            print_json(values) if options.as_json else print_fields(values)
            return
        given = ImportOptions(**options.pick("wait", "timeout"))
        result = client.uploads._import(arguments, given)  # noqa: SLF001 - of whichever kind
    print_upload(result, options, source=address)


@command(app, "resume", "resume dragon.glb", "resume --all", "resume --clean", options=_RESUME)
def resume(
    options: Options,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="What to resume: file names, paths or upload ids.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Resume all of them.")] = False,
    clean: Annotated[bool, typer.Option("--clean", help="Delete their ledgers: they start afresh.")] = False,
) -> None:
    """List unfinished uploads of several parts, or resume them.

    `upload` with the same file resumes it, too.
    """
    names = names or []
    if bool(names) + everything + clean > 1:
        raise UsageError("Give NAME, --all or --clean, one of them.")
    try:
        folder = find_state_folder()
        entries = [*list_entries(folder)]
    except OSError:
        # Without a home folder there is none.
        folder, entries = None, []
    if not (entries or names):
        logger.info("There are no unfinished uploads.")
    if clean:
        sure = not entries or sys.stdin is None or not sys.stdin.isatty()
        question = f"Forget the unfinished uploads ({len(entries)}), so that they start afresh?"
        removed = remove_ledgers(folder) if folder and (sure or typer.confirm(question, err=True)) else 0
        print_json({"removed": removed}) if options.as_json else print(f"{removed} removed")
    elif names or everything:
        chosen = {name: [each for each in entries if _is_named(each[1], name)] for name in names}
        if lost := [name for name in names if not chosen[name]]:
            raise UsageError(f"No unfinished upload is named {lost[0]!r}; `scenario-uploads resume` lists them.")
        entries = [*dict(chain(*chosen.values())).items()] if names else entries
        settings = options.pick("ledger", "concurrency", "max_bandwidth", "timeout", "patience", "progress")
        with label_errors(None, goes_on=True), connect(options) as client:
            results = _resume_all(client, entries, settings)
            raise typer.Exit(tell(results, options, names, goes_on=True, single=len(entries) == 1))
    else:
        _print_entries([entry for _, entry in entries], options)


def _print_entries(entries: list[Entry], options: Options) -> None:
    listed = [(one.upload_id, one.file, one.state.size, len(one.parts), len(one.done)) for one in entries]
    if options.as_json:
        keys = ("id", "file", "size", "parts", "partsDone")
        print_json({"uploads": [dict(zip(keys, one, strict=True)) for one in listed]})
        return
    for upload_id, file, _, parts, done in listed:
        print(f"{snippet(file, 4096)}: {done} of {parts} parts sent (upload {snippet(upload_id)})")


def _is_named(entry: Entry, name: str) -> bool:
    return not {name, os.path.realpath(name)}.isdisjoint((entry.upload_id, entry.file, Path(entry.file).name))


def _resume_all(
    client: Scenario, entries: list[tuple[Path, Entry]], settings: dict[str, Any]
) -> Iterator[UploadResult]:
    for path, entry in entries:
        asked = entry.asked
        source = UploadSource(entry.file, **{name: asked.get(wire) for name, wire in _ASKED.items()})
        mine = client.uploads._api.options  # noqa: SLF001 - to send nothing for another account
        if path != locate_ledger(path.parent, mine, entry.file, asked):
            text = f"It was begun with other credentials or at {entry.base_url}; give --profile or --base-url."
            yield UploadResult(source, error=InvalidArgumentError(text, upload_id=entry.upload_id))
        elif is_locked(path):
            text = "Another process uploads it; wait for that."
            yield UploadResult(source, error=LedgerLockedError(text, upload_id=entry.upload_id))
        else:
            # Resume the upload even if the file was uploaded before.
            yield from client.uploads.upload_many(
                [source], part_size=entry.part_size, project_id=asked.get("projectId", omit), force=True, **settings
            )


command(app, "sandbox", "sandbox --port 0 --folder stored", name="sandbox")(serve)


@command(config, "config show", "config show --profile studio", options="profile as_json")
def show(options: Options) -> None:
    """Show the settings, and where each comes from. Secrets are masked."""
    file, profile = options.settings.file, options.settings.profile
    shown: dict[str, dict[str, Any]] = {}
    for name, setting in SETTINGS.items():
        default = (setting.default, "default" if setting.default else "not set")
        value, origin = options.settings.values.get(name, default)
        if name in SECRETS and value is not None:
            value = "***"
        elif name == "base_url":
            # Even an invalid URL may hold a password.
            value = re.sub("//[^/]*@", "//***@", redact(str(value)))
        shown[name] = {"value": value, "origin": origin}
    if options.as_json:
        print_json({"file": str(file) if file else None, "profile": profile, "settings": shown})
        return
    print(f"file: {snippet(str(file), 4096)}{'' if file and file.exists() else ' (not there)'}")
    print(f"profile: {snippet(profile or 'none')}")
    for name, value in shown.items():
        text = "-" if value["value"] is None else snippet(str(value["value"]))
        print(f"{name:<18} {text:<40} {snippet(value['origin'], 4096)}")


def run(arguments: list[str] | None = None) -> int:
    return run_app(app, arguments)
