"""What a schema accepts, whatever the way it is written."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, Literal

import attrs

from tools.contract.document import Pointer, is_array, is_object

Direction = Literal["request", "response"]
Side = Literal["old", "new"]
# Schemas that hold at once, as those of an `allOf` do; mostly it is one.
Places = tuple[Pointer, ...]
# What is below a schema: the keyword, and the name, pattern or value under it.
Child = tuple[str, str]

LIMITS: Mapping[str, int] = {
    "minLength": 1,
    "minItems": 1,
    "minProperties": 1,
    "minContains": 1,
    "maxLength": -1,
    "maxItems": -1,
    "maxProperties": -1,
    "maxContains": -1,
}
"""Bounds that need no other keyword, and whether they bound from below (1) or above (-1)."""
FLAGS = ("uniqueItems", "deprecated", "readOnly", "writeOnly")
# Of several values each holds, so that they are kept as a set.
TEXTS = ("pattern", "format", "contentEncoding", "contentMediaType", "$dynamicRef", "xml")
OPAQUE = ("not", "contentSchema", "unevaluatedProperties", "unevaluatedItems")
MAPS = ("properties", "patternProperties", "dependentSchemas")
SINGLE = ("items", "additionalProperties", "propertyNames")
SCHEMAS = frozenset({*SINGLE, *OPAQUE, "if", "then", "else", "contains"})
UNORDERED = ("required", "enum", "type")
JUDGED_KEYWORDS = frozenset(
    {
        *("$ref", "type", "nullable", "enum", "const", "required", "oneOf", "anyOf", "allOf", "default", "multipleOf"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "if", "then", "else", "contains"),
        *("prefixItems", "dependentRequired", "discriminator"),
        *(*LIMITS, *FLAGS, *TEXTS, *OPAQUE, *MAPS, *SINGLE),
    }
)
KNOWN_KEYWORDS = JUDGED_KEYWORDS | {"$defs", "definitions"}
LISTED = ("properties", "patternProperties", "prefixItems", "contains", "discriminator")
"""Keywords whose schemas say something by being there, though they rule nothing out."""
OPEN = "unevaluatedProperties"
WRAPPING = frozenset({"$ref", "allOf", "oneOf", "anyOf"})
DIGEST_DEPTH = 50
"""Schemas that are alike so many levels down count as the same: some hold themselves."""
MAX_LAYERS = 5_000
"""How many schemas may be put together by `$ref` and `allOf` before the whole counts as endless."""


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


@attrs.frozen
class Group:
    """The members of a `oneOf` or `anyOf`, null apart."""

    keyword: str
    place: Pointer
    members: tuple[Places, ...]


@attrs.define(eq=False)
class View:
    """What schemas that hold at once accept; `reading` fills it in."""

    origin: Places
    """The schemas that it was read from."""
    nodes: dict[Pointer, Mapping[str, Any]] = attrs.field(factory=dict)
    """Every schema that was merged into this one, by its place."""
    place: Pointer = ()
    types: frozenset[str] | None = None
    """The types beside null; None when every type is accepted."""
    derived: bool = False
    """Whether the types are those of the enumerated values, none being declared."""
    nullable: bool = True
    null_place: Pointer = ()
    """Where it is said whether null is accepted."""
    values: dict[str, Any] | None = None
    """The values beside null, by their JSON; None when they are not enumerated."""
    required: dict[str, Pointer] = attrs.field(factory=dict)
    """Required names, and where each is demanded."""
    children: dict[Child, Places] = attrs.field(factory=dict)
    closed: bool = False
    """Whether other properties than those listed are ruled out."""
    groups: list[Group] = attrs.field(factory=list)
    lower: Bound | None = None
    upper: Bound | None = None
    limits: dict[str, Any] = attrs.field(factory=dict)
    facets: dict[str, dict[str, Pointer]] = attrs.field(factory=dict)
    """The values of keywords that cannot be merged, as texts or fingerprints, and where each is written."""
    flags: set[str] = attrs.field(factory=set)
    step: Fraction | None = None
    """The `multipleOf`."""
    default: str | None = None
    places: dict[str, Pointer] = attrs.field(factory=dict)
    """Where each keyword is written."""

    def place_of(self, keyword: str) -> Pointer:
        """Return where `keyword` is written, or else the schema."""
        return self.places.get(keyword, self.place)

    @property
    def properties(self) -> dict[str, Places]:
        """The listed properties."""
        return {name: places for (keyword, name), places in self.children.items() if keyword == "properties"}

    @property
    def is_bare(self) -> bool:
        """Whether the members of `oneOf` or `anyOf` are all that it says."""
        said = (self.types, self.values, self.lower, self.upper, self.step, self.default)
        has_more = self.required or self.children or self.closed or self.limits or self.facets
        return all(each is None for each in said) and not has_more


def show(value: Any) -> str:
    """Return a value as JSON, in one form and of bounded length."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."


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
    return b if is_stricter(b, a, sign) else a


