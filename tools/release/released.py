"""What the present contract is compared with, a released one or that of a git ref, and what comes of it."""

import re
import subprocess
import tempfile
from dataclasses import replace
from operator import attrgetter
from pathlib import Path

import attrs

from tools.contract.document import Contract, UnreadableError, read_contract
from tools.project import Project
from tools.spec_diff.compare import compare
from tools.spec_diff.policy import measure_bump, read_allowed, read_policy
from tools.spec_diff.report import Bump, Report

Version = tuple[int, int, int]


@attrs.frozen(eq=False)
class Step:
    """The way from a released contract to the present one."""

    new: Contract
    report: Report | None
    """What changed; None for the first version."""
    released: bool
    """Whether the present version is among the released ones."""

    @property
    def is_broken_promise(self) -> bool:
        """Whether the contract differs from what was released under the same version."""
        return self.released and self.report is not None and self.report.old == self.report.new


def parse_version(text: str) -> Version | None:
    """Return the three numbers of a version; None when it is anything else."""
    match = re.fullmatch(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})", text)
    return None if match is None else (int(match[1]), int(match[2]), int(match[3]))


def raise_version(version: str, bump: Bump) -> str:
    """Return the least version that is a bump of another."""
    numbers = list(map(int, version.split(".")))
    place = ("major", "minor", "patch").index(bump)
    return ".".join(map(str, [*numbers[:place], numbers[place] + 1, 0, 0][:3]))


def list_released(project: Project) -> dict[Version, Path]:
    """Return the released contracts by their versions, the oldest first."""
    found: dict[Version, Path] = {}
    for path in project.released.glob("*.yaml"):
        if (version := parse_version(path.stem)) is None:
            raise UnreadableError(f"{project.released.name}/{path.name}", "not named after a version, as 1.2.3.yaml")
        found[version] = path
    return dict(sorted(found.items()))


def read_released(path: Path) -> Contract:
    contract = read_contract(path, f"{path.parent.name}/{path.name}")
    if contract.version != path.stem:
        raise contract.fail(("info", "version"), f"info.version is {contract.version}, unlike the name of the file")
    return contract


def compare_contracts(project: Project, old: Contract, new: Contract) -> Report:
    """Return what changed between two contracts, judged with what the project accepts."""
    allowed = read_allowed(project.allow) if project.allow.exists() else []
    report = compare(old, new, read_policy(), allowed)
    return replace(report, file=project.contract.name)


def find_step(project: Project) -> Step:
    """Return the way from the last released contract to the present one."""
    new = read_contract(project.contract, project.contract.name)
    if parse_version(new.version) is None:
        raise new.fail(("info", "version"), "info.version should be three numbers and nothing else, as 1.2.3")
    released = list_released(project)
    is_released = parse_version(new.version) in released
    # What is released has to be what was released, and is judged by the one before it: so is a commit that releases.
    for path in reversed(released.values()):
        old = read_released(path)
        report = compare_contracts(project, old, new)
        if old.version != new.version or report.changes:
            return Step(new, report, released=is_released)
    return Step(new, None, released=is_released)


def compare_with(project: Project, ref: str) -> Report:
    """Return what changed in the contract since a git ref."""
    name = project.contract.name
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "base.yaml"
        path.write_bytes(run_git(project, "show", "--end-of-options", f"{ref}:./{name}", what=f"{ref}:{name}"))
        old = read_contract(path, f"{ref}:{name}")
        report = compare_contracts(project, old, read_contract(project.contract, name))
    folder = f"{project.released.name}/"
    listed = run_git(project, "ls-tree", "--name-only", "--end-of-options", ref, folder, what=f"{ref}:{folder}")
    released = [parse_version(Path(each).stem) for each in listed.decode("utf-8", "replace").splitlines()]
    # Between two releases the version is raised once, and not by every pull request.
    newest, own = max(filter(None, released), default=None), parse_version(old.version)
    if newest is None or own is None or own <= newest:
        return report
    since = ".".join(map(str, newest))
    return replace(report, actual=measure_bump(since, report.new), since=since)


def run_git(project: Project, *arguments: str, what: str) -> bytes:
    """Return what git prints in the folder of the project; an error is about `what`."""
    command = ["git", *arguments]
    result = subprocess.run(command, cwd=project.root, capture_output=True, check=False)
    if result.returncode:
        reason, _, _ = result.stderr.decode("utf-8", "replace").strip().partition("\n")
        raise UnreadableError(what, reason.removeprefix("fatal: ") or "git failed")
    return result.stdout


def find_version_problem(step: Step) -> str | None:
    """Return what is wrong with the version of the contract, with the remedy; None when nothing is."""
    if step.report is None:
        return None
    old, new = step.report.old, step.report.new
    line = f"{step.new.name}:{step.new.find_line(('info', 'version'))}"
    if (parse_version(new) or ()) < (parse_version(old) or ()):
        return f"{line}: info.version {new} is older than the released {old}."
    if step.report.covered:
        return None
    least = raise_version(old, step.report.required)
    if step.is_broken_promise:
        return f"{line}: {new} is released and cannot change any more; raise info.version to {least} or above."
    remedy = f"raise it to {least} or above"
    if step.report.uncovered_break:
        remedy += ", or accept each break that is intended in spec-diff-allow.yaml, with the reason:"
        for change in filter(attrgetter("is_uncovered"), step.report.changes):
            remedy += f'\n  - kind: {change.kind}\n    location: "{change.location}"\n    reason: ...'
    return f"{line}: info.version {new} does not cover what changed since {old}: {remedy}"
