"""Rows 29 and 30: an upload that was cut off is taken up by the same call, or begun afresh and said so."""

from __future__ import annotations

import hashlib
import itertools
import json
import logging
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from attrs import evolve
from scenario_uploads import (
    APIStatusError,
    InternalServerError,
    LedgerLockedError,
    NotFoundError,
    PermissionDeniedError,
    Scenario,
    SourceChangedError,
    TransferError,
    UploadFailedError,
    UploadProgress,
    UploadTimeoutError,
)
from scenario_uploads.sandbox import Sandbox
from scenario_uploads.sandbox.storage.gate import StorageGate
from scenario_uploads.system import FileState
from scenario_uploads.transfer import parts, source
from scenario_uploads.upload import prepare
from scenario_uploads.upload.ledger import SUFFIX, Entry, Ledger, list_entries

from tests.support.clients import Clock, Connect, raises
from tests.support.content import make_glb
from tests.support.folders import move_state
from tests.support.server import Answering, Exchange, lose, reply, until
from tests.support.service import SIGNATURE, UPLOAD_ID, Service, answer_upload

MIB = 1024 * 1024
# Far below what S3 takes, see `call`.
PART = 64 * 1024
PARTS = 4
SIZE = PARTS * PART - 5
CONTENT = make_glb(SIZE)

REFUSED = reply(400, b"<Error><Code>EntityTooSmall</Code></Error>")
GONE = reply(404, b"<Error><Code>NoSuchUpload</Code></Error>")
EXPIRED = reply(403, b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>")
PENDING = answer_upload(status="pending", entityId=None)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "dragon.glb").write_bytes(CONTENT)
    return tmp_path / "dragon.glb"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ledgers"


class Caller:
    """Makes the same call again and again, and notes what storage got."""

    def __init__(self, connect: Connect, service: Service, file: Path, folder: Path) -> None:
        self._connect, self.service, self.file, self.folder = connect, service, file, folder

    def __call__(self, **options: Any) -> Any:
        given = {"part_size": PART, "resume": self.folder, "concurrency": 1} | options
        return self._connect(self.service.url).uploads.upload_file(self.file, **given)

    def cut_off(self, *, at: int = 3) -> None:
        """Send what comes before a part, which is refused for good."""
        self.service.script(f"part {at}", REFUSED)
        with pytest.raises(TransferError, match="EntityTooSmall"):
            self()
        self.service.requests.clear()
        self.service.parts.clear()
        # The upload that is taken up has not been completed.
        self.service.script("retrieve", answer_upload(status="pending", entityId=None))

    @property
    def ledgers(self) -> list[Path]:
        return list(self.folder.iterdir())

    @property
    def entry(self) -> Entry:
        ((_, entry),) = list_entries(self.folder)
        return entry

    @property
    def sent(self) -> list[int]:
        """The parts that storage got, in order."""
        return [int(step[5:]) for step in self.service.steps if step.startswith("part ")]

    def assert_parts_are_right(self) -> None:
        for number, request in self.service.parts.items():
            assert request.md5 == hashlib.md5(CONTENT[(number - 1) * PART : number * PART]).hexdigest()


@pytest.fixture
def call(
    connect: Connect, service: Service, clock: Clock, file: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Caller:
    monkeypatch.setattr(parts, "MIN_PART_SIZE", 1)
    return Caller(connect, service, file, folder)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO, "scenario_uploads"):
        yield caplog


def happen(call: Caller, at: int, change: Callable[[], object]) -> None:
    """Let something happen when storage gets a part."""

    def answer(exchange: Exchange) -> None:
        change()
        exchange.read_body()
        call.service.parts[at] = exchange.request
        reply(200)(exchange)

    call.service.script(f"part {at}", answer)


