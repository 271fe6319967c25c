"""What happens to an upload after `complete`: assembled, looked at, and, so it pretends, imported."""

import asyncio
import logging
import secrets
import string
import tempfile
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Final

from scenario_uploads.sandbox.api.fetch import FetchError, fetch, is_local
from scenario_uploads.sandbox.api.magic import HEAD_SIZE, find_content_problem
from scenario_uploads.sandbox.errors import StorageError
from scenario_uploads.sandbox.state.records import UNKNOWN_STATUS, Multipart, UploadRecord, Uploads
from scenario_uploads.sandbox.storage.bucket import Storage, StoredPart
from scenario_uploads.sandbox.storage.quota import Quota

_LOG: Final = logging.getLogger("scenario_uploads.sandbox")
_ID_CHARACTERS: Final = string.ascii_letters + string.digits


class Importer:
    """Background tasks of the service's event loop, whose end cancels them.

    Args:
        uploads: The records.
        storage: Where the parts are.
        step_delay: How many seconds an upload stays `validating`, and then `validated`.
    """

    def __init__(self, uploads: Uploads, storage: Storage, step_delay: float) -> None:
        self._uploads = uploads
        self._storage = storage
        self._step_delay = step_delay
        self._tasks: set[asyncio.Task[None]] = set()

    def start_multipart(self, record: UploadRecord, multipart: Multipart, parts: list[StoredPart]) -> None:
        """Go on with a multipart upload whose parts keep the rules."""
        self._start(self._import_multipart(record, multipart, parts))

    def start_removal(self, record: UploadRecord, quota: Quota) -> None:
        """Free what a record that is forgotten has stored."""
        if record.multipart is not None or record.is_stored:
            # What was fetched is noted under the id of the upload.
            storage_id = record.multipart.storage_id if record.multipart else record.id
            self._start(self._remove(record, storage_id, quota))

    async def _remove(self, record: UploadRecord, storage_id: str, quota: Quota) -> None:
        try:
            await asyncio.to_thread(self._storage.remove, record.id, storage_id, is_stored=record.is_stored)
        except StorageError as error:
            _LOG.error("%s: %s", record.id, error)
        else:
            quota.release(storage_id)

    def start_import(self, record: UploadRecord, quota: Quota, max_file_size: int | None) -> None:
        """Go on with an import from elsewhere. What is not on this machine is not fetched, and so it pretends."""
        local = record.url is not None and is_local(record.url)
        self._start(self._import_url(record, quota, max_file_size) if local else self._finish(record))

    async def _import_url(self, record: UploadRecord, quota: Quota, max_file_size: int | None) -> None:
        try:
            problem = await asyncio.to_thread(self._fetch, record, quota, max_file_size)
        except FetchError as error:
            problem = str(error)
        except (StorageError, OSError) as error:
            _LOG.error("%s: %s", record.id, type(error).__name__)
            problem = "The file could not be stored"
        await self._finish(record, problem)

    def _fetch(self, record: UploadRecord, quota: Quota, max_file_size: int | None) -> str | None:
        """Fetch and store the file of a record, and return what speaks against it."""
        limits = [limit for limit in (quota.left, max_file_size) if limit is not None]
        with tempfile.TemporaryFile() as file:
            content_type = fetch(record.url or "", file, min(limits, default=None))
            size = file.tell()
            if not size or not quota.note(record.id, "1", size):
                raise FetchError("The file is empty" if not size else "The sandbox has no room for the file")
            file.seek(0)
            head = file.read(HEAD_SIZE)
            file.seek(0)
            self._storage.store(record.id, file)
        self._uploads.mark_stored(record.id)
        return find_content_problem(
            kind=record.kind, content_type=content_type, file_name=record.file_name, head=head, size=size
        )

    def _start(self, work: Coroutine[None, None, None]) -> None:
        # The loop alone keeps no task alive.
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _import_multipart(self, record: UploadRecord, multipart: Multipart, parts: list[StoredPart]) -> None:
        try:
            await asyncio.to_thread(self._storage.complete, record.id, multipart.storage_id, parts)
            self._uploads.mark_stored(record.id)
            head = await asyncio.to_thread(self._storage.read_head, record.id, min(HEAD_SIZE, multipart.file_size))
            problem = find_content_problem(
                kind=record.kind,
                content_type=multipart.content_type,
                file_name=record.file_name,
                head=head,
                size=multipart.file_size,
            )
        except StorageError as error:
            # Without the traceback: the botocore error behind it quotes URLs.
            _LOG.error("%s: %s", record.id, error)
            problem = "The file could not be assembled"
        await self._finish(record, problem)

    async def _finish(self, record: UploadRecord, problem: str | None = None) -> None:
        if "never_finishes" in record.faults:
            return
        await asyncio.sleep(self._step_delay)
        if "validation_failed" in record.faults:
            problem = "The file is not valid (a fault that was asked for)"
        if problem is not None:
            self._uploads.advance(record.id, "failed", datetime.now(UTC), error_message=problem)
            return
        self._uploads.advance(record.id, "validated", datetime.now(UTC))
        if "unknown_status" in record.faults:
            await asyncio.sleep(self._step_delay)
            # Until somebody has seen it.
            self._uploads.advance(record.id, UNKNOWN_STATUS, datetime.now(UTC))
            return
        await self._end(record)

    def start_end(self, record: UploadRecord) -> None:
        """Go on with an upload whose unknown status was seen."""
        self._start(self._end(record))

    async def _end(self, record: UploadRecord) -> None:
        await asyncio.sleep(self._step_delay)
        entity = make_id("model" if record.kind == "model" else "asset")
        self._uploads.advance(record.id, "imported", datetime.now(UTC), entity_id=entity)


def make_id(prefix: str) -> str:
    """Return a new id such as `asset_GTrL3mq4SXWyMxkOHRxlpwQ2`."""
    return prefix + "_" + "".join(secrets.choice(_ID_CHARACTERS) for _ in range(24))
