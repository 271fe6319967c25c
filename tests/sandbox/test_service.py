"""Credentials, error bodies, refusals: what the API answers when something is not right."""

import logging
import re
import socket
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import yaml
from scenario_uploads.sandbox.api.contract import Contract
from scenario_uploads.sandbox.api.service import Service
from scenario_uploads.sandbox.api.wire import Credentials
from scenario_uploads.sandbox.errors import StorageError
from scenario_uploads.sandbox.state.records import UploadRecord, Uploads

GLB = {"fileName": "a.glb", "contentType": "model/gltf-binary", "fileSize": 4, "parts": 1, "kind": "3d"}
UNKNOWN = "upload_" + "a" * 24


def reason_of(response: httpx.Response) -> str:
    """Return the reason of an error body that is formed as the live service does."""
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert re.fullmatch(r"1-[0-9a-f]{8}-[0-9a-f]{24}", body["traceId"])
    assert {"reason", "traceId"} == body.keys()
    reason: str = body["reason"]
    return reason


@pytest.mark.parametrize(
    "authorization", [None, "", "Basic", "Basic !!!", "Basic YTpi", "Bearer x", "Digest YTpi", "x"]
)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", f"/uploads/{UNKNOWN}"), ("POST", "/uploads"), ("PUT", "/nowhere")]
)
def test_bad_credentials_are_refused_before_anything_else(box, authorization, method, path):
    headers = {} if authorization is None else {"Authorization": authorization}
    response = httpx.request(method, box.base_url + path, headers=headers, content=b"{", trust_env=False)
    assert (response.status_code, reason_of(response)) == (401, "Unauthorized")
    assert "Basic" in response.headers["www-authenticate"]


def test_right_key_with_a_wrong_secret_is_refused(box):
    url = f"{box.base_url}/uploads/{UNKNOWN}"
    assert httpx.get(url, auth=(box.api_key, box.api_secret + "x"), trust_env=False).status_code == 401
    assert httpx.get(url, auth=(box.api_key, ""), trust_env=False).status_code == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_bearer_token_is_accepted(box, scheme):
    headers = {"Authorization": f"{scheme} {box.bearer_token}"}
    assert httpx.get(f"{box.base_url}/uploads/{UNKNOWN}", headers=headers, trust_env=False).status_code == 404


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "fileName, contentType, fileSize, parts and kind are required for a multipart upload"),
        (GLB | {"fileSize": -1}, "fileSize: -1 is less than the minimum of 0"),
        (GLB | {"fileSize": 0}, "fileSize must not be 0: whether the service takes an empty file is not known"),
        (GLB | {"fileSize": True}, "fileSize: True is not of type 'integer'"),
        (GLB | {"parts": 10_001}, "parts: 10001 is greater than the maximum of 10000"),
        (GLB | {"parts": "x" * 1000}, "parts: breaks type: integer"),
        (GLB | {"assetOptions": {"collectionIds": [1]}}, "assetOptions.collectionIds.0: 1 is not of type 'string'"),
        ([], "body: [] is not of type 'object'"),
    ],
)
def test_create_that_breaks_schema_or_rules_names_the_field(sender, body, reason):
    response = sender.api.post("/uploads", json=body)
    assert (400, reason) == (response.status_code, reason_of(response))


def test_unknown_kind_names_the_kinds_of_the_contract(sender):
    reason = reason_of(sender.post(**(GLB | {"kind": "smell"})))
    kinds = "['3d', 'asset', 'audio', 'avatar', 'image', 'model', 'video', 'text']"
    assert reason == f"kind: 'smell' is not one of {kinds}"


def test_unknown_action_is_refused(sender):
    created = sender.create(4)
    response = sender.api.post(f"/uploads/{created['id']}/action", json={"action": "abort"})
    assert (response.status_code, reason_of(response)) == (400, "action: 'abort' is not one of ['complete']")


def test_whole_number_with_a_point_is_a_whole_number(sender):
    assert sender.create(4.0, parts=1.0)["fileSize"] == 4  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"\xff",
        b"[" * 60_000,
        b'{"fileSize": NaN}',
        b'{"fileName": "\\ud800"}',
        b'{"fileSize": ' + b"1" * 5000 + b"}",
    ],
    ids=["cut", "not UTF-8", "deep", "NaN", "half a surrogate pair", "endless number"],
)
def test_body_that_is_no_json_is_refused(sender, content):
    response = sender.api.post("/uploads", content=content, headers={"Content-Type": "application/json"})
    assert (response.status_code, reason_of(response)) == (400, "The body is not valid JSON")


