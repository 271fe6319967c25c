"""The operations of the API: the request from the generated client, and whether a second one does harm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import httpx
from attrs import field, frozen
from scenario_uploads_client.api.uploads import create_upload, retrieve_upload, trigger_upload_action
from scenario_uploads_client.types import UNSET

from scenario_uploads.decoding.codec import build_arguments
from scenario_uploads.errors import InvalidArgumentError
from scenario_uploads.limits import MAX_PARTS
from scenario_uploads.models import (
    Upload,
    UploadCreateParams,
    UploadCreateResponse,
    UploadDryRun,
    UploadDryRunResponse,
    UploadRetrieveResponse,
    UploadTriggerActionParams,
    UploadTriggerActionResponse,
)
from scenario_uploads.redaction import snippet
from scenario_uploads.retry import Repeat
from scenario_uploads.sentinels import is_given
from scenario_uploads.settings.request import CallOptions

from .responses import decode_body, invalid_response

T = TypeVar("T")

# A response holds one upload, and for each part a presigned URL of one or two kilobytes.
RESPONSE_LIMIT = 1024 * 1024
RESPONSE_LIMIT_PER_PART = 4 * 1024
# The status of a dry run.
DRY_RUN_STATUS = 269


def find_missing_upload(value: object) -> str | None:
    """Return what a decoded response lacks that every caller needs, or None."""
    return None if isinstance(getattr(value, "upload", None), Upload) else "no upload"


def _find_missing_cost(value: object) -> str | None:
    upload = getattr(value, "upload", None)
    made = f"; it has created upload {snippet(str(upload.id), 100)}" if isinstance(upload, Upload) else ""
    return f"no cost, though dry_run asked for that alone{made}"


@frozen
class Operation(Generic[T]):
    """A call to the API.

    Attributes:
        name: The operationId.
        model: The model of a 2xx response.
        request: Method, path, body and headers from the generated client, with what the caller adds.
        repeat: What happens when it is sent twice.
        response_limit: Largest body of the response, in bytes, unpacked.
        models: The models of other statuses.
        upload_id: The upload that it is about, or None for a create.
        timeout: The timeouts; None for the client's.
        find_missing: Returns why a decoded response cannot be used, or None.
    """

    name: str
    model: type[T]
    request: Mapping[str, Any] = field(repr=False)
    repeat: Repeat
    response_limit: int = RESPONSE_LIMIT
    models: Mapping[int, type[Any]] = field(factory=dict)
    upload_id: str | None = None
    timeout: httpx.Timeout | None = None
    find_missing: Callable[[object], str | None] = find_missing_upload

    def decode(self, response: httpx.Response, *, strict: bool) -> T:
        """Decode the response to this call."""
        model: type[T] = self.models.get(response.status_code, self.model)
        value = decode_body(model, response, self.name, strict=strict)
        if model is self.model and (missing := self.find_missing(value)):
            raise invalid_response(response, self.name, missing)
        return value


# `_get_kwargs` is where the generated code builds a request without sending it.
def create_operation(
    params: UploadCreateParams, options: CallOptions, *, dry_run: UploadDryRun | None = None
) -> Operation[UploadCreateResponse]:
    """Return the call that creates an upload or, with `dry_run`, asks for the cost."""
    request = options.add_to(
        create_upload._get_kwargs(  # noqa: SLF001
            body=params, project_id=options.project_id or UNSET, dry_run=dry_run or UNSET
        )
    )
    body = request["json"]
    imports = any(body.get(name) for name in ("url", "huggingFaceModelName", "civitaiModelUrl"))
    parts = body.get("parts")
    return Operation(
        "create_upload",
        UploadCreateResponse,
        request,
        # A second pending upload does no harm; a second import does.
        Repeat.NEVER if imports and not dry_run else Repeat.ONCE,
        RESPONSE_LIMIT + RESPONSE_LIMIT_PER_PART * (min(max(parts, 0), MAX_PARTS) if isinstance(parts, int) else 0),
        {DRY_RUN_STATUS: UploadDryRunResponse},
        timeout=options.timeout,
        find_missing=_find_missing_cost if dry_run else find_missing_upload,
    )


def retrieve_operation(upload_id: str, options: CallOptions) -> Operation[UploadRetrieveResponse]:
    """Return the call that reads an upload."""
    own = retrieve_upload._get_kwargs(upload_id, project_id=options.project_id or UNSET)  # noqa: SLF001
    return Operation(
        "retrieve_upload",
        UploadRetrieveResponse,
        options.add_to(own),
        Repeat.SAFE,
        upload_id=upload_id,
        timeout=options.timeout,
    )


def action_operation(
    upload_id: str, params: UploadTriggerActionParams, options: CallOptions
) -> Operation[UploadTriggerActionResponse]:
    """Return the call that triggers an action. It is never retried here: a retrieve shows whether it worked."""
    own = trigger_upload_action._get_kwargs(  # noqa: SLF001
        upload_id, body=params, project_id=options.project_id or UNSET
    )
    return Operation(
        "trigger_upload_action",
        UploadTriggerActionResponse,
        options.add_to(own),
        Repeat.NEVER,
        upload_id=upload_id,
        timeout=options.timeout,
    )


def build_body(model: type[T], operation: str, arguments: Mapping[str, Any]) -> T:
    """Return the body of an operation from a caller's keyword arguments; an error lists every problem."""
    problems: list[str] = []
    given = {name: value for name, value in arguments.items() if is_given(value)}
    params = build_arguments(model, given, lambda name, problem: problems.append(f"{name} {problem}"))
    if problems:
        raise InvalidArgumentError(f"{operation}: {'; '.join(problems)}.")
    return params


def check_dry_run(dry_run: object) -> UploadDryRun | None:
    """Return the kind of dry run, or None when none is asked for."""
    if dry_run is None or not is_given(dry_run):
        return None
    if dry_run is True:
        return UploadDryRun.TRUE
    for choice in UploadDryRun:
        if isinstance(dry_run, str) and choice == dry_run:
            return choice
    known = " or ".join(repr(choice.value) for choice in UploadDryRun)
    raise InvalidArgumentError(f"dry_run must be {known}, not {dry_run!r}.")


def find_id(upload: object) -> object:
    """Return the id in what a caller waits for: an id, an upload, or a response that holds one."""
    holder = upload if isinstance(upload, Upload) else getattr(upload, "upload", None)
    return holder.id if isinstance(holder, Upload) else upload


def check_upload_id(upload_id: object) -> str:
    """Return `upload_id` when it can stand in a path as one segment."""
    if upload_id and not isinstance(upload_id, str):
        raise InvalidArgumentError(f"upload_id must be a string, not {snippet(repr(upload_id))}; give `upload.id`.")
    if not isinstance(upload_id, str) or not upload_id:
        raise InvalidArgumentError(f"Expected a non-empty value for `upload_id` but received {upload_id!r}")
    if upload_id in (".", "..") or any(character in "/\\?#%" or not character.isprintable() for character in upload_id):
        raise InvalidArgumentError(f"{upload_id!r} is no upload id; use the `id` of the upload that create returned.")
    return upload_id
