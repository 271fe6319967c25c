"""Differences between systems: sockets, file identity, reading at offsets, private files, locks, forks; and threads.

System functions are looked up when called, with a slower fallback where a system lacks one.
"""

from __future__ import annotations

import errno
import io
import os
import platform
import select
import selectors
import socket
import stat
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from contextvars import copy_context
from functools import cache, partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Generic, Self, TypeVar

from attrs import frozen

from .errors import TransferError
from .redaction import iter_chain

T = TypeVar("T")
# Seconds between two checks of a condition that cannot wake a waiter.
SLICE = 0.2

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]

# Binary mode for Windows; elsewhere, opening a pipe without a writer must not block.
OPEN_FLAGS = getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
# Windows cannot remove an open file; systems with fcntl can.
REMOVES_OPEN_FILES = fcntl is not None
_USED_UP = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


@frozen
class FileState:
    """The identity of a file and of its content; times are in nanoseconds."""

    size: int
    mtime_ns: int  # users can set it back
    device: int = 0
    inode: int = 0  # 0 where there are none
    ctime_ns: int = 0  # change time, which users cannot set; 0 where there is none

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        # On Windows, st_ctime is the creation time.
        changed = 0 if os.name == "nt" else status.st_ctime_ns
        return cls(status.st_size, status.st_mtime_ns, status.st_dev, status.st_ino, changed)

    def proves(self, other: FileState) -> bool:
        """Return whether equal states prove that the file has not changed."""
        return self == other and bool(self.inode and self.ctime_ns)


def is_used_up(error: BaseException | None) -> bool:
    """Return whether an error is due to a lack of descriptors or memory, and not to the network."""
    chain = list(iter_chain(error))
    if any(isinstance(one, socket.gaierror) for one in chain):
        # The resolver does not tell it from a name that is not there.
        try:
            os.close(os.open(os.devnull, os.O_RDONLY))
        except OSError:
            return True
    return any(isinstance(one, OSError) and one.errno in _USED_UP for one in chain)


def create_selector() -> selectors.BaseSelector:
    """Return a selector that needs no file descriptor, even where eventlet has replaced `select`."""
    has_poll = hasattr(select, "poll") and hasattr(selectors, "PollSelector")
    return selectors.PollSelector() if has_poll else selectors.SelectSelector()


def read_at(descriptor: int, buffer: memoryview, offset: int, lock: threading.Lock) -> int:
    """Fill a buffer from an offset of a file; return the bytes read. `lock` belongs to the descriptor."""
    if hasattr(os, "preadv"):
        return os.preadv(descriptor, [buffer], offset)
    with lock, io.FileIO(descriptor, closefd=False) as file:
        # A duplicated descriptor shares its position with the caller's file.
        before = file.tell()
        try:
            file.seek(offset)
            return file.readinto(buffer)
        finally:
            file.seek(before)


def open_private(path: Path, flags: int) -> int:
    """Open or create a file for this user alone; OSError if it is a link, another user's or has a second name."""
    no_follow = getattr(os, "O_NOFOLLOW", 0)
    if not no_follow and os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode):
        raise OSError(errno.ELOOP, "there is a link, or something else that is not a ledger")
    descriptor = os.open(path, flags | OPEN_FLAGS | no_follow, 0o600)
    try:
        found = os.fstat(descriptor)
        foreign = hasattr(os, "geteuid") and found.st_uid != os.geteuid()
        if not stat.S_ISREG(found.st_mode) or foreign or found.st_nlink > 1:
            raise OSError(errno.EPERM, "there is a file that is no ledger of this user")
        if flags & os.O_RDWR and hasattr(os, "fchmod"):
            os.fchmod(descriptor, 0o600)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def find_state_folder() -> Path:
    """Return the user's folder for ledgers; OSError when the user has no home folder."""
    from platformdirs import user_state_path  # noqa: PLC0415 - only resumable uploads need it

    # An empty HOME would give the root of the file system; without a home, platformdirs gives `~` itself.
    if os.environ.get("HOME") != "" or os.environ.get("XDG_STATE_HOME"):
        with suppress(RuntimeError):
            folder = user_state_path("scenario-uploads", appauthor=False)
            if folder.is_absolute():
                return folder
    raise OSError(errno.ENOENT, "this user has no home folder")


