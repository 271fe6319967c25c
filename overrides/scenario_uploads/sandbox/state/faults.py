"""The faults that the next uploads meet."""

import threading
from collections.abc import Mapping
from typing import Final

from scenario_uploads.sandbox.errors import SandboxError

FAULTS: Final[Mapping[str, str]] = {
    "expired": "Storage refuses every part: its URL has expired",
    "slow_down": "Storage answers the first part with 503 SlowDown",
    "reset": "The connection breaks while the first part is sent",
    "wrong_etag": "Storage answers the first part with the ETag of other bytes",
    "rate_limited": "The create is answered with 429",
    "never_finishes": "The upload stays validating",
    "validation_failed": "The file is judged invalid, and the upload has failed",
    "unknown_status": "Before it is imported, until that was seen, its status is one that the contract does not name",
}
"""The names of the faults, and what an upload with one meets."""
STORAGE_FAULTS: Final = frozenset({"expired", "slow_down", "reset", "wrong_etag"})
"""Those that only parts meet."""
MAX_TIMES: Final = 10_000


class Faults:
    """How many of the next uploads meet which fault. An upload begins with its create, and takes one of each.

    Args:
        has_storage: Whether parts come here, and not to another S3.
    """

    def __init__(self, *, has_storage: bool = True) -> None:
        self._has_storage = has_storage
        self._lock = threading.Lock()
        self._times: dict[str, int] = {}

    @property
    def pending(self) -> dict[str, int]:
        """How many uploads still have to meet each fault."""
        with self._lock:
            return dict(self._times)

    def plan(self, name: str, times: int) -> None:
        """Let that many more uploads meet a fault.

        Raises:
            SandboxError: When there is no such fault here, or the number is not from 1 to 10,000.
        """
        if not isinstance(name, str) or name not in FAULTS:
            raise SandboxError(f"there is no fault {str(name)[:100]!r}; there are {', '.join(FAULTS)}")
        if name in STORAGE_FAULTS and not self._has_storage:
            raise SandboxError(f"{name} is a fault of the embedded storage, and another S3 has the parts")
        with self._lock:
            if type(times) is not int or not 1 <= times <= MAX_TIMES - self._times.get(name, 0):
                raise SandboxError(f"times must be a whole number from 1 to {MAX_TIMES} in all, not {str(times)[:100]}")
            self._times[name] = self._times.get(name, 0) + times

    def clear(self) -> None:
        """Let no further upload meet a fault."""
        with self._lock:
            self._times.clear()

    def take(self, *, is_import: bool) -> frozenset[str]:
        """Return what the upload that begins now meets. An import sends no parts and leaves their faults to others."""
        with self._lock:
            taken = frozenset(self._times) - (STORAGE_FAULTS if is_import else frozenset())
            if "rate_limited" in taken:
                # Refused, it meets nothing else; its repetition is the next upload.
                taken = frozenset({"rate_limited"})
            self._times = {name: left for name, times in self._times.items() if (left := times - (name in taken))}
            return taken
