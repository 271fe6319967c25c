"""What the methods of `client.uploads` do, step by step, without doing it.

Each function here is a generator: it yields what is to be done (`Send`, `Pause`, `Transfer`) and is told what came of
it. `Runner` carries the steps out in the calling thread, `AsyncRunner` awaits them; decisions are made here, once.
"""

from __future__ import annotations

import inspect
from collections.abc import Generator, Mapping
from typing import Any, TypeVar

import httpx
from attrs import frozen

from .codec import build_arguments
from .errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    InvalidArgumentError,
    ScenarioError,
    UploadFailedError,
    UploadTimeoutError,
)
from .http import (
    Api,
    Pause,
    Send,
    action_operation,
    call,
    create_operation,
    find_certificate_error,
    retrieve_operation,
)
from .media import infer_media
from .models import (
    Upload,
    UploadAction,
    UploadCreateParams,
    UploadCreateResponse,
    UploadPart,
    UploadRetrieveResponse,
    UploadTriggerActionParams,
    UploadTriggerActionResponse,
)
from .options import MAX_CONCURRENCY, FileInput, UploadPhase, UploadProgress, check_seconds
from .plan import MAX_FILE_SIZE, MAX_PARTS, match_targets, plan_parts
from .redaction import snippet
from .retry import RetryPolicy, backoff
from .source import Source, open_source
from .transfer import OnProgress, Transfer, TransferJob
from .waiting import Standing, is_past_pending, judge, next_poll

T = TypeVar("T")
Steps = Generator[Send | Pause | Transfer, Any, T]

# A transfer of hours is not given up for a few bad seconds at its end.
COMPLETE_RETRIES = 5
_RANGES = {"file_size": (1, MAX_FILE_SIZE), "parts": (1, MAX_PARTS)}


@frozen
class FileOptions:
    """What `upload_file` takes besides the file; see there."""

    kind: str | None = None
    content_type: str | None = None
    file_name: str | None = None
    asset_options: Any = None
    part_size: int | None = None
    concurrency: int = 8
    wait: bool = True
    timeout: float = 300
    on_progress: OnProgress | None = None


def create(api: Api, arguments: Mapping[str, Any]) -> Steps[UploadCreateResponse]:
    """Create an upload from a caller's keyword arguments."""
    params = _build(UploadCreateParams, "create", arguments)
    for name, (least, most) in _RANGES.items():
        value = getattr(params, name)
        if isinstance(value, int) and not least <= value <= most:
            raise InvalidArgumentError(f"create: {name} must be from {least:,} to {most:,}, not {value:,}.")
    return (yield from call(api, create_operation(params)))


def retrieve(api: Api, upload_id: str) -> Steps[UploadRetrieveResponse]:
    """Read an upload."""
    return (yield from call(api, retrieve_operation(check_upload_id(upload_id))))


def trigger_action(api: Api, upload_id: str, action: str) -> Steps[UploadTriggerActionResponse]:
    """Trigger an action; a `complete` whose answer was lost is settled by a retrieve."""
    check_upload_id(upload_id)
    params = _build(UploadTriggerActionParams, "trigger_action", {"action": action})
    if params.action != UploadAction.COMPLETE:
        return (yield from call(api, action_operation(upload_id, params), retries=0))
    return (yield from _complete(api, upload_id, retries=api.options.max_retries, refusals=0))


def wait(api: Api, upload: str | Upload, timeout: float) -> Steps[Upload]:
    """Poll until an upload is imported or has failed."""
    upload_id = check_upload_id(upload.id if isinstance(upload, Upload) else upload)
    deadline = api.clock() + check_seconds("timeout", timeout, zero=True)
    status, trouble, poll = None, None, 0
    while True:
        remaining = deadline - api.clock()
        try:
            now = yield from _look(api, upload_id, timeout=_within(api.options.timeout, remaining), retries=0)
        except APIError as error:
            if not _is_passing(error, strict=api.options.strict_responses):
                raise
            trouble = error
        else:
            status, trouble = now.status, None
            standing = judge(now.status, now.entity_id)
            if standing is Standing.FAILED:
                raise _failure(now)
            if standing is Standing.DONE:
                return now
        remaining = deadline - api.clock()
        delay = next_poll(poll, remaining)
        if delay is None:
            seen = f"the status was {str(status)!r}" if status else "no status was received"
            message = f"Upload {upload_id} was not imported within {timeout:g} s; {seen}. It may still be: wait again."
            raise UploadTimeoutError(message, status=status, upload_id=upload_id) from trouble
        yield Pause(min(remaining, max(delay, _asked_delay(trouble))))
        poll += 1


def upload_file(api: Api, file: FileInput, options: FileOptions) -> Steps[Upload]:
    """Create an upload for a file, send its parts, complete it and wait for the import."""
    concurrency = options.concurrency
    if isinstance(concurrency, bool) or not isinstance(concurrency, int) or not 1 <= concurrency <= MAX_CONCURRENCY:
        raise InvalidArgumentError(
            f"concurrency must be a whole number from 1 to {MAX_CONCURRENCY}, not {concurrency!r}."
        )
    if options.on_progress is not None and (
        not callable(options.on_progress) or inspect.iscoroutinefunction(options.on_progress)
    ):
        raise InvalidArgumentError(f"on_progress must be a plain function, not {options.on_progress!r}.")
    check_seconds("timeout", options.timeout, zero=True)
    source = open_source(file)
    try:
        return (yield from _upload_source(api, source, options))
    finally:
        source.close()


