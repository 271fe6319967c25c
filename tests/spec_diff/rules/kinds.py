"""Pairs of schemas that comparisons get wrong: what must not be silent, and what must not alarm.

Four letters say what comes of a pair: sent there, sent back, received there, received back. `B` is breaking, `n` is a
fact that is not, and `-` is nothing at all.
"""

from __future__ import annotations

from typing import Any

import attrs

TEXT, WHOLE, NUMBER, NULL = {"type": "string"}, {"type": "integer"}, {"type": "number"}, {"type": "null"}
OBJECT: dict[str, Any] = {"type": "object"}


@attrs.frozen
class Kind:
    """A pair of schemas and what comes of it."""

    name: str
    old: Any
    new: Any
    verdicts: str
    schemas: tuple[Any, Any] = ({}, {})
    """Components of either half."""


def kind(name: str, old: Any, new: Any, verdicts: str, **schemas: tuple[Any, Any]) -> Kind:
    """Return a pair with its components; each is given as its old and new half."""
    sides = [{key: pair[side] for key, pair in schemas.items() if pair[side] is not None} for side in (0, 1)]
    return Kind(name, old, new, verdicts, (sides[0], sides[1]))


def ref(name: str) -> dict[str, str]:
    """Return a reference to a component; every case has components of its own."""
    return {"$ref": f"#/components/schemas/{name}"}


def obj(*required: str, **properties: Any) -> dict[str, Any]:
    """Return a schema of an object."""
    return {"type": "object", "properties": properties} | ({"required": list(required)} if required else {})


def both(*members: Any) -> dict[str, Any]:
    """Return an `allOf`."""
    return {"allOf": list(members)}


NARROWER, WIDER = "Bn", "nB"
# Sent and received, there and back.
IN, OUT, ANY = "BnnB", "nBBn", "BBBB"

