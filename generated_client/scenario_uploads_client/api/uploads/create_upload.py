# Generated from openapi.yaml by openapi-python-client 0.29.1.
# Do not edit: change openapi.yaml and run `make generate`.
from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.error import Error
from ...models.upload_create_params import UploadCreateParams
from ...models.upload_create_response import UploadCreateResponse
from ...models.upload_dry_run import UploadDryRun
from ...models.upload_dry_run_response import UploadDryRunResponse
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    body: UploadCreateParams,
    project_id: str | Unset = UNSET,
    dry_run: UploadDryRun | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    params: dict[str, Any] = {}

    params["projectId"] = project_id

    json_dry_run: str | Unset = UNSET
    if not isinstance(dry_run, Unset):
        json_dry_run = dry_run.value

    params["dryRun"] = json_dry_run

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/uploads",
        "params": params,
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Error | UploadCreateResponse | UploadDryRunResponse | None:
    if response.status_code == 200:
        response_200 = UploadCreateResponse.from_dict(response.json())

        return response_200

    if response.status_code == 269:
        response_269 = UploadDryRunResponse.from_dict(response.json())

        return response_269

    if response.status_code == 400:
        response_400 = Error.from_dict(response.json())

        return response_400

    if response.status_code == 401:
        response_401 = Error.from_dict(response.json())

        return response_401

    if response.status_code == 403:
        response_403 = Error.from_dict(response.json())

        return response_403

    if response.status_code == 404:
        response_404 = Error.from_dict(response.json())

        return response_404

    if response.status_code == 409:
        response_409 = Error.from_dict(response.json())

        return response_409

    if response.status_code == 422:
        response_422 = Error.from_dict(response.json())

        return response_422

    if response.status_code == 429:
        response_429 = Error.from_dict(response.json())

        return response_429

    if 500 <= response.status_code <= 599:
        response_5xx = Error.from_dict(response.json())

        return response_5xx

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Error | UploadCreateResponse | UploadDryRunResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: UploadCreateParams,
    project_id: str | Unset = UNSET,
    dry_run: UploadDryRun | Unset = UNSET,
) -> Response[Error | UploadCreateResponse | UploadDryRunResponse]:
    """Create an upload

     Creates an upload record. For a multipart upload the answer carries one presigned URL for each part;
    no other answer repeats them, so they must be kept until the parts are sent. For the other sources
    (`url`, `huggingFaceModelName`, `civitaiModelUrl`) the service fetches the file by itself.

    Args:
        project_id (str | Unset):  Example: proj_5Rt9c.
        dry_run (UploadDryRun | Unset): How to ask for the cost alone. Example: true.
        body (UploadCreateParams): What to upload. Every field is optional for the schema; which
            ones are needed depends on the source:
            multipart needs `fileName`, `contentType`, `fileSize`, `parts` and `kind`; a URL needs
            `url` and `kind`;
            Hugging Face needs `huggingFaceModelName`; Civitai needs `civitaiModelUrl`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | UploadCreateResponse | UploadDryRunResponse]
    """

    kwargs = _get_kwargs(
        body=body,
        project_id=project_id,
        dry_run=dry_run,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    body: UploadCreateParams,
    project_id: str | Unset = UNSET,
    dry_run: UploadDryRun | Unset = UNSET,
) -> Error | UploadCreateResponse | UploadDryRunResponse | None:
    """Create an upload

     Creates an upload record. For a multipart upload the answer carries one presigned URL for each part;
    no other answer repeats them, so they must be kept until the parts are sent. For the other sources
    (`url`, `huggingFaceModelName`, `civitaiModelUrl`) the service fetches the file by itself.

    Args:
        project_id (str | Unset):  Example: proj_5Rt9c.
        dry_run (UploadDryRun | Unset): How to ask for the cost alone. Example: true.
        body (UploadCreateParams): What to upload. Every field is optional for the schema; which
            ones are needed depends on the source:
            multipart needs `fileName`, `contentType`, `fileSize`, `parts` and `kind`; a URL needs
            `url` and `kind`;
            Hugging Face needs `huggingFaceModelName`; Civitai needs `civitaiModelUrl`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | UploadCreateResponse | UploadDryRunResponse
    """

    return sync_detailed(
        client=client,
        body=body,
        project_id=project_id,
        dry_run=dry_run,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: UploadCreateParams,
    project_id: str | Unset = UNSET,
    dry_run: UploadDryRun | Unset = UNSET,
) -> Response[Error | UploadCreateResponse | UploadDryRunResponse]:
    """Create an upload

     Creates an upload record. For a multipart upload the answer carries one presigned URL for each part;
    no other answer repeats them, so they must be kept until the parts are sent. For the other sources
    (`url`, `huggingFaceModelName`, `civitaiModelUrl`) the service fetches the file by itself.

    Args:
        project_id (str | Unset):  Example: proj_5Rt9c.
        dry_run (UploadDryRun | Unset): How to ask for the cost alone. Example: true.
        body (UploadCreateParams): What to upload. Every field is optional for the schema; which
            ones are needed depends on the source:
            multipart needs `fileName`, `contentType`, `fileSize`, `parts` and `kind`; a URL needs
            `url` and `kind`;
            Hugging Face needs `huggingFaceModelName`; Civitai needs `civitaiModelUrl`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | UploadCreateResponse | UploadDryRunResponse]
    """

    kwargs = _get_kwargs(
        body=body,
        project_id=project_id,
        dry_run=dry_run,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: UploadCreateParams,
    project_id: str | Unset = UNSET,
    dry_run: UploadDryRun | Unset = UNSET,
) -> Error | UploadCreateResponse | UploadDryRunResponse | None:
    """Create an upload

     Creates an upload record. For a multipart upload the answer carries one presigned URL for each part;
    no other answer repeats them, so they must be kept until the parts are sent. For the other sources
    (`url`, `huggingFaceModelName`, `civitaiModelUrl`) the service fetches the file by itself.

    Args:
        project_id (str | Unset):  Example: proj_5Rt9c.
        dry_run (UploadDryRun | Unset): How to ask for the cost alone. Example: true.
        body (UploadCreateParams): What to upload. Every field is optional for the schema; which
            ones are needed depends on the source:
            multipart needs `fileName`, `contentType`, `fileSize`, `parts` and `kind`; a URL needs
            `url` and `kind`;
            Hugging Face needs `huggingFaceModelName`; Civitai needs `civitaiModelUrl`.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | UploadCreateResponse | UploadDryRunResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
            project_id=project_id,
            dry_run=dry_run,
        )
    ).parsed
