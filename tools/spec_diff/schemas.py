"""Say exactly how two schemas differ, whatever the way they are written.

A schema is first read into what it accepts (`View`): past `$ref`, with `allOf` merged, a null taken out of `type`,
`enum`, `oneOf` and `anyOf`, a `const` as an enum of one, and bounds as numbers. Two views are then compared by one
level; what lies below comes back as pairs to compare next. So a schema that moves behind a `$ref`, or null that is
written another way, is no difference.

Which rule a difference falls under says whether it narrows or widens what is accepted; whether that is breaking is
for the policy to say, which knows the direction.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any, Literal

import attrs

from tools.spec_diff.document import Contract, Pointer, is_array, is_object

Direction = Literal["request", "response"]
Side = Literal["old", "new"]

# What says something about a value, beside the keywords that a view holds in a form of its own.
OTHER_KEYWORDS = frozenset(
    {
        *("not", "if", "then", "else", "patternProperties", "propertyNames", "dependentRequired", "dependentSchemas"),
        *("contains", "minContains", "maxContains", "unevaluatedProperties", "unevaluatedItems", "prefixItems"),
        *("contentEncoding", "contentMediaType", "contentSchema", "discriminator", "xml", "$dynamicRef"),
    }
)
LIMITS: Mapping[str, int] = {
    "minLength": 1,
    "minItems": 1,
    "minProperties": 1,
    "maxLength": -1,
    "maxItems": -1,
    "maxProperties": -1,
}
"""Bounds that need no other keyword, and whether they bound from below (1) or above (-1)."""
PLAIN_KEYWORDS = frozenset(
    {"pattern", "format", "multipleOf", "uniqueItems", "default", "deprecated", "readOnly", "writeOnly"}
)
JUDGED_KEYWORDS = frozenset(
    {
        *("$ref", "type", "nullable", "enum", "const", "properties", "required", "additionalProperties", "items"),
        *("oneOf", "anyOf", "allOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
        *OTHER_KEYWORDS,
        *LIMITS,
        *PLAIN_KEYWORDS,
    }
)
KEPT_KEYWORDS = OTHER_KEYWORDS | PLAIN_KEYWORDS | LIMITS.keys()
WIDER_FORMATS = (["int32", "int64"], ["float", "double"])
MAX_CHAIN = 60
"""How many `$ref` and `allOf` may lead from one to the next before a schema counts as endless."""


@attrs.frozen
class Difference:
    """One fact about two schemas."""

    rule: str
    side: Side
    """In which contract `place` is."""
    place: Pointer
    message: str
    member: str | None = None
    """Which member of the set at `place` it is about."""


@attrs.frozen(cache_hash=True)
class Pair:
    """Two schemas to compare next."""

    old: Pointer
    new: Pointer


@attrs.frozen
class Bound:
    """Where a range of numbers ends."""

    value: Fraction
    exclusive: bool
    place: Pointer
    text: str

    @property
    def limit(self) -> tuple[Fraction, bool]:
        """What the bound says, however it is written."""
        return self.value, self.exclusive


@attrs.frozen(eq=False)
class View:
    """What a schema accepts."""

    place: Pointer
    types: frozenset[str] | None
    """The types beside null; none when every type is accepted."""
    nullable: bool
    null_place: Pointer
    """Where it is said whether null is accepted."""
    values: tuple[str, ...] | None
    """The values beside null, as JSON; none when they are not enumerated."""
    properties: Mapping[str, Pointer]
    required: Mapping[str, Pointer]
    """Required names, and where each is demanded."""
    additional: bool | Pointer
    items: Pointer | None
    alternatives: tuple[Pointer, ...] | None
    lower: Bound | None
    upper: Bound | None
    keywords: Mapping[str, Any]
    places: Mapping[str, Pointer]
    """Where each keyword is written."""

    def place_of(self, keyword: str) -> Pointer:
        """Return where `keyword` is written, or else the schema."""
        return self.places.get(keyword, self.place)

    @property
    def is_null(self) -> bool:
        """Whether null is all that it accepts."""
        return self.nullable and self.types == frozenset()


def show(value: Any) -> str:
    """Return a value as JSON, in one form and of bounded length."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."


