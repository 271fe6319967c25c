"""`upload_file`, step by step: plan, create or resume, transfer, complete, wait. Generators, as in `api/calls`.

Arguments and file are checked before the first request.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import cast

from attrs import evolve

from scenario_uploads.api.calls import (
    UploadState,
    check_upload_id,
    classify_status,
    complete,
    failure_of,
    find_missing_upload,
    is_past_pending,
    retrieve_once,
    wait,
)
from scenario_uploads.api.exchange import Api, fetch, name_upload
from scenario_uploads.arguments import FileInput
from scenario_uploads.errors import (
    APIError,
    APIStatusError,
    InvalidArgumentError,
    ScenarioError,
    SourceChangedError,
    UploadFailedError,
    UploadURLExpiredError,
)
from scenario_uploads.models import Upload, UploadCreateResponse, UploadPart
from scenario_uploads.progress import UploadPhase, UploadProgress
from scenario_uploads.steps import Steps, Work
from scenario_uploads.transfer.engine import Transfer
from scenario_uploads.transfer.parts import match_parts

from .control import Control
from .ledger import Entry
from .options import FileOptions, check_file_options
from .prepare import Opened, check_all_options, open_upload
from .resume import GONE, REFUSED, Begun, make_job, resume

logger = logging.getLogger("scenario_uploads")
# Do not lose hours of transfer to a short outage at the end.
COMPLETE_RETRIES = 5
# How often to compare the parts again when the file's change time has moved.
COMPARISONS = 2


def upload_file(api: Api, file: FileInput, options: FileOptions) -> Steps[Upload]:
    """Create an upload for a file, send its parts, complete it and wait for the import."""
    check_file_options(options)
    if options.control is None and options.deadline is None:
        return (yield from _upload_file(api, file, options))
    control = options.control or Control(api.clock, options.on_progress)
    if options.deadline is not None:
        resumable = isinstance(file, str | os.PathLike) and options.resume is not False
        fault = f"The upload did not finish within its deadline of {options.deadline:g} s; the same call"
        control.end_after(options.deadline, f"{fault} {'resumes it' if resumable else 'begins it anew'}.")
    options = evolve(options, on_progress=control.follow)
    return (yield from control.run(_upload_file(evolve(api, clock=control.clock), file, options)))


def start_upload(api: Api, file: FileInput, options: FileOptions, line: list[Control]) -> tuple[Steps[Upload], Control]:
    """Return the steps of a background upload, and its control."""
    check_all_options(options)
    control = Control(api.clock, options.on_progress, line)
    return upload_file(api, file, evolve(options, control=control)), control


def send_file(api: Api, file: FileInput, options: FileOptions) -> Steps[tuple[str, Mapping[int, str | None]]]:
    """Send the parts of a file without completing the upload; return its id and the MD5s of the parts."""
    check_file_options(options)
    sent: list[tuple[str, Mapping[int, str | None]]] = []
    options = evolve(options, complete=False, on_sent=lambda *told: sent.append(told))
    yield from _upload_file(api, file, options)
    return sent[-1]


def _upload_file(api: Api, file: FileInput, options: FileOptions) -> Steps[Upload]:
    stack = ExitStack()
    try:
        opened: Opened = yield Work(partial(open_upload, stack, api, file, options))
        result = yield from _upload(opened)
    except GeneratorExit:
        # No runner is left to run `Work`.
        stack.close()
        raise
    except BaseException:
        yield Work(stack.close)
        raise
    yield Work(stack.close)
    # None only for `send_file`.
    return cast("Upload", result)


def _upload(opened: Opened) -> Steps[Upload | None]:
    ledger, begun = opened.ledger, None
    if ledger and (entry := (yield Work(ledger.read))):
        begun = yield from resume(opened, entry)
    may_restart, lost_id = opened.options.restart_on_expiry and not opened.source.once, None
    while True:
        if begun is None:
            with name_upload(lost_id):
                begun = yield from _begin(opened)
        sent = None
        with name_upload(begun.upload_id):
            try:
                sent = yield from _send(opened, begun)
                result, attempt = sent
                if result is not None and opened.options.complete:
                    result = yield from _finish(opened, begun.upload_id, result, attempt)
            except ScenarioError as error:
                # Once completed, the upload may have been imported: do not send it again.
                if error.needs_new_upload and may_restart and sent is None:
                    expired = isinstance(error, UploadURLExpiredError)
                    urls = f"The presigned URLs of upload {begun.upload_id} have expired"
                    logger.warning("%s; it starts afresh.", urls if expired else error.message.rstrip("."))
                    may_restart, lost_id, begun = False, begun.upload_id, None
                    continue
                # When the file changed, it is unknown which of its bytes were sent.
                if ledger and (error.needs_new_upload or isinstance(error, UploadFailedError | SourceChangedError)):
                    yield Work(ledger.delete)
                if error.needs_new_upload:
                    error.message = f"{error.message.rstrip('.')}. The next call starts a new upload."
                    error.args = (error.message,)
                raise
        if ledger:
            yield Work(ledger.delete)
        return result


def _begin(opened: Opened) -> Steps[Begun]:
    """Create the upload and match its parts."""
    if opened.ledger:
        yield Work(opened.ledger.clear)
    patience = opened.options.patience
    reply = yield from fetch(opened.api, opened.create, patience=patience, find_missing=find_missing_id)
    begun: Begun = yield Work(partial(_note, opened, reply.value.upload))
    return begun


def _note(opened: Opened, upload: Upload) -> Begun:
    """Match the parts with the presigned URLs of the create, and write the URLs to the ledger."""
    source, plan, service = opened.source, opened.plan, opened.api.options
    # The tolerant decoder leaves a value of the wrong type as it is.
    answered = upload.parts if isinstance(upload.parts, list) else []
    parts = [part for part in answered if isinstance(part, UploadPart)]
    with name_upload(upload.id):
        targets = match_parts(plan, parts, api_url=service.base_url, allow_http=service.allow_http_storage)
    if opened.ledger and source.path and source.state:
        urls = tuple((target.url, target.expires) for target in targets)
        entry = Entry(upload.id, source.path, source.state, plan.part_size, urls, {}, service.base_url, opened.asked)
        opened.ledger.begin(entry)
    return Begun(upload.id, targets)


def _send(opened: Opened, begun: Begun) -> Steps[tuple[Upload | None, int]]:
    """Send the missing parts and complete if asked to; return the upload and the most attempts of a part."""
    options = opened.options
    if begun.accepted is not None:
        if options.on_sent:
            known = {target.number: target.md5 for target in begun.targets} | dict(begun.done)
            yield Work(partial(options.on_sent, begun.upload_id, known))
        return begun.accepted, 1
    attempt = yield from _transfer(opened, begun)
    if not options.complete:
        return None, attempt
    _report(opened, UploadPhase.COMPLETING, attempt)
    return (yield from complete_upload(opened.api, begun.upload_id, options)), attempt


def complete_upload(api: Api, upload_id: str, options: FileOptions) -> Steps[Upload]:
    """Complete an upload, or return it when it is complete already."""
    try:
        completed = yield from complete(
            api,
            upload_id,
            options.call,
            retries=COMPLETE_RETRIES,
            refusals=api.options.max_retries,
            patience=options.patience,
        )
    except APIStatusError as refusal:
        if refusal.status_code not in REFUSED:
            raise
        # It may be complete nevertheless.
        try:
            reply = yield from retrieve_once(api, upload_id, options.call, retries=None, patience=options.patience)
        except APIError as error:
            refusal.needs_new_upload = isinstance(error, APIStatusError) and error.status_code in GONE
            raise refusal from error
        if is_past_pending(reply.value.upload.status):
            return reply.value.upload
        refusal.needs_new_upload = True
        raise
    return completed.value.upload


def _transfer(opened: Opened, begun: Begun) -> Steps[int]:
    """Send the missing parts, checking that the file does not change; return the most attempts of a part."""
    source, options, md5s = opened.source, opened.options, dict(begun.done)

    def note(number: int, md5: str | None) -> None:
        md5s[number] = md5
        if opened.ledger:
            # Check now, too: by the end the file may be restored. A URL is not checked here: that takes a request.
            if source.descriptor:
                source.check_unchanged()
            opened.ledger.record(number, md5)

    job = evolve(make_job(opened, begun.missing), on_progress=options.on_progress, on_part=note)
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
        # Only the change time moved: permissions, a rename, or new bytes with an old mtime. Compare MD5s; without
        # them, send again.
        logger.info("The file's change time has moved, so its sent parts are compared with it.")
        compared: Begun = yield Work(partial(begun.compare_with, md5s))
        job = make_job(opened, compared.targets, settled=True)
    raise SourceChangedError("The file keeps changing while it is sent; upload it again once nothing writes to it.")


def _finish(opened: Opened, upload_id: str, result: Upload, attempt: int) -> Steps[Upload]:
    """Wait for the import, if asked to, and return the upload."""
    options = opened.options
    if options.wait:
        _report(opened, UploadPhase.WAITING, attempt)
        try:
            result = yield from wait(
                opened.api, upload_id, options.timeout, options.call, patience=options.patience, completing=True
            )
        except APIStatusError as error:
            # Do not start afresh: it may have been imported before it was removed.
            error.needs_new_upload = error.status_code in GONE
            raise
    elif classify_status(result.status, result.entity_id) is UploadState.FAILED:
        raise failure_of(result, upload_id)
    _report(opened, UploadPhase.DONE, attempt)
    return result


def _report(opened: Opened, phase: UploadPhase, attempt: int) -> None:
    if opened.options.on_progress:
        size, count = opened.plan.size, opened.plan.parts_count
        opened.options.on_progress(UploadProgress(phase, size, size, count, count, attempt))


def find_missing_id(answer: UploadCreateResponse) -> str | None:
    """Return what the response to a create lacks, or None."""
    # A dry run's response has no upload.
    if lack := find_missing_upload(answer):
        return lack
    try:
        check_upload_id(answer.upload.id)
    except InvalidArgumentError:
        return "an upload without a usable id"
    return None
