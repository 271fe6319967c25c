"""The operations of the API, and the calls that take more than one: `complete` and waiting for an import.

Calls are generators: they yield steps (`Send`, `Pause`, `Work`) and receive the results. A runner of `client` does the
waiting and sending, so each decision is written once for both clients.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from enum import Enum, auto
from functools import partial
from typing import Any

import httpx
from attrs import evolve
from scenario_uploads_client.api.uploads import create_upload, retrieve_upload, trigger_upload_action
from scenario_uploads_client.types import UNSET

from scenario_uploads import errors
from scenario_uploads.arguments import MAX_PARTS, CallOptions, check_seconds, is_given
from scenario_uploads.decoding.codec import build_body
from scenario_uploads.decoding.enums import is_known
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
from scenario_uploads.retry import Outcome, Repeat, RetryPolicy, Tries
from scenario_uploads.steps import Pause, Steps
from scenario_uploads.tls import find_certificate_error

from .exchange import RESPONSE_LIMIT, Api, Operation, Reply, ResponseMode, fetch
from .responses import is_away

logger = logging.getLogger("scenario_uploads")

# A response holds one upload, and for each part a presigned URL of one or two kilobytes.
RESPONSE_LIMIT_PER_PART = 4 * 1024
# The status of a dry run.
DRY_RUN_STATUS = 269
COMPLETE: Mapping[str, Any] = {"action": "complete"}
# Seconds between polls: small files are ready within a second, large ones take minutes.
FIRST_DELAY, GROWTH, LONGEST_DELAY = 0.25, 1.5, 5.0


# `_get_kwargs` is where the generated code builds a request without sending it.
def create_operation(
    arguments: Mapping[str, Any], options: CallOptions, dry_run: object = None
) -> Operation[UploadCreateResponse]:
    """Return the call that creates an upload from keyword arguments or, with `dry_run`, asks for the cost."""
    wanted = _check_dry_run(dry_run)
    params = build_body(UploadCreateParams, "create", arguments)
    request = create_upload._get_kwargs(  # noqa: SLF001
        body=params, project_id=options.project_id or UNSET, dry_run=wanted or UNSET
    )
    body = {**request["json"], **options.body}
    imports = any(body.get(name) for name in ("url", "huggingFaceModelName", "civitaiModelUrl"))
    parts = body.get("parts")
    return Operation(
        "create_upload",
        UploadCreateResponse,
        request,
        # A second pending upload does no harm; a second import does.
        Repeat.NEVER if imports and not wanted else Repeat.ONCE,
        options,
        _find_missing_cost if wanted else find_missing_upload,
        response_limit=RESPONSE_LIMIT
        + RESPONSE_LIMIT_PER_PART * (min(max(parts, 0), MAX_PARTS) if isinstance(parts, int) else 0),
        models={DRY_RUN_STATUS: UploadDryRunResponse},
    )


def retrieve_operation(upload_id: str, options: CallOptions) -> Operation[UploadRetrieveResponse]:
    """Return the call that reads an upload."""
    request = retrieve_upload._get_kwargs(  # noqa: SLF001
        check_upload_id(upload_id), project_id=options.project_id or UNSET
    )
    return Operation(
        "retrieve_upload", UploadRetrieveResponse, request, Repeat.SAFE, options, find_missing_upload, upload_id
    )


def action_operation(
    upload_id: str, options: CallOptions, arguments: Mapping[str, Any] = COMPLETE
) -> Operation[UploadTriggerActionResponse]:
    """Return the call that triggers an action. It is never retried here: a retrieve shows whether it worked."""
    params = build_body(UploadTriggerActionParams, "trigger_action", arguments)
    request = trigger_upload_action._get_kwargs(  # noqa: SLF001
        check_upload_id(upload_id), body=params, project_id=options.project_id or UNSET
    )
    return Operation(
        "trigger_upload_action",
        UploadTriggerActionResponse,
        request,
        Repeat.NEVER,
        options,
        find_missing_upload,
        upload_id,
    )


def _check_dry_run(dry_run: object) -> UploadDryRun | None:
    """Return the kind of dry run, or None when none is asked for."""
    if dry_run is None or not is_given(dry_run):
        return None
    wanted = "true" if dry_run is True else dry_run
    for choice in UploadDryRun:
        if isinstance(wanted, str) and choice == wanted:
            return choice
    known = " or ".join(repr(choice.value) for choice in UploadDryRun)
    raise errors.InvalidArgumentError(f"dry_run must be {known}, not {dry_run!r}.")


def check_upload_id(upload_id: object) -> str:
    """Return `upload_id` when it is valid as one path segment."""
    if upload_id and not isinstance(upload_id, str):
        raise errors.InvalidArgumentError(
            f"upload_id must be a string, not {snippet(repr(upload_id))}; give `upload.id`."
        )
    if not isinstance(upload_id, str) or not upload_id:
        raise errors.InvalidArgumentError(f"Expected a non-empty value for `upload_id` but received {upload_id!r}")
    if upload_id in (".", "..") or any(character in "/\\?#%" or not character.isprintable() for character in upload_id):
        raise errors.InvalidArgumentError(
            f"{upload_id!r} is not an upload id; use the `id` of the upload that create returned."
        )
    return upload_id


def find_missing_upload(value: object) -> str | None:
    """Return which required value a decoded response lacks, or None."""
    return None if isinstance(getattr(value, "upload", None), Upload) else "no upload"


def _find_missing_cost(value: object) -> str | None:
    upload = getattr(value, "upload", None)
    made = f"; it has created upload {snippet(str(upload.id), 100)}" if isinstance(upload, Upload) else ""
    return f"no cost, although dry_run asked for it{made}"


def _find_mix_up(upload_id: str, value: Any) -> str | None:
    """Return which other upload a response is for, due to a faulty cache or gateway, or None."""
    named = value.upload.id
    # An abridged response may leave out the id.
    return None if named in (None, upload_id) else f"the upload {snippet(str(named), 100)}, not {upload_id}"


# What the methods of `client` send, each named after its operation.
def create(
    api: Api, options: CallOptions, mode: ResponseMode, body: Mapping[str, Any], *, dry_run: object
) -> Steps[Reply[UploadCreateResponse]]:
    """Create an upload."""
    return fetch(api, create_operation(body, options, dry_run), mode=mode)


def retrieve(
    api: Api, options: CallOptions, mode: ResponseMode, upload_id: str
) -> Steps[Reply[UploadRetrieveResponse]]:
    """Read an upload."""
    return fetch(api, retrieve_operation(upload_id, options), mode=mode)


def trigger_action(
    api: Api, options: CallOptions, mode: ResponseMode, upload_id: str, body: Mapping[str, Any]
) -> Steps[Reply[UploadTriggerActionResponse]]:
    """Trigger an action; after a failed `complete`, a retrieve shows whether it worked."""
    operation = action_operation(upload_id, options, body)
    if operation.request["json"] != COMPLETE or "action" in options.body:
        return (yield from fetch(api, operation, mode=mode, retries=0))
    retries = api.options.max_retries
    return (yield from complete(api, upload_id, options, retries=retries, refusals=0, mode=mode))


def retrieve_once(
    api: Api, upload_id: str, options: CallOptions, *, retries: float | None = 0, patience: float | None = None
) -> Steps[Reply[UploadRetrieveResponse]]:
    """Read an upload, by default without retries, since callers poll. None takes the client's number."""
    operation, find_missing = retrieve_operation(upload_id, options), partial(_find_mix_up, upload_id)
    return (yield from fetch(api, operation, retries=retries, patience=patience, find_missing=find_missing))


