# The clients in short. `make generate` writes `async_client.py` from this module, and `sync_client.py` from that; this
# one is never imported. A parameter called `options` becomes a keyword argument for each field of its class that has a
# text, which is its description.
"""`AsyncScenario`: the client for asyncio."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Mapping
from functools import partial
from operator import attrgetter
from types import TracebackType
from typing import Any, Self

import httpx
from attrs import evolve

from scenario_uploads.api import calls
from scenario_uploads.api.exchange import Api
from scenario_uploads.arguments import FileInput, Omit
from scenario_uploads.bulk.options import BulkOptions, Sources, UploadResult
from scenario_uploads.logs import show_log
from scenario_uploads.models import (
    Upload,
    UploadAssetOptions,
    UploadCreateResponse,
    UploadKind,
    UploadRetrieveResponse,
    UploadTriggerActionResponse,
)
from scenario_uploads.settings.client import (
    ClientArguments,
    ClientChanges,
    ClientOptions,
    change_options,
    check_http_client,
    list_arguments,
    resolve_options,
)
from scenario_uploads.upload import steps as upload_steps
from scenario_uploads.upload.imports import import_upload, name_civitai, name_hugging_face, name_url
from scenario_uploads.upload.options import FileOptions, ImportOptions, WaitOptions

from .async_operations import AsyncScenarioOperations, AsyncUploadsOperations
from .async_runner import AsyncConnections, AsyncRunner, AsyncUploadHandle, upload_all_async
from .runner import explain


class AsyncScenario(AsyncScenarioOperations):
    """A client of Scenario's API.

    Close it, or use it as a context manager, to free its connections.

    Args:
        options: The settings.
        http_client: An `httpx.AsyncClient` whose transport, proxies and limits carry the calls to the API. The base
            URL and credentials stay those of this client, redirects are not followed, and closing it is up to the
            caller, unless it is a `DefaultAsyncHttpxClient`. The parts of files do not go through it.

    Raises:
        CredentialsError: When the credentials are missing, half a pair, of both kinds, or have control characters.
        InvalidArgumentError: When another setting cannot be used.
    """

    __module__ = "scenario_uploads"

    uploads: AsyncUploads

    def __init__(
        self,
        options: ClientArguments,
        *,
        http_client: httpx.AsyncClient | None = None,
        _strict_response_validation: bool = False,
    ) -> None:
        check_http_client(http_client, httpx.AsyncClient)
        options = evolve(options, strict_responses=options.strict_responses or _strict_response_validation)
        settings = resolve_options(os.environ, options, http_client)
        if settings.trust_env:
            show_log(os.environ.get("SCENARIO_LOG"))
        self._begin(settings, AsyncRunner(AsyncConnections(settings, http_client)))

    def _begin(self, settings: ClientOptions, runner: AsyncRunner) -> None:
        self._options, self._runner = settings, runner
        self.uploads = AsyncUploads(Api(settings), runner)

    def copy(self, options: ClientChanges, *, http_client: httpx.AsyncClient | None = None) -> Self:
        """Return a client with some settings changed, such as `client.with_options(timeout=5).uploads.retrieve(id)`.

        It shares the connections, unless it gets an `http_client`, a `verify` or a `trust_env` of its own. Closing the
        copy leaves this client open; closing this client ends its copies.

        Args:
            options: What is to change.
            http_client: An `httpx.AsyncClient` that carries the calls to the API instead.

        Raises:
            InvalidArgumentError: When a setting cannot be used, as for a new client.
        """
        check_http_client(http_client, httpx.AsyncClient)
        settings = change_options(os.environ, self._options, options, http_client)
        twin = type(self).__new__(type(self))
        vars(twin).update(vars(self))
        twin._begin(settings, self._runner.copy(settings, http_client))  # noqa: SLF001 - of the same class
        return twin

    with_options = copy

    @property
    def api_key(self) -> str | None:
        """The API key, a secret; None with other credentials."""
        return self._options.credentials.api_key

    @property
    def api_secret(self) -> str | None:
        """The API secret; None with other credentials."""
        return self._options.credentials.api_secret

    @property
    def bearer_auth(self) -> str | None:
        """The bearer token, a secret; None with other credentials."""
        return self._options.credentials.bearer_auth

    @property
    def base_url(self) -> httpx.URL:
        """Where the API is, with a slash at the end."""
        return httpx.URL(self._options.base_url + "/")

    @property
    def project_id(self) -> str | None:
        """The project of every call, unless the call has another one."""
        return self._options.project_id

    @property
    def timeout(self) -> httpx.Timeout:
        """The timeouts of a call, in seconds."""
        return self._options.timeout

    @property
    def max_retries(self) -> float:
        """Retries of a call after a temporary failure."""
        return self._options.max_retries

    @property
    def default_headers(self) -> dict[str, str | Omit]:
        """The headers given for every call, in the environment or as an argument."""
        return self._options.all_headers

    @property
    def default_query(self) -> dict[str, object]:
        """The query parameters given for every call."""
        return dict(self._options.default_query)

    def __reduce__(self) -> tuple[Any, ...]:
        # Connections stay here, and so does what the environment gave.
        return partial(type(self), **list_arguments(self._options)), ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self._options.base_url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections. The client cannot be used afterwards. Idempotent."""
        await self._runner.close()

    def is_closed(self) -> bool:
        """Return whether the client, its connections or its `http_client` are closed."""
        return self._runner.closed


