"""Imports: what is asked of the service, and how often."""

from __future__ import annotations

from typing import Any

import pytest
from scenario_uploads import (
    APIConnectionError,
    BadRequestError,
    InternalServerError,
    InvalidArgumentError,
    SourceError,
    UploadFailedError,
    UploadTimeoutError,
)
from scenario_uploads.sandbox import Sandbox
from scenario_uploads.upload.imports import name_address

from tests.support.clients import Clock, Connect, raises
from tests.support.server import Answering, lose, reply
from tests.support.service import UPLOAD_ID, Service, answer_upload

MODEL = "stabilityai/stable-diffusion-xl-base-1.0"
PAGE = "https://civitai.com/models/370194/x?modelVersionId=413566"
SIGNED = "https://example.com/a/dragon%20one.GLB?X-Amz-Signature=s3cret"
VALIDATING = answer_upload(status="validating", entityId=None)
CALLS = [("import_url", SIGNED), ("import_hugging_face", MODEL), ("import_civitai", PAGE)]


@pytest.mark.parametrize(
    ("name", "address", "body"),
    [
        ("import_url", SIGNED, {"url": SIGNED, "kind": "3d"}),
        ("import_hugging_face", MODEL, {"huggingFaceModelName": MODEL}),
        ("import_civitai", PAGE, {"civitaiModelUrl": PAGE}),
    ],
)
def test_are_created_once_and_waited_for(
    connect: Connect, service: Service, name: str, address: str, body: Any
) -> None:
    service.script("create", VALIDATING)
    upload = getattr(connect(service.url, default_query={"dryRun": "true"}).uploads, name)(address, project_id="p 1")
    assert upload.entity_id == "asset_1"
    assert service.steps == ["create", "retrieve"]
    (create,) = service.of("create")
    assert (create.json, create.query) == (body, [("projectId", "p 1")])


def test_take_a_kind_and_options_of_the_asset(connect: Connect, service: Service) -> None:
    service.script("create", VALIDATING)
    uploads = connect(service.url).uploads
    upload = uploads.import_url("https://example.com", kind="image", asset_options={"hide": True}, wait=False)
    assert (upload.id, upload.status) == (UPLOAD_ID, "validating")
    assert service.steps == ["create"]
    assert service.of("create")[0].json == {
        "url": "https://example.com",
        "kind": "image",
        "assetOptions": {"hide": True},
    }


@pytest.mark.parametrize(("name", "address"), CALLS)
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (lose, APIConnectionError),
        (reply(503, {"reason": "busy"}), InternalServerError),
        (reply(504), InternalServerError),
    ],
)
def test_17_are_never_sent_twice(
    connect: Connect, service: Service, name: str, address: str, answer: Answering, kind: type[Exception]
) -> None:
    service.script("create", answer, answer)
    with raises(kind, "; whether the service acted on it is unknown, so it was not sent again"):
        getattr(connect(service.url).uploads, name)(address)
    assert service.steps == ["create"]


def test_17_a_refusal_leaves_nothing_unknown(connect: Connect, service: Service) -> None:
    service.script("create", reply(400, {"reason": "no such file"}))
    with raises(BadRequestError, "no such file") as caught:
        connect(service.url).uploads.import_url(SIGNED)
    assert "unknown" not in str(caught.error)


def test_21_fail_and_time_out_as_uploads_do(connect: Connect, service: Service, clock: Clock) -> None:
    uploads = connect(service.url).uploads
    service.script("create", VALIDATING, VALIDATING, answer_upload(status="failed", errorMessage="no such file"))
    service.script("retrieve", answer_upload(status="failed", errorMessage="no such file"))
    with raises(UploadFailedError, "no such file"):
        uploads.import_url(SIGNED)
    service.script("retrieve", *[VALIDATING] * 50)
    with raises(UploadTimeoutError, UPLOAD_ID):
        uploads.import_url(SIGNED, timeout=30)
    with raises(UploadFailedError, "no such file"):
        uploads.import_url(SIGNED, wait=False)


