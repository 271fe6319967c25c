"""Compare two versions of the contract from the command line.

    python -m tools.spec_diff OLD.yaml NEW.yaml [--format text|markdown|json|github] [--fail-on breaking|bump|none]
        [--only wire,python,installed]

Exits 0 when nothing is breaking or the version covers it, 1 when it does not, and 2 when an input cannot be read, with
the file and the line on stderr. `--fail-on bump` is stricter: it also demands the minor version that something new
asks for, and the patch version that words ask for.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import attrs

from tools.contract.document import UnreadableError, read_contract
from tools.spec_diff.compare import PARTS, Part, compare
from tools.spec_diff.policy import ALLOW, POLICY, read_allowed, read_policy
from tools.spec_diff.report import FORMATS, Report, describe_verdict, reveal


def name_in_repository(path: Path) -> str:
    """Return the path of a file as a repository knows it, and no folder of the machine."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.name


def fails(report: Report, fail_on: str) -> bool:
    """Return whether the command must fail because of the report."""
    if fail_on == "none":
        return False
    return not report.covered if fail_on == "bump" else report.uncovered_break


def read_parts(text: str) -> list[Part]:
    """Return the parts that a command line names."""
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is no part; name some of {', '.join(PARTS)}")
    return [part for part in PARTS if part in names]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.spec_diff", description="Compare two versions of a contract."
    )
    parser.add_argument("old", type=Path, metavar="OLD.yaml")
    parser.add_argument("new", type=Path, metavar="NEW.yaml")
    parser.add_argument("--format", choices=sorted(FORMATS), default="text")
    parser.add_argument("--fail-on", choices=("breaking", "bump", "none"), default="breaking")
    parser.add_argument(
        "--allow", type=Path, help=f"breaks that are accepted (default: {ALLOW.name}, when it is there)"
    )
    parser.add_argument("--policy", type=Path, default=POLICY, help=f"the level of each rule (default: {POLICY.name})")
    parser.add_argument(
        "--only",
        type=read_parts,
        default=PARTS,
        metavar="PARTS",
        help=f"compare some of {', '.join(PARTS)}, joined by commas; the wire needs no generator",
    )
    arguments = parser.parse_args(argv)
    allow: Path = ALLOW if arguments.allow is None else arguments.allow
    try:
        policy = read_policy(arguments.policy)
        allowed = [] if arguments.allow is None and not allow.exists() else read_allowed(allow)
        old, new = read_contract(arguments.old), read_contract(arguments.new)
        report = compare(old, new, policy, allowed, allow_name=allow.name, parts=arguments.only)
    except UnreadableError as error:
        print(reveal(str(error)), file=sys.stderr)
        return 2
    report = attrs.evolve(report, file=name_in_repository(arguments.new))
    # Arrows and marks, whatever the terminal's encoding.
    sys.stdout.buffer.write(FORMATS[arguments.format](report).encode())
    sys.stdout.flush()
    if fails(report, arguments.fail_on):
        if arguments.format != "text":
            print(reveal(describe_verdict(report)), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
