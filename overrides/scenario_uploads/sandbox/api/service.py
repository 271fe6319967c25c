"""The three endpoints, as a Starlette app."""

import asyncio
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import attrs
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from scenario_uploads.sandbox.api.contract import Contract, Operation
from scenario_uploads.sandbox.api.importer import Importer, make_id
from scenario_uploads.sandbox.api.rules import CreateRequest, find_parts_problem, pretend_cost, read_create
from scenario_uploads.sandbox.api.wire import (
    Authentication,
    Credentials,
    answer_error,
    answer_http_exception,
    answer_unexpected,
    decode_json,
    make_error,
    read_body,
)
from scenario_uploads.sandbox.errors import ContractBreach, Refusal, StorageError
from scenario_uploads.sandbox.state.faults import Faults
from scenario_uploads.sandbox.state.records import UNKNOWN_STATUS, Multipart, UploadRecord, Uploads
from scenario_uploads.sandbox.storage.bucket import Storage
from scenario_uploads.sandbox.storage.quota import Quota

_LOG: Final = logging.getLogger("scenario_uploads.sandbox")
_UPLOAD_ID: Final = re.compile(r"upload_[A-Za-z0-9]{24}")
_PROJECT: Final = "proj_sandbox"


@attrs.frozen
class _Call:
    """What a request says, once it is known to fit the contract."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any


# The status and the body of an answer.
_Reply = tuple[int, dict[str, Any]]
_Handler = Callable[[_Call], Awaitable[_Reply]]


@attrs.frozen(kw_only=True)
class Service:
    """What the endpoints work with.

    Args:
        contract: The contract that requests and answers are checked against.
        uploads: The records.
        storage: Where parts are sent to.
        importer: What goes on after `complete`.
        url_lifetime: For how many seconds a presigned URL works.
        max_file_size: The largest file in bytes; None for no limit but S3's.
        quota: How many bytes the storage still takes.
        faults: What the next uploads meet.
    """

    contract: Contract
    uploads: Uploads
    storage: Storage
    importer: Importer
    url_lifetime: int
    max_file_size: int | None
    quota: Quota
    faults: Faults = attrs.field(factory=Faults)

    def build_app(self, credentials: Credentials) -> Starlette:
        """Return the app, with one route for each path of the contract."""
        handlers: dict[str, _Handler] = {
            "create_upload": self._create,
            "retrieve_upload": self._retrieve,
            "trigger_upload_action": self._trigger_action,
        }
        paths: dict[str, dict[str, tuple[Operation, _Handler]]] = {}
        for operation in self.contract.operations:
            paths.setdefault(operation.path, {})[operation.method.upper()] = operation, handlers[operation.id]
        routes = [self._build_route(path, methods) for path, methods in paths.items()]
        app = Starlette(
            routes=routes,
            middleware=[Middleware(Authentication, credentials=credentials, note=self._note)],
            exception_handlers={HTTPException: answer_http_exception, Exception: answer_unexpected},
        )
        # A redirect to the path without its last slash is no answer of the contract.
        app.router.redirect_slashes = False
        return app

    def _build_route(self, path: str, methods: Mapping[str, tuple[Operation, _Handler]]) -> Route:
        async def answer(request: Request) -> Response:
            operation, handler = methods[request.method]
            headers: Mapping[str, str] = {}
            begun, value = time.monotonic(), None
            try:
                body = await read_body(request)
                value = decode_json(body)
                self.contract.check_request(
                    operation,
                    path_parameters=request.path_params,
                    query=request.query_params,
                    headers=request.headers,
                    body=body,
                )
                call = _Call(request.path_params, request.query_params, value)
                status, content = await handler(call)
            except Refusal as refusal:
                status, headers, content = refusal.status, refusal.headers, make_error(refusal.reason)
            except StorageError as error:
                # Without the traceback: the botocore error behind it quotes URLs.
                _LOG.error("%s: %s", operation.id, error)
                status, content = 500, make_error("The storage failed")
            # In a thread: with 10,000 parts, encoding and checking take a third of a second.
            response = await asyncio.to_thread(self._encode, operation, status, content, headers)
            self._note(request, value, response.status_code, content, time.monotonic() - begun)
            return response

        route = Route(self.contract.prefix + path, answer, methods=list(methods))
        # Starlette adds HEAD to GET; the contract has none.
        route.methods = set(methods)
        return route

    def _encode(self, operation: Operation, status: int, content: Any, headers: Mapping[str, str]) -> Response:
        body = json.dumps(content).encode()
        try:
            if content.get("upload", {}).get("status") != UNKNOWN_STATUS:
                self.contract.check_answer(operation, status, body)
        except ContractBreach as breach:
            # A bug of the sandbox: better seen here than copied into a client.
            _LOG.error("an answer of the sandbox breaks the contract: %s", breach)
            return answer_error(500, "An answer of the sandbox breaks the contract; its log says how")
        _LOG.info("%s %d", operation.id, status)
        return Response(body, status, headers, media_type="application/json")

    def _note(self, request: Request, body: Any, status: int, answer: Any, seconds: float) -> None:
        """Note a request in the journal."""
        self.uploads.journal.note_request(
            request.path_params.get("uploadId") or answer.get("upload", {}).get("id"),
            at=datetime.now(UTC) - timedelta(seconds=seconds),
            seconds=seconds,
            method=request.method,
            path=request.url.path,
            query=request.query_params.multi_items(),
            headers=request.headers,
            body=body,
            status=status,
            answer=answer,
        )

    async def _create(self, call: _Call) -> _Reply:
        asked = read_create(call.body, self.max_file_size)
        if "dryRun" in call.query:
            return 269, pretend_cost(asked)
        faults = self.faults.take(is_import=asked.source != "multipart")
        if "rate_limited" in faults:
            raise Refusal(429, "Too many requests (a fault that was asked for)", {"Retry-After": "1"})
        owner = call.query.get("projectId", _PROJECT)
        upload_id, now = make_id("upload"), datetime.now(UTC)
        if asked.source != "multipart":
            record = _make_record(upload_id, owner, asked, now, status="validating", faults=faults)
            self.uploads.add(record)
            self.importer.start_import(record, self.quota, self.max_file_size)
            return 200, {"upload": record.to_create_answer([], now)}
        left = self.quota.left
        if left is not None and asked.file_size > left:
            raise Refusal(400, f"The sandbox has room for {left} more bytes, not for {asked.file_size}: see max_stored")
        self.uploads.make_room()
        # The id is the key: nothing that a client says becomes part of a path.
        storage_id = await asyncio.to_thread(self.storage.create_multipart, upload_id)
        urls, expires = await asyncio.to_thread(
            self.storage.presign_parts, upload_id, storage_id, asked.parts, self.url_lifetime
        )
        multipart = Multipart(
            content_type=asked.content_type,
            file_size=asked.file_size,
            original_file_name=asked.original_file_name,
            parts_count=asked.parts,
            storage_id=storage_id,
        )
        record = _make_record(upload_id, owner, asked, now, status="pending", multipart=multipart, faults=faults)
        self.uploads.add(record)
        return 200, {"upload": record.to_create_answer(urls, expires)}

    async def _retrieve(self, call: _Call) -> _Reply:
        record = self._find_for(call)
        if record.status == UNKNOWN_STATUS and self.uploads.meet(record.id, "unknown_status"):
            self.importer.start_end(record)
        return 200, {"upload": record.to_answer()}

    async def _trigger_action(self, call: _Call) -> _Reply:
        record = self._find_for(call)
        multipart = record.multipart
        if multipart is None or record.status != "pending":
            raise _not_pending(record)
        try:
            parts = await asyncio.to_thread(self.storage.list_parts, record.id, multipart.storage_id)
        except StorageError:
            # S3 forgets the parts of an upload that another request completes meanwhile.
            if self._find(record.id).status == "pending":
                raise
            raise _not_pending(self._find(record.id)) from None
        problem = find_parts_problem(
            {part.number: part.size for part in parts}, multipart.parts_count, multipart.file_size
        )
        if problem is not None:
            raise Refusal(400, problem)
        try:
            started = self.uploads.advance(record.id, "validating", datetime.now(UTC))
        except ValueError:
            raise _not_pending(self._find(record.id)) from None
        self.importer.start_multipart(started, multipart, parts[: multipart.parts_count])
        return 200, {"upload": started.to_answer()}

    def _find_for(self, call: _Call) -> UploadRecord:
        """Return the upload that a call is about, of the project that it asserts."""
        record = self._find(call.path["uploadId"])
        if call.query.get("projectId", record.owner_id) != record.owner_id:
            raise Refusal(403, f"Upload {record.id} does not belong to project {call.query['projectId']}")
        return record

    def _find(self, upload_id: str) -> UploadRecord:
        record = self.uploads.find(upload_id) if _UPLOAD_ID.fullmatch(upload_id) else None
        if record is None:
            raise Refusal(404, f"Upload {upload_id} not found")
        return record


def _make_record(upload_id: str, owner_id: str, asked: CreateRequest, now: datetime, **fields: Any) -> UploadRecord:
    return UploadRecord(
        id=upload_id,
        owner_id=owner_id,
        created_at=now,
        updated_at=now,
        file_name=asked.file_name,
        kind=asked.kind,
        source=asked.source,
        provider=asked.provider,
        url=asked.url,
        asset_options=asked.asset_options or {},
        job_id=make_id("job"),
        **fields,
    )


def _not_pending(record: UploadRecord) -> Refusal:
    return Refusal(409, f"Upload is not pending: it is {record.status}")
