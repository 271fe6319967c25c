"""A body on its way from the wire to who reads it: unpacked, cut, made text, split into lines, never held as a whole.

Each stage takes pieces and gives pieces; none waits or reads, so they serve both clients.
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from .errors import InvalidArgumentError
from .redaction import snippet

Piece = TypeVar("Piece", bytes, str)

# How much one stage hands on at once, in bytes: a few kilobytes may unpack to gigabytes.
PIECE = 64 * 1024
# Python knows more, and some of them make no text, or fail on what they do not like.
_CHARSETS = frozenset({"utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1252", "utf-16", "utf-16-le", "utf-16-be"})


class BrokenBodyError(Exception):
    """A body is not what its headers say; the message says what it is."""


class Stage(Protocol):
    """One stage of the way."""

    def feed(self, piece: Any, /) -> Iterator[Any]:
        """Take a piece and give what is ready."""
        ...

    def end(self) -> Iterator[Any]:
        """Give what is left."""
        ...


def push(stages: Sequence[Stage], pieces: Iterable[Any]) -> Iterator[Any]:
    """Send pieces through the stages, each only when the one before it is used up."""
    for stage in stages:
        pieces = _pass(stage, pieces)
    yield from pieces


def _pass(stage: Stage, pieces: Iterable[Any]) -> Iterator[Any]:
    for piece in pieces:
        yield from stage.feed(piece)


def flush(stages: Sequence[Stage]) -> Iterator[Any]:
    """Give what the stages still hold."""
    for index, stage in enumerate(stages):
        yield from push(stages[index + 1 :], stage.end())


class Unpack:
    """Unpacks a body as its `Content-Encoding` says: gzip, or not at all.

    Raises:
        BrokenBodyError: In `feed` and `end`, when it is packed otherwise, damaged, or ends in the middle.
    """

    def __init__(self, content_encoding: str) -> None:
        packing = content_encoding.strip().lower()
        if packing not in ("", "identity", "gzip", "x-gzip"):
            raise BrokenBodyError(f"a body packed with {snippet(packing, 20)!r}, which was not asked for")
        self._unpack = zlib.decompressobj(wbits=31) if "gzip" in packing else None
        self._begun = False

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Take bytes off the wire and give them unpacked."""
        if self._unpack is None:
            yield piece
            return
        while piece and not self._unpack.eof:
            self._begun = True
            try:
                unpacked = self._unpack.decompress(piece, PIECE)
            except zlib.error:
                raise BrokenBodyError("a body that is not the gzip that it claims to be") from None
            piece = self._unpack.unconsumed_tail
            if unpacked:
                yield unpacked
        if piece or (self._unpack.eof and self._unpack.unused_data):
            raise BrokenBodyError("a body that goes on after its gzip")

    def end(self) -> Iterator[bytes]:
        """Give nothing, if the body has come to its end."""
        if self._unpack is not None and self._begun and not self._unpack.eof:
            raise BrokenBodyError("a body that ends in the middle")
        yield from ()


class Cut:
    """Cuts bytes or text into pieces of one size; the last may be shorter."""

    def __init__(self, size: int) -> None:
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise InvalidArgumentError(f"chunk_size must be a whole number from 1, or None, not {size!r}.")
        self._size = size
        self._rest: Any = None

    def feed(self, piece: Piece) -> Iterator[Piece]:
        """Take a piece of any size and give those that are full."""
        whole: Piece = piece if self._rest is None else self._rest + piece
        end = len(whole) - len(whole) % self._size
        self._rest = whole[end:]
        for start in range(0, end, self._size):
            yield whole[start : start + self._size]

    def end(self) -> Iterator[Any]:
        """Give the last piece."""
        if self._rest:
            yield self._rest


class Decode:
    """Makes text of bytes; what cannot be text becomes U+FFFD.

    Args:
        charset: As the answer names it; one that is not known here is taken for UTF-8.
    """

    def __init__(self, charset: str | None) -> None:
        try:
            name = codecs.lookup(charset or "utf-8").name
        except (LookupError, ValueError):
            name = "utf-8"
        self._decoder = codecs.getincrementaldecoder(name if name in _CHARSETS else "utf-8")(errors="replace")

    def feed(self, piece: bytes) -> Iterator[str]:
        """Take bytes and give the text that is whole."""
        if text := self._decoder.decode(piece):
            yield text

    def end(self) -> Iterator[str]:
        """Give what half a character at the end comes to."""
        if text := self._decoder.decode(b"", final=True):
            yield text


class SplitLines:
    """Splits text into lines, as `str.splitlines` does, without their ends."""

    def __init__(self) -> None:
        self._rest: list[str] = []
        self._after_return = False

    def feed(self, piece: str) -> Iterator[str]:
        """Take a text and give the lines that are whole."""
        if self._after_return and piece.startswith("\n"):
            piece = piece[1:]
        # Half of a line end: the other half would be a line of its own.
        self._after_return = piece.endswith("\r")
        for line in piece.splitlines(keepends=True):
            (content,) = line.splitlines()
            self._rest.append(content)
            if len(content) < len(line):
                yield "".join(self._rest)
                self._rest.clear()

    def end(self) -> Iterator[str]:
        """Give the last line, when nothing ends it."""
        if self._rest:
            yield "".join(self._rest)
