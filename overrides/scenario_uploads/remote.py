"""What files are read from: the base of all sources, files at URLs, and streams that can be read only once.

URLs are read through fsspec, range by range. The sources on this disk are in `transfer.source`.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.request import url2pathname

from .errors import SourceChangedError, SourceError, TransferError
from .redaction import explain, redact_chain, snippet
from .system import SLICE, FileState, Worker

# Windows has drives of one letter. `simplecache::s3://bucket/b.zip` is a URL too.
_URL = re.compile(r"([A-Za-z][\w+.-]+::)*[A-Za-z][\w+.-]+://")
_USER = re.compile("(?<=://)[^/@]*@")
# Keys of fsspec's `info` that change with the content, best first, in lower case. Users can set back `mtime`.
_FACTS = re.findall(
    r"\w+",
    "etag md5 md5hash contentmd5 digest checksum crc32c generation versionid blobid lastmodified modified updated"
    " created mtime",
)
# Bytes of a stream that are buffered in memory; the rest of a larger part goes to a temporary file.
_KEPT_IN_MEMORY = 32 * 1024 * 1024
_EXTRA = "reading URLs needs fsspec: pip install fsspec (the extra [fsspec] of this package)"
# Bytes of a range, which each sending thread keeps in memory.
RANGE_SIZE = 2 * 1024 * 1024


def is_url(path: str) -> bool:
    return bool(_URL.match(path))


def is_http(url: str) -> bool:
    """Return whether a URL is one of HTTP, which has no folders."""
    return url.lower().startswith("http")


def _has_folders(url: str) -> bool:
    return not is_http(url) and find_local(url) is None


def show_url(path: str) -> str:
    """Return a URL without user, password and query, which may be secrets; a path as it is."""
    if not is_url(path):
        return path
    bare, mark, _ = _USER.sub("", path).partition("?")
    return f"{bare}?…" if mark else bare


def split_pattern(path: str) -> tuple[str, str] | None:
    """Return the folder and the pattern of a glob, or None. HTTP has no folders; in any URL a `?` begins a query."""
    if is_url(path):
        magic = re.search(r"[*[]", path.partition("?")[0]) if _has_folders(path) and "::" not in path else None
    else:
        path = path.replace(os.sep, "/")
        magic = re.search(r"[*?[]", path)
    start = path.rfind("/", 0, magic.start()) + 1 if magic else 0
    return (path[:start], path[start:]) if magic else None


def find_local(url: str) -> str | None:
    """Return the path of a `file:` URL, or None for another URL."""
    return url2pathname(url[7:].removeprefix("localhost")) if url[:7].lower() == "file://" else None


def is_remote(file: object) -> bool:
    """Return whether reading this may hang: a URL that is not of a file here, or a caller's file object."""
    return hasattr(file, "read") or (isinstance(file, str) and is_url(file) and find_local(file) is None)


def is_folder_url(url: str) -> bool:
    """Return whether a URL is a folder. No request over HTTP: the response would be a whole file."""
    if _has_folders(url):
        with suppress(OSError), _hide_secrets(url):
            system, path = _find_system(url)
            return bool(system.isdir(path))
    return False


def scan_url(top: str, prefix: str, **_whole: bool) -> list[tuple[str, bool, None]]:
    """Return the names in a folder below another, and which of them are folders."""
    with _hide_secrets(top):
        system, path = _find_system(join_url(top, prefix))
        _, folders, files = next(system.walk(path, maxdepth=1, on_error="raise"))
    return [(name, name in folders, None) for name in (*folders, *files) if name]


def join_url(folder: str, name: str) -> str:
    head, chain, rest = folder.partition("::")
    return f"{head if head.endswith('/') else f'{head}/'}{name}{chain}{rest}"


@contextmanager
def _hide_secrets(url: str) -> Iterator[None]:
    """Turn the exceptions of a file system into an OSError without secrets of the URL."""
    try:
        yield
    except Exception as raised:  # noqa: BLE001 - each file system raises its own
        error: BaseException = raised
        if is_http(url) and isinstance(raised, FileNotFoundError) and getattr(raised.__cause__, "status", 0) != 404:
            # fsspec raises this for every failure.
            error = raised.__cause__ or raised
        said = _EXTRA if str(getattr(error, "name", "")).startswith("fsspec") else str(error) or type(error).__name__
        secrets = [secret for secret in (*_USER.findall(url), url.partition("?")[2]) if secret]
        for secret in secrets:
            said = said.replace(secret, "…")
        redact_chain(error)
        kind = FileNotFoundError if isinstance(error, FileNotFoundError) else OSError
        try:
            raise kind(snippet(said).rstrip(".")) from (None if secrets else error)
        except OSError as safe:
            # A traceback does not show it, but tblib, which Dask installs, would pickle it.
            safe.__context__ = safe.__cause__
            raise


