"""Sending the parts of files in the workers of an executor; the process with the ledger completes the uploads.

A worker that dies leaves at most an incomplete upload, and its file is sent once more.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from functools import lru_cache
from typing import Any

from attrs import evolve, field, frozen

from scenario_uploads.api.exchange import Api
from scenario_uploads.arguments import MAX_AT_ONCE, FileInput
from scenario_uploads.errors import CredentialsError, ScenarioError, SourceError, TransferError
from scenario_uploads.redaction import snippet
from scenario_uploads.remote import is_url
from scenario_uploads.settings.client import ClientArguments, ClientOptions, resolve_options
from scenario_uploads.system import await_outcome
from scenario_uploads.upload.options import FileOptions
from scenario_uploads.upload.steps import Sent, send_file

from .limiter import Limiter, limit
from .workers import Runner


@frozen
class Site:
    """A run of a client with these arguments, whose files share connections in each worker."""

    run: str
    connect: Callable[[ClientOptions], Runner] = field(eq=False)
    arguments: Mapping[str, Any] = field(eq=False, repr=False)


@frozen
class Errand:
    """A task for a worker. Its `repr` shows no secret: some executors log it."""

    site: Site
    file: FileInput = field(repr=False)
    options: FileOptions = field(repr=False)


def send_by(executor: Executor, site: Site, file: FileInput, options: FileOptions, check: Callable[[], object]) -> Sent:
    """Let a worker send a file, once more if that fails, until `check` raises."""
    if isinstance(file, str | os.PathLike) and not is_url(os.fspath(file)):
        # The worker has another current folder.
        file = os.path.abspath(file)  # noqa: PTH100 - it resolves no links
    errand, again = Errand(site, file, evolve(options, on_progress=None, turns=None)), False
    while True:
        try:
            # Dask names a task by its arguments, and runs tasks of one name only once.
            task = executor.submit(run_errand, errand, uuid.uuid4().hex)
            try:
                return await_outcome(task, check)
            finally:
                task.cancel()
        except (CredentialsError, SourceError) as error:
            raise type(error)(f"On a worker: {error.message}") from error
        except ScenarioError:
            raise
        except BaseException as error:
            if again:
                what = f"{type(error).__name__}: {snippet(str(error))}".rstrip(".: ")
                raise TransferError(
                    f"The worker that was sending the file was lost or has failed ({what}); the same call sends it"
                    " again, with a new executor if this one has ended."
                ) from error
        again = True


@lru_cache(maxsize=4)
def connect(site: Site) -> tuple[Runner, Api, Limiter]:
    """Return what the files of a run share in a worker process."""
    settings = resolve_options(os.environ, ClientArguments(**site.arguments))
    return site.connect(settings), Api(settings), Limiter(MAX_AT_ONCE)


def run_errand(errand: Errand, _number: str) -> Sent:
    """Send the parts of a file, in a worker process."""
    runner, api, limiter = connect(errand.site)
    return runner.run(limit(send_file(api, errand.file, errand.options), limiter, api))
