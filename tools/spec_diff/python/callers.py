"""Say what Python callers see of a change: names, arguments, fields and types of the generated client."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import attrs

from tools.contract.document import Contract, Pointer, format_pointer, parse_pointer
from tools.contract.operations import find_references, list_components, list_operations, match_operations, reach
from tools.spec_diff.policy import Policy
from tools.spec_diff.python.differences import Difference, compare_surfaces, normalize
from tools.spec_diff.python.surface import make_excerpts, read_surface
from tools.spec_diff.report import Change, describe_operation
from tools.spec_diff.wire.places import list_parts

NAMELESS = frozenset({"items", "prefixItems", "schema", "enum", "const", "required", "oneOf", "anyOf", "allOf"})
"""Keys of a contract that give nothing to the name of a class or a field."""
VERBS = ("added", "removed", "changed", "narrowed", "widened", "moved")


def find_renamed(old: Contract, new: Contract) -> dict[str, str]:
    """Return the new name, in normal form, of each operation that has another one at the same address."""
    matches = match_operations(list_operations(old), list_operations(new))
    names = {normalize(before.name): normalize(after.name) for before, after in matches.items()}
    return {before: after for before, after in names.items() if before != after}


def add_python(changes: Sequence[Change], old: Contract, new: Contract, policy: Policy) -> list[Change]:
    """Return the changes with what Python callers see of them, and what they see beyond them as changes of its own."""
    # In the same order too: that of a constructor's arguments follows it.
    if json.dumps(old.document) == json.dumps(new.document):
        return list(changes)
    before, after = map(read_surface, make_excerpts(old, new))
    places = {"old": Places(old), "new": Places(new)}
    clues = [make_clue(change, places[change.side]) for change in changes]
    differences = compare_surfaces(before, after, find_renamed(old, new))
    found = [(difference, find_causes(difference, clues, places)) for difference in differences]
    # A renamed field is one removed and one added; report the break once.
    told = {each.text for each, causes in found if any(clue.change.level == "breaking" for clue in causes)}
    own: dict[tuple[str, str, str], Change] = {}
    for difference, near in found:
        causes = near
        # It breaks those who give or read the value, as far as its causes say who does.
        ways = {way for clue in near for way in clue.change.directions} if difference.sort == "field" else set()
        if difference.breaks & (ways or difference.breaks):
            # Words are no cause, and something that breaks callers is not hidden below what does not break.
            causes = [clue for clue in near if clue.change.level != "note" and difference.text in told]
        elif difference.rule not in ("python-added", "python-type-widened"):
            causes = [clue for clue in near if clue.change.kind != "documentation-changed"]
        for clue in causes:
            group = clue.lines.setdefault((difference.sort, difference.text), [])
            if difference.sort in ("argument", "return") and difference.owner not in group:
                group.append(difference.owner)
        if not causes:
            change = make_change(difference, places[difference.side])
            key = (change.kind, change.message, "" if change.kind == "python-type-changed" else change.location)
            known = own.setdefault(key, change)
            users = dict.fromkeys(name for each in (known, change) for name in each.operation.split(", ") if name)
            own[key] = replace(known, operation=", ".join(users))
    said: list[Change] = []
    for clue in clues:
        told_of = ((text, ", ".join(operations)) for (_, text), operations in clue.lines.items())
        python = tuple(f"{describe_operation(names)}: {text}" if names else text for text, names in told_of)
        said.append(replace(clue.change, python=python))
    return said + [replace(policy.judge(change), python=(change.message,)) for change in own.values()]


def make_change(difference: Difference, places: Places) -> Change:
    """Return a difference that comes from no change of the wire as a change of its own."""
    place = places.find(difference)
    operations = list_operations(places.contract)
    users = [each.name for each in operations if place[:3] in (each.pointer, *places.reach(each.pointer))]
    if difference.in_operation:
        users = [difference.owner]
    return Change(
        operation=", ".join(users),
        location=format_pointer((*place, difference.name) if difference.sort == "member" else place),
        line=places.contract.find_line(place),
        kind=difference.rule,
        level="note",
        message=difference.text,
        side=difference.side,
    )


# The causes of a difference


@attrs.define(eq=False, slots=False)
class Places:
    """Finds, in one contract, where the things are that a difference is about."""

    contract: Contract
    _reached: dict[Pointer, frozenset[Pointer]] = attrs.field(factory=dict)

    @cached_property
    def components(self) -> dict[str, Pointer]:
        return {normalize(place[2]): place for place in list_components(self.contract) if place[1] == "schemas"}

    @cached_property
    def operations(self) -> dict[str, Pointer]:
        return {normalize(each.name): each.pointer for each in list_operations(self.contract)}

    @cached_property
    def references(self) -> dict[Pointer, Iterable[Pointer]]:
        """The components that each one refers to by itself."""
        return {place: find_references(value).keys() for place, value in list_components(self.contract).items()}

    def find(self, difference: Difference) -> Pointer:
        key = normalize(difference.owner)
        if difference.in_operation:
            place = self.operations.get(key, ("paths",))
            return (*place, "responses") if difference.sort == "return" and len(place) > 1 else place
        if key not in self.components:
            # A class without a component is named after what holds it.
            holders = {**self.operations, **self.components}
            fitting = [name for name in holders if key.startswith(name)]
            return holders[max(fitting, key=len)] if fitting else ("components",)
        place = self.components[key]
        if difference.sort == "field":
            name = normalize(difference.name)
            own = [each for each in self.contract.get((*place, "properties"), dict) if normalize(each) == name]
            return (*place, "properties", own[0]) if own else place
        names = (*place, "x-enum-varnames")
        is_renamed = difference.sort == "member" and difference.rule == "python-renamed"
        return names if is_renamed and self.contract.has(names) else place

    def reach(self, pointer: Pointer) -> frozenset[Pointer]:
        """Return the components that a place leads to, those that it is in included."""
        if pointer not in self._reached:
            own = [pointer[:3]] if pointer[:1] == ("components",) and len(pointer) > 2 else []
            value = self.contract.at(pointer) if self.contract.has(pointer) else None
            found = reach(find_references(value), lambda place: self.references.get(place, ()))
            self._reached[pointer] = frozenset([*own, *found])
        return self._reached[pointer]

    def list_names(self, pointer: Pointer) -> list[str]:
        """Return the names, as they would make up that of a class and its field, that a place leads through."""
        operation = next((name for name, place in self.operations.items() if place == pointer[:3]), "")
        names: list[str] = []
        for kind, step in list_parts(self.contract, pointer):
            if kind == "operation":
                names.append(operation)
            elif kind == "responses":
                names.append(f"response{step}")
            elif kind != "other" or not (step in NAMELESS or step.isdigit()):
                names.append("body" if step == "requestBody" else step)
        return names


@attrs.frozen(eq=False)
class Clue:
    change: Change
    operations: frozenset[str]
    keys: tuple[str, ...]
    """Every name that leads to it, each with all before it, in normal form."""
    last: frozenset[str]
    """Its own names, in normal form."""
    component: Pointer | None
    reached: frozenset[Pointer]
    lines: dict[tuple[str, str], list[str]] = attrs.field(factory=dict)
    """What callers see of it, with the operations that this is said of."""


def make_clue(change: Change, places: Places) -> Clue:
    pointer = parse_pointer(change.location)
    names = places.list_names(pointer)
    last = {normalize(name) for name in names[-2:]}
    if pointer[:2] == ("components", "parameters"):
        last.add(normalize(places.contract.object_at(pointer[:3]).get("name", "")))
    return Clue(
        change,
        frozenset(map(normalize, change.operation.split(", "))),
        tuple(normalize(*names[: index + 1]) for index in range(len(names))),
        frozenset(last),
        pointer[:3] if pointer[:1] == ("components",) and len(pointer) > 2 else None,
        places.reach(pointer),
    )


def find_causes(difference: Difference, clues: Sequence[Clue], places: Mapping[str, Places]) -> list[Clue]:
    """Return the changes of the wire that a difference comes from, as far as is known; none when it comes from none."""
    for is_cause in list_tests(difference, places):
        if causes := [clue for clue in clues if is_cause(clue)]:
            return causes
    return []


def list_tests(difference: Difference, places: Mapping[str, Places]) -> Iterator[Callable[[Clue], bool]]:
    """Yield what tells the causes of a difference, the surest first."""
    owner, name, side = normalize(difference.owner), normalize(difference.name), places[difference.side]
    if difference.sort == "operation":
        yield lambda clue: owner in clue.operations and clue.change.kind.startswith("operation")
    elif difference.sort == "return":
        yield lambda clue: owner in clue.operations and "/responses/" in clue.change.location
        yield lambda clue: owner in clue.operations and "media-type" in clue.change.kind
    elif difference.sort == "argument":
        yield lambda clue: owner in clue.operations and name in clue.last
        yield lambda clue: owner in clue.operations and name == "body" and "/requestBody" in clue.change.location
    elif difference.rule == "python-order-changed" or (
        difference.rule == "python-renamed" and difference.sort != "field"
    ):
        return
    elif difference.sort == "class":
        yield lambda clue: clue.keys[-1:] == (owner,)
        # What brought it, or took it away, by what that leads to.
        place = side.find(difference)[:3]
        yield (
            lambda clue: (
                place in clue.reached and clue.change.side == difference.side and clue.change.kind.endswith(VERBS)
            )
        )
        yield lambda clue: any(map(owner.startswith, clue.keys[1:] or clue.keys))
    else:
        yield lambda clue: owner + name in clue.keys
        # What lies behind a field: a component without a class, or a part of an allOf.
        place = side.find(difference)
        behind = side.reach(place) - {place[:3]} if place[-2:-1] == ("properties",) else frozenset[Pointer]()
        yield lambda clue: clue.component in behind
        # Its class is made of the component that the change is in.
        whole = attrs.evolve(difference, sort="class")
        made_of = frozenset[Pointer]().union(*(each.reach(each.find(whole)) for each in places.values()))
        yield lambda clue: name in clue.last and clue.component in made_of
