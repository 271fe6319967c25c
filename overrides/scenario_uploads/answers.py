"""What came back from the API: read whole but bounded, parsed, decoded."""

from __future__ import annotations

import json
import logging
import time
import zlib
from typing import Any, TypeVar

import httpx
from attrs import field, frozen

from .codec import decode_answer
from .errors import APIResponseValidationError
from .redaction import snippet

T = TypeVar("T")

logger = logging.getLogger("scenario_uploads")


@frozen
class Answer:
    """What came back, unpacked and whole."""

    status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)
    request: httpx.Request
    elapsed: float

    def response(self) -> httpx.Response:
        """Return it as httpx would have, for errors to carry."""
        gone = ("content-encoding", "content-length", "transfer-encoding")
        headers = [(key, value) for key, value in self.headers.multi_items() if key.lower() not in gone]
        return httpx.Response(self.status, headers=headers, content=self.body, request=self.request)


class BodyReader:
    """Gathers an answer's body: unpacked, bounded in bytes and in time.

    The bound holds while unpacking, so a few kilobytes that unpack to gigabytes take no more memory than the limit.
    """

    def __init__(self, response: httpx.Response, limit: int) -> None:
        self._response, self._limit = response, limit
        read_timeout = response.request.extensions.get("timeout", {}).get("read") or 60.0
        # Each chunk has its own read timeout; a service that dribbles would keep us for ever without this one.
        self._deadline = time.monotonic() + read_timeout
        self._chunks: list[bytes] = []
        self._size = 0
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        self._unpack = zlib.decompressobj(wbits=31) if encoding in ("gzip", "x-gzip") else None
        if self._unpack is None and encoding not in ("", "identity"):
            raise self._invalid(f"is packed with {snippet(encoding, 20)!r}, which was not asked for")

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes off the wire."""
        if time.monotonic() > self._deadline:
            raise httpx.ReadTimeout("The answer did not end in time.", request=self._response.request)
        if self._unpack is not None:
            try:
                chunk = self._unpack.decompress(chunk, self._limit - self._size + 1)
            except zlib.error as error:
                raise self._invalid("is not the gzip that it claims to be") from error
        self._size += len(chunk)
        if self._size > self._limit:
            raise self._invalid(f"has more than {self._limit:,} bytes")
        self._chunks.append(chunk)

    def finish(self, elapsed: float) -> Answer:
        """Return the whole answer."""
        if self._unpack is not None and self._size and not self._unpack.eof:
            raise self._invalid("ends in the middle")
        response = self._response
        return Answer(response.status_code, response.headers, b"".join(self._chunks), response.request, elapsed)

    def _invalid(self, what: str) -> APIResponseValidationError:
        response = httpx.Response(self._response.status_code, request=self._response.request)
        return APIResponseValidationError(
            f"The answer (status {self._response.status_code}) {what}.", response=response
        )


def parse_body(body: bytes) -> Any:
    """Return the JSON value of a body.

    Raises:
        ValueError: When it is no JSON, or so deeply nested that no parser takes it.
    """
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("too deeply nested JSON") from None
    except ValueError:
        raise ValueError("no JSON") from None


def decode_body(model: type[T], answer: Answer, operation: str, *, strict: bool) -> T:
    """Decode the answer to an operation.

    What differs from the contract costs one warning in the log, or, when `strict`, the answer.

    Raises:
        APIResponseValidationError: When the body is no JSON object, or `strict` and it differs from the contract.
    """
    prefix = f"{operation} was answered with status {answer.status} and"
    shown = snippet(answer.body[:4096].decode("utf-8", "replace")) or "an empty body"
    try:
        data = parse_body(answer.body)
    except ValueError as error:
        raise APIResponseValidationError(f"{prefix} {error}: {shown}", response=answer.response()) from None
    if not isinstance(data, dict):
        raise APIResponseValidationError(f"{prefix} JSON that is no object: {shown}", response=answer.response())
    result, problems = decode_answer(model, data)
    if problems and strict:
        message = f"{prefix} what differs from the contract: {problems}"
        raise APIResponseValidationError(message, response=answer.response())
    if problems:
        logger.warning("The answer to %s differs from the contract: %s", operation, problems)
    return result