def freeze(value: Any) -> str:
    """Return a value as a text that equal values share, 1 and 1.0 among them."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def join_types(a: frozenset[str] | None, b: frozenset[str] | None) -> frozenset[str] | None:
    """Return the types that both accept."""
    if a is None or b is None:
        return b if a is None else a
    both = a & b
    # Every integer is a number.
    if ("integer" in a and "number" in b) or ("integer" in b and "number" in a):
        both |= {"integer"}
    return both


def covers(types: frozenset[str] | None, name: str) -> bool:
    """Return whether values of the type `name` are accepted."""
    return types is None or name in types or (name == "integer" and "number" in types)


def join_bounds(a: Bound | None, b: Bound | None, sign: int) -> Bound | None:
    """Return the stricter of two bounds, from below (1) or from above (-1)."""
    if a is None or b is None:
        return b if a is None else a
    return a if is_stricter(a, b, sign) else b


def is_stricter(a: Bound, b: Bound, sign: int) -> bool:
    """Return whether `a` excludes what `b` allows."""
    return (a.value * sign, a.exclusive) > (b.value * sign, b.exclusive)


def is_number(value: Any) -> bool:
    """Return whether a value is a number that can be counted with."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


@attrs.define(eq=False)
class Reader:
    """Reads the schemas of one contract into views, each one once."""

    contract: Contract
    _views: dict[Pointer, View] = attrs.field(factory=dict)
    _digests: dict[Pointer, str] = attrs.field(factory=dict)

    @property
    def places(self) -> Iterable[Pointer]:
        """Where the schemas are that were read."""
        return self._views.keys()

    def locate(self, pointer: Pointer) -> Pointer:
        """Return where a schema really is: past a `$ref` that stands alone."""
        for _ in range(MAX_CHAIN):
            node = self.contract.at(pointer)
            if not is_object(node) or "$ref" not in node or len(node.keys() & JUDGED_KEYWORDS) > 1:
                return pointer
            pointer = self.contract.follow(pointer)
        raise self.contract.fail(pointer, "the schema leads back to itself")

    def read(self, pointer: Pointer, chain: int = 0) -> View:
        """Return what the schema at `pointer` accepts.

        Raises:
            UnreadableError: When it is no schema, or leads back to itself.
        """
        pointer = self.locate(pointer)
        if pointer not in self._views:
            if chain > MAX_CHAIN:
                raise self.contract.fail(pointer, "the schema leads back to itself")
            self._views[pointer] = self._read(pointer, chain)
        return self._views[pointer]

    def _read(self, pointer: Pointer, chain: int) -> View:
        node = self.contract.at(pointer)
        if isinstance(node, bool):
            node = {} if node else {"not": True}
        if not is_object(node):
            raise self.contract.fail(pointer, "a schema should be an object")
        layers = [self._read_own(pointer, node)]
        if "$ref" in node:
            layers.append(self.read(self.contract.follow(pointer), chain + 1))
        members = self.contract.get((*pointer, "allOf"), list) if "allOf" in node else []
        layers += [self.read((*pointer, "allOf", index), chain + 1) for index in range(len(members))]
        view = layers[0]
        for layer in layers[1:]:
            view = merge(view, layer, nullable=view.nullable and layer.nullable)
        for keyword in ("oneOf", "anyOf"):
            if keyword in node:
                view = self._add_alternatives(view, pointer, keyword, chain)
        return view

    def _add_alternatives(self, view: View, pointer: Pointer, keyword: str, chain: int) -> View:
        """Return `view` with the members of `oneOf` or `anyOf`, of which null is no member but a property."""
        count = len(self.contract.get((*pointer, keyword), list))
        members = [(*pointer, keyword, index) for index in range(count)]
        views = [(member, self.read(member, chain + 1)) for member in members]
        nullable = view.nullable and any(each.nullable for _, each in views)
        rest = [(member, each) for member, each in views if not each.is_null]
        if len(rest) == 1:
            return attrs.evolve(merge(view, rest[0][1], nullable=nullable), null_place=(*pointer, keyword))
        if not rest:
            return attrs.evolve(view, nullable=nullable, types=frozenset())
        if view.alternatives is not None:
            # Two sets of alternatives at once are compared as they are written.
            keywords = {**view.keywords, keyword: self.contract.at((*pointer, keyword))}
            return attrs.evolve(
                view, keywords=keywords, places={**view.places, keyword: (*pointer, keyword)}, nullable=nullable
            )
        places = {**view.places, "alternatives": (*pointer, keyword)}
        view = attrs.evolve(view, null_place=(*pointer, keyword))
        return attrs.evolve(view, alternatives=tuple(member for member, _ in rest), places=places, nullable=nullable)

    def _read_own(self, pointer: Pointer, node: Mapping[str, Any]) -> View:
        """Return what the keywords that stand in the schema itself say."""
        get = self.contract.get
        declared = node.get("type")
        types = None if declared is None else frozenset(map(str, declared if is_array(declared) else [declared]))
        null_by_type = types is None or "null" in types or node.get("nullable") is True
        values: list[Any] | None = get((*pointer, "enum"), list) if "enum" in node else None
        if "const" in node:
            values = [node["const"]] if values is None or node["const"] in values else []
        required = get((*pointer, "required"), list) if "required" in node else []
        properties = get((*pointer, "properties"), dict) if "properties" in node else {}
        additional = node.get("additionalProperties", True)
        if is_object(additional):
            additional = (*pointer, "additionalProperties") if additional else True
        integral = types is not None and "integer" in types and "number" not in types
        return View(
            place=pointer,
            types=None if types is None else types - {"null"},
            null_place=next(((*pointer, key) for key in ("type", "enum", "const", "nullable") if key in node), pointer),
            nullable=null_by_type and (values is None or None in values) and node.get("not") is not True,
            values=None
            if values is None
            else tuple(dict.fromkeys(freeze(value) for value in values if value is not None)),
            properties={name: (*pointer, "properties", name) for name in properties},
            required={str(name): (*pointer, "required", index) for index, name in enumerate(required)},
            additional=additional if isinstance(additional, tuple) else additional is not False,
            items=(*pointer, "items") if node.get("items", True) not in (True, {}) else None,
            alternatives=None,
            lower=read_bound(pointer, node, "minimum", "exclusiveMinimum", 1, integral=integral),
            upper=read_bound(pointer, node, "maximum", "exclusiveMaximum", -1, integral=integral),
            keywords={key: node[key] for key in node.keys() & KEPT_KEYWORDS},
            places={key: (*pointer, key) for key in node.keys() & JUDGED_KEYWORDS},
        )

    def digest(self, pointer: Pointer, depth: int = 0) -> str:
        """Return a fingerprint of what a schema says, past any `$ref` and but for words."""
        pointer = self.locate(pointer)
        if pointer in self._digests:
            return self._digests[pointer]
        # What leads back to itself is known by its name alone, and so is what is nested absurdly deep.
        self._digests[pointer] = f"again {pointer[-1]}"
        content = self._strip(self.contract.at(pointer), pointer, depth)
        result = hashlib.sha256(freeze(content).encode()).hexdigest()
        self._digests[pointer] = result
        return result

    def digest_keyword(self, view: View, name: str) -> str:
        """Return a fingerprint of what one keyword of a view says."""
        place = view.place_of(name)
        return freeze(self._strip({name: view.keywords[name]}, place[:-1], 0))

    def _strip(self, value: Any, pointer: Pointer, depth: int) -> Any:
        if depth > MAX_CHAIN:
            return "deep"
        if is_array(value):
            return [self._strip_schema(member, (*pointer, index), depth) for index, member in enumerate(value)]
        if not is_object(value):
            return value
        result: dict[str, Any] = {}
        for key, child in value.items():
            if key not in JUDGED_KEYWORDS:
                continue
            if key in ("properties", "patternProperties", "dependentSchemas") and is_object(child):
                result[key] = {name: self.digest((*pointer, key, name), depth + 1) for name in child}
            elif key in ("items", "additionalProperties", "not", "contains", "propertyNames", "if", "then", "else"):
                result[key] = self._strip_schema(child, (*pointer, key), depth)
            elif key in ("oneOf", "anyOf", "allOf"):
                result[key] = sorted(map(freeze, self._strip(child, (*pointer, key), depth + 1)))
            elif key in ("required", "enum", "type") and is_array(child):
                result[key] = sorted(map(freeze, child))
            elif key == "$ref":
                result[key] = self.digest(self.contract.follow(pointer), depth + 1)
            else:
                result[key] = child
        return result

    def _strip_schema(self, value: Any, pointer: Pointer, depth: int) -> Any:
        return self.digest(pointer, depth + 1) if is_object(value) else value


