"""Reading a file in pieces, from many threads, without holding a whole part in memory.

A path is opened once and read at offsets, and what is at a URL in ranges. Bytes are views of the caller's memory. Any
other file object is read under a lock, and its position is restored at the end. Of a stream that cannot seek, the
current part is kept.
"""

from __future__ import annotations

import errno
import inspect
import io
import os
import stat
import threading
from contextlib import nullcontext, suppress
from typing import BinaryIO, cast

from scenario_uploads.arguments import FileInput
from scenario_uploads.errors import SourceChangedError, SourceError, TransferError
from scenario_uploads.redaction import redact, snippet
from scenario_uploads.remote import KeptStream, RemoteFile, can_seek, find_local, is_url
from scenario_uploads.system import OPEN_FLAGS, FileState, read_at

# Longest wait, in seconds, for a caller's file object at the end of an upload.
CLOSE_PATIENCE = 0.2
# Bytes of a range, which each sending thread keeps in memory.
RANGE_SIZE = 2 * 1024 * 1024


class Source:
    """Something of known size that can be read at any offset."""

    size: int
    name: str | None = None  # of the file, without folders
    path: str | None = None  # absolute, if it was given by path
    state: FileState | None = None  # of a file, when it was opened
    sequential = False  # whether reading out of order may be slow
    descriptor: tuple[int, int] | None = None  # of a file, and the offset of the first byte in it
    once = False  # whether a part that was sent cannot be read again
    part_size = 0  # bytes, once known

    def read_into(self, offset: int, buffer: memoryview) -> memoryview:
        """Fill the buffer from `offset`, or return a view of the caller's bytes; fewer bytes only at the end."""
        raise NotImplementedError

    def check_unchanged(self) -> int:
        """Return the change time of a file, or else 0; SourceChangedError when the file has changed."""
        return 0

    def close(self) -> None:
        """Close what this object opened."""
        raise NotImplementedError


def open_source(file: FileInput, size: int | None = None) -> Source:
    """Open a source for reading in parts; SourceError when it cannot be read or does not have the given size."""
    source = _open(file, size)
    if size not in (None, source.size):
        source.close()
        raise SourceError(f"size is {size!r}, but the file has {source.size:,} bytes; leave it out.")
    return source


def _open(file: FileInput, size: int | None) -> Source:
    if isinstance(file, bytes | bytearray | memoryview):
        return _Memory(file)
    if isinstance(file, str) and is_url(file):
        path = find_local(file)
        return _Remote(RemoteFile.find(file)) if path is None else _open_path(path)
    if isinstance(file, str | os.PathLike):
        return _open_path(file)
    if isinstance(file, io.TextIOBase):
        raise SourceError("The file is open in text mode; open it in binary mode, with 'rb'.")
    if inspect.iscoroutinefunction(getattr(file, "read", None)):
        raise SourceError("The file object is asynchronous; give its path, or the file that open(path, 'rb') returns.")
    if callable(getattr(file, "read", None)):
        return _open_object(cast("BinaryIO", file)) if can_seek(file) else _Stream(KeptStream(file, size))
    raise SourceError(f"file must be a path, a URL, bytes or a binary file object, not {type(file).__name__}.")


def read_chunk(source: Source, offset: int, buffer: memoryview) -> memoryview:
    """Return bytes from `offset`, at least one; SourceChangedError at the end, TransferError when reading fails."""
    try:
        chunk = source.read_into(offset, buffer)
    except Exception as error:
        # Decompressing file objects raise EOFError, zlib.error and others besides OSError.
        raise TransferError(f"The file cannot be read: {_explain(error)}.") from error
    if not chunk:
        raise SourceChangedError(f"The file ends at byte {offset:,} and had {source.size:,} when the upload began.")
    return chunk


def _explain(error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) else None
    return snippet(reason or str(error) or type(error).__name__).rstrip(".")


class _Memory(Source):
    """Bytes in the caller's memory, which must not change during an upload."""

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        try:
            view = memoryview(data)
            self._view = view.cast("B") if view.nbytes else memoryview(b"")
        except (TypeError, ValueError) as error:
            raise SourceError(f"The memoryview cannot be read as it is: {error}; pass bytes(view).") from error
        self.size = view.nbytes

    def read_into(self, offset: int, buffer: memoryview) -> memoryview:
        return self._view[offset : offset + len(buffer)]

    def close(self) -> None:
        # A view blocks resizing a bytearray, and a traceback would keep it alive.
        self._view.release()


