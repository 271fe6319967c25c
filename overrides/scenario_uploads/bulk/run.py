"""One call of `upload_many`: what is to be done next, and what became of it.

A `BulkRun` hands out, file by file, either what is known at once or the steps to find out. Those of one file end in its
result, or in further steps that only wait for the import: they hold no file and no connection, so many may go on at
once.
"""

from __future__ import annotations

import base64
import json
import stat
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

from attrs import define, evolve

from scenario_uploads.api.calls import retrieve_once, wait
from scenario_uploads.api.exchange import Api, Work
from scenario_uploads.api.operations import build_body
from scenario_uploads.api.polling import UploadState, classify_status, is_past_pending
from scenario_uploads.display import Display, FileProgress, open_display
from scenario_uploads.errors import APIStatusError, LedgerError, ScenarioError
from scenario_uploads.models import Upload, UploadCreateParams
from scenario_uploads.progress import BulkProgress
from scenario_uploads.settings.credentials import Credentials
from scenario_uploads.transfer.engine import Turns
from scenario_uploads.transfer.pace import Pace
from scenario_uploads.transfer.parts import UploadPlan, plan_parts
from scenario_uploads.transfer.source import open_source
from scenario_uploads.upload.media_types import Media, infer_media
from scenario_uploads.upload.options import FileOptions, check_file_name
from scenario_uploads.upload.resume import Steps
from scenario_uploads.upload.steps import upload_file

from .content import read_content
from .ledger import BulkLedger, Row, hash_content, hash_state, open_ledger
from .limiter import Limiter, limit
from .listing import Filter, Found, list_sources
from .options import BulkOptions, Sources, UploadResult, check_bulk_options, check_sources
from .progress import Counter

# What is known at once is handed out in groups: in an event loop each is worth a thread.
_GROUP = 64
_GROUP_SECONDS = 0.02

# The service may have the upload no more, or never had it for these credentials.
_GONE = frozenset({400, 403, 404, 410})


@define
class _File:
    """A file that is to be sent, unless the ledger says otherwise."""

    found: Found
    options: FileOptions
    plan: UploadPlan
    shown: FileProgress | None = None
    context: int = 0
    state: bytes | None = None


