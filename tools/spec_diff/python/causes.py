"""Find the changes of the wire that a difference for Python callers comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import attrs

from tools.contract.document import Contract, Pointer, is_object, parse_pointer
from tools.contract.operations import METHODS, find_references, list_components, list_operations, reach
from tools.spec_diff.python.differences import Difference, normalize
from tools.spec_diff.report import Change

STRUCTURE = frozenset(
    {"properties", "patternProperties", "items", "prefixItems", "schema", "content", "enum", "const", "required"}
    | {"oneOf", "anyOf", "allOf", "parameters"}
)
"""Keys of a contract that give nothing to the name of a class or a field."""


@attrs.define(eq=False)
class Places:
    """Finds, in one contract, where the things are that a difference is about."""

    contract: Contract
    components: dict[str, str] = attrs.field(init=False)
    """The components with schemas, by their names in normal form."""
    operations: dict[str, Pointer] = attrs.field(init=False)
    """Where each operation is, by its name in normal form."""
    references: dict[Pointer, Iterable[Pointer]] = attrs.field(init=False)
    """The components that each one refers to by itself."""
    _reached: dict[Pointer, frozenset[Pointer]] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        """List the components and operations."""
        components = list_components(self.contract)
        self.components = {normalize(name): str(name) for _, kind, name in components if kind == "schemas"}
        self.references = {place: find_references(value).keys() for place, value in components.items()}
        self.operations = {normalize(each.name): each.pointer for each in list_operations(self.contract)}

    def get(self, pointer: Pointer) -> Any:
        """Return the value at a pointer; none when there is none."""
        return self.contract.at(pointer) if self.contract.has(pointer) else None

    def find(self, difference: Difference) -> Pointer:
        """Return the location of a difference, as precisely as known."""
        place: Pointer
        if difference.in_operation:
            place = self.operations.get(normalize(difference.owner), ("paths",))
            return (*place, "responses") if difference.sort == "return" and len(place) > 1 else place
        key = normalize(difference.owner)
        component = self.components.get(key)
        if component is None:
            # A class without a component is named after what holds it.
            holders: list[tuple[str, Pointer]] = [
                *((name, ("components", "schemas", own)) for name, own in self.components.items()),
                *self.operations.items(),
            ]
            fitting = [(name, holder) for name, holder in holders if key.startswith(name)]
            return max(fitting, key=lambda each: len(each[0]))[1] if fitting else ("components",)
        place = ("components", "schemas", component)
        if difference.sort == "field":
            properties = self.get((*place, "properties"))
            for name in properties if is_object(properties) else ():
                if normalize(name) == normalize(difference.name):
                    return (*place, "properties", name)
        if difference.sort == "member" and difference.rule == "python-renamed":
            names = (*place, "x-enum-varnames")
            return names if self.get(names) is not None else place
        return place

    def reach(self, pointer: Pointer) -> frozenset[Pointer]:
        """Return the components that a place leads to, those that it is in included."""
        if pointer not in self._reached:
            own = [pointer[:3]] if pointer[:1] == ("components",) and len(pointer) > 2 else []
            starts = [*own, *find_references(self.get(pointer))]
            lead = {**self.references, **dict.fromkeys(own, ())}
            self._reached[pointer] = frozenset(reach(starts, lambda place: lead.get(place, ())))
        return self._reached[pointer]

    def name_steps(self, location: str) -> list[str]:
        """Return the names, as they would make up that of a class and its field, that a location leads through."""
        steps = [str(step) for step in parse_pointer(location)]
        names: list[str]
        if steps[:1] == ["components"]:
            names, rest = steps[2:3], steps[3:]
        elif steps[:1] == ["paths"] and len(steps) > 2:
            operation = self.get(tuple(steps[:3])) if steps[2] in METHODS else None
            names = [str(operation.get("operationId", ""))] if is_object(operation) else []
            rest = steps[3:] if names else steps[2:]
        else:
            names, rest = [], steps
        result = list(names)
        rest = list(rest)
        while rest:
            step = rest.pop(0)
            if step in ("properties", "patternProperties") and rest:
                result.append(rest.pop(0))
            elif step == "requestBody":
                result.append("body")
            elif step == "responses" and rest:
                result.append(f"response{rest.pop(0)}")
            elif step == "content" and rest:
                rest.pop(0)
            elif step == "parameters" and rest:
                result.append(rest.pop(0).partition(".")[2])
            elif step not in STRUCTURE and not step.isdigit():
                result.append(step)
        return result


@attrs.frozen(eq=False)
class Clue:
    """What a change of the wire says of where it is."""

    change: Change
    operations: frozenset[str]
    keys: tuple[str, ...]
    """Every name that leads to it, each with all before it, in normal form."""
    last: frozenset[str]
    """Its own names, in normal form."""
    component: Pointer | None
    reached: frozenset[Pointer]


def make_clue(change: Change, places: Places) -> Clue:
    """Return what a change says of where it is."""
    names = places.name_steps(change.location)
    pointer = parse_pointer(change.location)
    keys = tuple(normalize(*names[: index + 1]) for index in range(len(names)))
    last = {normalize(name) for name in names[-2:]}
    if pointer[:2] == ("components", "parameters"):
        value = places.get(pointer[:3])
        last.add(normalize(value.get("name", "")) if is_object(value) else "")
    component = pointer[:3] if pointer[:1] == ("components",) and len(pointer) > 2 else None
    return Clue(
        change,
        frozenset(normalize(name) for name in change.operation.split(", ")),
        keys,
        frozenset(last),
        component,
        places.reach(pointer),
    )


def find_causes(difference: Difference, clues: Sequence[Clue], places: Mapping[str, Places]) -> list[Clue]:
    """Return the changes of the wire that a difference comes from; none when it comes from none."""
    if difference.in_operation:
        return find_causes_in_operation(difference, clues)
    if difference.rule == "python-renamed" and difference.sort in ("class", "member"):
        return []
    if difference.sort == "class":
        if difference.rule == "python-order-changed":
            return []
        owner = normalize(difference.owner)
        exact = [clue for clue in clues if clue.keys and clue.keys[-1] == owner]
        return exact or find_by_reach(difference, clues, places)
    key = normalize(difference.owner, difference.name)
    exact = [clue for clue in clues if key in clue.keys]
    return exact or find_behind(difference, clues, places)


def find_causes_in_operation(difference: Difference, clues: Sequence[Clue]) -> list[Clue]:
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
    side = places["old" if difference.removed else "new"]
    place = side.find(difference)
    if place[-2:-1] == ("properties",):
        reached = side.reach(place) - {place[:3]}
        through = [clue for clue in clues if clue.component in reached]
        if through:
            return through
    name = normalize(difference.name)
    return [clue for clue in clues if name in clue.last and is_inherited(difference, clue, places)]


def find_by_reach(difference: Difference, clues: Sequence[Clue], places: Mapping[str, Places]) -> list[Clue]:
    """Return the changes that brought a class, or took it away, by what they lead to."""
    side: Literal["old", "new"] = "old" if difference.removed else "new"
    place = places[side].find(difference)
    verbs = ("added", "removed", "changed", "narrowed", "widened", "moved")
    fitting = [
        clue
        for clue in clues
        if clue.change.side == side and place[:3] in clue.reached and clue.change.kind.endswith(verbs)
    ]
    by_name = [
        clue
        for clue in clues
        if clue.keys and any(normalize(difference.owner).startswith(key) for key in clue.keys[1:] or clue.keys)
    ]
    return fitting or by_name


def is_inherited(difference: Difference, clue: Clue, places: Mapping[str, Places]) -> bool:
    """Return whether the class of a difference is made of the component that a change is in."""
    return clue.component is not None and any(
        clue.component in side.reach(side.find(attrs.evolve(difference, sort="class"))) for side in places.values()
    )
