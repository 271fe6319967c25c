"""Write what a branch changes in the contract into a folder, for a pull request.

    python -m tools.pull_request.report --base origin/main --out FOLDER

    report.md         for a comment and the summary of a job, within what GitHub takes
    report.json       for programs; docs/contract.md describes the shape
    annotations.txt   workflow commands that annotate the lines
    comment.json      the report for `tools.pull_request.comment`, which renders it anew and trusts nothing in it

Exits 1 when a breaking change is not covered, and 2 when an input cannot be read; the files then say so.
"""

import argparse
import sys
from pathlib import Path

from tools.contract.document import UnreadableError
from tools.project import ROOT, Project
from tools.pull_request.comment import dump, render
from tools.release.released import compare_with
from tools.spec_diff.report import describe_verdict, escape_command, render_github, render_json


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.pull_request.report")
    parser.add_argument("--base", default="origin/main", help="the git ref that the branch starts from")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write into")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder of the project")
    arguments = parser.parse_args(argv)
    project, out = Project(arguments.root), Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    try:
        report = compare_with(project, arguments.base)
        files = {"report.md": render(report), "comment.json": dump(report)}
        files |= {"report.json": render_json(report), "annotations.txt": render_github(report)}
        code, verdict = int(report.uncovered_break), describe_verdict(report)
    except UnreadableError as error:
        code, verdict = 2, str(error)
        place = f"file={error.name},line={error.line}," if error.name == project.contract.name and error.line else ""
        annotation = f"::error {place}title=Contract::{escape_command(verdict)}\n"
        files = {"report.md": render(verdict), "comment.json": dump(verdict), "annotations.txt": annotation}
        (out / "report.json").unlink(missing_ok=True)
    for name, text in files.items():
        (out / name).write_text(text, encoding="utf-8", newline="\n")
    print(verdict, file=sys.stderr if code else sys.stdout)
    return code


if __name__ == "__main__":
    sys.exit(main())
