"""Hold the contract against the service itself.

    python -m tools.live_check [--base-url URL] [--out FOLDER] [--yes]

Credentials come from the environment, as for the client. It says what it will send, asks on a terminal, and without one
wants --yes. report.md and report.json in FOLDER say what came and which edits of openapi.yaml would fit it. Exits 0
when nothing differs, 1 when something does, and 2 when something could not be done and nothing differs.
"""

import argparse
import sys
from pathlib import Path

from scenario_uploads import ScenarioError

from tools.contract.document import UnreadableError, read_contract
from tools.live_check.compare import compare
from tools.live_check.report import Report
from tools.live_check.run import PLAN, Run
from tools.project import ROOT, Project


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.live_check")
    parser.add_argument("--base-url", help="where the API is (default: SCENARIO_BASE_URL, or the service)")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "live-check", help="the folder to write into")
    parser.add_argument("--yes", action="store_true", help="send without asking")
    arguments = parser.parse_args(argv)
    try:
        contract = read_contract(Project().contract, Project().contract.name)
        run = Run(arguments.base_url or None)
    except (UnreadableError, ScenarioError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"This holds contract {contract.version} against {run.base_url}\n{PLAN}", flush=True)
    if not arguments.yes and not sys.stdin.isatty():
        print("Nothing was sent: there is no terminal to ask on. YES=1 says that it is wanted.", file=sys.stderr)
        return 2
    if not arguments.yes and input("Go on? [y/N] ").strip().lower() not in ("y", "yes"):
        return 2
    run.perform()
    report = Report(contract, run, compare(contract, run.exchanges))
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, text in (("report.md", report.to_markdown()), ("report.json", report.to_json())):
        (arguments.out / name).write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    print(f"\n{report.verdict} See {arguments.out / 'report.md'}")
    for problem in report.problems:
        print(f"could not be done: {problem}", file=sys.stderr)
    return report.code


if __name__ == "__main__":
    sys.exit(main())
