"""How a file is split into parts, and which presigned URL belongs to which part. Pure functions.

The limits are those of S3: 5 MiB to 5 GiB a part (the last may be smaller), 10,000 parts, 5 TiB.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from attrs import field, frozen

from scenario_uploads.arguments import MAX_FILE_SIZE, MAX_PART_SIZE, MAX_PARTS, MIB, MIN_PART_SIZE, check_argument
from scenario_uploads.errors import InvalidArgumentError, SourceError, TransferError
from scenario_uploads.proxies import is_loopback

DEFAULT_PART_SIZE = 8 * MIB
# A scheme, a host, perhaps a port, and visible ASCII characters; no user name.
_URL = re.compile(r"https?://([\w-][\w.-]*|\[[\da-f:.]+\])(:\d+)?([/?#][!-~]*)?", re.ASCII | re.IGNORECASE)


@frozen
class Part:
    """A part of the file: `length` bytes from `offset`, with its presigned URL, a secret; `number` counts from 1."""

    number: int
    offset: int
    length: int
    url: str = field(default="", repr=False)
    expires: str = ""  # as the service wrote it
    md5: str | None = None

    def is_expired(self, now: datetime) -> bool:
        """Return whether the URL has expired; False when the time is not ISO 8601."""
        try:
            moment = datetime.fromisoformat(self.expires)
        except ValueError:
            return False
        return now >= (moment if moment.tzinfo else moment.replace(tzinfo=UTC))


@frozen
class UploadPlan:
    """A file of `size` bytes in parts of `part_size` bytes; the last may be smaller."""

    size: int
    part_size: int

    @property
    def parts_count(self) -> int:
        return -(-self.size // self.part_size)

    def part(self, number: int, url: str = "", expires: str = "") -> Part:
        offset = (number - 1) * self.part_size
        return Part(number, offset, min(self.part_size, self.size - offset), url, expires)


def plan_parts(size: int, part_size: int | None = None) -> UploadPlan:
    """Split a file. By default parts are the smallest of 8, 16, 32 … MiB that needs at most 10,000 parts."""
    if size < 1:
        raise SourceError("The file is empty: there is nothing to upload.")
    if size > MAX_FILE_SIZE:
        raise SourceError(f"The file has {size:,} bytes; an upload has at most {MAX_FILE_SIZE:,} (5 TiB).")
    if part_size is None:
        part_size = DEFAULT_PART_SIZE
        while size > part_size * MAX_PARTS:
            part_size *= 2
    usable = isinstance(part_size, int) and MIN_PART_SIZE <= part_size <= MAX_PART_SIZE
    what = f"a whole number of bytes from {MIN_PART_SIZE:,} (5 MiB) to {MAX_PART_SIZE:,} (5 GiB)"
    check_argument("part_size", part_size, usable, what)
    if size > part_size * MAX_PARTS:
        raise InvalidArgumentError(
            f"A file of {size:,} bytes in parts of {part_size:,} needs {-(-size // part_size):,} parts, but S3 takes"
            f" {MAX_PARTS:,}; give a part_size of at least {-(-size // MAX_PARTS):,}, or none."
        )
    return UploadPlan(size, part_size)


def match_parts(plan: UploadPlan, answered: list[Any], *, api_url: str, allow_http: bool = False) -> tuple[Part, ...]:
    """Return each part of the plan with its URL; TransferError when numbers do not match or a URL is not allowed."""
    # The tolerant decoder may leave a value of another type here.
    found = {part.number: part for part in answered if type(part.number) is int}
    missing = [number for number in range(1, plan.parts_count + 1) if number not in found]
    if missing or len(answered) != plan.parts_count:
        shown = ", ".join(map(str, missing[:5])) + ", …" * (len(missing) > 5)
        raise TransferError(
            f"The create response has {len(answered):,} parts, and should have the numbers 1 to {plan.parts_count:,},"
            f" each once; missing: {shown or 'none'}."
        )
    for number, part in found.items():
        if fault := find_url_fault(part.url, api_url=api_url, allow_http=allow_http):
            raise TransferError(f"The URL of part {number} is refused: {fault}.")
    return tuple(
        plan.part(number, part.url, part.expires if isinstance(part.expires, str) else "")
        for number, part in sorted(found.items())
    )


def find_url_fault(url: object, *, api_url: str, allow_http: bool = False) -> str | None:
    """Check a presigned URL: return why it may not be used, or None. Http is only for loopback, or when allowed."""
    if not isinstance(url, str) or not _URL.fullmatch(url):
        return "it is not an https URL with a host, without a user name, and of visible ASCII characters"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        # Resolving a name with empty or too long labels would raise UnicodeError.
        host.encode("idna")
    except ValueError:
        return "its host or port is not valid"
    if parts.scheme == "https" or allow_http or (is_loopback(host) and is_loopback(urlsplit(api_url).hostname)):
        return None
    return (
        "its scheme is 'http', and only https is safe; for a service of your own,"
        " such as a sandbox on another machine, give allow_http_storage=True (SCENARIO_ALLOW_HTTP_STORAGE=1)"
    )
