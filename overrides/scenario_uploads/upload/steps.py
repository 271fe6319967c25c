"""`upload_file`, step by step: plan, create or resume, send, complete, wait. Generators, as in `api/calls`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial

from attrs import evolve

from scenario_uploads import errors
from scenario_uploads.api.calls import complete, is_imported, is_past_pending, retrieve_once, trigger_action, wait
from scenario_uploads.api.exchange import Api, fetch, name_upload
from scenario_uploads.arguments import FileInput
from scenario_uploads.logs import logger
from scenario_uploads.models import Upload
from scenario_uploads.progress import UploadPhase
from scenario_uploads.remote import Source, is_remote
from scenario_uploads.retry import REFUSED, RetryPolicy
from scenario_uploads.steps import Steps, T, Work
from scenario_uploads.transfer.parts import UploadPlan
from scenario_uploads.transfer.source import open_source

from .control import Control
from .options import FileOptions
from .prepare import Opened, check_all_options, open_upload
from .resume import Begun, begin, resume

Sent = tuple[str, Mapping[int, str | None], UploadPlan]
"""An upload whose parts are all stored: its id, their MD5s, and how the file was split."""

# Do not lose hours of transfer to a short outage at the end.
COMPLETE_RETRIES = 5
# How often to compare the parts again when the file's change time has moved.
COMPARISONS = 2


def upload_file(api: Api, file: FileInput, options: FileOptions) -> Steps[Upload]:
    """Create an upload for a file, send its parts, complete it and wait for the import."""
    if options.control is None and options.deadline is None:
        return (yield from _open(api, file, options, _upload))
    control = options.control or Control(api.clock, options.on_progress)
    if options.deadline is not None:
        resumable = isinstance(file, str | os.PathLike) and options.resume is not False
        fault = f"The upload did not finish within its deadline of {options.deadline:g} s; the same call"
        control.end_after(options.deadline, f"{fault} {'resumes it' if resumable else 'begins it anew'}.")
    options = evolve(options, on_progress=control.follow)
    return (yield from control.run(_open(evolve(api, clock=control.clock), file, options, _upload)))


def start_upload(api: Api, file: FileInput, options: FileOptions, line: list[Control]) -> tuple[Steps[Upload], Control]:
    """Return the steps of a background upload, and its control."""
    check_all_options(options)
    control = Control(api.clock, options.on_progress, line)
    return upload_file(api, file, evolve(options, control=control)), control


def send_file(api: Api, file: FileInput, options: FileOptions) -> Steps[Sent]:
    """Send the parts of a file without completing the upload."""
    return (yield from _open(api, file, options, partial(_send_afresh, send=_send)))


def _open(api: Api, file: FileInput, options: FileOptions, use: Callable[[Opened], Steps[T]]) -> Steps[T]:
    """Open the file and its ledger, and close both after use."""
    stack = ExitStack()
    try:
        source: Source = yield Work(partial(open_source, file, options.size), is_remote(file))
        stack.callback(source.close)
        opened: Opened = yield Work(partial(open_upload, stack, api, source, options))
        result = yield from use(opened)
    except GeneratorExit as end:
        # No runner is left to run `Work`.
        stack.__exit__(type(end), end, None)
        raise
    except BaseException as error:
        if isinstance(error, errors.ScenarioError) and error.needs_new_upload:
            error.extend(". The next call starts a new upload.")
        yield Work(partial(stack.__exit__, type(error), error, None))
        raise
    yield Work(stack.close)
    return result


def _upload(opened: Opened) -> Steps[Upload]:
    upload_id, upload = yield from _send_afresh(opened, _send_and_complete)
    options = opened.options
    if options.wait:
        opened.report(UploadPhase.WAITING)
        try:
            with name_upload(upload_id):
                upload = yield from wait(
                    opened.api, upload_id, options.timeout, options.call, patience=options.patience, completing=True
                )
        except errors.APIStatusError as error:
            # Do not start afresh: it may have been imported before it was removed.
            error.needs_new_upload = error.status_code in REFUSED
            raise
    else:
        is_imported(upload, upload_id)
    opened.report(UploadPhase.DONE)
    return upload


def _send_afresh(opened: Opened, send: Callable[[Opened, Begun], Steps[T]]) -> Steps[T]:
    """Send a resumed or a new upload and, where only a new one can succeed, a new one once."""
    begun = (yield from resume(opened)) or (yield from _create(opened))
    try:
        with name_upload(begun.upload_id):
            return (yield from send(opened, begun))
    except errors.ScenarioError as error:
        if not error.needs_new_upload or not opened.options.restart_on_expiry or opened.source.once:
            raise
        about, reason = opened.source.about, error.message.rstrip(".")
        logger.warning("%sUpload %s: %s; it starts afresh.", about, begun.upload_id, reason)
    with name_upload(begun.upload_id):
        begun = yield from _create(opened)
    with name_upload(begun.upload_id):
        return (yield from send(opened, begun))


def _create(opened: Opened) -> Steps[Begun]:
    if opened.ledger:
        yield Work(opened.ledger.clear)
    reply = yield from fetch(opened.api, opened.create, patience=opened.options.patience)
    with name_upload(reply.value.upload.id):
        begun: Begun = yield Work(partial(begin, opened, reply.value.upload))
    return begun


def _send(opened: Opened, begun: Begun) -> Steps[Sent]:
    """Send the missing parts, checking that the file does not change."""
    source, md5s = opened.source, begun.md5s
    if begun.accepted:
        return begun.upload_id, md5s, opened.plan

    def note(number: int, md5: str | None) -> None:
        md5s[number] = md5
        if opened.ledger:
            # Check now, too: by the end the file may be restored. A URL is not checked here: that takes a request.
            if source.descriptor:
                source.check_unchanged()
            opened.ledger.record(number, md5)

    transfer = opened.transfer(begun.missing, on_progress=opened.options.on_progress, on_part=note)
    seen = source.state.ctime_ns if source.state else 0
    for _ in range(1 + COMPARISONS):
        attempt: int = yield transfer
        opened.attempt = max(opened.attempt, attempt)
        now: int = yield Work(source.check_unchanged, source.descriptor is None)
        if now == seen:
            return begun.upload_id, md5s, opened.plan
        seen = now
        # Only the change time moved: permissions, a rename, or new bytes with an old mtime. Compare MD5s; without
        # them, send again.
        logger.info("%sThe change time has moved, so the sent parts are compared with the file.", source.about)
        compared: Begun = yield Work(partial(begun.compare_with, md5s))
        transfer = opened.transfer(compared.parts, settled=True)
    raise errors.SourceChangedError(
        "The file keeps changing while it is sent; upload it again once nothing writes to it."
    )


def _send_and_complete(opened: Opened, begun: Begun) -> Steps[tuple[str, Upload]]:
    sent = yield from _send(opened, begun)
    if opened.options.on_sent:
        yield Work(partial(opened.options.on_sent, *sent))
    if begun.accepted:
        return begun.upload_id, begun.accepted
    opened.report(UploadPhase.COMPLETING)
    return begun.upload_id, (yield from complete_upload(opened.api, begun.upload_id, opened.options))


def complete_upload(api: Api, upload_id: str, options: FileOptions) -> Steps[Upload]:
    """Complete an upload, or return it when it is complete already."""
    operation = trigger_action(options.call, upload_id)
    policy = RetryPolicy(COMPLETE_RETRIES, clip=True, patience=options.patience)
    try:
        completed = yield from complete(api, operation, policy, refusals=api.options.max_retries)
    except errors.APIStatusError as failure:
        if failure.status_code not in REFUSED | {409} and failure.status_code < 500:
            raise
        # It may be complete nevertheless, or have a status of which only polls tell what comes of it.
        try:
            reply = yield from retrieve_once(api, upload_id, options.call, retries=None, patience=options.patience)
        except errors.APIError as error:
            failure.needs_new_upload = isinstance(error, errors.APIStatusError) and error.status_code in (404, 410)
            raise failure from error
        if is_past_pending(reply.value.upload.status):
            return reply.value.upload
        failure.needs_new_upload = failure.status_code in REFUSED
        raise
    return completed.value.upload
