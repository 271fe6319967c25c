"""The record of an upload and the states that it goes through. Pure but for the lock of `Uploads`."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import attrs

from scenario_uploads.sandbox.errors import Refusal
from scenario_uploads.sandbox.state.journal import Journal

UNKNOWN_STATUS: Final = "quarantined"
"""A status that the contract does not name."""
_NEXT_STATUSES: Final[Mapping[str, frozenset[str]]] = {
    "pending": frozenset({"validating"}),
    "validating": frozenset({"validated", "failed"}),
    "validated": frozenset({"imported", "failed", UNKNOWN_STATUS}),
    UNKNOWN_STATUS: frozenset({"imported"}),
    "imported": frozenset(),
    "failed": frozenset(),
}

# What the live service gives with the create answer and never again.
CREATE_ONLY_FIELDS: Final = ("contentType", "fileSize", "originalFileName", "parts", "partsCount")


@attrs.frozen(kw_only=True)
class Multipart:
    """What is known of an upload that is sent in parts."""

    content_type: str
    file_size: int
    """In bytes."""
    original_file_name: str
    parts_count: int
    storage_id: str = attrs.field(repr=False)
    """S3's own id of the multipart upload."""


@attrs.frozen(kw_only=True)
class UploadRecord:
    """An upload as it stands at one moment."""

    id: str
    owner_id: str
    """The project that owns it."""
    created_at: datetime
    updated_at: datetime
    file_name: str
    """The last segment of the path that it is stored under."""
    kind: str
    source: str
    status: str
    multipart: Multipart | None = None
    provider: str | None = None
    url: str | None = None
    asset_options: Mapping[str, Any] = attrs.field(factory=dict)
    """What was asked for."""
    job_id: str
    entity_id: str | None = None
    error_message: str | None = None
    is_stored: bool = False
    """Whether the parts were assembled, so that the bytes can be read."""
    faults: frozenset[str] = frozenset()
    """The faults that it meets, and of those that are met once, `met` has those that were."""
    met: frozenset[str] = frozenset()
    steps: tuple[tuple[str, datetime], ...] = attrs.field(
        default=attrs.Factory(lambda self: ((self.status, self.created_at),), takes_self=True)
    )
    """Each status that it has had, and since when."""

    @property
    def size(self) -> int:
        """How many characters of what a caller gave it holds: a create may have 64 KiB of them."""
        texts = (self.file_name, self.owner_id, self.url or "", json.dumps(self.asset_options))
        given = (self.multipart.content_type, self.multipart.original_file_name) if self.multipart else ()
        return sum(map(len, (*texts, *given)))

    @property
    def is_finished(self) -> bool:
        """Whether nothing can happen to the upload any more."""
        return not _NEXT_STATUSES[self.status]

    def advance(self, status: str, now: datetime, **changes: Any) -> "UploadRecord":
        """Return the record with the next status.

        Raises:
            ValueError: When the status cannot follow the present one.
        """
        if status not in _NEXT_STATUSES[self.status]:
            raise ValueError(f"an upload cannot go from {self.status} to {status}")
        return attrs.evolve(self, status=status, updated_at=now, steps=(*self.steps, (status, now)), **changes)

    def to_answer(self) -> dict[str, Any]:
        """Return the record as retrieve and trigger-action give it: without the create-only fields."""
        answer: dict[str, Any] = {
            "id": self.id,
            "authorId": "user_sandbox",
            "createdAt": format_time(self.created_at),
            "fileName": f"uploads/{self.id.removeprefix('upload_')}/{self.file_name}",
            "kind": self.kind,
            "ownerId": self.owner_id,
            "source": self.source,
            "status": self.status,
            "updatedAt": format_time(self.updated_at),
            "entityId": self.entity_id,
            "assetOptions": {"collectionIds": [], "hide": False, **self.asset_options},
            "config": {},
            "jobId": self.job_id,
        }
        optional = {
            "errorMessage": self.error_message,
            "provider": self.provider,
            "url": self.url,
        }
        return answer | {name: value for name, value in optional.items() if value is not None}

    def to_create_answer(self, part_urls: Iterable[str], expires: datetime) -> dict[str, Any]:
        """Return the record as create gives it: with the presigned URLs of a multipart upload, if it is one."""
        answer = self.to_answer()
        if self.multipart is None:
            return answer
        expiry = format_time(expires)
        return answer | {
            "contentType": self.multipart.content_type,
            "fileSize": self.multipart.file_size,
            "originalFileName": self.multipart.original_file_name,
            "partsCount": self.multipart.parts_count,
            "parts": [
                {"number": number, "expires": expiry, "url": url} for number, url in enumerate(part_urls, start=1)
            ],
        }


