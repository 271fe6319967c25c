"""What has become of which file, kept over runs in an SQLite database.

A row says of a file, in the state in which it was sent, which upload it went into and what that became. It is written
before the service is told that all parts are there, and so a run that is killed at any moment never imports a file
twice: the next one asks what became of that upload.

One run has the database for itself, by SQLite's own lock. The journal is a file that is rolled back: a write-ahead log
needs memory that is shared between processes, which network file systems do not have.
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

# "ScUL": tells other databases from ours.
APPLICATION_ID = 0x5363554C

# What is told later, and would only be asked for again were it lost, is written in groups.
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

# Closing any descriptor of a file drops the locks that a process has on it, so those in use are not even opened.
_in_use: set[str] = set()
_in_use_lock = threading.Lock()


@frozen
class Row:
    """What is known of a file: the upload that it went into, and what that became, once it is imported."""

    upload_id: str
    entity_id: str | None
    done: bool


def hash_state(state: FileState | None) -> bytes | None:
    """Return what tells a file, unchanged, from all others; None where the system does not tell."""
    if state is None or not state.inode:
        return None
    text = f"{state.device} {state.inode} {state.size} {state.mtime_ns} {state.ctime_ns}"
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


class LedgerView:
    """The database as it is, for who only looks, also while a run has it. It takes no lock and leaves no trace."""

    # Later than all that have written into it.
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
        """Return the number of an account, a project and settings, within which equal files are one; 0 if unknown."""
        return next((number for (number,) in self._read("SELECT id FROM contexts WHERE key = ?", _hash(parts))), 0)

    def find(self, context: int, state: bytes | None) -> Row | None:
        """Return what an earlier run knows of a file in this state."""
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
            # A run that is under way may have made it longer.
            self._connection.close()
            self._connection = self._open()
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def _explain(self) -> Iterator[None]:
        """Let a fault of the database be one of our errors, with what to do about it."""
        try:
            yield
        except (sqlite3.DatabaseError, OSError) as error:
            what = (error.strerror if isinstance(error, OSError) else None) or error
            if isinstance(error, sqlite3.OperationalError | OSError):
                if "locked" in str(error):
                    raise _make_locked_error(self.path) from error
                raise LedgerError(f"The ledger {self.path} cannot be used: {what}; {_ELSEWHERE}") from error
            raise LedgerError(
                f"The ledger {self.path} cannot be read: {what}. Move it away, and files that are done are uploaded"
                f" again; {_ELSEWHERE}"
            ) from error


class BulkLedger(LedgerView):
    """The database of one run, for its owner alone; open and locked until `close`."""

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
        # With no wait for a lock: whoever has it keeps it to the end.
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
        """Write what is left, and let others use it. Idempotent."""
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
        """Return the number of an account, a project and settings, within which equal files are one."""
        self._read("INSERT OR IGNORE INTO contexts (key) VALUES (?)", _hash(parts))
        return super().context(*parts)

    def find_content(self, context: int, content: bytes) -> Row | None:
        """Return what an earlier run made of a file with this content."""
        return self._select("done AND context = ? AND content = ?", context, content)

    def find_part_sizes(self, context: int, size: int) -> list[int]:
        """Return how files of this size, finished in earlier runs, were cut."""
        query = "SELECT part_size FROM sizes WHERE context = ? AND size = ? AND run < ?"
        return [part_size for (part_size,) in self._read(query, context, size, self.run)]

    def _read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock, self._explain():
            return self._connection.execute(query, values).fetchall()

    def note(self, context: int, state: bytes, row: Row, *, size: int, part_size: int, content: bytes | None) -> None:
        """Note what is known of a file. It is in the database when this returns."""
        values = (context, state, size, part_size, content, row.upload_id, row.entity_id, row.done, self.run)
        self._add("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", *values)
        self._write()

    def finish(self, context: int, state: bytes, row: Row) -> None:
        """Note that a file is imported. Within a second or so it is in the database; if not, it is asked for again."""
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
        """Write what is queued; whoever comes first writes what the others have to say too."""
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
        # What could not be written stays, so that nobody takes it for written.
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
    """Open the ledger that a run would use, to look into it; None when nothing is in it yet."""
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
        logger.warning("What is done will be sent again by the next run: %s; give ledger=PATH.", error.strerror)
        return None


def hash_content(size: int, part_size: int, md5s: Iterable[str]) -> bytes:
    """Return what a content is known by, from the MD5s of its parts."""
    text = " ".join((str(size), str(part_size), *md5s))
    return hashlib.blake2b(text.encode(), digest_size=20).digest()
