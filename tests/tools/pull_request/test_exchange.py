"""The report on its way from the code of a pull request to a program that may write comments."""

import copy
import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.spec_diff.support import RULES
from tools.pull_request.comment import (
    MAX_BYTES,
    ExchangeError,
    dump,
    fit_markdown,
    load,
    render,
)
from tools.spec_diff.policy import LEVELS
from tools.spec_diff.report import BUMPS, Change, Report, render_markdown

TEXTS = st.text(st.characters(codec="utf-8"), max_size=60)
CHANGES = st.builds(
    Change,
    operation=TEXTS,
    location=TEXTS,
    line=st.integers(0, 10**6),
    kind=st.sampled_from(sorted(RULES["schemas"] | RULES["contract"])),
    level=st.sampled_from(LEVELS),
    message=TEXTS,
    python=st.lists(TEXTS, max_size=3).map(tuple),
    installed_clients=st.none() | TEXTS,
    side=st.sampled_from(["old", "new"]),
    directions=st.frozensets(st.sampled_from(["request", "response"])),
    accepted=st.none() | TEXTS,
)
VERSIONS = st.sampled_from(["1.0.0", "1.10.0", "2.0.0-beta.1", "2024-10-01"])


@st.composite
def reports(draw: st.DrawFn) -> Report:
    return Report(
        old=draw(VERSIONS),
        new=draw(VERSIONS),
        changes=tuple(draw(st.lists(CHANGES, max_size=4))),
        required=draw(st.sampled_from(BUMPS)),
        actual=draw(st.none() | st.sampled_from(BUMPS)),
        missing=draw(st.lists(TEXTS, max_size=1).map(tuple)),
        unused=draw(st.lists(TEXTS, max_size=2).map(tuple)),
        since=draw(st.none() | VERSIONS),
    )


@given(reports())
def test_report_arrives_as_it_was(report: Report) -> None:
    """And so renders to the same Markdown."""
    assert report == load(dump(report).encode())


def test_failure_arrives_as_it_was() -> None:
    """There may be no report, and then a reason."""
    assert load(dump("openapi.yaml:3: not YAML").encode()) == "openapi.yaml:3: not YAML"


REPORT = Report(
    "1.0.0",
    "1.1.0",
    (Change("a", "#/x", 1, "enum-value-added", "breaking", "m", ("p",), "tolerated"),),
    "major",
    "minor",
    unused=("u",),
)


def set_key(key: str, value: Any) -> Callable[[Any], Any]:
    return lambda document: {**document, key: value}


def set_in_change(key: str, value: Any) -> Callable[[Any], Any]:
    return lambda document: {**document, "changes": [{**document["changes"][0], key: value}]}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda document: [document], "Input should be an object"),
        (set_key("format", 2), "format: Input should be 1"),
        (set_key("error", None), "error: Input should be a valid string"),
        (set_key("required", "huge"), "required: Input should be 'none'"),
        (set_key("unused", [1]), r"unused\.0: Input should be a valid string"),
        (set_key("changes", [None]), r"changes\.0: Input should be an object"),
        (set_in_change("line", True), r"changes\.0\.line: Input should be a valid integer"),
        (set_in_change("level", "fatal"), r"changes\.0\.level: Input should be 'breaking'"),
        (set_in_change("python", [["x"]]), r"changes\.0\.python\.0: Input should be a valid string"),
    ],
)
def test_what_is_no_report_is_refused(spoil: Callable[[Any], Any], message: str) -> None:
    """The reason is told in words of ours, never in a stranger's."""
    document = spoil(copy.deepcopy(json.loads(dump(REPORT))))
    with pytest.raises(ExchangeError, match=message):
        load(json.dumps(document).encode())


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff", b"[" * 100_000, b" " * (MAX_BYTES + 1), b"9" * 5000, b'"\\ud800'], ids=range(7)
)
def test_what_is_no_json_is_refused(data: bytes) -> None:
    """However deep, long or broken."""
    with pytest.raises(ExchangeError):
        load(data)


def test_half_a_character_does_not_stop_the_comment() -> None:
    """JSON can carry a lone surrogate, and nothing else can."""
    data = dump(REPORT).replace('"message": "m"', '"message": "\\ud800"')
    report = load(data.encode())
    assert isinstance(report, Report)
    assert render_markdown(report).encode()


# What is rendered of it

EVIL = (
    "@team &commat;team &#64;team #12 GH-12 owner/repo#12 https://evil.example www.evil.example <img src=x onerror=y> "
    "<!-- x --> </details> ![x](y) [x](y) `x` $x$ **x** | x | \u202edlrow\u200b\x1b[31m \\@team"
)


@pytest.mark.parametrize(
    "field", ["operation", "message", "python", "installed_clients", "accepted", "unused", "error"]
)
def test_nothing_in_it_is_more_than_text(field: str) -> None:
    """No mention, no reference, no link, no markup: neither in the source nor where entities are characters again."""
    if field == "error":
        markdown = render(EVIL)
    else:
        texts = {"operation": "o", "message": "m", "installed_clients": "i"} | {field: EVIL}
        change = Change(
            texts["operation"],
            "#/x",
            1,
            "enum-value-added",
            "breaking",
            texts["message"],
            (EVIL if field == "python" else "p",),
            texts["installed_clients"],
            accepted=EVIL if field == "accepted" else "a",
        )
        report = Report("1.0.0", "1.1.0", (change,), "major", "minor")
        markdown = render_markdown(
            report if field != "unused" else Report("1.0.0", "1.0.0", (), "none", "none", (EVIL,))
        )
    assert "team" in markdown
    assert not re.search(r"<(?!/?(?:details|summary)>\n?)", markdown)
    assert markdown.count("<details>") == markdown.count("</details>")
    assert not re.search(r"!?\[[^\]]*\]\(|(?<!\*)`|\$", markdown)
    shown = unescape(markdown)
    assert not re.search(r"@\w|#\d|(?i:gh-\d)|://|www\.|[\u202e\x1b]", shown)


def test_version_is_only_text_too() -> None:
    """A contract's version need only begin with three numbers."""
    report = Report("1.0.0", "1.0.1 @all <img src=x>", (), "none", "patch")
    markdown = render_markdown(report)
    assert "<img" not in markdown
    assert "@all" not in unescape(markdown)


def test_long_report_is_cut_after_a_line() -> None:
    """What is folded is closed, the breaking changes stay, and a note says how much is left out."""
    changes = tuple(
        Change("a", "#/x", line, "property-added", "breaking" if line < 3 else "non-breaking", "ä" * 60)
        for line in range(2000)
    )
    report = Report("1.0.0", "1.1.0", changes, "major", "minor")
    whole = render_markdown(report)
    cut = fit_markdown(whole, 20_000)
    assert 19_000 < len(cut.encode()) <= 20_000
    assert cut.count("🔴 **breaking**") == 3
    assert cut.count("<details>") == cut.count("</details>") == 1
    match = re.search(r"\n✂️ (\d+) lines more; ", cut)
    assert match
    kept = len(cut.split("\n</details>\n\n✂️")[0].splitlines())
    assert kept + int(match[1]) == len(whole.splitlines())
    assert whole == fit_markdown(whole, len(whole.encode()))
    assert fit_markdown("x" * 1000, 500).strip() == (
        "✂️ 1 line more; the report is too long for here, and `make spec-diff` shows all of it."
    )
