# Generated from openapi.yaml by openapi-python-client 0.29.1.
# Do not edit: change openapi.yaml and run `make generate`.
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.error import Error
from ...models.upload_retrieve_response import UploadRetrieveResponse
from ...types import UNSET, Response, Unset


def _get_kwargs(
    upload_id: str,
    *,
    project_id: str | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["projectId"] = project_id

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/uploads/{upload_id}".format(
            upload_id=quote(str(upload_id), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Error | UploadRetrieveResponse | None:
    if response.status_code == 200:
        response_200 = UploadRetrieveResponse.from_dict(response.json())

        return response_200

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
) -> Response[Error | UploadRetrieveResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    upload_id: str,
    *,
    client: AuthenticatedClient | Client,
    project_id: str | Unset = UNSET,
) -> Response[Error | UploadRetrieveResponse]:
    """Retrieve an upload

     Get the details of an existing upload. The answer leaves out `parts`, `partsCount`, `fileSize`,
    `contentType` and `originalFileName`, which only the create answer has.

    Args:
        upload_id (str):  Example: upload_ZJvXr7nTqXUBNgL6wEAhyPqT.
        project_id (str | Unset):  Example: proj_5Rt9c.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | UploadRetrieveResponse]
    """

    kwargs = _get_kwargs(
        upload_id=upload_id,
        project_id=project_id,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    upload_id: str,
    *,
    client: AuthenticatedClient | Client,
    project_id: str | Unset = UNSET,
) -> Error | UploadRetrieveResponse | None:
    """Retrieve an upload

     Get the details of an existing upload. The answer leaves out `parts`, `partsCount`, `fileSize`,
    `contentType` and `originalFileName`, which only the create answer has.

    Args:
        upload_id (str):  Example: upload_ZJvXr7nTqXUBNgL6wEAhyPqT.
        project_id (str | Unset):  Example: proj_5Rt9c.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | UploadRetrieveResponse
    """

    return sync_detailed(
        upload_id=upload_id,
        client=client,
        project_id=project_id,
    ).parsed


async def asyncio_detailed(
    upload_id: str,
    *,
    client: AuthenticatedClient | Client,
    project_id: str | Unset = UNSET,
) -> Response[Error | UploadRetrieveResponse]:
    """Retrieve an upload

     Get the details of an existing upload. The answer leaves out `parts`, `partsCount`, `fileSize`,
    `contentType` and `originalFileName`, which only the create answer has.

    Args:
        upload_id (str):  Example: upload_ZJvXr7nTqXUBNgL6wEAhyPqT.
        project_id (str | Unset):  Example: proj_5Rt9c.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | UploadRetrieveResponse]
    """

    kwargs = _get_kwargs(
        upload_id=upload_id,
        project_id=project_id,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    upload_id: str,
    *,
    client: AuthenticatedClient | Client,
    project_id: str | Unset = UNSET,
) -> Error | UploadRetrieveResponse | None:
    """Retrieve an upload

     Get the details of an existing upload. The answer leaves out `parts`, `partsCount`, `fileSize`,
    `contentType` and `originalFileName`, which only the create answer has.

    Args:
        upload_id (str):  Example: upload_ZJvXr7nTqXUBNgL6wEAhyPqT.
        project_id (str | Unset):  Example: proj_5Rt9c.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | UploadRetrieveResponse
    """

    return (
        await asyncio_detailed(
            upload_id=upload_id,
            client=client,
            project_id=project_id,
        )
    ).parsed
