"""What a walk through two contracts finds: facts, each with the operations that it concerns."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import chain

import attrs

from tools.contract.document import Contract, Pointer
from tools.contract.operations import find_references, list_components, list_operations, reach
from tools.spec_diff.report import Change
from tools.spec_diff.wire.keywords import FLAG_WORDS, Direction, FlagWords, Found, Pair, Side
from tools.spec_diff.wire.places import find_changed, format_place, is_component
from tools.spec_diff.wire.reading import Reader, Readers
from tools.spec_diff.wire.schemas import Compared, compare_schemas

# Where one thing is in the old contract and in the new one.
Both = tuple[Pointer, Pointer]
OPPOSITE: Mapping[Direction, Direction] = {"request": "response", "response": "request"}


@attrs.define(eq=False, slots=False)
class Walk:
    old: Contract
    new: Contract
    found: dict[Found, tuple[dict[str, None], set[Direction]]] = attrs.field(factory=dict)
    judged: dict[Side, dict[Pointer, str]] = attrs.field(factory=lambda: {"old": {}, "new": {}})
    """Where the walk has been, and what kind of thing is there."""
    compared: dict[Both, str] = attrs.field(factory=dict)
    """The things that are in both contracts, and what kind each one is, but for those of which all is compared."""
    roots: dict[tuple[str, Direction], list[Pair]] = attrs.field(factory=dict)
    """Where the schemas of each operation begin, by direction."""
    operation: str = ""
    is_received: bool = False
    """Whether the service makes the call, so that we receive its body and send its response."""

    def sides(self, old: Pointer, new: Pointer) -> tuple[tuple[Contract, Pointer], tuple[Contract, Pointer]]:
        return (self.old, old), (self.new, new)

    def turn(self, direction: Direction) -> Direction:
        """Return in which direction something goes that goes in `direction` in an ordinary call."""
        return OPPOSITE[direction] if self.is_received else direction

    def visit(self, kind: str, old: Pointer | None, new: Pointer | None) -> None:
        """Remember that a thing is judged here, in one contract or both."""
        places: Mapping[Side, Pointer | None] = {"old": old, "new": new}
        for side, place in places.items():
            if place is not None:
                self.judged[side][tuple(map(str, place))] = kind
        if old is not None and new is not None and kind not in ("schema", "scheme"):
            self.compared[old, new] = kind

    def say(
        self, rule: str, side: Side, place: Pointer, message: str, direction: Direction | None = None, kind: str = ""
    ) -> None:
        """Note a fact of the present operation, and of what kind the thing is that came or went there."""
        if kind:
            self.visit(kind, place if side == "old" else None, place if side == "new" else None)
        found = Found(rule, side, place, format_place(self.readers[side].contract, place), message)
        self.note(found, self.operation, None if direction is None else self.turn(direction))

    def say_key(self, rule: str, places: Both, key: str, message: str, direction: Direction | None = None) -> None:
        """Note that a key of a thing has another value, at the key where it is written."""
        old, new = places
        if self.old.has((*old, key)) and not self.new.has((*new, key)):
            self.say(rule, "old", (*old, key), message, direction)
        else:
            place = (*new, key) if self.new.has((*new, key)) else new
            self.say(rule, "new", place, message, direction)

    def note(self, found: Found, operation: str, direction: Direction | None = None) -> None:
        """Note a fact, or one more operation or direction of it."""
        operations, directions = self.found.setdefault(found, ({}, set()))
        if operation:
            operations[operation] = None
        if direction is not None:
            directions.add(direction)

    def compare_flag(self, places: Both, key: str, direction: Direction, said: FlagWords | None = None) -> None:
        """Compare whether `key` of a thing is true, and say so in the words for schemas or in others."""
        before, after = (contract.object_at(place).get(key) is True for contract, place in self.sides(*places))
        if before != after:
            rule, message = (said or FLAG_WORDS[key])[before]
            self.say_key(rule, places, key, message, direction)

    def compare_required(self, kind: str, subject: str, places: Both, direction: Direction) -> None:
        said = [(f"{kind}-became-{word}", f"{subject} became {word}") for word in ("required", "optional")]
        self.compare_flag(places, "required", direction, said)

    # Schemas

    def compare_schema(self, direction: Direction, old: Pointer, new: Pointer) -> None:
        """Remember to compare the schemas of two parameters, headers or media types, if they have any."""
        before, after = (
            (*place, "schema") if contract.has((*place, "schema")) else None for contract, place in self.sides(old, new)
        )
        if before is not None and after is not None:
            self.roots.setdefault((self.operation, self.turn(direction)), []).append(Pair((before,), (after,)))
        elif after is not None:
            self.say("keyword-added", "new", after, "a schema was added", direction)
        elif before is not None:
            self.say("keyword-removed", "old", before, "the schema was removed", direction)

    def compare_schemas(self) -> None:
        """Compare all schemas, each pair once, and say of each fact which operations it concerns, in what direction."""
        for direction in OPPOSITE:
            self.compare_direction(direction)

    def compare_direction(self, direction: Direction) -> None:
        roots = {name: [*map(self.locate, own)] for (name, way), own in self.roots.items() if way == direction}
        done: dict[Pair, Compared] = {}
        holders: defaultdict[Pair, list[Pair]] = defaultdict(list)

        def descend(pair: Pair) -> list[Pair]:
            below = self.compare_pair(pair, direction, done)
            for each in below:
                holders[each].append(pair)
            return below

        for pair in reach(chain.from_iterable(roots.values()), descend):
            differences, _ = done.get(pair, ((), ()))
            around = reach([pair], holders.__getitem__) if differences else {}
            for found in differences:
                for name, pairs in roots.items():
                    if not around.keys().isdisjoint(pairs):
                        self.note(found, name, direction)

    def locate(self, pair: Pair) -> Pair:
        """Return where two schemas really are."""
        (before, *more), (after, *others) = pair.old, pair.new
        if more or others:
            return pair
        old, new = self.readers["old"].locate(before), self.readers["new"].locate(after)
        if old == new or not (self.new.has(old) or self.old.has(new)):
            return Pair((old,), (new,))
        # Another component is referred to: each reference that does so is a fact of its own.
        return pair

    def compare_pair(self, pair: Pair, direction: Direction, done: dict[Pair, Compared]) -> list[Pair]:
        """Compare two schemas by themselves and return the pairs that they lead to."""
        if self.is_unchanged(pair):
            self.visit("schema", pair.old[0], pair.new[0])
            return []
        _, below = compare_schemas(self.readers, pair, direction, done)
        # Whatever was merged into the two has been compared.
        for old in (*pair.old, *self.readers["old"].read(pair.old).nodes):
            self.visit("schema", old, None)
        for new in (*pair.new, *self.readers["new"].read(pair.new).nodes):
            self.visit("schema", None, new)
        return [*map(self.locate, below)]

    def is_unchanged(self, pair: Pair) -> bool:
        """Return whether two schemas are written alike, and all that they lead to."""
        (old, *more), (new, *others) = pair.old, pair.new
        if more or others or self.readers["old"].is_30 != self.readers["new"].is_30:
            return False
        before, after = self.old.at(old), self.new.at(new)
        text = json.dumps(before)
        if text != json.dumps(after) or (self.changed and '"discriminator"' in text):
            return False
        leads = find_references(before)
        return all(map(is_component, leads)) and self.changed.isdisjoint({old, new, *leads})

    @cached_property
    def readers(self) -> Readers:
        """What reads the schemas of each contract."""
        return {"old": Reader(self.old), "new": Reader(self.new)}

    @cached_property
    def changed(self) -> frozenset[Pointer]:
        """The components that differ between the contracts, or lead to such, where `$ref` would name them."""
        return find_changed([list_components(contract) for contract in (self.old, self.new)])

    def list_changes(self, names: Iterable[str]) -> list[Change]:
        """Return what was found, not judged yet; `names` are further operations than those of paths, in order."""
        order = [*(each.name for contract in (self.new, self.old) for each in list_operations(contract)), *names]
        return [
            Change(
                operation=", ".join(sorted(operations, key=order.index)),
                location=found.location,
                line=self.readers[found.side].contract.find_line(found.place),
                kind=found.rule,
                level="note",
                message=found.message,
                side=found.side,
                directions=frozenset(directions),
            )
            for found, (operations, directions) in self.found.items()
        ]
