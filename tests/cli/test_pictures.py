"""What a picture of a terminal shows."""

from rich.text import Text

from tests.cli.pictures import TO_DRAW, draw
from tests.support.terminal import Terminal


def test_shows_what_is_left_in_the_end_with_its_colours() -> None:
    with Terminal(40) as terminal:
        terminal.file.write("\x1b[?25lmessage\n10 %\n\x1b[1A\x1b[2K\r\x1b[1;32m20\x1b[0m %")
        assert terminal.screen() == "message\n20 %\n"
        text = Text.from_ansi(terminal.screen(colours=True))
    assert text.plain.strip() == "message\n20 %"
    assert [str(span.style) for span in text.spans] == ["bold color(2)"] * 2


def test_loads_no_font_from_another_host() -> None:
    assert "url(" not in draw(TO_DRAW[0], "\x1b[31mred\x1b[0m").replace("url(#", "")
