"""What Redocly calls breaking is a fact here, the same in other words, or reported as what no rule knows.

This is held over every pair of contracts of these tests. A place that was read is not judged by that: it counts what
was said of it, or why there is nothing to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.spec_diff.rules.kinds import KINDS
from tests.spec_diff.rules.runner import list_kinds, make_documents
from tests.spec_diff.rules.test_rules import list_operations, list_rows
from tests.spec_diff.support import BASE, CONTRACTS, edit, write
from tests.spec_diff.test_contract import CASES
from tests.spec_diff.test_pairs import make_contract
from tools.contract.document import Contract, Pointer, read_contract
from tools.spec_diff import redocly
from tools.spec_diff.wire.operations import compare_all
from tools.spec_diff.wire.remainder import explain
from tools.spec_diff.wire.walk import Walk

EQUIVALENCES: Mapping[str, frozenset[tuple[str, str]]] = {
    "types, null or listed values are written another way": frozenset(
        ("schema", key) for key in ("type", "const", "enum", "oneOf", "anyOf")
    ),
    "what spoke of all that is not listed is compared with it": frozenset(
        {("schema", "prefixItems"), ("schema", "patternProperties")}
    ),
    "it means nothing beside additionalProperties": frozenset({("schema", "unevaluatedProperties")}),
    "members of allOf are put together": frozenset({("schema", "allOf"), ("schema", "whole allOf")}),
    "another bound holds, or it is written another way": frozenset(
        ("schema", key) for key in ("minimum", "minLength", "multipleOf")
    ),
    "the default is said aloud": frozenset({("schema", "additionalProperties"), ("operation", "security")}),
    "in another order, or moved": frozenset({("schema", "required"), ("schema", "properties")}),
    "this direction does not have it": frozenset({("schema", "whole properties")}),
    "it means nothing for the type": frozenset(("parameter", key) for key in ("style", "explode", "allowReserved")),
    "the same media type, or a range of it": frozenset({("media", "whole content")}),
    "what a list refers to is told of where it stands": frozenset({("operation", "parameters")}),
    "the same scheme under another name": frozenset({("scheme", "whole securitySchemes"), ("root", "security")}),
    "a component goes with its user": frozenset({("root", "components")}),
    "a slash at the end": frozenset({("server", "url")}),
    "a range of statuses covers it": frozenset({("response", "whole responses")}),
}


def read_case(index: int, *, back: bool) -> tuple[Any, Any]:
    changed = edit(CASES[index][1])
    return (changed, BASE) if back else (BASE, changed)


TABLES: dict[str, Callable[[bool], Any]] = {
    "cases": lambda back: [make_contract(side) for side in ((1, 0) if back else (0, 1))],
    "kinds": lambda back: make_documents(*list_kinds(KINDS, back=back)),
    "operations": lambda back: make_documents(list_operations(back=back)),
    "rules": lambda back: make_documents(list_rows(back=back)),
}
VERSIONS = sorted(CONTRACTS.glob("*.yaml"))


def walk_through(old: Contract, new: Contract) -> tuple[Walk, list[redocly.Seen]]:
    """Return what is found between two contracts, and what Redocly sees."""
    with redocly.run(old, new) as wait:
        walk = Walk(old, new)
        compare_all(walk)
        walk.compare_schemas()
        seen = wait()
    explain(walk, seen)
    return walk, seen


def find_owner(walk: Walk, side: Any, place: Pointer) -> tuple[Pointer, str, str]:
    """Return the nearest thing around a place that the walk has compared, what it is, and the key in it."""
    for length in range(len(place), -1, -1):
        kind = walk.judged[side].get(place[:length])
        if kind is not None:
            return place[:length], kind, str(place[length]) if length < len(place) else f"whole {place[-2:-1][0]}"
    return (), "", ""


def find_unexplained(walk: Walk, seen: redocly.Seen) -> str | None:
    """Return what is wrong about something that Redocly calls breaking, or None."""
    said: set[Pointer] = set()
    for found in walk.found:
        place = tuple(map(str, found.place))
        said |= {place, find_owner(walk, found.side, place)[0]} - {()}
    reasons = []
    for side, given in (("old", seen.old), ("new", seen.new)):
        if given is None:
            continue
        place = tuple(map(str, given))
        owner, kind, key = find_owner(walk, side, place)
        near = any(each[: len(place)] == place or place[: len(each)] == each for each in said)
        if near or owner in said or any((kind, key) in keys for keys in EQUIVALENCES.values()):
            return None
        reasons.append(f"{side} {'/'.join(place)}: {kind}.{key}")
    return "; ".join(reasons)


def hold(old: Contract, new: Contract) -> int:
    """Hold the invariant over a pair of contracts; return how many things Redocly called breaking."""
    walk, seen = walk_through(old, new)
    breaking = [each for each in seen if each.is_breaking]
    wrong = [reason for each in breaking if (reason := find_unexplained(walk, each))]
    assert wrong == []
    return len(breaking)


@pytest.mark.parametrize("back", [False, pytest.param(True, marks=pytest.mark.rules)], ids=["there", "back"])
@pytest.mark.parametrize("name", TABLES)
def test_nothing_that_redocly_calls_breaking_is_lost(name: str, back: bool, tmp_path: Path) -> None:
    """Over the tables of pairs, each a pair of contracts."""
    assert hold(*map(read_contract, write(tmp_path, *TABLES[name](back)))) > 10


@pytest.mark.rules
@pytest.mark.parametrize("back", [False, True], ids=["there", "back"])
@pytest.mark.parametrize("index", range(len(CASES)), ids=[case[0].replace(" ", "-") for case in CASES])
def test_nothing_is_lost_of_a_whole_contract(index: int, back: bool, tmp_path: Path) -> None:
    """Over the changes of a contract as a whole."""
    hold(*map(read_contract, write(tmp_path, *read_case(index, back=back))))


@pytest.mark.rules
@pytest.mark.parametrize(("old", "new"), list(pairwise(VERSIONS)), ids=lambda path: path.stem)
def test_nothing_is_lost_of_the_history(old: Path, new: Path) -> None:
    """Over the steps of the real contract, there and back."""
    for paths in ((old, new), (new, old)):
        hold(*map(read_contract, paths))


def test_what_was_only_read_is_not_judged(tmp_path: Path) -> None:
    """The walk has to have compared a place for there to be nothing to say of it."""
    old, new = map(read_contract, write(tmp_path, *TABLES["kinds"](False)))
    walk, seen = walk_through(old, new)
    walk.found.clear()
    assert any(find_unexplained(walk, each) for each in seen if each.is_breaking)
