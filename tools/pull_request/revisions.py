"""What changed in the contract since a revision of git."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import attrs

from tools.contract.document import UnreadableError, read_contract
from tools.project import Project
from tools.release.released import compare_contracts, parse_version
from tools.spec_diff.policy import measure_bump
from tools.spec_diff.report import Report


def compare_with(project: Project, ref: str) -> Report:
    """Return what changed in the contract since a git ref."""
    name = project.contract.name
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "base.yaml"
        path.write_bytes(run_git(project, "show", "--end-of-options", f"{ref}:./{name}", what=f"{ref}:{name}"))
        old = read_contract(path, f"{ref}:{name}")
        report = compare_contracts(project, old, read_contract(project.contract, name))
    folder = f"{project.released.name}/"
    listed = run_git(project, "ls-tree", "--name-only", "-z", "--end-of-options", ref, folder, what=f"{ref}:{folder}")
    released = [parse_version(Path(os.fsdecode(each)).stem) for each in listed.split(b"\0") if each]
    # Between two releases the version is raised once, and not by every pull request.
    newest, own = max(filter(None, released), default=None), parse_version(old.version)
    if newest is None or own is None or own <= newest:
        return report
    since = ".".join(map(str, newest))
    return attrs.evolve(report, actual=measure_bump(since, report.new), since=since)


def run_git(project: Project, *arguments: str, what: str) -> bytes:
    """Return what git prints in the folder of the project; an error is about `what`."""
    command = ["git", *arguments]
    result = subprocess.run(command, cwd=project.root, capture_output=True, check=False)
    if result.returncode:
        reason, _, _ = result.stderr.decode("utf-8", "replace").strip().partition("\n")
        raise UnreadableError(what, reason.removeprefix("fatal: ") or "git failed")
    return result.stdout
