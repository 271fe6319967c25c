"""The commands of `scenario-uploads` and their options."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from attrs import asdict

from scenario_uploads.models import UploadAction, UploadKind
from scenario_uploads.redaction import snippet
from scenario_uploads.system import find_version
from scenario_uploads.upload.imports import name_address

from .connect import connect, serve
from .options import (
    AsJson,
    BaseUrl,
    Collection,
    Hide,
    NoWait,
    Parent,
    Profile,
    ProjectId,
    Timeout,
    UploadId,
    UsageError,
    chosen_profile,
    gather_asset_options,
    give_examples,
    load_settings,
    pick,
)
from .running import run_app
from .sending import naming
from .terminal import print_cost, print_json, print_upload
from .uploads import resume, upload

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
config = typer.Typer(help="Show the settings.", rich_markup_mode=None)
app.add_typer(config, name="config")


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    profile: Profile = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    chosen_profile.set(profile)
    if version:
        typer.echo(find_version())
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


app.command(
    epilog=give_examples(
        "upload dragon.glb",
        "upload refs -r --exclude '*.tmp' --collection collection_4wQh2",
        "upload --manifest list.csv --dry-run",
        "upload refs -r --sandbox",
    )
)(upload)


@app.command(epilog=give_examples("status upload_ZJvXr7nTqXUBNgL6wEAhyPqT"))
def status(
    upload_id: UploadId,
    as_json: AsJson = False,
    profile: Profile = None,
    base_url: BaseUrl = None,
    project_id: ProjectId = None,
) -> None:
    """Show the status of an upload."""
    with connect(load_settings(profile), base_url=base_url, project_id=project_id) as client:
        result = client.uploads.retrieve(upload_id)
    print_upload(result.upload, as_json=as_json)


@app.command(epilog=give_examples("wait upload_ZJvXr7nTqXUBNgL6wEAhyPqT --timeout 10m"))
def wait(
    upload_id: UploadId,
    timeout: Timeout = None,
    as_json: AsJson = False,
    profile: Profile = None,
    base_url: BaseUrl = None,
    project_id: ProjectId = None,
) -> None:
    """Wait until an upload is imported."""
    settings = load_settings(profile)
    with connect(settings, base_url=base_url, project_id=project_id) as client:
        result = client.uploads.wait(upload_id, **pick(settings, timeout=timeout))
    print_upload(result, as_json=as_json)


@app.command(epilog=give_examples("complete upload_ZJvXr7nTqXUBNgL6wEAhyPqT"))
def complete(
    upload_id: UploadId,
    as_json: AsJson = False,
    profile: Profile = None,
    base_url: BaseUrl = None,
    project_id: ProjectId = None,
) -> None:
    """Tell the service that all parts of an upload are stored.

    `upload` does this itself; use it for parts that you sent by other means. `wait` waits for the import.
    """
    with connect(load_settings(profile), base_url=base_url, project_id=project_id) as client:
        result = client.uploads.trigger_action(upload_id, action=UploadAction.COMPLETE)
    print_upload(result.upload, as_json=as_json)


@app.command(
    "import",
    epilog=give_examples(
        "import https://example.com/cat.png",
        "import hf:stabilityai/stable-diffusion-xl-base-1.0 --no-wait",
        "import 'civitai:https://civitai.com/models/370194/x?modelVersionId=413566' --cost",
    ),
)
def import_file(
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="A URL, hf:OWNER/NAME, or civitai:URL of a model's page.")
    ],
    cost: Annotated[bool, typer.Option("--cost", help="Show the cost; import nothing.")] = False,
    kind: Annotated[UploadKind | None, typer.Option(help="The kind of file. Default: inferred from the URL.")] = None,
    collection: Collection = None,
    parent: Parent = None,
    hide: Hide = False,
    project_id: ProjectId = None,
    no_wait: NoWait = False,
    timeout: Timeout = None,
    as_json: AsJson = False,
    profile: Profile = None,
    base_url: BaseUrl = None,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Use a sandbox that runs for this command.")] = False,
) -> None:
    """Let the service fetch a file from a URL, or a model from Hugging Face or Civitai.

    The address tells which. A request that may have arrived is never retried: the import might run twice.
    """
    arguments = name_address(address, kind)
    asset_options = gather_asset_options(collection, parent, hide=hide)
    if asset_options and "url" not in arguments:
        raise UsageError("--collection, --parent and --hide are for an asset, and this becomes a model.")
    settings = load_settings(profile)
    waiting: dict[str, Any] = {"wait": not no_wait} | pick(settings, timeout=timeout)
    with naming(address), connect(settings, base_url=base_url, project_id=project_id, sandbox=sandbox) as client:
        uploads = client.uploads
        if cost:
            print_cost(uploads.create(**arguments, asset_options=asset_options, dry_run=True), as_json=as_json)
            return
        if "url" in arguments:
            result = uploads.import_url(**arguments, asset_options=asset_options, **waiting)
        elif "civitai_model_url" in arguments:
            result = uploads.import_civitai(*arguments.values(), **waiting)
        else:
            result = uploads.import_hugging_face(*arguments.values(), **waiting)
    print_upload(result, as_json=as_json, source=address)


app.command(epilog=give_examples("resume", "resume dragon.glb", "resume --all", "resume --clean"))(resume)
app.command("sandbox", epilog=give_examples("sandbox", "sandbox --port 0 --folder stored"))(serve)


@config.command(epilog=give_examples("config show", "config show --profile studio"))
def show(profile: Profile = None, as_json: AsJson = False) -> None:
    """Show the settings, and where each comes from. Secrets are masked."""
    settings = load_settings(profile)
    shown, file = settings.show(), settings.file
    if as_json:
        values = {name: asdict(value) for name, value in shown.items()}
        print_json({"file": str(file) if file else None, "profile": settings.profile, "settings": values})
        return
    print(f"file: {snippet(str(file), 4096)}{'' if file and file.exists() else ' (not there)'}")
    print(f"profile: {snippet(settings.profile or 'none')}")
    for name, value in shown.items():
        text = "-" if value.value is None else snippet(str(value.value))
        print(f"{name:<18} {text:<35} {snippet(value.origin, 4096)}")


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return run_app(app, arguments)
