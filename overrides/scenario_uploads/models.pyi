# Generated from openapi.yaml by openapi-python-client 0.29.1.
# Do not edit: change openapi.yaml and run `make generate`.
from scenario_uploads_client import models as _generated
from scenario_uploads_client.models import UploadAction as UploadAction
from scenario_uploads_client.models import UploadDryRun as UploadDryRun
from scenario_uploads_client.models import UploadKind as UploadKind
from scenario_uploads_client.models import UploadProvider as UploadProvider
from scenario_uploads_client.models import UploadSource as UploadSource
from scenario_uploads_client.models import UploadStatus as UploadStatus
from scenario_uploads_client.types import Unset

from .methods import ModelMethods

class Error(ModelMethods, _generated.Error): ...

class Upload(ModelMethods, _generated.Upload):
    asset_options: Unset | UploadAssetOptions | None  # pyright: ignore[reportIncompatibleVariableOverride]
    parts: list[UploadPart] | Unset | None  # type: ignore[assignment]

class UploadAssetOptions(ModelMethods, _generated.UploadAssetOptions): ...

class UploadCreateParams(ModelMethods, _generated.UploadCreateParams):
    asset_options: UploadAssetOptions | Unset  # pyright: ignore[reportIncompatibleVariableOverride]

class UploadCreateResponse(ModelMethods, _generated.UploadCreateResponse):
    upload: Upload  # pyright: ignore[reportIncompatibleVariableOverride]

class UploadDryRunResponse(ModelMethods, _generated.UploadDryRunResponse):
    cost_details: UploadDryRunResponseCostDetails  # pyright: ignore[reportIncompatibleVariableOverride]

class UploadDryRunResponseCostDetails(ModelMethods, _generated.UploadDryRunResponseCostDetails): ...
class UploadPart(ModelMethods, _generated.UploadPart): ...

class UploadRetrieveResponse(ModelMethods, _generated.UploadRetrieveResponse):
    upload: Upload  # pyright: ignore[reportIncompatibleVariableOverride]

class UploadTriggerActionParams(ModelMethods, _generated.UploadTriggerActionParams): ...

class UploadTriggerActionResponse(ModelMethods, _generated.UploadTriggerActionResponse):
    upload: Upload  # pyright: ignore[reportIncompatibleVariableOverride]
