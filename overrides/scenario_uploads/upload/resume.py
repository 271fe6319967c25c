"""Resuming an upload of an earlier call: whether that is possible, and which parts are done."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial

from attrs import evolve, field, frozen

from scenario_uploads.api.calls import UploadState, check_upload_id, classify_status, is_past_pending, retrieve_once
from scenario_uploads.errors import APIStatusError, InvalidArgumentError, SourceChangedError
from scenario_uploads.models import Upload
from scenario_uploads.redaction import snippet
from scenario_uploads.steps import Steps, Work
from scenario_uploads.transfer.engine import Transfer, TransferJob
from scenario_uploads.transfer.parts import Part, find_url_fault

from .ledger import Entry
from .prepare import Opened

logger = logging.getLogger("scenario_uploads")
GONE = frozenset({404, 410})
# Statuses of a `complete` for an upload that is gone or lacks parts.
REFUSED = GONE | {400, 422}


@frozen
class Begun:
    """A created upload: its parts, and which of them are stored."""

    upload_id: str
    targets: tuple[Part, ...] = field(repr=False)
    done: Mapping[int, str | None] = field(factory=dict, repr=False)
    """The stored parts, with the MD5 of the bytes sent, if it was computed."""
    accepted: Upload | None = None
    """The upload as the service returned it, if it has been completed already."""

    @property
    def missing(self) -> tuple[Part, ...]:
        """The parts to send."""
        return tuple(target for target in self.targets if target.number not in self.done)

    def compare_with(self, done: Mapping[int, str | None]) -> Begun:
        """Return this upload with no part done, whose parts are compared with their MD5s before they are sent."""
        targets = tuple(evolve(target, md5=done.get(target.number)) for target in self.targets)
        return evolve(self, targets=targets, done={})


def resume(opened: Opened, entry: Entry) -> Steps[Begun | None]:
    """Resume the upload of an earlier call, if possible; None means to start afresh."""
    begun = yield from _check_resumable(opened, entry)
    if isinstance(begun, str):
        name = snippet(entry.upload_id, 100)
        logger.warning("Upload %s cannot be resumed: %s; the upload starts afresh.", name, begun)
        return None
    done, state = len(entry.done), opened.source.state
    logger.info("Upload %s is resumed: %d of %d parts are stored.", begun.upload_id, done, len(begun.targets))
    if opened.ledger and state and not entry.state.proves(state) and not begun.accepted:
        if done:
            logger.info("The file may have changed, so its sent parts are compared with it.")
        # Forget the parts until they are compared: after a crash, they must not count for a changed file.
        yield Work(partial(opened.ledger.begin, evolve(entry, state=state)))
    return begun


def _check_resumable(opened: Opened, entry: Entry) -> Steps[Begun | str]:
    """Return the upload of an earlier call, or why it cannot be resumed."""
    begun: Begun | str = yield Work(partial(_check_entry, opened, entry))
    if isinstance(begun, str):
        return begun
    try:
        reply = yield from retrieve_once(
            opened.api, entry.upload_id, opened.options.call, retries=None, patience=opened.options.patience
        )
    except APIStatusError as error:
        if error.status_code not in REFUSED | {403}:
            raise
        return "the service no longer has it"
    upload = reply.value.upload
    if classify_status(upload.status, upload.entity_id) is UploadState.FAILED:
        return "it has failed"
    # An unknown status does not show that the missing parts are stored.
    if is_past_pending(upload.status, known=bool(begun.missing)):
        if not (yield from _is_what_was_sent(opened, entry, begun.targets)):
            return "the file differs from what was sent"
        return evolve(begun, accepted=upload)
    # The URLs of stored parts were not checked yet. Once they have expired, storage may have dropped the upload.
    trouble: str | None = yield Work(partial(_find_url_trouble, opened, begun.targets))
    return trouble or begun


def _check_entry(opened: Opened, entry: Entry) -> Begun | str:
    """Return the upload in a ledger, or why it cannot be resumed, as far as known without a request."""
    plan, state = opened.plan, opened.source.state
    if (entry.state.size, entry.part_size) != (plan.size, plan.part_size) or state is None:
        return "the file or its part size has changed"
    try:
        check_upload_id(entry.upload_id)
    except InvalidArgumentError:
        return "its ledger names no upload"
    targets = tuple(plan.part(number, url, expires) for number, (url, expires) in enumerate(entry.parts, 1))
    begun = Begun(entry.upload_id, targets, entry.done)
    if not entry.state.proves(state):
        begun = begun.compare_with(entry.done if opened.options.integrity else {})
    return _find_url_trouble(opened, begun.missing) or begun


def _find_url_trouble(opened: Opened, targets: tuple[Part, ...]) -> str | None:
    """Return why the URLs of the ledger cannot be used, or None."""
    service, now = opened.api.options, opened.api.now()
    faults = (
        find_url_fault(target.url, api_url=service.base_url, allow_http=service.allow_http_storage)
        for target in targets
    )
    if any(faults):
        return "its URLs cannot be used here"
    return "its presigned URLs have expired" if any(target.is_expired(now) for target in targets) else None


def _is_what_was_sent(opened: Opened, entry: Entry, targets: tuple[Part, ...]) -> Steps[bool]:
    """Return whether an upload that accepts no more parts has the bytes of this file."""
    if opened.source.state and entry.state.proves(opened.source.state):
        return True
    if any(target.md5 is None for target in targets):
        return False
    try:
        yield Transfer(make_job(opened, targets, settled=True))
    except SourceChangedError:
        return False
    return True


def make_job(opened: Opened, targets: tuple[Part, ...], *, settled: bool = False) -> TransferJob:
    """Return the transfer job for some parts; with `settled`, a part that differs from the bytes sent is an error."""
    options = opened.options
    return TransferJob(
        opened.source,
        targets,
        opened.plan.size,
        opened.plan.parts_count,
        options.concurrency,
        integrity=options.integrity,
        patience=options.patience,
        max_bandwidth=options.max_bandwidth,
        settled=settled,
        turns=options.turns,
    )
