"""The command `scenario-uploads`. An error is one line on stderr; `--json` prints one JSON object on stdout.

docs/command-line.md lists the exit codes.
"""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from scenario_uploads import __version__
from scenario_uploads.client.sync_client import Scenario
from scenario_uploads.errors import (
    AuthenticationError,
    CredentialsError,
    InvalidArgumentError,
    LedgerError,
    LedgerLockedError,
    PermissionDeniedError,
    ScenarioError,
    TransferError,
    UploadFailedError,
    UploadTimeoutError,
)
from scenario_uploads.models import Upload, UploadKind
from scenario_uploads.redaction import snippet
from scenario_uploads.retry import DEFAULT_PATIENCE
from scenario_uploads.upload.ledger import clean as remove_ledgers
from scenario_uploads.upload.ledger import default_folder, list_entries

from .many import find_single, upload_many
from .terminal import print_entries, print_upload, report, show_progress, silence

# The first match wins.
EXIT_CODES: tuple[tuple[type[Exception], int], ...] = (
    (CredentialsError, 3),
    (AuthenticationError, 3),
    (PermissionDeniedError, 3),
    (InvalidArgumentError, 2),
    (TransferError, 5),
    (LedgerLockedError, 5),
    (LedgerError, 5),
    (UploadFailedError, 6),
    (UploadTimeoutError, 7),
    (ScenarioError, 4),
)

INTERRUPTED = 130

app = typer.Typer(
    help="Send files of any size to Scenario.",
    epilog="Exit codes: 0 done, 2 usage or bad input, 3 credentials, 4 API error, 5 transfer failed, 6 import failed,"
    " 7 timed out, 8 some of several files failed, 130 interrupted. Credentials come from SCENARIO_SDK_API_KEY and"
    " SCENARIO_SDK_API_SECRET, or from SCENARIO_SDK_JWT.",
    add_completion=False,
    rich_markup_mode=None,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else there.")]
BaseUrl = Annotated[str | None, typer.Option(help="Where the API is; else SCENARIO_BASE_URL, else production.")]
Timeout = Annotated[float, typer.Option(help="Seconds to wait for the import.")]
ProjectId = Annotated[str | None, typer.Option(help="The project that owns the upload.")]
AllowHttpStorage = Annotated[
    bool,
    typer.Option("--allow-http-storage", help="Send parts over plain http, as to a sandbox on another machine."),
]
UploadId = Annotated[str, typer.Argument(metavar="ID", help="The id of the upload.")]


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


@app.command()
def upload(  # noqa: PLR0913, PLR0917 - each is an option
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="The files to upload; folders with -r; globs.")],
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="Upload what is in folders.")] = False,
    include: Annotated[list[str] | None, typer.Option(metavar="GLOB", help="Only files that match.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(metavar="GLOB", help="No files that match.")] = None,
    ledger: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Where it is kept what is done, of several files.")
    ] = None,
    no_ledger: Annotated[bool, typer.Option("--no-ledger", help="Keep nothing of what is done.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Send also what is done.")] = False,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="End with the first file that fails.")] = False,
    kind: Annotated[UploadKind | None, typer.Option(help="What the file is; else told from its name.")] = None,
    content_type: Annotated[str | None, typer.Option(help="Its MIME type; else told from its name.")] = None,
    file_name: Annotated[str | None, typer.Option(help="The name to upload it under.")] = None,
    part_size: Annotated[int | None, typer.Option(help="Bytes in a part, 5 MiB to 5 GiB.")] = None,
    concurrency: Annotated[int, typer.Option(help="How many parts are sent at once, 1 to 64.")] = 8,
    max_bandwidth: Annotated[float | None, typer.Option(help="Bytes a second over all parts.")] = None,
    integrity: Annotated[bool, typer.Option(help="Compare checksums with what storage received.")] = True,
    resume: Annotated[
        bool | None,
        typer.Option(
            "--resume/--no-resume",
            help="Send only what an earlier try of this upload has not: as far as that is possible (the default), fail"
            " when the same is under way elsewhere, or never.",
        ),
    ] = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Do not wait for the import.")] = False,
    timeout: Timeout = 300,
    patience: Annotated[
        float, typer.Option(help="Seconds without a byte for which a connection is tried again.")
    ] = DEFAULT_PATIENCE,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
    project_id: ProjectId = None,
    allow_http_storage: AllowHttpStorage = False,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Use a sandbox that lives for this command.")] = False,
) -> None:
    """Upload a file, or several, and wait until they are imported."""
    if ledger and no_ledger:
        raise InvalidArgumentError("Give --ledger or --no-ledger, not both.")
    many = {"recursive": recursive, "include": include, "exclude": exclude, "force": force, "fail_fast": fail_fast}
    file = find_single(files, **many, ledger=ledger, no_ledger=no_ledger)
    if file is None:
        if content_type is not None or file_name is not None:
            raise InvalidArgumentError("--content-type and --file-name are for a single file.")
        with _client(base_url, allow_http=allow_http_storage, sandbox=sandbox) as client:
            code = upload_many(
                client,
                files,
                as_json=as_json,
                **many,
                # What a sandbox of this command knows ends with it.
                ledger=False if no_ledger or sandbox else ledger,
                kind=kind,
                part_size=part_size,
                concurrency=concurrency,
                max_bandwidth=max_bandwidth,
                wait=not no_wait,
                timeout=timeout,
                patience=patience,
                project_id=project_id,
            )
        raise typer.Exit(code)
    with (
        _client(base_url, allow_http=allow_http_storage, sandbox=sandbox) as client,
        show_progress(file.name, quiet=as_json) as on_progress,
    ):
        result = client.uploads.upload_file(
            file,
            kind=kind,
            content_type=content_type,
            file_name=file_name,
            part_size=part_size,
            concurrency=concurrency,
            wait=not no_wait,
            timeout=timeout,
            patience=patience,
            on_progress=on_progress,
            max_bandwidth=max_bandwidth,
            integrity=integrity,
            # A sandbox of this command ends with it, so there is nothing to resume.
            resume=False if sandbox else resume,
            project_id=project_id,
        )
    print_upload(result, as_json=as_json)


