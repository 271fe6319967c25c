"""A process that sends for one contender, one line of JSON in and one line of JSON out for each task.

    python -m benchmarks.worker NAME

It ends when its standard input does, so it never outlives whoever started it.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from typing import Any

from benchmarks.contenders import CONTENDERS
from benchmarks.probes import PROBES
from benchmarks.task import Task


def cpu_seconds() -> float:
    """Return the processor time of this process and of the children it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def main() -> None:
    """Run the command line; see the module's docstring."""
    name = sys.argv[1]
    # The protocol has the pipe for itself; what anything else prints goes to standard error.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    result: dict[str, Any]
    for line in sys.stdin:
        arguments = json.loads(line)
        before = cpu_seconds()
        try:
            if name in CONTENDERS:
                result = {"seconds": CONTENDERS[name](Task(**arguments))}
            else:
                result = PROBES[name](**arguments)
            result["cpu"] = cpu_seconds() - before
        except Exception as error:  # noqa: BLE001 - told to whoever asked
            result = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(result), file=answers, flush=True)


if __name__ == "__main__":
    main()
