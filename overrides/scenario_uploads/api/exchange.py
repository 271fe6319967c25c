"""One operation of the API: request, attempts, answer.

`call` decides and never waits or sends: it yields a `Send` or a `Pause` and gets back what came of it. The two clients
carry these out, each in its own way, with `send` and `send_async`; nothing else differs between them.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any, Generic, TypeVar, cast

import httpx
from attrs import evolve, field, frozen

from scenario_uploads.errors import InvalidArgumentError
from scenario_uploads.redaction import redact, snippet
from scenario_uploads.retry import Outcome, Repeat, RetryPolicy, next_delay
from scenario_uploads.sentinels import NotGiven, Omit
from scenario_uploads.settings.client import ClientOptions, check_project_id

from .faults import FAULTS, classify_exception, classify_response
from .operations import Operation
from .request import build_request
from .responses import Answer, BodyReader, OpenAnswer, invalid_answer

T = TypeVar("T")

logger = logging.getLogger("scenario_uploads.http")


class ResponseMode(Enum):
    """What a caller wants of an answer: the model, the answer as it came, or the answer before its body is read."""

    MODEL = auto()
    RAW = auto()
    STREAM = auto()


@frozen
class Reply(Generic[T]):
    """What a call came to, when it was not refused.

    Attributes:
        operation: The call.
        answer: The answer, or with `ResponseMode.STREAM` one whose body is still to be read.
        strict: Whether an answer that differs from the contract is an error.
        retries_taken: How often the call was sent again.
    """

    operation: Operation[T]
    answer: Answer | OpenAnswer
    strict: bool
    retries_taken: int = 0
    _value: T | None = field(default=None, repr=False)

    @property
    def value(self) -> T:
        """The decoded answer, with `ResponseMode.MODEL`."""
        return cast("T", self._value)


@frozen
class Send:
    """To do: send this request and return its `Answer`, or raise what httpx raises.

    With `stream`, a 2xx is returned as an `OpenAnswer`, its body not yet read.
    """

    request: httpx.Request
    limit: int
    stream: bool = False


@frozen
class Pause:
    """To do: wait this many seconds."""

    seconds: float


@frozen
class Api:
    """How a client talks to the API: its settings, and the chance and clocks that decisions use."""

    options: ClientOptions
    draw: Callable[[], float] = random.random
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def for_project(self, project_id: str | Omit | None) -> Api:
        """Return how one call talks to the API that is about another project; None is for that of the client.

        Raises:
            InvalidArgumentError: When it is no id.
        """
        if project_id is None or isinstance(project_id, NotGiven):
            return self
        return evolve(self, options=evolve(self.options, project_id=check_project_id(project_id)))


Calling = Generator[Send | Pause, Any, T]


def call(
    api: Api,
    operation: Operation[T],
    *,
    timeout: httpx.Timeout | None = None,
    retries: int | None = None,
    find_missing: Callable[[T], str | None] | None = None,
) -> Calling[T]:
    """Send an operation until it is answered, refused or given up, and return the decoded answer.

    Args:
        api: How the client talks to the API.
        operation: What to call.
        timeout: Instead of the client's.
        retries: Instead of the client's.
        find_missing: Tells what an answer lacks without which there is no going on, or None.

    Raises:
        APIStatusError: When the API refused; one class for each common status.
        APIConnectionError: When no answer came, and no further try was due.
        APIResponseValidationError: When the answer is no JSON object, or (with `strict_responses`) breaks the contract.
    """
    reply = yield from fetch(api, operation, timeout=timeout, retries=retries, find_missing=find_missing)
    return reply.value


def fetch(
    api: Api,
    operation: Operation[T],
    *,
    mode: ResponseMode = ResponseMode.MODEL,
    timeout: httpx.Timeout | None = None,
    retries: int | None = None,
    find_missing: Callable[[T], str | None] | None = None,
) -> Calling[Reply[T]]:
    """Send an operation like `call`, and return what it came to, the answer itself included.

    An answer that is wanted as it came is not decoded, so it may be anything but a refusal.
    """
    policy = RetryPolicy(api.options.max_retries if retries is None else retries)
    retry = unanswered = 0
    while True:
        cause: Exception | None = None
        request = build_request(api.options, operation.request, timeout=timeout)
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("%s: sending %s %s", operation.name, request.method, redact(str(request.url)))
        try:
            answer: Answer | OpenAnswer = yield Send(request, operation.answer_limit, mode is ResponseMode.STREAM)
        except FAULTS as raised:
            cause = raised
            error, outcome = classify_exception(raised, operation.name, operation.repeat, request)
        else:
            logger.info("%s: answered with status %d", operation.name, answer.status)
            strict = api.options.strict_responses
            if isinstance(answer, OpenAnswer):
                return Reply(operation, answer, strict, retry)
            if 200 <= answer.status < 300 and not answer.cut:
                if mode is not ResponseMode.MODEL:
                    return Reply(operation, answer, strict, retry)
                value = operation.decode(answer, strict=strict)
                lack = find_missing(value) if find_missing is not None else None
                if not lack:
                    return Reply(operation, answer, strict, retry, value)
                error = invalid_answer(answer, operation.name, lack)
                # What makes something is not done twice for an answer that says too little of it.
                outcome = Outcome(retryable=operation.repeat is Repeat.SAFE)
            else:
                error, outcome = classify_response(answer, operation.name, now=api.now())
        delay = next_delay(policy, retry, outcome, repeat=operation.repeat, draw=api.draw, unanswered=unanswered)
        if delay is None:
            raise error from cause
        retry, unanswered = retry + 1, unanswered + outcome.unanswered
        logger.info("%s; trying again in %.2f s, %d of %d.", error, delay, retry, policy.max_retries)
        yield Pause(delay)


@contextmanager
def explain_environment() -> Iterator[None]:
    """Let what httpx says of the environment's proxies and CA files, when a client is made, be one of our errors.

    Raises:
        InvalidArgumentError: When they cannot be used.
    """
    try:
        yield
    except (ImportError, ValueError, OSError) as error:
        raise InvalidArgumentError(
            "The environment's proxies (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY) or CA files (SSL_CERT_FILE, SSL_CERT_DIR)"
            f" cannot be used: {snippet(str(error))}"
        ) from error


def send(client: httpx.Client, effect: Send) -> Answer | OpenAnswer:
    """Send a request over `client`, ignoring its base URL, credentials, redirects and timeouts."""
    start = time.perf_counter()
    response = client.send(effect.request, stream=True, auth=None, follow_redirects=False)
    if effect.stream and response.is_success and not response.is_stream_consumed:
        return OpenAnswer(response, effect.limit)
    reader = BodyReader(response, effect.limit)
    try:
        if response.is_stream_consumed:
            reader.feed(response.content)
        else:
            for chunk in response.iter_raw():
                if not reader.feed(chunk):
                    break
    except httpx.RemoteProtocolError:
        return reader.finish(time.perf_counter() - start, cut=True)
    finally:
        response.close()
    return reader.finish(time.perf_counter() - start)


async def send_async(client: httpx.AsyncClient, effect: Send) -> Answer | OpenAnswer:
    """Send a request over `client`, ignoring its base URL, credentials, redirects and timeouts."""
    start = time.perf_counter()
    response = await client.send(effect.request, stream=True, auth=None, follow_redirects=False)
    if effect.stream and response.is_success and not response.is_stream_consumed:
        return OpenAnswer(response, effect.limit)
    reader = BodyReader(response, effect.limit)
    try:
        if response.is_stream_consumed:
            reader.feed(response.content)
        else:
            async for chunk in response.aiter_raw():
                if not reader.feed(chunk):
                    break
    except httpx.RemoteProtocolError:
        return reader.finish(time.perf_counter() - start, cut=True)
    finally:
        await response.aclose()
    return reader.finish(time.perf_counter() - start)
