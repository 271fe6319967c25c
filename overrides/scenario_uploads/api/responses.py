"""Responses of the API: bounded reading, parsing, decoding, and errors for refusals and failed connections."""

from __future__ import annotations

import json
import re
import time
import zlib
from datetime import datetime, timedelta
from typing import Any, TypeVar

import httpx

from scenario_uploads import errors
from scenario_uploads.decoding.codec import Problems, decode
from scenario_uploads.logs import logger
from scenario_uploads.redaction import (
    explain,
    find_reason,
    find_trace_id,
    guard_header,
    iter_chain,
    mask_known,
    snippet,
)
from scenario_uploads.retry import Outcome, parse_retry_after, parse_seconds
from scenario_uploads.system import is_used_up
from scenario_uploads.tls import find_certificate_error, is_tls_refusal

T = TypeVar("T")

# The contract nests three levels; `config` may nest deeper.
DEEPEST = 100
# Bytes of an unusable response that an error keeps.
SHOWN = 4096
# Bytes of a refusal that are parsed. Masking secrets in more would hold the GIL, and with it any event loop.
LOOKED_AT = 64 * 1024
# The key in a response's extensions for what is wrong with its body.
_FAULT = "scenario_uploads.fault"
CUT_SHORT = "a body that was cut short"
# How httpcore says that a proxy, by HTTP or by SOCKS, does not reach the host.
_AWAY_FROM_PROXY = re.compile(r"50[234] |Proxy Server could not connect: .*(failure|unreachable|refused|expired)\.")


class BodyReader:
    """Reads and decompresses the body of a response, bounded in time and in bytes, before and after decompressing."""

    def __init__(self, response: httpx.Response, limit: int) -> None:
        self._response, self._limit = response, limit
        # httpx limits each read; this limits the whole body, which may arrive a byte at a time.
        self._deadline = time.monotonic() + (response.request.extensions.get("timeout", {}).get("read") or 60.0)
        self._body = bytearray()
        self._fault: str | None = None
        # Mock transports and hooks of the caller's client may have read it already.
        packing = "" if response.is_stream_consumed else response.headers.get("content-encoding", "").strip().lower()
        self._unpack = zlib.decompressobj(wbits=31) if packing in ("gzip", "x-gzip") else None
        if self._unpack is None and packing not in ("", "identity"):
            self._fault = f"a body packed with {snippet(packing, 20)!r}, which was not asked for"

    def feed(self, chunk: bytes) -> bool:
        """Add the next bytes; return whether to read on."""
        if time.monotonic() > self._deadline:
            raise httpx.ReadTimeout("The response did not end in time.", request=self._response.request)
        if self._fault is None and self._unpack:
            try:
                chunk = self._unpack.decompress(chunk, self._limit - len(self._body) + 1)
            except zlib.error:
                self._fault = "a body that is not the gzip that it claims to be"
            else:
                self._fault = "a body that goes on after its gzip" if self._unpack.unused_data else None
        if self._fault is None:
            self._body += chunk
            if len(self._body) > self._limit:
                self._fault = f"a body of more than {self._limit:,} bytes"
        return self._fault is None

    def finish(self, elapsed: float, *, cut: bool = False) -> httpx.Response:
        """Return the response with its body after `elapsed` seconds; `cut` when the connection ended early."""
        response = self._response
        if self._unpack and not self._unpack.eof:
            self._fault = self._fault or "a body that ends in the middle"
        # HTTPX stores a read body in the same attribute; another response object would need the memory twice.
        response._content = bytes(self._body)  # noqa: SLF001
        response.elapsed = timedelta(seconds=elapsed)
        if fault := CUT_SHORT if cut else self._fault:
            response.extensions[_FAULT] = fault
        return response


def find_fault(response: httpx.Response) -> str | None:
    """Return why the body itself is unusable, such as being cut short, or None."""
    return response.extensions.get(_FAULT)


def _read_masked(response: httpx.Response, limit: int) -> tuple[httpx.Response, Any]:
    """Return a copy of a response, and its body as JSON or text, without credentials that it may echo."""
    guard_header(response.request, response.request.headers.get("authorization", ""))
    body = _mask(response.content[:LOOKED_AT])
    if len(response.content) > LOOKED_AT:
        # The end may be part of a secret.
        body = body[:-SHOWN]
    extensions = {key: response.extensions[key] for key in ("http_version", _FAULT) if key in response.extensions}
    copied = httpx.Response(response.status_code, content=body[:limit], request=response.request, extensions=extensions)
    # Set afterwards, or HTTPX would decompress the body again.
    copied.headers = httpx.Headers([(name, _mask(value)) for name, value in response.headers.raw])
    copied.elapsed = response.elapsed
    value, fault = _parse_body(body)
    return copied, copied.content.decode("utf-8", "replace") if fault else value


def _mask(value: bytes) -> bytes:
    # Latin-1 maps each byte to a character; secrets are known in ASCII and as UTF-8 bytes.
    return mask_known(value.decode("latin-1")).encode("latin-1")


