"""`upload_file`, step by step: plan, create or resume, transfer, complete, wait. Like `flow`, it decides, no more.

Everything that can be told from the arguments and the file is checked before the first request.
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
from scenario_uploads.api.operations import build_create, check_upload_id, create_operation, find_missing_upload
from scenario_uploads.api.polling import UploadState, classify_status, is_past_pending
from scenario_uploads.decoding.enums import is_known
from scenario_uploads.errors import (
    APIStatusError,
    InvalidArgumentError,
    SourceChangedError,
    SourceError,
    UploadFailedError,
    UploadURLExpiredError,
)
from scenario_uploads.models import Upload, UploadCreateParams, UploadCreateResponse, UploadPart
from scenario_uploads.sentinels import omit
from scenario_uploads.transfer.engine import Transfer, TransferJob
from scenario_uploads.transfer.parts import PartTarget, UploadPlan, find_url_fault, match_targets, plan_parts
from scenario_uploads.transfer.progress import UploadPhase, UploadProgress
from scenario_uploads.transfer.source import FileInput, Source, open_source

from .ledger import Entry, Ledger, default_folder
from .media_types import infer_media
from .options import FileOptions, check_file_name, check_file_options

logger = logging.getLogger("scenario_uploads")
T = TypeVar("T")
Steps = Generator[Send | Pause | Transfer | Work, Any, T]
# A transfer of hours is not given up for a few bad seconds at its end.
COMPLETE_RETRIES = 5


@frozen
class _Prepared:
    """A file that can be sent: how it is cut, and the body of the create."""

    plan: UploadPlan
    params: UploadCreateParams


@frozen
class _Begun:
    """An upload that exists: where its parts go, and which are there already."""

    upload_id: str
    targets: tuple[PartTarget, ...] = field(repr=False)
    done: frozenset[int] = frozenset()
    accepted: Upload | None = None
    """The upload as the service has it, when that knows already that all parts are there."""

    @property
    def missing(self) -> tuple[PartTarget, ...]:
        """The parts that are still to be sent."""
        return tuple(target for target in self.targets if target.part.number not in self.done)


def upload_file(api: Api, file: FileInput, options: FileOptions) -> Steps[Upload]:
    """Create an upload for a file, send its parts, complete it and wait for the import."""
    check_file_options(options)
    opened = ExitStack()
    try:
        source, prepared, ledger = yield Work(partial(_open, opened, api, file, options))
        result = yield from _upload(api, source, prepared, ledger, options)
    except GeneratorExit:
        # Nobody is left to do any work.
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
    """Open the file and its ledger; `opened` closes them, also when whoever asked has gone meanwhile."""
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
    may_restart, expired_id = options.restart_on_expiry, None
    while True:
        if begun is None:
            with name_upload(expired_id):
                begun = yield from _begin(api, source, prepared, ledger, options)
        with name_upload(begun.upload_id):
            try:
                result = yield from _send(api, source, prepared.plan, begun, ledger, options)
            except UploadURLExpiredError:
                if not may_restart:
                    raise
                logger.warning("The presigned URLs of upload %s have expired; it starts afresh.", begun.upload_id)
                may_restart, expired_id, begun = False, begun.upload_id, None
                continue
            except (UploadFailedError, SourceChangedError):
                # Of a file that changed on the way, nobody knows which bytes of it were sent.
                if ledger:
                    yield Work(ledger.delete)
                raise
        if ledger:
            yield Work(ledger.delete)
        return result


def _begin(api: Api, source: Source, prepared: _Prepared, ledger: Ledger | None, options: FileOptions) -> Steps[_Begun]:
    """Create the upload and note where its parts go."""
    # A client whose `default_query` asks for costs alone would have nothing to send parts to.
    operation = create_operation(prepared.params, evolve(options.call, query={"dryRun": omit}))
    reply = yield from fetch(api, operation, patience=options.patience, find_missing=_find_missing_id)
    begun: _Begun = yield Work(partial(_note, api, source, prepared.plan, reply.value.upload, ledger))
    return begun


def _note(api: Api, source: Source, plan: UploadPlan, upload: Upload, ledger: Ledger | None) -> _Begun:
    """Match the parts with the URLs of the create answer, and keep these in the ledger."""
    # A tolerant decoder leaves a value of the wrong type as it came.
    answered = upload.parts if isinstance(upload.parts, list) else []
    parts = [part for part in answered if isinstance(part, UploadPart)]
    targets = match_targets(
        plan,
        parts,
        api_url=api.options.base_url,
        allow_http=api.options.allow_http_storage,
        upload_id=upload.id,
    )
    if ledger and source.path and source.mtime_ns is not None:
        urls = tuple((target.url, target.expires_text) for target in targets)
        ledger.begin(Entry(upload.id, source.path, plan.size, source.mtime_ns, plan.part_size, urls))
    return _Begun(upload.id, targets)


_AFRESH = "Upload %s cannot be resumed: %s; the upload starts afresh."


def _resume(api: Api, source: Source, plan: UploadPlan, ledger: Ledger, options: FileOptions) -> Steps[_Begun | None]:
    """Take up what an earlier call left, when it still can be; None means to start afresh."""
    begun: _Begun | None = yield Work(partial(_read_begun, api, source, plan, ledger))
    if begun is None:
        return None
    try:
        with name_upload(begun.upload_id):
            upload = yield from retrieve_once(
                api, begun.upload_id, options.call, retries=None, patience=options.patience
            )
    except APIStatusError as error:
        if error.status_code not in (400, 403, 404):
            raise
        logger.warning(_AFRESH, begun.upload_id, "the service no longer has it")
        return None
    if classify_status(upload.status, upload.entity_id) is UploadState.FAILED:
        logger.warning(_AFRESH, begun.upload_id, "it has failed")
        return None
    logger.info("Upload %s is resumed: %d of %d parts are there.", begun.upload_id, len(begun.done), plan.parts_count)
    # A status that nobody knows says nothing of the parts that are missing here.
    accepted = is_past_pending(upload.status) and (is_known(upload.status) or not begun.missing)
    return evolve(begun, accepted=upload if accepted else None)


def _read_begun(api: Api, source: Source, plan: UploadPlan, ledger: Ledger) -> _Begun | None:
    """Return what the ledger tells of an upload that fits the file and can go on, as far as can be told from here."""
    entry = ledger.read()
    if entry is None:
        return None
    if not entry.fits(size=plan.size, mtime_ns=source.mtime_ns or 0, part_size=plan.part_size):
        logger.warning(_AFRESH, entry.upload_id, "the file or its part size has changed")
        return None
    targets = tuple(PartTarget(plan.part(number), url, expires) for number, (url, expires) in enumerate(entry.parts, 1))
    begun = _Begun(entry.upload_id, targets, entry.done)
    try:
        check_upload_id(entry.upload_id)
    except InvalidArgumentError:
        logger.warning("The ledger of %s was ignored: it names no upload; the upload starts afresh.", entry.file)
        return None
    api_url, allow_http = api.options.base_url, api.options.allow_http_storage
    if any(find_url_fault(target.url, api_url=api_url, allow_http=allow_http) for target in begun.missing):
        logger.warning(_AFRESH, entry.upload_id, "its URLs cannot be used here")
        return None
    if any(target.is_expired(api.now()) for target in begun.missing):
        logger.warning(_AFRESH, entry.upload_id, "its presigned URLs have expired")
        return None
    return begun


def _send(
    api: Api, source: Source, plan: UploadPlan, begun: _Begun, ledger: Ledger | None, options: FileOptions
) -> Steps[Upload]:
    """Send what is missing, complete, and wait."""
    attempt = 1

    def report(phase: UploadPhase) -> None:
        if options.on_progress:
            count = plan.parts_count
            options.on_progress(UploadProgress(phase, plan.size, plan.size, count, count, attempt))

    result = begun.accepted
    if result is None:
        job = TransferJob(
            source=source,
            targets=begun.missing,
            size=plan.size,
            parts_total=plan.parts_count,
            concurrency=options.concurrency,
            integrity=options.integrity,
            patience=options.patience,
            max_bandwidth=options.max_bandwidth,
            on_progress=options.on_progress,
            on_part=partial(_record, source, ledger) if ledger else None,
        )
        attempt = yield Transfer(job)
        yield Work(source.check_unchanged)
        report(UploadPhase.COMPLETING)
        completed = yield from complete(
            api,
            begun.upload_id,
            options.call,
            retries=COMPLETE_RETRIES,
            refusals=api.options.max_retries,
            patience=options.patience,
            find_missing=find_mix_up(begun.upload_id),
        )
        result = completed.value.upload
    if options.wait:
        report(UploadPhase.WAITING)
        result = yield from wait(
            api, begun.upload_id, options.timeout, options.call, patience=options.patience, completing=True
        )
    elif classify_status(result.status, result.entity_id) is UploadState.FAILED:
        raise failure_of(result, begun.upload_id)
    report(UploadPhase.DONE)
    return result


def _record(source: Source, ledger: Ledger, number: int) -> None:
    # Before, and not only at the end: the file may be again what it was by then.
    source.check_unchanged()
    ledger.record(number)


def _prepare(source: Source, options: FileOptions) -> _Prepared:
    plan = plan_parts(source.size, options.part_size)
    name = check_file_name(source.name if options.file_name is None else options.file_name)
    media = infer_media(name, content_type=options.content_type, kind=options.kind)
    params = build_create(
        {
            "file_name": name,
            "file_size": plan.size,
            "content_type": media.content_type,
            "kind": media.kind,
            "parts": plan.parts_count,
            "asset_options": options.asset_options,
        }
    )
    return _Prepared(plan, params)


def _open_ledger(api: Api, source: Source, prepared: _Prepared, options: FileOptions) -> Ledger | None:
    if options.resume is False:
        return None
    if source.path is None:
        raise SourceError("Only a file given by its path can be resumed; give a path, or resume=False.")
    if prepared.plan.parts_count == 1:
        return None
    try:
        folder = default_folder() if options.resume is True else Path(options.resume)
    except OSError as error:
        logger.warning("The upload cannot be resumed later: %s.", error.strerror)
        return None
    credentials = api.options.credentials
    # A bearer token is renewed between one call and the next; a key is not.
    account = credentials.header if credentials.scheme == "Basic" else credentials.scheme
    body: Mapping[str, Any] = prepared.params.to_dict()
    told = {name: value for name, value in body.items() if name not in ("fileSize", "parts")}
    if options.call.project_id is not None:
        told["projectId"] = options.call.project_id
    return Ledger(folder, source.path, api.options.base_url, account, json.dumps(told, sort_keys=True))


def _find_missing_id(answer: UploadCreateResponse) -> str | None:
    # The cost alone, which nobody asked for here, has none.
    if lack := find_missing_upload(answer):
        return lack
    try:
        check_upload_id(answer.upload.id)
    except InvalidArgumentError:
        return "an upload without an id that can be used"
    return None
