"""The ledger of `upload_many`: finished and unfinished files, in an SQLite database.

A row maps a file, in the state in which it was sent, to its upload and the result. It is written before `complete`, so
a run that is killed at any moment never imports a file twice: the next run retrieves that upload.

A run locks the database exclusively, with SQLite's own lock. It uses a rollback journal: a write-ahead log needs memory
shared between processes, which network file systems lack.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from attrs import frozen

from scenario_uploads.errors import LedgerError, LedgerLockedError
from scenario_uploads.system import FileState, open_private
from scenario_uploads.upload.ledger import default_folder

logger = logging.getLogger("scenario_uploads")

FILE_NAME = "files.sqlite3"

VERSION = 1

# "ScUL": marks a database as a ledger.
APPLICATION_ID = 0x5363554C

# Finished imports are written in batches: if a batch is lost, the next run retrieves those uploads again.
_GROUP = 256
_GROUP_SECONDS = 0.5

_SCHEMA = f"""
    CREATE TABLE runs (id INTEGER PRIMARY KEY, started REAL NOT NULL);
    CREATE TABLE contexts (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE);
    CREATE TABLE files (
        context INTEGER NOT NULL, state BLOB NOT NULL, size INTEGER NOT NULL, part_size INTEGER NOT NULL,
        content BLOB, upload_id TEXT NOT NULL, entity_id TEXT, done INTEGER NOT NULL, run INTEGER NOT NULL,
        PRIMARY KEY (context, state)
    ) WITHOUT ROWID;
    CREATE INDEX contents ON files (context, content, run) WHERE done AND content IS NOT NULL;
    CREATE TABLE sizes (
        context INTEGER NOT NULL, size INTEGER NOT NULL, part_size INTEGER NOT NULL, run INTEGER NOT NULL,
        PRIMARY KEY (context, size, part_size)
    ) WITHOUT ROWID;
    PRAGMA application_id = {APPLICATION_ID};
    PRAGMA user_version = {VERSION};
