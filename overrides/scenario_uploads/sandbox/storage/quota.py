"""How much S3 takes of a part, and the embedded storage of all. Pure but for its memory of what it has."""

from typing import Final

MIB: Final = 1024 * 1024
MIN_PART_SIZE: Final = 5 * MIB
"""The fewest bytes of a part that is not the last."""
MAX_PART_SIZE: Final = 5 * 1024 * MIB
MAX_PARTS: Final = 10_000

DEFAULT_STORED = 64 * 1024**3
"""The bytes that a sandbox keeps in all, unless it is told otherwise."""


class Quota:
    """How many bytes are stored, or on their way, of each part of each upload, and whether more may come.

    Args:
        each: How many bytes the parts of one upload may have together; None for no limit.
        total: How many bytes may be stored in all; None for no limit.
        stored: How many bytes are there already.
    """

    def __init__(self, each: int | None, total: int | None, stored: int = 0) -> None:
        self._each = each
        self._total = total
        self._stored = stored
        self._sizes: dict[str, dict[str, int]] = {}

    @property
    def left(self) -> int | None:
        """How many more bytes may come; None for as many as one likes."""
        return None if self._total is None else max(0, self._total - self._stored)

    def find(self, upload: str, part: str) -> int:
        """Return the noted size of a part, 0 for one that is not known."""
        return self._sizes.get(upload, {}).get(part, 0)

    def release(self, upload: str) -> None:
        """Forget an upload whose bytes are no longer stored."""
        self._stored -= sum(self._sizes.pop(upload, {}).values())

    def note(self, upload: str, part: str, size: int) -> bool:
        """Note the size of a part, unless there would be more bytes than a limit allows.

        What is there already may always become smaller.
        """
        before = self.find(upload, part)
        if size > before:
            others = sum(self._sizes.get(upload, {}).values()) - before
            if self._each is not None and others + size > self._each:
                return False
            if self._total is not None and self._stored - before + size > self._total:
                return False
        self._stored += size - before
        parts = self._sizes.setdefault(upload, {})
        if size:
            parts[part] = size
        else:
            parts.pop(part, None)
        # Whatever an unsigned request may name as its upload is not kept.
        if not parts:
            del self._sizes[upload]
        return True