class TestTakingUp:
    @pytest.mark.posix
    def test_29_only_what_is_missing_is_sent(self, call: Caller, log: pytest.LogCaptureFixture) -> None:
        call.cut_off(at=3)
        seen: list[UploadProgress] = []
        assert call(on_progress=seen.append).entity_id == "asset_1"
        assert call.service.steps == ["retrieve", "part 3", "part 4", "complete", "retrieve"]
        call.assert_parts_are_right()
        assert (seen[0].bytes_done, seen[0].parts_done, seen[0].parts_total) == (2 * PART, 2, PARTS)
        assert (seen[-1].bytes_done, seen[-1].parts_done) == (SIZE, PARTS)
        assert f"Upload {UPLOAD_ID} is resumed: 2 of 4 parts are stored." in log.text
        assert [] == call.ledgers

    def test_29_again_and_again(self, call: Caller) -> None:
        for at in (2, 3, 4):
            call.cut_off(at=at)
        call()
        assert call.sent == [4]

    def test_29_with_every_part_there_none_is_sent(self, call: Caller, clock: Clock) -> None:
        call.service.script("complete", *[reply(500)] * 20)
        call.service.script("retrieve", *[answer_upload(status="pending", entityId=None)] * 9)
        with raises(InternalServerError) as caught:
            call()
        assert caught.error.upload_id == UPLOAD_ID
        assert set(call.entry.done) == {1, 2, 3, 4}
        call.service._scripts.clear()
        call.service.requests.clear()
        call.service.script("retrieve", answer_upload(status="pending", entityId=None))
        call()
        assert call.service.steps == ["retrieve", "complete", "retrieve"]

    @pytest.mark.posix
    @pytest.mark.parametrize("wait", [True, False])
    @pytest.mark.parametrize("status", ["validating", "validated", "imported", "complete"])
    def test_29_what_was_completed_already_is_only_waited_for(self, call: Caller, status: str, wait: bool) -> None:
        call.cut_off()
        call.service._scripts.clear()
        call.service.script("retrieve", answer_upload(status=status, entityId=None))
        result = call(wait=wait)
        assert call.service.steps == ["retrieve", "retrieve"][: 1 + wait]
        assert result.status == ("imported" if wait else status)
        assert [] == call.ledgers

    def test_25_parts_of_a_file_that_changed_are_not_taken_for_its_own(self, call: Caller) -> None:
        """Not even when the file is again what it was, its time of change included, as from a backup."""
        before = call.file.stat()

        def spoil(event: UploadProgress) -> None:
            if event.parts_done == 1:
                with call.file.open("r+b") as opened:
                    opened.seek(PART + 100)
                    opened.write(b"other bytes")
                os.utime(call.file, ns=(before.st_atime_ns, before.st_mtime_ns + 1000))

        with pytest.raises(SourceChangedError):
            call(on_progress=spoil)
        assert [] == call.ledgers
        call.file.write_bytes(CONTENT)
        os.utime(call.file, ns=(before.st_atime_ns, before.st_mtime_ns))
        call.service.requests.clear()
        call.service.parts.clear()
        assert call().entity_id == "asset_1"
        assert call.sent == [1, 2, 3, 4]
        call.assert_parts_are_right()

    def test_25_no_part_is_noted_once_the_file_has_changed(self, call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
        """So that a crash before the end leaves nothing wrong either."""
        noted: list[int] = []
        monkeypatch.setattr(source, "KEPT_SIZE", SIZE - 1)
        monkeypatch.setattr(Ledger, "record", lambda _ledger, number, _md5: noted.append(number))
        happen(call, 2, lambda: os.utime(call.file, ns=(1, 1)))
        with pytest.raises(SourceChangedError):
            call()
        # Part 1 may not have been noted by then.
        assert not set(noted) - {1}
        assert call.service.steps[-1].startswith("part")

    @pytest.mark.parametrize("status", ["brand-new", "uploading"])
    def test_29_a_status_that_nobody_knows_makes_no_part_superfluous(self, call: Caller, status: str) -> None:
        call.cut_off()
        missing = {1, 2, 3, 4} - set(call.entry.done)
        call.service._scripts.clear()
        call.service.requests.clear()
        call.service.script("retrieve", answer_upload(status=status, entityId=None))
        assert call().entity_id == "asset_1"
        assert set(call.sent) == missing
        assert "complete" in call.service.steps

    def test_29_after_waiting_in_vain_too(self, call: Caller) -> None:
        call.service.script("retrieve", answer_upload(status="validating", entityId=None))
        with pytest.raises(UploadTimeoutError):
            call(timeout=0)
        assert set(call.entry.done) == {1, 2, 3, 4}
        call.service.requests.clear()
        assert call().entity_id == "asset_1"
        assert call.service.steps == ["retrieve", "retrieve"]
        assert [] == call.ledgers

    @pytest.mark.parametrize("fault", [reply(503), lose], ids=["503", "lost"])
    def test_29_one_bad_moment_of_the_service_does_not_hinder_it(self, call: Caller, fault: Answering) -> None:
        call.cut_off()
        call.service._scripts.clear()
        call.service.script("retrieve", fault, answer_upload(status="pending", entityId=None))
        call()
        assert call.sent == [3, 4]

    def test_29_37_an_answer_about_another_upload_says_nothing_of_this_one(self, call: Caller) -> None:
        call.cut_off()
        call.service._scripts.clear()
        other = answer_upload(id="upload_of_somebody_else", status="imported")
        call.service.script("retrieve", other, answer_upload(status="pending", entityId=None))
        assert call().id == UPLOAD_ID
        assert call.sent == [3, 4]

    def test_29_a_service_that_is_away_is_an_error_and_nothing_is_lost(self, call: Caller) -> None:
        call.cut_off()
        call.service._scripts.clear()
        call.service.script("retrieve", *[reply(503)] * 3)
        with raises(InternalServerError, "503") as caught:
            call()
        assert caught.error.upload_id == UPLOAD_ID
        assert set(call.entry.done) == {1, 2}

    def test_12_29_urls_that_run_out_meanwhile_lead_to_a_fresh_upload(self, call: Caller) -> None:
        call.cut_off()
        call.service.script("part 4", EXPIRED)
        call()
        assert call.sent == [3, 4, 1, 2, 3, 4]
        assert [] == call.ledgers


def replace(file: Path, content: bytes) -> None:
    """Put another file in its place, with size and time of the first, as `cp -p`, `rsync -t` and `tar x` do."""
    before, other = file.stat(), file.with_name("other")
    other.write_bytes(content)
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(file)


def overwrite(file: Path, content: bytes) -> None:
    """Write into it, and put its time back."""
    before = file.stat()
    with file.open("r+b") as opened:
        opened.write(content)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def copy(file: Path, content: bytes) -> None:
    """Put another file in its place, with a time of its own."""
    file.unlink()
    file.write_bytes(content)


def touch(file: Path, _content: bytes) -> None:
    os.utime(file, ns=(1, 1))


def permit(file: Path, _content: bytes) -> None:
    """Change the time of change alone, as a backup or an indexer does."""
    file.chmod(0o640)


class TestAnotherFile:
    """Row 36: what makes a file the same one, and what becomes of a ledger when that cannot be shown."""

    @pytest.mark.parametrize("change", [replace, overwrite, copy])
    @pytest.mark.parametrize("integrity", [True, False])
    def test_36_never_mixes_with_the_first(
        self, call: Caller, change: Callable[[Path, bytes], None], integrity: bool
    ) -> None:
        call.cut_off(at=4)
        other = CONTENT[: 2 * PART] + CONTENT[2 * PART :][::-1]
        change(call.file, other)
        result = call(integrity=integrity)
        assert result.entity_id == "asset_1"
        assert call.service.steps[0] == "retrieve"
        # Parts 1 and 2 are what storage has; without MD5s nobody knows that.
        assert call.sent == ([3, 4] if integrity else [1, 2, 3, 4])
        for number, request in call.service.parts.items():
            assert request.md5 == hashlib.md5(other[(number - 1) * PART : number * PART]).hexdigest()

    @pytest.mark.parametrize("change", [replace, overwrite, copy, touch, permit])
    def test_36_the_same_bytes_are_taken_up_however_they_came_there(
        self, call: Caller, change: Callable[[Path, bytes], None], log: pytest.LogCaptureFixture
    ) -> None:
        call.cut_off(at=3)
        change(call.file, CONTENT)
        seen: list[UploadProgress] = []
        call(on_progress=seen.append)
        assert call.sent == [3, 4]
        assert (seen[-1].bytes_done, seen[-1].parts_done) == (SIZE, PARTS)
        assert "the sent parts are compared with" in log.text
        assert [] == call.ledgers

    @pytest.mark.parametrize("change", [copy, permit])
    def test_36_without_checksums_all_is_sent_again(self, call: Caller, change: Callable[[Path, bytes], None]) -> None:
        call.service.script("part 3", REFUSED)
        with pytest.raises(TransferError):
            call(integrity=False)
        assert call.entry.done == {1: None, 2: None}
        change(call.file, CONTENT)
        call.service.requests.clear()
        call.service.script("retrieve", PENDING)
        call()
        assert call.sent == [1, 2, 3, 4]

    @pytest.mark.posix
    def test_36_the_same_file_is_taken_up_without_checksums(self, call: Caller) -> None:
        call.service.script("part 3", REFUSED)
        with pytest.raises(TransferError):
            call(integrity=False)
        call.service.requests.clear()
        call.service.script("retrieve", PENDING)
        call(integrity=False)
        assert call.sent == [3, 4]

    def test_36_nothing_is_proven_where_there_is_no_change_time(
        self, call: Caller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As on Windows."""
        of = FileState.of
        monkeypatch.setattr(FileState, "of", lambda descriptor: evolve(of(descriptor), ctime_ns=0))
        call.cut_off(at=4)
        overwrite(call.file, CONTENT[::-1])
        call()
        assert call.sent == [1, 2, 3, 4]

    @pytest.mark.parametrize(("integrity", "sent"), [(True, [3, 4]), (False, [1, 2, 3, 4])])
    def test_36_there_the_md5_of_each_part_tells_and_without_it_all_is_sent_again(
        self, call: Caller, integrity: bool, sent: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        of = FileState.of
        monkeypatch.setattr(FileState, "of", lambda status: evolve(of(status), ctime_ns=0))
        call.service.script("part 3", REFUSED)
        with pytest.raises(TransferError):
            call(integrity=integrity)
        call.service.requests.clear()
        call.service.script("retrieve", PENDING)
        call(integrity=integrity)
        assert call.sent == sent

    def test_36_part_by_part_counts_again_once_it_is_compared(self, call: Caller) -> None:
        """A second crash must not leave parts of the second file to the first, when that comes back."""
        call.cut_off(at=3)
        replace(call.file, CONTENT[::-1])
        call.cut_off(at=2)
        assert set(call.entry.done) == {1}
        replace(call.file, CONTENT)
        call()
        assert call.sent == [1, 2, 3, 4]
        call.assert_parts_are_right()

    @pytest.mark.parametrize(("integrity", "afresh"), [(True, False), (False, True)])
    def test_36_an_upload_that_is_complete_is_waited_for_only_with_the_same_bytes(
        self, call: Caller, integrity: bool, afresh: bool
    ) -> None:
        call.service.script("retrieve", answer_upload(status="validating", entityId=None))
        with pytest.raises(UploadTimeoutError):
            call(timeout=0)
        call.service.requests.clear()
        touch(call.file, CONTENT)
        call(integrity=integrity)
        assert ("create" in call.service.steps) == afresh

    def test_36_nor_is_it_the_result_for_another_file(self, call: Caller, log: pytest.LogCaptureFixture) -> None:
        call.service.script("retrieve", answer_upload(status="validating", entityId=None))
        with pytest.raises(UploadTimeoutError):
            call(timeout=0)
        call.service.requests.clear()
        call.service.parts.clear()
        replace(call.file, CONTENT[::-1])
        call()
        assert call.service.steps[:2] == ["retrieve", "create"]
        assert call.sent == [1, 2, 3, 4]
        assert "the file differs from what was sent; it starts afresh" in log.text


class TestMeanwhile:
    """Row 36, within one call: something happens to the file while its parts are sent."""

    @pytest.mark.posix
    @pytest.mark.parametrize("resume", [True, False])
    def test_36_bytes_that_were_sent_are_overwritten_and_the_time_put_back(
        self, call: Caller, resume: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(source, "KEPT_SIZE", SIZE - 1)
        happen(call, 3, lambda: overwrite(call.file, CONTENT[:100] + b"other" + CONTENT[105:]))
        # A look between the write and the time put back sees the time, a later one that part 1 differs.
        with pytest.raises(SourceChangedError, match="The file changed while it was being sent"):
            call(**({} if resume else {"resume": False}))
        assert "complete" not in call.service.steps
        assert not resume or [] == call.ledgers

    @pytest.mark.parametrize("place", [100, SIZE - 100])
    def test_36_a_small_file_that_is_overwritten_is_sent_as_it_was(self, call: Caller, place: int) -> None:
        """Whether the bytes were sent by then or not."""
        happen(call, 3, lambda: overwrite(call.file, CONTENT[:place] + b"other" + CONTENT[place + 5 :]))
        assert call().entity_id == "asset_1"
        call.assert_parts_are_right()

    @pytest.mark.posix
    def test_36_what_is_written_while_a_small_file_is_read_into_memory_is_told(
        self, call: Caller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read_into = source._Descriptor.read_into

        def read_late(self: source._Descriptor, offset: int, buffer: memoryview) -> memoryview:
            chunk = bytes(read_into(self, offset, buffer))
            if len(buffer) == SIZE:
                overwrite(call.file, b"other" + CONTENT[5:])
            return memoryview(chunk)

        monkeypatch.setattr(source._Descriptor, "read_into", read_late)
        assert call().entity_id == "asset_1"
        # What was read then is not used.
        assert call.service.parts[1].md5 == hashlib.md5(b"other" + CONTENT[5:PART]).hexdigest()

    @pytest.mark.parametrize("integrity", [True, pytest.param(False, marks=pytest.mark.posix)])
    def test_36_a_change_time_alone_that_moved_is_no_error(self, call: Caller, integrity: bool) -> None:
        happen(call, 3, lambda: call.file.chmod(0o640))
        assert call(integrity=integrity).entity_id == "asset_1"
        # Without checksums nothing tells that what was sent is of the same file.
        assert call.sent == ([1, 2, 3, 4] if integrity else [1, 2, 3, 4, 1, 2, 3, 4])
        assert [] == call.ledgers

    @pytest.mark.posix
    def test_36_a_file_that_is_replaced_is_sent_as_it_was(self, call: Caller) -> None:
        happen(call, 3, lambda: replace(call.file, CONTENT[::-1]))
        assert call().entity_id == "asset_1"
        call.assert_parts_are_right()

    @pytest.mark.posix
    def test_36_without_checksums_one_that_never_rests_is_given_up(self, call: Caller) -> None:
        modes = itertools.cycle([0o640, 0o600])
        for _ in range(9):
            happen(call, 2, lambda: call.file.chmod(next(modes)))
        with pytest.raises(SourceChangedError, match="keeps changing"):
            call(integrity=False)
        assert call.sent == [1, 2, 3, 4] * 3
        assert "complete" not in call.service.steps


class TestGivingUp:
    """Row 40: a ledger that cannot lead anywhere."""

    @staticmethod
    def serve_fresh(call: Caller) -> None:
        fresh = answer_upload(id="upload_2", status="pending", entityId=None, parts=call.service.make_parts(PARTS))
        call.service.script("create", fresh)

    @pytest.mark.parametrize("refusal", [GONE, EXPIRED, reply(400, b"<Code>ExpiredToken</Code>")])
    def test_40_storage_that_takes_nothing_more_leads_to_one_fresh_upload(
        self, call: Caller, refusal: Answering, log: pytest.LogCaptureFixture
    ) -> None:
        call.cut_off(at=2)
        self.serve_fresh(call)
        call.service.script("part 3", refusal)
        assert call().id == "upload_2"
        assert call.sent == [2, 3, 1, 2, 3, 4]
        assert "; it starts afresh." in log.text
        assert [] == call.ledgers

    @pytest.mark.parametrize("restart", [True, False])
    def test_40_one_and_not_two_and_then_the_next_call_starts_afresh(self, call: Caller, restart: bool) -> None:
        call.service.script("part 2", *[GONE] * 2)
        with pytest.raises(TransferError, match=r"NoSuchUpload\. The next call starts a new upload\.") as caught:
            call(restart_on_expiry=restart)
        assert caught.value.needs_new_upload
        assert call.service.steps.count("create") == 1 + restart
        assert [] == call.ledgers
        call.service._scripts.clear()
        call.service.requests.clear()
        call()
        assert call.service.steps[0] == "create"

    @pytest.mark.parametrize("status", [400, 404, 410, 422])
    def test_40_a_complete_that_is_refused_while_pending_leads_to_one_fresh_upload(
        self, call: Caller, status: int
    ) -> None:
        self.refuse_complete(call, status, PENDING)
        created = answer_upload(status="pending", entityId=None, parts=call.service.make_parts(PARTS))
        call.service.script("create", created)
        self.serve_fresh(call)
        assert call().id == "upload_2"
        assert call.service.steps.count("create") == 2
        assert call.sent == [1, 2, 3, 4, 1, 2, 3, 4]

    @staticmethod
    def refuse_complete(call: Caller, status: int, retrieved: Answering) -> None:
        """Refuse every complete of the first upload, which a retrieve finds like this."""
        tries = 3 if status == 400 else 1
        call.service.script("complete", *[reply(status, {"reason": "part 2 is missing"})] * tries)
        call.service.script("retrieve", *[retrieved] * (4 if status == 400 else 1))

    @pytest.mark.parametrize("status", [400, 404, 410, 422])
    def test_40_else_the_error_says_what_the_next_call_does(self, call: Caller, status: int) -> None:
        self.refuse_complete(call, status, PENDING)
        with pytest.raises(APIStatusError, match=r"part 2 is missing.*\. The next call starts a new upload\.$"):
            call(restart_on_expiry=False)
        assert [] == call.ledgers

    @pytest.mark.parametrize("status", [400, 404, 410, 422])
    def test_40_41_one_that_did_nothing_and_is_refused_when_sent_again(self, call: Caller, status: int) -> None:
        call.service.script("complete", PENDING, *[reply(status, {"reason": "part 2 is missing"})] * 3)
        call.service.script("retrieve", *[PENDING] * 9)
        with pytest.raises(APIStatusError, match=r"part 2 is missing.*\. The next call starts a new upload\.$"):
            call()
        assert call.service.steps.count("complete") == 4
        assert [] == call.ledgers

    def test_40_41_but_a_status_may_be_stale_for_a_while(self, call: Caller) -> None:
        call.service.script("complete", PENDING, *[reply(400, {"reason": "it is not pending"})] * 2)
        call.service.script("retrieve", *[PENDING] * 5)
        assert call().entity_id == "asset_1"

    def test_40_a_complete_that_is_refused_because_it_is_done_is_done(self, call: Caller) -> None:
        self.refuse_complete(call, 404, answer_upload(status="validating", entityId=None))
        assert call().id == UPLOAD_ID
        assert call.service.steps.count("create") == 1

    def test_40_when_nobody_knows_the_ledger_is_kept(self, call: Caller) -> None:
        self.refuse_complete(call, 404, reply(401, {}))
        with pytest.raises(NotFoundError) as caught:
            call()
        assert not caught.value.needs_new_upload
        assert set(call.entry.done) == {1, 2, 3, 4}

    @pytest.mark.parametrize("status", [404, 410])
    def test_40_an_upload_that_vanishes_while_it_is_waited_for(self, call: Caller, status: int) -> None:
        """It may have been imported, so it is not sent again unasked."""
        call.service.script("retrieve", reply(status, {"reason": "no such upload"}))
        with pytest.raises(APIStatusError, match="The next call starts a new upload"):
            call()
        assert call.service.steps.count("create") == 1
        assert [] == call.ledgers

    def test_40_urls_past_their_time_although_all_parts_are_there(
        self, call: Caller, log: pytest.LogCaptureFixture, clock: Clock
    ) -> None:
        parts = [made | {"expires": "2026-01-01T02:00:00Z"} for made in call.service.make_parts(PARTS)]
        call.service.script("create", answer_upload(status="pending", entityId=None, parts=parts))
        call.service.script("complete", reply(403, {}))
        with pytest.raises(PermissionDeniedError):
            call()
        assert set(call.entry.done) == {1, 2, 3, 4}
        clock.seconds += 2 * 3600
        call.service.requests.clear()
        call.service.script("retrieve", PENDING)
        call()
        assert call.service.steps[:2] == ["retrieve", "create"]
        assert "its presigned URLs have expired" in log.text

    def test_40_a_ledger_is_given_up_before_the_fresh_upload_is_asked_for(self, call: Caller) -> None:
        call.cut_off(at=2)
        call.service.script("part 2", GONE)
        call.service.script("create", *[reply(403, {})] * 9)
        with pytest.raises(PermissionDeniedError):
            call()
        assert [] == call.ledgers


class TestByDefault:
    """`resume=None`: as far as it is possible, and without a word."""

    @pytest.fixture(autouse=True)
    def _state_folder(self, call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
        move_state(monkeypatch, call.folder)
        call.folder = call.folder / "scenario-uploads"

    def test_29_a_path_of_several_parts_is_taken_up(self, call: Caller) -> None:
        call.service.script("part 3", REFUSED)
        with pytest.raises(TransferError):
            call._connect(call.service.url).uploads.upload_file(call.file, part_size=PART, concurrency=1)
        call.service.requests.clear()
        call.service.script("retrieve", PENDING)
        call(resume=None)
        assert call.sent == [3, 4]
        assert [] == call.ledgers

    def test_30_what_is_no_path_or_has_one_part_needs_none(
        self, call: Caller, caplog: pytest.LogCaptureFixture
    ) -> None:
        client = call._connect(call.service.url)
        assert client.uploads.upload_file(CONTENT, file_name="a.glb")
        with call.file.open("rb") as opened:
            assert client.uploads.upload_file(opened)
        assert client.uploads.upload_file(call.file, part_size=SIZE)
        assert not call.folder.exists()
        assert [] == caplog.records

    def test_30_where_it_is_impossible_it_is_passed_over(self, call: Caller, caplog: pytest.LogCaptureFixture) -> None:
        call.folder.parent.write_text("a file")
        with caplog.at_level(logging.DEBUG, "scenario_uploads"):
            assert call(resume=None)
        (line,) = [record for record in caplog.records if "cannot be resumed later" in record.getMessage()]
        assert line.levelname == "DEBUG"
        assert not [record for record in caplog.records if record.levelno >= logging.WARNING]

    def test_30_without_a_home_too(
        self, call: Caller, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(prepare, "find_state_folder", Mock(side_effect=OSError(2, "this user has no home folder")))
        with caplog.at_level(logging.WARNING, "scenario_uploads"):
            assert call(resume=None)
            assert [] == caplog.records
            assert call(resume=True)
        assert "this user has no home folder" in caplog.text

    def test_30_a_ledger_that_is_in_use_is_passed_over(self, call: Caller, caplog: pytest.LogCaptureFixture) -> None:
        results: list[Any] = []

        def second(event: UploadProgress) -> None:
            if not results and event.parts_done == 1:
                with pytest.raises(LedgerLockedError):
                    again(call.service.url, resume=True)
                results.append(again(call.service.url, resume=None))

        def again(url: str, **options: Any) -> Any:
            with Scenario(base_url=url, api_key="key_of_test", api_secret="s3cret-of-test") as client:
                return client.uploads.upload_file(call.file, part_size=PART, **options)

        with caplog.at_level(logging.DEBUG, "scenario_uploads"):
            call(resume=None, on_progress=second)
        assert results[0].entity_id == "asset_1"
        assert "The upload cannot be resumed later: Another upload of this file is in progress" in caplog.text

    def test_30_a_damaged_ledger_is_passed_over(self, call: Caller, caplog: pytest.LogCaptureFixture) -> None:
        call.service.script("part 3", REFUSED)
        with pytest.raises(TransferError):
            call(resume=None)
        (path,) = call.ledgers
        path.write_bytes(b"damaged\n")
        with caplog.at_level(logging.WARNING, "scenario_uploads"):
            assert call(resume=None)
        assert [] == caplog.records


class TestStartingAfresh:
    def test_29_when_the_file_has_another_size(self, call: Caller, log: pytest.LogCaptureFixture) -> None:
        call.cut_off()
        os.truncate(call.file, SIZE - 1)
        call()
        assert call.sent == [1, 2, 3, 4]
        assert call.service.steps[0] == "create"
        assert "the file or its part size has changed; it starts afresh" in log.text
        assert [] == call.ledgers

    def test_29_when_it_is_cut_otherwise(self, call: Caller, log: pytest.LogCaptureFixture) -> None:
        call.cut_off()
        call(part_size=PART + 1)
        assert call.sent == [1, 2, 3, 4]
        assert "the file or its part size has changed; it starts afresh" in log.text

    @pytest.mark.parametrize(
        "options", [{"kind": "model"}, {"file_name": "b.glb"}, {"asset_options": {"hide": True}}], ids=str
    )
    def test_29_when_another_upload_is_asked_for(self, call: Caller, options: dict[str, Any]) -> None:
        """That one has a ledger of its own, and the first can still be taken up."""
        call.cut_off()
        call.service._scripts.clear()
        call(**options)
        assert call.sent == [1, 2, 3, 4]
        call.service.requests.clear()
        call.service.script("retrieve", answer_upload(status="pending", entityId=None))
        call()
        assert call.sent == [3, 4]

    @pytest.mark.parametrize("expires", ["2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"])
    def test_29_when_the_urls_have_expired(self, call: Caller, log: pytest.LogCaptureFixture, expires: str) -> None:
        parts = [made | {"expires": expires} for made in call.service.make_parts(PARTS)]
        call.service.script("create", answer_upload(status="pending", entityId=None, parts=parts))
        call.cut_off()
        call()
        assert call.service.steps[:2] == ["retrieve", "create"]
        assert call.sent == [1, 2, 3, 4]
        assert "its presigned URLs have expired; it starts afresh" in log.text

    @pytest.mark.parametrize("status", [404, 403, 400, 422])
    def test_29_when_the_service_has_it_no_more(self, call: Caller, log: pytest.LogCaptureFixture, status: int) -> None:
        call.cut_off()
        call.service._scripts.clear()
        call.service.script("retrieve", reply(status, {"reason": "no such upload"}))
        call()
        assert call.service.steps[:2] == ["retrieve", "create"]
        assert call.sent == [1, 2, 3, 4]
        assert "the service no longer has it; it starts afresh" in log.text

    def test_29_when_it_has_failed(self, call: Caller, log: pytest.LogCaptureFixture) -> None:
        call.cut_off()
        call.service._scripts.clear()
        call.service.script("retrieve", answer_upload(status="failed", entityId=None))
        call()
        assert call.service.steps[:2] == ["retrieve", "create"]
        assert call.sent == [1, 2, 3, 4]
        assert "it has failed; it starts afresh" in log.text

    def test_15_29_when_somebody_changed_where_the_parts_go(self, call: Caller, log: pytest.LogCaptureFixture) -> None:
        call.cut_off()
        (path,) = call.ledgers
        path.write_text(path.read_text().replace("http://127.0.0.1", "http://storage.example"))
        call()
        assert call.service.steps[:2] == ["retrieve", "create"]
        assert "its URLs cannot be used here; it starts afresh" in log.text

    @pytest.mark.parametrize("damage", [b"no json\n", b"\x00" * 100 + b"\n", b"{}\n"])
    def test_30_when_the_ledger_is_damaged(self, call: Caller, log: pytest.LogCaptureFixture, damage: bytes) -> None:
        call.cut_off()
        (path,) = call.ledgers
        path.write_bytes(damage)
        call()
        assert call.sent == [1, 2, 3, 4]
        assert "is damaged and was ignored; the upload starts afresh" in log.text
        assert [] == call.ledgers

    def test_29_not_when_a_crash_cut_a_line_of_the_ledger_not_even_after_the_next_crash(
        self, call: Caller, log: pytest.LogCaptureFixture
    ) -> None:
        """The line that follows must not be joined to what is left of that one."""
        call.cut_off(at=2)
        (path,) = call.ledgers
        path.write_bytes(path.read_bytes() + b'{"part": ')
        call.cut_off(at=4)
        call()
        assert call.sent == [4]
        assert "damaged" not in log.text


class TestTheLedger:
    @pytest.mark.posix
    def test_29_is_private(self, call: Caller) -> None:
        call.cut_off()
        (path,) = call.ledgers
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(call.folder.stat().st_mode) == 0o700

    def test_29_is_kept_after_a_failure_and_nameless(self, call: Caller) -> None:
        call.cut_off()
        (path,) = call.ledgers
        for secret in ("dragon", "127.0.0.1", "upload_1", "key_of_test", "s3cret", SIGNATURE):
            assert secret not in path.name
        content = path.read_text()
        assert "key_of_test" not in content
        assert "s3cret-of-test" not in content
        assert (call.entry.upload_id, call.entry.file, set(call.entry.done)) == (UPLOAD_ID, str(call.file), {1, 2})
        assert SIGNATURE not in repr(call.entry)

    def test_29_is_flushed_for_each_part_before_the_next_is_told(self, call: Caller) -> None:
        written: list[int] = []

        def look(event: UploadProgress) -> None:
            if event.phase == "transferring":
                written.append(len(call.entry.done))
                assert len(call.entry.done) >= event.parts_done

        call(on_progress=look)
        assert written[-1] == PARTS

    @pytest.mark.parametrize("wait", [True, False])
    def test_is_removed_after_success(self, call: Caller, wait: bool) -> None:
        call(wait=wait)
        assert [] == call.ledgers

    @pytest.mark.parametrize("wait", [True, False])
    def test_is_removed_when_the_import_fails(self, call: Caller, wait: bool) -> None:
        failed = answer_upload(status="failed", entityId=None, errorMessage="no mesh")
        call.service.script("retrieve" if wait else "complete", failed)
        with raises(UploadFailedError, "no mesh"):
            call(wait=wait)
        assert [] == call.ledgers

    def test_there_is_none_for_a_file_of_one_part(self, call: Caller) -> None:
        call.file.write_bytes(CONTENT[:PART])
        call.service.script("part 1", REFUSED)
        with pytest.raises(TransferError):
            call()
        assert not call.folder.exists()

    def test_there_is_none_unless_asked_for(self, call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
        move_state(monkeypatch, call.folder)
        call.service.script("part 3", REFUSED)
        with pytest.raises(TransferError):
            call(resume=False)
        assert not call.folder.exists()

    def test_29_is_in_the_users_state_folder_by_default(self, call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
        move_state(monkeypatch, call.folder)
        call.service.script("part 3", REFUSED)
        with pytest.raises(TransferError):
            call(resume=True)
        ((_, entry),) = list_entries(call.folder / "scenario-uploads")
        assert set(entry.done) == {1, 2}
        call.service.requests.clear()
        call.service.script("retrieve", answer_upload(status="pending", entityId=None))
        call(resume=True)
        assert call.sent == [3, 4]

    @pytest.mark.parametrize("spelling", [str, Path, os.path.relpath])
    def test_29_is_found_again_however_folder_and_file_are_spelled(
        self, call: Caller, spelling: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(call.file.parent)  # on Windows, no relative path leads to another drive
        call.cut_off()
        (call.file.parent / "link").symlink_to(call.file)
        call.file = call.file.parent / "link"
        call(resume=spelling(call.folder), file_name="dragon.glb")
        assert call.sent == [3, 4]

    def test_29_belongs_to_one_account(self, call: Caller, connect: Connect) -> None:
        call.cut_off()
        other = connect(call.service.url, api_key="another", api_secret="account")
        other.uploads.upload_file(call.file, part_size=PART, resume=call.folder, concurrency=1)
        assert call.sent == [1, 2, 3, 4]
        assert len(call.ledgers) == 1

    def test_29_outlives_a_bearer_token(self, call: Caller, connect: Connect) -> None:
        call.service.script("part 3", REFUSED)
        options: dict[str, Any] = {"part_size": PART, "resume": call.folder, "concurrency": 1}
        with pytest.raises(TransferError):
            connect(call.service.url, bearer_auth="monday").uploads.upload_file(call.file, **options)
        call.service.requests.clear()
        call.service.script("retrieve", answer_upload(status="pending", entityId=None))
        connect(call.service.url, bearer_auth="tuesday").uploads.upload_file(call.file, **options)
        assert call.sent == [3, 4]

    @pytest.mark.parametrize("how", ["file in the way", "full disk", "unreadable"])
    def test_30_that_cannot_be_kept_costs_a_warning(
        self, call: Caller, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, how: str
    ) -> None:
        def fail(*_arguments: Any, **_more: Any) -> int:
            raise OSError(5, "Input/output error")

        if how == "file in the way":
            call.folder.write_text("in the way")
        elif how == "full disk":
            monkeypatch.setattr(os, "write", fail)
        else:
            monkeypatch.setattr("scenario_uploads.upload.ledger.open", fail, raising=False)
        assert call().entity_id == "asset_1"
        monkeypatch.undo()
        assert call.sent == [1, 2, 3, 4]
        assert "cannot be resumed later" in log.text or "cannot be read" in log.text
        assert sum(record.levelno == logging.WARNING for record in log.records) == 1

    def test_30_that_cannot_be_removed_costs_a_warning(self, call: Caller, log: pytest.LogCaptureFixture) -> None:
        with ExitStack() as held:

            def hinder(event: UploadProgress) -> None:
                if event.phase == "completing" and os.name == "nt":
                    held.enter_context(call.ledgers[0].open("rb"))
                elif event.phase == "completing":
                    shutil.rmtree(call.folder)
                    call.folder.write_text("in the way")

            assert call(on_progress=hinder).entity_id == "asset_1"
        assert "could not be closed and tidied away" in log.text

    def test_30_of_a_call_that_is_under_way_is_locked(self, call: Caller, connect: Connect) -> None:
        errors: list[BaseException] = []
        other = Scenario(base_url=call.service.url, api_key="key_of_test", api_secret="s3cret-of-test")

        def intrude(exchange: Exchange) -> None:
            exchange.read_body()
            try:
                other.uploads.upload_file(call.file, part_size=PART, resume=call.folder)
            except LedgerLockedError as error:
                errors.append(error)
            reply(200)(exchange)

        call.service.script("part 2", intrude)
        assert call().entity_id == "asset_1"
        other.close()
        assert ["Another upload of this file is in progress; wait for it, or upload with resume=False."] == [
            str(error) for error in errors
        ]
        assert call.service.steps.count("create") == 1
        assert [] == call.ledgers

    def test_30_of_another_process_is_locked(self, call: Caller) -> None:
        call.cut_off()
        (path,) = call.ledgers
        code = (
            "import os, sys; from pathlib import Path; from scenario_uploads import system; path = Path(sys.argv[1])\n"
            "unlock = system.lock_file(system.open_private(path, os.O_RDWR), path)\n"
            "print(1, flush=True); sys.stdin.read()"
        )
        command = [sys.executable, "-c", code, str(path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline()
            with raises(LedgerLockedError):
                call()
            process.kill()
        assert call.service.requests == []
        call()
        assert call.sent == [3, 4]

    def test_29_a_lock_does_not_outlive_its_process(self, tmp_path: Path) -> None:
        code = (
            "import os, sys; from pathlib import Path; from scenario_uploads.upload.ledger import Ledger\n"
            "ledger = Ledger(Path(sys.argv[1])); os.kill(os.getpid(), 9)"
        )
        path = tmp_path / f"key{SUFFIX}"
        done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
        assert done.returncode == (9 if os.name == "nt" else -9)
        with closing(Ledger(path)) as ledger:
            assert ledger.read() is None


UPLOADING = """
import sys, asyncio
from scenario_uploads import AsyncScenario, Scenario

kind, url, key, secret, file, folder, rate = sys.argv[1:]
options = dict(part_size=5 * 1024 * 1024, resume=folder, concurrency=2, max_bandwidth=float(rate))

async def main():
    async with AsyncScenario(base_url=url, api_key=key, api_secret=secret) as client:
        return await client.uploads.upload_file(file, **options)

if kind == "async":
    print(asyncio.run(main()).id)
else:
    with Scenario(base_url=url, api_key=key, api_secret=secret) as client:
        print(client.uploads.upload_file(file, **options).id)
"""


class TestARealProcess:
    @pytest.fixture
    def puts(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """The numbers of the parts that storage was sent."""
        numbers: list[int] = []
        pass_on = StorageGate.__call__

        async def count(gate: Any, scope: Any, receive: Any, send: Any) -> None:
            if found := re.search(rb"partNumber=(\d+)", scope.get("query_string", b"")):
                numbers.append(int(found[1]))
            await pass_on(gate, scope, receive, send)

        monkeypatch.setattr(StorageGate, "__call__", count)
        return numbers

    @pytest.mark.parametrize(("kind", "kills"), [("sync", 3), ("async", 1)])
    def test_29_killed_again_and_again_sends_only_what_is_missing(
        self, tmp_path: Path, puts: list[int], kind: str, kills: int
    ) -> None:
        part_size = 5 * MIB
        size = 8 * part_size - 3
        content = make_glb(size)
        file, folder = tmp_path / "dragon.glb", tmp_path / "ledgers"
        file.write_bytes(content)

        def count_done() -> int:
            entries = [entry for _, entry in list_entries(folder)] if folder.exists() else []
            return len(entries[0].done) if entries else 0

        with Sandbox(step_delay=0.01) as box:

            def start(rate: float) -> subprocess.Popen[bytes]:
                arguments = [kind, box.base_url, box.api_key, box.api_secret, str(file), str(folder), str(rate)]
                return subprocess.Popen([sys.executable, "-c", UPLOADING, *arguments], stdout=subprocess.PIPE)

            done = 0
            for _ in range(kills):
                with start(30.0 * MIB) as process:
                    until(lambda before=done: count_done() > before)  # type: ignore[misc]
                    process.kill()
                    assert process.wait() == (1 if os.name == "nt" else -9)
                done = count_done()
            assert kills <= done < 8
            ((_, entry),) = list_entries(folder)
            puts.clear()
            with start(1000.0 * MIB) as process:
                out, _ = process.communicate()
            # Of the process that was killed something may still have been on its way.
            assert set(puts) == set(range(1, 9)) - set(entry.done)
            assert process.returncode == 0
            assert out.decode().split() == [entry.upload_id]
            assert box.sha256(entry.upload_id) == hashlib.sha256(content).hexdigest()
            assert [] == list(folder.iterdir())


def test_the_ledger_is_json_lines_that_a_person_can_read(tmp_path: Path) -> None:
    entry = Entry("upload_1", "/data/a.glb", FileState(10, 1), 10, (("https://a.example/1", ""),))
    with closing(Ledger(tmp_path / f"key{SUFFIX}")) as ledger:
        ledger.begin(entry)
        ledger.record(1, "0" * 32)
        lines = [json.loads(line) for line in ledger.path.read_text().splitlines()]
    assert lines[0]["upload_id"] == "upload_1"
    assert lines[1:] == [["https://a.example/1", ""], {"part": 1, "md5": "0" * 32}]