def is_stricter(a: Bound, b: Bound, sign: int) -> bool:
    """Return whether `a` excludes what `b` allows."""
    return (a.value * sign, a.exclusive) > (b.value * sign, b.exclusive)


def is_number(value: Any) -> bool:
    """Return whether a value is a number that can be counted with."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def read_type(value: Any) -> str:
    """Return the type of a JSON value."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "integer" if value == int(value) else "number"
    return "string" if isinstance(value, str) else "array" if is_array(value) else "object"


def list_values(node: Mapping[str, Any]) -> list[Any] | None:
    """Return the values that `enum` and `const` of a schema allow; none when they allow any."""
    values = node.get("enum") if is_array(node.get("enum")) else None
    if "const" in node:
        allowed = None if values is None else {freeze(value) for value in values}
        return [node["const"]] if allowed is None or freeze(node["const"]) in allowed else []
    return values


def list_declared(node: Mapping[str, Any]) -> list[str] | None:
    """Return what `type` of a schema says, as a list; none when it says nothing."""
    declared = node.get("type")
    return None if declared is None else [str(each) for each in (declared if is_array(declared) else [declared])]


def accepts_own_null(node: Mapping[str, Any]) -> bool:
    """Return whether the keywords that stand in a schema itself accept null."""
    types, values = list_declared(node), list_values(node)
    by_type = types is None or "null" in types or node.get("nullable") is True
    return by_type and (values is None or None in values) and node.get("not") is not True


def freeze(value: Any) -> str:
    """Return a value as a text that equal values share, 1 and 1.0 among them, and 1 and true not."""
    return json.dumps(_settle(value), sort_keys=True, ensure_ascii=False)


def _settle(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if is_array(value):
        return [_settle(each) for each in value]
    return {key: _settle(each) for key, each in value.items()} if is_object(value) else value


def join_steps(a: Fraction, b: Fraction) -> Fraction:
    """Return the least number that is a multiple of both."""
    return Fraction(math.lcm(a.numerator * b.denominator, b.numerator * a.denominator), a.denominator * b.denominator)


def read_bounds(pointer: Pointer, node: Mapping[str, Any], inclusive: str, exclusive: str) -> Iterator[Bound]:
    """Yield the bounds that a schema sets on one side, as OpenAPI 3.0 or 3.1 writes them."""
    if is_number(node.get(inclusive)):
        is_open = node.get(exclusive) is True
        text = f"{exclusive if is_open else inclusive} {node[inclusive]}"
        yield Bound(Fraction(str(node[inclusive])), is_open, (*pointer, inclusive), text)
    if is_number(node.get(exclusive)):
        yield Bound(Fraction(str(node[exclusive])), True, (*pointer, exclusive), f"{exclusive} {node[exclusive]}")


def round_bound(bound: Bound, sign: int) -> Bound:
    """Return a bound as whole numbers see it: more than 0 is at least 1."""
    value = math.floor(bound.value) + 1 if bound.exclusive else math.ceil(bound.value)
    if sign < 0:
        value = math.ceil(bound.value) - 1 if bound.exclusive else math.floor(bound.value)
    return attrs.evolve(bound, value=Fraction(value), exclusive=False)


def list_types(view: View) -> str:
    """Return the types of a view in words."""
    if view.types is None:
        return "any type"
    names = sorted(view.types) + (["null"] if view.nullable else [])
    return " or ".join(names) if names else "nothing"
