"""Read schemas into what they accept, whatever the way they are written.

A `View` is past `$ref`, with `allOf` merged, a null taken out of `type`, `enum`, `oneOf` and `anyOf`, a `const` as an
enum of one, and bounds as numbers. So a schema that moves behind a `$ref`, or null that is written another way, is read
as the same.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, Literal

import attrs

from tools.contract.document import Contract, Pointer, is_array, is_object

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
MAX_CHAIN = 60
"""How many `$ref` and `allOf` may lead from one to the next before a schema counts as endless."""


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


def list_types(view: View) -> str:
    """Return the types of a view in words."""
    if view.types is None:
        return "any type"
    names = sorted(view.types) + (["null"] if view.nullable else [])
    return " or ".join(names) if names else "nothing"
