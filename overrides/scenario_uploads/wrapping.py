"""How the methods of a client are wrapped, so that they give answers as they came instead of models."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Generic, ParamSpec, TypeVar, cast

from .responses import APIResponse, AsyncAPIResponse

P = ParamSpec("P")
T = TypeVar("T")


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
