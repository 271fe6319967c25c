"""Find the changes of the wire that a difference for Python callers comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import attrs

from tools.contract.document import Contract, Pointer, is_object, parse_pointer
from tools.contract.operations import find_references, list_components, list_operations, reach
from tools.spec_diff.python.differences import Difference, normalize
from tools.spec_diff.report import Change
from tools.spec_diff.wire.places import list_parts

NAMELESS = frozenset({"items", "prefixItems", "schema", "enum", "const", "required", "oneOf", "anyOf", "allOf"})
"""Keys of a contract that give nothing to the name of a class or a field."""
VERBS = ("added", "removed", "changed", "narrowed", "widened", "moved")


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
            starts = [*own, *find_references(value)]
            lead = {**self.references, **dict.fromkeys(own, ())}
            self._reached[pointer] = frozenset(reach(starts, lambda place: lead.get(place, ())))
        return self._reached[pointer]

    def list_names(self, pointer: Pointer) -> list[str]:
        """Return the names, as they would make up that of a class and its field, that a place leads through."""
        operation = (
            self.contract.at(pointer[:3]) if pointer[:1] == ("paths",) and self.contract.has(pointer[:3]) else {}
        )
        names: list[str] = []
        for kind, step in list_parts(self.contract, pointer):
            if kind == "operation":
                names.append(str(operation.get("operationId", "")) if is_object(operation) else "")
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
    """Return the changes of the wire that a difference comes from; none when it comes from none."""
    if difference.in_operation:
        return find_in_operation(difference, clues)
    if difference.rule == "python-order-changed" or (
        difference.rule == "python-renamed" and difference.sort != "field"
    ):
        return []
    if difference.sort == "class":
        owner = normalize(difference.owner)
        exact = [clue for clue in clues if clue.keys and clue.keys[-1] == owner]
        return exact or find_by_reach(difference, clues, places)
    key = normalize(difference.owner, difference.name)
    return [clue for clue in clues if key in clue.keys] or find_behind(difference, clues, places)


def find_in_operation(difference: Difference, clues: Sequence[Clue]) -> list[Clue]:
    """Return the changes that an operation, what it takes, or what it returns differs by."""
    own = [clue for clue in clues if normalize(difference.owner) in clue.operations]
    if difference.sort == "operation":
        return [clue for clue in own if clue.change.kind.startswith(("operation-", "operationId-"))]
    if difference.sort == "return":
        answers = [clue for clue in own if "/responses/" in clue.change.location]
        return answers or [clue for clue in own if "media-type" in clue.change.kind]
    name = normalize(difference.name)
    named = [clue for clue in own if name in clue.last]
    return named or [clue for clue in own if name == "body" and "/requestBody" in clue.change.location]


def find_behind(difference: Difference, clues: Sequence[Clue], places: Mapping[str, Places]) -> list[Clue]:
    """Return the changes of what lies behind a field: a component without a class, or a part of an allOf."""
    side = places[difference.side]
    place = side.find(difference)
    if place[-2:-1] == ("properties",):
        through = [clue for clue in clues if clue.component in side.reach(place) - {place[:3]}]
        if through:
            return through
    name = normalize(difference.name)
    # Its class is made of the component that the change is in.
    owner = attrs.evolve(difference, sort="class")
    made_of = frozenset[Pointer | None]().union(*(each.reach(each.find(owner)) for each in places.values()))
    return [clue for clue in clues if name in clue.last and clue.component in made_of]


def find_by_reach(difference: Difference, clues: Sequence[Clue], places: Mapping[str, Places]) -> list[Clue]:
    """Return the changes that brought a class, or took it away, by what they lead to."""
    place = places[difference.side].find(difference)[:3]
    own = [clue for clue in clues if clue.change.side == difference.side and clue.change.kind.endswith(VERBS)]
    name = normalize(difference.owner)
    return [clue for clue in own if place in clue.reached] or [
        clue for clue in clues if any(map(name.startswith, clue.keys[1:] or clue.keys))
    ]
