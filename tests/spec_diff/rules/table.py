"""A pair for each rule that oasdiff has for JSON over HTTP, in both directions.

A rule there is named after a place and what became of it, as `request-property-max-decreased`. A family here is what
became of a schema, there and back, and is tried at every place; oasdiff has most of them at most places. Left out is
what no contract of JSON over HTTP says: sunset dates, stability levels, `x-extensible-enum`, item schemas of streams.
"""

from __future__ import annotations

from typing import Any

import attrs

from tests.spec_diff.rules.kinds import ANY, IN, NUMBER, OUT, TEXT, WHOLE, both, obj

PLACES = (
    "request-body",
    "request-property",
    "request-parameter",
    "request-parameter-property",
    "response-body",
    "response-property",
    "response-header",
)
LIST: dict[str, Any] = {"type": "array", "items": TEXT}
OBJECT = obj(a=TEXT, b=TEXT)


@attrs.frozen
class Family:
    """What becomes of a schema, there and back: names, schemas, our rules, and letters as in `kinds`."""

    there: str
    back: str
    old: Any
    new: Any
    rules: tuple[str, str]
    verdicts: str


def bound(word: str, keyword: str, base: Any, loose: Any, tight: Any) -> list[Family]:
    """Return the families of a bound: moved, and there at all."""
    low = word.startswith(("min", "exclusive-min"))
    moved = ("increased", "decreased") if low else ("decreased", "increased")
    rules = ("limit-narrowed", "limit-widened")
    return [
        Family(
            f"{word}-{moved[0]}", f"{word}-{moved[1]}", {**base, keyword: loose}, {**base, keyword: tight}, rules, IN
        ),
        Family(f"{word}-set", f"{word}-unset", base, {**base, keyword: tight}, rules, IN),
    ]


def keyword(
    word: str, base: Any, name: str, value: Any, changed: Any = None, rules: Any = ("keyword-added", "keyword-removed")
) -> list[Family]:
    """Return the families of a keyword: there at all, and another one."""
    families = [Family(f"{word}-added", f"{word}-removed", base, {**base, name: value}, rules, IN)]
    if changed is not None:
        old, new = {**base, name: value}, {**base, name: changed}
        families.append(Family(f"{word}-changed", f"{word}-changed-back", old, new, ("keyword-changed",) * 2, ANY))
    return families


