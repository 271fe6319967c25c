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
from dataclasses import replace
from pathlib import Path

from tools.contract.document import UnreadableError, read_contract
from tools.spec_diff.compare import PARTS, compare
from tools.spec_diff.policy import ALLOW, read_allowed, read_policy
from tools.spec_diff.report import FORMATS, describe_verdict, reveal


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.spec_diff")
    parser.add_argument("old", type=Path, metavar="OLD.yaml")
    parser.add_argument("new", type=Path, metavar="NEW.yaml")
    parser.add_argument("--format", choices=sorted(FORMATS), default="text")
    parser.add_argument("--fail-on", choices=("breaking", "bump", "none"), default="breaking")
    parser.add_argument("--allow", type=Path, help=f"breaks that are accepted (default: {ALLOW.name}, if it is there)")
    words = f"compare some of {', '.join(PARTS)}, joined by commas; the wire needs no generator"
    parser.add_argument("--only", type=read_parts, default=PARTS, metavar="PARTS", help=words)
    arguments = parser.parse_args(argv)
    allow: Path = arguments.allow or ALLOW
    try:
        allowed = read_allowed(allow) if arguments.allow or allow.exists() else []
        old, new = read_contract(arguments.old), read_contract(arguments.new)
        report = compare(old, new, read_policy(), allowed, arguments.only)
    except UnreadableError as error:
        print(reveal(str(error)), file=sys.stderr)
        return 2
    # As a repository knows it, and no folder of the machine.
    path, here = arguments.new.resolve(), Path.cwd()
    file = path.relative_to(here).as_posix() if path.is_relative_to(here) else path.name
    report = replace(report, file=file)
    # Arrows and marks, whatever the terminal's encoding.
    sys.stdout.buffer.write(FORMATS[arguments.format](report).encode())
    sys.stdout.flush()
    is_bad = {"breaking": report.uncovered_break, "bump": not report.covered, "none": False}[arguments.fail_on]
    if is_bad and arguments.format != "text":
        print(reveal(describe_verdict(report)), file=sys.stderr)
    return int(is_bad)


def read_parts(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in PARTS]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is no part; name some of {', '.join(PARTS)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
