"""Fuzz what reads the inputs of strangers, for some minutes.

    python -m tests.fuzz --minutes 10
    python -m tests.fuzz --minutes 1 --target answer --seed 7

A failure is made as small as can be, printed, and belongs into the tests. What failed is kept in `.hypothesis/`, so
that the next run begins with it.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import warnings

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS

ROUND = 2000


def fuzz(name: str, number: int, examples: int) -> None:
    """Run one target with so many examples."""
    target = TARGETS[name]

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.reuse, Phase.generate, Phase.target, Phase.shrink],
        print_blob=True,
    )
    @given(st.data())
    def run(data: st.DataObject) -> None:
        target(data)

    # By its name, hypothesis finds again what failed.
    run.__qualname__ = run.__name__ = f"fuzz_{name}"
    run()


def main() -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz what reads strangers' inputs.")
    parser.add_argument("--minutes", type=float, default=10, help="how long (default 10)")
    parser.add_argument("--target", action="append", choices=TARGETS, help="only these")
    parser.add_argument("--seed", type=int, default=None, help="the same seed draws the same inputs")
    arguments = parser.parse_args()
    first = random.randrange(1 << 30) if arguments.seed is None else arguments.seed
    # A warning of ours is a fault, as in the tests.
    warnings.simplefilter("error")
    targets: list[str] = arguments.target or list(TARGETS)
    counts = dict.fromkeys(targets, 0)
    failed: set[str] = set()
    print(f"seed {first}, targets: {', '.join(targets)}", flush=True)
    end, turn = time.monotonic() + arguments.minutes * 60, 0
    while time.monotonic() < end and len(failed) < len(targets):
        for name in [name for name in targets if name not in failed]:
            try:
                fuzz(name, first + turn, ROUND)
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                failed.add(name)
                print(f"\n{name} failed (seed {first + turn}): {error!r}", flush=True)
                sys.excepthook(type(error), error, error.__traceback__)
            counts[name] += ROUND
            if time.monotonic() >= end:
                break
        turn += 1
    print("; ".join(f"{name}: {count}" for name, count in counts.items()))
    print(f"failed: {', '.join(sorted(failed))}" if failed else "Nothing was found.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
