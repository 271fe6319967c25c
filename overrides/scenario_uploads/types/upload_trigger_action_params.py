# Generated from openapi.yaml by make generate. Do not edit.
"""The keyword arguments of `client.uploads.trigger_action`, besides the id."""

from __future__ import annotations

from typing import Required, TypedDict

__all__ = ["UploadTriggerActionParams"]


class UploadTriggerActionParams(TypedDict, total=False):
    """The keyword arguments of `client.uploads.trigger_action`, besides the id; see there."""

    action: Required[str]
    project_id: str