class _Descriptor(Source):
    """A regular file, from `base` to its end, with its own descriptor."""

    def __init__(self, descriptor: int, name: str | None, *, base: int = 0, path: str | None = None) -> None:
        self.descriptor = self._place = (descriptor, base)
        self.state = self._begun = FileState.of(os.fstat(descriptor))
        self.size, self._lock = max(0, self._begun.size - base), threading.Lock()
        self.name, self.path = name, path

    def read_into(self, offset: int, buffer: memoryview) -> memoryview:
        descriptor, base = self._place
        return buffer[: read_at(descriptor, buffer, base + offset, self._lock)]

    def check_unchanged(self) -> int:
        try:
            now = FileState.of(os.fstat(self._place[0]))
        except OSError as error:
            raise SourceChangedError(f"The file can no longer be checked: {_explain(error)}.") from error
        if (now.size, now.mtime_ns) != (self._begun.size, self._begun.mtime_ns):
            same_size = now.size == self._begun.size
            what = "it was written to" if same_size else f"it had {self._begun.size:,} bytes and has {now.size:,}"
            raise SourceChangedError(
                f"The file changed while it was being sent ({what}); upload it again once nothing writes to it."
            )
        return now.ctime_ns

    def close(self) -> None:
        # Never close twice: the number may belong to another file by then. An error loses nothing: nothing was written.
        (descriptor, _), self.descriptor, self._place = self._place, None, (-1, 0)
        with suppress(OSError):
            os.close(descriptor)


class _Seekable(Source):
    """A file object without a usable descriptor: in memory, decompressing, remote."""

    def __init__(self, file: BinaryIO, name: str | None, base: int) -> None:
        self._file, self._base, self.name = file, base, name
        # Stepping back makes a decompressor start at the first byte, and a remote file send a new request.
        self.sequential = not isinstance(file, io.BytesIO)
        self._lock, self._closed = threading.Lock(), False
        self.size = max(0, self._measure() - base)

    def _measure(self) -> int:
        # Some wrappers' `seek` returns None.
        self._file.seek(0, io.SEEK_END)
        end = self._file.tell()
        self._file.seek(self._base)
        return end

    def read_into(self, offset: int, buffer: memoryview) -> memoryview:
        with self._lock:
            if self._closed:
                raise SourceChangedError("The upload has ended.")
            # Seek only if needed: it may cost a request. A callback of the caller's may have moved the position.
            if self._file.tell() != self._base + offset:
                self._file.seek(self._base + offset)
            # Some return more than requested.
            return memoryview(self._file.read(len(buffer)))[: len(buffer)]

    def check_unchanged(self) -> int:
        try:
            with self._lock:
                size = self._measure() - self._base
        except Exception as error:
            message = f"The file object can no longer be read: {_explain(error)}."
            raise SourceChangedError(message) from error
        if size != self.size:
            raise SourceChangedError(
                f"The file changed while it was being sent (it had {self.size:,} bytes and has {size:,})."
            )
        return 0

    def close(self) -> None:
        self._closed = True
        # If a read hangs in a worker thread, leave the position and do not wait.
        if self._lock.acquire(timeout=CLOSE_PATIENCE):
            try:
                # The caller may have closed it meanwhile; do not hide the result of the upload.
                with suppress(Exception):
                    self._file.seek(self._base)
            finally:
                self._lock.release()


