"""Ask which locked packages are known to be vulnerable: pip-audit for Python's, `npm audit` for Node's.

    python -m tools.environment.audit              # what `make check` runs
    python -m tools.environment.audit --strict     # a package that could not be looked up is a failure too

Exits 1 when a locked package has an advisory (of Node's packages, which are tools only, when it is high or critical),
and 2 when an input cannot be read. Where a database cannot be reached, or does not know a package, that is told; it
fails only with `--strict`, since the same commit has to pass `make check` without a network too.

An advisory that does not concern this project is named in pyproject.toml, with the reason:

    [tool.audit.ignore]
    GHSA-xxxx-xxxx-xxxx = "why it does not matter here"
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import field, frozen

from tools.project import ROOT

DEADLINE = 120
"""Seconds that one database may take in all."""

READ_TIMEOUT = "10"
"""Seconds that pip-audit may wait for one answer."""

GRAVE = ("high", "critical")
"""The severities of npm's advisories that fail: those packages check and draw the contract, and none is delivered."""


class UnreadableError(Exception):
    """An input of the audit is not what it should be."""


@frozen
class Advisory:
    """What a database knows against a package."""

    package: str
    names: tuple[str, ...]
    """Its identifiers; the first one is the database's own."""
    remark: str
    fails: bool = True

    def __str__(self) -> str:
        """Return the line that a person reads."""
        return f"{self.package}: {self.names[0]}: {self.remark}"


@frozen
class Findings:
    """What became of one lock file."""

    lock: str
    advisories: tuple[Advisory, ...] = ()
    gap: str | None = None
    """What could not be asked, in words; None when everything was answered."""


@frozen
class Verdict:
    """What a person gets to read, and whether it is a failure."""

    told: list[str] = field(factory=list)
    errors: list[str] = field(factory=list)


def find_last_line(text: str) -> str:
    """Return the last line that a program wrote, with no credentials in the addresses that it names."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return re.sub(r"//[^/\s@]*@", "//", lines[-1])[:300] if lines else "it said nothing"


async def run(command: list[str], root: Path, environment: Mapping[str, str], deadline: float) -> tuple[Any, str]:
    """Return the JSON that a program printed, None when there is none, and the last line of what else it said."""
    try:
        # A group of its own: npm is a program that starts another one, which would outlive it.
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        return None, f"{Path(command[0]).name} cannot be run: {error.strerror}"
    try:
        printed, said = await asyncio.wait_for(process.communicate(), deadline)
    except TimeoutError:
        return None, f"no answer within {deadline:g} s"
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    try:
        return json.loads(printed), find_last_line(said.decode(errors="replace"))
    except ValueError:
        return None, find_last_line(said.decode(errors="replace"))


async def ask_about_python(lock: str, root: Path, deadline: float) -> Findings:
    """Return what the Python advisory database has against the packages of a requirements file."""
    command = [
        *(sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--progress-spinner", "off"),
        *("--timeout", READ_TIMEOUT, "--format", "json", "--requirement", lock),
    ]
    answer, said = await run(command, root, os.environ, deadline)
    if not isinstance(answer, dict):
        return Findings(lock, gap=said)
    packages = answer["dependencies"]
    skipped = [package for package in packages if "skip_reason" in package]
    advisories = [
        Advisory(
            f"{package['name']} {package['version']}",
            (found["id"], *found["aliases"]),
            f"mended in {' or '.join(found['fix_versions'])}" if found["fix_versions"] else "not mended yet",
        )
        for package in packages
        for found in package.get("vulns", ())
    ]
    gap = None
    if skipped:
        gap = f"{len(skipped)} of {len(packages)} packages are unknown to the database, {skipped[0]['name']} for one"
    return Findings(lock, tuple(advisories), gap)


async def ask_about_node(lock: str, root: Path, deadline: float) -> Findings:
    """Return what npm's registry has against the packages of package-lock.json."""
    binaries = ROOT / ".venv" / "bin"
    command = [*(str(binaries / "npm"), "audit", "--package-lock-only", "--audit=true", "--json", "--fetch-retries=0")]
    # npm is a program of Node, which it looks for in PATH.
    environment = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"}
    answer, said = await run(command, root, environment, deadline)
    if not isinstance(answer, dict) or "vulnerabilities" not in answer:
        message = answer.get("message") if isinstance(answer, dict) else None
        return Findings(lock, gap=find_last_line(message) if isinstance(message, str) else said)
    advisories = [
        Advisory(
            found["name"],
            (str(found["url"]).rpartition("/")[2],),
            f"{found['severity']}, in {found['range']}: {found['title']}",
            found["severity"] in GRAVE,
        )
        for package in answer["vulnerabilities"].values()
        for found in package["via"]
        # A text stands for a package that has only the advisories of what it needs, which are named there.
        if isinstance(found, dict)
    ]
    return Findings(lock, tuple(advisories))


