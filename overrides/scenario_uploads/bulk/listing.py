"""From sources to files: folders walked, globs matched, and what is skipped and why, without keeping lists.

Folders are read lazily, in the order of the file system, so a million files take no more memory than ten. Links are
followed only where a caller names one.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatch
from io import IOBase
from pathlib import Path
from typing import Any

from attrs import field, frozen

from scenario_uploads.errors import InvalidArgumentError, ScenarioError, SourceError
from scenario_uploads.redaction import redact
from scenario_uploads.remote import find_local, is_folder, is_url, join_url, show_url, split_pattern, walk

from .options import UploadSource

# Folders that are open at the same time; deeper ones are read as a whole.
_MOST_OPEN = 12

# How many of the first sources are checked up front, so that mistakes raise at once.
_LOOK_AHEAD = 100

MAGIC = re.compile(r"[*?[]")


@frozen
class Found:
    """A file to send, with its `stat`; or one that is skipped or cannot be sent, and why."""

    source: Any
    status: os.stat_result | None = field(default=None, repr=False)
    skipped: str | None = None
    error: ScenarioError | None = None

    @property
    def given(self) -> UploadSource:
        """The source with its own settings, none for a mere path."""
        return self.source if isinstance(self.source, UploadSource) else UploadSource(self.source)

    @property
    def path(self) -> str:
        """The path of the file, when it has one."""
        return os.fspath(self.given.file)  # type: ignore[arg-type]


@frozen
class Glob:
    """Matches paths with slashes: `*` and `?` within a name, `**` any folders, `[abc]` one of these.

    Without a slash it matches the name in any folder.
    """

    parts: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Glob:
        """Read a glob as callers write it."""
        text = text.replace(os.sep, "/")
        parts = tuple(part for part in text.split("/") if part not in ("", "."))
        return cls(parts if "/" in text.rstrip("/") else ("**", *parts))

    def matches(self, path: str) -> bool:
        """Return whether it matches the whole path."""
        return _match(self.parts, path.split("/"))


def _match(parts: Sequence[str], names: Sequence[str]) -> bool:
    for number, part in enumerate(parts):
        rest = names[number:]
        if part == "**":
            later = parts[number + 1 :]
            return (bool(rest) and not later) or any(_match(later, rest[skip:]) for skip in range(len(rest)))
        if not rest or not fnmatch(rest[0], part):
            return False
    return len(parts) == len(names)


@frozen
class Filter:
    """Selects files that match `include`, if there is one, and not `exclude`."""

    include: tuple[Glob, ...]
    exclude: tuple[Glob, ...]

    def leaves_out(self, path: str, *, folder: bool = False) -> bool:
        """Return whether a path, relative to the given folder, is left out."""
        if any(glob.matches(path) for glob in self.exclude):
            return True
        return bool(self.include) and not folder and not any(glob.matches(path) for glob in self.include)


def _read_globs(name: str, given: object) -> tuple[Glob, ...]:
    globs = (given,) if isinstance(given, str) else () if given is None else given
    texts: list[Any] = [*globs] if isinstance(globs, Iterable) else [None]
    if not all(isinstance(text, str) and text for text in texts):
        raise InvalidArgumentError(f"{name} must be a glob such as '*.png', or several, not {given!r}.")
    return tuple(Glob.of(text) for text in texts)


def list_sources(
    sources: Any, *, recursive: bool = False, include: object = None, exclude: object = None
) -> Generator[Found, None, None]:
    """Check the first sources, and return the files of all sources, one after the other."""
    wanted = Filter(_read_globs("include", include), _read_globs("exclude", exclude))
    return _list_sources(_check_sources(sources, recursive=recursive), recursive=recursive, wanted=wanted)


def _check_sources(sources: Any, *, recursive: bool) -> Iterable[Any]:
    """Return the sources, after checking the first ones."""
    if isinstance(sources, str | os.PathLike | UploadSource):
        sources = [sources]
    if isinstance(sources, bytes | bytearray | memoryview | Mapping | IOBase) or not isinstance(sources, Iterable):
        raise InvalidArgumentError(
            f"sources must be paths, globs or UploadSource(...), not {type(sources).__name__};"
            " give bytes or a file as UploadSource(data, file_name=...)."
        )
    for source in sources[:_LOOK_AHEAD] if isinstance(sources, list | tuple) and not recursive else ():
        # `isdir` returns False for an invalid path.
        if isinstance(source, str | os.PathLike) and os.path.isdir(source):  # noqa: PTH112
            raise _folder_error(source)
    return sources


def _folder_error(source: str | os.PathLike[str]) -> InvalidArgumentError:
    return InvalidArgumentError(f"{os.fspath(source)!r} is a folder; give recursive=True to upload what is in it.")


def _list_sources(sources: Iterable[Any], *, recursive: bool, wanted: Filter) -> Generator[Found, None, None]:
    for source in sources:
        if isinstance(source, UploadSource):
            yield Found(source, _stat(source.file))
        elif isinstance(source, str | os.PathLike) and isinstance(os.fspath(source), str):
            yield from _list_path(source, recursive=recursive, wanted=wanted)
        else:
            raise InvalidArgumentError(
                f"A source must be a path, a glob or UploadSource(...), not {type(source).__name__}."
            )


def _stat(file: object, *, follow_symlinks: bool = True) -> os.stat_result | None:
    with suppress(OSError, ValueError):
        return Path(file).stat(follow_symlinks=follow_symlinks) if isinstance(file, str | os.PathLike) else None
    return None


def _list_path(source: str | os.PathLike[str], *, recursive: bool, wanted: Filter) -> Iterator[Found]:
    path = os.fspath(source)
    status = _stat(path) if path else None
    if is_url(path) and find_local(path) is None:
        yield from _list_url(path, recursive=recursive, wanted=wanted)
    elif status is None and not is_url(path) and MAGIC.search(path):
        yield from _list_glob(path, recursive=recursive, wanted=wanted)
    elif status is not None and stat.S_ISDIR(status.st_mode):
        if not recursive:
            raise _folder_error(source)
        yield from _walk(Path(path), wanted, hidden=False, into=True)
    elif wanted.leaves_out(os.path.basename(path)):  # noqa: PTH119
        yield Found(source, skipped="excluded")
    else:
        yield Found(source, status)


def _list_url(url: str, *, recursive: bool, wanted: Filter) -> Iterator[Found]:
    top, pattern = split_pattern(url) or (url, "")
    if not pattern and not (recursive and is_folder(url)):
        name = show_url(url).removesuffix("?…").rpartition("/")[2]
        yield Found(url, skipped="excluded" if wanted.leaves_out(name) else None)
        return
    glob, matched = Glob.of(f"./{pattern or '**'}"), False
    try:
        for prefix, folders, files in walk(top):
            for name in [*folders]:
                path = prefix + name
                reason = _find_reason_of_name(path, wanted, folder=True)
                if reason and not pattern:
                    yield Found(join_url(top, path), skipped=reason)
                if reason or not ("**" in glob.parts or recursive or path.count("/") + 1 < len(glob.parts)):
                    folders.pop(name)
            for path in (prefix + name for name in files):
                within = recursive and any(glob.matches(path[: at.start()]) for at in re.finditer("/", path))
                if within or glob.matches(path):
                    matched = True
                    yield Found(join_url(top, path), skipped=_find_reason_of_name(path, wanted))
    except OSError as error:
        reason = "there is no such folder" if isinstance(error, FileNotFoundError) else str(error)
        yield Found(url, error=SourceError(f"The folder {show_url(top)!r} cannot be read: {reason}."))
    else:
        if pattern and not matched:
            yield Found(url, error=SourceError(f"{show_url(url)!r} matches no file; check the folder and the pattern."))


def _find_reason_of_name(path: str, wanted: Filter, *, folder: bool = False, hidden: bool = False) -> str | None:
    if not hidden and path.rpartition("/")[2].startswith("."):
        return "hidden"
    return "excluded" if wanted.leaves_out(path, folder=folder) else None


def _list_glob(text: str, *, recursive: bool, wanted: Filter) -> Iterator[Found]:
    parts = Path(text).parts
    first = next(number for number, part in enumerate(parts) if MAGIC.search(part))
    glob = Glob.of("./" + "/".join(parts[first:]))
    depth = None if "**" in glob.parts else len(glob.parts)
    hidden, matched = parts[-1].startswith("."), False
    for found in _walk(Path(*parts[:first]), wanted, glob, depth, hidden=hidden, into=recursive):
        matched = True
        yield found
    if not matched:
        yield Found(text, error=SourceError(f"{redact(repr(text))} matches no file; check the folder and the pattern."))


def _walk(
    top: Path, wanted: Filter, glob: Glob | None = None, depth: int | None = None, *, hidden: bool, into: bool
) -> Iterator[Found]:
    """Yield the files of a folder that match, and those that are skipped and why; others are not yielded."""
    # For each open folder: its remaining entries, its path below `top`, and whether everything in it matches.
    stack = [(_scan(top), "", glob is None)]
    try:
        while stack:
            entries, prefix, matched = stack[-1]
            try:
                entry = next(entries, None)
            except OSError as error:
                path, entry = top / prefix, None
                message = f"The folder {redact(repr(str(path)))} cannot be read: {error.strerror or error}."
                yield Found(path, error=SourceError(message))
            if entry is None:
                stack.pop()
                continue
            name, folder = prefix + entry.name, entry.is_dir(follow_symlinks=False)
            matches = matched or (glob is not None and glob.matches(name))
            if reason := _find_reason(entry, name, wanted, folder=folder, hidden=hidden):
                if matches:
                    yield Found(Path(entry.path), skipped=reason)
            elif folder:
                matches = matched or (matches and into)
                if matches or depth is None or name.count("/") + 1 < depth:
                    stack.append((_scan(entry.path, whole=len(stack) >= _MOST_OPEN), f"{name}/", matches))
            elif matches:
                # On Windows an entry has neither device nor inode. A file that is gone fails when it is opened.
                yield Found(Path(entry.path), _stat(entry.path, follow_symlinks=False))
    finally:
        for entries, _, _ in stack:
            entries.close()


def _scan(path: str | Path, *, whole: bool = False) -> Generator[os.DirEntry[str], None, None]:
    with os.scandir(path) as entries:
        if not whole:
            yield from entries
            return
        listed = [*entries]
    yield from listed


def _find_reason(entry: os.DirEntry[str], name: str, wanted: Filter, *, folder: bool, hidden: bool) -> str | None:
    attributes = getattr(entry.stat(follow_symlinks=False), "st_file_attributes", 0) if os.name == "nt" else 0
    if not hidden and attributes & stat.FILE_ATTRIBUTE_HIDDEN:
        return "hidden"
    return _find_reason_of_name(name, wanted, folder=folder, hidden=hidden) or ("link" if entry.is_symlink() else None)