def read_bound(
    pointer: Pointer, node: Mapping[str, Any], inclusive: str, exclusive: str, sign: int, *, integral: bool
) -> Bound | None:
    """Return the bound that a schema sets from below (1) or above (-1), as OpenAPI 3.0 or 3.1 writes it."""
    bounds: list[Bound] = []
    if is_number(node.get(inclusive)):
        is_open = node.get(exclusive) is True
        text = f"{exclusive if is_open else inclusive} {node[inclusive]}"
        bounds.append(Bound(Fraction(str(node[inclusive])), is_open, (*pointer, inclusive), text))
    if is_number(node.get(exclusive)):
        text = f"{exclusive} {node[exclusive]}"
        bounds.append(Bound(Fraction(str(node[exclusive])), True, (*pointer, exclusive), text))
    result: Bound | None = None
    for bound in bounds:
        if integral:
            # More than 0 is at least 1, for whole numbers.
            value = math.floor(bound.value) + 1 if bound.exclusive else math.ceil(bound.value)
            if sign < 0:
                value = math.ceil(bound.value) - 1 if bound.exclusive else math.floor(bound.value)
            bound = attrs.evolve(bound, value=Fraction(value), exclusive=False)  # noqa: PLW2901
        result = join_bounds(result, bound, sign)
    return result


