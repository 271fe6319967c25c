"""Opening what is uploaded, and reading it in pieces, from many threads. URLs and streams are in `remote`."""

from __future__ import annotations

import inspect
import io
import os
import stat
import threading
from contextlib import suppress
from typing import BinaryIO, cast

from scenario_uploads.arguments import FileInput
from scenario_uploads.errors import SourceChangedError, SourceError, TransferError
from scenario_uploads.redaction import explain, redact
from scenario_uploads.remote import RemoteFile, Source, Stream, find_local, is_http, is_url, show_url
from scenario_uploads.system import OPEN_FLAGS, FileState, read_at

# Longest wait, in seconds, for a caller's file object at the end of an upload.
CLOSE_PATIENCE = 0.2
# Largest file, in bytes, that an upload keeps in memory.
KEPT_SIZE = 16 * 1024 * 1024


def open_source(file: FileInput, size: int | None = None) -> Source:
    """Open a source for reading in parts; SourceError when it cannot be read or does not have the given size."""
    try:
        source = _open(file, size)
    except SourceError:
        raise
    except Exception as error:
        what, hint = "What was given", "; open a file with 'rb', or pass bytes"
        why = "there is no such file" if isinstance(error, FileNotFoundError) else explain(error)
        if isinstance(file, str | os.PathLike):
            # A member of the contract's `UploadSource` is shown as a path.
            path = str.__str__(os.fsdecode(file))
            # It may be a presigned URL by mistake.
            what = redact(repr(show_url(path)))
            hint = "; only a shell expands `~`: give Path(...).expanduser()" if path.startswith("~") else ""
            hint = "; or let the service fetch it: import_url(url, kind=...)" if is_http(path) else hint
        raise SourceError(f"{what} cannot be uploaded: {why}{hint}.") from error
    if size not in (None, source.size):
        source.close()
        raise SourceError(f"size is {size!r}, but the file has {source.size:,} bytes; leave it out.")
    return source


def _open(file: FileInput, size: int | None) -> Source:
    if isinstance(file, bytes | bytearray | memoryview):
        return _Memory(file)
    if isinstance(file, str) and is_url(file):
        path = find_local(file)
        return RemoteFile(file) if path is None else _open_path(path)
    if isinstance(file, str | os.PathLike):
        return _open_path(os.fsdecode(file))
    if not callable(getattr(file, "read", None)):
        raise SourceError(f"file must be a path, a URL, bytes or a binary file object, not {type(file).__name__}.")
    if inspect.iscoroutinefunction(file.read):
        raise SourceError("The file object is asynchronous; give its path, or the file that open(path, 'rb') returns.")
    seekable = getattr(file, "seekable", None)
    can_seek = seekable() if seekable else hasattr(file, "seek")
    return _open_object(cast("BinaryIO", file)) if can_seek else Stream(file, size)


def _open_path(path: str) -> Source:
    # Checked before opening: without O_NONBLOCK a pipe would block, and Windows refuses to open a folder.
    mode = os.stat(path).st_mode  # noqa: PTH116 - Path("") is the working folder
    if stat.S_ISDIR(mode):
        raise SourceError(f"{redact(repr(path))} is a folder; pack it into an archive, or upload its files one by one.")
    if not stat.S_ISREG(mode):
        raise SourceError(f"{redact(repr(path))} is not a regular file, so it has no size; save it to a file first.")
    name = os.path.basename(path)  # noqa: PTH119
    return _Descriptor(os.open(path, os.O_RDONLY | OPEN_FLAGS), name, path=os.path.realpath(path))


def _open_object(file: BinaryIO) -> Source:
    name = getattr(file, "name", None)
    name = os.path.basename(name) if isinstance(name, str) else None  # noqa: PTH119
    base = file.tell()
    if not isinstance(file.read(0), bytes):
        raise SourceError("The file object gives text; open it in binary mode, with 'rb'.")
    # Python's own files only: the descriptor of a gzip file, for example, gives other bytes.
    raw = file.raw if isinstance(file, io.BufferedReader | io.BufferedRandom) else file
    if not isinstance(raw, io.FileIO) or not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return _Seekable(file, name, base)
    if isinstance(file, io.BufferedRandom):
        file.flush()
    # Our own descriptor stays valid if the caller closes theirs.
    return _Descriptor(os.dup(file.fileno()), name, base=base)


