"""Put the parts together: two files in, one report out."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from dataclasses import replace

from tools.contract.document import Contract
from tools.spec_diff import redocly
from tools.spec_diff.policy import LEVELS, Allowed, Policy, accept, measure_bump, require_bump
from tools.spec_diff.report import Change, Report
from tools.spec_diff.wire import operations
from tools.spec_diff.wire.keywords import freeze

PARTS = ("wire", "python", "installed")
MAX_RECURSION = 20_000


def compare_wire(old: Contract, new: Contract, policy: Policy) -> list[Change]:
    # 1 and true are two things.
    if old.document == new.document and freeze(old.document) == freeze(new.document):
        return []
    with redocly.run(old, new) as wait:
        return [policy.judge(change) for change in operations.compare(old, new, wait)]


def compare(
    old: Contract, new: Contract, policy: Policy, allowed: Sequence[Allowed] = (), parts: Collection[str] = PARTS
) -> Report:
    missing: list[str] = []
    # Components may refer to one another in long chains.
    sys.setrecursionlimit(max(sys.getrecursionlimit(), MAX_RECURSION))
    changes = [] if set(parts) == {"python"} else compare_wire(old, new, policy)
    if "python" in parts:
        # Imported when it is wanted, since it takes longer than to compare the wire.
        from tools.spec_diff.python import callers, surface  # noqa: PLC0415

        try:
            changes = callers.add_python(changes, old, new, policy)
        except surface.NoClientError as error:
            side = "old" if error.contract is old else "new"
            missing.append(f"python is missing: no client can be generated from the {side} contract: {error}")
    if "installed" not in parts:
        changes = [replace(change, installed_clients=None) for change in changes]
    changes, unused = accept(changes, allowed)
    # The worst first among those of the same operations, which keep the order of the contract.
    order = list(dict.fromkeys(change.operation for change in changes))
    changes.sort(key=lambda each: (order.index(each.operation), LEVELS.index(each.level), each.line, each.message))
    actual = measure_bump(old.version, new.version)
    return Report(
        old=old.version,
        new=new.version,
        changes=tuple(changes),
        required="none" if actual is None else require_bump(changes),
        actual=actual,
        unused=tuple(f"{each.place}: accepts nothing here: {each.kind} at {each.location}" for each in unused),
        missing=tuple(missing),
    )
