"""`upload_file`, step by step: plan, create or resume, transfer, complete, wait. Generators, as in `api/calls`.

Arguments and file are checked before the first request.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Generator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from attrs import evolve, field, frozen

from scenario_uploads.api.calls import complete, failure_of, find_mix_up, name_upload, retrieve_once, wait
from scenario_uploads.api.exchange import Api, Pause, Send, Work, fetch
from scenario_uploads.api.operations import build_body, check_upload_id, create_operation, find_missing_upload
from scenario_uploads.api.polling import UploadState, classify_status, is_past_pending
from scenario_uploads.decoding.enums import is_known
from scenario_uploads.errors import (
    APIError,
    APIStatusError,
    InvalidArgumentError,
    LedgerLockedError,
    ScenarioError,
    SourceChangedError,
    SourceError,
    UploadFailedError,
    UploadURLExpiredError,
)
from scenario_uploads.models import Upload, UploadCreateParams, UploadCreateResponse, UploadPart
from scenario_uploads.progress import UploadPhase, UploadProgress
from scenario_uploads.redaction import snippet
from scenario_uploads.sentinels import omit
from scenario_uploads.transfer.engine import Transfer, TransferJob
from scenario_uploads.transfer.parts import PartTarget, UploadPlan, find_url_fault, match_targets, plan_parts
from scenario_uploads.transfer.source import FileInput, Source, open_source

from .ledger import Entry, Ledger, default_folder
from .media_types import infer_media
from .options import FileOptions, check_file_name, check_file_options

logger = logging.getLogger("scenario_uploads")
T = TypeVar("T")
Steps = Generator[Send | Pause | Transfer | Work, Any, T]
# Do not give up a transfer of hours for a few bad seconds at its end.
COMPLETE_RETRIES = 5
# How often parts are compared again with a file whose change time moved.
COMPARISONS = 2
# Statuses of a `complete` for an upload that is gone or lacks parts.
_REFUSED = frozenset({400, 404, 410})
_GONE = frozenset({404, 410})


@frozen
class _Prepared:
    """How the file is split, and the body of the create."""

    plan: UploadPlan
    params: UploadCreateParams


@frozen
class _Begun:
    """An existing upload: its parts, and which are stored already."""

    upload_id: str
    targets: tuple[PartTarget, ...] = field(repr=False)
    done: Mapping[int, str | None] = field(factory=dict, repr=False)
    """The parts that are there, with the MD5 of what was sent when it was taken."""
    accepted: Upload | None = None
    """The upload as the service has it, when that knows already that all parts are there."""

    @property
    def missing(self) -> tuple[PartTarget, ...]:
        """The parts still to be sent."""
        return tuple(target for target in self.targets if target.part.number not in self.done)

    def compare_with(self, done: Mapping[int, str | None]) -> _Begun:
        """Return this upload with no part done; parts are compared with their MD5s before they are sent."""
        targets = tuple(evolve(target, md5=done.get(target.part.number)) for target in self.targets)
        return evolve(self, targets=targets, done={})


def upload_file(api: Api, file: FileInput, options: FileOptions) -> Steps[Upload]:
    """Create an upload for a file, send its parts, complete it and wait for the import."""
    check_file_options(options)
    opened = ExitStack()
    try:
        source, prepared, ledger = yield Work(partial(_open, opened, api, file, options))
        result = yield from _upload(api, source, prepared, ledger, options)
    except GeneratorExit:
        # No runner is left to run `Work`.
        opened.close()
        raise
    except BaseException:
        yield Work(opened.close)
        raise
    yield Work(opened.close)
    return result


def _open(
    opened: ExitStack, api: Api, file: FileInput, options: FileOptions
) -> tuple[Source, _Prepared, Ledger | None]:
    """Open the file and its ledger; `opened` closes them."""
    source = open_source(file)
    opened.callback(source.close)
    prepared = _prepare(source, options)
    ledger = _open_ledger(api, source, prepared, options)
    if ledger is not None:
        opened.callback(ledger.close)
    return source, prepared, ledger


def _upload(
    api: Api, source: Source, prepared: _Prepared, ledger: Ledger | None, options: FileOptions
) -> Steps[Upload]:
    begun = (yield from _resume(api, source, prepared.plan, ledger, options)) if ledger else None
    may_restart, lost_id = options.restart_on_expiry, None
    while True:
        if begun is None:
            with name_upload(lost_id):
                begun = yield from _begin(api, source, prepared, ledger, options)
        sent = None
        with name_upload(begun.upload_id):
            try:
                sent = yield from _send(api, source, prepared.plan, begun, ledger, options)
                result = yield from _finish(api, prepared.plan, begun.upload_id, sent, options)
            except ScenarioError as error:
                # One that was complete may have been imported, so it is not sent again unasked.
                if error.needs_new_upload and may_restart and sent is None:
                    expired = isinstance(error, UploadURLExpiredError)
                    urls = f"The presigned URLs of upload {begun.upload_id} have expired"
                    logger.warning("%s; it starts afresh.", urls if expired else error.message.rstrip("."))
                    may_restart, lost_id, begun = False, begun.upload_id, None
                    if ledger:
                        yield Work(ledger.clear)
                    continue
                # Of a file that changed on the way, nobody knows which bytes of it were sent.
                if ledger and (error.needs_new_upload or isinstance(error, UploadFailedError | SourceChangedError)):
                    yield Work(ledger.delete)
                if error.needs_new_upload:
                    error.message = f"{error.message.rstrip('.')}. The next call starts a new upload."
                    error.args = (error.message,)
                raise
        if ledger:
            yield Work(ledger.delete)
        return result


def _begin(api: Api, source: Source, prepared: _Prepared, ledger: Ledger | None, options: FileOptions) -> Steps[_Begun]:
    """Create the upload and note its parts."""
    # Ignore a `dryRun` in the client's `default_query`.
    operation = create_operation(prepared.params, evolve(options.call, query={"dryRun": omit}))
    reply = yield from fetch(api, operation, patience=options.patience, find_missing=_find_missing_id)
    begun: _Begun = yield Work(partial(_note, api, source, prepared.plan, reply.value.upload, ledger))
    return begun


def _note(api: Api, source: Source, plan: UploadPlan, upload: Upload, ledger: Ledger | None) -> _Begun:
    """Match the parts with the presigned URLs of the create, and write these to the ledger."""
    # The tolerant decoder leaves a value of the wrong type as it is.
    answered = upload.parts if isinstance(upload.parts, list) else []
    parts = [part for part in answered if isinstance(part, UploadPart)]
    targets = match_targets(
        plan,
        parts,
        api_url=api.options.base_url,
        allow_http=api.options.allow_http_storage,
        upload_id=upload.id,
    )
    if ledger and source.path and source.state:
        urls = tuple((target.url, target.expires_text) for target in targets)
        ledger.begin(Entry(upload.id, source.path, source.state, plan.part_size, urls))
    return _Begun(upload.id, targets)


def _resume(api: Api, source: Source, plan: UploadPlan, ledger: Ledger, options: FileOptions) -> Steps[_Begun | None]:
    """Resume what an earlier call left, if possible; None means to start afresh."""
    entry: Entry | None = yield Work(ledger.read)
    if entry is None:
        return None
    begun = yield from _take_up(api, source, plan, entry, options)
    if isinstance(begun, str):
        name = snippet(entry.upload_id, 100)
        logger.warning("Upload %s cannot be resumed: %s; the upload starts afresh.", name, begun)
        yield Work(ledger.clear)
        return None
    done = len(entry.done)
    logger.info("Upload %s is resumed: %d of %d parts are there.", begun.upload_id, done, plan.parts_count)
    if source.state and not entry.state.proves(source.state) and not begun.accepted:
        if done:
            logger.info("It cannot be told that the file is the same, so what was sent of it is compared with it.")
        # Each part counts again once it is compared. A crash before that must not leave it to another file.
        yield Work(partial(ledger.begin, evolve(entry, state=source.state)))
    return begun


def _take_up(api: Api, source: Source, plan: UploadPlan, entry: Entry, options: FileOptions) -> Steps[_Begun | str]:
    """Return what an earlier call left, or why it cannot be taken up."""
    begun: _Begun | str = yield Work(partial(_check_entry, api, source, plan, entry, options))
    if isinstance(begun, str):
        return begun
    try:
        with name_upload(entry.upload_id):
            upload = yield from retrieve_once(
                api, entry.upload_id, options.call, retries=None, patience=options.patience
            )
    except APIStatusError as error:
        if error.status_code not in (400, 403, *_GONE):
            raise
        return "the service no longer has it"
    if classify_status(upload.status, upload.entity_id) is UploadState.FAILED:
        return "it has failed"
    # An unknown status does not show that the missing parts are stored.
    if is_past_pending(upload.status) and (is_known(upload.status) or not begun.missing):
        if not (yield from _is_what_was_sent(source, plan, entry, begun.targets, options)):
            return "the file is not what was sent"
        return evolve(begun, accepted=upload)
    # With all parts there, what the URLs lead to is as old as they are.
    trouble: str | None = yield Work(partial(_find_url_trouble, api, begun.targets))
    return trouble or begun


def _check_entry(api: Api, source: Source, plan: UploadPlan, entry: Entry, options: FileOptions) -> _Begun | str:
    """Return what a ledger says of an upload of this file, or why it cannot be taken up, as far as is known here."""
    if (entry.state.size, entry.part_size) != (plan.size, plan.part_size) or source.state is None:
        return "the file or its part size has changed"
    try:
        check_upload_id(entry.upload_id)
    except InvalidArgumentError:
        return "its ledger names no upload"
    targets = tuple(PartTarget(plan.part(number), url, expires) for number, (url, expires) in enumerate(entry.parts, 1))
    begun = _Begun(entry.upload_id, targets, entry.done)
    if not entry.state.proves(source.state):
        begun = begun.compare_with(entry.done if options.integrity else {})
    return _find_url_trouble(api, begun.missing) or begun


def _find_url_trouble(api: Api, targets: tuple[PartTarget, ...]) -> str | None:
    """Return why parts cannot be sent to where the ledger says, or None."""
    api_url, allow_http = api.options.base_url, api.options.allow_http_storage
    if any(find_url_fault(target.url, api_url=api_url, allow_http=allow_http) for target in targets):
        return "its URLs cannot be used here"
    if any(target.is_expired(api.now()) for target in targets):
        return "its presigned URLs have expired"
    return None


def _is_what_was_sent(
    source: Source, plan: UploadPlan, entry: Entry, targets: tuple[PartTarget, ...], options: FileOptions
) -> Steps[bool]:
    """Return whether the service, which takes no part any more, has the bytes of this file."""
    if source.state and entry.state.proves(source.state):
        return True
    if any(target.md5 is None for target in targets):
        return False
    try:
        yield Transfer(_make_job(source, plan, targets, options, settled=True))
    except SourceChangedError:
        return False
    return True


def _make_job(
    source: Source, plan: UploadPlan, targets: tuple[PartTarget, ...], options: FileOptions, *, settled: bool = False
) -> TransferJob:
    return TransferJob(
        source=source,
        targets=targets,
        size=plan.size,
        parts_total=plan.parts_count,
        concurrency=options.concurrency,
        integrity=options.integrity,
        patience=options.patience,
        max_bandwidth=options.max_bandwidth,
        settled=settled,
        turns=options.turns,
    )


def _send(
    api: Api, source: Source, plan: UploadPlan, begun: _Begun, ledger: Ledger | None, options: FileOptions
) -> Steps[tuple[Upload, int]]:
    """Send the missing parts, complete, and wait."""
    if begun.accepted is not None:
        if options.on_sent:
            known = {target.part.number: target.md5 for target in begun.targets} | dict(begun.done)
            yield Work(partial(options.on_sent, begun.upload_id, known))
        return begun.accepted, 1
    attempt = yield from _transfer(source, plan, begun, ledger, options)
    _report(plan, options, UploadPhase.COMPLETING, attempt)
    try:
        completed = yield from complete(
            api,
            begun.upload_id,
            options.call,
            retries=COMPLETE_RETRIES,
            refusals=api.options.max_retries,
            patience=options.patience,
            find_missing=find_mix_up(begun.upload_id),
        )
    except APIStatusError as refusal:
        if refusal.status_code not in _REFUSED:
            raise
        return (yield from _settle(api, begun.upload_id, refusal, options)), attempt
    return completed.value.upload, attempt


def _transfer(
    source: Source, plan: UploadPlan, begun: _Begun, ledger: Ledger | None, options: FileOptions
) -> Steps[int]:
    """Send the missing parts and check that all parts are of one unchanged file; return the most attempts of a part."""
    md5s = dict(begun.done)

    def note(number: int, md5: str | None) -> None:
        md5s[number] = md5
        if ledger:
            # Check now, not only at the end, when the file may have been restored.
            source.check_unchanged()
            ledger.record(number, md5)

    job = evolve(_make_job(source, plan, begun.missing, options), on_progress=options.on_progress, on_part=note)
    seen, attempt = source.state.ctime_ns if source.state else 0, 1
    for _ in range(1 + COMPARISONS):
        tries: int = yield Transfer(job)
        attempt = max(attempt, tries)
        now: int = yield Work(source.check_unchanged)
        if now == seen:
            if options.on_sent:
                yield Work(partial(options.on_sent, begun.upload_id, md5s))
            return attempt
        seen = now
        # Only the change time moved: permissions, a rename, or bytes with the time set back. Compare MD5s; without
        # them, send again.
        logger.info("Something about the file has changed, so what was sent of it is compared with it.")
        job = _make_job(source, plan, begun.compare_with(md5s).targets, options, settled=True)
    raise SourceChangedError("The file goes on being changed while it is sent; upload it again when it is at rest.")


def _settle(api: Api, upload_id: str, refusal: APIStatusError, options: FileOptions) -> Steps[Upload]:
    """After a refused `complete`, return the upload if it is complete; else raise the refusal."""
    try:
        upload = yield from retrieve_once(api, upload_id, options.call, retries=None, patience=options.patience)
    except APIError as error:
        refusal.needs_new_upload = isinstance(error, APIStatusError) and error.status_code in _GONE
        raise refusal from error
    if not is_past_pending(upload.status):
        refusal.needs_new_upload = True
        raise refusal
    return upload


def _finish(
    api: Api, plan: UploadPlan, upload_id: str, sent: tuple[Upload, int], options: FileOptions
) -> Steps[Upload]:
    """Wait for the import, if asked to, and return the upload."""
    result, attempt = sent
    if options.wait:
        _report(plan, options, UploadPhase.WAITING, attempt)
        try:
            result = yield from wait(
                api, upload_id, options.timeout, options.call, patience=options.patience, completing=True
            )
        except APIStatusError as error:
            # Do not start afresh: it may have been imported before it went.
            error.needs_new_upload = error.status_code in _GONE
            raise
    elif classify_status(result.status, result.entity_id) is UploadState.FAILED:
        raise failure_of(result, upload_id)
    _report(plan, options, UploadPhase.DONE, attempt)
    return result


def _report(plan: UploadPlan, options: FileOptions, phase: UploadPhase, attempt: int) -> None:
    if options.on_progress:
        count = plan.parts_count
        options.on_progress(UploadProgress(phase, plan.size, plan.size, count, count, attempt))


def _prepare(source: Source, options: FileOptions) -> _Prepared:
    plan = plan_parts(source.size, options.part_size)
    name = check_file_name(source.name if options.file_name is None else options.file_name)
    media = infer_media(name, content_type=options.content_type, kind=options.kind)
    params = build_body(
        UploadCreateParams,
        "create",
        {
            "file_name": name,
            "file_size": plan.size,
            "content_type": media.content_type,
            "kind": media.kind,
            "parts": plan.parts_count,
            "asset_options": options.asset_options,
        },
    )
    return _Prepared(plan, params)


def _open_ledger(api: Api, source: Source, prepared: _Prepared, options: FileOptions) -> Ledger | None:
    if options.resume is False:
        return None
    # By default, nobody asked for resuming, so do not warn.
    level = logging.DEBUG if options.resume is None else logging.WARNING
    if source.path is None:
        if options.resume is None:
            return None
        raise SourceError("Only a file given by its path can be resumed; give a path, or resume=False.")
    if prepared.plan.parts_count == 1:
        return None
    try:
        folder = default_folder() if options.resume is None or options.resume is True else Path(options.resume)
    except OSError as error:
        logger.log(level, "The upload cannot be resumed later: %s.", error.strerror)
        return None
    credentials = api.options.credentials
    # A bearer token changes between calls; a key does not.
    account = credentials.header if credentials.scheme == "Basic" else credentials.scheme
    body: Mapping[str, Any] = prepared.params.to_dict()
    told = {name: value for name, value in body.items() if name not in ("fileSize", "parts")}
    if options.call.project_id is not None:
        told["projectId"] = options.call.project_id
    try:
        return Ledger(folder, source.path, api.options.base_url, account, json.dumps(told, sort_keys=True), level=level)
    except LedgerLockedError as error:
        if options.resume is not None:
            raise
        logger.debug("The upload cannot be resumed later: %s", error)
        return None


def _find_missing_id(answer: UploadCreateResponse) -> str | None:
    # A dry run's response has no upload.
    if lack := find_missing_upload(answer):
        return lack
    try:
        check_upload_id(answer.upload.id)
    except InvalidArgumentError:
        return "an upload without an id that can be used"
    return None