FAMILIES: list[Family] = [
    *bound("max", "maximum", NUMBER, 10, 5),
    *bound("min", "minimum", NUMBER, 1, 5),
    *bound("exclusive-max", "exclusiveMaximum", NUMBER, 10, 5),
    *bound("exclusive-min", "exclusiveMinimum", NUMBER, 1, 5),
    *bound("max-length", "maxLength", TEXT, 10, 5),
    *bound("min-length", "minLength", TEXT, 1, 5),
    *bound("max-items", "maxItems", LIST, 10, 5),
    *bound("min-items", "minItems", LIST, 1, 5),
    *bound("max-properties", "maxProperties", OBJECT, 10, 5),
    *bound("min-properties", "minProperties", OBJECT, 1, 5),
    *bound("max-contains", "maxContains", {**LIST, "contains": TEXT}, 10, 5),
    *bound("min-contains", "minContains", {**LIST, "contains": TEXT}, 2, 5),
    Family(
        "unique-items-set",
        "unique-items-unset",
        LIST,
        {**LIST, "uniqueItems": True},
        ("limit-narrowed", "limit-widened"),
        IN,
    ),
    Family(
        "multiple-of-set",
        "multiple-of-unset",
        NUMBER,
        {**NUMBER, "multipleOf": 2},
        ("limit-narrowed", "limit-widened"),
        IN,
    ),
    Family(
        "multiple-of-specialized",
        "multiple-of-generalized",
        {**NUMBER, "multipleOf": 2},
        {**NUMBER, "multipleOf": 6},
        ("limit-narrowed", "limit-widened"),
        IN,
    ),
    Family(
        "multiple-of-changed",
        "multiple-of-changed-back",
        {**NUMBER, "multipleOf": 4},
        {**NUMBER, "multipleOf": 6},
        ("limit-changed",) * 2,
        ANY,
    ),
    Family(
        "pattern-added",
        "pattern-removed",
        TEXT,
        {**TEXT, "pattern": "^a"},
        ("pattern-added", "pattern-removed"),
        "Bnnn",
    ),
    Family(
        "pattern-changed",
        "pattern-changed-back",
        {**TEXT, "pattern": "^a"},
        {**TEXT, "pattern": "^b"},
        ("pattern-changed",) * 2,
        ANY,
    ),
    Family("became-enum", "became-any-value", TEXT, {**TEXT, "enum": ["a"]}, ("enum-added", "enum-removed"), IN),
    Family(
        "enum-value-added",
        "enum-value-removed",
        {**TEXT, "enum": ["a"]},
        {**TEXT, "enum": ["a", "b"]},
        ("enum-value-added", "enum-value-removed"),
        OUT,
    ),
    Family("const-added", "const-removed", TEXT, {**TEXT, "const": "a"}, ("enum-added", "enum-removed"), IN),
    Family(
        "const-changed",
        "const-changed-back",
        {**TEXT, "const": "a"},
        {**TEXT, "const": "b"},
        ("enum-value-added enum-value-removed",) * 2,
        ANY,
    ),
    Family(
        "default-value-added",
        "default-value-removed",
        TEXT,
        {**TEXT, "default": "a"},
        ("default-added", "default-removed"),
        "BBnn",
    ),
    Family(
        "default-value-changed",
        "default-value-changed-back",
        {**TEXT, "default": "a"},
        {**TEXT, "default": "b"},
        ("default-changed",) * 2,
        "BBnn",
    ),
    Family(
        "became-nullable",
        "became-not-nullable",
        TEXT,
        {"type": ["string", "null"]},
        ("null-added", "null-removed"),
        OUT,
    ),
    Family("type-changed", "type-changed-back", TEXT, WHOLE, ("type-changed",) * 2, ANY),
    Family("type-generalized", "type-specialized", WHOLE, NUMBER, ("type-widened", "type-narrowed"), OUT),
    Family(
        "list-of-types-widened",
        "list-of-types-narrowed",
        {"type": ["string", "integer"]},
        {"type": ["string", "integer", "boolean"]},
        ("type-widened", "type-narrowed"),
        OUT,
    ),
    Family(
        "format-changed",
        "format-changed-back",
        {**TEXT, "format": "uuid"},
        {**TEXT, "format": "uri"},
        ("format-changed",) * 2,
        ANY,
    ),
    Family(
        "any-of-added",
        "any-of-removed",
        {"anyOf": [OBJECT, LIST]},
        {"anyOf": [OBJECT, LIST, NUMBER]},
        ("alternative-added", "alternative-removed"),
        OUT,
    ),
    Family(
        "one-of-added",
        "one-of-removed",
        {"oneOf": [OBJECT, LIST]},
        {"oneOf": [OBJECT, LIST, NUMBER]},
        ("alternative-added", "alternative-removed"),
        OUT,
    ),
    Family(
        "wrapped-in-one-of-original-preserved",
        "unwrapped",
        OBJECT,
        {"oneOf": [OBJECT, LIST]},
        ("alternative-added", "alternative-removed"),
        OUT,
    ),
    Family(
        "all-of-added",
        "all-of-removed",
        both(OBJECT),
        both(OBJECT, {"required": ["a"]}),
        ("property-became-required", "property-became-optional"),
        IN,
    ),
    Family(
        "all-of-added-annotation-only",
        "all-of-removed-annotation-only",
        both(OBJECT),
        both(OBJECT, {"description": "x"}),
        ("", ""),
        "----",
    ),
    Family(
        "became-closed",
        "became-open",
        OBJECT,
        {**OBJECT, "additionalProperties": False},
        ("additional-properties-narrowed", "additional-properties-widened"),
        IN,
    ),
    *keyword("prefix-items", {"type": "array"}, "prefixItems", [TEXT]),
    Family(
        "then-added",
        "then-removed",
        {**OBJECT, "if": {"required": ["a"]}},
        {**OBJECT, "if": {"required": ["a"]}, "then": {"required": ["b"]}},
        ("keyword-added", "keyword-removed"),
        IN,
    ),
    Family(
        "else-added",
        "else-removed",
        {**OBJECT, "if": {"required": ["a"]}},
        {**OBJECT, "if": {"required": ["a"]}, "else": {"required": ["b"]}},
        ("keyword-added", "keyword-removed"),
        IN,
    ),
    *keyword("contains", {"type": "array"}, "contains", TEXT),
    *keyword("dependent-required", OBJECT, "dependentRequired", {"a": ["b"]}, {"b": ["a"]}),
    *keyword("dependent-schema", OBJECT, "dependentSchemas", {"a": {"required": ["b"]}}),
    *keyword("pattern-property", {"type": "object"}, "patternProperties", {"^x": TEXT}),
    *keyword("property-names", OBJECT, "propertyNames", {"maxLength": 5}),
    *keyword("unevaluated-items", {"type": "array", "prefixItems": [TEXT]}, "unevaluatedItems", WHOLE),
    *keyword("unevaluated-properties", OBJECT, "unevaluatedProperties", TEXT),
    *keyword("content-schema", TEXT, "contentSchema", OBJECT),
    *keyword("content-media-type", TEXT, "contentMediaType", "image/png", "image/gif"),
    *keyword("content-encoding", TEXT, "contentEncoding", "base64", "base32"),
    *keyword("not", TEXT, "not", {"const": "a"}, {"const": "b"}),
    Family(
        "discriminator-added",
        "discriminator-removed",
        obj("k", k=TEXT),
        {**obj("k", k=TEXT), "discriminator": {"propertyName": "k"}},
        ("keyword-added", "keyword-removed"),
        IN,
    ),
    Family(
        "discriminator-property-name-changed",
        "discriminator-property-name-changed-back",
        {**obj("k", "l", k=TEXT, l=TEXT), "discriminator": {"propertyName": "k"}},
        {**obj("k", "l", k=TEXT, l=TEXT), "discriminator": {"propertyName": "l"}},
        ("keyword-changed",) * 2,
        ANY,
    ),
    Family(
        "property-deprecated",
        "property-reactivated",
        TEXT,
        {**TEXT, "deprecated": True},
        ("deprecated", "undeprecated"),
        "nnnn",
    ),
    Family(
        "new-optional-property",
        "optional-property-removed",
        obj(a=TEXT),
        obj(a=TEXT, b=TEXT),
        ("property-added", "property-removed"),
        "nBnB",
    ),
    Family(
        "new-required-property",
        "required-property-removed",
        obj(a=TEXT),
        obj("b", a=TEXT, b=TEXT),
        ("required-property-added", "required-property-removed"),
        "BBnB",
    ),
    Family(
        "property-became-required",
        "property-became-optional",
        obj(a=TEXT),
        obj("a", a=TEXT),
        ("property-became-required", "property-became-optional"),
        IN,
    ),
    Family(
        "property-became-required-with-default",
        "property-became-optional-with-default",
        obj(a={**TEXT, "default": "x"}),
        obj("a", a={**TEXT, "default": "x"}),
        ("property-became-required", "property-became-optional"),
        IN,
    ),
    Family(
        "optional-property-became-read-only",
        "optional-property-became-not-read-only",
        obj(a=TEXT),
        obj(a={**TEXT, "readOnly": True}),
        ("access-changed",) * 2,
        ANY,
    ),
    Family(
        "optional-property-became-write-only",
        "optional-property-became-not-write-only",
        obj(a=TEXT),
        obj(a={**TEXT, "writeOnly": True}),
        ("access-changed",) * 2,
        ANY,
    ),
    Family(
        "required-property-became-read-only",
        "required-property-became-not-read-only",
        obj("a", a=TEXT),
        obj("a", a={**TEXT, "readOnly": True}),
        ("access-changed",) * 2,
        ANY,
    ),
    Family(
        "required-property-became-write-only",
        "required-property-became-not-write-only",
        obj("a", a=TEXT),
        obj("a", a={**TEXT, "writeOnly": True}),
        ("access-changed",) * 2,
        ANY,
    ),
    Family(
        "read-only-property-max-decreased",
        "read-only-property-max-increased",
        obj(a={**NUMBER, "readOnly": True, "maximum": 9}),
        obj(a={**NUMBER, "readOnly": True, "maximum": 5}),
        ("limit-narrowed", "limit-widened"),
        "--nB",
    ),
    Family(
        "read-only-property-enum-value-removed",
        "read-only-property-enum-value-added",
        obj(a={"enum": ["a", "b"], "readOnly": True}),
        obj(a={"enum": ["a"], "readOnly": True}),
        ("enum-value-removed", "enum-value-added"),
        "--nB",
    ),
    Family(
        "write-only-property-enum-value-added",
        "write-only-property-enum-value-removed",
        obj(a={"enum": ["a"], "writeOnly": True}),
        obj(a={"enum": ["a", "b"], "writeOnly": True}),
        ("enum-value-added", "enum-value-removed"),
        "nB--",
    ),
    Family(
        "optional-write-only-property-added",
        "optional-write-only-property-removed",
        obj(a=TEXT),
        obj(a=TEXT, b={**TEXT, "writeOnly": True}),
        ("property-added", "property-removed"),
        "nB--",
    ),
    Family(
        "required-write-only-property-added",
        "required-write-only-property-removed",
        obj(a=TEXT),
        obj("b", a=TEXT, b={**TEXT, "writeOnly": True}),
        ("required-property-added", "required-property-removed"),
        "BB--",
    ),
    Family(
        "write-only-property-became-required",
        "write-only-property-became-optional",
        obj(a={**TEXT, "writeOnly": True}),
        obj("a", a={**TEXT, "writeOnly": True}),
        ("property-became-required", "property-became-optional"),
        "Bn--",
    ),
]


