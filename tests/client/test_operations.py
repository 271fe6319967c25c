"""What the generated methods are to those who call them: their signatures, and what they send."""

import inspect
from typing import Any

import pytest
from scenario_uploads import AsyncUploads, Uploads, omit

from tests.support.clients import Connect
from tests.support.server import reply
from tests.support.service import UPLOAD_ID, Service

EXTRA = """
    project_id: 'str | Omit | None' = None
    extra_headers: 'Headers | None' = None
    extra_query: 'Query | None' = None
    extra_body: 'object' = None
    timeout: 'float | httpx.Timeout | NotGiven | None' = None
"""
SIGNATURES = {
    "create": f"""
    self
    *
    asset_options: 'UploadAssetOptions | Mapping[str, object] | Omit | None' = None
    civitai_model_url: 'str | Omit | None' = None
    content_type: 'str | Omit | None' = None
    file_name: 'str | Omit | None' = None
    file_size: 'int | Omit | None' = None
    hugging_face_model_name: 'str | Omit | None' = None
    kind: 'UploadKind | str | Omit | None' = None
    parts: 'int | Omit | None' = None
    url: 'str | Omit | None' = None
    dry_run: 'UploadDryRun | str | Literal[True] | Omit | None' = None
    {EXTRA}
    -> 'UploadCreateResponse | UploadDryRunResponse'""",
    "retrieve": f"""
    self
    upload_id: 'str'
    *
    {EXTRA}
    -> 'UploadRetrieveResponse'""",
    "trigger_action": f"""
    self
    upload_id: 'str'
    *
    action: 'UploadAction | str'
    {EXTRA}
    -> 'UploadTriggerActionResponse'""",
}
"""Those of version 0.1.0, which callers rely on. An argument may be added."""

FIELDS = {
    "asset_options": {"collection_ids": ["c"], "hide": True, "parent_id": "a"},
    "civitai_model_url": "https://civitai.com/models/1/x",
    "content_type": "image/png",
    "file_name": "a.png",
    "file_size": 7,
    "hugging_face_model_name": "owner/name",
    "kind": "image",
    "parts": 2,
    "url": "https://example.com/a.png",
}
BODY = {
    "assetOptions": {"collectionIds": ["c"], "hide": True, "parentId": "a"},
    "civitaiModelUrl": "https://civitai.com/models/1/x",
    "contentType": "image/png",
    "fileName": "a.png",
    "fileSize": 7,
    "huggingFaceModelName": "owner/name",
    "kind": "image",
    "parts": 2,
    "url": "https://example.com/a.png",
}
COST = reply(269, {"creativeUnitsCost": 5})
PLACE = f"/v1/uploads/{UPLOAD_ID}"


@pytest.mark.parametrize("kind", [Uploads, AsyncUploads])
@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures_stay(kind: type, name: str) -> None:
    """Whatever writes them."""
    words = SIGNATURES[name].split("\n")
    *parameters, returned = [word.strip() for word in words if word.strip()]
    assert str(inspect.signature(getattr(kind, name))) == f"({', '.join(parameters)}) {returned}"


@pytest.mark.parametrize(
    ("name", "given", "arguments", "expected"),
    [
        pytest.param("create", (), FIELDS, ("POST", "/v1/uploads", [], BODY), id="every field"),
        pytest.param(
            "create", (), {"parts": 1, "kind": None, "url": omit}, ("POST", "/v1/uploads", [], {"parts": 1}), id="few"
        ),
        pytest.param(
            "create",
            (),
            {"parts": 1, "project_id": "p", "dry_run": True},
            ("POST", "/v1/uploads", [("projectId", "p"), ("dryRun", "true")], {"parts": 1}),
            id="dry run",
        ),
        pytest.param(
            "create",
            (),
            {"parts": 1, "extra_query": {"q": 1}, "extra_body": {"kind": "3d", "new": [1]}},
            ("POST", "/v1/uploads", [("q", "1")], {"parts": 1, "kind": "3d", "new": [1]}),
            id="extra",
        ),
        pytest.param("retrieve", (UPLOAD_ID,), {}, ("GET", PLACE, [], None), id="retrieve"),
        pytest.param(
            "retrieve",
            (),
            {"upload_id": UPLOAD_ID, "project_id": "p"},
            ("GET", PLACE, [("projectId", "p")], None),
            id="retrieve by name",
        ),
        pytest.param(
            "trigger_action",
            (UPLOAD_ID,),
            {"action": "complete", "project_id": "p"},
            ("POST", f"{PLACE}/action", [("projectId", "p")], {"action": "complete"}),
            id="action",
        ),
        pytest.param(
            "trigger_action",
            (UPLOAD_ID,),
            {"action": "complete", "extra_body": {"force": True}, "extra_headers": {"X-Trace": "t"}},
            ("POST", f"{PLACE}/action", [], {"action": "complete", "force": True}),
            id="action with extra",
        ),
    ],
)
@pytest.mark.parametrize("mode", ["model", "with_raw_response"])
def test_requests_stay(
    connect: Connect, service: Service, mode: str, name: str, given: tuple[Any, ...], arguments: Any, expected: Any
) -> None:
    """Method, path, query and body, field for field."""
    if "dry_run" in arguments:
        service.script("create", COST)
    uploads = connect(service.url).uploads
    getattr(uploads if mode == "model" else getattr(uploads, mode), name)(*given, **arguments)
    (request,) = service.requests
    method, path, query, body = expected
    assert (request.method, request.path, [*request.query]) == (method, path, query)
    assert (request.json if request.body else None) == body
    assert request.header("X-Trace") == arguments.get("extra_headers", {}).get("X-Trace")
