"""What every endpoint shares: credentials, bodies, error answers."""

import base64
import binascii
import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from scenario_uploads.sandbox.errors import Refusal

MAX_BODY_SIZE: Final = 64 * 1024
"""The largest request body in bytes. A create has a few hundred, and much of it stays in memory."""


@attrs.frozen(kw_only=True)
class Credentials:
    """What the service accepts."""

    api_key: str = attrs.field(repr=False)
    api_secret: str = attrs.field(repr=False)
    bearer_token: str = attrs.field(repr=False)

    def accept(self, authorization: str) -> bool:
        """Return whether the value of an `Authorization` header is right, in a time that does not tell how wrong."""
        scheme, _, given = authorization.partition(" ")
        if scheme.lower() == "bearer":
            return secrets.compare_digest(given.strip().encode(), self.bearer_token.encode())
        try:
            pair = base64.b64decode(given.strip(), validate=True)
        except (binascii.Error, ValueError):
            return False
        expected = f"{self.api_key}:{self.api_secret}".encode()
        return scheme.lower() == "basic" and secrets.compare_digest(pair, expected)


async def read_body(request: Request) -> bytes:
    """Return the body of a request.

    Raises:
        Refusal: With 400, when it has more than `MAX_BODY_SIZE` bytes or is cut short.
    """
    body = bytearray()
    try:
        async for chunk in request.stream():
            if len(body) + len(chunk) > MAX_BODY_SIZE:
                raise Refusal(400, f"The body has more than {MAX_BODY_SIZE} bytes")
            body += chunk
    except ClientDisconnect:
        # Nobody is left to read it, but a client that goes away is no bug of the sandbox either.
        raise Refusal(400, "The body was cut short") from None
    return bytes(body)


def decode_json(body: bytes) -> Any:
    """Return the value of a JSON body, None for an empty one.

    Raises:
        Refusal: With 400, when it is not JSON in UTF-8.
    """
    if not body:
        return None
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
        # Half of a surrogate pair is no text that could go out again.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise Refusal(400, "The body is not valid JSON") from None
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def make_error(reason: str) -> dict[str, Any]:
    """Return the body of an error answer."""
    return {"reason": reason, "traceId": f"1-{secrets.token_hex(4)}-{secrets.token_hex(12)}"}


def answer_error(status: int, reason: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error answer."""
    return Response(json.dumps(make_error(reason)), status, headers, media_type="application/json")


def answer_http_exception(_: Request, error: Exception) -> Response:
    """Answer what Starlette raises: 404 for a path and 405, with `Allow`, for a method that is not in the contract."""
    assert isinstance(error, HTTPException)  # noqa: S101 - for the type checker
    return answer_error(error.status_code, error.detail, error.headers)


def answer_unexpected(_: Request, __: Exception) -> Response:
    """Answer a bug of the sandbox, whose traceback uvicorn logs."""
    return answer_error(500, "Internal server error")


class Authentication:
    """Refuses a request with bad credentials before anything else is looked at."""

    def __init__(self, app: ASGIApp, credentials: Credentials, note: Callable[..., object]) -> None:
        self._app = app
        self._credentials = credentials
        self._note = note

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with 401."""
        app = self._app
        if scope["type"] == "http" and not self._credentials.accept(Headers(scope=scope).get("authorization", "")):
            app = answer_error(401, "Unauthorized", {"WWW-Authenticate": 'Basic realm="scenario"'})
            self._note(Request(scope), None, 401, json.loads(bytes(app.body)), 0.0)
        await app(scope, receive, send)
