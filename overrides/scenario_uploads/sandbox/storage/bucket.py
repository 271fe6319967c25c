"""What the service needs of S3: multipart uploads, presigned URLs, and reading what was stored.

Every method blocks: call them from a worker thread.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, Final

import attrs
from botocore.auth import S3SigV4QueryAuth  # type: ignore[import-untyped]  # has no types of its own
from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]

CHUNK_SIZE: Final = 1024 * 1024
DEFAULT_REGION: Final = "us-east-1"


@attrs.frozen
class StoredPart:
    """A part that the storage has."""

    number: int
    size: int
    """In bytes."""
    etag: str


class Storage(ABC):
    """One bucket of an S3 service.

    Args:
        endpoint_url: Where the service is, such as `http://127.0.0.1:9000`.
        bucket: The bucket.
        credentials: What botocore signs with.
        region: Which region signatures name.
    """

    def __init__(self, *, endpoint_url: str, bucket: str, credentials: Any, region: str = DEFAULT_REGION) -> None:
        self._endpoint_url = endpoint_url.rstrip("/")
        self._bucket = bucket
        self._credentials = credentials
        self._region = region

    @abstractmethod
    def ensure_bucket(self) -> None:
        """Create the bucket when it is missing.

        Raises:
            StorageError: When the storage cannot be reached or refuses, as for every method here.
        """

    @abstractmethod
    def create_multipart(self, key: str) -> str:
        """Start a multipart upload and return S3's id of it."""

    def presign_parts(self, key: str, storage_id: str, count: int, lifetime: int) -> tuple[list[str], datetime]:
        """Return one URL to PUT each of the parts to, from 1 on, and when they expire.

        Signed without `generate_presigned_url`, which takes three times as long: 10,000 parts count.

        Args:
            key: The key of the object.
            storage_id: S3's id of the multipart upload.
            count: How many parts.
            lifetime: For how many seconds the URLs work.
        """
        # Signatures have whole seconds: rounded down, no URL stops working before its `expires`.
        expires = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=lifetime)
        signer = S3SigV4QueryAuth(self._credentials.get_frozen_credentials(), "s3", self._region, expires=lifetime)
        target = f"{self._endpoint_url}/{self._bucket}/{key}"
        urls = []
        for number in range(1, count + 1):
            request = AWSRequest("PUT", target, params={"partNumber": number, "uploadId": storage_id})
            signer.add_auth(request)
            urls.append(str(request.url))
        return urls, expires

    @abstractmethod
    def list_parts(self, key: str, storage_id: str) -> list[StoredPart]:
        """Return the parts that are stored, in order."""

    @abstractmethod
    def complete(self, key: str, storage_id: str, parts: list[StoredPart]) -> None:
        """Assemble an object of the parts."""

    @abstractmethod
    def store(self, key: str, file: IO[bytes]) -> None:
        """Store an object whole."""

    @abstractmethod
    def remove(self, key: str, storage_id: str, *, is_stored: bool) -> None:
        """Remove an object, or the parts of one that was never assembled."""

    def find_path(self, key: str) -> Path | None:  # noqa: ARG002 - for those that have one
        """Return the path of an object, or None when another S3 has it."""
        return None

    @abstractmethod
    def read_head(self, key: str, length: int) -> bytes:
        """Return the first `length` bytes of an object that has them."""

    @abstractmethod
    def read(self, key: str) -> Iterator[bytes]:
        """Yield an object in chunks of at most 1 MiB."""

    def close(self) -> None:  # noqa: B027 - for those that have some
        """Close the connections."""
