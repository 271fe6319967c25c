"""One operation of the API: request, attempts, response. `fetch` yields what to send and how long to wait."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import Enum, auto
from functools import lru_cache, partial
from typing import Any, Generic, cast

import httpx
from attrs import field, frozen

from scenario_uploads.arguments import CallOptions
from scenario_uploads.errors import InvalidArgumentError, ScenarioError
from scenario_uploads.redaction import redact, redact_chain, snippet
from scenario_uploads.retry import Outcome, Repeat, RetryPolicy, Tries
from scenario_uploads.settings.client import ClientOptions
from scenario_uploads.settings.request import merge_body, merge_headers, merge_query, write_json
from scenario_uploads.steps import Pause, Send, Steps, T, Work
from scenario_uploads.system import user_agent

from .responses import CUT_SHORT, classify_exception, classify_response, decode_body, find_fault, make_body_error

logger = logging.getLogger("scenario_uploads.http")

# Decoding larger bodies, in bytes, takes more than a millisecond or two.
LARGE_BODY = 64 * 1024
RESPONSE_LIMIT = 1024 * 1024


class ResponseMode(Enum):
    """What the caller gets: the model, the raw response, or the response before its body is read."""

    MODEL = auto()
    RAW = auto()
    STREAM = auto()


@frozen
class Operation(Generic[T]):
    """A call to the API: the generated client's request, and the caller's additions."""

    name: str
    model: type[T]
    request: Mapping[str, Any] = field(repr=False)
    repeat: Repeat
    options: CallOptions = field(factory=CallOptions)
    # Returns why a decoded response cannot be used, or None.
    find_missing: Callable[[Any], str | None] = lambda _: None
    upload_id: str | None = None
    # Largest body of the response, in bytes, unpacked.
    response_limit: int = RESPONSE_LIMIT
    # The models of certain statuses.
    models: Mapping[int, type[Any]] = field(factory=dict)

    def decode(self, response: httpx.Response, *, strict: bool) -> T:
        model: type[T] = self.models.get(response.status_code, self.model)
        value = decode_body(model, response, self.name, strict=strict)
        if model is self.model and (missing := self.find_missing(value)):
            raise make_body_error(response, self.name, missing)
        return value


@frozen
class Reply(Generic[T]):
    """The result of a successful call, with a `value` only in `ResponseMode.MODEL`."""

    operation: Operation[T]
    response: httpx.Response
    strict: bool
    retries_taken: int = 0
    value: T = field(default=cast("T", None), repr=False)


@frozen
class Api:
    """How a client talks to the API: settings, randomness and clocks."""

    options: ClientOptions
    draw: Callable[[], float] = random.random
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


@contextmanager
def name_upload(upload_id: str | None) -> Iterator[None]:
    """Set `upload_id` on every ScenarioError raised in the block."""
    try:
        yield
    except ScenarioError as error:
        error.upload_id = error.upload_id or upload_id
        if error.__suppress_context__:
            # A traceback does not show it, but tblib, which Dask installs, would pickle it.
            error.__context__ = None
        raise


def fetch(
    api: Api,
    operation: Operation[T],
    *,
    mode: ResponseMode = ResponseMode.MODEL,
    retries: float | None = None,
    patience: float | None = None,
    find_missing: Callable[[T], str | None] = lambda _: None,
) -> Steps[Reply[T]]:
    """Send an operation until it succeeds, is refused or runs out of attempts. A raw response is not decoded."""
    policy = RetryPolicy(api.options.max_retries if retries is None else retries, patience=patience)
    tries = Tries(policy, operation.repeat, api.draw, api.clock)
    strict = api.options.strict_responses
    with name_upload(operation.upload_id):
        while True:
            error: ScenarioError
            request = build_request(api.options, operation)
            if logger.isEnabledFor(logging.DEBUG):
                logger.debug("%s: sending %s %s", operation.name, request.method, redact(str(request.url)))
            try:
                response: httpx.Response = yield Send(request, operation.response_limit, mode is ResponseMode.STREAM)
            except ScenarioError:
                raise
            except Exception as raised:  # noqa: BLE001 - a transport of the caller's, or its hooks, raise what they like
                error, outcome = classify_exception(raised, operation.name, request)
                error.__cause__ = raised if redact_chain(raised) else None
            else:
                logger.info("%s: answered with status %d", operation.name, response.status_code)
                if not response.is_success:
                    error, outcome = classify_response(response, operation.name, now=api.now())
                elif (fault := find_fault(response)) == CUT_SHORT:
                    error, outcome = make_body_error(response, operation.name, fault), Outcome()
                elif mode is not ResponseMode.MODEL:
                    return Reply(operation, response, strict, tries.failed)
                else:
                    decode = partial(operation.decode, response, strict=strict)
                    value: T = (yield Work(decode)) if len(response.content) > LARGE_BODY else decode()
                    if not (missing := find_missing(value)):
                        return Reply(operation, response, strict, tries.failed, value)
                    error = make_body_error(response, operation.name, missing)
                    # Do not create twice because a response is incomplete.
                    outcome = Outcome(retryable=operation.repeat is Repeat.SAFE)
            delay = tries.fail(outcome)
            if delay is None:
                if operation.repeat is Repeat.NEVER and outcome.sent and (outcome.status or 500) >= 500:
                    error.extend("; whether the service acted on it is unknown, so it was not sent again")
                raise error
            logger.log(tries.level, "%s%s; trying again in %.2f s, %s.", operation.options.about, error, delay, tries)
            yield Pause(delay)


# Parsing is a good part of the cost of a poll.
_parse_url = lru_cache(maxsize=64)(httpx.URL)


def build_request(options: ClientOptions, operation: Operation[Any]) -> httpx.Request:
    """Build an HTTP request with the client's URL, credentials, headers and timeouts."""
    own, call = operation.request, operation.options
    headers = merge_headers(
        {"Accept": "application/json", "User-Agent": user_agent(), "Authorization": options.credentials.header},
        options.environment_headers,
        options.default_headers,
        own.get("headers", {}),
        call.headers,
        # Only encodings that `BodyReader` unpacks within bounds.
        {"Accept-Encoding": "gzip"},
    )
    # A GET has no body, so `extra_body` is ignored.
    body = merge_body(own["json"], call.body) if call.body and "json" in own else own.get("json")
    try:
        return httpx.Request(
            own["method"].upper(),
            _parse_url(options.base_url + own["url"]),
            params=merge_query(options.default_query, own.get("params"), call.query) or None,
            headers={name: value for name, value in headers.items() if isinstance(value, str)},
            content=None if body is None else write_json(body),
            extensions={"timeout": (call.timeout or options.timeout).as_dict()},
        )
    except (httpx.InvalidURL, UnicodeError) as error:
        raise InvalidArgumentError(f"The request cannot be sent: {snippet(str(error))}.") from error
