"""Beginning an upload, or resuming that of an earlier call: whether that is possible, and which parts are done."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from attrs import evolve, field, frozen

from scenario_uploads.api.calls import is_past_pending, retrieve_once
from scenario_uploads.errors import APIStatusError, InvalidArgumentError, SourceChangedError
from scenario_uploads.logs import logger
from scenario_uploads.models import Upload, UploadPart
from scenario_uploads.redaction import snippet
from scenario_uploads.retry import REFUSED
from scenario_uploads.steps import Steps, Work
from scenario_uploads.transfer.parts import Part, find_url_fault, match_parts

from .ledger import Entry
from .prepare import Opened


@frozen
class Begun:
    """A created upload: its parts, and which of them are stored."""

    upload_id: str
    parts: tuple[Part, ...] = field(repr=False)
    done: Mapping[int, str | None] = field(factory=dict, repr=False)  # the stored parts, with their MD5 if computed
    accepted: Upload | None = None  # as the service returned it, if it has been completed already

    @property
    def missing(self) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if part.number not in self.done)

    @property
    def md5s(self) -> dict[int, str | None]:
        return {part.number: part.md5 for part in self.parts} | dict(self.done)

    def compare_with(self, done: Mapping[int, str | None]) -> Begun:
        """Return this upload with no part done, whose parts are compared with their MD5s before they are sent."""
        return evolve(self, parts=tuple(evolve(part, md5=done.get(part.number)) for part in self.parts), done={})


class _UselessError(Exception):
    """Why an upload cannot be resumed."""


def begin(opened: Opened, upload: Upload) -> Begun:
    """Match the parts with the presigned URLs of a new upload, and write these to the ledger."""
    source, plan, service = opened.source, opened.plan, opened.api.options
    # The tolerant decoder leaves a value of the wrong type as it is.
    answered = upload.parts if isinstance(upload.parts, list) else []
    urls = [part for part in answered if isinstance(part, UploadPart)]
    parts = match_parts(plan, urls, api_url=service.base_url, allow_http=service.allow_http_storage)
    if opened.ledger and source.path and source.state:
        kept = tuple((part.url, part.expires) for part in parts)
        entry = Entry(upload.id, source.path, source.state, plan.part_size, kept, {}, service.base_url, opened.asked)
        opened.ledger.begin(entry)
    return Begun(upload.id, parts)


def resume(opened: Opened) -> Steps[Begun | None]:
    """Resume the upload of an earlier call; None when there is none, or only a new one can succeed."""
    entry: Entry | None = (yield Work(opened.ledger.read)) if opened.ledger else None
    if entry is None:
        return None
    try:
        return (yield from _resume(opened, entry))
    except _UselessError as reason:
        about, upload_id = opened.source.about, snippet(entry.upload_id, 100)
        logger.warning("%sUpload %s cannot be resumed: %s; it starts afresh.", about, upload_id, reason)
        return None


def _resume(opened: Opened, entry: Entry) -> Steps[Begun]:
    state, call, patience = opened.source.state, opened.options.call, opened.options.patience
    begun: Begun = yield Work(partial(_read_entry, opened, entry))
    try:
        reply = yield from retrieve_once(opened.api, entry.upload_id, call, retries=None, patience=patience)
    except (APIStatusError, InvalidArgumentError) as error:
        if isinstance(error, APIStatusError) and error.status_code not in REFUSED | {403}:
            raise
        raise _UselessError("the service no longer has it") from error
    upload = reply.value.upload
    if upload.status == "failed":
        raise _UselessError("it has failed")
    unchanged = state is not None and entry.state.proves(state)
    # An unknown status does not show that the missing parts are stored.
    if is_past_pending(upload.status, known=bool(begun.missing)):
        if not unchanged:
            yield from _compare(opened, begun)
        return evolve(begun, accepted=upload)
    # The URLs of stored parts count, too: once they have expired, storage may have dropped the upload.
    yield Work(partial(_check_urls, opened, begun))
    about, count = opened.source.about, len(begun.parts)
    logger.info("%sUpload %s is resumed: %d of %d parts are stored.", about, begun.upload_id, len(entry.done), count)
    if opened.ledger and state and not unchanged:
        # Forget the parts until they are compared: after a crash, they must not count for a changed file.
        logger.info("%sThe file may have changed, so the sent parts are compared with it.", about)
        yield Work(partial(opened.ledger.begin, evolve(entry, state=state)))
    return begun


def _read_entry(opened: Opened, entry: Entry) -> Begun:
    """Return the upload in a ledger, as far as known without a request."""
    plan, state = opened.plan, opened.source.state
    if (entry.state.size, entry.part_size) != (plan.size, plan.part_size) or state is None:
        raise _UselessError("the file or its part size has changed")
    parts = tuple(plan.part(number, url, expires) for number, (url, expires) in enumerate(entry.parts, 1))
    begun = Begun(entry.upload_id, parts, entry.done)
    if entry.state.proves(state):
        return begun
    return begun.compare_with(entry.done if opened.options.integrity else {})


def _check_urls(opened: Opened, begun: Begun) -> None:
    service, now = opened.api.options, opened.api.now()
    for part in begun.parts:
        if find_url_fault(part.url, api_url=service.base_url, allow_http=service.allow_http_storage):
            raise _UselessError("its URLs cannot be used here")
        if part.is_expired(now):
            raise _UselessError("its presigned URLs have expired")


def _compare(opened: Opened, begun: Begun) -> Steps[None]:
    """Check that the bytes of this file are those that were sent."""
    try:
        if any(part.md5 is None for part in begun.parts):
            raise SourceChangedError("Parts without an MD5 cannot be compared.")
        yield opened.transfer(begun.parts, settled=True)
    except SourceChangedError as error:
        raise _UselessError("the file differs from what was sent") from error
