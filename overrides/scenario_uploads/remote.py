"""Remote sources: files at URLs, read through fsspec range by range, and streams that can be read only once."""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self
from urllib.request import url2pathname

from attrs import field, frozen

from .errors import SourceError
from .redaction import redact_chain, snippet

# Windows has drives of one letter. `simplecache::s3://bucket/b.zip` is a URL too.
_URL = re.compile(r"([A-Za-z][\w+.-]+::)*[A-Za-z][\w+.-]+://")
_USER = re.compile("(?<=://)[^/@]*@")
# Keys of fsspec's `info` that change with the content, best first, in lower case without punctuation. Not `mtime`,
# which users can set back.
_FACTS = re.findall(
    r"\w+",
    "etag md5 md5hash contentmd5 digest checksum crc32c generation versionid blobid lastmodified modified updated"
    " created mtime",
)
# Bytes of a stream that are buffered in memory; the rest of a larger part goes to a temporary file.
_KEPT_IN_MEMORY = 32 * 1024 * 1024
_EXTRA = "reading URLs needs fsspec: pip install fsspec (the extra [fsspec] of this package)"
_HINT = "; or let the service fetch it: import_url(url, kind=...)"


def is_url(path: str) -> bool:
    """Return whether a path is the URL of a file."""
    return bool(_URL.match(path))


def _is_http(url: str) -> bool:
    return url.lower().startswith("http")


def _has_folders(url: str) -> bool:
    return not _is_http(url) and find_local(url) is None


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


def is_folder(url: str) -> bool:
    """Return whether a URL is a folder. No request over HTTP: the response would be a whole file."""
    if _has_folders(url):
        with suppress(OSError), _hide_secrets(url):
            system, path = _find_system(url)
            return bool(system.isdir(path))
    return False


def scan_url(top: str, prefix: str, **_whole: bool) -> Iterator[tuple[str, bool, None]]:
    """Yield the names in a folder below another, and which of them are folders."""
    with _hide_secrets(top):
        system, path = _find_system(join_url(top, prefix))
        _, folders, files = next(system.walk(path, maxdepth=1, on_error="raise"))
    for name in (*folders, *files):
        if name:
            yield name, name in folders, None


def join_url(folder: str, name: str) -> str:
    """Return the URL of an entry of a folder."""
    head, chain, rest = folder.partition("::")
    return f"{head if head.endswith('/') else f'{head}/'}{name}{chain}{rest}"


@frozen
class RemoteFile:
    """A remote file and its identity when it was checked."""

    url: str  # without secrets
    name: str  # without folders
    size: int  # bytes
    identity: bytes  # a hash of the metadata that changes with its content
    proven: bool  # whether the same identity means the same content
    _whole_url: str = field(repr=False)
    _system: Any = field(repr=False)
    _path: str = field(repr=False)

    @classmethod
    def find(cls, url: str) -> Self:
        """Check a file; SourceError when it cannot be read."""
        try:
            with _hide_secrets(url):
                return cls._look(url, *_find_system(url))
        except OSError as error:
            hint = _HINT if _is_http(url) else ""
            missing = "there is no such file" + "; upload_many takes patterns, but not over HTTP" * ("*" in url)
            reason = missing if isinstance(error, FileNotFoundError) else str(error)
            raise SourceError(f"{show_url(url)!r} cannot be uploaded: {reason}{hint}.") from error

    @classmethod
    def _look(cls, url: str, system: Any, path: str) -> Self:
        info = system.info(path)
        if info.get("type") == "directory":
            raise ValueError("it is a folder; give upload_many recursive=True to upload what is in it")
        if info.get("size") is None:
            raise ValueError("its size is not known; save it to a file first")
        known = {re.sub("[-_]", "", key).lower(): str(value or "").strip('"') for key, value in info.items()}
        fact = next((name for name in _FACTS if known.get(name)), "mtime")
        own = type(system).ukey is not _find_base().ukey and system.ukey(path)
        identity = hashlib.sha256(repr((info["size"], known.get(fact), own)).encode()).digest()
        name = path.partition("?")[0].rstrip("/").rpartition("/")[2]
        bare = show_url(url).removesuffix("?…")
        return cls(bare, name, int(info["size"]), identity, fact != "mtime", url, system, path)

    def look_again(self) -> Self:
        """Check the file again and return its present state."""
        with _hide_secrets(self._whole_url):
            self._system.invalidate_cache()
            return self._look(self._whole_url, self._system, self._path)

    def open(self) -> Any:
        """Return an open file object where ranges cannot be read directly, or None."""
        # File systems without `_cat_file` reopen the file for each range, and compressed ones read it from the start.
        own = getattr(type(self._system), "cat_file", None) is not _find_base().cat_file
        return None if own or self._system.async_impl else self._system.open(self._path, "rb")

    def read(self, start: int, end: int, opened: Any = None) -> bytes:
        """Return the bytes from `start` to `end`, from the open file object if there is one."""
        with _hide_secrets(self._whole_url):
            if opened is None:
                data: bytes = self._system.cat_file(self._path, start=start, end=end)
            else:
                opened.seek(start)
                data = opened.read(end - start)
            if len(data) > end - start:
                raise ValueError("the server does not send ranges; save the file to the disk first")
            return data


