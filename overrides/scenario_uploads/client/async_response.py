"""Answers as they came: what `with_raw_response` and `with_streaming_response` give instead of models.

The two classes differ in being awaited; what they decide, they decide in their common base.
"""

from __future__ import annotations

import functools
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, ParamSpec, TypeVar, cast, overload

import httpx

from scenario_uploads.api.faults import FAULTS

from .response import BaseAPIResponse, BrokenBodyError, Cut, SplitLines, Stage, flush, push

T = TypeVar("T")

To = TypeVar("To")


class AsyncAPIResponse(BaseAPIResponse[T]):
    """An answer as it came, from `with_raw_response`, or one to be read off the wire, from `with_streaming_response`.

    `read`, `text`, `json` and `parse` read the body as a whole, within the bound that every answer has, and keep it.
    The `iter_` methods read it piece by piece, and once only.
    """

    async def read(self) -> bytes:
        """Return the body, unpacked.

        Raises:
            APIResponseValidationError: When it is cut short, damaged or too large.
            APIConnectionError: When the connection breaks.
            ScenarioError: When the body has been streamed, or the answer is closed.
        """
        if self._answer is None:
            response, cut = self._begin(), False
            reader = self._reader(response)
            try:
                async for chunk in response.aiter_raw():
                    if not reader.feed(chunk):
                        break
            except httpx.RemoteProtocolError:
                cut = True
            except FAULTS as error:
                raise self._explain(error) from error
            finally:
                await response.aclose()
            self._finish(reader, cut=cut)
        return self.content

    async def text(self) -> str:
        """Return the body as text. It raises what `read` raises."""
        return self._decode_text(await self.read())

    async def json(self) -> Any:
        """Return the body's JSON value. It raises what `read` raises, the first also when the body is no JSON."""
        return self._decode_json(await self.read())

    @overload
    async def parse(self) -> T: ...

    @overload
    async def parse(self, *, to: type[To]) -> To: ...

    async def parse(self, *, to: Any = None) -> Any:
        """Return what the call itself would have returned.

        Args:
            to: What to return instead: another model of the contract, `dict`, `list`, `str`, `bytes`, `object` for the
                JSON value, or `httpx.Response`.

        Raises:
            APIResponseValidationError: When the body is not that, or is cut short, damaged or too large.
            APIConnectionError: When the connection breaks.
            InvalidArgumentError: When `to` is something else.
        """
        return self._decode(await self.read(), to)

    def iter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        """Give the body, unpacked, in pieces of `chunk_size` bytes, or as they come. It raises what `read` raises."""
        return self._iterate([Cut(chunk_size)] if chunk_size is not None else [])

    def iter_text(self, chunk_size: int | None = None) -> AsyncIterator[str]:
        """Give the body as text in pieces of `chunk_size` characters, or as they come. It raises what `read` raises."""
        return self._iterate([self._to_text(), *([Cut(chunk_size)] if chunk_size is not None else [])])

    def iter_lines(self) -> AsyncIterator[str]:
        """Give the body as lines of text, without their ends. It raises what `read` raises."""
        return self._iterate([self._to_text(), SplitLines()])

    async def stream_to_file(self, file: str | os.PathLike[str], *, chunk_size: int | None = None) -> None:
        """Write the body, unpacked, to a file, in pieces of `chunk_size` bytes. It raises what `read` raises."""
        import asyncio  # noqa: PLC0415 - slow to import, and of no use to the other client

        target = await asyncio.to_thread(Path(file).open, "wb")
        try:
            async for piece in self.iter_bytes(chunk_size):
                await asyncio.to_thread(target.write, piece)
        finally:
            await asyncio.to_thread(target.close)

    async def close(self) -> None:
        """Give up what is not read, and the connection with it. Closing again changes nothing."""
        await self.http_response.aclose()

    async def _iterate(self, stages: list[Stage]) -> AsyncIterator[Any]:
        try:
            if self._answer is not None:
                for piece in push(stages, [self.content]):
                    yield piece
            else:
                stages = self._unpacked(stages)
                async for chunk in self._begin().aiter_raw():
                    for piece in push(stages, [chunk]):
                        yield piece
            for piece in flush(stages):
                yield piece
        except (*FAULTS, BrokenBodyError) as error:
            await self.close()
            raise self._explain(error) from error


P = ParamSpec("P")


class AsyncResponseContextManager(Generic[T]):
    """Makes a call when its `async with` block is entered, and closes the answer when it is left."""

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


def return_raw_async(method: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[AsyncAPIResponse[T]]]:
    """Return a method of a client that delivers raw answers, typed as what it does."""
    return cast("Callable[P, Awaitable[AsyncAPIResponse[T]]]", method)


def return_streamed_async(method: Callable[P, Awaitable[T]]) -> Callable[P, AsyncResponseContextManager[T]]:
    """Wrap a method of a client that delivers answers to be read, so that it is called on entering a `with` block."""

    @functools.wraps(method)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> AsyncResponseContextManager[T]:
        return AsyncResponseContextManager(functools.partial(return_raw_async(method), *args, **kwargs))

    return wrapped
