"""Reading what is uploaded, in pieces and from many threads at once, without ever holding a whole part.

A path is opened once and read with `pread`, so threads do not share a position. Bytes are views of the caller's memory.
Any other file object is read under a lock, and its position is put back at the end.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import threading
from collections.abc import Iterator
from typing import BinaryIO, Protocol

from .errors import SourceChangedError, SourceError, TransferError
from .options import FileInput

CHUNK_SIZE = 1024 * 1024


class Source(Protocol):
    """Something of a known size that can be read at any offset."""

    @property
    def size(self) -> int:
        """Bytes in all."""
        ...

    @property
    def name(self) -> str | None:
        """The file's own name, without folders, when it has one."""
        ...

    def read(self, offset: int, length: int) -> bytes | memoryview:
        """Return at most `length` bytes from `offset`; fewer only at the end."""
        ...

    def check_unchanged(self) -> None:
        """Raise SourceChangedError when the bytes are not those that were there at the start."""
        ...

    def close(self) -> None:
        """Let go of what was opened here."""
        ...


def open_source(file: FileInput) -> Source:
    """Open a path, bytes or a binary file object for reading in parts.

    Raises:
        SourceError: When there is no such file, it is a folder, or it cannot be read or sought.
    """
    if isinstance(file, bytes | bytearray | memoryview):
        return _Memory(file)
    if isinstance(file, str | os.PathLike):
        return _open_path(file)
    if isinstance(file, io.TextIOBase):
        raise SourceError("The file is open in text mode; open it in binary mode, with 'rb'.")
    if callable(getattr(file, "read", None)) and callable(getattr(file, "seek", None)):
        return _open_object(file)
    raise SourceError(f"file must be a path, bytes or a seekable binary file object, not {type(file).__name__}.")


def iterate(source: Source, offset: int, length: int, *, upload_id: str | None = None) -> Iterator[bytes | memoryview]:
    """Yield `length` bytes from `offset` in chunks of at most 1 MiB.

    Raises:
        SourceChangedError: When the source ends before.
        TransferError: When it cannot be read.
    """
    end = offset + length
    while offset < end:
        try:
            chunk = source.read(offset, min(CHUNK_SIZE, end - offset))
        except OSError as error:
            raise TransferError(f"The file cannot be read: {error.strerror or error}.", upload_id=upload_id) from error
        if not chunk:
            raise SourceChangedError(
                f"The file ends at byte {offset:,} and had {source.size:,} when the upload began.", upload_id=upload_id
            )
        yield chunk
        offset += len(chunk)


class _Memory:
    """Bytes that the caller holds."""

    name = None

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        view = memoryview(data)
        if not view.c_contiguous:
            raise SourceError("The memoryview is not contiguous; pass bytes(view).")
        self._view = view.cast("B") if view.nbytes else memoryview(b"")
        self.size = view.nbytes

    def read(self, offset: int, length: int) -> memoryview:
        return self._view[offset : offset + length]

    def check_unchanged(self) -> None:
        """Bytes do not change; who passes a bytearray keeps it as it is until the upload ends."""

    def close(self) -> None:
        """The view goes with this object."""


class _Descriptor:
    """A regular file by its descriptor, from `base` to its end."""

    def __init__(self, descriptor: int, name: str | None, *, base: int = 0, owned: bool = True) -> None:
        self._descriptor, self._base, self._owned = descriptor, base, owned
        self._before = self._fingerprint()
        self.size = max(0, self._before[0] - base)
        self.name = name

    def _fingerprint(self) -> tuple[int, int]:
        status = os.fstat(self._descriptor)
        return status.st_size, status.st_mtime_ns

    def read(self, offset: int, length: int) -> bytes:
        return os.pread(self._descriptor, length, self._base + offset)

    def check_unchanged(self) -> None:
        try:
            after = self._fingerprint()
        except OSError as error:
            raise SourceChangedError("The file was closed while it was being sent.") from error
        if after != self._before:
            raise SourceChangedError(
                "The file changed while it was being sent"
                f" (it had {self._before[0]:,} bytes and has {after[0]:,}); upload it again when it is at rest."
            )

    def close(self) -> None:
        if self._owned:
            self._owned = False
            os.close(self._descriptor)


class _Seekable:
    """A file object that has no descriptor of its own bytes: in memory, unpacked on the fly, remote."""

    def __init__(self, file: BinaryIO, name: str | None, base: int) -> None:
        self._file, self._base, self.name = file, base, name
        self._lock = threading.Lock()
        self.size = max(0, self._measure() - base)

    def _measure(self) -> int:
        end = self._file.seek(0, io.SEEK_END)
        self._file.seek(self._base)
        return end

    def read(self, offset: int, length: int) -> bytes:
        with self._lock:
            self._file.seek(self._base + offset)
            return self._file.read(length)

    def check_unchanged(self) -> None:
        try:
            with self._lock:
                size = self._measure() - self._base
        except (OSError, ValueError) as error:
            raise SourceChangedError("The file object was closed while it was being sent.") from error
        if size != self.size:
            raise SourceChangedError(
                f"The file changed while it was being sent (it had {self.size:,} bytes and has {size:,})."
            )

    def close(self) -> None:
        if not self._file.closed:
            self._file.seek(self._base)


def _open_path(path: str | os.PathLike[str]) -> Source:
    shown = os.fspath(path)
    if isinstance(shown, bytes) or "\0" in shown:
        raise SourceError(f"{shown!r} is no path; give it as a str or a pathlib.Path.")
    try:
        # A pipe that nobody writes to would block the opening for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        reason = {errno.ENOENT: "there is no such file", errno.EACCES: "it may not be read"}.get(
            error.errno or 0, error.strerror or str(error)
        )
        raise SourceError(f"{shown!r} cannot be uploaded: {reason}.") from error
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise SourceError(f"{shown!r} is a folder; pack it into an archive, or upload its files one by one.")
        if not stat.S_ISREG(mode):
            raise SourceError(f"{shown!r} is not a regular file, so it has no size; save it to a file first.")
        return _Descriptor(descriptor, os.path.basename(shown))  # noqa: PTH119 - a str is all there is
    except BaseException:
        os.close(descriptor)
        raise


def _open_object(file: BinaryIO) -> Source:
    name = getattr(file, "name", None)
    name = os.path.basename(name) if isinstance(name, str) else None  # noqa: PTH119
    try:
        base = file.tell()
        raw = getattr(file, "raw", file)
        # Only Python's own files: others have a descriptor too, but of bytes that are not theirs (gzip, for one).
        if isinstance(file, io.BufferedReader | io.BufferedRandom | io.FileIO) and isinstance(raw, io.FileIO):
            if isinstance(file, io.BufferedRandom):
                file.flush()
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                if not file.readable():
                    raise SourceError("The file object is not open for reading; open it with 'rb'.")
                return _Descriptor(file.fileno(), name, base=base, owned=False)
        source = _Seekable(file, name, base)
        probe = file.read(0)
    except (OSError, ValueError, AttributeError) as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"The file object cannot be read and sought: {error}.") from error
    if not isinstance(probe, bytes):
        raise SourceError("The file object gives text; open it in binary mode, with 'rb'.")
    return source