class BulkRun:
    """The files of one call, one after the other.

    Args:
        api: How the client talks to the API.
        sources: What to upload.
        options: How.

    Raises:
        InvalidArgumentError: When an argument cannot be used.
    """

    def __init__(self, api: Api, sources: Sources, options: BulkOptions) -> None:
        check_bulk_options(options)
        wanted = Filter.of(options.include, options.exclude)
        given = check_sources(sources, recursive=options.recursive)
        self.more = True
        """Whether there may be files that were not handed out yet."""
        self.failed = False
        """Whether a file failed, and nothing more is to be done therefore."""
        self._api, self._options = api, options
        self._listing = list_sources(given, recursive=options.recursive, wanted=wanted)
        # Those that wait ask now and then; they must not keep those that send from their calls.
        most = 2 * options.files_at_once
        self._limiter = Limiter(Pace(most, most))
        self._turns = Turns(options.file.concurrency, options.file.max_bandwidth)
        self._ledger: BulkLedger | None = None
        self._contexts: dict[Media, int] = {}
        self._counter = Counter(options.on_progress)
        self._display: Display | None = None
        self._stack = ExitStack()
        # A task that is cancelled goes on to close this while a thread may still look for files.
        self._lock = threading.Lock()

    @property
    def files_at_once(self) -> int:
        """How many files are sent at once, at most."""
        return self._options.files_at_once

    def open(self) -> None:
        """Open the ledger, and show the bars."""
        self._ledger = open_ledger(self._options.ledger)
        if self._ledger is not None:
            self._stack.callback(self._ledger.close)
        if self._options.progress:
            display, told = self._stack.enter_context(open_display()), self._options.on_progress
            self._display = display

            def report(progress: BulkProgress) -> None:
                display.tell(progress)
                if told is not None:
                    told(progress)

            self._counter = Counter(report)

    def close(self) -> None:
        """Close what was opened. Idempotent."""
        with self._lock:
            self.more = False
            self._listing.close()
            self._stack.close()

    def take(self) -> tuple[list[UploadResult], Steps[Any] | None]:
        """Return the next results that are known at once, and the steps of the file after them, if there is one."""
        with self._lock:
            return self._take() if self.more else ([], None)

    def _take(self) -> tuple[list[UploadResult], Steps[Any] | None]:
        results: list[UploadResult] = []
        until = time.monotonic() + _GROUP_SECONDS
        while len(results) < _GROUP and (not results or time.monotonic() < until):
            found = next(self._listing, None)
            if found is None:
                self.more = False
                self._counter.end()
                break
            self._counter.add(files_found=1)
            result = self._look_at(found)
            if not isinstance(result, UploadResult):
                return results, result
            results.append(result)
        return results, None

    def count(self, result: UploadResult) -> UploadResult:
        """Return a result, having counted it."""
        failed, skipped = result.error is not None, result.skipped is not None
        self._counter.add(files_failed=failed, files_skipped=skipped, files_done=not failed and not skipped)
        self.failed = self.failed or (failed and self._options.fail_fast)
        return result

    def _look_at(self, found: Found) -> UploadResult | Steps[Any]:
        if found.skipped or found.error:
            return UploadResult(found.source, skipped=found.skipped, error=found.error)
        try:
            file = self._prepare(found)
        except LedgerError:
            raise
        except ScenarioError as error:
            return UploadResult(found.source, error=error)
        row = self._ledger.find(file.context, file.state) if self._ledger and not self._options.force else None
        if row and row.done:
            return UploadResult(found.source, skipped="done", entity_id=row.entity_id)
        self._counter.add(bytes_found=file.plan.size)
        return self._run(file, self._send(file, row))

    def _prepare(self, found: Found) -> _File:
        """Find out what can be told of a file without reading it."""
        given, call, status = found.given, self._options.file, found.status
        if status is not None and stat.S_ISREG(status.st_mode):
            size: int = status.st_size
            name: str | None = Path(found.path).name
        else:
            with closing(open_source(given.file)) as source:
                size, name, status = source.size, source.name, None
        checked = check_file_name(name if given.file_name is None else given.file_name)
        media = infer_media(checked, content_type=given.content_type, kind=given.kind or call.kind)
        shown = self._display.follow(checked) if self._display else None
        options = evolve(
            call,
            kind=media.kind,
            content_type=media.content_type,
            file_name=checked,
            asset_options=call.asset_options if given.asset_options is None else given.asset_options,
            # A large file goes on from where it was, as far as that is possible.
            resume=None if self._ledger and status else False,
            wait=False,
            on_progress=self._counter.follow(shown),
            turns=self._turns,
        )
        state = hash_state(status) if self._ledger else None
        context = self._find_context(options, media) if self._ledger else 0
        return _File(found, options, plan_parts(size, call.part_size), shown, context, state)

    def _find_context(self, options: FileOptions, media: Media) -> int:
        """Return the number of what, besides its content, leads to what a file becomes."""
        shared = options.asset_options is self._options.file.asset_options
        if shared and media in self._contexts:
            return self._contexts[media]
        body = build_body(
            UploadCreateParams, "create", {"kind": media.kind, "asset_options": options.asset_options}
        ).to_dict()
        settings = self._api.options
        assert self._ledger is not None  # noqa: S101 - its caller has looked
        number = self._ledger.context(
            settings.base_url,
            find_account(settings.credentials),
            options.call.project_id or "",
            media.content_type,
            json.dumps(body, sort_keys=True),
        )
        if shared:
            self._contexts[media] = number
        return number

    def _run(self, file: _File, steps: Steps[Any]) -> Steps[Any]:
        """Carry steps on at the pace of all; what goes wrong with a file is its result."""
        try:
            return (yield from limit(steps, self._limiter, self._api))
        except LedgerError:
            # Without it, files would be sent twice.
            raise
        except ScenarioError as error:
            return UploadResult(file.found.source, error=error)
        finally:
            if file.shown:
                file.shown.end()

    def _send(self, file: _File, row: Row | None) -> Steps[UploadResult | Steps[UploadResult]]:
        """Send a file, unless an earlier run has, and return its result, or how to wait for that."""
        if row is not None:
            upload = yield from self._ask(row.upload_id)
            if upload is not None:
                return self._end(file, upload, taken_up=True)
        if self._ledger and not self._options.force:
            known: Row | None = yield Work(partial(self._find_equal, file))
            if known is not None:
                return UploadResult(file.found.source, skipped="done", entity_id=known.entity_id)
        options = evolve(file.options, on_sent=partial(self._note_sent, file) if self._ledger else None)
        upload = yield from upload_file(self._api, file.found.given.file, options)
        return self._end(file, upload)

    def _ask(self, upload_id: str) -> Steps[Upload | None]:
        """Return the upload that an earlier run sent a file with, when the service has all of it and goes on."""
        try:
            upload = yield from retrieve_once(self._api, upload_id, self._options.call, retries=None)
        except APIStatusError as error:
            if error.status_code not in _GONE:
                raise
            return None
        failed = classify_status(upload.status, upload.entity_id) is UploadState.FAILED
        return upload if is_past_pending(upload.status) and not failed else None

    def _find_equal(self, file: _File) -> Row | None:
        """Return what an earlier run made of the same content, for which the file is read if one had its size."""
        assert self._ledger is not None  # noqa: S101 - its caller has looked
        for part_size in self._ledger.find_part_sizes(file.context, file.plan.size):
            content = read_content(file.found.given.file, file.plan.size, part_size)
            if content and (row := self._ledger.find_content(file.context, content)):
                if file.state:
                    self._ledger.note(
                        file.context, file.state, row, size=file.plan.size, part_size=part_size, content=content
                    )
                return row
        return None

    def _note_sent(self, file: _File, upload_id: str, md5s: Mapping[int, str | None]) -> None:
        """Note which upload a file went into, before the service is told that it is complete."""
        ordered = [md5s.get(number) for number in range(1, file.plan.parts_count + 1)]
        whole = [md5 for md5 in ordered if md5 is not None]
        size, part_size = file.plan.size, file.plan.part_size
        content = hash_content(size, part_size, whole) if len(whole) == len(ordered) else None
        # Bytes have nothing but themselves to be known by.
        file.state = file.state or content
        if self._ledger and file.state:
            row = Row(upload_id, None, done=False)
            self._ledger.note(file.context, file.state, row, size=size, part_size=part_size, content=content)

    def _end(self, file: _File, upload: Upload, *, taken_up: bool = False) -> UploadResult | Steps[UploadResult]:
        """Return the result of a file that is sent, or the steps that wait for its import."""
        done = classify_status(upload.status, upload.entity_id) is UploadState.DONE
        if self._options.wait and not done:
            return self._run(file, self._wait(file, upload, taken_up=taken_up))
        if done and self._ledger and file.state:
            self._ledger.finish(file.context, file.state, Row(upload.id, upload.entity_id, done=True))
        skipped = "done" if taken_up and not self._options.wait else None
        return UploadResult(file.found.source, upload, skipped=skipped, entity_id=upload.entity_id)

    def _wait(self, file: _File, upload: Upload, *, taken_up: bool) -> Steps[UploadResult]:
        options = self._options
        upload = yield from wait(
            self._api, upload.id, options.file.timeout, options.call, patience=options.file.patience, completing=True
        )
        result = self._end(file, upload, taken_up=taken_up)
        assert isinstance(result, UploadResult)  # noqa: S101 - it is done
        return result


def find_account(credentials: Credentials) -> str:
    """Return what stays the same of credentials that are renewed: the key, or whom a token is about."""
    if credentials.api_key is not None:
        return credentials.api_key
    token = credentials.bearer_auth or credentials.header
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return json.dumps([claims.get("iss"), claims["sub"]])
    except (IndexError, ValueError, KeyError, TypeError, AttributeError):
        return token
