# Generated from async_client.py by make generate. Do not edit.
# Generated from template.py by make generate. Do not edit.
"""`Scenario`: the client for code that waits for its responses."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import Executor
from functools import partial
from operator import attrgetter
from types import TracebackType
from typing import Any, Self

import httpx
from attrs import evolve

from scenario_uploads.api import calls
from scenario_uploads.api.exchange import Api
from scenario_uploads.arguments import (
    NOT_GIVEN,
    FileInput,
    NotGiven,
    Omit,
)
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
from scenario_uploads.progress import BulkProgress, UploadProgress
from scenario_uploads.retry import DEFAULT_MAX_RETRIES, DEFAULT_PATIENCE
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

from .runner import Connections, Runner, UploadHandle, explain, upload_all
from .sync_operations import ScenarioOperations, UploadsOperations


class Scenario(ScenarioOperations):
    """A client of Scenario's API.

    Close it, or use it as a context manager, to free its connections.

    Args:
        api_key: The API key, with `api_secret`. Default: the environment's `SCENARIO_SDK_API_KEY`.
        api_secret: The API secret. Default: the environment's `SCENARIO_SDK_API_SECRET`.
        bearer_auth: A bearer token instead of key and secret. Default: the environment's `SCENARIO_SDK_JWT`. What is
            given here wins over the environment.
        base_url: Where the API is. Default: the environment's `SCENARIO_BASE_URL`, or the production service.
        timeout: Seconds for connecting, reading, writing, an `httpx.Timeout`, or None for the default. Default: that of
            `http_client`, or 10 s to connect and 60 s for the rest.
        max_retries: Retries after a temporary failure, from 0; `math.inf` for no limit.
        default_headers: Headers to send with every call to the API, besides those in the environment's
            `SCENARIO_CUSTOM_HEADERS`, one `Name: value` on each line. An `Authorization` here replaces the credentials.
        default_query: Query parameters to send with every call to the API.
        project_id: The project that owns uploads, sent with every call to assert or to set the owner. The argument of a
            call wins.
        strict_responses: Raise `APIResponseValidationError` when a response differs from the contract, instead of
            logging a warning.
        verify: Trusted CAs: the path of a CA file or of a folder of them, or an `ssl.SSLContext`, for the API and
            storage; with an `http_client`, for storage alone. Default: the environment's `SSL_CERT_FILE` or
            `SSL_CERT_DIR`, or the CAs of certifi. Verification cannot be turned off.
        allow_http_storage: Accept presigned URLs with plain http, such as those of a sandbox on another machine. Anyone
            on the network path can then read and change the parts. Default: whether the environment's
            `SCENARIO_ALLOW_HTTP_STORAGE` is 1.
        trust_env: Read the environment: credentials and settings, `SCENARIO_LOG`, proxies, CA files.
        http_client: An `httpx.Client` whose transport, proxies and limits carry the calls to the API. The base
            URL and credentials stay those of this client, redirects are not followed, and closing it is up to the
            caller, unless it is a `DefaultHttpxClient`. The parts of files do not go through it.

    Raises:
        CredentialsError: When the credentials are missing, half a pair, of both kinds, or have control characters.
        InvalidArgumentError: When another setting cannot be used.
    """

    __module__ = "scenario_uploads"

    uploads: Uploads

    def __init__(
        self,
        *,
        api_key: str | None = None,
        api_secret: str | None = None,
        bearer_auth: str | None = None,
        base_url: str | httpx.URL | None = None,
        timeout: float | httpx.Timeout | NotGiven | None = None,
        max_retries: float = DEFAULT_MAX_RETRIES,
        default_headers: Mapping[str, str] | None = None,
        default_query: Mapping[str, object] | None = None,
        project_id: str | None = None,
        strict_responses: bool = False,
        verify: str | os.PathLike[str] | ssl.SSLContext | None = None,
        allow_http_storage: bool | None = None,
        trust_env: bool = True,
        http_client: httpx.Client | None = None,
        _strict_response_validation: bool = False,
    ) -> None:
        options = ClientArguments(
            api_key=api_key,
            api_secret=api_secret,
            bearer_auth=bearer_auth,
            base_url=base_url,
            timeout=timeout,
            max_retries=max_retries,
            default_headers=default_headers,
            default_query=default_query,
            project_id=project_id,
            strict_responses=strict_responses,
            verify=verify,
            allow_http_storage=allow_http_storage,
            trust_env=trust_env,
        )
        check_http_client(http_client, httpx.Client)
        options = evolve(options, strict_responses=options.strict_responses or _strict_response_validation)
        settings = resolve_options(os.environ, options, http_client)
        if settings.trust_env:
            show_log(os.environ.get("SCENARIO_LOG"))
        self._begin(settings, Runner(Connections(settings, http_client)))

    def _begin(self, settings: ClientOptions, runner: Runner) -> None:
        self._options, self._runner = settings, runner
        self.uploads = Uploads(Api(settings), runner)

    def copy(
        self,
        *,
        api_key: str | None = None,
        api_secret: str | None = None,
        bearer_auth: str | None = None,
        base_url: str | httpx.URL | None = None,
        timeout: float | httpx.Timeout | NotGiven | None = NOT_GIVEN,
        max_retries: float | NotGiven = NOT_GIVEN,
        default_headers: Mapping[str, str] | None = None,
        set_default_headers: Mapping[str, str] | None = None,
        default_query: Mapping[str, object] | None = None,
        set_default_query: Mapping[str, object] | None = None,
        project_id: str | Omit | None = None,
        strict_responses: bool | None = None,
        verify: str | os.PathLike[str] | ssl.SSLContext | None = None,
        allow_http_storage: bool | None = None,
        trust_env: bool | None = None,
        http_client: httpx.Client | None = None,
    ) -> Self:
        """Return a client with some settings changed, such as `client.with_options(timeout=5).uploads.retrieve(id)`.

        It shares the connections, unless it gets an `http_client`, a `verify` or a `trust_env` of its own. Closing the
        copy leaves this client open; closing this client ends its copies.

        Args:
            api_key: Another API key; without `api_secret`, the secret stays, and the reverse.
            api_secret: The API secret.
            bearer_auth: A bearer token instead of key and secret.
            base_url: Where the API is.
            timeout: Seconds for connecting, reading, writing, an `httpx.Timeout`, or None for the default.
            max_retries: Retries after a temporary failure, from 0; `math.inf` for no limit.
            default_headers: Headers to add to the current ones, or to replace those of the same name.
            set_default_headers: All headers to send, instead of the current ones.
            default_query: Query parameters to add to the current ones, or to replace those of the same name.
            set_default_query: All query parameters to send, instead of the current ones.
            project_id: Another project; `omit` for none.
            strict_responses: Raise `APIResponseValidationError` when a response differs from the contract, instead of
                logging a warning.
            verify: Trusted CAs: the path of a CA file or of a folder of them, or an `ssl.SSLContext`, for the API and
                storage; with an `http_client`, for storage alone.
            allow_http_storage: Accept presigned URLs with plain http, such as those of a sandbox on another machine.
                Anyone on the network path can then read and change the parts.
            trust_env: Whether the environment's headers, proxies and CA files are used; credentials stay as they are.
            http_client: An `httpx.Client` that carries the calls to the API instead.

        Raises:
            InvalidArgumentError: When a setting cannot be used, as for a new client.
        """
        options = ClientChanges(
            api_key=api_key,
            api_secret=api_secret,
            bearer_auth=bearer_auth,
            base_url=base_url,
            timeout=timeout,
            max_retries=max_retries,
            default_headers=default_headers,
            set_default_headers=set_default_headers,
            default_query=default_query,
            set_default_query=set_default_query,
            project_id=project_id,
            strict_responses=strict_responses,
            verify=verify,
            allow_http_storage=allow_http_storage,
            trust_env=trust_env,
        )
        check_http_client(http_client, httpx.Client)
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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. The client cannot be used afterwards. Idempotent."""
        self._runner.close()

    def is_closed(self) -> bool:
        """Return whether the client, its connections or its `http_client` are closed."""
        return self._runner.closed


