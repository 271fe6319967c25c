"""One call of `upload_many`: the steps of each file end in its result, or in steps that only wait for the import.

Those hold no file and no connection, so many may go on at once.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Executor
from contextlib import ExitStack, closing
from functools import partial
from typing import Any

from attrs import evolve

from scenario_uploads.api.calls import is_imported, is_past_pending, retrieve_once, wait
from scenario_uploads.api.exchange import Api
from scenario_uploads.display import open_display
from scenario_uploads.errors import APIStatusError, LedgerError, ScenarioError
from scenario_uploads.models import Upload
from scenario_uploads.pace import Turns
from scenario_uploads.progress import BulkProgress, UploadProgress
from scenario_uploads.retry import REFUSED
from scenario_uploads.settings.client import ClientOptions, list_arguments
from scenario_uploads.steps import Steps, Work
from scenario_uploads.transfer.part import read_md5s
from scenario_uploads.transfer.parts import UploadPlan
from scenario_uploads.upload.options import FileOptions
from scenario_uploads.upload.steps import Sent, complete_upload, upload_file

from .executor import Site, connect, send_by
from .ledger import BulkLedger, Row, hash_content, open_ledger
from .limiter import Limiter, limit
from .listing import list_sources
from .options import BulkOptions, Sources, UploadResult
from .plan import File, plan_files
from .workers import Runner, Workers

# The service no longer has the upload, never had it for these credentials, or lacks parts of it.
_GONE = REFUSED | {403}


class BulkRun:
    """Handles the files of one call. InvalidArgumentError for arguments that cannot be used."""

    def __init__(self, api: Api, sources: Sources, options: BulkOptions) -> None:
        self._api, self._options = api, options
        self._listed = list_sources(sources, options)
        self._arguments = list_arguments(api.options) if options.executor else {}
        self.on_progress: Callable[[BulkProgress], object] | None = options.on_progress
        """May be replaced until the first result is asked for."""
        # Twice as many as files: the polls of waiting files must not delay the calls of those being sent.
        self._limiter = Limiter(2 * options.files_at_once)
        self._progress, self._counting = BulkProgress(), threading.Lock()

    def results(self, runner: Runner, connect_again: Callable[[ClientOptions], Runner]) -> Generator[UploadResult]:
        """Yield the result of each file as it finishes; then close the runner. Workers of an executor connect again."""
        options, self._check, workers = self._options, runner.open, Workers(runner, self._options.files_at_once)
        site = Site(uuid.uuid4().hex, connect_again, self._arguments)
        self._send_by = partial(send_by, site=site, check=runner.open)
        with ExitStack() as stack:
            # The workers of a ThreadPoolExecutor have connected in this process.
            stack.callback(connect.cache_clear)
            self._ledger = open_ledger(options.ledger)
            if self._ledger is not None:
                stack.callback(self._ledger.close)
            self._display = stack.enter_context(open_display()) if options.progress else None
            self._told = [tell for tell in (self._display and self._display.tell, self.on_progress) if tell]
            stack.callback(workers.end)
            for result in workers.run(self._find()):
                failed, skipped = result.error is not None, result.skipped is not None
                self._count(files_failed=failed, files_skipped=skipped, files_done=not (failed or skipped))
                yield result
                if failed and options.fail_fast:
                    return

    def _find(self) -> Generator[UploadResult | Steps[Any]]:
        """Yield the result of each file, or the steps that give it."""
        options, turns = self._options, Turns(self._options.concurrency, self._options.max_bandwidth)
        # A large file is resumed, if possible.
        call = evolve(options.file, resume=None if self._ledger else False, wait=False, turns=turns)
        with closing(self._listed) as listed:
            for file in plan_files(listed, call, self._api.options, self._ledger, force=options.force):
                self._check()  # a source may have taken long
                self._count(files_found=1)
                if isinstance(file, UploadResult):
                    yield file
                    continue
                self._count(bytes_found=file.plan.size)
                if self._display:
                    file.shown = self._display.follow(str(file.options.file_name))
                if self._told:
                    file.options = evolve(file.options, on_progress=partial(self._follow, file))
                yield self._run(file, self._send(file))
        self._count(complete=True)

    def _count(self, *, complete: bool = False, **more: int) -> None:
        """Add to the counts, and tell them, from one thread at a time; `complete` when all files were listed."""
        with self._counting:
            counts: dict[str, Any] = {name: getattr(self._progress, name) + count for name, count in more.items()}
            self._progress = evolve(self._progress, complete=complete or self._progress.complete, **counts)
            for tell in self._told:
                tell(self._progress)

    def _follow(self, file: File, event: UploadProgress) -> None:
        moved, file.bytes_done = event.bytes_done - file.bytes_done, event.bytes_done
        if moved:
            self._count(bytes_done=moved)
        if file.shown:
            file.shown(event)

    def _run(self, file: File, steps: Steps[Any]) -> Steps[Any]:
        """Run steps under the shared rate limit; an error becomes the result of the file."""
        try:
            return (yield from limit(steps, self._limiter, self._api))
        except LedgerError:
            # Without the ledger, files would be sent twice.
            raise
        except ScenarioError as error:
            return UploadResult(file.source, error=error)
        finally:
            if file.shown:
                file.shown.end()

    def _send(self, file: File) -> Steps[UploadResult | Steps[UploadResult]]:
        """Send a file, unless an earlier run has; return its result, or the steps that wait for it."""
        row: Row | None = None
        if self._ledger and not self._options.force:
            row = file.row or (yield Work(partial(self._find_equal, file, self._ledger)))
        if row and row.done:
            self._count(bytes_found=-file.plan.size)
            return UploadResult(file.source, skipped="done", entity_id=row.entity_id)
        if row and (upload := (yield from self._complete_earlier(row.upload_id, file.options))):
            self._count(bytes_found=-file.plan.size)
            return self._end(file, upload, taken_up=True)
        if self._options.executor:
            return self._end(file, (yield from self._send_elsewhere(file, self._options.executor)))
        options = evolve(file.options, on_sent=partial(self._note_sent, file) if self._ledger else None)
        return self._end(file, (yield from upload_file(self._api, file.content, options)))

    def _send_elsewhere(self, file: File, executor: Executor) -> Steps[Upload]:
        """Let a worker send the parts of a file, and complete its upload here."""
        bandwidth = file.options.max_bandwidth
        options = evolve(file.options, max_bandwidth=bandwidth and max(1.0, bandwidth / self._options.files_at_once))
        sent: Sent = yield Work(partial(self._send_by, executor, file=file.content, options=options))
        self._count(bytes_done=file.plan.size)
        yield Work(partial(self._note_sent, file, *sent))
        return (yield from complete_upload(self._api, sent[0], file.options))

    def _complete_earlier(self, upload_id: str, options: FileOptions) -> Steps[Upload | None]:
        """Complete an upload of an earlier run and return it; None when only a new upload can succeed."""
        try:
            call, patience = options.call, options.patience
            reply = yield from retrieve_once(self._api, upload_id, call, retries=None, patience=patience)
            upload = reply.value.upload
            if not is_past_pending(upload.status):
                upload = yield from complete_upload(self._api, upload_id, options)
        except APIStatusError as error:
            if error.status_code not in _GONE:
                raise
            return None
        return None if upload.status == "failed" else upload

    def _find_equal(self, file: File, ledger: BulkLedger) -> Row | None:
        """Return the row of an earlier run for equal content. Reads the file if one of its size was sent."""
        size = file.plan.size
        for part_size in ledger.find_part_sizes(file.context, size):
            md5s = read_md5s(file.content, size, part_size)
            content = hash_content(size, part_size, md5s) if md5s else None
            if row := ledger.find_content(file.context, content):
                if file.state:
                    ledger.note(file.context, file.state, row, size=size, part_size=part_size, content=content)
                file.state = file.state or content
                return row
        return None

    def _note_sent(self, file: File, upload_id: str, md5s: Mapping[int, str | None], plan: UploadPlan) -> None:
        """Record the upload of a file, which may have grown since it was found, before `complete`."""
        size, part_size, count = plan.size, plan.part_size, plan.parts_count
        whole = [md5 for number in range(1, count + 1) if (md5 := md5s.get(number))]
        content = hash_content(size, part_size, whole) if len(whole) == count else None
        # Without an inode, only the content identifies the file.
        file.state = file.state or content
        if self._ledger and file.state:
            row = Row(upload_id, None, done=False)
            self._ledger.note(file.context, file.state, row, size=size, part_size=part_size, content=content)

    def _end(self, file: File, upload: Upload, *, taken_up: bool = False) -> UploadResult | Steps[UploadResult]:
        """Return the result of a sent file, or the steps that wait for its import."""
        done = is_imported(upload, upload.id)
        if self._options.wait and not done:
            return self._run(file, self._wait(file, upload.id))
        if done and self._ledger and file.state:
            self._ledger.finish(file.context, file.state, Row(upload.id, upload.entity_id, done=True))
        skipped = "done" if taken_up and not self._options.wait else None
        return UploadResult(file.source, upload, skipped=skipped, entity_id=upload.entity_id)

    def _wait(self, file: File, upload_id: str) -> Steps[Any]:
        timeout, call, patience = file.options.timeout, file.options.call, file.options.patience
        upload = yield from wait(self._api, upload_id, timeout, call, patience=patience, completing=True)
        return self._end(file, upload)
