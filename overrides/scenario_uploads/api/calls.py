"""The operations of the API, and the calls that take more than one: `complete` and waiting for an import.

Calls are generators: they yield steps (`Send`, `Pause`, `Work`) and receive the results. A runner of `client` does the
waiting and sending, so each decision is written once for both clients.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

import httpx
from attrs import evolve
from scenario_uploads_client.api.uploads import create_upload, retrieve_upload, trigger_upload_action
from scenario_uploads_client.types import UNSET

from scenario_uploads import errors, models
from scenario_uploads.arguments import MAX_PARTS, CallOptions, check_argument, check_seconds, is_given, omit
from scenario_uploads.decoding.codec import build_body
from scenario_uploads.decoding.enums import is_known
from scenario_uploads.logs import logger
from scenario_uploads.models import Upload
from scenario_uploads.redaction import snippet
from scenario_uploads.retry import REFUSED, Outcome, Repeat, RetryPolicy, Tries
from scenario_uploads.steps import Pause, Steps, T
from scenario_uploads.tls import find_certificate_error

from .exchange import RESPONSE_LIMIT, Api, Operation, Reply, ResponseMode, fetch
from .responses import is_away

# A response holds one upload, and for each part a presigned URL of one or two kilobytes.
RESPONSE_LIMIT_PER_PART = 4 * 1024
# The status of a dry run.
DRY_RUN_STATUS = 269
COMPLETE: Mapping[str, Any] = {"action": "complete"}
# Seconds between polls: small files are ready within a second, large ones take minutes.
FIRST_DELAY, GROWTH, LONGEST_DELAY = 0.25, 1.5, 5.0
_NO_SEGMENT = re.compile(r"\.\.?|.*[/\\?#%].*")


def create(
    options: CallOptions, body: Mapping[str, Any], *, dry_run: object = None
) -> Operation[models.UploadCreateResponse]:
    """Return the call that creates an upload from keyword arguments or, with `dry_run`, asks for the cost."""
    wanted = _check_dry_run(dry_run)
    given = {"body": build_body(models.UploadCreateParams, "create", body), "dry_run": wanted or UNSET}
    operation = _operate(create_upload, models.UploadCreateResponse, Repeat.ONCE, options, **given)
    sent = {**operation.request["json"], **options.body}
    imports = any(sent.get(name) for name in ("url", "huggingFaceModelName", "civitaiModelUrl"))
    parts = sent.get("parts")
    count = min(max(parts, 0), MAX_PARTS) if isinstance(parts, int) else 0
    return evolve(
        operation,
        # A second pending upload does no harm; a second import does.
        repeat=Repeat.NEVER if imports and not wanted else Repeat.ONCE,
        find_missing=_find_missing_cost if wanted else _find_missing_upload,
        response_limit=RESPONSE_LIMIT + RESPONSE_LIMIT_PER_PART * count,
        models={DRY_RUN_STATUS: models.UploadDryRunResponse},
    )


def retrieve(options: CallOptions, upload_id: str) -> Operation[models.UploadRetrieveResponse]:
    return _operate(retrieve_upload, models.UploadRetrieveResponse, Repeat.SAFE, options, upload_id)


def trigger_action(
    options: CallOptions, upload_id: str, body: Mapping[str, Any] = COMPLETE
) -> Operation[models.UploadTriggerActionResponse]:
    params = build_body(models.UploadTriggerActionParams, "trigger_action", body)
    return _operate(
        trigger_upload_action, models.UploadTriggerActionResponse, Repeat.NEVER, options, upload_id, body=params
    )


def _operate(
    module: Any, model: type[T], repeat: Repeat, options: CallOptions, *upload_id: str, **given: object
) -> Operation[T]:
    """Return the call for an operation of the generated client, which builds its request in `_get_kwargs`."""
    path = [check_upload_id(each) for each in upload_id]
    request = module._get_kwargs(*path, project_id=options.project_id or UNSET, **given)  # noqa: SLF001
    name = module.__name__.rpartition(".")[2]
    return Operation(name, model, request, repeat, options, _find_missing_upload, path[0] if path else None)


def begin_operation(options: CallOptions, body: Mapping[str, Any]) -> Operation[models.UploadCreateResponse]:
    """Return the call that creates an upload to go on with: no dry run, and answered with a usable id."""
    # Ignore a `dryRun` in the client's `default_query`.
    operation = create(evolve(options, query={"dryRun": omit}), body)
    return evolve(operation, find_missing=_find_missing_id, models={})


def _check_dry_run(dry_run: Any) -> models.UploadDryRun | None:
    if dry_run is None or not is_given(dry_run):
        return None
    # The enum itself would accept any string.
    wanted, known = "true" if dry_run is True else dry_run, [choice.value for choice in models.UploadDryRun]
    check_argument("dry_run", dry_run, wanted in known, " or ".join(map(repr, known)))
    return models.UploadDryRun(wanted)


def check_upload_id(upload_id: object) -> str:
    """Return `upload_id` when it is valid as one path segment."""
    if not upload_id:
        raise errors.InvalidArgumentError(f"Expected a non-empty value for `upload_id` but received {upload_id!r}")
    if not isinstance(upload_id, str) or not upload_id.isprintable() or _NO_SEGMENT.fullmatch(upload_id):
        shown = snippet(repr(upload_id))
        raise errors.InvalidArgumentError(f"{shown} is not an upload id; use the `id` of the upload, a string.")
    return upload_id


def _find_missing_upload(value: object) -> str | None:
    """Return which required value a decoded response lacks, or None."""
    return None if isinstance(getattr(value, "upload", None), Upload) else "no upload"


def _find_missing_id(value: Any) -> str | None:
    if missing := _find_missing_upload(value):
        return missing
    try:
        check_upload_id(value.upload.id)
    except errors.InvalidArgumentError:
        return "an upload without a usable id"
    return None


def _find_missing_cost(value: object) -> str | None:
    upload = getattr(value, "upload", None)
    made = f"; it has created upload {snippet(str(upload.id), 100)}" if isinstance(upload, Upload) else ""
    return f"no cost, although dry_run asked for it{made}"


def _find_mix_up(upload_id: str, value: Any) -> str | None:
    """Return which other upload a response is for, due to a faulty cache or gateway, or None."""
    named = value.upload.id
    # An abridged response may leave out the id.
    return None if named in (None, upload_id) else f"the upload {snippet(str(named), 100)}, not {upload_id}"


def send(api: Api, operation: Operation[Any], mode: ResponseMode) -> Steps[Reply[Any]]:
    """Send an operation of the contract; after a failed `complete`, a retrieve shows whether it worked."""
    if operation.request.get("json") == COMPLETE and "action" not in operation.options.body:
        return complete(api, operation, RetryPolicy(api.options.max_retries), refusals=0, mode=mode)
    return fetch(api, operation, mode=mode)


def retrieve_once(
    api: Api, upload_id: str, options: CallOptions, *, retries: float | None = 0, patience: float | None = None
) -> Steps[Reply[models.UploadRetrieveResponse]]:
    """Read an upload, by default without retries, since callers poll. None takes the client's number."""
    operation, find_missing = retrieve(options, upload_id), partial(_find_mix_up, upload_id)
    return fetch(api, operation, retries=retries, patience=patience, find_missing=find_missing)


