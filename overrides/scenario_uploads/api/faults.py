"""What goes wrong with a call of the API, refusals and broken connections: our errors for it, and whether to retry."""

from __future__ import annotations

from datetime import datetime

import httpx

from scenario_uploads.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ScenarioError,
    UnprocessableEntityError,
    find_reason,
    find_trace_id,
)
from scenario_uploads.redaction import mask, redact_chain, snippet
from scenario_uploads.retry import Outcome, Repeat, parse_retry_after, parse_seconds
from scenario_uploads.system import is_used_up
from scenario_uploads.tls import REMEDY, find_certificate_error, is_tls_refusal

from .responses import CUT_SHORT, find_secrets, invalid_response, mask_response, parse_body


def classify_response(response: httpx.Response, operation: str, *, now: datetime) -> tuple[ScenarioError, Outcome]:
    """Return the error and the retry outcome for a response that is no success."""
    if response.status_code < 300:
        return invalid_response(response, operation, CUT_SHORT), Outcome()
    response = mask_response(response)
    try:
        body = parse_body(response.content)
    except ValueError:
        body = response.content.decode("utf-8", "replace")
    milliseconds = parse_seconds(response.headers.get("retry-after-ms"))
    waits = [
        parse_retry_after(response.headers.get("retry-after"), now=now) if milliseconds is None else milliseconds / 1000
    ]
    if isinstance(body, dict):
        waits.append(parse_seconds(body.get("remainingSeconds")))
    error = status_error(response, body, operation=operation)
    error.retry_after = max((wait for wait in waits if wait is not None), default=None)
    told = {"true": True, "false": False}.get(response.headers.get("x-should-retry", ""))
    return error, Outcome(status=response.status_code, retry_after=error.retry_after, told=told)


def classify_exception(
    error: Exception, operation: str, repeat: Repeat, request: httpx.Request
) -> tuple[ScenarioError, Outcome]:
    """Return the error and the retry outcome for a failed connection; the exception, its cause, is redacted."""
    secrets = find_secrets(request)
    redact_chain(error, secrets)
    unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.ProxyError)
    host = request.url.host
    if certificate := find_certificate_error(error):
        message = f"The TLS certificate of {host} is not trusted: {certificate}; {REMEDY}"
        return APIConnectionError(message, request=request), Outcome(sent=False, retryable=False)
    what = snippet(mask(_describe(error), secrets)) or type(error).__name__
    message = f"{operation}: no response from {host}: {what}"
    if not unsent and repeat is Repeat.NEVER:
        message += "; whether the service received it is unknown, so it was not sent again"
    kind = APITimeoutError if isinstance(error, httpx.TimeoutException) else APIConnectionError
    retryable = not isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol | UnicodeError)
    return kind(message, request=request), Outcome(sent=not unsent, retryable=retryable, away=is_away(error))


def is_away(error: BaseException | None) -> bool:
    """Return whether no connection was made; False when a proxy refused or our own pool was full."""
    unreached = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
    return unreached and not is_tls_refusal(error) and not is_used_up(error)


def _describe(error: Exception) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - a transport of the caller's raises what it likes
        return ""


_BY_STATUS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableEntityError,
    429: RateLimitError,
}


def status_error(response: httpx.Response, body: object, *, operation: str) -> APIStatusError:
    """Return the error for a refused call, with status, reason and trace id in its message."""
    status = response.status_code
    cls = _BY_STATUS.get(status, InternalServerError if status >= 500 else APIStatusError)
    reason, trace_id = find_reason(body), find_trace_id(body)
    if reason is None and isinstance(body, str) and body.strip():
        reason = snippet(body)
    message = f"{operation} was answered with status {status}: {reason or 'no reason given'}"
    return cls(message + (f" (trace id {trace_id})" if trace_id else ""), response=response, body=body)
