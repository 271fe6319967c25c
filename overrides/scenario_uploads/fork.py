"""Forks: a child replaces locks that a thread of its parent holds, and gives up inherited connections."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from typing import Any

CLOSED = "This client is closed; make a new one."


_FORKED: weakref.WeakSet[Any] = weakref.WeakSet()


def watch_forks(holder: object) -> None:
    """Call `holder.after_fork` in every forked child, where no other thread exists, for as long as the object lives."""
    _FORKED.add(holder)


def _after_fork() -> None:
    for holder in list(_FORKED):
        holder.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def close_when_collected(holder: object, close: Callable[[], object]) -> None:
    """Call `close` when the holder is garbage-collected; not at exit, where the system closes sockets."""
    weakref.finalize(holder, close).atexit = False
