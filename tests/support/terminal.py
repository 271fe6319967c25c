"""A real pseudo-terminal of a fixed size, and what a person sees on it."""

from __future__ import annotations

import os
import re
import threading
import unicodedata
from io import TextIOWrapper
from typing import IO, Self

import pytest

# What separates frames: no program writes it.
_MARK = b"\x00frame\x00"
_SEQUENCE = re.compile(r"\x1b\[(\??)(\d*)(?:;\d+)*([A-Za-z])")


class Terminal:
    """A pseudo-terminal: `file` is what programs write to, `screen` what is on it.

    Args:
        columns: How wide it is.
    """

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self._parent, child = pytest.importorskip("pty").openpty()
        self.file: IO[str] = TextIOWrapper(os.fdopen(child, "wb", 0), encoding="utf-8", write_through=True)
        self.shown, self._frames = b"", 0
        self._arrived = threading.Condition()
        self._reader = threading.Thread(target=self._read)

    def __enter__(self) -> Self:
        self._reader.start()
        return self

    def __exit__(self, *_error: object) -> None:
        if not self.file.closed:
            self.file.close()
        self._reader.join()
        os.close(self._parent)

    def _read(self) -> None:
        while True:
            try:
                chunk = os.read(self._parent, 65536)
            except OSError:  # what Linux says when the last writer has gone
                chunk = b""
            if not chunk:
                return
            with self._arrived:
                self.shown += chunk
                self._arrived.notify_all()

    def screen(self, *, colours: bool = False) -> str:
        """Return what is to be seen now, line by line, with the sequences for `colours` when they are wanted."""
        self._frames += 1
        os.write(self.file.fileno(), _MARK)
        with self._arrived:
            self._arrived.wait_for(lambda: self.shown.count(_MARK) == self._frames)
        return draw(self.shown.replace(_MARK, b"").decode(), self.columns, colours=colours)


def draw(text: str, columns: int, *, colours: bool = False) -> str:
    """Return what a terminal shows after this text. An escape sequence that it does not know is an error."""
    lines: list[list[str]] = [[]]
    row = column = 0
    style = ""
    while text:
        if found := _SEQUENCE.match(text):
            private, number, letter = found.groups()
            count = int(number or 1)
            if letter == "A":
                row = max(0, row - count)
            elif letter == "K" and number == "2":
                lines[row] = []
            elif letter == "m" and colours:
                style = "" if found.group() in ("\x1b[m", "\x1b[0m") else style + found.group()
            elif not (letter == "m" or (private and letter in "lh")):
                raise AssertionError(f"an escape sequence that nobody expects: {found.group()!r}")
            text = text[found.end() :]
            continue
        character, text = text[0], text[1:]
        if character == "\r":
            column = 0
        elif character == "\n":
            row += 1
        else:
            assert character.isprintable(), f"a control character on the terminal: {character!r}"
            width = 2 if unicodedata.east_asian_width(character) in "WF" else 1
            if column + width > columns:
                row, column = row + 1, 0
            while len(lines) <= row:
                lines.append([])
            line = lines[row]
            line += [" "] * (column + width - len(line))
            line[column : column + width] = [f"{style}{character}\x1b[0m" if style else character, *[""] * (width - 1)]
            column += width
        while len(lines) <= row:
            lines.append([])
    return "".join("".join(line).rstrip() + "\n" for line in lines).rstrip("\n") + "\n"