def merge(view: View, layer: View, *, nullable: bool) -> View:
    """Return what both views accept, as a schema with an `allOf` of them would."""
    values = view.values if layer.values is None else layer.values
    if view.values is not None and layer.values is not None:
        values = tuple(value for value in view.values if value in layer.values)
    keywords, places = {**layer.keywords, **view.keywords}, {**layer.places, **view.places}
    for name, sign in LIMITS.items():
        mine: Any = view.keywords.get(name)
        theirs: Any = layer.keywords.get(name)
        if is_number(mine) and is_number(theirs) and (theirs - mine) * sign > 0:
            keywords[name], places[name] = theirs, layer.place_of(name)
    plain = (
        view.types is None
        and not view.keywords
        and not view.properties
        and not view.required
        and view.values is None
        and view.alternatives is None
        and view.additional is True
        and view.items is None
        and view.lower is None
        and view.upper is None
    )
    return View(
        # A wrapper that says nothing of its own is what it wraps.
        place=layer.place if plain else view.place,
        types=join_types(view.types, layer.types),
        nullable=nullable,
        null_place=layer.null_place if plain or view.nullable else view.null_place,
        values=values,
        properties={**layer.properties, **view.properties},
        required={**layer.required, **view.required},
        additional=view.additional if layer.additional is True else layer.additional,
        items=view.items or layer.items,
        alternatives=view.alternatives or layer.alternatives,
        lower=join_bounds(view.lower, layer.lower, 1),
        upper=join_bounds(view.upper, layer.upper, -1),
        keywords=keywords,
        places=places,
    )


@attrs.frozen(eq=False)
class Comparer:
    """Compares schemas of two contracts."""

    old: Reader
    new: Reader

    def compare(self, pair: Pair, direction: Direction) -> tuple[list[Difference], list[Pair]]:
        """Return how two schemas differ by themselves, and the pairs below them that may differ too.

        Raises:
            UnreadableError: When one cannot be read.
        """
        comparison = _Comparison(self, self.old.read(pair.old), self.new.read(pair.new), direction)
        comparison.run()
        return comparison.differences, comparison.pairs


def list_types(view: View) -> str:
    """Return the types of a view in words."""
    if view.types is None:
        return "any type"
    names = sorted(view.types) + (["null"] if view.nullable else [])
    return " or ".join(names) if names else "nothing"