@contextmanager
def _hide_secrets(url: str) -> Iterator[None]:
    """Turn the exceptions of a file system into an OSError without secrets of the URL."""
    try:
        yield
    except Exception as raised:  # noqa: BLE001 - each file system raises its own
        error: BaseException = raised
        if _is_http(url) and isinstance(raised, FileNotFoundError) and getattr(raised.__cause__, "status", 0) != 404:
            # fsspec raises this for every failure.
            error = raised.__cause__ or raised
        said = _EXTRA if str(getattr(error, "name", "")).startswith("fsspec") else str(error) or type(error).__name__
        secrets = [secret for secret in (*_USER.findall(url), url.partition("?")[2]) if secret]
        for secret in secrets:
            said = said.replace(secret, "…")
        # The text may quote a presigned URL of a redirect.
        redact_chain(error)
        kind = FileNotFoundError if isinstance(error, FileNotFoundError) else OSError
        raise kind(snippet(said).rstrip(".")) from (None if secrets else error)


def _find_system(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, and the path in it."""
    from fsspec.core import url_to_fs  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra

    found: tuple[Any, str] = url_to_fs(url)
    return found


def _find_base() -> Any:
    from fsspec import AbstractFileSystem  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra

    return AbstractFileSystem


def can_seek(file: Any) -> bool:
    """Return whether a file object can seek. True for a broken one: using it raises the real error."""
    try:
        return bool(file.seekable()) if hasattr(file, "seekable") else callable(file.seek)
    except Exception as error:  # noqa: BLE001 - each file object raises its own
        return not isinstance(error, AttributeError)


class KeptStream:
    """A stream that cannot seek, of `size` bytes or its own length. Buffers the current part for retries."""

    def __init__(self, file: Any, size: int | None) -> None:
        self.size = _measure(file) if size is None else size
        if isinstance(size, bool) or not isinstance(self.size, int) or self.size < 0:
            raise SourceError(f"size must be a whole number of bytes, not {size!r}.")
        name = getattr(file, "name", None)
        self.name = os.path.basename(name) if isinstance(name, str) else None  # noqa: PTH119
        self._file, self._ahead, self._lock = file, b"", threading.Lock()
        self._kept, self._start, self._end = tempfile.SpooledTemporaryFile(_KEPT_IN_MEMORY), 0, 0  # noqa: SIM115

    def read(self, offset: int, most: int, part_size: int) -> bytes:
        """Return bytes of the current part, or the first of the next one, once the current one is acknowledged."""
        with self._lock:
            if not self._start <= offset <= self._end:
                raise ValueError(f"byte {offset:,} of the stream was sent before and is gone")
            if offset < self._end:
                self._kept.seek(offset - self._start)
                return self._kept.read(min(most, self._end - offset))
            if offset % part_size == 0:
                self._kept.seek(0)
                self._kept.truncate()
                self._start = offset
            most = min(most, self.size - offset)
            # Wrapped generators return a whole chunk, whatever the size requested.
            data: bytes = self._ahead or self._file.read(most)
            data, self._ahead = data[:most], data[most:]
            self._kept.seek(0, io.SEEK_END)
            self._kept.write(data)
            self._end += len(data)
            return data

    def close(self) -> None:
        """Discard the buffer."""
        self._kept.close()


def _measure(file: Any) -> int:
    """Return the length that a stream declares."""
    with suppress(TypeError):
        return len(file)
    headers = getattr(file, "headers", None) or {}
    with suppress(AttributeError, TypeError, ValueError):
        return int(headers.get("Content-Length") or file.length)
    raise SourceError("The stream cannot seek and does not say how long it is; give size=, or save it to a file first.")
