"""The contract as it was at a revision of git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import attrs

from tools.contract.document import Contract, UnreadableError, read_contract
from tools.project import Project
from tools.release.released import Version, parse_version
from tools.spec_diff.policy import measure_bump
from tools.spec_diff.report import Report


@attrs.frozen(eq=False)
class Base:
    """What a branch starts from."""

    contract: Contract
    since: str | None
    """The last released version, when the contract was in work there; a bump is measured from it."""


def read_base(project: Project, ref: str, folder: Path) -> Base:
    """Return the contract as it was at a git ref; it is put into `folder` for that."""
    name = project.contract.name
    path = folder / "base.yaml"
    path.write_bytes(run_git(project, "show", "--end-of-options", f"{ref}:./{name}", what=f"{ref}:{name}"))
    contract = read_contract(path, f"{ref}:{name}")
    listed = run_git(
        *(project, "ls-tree", "--name-only", "-z", "--end-of-options", ref, f"{project.released.name}/"),
        what=f"{ref}:{project.released.name}",
    )
    released = [parse_version(Path(os.fsdecode(each)).stem) for each in listed.split(b"\0") if each]
    newest: Version | None = max(filter(None, released), default=None)
    own = parse_version(contract.version)
    in_work = newest is not None and own is not None and newest < own
    return Base(contract, ".".join(map(str, newest)) if newest and in_work else None)


def run_git(project: Project, *arguments: str, what: str) -> bytes:
    """Return what git prints in the folder of the project."""
    try:
        command = ["git", *arguments]
        result = subprocess.run(command, cwd=project.root, capture_output=True, check=False)
    except OSError as error:
        raise UnreadableError(what, f"git: {error.strerror}") from None
    if result.returncode:
        lines = result.stderr.decode("utf-8", "replace").strip().splitlines() or ["git failed"]
        raise UnreadableError(what, lines[0].removeprefix("fatal: "))
    return result.stdout


def measure_from(base: Base, report: Report) -> Report:
    """Return a report whose bump is measured from the last released version.

    Between two releases the version is raised once, and not by every pull request.
    """
    if base.since is None:
        return report
    return attrs.evolve(report, actual=measure_bump(base.since, report.new), since=base.since)
