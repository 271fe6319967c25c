# Generated from async_response.py by make generate. Do not edit.
"""Raw and streamed responses: what `with_raw_response` and `with_streaming_response` return."""

from __future__ import annotations

import datetime
import functools
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Generic, ParamSpec, Self, TypeVar, cast, get_origin, overload

import attrs
import httpx

from scenario_uploads.api.calls import send
from scenario_uploads.api.exchange import LARGE_BODY, Api, Operation, Reply, ResponseMode, name_upload
from scenario_uploads.api.responses import classify_exception, decode_body, find_fault, make_body_error, read_json
from scenario_uploads.api.sync_http import read_sync
from scenario_uploads.errors import ScenarioError
from scenario_uploads.redaction import redact_chain

from .runner import Runner, finish, run_blocking

P = ParamSpec("P")
T = TypeVar("T")
To = TypeVar("To")


class APIResponse(Generic[T]):
    """A raw response, from `with_raw_response`, or a streamed one, from `with_streaming_response`.

    `read`, `text`, `json` and `parse` read the whole body, within the limit of every response, and keep it. The `iter_`
    methods stream it, once only.

    Attributes:
        http_response: The response of HTTPX. Its body is decompressed once read.
        http_request: The request that was answered; its headers hold the credentials.
        method: The method of the request.
        url: The URL of the request.
        status_code: The HTTP status.
        headers: The headers of the response.
        http_version: The protocol of the response, such as `HTTP/1.1`.
        retries_taken: How often the request was sent again, 0 or more.
    """

    __module__ = "scenario_uploads"
    # Shown in `dir` of the class, as with scenario-sdk.
    __slots__ = ("__dict__", "headers", "http_request", "http_version", "method", "status_code", "url")

    def __init__(self, reply: Reply[T], runner: Runner) -> None:
        response, request = reply.response, reply.response.request
        self.http_response, self.headers, self.retries_taken = response, response.headers, reply.retries_taken
        self.status_code, self.http_version = response.status_code, response.http_version
        self.http_request, self.method, self.url = request, request.method, request.url
        self._operation, self._strict = reply.operation, reply.strict
        # Keeps the connections alive while the response is read.
        self._runner = runner
        self._parsed: dict[object, Any] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} [{self.status_code}] type={self._operation.model.__name__}>"

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
        """The body, unpacked, once it is read; a `ScenarioError` before that."""
        with self._explain():
            self._check()
            return self.http_response.content

    def read(self) -> bytes:
        """Return the body, unpacked.

        Raises:
            APIResponseValidationError: When it is cut short, damaged or too large.
            APIConnectionError: When the connection breaks.
            ScenarioError: When the body has been streamed, or the response is closed.
        """
        if not self.is_closed:
            with self._explain():
                finish(read_sync, self.http_response, self._operation.response_limit)
        return self.content

    def text(self) -> str:
        """Return the body as text. Raises what `read` raises."""
        self.read()
        return self.http_response.text

    def json(self) -> Any:
        """Return the JSON value of the body. Raises what `read` raises, also if it is not JSON."""
        return self.parse(to=object)

    @overload
    def parse(self) -> T: ...

    @overload
    def parse(self, *, to: type[To]) -> To: ...

    def parse(self, *, to: Any = None) -> Any:
        """Return the model that the call itself would have returned.

        Args:
            to: What to return instead: another model of the contract, `dict`, `list`, `str`, `bytes`, `object` for any
                JSON value, or `httpx.Response`.

        Raises what `read` raises, and `APIResponseValidationError` when the body is not that.
        """
        body = self.read()
        if to not in self._parsed:
            with name_upload(self._operation.upload_id):
                large = len(body) > LARGE_BODY
                self._parsed[to] = run_blocking(self._decode, to) if large else self._decode(to)
        return self._parsed[to]

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Yield the body, unpacked, in chunks of `chunk_size` bytes, or as they come. Raises what `read` raises."""
        return self._iterate(lambda response: response.iter_bytes(chunk_size))

    def iter_text(self, chunk_size: int | None = None) -> Iterator[str]:
        """Yield the body as text in chunks of `chunk_size` characters, or as they come. Raises what `read` raises."""
        return self._iterate(lambda response: response.iter_text(chunk_size))

    def iter_lines(self) -> Iterator[str]:
        """Yield the lines of the body, without line ends. Raises what `read` raises."""
        return self._iterate(lambda response: response.iter_lines())

    def stream_to_file(self, file: str | os.PathLike[str], *, chunk_size: int | None = None) -> None:
        """Write the body, unpacked, to a file in chunks of `chunk_size` bytes. Raises what `read` raises."""
        target = run_blocking(Path(file).open, "wb")
        try:
            for piece in self.iter_bytes(chunk_size):
                run_blocking(target.write, piece)
        finally:
            run_blocking(target.close)

    def close(self) -> None:
        """Discard the rest of the body and free the connection. Idempotent."""
        finish(self.http_response.close)

    def _iterate(self, read: Callable[[httpx.Response], Iterator[Any]]) -> Iterator[Any]:
        with self._explain():
            self._check()
            pieces = read(self.http_response)
            try:
                while (piece := finish(next, pieces, None)) is not None:
                    yield piece
            except Exception:
                self.close()
                raise

    def _check(self) -> None:
        """Raise when the body was read, but not whole."""
        if fault := find_fault(self.http_response):
            raise make_body_error(self.http_response, self._operation.name, fault)

    def _decode(self, to: Any) -> Any:
        response, name = self.http_response, self._operation.name
        if to is None:
            return self._operation.decode(response, strict=self._strict)
        if to in (str, bytes, httpx.Response):
            return {str: response.text, bytes: response.content, httpx.Response: response}[to]
        if attrs.has(to):
            return decode_body(to, response, name, strict=self._strict)
        return read_json(response, name, get_origin(to) or to)

    @contextmanager
    def _explain(self) -> Iterator[None]:
        """Turn what HTTPX raises while the body is read into errors of the package."""
        with name_upload(self._operation.upload_id):
            try:
                yield
            except ScenarioError:
                raise
            except httpx.StreamError as error:
                raise ScenarioError(
                    "The body is not read yet, or has been streamed already, or the response is closed. Call read()"
                    " before, and the body is kept."
                ) from error
            except Exception as error:
                redact_chain(error)
                raise classify_exception(error, self._operation.name, self.http_request)[0] from error


class Resource:
    """The operations of one tag of the contract, in one `ResponseMode`."""

    def __init__(self, api: Api, runner: Runner, mode: ResponseMode = ResponseMode.MODEL) -> None:
        self._api, self._runner, self._mode = api, runner, mode

    def _run(self, operation: Operation[T]) -> T:
        reply = self._runner.run(send(self._api, operation, self._mode))
        return reply.value if self._mode is ResponseMode.MODEL else cast("T", APIResponse(reply, self._runner))

    def _with_mode(self, mode: ResponseMode) -> Self:
        return type(self)(self._api, self._runner, mode)


# The return type depends on the `ResponseMode` of the object, which type checkers cannot follow.
def return_raw(method: Callable[P, T]) -> Callable[P, APIResponse[T]]:
    """Return a method of a client in raw mode with its true return type."""
    return cast("Callable[P, APIResponse[T]]", method)


def return_streamed(
    method: Callable[P, T],
) -> Callable[P, AbstractContextManager[APIResponse[T]]]:
    """Wrap a method of a client in streaming mode: it is called when its block is entered."""

    @contextmanager
    @functools.wraps(method)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> Iterator[APIResponse[T]]:
        response = return_raw(method)(*args, **kwargs)
        try:
            yield response
        finally:
            response.close()

    return wrapped
