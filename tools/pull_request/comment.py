"""Print the comment for a pull request that says what it changes in the contract; nothing when it changes nothing.

    python -m tools.pull_request.comment REPORT --commit SHA --run-url URL [--said true]

The report is the `comment.json` of `tools.pull_request.report`. The code of the pull request made it, which may be a
stranger's: it is read as data within bounds, and rendered here, so that nothing in it becomes a mention, a link or
markup. With `--said true` there is a comment already, which then says that nothing changes any more. Exits 1 when the
file is no report.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, TypeAdapter, ValidationError

from tools.spec_diff.report import Report, count, escape, render_markdown

MAX_BYTES = 8 * 1024 * 1024
COMMENT_LIMIT = 65_536
"""How long a comment on GitHub may be, in characters."""
REPORT_LIMIT = COMMENT_LIMIT - 1_536
"""How long the report in it may be, in bytes of UTF-8; the rest is for what is said around it."""


class ExchangeError(Exception):
    """What was read is no report; the message says why, in words of this program alone."""


class Message(BaseModel):
    """What every message has, a report too, and what one has instead of a report."""

    format: Literal[1]
    error: str = ""


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
        # A lone surrogate is a text to JSON and nothing that could be sent.
        text = json.dumps(json.loads(data), ensure_ascii=False).encode("utf-8", "replace")
        return Message.model_validate_json(text, strict=True).error or REPORT.validate_json(text, strict=True)
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


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.pull_request.comment")
    parser.add_argument("report", type=Path, help="comment.json, as the code of the pull request wrote it")
    parser.add_argument("--commit", required=True, help="the commit that the report is about")
    parser.add_argument("--run-url", required=True, help="the run that made the report")
    parser.add_argument("--said", choices=("true", "false"), default="false", help="whether there is a comment already")
    arguments = parser.parse_args(argv)
    try:
        with arguments.report.open("rb") as file:
            report = load(file.read(MAX_BYTES + 1))
    except (OSError, ExchangeError) as error:
        print(f"{arguments.report.name} is no report: {error}", file=sys.stderr)
        return 1
    if isinstance(report, str) or report.changes or arguments.said == "true":
        source = f"For {arguments.commit}, as the code of this pull request sees it: [the run]({arguments.run_url})."
        sys.stdout.buffer.write(f"{render(report)}\n<sub>{source}</sub>\n".encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
