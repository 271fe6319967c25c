"""What is shown of an upload. Pure."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from itertools import groupby
from mimetypes import guess_type
from typing import Final, Self

import attrs

from scenario_uploads.sandbox.state.journal import Journal
from scenario_uploads.sandbox.state.records import UNKNOWN_STATUS, UploadRecord

STATUSES: Final[tuple[str, ...]] = ("pending", "validating", "validated", "imported", "failed")
MAX_CELLS: Final = 32
_CELL, _GAP = 12, 2
_MAX_NAME: Final = 200
_IMAGES: Final = ("png", "jpeg", "gif", "webp", "avif", "bmp", "svg+xml")
_TEXTS: Final = re.compile(r"text/[\w.+-]+|application/([\w.+-]+\+)?(json|xml|yaml|toml|javascript)", re.ASCII)
_PLAYED: Final = re.compile(r"(audio|video)/[\w.+-]+", re.ASCII)


@attrs.frozen
class Strip:
    """The parts of an upload as a row of cells, each for one part or, of many parts, for several."""

    count: int
    stored: int
    refused: int
    width: int
    cells: Mapping[str, str]
    """For each state that cells are in, the path that draws them."""

    @classmethod
    def of(cls, count: int, stored: int, sending: int, refused: int) -> Self:
        """Return the strip of so many parts. Each state has a bit for each part that is in it."""
        shown = min(count, MAX_CELLS)
        states = [
            _name_state(stored >> first, sending >> first, refused >> first, end - first)
            for first, end in (((cell * count) // shown, ((cell + 1) * count) // shown) for cell in range(shown))
        ]
        cells: dict[str, str] = {}
        place = 0
        for state, run in groupby(states):
            # Drawn as a dashed line, so that a run of cells is one stroke.
            width = len(list(run)) * _CELL
            cells[state] = f"{cells.get(state, '')}M{place} 6h{width - _GAP}"
            place += width
        return cls(count, stored.bit_count(), refused.bit_count(), place - _GAP, cells)


def _name_state(stored: int, sending: int, refused: int, parts: int) -> str:
    """Return the state of a cell for that many parts, whose bits are the lowest."""
    every = (1 << parts) - 1
    done = (stored & every).bit_count()
    if done == parts:
        return "stored"
    return "refused" if refused & every else "sending" if sending & every else "some" if done else "waiting"


@attrs.frozen(kw_only=True)
class UploadView:
    """An upload as the list and its own page show it."""

    record: UploadRecord
    name: str
    size: int | None
    strip: Strip | None
    media: str | None
    """What shows it: `image`, `audio`, `video`, `text`, or None."""
    media_type: str
    error: str
    url: str

    @property
    def id(self) -> str:
        """Its id."""
        return self.record.id

    @property
    def tone(self) -> str:
        """The class of its status."""
        return self.record.status if self.record.status in STATUSES else "unknown"

    @classmethod
    def of(cls, record: UploadRecord, journal: Journal) -> Self:
        """Return the view of a record."""
        multipart, strip = record.multipart, None
        if multipart is not None:
            every = (1 << multipart.parts_count) - 1
            stored, sending, refused = (bits & every for bits in journal.find_parts(record.id))
            strip = Strip.of(multipart.parts_count, every if record.is_stored else stored, sending, refused)
        # What was fetched has no content type that a caller gave.
        media, media_type = find_media(multipart.content_type if multipart else guess_type(record.file_name)[0] or "")
        return cls(
            record=record,
            name=show(multipart.original_file_name if multipart else record.file_name),
            size=multipart.file_size if multipart else None,
            strip=strip,
            media=media if record.is_stored else None,
            media_type=media_type,
            error=show(journal.mask(record.error_message or "")),
            url=show(journal.mask(record.url or "")),
        )


@attrs.frozen
class Filter:
    """Which uploads are listed; an empty text is no condition."""

    q: str = ""
    status: str = ""
    kind: str = ""

    def accept(self, record: UploadRecord) -> bool:
        """Return whether an upload is listed."""
        if (self.kind and record.kind != self.kind) or (self.status and record.status != self.status):
            return False
        original = record.multipart.original_file_name if record.multipart else ""
        texts = (
            original,
            record.file_name,
            record.id,
            record.kind,
            record.status,
            record.entity_id,
            record.error_message,
        )
        wanted = self.q.casefold().split()
        found = "\n".join(text for text in texts if text).casefold()
        return all(word in found for word in wanted)


def order_counts(counts: Mapping[str, int]) -> dict[str, int]:
    """Return how many uploads there are, as "", and of each status; of those that the contract has, also none."""
    return {"": sum(counts.values())} | dict.fromkeys(STATUSES, 0) | {name: n for name, n in counts.items() if n}


def find_media(content_type: str) -> tuple[str | None, str]:
    """Return what shows a file of a content type, and the content type to serve it with."""
    essence = content_type.partition(";")[0].strip().lower()
    if essence in {f"image/{name}" for name in _IMAGES}:
        return "image", essence
    if found := _PLAYED.fullmatch(essence):
        return found[1], essence
    if _TEXTS.fullmatch(essence):
        return "text", "text/plain; charset=utf-8"
    return None, "application/octet-stream"


def show(text: str, limit: int = _MAX_NAME) -> str:
    """Return a text of a stranger on one line, short, without characters that turn the direction of what follows."""
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text[:limit])
    return shown + "…" * (len(text) > limit)


def format_json(text: str) -> str:
    """Return JSON with a line for each item; what is no longer whole, as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def format_size(size: int | None) -> str:
    """Return a number of bytes for a person, such as `9.0 MiB`."""
    if size is None:
        return "\N{EN DASH}"
    value, unit = float(size), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if value < 1024 or unit == "TiB":
            break
        value /= 1024
    return f"{size} B" if unit == "B" else f"{value:.1f} {unit}"


def format_seconds(seconds: float) -> str:
    """Return a duration for a person, such as `40 ms` or `1.5 s`."""
    return (
        f"{seconds * 1000:.0f} ms"
        if seconds < 1
        else f"{seconds:.1f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
    )


def format_clock(moment: datetime) -> str:
    """Return a time of day on this machine."""
    return f"{moment.astimezone():%H:%M:%S}"


def describe_status(status: str) -> str:
    """Return what a status means."""
    return {
        "pending": "waits for its parts and for complete",
        "validating": "is assembled and looked at",
        "validated": "is being imported",
        "imported": "has become an asset or a model",
        "failed": "was not imported",
        UNKNOWN_STATUS: "a status that the contract does not name (a fault that was asked for)",
    }.get(status, "")
