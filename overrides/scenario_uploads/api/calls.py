"""The methods of `client.uploads`, as generators of steps.

Each function yields what is to be done (`Send`, `Pause`, `Work`) and receives the result. A runner of `client` does the
waiting and sending, so each decision is written once for both clients.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx
from attrs import evolve

from scenario_uploads.decoding.enums import is_known
from scenario_uploads.errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    ScenarioError,
    UploadFailedError,
    UploadTimeoutError,
)
from scenario_uploads.models import (
    Upload,
    UploadAction,
    UploadCreateParams,
    UploadCreateResponse,
    UploadRetrieveResponse,
    UploadTriggerActionParams,
    UploadTriggerActionResponse,
)
from scenario_uploads.redaction import snippet
from scenario_uploads.retry import Outcome, Repeat, RetryPolicy, next_delay
from scenario_uploads.settings.defaults import check_seconds
from scenario_uploads.settings.request import CallOptions
from scenario_uploads.tls import find_certificate_error

from .exchange import Api, Calling, Pause, Reply, ResponseMode, fetch
from .faults import is_away
from .operations import (
    action_operation,
    build_body,
    check_dry_run,
    check_upload_id,
    create_operation,
    find_id,
    retrieve_operation,
)
from .polling import UploadState, classify_status, is_complete_due, is_past_pending, next_poll

T = TypeVar("T")

logger = logging.getLogger("scenario_uploads")


def create(
    api: Api,
    arguments: Mapping[str, Any],
    options: CallOptions,
    mode: ResponseMode = ResponseMode.MODEL,
    *,
    dry_run: object = None,
) -> Calling[Reply[UploadCreateResponse]]:
    """Create an upload from a caller's keyword arguments, or ask what it would cost."""
    wanted = check_dry_run(dry_run)
    operation = create_operation(build_body(UploadCreateParams, "create", arguments), options, dry_run=wanted)
    return (yield from fetch(api, operation, mode=mode))


def retrieve(
    api: Api, upload_id: str, options: CallOptions, mode: ResponseMode = ResponseMode.MODEL
) -> Calling[Reply[UploadRetrieveResponse]]:
    """Read an upload."""
    operation = retrieve_operation(check_upload_id(upload_id), options)
    with name_upload(upload_id):
        return (yield from fetch(api, operation, mode=mode))


def trigger_action(
    api: Api, upload_id: str, action: str, options: CallOptions, mode: ResponseMode = ResponseMode.MODEL
) -> Calling[Reply[UploadTriggerActionResponse]]:
    """Trigger an action; a `complete` that fails is settled by a retrieve."""
    check_upload_id(upload_id)
    params = build_body(UploadTriggerActionParams, "trigger_action", {"action": action})
    with name_upload(upload_id):
        if params.action != UploadAction.COMPLETE or "action" in options.body:
            return (yield from fetch(api, action_operation(upload_id, params, options), mode=mode, retries=0))
        retries = api.options.max_retries
        return (yield from complete(api, upload_id, options, retries=retries, refusals=0, mode=mode))


def wait(
    api: Api,
    upload: object,
    timeout: float,
    options: CallOptions,
    *,
    patience: float = math.inf,
    completing: bool = False,
) -> Calling[Upload]:
    """Poll until an upload is imported or has failed. With `completing`, polls that say `pending` repeat `complete`."""
    upload_id = check_upload_id(find_id(upload))
    deadline = api.clock() + check_seconds("timeout", timeout, zero=True)
    heard_at = api.clock()
    status, failure, poll, pending = None, None, 0, 0
    while True:
        remaining = deadline - api.clock()
        try:
            with name_upload(upload_id):
                within = evolve(options, timeout=_within(api.options.timeout, remaining))
                now = yield from retrieve_once(api, upload_id, within)
        except APIError as error:
            if not _is_passing(error, strict=api.options.strict_responses):
                raise
            failure = error
            if not isinstance(error, APIConnectionError):
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
                failure = yield from _complete_again(api, upload_id, within)
        remaining = min(deadline, heard_at + patience) - api.clock()
        delay = next_poll(poll, remaining)
        if delay is None:
            seen = f"the status was {str(status)!r}" if status else "no status was received"
            bound = f"within {timeout:g} s" if api.clock() >= deadline else f"before {patience:g} s without a response"
            message = f"Upload {upload_id} was not imported {bound}; {seen}. It may still be: wait again."
            raise UploadTimeoutError(message, status=status, upload_id=upload_id) from failure
        yield Pause(min(remaining, max(delay, min(_asked_delay(failure), RetryPolicy().retry_after_cap))))
        poll += 1


