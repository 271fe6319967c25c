"""Hold the contract's version and CHANGELOG.md to what changed since the last released contract.

    python -m tools.release check            # say whether they cover it; if not, the changes and the remedy
    python -m tools.release draft [--print]  # draft the entry under `## Contract`, or show it and write nothing
    python -m tools.release record           # copy openapi.yaml into contracts/ as released, with a report

From the record on, whatever changes needs a new version. Exits 1 when the contract is not ready for what is asked, and
2 when an input cannot be read.
"""

import argparse
import sys
from pathlib import Path

from tools.contract.document import UnreadableError
from tools.project import ROOT, Project
from tools.release.changelog import draft_entry, find_entry, find_problems, insert_entry, read_changelog
from tools.release.released import Step, find_step, find_version_problem
from tools.spec_diff.report import describe_verdict, render_markdown, render_text

AGAIN = "make changelog-entry CHANGELOG_ARGS=--print"


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


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.release")
    parser.add_argument("command", choices=("check", "draft", "record"))
    parser.add_argument("--print", action="store_true", help="with draft: show the draft and write nothing")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder of the project")
    arguments = parser.parse_args(argv)
    project = Project(arguments.root)
    try:
        step = find_step(project)
        if arguments.command == "draft" and arguments.print:
            sys.stdout.buffer.write(f"{draft_entry(step)}\n".encode())
            return 0
        return {"check": check, "draft": draft, "record": record}[arguments.command](project, step)
    except UnreadableError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
