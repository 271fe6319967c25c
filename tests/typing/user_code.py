"""Typical code of users. It is never run: mypy --strict and pyright have to accept every line of it as it is.

`assert_type` says which type a user gets to see; `wrong_code.py` holds what has to be rejected.
"""

import asyncio
import io
import ssl
from pathlib import Path
from typing import Any, assert_type

import httpx
import scenario_uploads
from scenario_uploads import (
    NOT_GIVEN,
    APIConnectionError,
    APIError,
    APIResponse,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    AsyncAPIResponse,
    AsyncScenario,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    IntegrityError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    Scenario,
    ScenarioError,
    SourceChangedError,
    TransferError,
    UnprocessableEntityError,
    Upload,
    UploadAction,
    UploadAssetOptions,
    UploadCreateResponse,
    UploadDryRun,
    UploadDryRunResponse,
    UploadError,
    UploadFailedError,
    UploadKind,
    UploadPart,
    UploadProvider,
    UploadResult,
    UploadRetrieveResponse,
    UploadSource,
    UploadStatus,
    UploadTimeoutError,
    UploadTriggerActionResponse,
    UploadURLExpiredError,
    is_known,
    models,
    omit,
)


def make_clients() -> None:
    """Every way to make a client."""
    assert_type(Scenario(), Scenario)
    Scenario(api_key="key", api_secret="secret")
    Scenario(bearer_auth="token", base_url="http://127.0.0.1:4010/v1")
    Scenario(timeout=10, max_retries=0, strict_responses=True)
    Scenario(timeout=httpx.Timeout(5.0), base_url=httpx.URL("https://example.com/v1"))
    Scenario(default_headers={"X-Team": "meshes"}, default_query={"projectId": "proj_1"})
    Scenario(http_client=httpx.Client(proxy="http://proxy.example.com:3128")).close()
    assert_type(AsyncScenario(http_client=httpx.AsyncClient()), AsyncScenario)
    Scenario(trust_env=False, timeout=NOT_GIVEN).close()
    Scenario(verify="ca.pem", allow_http_storage=True).with_options(verify=Path("ca.pem"), allow_http_storage=False)
    AsyncScenario(verify=ssl.create_default_context())


def change_settings(client: Scenario) -> None:
    """Copies with other settings."""
    assert_type(client.with_options(timeout=5), Scenario)
    assert_type(client.copy(max_retries=0, default_headers={"X-Team": "meshes"}), Scenario)
    client.with_options(set_default_headers={}, set_default_query={"a": [1, 2]}, http_client=httpx.Client())
    client.with_options(bearer_auth="token", base_url="https://example.com/v1", timeout=httpx.Timeout(5))
    assert_type(client.timeout, httpx.Timeout)
    assert_type(client.base_url, httpx.URL)
    assert_type(client.is_closed(), bool)


def add_to_calls(client: Scenario, kind: str | None) -> None:
    """What a single call sends besides its arguments."""
    client.uploads.create(kind=kind or omit, url="https://example.com/cat.png", extra_body={"note": "x"})
    client.uploads.retrieve("upload_id", extra_headers={"X-Trace": "1", "User-Agent": omit}, timeout=5)
    client.uploads.trigger_action("upload_id", action="complete", extra_query={"a": True}, timeout=httpx.Timeout(5))
    created = client.uploads.create(url="https://example.com/cat.png", kind="image", timeout=None)
    assert_type(created, UploadCreateResponse)
    cost = client.uploads.create(url="https://example.com/cat.png", kind="image", project_id="proj_1", dry_run="true")
    assert_type(cost, UploadDryRunResponse)
    assert_type(cost.creative_units_cost, float)
    assert_type(client.uploads.wait(created), Upload)
    assert_type(client.uploads.wait(created.upload), Upload)


def create(client: Scenario) -> UploadPart | None:
    """Create uploads of every source, with plain values and with the models."""
    response = client.uploads.create(
        file_name="dragon.glb",
        file_size=9_437_184,
        content_type="model/gltf-binary",
        kind="3d",
        parts=2,
        asset_options={"hide": True, "collection_ids": ["collection_1"]},
    )
    assert_type(response, UploadCreateResponse)
    assert_type(response.upload, Upload)
    # Read, what an answer leaves out is None.
    assert_type(response.upload.entity_id, str | None)
    assert_type(response.upload.parts, list[UploadPart] | None)
    client.uploads.create(url="https://example.com/cat.png", kind=UploadKind.IMAGE)
    client.uploads.create(hugging_face_model_name="stabilityai/stable-diffusion-xl-base-1.0")
    client.uploads.create(civitai_model_url="https://civitai.com/models/370194/x")
    client.uploads.create(kind=None, asset_options=UploadAssetOptions(hide=True))
    for part in response.upload.parts or []:
        assert_type(part, UploadPart)
        assert_type(part.number, int)
        assert_type(part.url, str)
        assert_type(part.expires, str)
        return part
    return None


