"""Walk two contracts operation by operation and say, fact by fact, how what goes over the wire differs.

What Redocly saw is held against what the walk judged: a place that nothing here has an opinion of is still reported,
by a rule that errs on the safe side. Nothing that differs is left out, and a place that the walk found to be the same
in other words (a new order, a move behind a `$ref`) is left out on purpose.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import attrs

from tools.contract.document import Contract, Pointer, format_pointer, is_array, is_object
from tools.contract.operations import METHODS, Operation, find_covering, list_operations, normalize_path
from tools.spec_diff.places import find_unused, format_place, is_words, name_place
from tools.spec_diff.redocly import Seen
from tools.spec_diff.schemas import Comparer, Difference, Pair
from tools.spec_diff.views import JUDGED_KEYWORDS, Direction, Reader, Side, freeze

# OpenAPI leaves these to other parts of the contract.
IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
DEFAULT_STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}
JUDGED_KEYS: Mapping[str, frozenset[str]] = {
    "operation": frozenset(
        {"operationId", "parameters", "requestBody", "responses", "security", "deprecated", "servers"}
    ),
    "path": frozenset({"parameters", "servers", "$ref", "key", *METHODS}),
    "parameter": frozenset(
        {
            *("name", "in", "required", "schema", "content", "style", "explode", "allowReserved", "allowEmptyValue"),
            *("deprecated", "$ref"),
        }
    ),
    "body": frozenset({"required", "content", "$ref"}),
    "response": frozenset({"content", "headers", "$ref"}),
    "media": frozenset({"schema", "encoding"}),
    "scheme": frozenset({"type", "scheme", "name", "in", "flows", "openIdConnectUrl", "$ref"}),
    "server": frozenset({"url"}),
    "root": frozenset({"paths", "security", "servers", "openapi"}),
    "info": frozenset({"version"}),
    "schema": JUDGED_KEYWORDS,
}


@attrs.frozen
class Fact:
    """One thing that differs, with every operation that it concerns."""

    rule: str
    location: str
    side: Side
    """In which contract `line` is."""
    line: int
    message: str
    operations: tuple[str, ...]
    directions: frozenset[Direction]


@attrs.frozen
class _Found:
    """A fact as one operation sees it; equal ones of several operations are one fact."""

    rule: str
    side: Side
    place: Pointer
    location: str
    message: str


@attrs.define(eq=False)
class Walk:
    """A walk through two contracts."""

    old: Contract
    new: Contract
    comparer: Comparer = attrs.field(init=False)
    found: dict[_Found, tuple[dict[str, None], set[Direction]]] = attrs.field(factory=dict)
    judged: dict[Side, dict[Pointer, str]] = attrs.field(factory=lambda: {"old": {}, "new": {}})
    """Where the walk has been, and what kind of thing is there."""
    names: dict[tuple[str, Direction], list[Pair]] = attrs.field(factory=dict)
    """Where the schemas of each operation begin, by direction."""
    operation: str = ""

    def __attrs_post_init__(self) -> None:
        """Make what compares schemas."""
        self.comparer = Comparer(Reader(self.old), Reader(self.new))

    def visit(self, kind: str, old: Pointer | None, new: Pointer | None) -> None:
        """Remember that a thing is judged here, in one contract or both."""
        if old is not None:
            self.judged["old"][tuple(map(str, old))] = kind
        if new is not None:
            self.judged["new"][tuple(map(str, new))] = kind

    def say(self, rule: str, side: Side, place: Pointer, message: str, *, location: str | None = None) -> None:
        """Note a fact of the present operation."""
        contract = self.old if side == "old" else self.new
        found = _Found(rule, side, place, location or format_place(contract, place), message)
        self.note(found, self.operation)

    def note(self, found: _Found, operation: str, direction: Direction | None = None) -> None:
        """Note a fact, or one more operation or direction of it."""
        operations, directions = self.found.setdefault(found, ({}, set()))
        if operation:
            operations[operation] = None
        if direction is not None:
            directions.add(direction)

    def add_schema(self, direction: Direction, old: Pointer | None, new: Pointer | None) -> None:
        """Note where a schema of the present operation begins; none stands for one that accepts anything."""
        if old is not None and new is not None:
            self.names.setdefault((self.operation, direction), []).append(Pair(old, new))
        elif new is not None:
            self.note(
                _Found("keyword-added", "new", new, format_place(self.new, new), "a schema was added"),
                self.operation,
                direction,
            )
        elif old is not None:
            found = _Found("keyword-removed", "old", old, format_place(self.old, old), "the schema was removed")
            self.note(found, self.operation, direction)

    # The contract as a whole, then one operation, then its parts.

    def run(self) -> None:
        """Compare everything."""
        self.visit("root", (), ())
        self.visit("info", ("info",), ("info",))
        if str(self.old.document["openapi"])[:3] != str(self.new.document["openapi"])[:3]:
            self.say("openapi-changed", "new", ("openapi",), "the contract is written in another version of OpenAPI")
        old, new = list_operations(self.old), list_operations(self.new)
        places = {(normalize_path(each.path), each.method): each for each in new}
        matches: dict[Operation, Operation] = {}
        for each in old:
            match = places.get((normalize_path(each.path), each.method))
            if match is not None:
                matches[each] = match
        names = {each.name: each for each in new if each not in set(matches.values())}
        for each in old:
            if each in matches:
                continue
            self.visit("path", each.pointer[:-1], None)
            moved = names.get(each.name)
            self.operation = each.name
            if moved is None:
                message = f"{each.method.upper()} {each.path} was removed"
                self.say("operation-removed", "old", each.pointer, message)
            else:
                matches[each] = moved
                here, there = (f"{one.method.upper()} {one.path}" for one in (each, moved))
                self.say("operation-moved", "new", moved.pointer, f"{here} became {there}")
        taken = set(matches.values())
        for each in new:
            self.operation = each.name
            self.visit("path", None, each.pointer[:-1])
            if each not in taken:
                message = f"{each.method.upper()} {each.path} was added"
                self.say("operation-added", "new", each.pointer, message)
        for before, after in matches.items():
            self.compare_operation(before, after)
        self.compare_schemas()

    def compare_operation(self, old: Operation, new: Operation) -> None:
        """Compare two versions of one operation."""
        self.operation = new.name
        self.visit("operation", old.pointer, new.pointer)
        self.visit("path", old.pointer[:-1], new.pointer[:-1])
        before, after = self.old.at(old.pointer), self.new.at(new.pointer)
        if before.get("operationId") != after.get("operationId"):
            place, side = ((*new.pointer, "operationId"), "new") if "operationId" in after else (old.pointer, "old")
            message = f"operationId {before.get('operationId')} became {after.get('operationId')}"
            self.say("operationId-changed", "new" if side == "new" else "old", place, message)
        self.compare_deprecation(old.pointer, new.pointer)
        self.compare_parameters(old, new)
        self.compare_bodies(old.pointer, new.pointer)
        self.compare_responses(old.pointer, new.pointer)
        self.compare_security(old.pointer, new.pointer)
        self.compare_servers(old.pointer, new.pointer)

    def compare_deprecation(self, old: Pointer, new: Pointer) -> None:
        """Compare whether something is deprecated."""
        before, after = (
            bool(contract.object_at(place).get("deprecated")) for contract, place in ((self.old, old), (self.new, new))
        )
        if before != after:
            rule, message = ("deprecated", "deprecated") if after else ("undeprecated", "no longer deprecated")
            side: Side = "new" if "deprecated" in self.new.at(new) else "old"
            self.say(rule, side, (*(new if side == "new" else old), "deprecated"), message)

    # Parameters

    def list_parameters(self, contract: Contract, operation: Operation) -> dict[tuple[str, str], Pointer]:
        """Return where the parameters of an operation are, those of its path included."""
        result: dict[tuple[str, str], Pointer] = {}
        in_path = {name: index for index, name in enumerate(re.findall(r"\{([^{}]*)\}", operation.path))}
        for holder in (operation.pointer[:-1], operation.pointer):
            for index in range(len(contract.get((*holder, "parameters"), list))):
                place = contract.resolve((*holder, "parameters", index))
                value = contract.at(place)
                if not is_object(value) or not isinstance(value.get("name"), str) or "in" not in value:
                    raise contract.fail(place, "a parameter should have a name and an in")
                name, where = value["name"], str(value["in"])
                if where == "header":
                    name = name.lower()
                elif where == "path" and name in in_path:
                    # The wire knows it by its position alone.
                    name = str(in_path[name])
                if not (where == "header" and name in IGNORED_HEADERS):
                    result[where, name] = place
        return result

    def compare_parameters(self, old: Operation, new: Operation) -> None:
        """Compare the parameters of an operation, matched by where they are and what they are called."""
        before, after = self.list_parameters(self.old, old), self.list_parameters(self.new, new)
        gone = {key: place for key, place in before.items() if key not in after}
        come = {key: place for key, place in after.items() if key not in before}
        for (where, name), place in list(gone.items()):
            match = next((key for key in come if key[1] == name.lower() or key[1] == name), None)
            if match is not None:
                message = f"the {where} parameter {name} moved to {match[0]}"
                self.say("parameter-moved", "new", come[match], message)
                self.compare_parameter(place, come.pop(match))
                del gone[where, name]
        for (where, _), place in gone.items():
            name = self.old.at(place)["name"]
            self.visit("parameter", place, None)
            self.say("parameter-removed", "old", place, f"the {where} parameter {name} was removed")
        for (where, _), place in come.items():
            value = self.new.at(place)
            self.visit("parameter", None, place)
            required = value.get("required") is True
            rule = "required-parameter-added" if required else "parameter-added"
            message = f"the {'required' if required else 'optional'} {where} parameter {value['name']} was added"
            self.say(rule, "new", place, message)
        for key, place in before.items():
            if key in after:
                self.compare_parameter(place, after[key])

    def compare_parameter(self, old: Pointer, new: Pointer) -> None:
        """Compare two versions of one parameter."""
        self.visit("parameter", old, new)
        before, after = self.old.at(old), self.new.at(new)
        name = after["name"]
        if before["in"] == after["in"] == "path" and before["name"] != name:
            self.say("path-parameter-renamed", "new", (*new, "name"), f"{before['name']} became {name}")
        if (before.get("required") is True) != (after.get("required") is True):
            required = after.get("required") is True
            rule = "parameter-became-required" if required else "parameter-became-optional"
            place = (*new, "required") if "required" in after else new
            self.say(rule, "new", place, f"the parameter {name} became {'required' if required else 'optional'}")
        self.compare_deprecation(old, new)
        styles = [self.describe_style(value) for value in (before, after)]
        for key in styles[0]:
            if styles[0][key] != styles[1][key] and before["in"] == after["in"]:
                message = f"{key} of the parameter {name} was {freeze(styles[0][key])} and is {freeze(styles[1][key])}"
                side: Side = "new" if key in after else "old"
                self.say("parameter-style-changed", side, (*(new if side == "new" else old), key), message)
        if "content" in before and "content" in after:
            self.compare_content(old, new, "request")
        elif ("content" in before) != ("content" in after):
            self.say("parameter-style-changed", "new", new, f"the parameter {name} is written in another way")
        else:
            self.add_schema(
                "request", *(self.find(contract, place, "schema") for contract, place in self.sides(old, new))
            )

    @staticmethod
    def describe_style(parameter: Mapping[str, Any]) -> dict[str, Any]:
        """Return how a parameter is written, defaults filled in."""
        style = parameter.get("style", DEFAULT_STYLES.get(str(parameter["in"])))
        return {
            "style": style,
            "explode": parameter.get("explode", style == "form"),
            "allowReserved": parameter.get("allowReserved", False),
            "allowEmptyValue": parameter.get("allowEmptyValue", False),
        }

    def sides(self, old: Pointer, new: Pointer) -> tuple[tuple[Contract, Pointer], tuple[Contract, Pointer]]:
        """Return each contract with a place in it."""
        return (self.old, old), (self.new, new)

    @staticmethod
    def find(contract: Contract, holder: Pointer, key: str) -> Pointer | None:
        """Return where `key` of a thing is, past any `$ref`; none when it has none."""
        value = contract.at(holder)
        return (*holder, key) if is_object(value) and key in value else None

    # Bodies

    def compare_bodies(self, old: Pointer, new: Pointer) -> None:
        """Compare what an operation is sent."""
        before, after = (
            None if (place := self.find(contract, holder, "requestBody")) is None else contract.resolve(place)
            for contract, holder in self.sides(old, new)
        )
        if before is None and after is None:
            return
        if before is None and after is not None:
            required = self.new.object_at(after).get("required") is True
            rule = "required-body-added" if required else "body-added"
            self.visit("body", None, after)
            self.say(rule, "new", after, f"a{' required' if required else 'n optional'} body was added")
        elif after is None and before is not None:
            self.visit("body", before, None)
            self.say("body-removed", "old", before, "the body was removed")
        elif before is not None and after is not None:
            self.visit("body", before, after)
            required = self.new.object_at(after).get("required") is True
            if (self.old.object_at(before).get("required") is True) != required:
                place = (*after, "required") if "required" in self.new.at(after) else after
                rule = "body-became-required" if required else "body-became-optional"
                self.say(rule, "new", place, f"the body became {'required' if required else 'optional'}")
            self.compare_content(before, after, "request")

    def compare_content(self, old: Pointer, new: Pointer, direction: Direction) -> None:
        """Compare the media types of a body, an answer, a parameter or a header."""
        before, after = (
            {name.lower(): (*holder, "content", name) for name in contract.get((*holder, "content"), dict)}
            for contract, holder in self.sides(old, new)
        )
        for name, place in before.items():
            if name not in after:
                self.visit("media", place, None)
                self.say(f"{direction}-media-type-removed", "old", place, f"the media type {place[-1]} was removed")
        for name, place in after.items():
            if name not in before:
                self.visit("media", None, place)
                self.say(f"{direction}-media-type-added", "new", place, f"the media type {place[-1]} was added")
                continue
            one = before[name]
            self.visit("media", one, place)
            self.add_schema(
                direction, *(self.find(contract, holder, "schema") for contract, holder in self.sides(one, place))
            )
            if freeze(self.old.object_at(one).get("encoding")) != freeze(self.new.object_at(place).get("encoding")):
                where: Side = "new" if "encoding" in self.new.at(place) else "old"
                self.say("encoding-changed", where, place if where == "new" else one, "the encoding was changed")

    # Answers

    def compare_responses(self, old: Pointer, new: Pointer) -> None:
        """Compare what an operation answers, matched by status, its range or the default."""
        before, after = (
            {
                str(status).upper(): contract.resolve((*holder, "responses", status))
                for status in contract.get((*holder, "responses"), dict)
                if not str(status).startswith("x-")
            }
            for contract, holder in self.sides(old, new)
        )
        for status, place in before.items():
            match = find_covering(after, status)
            if match is None:
                self.visit("response", place, None)
                rule = "success-status-removed" if status.startswith("2") else "error-status-removed"
                # The line of the operation's own entry, since a shared answer is most often still there.
                where = (*old, "responses", self.spell(self.old, old, status))
                self.say(rule, "old", where, f"the status {status} was removed")
            else:
                self.compare_response(place, match)
        for status, place in after.items():
            if status not in before:
                match = find_covering(before, status)
                if match is not None:
                    self.compare_response(match, place)
                    continue
                self.visit("response", None, place)
                rule = "success-status-added" if status.startswith("2") else "error-status-added"
                where = (*new, "responses", self.spell(self.new, new, status))
                self.say(rule, "new", where, f"the status {status} was added")

    @staticmethod
    def spell(contract: Contract, operation: Pointer, status: str) -> str:
        """Return a status as the contract writes it."""
        return next(str(key) for key in contract.at((*operation, "responses")) if str(key).upper() == status)

    def compare_response(self, old: Pointer, new: Pointer) -> None:
        """Compare two versions of one answer."""
        self.visit("response", old, new)
        self.compare_content(old, new, "response")
        before, after = (
            {
                name.lower(): contract.resolve((*holder, "headers", name))
                for name in contract.get((*holder, "headers"), dict)
            }
            for contract, holder in self.sides(old, new)
        )
        for name, place in before.items():
            if name not in after and name != "content-type":
                self.visit("parameter", place, None)
                self.say("header-removed", "old", place, f"the header {name} was removed")
        for name, place in after.items():
            if name == "content-type":
                continue
            if name not in before:
                self.visit("parameter", None, place)
                self.say("header-added", "new", place, f"the header {name} was added")
                continue
            one = before[name]
            self.visit("parameter", one, place)
            required = self.new.object_at(place).get("required") is True
            if (self.old.object_at(one).get("required") is True) != required:
                rule = "header-became-required" if required else "header-became-optional"
                self.say(rule, "new", place, f"the header {name} became {'required' if required else 'optional'}")
            self.compare_deprecation(one, place)
            self.add_schema(
                "response", *(self.find(contract, holder, "schema") for contract, holder in self.sides(one, place))
            )

    # Security and servers

    def list_security(
        self, contract: Contract, operation: Pointer
    ) -> tuple[dict[frozenset[tuple[str, str]], Pointer], Pointer]:
        """Return the ways to authenticate, each as schemes with their scopes, and where they are said."""
        place: Pointer = (*operation, "security") if "security" in contract.at(operation) else ("security",)
        result: dict[frozenset[tuple[str, str]], Pointer] = {}
        for index, way in enumerate(contract.get(place, list)):
            if not is_object(way) or not all(is_array(scopes) for scopes in way.values()):
                raise contract.fail((*place, index), "a security requirement should be an object of lists")
            needs = {(name, scope) for name, scopes in way.items() for scope in ("", *map(str, scopes))}
            result[frozenset(needs)] = (*place, index)
            for name in way:
                self.compare_scheme(name)
        # No way at all means that none is needed.
        return result or {frozenset(): place}, place

    def compare_scheme(self, name: str) -> None:
        """Compare a security scheme that an operation uses."""
        place = ("components", "securitySchemes", name)
        values: list[Any] = []
        places: list[Pointer] = []
        for contract in (self.old, self.new):
            schemes = contract.get(("components", "securitySchemes"), dict) if "components" in contract.document else {}
            if name not in schemes:
                return
            places.append(contract.resolve(place))
            values.append(contract.object_at(places[-1]))
        self.visit("scheme", *places)
        if self.operation and places:
            for key in sorted(JUDGED_KEYS["scheme"]):
                before, after = (value.get(key) for value in values)
                before, after = (str(one).lower() if key == "scheme" else one for one in (before, after))
                if before != after:
                    message = f"the {key} of the security scheme {name} was changed"
                    self.say("security-scheme-changed", "new", (*places[1], key), message)

    def compare_security(self, old: Pointer, new: Pointer) -> None:
        """Compare the ways to authenticate: one that sufficed has to suffice still."""
        before, _ = self.list_security(self.old, old)
        after, where = self.list_security(self.new, new)
        if "security" not in self.new.at(new) and "security" in self.old.at(old):
            where = new
        for way in before:
            if not any(each <= way for each in after):
                message = f"{describe_security(way)} does not suffice any more"
                self.say(
                    "security-tightened",
                    "new",
                    where,
                    message,
                    location=f"{format_pointer(where)}/{describe_security(way)}",
                )
        for way, place in after.items():
            if way in before:
                continue
            if not way:
                self.say("security-loosened", "new", place, "no authentication is needed any more")
            elif not any(each <= way for each in before):
                location = f"{format_pointer(place[:-1] if place != where else place)}/{describe_security(way)}"
                self.say("security-added", "new", place, f"{describe_security(way)} may be used now", location=location)

    def compare_servers(self, old: Pointer, new: Pointer) -> None:
        """Compare the base URLs of an operation."""
        before, after = (self.list_servers(contract, place) for contract, place in self.sides(old, new))
        for url, place in before.items():
            self.visit("server", place or None, None)
            if url not in after:
                side: Side = "old" if place else "new"
                self.say("server-removed", side, place or new, f"the server {url} was removed")
        for url, place in after.items():
            self.visit("server", None, place or None)
            if url not in before:
                self.say("server-added", "new", place or new, f"the server {url} was added")

    @staticmethod
    def list_servers(contract: Contract, operation: Pointer) -> dict[str, Pointer]:
        """Return the base URLs of an operation and where they are said."""
        for holder in (operation, operation[:-1], ()):
            if servers := contract.get((*holder, "servers"), list):
                return {
                    str(server.get("url") if is_object(server) else server): (*holder, "servers", index)
                    for index, server in enumerate(servers)
                }
        return {"/": ()}

    # Schemas

    def compare_schemas(self) -> None:
        """Compare all schemas, each pair once, and say of each fact which operations it concerns, in what direction."""
        for direction in ("request", "response"):
            roots = {name: pairs for (name, way), pairs in self.names.items() if way == direction}
            differences, children = self.compare_pairs([pair for pairs in roots.values() for pair in pairs], direction)
            masks: dict[Pair, int] = {}
            names = list(roots)
            for index, name in enumerate(names):
                for pair in map(self.locate, roots[name]):
                    masks[pair] = masks.get(pair, 0) | 1 << index
            masks = spread(masks, children)
            for pair, own in differences.items():
                concerned = [name for index, name in enumerate(names) if masks[pair] >> index & 1]
                for difference in own:
                    found = self.describe(difference, pair)
                    for name in concerned:
                        self.note(found, name, direction)

    def locate(self, pair: Pair) -> Pair:
        """Return where two schemas really are."""
        located = Pair(self.comparer.old.locate(pair.old), self.comparer.new.locate(pair.new))
        if located.old == located.new or (self.lacks(self.new, located.old) and self.lacks(self.old, located.new)):
            return located
        # Another component is referred to: each reference that does so is a fact of its own.
        return pair

    def compare_pairs(
        self, roots: Iterable[Pair], direction: Direction
    ) -> tuple[dict[Pair, list[Difference]], dict[Pair, list[Pair]]]:
        """Return the differences of each pair of schemas that the roots lead to, and what each leads to."""
        queue = deque(dict.fromkeys(map(self.locate, roots)))
        differences: dict[Pair, list[Difference]] = {}
        children: dict[Pair, list[Pair]] = {}
        while queue:
            pair = queue.popleft()
            if pair in children:
                continue
            self.visit("schema", pair.old, pair.new)
            own, below = self.comparer.compare(pair, direction)
            if own:
                differences[pair] = own
            children[pair] = [self.locate(each) for each in below]
            queue.extend(children[pair])
        return differences, children

    def describe(self, difference: Difference, pair: Pair) -> _Found:
        """Return a difference of schemas as a fact."""
        contract = self.old if difference.side == "old" else self.new
        place = subject = difference.place
        reader, own = (self.comparer.old, pair.old) if difference.side == "old" else (self.comparer.new, pair.new)
        there = reader.locate(own)
        if there != own and place[: len(there)] == there:
            # Said of the reference, since the component has not changed.
            place = subject = own
        if difference.member is None:
            location = format_place(contract, place)
        else:
            location = format_place(contract, (*place, difference.member))
            values = contract.at(place)
            if is_array(values) and difference.member in values:
                place = (*place, values.index(difference.member))
        message = f"{name_place(contract, subject)}: {difference.message}"
        return _Found(difference.rule, difference.side, place, location, message)

    # What Redocly saw

    def explain(self, seen: Iterable[Seen]) -> None:
        """Note what Redocly saw and the walk has no opinion of."""
        self.operation = ""
        unused = self.find_unused()
        for read in self.comparer.old.places:
            self.visit("schema", read, None)
        for read in self.comparer.new.places:
            self.visit("schema", None, read)
        for each in seen:
            where: Side = "old" if each.new is None else "new"
            place = each.old if each.new is None else each.new
            if place is None or self.is_judged("new", each.new, each.key) or self.is_judged("old", each.old, each.key):
                continue
            key = each.key if each.key is not None else str(place[-1]) if place else ""
            contract = self.old if where == "old" else self.new
            subject = name_place(contract, place)
            if (
                each.key is not None
                and each.new is not None
                and self.lacks(self.new, each.new)
                and each.old is not None
            ):
                where, place = "old", each.old
            what = f"{key} was {'changed' if each.change == 'modified' else each.change}"
            if is_words(place, key) or key.startswith("x-") or any(str(step).startswith("x-") for step in place[-2:]):
                rule = "documentation-changed"
            elif place[:3] in unused[where]:
                rule = "unused-component-changed"
            elif len(place) == 3 and place[:1] == ("components",) and each.key is None:
                # Whatever leads to it has been judged with what it says.
                continue
            elif each.key == "key":
                # What has a new name only was met under both, once removed and once added.
                continue
            else:
                rule = "other-added" if each.change == "added" else "other-changed"
            for name in self.find_operations(where, place) or ("",):
                self.note(_Found(rule, where, place, format_place(contract, place), f"{subject}: {what}"), name)

    @staticmethod
    def lacks(contract: Contract, place: Pointer) -> bool:
        """Return whether nothing is at `place`."""
        value: Any = contract.document
        for step in place:
            if is_object(value) and step in value:
                value = value[str(step)]
            elif is_array(value) and str(step).isdigit() and int(step) < len(value):
                value = value[int(step)]
            else:
                return True
        return False

    def is_judged(self, side: Side, place: Pointer | None, key: str | None) -> bool:
        """Return whether the walk has an opinion of `key` at `place`, or of `place` itself."""
        if place is None:
            return False
        judged = self.judged[side]
        for length in range(len(place), -1, -1):
            kind = judged.get(place[:length])
            if kind is not None:
                step = str(place[length]) if length < len(place) else key
                if length == len(place) and place and key == place[-1]:
                    return True
                return step is None or step in JUDGED_KEYS[kind]
        return False

    def find_unused(self) -> dict[Side, Collection[Pointer]]:
        """Return the components that nothing else of a contract leads to."""
        sides: tuple[tuple[Side, Contract], ...] = (("old", self.old), ("new", self.new))
        return {side: find_unused(contract) for side, contract in sides}

    def find_operations(self, side: Side, place: Pointer) -> list[str]:
        """Return the names of the operation that a place is in; none when it is in none or in many."""
        contract = self.old if side == "old" else self.new
        if place[:1] == ("paths",) and len(place) >= 3 and place[2] in METHODS:
            value = contract.at(place[:3])
            return [str(value.get("operationId") or f"{str(place[2]).upper()} {place[1]}")]
        return []

    def list_facts(self) -> list[Fact]:
        """Return what was found, in the order of the contract."""
        names = [each.name for contract in (self.new, self.old) for each in list_operations(contract)]
        order = {name: index for index, name in enumerate(dict.fromkeys(names))}
        facts: list[Fact] = []
        for found, (operations, directions) in self.found.items():
            contract = self.old if found.side == "old" else self.new
            facts.append(
                Fact(
                    found.rule,
                    found.location,
                    found.side,
                    contract.find_line(found.place),
                    found.message,
                    tuple(sorted(operations, key=order.__getitem__)),
                    frozenset(directions),
                )
            )
        return facts


def describe_security(way: frozenset[tuple[str, str]]) -> str:
    """Return in words what credentials one way of authenticating takes."""
    names = sorted({name for name, _ in way})
    parts = []
    for name in names:
        scopes = sorted(scope for each, scope in way if each == name and scope)
        parts.append(f"{name} ({', '.join(scopes)})" if scopes else name)
    return " with ".join(parts) or "going without authentication"


def spread(masks: Mapping[Pair, int], children: Mapping[Pair, list[Pair]]) -> dict[Pair, int]:
    """Return the marks of each pair: its own and those of all that lead to it, each mark a bit.

    Pairs lead to one another in circles where a schema holds itself. Parents come before their children but in those,
    so that a few passes are enough however many marks there are.
    """
    order: list[Pair] = []
    seen: set[Pair] = set()
    for root in masks:
        stack = [(root, iter(children[root]))] if root not in seen else []
        seen.add(root)
        while stack:
            pair, rest = stack[-1]
            child = next((each for each in rest if each not in seen), None)
            if child is None:
                order.append(pair)
                stack.pop()
            else:
                seen.add(child)
                stack.append((child, iter(children[child])))
    order.reverse()
    result = {pair: masks.get(pair, 0) for pair in order}
    changed = True
    while changed:
        changed = False
        for pair in order:
            mask = result[pair]
            for child in children[pair]:
                if mask | result[child] != result[child]:
                    result[child] |= mask
                    changed = True
    return result


def compare(old: Contract, new: Contract, seen: Callable[[], Iterable[Seen]]) -> list[Fact]:
    """Return how two contracts differ, with what `seen` returns explained.

    Raises:
        UnreadableError: When a contract cannot be read.
    """
    walk = Walk(old, new)
    walk.run()
    walk.explain(seen())
    return walk.list_facts()
