"""From sources to files: folders gone through, globs matched, and what is left out and why. Nothing is kept of it.

Folders are read as they are gone through, in the order of the file system, so a million files take no more memory than
ten. Links are not followed but where a caller names one.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from scenario_uploads.errors import InvalidArgumentError, ScenarioError, SourceError
from scenario_uploads.redaction import redact

from .options import UploadSource, folder_error

# Folders that are open at the same time; those below are read as a whole.
_MOST_OPEN = 12

_MAGIC = re.compile(r"[*?[]")


@frozen
class Found:
    """A file to be sent, or one that is not.

    Attributes:
        source: What the result names.
        status: What the system says of the file, when it is one.
        skipped: Why it is left out.
        error: Why it cannot be sent.
    """

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
class Filter:
    """Which files are wanted: those that match `include`, if there is one, and not `exclude`."""

    include: tuple[re.Pattern[str], ...] = ()
    exclude: tuple[re.Pattern[str], ...] = ()

    @classmethod
    def of(cls, include: object, exclude: object) -> Filter:
        """Compile the globs of a caller."""
        return cls(_compile("include", include), _compile("exclude", exclude))

    def leaves_out(self, path: str, *, folder: bool = False) -> bool:
        """Return whether what is at this path, relative to the folder that was given, is left out."""
        if any(pattern.fullmatch(path) for pattern in self.exclude):
            return True
        return bool(self.include) and not folder and not any(pattern.fullmatch(path) for pattern in self.include)


def _compile(name: str, given: object) -> tuple[re.Pattern[str], ...]:
    globs = (given,) if isinstance(given, str) else () if given is None else given
    patterns: list[Any] = [*globs] if isinstance(globs, Iterable) else [None]
    if not all(isinstance(glob, str) and glob for glob in patterns):
        raise InvalidArgumentError(f"{name} must be a glob such as '*.png', or several, not {given!r}.")
    return tuple(compile_glob(glob) for glob in patterns)


def compile_glob(glob: str) -> re.Pattern[str]:
    """Return what matches paths with slashes: `*` and `?` within a name, `**` any folders, `[abc]` one of these.

    A glob without a slash is about the name, in whichever folder.
    """
    segments = [segment for segment in glob.replace(os.sep, "/").split("/") if segment not in ("", ".")]
    if "/" not in glob.replace(os.sep, "/").rstrip("/"):
        segments = ["**", *segments]
    text = ""
    for number, segment in enumerate(segments, 1):
        if segment == "**":
            text += ".*" if number == len(segments) else "(?:.*/)?"
        else:
            text += _translate(segment) + ("/" if number < len(segments) else "")
    return re.compile(text, re.DOTALL | (re.IGNORECASE if os.name == "nt" else 0))


def _translate(segment: str) -> str:
    text, rest = "", segment
    while rest:
        # A bracket that is not closed is a bracket.
        if match := re.match(r"\[([!^]?)(\]?[^\]]*)\]", rest):
            negated, chars = match.groups()
            text += "[" + ("^/" if negated else "") + re.sub(r"([\\\[\]^&~|])", r"\\\1", chars) + "]"
            rest = rest[match.end() :]
            continue
        text += {"*": "[^/]*", "?": "[^/]"}.get(rest[0], re.escape(rest[0]))
        rest = rest[1:]
    return re.sub(r"(\[\^/\]\*)+", "[^/]*", text)


def list_sources(sources: Iterable[Any], *, recursive: bool, wanted: Filter) -> Generator[Found, None, None]:
    """Yield the files of all sources, one after the other."""
    for source in sources:
        if isinstance(source, UploadSource):
            yield Found(source, _stat(source.file))
        elif isinstance(source, str | os.PathLike) and isinstance(os.fspath(source), str):
            yield from _list_path(source, recursive=recursive, wanted=wanted)
        else:
            raise InvalidArgumentError(
                f"A source must be a path, a glob or UploadSource(...), not {type(source).__name__}."
            )


def _stat(file: object) -> os.stat_result | None:
    with suppress(OSError, ValueError):
        return Path(file).stat() if isinstance(file, str | os.PathLike) else None
    return None


def _list_path(source: str | os.PathLike[str], *, recursive: bool, wanted: Filter) -> Iterator[Found]:
    path = os.fspath(source)
    status = _stat(path)
    # A `?` of a URL is none of a glob; the upload says what to do with a URL.
    if status is None and "://" not in path and _MAGIC.search(path):
        yield from _list_glob(path, recursive=recursive, wanted=wanted)
    elif status is not None and stat.S_ISDIR(status.st_mode):
        if not recursive:
            raise folder_error(source)
        yield from _Walk(path, wanted).files()
    elif wanted.leaves_out(os.path.basename(path)):  # noqa: PTH119
        yield Found(source, skipped="excluded")
    else:
        yield Found(source, status)


def _list_glob(glob: str, *, recursive: bool, wanted: Filter) -> Iterator[Found]:
    parts = Path(glob).parts
    first = next(number for number, part in enumerate(parts) if _MAGIC.search(part))
    base, rest = Path(*parts[:first]), "/".join(parts[first:])
    pattern, count = compile_glob(f"./{rest}"), 0
    deepest = None if "**" in parts else len(parts) - first
    hidden = parts[-1].startswith(".")
    for found in _Walk(str(base), wanted, pattern, deepest, hidden, recursive).files():
        count += 1
        yield found
    if not count:
        yield Found(glob, error=SourceError(f"{redact(repr(glob))} matches no file; check the folder and the pattern."))


@define
class _Walk:
    """What is in a folder and all below it.

    Args:
        top: The folder.
        wanted: Which files are wanted.
        pattern: What paths below `top` have to match; what does not is not even named.
        deepest: How many levels of folders may be of interest.
        hidden: Whether hidden files are wanted.
        into: Whether folders that match are gone through.
    """

    top: str
    wanted: Filter
    pattern: re.Pattern[str] | None = None
    deepest: int | None = None
    hidden: bool = False
    into: bool = False
    # Each open folder: what is still to be read, the path below `top` to it, and whether all in it matches.
    _stack: list[tuple[Iterator[os.DirEntry[str]], str, bool]] = field(factory=list, init=False)

    def files(self) -> Iterator[Found]:
        """Yield the files, and what is left out and why."""
        try:
            yield from self._enter(self.top, "", matched=self.pattern is None)
            while self._stack:
                entries, prefix, matched = self._stack[-1]
                try:
                    entry = next(entries, None)
                except OSError as error:
                    yield _unreadable(os.path.join(self.top, prefix), error)  # noqa: PTH118
                    entry = None
                if entry is None:
                    _close(self._stack.pop()[0])
                else:
                    yield from self._look_at(entry, prefix + entry.name, matched=matched)
        finally:
            for entries, _, _ in self._stack:
                _close(entries)

    def _enter(self, path: str, prefix: str, *, matched: bool) -> Iterator[Found]:
        try:
            entries: Any = os.scandir(path)
            if len(self._stack) >= _MOST_OPEN:
                with entries:
                    entries = iter([*entries])
        except OSError as error:
            yield _unreadable(path, error)
        else:
            self._stack.append((entries, prefix, matched))

    def _look_at(self, entry: os.DirEntry[str], path: str, *, matched: bool) -> Iterator[Found]:
        matches = matched or bool(self.pattern and self.pattern.fullmatch(path))
        folder = entry.is_dir(follow_symlinks=False)
        if reason := self._find_reason(entry, path, folder=folder):
            if matches:
                yield Found(Path(entry.path), skipped=reason)
        elif folder:
            matches = matched or (matches and self.into)
            if matches or self.deepest is None or path.count("/") + 1 < self.deepest:
                yield from self._enter(entry.path, path + "/", matched=matches)
        elif matches:
            yield _find(entry)

    def _find_reason(self, entry: os.DirEntry[str], path: str, *, folder: bool) -> str | None:
        if not self.hidden and _is_hidden(entry):
            return "hidden"
        if self.wanted.leaves_out(path, folder=folder):
            return "excluded"
        return "link" if entry.is_symlink() else None


def _unreadable(path: str, error: OSError) -> Found:
    message = f"The folder {redact(repr(path))} cannot be read: {error.strerror or error}."
    return Found(Path(path), error=SourceError(message))


def _find(entry: os.DirEntry[str]) -> Found:
    try:
        # On Windows an entry knows neither device nor inode.
        return Found(
            Path(entry.path), Path(entry.path).stat() if os.name == "nt" else entry.stat(follow_symlinks=False)
        )
    except OSError:
        # It has gone meanwhile, which opening it says better.
        return Found(Path(entry.path))


def _is_hidden(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith("."):
        return True
    attributes = getattr(entry.stat(follow_symlinks=False), "st_file_attributes", 0) if os.name == "nt" else 0
    return bool(attributes & stat.FILE_ATTRIBUTE_HIDDEN)


def _close(entries: object) -> None:
    close: Callable[[], object] | None = getattr(entries, "close", None)
    if close is not None:
        close()
