"""Say what Python callers see of a change: names, arguments, fields and types of the generated client."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import attrs

from tools.contract.document import Contract, Pointer, format_pointer
from tools.contract.operations import list_operations, match_operations
from tools.spec_diff.policy import Policy, judge
from tools.spec_diff.python.causes import Clue, Places, find_causes, make_clue
from tools.spec_diff.python.clients import generate_clients, is_large, start_generating
from tools.spec_diff.python.differences import Difference, compare_surfaces, normalize
from tools.spec_diff.python.excerpt import make_excerpts
from tools.spec_diff.python.surface import read_surfaces
from tools.spec_diff.report import Change, describe_operation
from tools.spec_diff.wire.walk import Fact


def find_renamed(old: Contract, new: Contract) -> dict[str, str]:
    """Return the new name, in normal form, of each operation that has another one at the same address."""
    matches = match_operations(list_operations(old), list_operations(new))
    names = {normalize(before.name): normalize(after.name) for before, after in matches.items()}
    return {before: after for before, after in names.items() if before != after}


def prepare(old: Contract, new: Contract) -> None:
    """Begin to generate the clients of two contracts that differ in more than words; what needs them waits less."""
    if any(old.document.get(key) != new.document.get(key) for key in ("paths", "components", "servers", "security")):
        for contract in choose_sources(old, new):
            start_generating(contract)


def choose_sources(old: Contract, new: Contract) -> tuple[Contract, Contract]:
    """Return what to generate the clients from: of large contracts, what differs."""
    return make_excerpts(old, new) if is_large(old) or is_large(new) else (old, new)


def add_python(changes: Sequence[Change], old: Contract, new: Contract, policy: Policy) -> list[Change]:
    """Return the changes with what Python callers see of them, and what they see beyond them as changes of its own."""
    if json.dumps(old.document) == json.dumps(new.document):
        return list(changes)
    surfaces = read_surfaces(*generate_clients(*choose_sources(old, new)))
    differences = compare_surfaces(*surfaces, find_renamed(old, new))
    places = {"old": Places(old), "new": Places(new)}
    clues = [make_clue(change, places[change.side]) for change in changes]
    lines: dict[Change, dict[tuple[str, str], list[str]]] = {change: {} for change in changes}
    facts: list[Fact] = []
    found = [(difference, find_causes(difference, clues, places)) for difference in differences]
    # A renamed field is one removed and one added; report the break once.
    told = {each.text for each, causes in found if any(clue.change.level == "breaking" for clue in causes)}
    for difference, near in found:
        causes = near
        if breaks_callers(difference, near):
            # Words are no cause, and something that breaks callers is not hidden below what does not break.
            causes = [clue for clue in near if clue.change.level != "note" and difference.text in told]
        elif difference.rule not in ("python-added", "python-type-widened"):
            causes = [clue for clue in near if clue.change.kind != "documentation-changed"]
        own = difference.owner if difference.sort in ("argument", "return") else ""
        for clue in causes:
            group = lines[clue.change].setdefault((difference.sort, difference.text), [])
            group += [own] if own and own not in group else []
        if not causes:
            facts.append(make_fact(difference, places))
    said = [
        attrs.evolve(
            change,
            python=tuple(
                f"{describe_operation(', '.join(operations))}: {text}" if operations else text
                for (_, text), operations in lines[change].items()
            ),
        )
        for change in changes
    ]
    return said + [attrs.evolve(change, python=(change.message,)) for change in judge(merge_facts(facts), policy)]


def breaks_callers(difference: Difference, causes: Sequence[Clue]) -> bool:
    """Return whether a difference breaks those who give or read the value, as far as its causes say who does."""
    ways = {way for clue in causes for way in clue.change.directions}
    return bool(difference.breaks & ways if ways and difference.sort == "field" else difference.breaks)


def make_fact(difference: Difference, places: Mapping[str, Places]) -> Fact:
    """Return a difference that comes from no change of the wire as a fact of its own."""
    side: Literal["old", "new"] = "old" if difference.removed else "new"
    place = places[side].find(difference)
    location = format_pointer(place)
    if difference.sort == "member":
        location = format_pointer((*place, difference.name))
    return Fact(
        rule=difference.rule,
        location=location,
        side=side,
        line=places[side].contract.find_line(place),
        message=difference.text,
        operations=(difference.owner,) if difference.in_operation else list_users(places[side], place),
        directions=frozenset(),
    )


def list_users(places: Places, place: Pointer) -> tuple[str, ...]:
    """Return the operations that lead to the component that a place is in."""
    if place[:1] != ("components",):
        return tuple(each.name for each in list_operations(places.contract) if each.pointer == place[:3])
    return tuple(each.name for each in list_operations(places.contract) if place[:3] in places.reach(each.pointer))


def merge_facts(facts: Iterable[Fact]) -> list[Fact]:
    """Return facts with those of several operations that say the same as one."""
    merged: dict[tuple[str, str, str], Fact] = {}
    for fact in facts:
        key = (fact.rule, fact.message, "" if fact.rule == "python-type-changed" else fact.location)
        if key in merged:
            known = merged[key]
            merged[key] = attrs.evolve(known, operations=tuple(dict.fromkeys((*known.operations, *fact.operations))))
        else:
            merged[key] = fact
    return list(merged.values())
