"""The client of a command, for the service or for a sandbox that lives as long as the command; and `sandbox` itself."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from scenario_uploads.bulk.options import MAX_FILES_AT_ONCE
from scenario_uploads.client.sync_client import Scenario
from scenario_uploads.display import report
from scenario_uploads.errors import CredentialsError
from scenario_uploads.redaction import snippet
from scenario_uploads.settings.client import ClientOptions

from .options import Settings, Terminated, UsageError, parse_size, pick

# Seconds to wait for a scheduler.
CLUSTER_TIMEOUT = 10


@contextmanager
def connect(
    settings: Settings,
    *,
    base_url: str | None = None,
    project_id: str | None = None,
    allow_http: bool = False,
    sandbox: bool = False,
) -> Iterator[Scenario]:
    """Yield a client with the settings, which options override."""
    given = {"base_url": base_url, "project_id": project_id, "allow_http_storage": allow_http or None}
    with ExitStack() as stack:
        if sandbox:
            if base_url is not None:
                raise UsageError("Give --sandbox or --base-url, not both.")
            box = stack.enter_context(_open_sandbox())
            # The environment is for the real service; an error in it must not stop a sandbox.
            arguments: dict[str, Any] = {"project_id": project_id, "trust_env": False}
            arguments |= {"base_url": box.base_url, "api_key": box.api_key, "api_secret": box.api_secret}
        else:
            arguments = pick(settings, api_key=None, api_secret=None, bearer_auth=None, **given)
        yield stack.enter_context(Scenario(**arguments))


def find_service(settings: Settings, **given: Any) -> ClientOptions | None:
    """Return the settings of the client that `connect` would give, or None without credentials."""
    try:
        with connect(settings, **given) as client:
            return client.uploads._api.options  # noqa: SLF001 - whose uploads a ledger knows
    except CredentialsError:
        return None


def load_sandbox() -> tuple[Any, type[Exception]]:
    """Import the sandbox, which is an extra; return its class and its error."""
    try:
        from scenario_uploads.sandbox import Sandbox, SandboxError  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise UsageError(f"The sandbox is not installed: {error}.") from error
    return Sandbox, SandboxError


@contextmanager
def _open_sandbox(**options: Any) -> Iterator[Any]:
    box_class, sandbox_error = load_sandbox()
    try:
        with box_class(**options) as box:
            yield box
    except sandbox_error as error:
        raise UsageError(f"The sandbox cannot start: {error}.") from error


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port of the API; 0 picks a free one.")] = 4010,
    storage_port: Annotated[int, typer.Option(help="The port of the storage; 0 picks a free one.")] = 0,
    folder: Annotated[Path | None, typer.Option(help="Where to store files. Default: a temporary folder.")] = None,
    s3_endpoint: Annotated[str | None, typer.Option(help="Store files in this S3; AWS variables apply.")] = None,
    s3_bucket: Annotated[str, typer.Option(help="The bucket in that S3.")] = "scenario-uploads",
    url_lifetime: Annotated[int, typer.Option(help="Lifetime of presigned URLs, in seconds.")] = 48 * 3600,
    step_delay: Annotated[float, typer.Option(help="Duration of each step of an import, in seconds.")] = 0.5,
    max_stored: Annotated[
        int, typer.Option(parser=parse_size, metavar="SIZE", help="Limit on all stored files, such as 10GiB.")
    ] = 64 * 1024**3,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Allow a --host other than loopback, over plain http.")
    ] = False,
    no_page: Annotated[bool, typer.Option("--no-page", help="Serve no web page.")] = False,
) -> None:
    """Run a local service to develop against, without an account.

    Its web page, at the root of its address, shows the uploads; only this machine can open it.

    It accepts the credentials in SCENARIO_SDK_API_KEY and SCENARIO_SDK_API_SECRET, or generates some, and prints them.
    """
    with (
        suppress(Terminated),
        _open_sandbox(
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
            page=not no_page,
            api_key=os.environ.get("SCENARIO_SDK_API_KEY") or None,
            api_secret=os.environ.get("SCENARIO_SDK_API_SECRET") or None,
        ) as box,
    ):
        typer.echo(f"export SCENARIO_BASE_URL={box.base_url}")
        typer.echo(f"export SCENARIO_SDK_API_KEY={box.api_key}")
        typer.echo(f"export SCENARIO_SDK_API_SECRET={box.api_secret}")
        if not box.is_local:
            typer.echo("export SCENARIO_ALLOW_HTTP_STORAGE=1")
            report("It speaks plain http: upload with --allow-http-storage, that variable or allow_http_storage=True.")
        page = "" if no_page or not box.is_local else f" Its page is at {box.page_url}"
        typer.echo(f"The sandbox is ready; Ctrl-C ends it.{page}", err=True)
        box.wait()


@contextmanager
def join_cluster(address: str | None) -> Iterator[dict[str, Any]]:
    """Yield the arguments of `upload_many` for a Dask cluster; none without one."""
    if address is None:
        yield {}
        return
    said = f"no Dask scheduler can be reached at {address!r}; give an address such as tcp://scheduler:8786"
    # Otherwise distributed itself gives up only after half a minute.
    if not re.fullmatch(r"(tcp|tls|ucx|wss?)://\S+:\d+", address):
        raise UsageError(f"--dask: {said}.")
    try:
        from distributed import Client  # noqa: PLC0415 - slow, and an extra
    except ImportError:
        raise UsageError("--dask needs distributed: pip install distributed.") from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        make: Any = Client
        cluster = make(address, set_as_default=False, timeout=CLUSTER_TIMEOUT)
    except OSError as error:
        raise UsageError(f"--dask: {said} ({snippet(str(error))}).") from error
    with cluster:
        threads = sum(cluster.nthreads().values())
        yield {"executor": cluster.get_executor(), "files_at_once": min(max(threads, 1), MAX_FILES_AT_ONCE)}
