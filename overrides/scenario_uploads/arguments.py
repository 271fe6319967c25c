"""Types of what callers pass, and what goes with one call."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import BinaryIO, Protocol

import httpx
from attrs import field, frozen

from .sentinels import Omit

Headers = Mapping[str, str | Omit]
"""Header names and values; `omit` for a header not to send."""

Query = Mapping[str, object]
"""Names of query parameters and their values: texts, numbers, booleans, dates, and lists or mappings of these."""


class Readable(Protocol):
    """A binary stream."""

    def read(self, size: int = ..., /) -> bytes:
        """Return at most so many bytes; none at the end."""
        ...


FileInput = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Readable
"""A path, the URL of a file, the bytes themselves, or a binary file object."""


@frozen
class CallOptions:
    """What one call adds to the client's settings, checked; `timeout` and `project_id` may be None."""

    headers: Headers = field(factory=dict, repr=False)
    query: Query = field(factory=dict, repr=False)
    body: Mapping[str, object] = field(factory=dict, repr=False)
    timeout: httpx.Timeout | None = None
    project_id: str | None = None
