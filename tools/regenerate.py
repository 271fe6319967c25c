"""Do all that follows an edit of openapi.yaml: rebuild the client, compare, test, and say what to look at.

    python -m tools.regenerate [--base REF] [--tests COMMAND]

The present contract is compared with the last released one, and with that of a git ref too if one is named. Exits 0
when the client was built and the tests passed, 1 when the tests failed, and 2 when an input cannot be read or the
client cannot be built. What `make check` still demands is listed, but is no failure here.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tools.client import generate
from tools.client.handwritten_layer import find_missing
from tools.contract.document import UnreadableError
from tools.project import ROOT, Project
from tools.pull_request.revisions import compare_with
from tools.release.changelog import find_changelog_problem
from tools.release.released import Step, find_step, find_version_problem
from tools.spec_diff.report import Report, describe_verdict, render_text

TESTS = "make --no-print-directory test"


def find_todo(project: Project, step: Step) -> list[str]:
    """Return what `make check` would fail for, each with the remedy."""
    todo = find_missing(step.new, project.root)
    problem = find_version_problem(step)
    if problem is not None:
        todo.append(problem)
    if problem is not None and step.report and step.report.uncovered_break and not step.is_broken_promise:
        entries = [
            f'  - kind: {change.kind}\n    location: "{change.location}"\n    reason: ...'
            for change in step.report.changes
            if change.is_uncovered
        ]
        intended = f"If they are intended, {project.allow.name} accepts them, with a reason for each:"
        todo.append("\n".join([intended, *entries]))
    problem = find_changelog_problem(project, step.new.version)
    return [*todo, *([] if problem is None else [problem])]


def list_changed_files(project: Project) -> list[str]:
    """Return what git sees changed, added or not; the generated client as a folder. Nothing where there is no git."""
    command = ("git", "-c", "core.quotePath=false", "status", "--porcelain", "-z", "--untracked-files=all")
    result = subprocess.run([*command, "--no-renames"], cwd=project.root, capture_output=True, check=False)
    names = [os.fsdecode(entry[3:]) for entry in result.stdout.split(b"\0") if entry]
    return sorted({"generated_client/" if name.startswith("generated_client/") else name for name in names})


def describe(project: Project, step: Step, reports: Mapping[str, Report], tests: int) -> str:
    """Return what a maintainer should look at and do, given the comparisons and the exit status of the tests."""
    lines = ["", "What to look at", "---------------"]
    lines += [f"since {name}: {describe_verdict(report)}" for name, report in reports.items()]
    if step.report is not None and step.report.unused:
        lines += ["", *(f"* {line}." for line in step.report.unused)]
    todo = find_todo(project, step)
    if tests:
        todo.append(f"The tests failed (exit status {tests}), see above.")
    if todo:
        lines += ["", "To do:", *(f"* {line}" for line in todo)]
    else:
        final = "" if step.released else f" Once {step.new.version} is final, `make release-contract` records it."
        lines += ["", f"The version and the changelog cover the change.{final}"]
    files = list_changed_files(project)
    lines += ["", "To commit together:", *(f"  {name}" for name in files)] if files else []
    return "\n".join(lines) + "\n"


def say(text: str) -> None:
    """Write to stdout at once, arrows included, whatever the terminal's encoding."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())
    sys.stdout.flush()


def run_tests(command: list[str], folder: Path) -> int:
    """Run the command, if there is one, and return its exit status; 127 as a shell's when there is no such command."""
    try:
        return subprocess.run(command, cwd=folder, check=False).returncode if command else 0
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return 127


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
    try:
        step = find_step(project)
        reports: dict[str, Report] = {}
        if step.report is not None and step.old is not None:
            say(f"\nSince the released {step.old.version}\n\n{render_text(step.report)}\n")
            reports[step.old.version] = step.report
        if arguments.base:
            report = compare_with(project, arguments.base)
            reports[arguments.base] = report
            same = step.report is not None and report.changes == step.report.changes
            say(f"\nSince {arguments.base}\n\n{'The same.' if same else render_text(report)}\n")
        status = run_tests(shlex.split(arguments.tests), project.root)
        say(describe(project, step, reports, status))
    except UnreadableError as error:
        print(error, file=sys.stderr)
        return 2
    return 1 if status else 0


if __name__ == "__main__":
    sys.exit(main())
