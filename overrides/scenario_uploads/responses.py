"""Answers as they came: what `with_raw_response` and `with_streaming_response` give instead of models.

The two classes differ in being awaited; what they decide, they decide in their common base.
"""

from __future__ import annotations

import datetime
import functools
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, ParamSpec, TypeVar, cast, get_origin, overload

import attrs
import httpx

from .answers import Answer, BodyReader, OpenAnswer, decode_body, invalid_answer, parse_body
from .errors import InvalidArgumentError, ScenarioError
from .flow import name_upload
from .http import FAULTS, Reply, judge_exception
from .retry import Repeat
from .streaming import BrokenBodyError, Cut, Decode, SplitLines, Stage, Unpack, flush, push

P = ParamSpec("P")
T = TypeVar("T")
To = TypeVar("To")


class BaseAPIResponse(Generic[T]):
    """What both kinds of answer have.

    Attributes:
        http_response: The answer as HTTPX has it. Once its body is read, it is a copy with the body unpacked.
        retries_taken: How often the request was sent again, 0 or more.
    """

    http_response: httpx.Response
    retries_taken: int

    def __init__(self, reply: Reply[T], connections: object) -> None:
        self._reply = reply
        # While an answer is read, its connection must not be closed for want of users.
        self._connections = connections
        self._answer: Answer | None = None
        self._streamed = False
        self._parsed: dict[object, Any] = {}
        self.retries_taken = reply.retries_taken
        self.http_response = reply.answer.response if isinstance(reply.answer, OpenAnswer) else self._keep(reply.answer)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} [{self.status_code}] type={self._reply.operation.model.__name__}>"

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        return self.http_response.status_code

    @property
    def headers(self) -> httpx.Headers:
        """The headers of the answer."""
        return self.http_response.headers if self._answer is None else self._answer.headers

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
        """The protocol of the answer, such as `HTTP/1.1`."""
        return self.http_response.http_version

    @property
    def elapsed(self) -> datetime.timedelta:
        """The time from the request to the end of the answer; a `RuntimeError` before that."""
        return self.http_response.elapsed

    @property
    def is_closed(self) -> bool:
        """Whether the body is read or given up, and the connection free for others."""
        return self.http_response.is_closed

    @property
    def content(self) -> bytes:
        """The body, unpacked, once it is read.

        Raises:
            ScenarioError: When it is not.
        """
        if self._answer is None:
            raise ScenarioError("The body of the answer is not read yet; call read().")
        return self._check(self._answer).body

    def _keep(self, answer: Answer) -> httpx.Response:
        self._answer = answer
        return answer.response()

    def _check(self, answer: Answer) -> Answer:
        """Return a whole answer when its body is what was sent."""
        if answer.cut:
            raise self._invalid("a body that was cut short", answer)
        if answer.fault:
            raise self._invalid(answer.fault, answer)
        return answer

    def _begin(self) -> httpx.Response:
        """Return the answer whose body is to be read off the wire, for the first and only time."""
        if self._streamed:
            raise ScenarioError("The body of the answer has been streamed already; call read() before, and it is kept.")
        if self.http_response.is_closed:
            raise ScenarioError("The answer is closed, and its body was not read before.")
        self._streamed = True
        return self.http_response

    def _reader(self, response: httpx.Response) -> BodyReader:
        limit = self._reply.answer.limit if isinstance(self._reply.answer, OpenAnswer) else 0
        return BodyReader(response, limit)

    def _finish(self, reader: BodyReader, *, cut: bool) -> None:
        """Keep what was read, the connection being free again."""
        elapsed = self.http_response.elapsed.total_seconds() if self.http_response.is_closed else 0.0
        self.http_response = self._keep(reader.finish(elapsed, cut=cut))

    def _unpacked(self, stages: list[Stage]) -> list[Stage]:
        """Return what a body goes through when it comes off the wire, where it may be packed."""
        return [Unpack(self.headers.get("content-encoding", "")), *stages]

    def _to_text(self) -> Decode:
        return Decode(self.http_response.charset_encoding)

    def _decode_text(self, body: bytes) -> str:
        stages = [self._to_text()]
        return "".join([*push(stages, [body]), *flush(stages)])

    def _decode_json(self, body: bytes) -> Any:
        try:
            return parse_body(body)
        except ValueError as error:
            raise self._invalid(str(error), self._answer) from None

    def _decode(self, body: bytes, to: Any) -> Any:
        if to in self._parsed:
            return self._parsed[to]
        answer = cast("Answer", self._answer)
        parsed: Any
        if to is None:
            with name_upload(self._reply.operation.upload_id):
                parsed = self._reply.operation.decode(answer, strict=self._reply.strict)
        elif isinstance(to, type) and attrs.has(to) and hasattr(to, "from_dict"):
            with name_upload(self._reply.operation.upload_id):
                parsed = decode_body(to, answer, self._reply.operation.name, strict=self._reply.strict)
        elif to is httpx.Response:
            parsed = self.http_response
        elif to in (str, bytes):
            parsed = body if to is bytes else self._decode_text(body)
        else:
            parsed = self._decode_value(body, to)
        self._parsed[to] = parsed
        return parsed

    def _decode_value(self, body: bytes, to: Any) -> Any:
        kind = get_origin(to) or to
        if kind not in (object, dict, list):
            raise InvalidArgumentError(
                f"An answer can be parsed to a model of the contract, dict, list, str, bytes, object or httpx.Response,"
                f" not to {to!r}."
            )
        value = self._decode_json(body)
        if not isinstance(value, kind):
            raise self._invalid(f"JSON that is no {kind.__name__}", self._answer)
        return value

    def _explain(self, error: Exception) -> ScenarioError:
        """Return our error for what broke off the body."""
        if isinstance(error, BrokenBodyError):
            return self._invalid(str(error))
        mine, _ = judge_exception(error, self._reply.operation.name, Repeat.SAFE)
        mine.upload_id = self._reply.operation.upload_id
        return mine

    def _invalid(self, what: str, answer: Answer | None = None) -> ScenarioError:
        response = self.http_response
        nothing = Answer(response.status_code, response.headers, b"", response.request, 0.0)
        error = invalid_answer(answer or nothing, self._reply.operation.name, what, show=answer is not None)
        error.upload_id = self._reply.operation.upload_id
        return error


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
        return self._iterate([Cut(chunk_size)] if chunk_size else [])

    def iter_text(self, chunk_size: int | None = None) -> Iterator[str]:
        """Give the body as text in pieces of `chunk_size` characters, or as they come. It raises what `read` raises."""
        return self._iterate([self._to_text(), *([Cut(chunk_size)] if chunk_size else [])])

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
        return self._iterate([Cut(chunk_size)] if chunk_size else [])

    def iter_text(self, chunk_size: int | None = None) -> AsyncIterator[str]:
        """Give the body as text in pieces of `chunk_size` characters, or as they come. It raises what `read` raises."""
        return self._iterate([self._to_text(), *([Cut(chunk_size)] if chunk_size else [])])

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


