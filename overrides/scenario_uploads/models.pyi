# Generated from openapi.yaml by openapi-python-client 0.29.1.
# Do not edit: change openapi.yaml and run `make generate`.
# ruff: noqa: N815 - the names are those of the contract
from typing import Any

from scenario_uploads_client import models as _generated
from scenario_uploads_client.models import UploadAction as UploadAction
from scenario_uploads_client.models import UploadDryRun as UploadDryRun
from scenario_uploads_client.models import UploadKind as UploadKind
from scenario_uploads_client.models import UploadProvider as UploadProvider
from scenario_uploads_client.models import UploadSource as UploadSource
from scenario_uploads_client.models import UploadStatus as UploadStatus
from scenario_uploads_client.types import Unset

from .decoding.methods import ModelMethods

class Error(ModelMethods, _generated.Error):
    reason: str | None  # pyright: ignore[reportIncompatibleVariableOverride]
    message: str | None  # pyright: ignore[reportIncompatibleVariableOverride]
    error: Any | None  # pyright: ignore[reportIncompatibleVariableOverride]
    detail: Any | None  # pyright: ignore[reportIncompatibleVariableOverride]
    traceId: str | None  # pyright: ignore[reportIncompatibleVariableOverride]
    trace_id: str | None  # pyright: ignore[reportIncompatibleVariableOverride]
    remaining_seconds: float | None  # pyright: ignore[reportIncompatibleVariableOverride]
    details: ErrorDetails | None  # pyright: ignore[reportIncompatibleVariableOverride]

class ErrorDetails(ModelMethods, _generated.ErrorDetails):
    action_name: str | None  # pyright: ignore[reportIncompatibleVariableOverride]
    action_limit: float | None  # pyright: ignore[reportIncompatibleVariableOverride]

class Upload(ModelMethods, _generated.Upload):
    asset_options: UploadAssetOptions | None  # pyright: ignore[reportIncompatibleVariableOverride]
    config: Any | None  # pyright: ignore[reportIncompatibleVariableOverride]
    content_type: str | None  # pyright: ignore[reportIncompatibleVariableOverride]
    entity_id: str | None  # pyright: ignore[reportIncompatibleVariableOverride]
    error_message: str | None  # pyright: ignore[reportIncompatibleVariableOverride]
    file_size: int | None  # pyright: ignore[reportIncompatibleVariableOverride]
    job_id: str | None  # pyright: ignore[reportIncompatibleVariableOverride]
    original_file_name: str | None  # pyright: ignore[reportIncompatibleVariableOverride]
    parts: list[UploadPart] | None  # type: ignore[assignment]
    parts_count: int | None  # pyright: ignore[reportIncompatibleVariableOverride]
    provider: UploadProvider | None  # pyright: ignore[reportIncompatibleVariableOverride]
    url: str | None  # pyright: ignore[reportIncompatibleVariableOverride]

class UploadAssetOptions(ModelMethods, _generated.UploadAssetOptions):
    collection_ids: list[str] | None  # pyright: ignore[reportIncompatibleVariableOverride]
    hide: bool | None  # pyright: ignore[reportIncompatibleVariableOverride]
    parent_id: str | None  # pyright: ignore[reportIncompatibleVariableOverride]

class UploadCreateParams(ModelMethods, _generated.UploadCreateParams):
    asset_options: UploadAssetOptions | Unset  # pyright: ignore[reportIncompatibleVariableOverride]

class UploadCreateResponse(ModelMethods, _generated.UploadCreateResponse):
    upload: Upload  # pyright: ignore[reportIncompatibleVariableOverride]

class UploadDryRunResponse(ModelMethods, _generated.UploadDryRunResponse):
    creative_units_discount: float | None  # pyright: ignore[reportIncompatibleVariableOverride]
    cost_details: UploadDryRunResponseCostDetails | None  # pyright: ignore[reportIncompatibleVariableOverride]

class UploadDryRunResponseCostDetails(ModelMethods, _generated.UploadDryRunResponseCostDetails): ...
class UploadPart(ModelMethods, _generated.UploadPart): ...

class UploadRetrieveResponse(ModelMethods, _generated.UploadRetrieveResponse):
    upload: Upload  # pyright: ignore[reportIncompatibleVariableOverride]

class UploadTriggerActionParams(ModelMethods, _generated.UploadTriggerActionParams): ...

class UploadTriggerActionResponse(ModelMethods, _generated.UploadTriggerActionResponse):
    upload: Upload  # pyright: ignore[reportIncompatibleVariableOverride]