@app.command()
def status(
    upload_id: UploadId, as_json: AsJson = False, base_url: BaseUrl = None, project_id: ProjectId = None
) -> None:
    """Show where an upload stands."""
    with _client(base_url) as client:
        result = client.uploads.retrieve(upload_id, project_id=project_id).upload
    if not isinstance(result, Upload):
        raise ScenarioError("The answer has no upload.", upload_id=upload_id)
    print_upload(result, as_json=as_json)


@app.command()
def wait(
    upload_id: UploadId,
    timeout: Timeout = 300,
    as_json: AsJson = False,
    base_url: BaseUrl = None,
    project_id: ProjectId = None,
) -> None:
    """Wait until an upload is imported."""
    with _client(base_url) as client:
        result = client.uploads.wait(upload_id, timeout=timeout, project_id=project_id)
    print_upload(result, as_json=as_json)


@app.command()
def resume(
    as_json: AsJson = False,
    clean: Annotated[bool, typer.Option("--clean", help="Forget them instead, so that they start afresh.")] = False,
) -> None:
    """List the uploads that `upload`, given the same file again, takes up where they stopped."""
    try:
        folder = default_folder()
    except OSError as error:
        report(f"Nothing can be resumed here: {error.strerror}.")
        folder = None
    if clean:
        removed = remove_ledgers(folder) if folder else 0
        typer.echo(json.dumps({"removed": removed}) if as_json else f"{removed} removed")
        return
    print_entries([entry for _, entry in list_entries(folder)] if folder else [], as_json=as_json)


@app.command()
def sandbox(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port of the API; 0 takes a free one.")] = 4010,
    storage_port: Annotated[int, typer.Option(help="The port of the storage; 0 takes a free one.")] = 0,
    folder: Annotated[
        Path | None, typer.Option(help="Where files are kept; else a folder that goes at the end.")
    ] = None,
    s3_endpoint: Annotated[str | None, typer.Option(help="Store in this S3, with the usual AWS variables.")] = None,
    s3_bucket: Annotated[str, typer.Option(help="The bucket of that S3.")] = "scenario-uploads",
    url_lifetime: Annotated[int, typer.Option(help="Seconds that presigned URLs work.")] = 48 * 3600,
    step_delay: Annotated[float, typer.Option(help="Seconds that each step of an import takes.")] = 0.5,
    max_stored: Annotated[int, typer.Option(help="Bytes that are kept in all.")] = 64 * 1024**3,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Listen on other than loopback, over plain http.")
    ] = False,
) -> None:
    """Run a local service to develop against, without an account.

    It takes the credentials in SCENARIO_SDK_API_KEY and SCENARIO_SDK_API_SECRET, or makes some up and prints them.
    """
    box_class, sandbox_error = _load_sandbox()
    try:
        with (
            _ending_by(_stop),
            box_class(
                host=host,
                port=port,
                storage_port=storage_port,
                folder=folder,
                s3_endpoint=s3_endpoint,
                s3_bucket=s3_bucket,
                url_lifetime=url_lifetime,
                step_delay=step_delay,
                max_stored=max_stored,
                allow_remote=allow_remote,
                api_key=os.environ.get("SCENARIO_SDK_API_KEY") or None,
                api_secret=os.environ.get("SCENARIO_SDK_API_SECRET") or None,
            ) as box,
        ):
            typer.echo(f"export SCENARIO_BASE_URL={box.base_url}")
            typer.echo(f"export SCENARIO_SDK_API_KEY={box.api_key}")
            typer.echo(f"export SCENARIO_SDK_API_SECRET={box.api_secret}")
            if not box.is_local:
                typer.echo("export SCENARIO_ALLOW_HTTP_STORAGE=1")
                report(
                    "It speaks plain http: upload with allow_http_storage=True, that variable or --allow-http-storage."
                )
            typer.echo("The sandbox is ready; Ctrl-C ends it.", err=True)
            box.wait()
    except sandbox_error as error:
        raise InvalidArgumentError(f"The sandbox cannot start: {error}.") from error


