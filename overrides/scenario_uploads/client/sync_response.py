# Generated from async_response.py by make generate. Do not edit.
"""Raw and streamed responses: what `with_raw_response` and `with_streaming_response` return."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, ParamSpec, Self, TypeVar, cast, overload

import httpx

from scenario_uploads.api.exchange import LARGE_BODY, Api, Reply, ResponseMode
from scenario_uploads.api.sync_http import read_sync
from scenario_uploads.errors import ScenarioError
from scenario_uploads.steps import Steps

from .response import BaseAPIResponse, check_chunk_size
from .runner import Runner, finish, run_blocking

P = ParamSpec("P")
T = TypeVar("T")
To = TypeVar("To")


class APIResponse(BaseAPIResponse[T]):
    """A raw response, from `with_raw_response`, or a streamed one, from `with_streaming_response`.

    `read`, `text`, `json` and `parse` read the whole body, within the limit of every response, and keep it. The `iter_`
    methods stream it, once only.
    """

    __module__ = "scenario_uploads"

    def read(self) -> bytes:
        """Return the body, unpacked.

        Raises:
            APIResponseValidationError: When it is cut short, damaged or too large.
            APIConnectionError: When the connection breaks.
            ScenarioError: When the body has been streamed, or the response is closed.
        """
        if not self._is_read:
            response = self._begin()
            try:
                finish(read_sync, response, self._reply.operation.response_limit)
            except ScenarioError:
                raise
            except Exception as error:
                raise self._explain(error) from error
            self._is_read = True
        return self.content

    def text(self) -> str:
        """Return the body as text. Raises what `read` raises."""
        self.read()
        return self.http_response.text

    def json(self) -> Any:
        """Return the JSON value of the body. Raises what `read` raises, also if it is not JSON."""
        self.read()
        return self._work(self._parse_json)

    @overload
    def parse(self) -> T: ...

    @overload
    def parse(self, *, to: type[To]) -> To: ...

    def parse(self, *, to: Any = None) -> Any:
        """Return the model that the call itself would have returned.

        Args:
            to: What to return instead: another model of the contract, `dict`, `list`, `str`, `bytes`, `object` for the
                JSON value, or `httpx.Response`.

        Raises:
            APIResponseValidationError: When the body is not that, or is cut short, damaged or too large.
            APIConnectionError: When the connection breaks.
            InvalidArgumentError: When `to` is something else.
        """
        self.read()
        return self._work(self._parse, to)

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Yield the body, unpacked, in chunks of `chunk_size` bytes, or as they come. Raises what `read` raises."""
        check_chunk_size(chunk_size)
        return self._iterate(lambda response: response.iter_bytes(chunk_size))

    def iter_text(self, chunk_size: int | None = None) -> Iterator[str]:
        """Yield the body as text in chunks of `chunk_size` characters, or as they come. Raises what `read` raises."""
        check_chunk_size(chunk_size)
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

    def _work(self, function: Callable[P, To], *args: P.args, **kwargs: P.kwargs) -> To:
        """Call a function, in a thread when the body is large."""
        if len(self.content) > LARGE_BODY:
            return run_blocking(function, *args, **kwargs)
        return function(*args, **kwargs)

    def _iterate(self, read: Callable[[httpx.Response], Iterator[Any]]) -> Iterator[Any]:
        try:
            pieces = read(self._open())
            while (piece := finish(next, pieces, None)) is not None:
                yield piece
        except ScenarioError:
            raise
        except Exception as error:
            self.close()
            raise self._explain(error) from error


class ResponseContextManager(Generic[T]):
    """Makes a call when its `with` block is entered, and closes the response when it is left."""

    def __init__(self, call: Callable[[], APIResponse[T]]) -> None:
        self._call = call
        self._response: APIResponse[T] | None = None

    def __enter__(self) -> APIResponse[T]:
        self._response = self._call()
        return self._response

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._response is not None:
            self._response.close()


class Resource:
    """The operations of one tag of the contract, in one `ResponseMode`."""

    def __init__(self, api: Api, runner: Runner, mode: ResponseMode = ResponseMode.MODEL) -> None:
        self._api, self._runner, self._mode = api, runner, mode

    def _run(self, steps: Steps[Reply[T]]) -> T:
        reply = self._runner.run(steps)
        return reply.value if self._mode is ResponseMode.MODEL else cast("T", APIResponse(reply, self._runner))

    def _with_mode(self, mode: ResponseMode) -> Self:
        return type(self)(self._api, self._runner, mode)


# The return type depends on the `ResponseMode` of the object, which type checkers cannot follow.
def return_raw(method: Callable[P, T]) -> Callable[P, APIResponse[T]]:
    """Return a method of a client in raw mode with its true return type."""
    return cast("Callable[P, APIResponse[T]]", method)


def return_streamed(method: Callable[P, T]) -> Callable[P, ResponseContextManager[T]]:
    """Wrap a method of a client in streaming mode, to be called on entering a `with` block."""

    @functools.wraps(method)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> ResponseContextManager[T]:
        return ResponseContextManager(functools.partial(return_raw(method), *args, **kwargs))

    return wrapped