def complete(
    api: Api,
    upload_id: str,
    options: CallOptions,
    *,
    retries: float,
    refusals: float,
    patience: float | None = None,
    mode: ResponseMode = ResponseMode.MODEL,
) -> Steps[Reply[UploadTriggerActionResponse]]:
    """Send `complete` until the upload is past `pending`, with at most `refusals` of the `retries` after a refusal.

    Without a response, or after a 400 or 409, the upload may be complete: a retrieve shows it, and its response
    replaces that of the action.
    """
    operation = action_operation(upload_id, options)
    strict, patient = api.options.strict_responses, patience is not None
    find_missing = partial(_find_mix_up, upload_id) if patient else lambda _: None
    tries = Tries(RetryPolicy(retries, clip=patient), Repeat.SAFE, api.draw, api.clock)
    while True:
        unsettled = None
        try:
            reply = yield from fetch(api, operation, mode=mode, retries=0, patience=patience, find_missing=find_missing)
        except errors.APIError as error:
            refused = isinstance(error, errors.APIStatusError) and error.status_code in (400, 409)
            if not refused and not _is_passing(error, strict=strict, patient=patient):
                raise
            failure = error
        else:
            return evolve(reply, retries_taken=tries.failed)
        try:
            settled = yield from retrieve_once(api, upload_id, options, patience=patience)
        except errors.APIError as error:
            if not _is_passing(error, strict=strict, patient=patient):
                raise failure if refused else error from failure
        else:
            upload = settled.value.upload
            if is_past_pending(upload.status):
                value = UploadTriggerActionResponse(upload=upload)
                unsettled = Reply(operation, settled.response, settled.strict, tries.failed, value)
                if is_past_pending(upload.status, known=True):
                    return unsettled
        enough = refused and tries.failed >= refusals
        delay = tries.fail(Outcome(status=503, retry_after=_asked_delay(failure)))
        if delay is None or enough:
            if unsettled is not None and patient:
                return unsettled
            raise failure
        yield Pause(delay)


