"""The ledger of an upload: what has been sent, so that the same call after a crash sends only the missing parts.

A ledger is a file of JSON lines. The first holds the file, the upload and the presigned URLs; each further one a part
that storage has acknowledged, with its MD5, and is flushed to disk. Only its owner may read it, and its name is a hash.
It is locked while open, so two processes cannot use it at once.
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
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from attrs import asdict, astuple, evolve, field, frozen

from scenario_uploads.errors import LedgerLockedError
from scenario_uploads.fork import watch_forks
from scenario_uploads.system import REMOVES_OPEN_FILES, lock_file, open_private
from scenario_uploads.transfer.source import FileState

logger = logging.getLogger("scenario_uploads")

VERSION = 2
SUFFIX = ".upload.jsonl"
# A ledger of 10,000 parts with long URLs has about 20 MB.
SIZE_LIMIT = 64 * 1024 * 1024

_UNWRITABLE = "The upload cannot be resumed later: the ledger cannot be written"
_MD5 = re.compile("[0-9a-f]{32}")


@frozen
class Entry:
    """An upload in progress.

    Attributes:
        upload_id: The id of the upload.
        file: The absolute path of the file.
        state: The state of the file when the upload began.
        part_size: Bytes of each part but the last.
        parts: The presigned URL of each part and when it expires (ISO 8601).
        done: Acknowledged parts by number, with the MD5 sent, if it was computed.
    """

    upload_id: str
    file: str
    state: FileState
    part_size: int
    parts: tuple[tuple[str, str], ...] = field(repr=False)
    done: Mapping[int, str | None] = field(factory=dict, repr=False)


def default_folder() -> Path:
    """Return the folder for ledgers in the user's state folder."""
    from platformdirs import user_state_path  # noqa: PLC0415 - only resumable uploads need it

    # An empty HOME would lead to the root of the file system, and no home, with an older platformdirs, to `~` itself.
    nowhere = os.environ.get("HOME") == "" and not os.environ.get("XDG_STATE_HOME")
    try:
        folder = None if nowhere and os.name == "posix" else user_state_path("scenario-uploads", appauthor=False)
    except RuntimeError:
        folder = None
    if folder is None or not folder.is_absolute():
        raise OSError(errno.ENOENT, "this user has no home folder")
    return folder


