"""Compare two contracts operation by operation: those that we call, and those that the service calls of us."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from tools.contract.document import Contract, Pointer, is_object
from tools.contract.operations import METHODS, Operation, find_path_item, list_operations, match_operations
from tools.spec_diff.redocly import Seen
from tools.spec_diff.report import Change
from tools.spec_diff.wire.keywords import Side, freeze
from tools.spec_diff.wire.remainder import explain
from tools.spec_diff.wire.security import compare_security
from tools.spec_diff.wire.values import compare_bodies, compare_content, compare_parameters, compare_value
from tools.spec_diff.wire.walk import Walk


def compare(old: Contract, new: Contract, seen: Callable[[], Iterable[Seen]]) -> list[Change]:
    walk = Walk(old, new)
    names = compare_all(walk)
    walk.compare_schemas()
    explain(walk, seen())
    return walk.list_changes(names)


def compare_all(walk: Walk) -> list[str]:
    walk.visit("root", (), ())
    walk.visit("info", ("info",), ("info",))
    if "components" in walk.old.document and "components" in walk.new.document:
        # What is in them is judged where it is used.
        walk.compared[("components",), ("components",)] = "components"
    if str(walk.old.document["openapi"])[:3] != str(walk.new.document["openapi"])[:3]:
        walk.say("openapi-changed", "new", ("openapi",), "the contract is written in another version of OpenAPI")
    for before, after in pair_operations(walk, list_operations(walk.old), list_operations(walk.new)):
        walk.operation = after.name
        ids = [contract.at(place).get("operationId") for contract, place in walk.sides(before.pointer, after.pointer)]
        if ids[0] != ids[1]:
            message = f"operationId {ids[0]} became {ids[1]}"
            walk.say_key("operationId-changed", (before.pointer, after.pointer), "operationId", message, "request")
        compare_parts(walk, before, after)
        compare_security(walk, before.pointer, after.pointer)
        compare_servers(walk, before.pointer, after.pointer)
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
        moved = names.get(each.name)
        walk.operation, here = each.name, f"{each.method.upper()} {each.path}"
        if each in matches:
            continue
        walk.visit("path", each.pointer[:-1], None)
        if moved is None:
            walk.say("operation-removed", "old", each.pointer, f"{here} was removed")
        else:
            matches[each] = moved
            walk.say("operation-moved", "new", moved.pointer, f"{here} became {moved.method.upper()} {moved.path}")
    taken = set(matches.values())
    for each in new:
        walk.operation = each.name
        walk.visit("path", None, each.pointer[:-1])
        if each not in taken:
            walk.say("operation-added", "new", each.pointer, f"{each.method.upper()} {each.path} was added")
    yield from matches.items()


def compare_parts(walk: Walk, old: Operation, new: Operation) -> None:
    walk.visit("call" if walk.is_received else "operation", old.pointer, new.pointer)
    walk.visit("called path" if walk.is_received else "path", old.pointer[:-1], new.pointer[:-1])
    walk.compare_flag((old.pointer, new.pointer), "deprecated", "request")
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
    items = [(label, find_path_item(contract, holder)) for label, holder in holders]
    return [
        Operation((*place, method), label, method, f"{method.upper()} {label}")
        for label, place in items
        for method in METHODS
        if is_object(contract.object_at(place).get(method))
    ]


# Responses


def list_responses(contract: Contract, operation: Pointer) -> dict[str, Pointer]:
    statuses = contract.get((*operation, "responses"), dict)
    return {str(each).upper(): (*operation, "responses", each) for each in statuses if not str(each).startswith("x-")}


def compare_responses(walk: Walk, old: Pointer, new: Pointer) -> None:
    """Compare what an operation answers, matched by status, its range or the default."""
    before, after = list_responses(walk.old, old), list_responses(walk.new, new)
    # Of an operation that promised no success by name, the default is the promise.
    promise = None if any(each.startswith("2") for each in before) else before.get("DEFAULT")
    for status, place in before.items():
        # Of a range that is narrower now, what comes was allowed before.
        narrower = (after[each] for each in after if status.endswith("XX") and each[:1] == status[:1])
        compare_status(walk, status, place, find_covering(after, status) or next(narrower, None))
    for status, place in after.items():
        if status not in before:
            compare_status(walk, status, find_covering(before, status) or promise, place)


def find_covering(responses: Mapping[str, Pointer], status: str) -> Pointer | None:
    """Return the answer that stands for a status: its own, its range's, or the default."""
    for key in (status, f"{status[:1]}XX", "DEFAULT"):
        if key in responses and not (key == "DEFAULT" and status.startswith("2")):
            return responses[key]
    return None


