"""Do all that follows an edit of openapi.yaml: rebuild the client, compare, test, and say what to look at.

    python -m tools.regenerate [--base REF] [--tests COMMAND]

The present contract is compared with the last released one, and with that of a git ref too if one is named. Exits 0
when the client was built and the tests passed, 1 when the tests failed, and 2 when an input cannot be read or the
client cannot be built. What is then still to be done for `make check` is said, and fails nothing here.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import attrs

from tools.client import generate
from tools.client.generate import PACKAGE, GenerationError
from tools.client.handwritten_layer import list_client_changes, list_unspoken
from tools.contract.document import UnreadableError
from tools.project import ROOT
from tools.pull_request.revisions import measure_from, read_base
from tools.release.check_version import find_changelog_problem, find_version_problem
from tools.release.released import Project, Step, compare_contracts, find_step
from tools.spec_diff.report import Report, describe_verdict, render_text

TESTS = "make --no-print-directory test"


@attrs.frozen
class Seen:
    """What came of the steps, for a maintainer to look at."""

    verdicts: tuple[str, ...]
    """What each comparison says in a line."""
    todo: tuple[str, ...]
    """What `make check` would fail for, each with the remedy."""
    look: tuple[str, ...]
    """What a person has to judge."""
    files: tuple[str, ...]
    """What is to be committed."""
    version: str
    released: bool
    """Whether the version is among the released ones."""


def suggest_entries(report: Report) -> list[str]:
    """Return entries of the allow file for the breaking changes that are not accepted."""
    lines: list[str] = []
    for change in report.changes:
        if change.level == "breaking" and change not in report.accepted:
            lines += [f"  - kind: {change.kind}", f'    location: "{change.location}"', "    reason: ..."]
    return lines


def find_todo(project: Project, step: Step) -> list[str]:
    """Return what has to be done before the contract can be committed.

    Raises:
        UnreadableError: When the changelog cannot be read.
    """
    todo: list[str] = []
    problem = find_version_problem(step)
    if problem is not None:
        todo.append(problem)
        if step.report is not None and step.report.uncovered_break and not step.is_broken_promise:
            entries = "\n".join(suggest_entries(step.report))
            todo.append(f"If they are intended, {project.allow.name} accepts them, with a reason for each:\n{entries}")
    problem = find_changelog_problem(project, step.new.version)
    return [*todo, *([] if problem is None else [problem])]


def list_changed_files(project: Project) -> list[str]:
    """Return what git sees changed, added or not; the generated client as a folder. Nothing where there is no git."""
    command = (
        "git",
        "-c",
        "core.quotePath=false",
        "status",
        "--porcelain",
        "-z",
        "--untracked-files=all",
        "--no-renames",
    )
    try:
        result = subprocess.run(command, cwd=project.root, capture_output=True, check=False)
    except OSError:
        return []
    names = [os.fsdecode(entry[3:]) for entry in result.stdout.split(b"\0") if entry] if result.returncode == 0 else []
    return sorted({"generated_client/" if name.startswith("generated_client/") else name for name in names})


def find_client_changes(project: Project, step: Step) -> list[str]:
    """Return what differs between the client of the last released contract and the present one.

    Raises:
        GenerationError: When the client of the old contract cannot be built any more.
    """
    if step.old is None:
        return []
    with tempfile.TemporaryDirectory() as folder:
        old = generate.build(Path(folder), contract=step.old.path)
        return list_client_changes(old, project.root / "generated_client" / PACKAGE)


def look_at(project: Project, step: Step, others: Iterable[tuple[str, Report]]) -> Seen:
    """Return what a maintainer should look at.

    Raises:
        UnreadableError: When the changelog cannot be read.
    """
    verdicts = (
        []
        if step.report is None or step.old is None
        else [f"since {step.old.version}: {describe_verdict(step.report)}"]
    )
    verdicts += [f"since {name}: {describe_verdict(report)}" for name, report in others]
    try:
        look = [f"Generated: {line}." for line in find_client_changes(project, step)]
    except GenerationError as error:
        look = [f"The client of the last released contract cannot be built any more: {error}"]
    package = project.root / "generated_client" / PACKAGE
    try:
        unspoken = list_unspoken(package, project.root / "overrides" / "scenario_uploads" / "client.py")
    except (OSError, SyntaxError) as error:
        unspoken = [f"cannot be told: {error}"]
    look += [f"Not yet spoken by hand (client.py, async_client.py): {line}." for line in unspoken]
    look += [] if step.report is None else [f"{line}." for line in step.report.unused]
    return Seen(
        verdicts=tuple(verdicts),
        todo=tuple(find_todo(project, step)),
        look=tuple(look),
        files=tuple(list_changed_files(project)),
        version=step.new.version,
        released=step.released,
    )


def describe(seen: Seen, tests: int | None) -> str:
    """Return for a terminal what a maintainer should look at."""
    lines = ["", "What to look at", "---------------"]
    lines += seen.verdicts
    lines += ["", *(f"* {line}" for line in seen.look)] if seen.look else []
    todo = list(seen.todo)
    if tests:
        todo.append(f"The tests failed (exit status {tests}), see above.")
    if todo:
        lines += ["", "To do:", *(f"* {line}" for line in todo)]
    else:
        final = f" Once {seen.version} is final, `make release-contract` records it."
        lines += ["", f"The version and the changelog cover the change.{'' if seen.released else final}"]
    lines += ["", "To commit together:", *(f"  {name}" for name in seen.files)] if seen.files else []
    return "\n".join(lines) + "\n"


def run_tests(project: Project, command: str) -> int | None:
    """Run the tests where everybody sees them and return the exit status; None when there is no command."""
    words = shlex.split(command)
    if not words:
        return None
    sys.stdout.flush()
    try:
        return subprocess.run(words, cwd=project.root, check=False).returncode
    except OSError as error:
        print(f"{words[0]}: {error.strerror}", file=sys.stderr)
        return 127


def say(text: str) -> None:
    """Write to stdout at once, arrows included, whatever the terminal's encoding."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())
    sys.stdout.flush()


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see the module's docstring."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.regenerate", description="Rebuild the client, compare, test, and say what to look at."
    )
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
        if step.report is not None and step.old is not None:
            say(f"\nSince the released {step.old.version}\n\n{render_text(step.report)}\n")
        others: list[tuple[str, Report]] = []
        if arguments.base:
            with tempfile.TemporaryDirectory() as folder:
                base = read_base(project, arguments.base, Path(folder))
                report = measure_from(base, compare_contracts(project, base.contract, step.new))
            others.append((arguments.base, report))
            same = step.report is not None and report.changes == step.report.changes
            say(f"\nSince {arguments.base}\n\n{'The same.' if same else render_text(report)}\n")
        status = run_tests(project, arguments.tests)
        say(describe(look_at(project, step, others), status))
    except UnreadableError as error:
        print(error, file=sys.stderr)
        return 2
    return 1 if status else 0


if __name__ == "__main__":
    sys.exit(main())
