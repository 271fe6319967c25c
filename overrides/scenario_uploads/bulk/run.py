"""One call of `upload_many`: sending or skipping each file, and its result.

The steps of a file end in its result, or in further steps that only wait for the import: these hold no file and no
connection, so many may go on at once.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any

from attrs import evolve

from scenario_uploads.api.calls import (
    UploadState,
    classify_status,
    is_past_pending,
    retrieve_once,
    wait,
)
from scenario_uploads.api.exchange import Api, name_upload
from scenario_uploads.arguments import FileInput
from scenario_uploads.display import Display, FileProgress, open_display
from scenario_uploads.errors import APIStatusError, LedgerError, ScenarioError
from scenario_uploads.models import Upload
from scenario_uploads.progress import BulkProgress, UploadProgress
from scenario_uploads.steps import Steps, Work
from scenario_uploads.transfer.pace import Turns
from scenario_uploads.transfer.part import read_md5s
from scenario_uploads.upload.steps import complete_upload, upload_file

from .executor import Connect, Elsewhere, disconnect, send_elsewhere
from .ledger import BulkLedger, Row, hash_content, open_ledger
from .limiter import Limiter, limit
from .options import BulkOptions, Sources, UploadResult
from .plan import File, Files
from .workers import Runner, Workers

# The service no longer has the upload, or never had it for these credentials.
_GONE = frozenset({400, 403, 404, 410})


class Counter:
    """Counts the progress of all files, from any thread, and calls the callbacks one at a time."""

    def __init__(self, *told: Callable[[BulkProgress], object] | None) -> None:
        self.progress = BulkProgress()
        self._told = [one for one in told if one]
        self._lock = threading.Lock()

    def add(self, *, complete: bool = False, **more: int) -> None:
        """Add to the counts; `complete` when all files were listed."""
        if not self._told or not (complete or any(more.values())):
            return
        with self._lock:
            changes: dict[str, Any] = {name: getattr(self.progress, name) + count for name, count in more.items()}
            self.progress = evolve(self.progress, complete=complete or self.progress.complete, **changes)
            for one in self._told:
                one(self.progress)

    def follow(self, shown: FileProgress | None) -> Callable[[UploadProgress], object] | None:
        """Return the progress callback of one file, or None when there are no callbacks."""
        if not self._told:
            return None
        before = 0

        def on_progress(event: UploadProgress) -> None:
            nonlocal before
            moved, before = event.bytes_done - before, event.bytes_done
            self.add(bytes_done=moved)
            if shown is not None:
                shown(event)

        return on_progress


class BulkRun:
    """Handles the files of one call. InvalidArgumentError for arguments that cannot be used."""

    def __init__(self, api: Api, sources: Sources, options: BulkOptions) -> None:
        self._files = Files(sources, options)
        self.on_progress: Callable[[BulkProgress], object] | None = options.on_progress
        """May be replaced until the first result is asked for."""
        # Whether there may be more files; whether a failure ends the call.
        self._more, self._failed = True, False
        self._api, self._options = api, options
        # Twice as many as files: the polls of waiting files must not delay the calls of those being sent.
        self._limiter = Limiter.begin(2 * options.files_at_once)
        self._turns = Turns(options.file.concurrency, options.file.max_bandwidth)
        self._ledger: BulkLedger | None = None
        self._counter = Counter()
        self._display: Display | None = None
        executor = options.executor
        self._elsewhere = Elsewhere(executor, api.options, options.files_at_once) if executor is not None else None
        self._stack = ExitStack()

    def results(self, runner: Runner, connect: Connect) -> Generator[UploadResult]:
        """Yield the result of each file as it finishes; then close the runner. Workers of an executor use `connect`."""
        workers, name = Workers(runner, self._options.files_at_once), uuid.uuid4().hex
        self._work, self._ended = partial(send_elsewhere, connect, name), lambda: runner.closed
        try:
            self._open()
            while self._more or workers.busy:
                searching = self._more and workers.has_room
                found = self._take() if searching else None
                for item in (found, workers.get(block=not searching)):
                    if isinstance(item, UploadResult):
                        yield self.count(item)
                        if self._failed:
                            return
                    elif item is not None:
                        workers.start(item, waiting=item is not found)
        finally:
            workers.end()
            self._files.close()
            self._stack.close()
            disconnect(name)

    def _open(self) -> None:
        """Open the ledger, and show the bars."""
        self._ledger = open_ledger(self._options.ledger)
        if self._ledger is not None:
            self._stack.callback(self._ledger.close)
            self._files.known = self._ledger, self._api.options
        if self._options.progress:
            self._display = self._stack.enter_context(open_display())
        self._counter = Counter(self._display.tell if self._display else None, self.on_progress)
        # A large file is resumed, if possible.
        resume = None if self._ledger else False
        self._files.call = evolve(self._files.call, resume=resume, wait=False, turns=self._turns)

    def _take(self) -> UploadResult | Steps[Any] | None:
        """Return the result of the next file, or the steps that give it; None when there are no more files."""
        file = self._files.take()
        if file is None:
            self._more = False
            self._counter.add(complete=True)
            return None
        self._counter.add(files_found=1)
        if isinstance(file, UploadResult):
            return file
        self._counter.add(bytes_found=file.plan.size)
        file.shown = self._display.follow(str(file.options.file_name)) if self._display else None
        if on_progress := self._counter.follow(file.shown):
            file.options = evolve(file.options, on_progress=on_progress)
        return self._run(file, self._send(file))

    def count(self, result: UploadResult) -> UploadResult:
        """Count a result and return it."""
        failed, skipped = result.error is not None, result.skipped is not None
        self._counter.add(files_failed=failed, files_skipped=skipped, files_done=not failed and not skipped)
        self._failed = self._failed or (failed and self._options.fail_fast)
        return result

    def _run(self, file: File, steps: Steps[Any]) -> Steps[Any]:
        """Run steps under the shared rate limit; an error becomes the result of the file."""
        try:
            return (yield from limit(steps, self._limiter, self._api))
        except LedgerError:
            # Without the ledger, files would be sent twice.
            raise
        except ScenarioError as error:
            return UploadResult(file.found.source, error=error)
        finally:
            if file.shown:
                file.shown.end()

    def _send(self, file: File) -> Steps[UploadResult | Steps[UploadResult]]:
        """Send a file, unless an earlier run has; return its result, or the steps that wait for it."""
        if self._ledger and not self._options.force:
            known: Row | None = file.row or (yield Work(partial(self._find_equal, file, self._ledger)))
            upload = (yield from self._complete_earlier(known.upload_id)) if known and not known.done else None
            if known and (known.done or upload):
                self._counter.add(bytes_found=-file.plan.size)
            if known and known.done:
                return UploadResult(file.found.source, skipped="done", entity_id=known.entity_id)
            if upload is not None:
                return self._end(file, upload, taken_up=True)
        if self._elsewhere:
            return self._end(file, (yield from self._send_elsewhere(file, self._elsewhere)))
        options = evolve(file.options, on_sent=partial(self._note_sent, file) if self._ledger else None)
        upload = yield from upload_file(self._api, file.found.given.file, options)
        return self._end(file, upload)

    def _send_elsewhere(self, file: File, elsewhere: Elsewhere) -> Steps[Upload]:
        """Let a worker send the parts of a file, and complete its upload here."""
        upload_id, md5s = yield Work(
            partial(elsewhere.send, file.found.given.file, file.options, self._work, self._ended)
        )
        self._counter.add(bytes_done=file.plan.size)
        yield Work(partial(self._note_sent, file, upload_id, md5s))
        with name_upload(upload_id):
            return (yield from complete_upload(self._api, upload_id, file.options))

    def _complete_earlier(self, upload_id: str) -> Steps[Upload | None]:
        """Complete an upload of an earlier run and return it; None when only a new upload can succeed."""
        options = self._options.file
        try:
            reply = yield from retrieve_once(self._api, upload_id, options.call, retries=None)
            upload = reply.value.upload
            if not is_past_pending(upload.status):
                upload = yield from complete_upload(self._api, upload_id, options)
        except APIStatusError as error:
            if error.status_code not in _GONE:
                raise
            return None
        return None if classify_status(upload.status, upload.entity_id) is UploadState.FAILED else upload

    def _find_equal(self, file: File, ledger: BulkLedger) -> Row | None:
        """Return the row of an earlier run for equal content. Reads the file if one of its size is done."""
        given, size, part_size = file.found.given.file, file.plan.size, file.plan.part_size
        if file.state is None:
            # Without an inode, only the content identifies the file.
            file.state = read_content(given, size, part_size)
            if row := ledger.find(file.context, file.state):
                return row
        for part_size in ledger.find_part_sizes(file.context, size):
            content = read_content(given, size, part_size)
            if content and (row := ledger.find_content(file.context, content)):
                if file.state:
                    ledger.note(file.context, file.state, row, size=size, part_size=part_size, content=content)
                return row
        return None

    def _note_sent(self, file: File, upload_id: str, md5s: Mapping[int, str | None]) -> None:
        """Record the upload of a file, before `complete`."""
        size, part_size = file.plan.size, file.plan.part_size
        whole = [md5 for number in range(1, file.plan.parts_count + 1) if (md5 := md5s.get(number))]
        content = hash_content(size, part_size, whole) if len(whole) == file.plan.parts_count else None
        file.state = file.state or content
        if self._ledger and file.state:
            row = Row(upload_id, None, done=False)
            self._ledger.note(file.context, file.state, row, size=size, part_size=part_size, content=content)

    def _end(self, file: File, upload: Upload, *, taken_up: bool = False) -> UploadResult | Steps[UploadResult]:
        """Return the result of a sent file, or the steps that wait for its import."""
        done = classify_status(upload.status, upload.entity_id) is UploadState.DONE
        if self._options.wait and not done:
            return self._run(file, self._wait(file, upload))
        if done and self._ledger and file.state:
            self._ledger.finish(file.context, file.state, Row(upload.id, upload.entity_id, done=True))
        skipped = "done" if taken_up and not self._options.wait else None
        return UploadResult(file.found.source, upload, skipped=skipped, entity_id=upload.entity_id)

    def _wait(self, file: File, upload: Upload) -> Steps[Any]:
        options = self._options.file
        upload = yield from wait(
            self._api, upload.id, options.timeout, options.call, patience=options.patience, completing=True
        )
        return self._end(file, upload)


def read_content(file: FileInput, size: int, part_size: int) -> bytes | None:
    """Read a file in parts of this size and return the key of its content; None when it cannot be read again."""
    md5s = read_md5s(file, size, part_size)
    return None if md5s is None else hash_content(size, part_size, md5s)
