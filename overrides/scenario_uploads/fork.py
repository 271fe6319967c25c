"""What a forked child gives up: locks that a thread of its parent holds, and connections that its parent uses."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from typing import Protocol

CLOSED = "This client is closed; make a new one."


class Forked(Protocol):
    """Something that a forked child must not use as it is."""

    def after_fork(self) -> None:
        """Take new locks and give up inherited sockets. Called in the child, in which no other thread runs."""
        ...


_FORKED: weakref.WeakSet[Forked] = weakref.WeakSet()


def watch_forks(holder: Forked) -> None:
    """Call `after_fork` of an object in every forked child, for as long as the object lives."""
    _FORKED.add(holder)


def _after_fork() -> None:
    for holder in list(_FORKED):
        holder.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def close_when_collected(holder: object, close: Callable[[], object]) -> None:
    """Close connections when nobody has their holder any more; until the process ends, which closes them by itself."""
    weakref.finalize(holder, close).atexit = False
