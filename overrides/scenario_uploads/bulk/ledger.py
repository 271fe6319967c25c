"""The ledger of `upload_many`: the upload of each file, in an SQLite database that a run locks.

A row is written before `complete`, so a run that is killed at any moment never imports a file twice. Not a write-ahead
log, but a rollback journal: network file systems lack memory shared between processes.
"""

from __future__ import annotations

import hashlib
import os
import pkgutil
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen

from scenario_uploads.errors import LedgerError, LedgerLockedError
from scenario_uploads.logs import logger
from scenario_uploads.redaction import explain
from scenario_uploads.system import FileState, find_state_folder, open_private

# What `ledger.sql` writes into a database: an id and the version of the tables.
_MARKS = (0x5363554C, 1)
# Finished imports are written in batches: if a batch is lost, the next run retrieves those uploads again.
_GROUP = 256

_ROWS = "SELECT upload_id, entity_id, done FROM files JOIN contexts ON id = context WHERE key = ? AND run < ?"
_FIND, _FIND_CONTENT = f"{_ROWS} AND state = ?", f"{_ROWS} AND content = ? ORDER BY done DESC LIMIT 1"
_FIND_SIZES = "SELECT part_size FROM sizes JOIN contexts ON id = context WHERE key = ? AND run < ? AND size = ?"
_ADD_CONTEXT = "INSERT OR IGNORE INTO contexts (key) VALUES (?)"
_ADD = "INSERT OR REPLACE INTO files VALUES ((SELECT id FROM contexts WHERE key = ?), ?, ?, ?, ?, ?, ?, ?, ?)"
_FINISH = """
    UPDATE files SET done = 1, entity_id = ?, run = ?
    WHERE context = (SELECT id FROM contexts WHERE key = ?) AND state = ? AND upload_id = ?
"""
_ADD_SIZE = """
    INSERT OR IGNORE INTO sizes SELECT context, size, part_size, run FROM files JOIN contexts ON id = context
    WHERE key = ? AND state = ? AND content IS NOT NULL
"""

# Closing any descriptor of a file drops the process's locks on it (POSIX), so do not even open a file in use.
_in_use: dict[str, BulkLedger] = {}


@frozen
class Row:
    """The upload of a file, and its asset or model once imported."""

    upload_id: str
    entity_id: str | None
    done: bool