def complete(
    api: Api,
    operation: Operation[models.UploadTriggerActionResponse],
    policy: RetryPolicy,
    *,
    refusals: float,
    mode: ResponseMode = ResponseMode.MODEL,
) -> Steps[Reply[models.UploadTriggerActionResponse]]:
    """Send `complete` until the upload is past `pending`, with at most `refusals` of the retries after a refusal."""
    upload_id, patience = str(operation.upload_id), policy.patience
    find_missing = partial(_find_mix_up, upload_id) if patience is not None else lambda _: None
    tries = Tries(policy, Repeat.SAFE, api.draw, api.clock)
    while True:
        try:
            reply = yield from fetch(api, operation, mode=mode, retries=0, patience=patience, find_missing=find_missing)
        except errors.APIError as error:
            failure = error
        else:
            return evolve(reply, retries_taken=tries.failed)
        refused = isinstance(failure, errors.APIStatusError) and failure.status_code in (400, 409)
        if not refused and not _is_passing(api, failure, patience):
            raise failure
        # It may be past `pending` nevertheless; then the response to a retrieve replaces that of the action.
        try:
            settled = yield from retrieve_once(api, upload_id, operation.options, patience=patience)
        except errors.APIError as error:
            if not _is_passing(api, error, patience):
                raise failure if refused else error from failure
        else:
            if is_past_pending(settled.value.upload.status, known=True):
                value = models.UploadTriggerActionResponse(upload=settled.value.upload)
                return Reply(operation, settled.response, settled.strict, tries.failed, value)
        delay = tries.fail(Outcome(status=503, retry_after=getattr(failure, "retry_after", None)))
        if delay is None or (refused and tries.failed > refusals):
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
    held = getattr(upload, "upload", upload)
    upload_id = check_upload_id(held.id if isinstance(held, Upload) else held)
    deadline = api.clock() + check_seconds("timeout", timeout, zero=True)
    heard_at, status, pending, refusals, delay = api.clock(), None, 0, 0, FIRST_DELAY
    while True:
        failure: errors.APIError | None = None
        within = evolve(options, timeout=_limit_timeout(api.options.timeout, deadline - api.clock()))
        try:
            now = (yield from retrieve_once(api, upload_id, within)).value.upload
        except errors.APIError as error:
            if not _is_passing(api, error):
                raise
            failure = error
            if not isinstance(error, errors.APIConnectionError):
                heard_at = api.clock()
        else:
            status, heard_at = now.status, api.clock()
            if is_imported(now, upload_id):
                return now
            pending += status == "pending"
            # After 2, 4, 8 … such polls; the first may be stale.
            if completing and status == "pending" and pending > 1 and pending.bit_count() == 1:
                logger.info("Upload %s is still pending; sending complete again.", upload_id)
                try:
                    yield from fetch(api, trigger_action(within, upload_id), retries=0)
                except errors.APIError as error:
                    # The next poll shows whether it worked. Early refusals may be due to a stale status.
                    refusals += getattr(error, "status_code", 0) in REFUSED
                    if refusals > 2:
                        raise
        silent = isinstance(failure, errors.APIConnectionError)
        remaining = min(deadline, heard_at + patience if silent else math.inf) - api.clock()
        if remaining <= 0:
            seen = f"the status was {str(status)!r}" if status else "no status was received"
            bound = f"within {timeout:g} s" if api.clock() >= deadline else f"before {patience:g} s without a response"
            message = f"Upload {upload_id} was not imported {bound}; {seen}. It may still be: wait again."
            raise errors.UploadTimeoutError(message, status=status, upload_id=upload_id) from failure
        asked = getattr(failure, "retry_after", None) or 0.0
        yield Pause(min(remaining, max(delay, min(asked, RetryPolicy().retry_after_cap))))
        delay = min(LONGEST_DELAY, delay * GROWTH)