@contextmanager
def _ending_by(end: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """End in order, and so with every temporary folder removed, when told to, and when the terminal is closed."""
    # Only the main thread can handle signals.
    names = ("SIGTERM", "SIGHUP", "SIGQUIT") if threading.current_thread() is threading.main_thread() else ()
    signals = [getattr(signal, name) for name in names if hasattr(signal, name)]
    # Under nohup a terminal may be closed.
    before = {one: signal.getsignal(one) for one in signals if signal.getsignal(one) is not signal.SIG_IGN}

    def end_once(number: int, frame: FrameType | None) -> None:
        # A second signal would interrupt the removal.
        for one in before:
            signal.signal(one, signal.SIG_IGN)
        end(number, frame)

    try:
        for one in before:
            signal.signal(one, end_once)
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler or signal.SIG_DFL)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise typer.Exit(0)


def _terminate(number: int, _frame: FrameType | None) -> None:
    raise typer.Exit(128 + number)


def _load_sandbox() -> tuple[Any, type[Exception]]:
    """Import the sandbox, which is an extra; return its class and its error."""
    try:
        from scenario_uploads.sandbox import Sandbox, SandboxError  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise InvalidArgumentError(f"The sandbox is not installed: {error}.") from error
    return Sandbox, SandboxError


@contextmanager
def _client(base_url: str | None, *, allow_http: bool = False, sandbox: bool = False) -> Iterator[Scenario]:
    if sandbox and base_url is not None:
        raise InvalidArgumentError("Give --sandbox or --base-url, not both.")
    with ExitStack() as stack:
        if not sandbox:
            yield stack.enter_context(Scenario(base_url=base_url, allow_http_storage=allow_http or None))
            return
        box_class, sandbox_error = _load_sandbox()
        # Otherwise a signal would leave the sandbox's folder behind.
        stack.enter_context(_ending_by(_terminate))
        try:
            box = stack.enter_context(box_class())
        except sandbox_error as error:
            raise InvalidArgumentError(f"The sandbox cannot start: {error}.") from error
        # The environment is about the real service; an error in it must not stop a sandbox.
        yield stack.enter_context(
            Scenario(base_url=box.base_url, api_key=box.api_key, api_secret=box.api_secret, trust_env=False)
        )


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code; every error is one line on stderr."""
    logger = logging.getLogger("scenario_uploads")
    handler, level = logging.StreamHandler(), logger.level
    # Resumed and restarted uploads and odd responses; not the requests that an embedded sandbox serves.
    handler.addFilter(lambda record: record.name == logger.name)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    for stream in (sys.stdout, sys.stderr):
        # A file name that the terminal cannot encode must not fail the upload.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _run(arguments)
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)


def _run(arguments: list[str] | None) -> int:
    try:
        code = app(arguments, prog_name="scenario-uploads", standalone_mode=False)
        # Flush now: at exit, a full disk could not be reported.
        if sys.stdout is not None:
            sys.stdout.flush()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except ScenarioError as error:
        named = error.upload_id and error.upload_id not in error.message
        report(
            f"error: {snippet(error.message, 1000)}" + (f" (upload {snippet(error.upload_id or '')})" if named else "")
        )
        return next(code for kind, code in EXIT_CODES if isinstance(error, kind))
    except OSError as error:
        # The result could not be printed: a full disk or a closed pipe. Discard the rest.
        silence(1)
        report(f"error: {snippet(error.strerror or str(error))}")
        return 1
    except Exception as error:
        # The parser's own errors, from typer or click, know their message.
        format_message = getattr(error, "format_message", None)
        if format_message is None:
            raise
        report(f"error: {snippet(format_message(), 1000)} (scenario-uploads --help explains)")
        return 2
    if code == INTERRUPTED:
        report("error: interrupted")
    return code if isinstance(code, int) else 0
