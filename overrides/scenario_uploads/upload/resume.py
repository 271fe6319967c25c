"""Taking up an upload that an earlier call left: which of its parts count, and whether it can be gone on with."""

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
from scenario_uploads.transfer.parts import PartTarget, find_url_fault

from .ledger import Entry
from .prepare import Opened

logger = logging.getLogger("scenario_uploads")
GONE = frozenset({404, 410})
# Statuses of a `complete` for an upload that is gone or lacks parts.
REFUSED = GONE | {400, 422}


@frozen
class Begun:
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

    def compare_with(self, done: Mapping[int, str | None]) -> Begun:
        """Return this upload with no part done; parts are compared with their MD5s before they are sent."""
        targets = tuple(evolve(target, md5=done.get(target.part.number)) for target in self.targets)
        return evolve(self, targets=targets, done={})


def resume(opened: Opened, entry: Entry) -> Steps[Begun | None]:
    """Resume what an earlier call left, if possible; None means to start afresh."""
    begun = yield from _take_up(opened, entry)
    if isinstance(begun, str):
        name = snippet(entry.upload_id, 100)
        logger.warning("Upload %s cannot be resumed: %s; the upload starts afresh.", name, begun)
        return None
    done, state = len(entry.done), opened.source.state
    logger.info("Upload %s is resumed: %d of %d parts are there.", begun.upload_id, done, len(begun.targets))
    if opened.ledger and state and not entry.state.proves(state) and not begun.accepted:
        if done:
            logger.info("It cannot be told that the file is the same, so what was sent of it is compared with it.")
        # Each part counts again once it is compared. A crash before that must not leave it to another file.
        yield Work(partial(opened.ledger.begin, evolve(entry, state=state)))
    return begun


def _take_up(opened: Opened, entry: Entry) -> Steps[Begun | str]:
    """Return what an earlier call left, or why it cannot be taken up."""
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
            return "the file is not what was sent"
        return evolve(begun, accepted=upload)
    # With all parts there, what the URLs lead to is as old as they are.
    trouble: str | None = yield Work(partial(_find_url_trouble, opened, begun.targets))
    return trouble or begun


def _check_entry(opened: Opened, entry: Entry) -> Begun | str:
    """Return what a ledger says of an upload of this file, or why it cannot be taken up, as far as is known here."""
    plan, state = opened.plan, opened.source.state
    if (entry.state.size, entry.part_size) != (plan.size, plan.part_size) or state is None:
        return "the file or its part size has changed"
    try:
        check_upload_id(entry.upload_id)
    except InvalidArgumentError:
        return "its ledger names no upload"
    targets = tuple(PartTarget(plan.part(number), url, expires) for number, (url, expires) in enumerate(entry.parts, 1))
    begun = Begun(entry.upload_id, targets, entry.done)
    if not entry.state.proves(state):
        begun = begun.compare_with(entry.done if opened.options.integrity else {})
    return _find_url_trouble(opened, begun.missing) or begun


def _find_url_trouble(opened: Opened, targets: tuple[PartTarget, ...]) -> str | None:
    """Return why parts cannot be sent to where the ledger says, or None."""
    service, now = opened.api.options, opened.api.now()
    faults = (
        find_url_fault(target.url, api_url=service.base_url, allow_http=service.allow_http_storage)
        for target in targets
    )
    if any(faults):
        return "its URLs cannot be used here"
    return "its presigned URLs have expired" if any(target.is_expired(now) for target in targets) else None


def _is_what_was_sent(opened: Opened, entry: Entry, targets: tuple[PartTarget, ...]) -> Steps[bool]:
    """Return whether the service, which takes no part any more, has the bytes of this file."""
    if opened.source.state and entry.state.proves(opened.source.state):
        return True
    if any(target.md5 is None for target in targets):
        return False
    try:
        yield Transfer(make_job(opened, targets, settled=True))
    except SourceChangedError:
        return False
    return True


def make_job(opened: Opened, targets: tuple[PartTarget, ...], *, settled: bool = False) -> TransferJob:
    """Return the transfer of some parts; with `settled`, a part that differs from what was sent is an error."""
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