def read_ignored(root: Path) -> dict[str, str]:
    """Return the identifiers of pyproject.toml that are not to be counted, each with the reason.

    Raises:
        UnreadableError: When one has no reason.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    ignored: dict[str, Any] = project.get("tool", {}).get("audit", {}).get("ignore", {})
    for name, reason in ignored.items():
        if not isinstance(reason, str) or not reason.strip():
            raise UnreadableError(f"pyproject.toml: [tool.audit.ignore] {name}: say why, in words; got {reason!r}")
    return ignored


def judge(all_findings: list[Findings], ignored: Mapping[str, str], *, strict: bool) -> Verdict:
    """Return what is to be told of the findings, and which of it is a failure."""
    verdict = Verdict()
    for findings in all_findings:
        gap, lines = findings.gap, [(f"{findings.lock}: {advisory}", advisory) for advisory in findings.advisories]
        for line, advisory in lines:
            reasons = [ignored[name] for name in advisory.names if name in ignored]
            if reasons:
                verdict.told.append(f"ignored: {line} ({reasons[0]})")
            elif advisory.fails:
                verdict.errors.append(f"error: {line}")
            else:
                verdict.told.append(f"warning: {line}")
        if gap is not None and strict:
            verdict.errors.append(f"error: {findings.lock}: not audited: {gap}")
        elif gap is not None:
            verdict.told.append(f"warning: {findings.lock}: not audited, so nothing is known of it: {gap}")
        elif not lines:
            verdict.told.append(f"{findings.lock}: no advisory is known")
    known = {name for findings in all_findings for advisory in findings.advisories for name in advisory.names}
    if all(findings.gap is None for findings in all_findings):
        verdict.errors.extend(
            f"error: pyproject.toml: [tool.audit.ignore] {name}: no locked package has this advisory; remove it"
            for name in ignored.keys() - known
        )
    return verdict


async def ask(root: Path, locks: list[str], deadline: float) -> list[Findings]:
    """Return what is known against the packages of the lock files of a project, asked all at once."""
    return await asyncio.gather(
        *(ask_about_python(lock, root, deadline) for lock in locks), ask_about_node("package-lock.json", root, deadline)
    )


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see the module's docstring."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.environment.audit", description="Ask which locked packages are known to be vulnerable."
    )
    parser.add_argument("--strict", action="store_true", help="fail also when something could not be asked")
    parser.add_argument("--deadline", type=float, default=DEADLINE, help="seconds that one database may take in all")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder of the project")
    arguments = parser.parse_args(argv)
    try:
        ignored = read_ignored(arguments.root)
    except (UnreadableError, OSError, tomllib.TOMLDecodeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    locks = sorted(path.name for path in arguments.root.glob("requirements-*.txt"))
    found = asyncio.run(ask(arguments.root, locks, arguments.deadline))
    verdict = judge(found, ignored, strict=arguments.strict)
    for line in verdict.told:
        print(line)
    for line in verdict.errors:
        print(line, file=sys.stderr)
    return 1 if verdict.errors else 0


if __name__ == "__main__":
    sys.exit(main())
