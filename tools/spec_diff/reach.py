"""Find out by which way a fact about a schema shows in a request or in an answer, and make values that go that way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

import attrs

from tools.contract.document import Contract, Pointer, is_array, is_object
from tools.contract.operations import Operation, find_covering, list_operations, normalize_path
from tools.spec_diff.samples import EXTRA, MAX_LENGTH, NoSampleError, Sampler
from tools.spec_diff.schemas import Difference, Pair
from tools.spec_diff.views import Direction, is_number
from tools.spec_diff.wire import Walk

Step = tuple[Literal["property", "item", "extra", "choice"], str]
"""How one gets from a value to one below it; a choice between alternatives leads nowhere new."""
Part = tuple[str, ...]
"""`("body",)`, `("parameter", in, name)`, `("answer", status)` or `("header", status, name)`."""
Key = tuple[str, str, str]
"""The rule of a fact, its location and the words of its message."""


class Absent:
    """What is not there."""


ABSENT = Absent()
MAX_WAYS = 5
"""How many ways to one fact are tried in each direction."""
MAX_OPERATIONS = 3
"""How many operations are tried of those that share a fact."""


@attrs.frozen
class Root:
    """Where a schema begins in a request or an answer."""

    operation: str
    part: Part
    pair: Pair
    label: str
    """What it is called: a parameter by its name, the body, the answer."""


@attrs.frozen
class Way:
    """From a part of a request or an answer down to a schema."""

    root: Root
    steps: tuple[tuple[Pair, Step], ...]
    """Each holder, and how one goes on from there."""
    target: Pair

    @property
    def keys(self) -> list[str | int]:
        """The way through a JSON value."""
        return [key for _, step in self.steps for key in follow_step(step)]

    @property
    def name(self) -> str:
        """What the value is called by those who see it."""
        return name_keys(self.keys, self.root.label)


def follow_step(step: Step) -> tuple[str | int, ...]:
    """Return the key of a JSON value that a step stands for, if it stands for one."""
    kind, name = step
    if kind == "choice":
        return ()
    return (0,) if kind == "item" else (name if kind == "property" else EXTRA,)


def name_keys(keys: Iterable[str | int], name: str) -> str:
    """Return a short name of a value: the last property on the way to it, or else that of the whole."""
    for key in keys:
        name = f"{name}[{key}]" if isinstance(key, int) else "any other property" if key == EXTRA else key
    return name


def find_value(value: Any, keys: Iterable[str | int]) -> Any:
    """Return what is in a JSON value at the end of a way, or ABSENT."""
    for key in keys:
        try:
            value = value[key]
        except (LookupError, TypeError):
            return ABSENT
    return value


def find_values(value: Any, steps: Iterable[tuple[Pair, Step]]) -> list[Any]:
    """Return all that is in a JSON value along a way, any item for an item."""
    values = [value]
    for _, (kind, name) in steps:
        if kind == "property":
            values = [each[name] for each in values if is_object(each) and name in each]
        elif kind == "item":
            values = [item for each in values if is_array(each) for item in each]
        elif kind == "extra":
            values = [item for each in values if is_object(each) for item in each.values()]
    return values


def embed(sampler: Sampler, way: Way, value: Any, side: Callable[[Pair], Pointer]) -> Any:
    """Return a whole body in which `value` stands at the end of a way, and around it only what has to be there.

    Raises:
        NoSampleError: When no value is found for something that has to be there.
    """
    for pair, (kind, name) in reversed(way.steps):
        place = side(pair)
        view = sampler.reader.read(place)
        if kind == "choice":
            if is_object(value) and (view.properties or view.required):
                value = {**sampler.make_required(view), **value}
        elif kind == "item":
            least: Any = view.keywords.get("minItems")
            count = int(least) if is_number(least) and least > 1 else 1
            if count > MAX_LENGTH:
                raise NoSampleError("the list would be too long")
            value = [] if value is ABSENT else [value] * count
        else:
            key = name if kind == "property" else EXTRA
            others = {other: own for other, own in sampler.make_required(view, without=key).items() if other != key}
            value = others if value is ABSENT else {**others, key: value}
    return value


@attrs.define(eq=False)
class Graph:
    """Which schemas lead to which, in one direction, and what differs at each."""

    walk: Walk
    direction: Direction
    parents: dict[Pair, list[tuple[Pair, Step]]] = attrs.field(factory=dict)
    roots: dict[Pair, list[Root]] = attrs.field(factory=dict)
    found: dict[Key, list[tuple[Pair, Difference]]] = attrs.field(factory=dict)

    def grow(self, roots: Iterable[Root]) -> None:
        """Follow all that the roots lead to."""
        queue: deque[Pair] = deque()
        seen: set[Pair] = set()
        for root in roots:
            self.roots.setdefault(root.pair, []).append(root)
            queue.append(root.pair)
        while queue:
            pair = queue.popleft()
            if pair in seen:
                continue
            seen.add(pair)
            differences, children = self.walk.comparer.compare(pair, self.direction)
            for difference in differences:
                known = self.walk.describe(difference, pair)
                self.found.setdefault((known.rule, known.location, known.message), []).append((pair, difference))
            if not children:
                continue
            steps = self.label(pair)
            for child in children:
                located = self.walk.locate(child)
                self.parents.setdefault(located, []).append((pair, steps.get(child.old, ("choice", ""))))
                queue.append(located)

    def label(self, pair: Pair) -> dict[Pointer, Step]:
        """Return how one gets from a schema of the old contract to each below it."""
        view = self.walk.comparer.old.read(pair.old)
        steps: dict[Pointer, Step] = {place: ("property", name) for name, place in view.properties.items()}
        if view.items is not None:
            steps[view.items] = ("item", "")
        if isinstance(view.additional, tuple):
            steps[view.additional] = ("extra", "")
        return steps

    def find_ways(self, target: Pair, operations: frozenset[str]) -> list[Way]:
        """Return ways to a schema from some of the operations: by each holder, and from several roots."""
        ways = [Way(root, (), target) for root in pick(self.roots.get(target, ()), operations, set())[:MAX_OPERATIONS]]
        # One that is required tells more than one that is not.
        holders = sorted(self.parents.get(target, ()), key=self.rank)
        for index, (holder, step) in enumerate(holders[: MAX_WAYS * 4]):
            if len(ways) >= MAX_WAYS:
                break
            limit = MAX_OPERATIONS if index == 0 else 1
            ways += self.climb(holder, step, target, operations, limit)
        return ways[:MAX_WAYS]

    def rank(self, holder: tuple[Pair, Step]) -> int:
        """Return whether a holder does without the value, for sorting."""
        pair, (kind, name) = holder
        return int(not (kind == "property" and name in self.walk.comparer.old.read(pair.old).required))

    def climb(self, holder: Pair, step: Step, target: Pair, operations: frozenset[str], limit: int) -> Iterator[Way]:
        """Yield the shortest ways to a schema through one of its holders."""
        queue: deque[tuple[Pair, tuple[tuple[Pair, Step], ...]]] = deque([(holder, ((holder, step),))])
        seen = {holder, target}
        taken: set[str] = set()
        while queue and len(taken) < limit:
            pair, steps = queue.popleft()
            for root in pick(self.roots.get(pair, ()), operations, taken):
                if len(taken) < limit:
                    taken.add(root.operation)
                    yield Way(root, steps, target)
            for above, own in self.parents.get(pair, ()):
                if above not in seen:
                    seen.add(above)
                    queue.append((above, ((above, own), *steps)))


def pick(roots: Iterable[Root], operations: frozenset[str], taken: set[str]) -> list[Root]:
    """Return the first root of each operation that is wanted and not taken yet."""
    chosen: dict[str, Root] = {}
    for root in roots:
        if root.operation in operations and root.operation not in taken:
            chosen.setdefault(root.operation, root)
    return list(chosen.values())


# Operations and their parts


@attrs.frozen
class Match:
    """An operation in both contracts; one that is in one of them alone has nothing on the other side."""

    name: str
    """What changes call it."""
    old: Operation | None
    new: Operation | None


def match_operations(old: Contract, new: Contract) -> dict[str, Match]:
    """Return the operations of both contracts by what changes call them, matched as the comparison matches them."""
    before, after = list_operations(old), list_operations(new)
    places = {(normalize_path(each.path), each.method): each for each in after}
    pairs: dict[Operation, Operation] = {}
    for each in before:
        match = places.get((normalize_path(each.path), each.method))
        if match is not None:
            pairs[each] = match
    rest = {each.name: each for each in after if each not in set(pairs.values())}
    for each in before:
        if each not in pairs and each.name in rest:
            pairs[each] = rest[each.name]
    matches = {each.name: Match(each.name, each, None) for each in before if each not in pairs}
    matches |= {each.name: Match(each.name, None, each) for each in after if each not in set(pairs.values())}
    return matches | {each.name: Match(each.name, one, each) for one, each in pairs.items()}


def find_content(contract: Contract, holder: Pointer) -> dict[str, Pointer]:
    """Return where the media types of a body or an answer are, by their names in small letters."""
    return {name.lower(): (*holder, "content", name) for name in contract.get((*holder, "content"), dict)}


def is_json(media_type: str) -> bool:
    """Return whether a media type is JSON, which is all that the layer reads and writes."""
    name = media_type.partition(";")[0].strip().lower()
    return name in ("application/json", "*/*", "application/*") or name.endswith("+json")


def find_body(contract: Contract, operation: Operation) -> Pointer | None:
    """Return where the body of an operation is, past any `$ref`."""
    if "requestBody" not in contract.object_at(operation.pointer):
        return None
    return contract.resolve((*operation.pointer, "requestBody"))


def find_responses(contract: Contract, operation: Operation) -> dict[str, Pointer]:
    """Return where the answers of an operation are, by status in capital letters."""
    return {
        str(status).upper(): contract.resolve((*operation.pointer, "responses", status))
        for status in contract.get((*operation.pointer, "responses"), dict)
        if not str(status).startswith("x-")
    }


def find_schema(contract: Contract, holder: Pointer) -> Pointer | None:
    """Return where the schema of a media type, a parameter or a header is."""
    return (*holder, "schema") if "schema" in contract.object_at(holder) else None


def list_roots(walk: Walk, match: Match) -> Iterator[tuple[Direction, Root]]:
    """Yield where schemas begin in an operation that both contracts have."""
    if match.old is None or match.new is None:
        return
    for direction, part, one, other in list_holders(walk, match.old, match.new):
        places = find_schema(walk.old, one), find_schema(walk.new, other)
        if places[0] is not None and places[1] is not None:
            label = {"body": "the body", "answer": "the answer"}.get(part[0], part[-1])
            if part[0] == "parameter":
                label = str(walk.new.object_at(other).get("name", label))
            yield direction, Root(match.name, part, walk.locate(Pair(places[0], places[1])), label)


def list_holders(walk: Walk, old: Operation, new: Operation) -> Iterator[tuple[Direction, Part, Pointer, Pointer]]:
    """Yield the things of an operation that have a schema and are in both contracts."""
    before, after = walk.list_parameters(walk.old, old), walk.list_parameters(walk.new, new)
    for key in sorted(before.keys() & after.keys()):
        yield from pair_parameters(walk, ("parameter", *key), before[key], after[key])
    bodies = find_body(walk.old, old), find_body(walk.new, new)
    if bodies[0] is not None and bodies[1] is not None:
        yield from pair_content(walk, "request", ("body",), bodies[0], bodies[1])
    answers = find_responses(walk.old, old), find_responses(walk.new, new)
    pairs: dict[str, tuple[Pointer, Pointer]] = {}
    for status in sorted(answers[0].keys() | answers[1].keys()):
        one, other = (find_covering(side, status) for side in answers)
        if one is not None and other is not None:
            pairs[status] = one, other
    for status, (one, other) in pairs.items():
        yield from pair_content(walk, "response", ("answer", status), one, other)
        names = [
            {
                name.lower(): contract.resolve((*place, "headers", name))
                for name in contract.get((*place, "headers"), dict)
            }
            for contract, place in ((walk.old, one), (walk.new, other))
        ]
        for name in sorted(names[0].keys() & names[1].keys()):
            yield "response", ("header", status, name), names[0][name], names[1][name]


def pair_parameters(
    walk: Walk, part: Part, old: Pointer, new: Pointer
) -> Iterator[tuple[Direction, Part, Pointer, Pointer]]:
    """Yield the things of a parameter that have a schema: itself, or what it contains."""
    if "content" in walk.old.at(old) and "content" in walk.new.at(new):
        yield from pair_content(walk, "request", part, old, new)
    else:
        yield "request", part, old, new


def pair_content(
    walk: Walk, direction: Direction, part: Part, old: Pointer, new: Pointer
) -> Iterator[tuple[Direction, Part, Pointer, Pointer]]:
    """Yield the media types that a body or an answer has in both contracts; JSON comes first."""
    before, after = find_content(walk.old, old), find_content(walk.new, new)
    for name in sorted(before.keys() & after.keys(), key=lambda one: not is_json(one)):
        yield direction, part if is_json(name) else (*part, name), before[name], after[name]


def list_examples(contract: Contract, schema: Pointer) -> Iterator[Any]:
    """Yield the examples that stand beside a schema, in a media type or a parameter."""
    if schema[-1:] != ("schema",):
        return
    holder: Mapping[str, Any] = contract.object_at(schema[:-1])
    if "example" in holder:
        yield holder["example"]
    for name in contract.get((*schema[:-1], "examples"), dict):
        example = contract.at(contract.resolve((*schema[:-1], "examples", name)))
        if is_object(example) and "value" in example:
            yield example["value"]
