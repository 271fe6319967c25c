"""Put the parts together: two files in, one report out."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from tools.contract.document import Contract, read_contract
from tools.spec_diff import generated, redocly, wire
from tools.spec_diff import policy as policies
from tools.spec_diff.report import Change, Report

# Each adds what it knows to the changes: `add(changes, old, new, policy)`. One that is not there is left out.
EXTENSIONS = (("tools.spec_diff.python_surface", "add_python"), ("tools.spec_diff.installed", "add_installed"))


class Extension(Protocol):
    """Something that says more about changes."""

    def __call__(
        self, changes: Sequence[Change], old: Contract, new: Contract, policy: policies.Policy
    ) -> Iterable[Change]:
        """Return the changes with more said about them, and perhaps more changes."""
        ...


def find_extensions() -> list[Extension]:
    """Return the extensions that are there."""
    return [getattr(importlib.import_module(module), name) for module, name in EXTENSIONS if find_spec(module)]


def compare_wire(old: Contract, new: Contract, policy: policies.Policy) -> list[Change]:
    """Return the changes that the wire shows, judged.

    Raises:
        UnreadableError: When a contract cannot be read, or Redocly gives no report.
    """
    if old.document == new.document:
        return []
    with redocly.run(old, new) as running:
        facts = wire.compare(old, new, running.wait)
    return policies.judge(facts, policy)


def compare(
    old: Contract,
    new: Contract,
    policy: policies.Policy,
    allowed: Sequence[policies.Allowed] = (),
    *,
    allow_name: str = policies.ALLOW.name,
    extensions: Iterable[Extension] | None = None,
) -> Report:
    """Return what changed between two contracts and what it asks for.

    Raises:
        UnreadableError: When a contract cannot be read, or Redocly gives no report.
    """
    if extensions is None and EXTENSIONS:
        # They need it, and it can be had while Redocly is at work.
        generated.prepare(old, new)
    changes: Sequence[Change] = compare_wire(old, new, policy)
    for extend in find_extensions() if extensions is None else extensions:
        changes = list(extend(changes, old, new, policy))
    accepted, unused = policies.accept(changes, allowed)
    return Report(
        old=old.version,
        new=new.version,
        changes=tuple(sort(changes)),
        required=policies.require_bump(changes, accepted),
        actual=policies.measure_bump(old.version, new.version),
        accepted=accepted,
        unused=tuple(
            f"{allow_name}:{entry.line}: accepts nothing here: {entry.kind} at {entry.location}" for entry in unused
        ),
    )


def sort(changes: Iterable[Change]) -> list[Change]:
    """Return changes with the worst first among those of the same operations, which keep the order of the contract."""
    changes = list(changes)
    order = {operation: index for index, operation in enumerate(dict.fromkeys(each.operation for each in changes))}
    return sorted(
        changes, key=lambda each: (order[each.operation], policies.LEVELS.index(each.level), each.line, each.message)
    )


def compare_files(old: Path, new: Path) -> Report:
    """Return what changed between two files by the policy of this project, with nothing accepted."""
    return compare(read_contract(old), read_contract(new), policies.read_policy())
