"""One operation of the API: request, attempts, response.

`fetch` decides but never waits or sends. It yields `Send` and `Pause`, and a runner returns the result.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from enum import Enum, auto
from functools import partial
from typing import Any, Generic, TypeVar, cast

import httpx
from attrs import field, frozen

from scenario_uploads.errors import ScenarioError
from scenario_uploads.redaction import redact
from scenario_uploads.retry import Outcome, Repeat, RetryPolicy, Tries
from scenario_uploads.settings.client import ClientOptions

from .faults import classify_exception, classify_response
from .operations import Operation
from .request import build_request
from .responses import CUT_SHORT, find_fault, invalid_response

T = TypeVar("T")

logger = logging.getLogger("scenario_uploads.http")

# Decoding larger bodies, in bytes, takes more than a millisecond or two.
LARGE_BODY = 64 * 1024


class ResponseMode(Enum):
    """What the caller gets: the model, the raw response, or the response before its body is read."""

    MODEL = auto()
    RAW = auto()
    STREAM = auto()


@frozen
class Reply(Generic[T]):
    """The result of a call that was not refused.

    Attributes:
        operation: The operation.
        response: The response; with `ResponseMode.STREAM` its body is still to be read.
        strict: Whether a response that differs from the contract is an error.
        retries_taken: Retries before this response.
    """

    operation: Operation[T]
    response: httpx.Response
    strict: bool
    retries_taken: int = 0
    _value: T | None = field(default=None, repr=False)

    @property
    def value(self) -> T:
        """The decoded response, with `ResponseMode.MODEL`."""
        return cast("T", self._value)


@frozen
class Send:
    """To do: send the request and return the response, its body up to `limit` bytes or, with `stream`, not yet read."""

    request: httpx.Request
    limit: int
    stream: bool = False


@frozen
class Pause:
    """To do: wait this many seconds."""

    seconds: float


@frozen
class Work:
    """To do: call this, which may block or take long, and return its result."""

    call: Callable[[], object]


@frozen
class Api:
    """How a client talks to the API: settings, randomness and clocks."""

    options: ClientOptions
    draw: Callable[[], float] = random.random
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


Calling = Generator[Send | Pause | Work, Any, T]


def fetch(
    api: Api,
    operation: Operation[T],
    *,
    mode: ResponseMode = ResponseMode.MODEL,
    retries: int | None = None,
    patience: float | None = None,
    find_missing: Callable[[T], str | None] | None = None,
) -> Calling[Reply[T]]:
    """Send an operation until it succeeds, is refused or is given up. A raw response is not decoded."""
    policy = RetryPolicy(api.options.max_retries if retries is None else retries, patience=patience)
    tries = Tries(policy, operation.repeat, api.draw, api.clock)
    strict = api.options.strict_responses
    while True:
        error: ScenarioError
        cause: Exception | None = None
        request = build_request(api.options, operation.request, timeout=operation.timeout)
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("%s: sending %s %s", operation.name, request.method, redact(str(request.url)))
        try:
            response: httpx.Response = yield Send(request, operation.response_limit, mode is ResponseMode.STREAM)
        except ScenarioError:
            raise
        except Exception as raised:  # noqa: BLE001 - a transport of the caller's, or its hooks, raise what they like
            cause = raised
            error, outcome = classify_exception(raised, operation.name, operation.repeat, request)
        else:
            logger.info("%s: answered with status %d", operation.name, response.status_code)
            if response.is_success and find_fault(response) != CUT_SHORT:
                if mode is not ResponseMode.MODEL:
                    return Reply(operation, response, strict, tries.failed)
                value = yield from _decode(operation, response, strict=strict)
                missing = find_missing(value) if find_missing is not None else None
                if not missing:
                    return Reply(operation, response, strict, tries.failed, value)
                error = invalid_response(response, operation.name, missing)
                # Do not create twice because a response is incomplete.
                outcome = Outcome(retryable=operation.repeat is Repeat.SAFE)
            else:
                error, outcome = classify_response(response, operation.name, now=api.now())
        delay = tries.fail(outcome)
        if delay is None:
            raise error from cause
        logger.log(tries.level, "%s; trying again in %.2f s, %s.", error, delay, tries)
        yield Pause(delay)


def _decode(operation: Operation[T], response: httpx.Response, *, strict: bool) -> Calling[T]:
    decode = partial(operation.decode, response, strict=strict)
    value: T = (yield Work(decode)) if len(response.content) > LARGE_BODY else decode()
    return value
