"""Responses of the API: read whole but bounded, parsed, decoded."""

from __future__ import annotations

import json
import logging
import re
import time
import zlib
from datetime import timedelta
from typing import Any, TypeVar

import httpx

from scenario_uploads.decoding.codec import decode_response
from scenario_uploads.errors import APIResponseValidationError
from scenario_uploads.redaction import list_secrets, mask, match_secrets, snippet

T = TypeVar("T")

logger = logging.getLogger("scenario_uploads")

# The contract nests three levels; what the service keeps in `config` may nest some more.
DEEPEST = 100
# How much of a response an error carries, in bytes.
SHOWN = 4096
# Set in the extensions of a response whose body is not the whole of what was sent: what is wrong with it.
_FAULT = "scenario_uploads.fault"
CUT_SHORT = "a body that was cut short"


class BodyReader:
    """Reads the body of a response: unpacked, bounded in bytes and in time.

    The bound holds while unpacking, so a few kilobytes that unpack to gigabytes take no more memory than the limit.
    """

    def __init__(self, response: httpx.Response, limit: int) -> None:
        self._response, self._limit, self._start = response, limit, time.monotonic()
        read_timeout = response.request.extensions.get("timeout", {}).get("read") or 60.0
        # Each chunk has its own read timeout; a service that dribbles would keep us for ever without this one.
        self._deadline = self._start + read_timeout
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

    def finish(self, elapsed: float, *, cut: bool = False) -> httpx.Response:
        """Return the response with its body, or what has come of it when it was cut short.

        Args:
            elapsed: Seconds from sending the request to the last byte.
            cut: Whether the connection ended before the body did.
        """
        if self._unpack is not None and self._begun and not self._unpack.eof:
            self._fault = self._fault or "a body that ends in the middle"
        read = _copy_response(self._response, bytes(self._body), self._response.headers)
        read.elapsed = timedelta(seconds=elapsed)
        if fault := CUT_SHORT if cut else self._fault:
            read.extensions[_FAULT] = fault
        return read


def _copy_response(response: httpx.Response, body: bytes, headers: httpx.Headers) -> httpx.Response:
    extensions = {key: response.extensions[key] for key in ("http_version", _FAULT) if key in response.extensions}
    copied = httpx.Response(response.status_code, content=body, request=response.request, extensions=extensions)
    # Afterwards, or HTTPX would unpack the body once more.
    copied.headers = headers
    return copied


def find_fault(response: httpx.Response) -> str | None:
    """Return what is wrong with the body as such, when it is not the whole of what was sent, or None."""
    return response.extensions.get(_FAULT)


def find_secrets(request: httpx.Request) -> re.Pattern[str] | None:
    """Return a pattern that matches the request's credentials in any encoding, or None when it has none."""
    return match_secrets(*list_secrets(request.headers.get("authorization", "")))


def mask_response(response: httpx.Response, *, limit: int | None = None) -> httpx.Response:
    """Return a response without the request's credentials, should a service or a proxy echo them.

    Args:
        response: The response, read.
        limit: How many bytes of its body to keep; None for all.
    """
    body, headers, secrets = response.content, response.headers, find_secrets(response.request)
    if secrets is not None:
        # Bytes as characters: all that a secret can be spelt with is ASCII, or its bytes in UTF-8.
        body = mask(body.decode("latin-1"), secrets).encode("latin-1")
        headers = httpx.Headers(
            [(name, mask(value.decode("latin-1"), secrets).encode("latin-1")) for name, value in headers.raw]
        )
    masked = _copy_response(response, body[:limit], headers)
    masked.elapsed = response.elapsed
    return masked


def parse_body(body: bytes) -> Any:
    """Return the JSON value of a body.

    Raises:
        ValueError: When it is no JSON, or so deeply nested that what walks it afterwards would fail.
    """
    fault: str | None = None
    value: Any = None
    try:
        # Parsing holds Python's lock, and with it an event loop in another thread, but where it calls a function.
        value = json.loads(body, object_hook=_keep)
    except RecursionError:
        fault = "too deeply nested JSON"
    except ValueError:
        fault = "no JSON"
    # Raised here and not there, since Python's own error would hold the whole body.
    if fault or _is_deep(value):
        raise ValueError(fault or "too deeply nested JSON")
    return value


def _keep(value: dict[str, Any]) -> dict[str, Any]:
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


def decode_body(model: type[T], response: httpx.Response, operation: str, *, strict: bool) -> T:
    """Decode the response to an operation.

    What differs from the contract is logged once as a warning, or, when `strict`, raised.

    Raises:
        APIResponseValidationError: When the body is no JSON object, or `strict` and it differs from the contract.
    """
    if fault := find_fault(response):
        raise invalid_response(response, operation, fault)
    try:
        data = parse_body(response.content)
    except ValueError as error:
        raise invalid_response(response, operation, str(error)) from None
    if not isinstance(data, dict):
        raise invalid_response(response, operation, "JSON that is no object")
    result, problems = decode_response(model, data)
    if problems and strict:
        raise invalid_response(response, operation, f"what differs from the contract: {problems}", show=False)
    if problems:
        logger.warning("The response to %s differs from the contract: %s", operation, problems)
    return result


def invalid_response(
    response: httpx.Response, operation: str, what: str, *, show: bool = True
) -> APIResponseValidationError:
    """Return the error for a response that cannot be used; its message shows how the body begins."""
    masked = mask_response(response)
    beginning = mask_response(response, limit=SHOWN)
    text = beginning.content.decode("utf-8", "replace")
    message = f"{operation} was answered with status {response.status_code} and {what}"
    if show:
        message += f": {snippet(text) or 'the body is empty'}"
    try:
        body = parse_body(masked.content)
    except ValueError:
        body = text
    return APIResponseValidationError(message, response=beginning, body=body)