class Ledger:
    """The ledger of one file and account: a context manager that holds the lock.

    Disk errors are logged as warnings and cost only the chance to resume.

    Args:
        folder: Where ledgers are kept; created private.
        key: What identifies the upload: file, service, account. Only its hash is stored.
        level: Level of those warnings in the log.

    Raises:
        LedgerLockedError: When another process or call is uploading the same.
    """

    def __init__(self, folder: Path, *key: str, level: int = logging.WARNING) -> None:
        name = hashlib.sha256("\0".join(key).encode("utf-8", "surrogatepass")).hexdigest()[:32]
        self.path = folder / f"{name}{SUFFIX}"
        self._descriptor: int | None = None
        self._unlock: Callable[[], object] | None = None
        self._failed = False
        self._level = level
        watch_forks(self)
        with self._warn("The upload cannot be resumed later: %s cannot be written", folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor, self._unlock = _open_locked(self.path)

    def __enter__(self) -> Self:
        return self

    def after_fork(self) -> None:
        """Do not unlock: unlocking in a forked child would unlock the parent's ledger."""
        self._unlock = None

    def __exit__(self, *_error: object) -> None:
        self.close()

    def read(self) -> Entry | None:
        """Return the entry, or None when there is none or it is damaged."""
        if self._descriptor is None:
            return None
        try:
            content = _read_all(self._descriptor)
            # A crash may have cut the last line; start a new one.
            whole = content[: content.rfind(b"\n") + 1]
            os.ftruncate(self._descriptor, len(whole))
        except OSError as error:
            logger.log(self._level, "%s cannot be read (%s); the upload starts afresh.", self.path, error.strerror)
            return None
        return _parse(content, self.path, self._level)

    def begin(self, entry: Entry) -> None:
        """Write a new entry in place of the old one."""
        head = asdict(entry, recurse=False) | {"state": asdict(entry.state), "version": VERSION, "begun": time.time()}
        head.pop("done")
        self.clear()
        self._write(json.dumps(head) + "\n")
        if self._failed:
            self.delete()

    def record(self, number: int, md5: str | None = None) -> None:
        """Note that storage has acknowledged this part; it is on the disk when this returns."""
        self._write(json.dumps({"part": number} | ({"md5": md5} if md5 else {})) + "\n")

    def clear(self) -> None:
        """Forget what was begun, since it cannot lead anywhere; the ledger stays open and locked."""
        if self._descriptor is not None:
            with self._warn(_UNWRITABLE):
                os.ftruncate(self._descriptor, 0)
                return
            self.delete()

    def _write(self, line: str) -> None:
        if self._descriptor is None or self._failed:
            return
        # What is there stays of use until the end, but nothing more is joined to what may be half a line.
        self._failed = True
        with self._warn(_UNWRITABLE):
            data = line.encode()
            os.lseek(self._descriptor, 0, os.SEEK_END)
            while data:
                data = data[os.write(self._descriptor, data) :]
            os.fsync(self._descriptor)
            self._failed = False

    def delete(self) -> None:
        """Remove the ledger: nothing is left to resume."""
        self._put_away(remove=True)

    def close(self) -> None:
        """Unlock and close. An empty ledger leaves no file behind."""
        self._put_away()

    def _put_away(self, *, remove: bool = False) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            _put_away(self.path, descriptor, self._unlock, self._level, remove=remove)

    @contextmanager
    def _warn(self, what: str, *values: object) -> Iterator[None]:
        """Let a fault of the disk be a warning."""
        try:
            yield
        except OSError as error:
            logger.log(self._level, f"{what}: %s", *values, error.strerror or error)  # noqa: G004 - texts of this module


def list_entries(folder: Path) -> Iterator[tuple[Path, Entry]]:
    """Yield the resumable uploads in a folder, with the paths of their ledgers."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            content = _read_file(path)
        except OSError:
            continue
        if (entry := _parse(content, path, logging.WARNING)) is not None:
            yield path, entry


def clean(folder: Path) -> int:
    """Remove every ledger in a folder that is not in use; return how many."""
    removed = 0
    for path in folder.glob(f"*{SUFFIX}"):
        try:
            descriptor, unlock = _open_locked(path)
        except (LedgerLockedError, OSError):
            continue
        removed += _put_away(path, descriptor, unlock, logging.WARNING, remove=True)
    return removed


def _open_locked(path: Path) -> tuple[int, Callable[[], object]]:
    """Open and lock a ledger; return its descriptor and the function that unlocks it."""
    while True:
        descriptor = open_private(path, os.O_RDWR | os.O_CREAT)
        try:
            unlock = lock_file(descriptor, path)
            # The previous holder of the lock may have removed the file.
            if os.fstat(descriptor).st_nlink:
                return descriptor, unlock
        except BlockingIOError as error:
            os.close(descriptor)
            raise LedgerLockedError(
                "Another upload of this file is under way; wait for it, or upload with resume=False."
            ) from error
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _put_away(path: Path, descriptor: int, unlock: Callable[[], object] | None, level: int, *, remove: bool) -> bool:
    """Unlock, close, and remove the ledger if asked to or empty. A failure is a warning."""
    whole = True

    def attempt(step: Callable[[], object]) -> None:
        nonlocal whole
        try:
            step()
        except OSError as error:
            whole = False
            logger.log(level, "The ledger %s could not be closed and tidied away: %s", path, error.strerror or error)

    def empty_if_removed() -> None:
        nonlocal remove
        remove = remove or os.fstat(descriptor).st_size == 0
        if remove:
            # If it cannot be removed because it is open elsewhere, empty it.
            os.ftruncate(descriptor, 0)

    def unlink() -> None:
        if remove:
            path.unlink(missing_ok=True)

    def close() -> None:
        os.close(descriptor)

    for step in (
        (empty_if_removed, unlink, unlock, close) if REMOVES_OPEN_FILES else (empty_if_removed, close, unlink, unlock)
    ):
        if step is not None:
            attempt(step)
    return whole


def _read_file(path: Path) -> bytes:
    descriptor = open_private(path, os.O_RDONLY)
    try:
        return _read_all(descriptor)
    finally:
        os.close(descriptor)


def _read_all(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    chunks, size = [], 0
    while size <= SIZE_LIMIT and (chunk := os.read(descriptor, 1024 * 1024)):
        chunks.append(chunk)
        size += len(chunk)
    return b"".join(chunks)


def _parse(content: bytes, path: Path, level: int) -> Entry | None:
    # A crash may have cut the last line only; the others were flushed.
    head, *lines = content[: content.rfind(b"\n") + 1].split(b"\n")[:-1] or [b""]
    if not content:
        return None
    try:
        data = json.loads(head)
        if data["version"] != VERSION:
            logger.log(min(level, logging.INFO), "%s is of another version; the upload starts afresh.", path)
            return None
        entry = _parse_head(data)
        done = dict(map(_parse_part, lines))
        if not all(1 <= number <= len(entry.parts) for number in done):
            raise ValueError("a part that there is not")
    except (ValueError, KeyError, TypeError, RecursionError):
        logger.log(level, "%s is damaged and was ignored; the upload starts afresh.", path)
        return None
    return evolve(entry, done=done)


def _parse_part(line: bytes) -> tuple[int, str | None]:
    data = json.loads(line)
    number, md5 = data["part"], data.get("md5")
    if type(number) is not int or not (md5 is None or (isinstance(md5, str) and _MD5.fullmatch(md5))):
        raise TypeError("a value of the wrong type")
    return number, md5


def _parse_head(head: Any) -> Entry:
    entry = Entry(
        upload_id=head["upload_id"],
        file=head["file"],
        state=FileState(**head["state"]),
        part_size=head["part_size"],
        parts=tuple((url, expires) for url, expires in head["parts"]),
    )
    texts = (entry.upload_id, entry.file, *(text for part in entry.parts for text in part))
    numbers = (*astuple(entry.state), entry.part_size)
    if not all(isinstance(text, str) for text in texts) or not all(type(number) is int for number in numbers):
        raise TypeError("a value of the wrong type")
    if entry.part_size < 1 or len(entry.parts) != -(-entry.state.size // entry.part_size):
        raise ValueError("parts that do not add up")
    return entry