@attrs.define(eq=False)
class _Comparison:
    """One comparison of two views under way."""

    comparer: Comparer
    old: View
    new: View
    direction: Direction
    differences: list[Difference] = attrs.field(factory=list)
    pairs: list[Pair] = attrs.field(factory=list)

    def say(self, rule: str, keyword: str, message: str, member: str | None = None, side: Side | None = None) -> None:
        """Note a difference at a keyword; a removed one is in the old contract, all else in the new one."""
        if side is None:
            side = "old" if keyword in self.old.places and keyword not in self.new.places else "new"
        view = self.old if side == "old" else self.new
        self.differences.append(Difference(rule, side, view.place_of(keyword), message, member))

    def run(self) -> None:
        if self.compare_alternatives():
            return
        if self.compare_types():
            return
        self.compare_values()
        self.compare_bounds()
        self.compare_plain()
        self.compare_properties()
        self.compare_additional()
        self.compare_items()
        self.compare_others()

    def compare_types(self) -> bool:
        """Compare types and null; return whether nothing else is worth comparing."""
        old, new = self.old, self.new
        if (old.types is None) != (new.types is None):
            rule = "type-narrowed" if old.types is None else "type-widened"
            self.say(rule, "type", f"the type {list_types(old)} became {list_types(new)}")
            return False
        removed = [name for name in old.types or () if not covers(new.types, name)]
        added = [name for name in new.types or () if not covers(old.types, name)]
        if removed or added:
            rule = "type-changed" if removed and added else "type-narrowed" if removed else "type-widened"
            self.say(rule, "type", f"the type {list_types(old)} became {list_types(new)}")
            if rule == "type-changed":
                return True
        if old.nullable != new.nullable:
            self.compare_null()
        return False

    def compare_null(self) -> None:
        rule, verb = ("null-added", "added") if self.new.nullable else ("null-removed", "removed")
        self.differences.append(Difference(rule, "new", self.new.null_place, f"null was {verb}"))

    def compare_values(self) -> None:
        old, new = self.old.values, self.new.values
        old_keyword = "enum" if "enum" in self.old.places else "const"
        new_keyword = "enum" if "enum" in self.new.places else "const"
        if old is None and new is not None:
            self.say("enum-added", new_keyword, f"only {', '.join(new)} are allowed now, anything was", side="new")
        elif old is not None and new is None:
            self.say("enum-removed", old_keyword, f"anything is allowed now, only {', '.join(old)} were", side="old")
        elif old is not None and new is not None:
            for value in new:
                if value not in old:
                    self.say("enum-value-added", new_keyword, f"the value {value} was added", json.loads(value), "new")
            for value in old:
                if value not in new:
                    message = f"the value {value} was removed"
                    self.say("enum-value-removed", old_keyword, message, json.loads(value), "old")

    def compare_bounds(self) -> None:
        for sign, old, new in ((1, self.old.lower, self.new.lower), (-1, self.old.upper, self.new.upper)):
            if (old and old.limit) == (new and new.limit):
                continue
            if new is None or (old is not None and is_stricter(old, new, sign)):
                rule = "limit-widened"
            else:
                rule = "limit-narrowed"
            common = f"{old.place[-1]} " if old is not None else ""
            message = describe_words(
                None if old is None else old.text, None if new is None else new.text, common=common
            )
            side: Side = "old" if new is None else "new"
            place = new.place if new is not None else old.place if old is not None else self.new.place
            self.differences.append(Difference(rule, side, place, message))
        for name, sign in LIMITS.items():
            before, after = self.old.keywords.get(name), self.new.keywords.get(name)
            # A bound of 0 from below is none.
            before, after = (None if sign > 0 and value == 0 else value for value in (before, after))
            if before == after or not all(value is None or is_number(value) for value in (before, after)):
                continue
            widened = after is None or (before is not None and (after - before) * sign < 0)
            message = describe_change(
                name, None if before is None else str(before), None if after is None else str(after)
            )
            self.say("limit-widened" if widened else "limit-narrowed", name, message)
        self.compare_steps()
        if bool(self.old.keywords.get("uniqueItems")) != bool(self.new.keywords.get("uniqueItems")):
            narrowed = bool(self.new.keywords.get("uniqueItems"))
            message = "items have to be unique now" if narrowed else "items need not be unique any more"
            self.say("limit-narrowed" if narrowed else "limit-widened", "uniqueItems", message)

    def compare_steps(self) -> None:
        before, after = self.old.keywords.get("multipleOf"), self.new.keywords.get("multipleOf")
        if before == after or not all(value is None or (is_number(value) and value > 0) for value in (before, after)):
            return
        message = describe_change("multipleOf", None if before is None else str(before), after and str(after))
        if after is None:
            rule = "limit-widened"
        elif before is None or (Fraction(str(after)) / Fraction(str(before))).denominator == 1:
            rule = "limit-narrowed"
        elif (Fraction(str(before)) / Fraction(str(after))).denominator == 1:
            rule = "limit-widened"
        else:
            rule = "limit-changed"
        self.say(rule, "multipleOf", message)

    def compare_plain(self) -> None:
        old, new = self.old.keywords, self.new.keywords
        for name in ("pattern", "format"):
            before, after = old.get(name), new.get(name)
            if before == after:
                continue
            change = "added" if before is None else "removed" if after is None else "changed"
            if name == "format" and change == "changed":
                if [before, after] in WIDER_FORMATS:
                    change = "widened"
                elif [after, before] in WIDER_FORMATS:
                    change = "narrowed"
            self.say(f"{name}-{change}", name, describe_change(name, before and show(before), after and show(after)))
        if ("default" in old, freeze(old.get("default"))) != ("default" in new, freeze(new.get("default"))):
            before_text = show(old["default"]) if "default" in old else None
            after_text = show(new["default"]) if "default" in new else None
            change = "added" if before_text is None else "removed" if after_text is None else "changed"
            self.say(f"default-{change}", "default", describe_change("default", before_text, after_text))
        if bool(old.get("deprecated")) != bool(new.get("deprecated")):
            is_now = bool(new.get("deprecated"))
            self.say(
                "deprecated" if is_now else "undeprecated",
                "deprecated",
                "deprecated" if is_now else "no longer deprecated",
            )
        for name in ("readOnly", "writeOnly"):
            if bool(old.get(name)) != bool(new.get(name)):
                self.say("access-changed", name, f"{'' if new.get(name) else 'no longer '}{name}")

    def hidden(self, reader: Reader, pointer: Pointer) -> bool:
        """Return whether a property does not exist in this direction."""
        flag = "readOnly" if self.direction == "request" else "writeOnly"
        return reader.read(pointer).keywords.get(flag) is True

    def compare_properties(self) -> None:
        comparer = self.comparer
        old = {name: place for name, place in self.old.properties.items() if not self.hidden(comparer.old, place)}
        new = {name: place for name, place in self.new.properties.items() if not self.hidden(comparer.new, place)}
        for name, place in new.items():
            if name in old:
                self.pairs.append(Pair(old[name], place))
            elif name in self.old.properties:
                # It was hidden in this direction before: `access-changed` says so when the two are compared.
                self.pairs.append(Pair(self.old.properties[name], place))
            elif self.old.additional is False:
                required = name in self.new.required
                rule = "required-property-added" if required else "property-added-to-closed"
                self.add_property(rule, place, f"the property {name} was added, where no other was allowed")
            elif name in self.new.required:
                self.add_property("required-property-added", place, f"the required property {name} was added")
            else:
                self.add_property("property-added", place, f"the optional property {name} was added")
        for name, place in old.items():
            if name in self.new.properties:
                if name not in new:
                    self.pairs.append(Pair(place, self.new.properties[name]))
                continue
            required = name in self.old.required
            rule = "required-property-removed" if required else "property-removed"
            message = f"the {'required' if required else 'optional'} property {name} was removed"
            self.differences.append(Difference(rule, "old", place, message))
        self.compare_required(set(old) | set(new))

    def add_property(self, rule: str, place: Pointer, message: str) -> None:
        self.differences.append(Difference(rule, "new", place, message))

    def compare_required(self, visible: set[str]) -> None:
        for name, place in self.new.required.items():
            added = name in self.new.properties and name not in self.old.properties
            if name not in self.old.required and not added and self.is_visible(name, visible):
                message = f"{name} became required"
                self.differences.append(Difference("property-became-required", "new", place[:-1], message, name))
        for name, place in self.old.required.items():
            removed = name in self.old.properties and name not in self.new.properties
            if name not in self.new.required and not removed and self.is_visible(name, visible):
                message = f"{name} became optional"
                self.differences.append(Difference("property-became-optional", "old", place[:-1], message, name))

    def is_visible(self, name: str, visible: set[str]) -> bool:
        return name in visible or (name not in self.old.properties and name not in self.new.properties)

    def compare_additional(self) -> None:
        old, new = self.old.additional, self.new.additional
        if isinstance(old, tuple) and isinstance(new, tuple):
            self.pairs.append(Pair(old, new))
            return
        ranks = {False: 0, True: 2}
        before, after = (1 if isinstance(value, tuple) else ranks[value] for value in (old, new))
        if before == after:
            return
        words = ("no other properties", "other properties of one schema", "any other properties")
        rule = "additional-properties-narrowed" if after < before else "additional-properties-widened"
        self.say(rule, "additionalProperties", f"{words[before]} became {words[after]}")

    def compare_items(self) -> None:
        if self.old.items is not None and self.new.items is not None:
            self.pairs.append(Pair(self.old.items, self.new.items))
        elif self.new.items is not None:
            self.say("keyword-added", "items", "items have a schema now", side="new")
        elif self.old.items is not None:
            self.say("keyword-removed", "items", "items have no schema any more", side="old")

    def compare_others(self) -> None:
        for name in sorted(OTHER_KEYWORDS | {"oneOf", "anyOf"}):
            has_old, has_new = name in self.old.keywords, name in self.new.keywords
            if not has_old and not has_new:
                continue
            if has_old != has_new:
                rule, verb = ("keyword-added", "added") if has_new else ("keyword-removed", "removed")
                self.say(rule, name, f"{name} was {verb}")
            elif self.comparer.old.digest_keyword(self.old, name) != self.comparer.new.digest_keyword(self.new, name):
                self.say("keyword-changed", name, f"{name} was changed")

    @staticmethod
    def name(reader: Reader, place: Pointer) -> str:
        """Return a short name of a schema that is one of several."""
        component = name_component(reader.locate(place))
        return str(component) if component else list_types(reader.read(place))

    def compare_alternatives(self) -> bool:
        """Compare the members of `oneOf` and `anyOf`; return whether nothing else is worth comparing."""
        old, new = self.old.alternatives, self.new.alternatives
        if old is None and new is None:
            return False
        wrapped = old is None or new is None
        before = (self.old.place,) if old is None else old
        after = (self.new.place,) if new is None else new
        matched, gone, come = match_members(self.comparer, before, after)
        if wrapped and not matched:
            if old is None:
                self.say("keyword-added", "alternatives", "alternatives were added", side="new")
            else:
                self.say("keyword-removed", "alternatives", "alternatives were removed", side="old")
            return False
        self.pairs += matched
        for place in come:
            self.differences.append(
                Difference(
                    "alternative-added",
                    "new",
                    place,
                    f"the alternative {self.name(self.comparer.new, place)} was added",
                )
            )
        for place in gone:
            self.differences.append(
                Difference(
                    "alternative-removed",
                    "old",
                    place,
                    f"the alternative {self.name(self.comparer.old, place)} was removed",
                )
            )
        if wrapped and self.old.nullable != self.new.nullable:
            self.compare_null()
        return wrapped