def lock_file(descriptor: int, path: Path) -> Callable[[], object]:
    """Lock an open file (without flock, a file beside it); return what unlocks it. BlockingIOError if locked."""
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Closing is not enough: a process being started by another thread may have a copy of the descriptor.
        return partial(fcntl.flock, descriptor, fcntl.LOCK_UN)
    try:
        import filelock  # noqa: PLC0415 - only where flock is missing
    except ImportError as error:
        raise OSError(errno.ENOLCK, "this system has no locks; install filelock") from error
    lock = filelock.FileLock(f"{path}.lock", timeout=0, mode=0o600, thread_local=False)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise BlockingIOError(errno.EAGAIN, "it is locked") from error
    return lock.release


@cache
def find_version() -> str:
    """Return the version of the installed package; 0 where none is, as in a source tree or a frozen program."""
    try:
        # Slow to import, and rarely needed.
        from importlib.metadata import version  # noqa: PLC0415

        return version("scenario-uploads")
    except (ImportError, OSError):  # or no descriptor is left to read it
        return "0"


def user_agent() -> str:
    return f"scenario-uploads/{find_version()} python/{platform.python_version()}"


_FORKED: weakref.WeakSet[Any] = weakref.WeakSet()


def watch_forks(holder: object) -> None:
    """Call `holder.after_fork` in every forked child, as long as the holder lives."""
    _FORKED.add(holder)


def _after_fork() -> None:
    for holder in list(_FORKED):
        holder.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def close_when_collected(holder: object, close: Callable[[], object]) -> None:
    """Call `close` when the holder is garbage-collected; not at exit, where the system closes sockets."""
    weakref.finalize(holder, close).atexit = False


class Worker(threading.Thread, Generic[T]):
    """A daemon thread that does some work, and its outcome."""

    def __init__(self, work: Callable[[], T], name: str) -> None:
        super().__init__(target=copy_context().run, args=(self._do, work), name=name, daemon=True)
        self.outcome: Future[T] = Future()

    def _do(self, work: Callable[[], T]) -> None:
        try:
            self.outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised where the outcome is asked for
            self.outcome.set_exception(error)

    def start(self) -> None:
        """Start the work; TransferError when the system is out of threads, or the interpreter is exiting."""
        handled = sys.exception()
        try:
            super().start()
        except RuntimeError as error:
            # What a signal handler raises between two steps of a lock of `threading` makes the lock's release fail.
            if error.__context__ not in (None, handled):
                raise error.__context__ from None
            raise TransferError(f"No thread can be started: {error}.") from error


def join_threads(threads: Iterable[threading.Thread], seconds: float = 1.0) -> None:
    deadline = time.monotonic() + seconds
    for thread in threads:
        # An interrupt may arrive while a thread is being started, when it cannot be joined yet.
        while not thread.is_alive() and thread in threading.enumerate() and time.monotonic() < deadline:
            time.sleep(0.001)
        # Skip threads that never started, and the current one: a callback may call this.
        if thread.is_alive() and thread is not threading.current_thread():
            thread.join(max(0.0, deadline - time.monotonic()))


def attend(check: Callable[[], object], function: Callable[..., T], *args: Any, **options: Any) -> T:
    """Call a function that may hang, in a thread. Leave it when `check` raises; what it returns then is closed."""
    worker = Worker(partial(function, *args, **options), "scenario-uploads-remote")
    try:
        try:
            worker.start()
        except TransferError:
            return function(*args, **options)
        result = await_outcome(worker.outcome, check)
        worker.join()
    except BaseException:
        worker.outcome.add_done_callback(_close_late)
        raise
    return result


def await_outcome(outcome: Future[T], check: Callable[[], object]) -> T:
    """Wait for the result of a future, unless `check` raises. An interrupt is one between any two steps."""
    done: SimpleQueue[Future[T]] = SimpleQueue()
    outcome.add_done_callback(done.put)
    check()
    while not outcome.done():
        with suppress(Empty):
            done.get(timeout=SLICE)
        check()
    return outcome.result()


def _close_late(outcome: Future[Any]) -> None:
    if outcome.exception() is None and hasattr(outcome.result(), "close"):
        outcome.result().close()
