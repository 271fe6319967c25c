"""Measure this client against what else moves bytes, on this machine; see docs/benchmarks.md.

    python -m benchmarks [--only throughput,calls] [--quick] [--json FILE] [--write-docs]

The first run makes an environment of its own under .bench. What a measure needs and the machine has not is named, and
the other measures are taken.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from benchmarks import environment
from tools.environment.setup import SetupError, say

SECTIONS = ("throughput", "memory", "calls", "parts", "bulk", "link")


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure this client on this machine.")
    parser.add_argument(
        "--only", type=_parse_sections, default=SECTIONS, metavar="A,B", help=f"of {', '.join(SECTIONS)}"
    )
    parser.add_argument(
        "--quick", action="store_true", help="three rounds of smaller files: minutes, and a rough answer"
    )
    parser.add_argument(
        "--rounds", type=int, help="how often each contender takes its turn (default 7; 3 with --quick)"
    )
    parser.add_argument("--proxy", action="store_true", help="let a proxy be the slow link, and no network namespace")
    parser.add_argument(
        "--json", type=Path, default=environment.FOLDER / "results.json", help="default .bench/results.json"
    )
    parser.add_argument("--write-docs", action="store_true", help="write tables and pictures into docs/")
    return parser.parse_args(argv)


def _parse_sections(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if unknown := set(names) - set(SECTIONS):
        raise argparse.ArgumentTypeError(f"no such section: {', '.join(sorted(unknown))}")
    return names


def run(arguments: argparse.Namespace) -> int:
    """Measure what was asked for; return 1 when something could not be measured."""
    # What follows needs packages that are only in the environment of the benchmarks.
    from benchmarks import bulk, calls, link, memory, parts, plots, throughput  # noqa: PLC0415
    from benchmarks.bench import BenchError, Settings  # noqa: PLC0415
    from benchmarks.report import Report, merge, write_into  # noqa: PLC0415

    measures = {
        "throughput": throughput.measure,
        "memory": memory.measure,
        "calls": calls.measure,
        "parts": parts.measure,
        "bulk": bulk.measure,
        "link": link.measure,
    }
    quick = arguments.quick
    settings = Settings(
        rounds=arguments.rounds or (3 if quick else 7),
        size=(256 if quick else 1024) * 1024**2,
        quick=quick,
        seconds=20 if quick else 50,
        proxy=arguments.proxy,
    )
    machine, tables, faults = environment.describe_machine(), [], {}
    for name in arguments.only:
        say(f"{time.strftime('%H:%M:%S')} measuring: {name}")
        try:
            tables += measures[name](settings)
        except (BenchError, environment.MissingError, OSError, subprocess.CalledProcessError) as error:
            faults[name] = str(error)
            say(f"{name}: {error}")
    report = Report(machine, tuple(tables), faults)
    print(report.render())
    _write(arguments.json, report.to_json())
    if arguments.write_docs:
        whole = arguments.only == SECTIONS
        old = json.loads(plots.FIGURES.read_text(encoding="utf-8"))
        figures = report.to_json() if whole else merge(old, report.to_json())
        _write(plots.FIGURES, figures)
        write_into(
            plots.FIGURES.with_suffix(".md"), plots.illustrate(report.render(), plots.draw(figures)), whole=whole
        )
    return 1 if faults else 0


def _write(path: Path, figures: object) -> None:
    path.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see the module's docstring."""
    arguments = parse(argv)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        environment.enter()
        return run(arguments)
    except SetupError as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
