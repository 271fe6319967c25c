"""The ledger of an upload: what has been sent, so that the same call after a crash sends only the missing parts.

A ledger is a file of JSON lines. The first line holds the file and the upload, the next ones the presigned URL of each
part. Each further line holds a part that storage has acknowledged, with its MD5, and is flushed to disk. Only the owner
can read the file, whose name is a hash. It is locked while open, so two processes cannot use it at once.
"""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Self

from attrs import asdict, astuple, field, frozen

from scenario_uploads.errors import LedgerLockedError
from scenario_uploads.system import REMOVES_OPEN_FILES, FileState, lock_file, open_private, watch_forks

logger = logging.getLogger("scenario_uploads")

VERSION = 3
SUFFIX = ".upload.jsonl"
# A ledger of 10,000 parts with long URLs has about 20 MB.
SIZE_LIMIT = 64 * 1024 * 1024

_UNWRITABLE = "The upload cannot be resumed later: the ledger cannot be written"
_MD5 = re.compile("[0-9a-f]{32}")


@frozen
class Entry:
    """An upload in progress."""

    upload_id: str
    file: str  # the absolute path
    state: FileState  # when the upload began
    part_size: int
    parts: tuple[tuple[str, str], ...] = field(repr=False)  # the presigned URL of each, and when it expires (ISO 8601)
    done: Mapping[int, str | None] = field(factory=dict, repr=False)
    """Acknowledged parts by number, with the MD5 sent, if it was computed."""
    base_url: str = ""
    asked: Mapping[str, Any] = field(factory=dict, repr=False)
    """What the create asked for, but for sizes; with the project."""


def default_folder() -> Path:
    """Return the folder for ledgers in the user's state folder."""
    from platformdirs import user_state_path  # noqa: PLC0415 - only resumable uploads need it

    # An empty HOME would give the root of the file system; without a home, an older platformdirs gives `~` itself.
    folder = Path()
    if os.name != "posix" or os.environ.get("HOME") != "" or os.environ.get("XDG_STATE_HOME"):
        with suppress(RuntimeError):
            folder = user_state_path("scenario-uploads", appauthor=False)
    if not folder.is_absolute():
        raise OSError(errno.ENOENT, "this user has no home folder")
    return folder