class Uploads(UploadsOperations):
    """The uploads of an account.

    `upload_file` uploads a local file; `import_url` and the like let the service fetch one. `create`, `retrieve` and
    `trigger_action` are the calls of the contract, for sending the parts by other means. A create that imports is
    never retried once it may have arrived, since the import might run twice. When the response to `complete` is lost,
    a retrieve shows whether the service received it.
    """

    __module__ = "scenario_uploads"

    def __reduce__(self) -> tuple[Any, ...]:
        # For executors that are given `client.uploads.upload_file`.
        client = Scenario.__new__(Scenario)
        client._begin(self._api.options, self._runner)  # noqa: SLF001 - of the same module
        return attrgetter("uploads"), (client,)

    def wait(
        self,
        upload_id: str | Upload | UploadCreateResponse | UploadRetrieveResponse | UploadTriggerActionResponse,
        *,
        timeout: float = 300,
        project_id: str | Omit | None = None,
    ) -> Upload:
        """Wait until an upload is imported, polling with growing delays of up to 5 s.

        Args:
            upload_id: The `id` of the upload, the upload itself, or a response that holds it.
            timeout: Seconds to wait for the import, 0 to ask once. The transfer itself may take as long as bytes move.
            project_id: The project that owns the upload, to assert or to set the owner. Default: the client's; `omit`
                for none.

        Returns:
            The imported upload, with its `entity_id` when the service gives one.

        Raises:
            UploadFailedError: When the service could not import the file.
            UploadTimeoutError: When it was not imported in time. It may still be later.
            APIError: When a poll fails for a reason that is not temporary.
        """
        options = WaitOptions(timeout=timeout, project_id=project_id)
        call = self._api.options.resolve_call(options.project_id)
        return self._runner.run(calls.wait(self._api, upload_id, options.timeout, call))

    def upload_file(
        self,
        file: FileInput,
        *,
        content_type: str | None = None,
        file_name: str | None = None,
        size: int | None = None,
        progress: bool = False,
        on_progress: Callable[[UploadProgress], object] | None = None,
        integrity: bool = True,
        resume: bool | str | os.PathLike[str] | None = None,
        restart_on_expiry: bool = True,
        deadline: float | None = None,
        kind: UploadKind | str | None = None,
        asset_options: UploadAssetOptions | Mapping[str, object] | None = None,
        part_size: int | None = None,
        concurrency: int = 8,
        max_bandwidth: float | None = None,
        patience: float = DEFAULT_PATIENCE,
        wait: bool = True,
        timeout: float = 300,
        project_id: str | Omit | None = None,
    ) -> Upload:
        """Upload a file: create, send its parts, complete, and wait for the import.

        A file of at most 16 MiB is kept in memory; a larger one is read in chunks of at most 1 MiB.

        Args:
            file: A path, the URL of a file that fsspec can read (`s3://`, `gs://`, `hf://` …; extra `fsspec`), bytes,
                or a binary file object, which is sent from its current position and neither closed nor moved. From a
                stream that cannot seek, the current part is kept until it is stored.
            content_type: The MIME type. Default: inferred from the file name.
            file_name: The name to upload under. Default: that of the path or of the file object.
            size: Bytes of a stream that cannot seek. Default: its `len()` or `Content-Length`.
            progress: Show a bar on stderr, on a terminal or in a notebook; lines elsewhere and without rich.
            on_progress: Called with an `UploadProgress`, never from two threads at once. An exception in it stops the
                upload and is raised by this call.
            integrity: Compare the MD5 of each part, computed while it is sent, with the ETag of storage. Without it, a
                file that was copied or touched is sent again as a whole when it is resumed.
            resume: Keep a ledger, so that the same call after a crash sends only the missing parts. The default does so
                for a path of several parts, in the user's state folder, where possible. True warns when it is not
                possible, and fails when the same upload is in progress elsewhere or `file` is not a path. A path keeps
                ledgers in that folder instead. False keeps none.
            restart_on_expiry: Start once more with a new upload when the presigned URLs expire, or the service or
                storage no longer has the upload.
            deadline: Seconds for the whole call, including the import. Default: no limit.
            kind: One of the contract's kinds, such as `"3d"`. Default: inferred from the file name.
            asset_options: What to do with the asset: `collection_ids`, `hide`, `parent_id`. Not for `kind="model"`.
            part_size: Bytes in a part, 5 MiB to 5 GiB. Default: the smallest of 8, 16, 32 … MiB that needs at most
                10,000 parts.
            concurrency: Parts sent at once, over all files, 1 to 64.
            max_bandwidth: Bytes a second over all parts, from 1. Default: no limit.
            patience: Seconds without progress, from 0, before giving up on a service or storage that cannot be reached:
                refused, unreachable, unresolved, reset while connecting.
            wait: Wait for the import; False returns once the service has the file, or has accepted to fetch it.
            timeout: Seconds to wait for the import, 0 to ask once. The transfer itself may take as long as bytes move.
            project_id: The project that owns the upload, to assert or to set the owner. Default: the client's; `omit`
                for none.

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
        options = FileOptions(
            content_type=content_type,
            file_name=file_name,
            size=size,
            progress=progress,
            on_progress=on_progress,
            integrity=integrity,
            resume=resume,
            restart_on_expiry=restart_on_expiry,
            deadline=deadline,
            kind=kind,
            asset_options=asset_options,
            part_size=part_size,
            concurrency=concurrency,
            max_bandwidth=max_bandwidth,
            patience=patience,
            wait=wait,
            timeout=timeout,
            project_id=project_id,
        )
        options = evolve(options, call=self._api.options.resolve_call(options.project_id))
        return self._runner.run(upload_steps.upload_file(self._api, file, options))

    def start_upload(
        self,
        file: FileInput,
        *,
        content_type: str | None = None,
        file_name: str | None = None,
        size: int | None = None,
        progress: bool = False,
        on_progress: Callable[[UploadProgress], object] | None = None,
        integrity: bool = True,
        resume: bool | str | os.PathLike[str] | None = None,
        restart_on_expiry: bool = True,
        deadline: float | None = None,
        kind: UploadKind | str | None = None,
        asset_options: UploadAssetOptions | Mapping[str, object] | None = None,
        part_size: int | None = None,
        concurrency: int = 8,
        max_bandwidth: float | None = None,
        patience: float = DEFAULT_PATIENCE,
        wait: bool = True,
        timeout: float = 300,
        project_id: str | Omit | None = None,
    ) -> UploadHandle:
        """Upload a file in the background: return at once, with a handle to wait for, pause and cancel the upload.

        At most eight uploads of a client run at once; the others wait their turn. For many files, use `upload_many`.
        Closing the client cancels unfinished uploads. Paused time does not count towards any time limit.

        Args:
            file: As for `upload_file`.
            content_type: The MIME type. Default: inferred from the file name.
            file_name: The name to upload under. Default: that of the path or of the file object.
            size: Bytes of a stream that cannot seek. Default: its `len()` or `Content-Length`.
            progress: Show a bar on stderr, on a terminal or in a notebook; lines elsewhere and without rich.
            on_progress: Called with an `UploadProgress`, never from two threads at once. An exception in it stops the
                upload and is raised by this call.
            integrity: Compare the MD5 of each part, computed while it is sent, with the ETag of storage. Without it, a
                file that was copied or touched is sent again as a whole when it is resumed.
            resume: Keep a ledger, so that the same call after a crash sends only the missing parts. The default does so
                for a path of several parts, in the user's state folder, where possible. True warns when it is not
                possible, and fails when the same upload is in progress elsewhere or `file` is not a path. A path keeps
                ledgers in that folder instead. False keeps none.
            restart_on_expiry: Start once more with a new upload when the presigned URLs expire, or the service or
                storage no longer has the upload.
            deadline: Seconds for the whole call, including the import. Default: no limit.
            kind: One of the contract's kinds, such as `"3d"`. Default: inferred from the file name.
            asset_options: What to do with the asset: `collection_ids`, `hide`, `parent_id`. Not for `kind="model"`.
            part_size: Bytes in a part, 5 MiB to 5 GiB. Default: the smallest of 8, 16, 32 … MiB that needs at most
                10,000 parts.
            concurrency: Parts sent at once, over all files, 1 to 64.
            max_bandwidth: Bytes a second over all parts, from 1. Default: no limit.
            patience: Seconds without progress, from 0, before giving up on a service or storage that cannot be reached:
                refused, unreachable, unresolved, reset while connecting.
            wait: Wait for the import; False returns once the service has the file, or has accepted to fetch it.
            timeout: Seconds to wait for the import, 0 to ask once. The transfer itself may take as long as bytes move.
            project_id: The project that owns the upload, to assert or to set the owner. Default: the client's; `omit`
                for none.

        Returns:
            A handle, whose result is what `upload_file` returns or raises; `CancelledError` once it is cancelled. Its
            `progress` has the last `UploadProgress`.

        Raises:
            InvalidArgumentError: When an argument but the file cannot be used.
            ScenarioError: When the client is closed.
        """
        options = FileOptions(
            content_type=content_type,
            file_name=file_name,
            size=size,
            progress=progress,
            on_progress=on_progress,
            integrity=integrity,
            resume=resume,
            restart_on_expiry=restart_on_expiry,
            deadline=deadline,
            kind=kind,
            asset_options=asset_options,
            part_size=part_size,
            concurrency=concurrency,
            max_bandwidth=max_bandwidth,
            patience=patience,
            wait=wait,
            timeout=timeout,
            project_id=project_id,
        )
        options = evolve(options, call=self._api.options.resolve_call(options.project_id))
        return self._runner.start(*upload_steps.start_upload(self._api, file, options, self._runner.connections.line))

    def import_url(
        self,
        url: str,
        *,
        wait: bool = True,
        timeout: float = 300,
        project_id: str | Omit | None = None,
        kind: UploadKind | str | None = None,
        asset_options: UploadAssetOptions | Mapping[str, object] | None = None,
    ) -> Upload:
        """Let the service fetch a file from a URL, and wait for the import.

        The create is never sent twice, since the import might run twice. `create(..., dry_run=True)` asks for the cost.

        Args:
            url: Where the file is: an http or https URL that the service can reach.
            wait: Wait for the import; False returns once the service has the file, or has accepted to fetch it.
            timeout: Seconds to wait for the import, 0 to ask once. The transfer itself may take as long as bytes move.
            project_id: The project that owns the upload, to assert or to set the owner. Default: the client's; `omit`
                for none.
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
        options = ImportOptions(wait=wait, timeout=timeout, project_id=project_id)
        return self._import(name_url(url, kind) | {"asset_options": asset_options}, options)

    def import_hugging_face(
        self, name: str, *, wait: bool = True, timeout: float = 300, project_id: str | Omit | None = None
    ) -> Upload:
        """Let the service fetch a model from the Hugging Face hub, and wait for the import, as `import_url` does.

        Args:
            name: The model, as `"owner/name"`.
            wait: Wait for the import; False returns once the service has the file, or has accepted to fetch it.
            timeout: Seconds to wait for the import, 0 to ask once. The transfer itself may take as long as bytes move.
            project_id: The project that owns the upload, to assert or to set the owner. Default: the client's; `omit`
                for none.

        Raises:
            ScenarioError: As `import_url`.
        """
        options = ImportOptions(wait=wait, timeout=timeout, project_id=project_id)
        return self._import(name_hugging_face(name), options)

    def import_civitai(
        self, url: str, *, wait: bool = True, timeout: float = 300, project_id: str | Omit | None = None
    ) -> Upload:
        """Let the service fetch a model from Civitai, and wait for the import, as `import_url` does.

        Args:
            url: The page of the model; a `modelVersionId` in it names the version.
            wait: Wait for the import; False returns once the service has the file, or has accepted to fetch it.
            timeout: Seconds to wait for the import, 0 to ask once. The transfer itself may take as long as bytes move.
            project_id: The project that owns the upload, to assert or to set the owner. Default: the client's; `omit`
                for none.

        Raises:
            ScenarioError: As `import_url`.
        """
        options = ImportOptions(wait=wait, timeout=timeout, project_id=project_id)
        return self._import(name_civitai(url), options)

    def _import(self, arguments: Mapping[str, object], given: ImportOptions) -> Upload:
        given = evolve(given, call=self._api.options.resolve_call(given.project_id))
        return self._runner.run(import_upload(self._api, arguments, given))

    def upload_many(
        self,
        sources: Sources,
        *,
        recursive: bool = False,
        include: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
        ledger: str | os.PathLike[str] | bool | None = None,
        files_at_once: int = 8,
        force: bool = False,
        fail_fast: bool = False,
        progress: bool = False,
        on_progress: Callable[[BulkProgress], object] | None = None,
        executor: Executor | None = None,
        kind: UploadKind | str | None = None,
        asset_options: UploadAssetOptions | Mapping[str, object] | None = None,
        part_size: int | None = None,
        concurrency: int = 8,
        max_bandwidth: float | None = None,
        patience: float = DEFAULT_PATIENCE,
        wait: bool = True,
        timeout: float = 300,
        project_id: str | Omit | None = None,
    ) -> Generator[UploadResult]:
        """Upload many files or whole folders, and resume where an earlier call stopped.

        Folders are read while files are sent, so memory use depends neither on the number of files nor on their size.
        A ledger records finished files, which later calls skip, also under another name. Work starts when the first
        result is requested, and stops when the iterator is closed or discarded.

        Args:
            sources: Paths of files and folders, globs such as `"refs/**/*.png"`, and `UploadSource(...)` for files with
                settings of their own; any iterable of these, or a single one.
            recursive: Include folders and their subfolders. Hidden files and links in them are skipped.
            include: One or more globs of the files to upload. Without a slash, a glob matches names, else paths below
                the folder.
            exclude: One or more globs of files and folders to skip.
            ledger: The path of the ledger; False for none. Default: one in the user's state folder.
            files_at_once: How many files are sent at once, 1 to 64. More may wait for their import meanwhile.
            force: Send files again that an earlier call has sent.
            fail_fast: Stop after the first result with an error.
            progress: Show bars on stderr, on a terminal or in a notebook; lines elsewhere and without rich.
            on_progress: Called with a `BulkProgress`, never from two threads at once. An exception in it stops the call
                and is raised by it.
            executor: Workers that send the parts, in other processes or on other machines: a `ProcessPoolExecutor`, or
                `distributed.Client(...).get_executor()` of Dask. They must see the files at the same paths.
                `concurrency` then applies to each process. This process completes the uploads.
            kind: One of the contract's kinds, such as `"3d"`. Default: inferred from the file name.
            asset_options: What to do with the asset: `collection_ids`, `hide`, `parent_id`. Not for `kind="model"`.
            part_size: Bytes in a part, 5 MiB to 5 GiB. Default: the smallest of 8, 16, 32 … MiB that needs at most
                10,000 parts.
            concurrency: Parts sent at once, over all files, 1 to 64.
            max_bandwidth: Bytes a second over all parts, from 1. Default: no limit.
            patience: Seconds without progress, from 0, before giving up on a service or storage that cannot be reached:
                refused, unreachable, unresolved, reset while connecting.
            wait: Wait for the import; False returns once the service has the file, or has accepted to fetch it.
            timeout: Seconds to wait for the import, 0 to ask once. The transfer itself may take as long as bytes move.
            project_id: The project that owns the upload, to assert or to set the owner. Default: the client's; `omit`
                for none.

        Returns:
            An iterator of `UploadResult`, one for each file, as they finish. The result of a file that fails has the
            `error`.

        Raises:
            InvalidArgumentError: When an argument cannot be used, or a source is a folder without `recursive`.
            LedgerLockedError: When another run uses the ledger. Raised with the first result, as is the next one.
            LedgerError: When the ledger is damaged, or cannot be used.
        """
        options = BulkOptions(
            recursive=recursive,
            include=include,
            exclude=exclude,
            ledger=ledger,
            files_at_once=files_at_once,
            force=force,
            fail_fast=fail_fast,
            progress=progress,
            on_progress=on_progress,
            executor=executor,
            kind=kind,
            asset_options=asset_options,
            part_size=part_size,
            concurrency=concurrency,
            max_bandwidth=max_bandwidth,
            patience=patience,
            wait=wait,
            timeout=timeout,
            project_id=project_id,
        )
        try:
            from scenario_uploads.bulk.run import BulkRun  # noqa: PLC0415 - slow, with SQLite
        except OSError as error:
            raise explain(error) from error

        options = evolve(options, call=self._api.options.resolve_call(options.project_id))
        return upload_all(self._runner.copy(self._api.options), BulkRun(self._api, sources, options))


# The name in scenario-sdk.
Client = Scenario
