# Generated from openapi.yaml by make generate. Do not edit.
"""The types of arguments and answers, where users of scenario-sdk look for them.

Answers are the models of the contract, the same as in `scenario_uploads`. What is called `...Params` here are the types
of keyword arguments, as in `client.uploads.create(**params)`, while `scenario_uploads.UploadCreateParams` is the
contract's own model.
"""

from .upload_create_params import UploadCreateParams as UploadCreateParams
from .upload_create_response import UploadCreateResponse as UploadCreateResponse
from .upload_retrieve_params import UploadRetrieveParams as UploadRetrieveParams
from .upload_retrieve_response import UploadRetrieveResponse as UploadRetrieveResponse
from .upload_trigger_action_params import UploadTriggerActionParams as UploadTriggerActionParams
from .upload_trigger_action_response import UploadTriggerActionResponse as UploadTriggerActionResponse