class Ledger:
    """The ledger of one file and account: a context manager that holds the lock.

    Disk errors are logged at `level`, and the upload then cannot be resumed. LedgerLockedError when another process or
    call is uploading the same. The `key` identifies file, service and account; only its hash is stored.
    """

    def __init__(self, folder: Path, *key: str, level: int = logging.WARNING) -> None:
        self.path = folder / name_ledger(*key)
        self._descriptor: int | None = None
        self._unlock: Callable[[], object] = _do_nothing
        self._failed, self._level = False, level
        watch_forks(self)
        with self._warn("The upload cannot be resumed later: %s cannot be written", folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor, self._unlock = _open_locked(self.path)

    def __enter__(self) -> Self:
        return self

    def after_fork(self) -> None:
        """Do not unlock: unlocking in a forked child would unlock the parent's ledger."""
        self._unlock = _do_nothing

    def __exit__(self, *_error: object) -> None:
        self.close()

    def read(self) -> Entry | None:
        """Return the entry, or None when there is none or it is damaged."""
        if self._descriptor is None:
            return None
        try:
            content = _read(self._descriptor)
            # A crash may have cut the last line; start a new one.
            os.ftruncate(self._descriptor, content.rfind(b"\n") + 1)
        except OSError as error:
            logger.log(self._level, "%s cannot be read (%s); the upload starts afresh.", self.path, error.strerror)
            return None
        return _parse(content, self.path, self._level)

    def begin(self, entry: Entry) -> None:
        """Replace the entry with a new one, which starts without recorded parts."""
        head = asdict(entry, filter=lambda attribute, _: attribute.name not in ("parts", "done"))
        # Line by line: the JSON encoder holds the GIL until it is done.
        lines = [json.dumps(line) for line in (head | {"version": VERSION, "begun": time.time()}, *entry.parts)]
        self.clear()
        self._write("\n".join(lines))
        if self._failed:
            self.delete()

    def record(self, number: int, md5: str | None = None) -> None:
        """Record that storage has acknowledged this part. Flushed to disk on return."""
        self._write(json.dumps({"part": number} | ({"md5": md5} if md5 else {})))

    def clear(self) -> None:
        """Remove an entry that cannot be resumed; the ledger stays open and locked."""
        if self._descriptor is not None:
            with self._warn(_UNWRITABLE):
                os.ftruncate(self._descriptor, 0)
                return
            self.delete()

    def _write(self, text: str) -> None:
        if self._descriptor is None or self._failed:
            return
        # Keep what is written, but append nothing: the last line may be incomplete.
        self._failed = True
        with self._warn(_UNWRITABLE):
            data = f"{text}\n".encode()
            os.lseek(self._descriptor, 0, os.SEEK_END)
            while data:
                data = data[os.write(self._descriptor, data) :]
            os.fsync(self._descriptor)
            self._failed = False

    def delete(self) -> None:
        """Remove the ledger: nothing is left to resume."""
        self.close(remove=True)

    def close(self, *, remove: bool = False) -> None:
        """Unlock and close. An empty ledger leaves no file behind."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            _release(self.path, descriptor, self._unlock, self._level, remove=remove)

    @contextmanager
    def _warn(self, what: str, *values: object) -> Iterator[None]:
        """Turn a disk error into a warning."""
        try:
            yield
        except OSError as error:
            logger.log(self._level, f"{what}: %s", *values, error.strerror or error)  # noqa: G004 - texts of this module


def name_ledger(*key: str) -> str:
    """Return the file name of the ledger for a key."""
    return hashlib.sha256("\0".join(key).encode("utf-8", "surrogatepass")).hexdigest()[:32] + SUFFIX


def is_locked(path: Path) -> bool:
    """Return whether an upload with this ledger is in progress."""
    try:
        return not _release(path, *_open_locked(path), logging.DEBUG, remove=False)
    except LedgerLockedError:
        return True


def list_entries(folder: Path) -> Iterator[tuple[Path, Entry]]:
    """Yield the resumable uploads in a folder, with the paths of their ledgers."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            with os.fdopen(open_private(path, os.O_RDONLY), "rb") as file:
                content = _read(file.fileno())
        except OSError:
            continue
        if (entry := _parse(content, path, logging.WARNING)) is not None:
            yield path, entry


def clean(folder: Path) -> int:
    """Remove every ledger in a folder that is not in use; return how many."""
    removed = 0
    for path in folder.glob(f"*{SUFFIX}"):
        with suppress(LedgerLockedError, OSError):
            removed += _release(path, *_open_locked(path), logging.WARNING, remove=True)
    return removed


def _do_nothing() -> None:
    pass


def _open_locked(path: Path) -> tuple[int, Callable[[], object]]:
    """Open and lock a ledger; return its descriptor and the function that unlocks it."""
    while True:
        descriptor = open_private(path, os.O_RDWR | os.O_CREAT)
        with ExitStack() as opened:
            opened.callback(os.close, descriptor)
            try:
                unlock = lock_file(descriptor, path)
            except BlockingIOError as error:
                message = "Another upload of this file is in progress; wait for it, or upload with resume=False."
                raise LedgerLockedError(message) from error
            # The previous holder of the lock may have removed the file.
            if os.fstat(descriptor).st_nlink:
                opened.pop_all()
                return descriptor, unlock


def _release(path: Path, descriptor: int, unlock: Callable[[], object], level: int, *, remove: bool) -> bool:
    """Unlock, close, and remove the ledger if asked to or empty. A failure is a warning."""

    def empty_if_removed() -> None:
        nonlocal remove
        remove = remove or os.fstat(descriptor).st_size == 0
        if remove:
            # If it cannot be removed because it is open elsewhere, empty it.
            os.ftruncate(descriptor, 0)

    def unlink() -> None:
        if remove:
            path.unlink(missing_ok=True)

    close = partial(os.close, descriptor)
    last = (unlink, unlock, close) if REMOVES_OPEN_FILES else (close, unlink, unlock)
    whole = True
    for step in (empty_if_removed, *last):
        try:
            step()
        except OSError as error:
            whole = False
            logger.log(level, "The ledger %s could not be closed and tidied away: %s", path, error.strerror or error)
    return whole


def _read(descriptor: int) -> bytes:
    with open(descriptor, "rb", closefd=False) as file:
        file.seek(0)
        return file.read(min(os.fstat(descriptor).st_size, SIZE_LIMIT))


def _parse(content: bytes, path: Path, level: int) -> Entry | None:
    if not content:
        return None
    try:
        # A crash can truncate only the last line; the others were flushed.
        head, *lines = content[: content.rfind(b"\n")].split(b"\n")
        data = json.loads(head)
        if data["version"] != VERSION:
            logger.log(min(level, logging.INFO), "%s is of another version; the upload starts afresh.", path)
            return None
        state = FileState(**data["state"])
        count = -(-state.size // data["part_size"])
        parts = tuple((url, expires) for url, expires in map(json.loads, lines[:count]))
        done = {line["part"]: line.get("md5") for line in map(json.loads, lines[count:])}
        told = data.get("base_url", ""), dict(data.get("asked", {}))
        entry = Entry(data["upload_id"], data["file"], state, data["part_size"], parts, done, *told)
        _check(entry, count)
    except (ArithmeticError, AttributeError, KeyError, RecursionError, TypeError, ValueError):
        logger.log(level, "%s is damaged and was ignored; the upload starts afresh.", path)
        return None
    return entry


def _check(entry: Entry, count: int) -> None:
    """Raise TypeError or ValueError when a value is invalid."""
    texts = (entry.upload_id, entry.file, entry.base_url, *chain.from_iterable(entry.parts))
    numbers = (*astuple(entry.state), entry.part_size, *entry.done)
    if not all(isinstance(text, str) for text in texts) or not all(type(number) is int for number in numbers):
        raise TypeError("a value of the wrong type")
    if not all(md5 is None or _MD5.fullmatch(md5) for md5 in entry.done.values()):
        raise ValueError("no MD5")
    if entry.part_size < 1 or len(entry.parts) != count or not all(1 <= number <= count for number in entry.done):
        raise ValueError("parts that do not add up")
