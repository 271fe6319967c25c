"""Answers as they came: what `with_raw_response` and `with_streaming_response` give instead of models.

The two classes differ in being awaited; what they decide, they decide in their common base.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, TypeVar, overload

import httpx

from .faults import FAULTS
from .received import BaseAPIResponse
from .streaming import BrokenBodyError, Cut, SplitLines, Stage, flush, push

T = TypeVar("T")
To = TypeVar("To")


class APIResponse(BaseAPIResponse[T]):
    """An answer as it came, from `with_raw_response`, or one to be read off the wire, from `with_streaming_response`.

    `read`, `text`, `json` and `parse` read the body as a whole, within the bound that every answer has, and keep it.
    The `iter_` methods read it piece by piece, and once only.
    """

    def read(self) -> bytes:
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
                for chunk in response.iter_raw():
                    if not reader.feed(chunk):
                        break
            except httpx.RemoteProtocolError:
                cut = True
            except FAULTS as error:
                raise self._explain(error) from error
            finally:
                response.close()
            self._finish(reader, cut=cut)
        return self.content

    def text(self) -> str:
        """Return the body as text. It raises what `read` raises."""
        return self._decode_text(self.read())

    def json(self) -> Any:
        """Return the body's JSON value. It raises what `read` raises, the first also when the body is no JSON."""
        return self._decode_json(self.read())

    @overload
    def parse(self) -> T: ...

    @overload
    def parse(self, *, to: type[To]) -> To: ...

    def parse(self, *, to: Any = None) -> Any:
        """Return what the call itself would have returned.

        Args:
            to: What to return instead: another model of the contract, `dict`, `list`, `str`, `bytes`, `object` for the
                JSON value, or `httpx.Response`.

        Raises:
            APIResponseValidationError: When the body is not that, or is cut short, damaged or too large.
            APIConnectionError: When the connection breaks.
            InvalidArgumentError: When `to` is something else.
        """
        return self._decode(self.read(), to)

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Give the body, unpacked, in pieces of `chunk_size` bytes, or as they come. It raises what `read` raises."""
        return self._iterate([Cut(chunk_size)] if chunk_size is not None else [])

    def iter_text(self, chunk_size: int | None = None) -> Iterator[str]:
        """Give the body as text in pieces of `chunk_size` characters, or as they come. It raises what `read` raises."""
        return self._iterate([self._to_text(), *([Cut(chunk_size)] if chunk_size is not None else [])])

    def iter_lines(self) -> Iterator[str]:
        """Give the body as lines of text, without their ends. It raises what `read` raises."""
        return self._iterate([self._to_text(), SplitLines()])

    def stream_to_file(self, file: str | os.PathLike[str], *, chunk_size: int | None = None) -> None:
        """Write the body, unpacked, to a file, in pieces of `chunk_size` bytes. It raises what `read` raises."""
        with Path(file).open("wb") as target:
            target.writelines(self.iter_bytes(chunk_size))

    def close(self) -> None:
        """Give up what is not read, and the connection with it. Closing again changes nothing."""
        self.http_response.close()

    def _iterate(self, stages: list[Stage]) -> Iterator[Any]:
        try:
            if self._answer is not None:
                yield from push(stages, [self.content])
            else:
                stages = self._unpacked(stages)
                for chunk in self._begin().iter_raw():
                    yield from push(stages, [chunk])
            yield from flush(stages)
        except (*FAULTS, BrokenBodyError) as error:
            self.close()
            raise self._explain(error) from error


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
