"""A pretended Scenario with pretended storage: all goes well, except for what a test says."""

import re
import ssl
import threading
from collections import defaultdict, deque
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

from tests.support.server import Answering, Exchange, Request, Server, reply

SIGNATURE = "5ecre7sIgnature"
UPLOAD_ID = "upload_1"


def make_upload(**changes: Any) -> dict[str, Any]:
    """Return an upload as the API sends it."""
    return {
        "id": UPLOAD_ID,
        "authorId": "user_1",
        "createdAt": "2025-06-30T15:15:27.153Z",
        "fileName": "dragon.glb",
        "kind": "3d",
        "ownerId": "proj_1",
        "source": "multipart",
        "status": "imported",
        "updatedAt": "2025-06-30T15:15:27.153Z",
        "entityId": "asset_1",
    } | changes


def answer_upload(**changes: Any) -> Answering:
    """Answer 200 with an upload."""
    return reply(200, {"upload": make_upload(**changes)})


class Service:
    """The API under `/v1` and storage under `/bucket`, on one socket.

    `script(step, *answers)` says what the next requests for a step are answered with; afterwards all goes well again.
    The steps are `create`, `retrieve`, `complete` and `part 1`, `part 2` …
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.server = Server(self._handle, tls=tls)
        self.parts: dict[int, Request] = {}
        """The requests whose parts were acknowledged, by part number."""
        self.part_url = "{origin}/bucket/part-{number}?X-Amz-Signature=" + SIGNATURE + "&partNumber={number}"
        self._scripts: defaultdict[str, deque[Answering]] = defaultdict(deque)
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self.server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.server.__exit__(kind, error, traceback)

    @property
    def url(self) -> str:
        return self.server.origin + "/v1"

    @property
    def requests(self) -> list[Request]:
        return self.server.requests

    @property
    def steps(self) -> list[str]:
        """What was asked for, in order."""
        return [_step_of(request) for request in self.requests]

    def of(self, step: str) -> list[Request]:
        """Return the requests for a step."""
        return [request for request in self.requests if _step_of(request) == step]

    def script(self, step: str, *answers: Answering) -> None:
        self._scripts[step].extend(answers)

    def make_parts(self, count: int) -> list[dict[str, Any]]:
        return [
            {
                "number": number,
                "url": self.part_url.format(origin=self.server.origin, number=number),
                "expires": "2099-01-01T00:00:00Z",
            }
            for number in range(1, count + 1)
        ]

    def _handle(self, exchange: Exchange) -> None:
        step = _step_of(exchange.request)
        with self._lock:
            answer = self._scripts[step].popleft() if self._scripts[step] else None
        if answer is None:
            exchange.read_body()
            answer = self._answer(step, exchange.request)
        answer(exchange)

    def _answer(self, step: str, request: Request) -> Answering:
        if step == "create":
            asked = request.json
            changes = {key: asked[key] for key in ("fileName", "kind") if key in asked}
            return answer_upload(**changes, status="pending", entityId=None, parts=self.make_parts(asked["parts"]))
        if step == "complete":
            return answer_upload(id=_id_in(request), status="validating", entityId=None)
        if step == "retrieve":
            return answer_upload(id=_id_in(request))
        if step.startswith("part "):
            with self._lock:
                self.parts[int(step[5:])] = request
            return reply(200, b"", {"ETag": '"0"'})
        return reply(404, {"reason": f"the test's service knows no {step}"})


def _id_in(request: Request) -> str:
    return unquote(request.path.split("/")[3])


def _step_of(request: Request) -> str:
    match request.method, request.path:
        case "POST", "/v1/uploads":
            return "create"
        case "POST", path if path.endswith("/action"):
            return "complete"
        case "GET", path if path.startswith("/v1/uploads/"):
            return "retrieve"
        case "PUT", path if found := re.fullmatch(r"/bucket/part-(\d+)", path):
            return f"part {found.group(1)}"
    return f"{request.method} {request.target}"
