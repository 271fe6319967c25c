"""Another S3 than the embedded one, through boto3, which takes a fifth of a second to load and to begin with."""

from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any, Protocol

import boto3.session  # type: ignore[import-untyped]  # has no types of its own
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

from scenario_uploads.sandbox.errors import StorageError
from scenario_uploads.sandbox.storage.bucket import CHUNK_SIZE, DEFAULT_REGION, Storage, StoredPart


class _S3Client(Protocol):
    """What is used of boto3's S3 client."""

    def head_bucket(self, **arguments: Any) -> Any: ...
    def create_bucket(self, **arguments: Any) -> Any: ...
    def create_multipart_upload(self, **arguments: Any) -> Any: ...
    def complete_multipart_upload(self, **arguments: Any) -> Any: ...
    def put_object(self, **arguments: Any) -> Any: ...
    def get_object(self, **arguments: Any) -> Any: ...
    def delete_object(self, **arguments: Any) -> Any: ...
    def abort_multipart_upload(self, **arguments: Any) -> Any: ...
    def get_paginator(self, name: str) -> Any: ...
    def close(self) -> None: ...


class OtherS3(Storage):
    """One bucket of an S3 service, with the credentials and the region that boto3 finds in the usual places.

    Args:
        endpoint_url: Where the service is, such as `http://127.0.0.1:9000`.
        bucket: The bucket, which is created when it is missing.

    Raises:
        StorageError: When there are no credentials, or they or the endpoint make no sense.
    """

    def __init__(self, *, endpoint_url: str, bucket: str) -> None:
        config = Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            connect_timeout=5,
            read_timeout=60,
            retries={"mode": "standard", "total_max_attempts": 3},
            # Other S3 servers do not know the checksums that boto3 sends and asks for by default.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        try:
            session: Any = boto3.session.Session()
            region = session.region_name or DEFAULT_REGION
            credentials = session.get_credentials()
            if credentials is None:
                raise StorageError("no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
            super().__init__(endpoint_url=endpoint_url, bucket=bucket, credentials=credentials, region=region)
            frozen = credentials.get_frozen_credentials()
            self._client: _S3Client = session.client(
                "s3",
                endpoint_url=self._endpoint_url,
                region_name=region,
                aws_access_key_id=frozen.access_key,
                aws_secret_access_key=frozen.secret_key,
                aws_session_token=frozen.token,
                config=config,
            )
        except (BotoCoreError, ValueError) as error:
            raise StorageError(f"the S3 settings are not usable ({type(error).__name__})") from error

    def ensure_bucket(self) -> None:
        """Create the bucket when it is missing."""
        try:
            self._client.head_bucket(Bucket=self._bucket)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise _translate(error, "look for its bucket") from error
        except BotoCoreError as error:
            raise _translate(error, "look for its bucket") from error
        else:
            return
        # us-east-1 is the one region that must not be named (S3's CreateBucket).
        region = self._region
        place = {} if region == DEFAULT_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        self._call(self._client.create_bucket, "create its bucket", **place)

    def create_multipart(self, key: str) -> str:
        """Start a multipart upload and return S3's id of it."""
        answer = self._call(self._client.create_multipart_upload, "start a multipart upload", Key=key)
        return str(answer["UploadId"])

    def list_parts(self, key: str, storage_id: str) -> list[StoredPart]:
        """Return the parts that are stored, in order."""

        def list_all(**arguments: Any) -> list[StoredPart]:
            pages = self._client.get_paginator("list_parts").paginate(**arguments)
            return [
                StoredPart(part["PartNumber"], part["Size"], part["ETag"])
                for page in pages
                for part in page.get("Parts", [])
            ]

        parts: list[StoredPart] = self._call(list_all, "list the parts", Key=key, UploadId=storage_id)
        return parts

    def complete(self, key: str, storage_id: str, parts: list[StoredPart]) -> None:
        """Assemble an object of the parts."""
        listed = [{"PartNumber": part.number, "ETag": part.etag} for part in parts]
        self._call(
            self._client.complete_multipart_upload,
            "assemble the parts",
            Key=key,
            UploadId=storage_id,
            MultipartUpload={"Parts": listed},
        )

    def store(self, key: str, file: IO[bytes]) -> None:
        """Store an object whole."""
        self._call(self._client.put_object, "store a file", Key=key, Body=file)

    def remove(self, key: str, storage_id: str, *, is_stored: bool) -> None:
        """Remove an object, or the parts of one that was never assembled."""
        if is_stored:
            self._call(self._client.delete_object, "remove a file", Key=key)
        else:
            self._call(self._client.abort_multipart_upload, "remove parts", Key=key, UploadId=storage_id)

    def read_head(self, key: str, length: int) -> bytes:
        """Return the first `length` bytes of an object that has them: nanio refuses a range past the end."""
        return b"".join(self._read(key, Range=f"bytes=0-{length - 1}"))

    def read(self, key: str) -> Iterator[bytes]:
        """Yield an object in chunks of at most 1 MiB."""
        return self._read(key)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _read(self, key: str, **arguments: Any) -> Iterator[bytes]:
        body = self._call(self._client.get_object, "read the file", Key=key, **arguments)["Body"]
        try:
            yield from body.iter_chunks(CHUNK_SIZE)
        except BotoCoreError as error:
            raise _translate(error, "read the file") from error
        finally:
            body.close()

    def _call(self, method: Callable[..., Any], purpose: str, **arguments: Any) -> Any:
        try:
            return method(Bucket=self._bucket, **arguments)
        except (BotoCoreError, ClientError) as error:
            raise _translate(error, purpose) from error


def _translate(error: Exception, purpose: str) -> StorageError:
    # Only the code: the texts of botocore quote URLs.
    response: Mapping[str, Any] = getattr(error, "response", None) or {}
    code = response.get("Error", {}).get("Code") or type(error).__name__
    return StorageError(f"the S3 storage could not {purpose} ({code})")