@attrs.frozen
class Part:
    """A change of a part of a contract, there and back: names, halves, our rules, and a letter for each."""

    there: str
    back: str
    old: Any
    new: Any
    rules: tuple[str, str]
    verdicts: str


OK = {"description": "ok"}


def op(**more: Any) -> dict[str, Any]:
    """Return an operation."""
    return {"responses": {"200": OK}, **more}


def param(where: str = "query", schema: Any = TEXT, **more: Any) -> dict[str, Any]:
    """Return an operation with a parameter."""
    return op(parameters=[{"name": "q", "in": where, "schema": schema, **more}])


def sent(*media_types: str, schema: Any = TEXT, **more: Any) -> dict[str, Any]:
    """Return an operation with a body."""
    content = {name: {} if schema is None else {"schema": schema} for name in media_types or ("application/json",)}
    return op(requestBody={"content": content, **more})


def received(*media_types: str, schema: Any = TEXT) -> dict[str, Any]:
    """Return an operation that answers with a body."""
    return op(
        responses={
            "200": {**OK, "content": {name: {} if schema is None else {"schema": schema} for name in media_types}}
        }
    )


def answers(*statuses: str) -> dict[str, Any]:
    """Return an operation with some answers."""
    return op(responses={"200": OK, **dict.fromkeys(statuses, OK)})