def retrieve(client: Scenario) -> str:
    """Read what an upload holds; a truth test narrows an optional field to its type."""
    response = client.uploads.retrieve("upload_id")
    assert_type(response, UploadRetrieveResponse)
    upload = response.upload
    assert_type(upload.id, str)
    assert_type(upload.created_at, str)
    assert_type(upload.status, UploadStatus)
    assert_type(upload.source, models.UploadSource)
    if upload.error_message:
        assert_type(upload.error_message, str)
    if upload.file_size:
        assert_type(upload.file_size, int)
    if upload.provider:
        assert_type(upload.provider, UploadProvider)
    if upload.asset_options and upload.asset_options.collection_ids:
        assert_type(upload.asset_options.collection_ids, list[str])
    if upload.entity_id:
        assert_type(upload.entity_id, str)
        return upload.entity_id
    return "not known yet"


def show_models(upload: Upload) -> None:
    """Models become dicts and JSON, and so do those in them."""
    assert_type(upload.to_json(), str)
    assert_type(Upload.from_dict(upload.to_dict()), Upload)
    assert_type(upload.model_fields_set, set[str])
    assert_type(upload.model_extra, dict[str, Any])
    print(upload.to_dict(use_api_names=False, exclude_none=True), upload.to_json(indent=None))
    for part in upload.parts or []:
        assert_type(part, UploadPart)
        assert_type(part.to_json(), str)
    if upload.asset_options:
        assert_type(upload.asset_options.to_json(exclude_unset=False), str)


def use_enums(client: Scenario) -> str:
    """Compare, iterate, and tell known values from new ones."""
    upload = client.uploads.retrieve("upload_id").upload
    if is_known(upload.kind):
        assert_type(upload.kind, UploadKind)
    if upload.provider and is_known(upload.provider):
        assert_type(upload.provider, UploadProvider)
    if is_known(upload.provider):
        assert_type(upload.provider, UploadProvider)
    names: list[str] = [kind.value for kind in UploadKind]
    assert_type(UploadKind("3d"), UploadKind)
    match upload.status:
        case UploadStatus.IMPORTED:
            return "done"
        case UploadStatus.FAILED:
            return "failed"
        case other:
            return f"{other} is none of {names}"


def act(client: Scenario) -> None:
    """Complete and wait."""
    assert_type(client.uploads.trigger_action("upload_id", action="complete"), UploadTriggerActionResponse)
    assert_type(client.uploads.trigger_action("upload_id", action=UploadAction.COMPLETE), UploadTriggerActionResponse)
    assert_type(client.uploads.wait("upload_id"), Upload)
    assert_type(client.uploads.wait("upload_id", timeout=10.5), Upload)


def read_answers(client: Scenario) -> None:
    """Answers as they came."""
    raw = client.uploads.with_raw_response.create(url="https://example.com/cat.png", kind="image", timeout=5)
    assert_type(raw, APIResponse[UploadCreateResponse])
    assert_type(raw.status_code, int)
    assert_type(raw.headers, httpx.Headers)
    assert_type(raw.parse(), UploadCreateResponse)
    assert_type(raw.parse(to=UploadRetrieveResponse), UploadRetrieveResponse)
    assert_type(raw.text(), str)
    assert_type(client.with_raw_response.uploads.retrieve("upload_id").parse().upload, Upload)
    with client.uploads.with_streaming_response.retrieve("upload_id") as response:
        assert_type(response, APIResponse[UploadRetrieveResponse])
        for line in response.iter_lines():
            assert_type(line, str)
        response.stream_to_file(Path("answer.json"), chunk_size=1024)
    with client.uploads.with_streaming_response.trigger_action("upload_id", action="complete") as answer:
        assert_type(answer.parse(), UploadTriggerActionResponse)


async def read_answers_async(client: AsyncScenario) -> None:
    """The same, awaited."""
    raw = await client.uploads.with_raw_response.retrieve("upload_id", extra_headers={"X-Trace": "1"})
    assert_type(raw, AsyncAPIResponse[UploadRetrieveResponse])
    assert_type(await raw.parse(), UploadRetrieveResponse)
    assert_type(await raw.text(), str)
    async with client.uploads.with_streaming_response.retrieve("upload_id") as response:
        async for piece in response.iter_bytes(100):
            assert_type(piece, bytes)
        assert_type((await response.parse()).upload, Upload)


