"""Carry a report from a program that may be a stranger's to one that may write comments, as data and nothing else."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Literal

from pydantic import BaseModel, TypeAdapter, ValidationError

from tools.contract.document import is_object
from tools.spec_diff.report import Report, count, escape, render_markdown

MAX_BYTES = 8 * 1024 * 1024
COMMENT_LIMIT = 65_536
"""How long a comment on GitHub may be, in characters."""
REPORT_LIMIT = COMMENT_LIMIT - 1_536
"""How long the report in it may be, in bytes of UTF-8; the rest is for what is said around it."""


class ExchangeError(Exception):
    """What was read is no report; the message says why, in words of this program alone."""


class Message(BaseModel):
    """What every message has, a report too."""

    format: Literal[1]


class Failure(Message):
    error: str


REPORT = TypeAdapter(Report)


def dump(report: Report | str) -> str:
    """Return JSON that `load` reads: a report, or the message that says why there is none."""
    fields = {"error": report} if isinstance(report, str) else asdict(report)
    return json.dumps({"format": 1, **fields}, default=sorted) + "\n"


def load(data: bytes) -> Report | str:
    """Return the report that some JSON holds, or the message that says why there is none."""
    if len(data) > MAX_BYTES:
        raise ExchangeError(f"more than {MAX_BYTES:,} bytes")
    try:
        document = json.loads(data)
        # A lone surrogate is a text to JSON and nothing that could be sent.
        text = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
        if is_object(document) and "error" in document:
            return Failure.model_validate_json(text, strict=True).error
        Message.model_validate_json(text, strict=True)
        return REPORT.validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        raise ExchangeError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    except (ValueError, RecursionError):
        raise ExchangeError("no JSON") from None


def render(report: Report | str) -> str:
    """Return the Markdown of a report, or of why there is none, no longer than GitHub takes it."""
    if isinstance(report, Report):
        return fit_markdown(render_markdown(report))
    return fit_markdown(f"🔴 **The contracts cannot be compared:** {escape(report)}\n")


def fit_markdown(text: str, limit: int = REPORT_LIMIT) -> str:
    """Return a Markdown report cut after a whole line, so that it has at most `limit` bytes, with a note of it."""
    if len(text.encode()) <= limit:
        return text
    room = limit - 200  # for the note, and the end of what is folded
    lines = text.encode()[:room].decode(errors="ignore").splitlines(keepends=True)
    kept = "".join(line for line in lines if line.endswith("\n"))
    end = "\n</details>\n" if "<details>\n" in kept and "</details>\n" not in kept else ""
    left = count(len(text.splitlines()) - len(kept.splitlines()), "line")
    return f"{kept}{end}\n✂️ {left} more; the report is too long for here, and `make spec-diff` shows all of it.\n"