def _upload_source(api: Api, source: Source, options: FileOptions) -> Steps[Upload]:
    plan = plan_parts(source.size, options.part_size)
    name = check_file_name(source.name if options.file_name is None else options.file_name)
    media = infer_media(name, content_type=options.content_type, kind=options.kind)
    created = yield from create(
        api,
        {
            "file_name": name,
            "file_size": plan.size,
            "content_type": media.content_type,
            "kind": media.kind,
            "parts": plan.parts_count,
            "asset_options": options.asset_options,
        },
    )
    upload = _upload_of(created, "create_upload")
    try:
        parts = [part for part in upload.parts or () if isinstance(part, UploadPart)]
        targets = match_targets(plan, parts, api_url=api.options.base_url, upload_id=upload.id)
        job = TransferJob(source, targets, options.concurrency, plan.size, upload.id, options.on_progress)
        yield Transfer(job)
        source.check_unchanged()

        def tell(phase: UploadPhase) -> None:
            if options.on_progress:
                options.on_progress(UploadProgress(phase, plan.size, plan.size, len(targets), len(targets)))

        tell(UploadPhase.COMPLETING)
        completed = yield from _complete(api, upload.id, retries=COMPLETE_RETRIES, refusals=api.options.max_retries)
        result = _upload_of(completed, "trigger_upload_action")
        if options.wait:
            tell(UploadPhase.WAITING)
            result = yield from wait(api, upload.id, options.timeout)
        elif judge(result.status, result.entity_id) is Standing.FAILED:
            raise _failure(result)
        tell(UploadPhase.DONE)
    except ScenarioError as error:
        error.upload_id = error.upload_id or upload.id
        raise
    return result


def _complete(api: Api, upload_id: str, *, retries: int, refusals: int) -> Steps[UploadTriggerActionResponse]:
    """Say `complete` until the upload is past `pending`.

    After a lost answer, the service may well have done it: a retrieve tells. `refusals` is how often a 400 or 409 to a
    first try is taken for such a case too; after a lost answer it always is.
    """
    policy = RetryPolicy(retries)
    operation = action_operation(upload_id, UploadTriggerActionParams(action=UploadAction.COMPLETE))
    retry = 0
    while True:
        try:
            return (yield from call(api, operation, retries=0))
        except APIError as error:
            refused = isinstance(error, APIStatusError) and error.status_code in (400, 409)
            if not (refused and (retry or refusals)) and not _is_passing(error, strict=api.options.strict_responses):
                raise
            failure = error
        upload = yield from _look(api, upload_id)
        if is_past_pending(upload.status):
            return UploadTriggerActionResponse(upload=upload)
        if retry >= (min(retries, refusals) if refused else retries):
            raise failure
        yield Pause(max(backoff(policy, retry, api.draw), min(_asked_delay(failure), policy.retry_after_cap)))
        retry += 1


def _look(
    api: Api, upload_id: str, *, timeout: httpx.Timeout | None = None, retries: int | None = None
) -> Steps[Upload]:
    operation = retrieve_operation(upload_id)
    return _upload_of((yield from call(api, operation, timeout=timeout, retries=retries)), operation.name)


def _upload_of(response: Any, operation: str) -> Upload:
    """Return the upload of an answer; a tolerant decoder may have let an answer without one pass."""
    upload = response.upload
    if not isinstance(upload, Upload) or not isinstance(upload.id, str) or not upload.id:
        raise APIError(f"The answer to {operation} has no upload with an id.")
    return upload


def _failure(upload: Upload) -> UploadFailedError:
    reason = snippet(str(upload.error_message), 500) if upload.error_message else None
    message = f"Upload {upload.id} failed: {reason or 'no reason given'}"
    return UploadFailedError(message, reason=reason, upload=upload, upload_id=upload.id)


def _is_passing(error: APIError, *, strict: bool) -> bool:
    """Tell whether a fault may be gone at the next try, whatever the request."""
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


def check_upload_id(upload_id: object) -> str:
    """Return `upload_id` when it can stand in a path as one segment.

    Raises:
        InvalidArgumentError: When it is empty, no text, or could leave its place in the path.
    """
    if not isinstance(upload_id, str) or not upload_id:
        raise InvalidArgumentError(f"Expected a non-empty value for `upload_id` but received {upload_id!r}")
    if upload_id in (".", "..") or any(character in "/\\?#%" or not character.isprintable() for character in upload_id):
        raise InvalidArgumentError(f"{upload_id!r} is no upload id; use the `id` of the upload that create returned.")
    return upload_id


def check_file_name(name: str | None) -> str:
    """Return the name to upload under.

    Raises:
        InvalidArgumentError: When there is none, or it has control characters.
    """
    if name is None:
        raise InvalidArgumentError("What is uploaded has no name; give file_name=, such as 'dragon.glb'.")
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise InvalidArgumentError(f"file_name must be a name without control characters, not {name!r}.")
    return name


def _build(model: type[T], operation: str, arguments: Mapping[str, Any]) -> T:
    problems: list[str] = []
    params = build_arguments(model, arguments, lambda name, problem: problems.append(f"{name} {problem}"))
    if problems:
        raise InvalidArgumentError(f"{operation}: {'; '.join(problems)}.")
    return params