def test_null_is_no_create(sender):
    response = sender.api.post("/uploads", content=b"null", headers={"Content-Type": "application/json"})
    assert (response.status_code, reason_of(response)) == (400, "body: None is not of type 'object'")


def test_empty_body_is_refused(sender):
    response = sender.api.post("/uploads", headers={"Content-Type": "application/json"})
    assert (response.status_code, reason_of(response)) == (400, "A JSON body is required")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_other_content_type_is_refused(sender, content_type):
    headers = {} if content_type is None else {"Content-Type": content_type}
    response = sender.api.post("/uploads", content=b"{}", headers=headers)
    assert (response.status_code, reason_of(response)) == (400, "Content-Type must be application/json")


def test_body_over_the_limit_is_refused(sender):
    body = b'{"x": "' + b" " * 2 * 1024 * 1024 + b'"}'
    response = sender.api.post("/uploads", content=body, headers={"Content-Type": "application/json"})
    assert (response.status_code, reason_of(response)) == (400, "The body has more than 65536 bytes")


def test_client_that_goes_away_is_no_error_of_the_sandbox(box, caplog, until):
    caplog.set_level(logging.INFO)
    url = httpx.URL(box.base_url)
    with socket.create_connection((url.host, url.port)) as sock:
        head = f"POST /v1/uploads HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nAuthorization: Bearer {box.bearer_token}"
        sock.sendall(head.encode() + b"\r\n\r\n{")
    until(lambda: "create_upload 400" in caplog.text)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize(
    "upload_id",
    [UNKNOWN, "x", "..%2f..%2fetc%2fpasswd", "%2e%2e", "upload_%00", "upload_" + "a" * 24 + "%0a", "%F0%9F%90%89"],
)
def test_unknown_upload_is_not_found(sender, upload_id):
    for response in (sender.api.get(f"/uploads/{upload_id}"), sender.complete(upload_id)):
        assert response.status_code == 404
        assert reason_of(response)


def test_not_found_names_the_upload(sender):
    assert f"Upload {UNKNOWN} not found" == reason_of(sender.api.get(f"/uploads/{UNKNOWN}"))


def test_an_upload_id_may_have_any_length(sender):
    unknown = "x" * 300
    response = sender.api.get(f"/uploads/{unknown}")
    assert (response.status_code, reason_of(response)) == (404, f"Upload {unknown} not found")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PATCH", "/uploads", "POST"),
        ("DELETE", f"/uploads/{UNKNOWN}", "GET"),
        ("HEAD", f"/uploads/{UNKNOWN}", "GET"),
        ("GET", f"/uploads/{UNKNOWN}/action", "POST"),
    ],
)
def test_wrong_method_is_answered_with_the_right_one(sender, method, path, allow):
    response = sender.api.request(method, path)
    assert (405, allow) == (response.status_code, response.headers["allow"])


def test_a_path_with_two_methods_allows_both():
    document = yaml.safe_load((Path(__file__).parents[2] / "openapi.yaml").read_text(encoding="utf-8"))
    document["paths"]["/uploads"]["get"] = document["paths"].pop("/uploads/{uploadId}")["get"]
    # Only routes are made here, and none is called.
    unused: Any = None
    service = Service(
        contract=Contract(document),
        uploads=Uploads(),
        storage=unused,
        importer=unused,
        url_lifetime=60,
        max_file_size=None,
        quota=unused,
    )
    routes: Any = service.build_app(unused).routes
    assert [{"GET", "POST"}] == [route.methods for route in routes if route.path == "/v1/uploads"]


@pytest.mark.parametrize("path", ["/", "/uploads/", "/uploads/a/b", "/../uploads", "//uploads"])
def test_unknown_path_is_not_found_and_never_redirected(sender, path):
    response = sender.api.get(path)
    assert (response.status_code, reason_of(response)) == (404, "Not Found")


@pytest.mark.parametrize("name", ["../../../etc/passwd", "..\\..\\passwd", "/etc/passwd", "a/\0/passwd"])
def test_file_name_cannot_leave_the_folder(sender, box, name):
    ended = sender.send(b"glTF", fileName=name)
    assert ended["fileName"] == f"uploads/{ended['id'].removeprefix('upload_')}/passwd"
    assert box.folder / "scenario-uploads" / ended["id"] == box.file_path(ended["id"])
    assert box.file_path(ended["id"]).is_file()