def complete(
    api: Api,
    upload_id: str,
    options: CallOptions,
    *,
    retries: float,
    refusals: float,
    patience: float | None = None,
    find_missing: Callable[[UploadTriggerActionResponse], str | None] | None = None,
    mode: ResponseMode = ResponseMode.MODEL,
) -> Calling[Reply[UploadTriggerActionResponse]]:
    """Send `complete` until the upload is past `pending`.

    Without a response, or after a 400 or 409, the service may have done it: a retrieve settles that, and its response
    stands in for that of the action. Of the `retries`, at most `refusals` follow a refusal.
    """
    operation = action_operation(upload_id, UploadTriggerActionParams(action=UploadAction.COMPLETE), options)
    strict, patient = api.options.strict_responses, patience is not None
    policy, retry = RetryPolicy(retries, clip=patient), 0
    while True:
        unsettled = None
        try:
            reply = yield from fetch(api, operation, mode=mode, retries=0, patience=patience, find_missing=find_missing)
        except APIError as error:
            refused = isinstance(error, APIStatusError) and error.status_code in (400, 409)
            if not refused and not _is_passing(error, strict=strict, patient=patient):
                raise
            failure = error
        else:
            return evolve(reply, retries_taken=retry)
        try:
            settled = yield from fetch(
                api,
                retrieve_operation(upload_id, options),
                retries=0,
                patience=patience,
                find_missing=find_mix_up(upload_id),
            )
        except APIError as error:
            if not _is_passing(error, strict=strict, patient=patient):
                raise failure if refused else error from failure
        else:
            upload = settled.value.upload
            if is_past_pending(upload.status):
                value = UploadTriggerActionResponse(upload=upload)
                unsettled = Reply(operation, settled.response, settled.strict, retry, value)
                if is_known(upload.status):
                    return unsettled
        outcome = Outcome(status=503, retry_after=_asked_delay(failure))
        delay = next_delay(policy, retry, outcome, repeat=Repeat.SAFE, draw=api.draw)
        if delay is None or (refused and retry >= refusals):
            if unsettled is not None and patient:
                return unsettled
            raise failure
        yield Pause(delay)
        retry += 1


def _complete_again(api: Api, upload_id: str, options: CallOptions) -> Calling[APIError | None]:
    """Send `complete` once more and return its error, if any; the next poll shows whether it worked."""
    operation = action_operation(upload_id, UploadTriggerActionParams(action=UploadAction.COMPLETE), options)
    logger.info("Upload %s is pending still; complete is sent again.", upload_id)
    try:
        yield from fetch(api, operation, retries=0)
    except APIError as error:
        return error
    return None


def retrieve_once(
    api: Api, upload_id: str, options: CallOptions, *, retries: int | None = 0, patience: float | None = None
) -> Calling[Upload]:
    """Read an upload, without retries unless told otherwise: callers poll. None takes the client's number."""
    operation = retrieve_operation(upload_id, options)
    find_missing = find_mix_up(upload_id)
    reply = yield from fetch(api, operation, retries=retries, patience=patience, find_missing=find_missing)
    return reply.value.upload


def find_mix_up(upload_id: str) -> Callable[[Any], str | None]:
    """Return a check that a response is about this upload, not one from a confused cache or gateway."""

    def find(value: Any) -> str | None:
        named = value.upload.id
        # An abridged response may leave out the id.
        return None if named in (None, upload_id) else f"the upload {snippet(str(named), 100)}, not {upload_id}"

    return find


@contextmanager
def name_upload(upload_id: str | None) -> Iterator[None]:
    """Set `upload_id` on every error of ours raised in the block."""
    try:
        yield
    except ScenarioError as error:
        error.upload_id = error.upload_id or upload_id
        raise


def failure_of(upload: Upload, upload_id: str) -> UploadFailedError:
    """Return the error for an upload that the service could not import."""
    reason = snippet(str(upload.error_message), 500) if upload.error_message else None
    message = f"Upload {upload_id} failed: {reason or 'no reason given'}"
    return UploadFailedError(message, reason=reason, upload=upload, upload_id=upload_id)


def _is_passing(error: APIError, *, strict: bool, patient: bool = False) -> bool:
    """Return whether the error may be gone at the next attempt, whatever the request."""
    if isinstance(error, APIConnectionError):
        return find_certificate_error(error) is None and not (patient and is_away(error.__cause__))
    if isinstance(error, APIStatusError):
        return error.status_code in (408, 429) or error.status_code >= 500
    return isinstance(error, APIResponseValidationError) and not strict


def _asked_delay(error: APIError | None) -> float:
    return (error.retry_after or 0.0) if isinstance(error, APIStatusError) else 0.0


def _within(timeout: httpx.Timeout, remaining: float) -> httpx.Timeout:
    # Each poll ends near the deadline; even the last one gets a second.
    bound = max(1.0, remaining)
    return httpx.Timeout(**{key: min(value or bound, bound) for key, value in timeout.as_dict().items()})
