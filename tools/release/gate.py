"""Whether the contract's version and the changelog cover what changed since the last released contract."""

from __future__ import annotations

from tools.project import Project
from tools.release.changelog import find_entry, read_changelog
from tools.release.released import Step, parse_version, raise_version


def find_version_problem(step: Step) -> str | None:
    """Return what is wrong with the version of the contract, with the remedy; None when nothing is."""
    if step.old is None or step.report is None:
        return None
    old, new = step.old.version, step.new.version
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
        remedy += ", or accept each break that is intended in spec-diff-allow.yaml, with the reason"
    return f"{line}: info.version {new} does not cover what changed since {old}: {remedy}."


def find_changelog_problem(project: Project, version: str) -> str | None:
    """Return what is wrong with the changelog, with the remedy; None when it has an entry for a version."""
    if find_entry(read_changelog(project), version) is not None:
        return None
    return (
        f"{project.changelog.name}: no entry `### [{version}]` under `## Contract`; `make changelog-entry` drafts it."
    )


def find_problems(project: Project, step: Step) -> list[str]:
    """Return what keeps a contract from being released, each with the remedy."""
    found = [find_version_problem(step), find_changelog_problem(project, step.new.version)]
    return [problem for problem in found if problem is not None]
