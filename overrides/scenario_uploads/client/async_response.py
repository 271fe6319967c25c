"""Raw and streamed responses: what `with_raw_response` and `with_streaming_response` return."""

from __future__ import annotations

import functools
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, ParamSpec, Self, TypeVar, cast, overload

import httpx

from scenario_uploads.api.async_http import read_async
from scenario_uploads.api.exchange import LARGE_BODY, Api, Reply, ResponseMode
from scenario_uploads.errors import ScenarioError
from scenario_uploads.steps import Steps

from .async_runner import AsyncRunner, finish, run_blocking
from .response import BaseAPIResponse, check_chunk_size

P = ParamSpec("P")
T = TypeVar("T")
To = TypeVar("To")


class AsyncAPIResponse(BaseAPIResponse[T]):
    """A raw response, from `with_raw_response`, or a streamed one, from `with_streaming_response`.

    `read`, `text`, `json` and `parse` read the whole body, within the limit of every response, and keep it. The `iter_`
    methods stream it, once only.
    """

    __module__ = "scenario_uploads"

    async def read(self) -> bytes:
        """Return the body, unpacked.

        Raises:
            APIResponseValidationError: When it is cut short, damaged or too large.
            APIConnectionError: When the connection breaks.
            ScenarioError: When the body has been streamed, or the response is closed.
        """
        if not self._is_read:
            response = self._begin()
            try:
                await finish(read_async, response, self._reply.operation.response_limit)
            except ScenarioError:
                raise
            except Exception as error:
                raise self._explain(error) from error
            self._is_read = True
        return self.content

    async def text(self) -> str:
        """Return the body as text. Raises what `read` raises."""
        await self.read()
        return self.http_response.text

    async def json(self) -> Any:
        """Return the JSON value of the body. Raises what `read` raises, also if it is not JSON."""
        await self.read()
        return await self._work(self._parse_json)

    @overload
    async def parse(self) -> T: ...

    @overload
    async def parse(self, *, to: type[To]) -> To: ...

    async def parse(self, *, to: Any = None) -> Any:
        """Return the model that the call itself would have returned.

        Args:
            to: What to return instead: another model of the contract, `dict`, `list`, `str`, `bytes`, `object` for the
                JSON value, or `httpx.Response`.

        Raises:
            APIResponseValidationError: When the body is not that, or is cut short, damaged or too large.
            APIConnectionError: When the connection breaks.
            InvalidArgumentError: When `to` is something else.
        """
        await self.read()
        return await self._work(self._parse, to)

    def iter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        """Yield the body, unpacked, in chunks of `chunk_size` bytes, or as they come. Raises what `read` raises."""
        check_chunk_size(chunk_size)
        return self._iterate(lambda response: response.aiter_bytes(chunk_size))

    def iter_text(self, chunk_size: int | None = None) -> AsyncIterator[str]:
        """Yield the body as text in chunks of `chunk_size` characters, or as they come. Raises what `read` raises."""
        check_chunk_size(chunk_size)
        return self._iterate(lambda response: response.aiter_text(chunk_size))

    def iter_lines(self) -> AsyncIterator[str]:
        """Yield the lines of the body, without line ends. Raises what `read` raises."""
        return self._iterate(lambda response: response.aiter_lines())

    async def stream_to_file(self, file: str | os.PathLike[str], *, chunk_size: int | None = None) -> None:
        """Write the body, unpacked, to a file in chunks of `chunk_size` bytes. Raises what `read` raises."""
        target = await run_blocking(Path(file).open, "wb")
        try:
            async for piece in self.iter_bytes(chunk_size):
                await run_blocking(target.write, piece)
        finally:
            await run_blocking(target.close)

    async def close(self) -> None:
        """Discard the rest of the body and free the connection. Idempotent."""
        await finish(self.http_response.aclose)

    async def _work(self, function: Callable[P, To], *args: P.args, **kwargs: P.kwargs) -> To:
        """Call a function, in a thread when the body is large."""
        if len(self.content) > LARGE_BODY:
            return await run_blocking(function, *args, **kwargs)
        return function(*args, **kwargs)

    async def _iterate(self, read: Callable[[httpx.Response], AsyncIterator[Any]]) -> AsyncIterator[Any]:
        try:
            pieces = read(self._open())
            while (piece := await finish(anext, pieces, None)) is not None:
                yield piece
        except ScenarioError:
            raise
        except Exception as error:
            await self.close()
            raise self._explain(error) from error


class AsyncResponseContextManager(Generic[T]):
    """Makes a call when its `async with` block is entered, and closes the response when it is left."""

    def __init__(self, call: Callable[[], Awaitable[AsyncAPIResponse[T]]]) -> None:
        self._call = call
        self._response: AsyncAPIResponse[T] | None = None

    async def __aenter__(self) -> AsyncAPIResponse[T]:
        self._response = await self._call()
        return self._response

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._response is not None:
            await self._response.close()


class AsyncResource:
    """The operations of one tag of the contract, in one `ResponseMode`."""

    def __init__(self, api: Api, runner: AsyncRunner, mode: ResponseMode = ResponseMode.MODEL) -> None:
        self._api, self._runner, self._mode = api, runner, mode

    async def _run(self, steps: Steps[Reply[T]]) -> T:
        reply = await self._runner.run(steps)
        return reply.value if self._mode is ResponseMode.MODEL else cast("T", AsyncAPIResponse(reply, self._runner))

    def _with_mode(self, mode: ResponseMode) -> Self:
        return type(self)(self._api, self._runner, mode)


# The return type depends on the `ResponseMode` of the object, which type checkers cannot follow.
def return_raw_async(method: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[AsyncAPIResponse[T]]]:
    """Return a method of a client in raw mode with its true return type."""
    return cast("Callable[P, Awaitable[AsyncAPIResponse[T]]]", method)


def return_streamed_async(method: Callable[P, Awaitable[T]]) -> Callable[P, AsyncResponseContextManager[T]]:
    """Wrap a method of a client in streaming mode, to be called on entering a `with` block."""

    @functools.wraps(method)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> AsyncResponseContextManager[T]:
        return AsyncResponseContextManager(functools.partial(return_raw_async(method), *args, **kwargs))

    return wrapped