def _find_system(url: str) -> Any:
    """Return the file system of a URL, and the path in it."""
    from fsspec.core import url_to_fs  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra

    return url_to_fs(url)


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
    about = ""  # how log lines begin, once known

    def read_into(self, offset: int, buffer: memoryview) -> memoryview:
        """Fill the buffer from `offset`, or return a view of the caller's bytes; fewer bytes only at the end."""
        raise NotImplementedError

    def keep(self) -> None:
        """Read a small file into memory, so that it is sent as it is now, whatever is written to it later."""

    def check_unchanged(self) -> int:
        """Return the change time of a file, or else 0; SourceChangedError when the file has changed."""
        begun = self.state or FileState(self.size, 0)
        try:
            now = self._look()
        except Exception as error:
            # A disk or a network may be away for a while.
            kind = SourceChangedError if isinstance(error, FileNotFoundError) else TransferError
            raise kind(f"The file can no longer be checked: {explain(error)}.") from error
        if (now.size, now.mtime_ns) != (begun.size, begun.mtime_ns):
            raise SourceChangedError(
                "The file changed while it was being sent; upload it again once nothing writes to it."
            )
        return now.ctime_ns

    def close(self) -> None:
        """Close what this object opened."""

    def _look(self) -> FileState:
        return FileState(self.size, 0)


class RemoteFile(Source):
    """A file at a URL, read through fsspec."""

    def __init__(self, url: str) -> None:
        self._url, self._ranges = url, threading.local()
        with _hide_secrets(url):
            self._system, self._place = _find_system(url)
            self.state = self._look()
            # Other file systems reopen the file for each range, and compressed ones read it from the start.
            ranges = self._system.async_impl or type(self._system).cat_file.__module__ != "fsspec.spec"
            self._file: Any = None if ranges else self._system.open(self._place, "rb")
        self.size, self.path, self.sequential = self.state.size, show_url(url).removesuffix("?…"), not ranges
        self.name = self._place.partition("?")[0].rstrip("/").rpartition("/")[2]

    def read_into(self, offset: int, buffer: memoryview) -> memoryview:
        """Read a range, unless the last one of this thread has the bytes."""
        start, data = getattr(self._ranges, "last", (0, b""))
        if not start <= offset < start + len(data):
            # Return a copy, so that the last range is freed before the next one is read.
            self._ranges.last = data = b""
            start, data = self._ranges.last = offset, self._read(offset, min(offset + RANGE_SIZE, self.size))
        chunk = memoryview(data)[offset - start : offset - start + len(buffer)]
        buffer[: len(chunk)] = chunk
        return buffer[: len(chunk)]

    def _read(self, start: int, end: int) -> bytes:
        with _hide_secrets(self._url):
            if self._file is None:
                data: bytes = self._system.cat_file(self._place, start=start, end=end)
            else:
                self._file.seek(start)
                data = self._file.read(end - start)
            if len(data) > end - start:
                raise ValueError("the server does not send ranges; save the file to the disk first")
            return data

    def close(self) -> None:
        with suppress(Exception):
            closing = Worker(self._file.close, "scenario-uploads-close")
            closing.start()
            closing.join(SLICE)

    def _look(self) -> FileState:
        """Return a state that differs where the metadata does, and has an inode where these prove the content."""
        with _hide_secrets(self._url):
            if self.state:
                self._system.invalidate_cache()
            info = self._system.info(self._place)
            if info.get("type") == "directory":
                raise ValueError("it is a folder; give upload_many recursive=True to upload what is in it")
            if info.get("size") is None:
                raise ValueError("its size is not known; save it to a file first")
        known = {re.sub("[-_]", "", key).lower(): str(value or "").strip('"') for key, value in info.items()}
        fact = next((name for name in _FACTS if known.get(name)), "mtime")
        identity = hashlib.sha256(repr((info["size"], known.get(fact))).encode()).digest()
        mtime, *rest = (int.from_bytes(identity[place : place + 7]) for place in (0, 7, 14))
        return FileState(int(info["size"]), mtime, 0, *(number * (fact != "mtime") for number in rest))


class Stream(Source):
    """A stream that cannot seek, of `size` bytes or its own length. Keeps the current part for retries."""

    sequential = once = True

    def __init__(self, file: Any, size: int | None) -> None:
        size = _measure(file) if size is None else size
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise SourceError(f"size must be a whole number of bytes, not {size!r}; give size= or save it to a file.")
        name = getattr(file, "name", None)
        self.size, self.name = size, os.path.basename(name) if isinstance(name, str) else None  # noqa: PTH119
        self._file, self._ahead, self._start, self._end = file, b"", 0, 0
        self._kept = tempfile.SpooledTemporaryFile(_KEPT_IN_MEMORY)  # noqa: SIM115

    def read_into(self, offset: int, buffer: memoryview) -> memoryview:
        """Return bytes of the current part, or the first of the next one, once the current one is acknowledged."""
        if not self._start <= offset <= self._end:
            raise ValueError(f"byte {offset:,} of the stream was sent before and is gone")
        if offset < self._end:
            self._kept.seek(offset - self._start)
            return memoryview(self._kept.read(min(len(buffer), self._end - offset)))
        if offset % self.part_size == 0:
            self._kept.seek(0)
            self._kept.truncate()
            self._start = offset
        most = min(len(buffer), self.size - offset)
        # Wrapped generators return a whole chunk, whatever the size requested.
        data: bytes = self._ahead or self._file.read(most)
        data, self._ahead = data[:most], data[most:]
        self._kept.seek(0, io.SEEK_END)
        self._kept.write(data)
        self._end += len(data)
        return memoryview(data)

    def close(self) -> None:
        self._kept.close()


def _measure(file: Any) -> int | None:
    with suppress(TypeError):
        return len(file)
    with suppress(AttributeError, TypeError, ValueError):
        return int(file.headers.get("Content-Length") or file.length)
    return None
