"""Compare what an operation answers: statuses, media types, headers."""

from __future__ import annotations

from tools.contract.document import Contract, Pointer
from tools.contract.operations import find_covering
from tools.spec_diff.wire.bodies import compare_content
from tools.spec_diff.wire.parameters import compare_value
from tools.spec_diff.wire.views import freeze
from tools.spec_diff.wire.walk import Walk

SUCCESSES = ("1", "2", "3")
"""How statuses begin that are no errors."""


def list_responses(contract: Contract, operation: Pointer) -> dict[str, Pointer]:
    """Return where the answers of an operation are, by their statuses."""
    return {
        str(status).upper(): contract.resolve((*operation, "responses", status))
        for status in contract.get((*operation, "responses"), dict)
        if not str(status).startswith("x-")
    }


def compare_responses(walk: Walk, old: Pointer, new: Pointer) -> None:
    """Compare what an operation answers, matched by status, its range or the default."""
    before, after = (list_responses(contract, holder) for contract, holder in walk.sides(old, new))
    for status, place in before.items():
        # Of a range that is narrower now, what comes was allowed before.
        narrower = (after[each] for each in after if status.endswith("XX") and each[:1] == status[:1])
        match = find_covering(after, status) or next(narrower, None)
        if match is not None:
            compare_response(walk, place, match)
            continue
        walk.visit("response", place, None)
        rule = "success-status-removed" if status[0] in SUCCESSES else "error-status-removed"
        # The line of the operation's own entry, since a shared answer is most often still there.
        where = (*old, "responses", spell(walk.old, old, status))
        walk.say(rule, "old", where, f"the status {status} was removed")
    for status, place in after.items():
        if status in before:
            continue
        # Of an operation that promised no success by name, the default is the promise.
        promise = None if any(each.startswith("2") for each in before) else before.get("DEFAULT")
        match = find_covering(before, status) or promise
        if match is not None:
            compare_response(walk, match, place)
            continue
        walk.visit("response", None, place)
        rule = "success-status-added" if status[0] in SUCCESSES else "error-status-added"
        walk.say(rule, "new", (*new, "responses", spell(walk.new, new, status)), f"the status {status} was added")


def spell(contract: Contract, operation: Pointer, status: str) -> str:
    """Return a status as the contract writes it."""
    return next(str(key) for key in contract.at((*operation, "responses")) if str(key).upper() == status)


def list_headers(contract: Contract, response: Pointer) -> dict[str, Pointer]:
    """Return where the headers of an answer are; what it says of Content-Type counts as its media types alone."""
    return {
        name.lower(): contract.resolve((*response, "headers", name))
        for name in contract.get((*response, "headers"), dict)
        if name.lower() != "content-type"
    }


def compare_response(walk: Walk, old: Pointer, new: Pointer) -> None:
    """Compare two versions of one answer."""
    walk.visit("response", old, new)
    compare_content(walk, old, new, "response")
    before, after = (list_headers(contract, place) for contract, place in walk.sides(old, new))
    for name, place in before.items():
        if name in after:
            compare_header(walk, name, place, after[name])
        else:
            message = f"the header {name} was removed"
            walk.say("header-removed", "old", place, message, direction="response", kind="header")
    for name, place in after.items():
        if name not in before:
            required = walk.is_received and walk.new.object_at(place).get("required") is True
            rule = "header-became-required" if required else "header-added"
            walk.say(rule, "new", place, f"the header {name} was added", direction="response", kind="header")
    compare_links(walk, old, new)


def compare_links(walk: Walk, old: Pointer, new: Pointer) -> None:
    """Compare what links give to the operations that they lead to, which Redocly does not look into."""
    before, after = (walk.old.get((*old, "links"), dict), walk.new.get((*new, "links"), dict))
    for name in (name for name in before if name in after):
        places = [contract.resolve((*holder, "links", name)) for contract, holder in walk.sides(old, new)]
        given = [contract.get((*place, "parameters"), dict) for contract, place in walk.sides(*places)]
        if freeze(given[0]) != freeze(given[1]):
            walk.say("other-changed", "new", places[1], f"the parameters of the link {name} were changed")


def compare_header(walk: Walk, name: str, old: Pointer, new: Pointer) -> None:
    """Compare two versions of one header."""
    walk.visit("header", old, new)
    required = walk.new.object_at(new).get("required") is True
    if (walk.old.object_at(old).get("required") is True) != required:
        rule = "header-became-required" if required else "header-became-optional"
        message = f"the header {name} became {'required' if required else 'optional'}"
        walk.say(rule, "new", new, message, direction="response")
    compare_value(walk, f"the header {name}", (old, new), "response", "simple", ("style", "explode"))