def format_time(moment: datetime) -> str:
    """Return a moment as the service writes it: ISO 8601 in UTC with milliseconds, `2025-06-30T15:15:27.153Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Uploads:
    """The records of a sandbox, safe to use from any thread.

    Args:
        limit: How many records are kept. Past it the oldest finished one is forgotten.
        max_size: How many characters of what callers gave the records may hold together, likewise.
        journal: What is told of every change.

    Attributes:
        forget: Called with each record that is forgotten, to free what it stored.
    """

    def __init__(self, limit: int = 100_000, max_size: int = 64 * 1024 * 1024, journal: Journal | None = None) -> None:
        self._limit, self._max_size, self._size = limit, max_size, 0
        self.journal = journal or Journal(is_kept=False)
        self.forget: Callable[[UploadRecord], object] = lambda _record: None
        self._lock = threading.Lock()
        self._records: dict[str, UploadRecord] = {}
        self._counts: Counter[str] = Counter()

    def add(self, record: UploadRecord) -> None:
        """Keep a new record.

        Raises:
            Refusal: With 429, when the limit is reached and no record is finished.
        """
        with self._lock:
            self._make_room(record.size)
            self._records[record.id] = record
            self._counts[record.status] += 1
            self._size += record.size
            self.journal.touch(record.id)

    def make_room(self) -> None:
        """Make sure that there is room for one more record, before anything is done for it.

        Raises:
            Refusal: With 429, when the limit is reached and no record is finished.
        """
        with self._lock:
            self._make_room()

    def _make_room(self, size: int = 0) -> None:
        while len(self._records) >= self._limit or self._size + size > self._max_size:
            oldest = next((known for known in self._records.values() if known.is_finished), None)
            if oldest is None:
                full = len(self._records) >= self._limit
                what = "unfinished uploads" if full else "characters of what unfinished uploads say"
                reason = f"The sandbox holds at most {self._limit if full else self._max_size} {what}"
                raise Refusal(429, reason, {"Retry-After": "1"})
            del self._records[oldest.id]
            self._size -= oldest.size
            self._counts[oldest.status] -= 1
            self.journal.forget(oldest.id)
            self.forget(oldest)

    def find(self, upload_id: str) -> UploadRecord | None:
        """Return the record as it stands, or None when there is none of that id."""
        with self._lock:
            return self._records.get(upload_id)

    def list_newest(self) -> list[UploadRecord]:
        """Return all records, the newest first."""
        with self._lock:
            return [*self._records.values()][::-1]

    def count(self) -> dict[str, int]:
        """Return how many uploads have each status."""
        with self._lock:
            return dict(self._counts)

    def meet(self, upload_id: str, fault: str) -> bool:
        """Return whether an upload meets a fault now, which it does once."""
        with self._lock:
            record = self._records.get(upload_id)
            if record is None or fault not in record.faults - record.met:
                return False
            self._records[upload_id] = attrs.evolve(record, met=record.met | {fault})
            return True

    def advance(self, upload_id: str, status: str, now: datetime, **changes: Any) -> UploadRecord:
        """Move a record to its next status, for exactly one of several callers that try it at once.

        Raises:
            ValueError: When the status cannot follow the present one: another caller was first.
        """
        with self._lock:
            before = self._records[upload_id]
            record = before.advance(status, now, **changes)
            self._counts[before.status] -= 1
            self._counts[status] += 1
            self._records[upload_id] = record
            self.journal.touch(upload_id)
            return record

    def mark_stored(self, upload_id: str) -> None:
        """Note that the parts of an upload were assembled."""
        with self._lock:
            self._records[upload_id] = attrs.evolve(self._records[upload_id], is_stored=True)
            self.journal.touch(upload_id)
