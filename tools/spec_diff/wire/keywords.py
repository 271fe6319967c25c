"""The keywords of schemas, and what their values say."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
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
    **dict.fromkeys(("minimum", "minLength", "minItems", "minProperties", "minContains"), 1),
    **dict.fromkeys(("maximum", "maxLength", "maxItems", "maxProperties", "maxContains"), -1),
    "multipleOf": 0,
}
"""Bounds, and whether they bound from below (1), above (-1), or on all sides (0)."""
EXCLUSIVE = {"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}
ANNOTATING = frozenset({"deprecated", "readOnly", "writeOnly"})
# What is said of a flag that is set now, and of one that was: a rule and a message.
FlagWords = Sequence[tuple[str, str]]
FLAG_WORDS: Mapping[str, FlagWords] = {
    "uniqueItems": (
        ("limit-narrowed", "items have to be unique now"),
        ("limit-widened", "items need not be unique any more"),
    ),
    "deprecated": (("deprecated", "deprecated"), ("undeprecated", "no longer deprecated")),
    "readOnly": (("access-changed", "readOnly"), ("access-changed", "no longer readOnly")),
    "writeOnly": (("access-changed", "writeOnly"), ("access-changed", "no longer writeOnly")),
}
# Of several values each holds, so that they are kept as a set.
TEXTS = frozenset({"pattern", "format", "contentEncoding", "contentMediaType", "$dynamicRef", "xml"})
OPEN = "unevaluatedProperties"
OPAQUE: Mapping[str, Sequence[Any]] = {
    "not": (False,),
    OPEN: (True, {}, False),
    **dict.fromkeys(("contentSchema", "unevaluatedItems"), (True, {})),
}
"""Keywords whose schemas are compared as a whole, and those that rule nothing out."""
MAPS = ("properties", "patternProperties", "dependentSchemas")
SINGLE = ("items", "additionalProperties", "propertyNames")
SCHEMAS = frozenset({*SINGLE, *OPAQUE, "if", "then", "else", "contains"})
UNORDERED = ("required", "enum", "type")
WRAPPING = frozenset({"$ref", "allOf", "oneOf", "anyOf"})
JUDGED_KEYWORDS = frozenset(
    {
        *("type", "nullable", "enum", "const", "required", "default", "prefixItems"),
        *("dependentRequired", "discriminator", *EXCLUSIVE.values()),
        *(*LIMITS, *FLAG_WORDS, *TEXTS, *MAPS, *SCHEMAS, *WRAPPING),
    }
)
RESTS = {"properties": "additionalProperties", "patternProperties": "additionalProperties", "prefixItems": "items"}
"""Which keyword speaks of what another does not list."""
EVALUATING = frozenset({"oneOf", "anyOf", "if", "then", "else", "dependentSchemas"})
"""Keywords whose schemas evaluate properties and items of some values alone."""
LISTED = ("properties", "patternProperties", "prefixItems", "contains", "discriminator")
"""Keywords whose schemas say something by being there, though they rule nothing out."""
WIDER_FORMATS = (('"int32"', '"int64"'), ('"float"', '"double"'))
DIGEST_DEPTH = 50
"""Schemas that are alike so many levels down count as the same: some hold themselves."""
MAX_DEPTH = 8
"""How deep alternatives of alternatives are looked into."""
MAX_LAYERS = 5_000
"""How many schemas may be put together by `$ref` and `allOf` before the whole counts as endless."""


@attrs.frozen
class Bound:
    """Where a range ends, or what its values are multiples of; bounds that say the same are equal."""

    value: Fraction
    exclusive: bool
    place: Pointer = attrs.field(eq=False)
    text: str | None = attrs.field(eq=False)

    def is_stricter(self, other: Bound, sign: int) -> bool:
        """Return whether it excludes what `other` allows, and allows nothing that `other` excludes."""
        if not sign:
            return self.value != other.value and (self.value / other.value).denominator == 1
        return (self.value * sign, self.exclusive) > (other.value * sign, other.exclusive)

    def round(self, sign: int) -> Bound:
        """Return it as whole numbers see it: more than 0 is at least 1."""
        value = math.floor(self.value * sign) + 1 if self.exclusive else math.ceil(self.value * sign)
        return attrs.evolve(self, value=Fraction(value * sign), exclusive=False)


@attrs.frozen
class Group:
    """The members of a `oneOf` or `anyOf`, null apart."""

    keyword: str
    place: Pointer
    members: tuple[Places, ...]


@attrs.frozen
class Found:
    """A fact as one operation sees it; equal ones of several operations are one fact."""

    rule: str
    side: Side
    """In which contract `place` is."""
    place: Pointer
    location: str
    message: str


@attrs.frozen(cache_hash=True)
class Pair:
    """Two schemas to compare next; of each, the places that hold at once."""

    old: Places
    new: Places


def join_types(a: frozenset[str] | None, b: frozenset[str] | None) -> frozenset[str] | None:
    if a is None or b is None:
        return b if a is None else a
    return frozenset(name for name in a | b if covers(a, name) and covers(b, name))


def covers(types: frozenset[str] | None, name: str) -> bool:
    """Return whether values of the type `name` are accepted; every integer is a number."""
    return types is None or name in types or (name == "integer" and "number" in types)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def read_type(value: Any) -> str:
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


def freeze(value: Any) -> str:
    """Return a value as a text that equal values share, 1 and 1.0 among them, and 1 and true not."""
    return json.dumps(_settle(value), sort_keys=True, ensure_ascii=False)


def _settle(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if is_array(value):
        return [_settle(each) for each in value]
    return {key: _settle(each) for key, each in value.items()} if is_object(value) else value


def join_bounds(one: Bound, other: Bound, sign: int) -> Bound:
    """Return the bound that holds where two hold."""
    if sign:
        return other if other.is_stricter(one, sign) else one
    a, b = one.value, other.value
    common = math.lcm(a.numerator * b.denominator, b.numerator * a.denominator)
    return make_step(one.place, Fraction(common, a.denominator * b.denominator))


def make_step(place: Pointer, value: Fraction) -> Bound:
    shown = value.numerator if value.denominator == 1 else float(value)
    return Bound(value, exclusive=False, place=place, text=f"multipleOf {shown}")


def read_bounds(pointer: Pointer, node: Mapping[str, Any], name: str) -> Iterator[Bound]:
    """Yield the bounds that a schema sets by a keyword, as OpenAPI 3.0 or 3.1 writes exclusive ones."""
    if "Contains" in name and "contains" not in node:
        return
    if name == "multipleOf":
        if is_number(node.get(name)) and node[name] > 0:
            yield make_step((*pointer, name), Fraction(str(node[name])))
        return
    exclusive = EXCLUSIVE.get(name, "")
    is_open = node.get(exclusive) is True
    for keyword, is_exclusive in ((name, is_open), (exclusive, True)):
        if is_number(node.get(keyword)):
            text = f"{exclusive if is_exclusive else name} {node[keyword]}"
            yield Bound(Fraction(str(node[keyword])), is_exclusive, (*pointer, keyword), text)


def name_value(text: str) -> str:
    """Return a listed value, given as JSON, as a step of a location."""
    value = json.loads(text)
    return value if isinstance(value, str) else text


def name_change(name: str, old: str | None, new: str | None) -> str:
    """Return the change of a keyword, from its values as JSON."""
    if old is None or new is None:
        return "added" if old is None else "removed"
    if name == "format" and (old, new) in WIDER_FORMATS:
        return "widened"
    return "narrowed" if name == "format" and (new, old) in WIDER_FORMATS else "changed"


def show(name: str, text: str | None) -> str | None:
    """Return a keyword with its value as JSON, which may be long."""
    return None if text is None else f"{name} {text if len(text) <= 80 else f'{text[:77]}...'}"


def describe_words(old: str | None, new: str | None) -> str:
    """Return in words what a keyword with its value became; that need not be said twice."""
    if old is None:
        return f"{new} was added"
    return f"{old} was removed" if new is None else f"{old} became {new.removeprefix(old.partition(' ')[0] + ' ')}"