class AsyncUploads(AsyncUploadsOperations):
    """The uploads of an account.

    `upload_file` uploads a local file; `import_url` and the like let the service fetch one. `create`, `retrieve` and
    `trigger_action` are the calls of the contract, for sending the parts by other means. A create that imports is
    never retried once it may have arrived, since the import might run twice. When the response to `complete` is lost,
    a retrieve shows whether the service received it.
    """

    __module__ = "scenario_uploads"

    def __reduce__(self) -> tuple[Any, ...]:
        # For executors that are given `client.uploads.upload_file`.
        client = AsyncScenario.__new__(AsyncScenario)
        client._begin(self._api.options, self._runner)  # noqa: SLF001 - of the same module
        return attrgetter("uploads"), (client,)

    async def wait(
        self,
        upload_id: str | Upload | UploadCreateResponse | UploadRetrieveResponse | UploadTriggerActionResponse,
        options: WaitOptions,
    ) -> Upload:
        """Wait until an upload is imported, polling with growing delays of up to 5 s.

        Args:
            upload_id: The `id` of the upload, the upload itself, or a response that holds it.
            options: How long to wait.

        Returns:
            The imported upload, with its `entity_id` when the service gives one.

        Raises:
            UploadFailedError: When the service could not import the file.
            UploadTimeoutError: When it was not imported in time. It may still be later.
            APIError: When a poll fails for a reason that is not temporary.
        """
        call = self._api.options.resolve_call(options.project_id)
        return await self._runner.run(calls.wait(self._api, upload_id, options.timeout, call))

    async def upload_file(self, file: FileInput, options: FileOptions) -> Upload:
        """Upload a file: create, send its parts, complete, and wait for the import.

        A file of at most 16 MiB is kept in memory; a larger one is read in chunks of at most 1 MiB.

        Args:
            file: A path, the URL of a file that fsspec can read (`s3://`, `gs://`, `hf://` …; extra `fsspec`), bytes,
                or a binary file object, which is sent from its current position and neither closed nor moved. From a
                stream that cannot seek, the current part is kept until it is stored.
            options: How to upload it.

        Returns:
            The imported upload, with its `entity_id`; with `wait=False`, the completed one.

        Raises:
            InvalidArgumentError: When an argument cannot be used; `SourceError` for the file. Nothing was sent.
            TransferError: When the parts could not be sent; `SourceChangedError` when the file changed meanwhile,
                `IntegrityError` when storage received other bytes, `UploadURLExpiredError` when the URLs expired.
            LedgerLockedError: When the same upload is being resumed elsewhere.
            UploadFailedError: When the service could not import the file.
            UploadTimeoutError: When the import did not finish within `timeout`, or the call within `deadline`.
            APIError: When a call to the API fails.
        """
        options = evolve(options, call=self._api.options.resolve_call(options.project_id))
        return await self._runner.run(upload_steps.upload_file(self._api, file, options))

    def start_upload(self, file: FileInput, options: FileOptions) -> AsyncUploadHandle:
        """Upload a file in the background: return at once, with a handle to wait for, pause and cancel the upload.

        At most eight uploads of a client run at once; the others wait their turn. For many files, use `upload_many`.
        Closing the client cancels unfinished uploads. Paused time does not count towards any time limit.

        Args:
            file: As for `upload_file`.
            options: As for `upload_file`.

        Returns:
            A handle, whose result is what `upload_file` returns or raises; `CancelledError` once it is cancelled. Its
            `progress` has the last `UploadProgress`.

        Raises:
            InvalidArgumentError: When an argument but the file cannot be used.
            ScenarioError: When the client is closed.
        """
        options = evolve(options, call=self._api.options.resolve_call(options.project_id))
        return self._runner.start(*upload_steps.start_upload(self._api, file, options, self._runner.connections.line))

    async def import_url(
        self,
        url: str,
        options: ImportOptions,
        *,
        kind: UploadKind | str | None = None,
        asset_options: UploadAssetOptions | Mapping[str, object] | None = None,
    ) -> Upload:
        """Let the service fetch a file from a URL, and wait for the import.

        The create is never sent twice, since the import might run twice. `create(..., dry_run=True)` asks for the cost.

        Args:
            url: Where the file is: an http or https URL that the service can reach.
            options: How to wait for it.
            kind: One of the contract's kinds, such as `"3d"`. Default: inferred from the end of the URL's path.
            asset_options: What to do with the asset: `collection_ids`, `hide`, `parent_id`. Not for `kind="model"`.

        Returns:
            The imported upload, with its `entity_id`; with `wait=False`, the upload as it was created.

        Raises:
            InvalidArgumentError: When an argument cannot be used. Nothing was sent.
            UploadFailedError: When the service could not import it.
            UploadTimeoutError: When the import was not done in time. It may still be later.
            APIError: When a call fails. After a create without a response, or with a 5xx, the outcome is unknown.
        """
        return await self._import(name_url(url, kind) | {"asset_options": asset_options}, options)

    async def import_hugging_face(self, name: str, options: ImportOptions) -> Upload:
        """Let the service fetch a model from the Hugging Face hub, and wait for the import, as `import_url` does.

        Args:
            name: The model, as `"owner/name"`.
            options: How to wait for it.

        Raises:
            ScenarioError: As `import_url`.
        """
        return await self._import(name_hugging_face(name), options)

    async def import_civitai(self, url: str, options: ImportOptions) -> Upload:
        """Let the service fetch a model from Civitai, and wait for the import, as `import_url` does.

        Args:
            url: The page of the model; a `modelVersionId` in it names the version.
            options: How to wait for it.

        Raises:
            ScenarioError: As `import_url`.
        """
        return await self._import(name_civitai(url), options)

    async def _import(self, arguments: Mapping[str, object], given: ImportOptions) -> Upload:
        given = evolve(given, call=self._api.options.resolve_call(given.project_id))
        return await self._runner.run(import_upload(self._api, arguments, given))

    def upload_many(self, sources: Sources, options: BulkOptions) -> AsyncGenerator[UploadResult]:
        """Upload many files or whole folders, and resume where an earlier call stopped.

        Folders are read while files are sent, so memory use depends neither on the number of files nor on their size.
        A ledger records finished files, which later calls skip, also under another name. Work starts when the first
        result is requested, and stops when the iterator is closed or discarded.

        Args:
            sources: Paths of files and folders, globs such as `"refs/**/*.png"`, and `UploadSource(...)` for files with
                settings of their own; any iterable of these, or a single one.
            options: How to upload them.

        Returns:
            An iterator of `UploadResult`, one for each file, as they finish. The result of a file that fails has the
            `error`.

        Raises:
            InvalidArgumentError: When an argument cannot be used, or a source is a folder without `recursive`.
            LedgerLockedError: When another run uses the ledger. Raised with the first result, as is the next one.
            LedgerError: When the ledger is damaged, or cannot be used.
        """
        try:
            from scenario_uploads.bulk.run import BulkRun  # noqa: PLC0415 - slow, with SQLite
        except OSError as error:
            raise explain(error) from error

        options = evolve(options, call=self._api.options.resolve_call(options.project_id))
        return upload_all_async(self._runner.copy(self._api.options), BulkRun(self._api, sources, options))


# The name in scenario-sdk.
AsyncClient = AsyncScenario