def match_members(
    comparer: Comparer, old: Iterable[Pointer], new: Iterable[Pointer]
) -> tuple[list[Pair], list[Pointer], list[Pointer]]:
    """Return which members are the same ones, in whatever order, which are gone and which have come.

    Members are the same when they are at the same component, when they say the same, or when just one of the same
    type is left on either side.
    """
    gone, come = list(old), list(new)
    pairs: list[Pair] = []
    keys: tuple[tuple[Callable[[Pointer], Any], Callable[[Pointer], Any]], ...] = (
        (
            lambda place: name_component(comparer.old.locate(place)),
            lambda place: name_component(comparer.new.locate(place)),
        ),
        (comparer.old.digest, comparer.new.digest),
        (lambda place: comparer.old.read(place).types, lambda place: comparer.new.read(place).types),
    )
    for old_key, new_key in keys:
        wanted: dict[Any, list[Pointer]] = {}
        for place in come:
            wanted.setdefault(new_key(place), []).append(place)
        for place in list(gone):
            key = old_key(place)
            if key is not None and wanted.get(key):
                match = wanted[key].pop(0)
                pairs.append(Pair(place, match))
                gone.remove(place)
                come.remove(match)
    return pairs, gone, come


def name_component(place: Pointer) -> Any:
    """Return the name of a schema that is a component; none when it stands inline."""
    return place[2] if place[:2] == ("components", "schemas") and len(place) == 3 else None


def describe_change(name: str, old: str | None, new: str | None) -> str:
    """Return in words what became of a keyword."""
    return describe_words(
        None if old is None else f"{name} {old}", None if new is None else f"{name} {new}", common=f"{name} "
    )


def describe_words(old: str | None, new: str | None, *, common: str = "") -> str:
    """Return in words what `old` became; what both begin with need not be said twice."""
    if old is None:
        return f"{new} was added"
    if new is None:
        return f"{old} was removed"
    return f"{old} became {new.removeprefix(common)}"
