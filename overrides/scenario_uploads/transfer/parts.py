"""From numbers to parts: how a file is cut, and which presigned URL belongs to which piece. Pure.

The limits are those of S3's multipart upload, which Scenario stores with: parts of 5 MiB to 5 GiB, the last one free to
be smaller, at most 10,000 of them, 5 TiB in all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import urlsplit

from attrs import frozen

from scenario_uploads.errors import InvalidArgumentError, SourceError, TransferError
from scenario_uploads.limits import MAX_FILE_SIZE, MAX_PART_SIZE, MAX_PARTS, MIB, MIN_PART_SIZE
from scenario_uploads.proxies import is_loopback

DEFAULT_PART_SIZE = 8 * MIB
_VISIBLE = re.compile(r"[!-~]*")
_NETLOC = re.compile(r"([\w-][\w.-]*|\[[\da-f:.]+\])(:\d+)?", re.ASCII | re.IGNORECASE)


@frozen
class Part:
    """One piece of the file: `length` bytes from `offset`; `number` counts from 1."""

    number: int
    offset: int
    length: int


@frozen
class UploadPlan:
    """How a file of `size` bytes is cut into parts of `part_size` bytes, of which only the last may be smaller."""

    size: int
    part_size: int

    @property
    def parts_count(self) -> int:
        """How many parts there are."""
        return -(-self.size // self.part_size)

    def part(self, number: int) -> Part:
        """Return the part with this number, from 1 to `parts_count`."""
        offset = (number - 1) * self.part_size
        return Part(number, offset, min(self.part_size, self.size - offset))


def plan_parts(size: int, part_size: int | None = None) -> UploadPlan:
    """Decide how a file of `size` bytes is cut.

    Args:
        size: Bytes, 1 to 5 TiB.
        part_size: Bytes, 5 MiB to 5 GiB; None takes the smallest of 8, 16, 32 … MiB that needs at most 10,000 parts.

    Raises:
        SourceError: When the file is empty or over 5 TiB.
        InvalidArgumentError: When `part_size` is out of its range, or so small that the file needs over 10,000 parts.
    """
    if size < 1:
        raise SourceError("The file is empty: there is nothing to upload.")
    if size > MAX_FILE_SIZE:
        raise SourceError(f"The file has {size:,} bytes; an upload has at most {MAX_FILE_SIZE:,} (5 TiB).")
    if part_size is None:
        part_size = DEFAULT_PART_SIZE
        while size > part_size * MAX_PARTS:
            part_size *= 2
        return UploadPlan(size, part_size)
    if isinstance(part_size, bool) or not isinstance(part_size, int):
        raise InvalidArgumentError(f"part_size must be a whole number of bytes, not {part_size!r}.")
    if not MIN_PART_SIZE <= part_size <= MAX_PART_SIZE:
        raise InvalidArgumentError(
            f"part_size is {part_size:,} bytes; S3 takes parts of {MIN_PART_SIZE:,} (5 MiB)"
            f" to {MAX_PART_SIZE:,} (5 GiB)."
        )
    if size > part_size * MAX_PARTS:
        raise InvalidArgumentError(
            f"A file of {size:,} bytes in parts of {part_size:,} needs {-(-size // part_size):,} parts, but S3 takes"
            f" {MAX_PARTS:,}; give a part_size of at least {-(-size // MAX_PARTS):,}, or none."
        )
    return UploadPlan(size, part_size)


class AnsweredPart(Protocol):
    """What the create answer says of one part."""

    number: int
    url: str
    expires: str


@frozen
class PartTarget:
    """A part and the presigned URL that takes it.

    Attributes:
        part: The part.
        url: The URL, a secret past its `?`.
        expires_text: When the URL stops working, as the service wrote it.
        md5: The MD5, in hexadecimal, of what storage has of the part; None when it is to be sent in any case.
    """

    part: Part
    url: str
    expires_text: str = ""
    md5: str | None = None

    def __repr__(self) -> str:
        return f"PartTarget({self.part!r}, url={urlsplit(self.url).hostname!r}…)"

    @property
    def expires(self) -> datetime | None:
        """When the URL stops working, or None when the service's text is no ISO 8601 time."""
        from dateutil.parser import isoparse  # noqa: PLC0415 - slow to import, and needed only when something fails

        try:
            moment = isoparse(self.expires_text)
        except (ValueError, TypeError, OverflowError):
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def is_expired(self, now: datetime) -> bool:
        """Return whether the URL has stopped working."""
        expires = self.expires
        return expires is not None and now >= expires


def match_targets(
    plan: UploadPlan,
    answered: Iterable[AnsweredPart] | None,
    *,
    api_url: str,
    allow_http: bool = False,
    upload_id: str | None = None,
) -> tuple[PartTarget, ...]:
    """Give every part of the plan its URL from the create answer.

    Raises:
        TransferError: When a number is missing, double or out of range, or a URL may not be used.
    """
    expected = plan.parts_count
    urls: dict[int, str] = {}
    expiries: dict[int, str] = {}
    for part in answered or ():
        # A tolerant decoder lets pass what is no number.
        if isinstance(part.number, bool) or not isinstance(part.number, int):
            raise TransferError("The create answer has a part whose number is no whole number.", upload_id=upload_id)
        if part.number in urls:
            raise TransferError(f"The create answer has part number {part.number} twice.", upload_id=upload_id)
        urls[part.number] = part.url
        expiries[part.number] = part.expires if isinstance(part.expires, str) else ""
    missing = [number for number in range(1, expected + 1) if number not in urls]
    if missing or len(urls) != expected:
        surplus = [number for number in urls if number not in range(1, expected + 1)]
        raise TransferError(
            f"The create answer should have the part numbers 1 to {expected};"
            f" missing: {_abbreviate(missing)}; not expected: {_abbreviate(surplus)}.",
            upload_id=upload_id,
        )
    for number, url in urls.items():
        if fault := find_url_fault(url, api_url=api_url, allow_http=allow_http):
            raise TransferError(f"The URL of part {number} is refused: {fault}.", upload_id=upload_id)
    return tuple(PartTarget(plan.part(number), urls[number], expiries[number]) for number in range(1, expected + 1))


def find_url_fault(url: object, *, api_url: str, allow_http: bool = False) -> str | None:
    """Return why bytes must not be sent to `url`, or None when they may.

    Parts go over https only. Plain http is for a local service, where both the API and the storage are on loopback, or
    for who allows it.
    """
    if not isinstance(url, str):
        return "it is not a string"
    if not _VISIBLE.fullmatch(url):
        return "it has a space, a control character or one that is not ASCII"
    try:
        target = urlsplit(url)
        host, _ = target.hostname, target.port
        # Asking for the address of a name whose labels are empty or too long would crash.
        (host or "").encode("idna")
    except ValueError:
        return "it is not a URL"
    if "@" in target.netloc:
        return "it carries a user name or password"
    if not _NETLOC.fullmatch(target.netloc):
        return "it has no host, or one that is no name and no address"
    if target.scheme not in ("http", "https"):
        return f"its scheme is {target.scheme!r}, and only https is safe"
    local = is_loopback(host) and is_loopback(urlsplit(api_url).hostname)
    if target.scheme == "https" or allow_http or local:
        return None
    return (
        "its scheme is 'http', and only https is safe; a service of your own, such as a sandbox on another machine, is"
        " sent to with allow_http_storage=True (SCENARIO_ALLOW_HTTP_STORAGE=1, --allow-http-storage)"
    )


def _abbreviate(numbers: list[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:5])
    return (shown or "none") + (f" and {len(numbers) - 5:,} more" if len(numbers) > 5 else "")
