# Generated from openapi.yaml by make generate. Do not edit.
"""The answer to `client.uploads.trigger_action`, and what is in it."""

from scenario_uploads.models import Upload, UploadAssetOptions, UploadPart, UploadTriggerActionResponse

__all__ = ["Upload", "UploadAssetOptions", "UploadPart", "UploadTriggerActionResponse"]