def is_imported(upload: Upload, upload_id: str) -> bool:
    """Return whether the import is done, not for `complete` and unknown statuses; UploadFailedError if it failed."""
    if upload.status == "failed":
        reason = snippet(str(upload.error_message), 500) if upload.error_message else None
        message = f"Upload {upload_id} failed: {reason or 'no reason given'}"
        raise errors.UploadFailedError(message, reason=reason, upload=upload, upload_id=upload_id)
    return upload.status == "imported" or (isinstance(upload.entity_id, str) and upload.entity_id != "")


def is_past_pending(status: Any, *, known: bool = False) -> bool:
    """Return whether the upload has been completed; with `known`, an unknown status does not count."""
    return (not known or is_known(status)) and isinstance(status, str) and status != "pending"


def _is_passing(api: Api, error: errors.APIError, patience: float | None = None) -> bool:
    """Return whether the error may be temporary for any request."""
    if isinstance(error, errors.APIConnectionError):
        return find_certificate_error(error) is None and (patience is None or not is_away(error.__cause__))
    if isinstance(error, errors.APIStatusError):
        return error.status_code in (408, 429) or error.status_code >= 500
    return not api.options.strict_responses


def _limit_timeout(timeout: httpx.Timeout, remaining: float) -> httpx.Timeout:
    # Each poll ends near the deadline; even the last one gets a second.
    bound = max(1.0, remaining)
    return httpx.Timeout(**{key: min(value or bound, bound) for key, value in timeout.as_dict().items()})
