"""How much of the processors others took meanwhile: what was measured beside them says little."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Self

from attrs import frozen

# Of the processors; what a machine does by itself is below.
QUIET = 0.03
_TICK = os.sysconf("SC_CLK_TCK")


@frozen
class Moment:
    """A point in time, and the processor time until then: of this program with all it has started, and of others."""

    time: float
    others: float

    @classmethod
    def now(cls) -> Self:
        """Return this moment."""
        # user nice system idle iowait irq softirq steal: proc(5). Interrupts are left out, since most are our own
        # packets; what the host takes from a virtual machine is in.
        fields = [int(text) for text in Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:9]]
        busy = fields[0] + fields[1] + fields[2] + fields[7]
        return cls(time.monotonic(), (busy - _count_own_ticks()) / _TICK)

    def share_since(self, earlier: Moment) -> float:
        """Return how much of the processors others took, from 0 to 1."""
        return max(0.0, self.others - earlier.others) / ((self.time - earlier.time) * (os.cpu_count() or 1))


def _count_own_ticks() -> int:
    """Add up the processor time of this process and its descendants, those that have ended included."""
    times: dict[int, tuple[int, int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        # The name, in brackets, may have spaces; the parent follows the state.
        fields = text.rpartition(")")[2].split()
        times[int(path.parent.name)] = (int(fields[1]), sum(map(int, fields[11:15])))
    own = {os.getpid()}
    while more := {pid for pid, (parent, _) in times.items() if parent in own} - own:
        own |= more
    return sum(times[pid][1] for pid in own if pid in times)
