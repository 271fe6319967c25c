"""The S3 side as a sender of parts sees it: what S3 refuses and nanio lets pass, put in front of nanio.

Facts from the S3 user guide (presigned URLs, UploadPart, error responses):

- one way of authentication only, so no `Authorization` beside a presigned URL;
- no `Content-MD5` or `x-amz-*` header that the signature does not cover;
- a part needs a `Content-Length`, and is at most 5 GiB.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl
from weakref import WeakValueDictionary

import attrs
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scenario_uploads.sandbox.state.records import Uploads
from scenario_uploads.sandbox.storage.quota import MAX_PART_SIZE, MAX_PARTS, Quota


class _SenderLeft(BaseException):
    """The sender of a part is gone.

    Not an `Exception`, so that it passes nanio's catch-all, which would log a traceback for what is everyday life here,
    and still runs its clean-up of the unfinished part.
    """


@attrs.frozen
class _S3Error:
    status: int
    code: str
    message: str

    def to_response(self) -> Response:
        error = f"<Error><Code>{self.code}</Code><Message>{self.message}</Message></Error>"
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n{error}'
        return Response(body, self.status, media_type="application/xml")


_TWO_AUTHS: Final = _S3Error(400, "InvalidArgument", "Only one auth mechanism allowed")
_UNSIGNED: Final = _S3Error(403, "AccessDenied", "There were headers present in the request which were not signed")
_NO_LENGTH: Final = _S3Error(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
_EXPIRED: Final = _S3Error(403, "AccessDenied", "Request has expired")
_SLOW_DOWN: Final = _S3Error(503, "SlowDown", "Please reduce your request rate.")
_TOO_LARGE: Final = _S3Error(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")


class StorageGate:
    """An ASGI app around nanio's.

    Args:
        app: nanio's app.
        quota: How many bytes may be stored.
        uploads: The records, for their faults and their journal.

    Attributes:
        reset_connection: Breaks the connection of a client.
    """

    def __init__(self, app: ASGIApp, quota: Quota, uploads: Uploads) -> None:
        self._app = app
        self._quota = quota
        self._uploads = uploads
        self.reset_connection: Callable[[Any], object] = lambda _client: None
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it as S3 does."""
        # The last value of a name counts, as it does for nanio.
        query = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1")))
        if scope["type"] != "http" or scope["method"] != "PUT" or "partNumber" not in query:
            await self._app(scope, receive, send)
            return
        key, part = scope["path"].rpartition("/")[2], query["partNumber"]
        known = part.isascii() and part.isdecimal() and len(part) <= 5 and 1 <= int(part) <= MAX_PARTS
        begun, status = time.monotonic(), 0

        async def send_noted(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        if known:
            self._uploads.journal.note_part(key, int(part), state="sending")
        fault = ""
        try:
            fault = await self._meet_fault(key, scope, receive, send_noted)
            if fault in {"", "wrong_etag"}:
                await self._pass(scope, receive, send_noted, query, is_wrong=bool(fault))
        finally:
            if known:
                self._note(scope, key, int(part), status, fault, time.monotonic() - begun)

    def _note(self, scope: Scope, key: str, part: int, status: int, fault: str, seconds: float) -> None:
        state = "stored" if status == 200 and fault != "wrong_etag" else "refused"
        journal, headers = self._uploads.journal, Headers(scope=scope)
        journal.note_part(key, part, state=state)
        if self._uploads.find(key) is not None:
            size = headers.get("content-length", "")
            journal.note_request(
                key,
                at=datetime.now(UTC) - timedelta(seconds=seconds),
                seconds=seconds,
                method="PUT",
                path=f"{scope['path']}?partNumber={part}",
                headers=headers,
                status=status,
                part=part,
                size=int(size) if size.isdecimal() else None,
                note=fault,
            )

    async def _meet_fault(self, key: str, scope: Scope, receive: Receive, send: Send) -> str:
        """Answer a part as a fault says; return the name of the fault, or "" for none."""
        record = self._uploads.find(key)
        if record is None or not record.faults:
            return ""
        for fault, error in (("expired", _EXPIRED), ("slow_down", _SLOW_DOWN)):
            if self._uploads.meet(key, fault) or (fault == "expired" and fault in record.faults):
                # Read to its end: a connection that is closed with bytes under way may lose the answer.
                while (await receive()).get("more_body"):
                    pass
                await error.to_response()(scope, receive, send)
                return fault
        if self._uploads.meet(key, "reset"):
            await receive()
            self.reset_connection(scope["client"])
            while (await receive())["type"] != "http.disconnect":
                pass
            return "reset"
        return "wrong_etag" if self._uploads.meet(key, "wrong_etag") else ""

    async def _pass(self, scope: Scope, receive: Receive, send: Send, query: dict[str, str], *, is_wrong: bool) -> None:
        """Pass a part on to nanio, unless S3 would refuse it; with `is_wrong`, the answer has another ETag."""
        headers = Headers(scope=scope)
        error = find_header_problem(headers, query)
        if error is not None:
            await error.to_response()(scope, receive, send)
            return
        upload, part, size = query.get("uploadId", ""), query["partNumber"], int(headers["content-length"])
        # nanio writes both tries of one part to the same temporary file: one after the other, then, and the later one
        # counts, as with S3.
        async with self._locks.setdefault((upload, part), asyncio.Lock()):
            before = self._quota.find(upload, part)
            if not self._quota.note(upload, part, size):
                await _TOO_LARGE.to_response()(scope, receive, send)
                return
            stored = False
            try:
                stored = await self._store(scope, receive, _change_etag(send) if is_wrong else send)
            finally:
                if not stored:
                    self._quota.note(upload, part, before)

    async def _store(self, scope: Scope, receive: Receive, send: Send) -> bool:
        stored = False

        async def receive_part() -> Message:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _SenderLeft
            return message

        async def send_answer(message: Message) -> None:
            nonlocal stored
            stored = stored or message.get("status") == 200
            await send(message)

        with suppress(_SenderLeft):
            await self._app(scope, receive_part, send_answer)
        return stored


def _change_etag(send: Send) -> Send:
    async def send_changed(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [(name, value) for name, value in message["headers"] if name.lower() != b"etag"]
            message = {**message, "headers": [*kept, (b"etag", b'"' + b"0" * 32 + b'"')]}
        await send(message)

    return send_changed


def find_header_problem(headers: Headers, query: dict[str, str]) -> _S3Error | None:
    """Return what S3 would say of the headers of a part, or None when it would take it."""
    if "X-Amz-Signature" in query:
        if "authorization" in headers:
            return _TWO_AUTHS
        signed = query.get("X-Amz-SignedHeaders", "").split(";")
        if any(name not in signed for name in headers if name == "content-md5" or name.startswith("x-amz-")):
            return _UNSIGNED
    if "content-length" not in headers:
        return _NO_LENGTH
    return _TOO_LARGE if int(headers["content-length"]) > MAX_PART_SIZE else None
