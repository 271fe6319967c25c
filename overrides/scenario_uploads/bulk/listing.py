"""From sources to files: folders and globs, here or at URLs, and which of their files are skipped and why.

Folders are read lazily, in the order of the file system, so a million files take no more memory than ten.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext, suppress
from fnmatch import fnmatch
from functools import partial
from io import IOBase
from pathlib import Path
from typing import Any

from attrs import frozen

from scenario_uploads.errors import InvalidArgumentError, SourceError
from scenario_uploads.logs import logger
from scenario_uploads.redaction import explain, redact
from scenario_uploads.remote import is_folder_url, is_url, join_url, scan_url, show_url, split_pattern

from .options import BulkOptions, UploadResult, UploadSource

# Folders that are open at the same time; deeper ones are read as a whole.
_MOST_OPEN = 12

Listed = Generator[tuple[UploadResult, os.stat_result | None]]
"""Files to send, with their `stat` where there is one; or that are skipped or cannot be sent, and why."""

Scan = Callable[..., Iterable[tuple[str, bool, os.stat_result | None]]]
"""Lists a folder below the top one: names, which of them are folders, and the `stat` of each where there is one."""

Glob = tuple[str, ...]
"""The parts between slashes: `*` and `?` match within a name, `[abc]` one character, `**` any folders."""


def parse_glob(text: str) -> Glob:
    """Read a glob. Without a slash it matches the name in any folder."""
    text = text.replace(os.sep, "/")
    parts = tuple(part for part in text.split("/") if part not in ("", "."))
    return parts if "/" in text.rstrip("/") else ("**", *parts)


def matches(glob: Glob, names: Sequence[str]) -> bool:
    if not glob:
        return not names
    if glob == ("**",):
        return bool(names)
    if glob[0] == "**":
        return any(matches(glob[1:], names[skip:]) for skip in range(len(names)))
    return bool(names) and fnmatch(names[0], glob[0]) and matches(glob[1:], names[1:])


def list_sources(sources: Any, options: BulkOptions) -> Listed:
    """Check the globs and the first sources; return the files of all sources."""
    globs = _read_globs("include", options.include), _read_globs("exclude", options.exclude)
    lister = Lister(options.recursive, *globs)
    if isinstance(sources, str | os.PathLike | UploadSource):
        sources = [sources]
    if isinstance(sources, bytes | bytearray | memoryview | Mapping | IOBase) or not isinstance(sources, Iterable):
        raise _refuse(sources)
    # Let common mistakes raise at once.
    for source in sources[:100] if isinstance(sources, list | tuple) else ():
        if isinstance(source, str | os.PathLike):
            lister.check_folder(source, _stat(source))
    return lister.list(sources)


def _refuse(source: object) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"sources must be paths, globs or UploadSource(...), not {type(source).__name__};"
        " give bytes or a file as UploadSource(data, file_name=...)."
    )


def _read_globs(name: str, given: Any) -> tuple[Glob, ...]:
    if given is None:
        return ()
    globs = [*given] if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    if not all(isinstance(glob, str) and glob for glob in globs):
        raise InvalidArgumentError(f"{name} must be a glob such as '*.png', or several, not {given!r}.")
    return tuple(parse_glob(glob) for glob in globs)


def _stat(path: Any, *, follow_symlinks: bool = True) -> os.stat_result | None:
    with suppress(OSError, ValueError):
        return os.stat(path, follow_symlinks=follow_symlinks)  # noqa: PTH116 - Path("") is the working folder
    return None


@frozen
class Lister:
    """Lists sources. Of a folder, it takes files that match `include`, if there is one, and not `exclude`."""

    recursive: bool
    include: tuple[Glob, ...]
    exclude: tuple[Glob, ...]

    def list(self, sources: Iterable[Any]) -> Listed:
        with closing(sources) if isinstance(sources, Generator) else nullcontext():
            for source in sources:
                if isinstance(source, UploadSource):
                    is_path = isinstance(source.file, str | os.PathLike)
                    yield UploadResult(source), _stat(source.file) if is_path else None
                elif isinstance(source, str | os.PathLike):
                    yield from self._list_path(source)
                else:
                    raise _refuse(source)

    def check_folder(self, source: str | os.PathLike[str], status: os.stat_result | None) -> bool:
        """Return whether a source is a folder; InvalidArgumentError if it is, and folders are not wanted."""
        folder = status is not None and stat.S_ISDIR(status.st_mode)
        if folder and not self.recursive:
            path = str.__str__(os.fsdecode(source))
            raise InvalidArgumentError(f"{path!r} is a folder; give recursive=True to upload what is in it.")
        return folder

    def _list_path(self, source: str | os.PathLike[str]) -> Listed:
        path = os.fsdecode(source)
        remote, status = is_url(path), _stat(path)
        top, text = (None if status else split_pattern(path)) or (path, "")
        asks = remote and self.recursive and not text
        is_folder = is_folder_url(path) if asks else self.check_folder(path, status)
        if not (text or is_folder):
            excluded = self._leaves_out(show_url(path).removesuffix("?…").replace(os.sep, "/").rpartition("/")[2])
            yield UploadResult(source, skipped="excluded" if excluded else None), status
            return
        scan: Scan = partial(scan_url if remote else _scan, top)
        join: Callable[[str], Any] = partial(join_url if remote else Path, top)
        glob, matched = parse_glob(f"./{text}") if text else None, False
        for found in self._walk(scan, join, glob, hidden=text.rpartition("/")[2].startswith(".")):
            matched = True
            yield found
        if text and not matched:
            fault = f"{_show(path)} matches no file; check the folder and the pattern."
            yield UploadResult(source, error=SourceError(fault)), None
        elif not matched:
            logger.info("The folder %s has no files.", _show(path))

    def _walk(
        self, scan: Scan, join: Callable[[str], Any], glob: Glob | None, prefix: str = "", *, hidden: bool
    ) -> Listed:
        """Yield the files below a folder that match the glob, or all, and those that are skipped; not the others."""
        level = prefix.count("/")
        try:
            for name, folder, status in scan(prefix, whole=level >= _MOST_OPEN):
                path = prefix + name
                matched = glob is None or matches(glob, path.split("/"))
                if reason := self._find_reason(path, status, folder=folder, hidden=hidden):
                    if matched:
                        yield UploadResult(join(path), skipped=reason), None
                elif folder:
                    rest = None if matched and self.recursive else glob
                    if rest is None or "**" in rest or level + 1 < len(rest):
                        yield from self._walk(scan, join, rest, f"{path}/", hidden=hidden)
                elif matched:
                    yield UploadResult(join(path)), status
        except (OSError, RecursionError) as error:
            path = join(prefix)
            reason = "there is no such folder" if isinstance(error, FileNotFoundError) else explain(error)
            fault = f"The folder {_show(os.fspath(path))} cannot be read: {reason}."
            yield UploadResult(path, error=SourceError(fault)), None

    def _find_reason(self, path: str, status: os.stat_result | None, *, folder: bool, hidden: bool) -> str | None:
        # Windows alone has attributes.
        attributes = getattr(status, "st_file_attributes", 0)
        if not hidden and (path.rpartition("/")[2].startswith(".") or attributes & stat.FILE_ATTRIBUTE_HIDDEN):
            return "hidden"
        if self._leaves_out(path, folder=folder):
            return "excluded"
        return "link" if status is not None and stat.S_ISLNK(status.st_mode) else None

    def _leaves_out(self, path: str, *, folder: bool = False) -> bool:
        names = path.split("/")
        if any(matches(glob, names) for glob in self.exclude):
            return True
        return bool(self.include) and not folder and not any(matches(glob, names) for glob in self.include)


def _show(path: str) -> str:
    return redact(repr(show_url(path)))


def _scan(top: str, prefix: str, *, whole: bool) -> Iterator[tuple[str, bool, os.stat_result | None]]:
    with os.scandir(Path(top, prefix)) as entries:
        for entry in [*entries] if whole else entries:
            # Not `entry.stat()`: on Windows it has neither device nor inode.
            status = _stat(entry.path, follow_symlinks=False)
            yield entry.name, status is not None and stat.S_ISDIR(status.st_mode), status
