"""Sending the parts of files in the workers of an executor.

A worker only creates an upload and sends its parts; the process with the ledger completes it. A worker that dies leaves
at most an incomplete upload, and its file is sent once more.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future
from typing import Any

from attrs import evolve, field, frozen

from scenario_uploads.api.exchange import Api
from scenario_uploads.arguments import FileInput
from scenario_uploads.errors import CredentialsError, InvalidArgumentError, ScenarioError, SourceError, TransferError
from scenario_uploads.redaction import snippet
from scenario_uploads.remote import is_url
from scenario_uploads.settings.arguments import ClientArguments
from scenario_uploads.settings.client import ClientOptions, list_arguments, resolve_options
from scenario_uploads.steps import CLOSED, SLICE
from scenario_uploads.upload.options import FileOptions
from scenario_uploads.upload.steps import send_file

from .limiter import Limiter, limit
from .options import MAX_FILES_AT_ONCE
from .workers import Runner

Sent = tuple[str, Mapping[int, str | None]]
"""The id of an upload whose parts are all stored, and their MD5s."""


Connect = Callable[[ClientOptions], Runner]
"""Returns a runner with its own connections."""


@frozen
class Errand:
    """A task for a worker. Its `repr` shows no secret, since some executors log it."""

    arguments: Mapping[str, Any] = field(repr=False)
    """The arguments of the client."""
    file: FileInput = field(repr=False)
    options: FileOptions = field(repr=False)
    # Dask names a task by its arguments, and runs tasks of one name only once.
    number: str = field(factory=lambda: uuid.uuid4().hex)


class Elsewhere:
    """Sends files by an executor; refuses client settings that cannot be pickled."""

    def __init__(self, executor: Executor, settings: ClientOptions, at_once: int) -> None:
        self._executor, self._at_once = executor, at_once
        self._arguments = list_arguments(settings)

    def send(self, file: FileInput, options: FileOptions, work: Callable[..., Sent], ended: Callable[[], bool]) -> Sent:
        """Run `work` on a file in a worker, again if it fails once; return early when the call has ended."""
        given, bandwidth = _prepare(file), options.max_bandwidth
        options = evolve(
            options,
            on_progress=None,
            turns=None,
            max_bandwidth=bandwidth and max(1.0, bandwidth / self._at_once),
        )
        again = False
        while True:
            try:
                return _wait(self._executor.submit(work, Errand(self._arguments, given, options)), ended)
            except CredentialsError as error:
                raise CredentialsError(
                    "A worker has no credentials: those in this environment are not sent to it. Set"
                    " SCENARIO_SDK_API_KEY and SCENARIO_SDK_API_SECRET, or SCENARIO_SDK_JWT, where the workers run, or"
                    " give api_key= and api_secret= here."
                ) from error
            except SourceError as error:
                where = "on a worker, which needs the files at the same paths, or at URLs that it can read"
                raise SourceError(f"{error.message.rstrip('.')} ({where}).") from error
            except ScenarioError:
                raise
            except BaseException as error:
                if again or isinstance(error, BrokenExecutor):
                    what = f"{type(error).__name__}: {snippet(str(error))}".rstrip(".: ")
                    raise TransferError(
                        f"The worker that was sending the file was lost or has failed ({what}); the same call sends it"
                        " again, with a new executor if this one has ended."
                    ) from error
            again = True


def _wait(task: Future[Sent], ended: Callable[[], bool]) -> Sent:
    while not ended():
        try:
            return task.result(SLICE)
        except TimeoutError:
            if task.done():
                raise
    task.cancel()
    raise ScenarioError(CLOSED)


def _prepare(file: Any) -> FileInput:
    """Return a file in a form that does not depend on the worker's current folder."""
    if isinstance(file, bytes | bytearray | memoryview):
        return bytes(file)
    if not isinstance(file, str | os.PathLike):
        raise InvalidArgumentError(
            f"A {type(file).__name__} cannot go to another process; give the path of the file, or bytes."
        )
    path = os.fspath(file)
    return path if is_url(str(path)) else os.path.abspath(path)  # noqa: PTH100 - it resolves no links


# In a worker process: the connections by run, reused for the files of that run.
_connected: dict[str, tuple[Runner, Api, Limiter]] = {}
_connected_lock = threading.Lock()
_MOST_CONNECTED = 4


def send_elsewhere(connect: Connect, run: str, errand: Errand) -> Sent:
    """Send the parts of a file, in a worker process; return the id of its upload and their MD5s."""
    with _connected_lock:
        if run not in _connected:
            if len(_connected) >= _MOST_CONNECTED:
                _connected.pop(next(iter(_connected)))
            settings = resolve_options(os.environ, ClientArguments(**errand.arguments))
            _connected[run] = connect(settings), Api(settings), Limiter.begin(MAX_FILES_AT_ONCE)
        runner, api, limiter = _connected[run]
    return runner.run(limit(send_file(api, errand.file, errand.options), limiter, api))


def disconnect(run: str) -> None:
    """Close the connections of a run that workers opened in this process, as a ThreadPoolExecutor's do."""
    if run in _connected:
        _connected.pop(run)[0].close()
