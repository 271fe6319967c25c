# Generated from openapi.yaml by openapi-python-client 0.29.1.
# Do not edit: change openapi.yaml and run `make generate`.
"""Contains all the data models used in inputs/outputs"""

from .error import Error
from .error_details import ErrorDetails
from .upload import Upload
from .upload_action import UploadAction
from .upload_asset_options import UploadAssetOptions
from .upload_create_params import UploadCreateParams
from .upload_create_response import UploadCreateResponse
from .upload_dry_run import UploadDryRun
from .upload_dry_run_response import UploadDryRunResponse
from .upload_dry_run_response_cost_details import UploadDryRunResponseCostDetails
from .upload_kind import UploadKind
from .upload_part import UploadPart
from .upload_provider import UploadProvider
from .upload_retrieve_response import UploadRetrieveResponse
from .upload_source import UploadSource
from .upload_status import UploadStatus
from .upload_trigger_action_params import UploadTriggerActionParams
from .upload_trigger_action_response import UploadTriggerActionResponse

__all__ = (
    "Error",
    "ErrorDetails",
    "Upload",
    "UploadAction",
    "UploadAssetOptions",
    "UploadCreateParams",
    "UploadCreateResponse",
    "UploadDryRun",
    "UploadDryRunResponse",
    "UploadDryRunResponseCostDetails",
    "UploadKind",
    "UploadPart",
    "UploadProvider",
    "UploadRetrieveResponse",
    "UploadSource",
    "UploadStatus",
    "UploadTriggerActionParams",
    "UploadTriggerActionResponse",
)
