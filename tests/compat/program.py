"""A program as users of scenario-sdk write it: their uploads, by hand, with every convenience of that client.

The import is that of our client. `test_program.py` runs it so and with that of scenario-sdk, and compares what it
prints; `make types` checks it.
"""

import asyncio
import json
import sys
import time
from typing import Any

import httpx
import scenario_uploads
from scenario_uploads import (
    NOT_GIVEN,
    APIConnectionError,
    APIResponse,
    APIStatusError,
    AsyncScenario,
    DefaultAsyncHttpxClient,
    DefaultHttpxClient,
    NotFoundError,
    Scenario,
    Timeout,
    omit,
)
from scenario_uploads.types import UploadCreateParams, UploadCreateResponse, UploadRetrieveResponse
from scenario_uploads.types.upload_create_params import AssetOptions
from scenario_uploads.types.upload_retrieve_response import Upload

CONTENT = b"glTF" + (2).to_bytes(4, "little") + (12).to_bytes(4, "little")
BASE_URL = sys.argv[1]

said: list[Any] = []


def say(what: str, value: Any) -> None:
    """Print what does not change from one run to the next."""
    said.append([what, value])


def params(name: str, parent: str | None = None) -> UploadCreateParams:
    asset_options: AssetOptions = {"hide": True}
    if parent:
        asset_options["parent_id"] = parent
    return {
        "file_name": name,
        "content_type": "model/gltf-binary",
        "file_size": len(CONTENT),
        "kind": "3d",
        "parts": 1,
        "asset_options": asset_options,
    }


def send(created: UploadCreateResponse) -> None:
    for part in created.upload.parts or []:
        httpx.put(part.url, content=CONTENT, trust_env=False).raise_for_status()


def describe(upload: Upload) -> dict[str, Any]:
    shown = upload.to_dict()
    for changing in ("id", "createdAt", "updatedAt", "entityId", "parts", "jobId", "fileName"):
        shown[changing] = type(shown[changing]).__name__ if changing in shown else "absent"
    return dict(sorted(shown.items()))


def upload_by_hand(client: Scenario) -> str:
    created = client.uploads.create(**params("dragon.glb"))
    say("created", describe(created.upload))
    imported = client.uploads.create(hugging_face_model_name="owner/name", url=omit, parts=omit, timeout=NOT_GIVEN)
    say("imported from", imported.upload.provider)
    say("status", f"{created.upload.status} {created.upload.status == 'pending'} {created.upload.parts_count == 1}")
    send(created)
    triggered = client.uploads.trigger_action(created.upload.id, action="complete", timeout=Timeout(10.0, read=20.0))
    say("triggered", sorted(triggered.upload.to_dict()))
    upload = triggered.upload
    for _ in range(200):
        if upload.entity_id or upload.status == "failed":
            break
        time.sleep(0.02)
        upload = client.uploads.retrieve(upload_id=upload.id).upload
    say("imported", describe(upload))
    say("json", sorted(json.loads(upload.to_json(indent=None, exclude_none=True))))
    say("set", sorted(upload.model_fields_set))
    return upload.id


def look_at_answers(client: Scenario, upload_id: str) -> None:
    response: APIResponse[UploadRetrieveResponse] = client.uploads.with_raw_response.retrieve(upload_id)
    say("raw", [response.status_code, response.headers["content-type"], response.method, response.retries_taken])
    say("raw parsed", describe(response.parse().upload))
    say("raw closed", [response.is_closed, response.http_request.url.path.endswith(upload_id)])
    say("raw text", json.loads(response.text()) == response.json() == json.loads(response.read()))
    with client.uploads.with_streaming_response.retrieve(upload_id, extra_headers={"X-Trace": "1"}) as streamed:
        say("streamed", [streamed.status_code, streamed.is_closed])
        say("streamed lines", [sorted(json.loads(line)) for line in streamed.iter_lines()])
    with client.with_streaming_response.uploads.retrieve(upload_id) as streamed:
        say("streamed bytes", len(b"".join(streamed.iter_bytes(chunk_size=16))) > 100)
        say("streamed closed", streamed.is_closed)
    created = client.uploads.with_raw_response.create(**params("a.glb", parent="asset_1"))
    say("raw created", describe(created.parse().upload))


def change_options(client: Scenario, upload_id: str) -> None:
    quick = client.with_options(timeout=5.0, max_retries=0, default_headers={"X-Team": "meshes"})
    say("copy", [quick.max_retries, quick is client, client.max_retries])
    say("copy retrieved", quick.uploads.retrieve(upload_id, timeout=NOT_GIVEN).upload.id == upload_id)
    plain = quick.copy(set_default_headers={}, set_default_query={})
    say("plain retrieved", plain.uploads.retrieve(upload_id, extra_query={"x": 1}).upload.id == upload_id)
    with Scenario(
        api_key=client.api_key,
        api_secret=client.api_secret,
        base_url=str(client.base_url),
        http_client=DefaultHttpxClient(timeout=7.0, trust_env=False),
        _strict_response_validation=True,
    ) as other:
        say("other retrieved", other.uploads.retrieve(upload_id).upload.id == upload_id)
    say("open", client.is_closed())


def go_wrong(client: Scenario) -> None:
    try:
        client.uploads.retrieve("upload_that_is_not_there")
    except NotFoundError as error:
        say("not found", [error.status_code, isinstance(error.body, dict), error.response.status_code])
        say("bases", [isinstance(error, APIStatusError), isinstance(error, scenario_uploads.ScenarioError)])
        say("request", [error.request.method, error.request.url.path.rpartition("/")[2]])
    try:
        client.uploads.trigger_action("", action="complete")
    except ValueError as error:
        say("empty", str(error))
    try:
        client.with_options(base_url="http://127.0.0.1:9/v1", max_retries=0).uploads.retrieve("u")
    except APIConnectionError as error:
        say("unreachable", [type(error).__name__, type(error.__cause__).__name__])
    try:
        client.uploads.create(kind="image", extra_headers={"Authorization": "Bearer wrong"})
    except scenario_uploads.AuthenticationError as error:
        say("refused", error.status_code)


async def upload_asynchronously(api_key: str | None, api_secret: str | None) -> None:
    async with AsyncScenario(
        api_key=api_key, api_secret=api_secret, base_url=BASE_URL, http_client=DefaultAsyncHttpxClient(trust_env=False)
    ) as client:
        first, second = await asyncio.gather(
            client.uploads.create(**params("first.glb")), client.uploads.create(**params("second.glb"))
        )
        send(first)
        await client.uploads.trigger_action(first.upload.id, action="complete")
        raw = await client.with_options(timeout=5).uploads.with_raw_response.retrieve(second.upload.id)
        say("async raw", describe((await raw.parse()).upload))
        async with client.uploads.with_streaming_response.retrieve(first.upload.id) as response:
            lines = [line async for line in response.iter_lines()]
            say("async lines", [json.loads(line)["upload"]["id"] == first.upload.id for line in lines])
        async with client.uploads.with_streaming_response.retrieve(first.upload.id) as response:
            say("async parsed", (await response.parse()).upload.file_name.rpartition("/")[2])
        try:
            await client.uploads.retrieve("upload_that_is_not_there")
        except NotFoundError as error:
            say("async not found", error.status_code)


def main() -> None:
    with Scenario(base_url=BASE_URL, timeout=20, max_retries=1) as client:
        upload_id = upload_by_hand(client)
        look_at_answers(client, upload_id)
        change_options(client, upload_id)
        go_wrong(client)
        asyncio.run(upload_asynchronously(client.api_key, client.api_secret))
    say("closed", client.is_closed())
    json.dump(said, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
