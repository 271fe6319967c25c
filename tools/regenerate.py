"""Do all that follows an edit of openapi.yaml: rebuild the client, compare, test, and say what to look at.

    python -m tools.regenerate [--base REF] [--tests COMMAND]

The present contract is compared with the last released one, and with that of a git ref too if one is named. Exits 0
when the client was built and the tests passed, 1 when the tests failed, and 2 when an input cannot be read or the
client cannot be built. What `make check` still demands is listed, but is no failure here.
"""

import argparse
import subprocess
import sys
from collections.abc import Mapping
from io import TextIOWrapper
from pathlib import Path

from tools.client import generate
from tools.client.handwritten_layer import find_missing
from tools.contract.document import UnreadableError
from tools.project import ROOT, Project
from tools.release.changelog import find_problems
from tools.release.released import Step, compare_with, find_step
from tools.spec_diff.report import Report, describe_verdict, render_text

TESTS = "make --no-print-directory test"


def describe(project: Project, step: Step, reports: Mapping[str, Report], tests: int) -> str:
    """Return what a maintainer should look at and do, given the comparisons and the exit status of the tests."""
    lines = ["", "What to look at", "---------------"]
    lines += [f"since {name}: {describe_verdict(report)}" for name, report in reports.items()]
    if step.report is not None and step.report.unused:
        lines += ["", *(f"* {line}." for line in step.report.unused)]
    # What `make check` would fail for.
    todo = [*find_missing(step.new, project.root), *find_problems(project, step)]
    if tests:
        todo.append(f"The tests failed (exit status {tests}), see above.")
    if todo:
        lines += ["", "To do:", *(f"* {line}" for line in todo)]
    else:
        final = "" if step.released else f" Once {step.new.version} is final, `make release-contract` records it."
        lines += ["", f"The version and the changelog cover the change.{final}"]
    return "\n".join([*lines, "", "To commit together:"])


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.regenerate")
    parser.add_argument("--base", help="a git ref to compare with besides the last released contract")
    parser.add_argument("--tests", default=TESTS, help=f"the command of the tests, or '' for none (default: {TESTS})")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder of the project")
    arguments = parser.parse_args(argv)
    project = Project(arguments.root)
    client = project.root / "generated_client"
    code = generate.main(["--contract", str(project.contract), "--target", str(client)])
    if code:
        return code
    # Reports have arrows, whatever the terminal's encoding.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    try:
        step = find_step(project)
        reports: dict[str, Report] = {}
        if step.report is not None:
            print(f"\nSince the released {step.report.old}\n\n{render_text(step.report)}\n")
            reports[step.report.old] = step.report
        if arguments.base:
            report = compare_with(project, arguments.base)
            reports[arguments.base] = report
            same = step.report is not None and report.changes == step.report.changes
            print(f"\nSince {arguments.base}\n\n{'The same.' if same else render_text(report)}\n")
        sys.stdout.flush()
        status = subprocess.run(["/bin/sh", "-c", arguments.tests], cwd=project.root, check=False).returncode
        print(describe(project, step, reports, status), flush=True)
    except UnreadableError as error:
        print(error, file=sys.stderr)
        return 2
    command = ["git", "status", "--short"]
    subprocess.run(command, cwd=project.root, stderr=subprocess.DEVNULL, check=False)
    return 1 if status else 0


if __name__ == "__main__":
    sys.exit(main())
