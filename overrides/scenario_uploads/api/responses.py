"""What came back from the API: read whole but bounded, parsed, decoded."""

from __future__ import annotations

import json
import logging
import re
import time
import zlib
from datetime import timedelta
from typing import Any, TypeVar

import httpx
from attrs import evolve, field, frozen

from scenario_uploads.decoding.codec import decode_answer
from scenario_uploads.errors import APIResponseValidationError
from scenario_uploads.redaction import list_secrets, mask, match_secrets, snippet

T = TypeVar("T")

logger = logging.getLogger("scenario_uploads")

# The contract nests three levels; what the service keeps in `config` may nest some more.
DEEPEST = 100

# How much of an answer an error carries, in bytes.
SHOWN = 4096


@frozen
class Answer:
    """What came back, unpacked.

    Attributes:
        status: The HTTP status.
        headers: The headers.
        body: The body, unpacked; no more of it than was allowed.
        request: The request that was answered.
        elapsed: Seconds from sending to the last byte.
        fault: What is wrong with the body as such, when it is not the whole of what was sent.
        cut: Whether the connection ended before the body did.
    """

    status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)
    request: httpx.Request
    elapsed: float
    fault: str | None = None
    cut: bool = False

    def response(self) -> httpx.Response:
        """Return it as httpx would have, for errors to carry."""
        gone = (b"content-encoding", b"content-length", b"transfer-encoding")
        headers = [(key, value) for key, value in self.headers.raw if key.lower() not in gone]
        response = httpx.Response(self.status, headers=headers, content=self.body, request=self.request)
        response.elapsed = timedelta(seconds=self.elapsed)
        return response

    def mask(self) -> Answer:
        """Return it without the request's credentials, should a service or a proxy echo them."""
        secrets = find_secrets(self.request)
        if secrets is None:
            return self
        # Bytes as characters: all that a secret can be spelt with is ASCII, or its bytes in UTF-8.
        body = mask(self.body.decode("latin-1"), secrets).encode("latin-1")
        headers = [(name, mask(value.decode("latin-1"), secrets).encode("latin-1")) for name, value in self.headers.raw]
        return evolve(self, body=body, headers=httpx.Headers(headers))


def find_secrets(request: httpx.Request) -> re.Pattern[str] | None:
    """Return what finds the credentials of a request, whoever repeats them and however; None when it has none."""
    return match_secrets(*list_secrets(request.headers.get("authorization", "")))


@frozen
class OpenAnswer:
    """What came back, but for the body, which is still to be read off the wire.

    Attributes:
        response: The answer as httpx has it.
        limit: How many bytes the body may have, unpacked, to be taken as a whole.
    """

    response: httpx.Response
    limit: int

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.response.status_code


class BodyReader:
    """Gathers an answer's body: unpacked, bounded in bytes and in time.

    The bound holds while unpacking, so a few kilobytes that unpack to gigabytes take no more memory than the limit.
    """

    def __init__(self, response: httpx.Response, limit: int) -> None:
        self._response, self._limit = response, limit
        read_timeout = response.request.extensions.get("timeout", {}).get("read") or 60.0
        # Each chunk has its own read timeout; a service that dribbles would keep us for ever without this one.
        self._deadline = time.monotonic() + read_timeout
        self._body = bytearray()
        self._fault: str | None = None
        # Transports without a socket, and hooks of the caller's client, may have read and unpacked it already.
        packing = "" if response.is_stream_consumed else response.headers.get("content-encoding", "").strip().lower()
        self._unpack = zlib.decompressobj(wbits=31) if packing in ("gzip", "x-gzip") else None
        self._begun = False
        if self._unpack is None and packing not in ("", "identity"):
            self._fault = f"a body packed with {snippet(packing, 20)!r}, which was not asked for"

    def feed(self, chunk: bytes) -> bool:
        """Take the next bytes off the wire; return whether more are wanted."""
        if time.monotonic() > self._deadline:
            raise httpx.ReadTimeout("The answer did not end in time.", request=self._response.request)
        if self._fault is None:
            self._take(chunk)
        return self._fault is None

    def _take(self, chunk: bytes) -> None:
        if self._unpack is not None and chunk:
            self._begun = True
            try:
                chunk = self._unpack.decompress(chunk, self._limit - len(self._body) + 1)
            except zlib.error:
                self._fault = "a body that is not the gzip that it claims to be"
                return
            if self._unpack.unused_data:
                self._fault = "a body that goes on after its gzip"
        self._body += chunk
        if len(self._body) > self._limit:
            self._fault = f"a body of more than {self._limit:,} bytes"

    def finish(self, elapsed: float, *, cut: bool = False) -> Answer:
        """Return the answer, or what has come of it when it was cut short."""
        if self._unpack is not None and self._begun and not self._unpack.eof:
            self._fault = self._fault or "a body that ends in the middle"
        response, body = self._response, bytes(self._body)
        return Answer(response.status_code, response.headers, body, response.request, elapsed, self._fault, cut)


def parse_body(body: bytes) -> Any:
    """Return the JSON value of a body.

    Raises:
        ValueError: When it is no JSON, or so deeply nested that what walks it afterwards would fail.
    """
    fault: str | None = None
    value: Any = None
    try:
        value = json.loads(body)
    except RecursionError:
        fault = "too deeply nested JSON"
    except ValueError:
        fault = "no JSON"
    # Raised here and not there, since Python's own error would hold the whole body.
    if fault or _is_deep(value):
        raise ValueError(fault or "too deeply nested JSON")
    return value


def _is_deep(value: object) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            child
            for item in level
            if isinstance(item, list | dict)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return False
    return True


def decode_body(model: type[T], answer: Answer, operation: str, *, strict: bool) -> T:
    """Decode the answer to an operation.

    What differs from the contract costs one warning in the log, or, when `strict`, the answer.

    Raises:
        APIResponseValidationError: When the body is no JSON object, or `strict` and it differs from the contract.
    """
    if answer.fault:
        raise invalid_answer(answer, operation, answer.fault)
    try:
        data = parse_body(answer.body)
    except ValueError as error:
        raise invalid_answer(answer, operation, str(error)) from None
    if not isinstance(data, dict):
        raise invalid_answer(answer, operation, "JSON that is no object")
    result, problems = decode_answer(model, data)
    if problems and strict:
        raise invalid_answer(answer, operation, f"what differs from the contract: {problems}", show=False)
    if problems:
        logger.warning("The answer to %s differs from the contract: %s", operation, problems)
    return result


def invalid_answer(answer: Answer, operation: str, what: str, *, show: bool = True) -> APIResponseValidationError:
    """Return the error for an answer that cannot be used; its message shows how the body begins."""
    shown = answer.mask()
    message = f"{operation} was answered with status {answer.status} and {what}"
    if show:
        message += f": {snippet(shown.body[:SHOWN].decode('utf-8', 'replace')) or 'the body is empty'}"
    beginning = evolve(shown, body=shown.body[:SHOWN])
    try:
        body = parse_body(shown.body)
    except ValueError:
        body = beginning.body.decode("utf-8", "replace")
    return APIResponseValidationError(message, response=beginning.response(), body=body)
