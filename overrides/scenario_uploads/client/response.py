"""Raw responses: what the sync and the async class share."""

from __future__ import annotations

import datetime
from contextlib import suppress
from typing import Any, Generic, TypeVar, get_origin

import attrs
import httpx

from scenario_uploads.api.exchange import Reply, name_upload
from scenario_uploads.api.responses import classify_exception, decode_body, find_fault, invalid_response, parse_body
from scenario_uploads.errors import InvalidArgumentError, ScenarioError
from scenario_uploads.redaction import snippet
from scenario_uploads.retry import Repeat

T = TypeVar("T")


class BaseAPIResponse(Generic[T]):
    """What both kinds of response have.

    Attributes:
        http_response: The response of HTTPX. Its body is decompressed once read.
        retries_taken: How often the request was sent again, 0 or more.
    """

    http_response: httpx.Response
    retries_taken: int

    def __init__(self, reply: Reply[T], connections: object) -> None:
        self._reply = reply
        # Keep the connections alive while the response is read.
        self._connections = connections
        self._begun = False
        self._parsed: dict[object, Any] = {}
        self.http_response, self.retries_taken = reply.response, reply.retries_taken
        self._is_read = self.http_response.is_closed
        # A hook of the caller's client may have asked for the text already.
        with suppress(ValueError):
            self.http_response.encoding = _find_encoding(self.http_response)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} [{self.status_code}] type={self._reply.operation.model.__name__}>"

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        return self.http_response.status_code

    @property
    def headers(self) -> httpx.Headers:
        """The headers of the response."""
        return self.http_response.headers

    @property
    def http_request(self) -> httpx.Request:
        """The request that was answered; its headers hold the credentials."""
        return self.http_response.request

    @property
    def method(self) -> str:
        """The method of the request."""
        return self.http_request.method

    @property
    def url(self) -> httpx.URL:
        """The URL of the request."""
        return self.http_request.url

    @property
    def http_version(self) -> str:
        """The protocol of the response, such as `HTTP/1.1`."""
        return self.http_response.http_version

    @property
    def elapsed(self) -> datetime.timedelta:
        """The time from the request to the end of the response; a `RuntimeError` before that."""
        return self.http_response.elapsed

    @property
    def is_closed(self) -> bool:
        """Whether the body is read or discarded, and the connection free."""
        return self.http_response.is_closed

    @property
    def content(self) -> bytes:
        """The body, unpacked, once it is read.

        Raises:
            ScenarioError: When it is not.
        """
        if not self._is_read:
            raise ScenarioError("The body of the response is not read yet; call read().")
        if fault := find_fault(self.http_response):
            raise self._invalid(fault)
        return self.http_response.content

    def _begin(self) -> httpx.Response:
        """Return the open response, for reading its body once."""
        if self._begun:
            raise ScenarioError("The body has been streamed already; call read() before, and it is kept.")
        if self.http_response.is_closed:
            raise ScenarioError("The response was closed before its body was read with read().")
        self._begun = True
        return self.http_response

    def _open(self) -> httpx.Response:
        """Return the open response, for streaming its body once, unpacked by HTTPX."""
        if self._is_read:
            self.content  # noqa: B018 - it raises when the body is not whole
            return self.http_response
        response = self._begin()
        packing = response.headers.get("content-encoding", "").strip().lower()
        if packing not in ("", "identity", "gzip"):
            raise self._invalid(f"a body packed with {snippet(packing, 20)!r}, which was not asked for")
        return response

    def _parse_json(self) -> Any:
        try:
            return parse_body(self.content)
        except ValueError as error:
            raise self._invalid(str(error)) from None

    def _parse(self, to: Any) -> Any:
        if to not in self._parsed:
            with name_upload(self._reply.operation.upload_id):
                self._parsed[to] = self._decode(to)
        return self._parsed[to]

    def _decode(self, to: Any) -> Any:
        operation, strict = self._reply.operation, self._reply.strict
        if to is None:
            return operation.decode(self.http_response, strict=strict)
        if isinstance(to, type) and attrs.has(to) and hasattr(to, "from_dict"):
            return decode_body(to, self.http_response, operation.name, strict=strict)
        if to is httpx.Response:
            return self.http_response
        if to in (str, bytes):
            return self.content if to is bytes else self.http_response.text
        kind = get_origin(to) or to
        if kind not in (object, dict, list):
            raise InvalidArgumentError(
                "A response can be parsed to a model of the contract, dict, list, str, bytes, object or"
                f" httpx.Response, not to {to!r}."
            )
        value = self._parse_json()
        if not isinstance(value, kind):
            raise self._invalid(f"JSON that is not a {kind.__name__}")
        return value

    def _explain(self, error: Exception) -> ScenarioError:
        """Return the package's error for an exception while reading the body."""
        if isinstance(error, httpx.DecodingError):
            return self._invalid("a body that is not the gzip that it claims to be")
        mine, _ = classify_exception(error, self._reply.operation.name, Repeat.SAFE, self.http_request)
        mine.upload_id = self._reply.operation.upload_id
        return mine

    def _invalid(self, what: str) -> ScenarioError:
        response = self.http_response
        if not self._is_read:
            response = httpx.Response(response.status_code, headers=response.headers, request=response.request)
            response.elapsed = datetime.timedelta()
        error = invalid_response(response, self._reply.operation.name, what, show=self._is_read)
        error.upload_id = self._reply.operation.upload_id
        return error


def check_chunk_size(chunk_size: object) -> None:
    """Raise InvalidArgumentError unless the size of the pieces of a body is None or a whole number from 1."""
    if chunk_size is None or (isinstance(chunk_size, int) and not isinstance(chunk_size, bool) and chunk_size >= 1):
        return
    raise InvalidArgumentError(f"chunk_size must be a whole number from 1, or None, not {chunk_size!r}.")


def _find_encoding(response: httpx.Response) -> str:
    """Return the charset of a response, or UTF-8 when it names none that decodes to text."""
    name = response.charset_encoding or "utf-8"
    try:
        b"".decode(name)
    except (LookupError, ValueError):
        return "utf-8"
    return name
