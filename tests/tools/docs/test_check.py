"""What `make docs` finds in a built site."""

from pathlib import Path

import pytest

from tools.docs import find_faults

GOOD = """<html><head><link rel="canonical" href="https://example.com/"><link rel="stylesheet" href="style.css"></head>
<body><h1 id="top">Page</h1><a href="#top">up</a><a href="folder/other.html#there">on</a><a href="https://example.com/">out</a>
<img src="picture.svg"><script src="script.js"></script></body></html>"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    (tmp_path / "index.html").write_text(GOOD, encoding="utf-8")
    (tmp_path / "folder" / "other.html").write_text('<a href="../index.html" id="there">back</a>', encoding="utf-8")
    for name in ("picture.svg", "script.js", "style.css"):
        (tmp_path / name).touch()
    return tmp_path


def test_a_good_site_has_no_faults(site: Path) -> None:
    assert list(find_faults(site)) == []


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("folder/other.html#there", "folder/another.html#there"),
        ("picture.svg", "picture.png"),
        ("picture.svg", "https://example.com/picture.svg"),
        ("script.js", "//example.com/script.js"),
        ("style.css", "https://example.com/style.css"),
        ("<body>", "<body><style>@import url(https://example.com/font.css)</style>"),
    ],
)
def test_a_dead_link_and_another_host_are_named(site: Path, good: str, bad: str) -> None:
    (site / "index.html").write_text(
        GOOD.replace(f'"{good}"', f'"{bad}"').replace("<body>", bad if good == "<body>" else "<body>"), encoding="utf-8"
    )
    (fault,) = find_faults(site)
    assert fault.startswith("index.html ")


def test_fonts_of_a_stylesheet_may_not_come_from_elsewhere(site: Path) -> None:
    (site / "style.css").write_text("@font-face { src: url('https://example.com/font.woff2') }", encoding="utf-8")
    assert list(find_faults(site)) == ["style.css loads https://example.com/font.woff2 from another host"]
