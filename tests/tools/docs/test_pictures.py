"""What a picture of a terminal shows."""

import pytest

pictures = pytest.importorskip("tools.docs.pictures")


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("one\r\ntwo\r\n", "one\ntwo"),
        ("one 10 %\r\x1b[2Kone 20 %", "one 20 %"),
        ("message\r\n10 %\r\nmore\x1b[1A\r\x1b[2K\x1b[1B\x1b[2K\x1b[1A20 %", "message\n20 %"),
        ("\x1b[?25l\x1b[32mgreen\x1b[0m\x1b[?25h", "\x1b[32mgreen\x1b[0m"),
    ],
    ids=["lines", "a bar", "bars below a message", "colours"],
)
def test_is_what_is_left_in_the_end(written: str, seen: str) -> None:
    assert pictures.settle(written) == seen


def test_loads_no_font_from_another_host() -> None:
    assert "url(" not in pictures.draw(pictures.TO_DRAW[0], "\x1b[31mred\x1b[0m").replace("url(#", "")