class ResponseContextManager(Generic[T]):
    """Makes a call when its `with` block is entered, and closes the answer when it is left."""

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


# What the wrapped methods return depends on the `Delivery` of their object, which type checkers cannot follow.


def return_raw(method: Callable[P, T]) -> Callable[P, APIResponse[T]]:
    """Return a method of a client that delivers raw answers, typed as what it does."""
    return cast("Callable[P, APIResponse[T]]", method)


def return_raw_async(method: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[AsyncAPIResponse[T]]]:
    """Return a method of a client that delivers raw answers, typed as what it does."""
    return cast("Callable[P, Awaitable[AsyncAPIResponse[T]]]", method)


def return_streamed(method: Callable[P, T]) -> Callable[P, ResponseContextManager[T]]:
    """Wrap a method of a client that delivers answers to be read, so that it is called on entering a `with` block."""

    @functools.wraps(method)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> ResponseContextManager[T]:
        return ResponseContextManager(functools.partial(return_raw(method), *args, **kwargs))

    return wrapped


def return_streamed_async(method: Callable[P, Awaitable[T]]) -> Callable[P, AsyncResponseContextManager[T]]:
    """Wrap a method of a client that delivers answers to be read, so that it is called on entering a `with` block."""

    @functools.wraps(method)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> AsyncResponseContextManager[T]:
        return AsyncResponseContextManager(functools.partial(return_raw_async(method), *args, **kwargs))

    return wrapped
