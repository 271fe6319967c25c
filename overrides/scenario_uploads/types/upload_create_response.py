# Generated from openapi.yaml by make generate. Do not edit.
"""The answer to `client.uploads.create`, and what is in it."""

from scenario_uploads.models import Upload, UploadAssetOptions, UploadCreateResponse, UploadPart

__all__ = ["Upload", "UploadAssetOptions", "UploadCreateResponse", "UploadPart"]
