"""A report as a comment on a pull request holds it: within what GitHub takes, or why there is none."""

from __future__ import annotations

from tools.spec_diff.report import count, escape

COMMENT_LIMIT = 65_536
"""How long a comment on GitHub may be, in characters."""
REPORT_LIMIT = COMMENT_LIMIT - 1_536
"""How long the report in it may be, in bytes of UTF-8; the rest is for what is said around it."""


def render_failure(message: str) -> str:
    """Return the Markdown that says why there is no report."""
    return f"🔴 **The contracts cannot be compared:** {escape(message)}\n"


def fit_markdown(text: str, limit: int = REPORT_LIMIT) -> str:
    """Return a Markdown report cut after a whole line, so that it has at most `limit` bytes, with a note of it."""
    if len(text.encode()) <= limit:
        return text
    lines = text.splitlines(keepends=True)
    room = limit - 200  # for the note, and the end of what is folded
    kept: list[str] = []
    for line in lines:
        room -= len(line.encode())
        if room < 0:
            break
        kept.append(line)
    end = "\n</details>\n" if "<details>\n" in kept and "</details>\n" not in kept else ""
    left = count(len(lines) - len(kept), "line")
    return (
        f"{''.join(kept)}{end}\n✂️ {left} more; the report is too long for here, and `make spec-diff` shows all of it.\n"
    )
