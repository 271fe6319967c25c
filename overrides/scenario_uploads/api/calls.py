"""What the methods of `client.uploads` do, step by step, without doing it.

Each function here is a generator: it yields what is to be done (`Send`, `Pause`, `Transfer`) and is told what came of
it. `Runner` carries the steps out in the calling thread, `AsyncRunner` awaits them; decisions are made here, once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx
from attrs import evolve

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
    UploadCreateResponse,
    UploadRetrieveResponse,
    UploadTriggerActionParams,
    UploadTriggerActionResponse,
)
from scenario_uploads.redaction import snippet
from scenario_uploads.retry import RetryPolicy, backoff
from scenario_uploads.settings.defaults import check_seconds
from scenario_uploads.settings.request import CallOptions
from scenario_uploads.tls import find_certificate_error

from .exchange import Api, Calling, Pause, Reply, ResponseMode, fetch
from .operations import (
    action_operation,
    build_body,
    build_create,
    check_dry_run,
    check_upload_id,
    create_operation,
    find_id,
    retrieve_operation,
)
from .polling import UploadState, classify_status, is_past_pending, next_poll

T = TypeVar("T")


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
    operation = create_operation(build_create(arguments), options, dry_run=wanted)
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


def wait(api: Api, upload: object, timeout: float, options: CallOptions) -> Calling[Upload]:
    """Poll until an upload is imported or has failed."""
    upload_id = check_upload_id(find_id(upload))
    deadline = api.clock() + check_seconds("timeout", timeout, zero=True)
    status, failure, poll = None, None, 0
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
        else:
            status, failure = now.status, None
            state = classify_status(now.status, now.entity_id)
            if state is UploadState.FAILED:
                raise failure_of(now, upload_id)
            if state is UploadState.DONE:
                return now
        remaining = deadline - api.clock()
        delay = next_poll(poll, remaining)
        if delay is None:
            seen = f"the status was {str(status)!r}" if status else "no status was received"
            message = f"Upload {upload_id} was not imported within {timeout:g} s; {seen}. It may still be: wait again."
            raise UploadTimeoutError(message, status=status, upload_id=upload_id) from failure
        yield Pause(min(remaining, max(delay, _asked_delay(failure))))
        poll += 1


def complete(
    api: Api,
    upload_id: str,
    options: CallOptions,
    *,
    retries: int,
    refusals: int,
    find_missing: Callable[[UploadTriggerActionResponse], str | None] | None = None,
    mode: ResponseMode = ResponseMode.MODEL,
) -> Calling[Reply[UploadTriggerActionResponse]]:
    """Say `complete` until the upload is past `pending`.

    When no response came, the service may well have done it, and a refusal (400, 409) may mean that it has: a retrieve
    settles that, and its response then stands for that of the action. Of the `retries`, no more than `refusals` follow
    a refusal.
    """
    policy = RetryPolicy(retries)
    operation = action_operation(upload_id, UploadTriggerActionParams(action=UploadAction.COMPLETE), options)
    retry = 0
    while True:
        try:
            reply = yield from fetch(api, operation, mode=mode, retries=0, find_missing=find_missing)
        except APIError as error:
            refused = isinstance(error, APIStatusError) and error.status_code in (400, 409)
            if not refused and not _is_passing(error, strict=api.options.strict_responses):
                raise
            failure = error
        else:
            return evolve(reply, retries_taken=retry)
        try:
            settled = yield from fetch(
                api, retrieve_operation(upload_id, options), retries=0, find_missing=find_mix_up(upload_id)
            )
        except APIError as error:
            if not _is_passing(error, strict=api.options.strict_responses):
                raise failure if refused else error from failure
        else:
            upload = settled.value.upload
            if is_past_pending(upload.status):
                value = UploadTriggerActionResponse(upload=upload)
                return Reply(operation, settled.response, settled.strict, retry, value)
        if retry >= (min(retries, refusals) if refused else retries):
            raise failure
        yield Pause(max(backoff(policy, retry, api.draw), min(_asked_delay(failure), policy.retry_after_cap)))
        retry += 1


def retrieve_once(api: Api, upload_id: str, options: CallOptions, *, retries: int | None = 0) -> Calling[Upload]:
    """Read an upload with this many retries, None for the client's: most callers poll, and retry that way."""
    operation = retrieve_operation(upload_id, options)
    reply = yield from fetch(api, operation, retries=retries, find_missing=find_mix_up(upload_id))
    return reply.value.upload


def find_mix_up(upload_id: str) -> Callable[[Any], str | None]:
    """Return a check that a response is about this upload, which one from a confused cache or gateway is not."""

    def find(value: Any) -> str | None:
        named = value.upload.id
        # An abridged response need not name its upload.
        return None if named in (None, upload_id) else f"the upload {snippet(str(named), 100)}, not {upload_id}"

    return find


@contextmanager
def name_upload(upload_id: str | None) -> Iterator[None]:
    """Let every error of ours say which upload it is about, once there is one."""
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


def _is_passing(error: APIError, *, strict: bool) -> bool:
    """Return whether a fault may be gone at the next try, whatever the request."""
    if isinstance(error, APIConnectionError):
        return find_certificate_error(error) is None
    if isinstance(error, APIStatusError):
        return error.status_code in (408, 429) or error.status_code >= 500
    return isinstance(error, APIResponseValidationError) and not strict


def _asked_delay(error: APIError | None) -> float:
    return (error.retry_after or 0.0) if isinstance(error, APIStatusError) else 0.0


def _within(timeout: httpx.Timeout, remaining: float) -> httpx.Timeout:
    # A poll may not outlive the deadline by much, but even the last one gets a second to be answered.
    bound = max(1.0, remaining)
    return httpx.Timeout(**{key: min(value or bound, bound) for key, value in timeout.as_dict().items()})
