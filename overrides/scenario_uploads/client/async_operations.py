# Generated from openapi.yaml by make generate. Do not edit.
"""The operations of the contract: a method for each, in a base of the class of its tag."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, overload

import httpx

from scenario_uploads.api import calls
from scenario_uploads.api.exchange import ResponseMode
from scenario_uploads.arguments import Headers, NotGiven, Omit, Query
from scenario_uploads.models import (
    UploadAction,
    UploadAssetOptions,
    UploadCreateResponse,
    UploadDryRun,
    UploadDryRunResponse,
    UploadKind,
    UploadRetrieveResponse,
    UploadTriggerActionResponse,
)

from .async_response import AsyncResource, return_raw_async, return_streamed_async


class AsyncUploadsOperations(AsyncResource):
    """The operations of the contract that `AsyncUploads` has."""

    @property
    def with_raw_response(self) -> AsyncUploadsWithRawResponse:
        """The same calls, returning an `AsyncAPIResponse`, whose `parse()` gives the model."""
        return AsyncUploadsWithRawResponse(self)

    @property
    def with_streaming_response(self) -> AsyncUploadsWithStreamingResponse:
        """The same calls for an `async with` block, returning an `AsyncAPIResponse` whose body is read on demand."""
        return AsyncUploadsWithStreamingResponse(self)

    @overload
    async def create(
        self,
        *,
        asset_options: UploadAssetOptions | Mapping[str, object] | Omit | None = None,
        civitai_model_url: str | Omit | None = None,
        content_type: str | Omit | None = None,
        file_name: str | Omit | None = None,
        file_size: int | Omit | None = None,
        hugging_face_model_name: str | Omit | None = None,
        kind: UploadKind | str | Omit | None = None,
        parts: int | Omit | None = None,
        url: str | Omit | None = None,
        dry_run: Omit | None = None,
        project_id: str | Omit | None = None,
        extra_headers: Headers | None = None,
        extra_query: Query | None = None,
        extra_body: object = None,
        timeout: float | httpx.Timeout | NotGiven | None = None,
    ) -> UploadCreateResponse: ...

    @overload
    async def create(
        self,
        *,
        asset_options: UploadAssetOptions | Mapping[str, object] | Omit | None = None,
        civitai_model_url: str | Omit | None = None,
        content_type: str | Omit | None = None,
        file_name: str | Omit | None = None,
        file_size: int | Omit | None = None,
        hugging_face_model_name: str | Omit | None = None,
        kind: UploadKind | str | Omit | None = None,
        parts: int | Omit | None = None,
        url: str | Omit | None = None,
        dry_run: UploadDryRun | str | Literal[True],
        project_id: str | Omit | None = None,
        extra_headers: Headers | None = None,
        extra_query: Query | None = None,
        extra_body: object = None,
        timeout: float | httpx.Timeout | NotGiven | None = None,
    ) -> UploadDryRunResponse: ...

    async def create(
        self,
        *,
        asset_options: UploadAssetOptions | Mapping[str, object] | Omit | None = None,
        civitai_model_url: str | Omit | None = None,
        content_type: str | Omit | None = None,
        file_name: str | Omit | None = None,
        file_size: int | Omit | None = None,
        hugging_face_model_name: str | Omit | None = None,
        kind: UploadKind | str | Omit | None = None,
        parts: int | Omit | None = None,
        url: str | Omit | None = None,
        dry_run: UploadDryRun | str | Literal[True] | Omit | None = None,
        project_id: str | Omit | None = None,
        extra_headers: Headers | None = None,
        extra_query: Query | None = None,
        extra_body: object = None,
        timeout: float | httpx.Timeout | NotGiven | None = None,
    ) -> UploadCreateResponse | UploadDryRunResponse:
        """Create an upload.

        Creates an upload record. For a multipart upload the answer carries one presigned URL for each part; no other
        answer repeats them, so they must be kept until the parts are sent. For the other sources (`url`,
        `hugging_face_model_name`, `civitai_model_url`) the service fetches the file by itself.

        Args:
            asset_options: What to do with the asset that the upload makes. Only for kinds that make one (not `model`).
                Fields: `collection_ids`, `hide`, `parent_id`.
            civitai_model_url: The page of a Civitai model whose newest or named version is imported.
            content_type: The MIME type of the file. Needed for multipart.
            file_name: The name of the file. Needed for multipart.
            file_size: The size of the file in bytes. Needed for multipart. The documentation speaks of at most 5 TB;
                whether the service takes an empty file is not known.
            hugging_face_model_name: A model of the Hugging Face hub, as `owner/name`.
            kind: The kind of the file once validated (example: "model"). One of `"3d"`, `"asset"`, `"audio"`,
                `"avatar"`, `"image"`, `"model"`, `"video"`, `"text"`.
            parts: How many parts the file is sent in. Every part but the last has at least 5 MiB. Needed for multipart.
            url: A URL that the service fetches the file from. Needs `kind`.
            dry_run: Ask for the cost alone; the answer has the status 269 and nothing is created. One of `"true"`,
                `"api"`. True is the same as `"true"`.
            project_id: Used for ownership, to assert the owner or to set it. Default: the client's; `omit` for none.
            extra_headers: Headers to send besides the client's, or in place of them; `omit` for one not to send.
            extra_query: Query parameters to send besides the client's, or in place of them.
            extra_body: Fields of the body besides the arguments, or in place of them.
            timeout: Seconds for connecting, reading, writing, or an `httpx.Timeout`, instead of the client's.

        Returns:
            The new upload. Only this answer has `parts`. Fields: `upload`.
            With `dry_run`: What the upload would cost, the answer to `dry_run`; nothing was created. Fields:
            `creative_units_cost`, `creative_units_discount`, `cost_details`.

        Raises:
            InvalidArgumentError: When an argument cannot be used.
            APIError: When the call fails.
        """
        options = self._api.options.resolve_call(project_id, timeout, extra_headers, extra_query, extra_body)
        body = {
            "asset_options": asset_options,
            "civitai_model_url": civitai_model_url,
            "content_type": content_type,
            "file_name": file_name,
            "file_size": file_size,
            "hugging_face_model_name": hugging_face_model_name,
            "kind": kind,
            "parts": parts,
            "url": url,
        }
        operation = calls.create(options, body, dry_run=dry_run)
        return await self._run(operation)

    async def retrieve(
        self,
        upload_id: str,
        *,
        project_id: str | Omit | None = None,
        extra_headers: Headers | None = None,
        extra_query: Query | None = None,
        extra_body: object = None,
        timeout: float | httpx.Timeout | NotGiven | None = None,
    ) -> UploadRetrieveResponse:
        """Retrieve an upload.

        Get the details of an existing upload. The answer leaves out `parts`, `parts_count`, `file_size`, `content_type`
        and `original_file_name`, which only the create answer has.

        Args:
            upload_id: The `id` of the upload, as the create answer gave it.
            project_id: Used for ownership, to assert the owner or to set it. Default: the client's; `omit` for none.
            extra_headers: Headers to send besides the client's, or in place of them; `omit` for one not to send.
            extra_query: Query parameters to send besides the client's, or in place of them.
            extra_body: Ignored: the request has no body.
            timeout: Seconds for connecting, reading, writing, or an `httpx.Timeout`, instead of the client's.

        Returns:
            The upload as it is now. Fields: `upload`.

        Raises:
            InvalidArgumentError: When an argument cannot be used.
            NotFoundError: There is no such upload.
            APIError: When the call fails otherwise.
        """
        options = self._api.options.resolve_call(project_id, timeout, extra_headers, extra_query, extra_body)
        operation = calls.retrieve(options, upload_id)
        return await self._run(operation)

    async def trigger_action(
        self,
        upload_id: str,
        *,
        action: UploadAction | str,
        project_id: str | Omit | None = None,
        extra_headers: Headers | None = None,
        extra_query: Query | None = None,
        extra_body: object = None,
        timeout: float | httpx.Timeout | NotGiven | None = None,
    ) -> UploadTriggerActionResponse:
        """Trigger an action on an upload.

        Triggers an action on an existing upload. `complete` says that every part has been sent; the service then
        assembles, validates and imports the file.

        Args:
            upload_id: The `id` of the upload, as the create answer gave it.
            action: An action on an upload. `complete` says that every part has been sent. One of `"complete"`.
            project_id: Used for ownership, to assert the owner or to set it. Default: the client's; `omit` for none.
            extra_headers: Headers to send besides the client's, or in place of them; `omit` for one not to send.
            extra_query: Query parameters to send besides the client's, or in place of them.
            extra_body: Fields of the body besides the arguments, or in place of them.
            timeout: Seconds for connecting, reading, writing, or an `httpx.Timeout`, instead of the client's.

        Returns:
            The upload after the action was accepted. Fields: `upload`.

        Raises:
            InvalidArgumentError: When an argument cannot be used.
            NotFoundError: There is no such upload.
            APIError: When the call fails otherwise.
        """
        options = self._api.options.resolve_call(project_id, timeout, extra_headers, extra_query, extra_body)
        body = {"action": action}
        operation = calls.trigger_action(options, upload_id, body)
        return await self._run(operation)


class AsyncUploadsWithRawResponse:
    """The operations of `AsyncUploads`, returning raw responses."""

    def __init__(self, uploads: AsyncUploadsOperations) -> None:
        raw = uploads._with_mode(ResponseMode.RAW)  # noqa: SLF001 - of a base
        self.create = return_raw_async(raw.create)
        self.retrieve = return_raw_async(raw.retrieve)
        self.trigger_action = return_raw_async(raw.trigger_action)


class AsyncUploadsWithStreamingResponse:
    """The operations of `AsyncUploads`, for an `async with` block that streams the response."""

    def __init__(self, uploads: AsyncUploadsOperations) -> None:
        streamed = uploads._with_mode(ResponseMode.STREAM)  # noqa: SLF001 - of a base
        self.create = return_streamed_async(streamed.create)
        self.retrieve = return_streamed_async(streamed.retrieve)
        self.trigger_action = return_streamed_async(streamed.trigger_action)


class AsyncScenarioWithRawResponse:
    """A client whose calls return raw responses."""

    def __init__(self, uploads: AsyncUploadsOperations) -> None:
        self.uploads = uploads.with_raw_response


class AsyncScenarioWithStreamingResponse:
    """A client whose calls are for an `async with` block that streams the response."""

    def __init__(self, uploads: AsyncUploadsOperations) -> None:
        self.uploads = uploads.with_streaming_response


class AsyncScenarioOperations:
    """What a client has besides its operations: the same ones with other responses."""

    uploads: Any

    @property
    def with_raw_response(self) -> AsyncScenarioWithRawResponse:
        """The same client, returning raw responses: see `uploads.with_raw_response`."""
        return AsyncScenarioWithRawResponse(self.uploads)

    @property
    def with_streaming_response(self) -> AsyncScenarioWithStreamingResponse:
        """The same client, streaming responses: see `uploads.with_streaming_response`."""
        return AsyncScenarioWithStreamingResponse(self.uploads)
