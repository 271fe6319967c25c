"""What becomes of installed clients with each of the single changes in `cases.py`, there and back."""

from collections.abc import Mapping

SENT = "nothing: what the client sends is still allowed"
UNSENT = "nothing: the client does not send it"
READ = "nothing: what comes reads as before"
UNFILLED = "nothing: the client fills nothing in"
WORDS = "nothing: words do not travel over the wire"
WORKS = "nothing: it works as before"

Lines = str | tuple[str, ...]
"""What is said of the one change, or of several in the order of their kinds."""

# Of no client that the generator makes, since it warns of one of the two contracts.
LEFT_OUT = ("items added", "media type of a body", "schema of a body")

# One fact, whichever direction one looks from.
TREE = (
    (
        'broken: the service refuses size="text": it wants integer;'
        " in answers degraded: size reads 1 as it came, with a warning"
    ),
    (
        "broken: the service refuses size=1: it wants string;"
        " in answers degraded: size reads 'text' as it came, with a warning"
    ),
)

# By the case's name: there in a request, there in an answer, back in a request, back in an answer.
SCHEMAS: Mapping[str, tuple[Lines, Lines, Lines, Lines]] = {
    "type changed": (
        'broken: the service refuses the body "text": it wants integer',
        "degraded: the answer reads 1 as it came, with a warning",
        "broken: the service refuses the body 1: it wants string",
        "degraded: the answer reads 'text' as it came, with a warning",
    ),
    "number becomes integer": (
        "broken: the service refuses the body 0.25: it wants integer",
        READ,
        SENT,
        "degraded: the answer reads 0.25 as it came, with a warning",
    ),
    "a type joins": (
        SENT,
        "degraded: the answer reads 1 as it came, with a warning",
        "broken: the service refuses the body 1: it wants string",
        READ,
    ),
    "type added": (
        "broken: the service refuses the body 1: it wants string",
        "nothing: the client reads no body of this operation",
        SENT,
        "degraded: the answer reads 1 as it came, with a warning",
    ),
    "null joins the type": (SENT, "degraded: the answer reads None, with a warning", UNSENT, READ),
    "null joins an enum": (SENT, "degraded: the answer reads None, with a warning", UNSENT, READ),
    "a value joins": (
        SENT,
        "tolerated: the answer reads as the unknown value 'c' (is_known is False)",
        'broken: the service refuses the body "c": it allows "a", "b"',
        READ,
    ),
    "one value for another": (
        (SENT, 'broken: the service refuses the body "b": it allows "a", "c"'),
        ("tolerated: the answer reads as the unknown value 'c' (is_known is False)", READ),
        (SENT, 'broken: the service refuses the body "c": it allows "a", "b"'),
        ("tolerated: the answer reads as the unknown value 'b' (is_known is False)", READ),
    ),
    "enum added": (
        'broken: the service refuses the body "text": it allows "a"',
        READ,
        SENT,
        "tolerated: the answer reads as the unknown value 'text' (is_known is False)",
    ),
    "const becomes a wider enum": (
        SENT,
        "degraded: the answer reads 'b' as it came, with a warning",
        'broken: the service refuses the body "b": it allows "a"',
        READ,
    ),
    "const changed": (
        (SENT, "broken: the service refuses the body 1: it allows 2"),
        ("degraded: the answer reads 2 as it came, with a warning", READ),
        (SENT, "broken: the service refuses the body 2: it allows 1"),
        ("degraded: the answer reads 1 as it came, with a warning", READ),
    ),
    "maxLength tightened": ('broken: the service refuses the body "textt": it wants maxLength 3', READ, SENT, READ),
    "maxLength added": ('broken: the service refuses the body "text": it wants maxLength 3', READ, SENT, READ),
    "minLength tightened": ('broken: the service refuses the body "t": it wants minLength 2', READ, SENT, READ),
    "minLength added": ('broken: the service refuses the body "t": it wants minLength 2', READ, SENT, READ),
    "maxItems tightened": (
        'broken: the service refuses the body ["text", "text", "text", "text", "text"]: it wants maxItems 3',
        READ,
        SENT,
        READ,
    ),
    "maxItems added": (
        'broken: the service refuses the body ["text", "text", "text", "text"]: it wants maxItems 3',
        READ,
        SENT,
        READ,
    ),
    "minItems tightened": ('broken: the service refuses the body ["text"]: it wants minItems 2', READ, SENT, READ),
    "minItems added": ('broken: the service refuses the body ["text"]: it wants minItems 2', READ, SENT, READ),
    "maxProperties tightened": (
        'broken: the service refuses the body {"somethingNew0": "text", "somethingN...: it wants maxProperties 3',
        READ,
        SENT,
        READ,
    ),
    "maxProperties added": (
        'broken: the service refuses the body {"somethingNew0": "text", "somethingN...: it wants maxProperties 3',
        READ,
        SENT,
        READ,
    ),
    "minProperties tightened": (
        'broken: the service refuses the body {"somethingNew0": "text"}: it wants minProperties 2',
        READ,
        SENT,
        READ,
    ),
    "minProperties added": ("broken: the service refuses the body {}: it wants minProperties 2", READ, SENT, READ),
    "maximum tightened": ("broken: the service refuses the body 10: it wants maximum 9.5", READ, SENT, READ),
    "maximum added": ("broken: the service refuses the body 10: it wants maximum 9.5", READ, SENT, READ),
    "minimum tightened": ("broken: the service refuses the body 0.5: it wants minimum 1", READ, SENT, READ),
    "minimum added": ("broken: the service refuses the body 0.5: it wants minimum 1", READ, SENT, READ),
    "exclusiveMaximum tightened": (
        "broken: the service refuses the body 9: it wants exclusiveMaximum 9",
        READ,
        SENT,
        READ,
    ),
    "exclusiveMaximum added": ("broken: the service refuses the body 9: it wants exclusiveMaximum 9", READ, SENT, READ),
    "exclusiveMinimum tightened": (
        "broken: the service refuses the body 1: it wants exclusiveMinimum 1",
        READ,
        SENT,
        READ,
    ),
    "exclusiveMinimum added": ("broken: the service refuses the body 1: it wants exclusiveMinimum 1", READ, SENT, READ),
    "multipleOf tightened": ("broken: the service refuses the body 5: it wants multipleOf 10", READ, SENT, READ),
    "multipleOf added": ("broken: the service refuses the body 1: it wants multipleOf 10", READ, SENT, READ),
    "a bound becomes exclusive": (
        "broken: the service refuses the body 0: it wants exclusiveMinimum 0",
        READ,
        SENT,
        READ,
    ),
    "multipleOf neither way": (
        "broken: the service refuses the body 4: it wants multipleOf 6",
        READ,
        "broken: the service refuses the body 6: it wants multipleOf 4",
        READ,
    ),
    "uniqueItems": (
        'broken: the service refuses the body ["text", "text"]: its items have to be unique',
        READ,
        SENT,
        READ,
    ),
    "pattern added": ('broken: the service refuses the body "text": it wants pattern "^a"', READ, SENT, READ),
    "pattern changed": (
        'broken: the service refuses the body "a": it wants pattern "^b"',
        READ,
        'broken: the service refuses the body "b": it wants pattern "^a"',
        READ,
    ),
    "format added": (
        'broken: the service refuses the body "text": it wants format "date-time"',
        READ,
        SENT,
        "degraded: the answer reads 'text' as it came, with a warning",
    ),
    "format changed": (
        'broken: the service refuses the body "2025-06-30": it wants format "date-time"',
        "degraded: the answer reads '2025-06-30T15:15:27.153Z' as it came, with a warning",
        'broken: the service refuses the body "2025-06-30T15:15:27.153000+00:00": it wants format "date"',
        READ,
    ),
    "format wider": (
        SENT,
        READ,
        'broken: the service refuses the body -9223372036854775808: it wants format "int32"',
        READ,
    ),
    "contentEncoding changed": (
        "broken: not tried, since no value was found that only the old contract allows; look",
        READ,
        "broken: not tried, since no value was found that only the old contract allows; look",
        READ,
    ),
    "optional property added": (
        SENT,
        "tolerated: b is kept in additional_properties",
        "degraded: b is no longer read",
        "degraded: b reads None, since it comes no more",
    ),
    "required property added": (
        "broken: the service refuses what lacks b, which it demands",
        "tolerated: b is kept in additional_properties",
        "degraded: b is no longer read",
        "degraded: b reads None, with a warning",
    ),
    "property added where no other was allowed": (
        SENT,
        "degraded: b is passed over, with a warning",
        "broken: the service refuses b, which it does not know",
        "degraded: b reads None, since it comes no more",
    ),
    "property becomes required": (
        "broken: the service refuses what lacks b, which it demands",
        READ,
        SENT,
        "degraded: b reads None, with a warning",
    ),
    "required appears": (
        "broken: the service refuses what lacks a, which it demands",
        READ,
        SENT,
        "degraded: a reads None, with a warning",
    ),
    "closed": (UNSENT, READ, SENT, "degraded: any other property is passed over, with a warning"),
    "other properties of one schema": (
        (
            'broken: the service refuses the body {"somethingNew": 1}:'
            " any other properties became other properties of one schema"
        ),
        READ,
        SENT,
        "degraded: any other property reads 1 as it came, with a warning",
    ),
    "an alternative joins oneOf": (
        SENT,
        "degraded: the answer reads 'text' as it came, with a warning",
        'broken: the service refuses the body "text": it is none of the alternatives',
        READ,
    ),
    "a component joins anyOf": (
        SENT,
        "degraded: the answer reads an object as it came, with a warning",
        'broken: the service refuses the body {"bark": "text"}: it is none of the alternatives',
        READ,
    ),
    "allOf demands more": (
        "broken: the service refuses what lacks b, which it demands",
        READ,
        SENT,
        "degraded: b reads None, with a warning",
    ),
    "not added": ('broken: the service refuses the body "a": not was added', READ, SENT, READ),
    "patternProperties changed": (
        'broken: the service refuses the body {"x": "text"}: patternProperties was changed',
        READ,
        'broken: the service refuses the body {"x": 1}: patternProperties was changed',
        READ,
    ),
    "null joins by oneOf": (SENT, "tolerated: p reads None, as when it is left out", UNSENT, READ),
    "null joins by anyOf": (SENT, "tolerated: p reads None, as when it is left out", UNSENT, READ),
    "default added": (
        'degraded: to leave out p means "a" now',
        UNFILLED,
        'nothing: the client sends its own default, p="a"',
        UNFILLED,
    ),
    "default changed": (
        'nothing: the client sends its own default, p="a"',
        UNFILLED,
        'nothing: the client sends its own default, p="b"',
        UNFILLED,
    ),
    "property deprecated": (WORKS, WORKS, WORKS, WORKS),
    "other properties of another schema": (
        'broken: the service refuses any other property="text": it wants integer',
        "degraded: any other property reads 1 as it came, with a warning",
        "broken: the service refuses any other property=1: it wants string",
        "degraded: any other property reads 'text' as it came, with a warning",
    ),
    "a type becomes one of two": (
        SENT,
        "degraded: p reads 1 as it came, with a warning",
        "broken: the service refuses p=1: it wants string",
        READ,
    ),
    "an alternative changed": (
        'broken: the service refuses the body ["text", "text", "text", "text", "text"]: it wants maxItems 3',
        READ,
        SENT,
        READ,
    ),
    "another reference": (
        'broken: the service refuses p="text": it wants integer',
        "degraded: p reads 1 as it came, with a warning",
        "broken: the service refuses p=1: it wants string",
        "degraded: p reads 'text' as it came, with a warning",
    ),
    "changed behind a reference that leads back": (TREE[0], TREE[0], TREE[1], TREE[1]),
    "property far below": (
        'broken: the service refuses b[0]="text": it wants integer',
        "degraded: b[0] reads 1 as it came, with a warning",
        "broken: the service refuses b[0]=1: it wants string",
        "degraded: b[0] reads 'text' as it came, with a warning",
    ),
    "examples": (WORDS, WORDS, WORDS, WORDS),
    "description": (WORDS, WORDS, WORDS, WORDS),
}