@pytest.mark.parametrize(
    ("name", "address", "kind", "reason"),
    [
        ("import_url", "ftp://example.com/a.glb", InvalidArgumentError, "give an http or https URL"),
        ("import_url", "https:///a.glb?X-Amz-Signature=s3cret", InvalidArgumentError, "give an http or https URL"),
        ("import_url", "https://[/a.glb", InvalidArgumentError, "give an http or https URL"),
        ("import_url", "https://example.com/a b.glb", InvalidArgumentError, "give an http or https URL"),
        ("import_url", None, InvalidArgumentError, "give an http or https URL"),
        ("import_url", "https://example.com/a", SourceError, "give kind="),
        ("import_hugging_face", "https://huggingface.co/a/b", InvalidArgumentError, "give its name as 'owner/name'"),
        ("import_hugging_face", "sdxl", InvalidArgumentError, "give its name as 'owner/name'"),
        ("import_civitai", "https://example.com/models/1", InvalidArgumentError, "give the URL of its page"),
        ("import_civitai", 370194, InvalidArgumentError, "give the URL of its page"),
    ],
)
def test_31_of_what_cannot_be_meant_are_told_before_any_request(
    connect: Connect, service: Service, name: str, address: Any, kind: type[Exception], reason: str
) -> None:
    with raises(kind, reason) as caught:
        getattr(connect(service.url).uploads, name)(address)
    assert "s3cret" not in str(caught.error)
    assert service.requests == []


@pytest.mark.parametrize(
    ("address", "arguments"),
    [
        (f"hf:{MODEL}", {"hugging_face_model_name": MODEL}),
        (f"https://huggingface.co/{MODEL}/", {"hugging_face_model_name": MODEL}),
        (f"https://huggingface.co/{MODEL}/tree/main", {"hugging_face_model_name": MODEL}),
        (f"civitai:{PAGE}", {"civitai_model_url": PAGE}),
        (PAGE, {"civitai_model_url": PAGE}),
        ("https://civitai.com/api/download/a.safetensors", {"kind": "model"}),
        (f"https://huggingface.co/{MODEL}/resolve/main/a.safetensors", {"kind": "model"}),
        ("https://notcivitai.com/models/1.zip", {"kind": "model"}),
        ("https://image.civitai.com/xG1nkqKT/width=450/a.jpeg", {"kind": "image"}),
        (SIGNED, {"kind": "3d"}),
    ],
)
def test_an_address_says_what_it_is(address: str, arguments: dict[str, str]) -> None:
    assert name_address(address, None) == ({"url": address} if "kind" in arguments else {}) | arguments


@pytest.mark.parametrize(
    ("address", "kind", "reason"),
    [
        (MODEL, None, "cannot be imported; give hf:OWNER/NAME, civitai:URL, or the http or https URL"),
        ("dragon.glb", "3d", "cannot be imported; give hf:OWNER/NAME, civitai:URL, or the http or https URL"),
        ("hf:sdxl", None, "'owner/name'"),
        ("civitai:370194", None, "the URL of its page"),
        (f"hf:{MODEL}", "model", "kind is for the URL of a file"),
        (
            f"https://huggingface.co/{MODEL}/blob/main/a.safetensors",
            None,
            "cannot be imported; give hf:OWNER/NAME, civitai:URL, or the http or https URL",
        ),
        (
            "https://huggingface.co/datasets/squad",
            "text",
            "cannot be imported; give hf:OWNER/NAME, civitai:URL, or the http or https URL",
        ),
        (
            "https://civitai.com/images/1",
            "image",
            "cannot be imported; give hf:OWNER/NAME, civitai:URL, or the http or https URL",
        ),
        ("civitai:https://civitai.com.example.org/models/1", None, "the URL of its page"),
    ],
)
def test_an_address_that_says_nothing_is_told(address: str, kind: str | None, reason: str) -> None:
    with raises(InvalidArgumentError, reason):
        name_address(address, kind)


def test_the_sandbox_plays_all_three(connect: Connect) -> None:
    with Sandbox(step_delay=0) as box:
        uploads = connect(box.base_url, api_key=box.api_key, api_secret=box.api_secret).uploads
        for name, address in CALLS:
            assert getattr(uploads, name)(address).status == "imported"
