# Generated from openapi.yaml by make generate. Do not edit.
"""The answer to `client.uploads.retrieve`, and what is in it."""

from scenario_uploads.models import Upload, UploadAssetOptions, UploadPart, UploadRetrieveResponse

__all__ = ["Upload", "UploadAssetOptions", "UploadPart", "UploadRetrieveResponse"]