class _Remote(Source):
    """A file read through fsspec."""

    def __init__(self, file: RemoteFile) -> None:
        self._remote, self.size, self.name, self.path = file, file.size, file.name, file.url
        parts = (int.from_bytes(file.identity[place : place + 7]) for place in (0, 7, 14))
        self.state = FileState(file.size, next(parts), 0, *(number * file.proven for number in parts))
        self._file, self._lock, self._ranges = file.open(), threading.Lock(), threading.local()
        self.sequential = self._file is not None

    def read_into(self, offset: int, buffer: memoryview) -> memoryview:
        start, data = getattr(self._ranges, "last", (0, b""))
        if not start <= offset < start + len(data):
            # Return a copy, so that the last range is freed before the next one is read.
            self._ranges.last = data = b""
            start, data = self._ranges.last = offset, self._read(offset, min(offset + RANGE_SIZE, self.size))
        chunk = memoryview(data)[offset - start : offset - start + len(buffer)]
        buffer[: len(chunk)] = chunk
        return buffer[: len(chunk)]

    def _read(self, start: int, end: int) -> bytes:
        with nullcontext() if self._file is None else self._lock:
            return self._remote.read(start, end, self._file)

    def check_unchanged(self) -> int:
        try:
            same = self._remote.look_again().identity == self._remote.identity
        except OSError as error:
            # The network may be down for a while.
            kind = SourceChangedError if isinstance(error, FileNotFoundError) else TransferError
            raise kind(f"The file can no longer be checked: {_explain(error)}.") from error
        if not same:
            raise SourceChangedError("The file changed while it was being sent; upload it again.")
        return self.state.ctime_ns if self.state else 0

    def close(self) -> None:
        with suppress(Exception):
            self._file.close()


class _Stream(Source):
    """A stream of known length that cannot seek."""

    sequential = once = True

    def __init__(self, stream: KeptStream) -> None:
        self._stream, self.size, self.name = stream, stream.size, stream.name

    def read_into(self, offset: int, buffer: memoryview) -> memoryview:
        return memoryview(self._stream.read(offset, len(buffer), self.part_size))

    def close(self) -> None:
        self._stream.close()


def _open_path(path: str | os.PathLike[str]) -> Source:
    name = os.fspath(path)
    # The path may be a presigned URL by mistake.
    shown = redact(repr(name))
    if isinstance(name, bytes) or "\0" in name:
        raise SourceError(f"{shown} is not a path; give a str or a pathlib.Path.")
    try:
        # Checked before opening: without O_NONBLOCK a pipe would block, and Windows refuses to open a folder.
        mode = os.stat(name).st_mode  # noqa: PTH116 - Path("") is the working folder
        if stat.S_ISDIR(mode):
            raise SourceError(f"{shown} is a folder; pack it into an archive, or upload its files one by one.")
        if not stat.S_ISREG(mode):
            raise SourceError(f"{shown} is not a regular file, so it has no size; save it to a file first.")
        path = os.path.realpath(name)
        return _Descriptor(os.open(name, os.O_RDONLY | OPEN_FLAGS), os.path.basename(name), path=path)  # noqa: PTH119
    except SourceError:
        raise
    except (OSError, ValueError) as error:
        reason = {errno.ENOENT: "there is no such file", errno.EACCES: "it may not be read"}.get(
            getattr(error, "errno", None) or 0, _explain(error)
        )
        if name.startswith("~"):
            reason += "; only a shell expands `~`: give Path(...).expanduser()"
        raise SourceError(f"{shown} cannot be uploaded: {reason}.") from error


def _open_object(file: BinaryIO) -> Source:
    try:
        name = getattr(file, "name", None)
        name = os.path.basename(name) if isinstance(name, str) else None  # noqa: PTH119
        base = file.tell()
        if not isinstance(file.read(0), bytes):
            raise SourceError("The file object gives text; open it in binary mode, with 'rb'.")
        if (descriptor := _find_descriptor(file)) is not None:
            # Our own descriptor stays valid if the caller closes theirs.
            return _Descriptor(os.dup(descriptor), name, base=base)
        return _Seekable(file, name, base)
    except SourceError:
        raise
    except Exception as error:
        hint = "open a file with 'rb', or pass bytes"
        raise SourceError(f"The file object cannot be read and sought ({_explain(error)}); {hint}.") from error


def _find_descriptor(file: BinaryIO) -> int | None:
    """Return the descriptor of the regular file behind a file object, or None."""
    # Python's own files only: the descriptor of a gzip file, for example, gives other bytes.
    raw = file.raw if isinstance(file, io.BufferedReader | io.BufferedRandom) else file
    if not isinstance(raw, io.FileIO):
        return None
    if isinstance(file, io.BufferedRandom):
        file.flush()
    descriptor = file.fileno()
    return descriptor if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
