"""Single changes of a contract and what the report says of each, there and back.

A change of a schema is tried in a request and in an answer. `{}` in a text stands for where the schema is.
"""

from collections.abc import Mapping
from typing import Any

import attrs

# The level in a request and in an answer.
NARROWED = ("breaking", "non-breaking")
WIDENED = ("non-breaking", "breaking")
BOTH = ("breaking", "breaking")
NEITHER = ("non-breaking", "non-breaking")
SENT_ALONE = ("breaking", "note")
SOFT = ("non-breaking", "non-breaking")
NOTE = ("note", "note")

Expected = tuple[str, tuple[str, str], str]
"""The kind of a change, its levels and its text."""


@attrs.frozen
class SchemaCase:
    """A change of one schema."""

    name: str
    old: Any
    new: Any
    there: tuple[Expected, ...]
    back: tuple[Expected, ...]
    components: tuple[Mapping[str, Any], Mapping[str, Any]] = ({}, {})


@attrs.frozen
class OperationCase:
    """A change of one operation; an expectation is a kind, a level and a text."""

    name: str
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    there: tuple[tuple[str, str, str], ...]
    back: tuple[tuple[str, str, str], ...]


def schema(name: str, old: Any, new: Any, there: Any = (), back: Any = (), **components: Any) -> SchemaCase:
    """Return a case; one expectation may stand for a tuple of one."""
    return SchemaCase(
        name,
        old,
        new,
        *((each,) if each and isinstance(each[0], str) else tuple(each) for each in (there, back)),
        components=({k: v[0] for k, v in components.items()}, {k: v[1] for k, v in components.items()}),
    )