def upload_files() -> None:
    """Send everything that can be a file."""
    with Scenario() as client:
        assert_type(client.uploads.upload_file("dragon.glb"), Upload)
        client.uploads.upload_file(Path("dragon.glb"), kind=UploadKind.THREE_D, part_size=8 * 1024 * 1024)
        client.uploads.upload_file(b"...", file_name="cat.png")
        handle = client.uploads.start_upload("dragon.glb", deadline=60)
        assert_type(handle.result(timeout=1), Upload)
        assert_type(handle.progress, scenario_uploads.UploadProgress | None)
        client.uploads.upload_file(io.BytesIO(b"..."), file_name="cat.png", wait=False)
        with open("dragon.glb", "rb") as file:  # noqa: PTH123
            client.uploads.upload_file(file, content_type="model/gltf-binary", concurrency=4, timeout=60)
        with Path("dragon.glb").open("rb") as other:
            client.uploads.upload_file(other, asset_options={"hide": True})


def show_progress(progress: scenario_uploads.UploadProgress) -> None:
    """Take what `on_progress` gives."""
    assert_type(progress.bytes_done, int)
    assert_type(progress.bytes_total, int)
    assert_type(progress.parts_done, int)
    assert_type(progress.parts_total, int)
    assert_type(progress.attempt, int)
    print(f"{progress.phase}: {progress.bytes_done / progress.bytes_total:.0%}")


def watch(client: Scenario) -> None:
    """Progress as a function and as a lambda whose result does not matter."""
    client.uploads.upload_file("dragon.glb", on_progress=show_progress, progress=True)
    client.uploads.upload_file("dragon.glb", on_progress=lambda progress: print(progress.phase))


def catch(client: Scenario) -> str:  # noqa: C901 -- one branch for each error
    """Catch what may go wrong, most special first."""
    try:
        client.uploads.upload_file("dragon.glb")
    except (BadRequestError, AuthenticationError, PermissionDeniedError, NotFoundError) as error:
        assert_type(error.status_code, int)
    except (ConflictError, UnprocessableEntityError, RateLimitError, InternalServerError) as error:
        assert_type(error.reason, str | None)
    except APIStatusError as error:
        assert_type(error.status_code, int)
        assert_type(error.reason, str | None)
        assert_type(error.trace_id, str | None)
        assert_type(error.response, httpx.Response)
        assert_type(error.body, object)
    except APIResponseValidationError:
        return "not what the contract says"
    except APITimeoutError as error:
        assert_type(error.upload_id, str | None)
    except (APIConnectionError, APIError) as error:
        return str(error)
    except (UploadURLExpiredError, IntegrityError, SourceChangedError, TransferError):
        return "the bytes did not arrive"
    except UploadFailedError as error:
        assert_type(error.upload_id, str | None)
    except UploadTimeoutError as error:
        if error.upload_id:
            client.uploads.wait(error.upload_id)
    except UploadError as error:
        assert_type(error.upload_id, str | None)
    except ScenarioError as error:
        return f"{error}"
    return ""


def take_base(error: UploadError) -> ScenarioError:
    """Every error is one of ours."""
    return error


async def use_async() -> None:
    """The same, awaited."""
    async with AsyncScenario(api_key="key", api_secret="secret") as client:
        assert_type(await client.uploads.create(url="https://example.com/cat.png", kind="image"), UploadCreateResponse)
        assert_type(await client.uploads.create(kind="image", dry_run=UploadDryRun.API), UploadDryRunResponse)
        assert_type(await client.uploads.retrieve("upload_id"), UploadRetrieveResponse)
        assert_type(await client.uploads.start_upload("dragon.glb"), Upload)
        assert_type(await client.uploads.trigger_action("upload_id", action="complete"), UploadTriggerActionResponse)
        assert_type(await client.uploads.wait("upload_id", timeout=1), Upload)
        upload = await client.uploads.upload_file(Path("dragon.glb"), on_progress=show_progress)
        assert_type(upload, Upload)
        if upload.entity_id:
            assert_type(upload.entity_id, str)
        first, second = await asyncio.gather(client.uploads.upload_file("a.glb"), client.uploads.upload_file("b.glb"))
        assert_type(first, Upload)
        assert_type(second, Upload)
    client = AsyncScenario()
    await client.close()


def upload_folder(client: Scenario) -> list[str]:
    """Upload many files, some with settings of their own."""
    sources = [Path("refs"), UploadSource(Path("notes.dat"), kind="text"), UploadSource(b"words", file_name="a.txt")]
    results = client.uploads.upload_many(sources, recursive=True, include="*.png", ledger=False)
    return [result.entity_id for result in results if result.entity_id]


async def upload_folder_async(client: AsyncScenario) -> int:
    """The same, awaited."""
    failed = 0
    async for result in client.uploads.upload_many("refs", recursive=True):
        assert_type(result, UploadResult)
        if result.error:
            failed += 1
    return failed
