"""What a walk through two contracts finds: facts, each with the operations that it concerns."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from functools import cached_property

import attrs

from tools.contract.document import Contract, Pointer, is_array, is_object
from tools.contract.operations import find_references, list_components, list_operations, reach
from tools.spec_diff.report import Change
from tools.spec_diff.wire.places import format_place, name_place
from tools.spec_diff.wire.reading import Reader
from tools.spec_diff.wire.schemas import Compared, compare_schemas
from tools.spec_diff.wire.views import FLAG_WORDS, Difference, Direction, FlagWords, Pair, Side, freeze

OPPOSITE: Mapping[Direction, Direction] = {"request": "response", "response": "request"}


@attrs.frozen
class Found:
    """A fact as one operation sees it; equal ones of several operations are one fact."""

    rule: str
    side: Side
    place: Pointer
    location: str
    message: str


@attrs.define(eq=False, slots=False)
class Walk:
    old: Contract
    new: Contract
    found: dict[Found, tuple[dict[str, None], set[Direction]]] = attrs.field(factory=dict)
    judged: dict[Side, dict[Pointer, str]] = attrs.field(factory=lambda: {"old": {}, "new": {}})
    """Where the walk has been, and what kind of thing is there."""
    compared: dict[tuple[Pointer, Pointer], str] = attrs.field(factory=dict)
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
        if old is not None:
            self.judged["old"][tuple(map(str, old))] = kind
        if new is not None:
            self.judged["new"][tuple(map(str, new))] = kind
        if old is not None and new is not None and kind not in ("schema", "scheme"):
            self.compared[old, new] = kind

    def say(
        self,
        rule: str,
        side: Side,
        place: Pointer,
        message: str,
        *,
        location: str | None = None,
        direction: Direction | None = None,
        kind: str | None = None,
    ) -> None:
        """Note a fact of the present operation, and of what kind the thing is that came or went there."""
        if kind is not None:
            self.visit(kind, place if side == "old" else None, place if side == "new" else None)
        contract = self.old if side == "old" else self.new
        found = Found(rule, side, place, location or format_place(contract, place), message)
        self.note(found, self.operation, None if direction is None else self.turn(direction))

    def say_key(
        self, rule: str, old: Pointer, new: Pointer, key: str, message: str, direction: Direction | None
    ) -> None:
        """Note that a key of a thing has another value, at the key where it is written."""
        if self.old.has((*old, key)) and not self.new.has((*new, key)):
            self.say(rule, "old", (*old, key), message, direction=direction)
        else:
            place = (*new, key) if self.new.has((*new, key)) else new
            self.say(rule, "new", place, message, direction=direction)

    def note(self, found: Found, operation: str, direction: Direction | None = None) -> None:
        """Note a fact, or one more operation or direction of it."""
        operations, directions = self.found.setdefault(found, ({}, set()))
        if operation:
            operations[operation] = None
        if direction is not None:
            directions.add(direction)

    def compare_flag(self, places: tuple[Pointer, Pointer], key: str, said: FlagWords, direction: Direction) -> None:
        """Compare whether `key` of a thing is true."""
        before, after = (contract.object_at(place).get(key) is True for contract, place in self.sides(*places))
        if before != after:
            rule, message = said[before]
            self.say_key(rule, *places, key, message, direction)

    def compare_deprecation(self, old: Pointer, new: Pointer) -> None:
        self.compare_flag((old, new), "deprecated", FLAG_WORDS["deprecated"], "request")

    def compare_required(self, kind: str, subject: str, places: tuple[Pointer, Pointer], direction: Direction) -> None:
        said = [(f"{kind}-became-{word}", f"{subject} became {word}") for word in ("required", "optional")]
        self.compare_flag(places, "required", said, direction)

    @staticmethod
    def find(contract: Contract, holder: Pointer, key: str) -> Pointer | None:
        """Return where `key` of a thing is, past any `$ref`; none when it has none."""
        value = contract.at(holder)
        return (*holder, key) if is_object(value) and key in value else None

    # Schemas

    def compare_schema(self, direction: Direction, old: Pointer, new: Pointer) -> None:
        """Remember to compare the schemas of two parameters, headers or media types, if they have any."""
        before, after = (self.find(contract, place, "schema") for contract, place in self.sides(old, new))
        if before is not None and after is not None:
            self.roots.setdefault((self.operation, self.turn(direction)), []).append(Pair((before,), (after,)))
        elif after is not None:
            self.say("keyword-added", "new", after, "a schema was added", direction=direction)
        elif before is not None:
            self.say("keyword-removed", "old", before, "the schema was removed", direction=direction)

    def compare_schemas(self) -> None:
        """Compare all schemas, each pair once, and say of each fact which operations it concerns, in what direction."""
        for direction in OPPOSITE:
            roots = {name: [*map(self.locate, own)] for (name, way), own in self.roots.items() if way == direction}
            differences, children = self.compare_pairs([pair for pairs in roots.values() for pair in pairs], direction)
            holders: defaultdict[Pair, list[Pair]] = defaultdict(list)
            for holder, below in children.items():
                for pair in below:
                    holders[pair].append(holder)
            for pair, own in differences.items():
                around = reach([pair], holders.__getitem__)
                for difference in own:
                    found = self.describe(difference, pair)
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

    def compare_pairs(
        self, roots: Iterable[Pair], direction: Direction
    ) -> tuple[dict[Pair, list[Difference]], dict[Pair, list[Pair]]]:
        """Return the differences of each pair of schemas that the roots lead to, and what each leads to."""
        queue = deque(dict.fromkeys(map(self.locate, roots)))
        differences: dict[Pair, list[Difference]] = {}
        children: dict[Pair, list[Pair]] = {}
        done: dict[Pair, Compared] = {}
        while queue:
            pair = queue.popleft()
            if pair in children:
                continue
            if self.is_unchanged(pair):
                self.visit("schema", pair.old[0], pair.new[0])
                children[pair] = []
                continue
            own, below = compare_schemas(self.readers, pair, direction, done)
            if own:
                differences[pair] = own
            # Whatever was merged into the two has been compared.
            for source in (*pair.old, *self.readers["old"].read(pair.old).nodes):
                self.visit("schema", source, None)
            for source in (*pair.new, *self.readers["new"].read(pair.new).nodes):
                self.visit("schema", None, source)
            children[pair] = [self.locate(each) for each in below]
            queue.extend(children[pair])
        return differences, children

    def is_unchanged(self, pair: Pair) -> bool:
        """Return whether two schemas are written alike, and all that they lead to."""
        (old, *more), (new, *others) = pair.old, pair.new
        if more or others or self.readers["old"].is_30 != self.readers["new"].is_30:
            return False
        before, after = self.old.at(old), self.new.at(new)
        text = json.dumps(before)
        if text != json.dumps(after) or (self.changed and '"discriminator"' in text):
            return False
        leads = find_references(before) if '"$ref"' in text or '"$dynamicRef"' in text else ()
        return all(map(is_component, leads)) and self.changed.isdisjoint({old, new, *leads})

    @cached_property
    def readers(self) -> Mapping[Side, Reader]:
        """What reads the schemas of each contract."""
        return {"old": Reader(self.old), "new": Reader(self.new)}

    @cached_property
    def changed(self) -> frozenset[Pointer]:
        """The components that differ between the contracts, or lead to such, where `$ref` would name them."""
        return find_changed(self.old, self.new)

    def describe(self, difference: Difference, pair: Pair) -> Found:
        contract = self.old if difference.side == "old" else self.new
        place = subject = difference.place
        own = pair.old[0] if difference.side == "old" else pair.new[0]
        there = self.readers[difference.side].locate(own)
        if there != own and place[: len(there)] == there:
            # Said of the reference, since the component has not changed.
            place = subject = own
        if difference.member is None:
            location = format_place(contract, place)
        else:
            location = format_place(contract, (*place, difference.member))
            values = contract.at(place)
            for index, value in enumerate(values) if is_array(values) else ():
                if difference.member in (value, freeze(value)):
                    place = (*place, index)
                    break
        message = f"{name_place(contract, subject)}: {difference.message}"
        return Found(difference.rule, difference.side, place, location, message)

    def list_changes(self, names: Iterable[str]) -> list[Change]:
        """Return what was found, not judged yet; `names` are further operations than those of paths, in order."""
        order = [*(each.name for contract in (self.new, self.old) for each in list_operations(contract)), *names]
        return [
            Change(
                operation=", ".join(sorted(operations, key=order.index)),
                location=found.location,
                line=(self.old if found.side == "old" else self.new).find_line(found.place),
                kind=found.rule,
                level="note",
                message=found.message,
                side=found.side,
                directions=frozenset(directions),
            )
            for found, (operations, directions) in self.found.items()
        ]


def is_component(place: Pointer) -> bool:
    return place[:1] == ("components",)


def find_changed(old: Contract, new: Contract) -> frozenset[Pointer]:
    """Return the components that are not the same in both contracts, or lead to such, where `$ref` would name them."""
    sides = [list_components(contract) for contract in (old, new)]
    texts = [{place: json.dumps(value) for place, value in side.items()} for side in sides]
    changed = {place for side in texts for place in side if texts[0].get(place) != texts[1].get(place)}
    holders: dict[Pointer, set[Pointer]] = {}
    for side, own in zip(sides, texts, strict=True):
        for place, value in side.items():
            for target in find_references(value):
                holders.setdefault(target, set()).add(place)
                if not is_component(target):
                    changed.add(place)
            # What has a discriminator may lead to any other.
            if changed and '"discriminator"' in own[place]:
                changed.add(place)
    return frozenset(reach(changed, lambda place: holders.get(place, ())))
