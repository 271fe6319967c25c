"""Hold the contract's version and CHANGELOG.md to what changed since the last released contract.

    python -m tools.release check            # say whether they cover it; if not, the changes and the remedy
    python -m tools.release draft [--print]  # draft the entry under `## Contract`, or show it and write nothing
    python -m tools.release record           # copy openapi.yaml into contracts/ as released, with a report
    python -m tools.release review [--base REF] [--tests COMMAND]  # after an edit: test, and say what to look at

From the record on, whatever changes needs a new version. A review compares with a git ref too if one is named; what
`make check` still demands is listed, but is no failure of it. Exits 1 when the contract is not ready for what is asked,
or the tests of a review fail, and 2 when an input cannot be read.
"""

import argparse
import subprocess
import sys
from collections.abc import Mapping
from io import TextIOWrapper
from pathlib import Path

from tools.client.handwritten_layer import find_missing
from tools.contract.document import UnreadableError
from tools.project import ROOT, Project
from tools.release.changelog import draft_entry, find_entry, find_problems, insert_entry, read_changelog
from tools.release.released import Step, compare_with, find_step, find_version_problem
from tools.spec_diff.report import Report, describe_verdict, render_markdown, render_text

AGAIN = "make changelog-entry CHANGELOG_ARGS=--print"
TESTS = "make --no-print-directory test"


def check(project: Project, step: Step) -> int:
    """Say whether the version and the changelog cover what changed, and return the exit code."""
    problems = find_problems(project, step)
    if problems:
        if step.report is not None and find_version_problem(step) is not None:
            print(render_text(step.report))
        print("\n".join(problems), file=sys.stderr)
        return 1
    verdict = "the first version." if step.report is None else describe_verdict(step.report)
    print(f"{project.contract.name} {step.new.version}: {verdict}")
    return 0


def draft(project: Project, step: Step) -> int:
    """Put a draft of the entry into the changelog and return the exit code."""
    text, name = read_changelog(project), project.changelog.name
    problem = find_version_problem(step) if step.is_broken_promise else None
    if line := find_entry(text, step.new.version):
        problem = f"{name}:{line}: there is an entry for {step.new.version} already; `{AGAIN}` shows another draft."
    if problem is not None:
        print(problem, file=sys.stderr)
        return 1
    project.changelog.write_text(insert_entry(text, draft_entry(step), name), encoding="utf-8", newline="\n")
    print(f"{name}: drafted the entry for {step.new.version}. Say in it what the change is good for.")
    return 0


def record(project: Project, step: Step) -> int:
    """Copy the contract among the released ones and return the exit code."""
    version, problems = step.new.version, find_problems(project, step)
    if problems:
        print("\n".join([*problems, f"{version} was not recorded as released."]), file=sys.stderr)
        return 1
    target = project.released / f"{version}.yaml"
    name = target.relative_to(project.root).as_posix()
    if step.released:
        print(f"{version} is released already: {name}")
        return 0
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(project.contract.read_bytes())
    if step.report is not None:
        target.with_suffix(".md").write_text(render_markdown(step.report), encoding="utf-8", newline="\n")
    print(f"{version} is recorded as released: {name}. Commit it with the rest.")
    return 0


def review(project: Project, step: Step, base: str | None, tests: str) -> int:
    """Compare, run the tests, say what to look at, and return the exit code."""
    reports: dict[str, Report] = {}
    if step.report is not None:
        print(f"\nSince the released {step.report.old}\n\n{render_text(step.report)}\n")
        reports[step.report.old] = step.report
    if base:
        reports[base] = compare_with(project, base)
        same = step.report is not None and reports[base].changes == step.report.changes
        print(f"\nSince {base}\n\n{'The same.' if same else render_text(reports[base])}\n")
    sys.stdout.flush()
    status = subprocess.run(["/bin/sh", "-c", tests], cwd=project.root, check=False).returncode
    print(describe(project, step, reports, status), flush=True)
    command = ["git", "status", "--short"]
    subprocess.run(command, cwd=project.root, stderr=subprocess.DEVNULL, check=False)
    return 1 if status else 0


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
    parser = argparse.ArgumentParser(prog="python -m tools.release")
    parser.add_argument("command", choices=("check", "draft", "record", "review"))
    parser.add_argument("--print", action="store_true", help="with draft: show the draft and write nothing")
    parser.add_argument("--base", help="with review: a git ref to compare with besides the last released contract")
    words = f"with review: the command of the tests, or '' for none (default: {TESTS})"
    parser.add_argument("--tests", default=TESTS, help=words)
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder of the project")
    arguments = parser.parse_args(argv)
    project = Project(arguments.root)
    # Reports have arrows, whatever the terminal's encoding.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    try:
        step = find_step(project)
        if arguments.command == "review":
            return review(project, step, arguments.base, arguments.tests)
        if arguments.command == "draft" and arguments.print:
            print(draft_entry(step))
            return 0
        return {"check": check, "draft": draft, "record": record}[arguments.command](project, step)
    except UnreadableError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
