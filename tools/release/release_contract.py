"""Record the contract as released: copy openapi.yaml into contracts/, under the name of its version, with a report.

    python -m tools.release.release_contract

The report says what changed since the version before. From then on, whatever changes needs a new version. Refuses with
exit code 1 when `make check-version` would fail, and with 2 when an input cannot be read.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.contract.document import UnreadableError
from tools.project import ROOT
from tools.release.check_version import find_problems
from tools.release.released import Project, find_step
from tools.spec_diff.report import render_markdown


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see the module's docstring."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.release.release_contract", description="Record openapi.yaml as a released contract."
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder of the project")
    project = Project(parser.parse_args(argv).root)
    try:
        step = find_step(project)
        problems = find_problems(project, step)
    except UnreadableError as error:
        print(error, file=sys.stderr)
        return 2
    version = step.new.version
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


if __name__ == "__main__":
    sys.exit(main())
