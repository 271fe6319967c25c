"""The embedded storage: nanio, an S3 server in Python that really checks signatures and expiry, on a folder."""

import atexit
import functools
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from botocore.credentials import Credentials  # type: ignore[import-untyped]
from nanio.app import build_app  # type: ignore[import-untyped]  # has no py.typed
from nanio.auth.credentials import StaticCredentialResolver  # type: ignore[import-untyped]
from nanio.config import Settings  # type: ignore[import-untyped]
from nanio.errors import NoSuchBucket, S3Error  # type: ignore[import-untyped]
from nanio.storage.filesystem import FilesystemStorage  # type: ignore[import-untyped]
from nanio.storage.multipart import MultipartInit, MultipartManager  # type: ignore[import-untyped]

from scenario_uploads.sandbox.errors import SandboxError, StorageError
from scenario_uploads.sandbox.options import Options
from scenario_uploads.sandbox.server import BackgroundServer, format_origin, open_socket
from scenario_uploads.sandbox.state.records import Uploads
from scenario_uploads.sandbox.storage.bucket import CHUNK_SIZE, Storage, StoredPart
from scenario_uploads.sandbox.storage.gate import StorageGate
from scenario_uploads.sandbox.storage.quota import Quota
from scenario_uploads.sandbox.storage.windows import complete_os


def open_folder(given: Path | None, cleanup: ExitStack) -> Path:
    """Return a folder that only its owner can look into.

    Args:
        given: The folder to use, created when it is missing; None for a temporary one.
        cleanup: Where the removal is noted: of a temporary folder, or of what no later sandbox could use.

    Raises:
        SandboxError: When the folder cannot be used.
    """
    if given is None:
        # `mkdtemp` makes it 0700. Resolved, as nanio compares real paths.
        folder = Path(tempfile.mkdtemp(prefix="scenario-sandbox-")).resolve()
        remove = functools.partial(shutil.rmtree, folder, ignore_errors=True)
        cleanup.callback(remove)
        # For a program that ends without `close`. The threads are daemons and need nothing.
        atexit.register(remove)
        cleanup.callback(atexit.unregister, remove)
        return folder
    try:
        given.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = given.resolve()
        folder.chmod(0o700)
        links = [path.relative_to(folder) for path in _list_below(folder) if path.is_symlink()]
    except OSError as error:
        raise SandboxError(f"cannot use the folder {given}: {error.strerror}") from error
    if links:
        # Through them the storage would write, and at the end remove, what is elsewhere.
        raise SandboxError(f"cannot use the folder {given}: {links[0]} in it is a symbolic link; remove it")
    # The records of unfinished uploads end with the sandbox, so nothing could ever complete their parts.
    cleanup.callback(shutil.rmtree, folder / ".nanio" / "multipart", ignore_errors=True)
    return folder


def _list_below(folder: Path) -> Iterator[Path]:
    """Yield all that is below a folder, without going through links."""
    for place, folders, files in os.walk(folder, followlinks=False):
        yield from (Path(place, name) for name in (*folders, *files))


def count_bytes(folder: Path) -> int:
    """Return how many bytes the files below a folder have."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


def serve_embedded_storage(
    options: Options, folder: Path, quota: Quota, uploads: Uploads, cleanup: ExitStack
) -> Storage:
    """Start the storage on a port of its own and return the access to it.

    Args:
        options: The options of the sandbox.
        folder: Where the files are.
        quota: How many bytes it may have.
        uploads: The records.
        cleanup: Where the end of the server is noted.

    Raises:
        SandboxError: When the port is taken.
    """
    complete_os()
    access_key, secret = secrets.token_hex(10), secrets.token_hex(20)
    settings = Settings(data_dir=folder, credentials=StaticCredentialResolver({access_key: secret}))
    listener = cleanup.enter_context(open_socket(options.host, options.storage_port, "storage_port"))
    endpoint_url = format_origin(listener)
    gate = StorageGate(build_app(settings), quota, uploads)
    # Senders of parts may take minutes over one, so at the end they are not waited for.
    server = BackgroundServer(gate, listener, name="sandbox-storage", is_patient=False)
    gate.reset_connection = server.reset_connection
    server.start()
    cleanup.callback(server.stop)
    return _EmbeddedStorage(folder, endpoint_url, options.s3_bucket, Credentials(access_key, secret))


class _EmbeddedStorage(Storage):
    """The access to nanio in this process: what the service does itself takes no request over HTTP.

    Through boto3 and back through nanio's server it costs twice what all the rest of a small upload does, and boto3
    takes longer to begin with than all the rest of a sandbox.
    """

    def __init__(self, folder: Path, endpoint_url: str, bucket: str, credentials: Credentials) -> None:
        super().__init__(endpoint_url=endpoint_url, bucket=bucket, credentials=credentials)
        self._objects = FilesystemStorage(folder)
        self._multipart = MultipartManager(folder)
        self._folder = folder

    def ensure_bucket(self) -> None:
        """Create the bucket when it is missing."""
        with _translate("create its bucket"):
            try:
                self._objects.head_bucket(self._bucket)
            except NoSuchBucket:
                self._objects.create_bucket(self._bucket)

    def create_multipart(self, key: str) -> str:
        """Start a multipart upload and return its id."""
        with _translate("start a multipart upload"):
            return str(self._multipart.create(MultipartInit(self._bucket, key)))

    def list_parts(self, key: str, storage_id: str) -> list[StoredPart]:
        """Return the parts that are stored, in order."""
        del key
        with _translate("list the parts"):
            parts = self._multipart.list_parts(storage_id)
            return [StoredPart(part.part_number, part.size, part.etag) for part in parts]

    def complete(self, key: str, storage_id: str, parts: list[StoredPart]) -> None:
        """Assemble an object of the parts."""
        del key
        with _translate("assemble the parts"):
            self._multipart.complete(storage_id, [(part.number, part.etag) for part in parts])

    def store(self, key: str, file: IO[bytes]) -> None:
        """Store an object whole."""
        with _translate("store a file"), self.find_path(key).open("wb") as target:
            shutil.copyfileobj(file, target)

    def remove(self, key: str, storage_id: str, *, is_stored: bool) -> None:
        """Remove an object, or the parts of one that was never assembled."""
        if is_stored:
            with _translate("remove a file"):
                self._objects.delete_object(self._bucket, key)
        else:
            with _translate("remove parts"):
                self._multipart.abort(storage_id)

    def find_path(self, key: str) -> Path:
        """Return where an object is."""
        return self._folder / self._bucket / key

    def read(self, key: str) -> Iterator[bytes]:
        """Yield an object in chunks of at most 1 MiB."""
        with self.find_path(key).open("rb") as file:
            while chunk := file.read(CHUNK_SIZE):
                yield chunk

    def read_head(self, key: str, length: int) -> bytes:
        """Return the first `length` bytes of an object that has them."""
        with _translate("read the file"), self.find_path(key).open("rb") as file:
            return file.read(length)


@contextmanager
def _translate(purpose: str) -> Iterator[None]:
    try:
        yield
    except (S3Error, OSError) as error:
        raise StorageError(f"the S3 storage could not {purpose} ({type(error).__name__})") from error
