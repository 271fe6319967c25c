# Generated from openapi.yaml by make generate. Do not edit.
"""The keyword arguments of `client.uploads.create`."""

from __future__ import annotations

from typing import TypedDict

__all__ = ["AssetOptions", "UploadCreateParams"]


class AssetOptions(TypedDict, total=False):
    """The fields of `asset_options`."""

    collection_ids: list[str]
    hide: bool
    parent_id: str


class UploadCreateParams(TypedDict, total=False):
    """The keyword arguments of `client.uploads.create`; see there.

    Without `dry_run`, with which the answer is of another type: give it beside these.
    """

    asset_options: AssetOptions
    civitai_model_url: str
    content_type: str
    file_name: str
    file_size: int
    hugging_face_model_name: str
    kind: str
    parts: int
    url: str
    project_id: str