def _parse_body(body: bytes) -> tuple[Any, str | None]:
    """Return the JSON value of a body, and None or its fault: that it is not JSON, or too deeply nested."""
    try:
        # Parsing holds the GIL, and with it an event loop in another thread, except where it calls a function.
        value = json.loads(body, object_hook=(lambda value: value) if len(body) > LOOKED_AT else None)
        # Most bodies have too few brackets for that.
        deep = body.count(b"{") + body.count(b"[") >= DEEPEST and _is_deep(value, DEEPEST - 1)
    except RecursionError:
        value, deep = None, True
    except ValueError:
        return None, "not JSON"
    return value, "too deeply nested JSON" if deep else None


def _is_deep(value: object, limit: int) -> bool:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(limit == 0 or _is_deep(item, limit - 1) for item in items)


def read_json(response: httpx.Response, operation: str, kind: type[T]) -> T:
    """Return the JSON value of a response; an error when it is none, or not of a kind."""
    if not (fault := find_fault(response)):
        value, fault = _parse_body(response.content)
        if not fault and isinstance(value, kind):
            return value
    expected = "an object" if kind is dict else f"a {kind.__name__}"
    raise make_body_error(response, operation, fault or f"JSON that is not {expected}")


def decode_body(model: type[T], response: httpx.Response, operation: str, *, strict: bool) -> T:
    """Decode the response to an operation; differences from the contract are a warning or, with `strict`, an error."""
    problems = Problems()
    result = decode(model, read_json(response, operation, dict), problems)
    if problems.count and strict:
        raise make_body_error(response, operation, f"what differs from the contract: {problems}", show=False)
    if problems.count:
        logger.warning("The response to %s differs from the contract: %s", operation, problems)
    return result


def make_body_error(
    response: httpx.Response, operation: str, what: str, *, show: bool = True
) -> errors.APIResponseValidationError:
    """Return the error for a response that cannot be used, with the start of its body."""
    beginning, body = _read_masked(response, SHOWN)
    message = f"{operation} was answered with status {response.status_code} and {what}"
    if show:
        message += f": {snippet(beginning.content.decode('utf-8', 'replace')) or 'the body is empty'}"
    return errors.APIResponseValidationError(message, response=beginning, body=body)


def classify_response(
    response: httpx.Response, operation: str, *, now: datetime
) -> tuple[errors.APIStatusError, Outcome]:
    response, body = _read_masked(response, LOOKED_AT)
    milliseconds = parse_seconds(response.headers.get("retry-after-ms"))
    waits = [
        parse_retry_after(response.headers.get("retry-after"), now=now) if milliseconds is None else milliseconds / 1000
    ]
    told = {"true": True, "false": False}.get(response.headers.get("x-should-retry", ""))
    if isinstance(body, dict):
        waits.append(parse_seconds(body.get("remainingSeconds")))
        # The limit of a plan is refused again at once, unless it is a cooldown.
        details = body.get("details")
        if "remainingSeconds" not in body and isinstance(details, dict) and "actionLimit" in details:
            told = False
    error = make_status_error(response, body, operation=operation)
    error.retry_after = max((wait for wait in waits if wait is not None), default=None)
    return error, Outcome(status=response.status_code, retry_after=error.retry_after, told=told)


STATUS_ERRORS: dict[int, type[errors.APIStatusError]] = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    422: errors.UnprocessableEntityError,
    429: errors.RateLimitError,
}


def make_status_error(response: httpx.Response, body: object, *, operation: str) -> errors.APIStatusError:
    """Return the error for a refused call, with status, reason and trace id in its message."""
    status = response.status_code
    cls = STATUS_ERRORS.get(status, errors.InternalServerError if status >= 500 else errors.APIStatusError)
    reason, trace_id = find_reason(body), find_trace_id(body)
    if reason is None and isinstance(body, str) and body.strip():
        reason = snippet(body)
    message = f"{operation} was answered with status {status}: {reason or 'no reason given'}"
    return cls(message + (f" (trace id {trace_id})" if trace_id else ""), response=response, body=body)


def classify_exception(
    error: Exception, operation: str, request: httpx.Request
) -> tuple[errors.ScenarioError, Outcome]:
    guard_header(request, request.headers.get("authorization", ""))
    unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.ProxyError)
    host = request.url.host
    if certificate := find_certificate_error(error):
        message = f"The TLS certificate of {host} is not trusted: {certificate}"
        return errors.APIConnectionError(message, request=request), Outcome(sent=False, retryable=False)
    way = " through the proxy" if isinstance(error, httpx.ProxyError) else ""
    # anyio says only in a cause why it could not connect.
    causes = iter_chain(error) if isinstance(error, httpx.ConnectError) else ()
    cause = next((one for one in causes if getattr(one, "errno", None)), error)
    message = f"{operation}: no response from {host}{way}: {explain(cause)}"
    kind = errors.APITimeoutError if isinstance(error, httpx.TimeoutException) else errors.APIConnectionError
    retryable = not isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol)
    return kind(message, request=request), Outcome(sent=not unsent, retryable=retryable, away=is_away(error))


def is_away(error: BaseException | None) -> bool:
    """Return whether no connection was made; False when a proxy refused or the client's own pool was full."""
    unreached = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
    if isinstance(error, httpx.ProxyError):
        unreached = _AWAY_FROM_PROXY.match(str(error)) is not None
    return unreached and not is_tls_refusal(error) and not is_used_up(error)
