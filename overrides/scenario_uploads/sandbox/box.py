"""The sandbox: its options, its parts, its life."""

import functools
import hashlib
import logging
import math
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import urljoin

from starlette.types import ASGIApp

from scenario_uploads.sandbox.api.contract import Contract
from scenario_uploads.sandbox.api.importer import Importer
from scenario_uploads.sandbox.api.service import Service
from scenario_uploads.sandbox.api.wire import Credentials
from scenario_uploads.sandbox.errors import SandboxError
from scenario_uploads.sandbox.options import Options, is_loopback
from scenario_uploads.sandbox.page.app import Page
from scenario_uploads.sandbox.server import BackgroundServer, format_origin, open_socket
from scenario_uploads.sandbox.state.faults import Faults
from scenario_uploads.sandbox.state.journal import Journal
from scenario_uploads.sandbox.state.records import Uploads
from scenario_uploads.sandbox.storage.bucket import Storage
from scenario_uploads.sandbox.storage.embedded import count_bytes, open_folder, serve_embedded_storage
from scenario_uploads.sandbox.storage.quota import DEFAULT_STORED, Quota

_LOG: Final = logging.getLogger("scenario_uploads.sandbox")
# Seconds between two looks whether there was an interrupt.
_SLICE: Final = 0.2


class Sandbox:
    """A local service with the three endpoints of the uploads API and S3 storage behind it.

    Use it as a context manager, or call `start` and `close`. It runs in two background threads and runs once.

    Args:
        host: Where to listen; anything but loopback needs `allow_remote`.
        port: The port of the API, 0 for any free one.
        storage_port: The port of the embedded storage, 0 for any free one.
        allow_remote: Whether other machines may reach the sandbox. It uses plain HTTP, so clients on other
            machines need `allow_http_storage=True`; where `host` is not loopback, the logger `scenario_uploads.sandbox`
            says so at the start.
        folder: Where the embedded storage keeps its files. It is made private (0700) and kept at the end, except
            for parts that were never completed. Default: a temporary folder that is removed at the end.
        api_key: The key that is accepted; a random one by default.
        api_secret: The secret that is accepted; a random one by default.
        url_lifetime: Seconds for which a presigned URL is valid, 1 to 604,800 (SigV4's limit of seven days). Those of
            the service are valid for 48 hours.
        step_delay: How many seconds an upload is `validating`, and then `validated`.
        s3_endpoint: Another S3 to use instead of the embedded storage, with the credentials and the region that boto3
            finds in the usual AWS variables and files.
        s3_bucket: The bucket, which is created when it is missing.
        max_file_size: The largest file in bytes. The embedded storage keeps no more for one upload; another S3
            has its own limits.
        max_stored: How many bytes the embedded storage keeps in all, parts and files, with what is in the folder at the
            start; None for as many as the disk takes. A create that would not fit is refused.
        page: Whether it has a web page for browsers on this machine, at `page_url`.

    Raises:
        SandboxError: When an option is invalid.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        storage_port: int = 0,
        allow_remote: bool = False,
        folder: str | Path | None = None,
        api_key: str | None = None,
        api_secret: str | None = None,
        url_lifetime: int = 48 * 3600,
        step_delay: float = 0.1,
        s3_endpoint: str | None = None,
        s3_bucket: str = "scenario-uploads",
        max_file_size: int | None = None,
        max_stored: int | None = DEFAULT_STORED,
        page: bool = True,
    ) -> None:
        self._options = Options(
            host=host,
            port=port,
            storage_port=storage_port,
            allow_remote=allow_remote,
            folder=None if folder is None else Path(folder),
            api_key=f"key_{secrets.token_hex(12)}" if api_key is None else api_key,
            api_secret=secrets.token_urlsafe(24) if api_secret is None else api_secret,
            bearer_token=secrets.token_urlsafe(32),
            url_lifetime=url_lifetime,
            step_delay=step_delay,
            s3_endpoint=s3_endpoint,
            s3_bucket=s3_bucket,
            max_file_size=max_file_size,
            max_stored=max_stored,
        )
        self._page_token = secrets.token_urlsafe(24) if page else None
        self._journal = Journal(is_kept=page, secrets=(self.api_secret, self.bearer_token, self.api_key))
        self._uploads = Uploads(journal=self._journal)
        self._faults = Faults(has_storage=s3_endpoint is None)
        self._cleanup = ExitStack()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._base_url: str | None = None
        self._folder: Path | None = None
        self._storage: Storage | None = None
        self._quota = Quota(max_file_size, None)

    def __repr__(self) -> str:
        return f"<Sandbox {self._base_url or 'not started'}>"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def api_key(self) -> str:
        """The key that is accepted with `api_secret`, as HTTP Basic."""
        return self._options.api_key

    @property
    def api_secret(self) -> str:
        """The secret that is accepted with `api_key`."""
        return self._options.api_secret

    @property
    def bearer_token(self) -> str:
        """The bearer token that is accepted instead of key and secret."""
        return self._options.bearer_token

    @property
    def base_url(self) -> str:
        """The base URL of the API, such as `http://127.0.0.1:4010/v1`.

        Raises:
            SandboxError: Before `start`.
        """
        if self._base_url is None:
            raise SandboxError("the sandbox is not started")
        return self._base_url

    @property
    def page_url(self) -> str:
        """The address of its page, such as `http://127.0.0.1:4010/`, for a browser on this machine.

        Raises:
            SandboxError: Before `start`, or with `page=False`.
        """
        if self._page_token is None:
            raise SandboxError("the sandbox has no page: it was made with page=False")
        return urljoin(self.base_url, "/")

    @property
    def page_token(self) -> str:
        """What requests to the page need that change something, as `X-Sandbox-Token`.

        Raises:
            SandboxError: With `page=False`.
        """
        if self._page_token is None:
            raise SandboxError("the sandbox has no page: it was made with page=False")
        return self._page_token

    @property
    def is_local(self) -> bool:
        """Whether it listens on loopback alone, so that clients need not be told to upload over plain http."""
        return is_loopback(self._options.host)

    @property
    def folder(self) -> Path:
        """The folder of the embedded storage.

        Raises:
            SandboxError: Before `start`, or when another S3 has the files.
        """
        if self._folder is None:
            raise SandboxError(
                "another S3 has the files" if self._options.s3_endpoint else "the sandbox is not started"
            )
        return self._folder

    def start(self) -> None:
        """Start, and return when requests are served.

        Raises:
            SandboxError: When a port is taken, the storage is not usable, or the sandbox was started before.
        """
        with self._lock:
            if self._base_url is not None or self._closed.is_set():
                raise SandboxError("a sandbox can be started only once")
            try:
                self._start()
            except BaseException:
                self._cleanup.close()
                self._closed.set()
                raise

    def _start(self) -> None:
        contract = Contract.load()
        # Bound first: a port that is taken is the likeliest fault, and nothing else has to be undone then.
        listener = self._cleanup.enter_context(open_socket(self._options.host, self._options.port, "port"))
        storage = self._start_storage()
        self._cleanup.callback(storage.close)
        storage.ensure_bucket()
        self._storage = storage
        importer = Importer(self._uploads, storage, self._options.step_delay)
        self._uploads.forget = functools.partial(importer.start_removal, quota=self._quota)
        service = Service(
            contract=contract,
            uploads=self._uploads,
            storage=storage,
            importer=importer,
            url_lifetime=self._options.url_lifetime,
            max_file_size=self._options.max_file_size,
            quota=self._quota,
            faults=self._faults,
        )
        credentials = Credentials(api_key=self.api_key, api_secret=self.api_secret, bearer_token=self.bearer_token)
        base_url = format_origin(listener) + contract.prefix
        app: ASGIApp = service.build_app(credentials)
        page = self._make_page(contract, storage, base_url)
        if page is not None:
            app = page.wrap(app)
        server = BackgroundServer(app, listener, name="sandbox-api", is_patient=True)
        server.start()
        self._cleanup.callback(server.stop)
        if page is not None:
            self._cleanup.callback(page.close)
        self._base_url = base_url
        if not self.is_local:
            _LOG.warning(
                "the sandbox at %s speaks plain http: upload to it with allow_http_storage=True,"
                " SCENARIO_ALLOW_HTTP_STORAGE=1 or --allow-http-storage",
                base_url,
            )

    def _make_page(self, contract: Contract, storage: Storage, base_url: str) -> Page | None:
        if self._page_token is None:
            return None
        return Page(
            uploads=self._uploads,
            faults=self._faults,
            storage=storage,
            document=contract.document,
            base_url=base_url,
            token=self._page_token,
            plan=self.fail_next,
            clear=self.clear_faults,
        )

    def _start_storage(self) -> Storage:
        if self._options.s3_endpoint is not None:
            # Most sandboxes need no boto3.
            from scenario_uploads.sandbox.storage.other import OtherS3  # noqa: PLC0415

            return OtherS3(endpoint_url=self._options.s3_endpoint, bucket=self._options.s3_bucket)
        self._folder = open_folder(self._options.folder, self._cleanup)
        self._quota = Quota(self._options.max_file_size, self._options.max_stored, count_bytes(self._folder))
        return serve_embedded_storage(self._options, self._folder, self._quota, self._uploads, self._cleanup)

    def close(self) -> None:
        """Stop the sandbox and its threads. Idempotent."""
        with self._lock:
            if not self._closed.is_set():
                self._cleanup.close()
                self._closed.set()

    def fail_next(self, fault: str, times: int = 1) -> None:
        """Give the next uploads a fault. Each create starts an upload, which meets each planned fault once.

        A client that repeats a create or starts over makes another upload, which meets the next planned fault. Imports
        send no parts, so storage faults wait for uploads that do.

        | fault | what happens |
        |---|---|
        | `expired` | storage refuses every part: its URL has expired |
        | `slow_down` | storage returns 503 SlowDown for the first part |
        | `reset` | the connection breaks while the first part is sent |
        | `wrong_etag` | storage returns the ETag of other bytes for the first part |
        | `rate_limited` | the create gets a 429 |
        | `never_finishes` | the upload stays `validating` |
        | `validation_failed` | the upload ends as `failed` |
        | `unknown_status` | the upload has a status that the contract does not name, until a client has seen it |

        Args:
            fault: The name of the fault.
            times: How many more uploads meet it, from 1 to 10,000 in all.

        Raises:
            SandboxError: When there is no such fault, the number is invalid, or another S3 stores the parts.
        """
        self._faults.plan(fault, times)
        self._journal.touch()

    def clear_faults(self) -> None:
        """Take back what `fail_next` planned and no upload has met."""
        self._faults.clear()
        self._journal.touch()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the sandbox is closed, such as from a signal handler or another thread.

        Args:
            timeout: For how many seconds at most; None for as long as it takes.

        Returns:
            Whether it is closed.
        """
        ends = math.inf if timeout is None else time.monotonic() + timeout
        # In slices: on Windows, Ctrl-C waits for the end of a wait.
        while not self._closed.wait(max(0.0, min(_SLICE, ends - time.monotonic()))):
            if time.monotonic() >= ends:
                return False
        return True

    def file_path(self, upload_id: str) -> Path | None:
        """Return where the assembled bytes of an upload are, or None when another S3 has them.

        Raises:
            SandboxError: When there is no such upload, or its parts were not completed.
        """
        record = self._uploads.find(upload_id)
        if record is None or not record.is_stored:
            raise SandboxError(f"the sandbox has no file of upload {upload_id}")
        assert self._storage is not None  # noqa: S101 - there is no upload before the start
        return self._storage.find_path(record.id)

    def read_file(self, upload_id: str) -> Iterator[bytes]:
        """Yield the assembled bytes of an upload in chunks of at most 1 MiB.

        Raises:
            SandboxError: When there is no such upload, or its parts were not completed.
        """
        self.file_path(upload_id)
        assert self._storage is not None  # noqa: S101 - there is no upload before the start
        return self._storage.read(upload_id)

    def sha256(self, upload_id: str) -> str:
        """Return the SHA-256 of the assembled bytes of an upload, in hexadecimal.

        Raises:
            SandboxError: When there is no such upload, or its parts were not completed.
        """
        digest = hashlib.sha256()
        for chunk in self.read_file(upload_id):
            digest.update(chunk)
        return digest.hexdigest()