"""

# Closing any descriptor of a file drops the process's locks on it (POSIX), so do not even open a file in use.
_in_use: set[str] = set()
_in_use_lock = threading.Lock()


@frozen
class Row:
    """The upload of a file, and its asset or model once imported."""

    upload_id: str
    entity_id: str | None
    done: bool


def hash_state(state: FileState | None) -> bytes | None:
    """Return a hash that identifies an unchanged file; None where the system has no inodes."""
    if state is None or not state.inode:
        return None
    text = f"{state.device} {state.inode} {state.size} {state.mtime_ns} {state.ctime_ns}"
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


class LedgerView:
    """A read-only view of the database, also while a run uses it. Takes no lock and writes nothing."""

    # Later than every run in the database.
    run = 2**63 - 1

    def __init__(self, path: Path) -> None:
        self.path, self._lock = path, threading.Lock()
        with self._explain():
            self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        os.close(open_private(self.path, os.O_RDONLY))
        uri = f"{self.path.absolute().as_uri()}?immutable=1"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        try:
            _check_version(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """Close the database. Idempotent."""
        self._connection.close()

    def context(self, *parts: str) -> int:
        """Return the number of an account, project and settings, which equal files share; 0 if unknown."""
        return next((number for (number,) in self._read("SELECT id FROM contexts WHERE key = ?", _hash(parts))), 0)

    def find(self, context: int, state: bytes | None) -> Row | None:
        """Return the row of an earlier run for a file in this state."""
        return self._select("context = ? AND state = ?", context, state) if state else None

    def _select(self, condition: str, *values: object) -> Row | None:
        query = " ".join(("SELECT upload_id, entity_id, done FROM files WHERE", condition, "AND run < ? LIMIT 1"))
        for upload_id, entity_id, done in self._read(query, *values, self.run):
            return Row(upload_id, entity_id, bool(done))
        return None

    def _read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._explain():
            with suppress(sqlite3.DatabaseError):
                return self._connection.execute(query, values).fetchall()
            # A concurrent run may have extended the file.
            self._connection.close()
            self._connection = self._open()
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def _explain(self) -> Iterator[None]:
        """Turn a database error into a LedgerError that says what to do."""
        try:
            yield
        except (sqlite3.DatabaseError, OSError) as error:
            what = (error.strerror if isinstance(error, OSError) else None) or error
            if isinstance(error, sqlite3.OperationalError | OSError):
                if "locked" in str(error):
                    raise _make_locked_error(self.path) from error
                raise LedgerError(f"The ledger {self.path} cannot be used: {what}; {_ELSEWHERE}") from error
            raise LedgerError(
                f"The ledger {self.path} cannot be read: {what}. Move it away to upload finished files"
                f" again; {_ELSEWHERE}"
            ) from error


class BulkLedger(LedgerView):
    """The database of one run, readable by its owner only; open and locked until `close`."""

    def __init__(self, path: Path) -> None:
        self._queue_lock, self._queue = threading.Lock(), list[tuple[str, tuple[object, ...]]]()
        self._last = time.monotonic()
        self._name = os.path.realpath(path)
        with _in_use_lock:
            if self._name in _in_use:
                raise _make_locked_error(path)
            _in_use.add(self._name)
        try:
            super().__init__(path)
        except BaseException:
            self._release()
            raise

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(open_private(self.path, os.O_RDWR | os.O_CREAT))
        # Do not wait for a lock: its holder keeps it to the end of its run.
        connection = sqlite3.connect(self.path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = TRUNCATE", "synchronous = NORMAL"):
                connection.execute(f"PRAGMA {pragma}")
            connection.execute("BEGIN EXCLUSIVE")
            if _read_pragma(connection, "schema_version") == 0:
                for statement in _SCHEMA.split(";"):
                    connection.execute(statement)
            _check_version(connection)
            self.run = connection.execute("INSERT INTO runs (started) VALUES (?)", (time.time(),)).lastrowid or 0
            connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """Write what is queued and release the lock. Idempotent."""
        with self._lock:
            if not self._name:
                return
            try:
                with self._explain():
                    self._flush()
            finally:
                with suppress(sqlite3.Error):
                    self._connection.close()
                self._release()

    def context(self, *parts: str) -> int:
        """Return the number of an account, project and settings, which equal files share."""
        self._read("INSERT OR IGNORE INTO contexts (key) VALUES (?)", _hash(parts))
        return super().context(*parts)

    def find_content(self, context: int, content: bytes) -> Row | None:
        """Return the row of an earlier run for a file with this content."""
        return self._select("done AND context = ? AND content = ?", context, content)

    def find_part_sizes(self, context: int, size: int) -> list[int]:
        """Return the part sizes of files of this size that earlier runs finished."""
        query = "SELECT part_size FROM sizes WHERE context = ? AND size = ? AND run < ?"
        return [part_size for (part_size,) in self._read(query, context, size, self.run)]

    def _read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock, self._explain():
            return self._connection.execute(query, values).fetchall()

    def note(self, context: int, state: bytes, row: Row, *, size: int, part_size: int, content: bytes | None) -> None:
        """Store the row of a file. Committed on return."""
        values = (context, state, size, part_size, content, row.upload_id, row.entity_id, row.done, self.run)
        self._add("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", *values)
        self._write()

    def finish(self, context: int, state: bytes, row: Row) -> None:
        """Record that a file is imported. Committed within a second or so; if lost, the next run asks the service."""
        self._add(
            "UPDATE files SET done = 1, entity_id = ?, run = ? WHERE context = ? AND state = ? AND upload_id = ?",
            *(row.entity_id, self.run, context, state, row.upload_id),
        )
        self._add(
            "INSERT OR IGNORE INTO sizes SELECT context, size, part_size, run FROM files"
            " WHERE context = ? AND state = ? AND done AND content IS NOT NULL",
            *(context, state),
        )
        if len(self._queue) >= _GROUP or time.monotonic() - self._last > _GROUP_SECONDS:
            self._write()

    def _add(self, statement: str, *values: object) -> None:
        with self._queue_lock:
            self._queue.append((statement, values))

    def _write(self) -> None:
        """Write what is queued; the first thread writes for all others."""
        with self._lock, self._explain():
            self._flush()

    def _flush(self) -> None:
        self._last = time.monotonic()
        with self._queue_lock:
            statements = [*self._queue]
        if not statements:
            return
        self._connection.execute("BEGIN")
        try:
            for statement, values in statements:
                self._connection.execute(statement, values)
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise
        # Keep what could not be written in the queue, so that later calls fail too.
        with self._queue_lock:
            del self._queue[: len(statements)]

    def _release(self) -> None:
        with _in_use_lock:
            _in_use.remove(self._name)
            self._name = ""


_ELSEWHERE = "or give another one with ledger=PATH, or ledger=False for none."


def _make_locked_error(path: Path) -> LedgerLockedError:
    return LedgerLockedError(f"Another run uses the ledger {path}; wait for it, {_ELSEWHERE}")


def _read_pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _check_version(connection: sqlite3.Connection) -> None:
    found = _read_pragma(connection, "application_id")
    if (found, _read_pragma(connection, "user_version")) != (APPLICATION_ID, VERSION):
        what = "another version's" if found == APPLICATION_ID else "no"
        raise sqlite3.DatabaseError(f"it is {what} ledger of uploads")


def _hash(parts: Iterable[str]) -> bytes:
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=32).digest()


def open_ledger(given: str | os.PathLike[str] | bool | None) -> BulkLedger | None:
    """Open the ledger of a run; None without one, or when the user has no home folder."""
    path = _find_path(given)
    return None if path is None else BulkLedger(path)


def view_ledger(given: str | os.PathLike[str] | bool | None) -> LedgerView | None:
    """Open the ledger that a run would use for reading; None when there is none yet."""
    path = _find_path(given)
    with suppress(OSError):
        return LedgerView(path) if path and path.stat().st_size else None
    return None


def _find_path(given: str | os.PathLike[str] | bool | None) -> Path | None:
    if given is False:
        return None
    if given is not None and given is not True:
        return Path(given)
    try:
        return default_folder() / FILE_NAME
    except OSError as error:
        logger.warning("The next run will send finished files again: %s; give ledger=PATH.", error.strerror)
        return None


def hash_content(size: int, part_size: int, md5s: Iterable[str]) -> bytes:
    """Return the key of a content, from the MD5s of its parts."""
    text = " ".join((str(size), str(part_size), *md5s))
    return hashlib.blake2b(text.encode(), digest_size=20).digest()
