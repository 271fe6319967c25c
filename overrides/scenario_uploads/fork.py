"""A lock that outlives a fork."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import Generic, TypeVar


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


class Leases(Generic[T]):
    """Tells when connections that several share are to be closed.

    Whoever opened them closes them for all. A copy that is closed leaves them to the others, unless it is the last and
    their owner is gone without having closed them, as in `with Scenario().with_options(timeout=5) as client:`.
    """

    def __init__(self, owner: T) -> None:
        self._owner = weakref.ref(owner)
        self._users = weakref.WeakSet([owner])
        self._lock = threading.Lock()

    def join(self, user: T) -> None:
        """Note that `user` uses the connections as well."""
        with self._lock:
            self._users.add(user)

    def leave(self, user: T) -> bool:
        """Note that `user` does so no more, and tell whether the connections are to be closed."""
        with self._lock:
            self._users.discard(user)
            owner = self._owner()
            # At Python's end the references may be dead and still be counted.
            return owner is user or (owner is None and next(iter(self._users), None) is None)


def close_when_collected(holder: object, close: Callable[[], object]) -> None:
    """Close connections when nobody has their holder any more; until the process ends, which closes them by itself."""
    weakref.finalize(holder, close).atexit = False