def header(**more: Any) -> dict[str, Any]:
    """Return an operation that answers with a header."""
    return op(responses={"200": {**OK, "headers": {"X-A": {"schema": TEXT, **more}}}})


def secured(*ways: Any) -> dict[str, Any]:
    """Return an operation that asks for credentials."""
    return op(security=list(ways))


PARTS: list[Part] = [
    Part(
        "endpoint-deprecated", "endpoint-reactivated", op(), op(deprecated=True), ("deprecated", "undeprecated"), "nn"
    ),
    Part(
        "endpoint-added", "api-removed-without-deprecation", None, op(), ("operation-added", "operation-removed"), "nB"
    ),
    Part(
        "api-operation-id-added",
        "api-operation-id-removed",
        op(operationId="a"),
        op(operationId="b"),
        ("operationId-changed",) * 2,
        "BB",
    ),
    Part("api-tag-added", "api-tag-removed", op(), op(tags=["a"]), ("documentation-changed",) * 2, "nn"),
    Part("request-body-added-optional", "request-body-removed", op(), sent(), ("body-added", "body-removed"), "nB"),
    Part(
        "request-body-added-required",
        "required-request-body-removed",
        op(),
        sent(required=True),
        ("required-body-added", "body-removed"),
        "BB",
    ),
    Part(
        "request-body-became-required",
        "request-body-became-optional",
        sent(),
        sent(required=True),
        ("body-became-required", "body-became-optional"),
        "Bn",
    ),
    Part(
        "request-body-media-type-added",
        "request-body-media-type-removed",
        sent(),
        sent("application/json", "text/plain"),
        ("request-media-type-added", "request-media-type-removed"),
        "nB",
    ),
    Part(
        "request-body-media-type-schema-added",
        "request-body-media-type-schema-removed",
        sent(schema=None),
        sent(),
        ("keyword-added", "keyword-removed"),
        "Bn",
    ),
    Part(
        "response-body-media-type-schema-added",
        "response-body-media-type-schema-removed",
        received("application/json", schema=None),
        received("application/json"),
        ("keyword-added", "keyword-removed"),
        "nB",
    ),
    Part(
        "response-media-type-added",
        "response-media-type-removed",
        received("application/json"),
        received("application/json", "text/plain"),
        ("response-media-type-added", "response-media-type-removed"),
        "nB",
    ),
    Part(
        "response-media-type-name-specialized",
        "response-media-type-name-generalized",
        received("application/*"),
        received("application/json"),
        ("", "response-media-type-added response-media-type-removed"),
        "-B",
    ),
    Part(
        "response-media-type-name-changed",
        "response-media-type-name-changed-back",
        received("application/json; v=1"),
        received("application/json; v=2"),
        ("response-media-type-added response-media-type-removed",) * 2,
        "BB",
    ),
    Part(
        "response-success-status-added",
        "response-success-status-removed",
        op(),
        answers("202"),
        ("success-status-added", "success-status-removed"),
        "nB",
    ),
    Part(
        "response-non-success-status-added",
        "response-non-success-status-removed",
        op(),
        answers("404"),
        ("error-status-added", "error-status-removed"),
        "nn",
    ),
    Part(
        "response-header-added",
        "optional-response-header-removed",
        op(),
        header(),
        ("header-added", "header-removed"),
        "nB",
    ),
    Part(
        "required-response-header-added",
        "required-response-header-removed",
        op(),
        header(required=True),
        ("header-added", "header-removed"),
        "nB",
    ),
    Part(
        "response-header-became-required",
        "response-header-became-optional",
        header(),
        header(required=True),
        ("header-became-required", "header-became-optional"),
        "nB",
    ),
    Part(
        "new-optional-request-parameter",
        "request-parameter-removed",
        op(),
        param(),
        ("parameter-added", "parameter-removed"),
        "nB",
    ),
    Part(
        "new-required-request-parameter",
        "required-request-parameter-removed",
        op(),
        param(required=True),
        ("required-parameter-added", "parameter-removed"),
        "BB",
    ),
    Part(
        "new-optional-request-header",
        "request-header-removed",
        op(),
        param("header"),
        ("parameter-added", "parameter-removed"),
        "nB",
    ),
    Part(
        "new-required-request-cookie",
        "request-cookie-removed",
        op(),
        param("cookie", required=True),
        ("required-parameter-added", "parameter-removed"),
        "BB",
    ),
    Part(
        "request-parameter-became-required",
        "request-parameter-became-optional",
        param(),
        param(required=True),
        ("parameter-became-required", "parameter-became-optional"),
        "Bn",
    ),
    Part(
        "request-parameter-deprecated",
        "request-parameter-reactivated",
        param(),
        param(deprecated=True),
        ("deprecated", "undeprecated"),
        "nn",
    ),
    Part(
        "request-parameter-moved",
        "request-parameter-moved-back",
        param(),
        param("header"),
        ("parameter-moved",) * 2,
        "BB",
    ),
    Part(
        "request-parameter-style-changed",
        "request-parameter-style-changed-back",
        param(schema=LIST),
        param(schema=LIST, explode=False),
        ("parameter-style-changed",) * 2,
        "BB",
    ),
    Part(
        "api-security-added",
        "api-security-removed",
        secured({"basic": []}),
        secured({"basic": []}, {"bearer": []}),
        ("security-added", "security-tightened"),
        "nB",
    ),
    Part(
        "api-security-updated",
        "api-security-updated-back",
        secured({"basic": []}),
        secured({"bearer": []}),
        ("security-added security-tightened",) * 2,
        "BB",
    ),
    Part(
        "api-security-scope-added",
        "api-security-scope-removed",
        secured({"oauth": ["r"]}),
        secured({"oauth": ["r", "w"]}),
        ("security-tightened", "security-added"),
        "Bn",
    ),
    Part(
        "security-no-longer-needed",
        "security-needed",
        secured({"basic": []}),
        op(security=[]),
        ("security-loosened", "security-tightened"),
        "nB",
    ),
    Part(
        "server-added",
        "server-removed",
        op(servers=[{"url": "https://a.example"}]),
        op(servers=[{"url": "https://a.example"}, {"url": "https://b.example"}]),
        ("server-added", "server-removed"),
        "nB",
    ),
]