def compare_status(walk: Walk, status: str, old: Pointer | None, new: Pointer | None) -> None:
    before = None if old is None else walk.old.resolve(old)
    after = None if new is None else walk.new.resolve(new)
    walk.visit("response", before, after)
    kind = "success" if status[0] in "123" else "error"
    # The line of the operation's own entry, since a shared answer is most often still there.
    if before is None and new is not None:
        walk.say(f"{kind}-status-added", "new", new, f"the status {status} was added")
    elif after is None and old is not None:
        walk.say(f"{kind}-status-removed", "old", old, f"the status {status} was removed")
    elif before is not None and after is not None:
        compare_content(walk, before, after, "response")
        compare_headers(walk, before, after)
        compare_links(walk, before, after)


def list_headers(contract: Contract, response: Pointer) -> dict[str, Pointer]:
    """Return where the headers of an answer are; what it says of Content-Type counts as its media types alone."""
    names = contract.get((*response, "headers"), dict)
    places = {name.lower(): contract.resolve((*response, "headers", name)) for name in names}
    places.pop("content-type", None)
    return places


def compare_headers(walk: Walk, old: Pointer, new: Pointer) -> None:
    before, after = list_headers(walk.old, old), list_headers(walk.new, new)
    for name in before.keys() & after.keys():
        subject, places = f"the header {name}", (before[name], after[name])
        walk.visit("header", *places)
        walk.compare_required("header", subject, places, "response")
        compare_value(walk, subject, places, "response", "simple", ("style", "explode"))
    for name in before.keys() - after.keys():
        walk.say("header-removed", "old", before[name], f"the header {name} was removed", "response", "header")
    for name in after.keys() - before.keys():
        required = walk.is_received and walk.new.object_at(after[name]).get("required") is True
        rule, message = "header-became-required" if required else "header-added", f"the header {name} was added"
        walk.say(rule, "new", after[name], message, "response", "header")


def compare_links(walk: Walk, old: Pointer, new: Pointer) -> None:
    """Compare what links give to the operations that they lead to, which Redocly does not look into."""
    before, after = (contract.get((*place, "links"), dict) for contract, place in walk.sides(old, new))
    for name in before.keys() & after.keys():
        places = [contract.resolve((*holder, "links", name)) for contract, holder in walk.sides(old, new)]
        given = [contract.object_at(place).get("parameters") for contract, place in walk.sides(places[0], places[1])]
        if freeze(given[0]) != freeze(given[1]):
            walk.say("other-changed", "new", places[1], f"the parameters of the link {name} were changed")


# Servers


def list_servers(contract: Contract, operation: Pointer) -> dict[str, Pointer]:
    for holder in (operation, operation[:-1], ()):
        if servers := contract.get((*holder, "servers"), list):
            urls = [str(server.get("url") if is_object(server) else server) for server in servers]
            return {url.rstrip("/") or "/": (*holder, "servers", index) for index, url in enumerate(urls)}
    return {"/": ()}


def compare_servers(walk: Walk, old: Pointer, new: Pointer) -> None:
    before, after = list_servers(walk.old, old), list_servers(walk.new, new)
    for place in before.values():
        walk.visit("server", place or None, None)
    for place in after.values():
        walk.visit("server", None, place or None)
    for url in before.keys() & after.keys():
        places = before[url], after[url]
        if all(places):
            walk.visit("server", *places)
            # What Redocly does not see; it looks into them where both have some.
            if len({"variables" in contract.object_at(place) for contract, place in walk.sides(*places)}) > 1:
                walk.say_key("other-changed", places, "variables", f"the variables of the server {url} were changed")
    for url in before.keys() - after.keys():
        side: Side = "old" if before[url] else "new"
        walk.say("server-removed", side, before[url] or new, f"the server {url} was removed")
    for url in after.keys() - before.keys():
        walk.say("server-added", "new", after[url] or new, f"the server {url} was added")