# By the case's name: there, back.
OPERATIONS: Mapping[str, tuple[Lines, Lines]] = {
    "operation deprecated": (WORKS, WORKS),
    "optional parameter": (UNSENT, "degraded: q is no longer read"),
    "required parameter": (
        "broken: the service demands the query parameter q, which the client does not send",
        "degraded: q is no longer read",
    ),
    "parameter becomes required": (
        "broken: the service demands the query parameter q, which the client may leave out",
        SENT,
    ),
    "parameter moves": ("degraded: q is no longer read", "degraded: q is no longer read"),
    "parameter renamed": (
        (UNSENT, "degraded: a is no longer read"),
        (UNSENT, "degraded: b is no longer read"),
    ),
    "parameter deprecated": (WORKS, WORKS),
    "parameter's style": ('broken: the service reads q=["text", "text"] as ["text"]', SENT),
    "optional body": ("nothing: the client sends none", "degraded: the body is no longer read"),
    "required body": (
        "broken: the service demands a body, which the client does not send",
        "degraded: the body is no longer read",
    ),
    "body becomes required": ("broken: the service demands a body, which the client may leave out", SENT),
    "success": ("tolerated: a 202 is taken like any 2xx", "nothing: the client waits for no status but any 2xx"),
    "error": (
        "tolerated: a 404 raises NotFoundError, like any error that no contract lists",
        "nothing: no client waits for an error",
    ),
    "media type of an answer": (
        "nothing: the client goes on asking for application/json",
        "nothing: the client reads JSON alone",
    ),
    "content of an answer": (
        "nothing: the client reads no body of this operation",
        "broken: APIResponseValidationError: operation_23 was answered with status 200 and no JSON: the body is empty",
    ),
    "header of an answer": (
        "nothing: the client does not read it",
        "nothing: the client does not read the header x-a here",
    ),
    "header becomes required": (READ, "nothing: the client does not read the header x-a here"),
    "another way to authenticate": (
        "nothing: the credentials that sufficed still do",
        "broken: the service refuses Bearer credentials",
    ),
    "two at once": ("broken: the service refuses Basic credentials", "nothing: the credentials that sufficed still do"),
    "no authentication": (
        "nothing: the credentials that sufficed still do",
        "broken: the service refuses Bearer credentials",
    ),
    "scopes": ("broken: the service refuses Bearer credentials", "nothing: the credentials that sufficed still do"),
    "server of an operation": (
        "nothing: the client goes on calling the address that it has",
        (
            "degraded: nobody answers clients that were given https://b.example as base_url;"
            " https://api.cloud.scenario.com/v1 is their default"
        ),
    ),
    "parameter gets a default": (
        'degraded: to leave out q means "a" now',
        'nothing: the client sends its own default, q="a"',
    ),
    "parameter's default changes": (
        'nothing: the client sends its own default, q="b"',
        'nothing: the client sends its own default, q="a"',
    ),
    "parameter's values": (SENT, 'broken: the service refuses q="b": it allows "a"'),
    "type of a header": (
        "nothing: the client does not read the header x-a",
        "nothing: the client does not read the header x-a",
    ),
    "operation described": (WORDS, WORDS),
    "what no rule knows": (
        "nothing: not tried; no rule knows it, and no client of the old contract does",
        "degraded: not tried, since nothing here knows what it means; look",
    ),
}