def read_chunk(source: Source, offset: int, buffer: memoryview) -> memoryview:
    """Return bytes from `offset`, at least one; SourceChangedError at the end, TransferError when reading fails."""
    try:
        chunk = source.read_into(offset, buffer)
    except Exception as error:
        # Decompressing file objects raise EOFError, zlib.error and others besides OSError.
        raise TransferError(f"The file cannot be read: {explain(error)}.") from error
    if not chunk:
        raise SourceChangedError(f"The file ends at byte {offset:,} and had {source.size:,} when the upload began.")
    return chunk


class _Memory(Source):
    """Bytes in the caller's memory, which must not change during an upload."""

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        view = memoryview(data)
        self.size = view.nbytes
        self._view = view.cast("B") if self.size else memoryview(b"")

    def read_into(self, offset: int, buffer: memoryview) -> memoryview:
        return self._view[offset : offset + len(buffer)]

    def close(self) -> None:
        # A view blocks resizing a bytearray, and a traceback would keep it alive.
        self._view.release()


class _Descriptor(Source):
    """A regular file, from `base` to its end, with its own descriptor."""

    def __init__(self, descriptor: int, name: str | None, *, base: int = 0, path: str | None = None) -> None:
        self.descriptor = self._place = (descriptor, base)
        self.name, self.path = name, path
        self.state = self._look()
        self.size, self._lock = max(0, self.state.size - base), threading.Lock()
        self._kept = memoryview(b"")

    def keep(self) -> None:
        # If this fails, or the file changes meanwhile, it is read part by part, which tells why.
        with suppress(OSError, MemoryError):
            if self.size <= KEPT_SIZE:
                data = self.read_into(0, memoryview(bytearray(self.size)))
                if len(data) == self.size and self._look() == self.state:
                    self._kept, self.descriptor = data, None

    def read_into(self, offset: int, buffer: memoryview) -> memoryview:
        if self._kept:
            return self._kept[offset : offset + len(buffer)]
        descriptor, base = self._place
        return buffer[: read_at(descriptor, buffer, base + offset, self._lock)]

    def close(self) -> None:
        # Never close twice: the number may belong to another file by then. An error loses nothing: nothing was written.
        (descriptor, _), self.descriptor, self._place = self._place, None, (-1, 0)
        self._kept = memoryview(b"")
        with suppress(OSError):
            os.close(descriptor)

    def _look(self) -> FileState:
        return FileState.of(os.fstat(self._place[0]))


class _Seekable(Source):
    """A file object without a usable descriptor: in memory, decompressing, remote."""

    def __init__(self, file: BinaryIO, name: str | None, base: int) -> None:
        self._file, self._base, self.name, self._lock = file, base, name, threading.Lock()
        # Stepping back makes a decompressor start at the first byte, and a remote file send a new request.
        self.sequential = not isinstance(file, io.BytesIO)
        self.size = self._look().size

    def read_into(self, offset: int, buffer: memoryview) -> memoryview:
        with self._lock:
            # Seek only if needed: it may cost a request. A callback of the caller's may have moved the position.
            if self._file.tell() != self._base + offset:
                self._file.seek(self._base + offset)
            # Some return more than requested.
            return memoryview(self._file.read(len(buffer)))[: len(buffer)]

    def close(self) -> None:
        # If a read hangs in a worker thread, leave the position and do not wait.
        if self._lock.acquire(timeout=CLOSE_PATIENCE):
            # The caller may have closed it meanwhile; do not hide the result of the upload.
            with suppress(Exception):
                self._file.seek(self._base)
            self._lock.release()

    def _look(self) -> FileState:
        with self._lock:
            self._file.seek(0, io.SEEK_END)
            # Some wrappers' `seek` returns None.
            size = max(0, self._file.tell() - self._base)
            self._file.seek(self._base)
        return FileState(size, 0)
