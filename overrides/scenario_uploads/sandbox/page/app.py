"""The routes of the page."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

import attrs
import jinja2
from starlette.applications import Starlette
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scenario_uploads.sandbox.api.wire import (
    answer_error,
    answer_http_exception,
    answer_unexpected,
    decode_json,
    read_body,
)
from scenario_uploads.sandbox.errors import Refusal, SandboxError, StorageError
from scenario_uploads.sandbox.page import guard, snippets, views
from scenario_uploads.sandbox.page.reference import Reference, render_prose
from scenario_uploads.sandbox.page.stream import MAX_STREAMS, Event, Streams
from scenario_uploads.sandbox.page.views import Filter, UploadView
from scenario_uploads.sandbox.state.faults import FAULTS, Faults
from scenario_uploads.sandbox.state.records import Uploads
from scenario_uploads.sandbox.storage.bucket import Storage

MAX_ROWS: Final = 1000
_MAX_REQUESTS: Final = 200
_TEXT_SIZE: Final = 64 * 1024
_HERE: Final = Path(__file__).parent
_STATIC: Final = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


@attrs.define(kw_only=True)
class Page:
    """What a sandbox shows in a browser.

    Args:
        uploads: The records.
        faults: What the next uploads meet.
        storage: Where the files are.
        document: The contract.
        base_url: Where the API is.
        token: What a request needs that changes something.
        plan: Plans a fault, by name and number.
        clear: Takes planned faults back.
    """

    uploads: Uploads
    faults: Faults
    storage: Storage
    document: Mapping[str, Any]
    base_url: str
    token: str = attrs.field(repr=False)
    plan: Callable[[str, int], object]
    clear: Callable[[], object]
    _streams: Streams = attrs.field(
        init=False,
        default=attrs.Factory(lambda self: Streams(self.uploads.journal, secrets.token_hex(4)), takes_self=True),
    )
    _templates: jinja2.Environment = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
            auto_reload=False,
        )
        self._templates.filters |= {
            "json": views.format_json,
            "size": views.format_size,
            "seconds": views.format_seconds,
            "clock": views.format_clock,
            "show": views.show,
            "status": views.describe_status,
            "prose": render_prose,
        }
        shared: Any = self._templates.globals
        shared |= {"FAULTS": FAULTS, "base_url": self.base_url}

    def close(self) -> None:
        """End what is open, so that the server need not wait for it. From any thread."""
        self._streams.close()

    def wrap(self, api: ASGIApp) -> ASGIApp:
        """Return an app that has the page beside the API."""
        pages = Starlette(
            routes=[
                Route("/", self._show_list),
                Route("/docs", self._show_reference),
                Route("/_sandbox/static/{name}", self._send_static),
                Route("/_sandbox/events", self._send_events),
                Route("/_sandbox/faults", self._list_faults),
                Route("/_sandbox/faults", self._plan_fault, methods=["POST"]),
                Route("/_sandbox/faults/clear", self._clear_faults, methods=["POST"]),
                Route("/_sandbox/uploads/{upload_id}", self._show_upload),
                Route("/_sandbox/uploads/{upload_id}/file", self._send_file),
            ],
            exception_handlers={
                HTTPException: answer_http_exception,
                Refusal: _answer_refusal,
                Exception: answer_unexpected,
            },
        )
        pages.router.redirect_slashes = False

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            path = scope.get("path", "")
            if scope["type"] != "http" or not (path in {"/", "/docs"} or path.startswith("/_sandbox/")):
                await api(scope, receive, send)
                return
            refusal = guard.find_refusal(scope)
            chosen = pages if refusal is None else answer_error(403, refusal)
            await chosen(scope, receive, _add_headers(send))

        return app

    async def _show_list(self, request: Request) -> Response:
        chosen = _read_filter(request.query_params)
        return await self._render("list.html", lambda: self._find_listed(chosen))

    def _find_listed(self, chosen: Filter) -> dict[str, Any]:
        version = self._version
        records = self.uploads.list_newest()
        found = [record for record in records if chosen.accept(record)]
        return {
            "chosen": chosen,
            "counts": views.order_counts(self.uploads.count()),
            "kinds": sorted({record.kind for record in records} | ({chosen.kind} - {""})),
            "rows": [UploadView.of(record, self.uploads.journal) for record in found[:MAX_ROWS]],
            "found": len(found),
            "max_rows": MAX_ROWS,
            "apart": self.uploads.journal.list_apart()[::-1],
            "pending": self.faults.pending,
            "version": version,
        }

    async def _show_upload(self, request: Request) -> Response:
        upload_id = request.path_params["upload_id"]
        return await self._render("upload.html", lambda: self._find_shown(upload_id))

    def _find_shown(self, upload_id: str) -> dict[str, Any]:
        version = self._version
        record = self.uploads.find(upload_id)
        if record is None:
            raise Refusal(404, "There is no such upload, or it is no longer kept.")
        view, trace = UploadView.of(record, self.uploads.journal), self.uploads.journal.find(upload_id)
        text = ""
        if view.media == "text":
            path = self.storage.find_path(upload_id)
            size = min(path.stat().st_size if path else view.size or 0, _TEXT_SIZE)
            text = self.storage.read_head(upload_id, size).decode("utf-8", errors="replace") if size else ""
        requests = list(trace.requests)
        half = _MAX_REQUESTS // 2
        cut = max(0, len(requests) - _MAX_REQUESTS)
        return {
            "upload": view,
            "trace": trace,
            "requests": [*enumerate(requests, 1)] if not cut else [*enumerate(requests[:half], 1)],
            "latest": [*enumerate(requests[-half:], len(requests) - half + 1)] if cut else [],
            "cut": cut,
            "text": text,
            "python": snippets.write_upload(record, self.base_url) if record.multipart else "",
            "write_python": lambda call: snippets.write_python(call, self.base_url),
            "write_curl": lambda call: snippets.write_curl(call, self.base_url),
            "version": version,
        }

    async def _show_reference(self, _: Request) -> Response:
        return await self._render("reference.html", lambda: {"reference": Reference(self.document), "version": ""})

    async def _render(self, template: str, find: Callable[[], dict[str, Any]]) -> Response:
        def render() -> str:
            return self._templates.get_template(template).render(token=self.token, here=template, **find())

        # In a thread: a thousand rows take a tenth of a second.
        try:
            return Response(await asyncio.to_thread(render), media_type="text/html")
        except StorageError as error:
            raise Refusal(500, str(error)) from error

    async def _send_static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _STATIC:
            raise HTTPException(404)
        return Response((_HERE / "static" / name).read_bytes(), media_type=_STATIC[name])

    @property
    def _version(self) -> str:
        return f"{self._streams.boot}-{self.uploads.journal.version}"

    async def _send_events(self, request: Request) -> Response:
        if self._streams.open >= MAX_STREAMS:
            raise Refusal(503, "Too many pages are open.", {"Retry-After": "5"})
        query = request.query_params
        since = request.headers.get("last-event-id") or query.get("since", "")
        shown, chosen = query.get("upload"), _read_filter(query)
        macros: Any = self._templates.get_template("pieces.html").make_module({"token": self.token})

        def render(version: int) -> Iterator[Event]:
            changed = self.uploads.journal.list_changed(version)
            if shown is not None:
                if shown in changed:
                    yield from self._render_upload(macros, shown)
                return
            for upload_id in changed:
                record = self.uploads.find(upload_id)
                if record is not None and chosen.accept(record):
                    yield "row", str(macros.row(UploadView.of(record, self.uploads.journal)))
                else:
                    yield "gone", f"row-{upload_id}"
            yield "part", str(macros.counts(views.order_counts(self.uploads.count()), chosen))
            yield "part", str(macros.apart(self.uploads.journal.list_apart()[::-1]))
            yield "part", str(macros.fault_buttons(self.faults.pending))

        async def send() -> AsyncIterator[str]:
            async for event in self._streams.follow(since, render):
                yield event

        return StreamingResponse(send(), media_type="text/event-stream")

    def _render_upload(self, macros: Any, upload_id: str) -> Iterator[Event]:
        try:
            found = self._find_shown(upload_id)
        except (Refusal, StorageError):
            return
        yield "part", str(macros.facts(found["upload"], found["trace"]))
        yield "part", str(macros.steps(found["upload"]))
        yield "part", str(macros.preview(found["upload"], found["text"]))
        yield "part", str(macros.requests(found))

    async def _list_faults(self, _: Request) -> Response:
        return JSONResponse({"pending": self.faults.pending, "faults": dict(FAULTS)})

    async def _plan_fault(self, request: Request) -> Response:
        given, is_form = await self._read_change(request)
        try:
            self.plan(given.get("fault", ""), _read_times(given.get("times", 1)))
        except SandboxError as error:
            raise Refusal(400, str(error)) from None
        return self._answer_change(is_form=is_form)

    async def _clear_faults(self, request: Request) -> Response:
        _, is_form = await self._read_change(request)
        self.clear()
        return self._answer_change(is_form=is_form)

    async def _read_change(self, request: Request) -> tuple[dict[str, Any], bool]:
        """Return what a request says that changes something, and whether it is an HTML form; it needs the token."""
        body = await read_body(request)
        is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        given = dict(parse_qsl(body.decode("utf-8", errors="replace"))) if is_form else decode_json(body)
        if not isinstance(given, dict):
            given = {}
        if not guard.is_token(request.headers.get("x-sandbox-token", given.get("token")), self.token):
            raise Refusal(403, "The token of the page is missing or wrong: see page_token of the sandbox.")
        return given, is_form

    def _answer_change(self, *, is_form: bool) -> Response:
        return RedirectResponse("/", 303) if is_form else JSONResponse({"pending": self.faults.pending})

    async def _send_file(self, request: Request) -> Response:
        record = self.uploads.find(request.path_params["upload_id"])
        if record is None or not record.is_stored:
            raise Refusal(404, "There is no such file, or it is no longer kept.")
        view = UploadView.of(record, self.uploads.journal)
        is_shown = view.media is not None and "download" not in request.query_params
        media_type = view.media_type if is_shown else "application/octet-stream"
        headers = {"Content-Security-Policy": guard.FILE_POLICY}
        path = self.storage.find_path(record.id)
        if path is not None:
            name = None if is_shown else record.file_name
            return FileResponse(path, headers=headers, media_type=media_type, filename=name)
        if not is_shown:
            headers["Content-Disposition"] = "attachment"
        return StreamingResponse(self.storage.read(record.id), headers=headers, media_type=media_type)


def _read_times(given: Any) -> Any:
    """Return a number that a form has as text, and anything else as it is."""
    return int(given[:9]) if isinstance(given, str) and given.isdecimal() else given


def _read_filter(query: QueryParams) -> Filter:
    return Filter(*(query.get(name, "")[:200] for name in ("q", "status", "kind")))


def _answer_refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)  # noqa: S101 - for the type checker
    return answer_error(error.status, error.reason, error.headers)


def _add_headers(send: Send) -> Send:
    async def send_more(message: Message) -> None:
        if message["type"] == "http.response.start":
            known = {name.lower() for name, _ in message["headers"]}
            more = [(name.lower().encode(), value.encode()) for name, value in guard.HEADERS.items()]
            message = {**message, "headers": [*message["headers"], *(pair for pair in more if pair[0] not in known)]}
        await send(message)

    return send_more
