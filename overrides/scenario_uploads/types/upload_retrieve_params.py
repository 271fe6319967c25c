# Generated from openapi.yaml by make generate. Do not edit.
"""The keyword arguments of `client.uploads.retrieve`, besides the id."""

from __future__ import annotations

from typing import TypedDict

__all__ = ["UploadRetrieveParams"]


class UploadRetrieveParams(TypedDict, total=False):
    """The keyword arguments of `client.uploads.retrieve`, besides the id; see there."""

    project_id: str