class BulkLedger:
    """The database of one run, or of a plan of one; readable by its owner only; open and locked until `close`."""

    # Of a plan: later than every run in the database.
    run = 2**63 - 1

    def __init__(self, path: Path, *, plan: bool = False) -> None:
        self.path = path
        self._lock, self._queue = threading.RLock(), list[tuple[str, tuple[object, ...]]]()
        with self._explain(), ExitStack() as stack:
            self._open(stack)
            if not plan:
                begun = self._connection.execute("INSERT INTO runs (started) VALUES (?)", (time.time(),))
                self.run = begun.lastrowid or 0
            paths = (path, path.with_name(f"{path.name}-journal"))
            self._files = [one.stat() for one in paths if one.exists()]
            self._stack = stack.pop_all()

    def _open(self, stack: ExitStack) -> None:
        """Lock the database, and make its tables if there are none."""
        name = os.path.realpath(self.path)
        if _in_use.setdefault(name, self) is not self:
            raise sqlite3.OperationalError("it is locked")
        stack.callback(_in_use.pop, name)
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(open_private(self.path, os.O_RDWR | os.O_CREAT))
        # Do not wait for a lock: its holder keeps it to the end of its run.
        self._connection = sqlite3.connect(self.path, timeout=0, isolation_level=None, check_same_thread=False)
        stack.callback(self._connection.close)
        execute = self._connection.execute
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = TRUNCATE", "synchronous = NORMAL"):
            execute(f"PRAGMA {pragma}")
        with self._connection:
            execute("BEGIN EXCLUSIVE")
            if execute("PRAGMA schema_version").fetchone() == (0,):
                for statement in (pkgutil.get_data("scenario_uploads.bulk", "ledger.sql") or b"").decode().split(";"):
                    execute(statement)
            if execute("SELECT * FROM pragma_application_id, pragma_user_version").fetchone() != _MARKS:
                raise sqlite3.DatabaseError("it is no ledger of uploads, or another version's")
            # Version 0.2.0 has an index of finished files alone.
            execute("CREATE INDEX IF NOT EXISTS sent ON files (context, content, run) WHERE content IS NOT NULL")

    def close(self) -> None:
        """Write what is queued and release the lock. Idempotent."""
        # A thread that was left in a slow source may be reading a row.
        with self._lock, self._stack:
            self._write()

    def owns(self, status: os.stat_result) -> bool:
        """Return whether a file is the database or its journal."""
        return any(os.path.samestat(status, own) for own in self._files)

    def find(self, context: bytes, state: bytes | None) -> Row | None:
        """Return the row of an earlier run for a file in this state."""
        return next((Row(*row) for row in self._read(_FIND, context, state)), None)

    def find_content(self, context: bytes, content: bytes | None) -> Row | None:
        """Return the row of an earlier run for a file with this content, if possible of a finished one."""
        return next((Row(*row) for row in self._read(_FIND_CONTENT, context, content)), None)

    def find_part_sizes(self, context: bytes, size: int) -> list[int]:
        """Return the part sizes of files of this size that earlier runs sent."""
        return [part_size for (part_size,) in self._read(_FIND_SIZES, context, size)]

    def _read(self, query: str, context: bytes, value: object) -> list[tuple[Any, ...]]:
        with self._lock, self._explain():
            return self._connection.execute(query, (context, self.run, value)).fetchall()

    def note(self, context: bytes, state: bytes, row: Row, *, size: int, part_size: int, content: bytes | None) -> None:
        """Store the row of a file. Committed on return."""
        values = (state, size, part_size, content, row.upload_id, row.entity_id, row.done, self.run)
        self._queue += [(_ADD_CONTEXT, (context,)), (_ADD, (context, *values)), (_ADD_SIZE, (context, state))]
        self._write()

    def finish(self, context: bytes, state: bytes, row: Row) -> None:
        """Record that a file is imported. Committed with the next `note`; if lost, the next run asks the service."""
        self._queue.append((_FINISH, (row.entity_id, self.run, context, state, row.upload_id)))
        if len(self._queue) >= _GROUP:
            self._write()

    def _write(self) -> None:
        """Write what is queued; the first thread writes for all others."""
        with self._lock, self._explain():
            if statements := [*self._queue]:
                with self._connection:
                    self._connection.execute("BEGIN")
                    for statement in statements:
                        self._connection.execute(*statement)
                # What could not be written stays in the queue, so that later calls fail too.
                del self._queue[: len(statements)]

    @contextmanager
    def _explain(self) -> Iterator[None]:
        """Turn a database error into a LedgerError that says what to do."""
        try:
            yield
        except (sqlite3.DatabaseError, OSError, ValueError) as error:
            what = explain(error)
            elsewhere = "or give another one with ledger=PATH, or ledger=False for none."
            if "locked" in what:
                raise LedgerLockedError(f"Another run uses the ledger {self.path}; wait for it, {elsewhere}") from error
            damaged = not isinstance(error, sqlite3.OperationalError | OSError | ValueError)
            remedy = "Move it away to upload finished files again" if damaged else "Check its disk and permissions"
            raise LedgerError(f"The ledger {self.path} cannot be used: {what}. {remedy}, {elsewhere}") from error


def _hash(text: str, length: int) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=length).digest()


def hash_context(*parts: str) -> bytes:
    """Return the key of an account, project and settings, which equal files share."""
    return _hash("\0".join(parts), 32)


def hash_state(state: FileState | None) -> bytes | None:
    """Return a hash that identifies an unchanged file; None where the system has no inodes."""
    if state is None or not state.inode:
        return None
    return _hash(f"{state.device} {state.inode} {state.size} {state.mtime_ns} {state.ctime_ns}", 16)


def hash_content(size: int, part_size: int, md5s: Iterable[str]) -> bytes:
    """Return the key of a content, from the MD5s of its parts."""
    return _hash(" ".join((str(size), str(part_size), *md5s)), 20)


def open_ledger(given: str | os.PathLike[str] | bool | None, *, plan: bool = False) -> BulkLedger | None:
    """Open the ledger of a call; None without one or a home folder. That of a `plan` must exist."""
    if given is False:
        return None
    try:
        path = Path(given) if isinstance(given, str | os.PathLike) else find_state_folder() / "files.sqlite3"
    except OSError as error:
        logger.warning("The next run will send finished files again: %s; give ledger=PATH.", error.strerror)
        return None
    return BulkLedger(path, plan=plan) if not plan or os.access(path, os.F_OK) else None
