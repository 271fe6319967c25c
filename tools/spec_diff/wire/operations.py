"""Compare two contracts operation by operation: those that we call, and those that the service calls of us."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tools.contract.document import Contract, Pointer, is_object
from tools.contract.operations import METHODS, Operation, find_path_item, list_operations, match_operations
from tools.spec_diff.redocly import Seen
from tools.spec_diff.wire.bodies import compare_bodies
from tools.spec_diff.wire.parameters import compare_parameters
from tools.spec_diff.wire.remainder import explain
from tools.spec_diff.wire.responses import compare_responses
from tools.spec_diff.wire.security import compare_security
from tools.spec_diff.wire.servers import compare_servers
from tools.spec_diff.wire.walk import Fact, Walk


def compare(old: Contract, new: Contract, seen: Callable[[], Iterable[Seen]]) -> list[Fact]:
    """Return how two contracts differ, with what `seen` returns explained."""
    walk = Walk(old, new)
    names = compare_all(walk)
    walk.compare_schemas()
    explain(walk, seen())
    return walk.list_facts(names)


def compare_all(walk: Walk) -> list[str]:
    """Compare everything but schemas; return the names of webhooks and callbacks."""
    walk.visit("root", (), ())
    walk.visit("info", ("info",), ("info",))
    if str(walk.old.document["openapi"])[:3] != str(walk.new.document["openapi"])[:3]:
        walk.say("openapi-changed", "new", ("openapi",), "the contract is written in another version of OpenAPI")
    for before, after in pair_operations(walk, list_operations(walk.old), list_operations(walk.new)):
        compare_operation(walk, before, after)
    calls = [list_calls(contract) for contract in (walk.old, walk.new)]
    walk.is_received = True
    for before, after in pair_operations(walk, *calls):
        walk.operation = after.name
        compare_parts(walk, before, after)
    walk.is_received = False
    return [each.name for side in calls for each in side]


def pair_operations(walk: Walk, old: list[Operation], new: list[Operation]) -> Iterator[tuple[Operation, Operation]]:
    """Yield the operations that are the same in both contracts; say which came, went or moved."""
    matches = match_operations(old, new)
    names = {each.name: each for each in new if each not in set(matches.values())}
    for each in old:
        if each in matches:
            continue
        walk.visit("path", each.pointer[:-1], None)
        moved = names.get(each.name)
        walk.operation = each.name
        if moved is None:
            walk.say("operation-removed", "old", each.pointer, f"{each.method.upper()} {each.path} was removed")
        else:
            matches[each] = moved
            here, there = (f"{one.method.upper()} {one.path}" for one in (each, moved))
            walk.say("operation-moved", "new", moved.pointer, f"{here} became {there}")
    taken = set(matches.values())
    for each in new:
        walk.operation = each.name
        walk.visit("path", None, each.pointer[:-1])
        if each not in taken:
            walk.say("operation-added", "new", each.pointer, f"{each.method.upper()} {each.path} was added")
    yield from matches.items()


def compare_operation(walk: Walk, old: Operation, new: Operation) -> None:
    """Compare two versions of an operation that we call."""
    walk.operation = new.name
    before, after = (contract.at(place).get("operationId") for contract, place in walk.sides(old.pointer, new.pointer))
    if before != after:
        message = f"operationId {before} became {after}"
        walk.say_key("operationId-changed", old.pointer, new.pointer, "operationId", message, "request")
    compare_parts(walk, old, new)
    compare_security(walk, old.pointer, new.pointer)
    compare_servers(walk, old.pointer, new.pointer)


def compare_parts(walk: Walk, old: Operation, new: Operation) -> None:
    """Compare what two versions of an operation take and answer."""
    walk.visit("call" if walk.is_received else "operation", old.pointer, new.pointer)
    walk.visit("path", old.pointer[:-1], new.pointer[:-1])
    walk.compare_deprecation(old.pointer, new.pointer)
    compare_parameters(walk, old, new)
    compare_bodies(walk, old.pointer, new.pointer)
    compare_responses(walk, old.pointer, new.pointer)


def list_calls(contract: Contract) -> list[Operation]:
    """Return the operations that the service calls: webhooks, and the callbacks of its own operations."""
    holders: list[tuple[str, Pointer]] = [
        (f"webhook {name}", ("webhooks", name)) for name in contract.get(("webhooks",), dict)
    ]
    for each in list_operations(contract):
        for name in contract.get((*each.pointer, "callbacks"), dict):
            place = contract.resolve((*each.pointer, "callbacks", name))
            expressions = [key for key in contract.object_at(place) if not key.startswith("x-")]
            holders += [(f"callback {name} {key} of {each.name}", (*place, key)) for key in expressions]
    calls: list[Operation] = []
    for label, holder in holders:
        place = find_path_item(contract, holder)
        for method in METHODS:
            value = contract.object_at(place).get(method)
            if is_object(value):
                calls.append(Operation((*place, method), label, method, f"{method.upper()} {label}"))
    return calls