def wait(
    api: Api,
    upload: object,
    timeout: float,
    options: CallOptions,
    *,
    patience: float = math.inf,
    completing: bool = False,
) -> Steps[Upload]:
    """Poll until an upload is imported or has failed. With `completing`, polls that say `pending` repeat `complete`."""
    held = upload if isinstance(upload, Upload) else getattr(upload, "upload", None)
    upload_id = check_upload_id(held.id if isinstance(held, Upload) else upload)
    deadline = api.clock() + check_seconds("timeout", timeout, zero=True)
    heard_at = api.clock()
    status, failure, poll, pending = None, None, 0, 0
    while True:
        within = evolve(options, timeout=_limit_timeout(api.options.timeout, deadline - api.clock()))
        try:
            now = (yield from retrieve_once(api, upload_id, within)).value.upload
        except errors.APIError as error:
            if not _is_passing(error, strict=api.options.strict_responses):
                raise
            failure = error
            if not isinstance(error, errors.APIConnectionError):
                heard_at = api.clock()
        else:
            status, failure, heard_at = now.status, None, api.clock()
            state = classify_status(now.status, now.entity_id)
            if state is UploadState.FAILED:
                raise failure_of(now, upload_id)
            if state is UploadState.DONE:
                return now
            pending += status == "pending"
            if completing and status == "pending" and is_complete_due(pending):
                logger.info("Upload %s is still pending; sending complete again.", upload_id)
                try:
                    # The next poll shows whether it worked.
                    yield from fetch(api, action_operation(upload_id, within), retries=0)
                except errors.APIError as error:
                    failure = error
        remaining = min(deadline, heard_at + patience) - api.clock()
        delay = next_poll(poll, remaining)
        if delay is None:
            seen = f"the status was {str(status)!r}" if status else "no status was received"
            bound = f"within {timeout:g} s" if api.clock() >= deadline else f"before {patience:g} s without a response"
            message = f"Upload {upload_id} was not imported {bound}; {seen}. It may still be: wait again."
            raise errors.UploadTimeoutError(message, status=status, upload_id=upload_id) from failure
        yield Pause(min(remaining, max(delay, min(_asked_delay(failure), RetryPolicy().retry_after_cap))))
        poll += 1


class UploadState(Enum):
    """What a status means to a caller who waits."""

    DONE = auto()
    FAILED = auto()
    OPEN = auto()


def classify_status(status: object, entity_id: object) -> UploadState:
    """Return the state for a status and entity id; `complete` and unknown statuses mean in progress."""
    if status == "failed":
        return UploadState.FAILED
    return UploadState.DONE if status == "imported" or (isinstance(entity_id, str) and entity_id) else UploadState.OPEN


def is_past_pending(status: Any, *, known: bool = False) -> bool:
    """Return whether the upload has been completed; with `known`, an unknown status does not count."""
    return (not known or is_known(status)) and isinstance(status, str) and status != "pending"


def is_complete_due(pending: int) -> bool:
    """Return whether to repeat `complete` after 2, 4, 8 or 16 `pending` polls; the first may be stale."""
    return pending > 1 and pending & (pending - 1) == 0


def next_poll(poll: int, remaining: float) -> float | None:
    """Return the seconds before the next poll, or None at the deadline; the last poll is at the deadline."""
    return min(LONGEST_DELAY, FIRST_DELAY * GROWTH ** min(poll, 30), remaining) if remaining > 0 else None


def failure_of(upload: Upload, upload_id: str) -> errors.UploadFailedError:
    """Return the error for an upload that the service could not import."""
    reason = snippet(str(upload.error_message), 500) if upload.error_message else None
    message = f"Upload {upload_id} failed: {reason or 'no reason given'}"
    return errors.UploadFailedError(message, reason=reason, upload=upload, upload_id=upload_id)


def _is_passing(error: errors.APIError, *, strict: bool, patient: bool = False) -> bool:
    """Return whether the error may be temporary for any request."""
    if isinstance(error, errors.APIConnectionError):
        return find_certificate_error(error) is None and not (patient and is_away(error.__cause__))
    if isinstance(error, errors.APIStatusError):
        return error.status_code in (408, 429) or error.status_code >= 500
    return isinstance(error, errors.APIResponseValidationError) and not strict


def _asked_delay(error: errors.APIError | None) -> float:
    return (error.retry_after or 0.0) if isinstance(error, errors.APIStatusError) else 0.0


def _limit_timeout(timeout: httpx.Timeout, remaining: float) -> httpx.Timeout:
    # Each poll ends near the deadline; even the last one gets a second.
    bound = max(1.0, remaining)
    return httpx.Timeout(**{key: min(value or bound, bound) for key, value in timeout.as_dict().items()})
