"""The ledger of an upload: what has been sent, so that the same call after a crash sends only the missing parts.

A file of JSON lines: the file and the upload, then the presigned URL of each part, then each part that storage has
acknowledged, with its MD5, flushed to disk. Only the owner can read it. It is locked while open.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from attrs import asdict, field, frozen

from scenario_uploads.errors import LedgerLockedError
from scenario_uploads.logs import logger
from scenario_uploads.redaction import explain
from scenario_uploads.settings.client import ClientOptions
from scenario_uploads.system import REMOVES_OPEN_FILES, FileState, lock_file, open_private, watch_forks

VERSION = 3
SUFFIX = ".upload.jsonl"


@frozen
class Entry:
    upload_id: str
    file: str  # the absolute path
    state: FileState  # when the upload began
    part_size: int
    parts: tuple[tuple[str, str], ...] = field(repr=False)  # the presigned URL of each, and when it expires (ISO 8601)
    done: Mapping[int, str | None] = field(factory=dict, repr=False)  # acknowledged parts, with their MD5 if computed
    base_url: str = ""
    asked: Mapping[str, Any] = field(factory=dict, repr=False)  # what the create asked for, but for sizes; the project


class Ledger:
    """An open ledger, or LedgerLockedError. Disk errors are logged at `level`; the upload then cannot be resumed."""

    def __init__(self, path: Path, level: int = logging.WARNING) -> None:
        self.path, self._level = path, level
        self._descriptor: int | None = None
        self._unlock: Callable[[], object] = lambda: None
        watch_forks(self)
        with self._giving_up():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._open()

    def _open(self) -> None:
        descriptor = open_private(self.path, os.O_RDWR | os.O_CREAT)
        try:
            self._unlock = lock_file(descriptor, self.path)
        except OSError:
            os.close(descriptor)
            raise
        if os.fstat(descriptor).st_nlink:
            self._descriptor = descriptor
        else:
            # The previous holder of the lock has removed the file.
            os.close(descriptor)
            self._open()

    def after_fork(self) -> None:
        """Do not unlock: unlocking in a forked child would unlock the parent's ledger."""
        self._unlock = lambda: None

    def read(self) -> Entry | None:
        """Return the entry, or None when there is none or it is damaged."""
        content = b""
        with self._giving_up():
            if self._descriptor is not None:
                with open(self._descriptor, "rb", closefd=False) as file:
                    file.seek(0)
                    content = file.read()
                # A crash may have cut the last line; start a new one.
                os.ftruncate(self._descriptor, content.rfind(b"\n") + 1)
        return _parse(content, self.path, self._level)

    def clear(self) -> None:
        """Remove an entry that cannot be resumed; the ledger stays open and locked."""
        with self._giving_up():
            if self._descriptor is not None:
                os.ftruncate(self._descriptor, 0)

    def begin(self, entry: Entry) -> None:
        """Replace the entry with a new one, which starts without recorded parts."""
        head = asdict(entry, filter=lambda attribute, _: attribute.name not in ("parts", "done"))
        self.clear()
        self._append(head | {"version": VERSION}, *entry.parts)

    def record(self, number: int, md5: str | None = None) -> None:
        """Record that storage has acknowledged this part. Flushed to disk on return."""
        self._append({"part": number} | ({"md5": md5} if md5 else {}))

    def _append(self, *lines: object) -> None:
        with self._giving_up():
            if self._descriptor is not None:
                # Line by line: the JSON encoder holds the GIL until it is done.
                data = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
                os.lseek(self._descriptor, 0, os.SEEK_END)
                while data:
                    data = data[os.write(self._descriptor, data) :]
                os.fsync(self._descriptor)

    @contextmanager
    def _giving_up(self) -> Iterator[None]:
        """Remove the ledger on a disk error, and go on without."""
        try:
            yield
        except BlockingIOError as error:
            message = "Another upload of this file is in progress; wait for it, or upload with resume=False."
            raise LedgerLockedError(message) from error
        except OSError as error:
            reason = explain(error)
            logger.log(self._level, "The upload cannot be resumed later: %s cannot be used: %s", self.path, reason)
            self.close(remove=True)

    def close(self, *, remove: bool = False) -> None:
        """Unlock and close, and remove the ledger if it is empty or nothing is left to resume. Idempotent."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None

        def unlink() -> None:
            if remove:
                self.path.unlink(missing_ok=True)

        close = partial(os.close, descriptor)
        steps = (unlink, self._unlock, close) if REMOVES_OPEN_FILES else (close, unlink, self._unlock)
        try:
            with ExitStack() as stack:
                for step in reversed(steps):
                    stack.callback(step)
                remove = remove or os.fstat(descriptor).st_size == 0
                if remove:
                    # If it cannot be removed because it is open elsewhere, it is empty.
                    os.ftruncate(descriptor, 0)
        except OSError as error:
            logger.log(self._level, "The ledger %s could not be closed and tidied away: %s", self.path, explain(error))


def locate_ledger(folder: Path, options: ClientOptions, file: str, asked: Mapping[str, object]) -> Path:
    """Return the path of the ledger for a file, service, account, and the arguments of the create."""
    # A bearer token changes between calls, and a secret when it is renewed; a key does not.
    credentials = options.credentials
    account = credentials.api_key or (credentials.header if credentials.scheme == "Basic" else credentials.scheme)
    key = "\0".join((file, options.base_url, account, json.dumps(asked, sort_keys=True)))
    return folder / (hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32] + SUFFIX)


def is_locked(path: Path) -> bool:
    with suppress(LedgerLockedError):
        Ledger(path).close()
        return False
    return True


def list_entries(folder: Path) -> Iterator[tuple[Path, Entry]]:
    """Yield the resumable uploads in a folder, with the paths of their ledgers."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            with os.fdopen(open_private(path, os.O_RDONLY), "rb") as file:
                content = file.read()
        except OSError:
            continue
        if entry := _parse(content, path, logging.WARNING):
            yield path, entry


def clean(folder: Path) -> int:
    """Remove every ledger in a folder that is not in use; return how many."""
    paths = [*folder.glob(f"*{SUFFIX}")]
    for path in paths:
        with suppress(LedgerLockedError):
            Ledger(path).close(remove=True)
    return len(paths) - len([*folder.glob(f"*{SUFFIX}")])


def _parse(content: bytes, path: Path, level: int) -> Entry | None:
    if not content:
        return None
    try:
        # A crash can truncate only the last line; the others were flushed.
        head, *lines = map(json.loads, content[: content.rfind(b"\n")].split(b"\n"))
        if head["version"] != VERSION:
            return None
        state, part_size = FileState(**head["state"]), head["part_size"]
        count = -(-state.size // part_size)
        parts = tuple((url, expires) for url, expires in lines[:count])
        done = {line["part"]: line.get("md5") for line in lines[count:]}
        entry = Entry(head["upload_id"], head["file"], state, part_size, parts, done, head["base_url"], head["asked"])
        texts = (entry.upload_id, entry.file, entry.base_url, *chain(*parts), *filter(None, done.values()))
        fits = len(parts) == count and set(range(1, count + 1)).issuperset(done)
        if not fits or not all(isinstance(text, str) for text in texts):
            raise ValueError("parts that do not add up, or a value of the wrong type")
    except (ArithmeticError, AttributeError, KeyError, RecursionError, TypeError, ValueError):
        logger.log(level, "%s is damaged and was ignored; the upload starts afresh.", path)
        return None
    return entry