COMPOSITIONS = [
    kind(
        "items in two members",
        both({"type": "array", "items": TEXT}, {"items": {"maxLength": 9}}),
        both({"type": "array", "items": TEXT}, {"items": {"maxLength": 3}}),
        IN,
    ),
    kind(
        "items in two members, the first one",
        both({"type": "array", "items": {"maxLength": 9}}, {"items": TEXT}),
        both({"type": "array", "items": {"maxLength": 3}}, {"items": TEXT}),
        IN,
    ),
    kind(
        "property in two members",
        both(obj(a=TEXT), obj(a={"maxLength": 10})),
        both(obj(a=TEXT), obj(a={"maxLength": 5})),
        IN,
    ),
    kind(
        "property beside and in a member",
        {**obj(a={"maxLength": 10}), "allOf": [obj(a=TEXT)]},
        {**obj(a={"maxLength": 5}), "allOf": [obj(a=TEXT)]},
        IN,
    ),
    kind(
        "property in a parent and here",
        both(ref("P"), obj(a={"maxLength": 50})),
        both(ref("P"), obj(a={"maxLength": 5})),
        IN,
        P=(obj(a=TEXT), obj(a=TEXT)),
    ),
    kind(
        "property of a parent, also here",
        both(ref("P"), obj(a={"minLength": 1})),
        both(ref("P"), obj(a={"minLength": 1})),
        IN,
        P=(obj(a={**TEXT, "maxLength": 9}), obj(a={**TEXT, "maxLength": 5})),
    ),
    kind(
        "enum of a property in two members",
        both(obj(a={"enum": ["x", "y"]}), obj(a=TEXT)),
        both(obj(a={"enum": ["x"]}), obj(a=TEXT)),
        IN,
    ),
    kind(
        "deep property in two members",
        both(obj(a=obj(b=TEXT)), obj(a=obj(b={"minLength": 1}))),
        both(obj(a=obj(b=TEXT)), obj(a=obj(b={"minLength": 2}))),
        IN,
    ),
    kind(
        "two patterns",
        both({**TEXT, "pattern": "^a"}, {"pattern": "b$"}),
        both({**TEXT, "pattern": "^a"}, {"pattern": "c$"}),
        ANY,
    ),
    kind(
        "a second pattern",
        both({**TEXT, "pattern": "^a"}, {}),
        both({**TEXT, "pattern": "^a"}, {"pattern": "c$"}),
        "Bnnn",
    ),
    kind(
        "two formats",
        both({**TEXT, "format": "uri"}, {"format": "a"}),
        both({**TEXT, "format": "uri"}, {"format": "b"}),
        ANY,
    ),
    kind(
        "two not",
        both(obj(a=TEXT, b=TEXT), {"not": {"required": ["a"]}}),
        both(obj(a=TEXT, b=TEXT), {"not": {"required": ["a"]}}, {"not": {"required": ["b"]}}),
        IN,
    ),
    kind(
        "another not",
        both({"not": {"required": ["a"]}}, {"not": {"required": ["b"]}}),
        both({"not": {"required": ["a"]}}, {"not": {"required": ["c"]}}),
        ANY,
    ),
    kind(
        "two if",
        both(
            {"if": {"properties": {"k": {"const": 1}}}, "then": {"required": ["a"]}},
            {"if": {"properties": {"k": {"const": 2}}}, "then": {"required": ["b"]}},
        ),
        both(
            {"if": {"properties": {"k": {"const": 1}}}, "then": {"required": ["a"]}},
            {"if": {"properties": {"k": {"const": 2}}}, "then": {"required": ["b", "c"]}},
        ),
        IN,
    ),
    kind("then added", {"if": {"required": ["a"]}}, {"if": {"required": ["a"]}, "then": {"required": ["b"]}}, IN),
    kind(
        "else narrowed",
        {"if": {"required": ["a"]}, "else": {"maxProperties": 5}},
        {"if": {"required": ["a"]}, "else": {"maxProperties": 3}},
        IN,
    ),
    kind(
        "two anyOf",
        both({"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}),
        both(
            {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"anyOf": [{"required": ["c"]}, {"required": ["d"]}]}
        ),
        IN,
    ),
    kind(
        "two oneOf",
        both({"oneOf": [obj("a", a=TEXT), obj("b", b=TEXT)]}, {"oneOf": [obj("c", c=TEXT), obj("d", d=TEXT)]}),
        both({"oneOf": [obj("a", a=TEXT), obj("b", b=TEXT)]}, {"oneOf": [obj("c", c=TEXT), obj("d", d=WHOLE)]}),
        ANY,
    ),
    kind(
        "oneOf and anyOf at once",
        {"oneOf": [obj("a", a=TEXT), obj("b", b=TEXT)], "anyOf": [{"required": ["c"]}, {"required": ["d"]}]},
        {"oneOf": [obj("a", a=TEXT), obj("b", b=TEXT)], "anyOf": [{"required": ["c"]}, {"required": ["e"]}]},
        ANY,
    ),
    kind(
        "enum in two members",
        both({"enum": ["a", "b"]}, {"enum": ["b", "c"]}),
        both({"enum": ["a", "b"]}, {"enum": ["a", "b", "c"]}),
        OUT,
    ),
    kind(
        "bounds in two members",
        both({**NUMBER, "minimum": 1}, {"minimum": 2}),
        both({**NUMBER, "minimum": 1}, {"minimum": 3}),
        IN,
    ),
    kind(
        "the looser of two bounds",
        both({**NUMBER, "minimum": 1}, {"minimum": 5}),
        both({**NUMBER, "minimum": 2}, {"minimum": 5}),
        "----",
    ),
    kind(
        "multipleOf in two members",
        both({**NUMBER, "multipleOf": 2}, {"multipleOf": 3}),
        {**NUMBER, "multipleOf": 6},
        "----",
    ),
    kind(
        "multipleOf in two members, one of them",
        both({**NUMBER, "multipleOf": 2}, {"multipleOf": 3}),
        both({**NUMBER, "multipleOf": 4}, {"multipleOf": 3}),
        IN,
    ),
    kind(
        "patternProperties in two members",
        both({"patternProperties": {"^x": TEXT}}, {"patternProperties": {"^x": {"maxLength": 9}}}),
        both({"patternProperties": {"^x": TEXT}}, {"patternProperties": {"^x": {"maxLength": 3}}}),
        IN,
    ),
    kind(
        "additionalProperties in two members",
        both({**OBJECT, "additionalProperties": TEXT}, {"additionalProperties": {"maxLength": 9}}),
        both({**OBJECT, "additionalProperties": TEXT}, {"additionalProperties": {"maxLength": 3}}),
        IN,
    ),
    kind(
        "a closed member",
        both(obj(a=TEXT), obj(b=TEXT)),
        both(obj(a=TEXT), {**obj(b=TEXT), "additionalProperties": False}),
        IN,
    ),
    kind("required in a member", both(obj(a=TEXT), {}), both(obj(a=TEXT), {"required": ["a"]}), IN),
    kind(
        "contains in two members",
        both({"type": "array", "contains": {"const": 1}}, {"contains": {"const": 2}}),
        both({"type": "array", "contains": {"const": 1}}, {"contains": {"const": 3}}),
        ANY,
    ),
    kind("allOf merged by hand", both(obj("a", a=TEXT), obj(b=TEXT)), obj("a", a=TEXT, b=TEXT), "----"),
    kind(
        "property of two members merged by hand",
        both(obj(a=TEXT), obj(a={"maxLength": 5})),
        obj(a={**TEXT, "maxLength": 5}),
        "----",
    ),
    kind(
        "members reordered",
        both(obj(a=TEXT), obj(a={"maxLength": 5})),
        both(obj(a={"maxLength": 5}), obj(a=TEXT)),
        "----",
    ),
    kind("a member that says nothing new", both(obj(a=TEXT)), both(obj(a=TEXT), obj(a=TEXT)), "----"),
]
ALTERNATIVES = [
    kind("anyOf becomes oneOf", {"anyOf": [obj(a=TEXT), obj(b=TEXT)]}, {"oneOf": [obj(a=TEXT), obj(b=TEXT)]}, IN),
    kind("anyOf becomes oneOf of types apart", {"anyOf": [obj(a=TEXT), TEXT]}, {"oneOf": [TEXT, obj(a=TEXT)]}, "----"),
    kind(
        "anyOf becomes oneOf of kinds apart",
        {"anyOf": [obj("k", k={"const": "a"}), obj("k", k={"const": "b"})]},
        {"oneOf": [obj("k", k={"const": "a"}), obj("k", k={"const": "b"})]},
        "----",
    ),
    kind(
        "wrapped in oneOf",
        obj("a", "b", a=TEXT, b=TEXT),
        {"oneOf": [obj("a", a=TEXT, b=TEXT), obj("b", a=TEXT, b=TEXT)]},
        "BBBB",
    ),
    kind("wrapped in anyOf beside another", obj(a=TEXT), {"anyOf": [obj(a=TEXT), WHOLE]}, OUT),
    kind(
        "wrapped in oneOf that keeps it, and overlaps",
        obj("a", a=TEXT),
        {"oneOf": [obj("a", a=TEXT), obj("b", b=TEXT)]},
        "BBBB",
    ),
    kind(
        "alternatives beside properties",
        obj(a=TEXT, b=TEXT),
        {**obj(a=TEXT, b=TEXT), "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
        IN,
    ),
    kind(
        "alternatives of objects beside properties",
        obj(a=TEXT),
        {**obj(a=WHOLE), "anyOf": [{**OBJECT, "minProperties": 1}, {**OBJECT, "maxProperties": 3}]},
        ANY,
    ),
    kind("anyOf of types and a list of types", {"anyOf": [TEXT, WHOLE]}, {"type": ["string", "integer"]}, "----"),
    kind(
        "oneOf of types and a list of types",
        {"oneOf": [TEXT, WHOLE, NULL]},
        {"type": ["integer", "null", "string"]},
        "----",
    ),
    kind("a type more, by anyOf", {"anyOf": [TEXT, WHOLE]}, {"type": ["string", "integer", "boolean"]}, OUT),
    # Whole numbers fit both, so that they were ruled out; nobody means that, and somebody should look.
    kind("oneOf of integer and number", {"oneOf": [WHOLE, NUMBER]}, NUMBER, "BBBB"),
    kind(
        "an alternative narrowed",
        {"oneOf": [TEXT, {"type": "array", "items": TEXT, "maxItems": 5}]},
        {"oneOf": [TEXT, {"type": "array", "items": TEXT, "maxItems": 3}]},
        IN,
    ),
    kind(
        "alternatives reordered",
        {"oneOf": [obj("a", a=TEXT), obj("b", b=WHOLE)]},
        {"oneOf": [obj("b", b=WHOLE), obj("a", a=TEXT)]},
        "----",
    ),
    kind(
        "an alternative moved behind a reference",
        {"oneOf": [obj("a", a=TEXT), TEXT]},
        {"oneOf": [ref("M"), TEXT]},
        "----",
        M=(None, obj("a", a=TEXT)),
    ),
]
OPEN_CAT, OPEN_DOG = obj("m", m=TEXT, n={**TEXT, "maxLength": 3}), obj("b", b=TEXT)
ALTERNATIVES += [
    kind(
        "an alternative widened into another",
        {"oneOf": [{**TEXT, "maxLength": 5}, {**TEXT, "minLength": 6}]},
        {"oneOf": [{**TEXT, "maxLength": 5}, {**TEXT, "minLength": 5}]},
        ANY,
    ),
    kind(
        "alternatives by bounds that stay apart",
        {"oneOf": [{**WHOLE, "maximum": 5}, {**WHOLE, "minimum": 10}]},
        {"oneOf": [{**WHOLE, "maximum": 5}, {**WHOLE, "minimum": 6}]},
        OUT,
    ),
    kind(
        "alternatives that overlap, one widened",
        {"oneOf": [{**WHOLE, "multipleOf": 4}, {**WHOLE, "multipleOf": 3}]},
        {"oneOf": [{**WHOLE, "multipleOf": 2}, {**WHOLE, "multipleOf": 3}]},
        ANY,
    ),
    kind(
        "alternative that overlaps two that do",
        {"oneOf": [{**WHOLE, "multipleOf": 2}, {**WHOLE, "multipleOf": 3}]},
        {"oneOf": [{**WHOLE, "multipleOf": 2}, {**WHOLE, "multipleOf": 3}, {**WHOLE, "multipleOf": 5}]},
        ANY,
    ),
    kind(
        "alternative demands its own property no more",
        {"oneOf": [OPEN_CAT, OPEN_DOG]},
        {"oneOf": [OPEN_CAT, obj(b=TEXT)]},
        ANY,
    ),
    kind(
        "alternatives behind names, one widened far below",
        {"oneOf": [ref("Cat"), ref("Dog")]},
        {"oneOf": [ref("Cat"), ref("Dog")]},
        ANY,
        Cat=(obj("m", m=obj(n={**TEXT, "maxLength": 3})), obj("m", m=obj(n={**TEXT, "maxLength": 5}))),
        Dog=(OPEN_DOG,) * 2,
    ),
    kind(
        "alternatives that overlap, a property more",
        {"oneOf": [OPEN_CAT, OPEN_DOG]},
        {"oneOf": [OPEN_CAT, obj("b", b=TEXT, c=TEXT)]},
        "nBnB",
    ),
    kind(
        "alternatives that overlap, described",
        {"oneOf": [OPEN_CAT, OPEN_DOG]},
        {"oneOf": [OPEN_CAT, {**OPEN_DOG, "description": "x"}]},
        "nnnn",
    ),
    kind(
        "closed alternatives widened",
        {"oneOf": [{**OPEN_CAT, "additionalProperties": False}, {**OPEN_DOG, "additionalProperties": False}]},
        {
            "oneOf": [
                {**obj("m", m=TEXT, n={**TEXT, "maxLength": 5}), "additionalProperties": False},
                {**OPEN_DOG, "additionalProperties": False},
            ]
        },
        OUT,
    ),
    kind(
        "alternatives that a discriminator tells apart, one widened",
        {"oneOf": [OPEN_CAT, OPEN_DOG], "discriminator": {"propertyName": "k"}},
        {"oneOf": [obj("m", m=TEXT, n=TEXT), OPEN_DOG], "discriminator": {"propertyName": "k"}},
        OUT,
    ),
    kind(
        "wrapper that demands unique items",
        {"uniqueItems": True, "anyOf": [{"type": "array", "items": TEXT}, {"type": "array", "items": WHOLE}]},
        {"type": "array", "items": TEXT},
        ANY,
    ),
    kind(
        "wrapper that is read-only",
        obj(a={"readOnly": True, "anyOf": [obj(a=TEXT), WHOLE]}),
        obj(a=obj(a=TEXT)),
        ANY,
    ),
]
NULLS = [
    kind(
        "null ruled out by if",
        {"type": ["string", "null"], "if": NULL, "then": False},
        {"type": ["string", "null"], "if": NULL, "then": {}},
        OUT,
    ),
    kind(
        "null let in by if",
        {"type": ["string", "null"], "if": TEXT, "else": {"type": "string"}},
        {"type": ["string", "null"], "if": TEXT, "else": {"type": ["string", "null"]}},
        OUT,
    ),
    kind(
        "null ruled out by not, or by the type",
        {"type": ["string", "null"], "not": NULL},
        {"type": ["string", "null"]},
        OUT,
    ),
    kind("null that two alternatives let in, and so neither", {"oneOf": [{}, NULL]}, {"oneOf": [OBJECT, NULL]}, ANY),
    kind(
        "null fits two of oneOf",
        {"oneOf": [{"type": ["string", "null"], "maxLength": 3}, {**WHOLE, "minimum": 1}]},
        {"oneOf": [{"type": ["string", "null"], "maxLength": 3}, {**WHOLE, "minimum": 1}, NULL]},
        IN,
    ),
    kind("nullable, which 3.1 does not know", {**TEXT, "nullable": True}, {"type": ["string", "null"]}, OUT),
    kind("const null and type null", {"anyOf": [TEXT, {"const": None}]}, {"anyOf": [TEXT, NULL]}, "----"),
    kind("const null alone", {"const": None}, NULL, "----"),
    kind("enum of null", {"oneOf": [obj(a=TEXT), {"enum": [None]}]}, {"oneOf": [obj(a=TEXT), NULL]}, "----"),
    kind("null in type and in oneOf", {"type": ["string", "null"]}, {"oneOf": [TEXT, NULL]}, "----"),
    kind("null joins an optional property", obj(a=TEXT), obj(a={"type": ["string", "null"]}), OUT),
    kind("null joins by const", obj(a=TEXT), obj(a={"anyOf": [TEXT, {"const": None}]}), OUT),
]
VALUES = [
    kind("not of everything", TEXT, {**TEXT, "not": True}, IN),
    kind("not of nothing", TEXT, {**TEXT, "not": False}, "----"),
    kind("1 becomes true", {"const": 1}, {"const": True}, ANY),
    kind("0 becomes false in an enum", {"enum": [0, "a"]}, {"enum": [False, "a"]}, ANY),
    kind("1 and 1.0", {"enum": [1, 2]}, {"enum": [1.0, 2]}, "----"),
    kind("1 and true in deep values", {"const": {"a": [1]}}, {"const": {"a": [True]}}, ANY),
    kind("1.0 in deep values", {"const": {"a": [1]}}, {"const": {"a": [1.0]}}, "----"),
    kind("default 1 becomes true", obj(a={"default": 1}), obj(a={"default": True}), "BBnn"),
    kind("const with a type", {"const": "a"}, {"type": "string", "const": "a"}, "----"),
    kind("const and an enum of one", {"const": "a"}, {"enum": ["a"]}, "----"),
    kind("a property called tags", obj(tags=TEXT), obj(tags=WHOLE), ANY),
    kind("a property called example", obj(example=obj(title=TEXT)), obj(example=obj(title=WHOLE)), ANY),
    kind("a property called description goes", obj(description=TEXT, a=TEXT), obj(a=TEXT), "BnBn"),
    kind("a property called properties", obj(properties=TEXT), obj(properties=WHOLE), ANY),
    kind("a property called x-y", obj(**{"x-y": TEXT}), obj(**{"x-y": WHOLE}), ANY),
    kind("property false", obj(a=True), obj(a=False), IN),
    kind("true and nothing", obj(a=True), obj(a={}), "----"),
]
ARRAYS = [
    kind(
        "minContains raised",
        {"type": "array", "contains": TEXT, "minContains": 1},
        {"type": "array", "contains": TEXT, "minContains": 2},
        IN,
    ),
    kind(
        "minContains 1 is the default",
        {"type": "array", "contains": TEXT},
        {"type": "array", "contains": TEXT, "minContains": 1},
        "----",
    ),
    kind(
        "minContains 0", {"type": "array", "contains": TEXT}, {"type": "array", "contains": TEXT, "minContains": 0}, OUT
    ),
    kind(
        "maxContains lowered",
        {"type": "array", "contains": TEXT, "maxContains": 5},
        {"type": "array", "contains": TEXT, "maxContains": 3},
        IN,
    ),
    kind(
        "maxContains added",
        {"type": "array", "contains": TEXT},
        {"type": "array", "contains": TEXT, "maxContains": 3},
        IN,
    ),
    kind("contains added", {"type": "array"}, {"type": "array", "contains": TEXT}, IN),
    kind(
        "contains narrowed",
        {"type": "array", "contains": TEXT},
        {"type": "array", "contains": {**TEXT, "minLength": 1}},
        IN,
    ),
    kind(
        "prefixItems narrowed",
        {"type": "array", "prefixItems": [TEXT, WHOLE]},
        {"type": "array", "prefixItems": [TEXT, {**WHOLE, "minimum": 1}]},
        IN,
    ),
    kind(
        "prefixItems added",
        {"type": "array", "prefixItems": [TEXT]},
        {"type": "array", "prefixItems": [TEXT, WHOLE]},
        IN,
    ),
    kind(
        "items closed",
        {"type": "array", "prefixItems": [TEXT]},
        {"type": "array", "prefixItems": [TEXT], "items": False},
        IN,
    ),
    kind(
        "unevaluatedItems",
        {"type": "array", "prefixItems": [TEXT]},
        {"type": "array", "prefixItems": [TEXT], "unevaluatedItems": False},
        IN,
    ),
    kind("uniqueItems false", {"type": "array"}, {"type": "array", "uniqueItems": False}, "----"),
    kind(
        "prefixItems of anything where items ruled",
        {"type": "array", "items": WHOLE, "prefixItems": [TEXT]},
        {"type": "array", "items": WHOLE, "prefixItems": [TEXT, {}]},
        OUT,
    ),
    kind(
        "items rule where prefixItems did",
        {"type": "array", "items": WHOLE, "prefixItems": [TEXT]},
        {"type": "array", "items": WHOLE},
        ANY,
    ),
    kind(
        "prefixItems added to a closed array",
        {"type": "array", "prefixItems": [TEXT], "items": False},
        {"type": "array", "prefixItems": [TEXT, WHOLE], "items": False},
        OUT,
    ),
    kind(
        "prefixItems added to what unevaluatedItems closes",
        {"type": "array", "prefixItems": [TEXT], "unevaluatedItems": False},
        {"type": "array", "prefixItems": [TEXT, WHOLE], "unevaluatedItems": False},
        ANY,
    ),
    kind(
        "items of what unevaluatedItems closes",
        {"type": "array", "items": TEXT, "unevaluatedItems": False},
        {"type": "array", "unevaluatedItems": False},
        ANY,
    ),
    kind("prefixItems of anything", {"type": "array"}, {"type": "array", "prefixItems": [{}]}, "----"),
    kind(
        "contains narrowed below maxContains",
        {"type": "array", "contains": TEXT, "maxContains": 1},
        {"type": "array", "contains": {**TEXT, "minLength": 1}, "maxContains": 1},
        ANY,
    ),
    kind("contains of anything", {"type": "array"}, {"type": "array", "contains": {}}, IN),
]
ARRAYS += [
    kind(
        "items closed in one member and ruled in another",
        both({"type": "array", "prefixItems": [{}], "items": False}, {"items": {**TEXT, "maxLength": 9}}),
        both({"type": "array", "prefixItems": [{}], "items": False}, {"items": {**TEXT, "maxLength": 3}}),
        IN,
    ),
    kind(
        "items closed in one member and ruled in another no more",
        both({"type": "array", "prefixItems": [{}], "items": False}, {"items": TEXT}),
        {"type": "array", "prefixItems": [{}], "items": False},
        OUT,
    ),
    kind(
        "items of one member where another lists more",
        both({"type": "array", "prefixItems": [{}]}, {"items": TEXT}),
        both({"type": "array", "prefixItems": [{}, {}]}, {"items": TEXT}),
        "----",
    ),
    kind(
        "minContains without contains",
        both({"type": "array", "contains": TEXT}, {"minContains": 2}),
        both({"type": "array", "contains": TEXT, "minContains": 0}, {"minContains": 2}),
        OUT,
    ),
    kind(
        "unevaluatedItems and what if takes",
        {"type": "array", "if": {"minItems": 1}, "then": {"prefixItems": [TEXT]}, "unevaluatedItems": False},
        {"type": "array", "if": {"minItems": 1}, "then": {"prefixItems": [TEXT, TEXT]}, "unevaluatedItems": False},
        ANY,
    ),
]
OBJECTS = [
    kind(
        "other properties of one member where another is closed",
        both({**OBJECT, "additionalProperties": TEXT}, {**obj(a={}), "additionalProperties": False}),
        both({**OBJECT, "additionalProperties": WHOLE}, {**obj(a={}), "additionalProperties": False}),
        ANY,
    ),
    kind(
        "other properties of one member where another is closed, no more",
        both({**OBJECT, "additionalProperties": TEXT}, {**obj(a={}), "additionalProperties": False}),
        {**obj(a={}), "additionalProperties": False},
        OUT,
    ),
    kind(
        "other properties of one member where another has a pattern",
        both(
            {**OBJECT, "additionalProperties": TEXT},
            {**OBJECT, "patternProperties": {"^x": {}}, "additionalProperties": False},
        ),
        {**OBJECT, "patternProperties": {"^x": {}}, "additionalProperties": False},
        OUT,
    ),
    kind(
        "pattern of one of two closed members",
        both(*({**OBJECT, "patternProperties": {"^x": {}}, "additionalProperties": False},) * 2),
        both(
            {**OBJECT, "patternProperties": {"^x": {}}, "additionalProperties": False},
            {**OBJECT, "additionalProperties": False},
        ),
        IN,
    ),
    kind(
        "property of an alternative of what unevaluatedProperties closes",
        {**OBJECT, "anyOf": [obj("a", a=TEXT), obj("b", b=TEXT)], "unevaluatedProperties": False},
        {**OBJECT, "anyOf": [obj("a", a=TEXT, c=TEXT), obj("b", b=TEXT)], "unevaluatedProperties": False},
        ANY,
    ),
    kind(
        "unevaluatedProperties moved to where it sees more",
        both(obj(a=TEXT), {"unevaluatedProperties": False}),
        {**obj(a=TEXT), "unevaluatedProperties": False},
        ANY,
    ),
    kind(
        "dependentRequired added", obj(a=TEXT, b=TEXT), {**obj(a=TEXT, b=TEXT), "dependentRequired": {"a": ["b"]}}, IN
    ),
    kind(
        "dependentRequired more",
        {**OBJECT, "dependentRequired": {"a": ["b"]}},
        {**OBJECT, "dependentRequired": {"a": ["b", "c"]}},
        IN,
    ),
    kind(
        "dependentSchemas narrowed",
        {**OBJECT, "dependentSchemas": {"a": {"maxProperties": 5}}},
        {**OBJECT, "dependentSchemas": {"a": {"maxProperties": 3}}},
        IN,
    ),
    kind(
        "propertyNames narrowed",
        {**OBJECT, "propertyNames": {"maxLength": 9}},
        {**OBJECT, "propertyNames": {"maxLength": 3}},
        IN,
    ),
    kind("propertyNames added", OBJECT, {**OBJECT, "propertyNames": {"maxLength": 3}}, IN),
    kind("patternProperties added", OBJECT, {**OBJECT, "patternProperties": {"^x": TEXT}}, IN),
    kind(
        "patternProperties added to a closed object",
        {**OBJECT, "additionalProperties": False},
        {**OBJECT, "additionalProperties": False, "patternProperties": {"^x": {}}},
        OUT,
    ),
    kind(
        "patternProperties take over from additionalProperties",
        {**OBJECT, "additionalProperties": WHOLE},
        {**OBJECT, "additionalProperties": WHOLE, "patternProperties": {"^x": TEXT}},
        ANY,
    ),
    kind(
        "property takes over from additionalProperties",
        {**OBJECT, "additionalProperties": TEXT},
        {**obj(a=WHOLE), "additionalProperties": TEXT},
        ANY,
    ),
    kind(
        "unevaluatedProperties beside additionalProperties",
        {**OBJECT, "additionalProperties": TEXT},
        {**OBJECT, "additionalProperties": TEXT, "unevaluatedProperties": False},
        "----",
    ),
    kind(
        "keyword that nobody knows",
        {**OBJECT, "dependencies": {"a": ["b"]}},
        {**OBJECT, "dependencies": {"a": ["c"]}},
        ANY,
    ),
    kind("unevaluatedProperties closes", obj(a=TEXT), {**obj(a=TEXT), "unevaluatedProperties": False}, IN),
    kind(
        "property joins what unevaluatedProperties closes",
        {**obj(a=TEXT), "unevaluatedProperties": False},
        {**obj(a=TEXT, b=TEXT), "unevaluatedProperties": False},
        "nBBB",
    ),
    kind(
        "required property joins a closed object",
        {**obj(a=TEXT), "additionalProperties": False},
        {**obj("b", a=TEXT, b=TEXT), "additionalProperties": False},
        ANY,
    ),
    kind("additionalProperties of anything", OBJECT, {**OBJECT, "additionalProperties": {}}, "----"),
    kind("required of what only answers have", obj(a=TEXT), obj("id", a=TEXT, id={**TEXT, "readOnly": True}), "--nB"),
    kind("required of what only requests have", obj(a=TEXT), obj("pw", a=TEXT, pw={**TEXT, "writeOnly": True}), "BB--"),
    kind(
        "writeOnly property narrowed",
        obj(pw={**TEXT, "writeOnly": True, "maxLength": 9}),
        obj(pw={**TEXT, "writeOnly": True, "maxLength": 3}),
        "Bn--",
    ),
    kind("becomes read-only", obj(a=TEXT), obj(a={**TEXT, "readOnly": True}), ANY),
]
PET = {**obj("kind", kind=TEXT), "discriminator": {"propertyName": "kind"}}
DISCRIMINATORS = [
    kind(
        "discriminator in a member of allOf",
        both(
            {"oneOf": [ref("A"), ref("B")], "discriminator": {"propertyName": "kind", "mapping": {"a": "A", "b": "B"}}},
            {},
        ),
        both(
            {"oneOf": [ref("A"), ref("B")], "discriminator": {"propertyName": "kind", "mapping": {"a": "B", "b": "A"}}},
            {},
        ),
        ANY,
        A=(obj(a=TEXT), obj(a=TEXT)),
        B=(obj(b=TEXT), obj(b=TEXT)),
    ),
    kind(
        "child that a discriminator leads to",
        ref("Pet"),
        ref("Pet"),
        ANY,
        Pet=(PET, PET),
        Cat=(both(ref("Pet"), obj(m=TEXT)), both(ref("Pet"), obj(m=WHOLE))),
    ),
    kind(
        "child by mapping",
        ref("Pet"),
        ref("Pet"),
        IN,
        Pet=(
            {
                **obj("kind", kind=TEXT),
                "discriminator": {"propertyName": "kind", "mapping": {"c": "#/components/schemas/Cat"}},
            },
        )
        * 2,
        Cat=(obj(m={**TEXT, "maxLength": 9}), obj(m={**TEXT, "maxLength": 3})),
    ),
    kind(
        "child by mapping to a name",
        ref("Pet"),
        ref("Pet"),
        IN,
        Pet=({**obj("kind", kind=TEXT), "discriminator": {"propertyName": "kind", "mapping": {"c": "Cat"}}},) * 2,
        Cat=(obj(m={**TEXT, "maxLength": 9}), obj(m={**TEXT, "maxLength": 3})),
    ),
    kind(
        "grandchild",
        ref("Pet"),
        ref("Pet"),
        ANY,
        Pet=(PET, PET),
        Cat=(both(ref("Pet"), obj(m=TEXT)),) * 2,
        Lion=(both(ref("Cat"), obj(r=TEXT)), both(ref("Cat"), obj(r=WHOLE))),
    ),
    kind(
        "another child",
        ref("Pet"),
        ref("Pet"),
        OUT,
        Pet=(PET, PET),
        Cat=(both(ref("Pet"), obj(m=TEXT)),) * 2,
        Dog=(None, both(ref("Pet"), obj(b=TEXT))),
    ),
    kind(
        "propertyName changed",
        {**obj("a", "b", a=TEXT, b=TEXT), "discriminator": {"propertyName": "a"}},
        {**obj("a", "b", a=TEXT, b=TEXT), "discriminator": {"propertyName": "b"}},
        ANY,
    ),
    kind(
        "value of an alternative renamed",
        {
            "oneOf": [ref("Cat"), ref("Dog")],
            "discriminator": {"propertyName": "k", "mapping": {"cat": "#/components/schemas/Cat"}},
        },
        {
            "oneOf": [ref("Cat"), ref("Dog")],
            "discriminator": {"propertyName": "k", "mapping": {"kitty": "#/components/schemas/Cat"}},
        },
        ANY,
        Cat=(obj("k", k=TEXT),) * 2,
        Dog=(obj("k", k=TEXT, b=TEXT),) * 2,
    ),
    kind(
        "mapping of the names themselves",
        {"oneOf": [ref("Cat"), ref("Dog")], "discriminator": {"propertyName": "k"}},
        {
            "oneOf": [ref("Cat"), ref("Dog")],
            "discriminator": {"propertyName": "k", "mapping": {"Cat": "#/components/schemas/Cat", "Dog": "Dog"}},
        },
        "----",
        Cat=(obj("k", k=TEXT),) * 2,
        Dog=(obj("k", k=TEXT, b=TEXT),) * 2,
    ),
    kind(
        "another alternative with its value",
        {"oneOf": [ref("Cat"), ref("Dog")], "discriminator": {"propertyName": "k"}},
        {"oneOf": [ref("Cat"), ref("Dog"), ref("Cow")], "discriminator": {"propertyName": "k"}},
        OUT,
        Cat=(obj("k", k=TEXT),) * 2,
        Dog=(obj("k", k=TEXT, b=TEXT),) * 2,
        Cow=(obj("k", k=TEXT, c=TEXT),) * 2,
    ),
    kind(
        "anyOf becomes oneOf with a discriminator",
        {"anyOf": [ref("Cat"), ref("Dog")], "discriminator": {"propertyName": "k"}},
        {"oneOf": [ref("Cat"), ref("Dog")], "discriminator": {"propertyName": "k"}},
        "----",
        Cat=(obj("k", k=TEXT),) * 2,
        Dog=(obj("k", k=TEXT, b=TEXT),) * 2,
    ),
]
CIRCLES = [
    kind("changed behind $dynamicRef", *({"$dynamicRef": "#/components/schemas/N"},) * 2, ANY, N=(TEXT, WHOLE)),
    kind(
        "parent and child in a circle",
        ref("Pet"),
        ref("Pet"),
        ANY,
        Pet=({"oneOf": [ref("Cat"), ref("Dog")]},) * 2,
        Cat=(both(ref("Base"), obj(m=TEXT, p=ref("Pet"))), both(ref("Base"), obj(m=WHOLE, p=ref("Pet")))),
        Dog=(both(ref("Base"), obj(b=TEXT)),) * 2,
        Base=(obj(n=TEXT),) * 2,
    ),
    kind(
        "oneOf of children that take in the parent",
        ref("Pet"),
        ref("Pet"),
        ANY,
        Pet=({**obj(n=TEXT), "oneOf": [ref("Cat"), ref("Dog")]},) * 2,
        Cat=(both(ref("Pet"), obj(m=TEXT)), both(ref("Pet"), obj(m=WHOLE))),
        Dog=(both(ref("Pet"), obj(b=TEXT)),) * 2,
    ),
    kind(
        "an only child that takes in the parent",
        ref("Pet"),
        ref("Pet"),
        ANY,
        Pet=({**obj(n=TEXT), "oneOf": [ref("Cat")]},) * 2,
        Cat=(both(ref("Pet"), obj(m=TEXT)), both(ref("Pet"), obj(m=WHOLE))),
    ),
    kind(
        "allOf that leads back",
        ref("A"),
        ref("A"),
        ANY,
        A=(both(ref("B"), obj(x=TEXT)), both(ref("B"), obj(x=WHOLE))),
        B=(both(ref("A")),) * 2,
    ),
    kind(
        "not around a circle",
        {"not": ref("A")},
        {"not": ref("A")},
        ANY,
        A=(obj("x", a=ref("A"), x=TEXT), obj("x", a=ref("A"), x=WHOLE)),
    ),
    kind(
        "not around an unchanged circle",
        {"not": ref("A")},
        {"not": both(ref("A"))},
        "BBBB",
        A=(obj(a=ref("B")),) * 2,
        B=(obj(b=ref("A")),) * 2,
    ),
    kind(
        "trees moved behind names",
        ref("T"),
        ref("T"),
        "----",
        T=(obj(l=ref("T"), v=TEXT), obj(l=ref("T"), v=ref("V"))),
        V=(None, TEXT),
    ),
]
KINDS: list[Kind] = [*COMPOSITIONS, *ALTERNATIVES, *NULLS, *VALUES, *ARRAYS, *OBJECTS, *DISCRIMINATORS, *CIRCLES]


@attrs.frozen
class Change:
    """A pair of operations, and what comes of it there and back."""

    name: str
    old: Any
    new: Any
    verdicts: str


OK = {"description": "ok"}


def op(**more: Any) -> dict[str, Any]:
    """Return an operation."""
    return {"responses": {"200": OK}, **more}


def query(schema: Any, **more: Any) -> dict[str, Any]:
    """Return an operation with a parameter in the query."""
    return op(parameters=[{"name": "q", "in": "query", "schema": schema, **more}])


def parameter(where: str, **more: Any) -> dict[str, Any]:
    """Return an operation with a parameter."""
    return op(parameters=[{"name": "q", "in": where, **more}])


def header(**more: Any) -> dict[str, Any]:
    """Return an operation that answers with a header."""
    return op(responses={"200": {**OK, "headers": {"X-A": more}}})


def body(media_type: str, schema: Any = TEXT, **more: Any) -> dict[str, Any]:
    """Return an operation with a body."""
    return op(requestBody={"content": {media_type: {"schema": schema, **more}}})


def answer(media_type: str, schema: Any = TEXT, status: str = "200", **more: Any) -> dict[str, Any]:
    """Return an operation that answers with a body."""
    return op(responses={"200": OK, status: {**OK, "content": {media_type: {"schema": schema, **more}}}})


def call(event: Any) -> dict[str, Any]:
    """Return an operation with a callback."""
    return op(callbacks={"done": {"https://c.example": {"post": event}}})


LIST = {"type": "array", "items": TEXT}
MAP = {"type": "object", "additionalProperties": TEXT}
ERROR = {"description": "no"}
OPERATIONS: list[Change] = [
    Change(
        "content of a header",
        header(content={"text/plain": {"schema": WHOLE}}),
        header(content={"text/plain": {"schema": TEXT}}),
        "BB",
    ),
    Change(
        "media type of a header",
        header(content={"text/plain": {"schema": TEXT}}),
        header(content={"application/json": {"schema": TEXT}}),
        "BB",
    ),
    Change(
        "content of a header becomes a schema",
        header(content={"text/plain": {"schema": TEXT}}),
        header(schema=TEXT),
        "BB",
    ),
    Change("explode of a header that is an object", header(schema=MAP), header(schema=MAP, explode=True), "BB"),
    Change("explode of a header that is a text", header(schema=TEXT), header(schema=TEXT, explode=True), "--"),
    Change("header deprecated", header(schema=TEXT), header(schema=TEXT, deprecated=True), "nn"),
    Change("header described", header(schema=TEXT), header(schema=TEXT, description="x"), "nn"),
    Change("explode of a text", query(TEXT), query(TEXT, explode=False), "--"),
    Change("style of a text", query(TEXT), query(TEXT, style="pipeDelimited"), "--"),
    Change(
        "style of a text or a number",
        query({"type": ["string", "integer"]}),
        query({"type": ["string", "integer"]}, style="spaceDelimited", explode=False),
        "--",
    ),
    Change("explode of a list", query(LIST), query(LIST, explode=False), "BB"),
    Change("explode of an object", query(MAP), query(MAP, explode=False), "BB"),
    Change("explode of anything", query({}), query({}, explode=False), "BB"),
    Change(
        "style of a list whose items stand alone", query(LIST), query(LIST, style="pipeDelimited", explode=True), "--"
    ),
    Change(
        "style of a list in one", query(LIST, explode=False), query(LIST, style="pipeDelimited", explode=False), "BB"
    ),
    Change("style of an object", query(MAP), query(MAP, style="deepObject", explode=True), "BB"),
    Change(
        "style of a text in a path",
        parameter("path", required=True, schema=TEXT),
        parameter("path", required=True, schema=TEXT, style="label"),
        "BB",
    ),
    Change(
        "explode of a header to send",
        parameter("header", schema=TEXT),
        parameter("header", schema=TEXT, explode=True),
        "--",
    ),
    Change("allowReserved", query(TEXT), query(TEXT, allowReserved=True), "BB"),
    Change(
        "allowReserved in a header",
        parameter("header", schema=TEXT),
        parameter("header", schema=TEXT, allowReserved=True),
        "--",
    ),
    Change(
        "content of a parameter",
        parameter("query", content={"application/json": {"schema": obj(a=TEXT)}}),
        parameter("query", content={"application/json": {"schema": obj(a=WHOLE)}}),
        "BB",
    ),
    Change(
        "schema of a parameter becomes content",
        query(TEXT),
        parameter("query", content={"application/json": {"schema": TEXT}}),
        "BB",
    ),
    Change("charset", body("application/json"), body("application/json; charset=utf-8"), "--"),
    Change("charset of an answer", answer("application/json"), answer("application/json;charset=UTF-8"), "--"),
    Change(
        "charset, and the schema", body("application/json", TEXT), body("application/json; charset=utf-8", WHOLE), "BB"
    ),
    Change("another parameter of a media type", body("application/json"), body("application/json; v=2"), "BB"),
    Change("case of a media type", body("application/json"), body("Application/JSON"), "--"),
    Change("a range covers the body", body("application/json"), body("*/*"), "nB"),
    Change("a range covers the answer", answer("application/*"), answer("application/json"), "-B"),
    Change(
        "encoding of JSON",
        body("application/json", obj(a=TEXT)),
        body("application/json", obj(a=TEXT), encoding={"a": {"contentType": "text/plain"}}),
        "--",
    ),
    Change(
        "encoding of a form",
        body("multipart/form-data", obj(a=TEXT)),
        body("multipart/form-data", obj(a=TEXT), encoding={"a": {"contentType": "text/plain"}}),
        "BB",
    ),
    Change("an error more", op(), op(responses={"200": OK, "404": ERROR}), "nn"),
    Change("default more", op(), op(responses={"200": OK, "default": ERROR}), "nn"),
    Change(
        "an error and its range", op(responses={"200": OK, "404": ERROR}), op(responses={"200": OK, "4XX": ERROR}), "n-"
    ),
    Change("a success of a range", op(responses={"2XX": OK}), op(), "-n"),
    Change(
        "errors of a range",
        op(responses={"200": OK, "4XX": ERROR}),
        op(responses={"200": OK, "404": ERROR, "409": ERROR}),
        "-n",
    ),
    Change(
        "body of an error",
        answer("application/json", obj(a=TEXT), "404"),
        answer("application/json", obj(a=WHOLE), "404"),
        "BB",
    ),
    Change(
        "pattern of an answer goes",
        answer("application/json", {**TEXT, "pattern": "^a"}),
        answer("application/json", TEXT),
        "nn",
    ),
    Change("success more", op(), op(responses={"200": OK, "202": OK}), "nB"),
    Change(
        "default promises success",
        op(responses={"default": {**OK, "content": {"application/json": {"schema": WHOLE}}}}),
        op(responses={"200": {**OK, "content": {"application/json": {"schema": TEXT}}}}),
        "BB",
    ),
    Change("redirect, which is no error", op(responses={"200": OK, "303": OK}), op(), "Bn"),
    Change("callback appears", op(), call(op()), "nB"),
    Change("credentials of a callback", call(op(security=[{"basic": []}])), call(op(security=[{"bearer": []}])), "BB"),
    Change("callback of a callback", call(op()), call(call(op())), "nB"),
    Change(
        "expression of a callback",
        op(callbacks={"done": {"{$request.body#/a}": {"post": op()}}}),
        op(callbacks={"done": {"{$request.body#/b}": {"post": op()}}}),
        "BB",
    ),
    Change(
        "callback is sent less",
        call(body("application/json", obj("a", a=TEXT))),
        call(body("application/json", obj(a=TEXT))),
        "Bn",
    ),
    Change(
        "callback wants a wider answer",
        call(answer("application/json", {**TEXT, "maxLength": 3})),
        call(answer("application/json", {**TEXT, "maxLength": 9})),
        "nB",
    ),
    Change(
        "callback gets a body",
        call(op()),
        call({**op(), "requestBody": {"required": True, "content": {"application/json": {"schema": TEXT}}}}),
        "nB",
    ),
    Change("callback described", call(op()), call(op(summary="x")), "nn"),
    Change("tag of an operation", op(), op(tags=["a"]), "nn"),
    Change(
        "property tags of a body",
        body("application/json", obj(tags=LIST)),
        body("application/json", obj(tags=TEXT)),
        "BB",
    ),
    Change("extension", op(), op(**{"x-a": 1}), "nn"),
    Change(
        "parameters of a link",
        op(responses={"200": {**OK, "links": {"a": {"operationId": "x", "parameters": {"q": "$request.query.a"}}}}}),
        op(responses={"200": {**OK, "links": {"a": {"operationId": "x", "parameters": {"q": "$request.query.b"}}}}}),
        "BB",
    ),
    Change(
        "servers of a callback",
        op(callbacks={"done": {"https://c.example": {"post": op(), "servers": [{"url": "https://a.example"}]}}}),
        op(callbacks={"done": {"https://c.example": {"post": op(), "servers": [{"url": "https://b.example"}]}}}),
        "BB",
    ),
    Change(
        "variables of a server",
        op(servers=[{"url": "https://{e}.example", "variables": {"e": {"default": "a"}}}]),
        op(servers=[{"url": "https://{e}.example"}]),
        "BB",
    ),
    Change("link", op(), op(responses={"200": {**OK, "links": {"a": {"operationId": "x"}}}}), "nB"),
]
