"""Print the comment for a pull request that says what it changes in the contract; nothing when it changes nothing.

    python -m tools.pull_request.comment REPORT --commit SHA --run-url URL [--said true]

The report is the `comment.json` of `tools.pull_request.report`. The code of the pull request made it, which may be a
stranger's: it is read as data within bounds, and rendered here, so that nothing in it becomes a mention, a link or
markup. With `--said true` there is a comment already, which then says that nothing changes any more. Exits 1 when the
file is no report.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.pull_request.exchange import MAX_BYTES, ExchangeError, load, render


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
