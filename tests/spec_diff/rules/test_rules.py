"""Tables of pairs of contracts: the rules of others, and what is easily misjudged; `make test-rules` tries it all."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from tests.spec_diff.cases import OPERATION_CASES, SCHEMA_CASES
from tests.spec_diff.rules.kinds import KINDS, OPERATIONS
from tests.spec_diff.rules.runner import Pair, compare_all, compare_kinds, judge, place_schema
from tests.spec_diff.rules.table import FAMILIES, PARTS, PLACES, Family
from tests.spec_diff.support import RULES
from tools.spec_diff.report import Change

ROWS = [(place, family) for family in FAMILIES for place in PLACES]


def sample(index: int) -> Any:
    """Return the marks of a row: of each family one place is tried with all other tests, another one for each."""
    is_sampled = index % len(PLACES) == (index // len(PLACES)) % len(PLACES)
    return () if is_sampled else pytest.mark.rules


def list_rows(*, back: bool) -> list[Pair]:
    """Return the pairs of the table."""
    pairs: list[Pair] = [
        (f"{place} {family.there}", place_schema(place, family.old), place_schema(place, family.new))
        for place, family in ROWS
    ]
    pairs += [(part.there, part.old, part.new) for part in PARTS]
    return [(name, new, old) if back else (name, old, new) for name, old, new in pairs]


@cache
def compare_rows(*, back: bool) -> dict[str, list[Change]]:
    """Return the changes of each row of the table."""
    return compare_all(list_rows(back=back))


def list_rules(changes: list[Change]) -> str:
    return " ".join(sorted({change.kind for change in changes}))


@pytest.mark.parametrize(
    ("place", "family"),
    [pytest.param(*row, id=f"{row[0]}-{row[1].there}", marks=sample(index)) for index, row in enumerate(ROWS)],
)
def test_schema_at_a_place(place: str, family: Family) -> None:
    """What becomes of a schema is one fact by the rule that it has here, with its level in requests or in answers."""
    letters = family.verdicts[:2] if place.startswith("request") else family.verdicts[2:]
    for back, (letter, rule) in enumerate(zip(letters, family.rules, strict=True)):
        changes = compare_rows(back=bool(back))[f"{place} {family.there}"]
        assert (judge(changes), list_rules(changes)) == (letter, "" if letter == "-" else rule)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.there)
def test_part_of_a_contract(part: Any) -> None:
    """What becomes of a part of a contract is a fact by the rule that it has here."""
    for back in (False, True):
        changes = compare_rows(back=back)[part.there]
        assert (judge(changes), list_rules(changes)) == (part.verdicts[back], part.rules[back])


@cache
def compare_all_kinds(*, back: bool) -> dict[tuple[str, str], list[Change]]:
    """Return the changes of each kind."""
    return compare_kinds(KINDS, back=back)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name.replace(" ", "-"))
def test_schema_that_is_easily_misjudged(kind: Any) -> None:
    """Never silent, and never alarmed for nothing."""
    ways = [(way, back) for way in ("sent", "received") for back in (False, True)]
    assert "".join(judge(compare_all_kinds(back=back)[kind.name, way]) for way, back in ways) == kind.verdicts


def list_operations(*, back: bool) -> list[Pair]:
    """Return the pairs of operations."""
    return [(each.name, each.new, each.old) if back else (each.name, each.old, each.new) for each in OPERATIONS]


@cache
def compare_operations(*, back: bool) -> dict[str, list[Change]]:
    """Return the changes of each operation."""
    return compare_all(list_operations(back=back))


@pytest.mark.parametrize("change", OPERATIONS, ids=lambda change: change.name.replace(" ", "-"))
def test_operation_that_is_easily_misjudged(change: Any) -> None:
    """Never silent, and never alarmed for nothing."""
    assert "".join(judge(compare_operations(back=back)[change.name]) for back in (False, True)) == change.verdicts


# Rules come in pairs

OPPOSITES = (
    ("-added", "-removed"),
    ("-narrowed", "-widened"),
    ("-became-required", "-became-optional"),
    ("-became-exclusive", "-became-inclusive"),
    ("deprecated", "undeprecated"),
    ("-tightened", "-loosened"),
)
SINGLE = {
    # What was required and went is what went, and what was added where others are ruled out is one way only.
    "required-parameter-added": "parameter-removed",
    "required-body-added": "body-removed",
    "property-added-to-closed": "property-removed",
    "security-added": "security-tightened",
    "security-scheme-extended": "security-scheme-changed",
    "other-added": "other-changed",
    "path-parameter-renamed": "path-parameter-renamed",
    "operation-moved": "operation-moved",
    "parameter-moved": "parameter-moved",
}


def find_twin(rule: str) -> str:
    """Return the rule that says the opposite; a change is its own opposite."""
    if rule in SINGLE:
        return SINGLE[rule]
    for one, other in OPPOSITES:
        if rule.endswith(other):
            return rule.removesuffix(other) + one
        if rule.endswith(one):
            return rule.removesuffix(one) + other
    return rule


@pytest.mark.parametrize("rule", sorted(RULES["schemas"] | RULES["contract"]))
def test_rule_has_its_twin(rule: str) -> None:
    """What can be added can be removed, and what narrows can widen."""
    assert find_twin(rule) in RULES["schemas"] | RULES["contract"]
    assert rule.endswith("-changed") or find_twin(rule) != rule or SINGLE.get(rule) == rule


def test_every_rule_of_schemas_is_tried() -> None:
    """Each rule is what some pair shows, in both directions of the wire."""
    tried = {rule for family in FAMILIES for rules in family.rules for rule in rules.split()}
    tried |= {kind for case in SCHEMA_CASES for kind, _, _ in (*case.there, *case.back)}
    tried |= {
        change.kind for back in (False, True) for changes in compare_all_kinds(back=back).values() for change in changes
    }
    assert RULES["schemas"] <= tried
    tried = {rule for part in PARTS for rules in part.rules for rule in rules.split()}
    tried |= {kind for case in OPERATION_CASES for kind, _, _ in (*case.there, *case.back)}
    tried |= {
        change.kind
        for back in (False, True)
        for changes in compare_operations(back=back).values()
        for change in changes
    }
    # Those are of a contract as a whole, and have tests of their own.
    whole = {"operation-moved", "path-parameter-renamed", "security-scheme-changed", "security-scheme-extended"}
    assert RULES["contract"] - tried <= whole | {"openapi-changed", "unused-component-changed"}
