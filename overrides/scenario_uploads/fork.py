"""A lock that outlives a fork."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import TypeVar


class ProcessLock:
    """A lock that a forked child never finds taken.

    A fork copies a lock as it is, but only one thread: what another one held at that moment would stay locked for ever.
    Each process therefore has a lock of its own.
    """

    def __init__(self) -> None:
        self._locks: dict[int, threading.Lock] = {}

    def __enter__(self) -> None:
        process = os.getpid()
        # One of several threads that come here first puts its lock there, and all take that one.
        (self._locks.get(process) or self._locks.setdefault(process, threading.Lock())).acquire()

    def __exit__(self, *_error: object) -> None:
        self._locks[os.getpid()].release()


T = TypeVar("T")

CLOSED = "This client is closed; make a new one."


def close_when_collected(holder: object, close: Callable[[], object]) -> None:
    """Close connections when nobody has their holder any more; until the process ends, which closes them by itself."""
    weakref.finalize(holder, close).atexit = False
