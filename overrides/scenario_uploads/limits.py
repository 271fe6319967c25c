"""Limits of S3's multipart upload, in bytes, where Scenario stores files; and of numbers of seconds."""

from __future__ import annotations

from .errors import InvalidArgumentError

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB
TIB = 1024 * GIB
MIN_PART_SIZE = 5 * MIB
MAX_PART_SIZE = 5 * GIB
MAX_PARTS = 10_000
MAX_FILE_SIZE = 5 * TIB
# Larger timeouts overflow in some operating systems.
MAX_SECONDS = 1_000_000_000


def check_seconds(name: str, value: object, *, zero: bool = False) -> float:
    """Return `value` when it is a number of seconds above 0 (with `zero`, from 0) and below 30 years."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= MAX_SECONDS or (value == 0 and not zero):  # type: ignore[operator]
        raise InvalidArgumentError(
            f"{name} must be a number of seconds {'from' if zero else 'above'} 0 to {MAX_SECONDS:,}, not {value!r}."
        )
    return float(value)  # type: ignore[arg-type]