def operation(name: str, old: Any, new: Any, there: Any = (), back: Any = ()) -> OperationCase:
    """Return a case; one expectation may stand for a tuple of one."""
    return OperationCase(
        name, old, new, *((each,) if each and isinstance(each[0], str) else tuple(each) for each in (there, back))
    )


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def obj(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


TEXT = {"type": "string"}
WHOLE = {"type": "integer"}
NULL = {"type": "null"}

# Components that no case changes.
COMPONENTS: Mapping[str, Any] = {
    "Text": TEXT,
    "Whole": WHOLE,
    "Cat": {"type": "object", "required": ["meow"], "properties": {"meow": TEXT}},
    "Dog": {"type": "object", "required": ["bark"], "properties": {"bark": TEXT}},
    "Node": {"type": "object", "properties": {"next": ref("Node"), "name": TEXT}},
    "Empty": {"type": "object"},
}


def limit(keyword: str, kind: str, loose: Any, tight: Any) -> list[SchemaCase]:
    """Return the cases of a bound: moved, and there at all."""
    base = {"type": kind, **({"items": TEXT} if kind == "array" else {})}
    return [
        schema(
            f"{keyword} tightened",
            {**base, keyword: loose},
            {**base, keyword: tight},
            ("limit-narrowed", NARROWED, f"{{}}: {keyword} {loose} became {tight}"),
            ("limit-widened", WIDENED, f"{{}}: {keyword} {tight} became {loose}"),
        ),
        schema(
            f"{keyword} added",
            base,
            {**base, keyword: tight},
            ("limit-narrowed", NARROWED, f"{{}}: {keyword} {tight} was added"),
            ("limit-widened", WIDENED, f"{{}}: {keyword} {tight} was removed"),
        ),
    ]


SCHEMA_CASES: list[SchemaCase] = [
    # Types
    schema(
        "type changed",
        TEXT,
        WHOLE,
        ("type-changed", BOTH, "{}: the type string became integer"),
        ("type-changed", BOTH, "{}: the type integer became string"),
    ),
    schema(
        "number becomes integer",
        {"type": "number"},
        WHOLE,
        ("type-narrowed", NARROWED, "{}: the type number became integer"),
        ("type-widened", WIDENED, "{}: the type integer became number"),
    ),
    schema(
        "a type joins",
        TEXT,
        {"type": ["string", "integer"]},
        ("type-widened", WIDENED, "{}: the type string became integer or string"),
        ("type-narrowed", NARROWED, "{}: the type integer or string became string"),
    ),
    schema(
        "type added",
        {},
        TEXT,
        ("type-narrowed", NARROWED, "{}: the type any type became string"),
        ("type-widened", WIDENED, "{}: the type string became any type"),
    ),
    schema("types reordered", {"type": ["string", "integer"]}, {"type": ["integer", "string"]}),
    # Null
    schema(
        "null joins the type",
        TEXT,
        {"type": ["string", "null"]},
        ("null-added", WIDENED, "{}: null was added"),
        ("null-removed", NARROWED, "{}: null was removed"),
    ),
    schema(
        "null joins by oneOf",
        obj(p=ref("Cat")),
        obj(p={"oneOf": [ref("Cat"), NULL]}),
        ("null-added", WIDENED, "{}.p: null was added"),
        ("null-removed", NARROWED, "{}.p: null was removed"),
    ),
    schema(
        "null joins by anyOf",
        obj(p=TEXT),
        obj(p={"anyOf": [TEXT, NULL]}),
        ("null-added", WIDENED, "{}.p: null was added"),
        ("null-removed", NARROWED, "{}.p: null was removed"),
    ),
    schema("null is written another way", {"type": ["string", "null"]}, {"oneOf": [NULL, TEXT]}),
    schema("null in anyOf or oneOf", {"anyOf": [ref("Cat"), NULL]}, {"oneOf": [NULL, ref("Cat")]}),
    schema("anyOf of one unwrapped", {"anyOf": [ref("Cat")]}, ref("Cat")),
    schema("allOf of one unwrapped", {"allOf": [ref("Cat")]}, ref("Cat")),
    schema(
        "null joins an enum",
        {"type": ["string", "null"], "enum": ["a", "b"]},
        {"type": ["string", "null"], "enum": ["a", "b", None]},
        ("null-added", WIDENED, "{}: null was added"),
        ("null-removed", NARROWED, "{}: null was removed"),
    ),
    # Enumerations
    schema(
        "a value joins",
        {"type": "string", "enum": ["a", "b"]},
        {"type": "string", "enum": ["a", "b", "c"]},
        ("enum-value-added", WIDENED, '{}: the value "c" was added'),
        ("enum-value-removed", NARROWED, '{}: the value "c" was removed'),
    ),
    schema(
        "one value for another",
        {"type": "string", "enum": ["a", "b"]},
        {"type": "string", "enum": ["a", "c"]},
        (
            ("enum-value-added", WIDENED, '{}: the value "c" was added'),
            ("enum-value-removed", NARROWED, '{}: the value "b" was removed'),
        ),
        (
            ("enum-value-added", WIDENED, '{}: the value "b" was added'),
            ("enum-value-removed", NARROWED, '{}: the value "c" was removed'),
        ),
    ),
    schema("values reordered", {"type": "string", "enum": ["a", "b"]}, {"type": "string", "enum": ["b", "a"]}),
    schema(
        "enum added",
        TEXT,
        {"type": "string", "enum": ["a"]},
        ("enum-added", NARROWED, '{}: only "a" are allowed now, anything was'),
        ("enum-removed", WIDENED, '{}: anything is allowed now, only "a" were'),
    ),
    schema(
        "const becomes a wider enum",
        {"type": "string", "const": "a"},
        {"type": "string", "enum": ["a", "b"]},
        ("enum-value-added", WIDENED, '{}: the value "b" was added'),
        ("enum-value-removed", NARROWED, '{}: the value "b" was removed'),
    ),
    schema("const becomes an enum of one", {"type": "string", "const": "a"}, {"type": "string", "enum": ["a"]}),
    schema(
        "const changed",
        {"const": 1},
        {"const": 2},
        (
            ("enum-value-added", WIDENED, "{}: the value 2 was added"),
            ("enum-value-removed", NARROWED, "{}: the value 1 was removed"),
        ),
        (
            ("enum-value-added", WIDENED, "{}: the value 1 was added"),
            ("enum-value-removed", NARROWED, "{}: the value 2 was removed"),
        ),
    ),
    # Bounds
    *limit("maxLength", "string", 5, 3),
    *limit("minLength", "string", 1, 2),
    *limit("maxItems", "array", 5, 3),
    *limit("minItems", "array", 1, 2),
    *limit("maxProperties", "object", 5, 3),
    *limit("minProperties", "object", 1, 2),
    *limit("maximum", "number", 10, 9.5),
    *limit("minimum", "number", 0, 1),
    *limit("exclusiveMaximum", "number", 10, 9),
    *limit("exclusiveMinimum", "number", 0, 1),
    *limit("multipleOf", "number", 5, 10),
    schema("whole numbers above 0 or from 1", {**WHOLE, "exclusiveMinimum": 0}, {**WHOLE, "minimum": 1}),
    schema(
        "a bound becomes exclusive",
        {"type": "number", "minimum": 0},
        {"type": "number", "exclusiveMinimum": 0},
        ("limit-narrowed", NARROWED, "{}: minimum 0 became exclusiveMinimum 0"),
        ("limit-widened", WIDENED, "{}: exclusiveMinimum 0 became minimum 0"),
    ),
    schema(
        "multipleOf neither way",
        {**WHOLE, "multipleOf": 4},
        {**WHOLE, "multipleOf": 6},
        ("limit-changed", BOTH, "{}: multipleOf 4 became 6"),
        ("limit-changed", BOTH, "{}: multipleOf 6 became 4"),
    ),
    schema(
        "uniqueItems",
        {"type": "array", "items": TEXT},
        {"type": "array", "items": TEXT, "uniqueItems": True},
        ("limit-narrowed", NARROWED, "{}: items have to be unique now"),
        ("limit-widened", WIDENED, "{}: items need not be unique any more"),
    ),
    schema("minLength 0 is none", TEXT, {**TEXT, "minLength": 0}),
    # Texts
    schema(
        "pattern added",
        TEXT,
        {**TEXT, "pattern": "^a"},
        ("pattern-added", NARROWED, '{}: pattern "^a" was added'),
        ("pattern-removed", ("non-breaking", "note"), '{}: pattern "^a" was removed'),
    ),
    schema(
        "pattern changed",
        {**TEXT, "pattern": "^a"},
        {**TEXT, "pattern": "^b"},
        ("pattern-changed", BOTH, '{}: pattern "^a" became "^b"'),
        ("pattern-changed", BOTH, '{}: pattern "^b" became "^a"'),
    ),
    schema(
        "format added",
        TEXT,
        {**TEXT, "format": "date-time"},
        ("format-added", NARROWED, '{}: format "date-time" was added'),
        ("format-removed", WIDENED, '{}: format "date-time" was removed'),
    ),
    schema(
        "format changed",
        {**TEXT, "format": "date"},
        {**TEXT, "format": "date-time"},
        ("format-changed", BOTH, '{}: format "date" became "date-time"'),
        ("format-changed", BOTH, '{}: format "date-time" became "date"'),
    ),
    schema(
        "format wider",
        {**WHOLE, "format": "int32"},
        {**WHOLE, "format": "int64"},
        ("format-widened", WIDENED, '{}: format "int32" became "int64"'),
        ("format-narrowed", NARROWED, '{}: format "int64" became "int32"'),
    ),
    schema(
        "contentEncoding changed",
        {**TEXT, "contentEncoding": "base64"},
        {**TEXT, "contentEncoding": "base32"},
        ("keyword-changed", BOTH, "{}: contentEncoding was changed"),
        ("keyword-changed", BOTH, "{}: contentEncoding was changed"),
    ),
    # Defaults
    schema(
        "default added",
        obj(p=TEXT),
        obj(p={**TEXT, "default": "a"}),
        ("default-added", SENT_ALONE, '{}.p: default "a" was added'),
        ("default-removed", SENT_ALONE, '{}.p: default "a" was removed'),
    ),
    schema(
        "default changed",
        obj(p={**TEXT, "default": "a"}),
        obj(p={**TEXT, "default": "b"}),
        ("default-changed", SENT_ALONE, '{}.p: default "a" became "b"'),
        ("default-changed", SENT_ALONE, '{}.p: default "b" became "a"'),
    ),
    # Properties
    schema(
        "optional property added",
        obj(a=TEXT),
        obj(a=TEXT, b=TEXT),
        ("property-added", NEITHER, "{}.b: the optional property b was added"),
        ("property-removed", BOTH, "{}.b: the optional property b was removed"),
    ),
    schema(
        "required property added",
        {**obj(a=TEXT), "required": ["a"]},
        {**obj(a=TEXT, b=TEXT), "required": ["a", "b"]},
        ("required-property-added", NARROWED, "{}.b: the required property b was added"),
        ("required-property-removed", BOTH, "{}.b: the required property b was removed"),
    ),
    schema(
        "property added where no other was allowed",
        {**obj(a=TEXT), "additionalProperties": False},
        {**obj(a=TEXT, b=TEXT), "additionalProperties": False},
        ("property-added-to-closed", WIDENED, "{}.b: the property b was added, where no other was allowed"),
        ("property-removed", BOTH, "{}.b: the optional property b was removed"),
    ),
    schema(
        "property becomes required",
        {**obj(a=TEXT, b=TEXT), "required": ["a"]},
        {**obj(a=TEXT, b=TEXT), "required": ["b", "a"]},
        ("property-became-required", NARROWED, "{}: b became required"),
        ("property-became-optional", WIDENED, "{}: b became optional"),
    ),
    schema(
        "required appears",
        obj(a=TEXT),
        {**obj(a=TEXT), "required": ["a"]},
        ("property-became-required", NARROWED, "{}: a became required"),
        ("property-became-optional", WIDENED, "{}: a became optional"),
    ),
    schema(
        "required reordered",
        {**obj(a=TEXT, b=TEXT), "required": ["a", "b"]},
        {**obj(b=TEXT, a=TEXT), "required": ["b", "a"]},
    ),
    schema(
        "property far below",
        obj(a={"type": "array", "items": obj(b={"type": "array", "items": TEXT})}),
        obj(a={"type": "array", "items": obj(b={"type": "array", "items": WHOLE})}),
        ("type-changed", BOTH, "{}.a[].b[]: the type string became integer"),
        ("type-changed", BOTH, "{}.a[].b[]: the type integer became string"),
    ),
    schema(
        "property deprecated",
        obj(a=TEXT),
        obj(a={**TEXT, "deprecated": True}),
        ("deprecated", NEITHER, "{}.a: deprecated"),
        ("undeprecated", NOTE, "{}.a: no longer deprecated"),
    ),
    # Other properties
    schema(
        "closed",
        obj(a=TEXT),
        {**obj(a=TEXT), "additionalProperties": False},
        ("additional-properties-narrowed", NARROWED, "{}: any other properties became no other properties"),
        ("additional-properties-widened", WIDENED, "{}: no other properties became any other properties"),
    ),
    schema(
        "other properties of one schema",
        {"type": "object"},
        {"type": "object", "additionalProperties": TEXT},
        ("additional-properties-narrowed", NARROWED, "{}: any other properties became other properties of one schema"),
        ("additional-properties-widened", WIDENED, "{}: other properties of one schema became any other properties"),
    ),
    schema(
        "other properties of another schema",
        {"type": "object", "additionalProperties": TEXT},
        {"type": "object", "additionalProperties": WHOLE},
        ("type-changed", BOTH, "{}.*: the type string became integer"),
        ("type-changed", BOTH, "{}.*: the type integer became string"),
    ),
    schema(
        "additionalProperties true is the default", {"type": "object"}, {"type": "object", "additionalProperties": True}
    ),
    # Items
    schema(
        "items added",
        {"type": "array"},
        {"type": "array", "items": TEXT},
        ("keyword-added", NARROWED, "{}[]: items have a schema now"),
        ("keyword-removed", WIDENED, "{}[]: items have no schema any more"),
    ),
    # Compositions
    schema(
        "an alternative joins oneOf",
        {"oneOf": [ref("Cat"), ref("Dog")]},
        {"oneOf": [ref("Dog"), TEXT, ref("Cat")]},
        ("alternative-added", WIDENED, "{}: the alternative string was added"),
        ("alternative-removed", NARROWED, "{}: the alternative string was removed"),
    ),
    schema(
        "a component joins anyOf",
        {"anyOf": [ref("Cat"), TEXT]},
        {"anyOf": [ref("Cat"), TEXT, ref("Dog")]},
        ("alternative-added", WIDENED, "{}: the alternative Dog was added"),
        ("alternative-removed", NARROWED, "{}: the alternative Dog was removed"),
    ),
    schema(
        "a type becomes one of two",
        obj(p=TEXT),
        obj(p={"oneOf": [TEXT, WHOLE]}),
        ("type-widened", WIDENED, "{}.p: the type string became integer or string"),
        ("type-narrowed", NARROWED, "{}.p: the type integer or string became string"),
    ),
    schema("oneOf reordered", {"oneOf": [ref("Cat"), ref("Dog")]}, {"oneOf": [ref("Dog"), ref("Cat")]}),
    schema(
        "an alternative changed",
        {"oneOf": [TEXT, {"type": "array", "items": TEXT, "maxItems": 5}]},
        {"oneOf": [TEXT, {"type": "array", "items": TEXT, "maxItems": 3}]},
        ("limit-narrowed", NARROWED, "{}: maxItems 5 became 3"),
        ("limit-widened", WIDENED, "{}: maxItems 3 became 5"),
    ),
    schema(
        "allOf demands more",
        {"allOf": [ref("Cat"), obj(b=TEXT)]},
        {"allOf": [ref("Cat"), {**obj(b=TEXT), "required": ["b"]}]},
        ("property-became-required", NARROWED, "{}: b became required"),
        ("property-became-optional", WIDENED, "{}: b became optional"),
    ),
    schema(
        "allOf merged by hand",
        {"allOf": [ref("Cat"), {**obj(b=TEXT), "required": ["b"]}]},
        {"type": "object", "required": ["b", "meow"], "properties": {"b": TEXT, "meow": TEXT}},
    ),
    schema(
        "not added",
        TEXT,
        {**TEXT, "not": {"enum": ["a"]}},
        ("keyword-added", NARROWED, "{}: not was added"),
        ("keyword-removed", WIDENED, "{}: not was removed"),
    ),
    schema(
        "patternProperties changed",
        {"type": "object", "patternProperties": {"^x": TEXT}},
        {"type": "object", "patternProperties": {"^x": WHOLE}},
        ("type-changed", BOTH, "{}.^x: the type string became integer"),
        ("type-changed", BOTH, "{}.^x: the type integer became string"),
    ),
    # References
    schema(
        "moved behind a reference",
        obj(p={"type": "object", "required": ["meow"], "properties": {"meow": TEXT}}),
        obj(p=ref("Cat")),
    ),
    schema(
        "another reference",
        obj(p=ref("Text")),
        obj(p=ref("Whole")),
        ("type-changed", BOTH, "{}.p: the type string became integer"),
        ("type-changed", BOTH, "{}.p: the type integer became string"),
    ),
    schema("leads back to itself", obj(p=ref("Node")), obj(p={"allOf": [ref("Node")]})),
    schema(
        "changed behind a reference that leads back",
        ref("Tree"),
        ref("Tree"),
        ("type-changed", BOTH, "Tree.size: the type string became integer"),
        ("type-changed", BOTH, "Tree.size: the type integer became string"),
        Tree=(
            obj(left=ref("Tree"), right=ref("Tree"), size=TEXT),
            obj(left=ref("Tree"), right=ref("Tree"), size=WHOLE),
        ),
    ),
    # Words
    schema(
        "examples",
        {**TEXT, "example": "a"},
        {**TEXT, "example": "b"},
        ("documentation-changed", NOTE, "{}: example was changed"),
        ("documentation-changed", NOTE, "{}: example was changed"),
    ),
    schema(
        "description",
        TEXT,
        {**TEXT, "description": "x"},
        ("documentation-changed", NOTE, "{}: description was changed"),
        ("documentation-changed", NOTE, "{}: description was changed"),
    ),
]

OK = {"description": "ok"}
BASE: Mapping[str, Any] = {"responses": {"200": OK}}


def op(**changes: Any) -> dict[str, Any]:
    """Return an operation."""
    return {**BASE, **changes}


def param(name: str = "q", where: str = "query", **more: Any) -> dict[str, Any]:
    return {"name": name, "in": where, "schema": TEXT, **more}


def body(*media_types: str, **more: Any) -> dict[str, Any]:
    return {"content": {name: {"schema": TEXT} for name in media_types or ("application/json",)}, **more}


def answers(**statuses: Any) -> dict[str, Any]:
    return {"200": OK, **{name.removeprefix("s"): value for name, value in statuses.items()}}


def header(**more: Any) -> dict[str, Any]:
    return op(responses={"200": {**OK, "headers": {"X-A": {"schema": TEXT, **more}}}})


OPERATION_CASES: list[OperationCase] = [
    operation(
        "operation deprecated",
        op(),
        op(deprecated=True),
        ("deprecated", "non-breaking", "deprecated"),
        ("undeprecated", "note", "no longer deprecated"),
    ),
    operation(
        "operation described",
        op(summary="a"),
        op(summary="b"),
        ("documentation-changed", "note", "{}: summary was changed"),
        ("documentation-changed", "note", "{}: summary was changed"),
    ),
    # Parameters
    operation(
        "optional parameter",
        op(parameters=[param("a")]),
        op(parameters=[param("q"), param("a")]),
        ("parameter-added", "non-breaking", "the optional query parameter q was added"),
        ("parameter-removed", "breaking", "the query parameter q was removed"),
    ),
    operation(
        "required parameter",
        op(),
        op(parameters=[param(required=True)]),
        ("required-parameter-added", "breaking", "the required query parameter q was added"),
        ("parameter-removed", "breaking", "the query parameter q was removed"),
    ),
    operation(
        "parameter becomes required",
        op(parameters=[param()]),
        op(parameters=[param(required=True)]),
        ("parameter-became-required", "breaking", "the parameter q became required"),
        ("parameter-became-optional", "non-breaking", "the parameter q became optional"),
    ),
    operation(
        "parameter moves",
        op(parameters=[param()]),
        op(parameters=[param(where="header")]),
        ("parameter-moved", "breaking", "the query parameter q moved to header"),
        ("parameter-moved", "breaking", "the header parameter q moved to query"),
    ),
    operation(
        "parameter renamed",
        op(parameters=[param("a")]),
        op(parameters=[param("b")]),
        (
            ("parameter-removed", "breaking", "the query parameter a was removed"),
            ("parameter-added", "non-breaking", "the optional query parameter b was added"),
        ),
        (
            ("parameter-removed", "breaking", "the query parameter b was removed"),
            ("parameter-added", "non-breaking", "the optional query parameter a was added"),
        ),
    ),
    operation("parameters reordered", op(parameters=[param("a"), param("b")]), op(parameters=[param("b"), param("a")])),
    operation(
        "parameter deprecated",
        op(parameters=[param()]),
        op(parameters=[param(deprecated=True)]),
        ("deprecated", "non-breaking", "deprecated"),
        ("undeprecated", "note", "no longer deprecated"),
    ),
    operation(
        "parameter gets a default",
        op(parameters=[param()]),
        op(parameters=[param(schema={**TEXT, "default": "a"})]),
        ("default-added", "breaking", 'parameter q: default "a" was added (sent)'),
        ("default-removed", "breaking", 'parameter q: default "a" was removed (sent)'),
    ),
    operation(
        "parameter's default changes",
        op(parameters=[param(schema={**TEXT, "default": "b"})]),
        op(parameters=[param(schema={**TEXT, "default": "a"})]),
        ("default-changed", "breaking", 'parameter q: default "b" became "a" (sent)'),
        ("default-changed", "breaking", 'parameter q: default "a" became "b" (sent)'),
    ),
    operation(
        "parameter's values",
        op(parameters=[param(schema={**TEXT, "enum": ["a"]})]),
        op(parameters=[param(schema={**TEXT, "enum": ["a", "b"]})]),
        ("enum-value-added", "non-breaking", 'parameter q: the value "b" was added (sent)'),
        ("enum-value-removed", "breaking", 'parameter q: the value "b" was removed (sent)'),
    ),
    operation(
        "parameter's style",
        op(parameters=[param(schema={"type": "array", "items": TEXT})]),
        op(parameters=[param(schema={"type": "array", "items": TEXT}, explode=False)]),
        ("parameter-style-changed", "breaking", "explode of the parameter q was true and is false"),
        ("parameter-style-changed", "breaking", "explode of the parameter q was false and is true"),
    ),
    operation("style said aloud", op(parameters=[param()]), op(parameters=[param(style="form", explode=True)])),
    # Bodies
    operation(
        "optional body",
        op(),
        op(requestBody=body()),
        ("body-added", "non-breaking", "an optional body was added"),
        ("body-removed", "breaking", "the body was removed"),
    ),
    operation(
        "required body",
        op(),
        op(requestBody=body(required=True)),
        ("required-body-added", "breaking", "a required body was added"),
        ("body-removed", "breaking", "the body was removed"),
    ),
    operation(
        "body becomes required",
        op(requestBody=body()),
        op(requestBody=body(required=True)),
        ("body-became-required", "breaking", "the body became required"),
        ("body-became-optional", "non-breaking", "the body became optional"),
    ),
    operation(
        "media type of a body",
        op(requestBody=body()),
        op(requestBody=body("text/plain", "application/json")),
        ("request-media-type-added", "non-breaking", "the media type text/plain was added"),
        ("request-media-type-removed", "breaking", "the media type text/plain was removed"),
    ),
    operation(
        "schema of a body",
        op(requestBody={"content": {"application/json": {}}}),
        op(requestBody=body()),
        ("keyword-added", "breaking", "a schema was added (sent)"),
        ("keyword-removed", "non-breaking", "the schema was removed (sent)"),
    ),
    # Answers
    operation(
        "success",
        op(),
        op(responses=answers(s202=OK)),
        ("success-status-added", "non-breaking", "the status 202 was added"),
        ("success-status-removed", "breaking", "the status 202 was removed"),
    ),
    operation(
        "error",
        op(),
        op(responses=answers(s404=OK)),
        ("error-status-added", "non-breaking", "the status 404 was added"),
        ("error-status-removed", "note", "the status 404 was removed"),
    ),
    operation(
        "an error of its own beside its range", op(responses=answers(s4XX=OK)), op(responses=answers(s4XX=OK, s404=OK))
    ),
    operation(
        "media type of an answer",
        op(responses={"200": {**OK, **body()}}),
        op(responses={"200": {**OK, **body("application/json", "text/plain")}}),
        ("response-media-type-added", "non-breaking", "the media type text/plain was added"),
        ("response-media-type-removed", "breaking", "the media type text/plain was removed"),
    ),
    operation(
        "content of an answer",
        op(),
        op(responses={"200": {**OK, **body()}}),
        ("response-media-type-added", "non-breaking", "the media type application/json was added"),
        ("response-media-type-removed", "breaking", "the media type application/json was removed"),
    ),
    operation(
        "header of an answer",
        op(),
        header(),
        ("header-added", "non-breaking", "the header x-a was added"),
        ("header-removed", "breaking", "the header x-a was removed"),
    ),
    operation(
        "header becomes required",
        header(),
        header(required=True),
        ("header-became-required", "non-breaking", "the header x-a became required"),
        ("header-became-optional", "breaking", "the header x-a became optional"),
    ),
    operation(
        "type of a header",
        header(),
        header(schema=WHOLE),
        ("type-changed", "breaking", "answer 200 header X-A: the type string became integer (received)"),
        ("type-changed", "breaking", "answer 200 header X-A: the type integer became string (received)"),
    ),
    # Security
    operation(
        "another way to authenticate",
        op(security=[{"basic": []}]),
        op(security=[{"bearer": []}, {"basic": []}]),
        ("security-added", "non-breaking", "bearer may be used now"),
        ("security-tightened", "breaking", "bearer does not suffice any more"),
    ),
    operation(
        "two at once",
        op(security=[{"basic": []}]),
        op(security=[{"basic": [], "bearer": []}]),
        ("security-tightened", "breaking", "basic does not suffice any more"),
        ("security-added", "non-breaking", "basic may be used now"),
    ),
    operation(
        "no authentication",
        op(security=[{"basic": []}]),
        op(security=[]),
        ("security-loosened", "non-breaking", "no authentication is needed any more"),
        ("security-tightened", "breaking", "going without authentication does not suffice any more"),
    ),
    operation(
        "scopes",
        op(security=[{"oauth": ["read"]}]),
        op(security=[{"oauth": ["read", "write"]}]),
        ("security-tightened", "breaking", "oauth (read) does not suffice any more"),
        ("security-added", "non-breaking", "oauth (read) may be used now"),
    ),
    operation("security said aloud", op(), op(security=[{"basic": []}])),
    operation(
        "security reordered", op(security=[{"basic": []}, {"bearer": []}]), op(security=[{"bearer": []}, {"basic": []}])
    ),
    operation(
        "server of an operation",
        op(servers=[{"url": "https://a.example"}]),
        op(servers=[{"url": "https://a.example"}, {"url": "https://b.example"}]),
        ("server-added", "non-breaking", "the server https://b.example was added"),
        ("server-removed", "breaking", "the server https://b.example was removed"),
    ),
    operation(
        "what no rule knows",
        op(),
        op(responses={"200": {**OK, "links": {"next": {"operationId": "operation_0"}}}}),
        ("other-added", "non-breaking", "answer 200: links was added"),
        ("other-changed", "breaking", "answer 200: links was removed"),
    ),
]
