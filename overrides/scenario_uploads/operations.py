"""The operations of the API, each as the generated client builds its request, and what sending it twice would do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from attrs import field, frozen
from scenario_uploads_client.api.uploads import create_upload, retrieve_upload, trigger_upload_action
from scenario_uploads_client.types import UNSET

from .answers import Answer, decode_body
from .models import (
    UploadCreateParams,
    UploadCreateResponse,
    UploadDryRun,
    UploadDryRunResponse,
    UploadRetrieveResponse,
    UploadTriggerActionParams,
    UploadTriggerActionResponse,
)
from .options import NOTHING_ADDED, CallOptions
from .plan import MAX_PARTS
from .retry import Repeat

T = TypeVar("T")

# An answer holds one upload, and each of its parts a presigned URL of one or two kilobytes.
ANSWER_LIMIT = 1024 * 1024
ANSWER_LIMIT_PER_PART = 4 * 1024
# What the service answers when it is asked for the cost alone.
DRY_RUN_STATUS = 269


@frozen
class Operation(Generic[T]):
    """A call to the API, as the generated client builds it.

    Attributes:
        name: The contract's operationId.
        model: What a 2xx answer is decoded to.
        request: Method, path, body and headers from the generated client, with what the caller adds.
        repeat: What sending it twice would do.
        answer_limit: How many bytes the answer may have, unpacked.
        models: What answers of some other statuses are decoded to.
        upload_id: The upload that it is about, or None when it makes one.
    """

    name: str
    model: type[T]
    request: Mapping[str, Any] = field(repr=False)
    repeat: Repeat
    answer_limit: int = ANSWER_LIMIT
    models: Mapping[int, type[Any]] = field(factory=dict)
    upload_id: str | None = None

    def decode(self, answer: Answer, *, strict: bool) -> T:
        """Decode the answer to this call.

        Raises:
            APIResponseValidationError: When it is no JSON object, or `strict` and it differs from the contract.
        """
        model: type[T] = self.models.get(answer.status, self.model)
        return decode_body(model, answer, self.name, strict=strict)


# The generated `_get_kwargs` are the generator's own seam between building a request and sending it.
def create_operation(
    params: UploadCreateParams,
    added: CallOptions = NOTHING_ADDED,
    *,
    project_id: str | None = None,
    dry_run: UploadDryRun | None = None,
) -> Operation[UploadCreateResponse]:
    """Return the call that creates an upload, or asks what that would cost."""
    own = create_upload._get_kwargs(body=params, project_id=project_id or UNSET, dry_run=dry_run or UNSET)  # noqa: SLF001
    request = added.add_to(own)
    body = request["json"]
    imports = any(body.get(name) for name in ("url", "huggingFaceModelName", "civitaiModelUrl"))
    parts = body.get("parts")
    return Operation(
        "create_upload",
        UploadCreateResponse,
        request,
        # A pending upload without parts is inert; an import that runs twice is not.
        Repeat.NEVER if imports and not dry_run else Repeat.ONCE,
        ANSWER_LIMIT + ANSWER_LIMIT_PER_PART * (min(parts, MAX_PARTS) if isinstance(parts, int) else 0),
        {DRY_RUN_STATUS: UploadDryRunResponse},
    )


def retrieve_operation(
    upload_id: str, added: CallOptions = NOTHING_ADDED, *, project_id: str | None = None
) -> Operation[UploadRetrieveResponse]:
    """Return the call that reads an upload."""
    request = added.add_to(retrieve_upload._get_kwargs(upload_id, project_id=project_id or UNSET))  # noqa: SLF001
    return Operation("retrieve_upload", UploadRetrieveResponse, request, Repeat.SAFE, upload_id=upload_id)


def action_operation(
    upload_id: str,
    params: UploadTriggerActionParams,
    added: CallOptions = NOTHING_ADDED,
    *,
    project_id: str | None = None,
) -> Operation[UploadTriggerActionResponse]:
    """Return the call that triggers an action. It is not repeated here: a retrieve settles what became of it."""
    own = trigger_upload_action._get_kwargs(upload_id, body=params, project_id=project_id or UNSET)  # noqa: SLF001
    request = added.add_to(own)
    return Operation("trigger_upload_action", UploadTriggerActionResponse, request, Repeat.NEVER, upload_id=upload_id)