def test_answer_that_breaks_the_contract_is_caught_and_logged(sender, monkeypatch, caplog):
    answer = UploadRecord.to_answer
    monkeypatch.setattr(UploadRecord, "to_answer", lambda record: answer(record) | {"status": "lost"})
    response = sender.api.post("/uploads", json=GLB)
    assert response.status_code == 500
    assert reason_of(response) == "An answer of the sandbox breaks the contract; its log says how"
    assert "create_upload answers 200: upload.status: 'lost' is not one of" in caplog.text


def test_bug_of_the_sandbox_is_a_500_with_a_traceback_in_the_log(sender, box, monkeypatch, caplog, until):
    def break_down(upload_id: str) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(box._uploads, "find", break_down)
    response = sender.api.get(f"/uploads/{UNKNOWN}")
    assert (response.status_code, reason_of(response)) == (500, "Internal server error")
    until(lambda: "RuntimeError: broken" in caplog.text)


def test_storage_that_fails_is_a_500_and_the_upload_stays_pending(sender, box, monkeypatch, caplog):
    created = sender.create(4)
    sender.put_parts(created, [b"glTF"])

    def fail(*_: object) -> None:
        raise StorageError("the S3 storage could not list the parts (SlowDown)")

    with monkeypatch.context() as patch:
        patch.setattr(box._storage, "list_parts", fail)
        response = sender.complete(created["id"])
    assert (response.status_code, reason_of(response)) == (500, "The storage failed")
    assert "SlowDown" in caplog.text
    assert sender.complete(created["id"]).status_code == 200


def test_upload_whose_parts_cannot_be_assembled_fails(sender, box, monkeypatch, caplog):
    def fail(*_: object) -> None:
        raise StorageError("the S3 storage could not assemble the parts (InvalidPart)")

    monkeypatch.setattr(box._storage, "complete", fail)
    ended = sender.send(b"glTF")
    assert (ended["status"], ended["errorMessage"]) == ("failed", "The file could not be assembled")
    assert "InvalidPart" in caplog.text


@pytest.mark.parametrize("is_forgotten", [False, True])
def test_complete_that_loses_the_race_while_it_looks_at_the_parts_is_a_conflict(sender, box, monkeypatch, is_forgotten):
    created = sender.create(4)
    sender.put_parts(created, [b"glTF"])
    list_parts = box._storage.list_parts

    def win_first(key: str, storage_id: str) -> object:
        parts = list_parts(key, storage_id)
        record = box._uploads.find(key)
        box._uploads.advance(key, "validating", record.updated_at)
        if is_forgotten:
            raise StorageError("the S3 storage could not list the parts (NoSuchUpload)")
        return parts

    monkeypatch.setattr(box._storage, "list_parts", win_first)
    response = sender.complete(created["id"])
    assert (response.status_code, reason_of(response)) == (409, "Upload is not pending: it is validating")


def test_more_unfinished_uploads_than_the_limit_are_refused(sender, box, monkeypatch):
    monkeypatch.setattr(box._uploads, "_limit", 0)
    monkeypatch.setattr(box._uploads, "_records", {})
    for response in (sender.post(**GLB), sender.post(huggingFaceModelName="a/b")):
        assert (response.status_code, response.headers["retry-after"]) == (429, "1")
        assert reason_of(response) == "The sandbox holds at most 0 unfinished uploads"


def test_no_secret_in_logs_or_reprs(sender, box, caplog):
    caplog.set_level(logging.INFO)
    ended = sender.send(b"glTF")
    logged = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("httpx"))
    assert "create_upload 200" in logged
    assert f"<Sandbox {box.base_url}>" == repr(box)
    reprs = repr(box) + repr(box._options) + repr(box._uploads.find(ended["id"]))
    for secret in (box.api_secret, box.api_key, box.bearer_token, "X-Amz", "uploadId="):
        assert secret not in logged
        assert secret not in reprs


def test_credentials_are_compared_whole(box):
    credentials = Credentials(api_key="k", api_secret="s", bearer_token="t")
    assert credentials.accept("Basic azpz")
    assert credentials.accept("Bearer t")
    assert not credentials.accept("Bearer azpz")
    assert not credentials.accept("Basic t")
    assert not attrs.evolve(credentials, api_secret="ss").accept("Basic azpz")
    assert not credentials.accept("Bearer ü")
