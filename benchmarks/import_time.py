"""How long it takes to import this package, against `import httpx`, which it cannot do without.

    python -m benchmarks.import_time [--runs 30]

The package loads its names when they are first used, so the client is measured as well: that is what a program pays.
Each import runs in a process of its own, in turns, so that what else the machine does hits all alike. The medians are
compared; the aim is a ratio of at most 2.4: a third of what comes on top is attrs and the generated models. It is a
measure and no test: a busy machine proves nothing. What must not be loaded is tested in `tests/test_init.py`.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from pathlib import Path

BASELINE = "import httpx"
MEASURED = ("import scenario_uploads", "from scenario_uploads import Scenario")
AIM = 2.4
# Where click is installed, httpx imports it and rich for its own command line. Users of a plain install have neither,
# and with them the baseline would be twice as slow.
CODE = """
import sys, time
sys.modules["click"] = None
start = time.perf_counter()
{statement}
print(time.perf_counter() - start)
"""


def time_import(statement: str) -> float:
    """Return how many seconds an import takes in a fresh interpreter."""
    # -I leaves out the current folder and the user's settings; what is measured is what is installed.
    command = (sys.executable, "-I", "-c", CODE.format(statement=statement))
    return float(subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(sys.prefix)).stdout)


def measure(runs: int) -> dict[str, float]:
    """Return the median time of each import in seconds, over `runs` runs."""
    times: dict[str, list[float]] = {BASELINE: [], **{statement: [] for statement in MEASURED}}
    for statement in times:
        time_import(statement)  # writes the byte code, which an installed package has
    for _ in range(runs):
        for statement, taken in times.items():
            taken.append(time_import(statement))
    return {statement: statistics.median(taken) for statement, taken in times.items()}


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.import_time", description="Measure the import time.")
    parser.add_argument("--runs", type=int, default=30, help="how often each import is timed (default 30)")
    medians = measure(parser.parse_args(argv).runs)
    for statement, seconds in medians.items():
        print(f"{statement:<38} {seconds * 1000:7.1f} ms   ratio {seconds / medians[BASELINE]:.3f}")
    print(f"aim: a ratio of at most {AIM}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
