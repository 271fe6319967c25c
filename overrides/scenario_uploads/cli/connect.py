"""The client of a command, for the service or for a sandbox that lives as long as the command; and `sandbox` itself."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import typer
from attrs import asdict, frozen

from scenario_uploads.arguments import GIB, MAX_AT_ONCE
from scenario_uploads.client.sync_client import Scenario
from scenario_uploads.errors import CredentialsError, InvalidArgumentError
from scenario_uploads.lines import report
from scenario_uploads.redaction import snippet
from scenario_uploads.settings.client import ClientArguments, ClientOptions, resolve_options

from .options import SETTINGS, Options, UsageError, flag, option

_SETTINGS = ("api_key", "api_secret", "bearer_auth", "base_url", "project_id", "allow_http_storage")


@contextmanager
def connect(options: Options) -> Iterator[Scenario]:
    """Yield a client for the service, or for a sandbox of its own."""
    with ExitStack() as stack:
        arguments = options.pick(*_SETTINGS)
        if options.sandbox:
            if options.base_url is not None:
                raise UsageError("Give --sandbox or --base-url, not both.")
            box = stack.enter_context(open_sandbox())
            # The environment is for the real service; an error in it must not stop a sandbox.
            arguments = {"base_url": box.base_url, "api_key": box.api_key, "api_secret": box.api_secret}
            arguments |= {"project_id": options.project_id, "trust_env": False}
        yield stack.enter_context(Scenario(**arguments))


def find_service(options: Options) -> ClientOptions | None:
    """Return the settings of the client that `connect` would give, or None without credentials."""
    with suppress(CredentialsError):
        return resolve_options(os.environ, ClientArguments(**options.pick(*_SETTINGS)))
    return None


@contextmanager
def open_sandbox(**options: Any) -> Iterator[Any]:
    try:
        from scenario_uploads.sandbox import Sandbox, SandboxError  # noqa: PLC0415 - slow to import
    except ImportError as error:
        raise UsageError(f"The sandbox is not installed: {error}.") from error
    try:
        with Sandbox(**options) as box:
            yield box
    except SandboxError as error:
        raise InvalidArgumentError(f"The sandbox cannot start: {error}.") from error


@frozen(kw_only=True)
class SandboxOptions:
    host: str = option("The address to listen on.", default="127.0.0.1")
    port: int = option("The port of the API; 0 picks a free one.", default=4010)
    storage_port: int = option("The port of the storage; 0 picks a free one.", default=0)
    folder: Path | None = option("Where to store files. Default: a temporary folder.")
    s3_endpoint: str | None = option("Store files in this S3; AWS variables apply.")
    s3_bucket: str = option("The bucket in that S3.", default="scenario-uploads")
    url_lifetime: int = option("Lifetime of presigned URLs, in seconds.", default=48 * 3600)
    step_delay: float = option("Duration of each step of an import, in seconds.", default=0.5)
    max_stored: int = option("Limit on all stored files, such as 10GiB.", "SIZE", default=64 * GIB)
    allow_remote: bool = flag("Allow a --host other than loopback, over plain http.", "--allow-remote")
    page: bool = option("Serve a web page.", default=True)


def serve(options: SandboxOptions) -> None:
    """Run a local service to develop against, without an account.

    Its web page, at the root of its address, shows the uploads; only this machine can open it.

    It accepts the credentials in SCENARIO_SDK_API_KEY and SCENARIO_SDK_API_SECRET, or generates some, and prints them.
    """
    credentials = {name: os.environ.get(SETTINGS[name].variable) or None for name in ("api_key", "api_secret")}
    with suppress(KeyboardInterrupt), open_sandbox(**asdict(options), **credentials) as box:
        typer.echo(f"export SCENARIO_BASE_URL={box.base_url}")
        typer.echo(f"export SCENARIO_SDK_API_KEY={box.api_key}")
        typer.echo(f"export SCENARIO_SDK_API_SECRET={box.api_secret}")
        if not box.is_local:
            typer.echo("export SCENARIO_ALLOW_HTTP_STORAGE=1")
            report("It speaks plain http: upload with --allow-http-storage, that variable or allow_http_storage=True.")
        page = f" Its page is at {box.page_url}" if options.page and box.is_local else ""
        report(f"The sandbox is ready; Ctrl-C ends it.{page}")
        box.wait()


@contextmanager
def join_cluster(address: str | None) -> Iterator[dict[str, Any]]:
    """Yield the arguments of `upload_many` for a Dask cluster; none without one."""
    if address is None:
        yield {}
        return
    try:
        from distributed import Client  # noqa: PLC0415 - slow, and an extra
    except ImportError:
        raise UsageError("--dask needs distributed: pip install distributed.") from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        make: Any = Client
        cluster = make(address, set_as_default=False, timeout=10)  # seconds
    except (OSError, ValueError) as error:
        reason = f"no Dask scheduler can be reached at {address!r} ({snippet(str(error))})"
        raise UsageError(f"--dask: {reason}; give an address such as tcp://scheduler:8786.") from error
    with cluster:
        threads = sum(cluster.nthreads().values())
        yield {"executor": cluster.get_executor(), "files_at_once": min(max(threads, 1), MAX_AT_ONCE)}
