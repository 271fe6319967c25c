"""What a validator says of values is what the comparison says of schemas.

Of random pairs of schemas: where the old one takes a value that the new one refuses, the change is breaking for who
sends it, and the other way round for who receives it. Two things are judged by what people mean, as the policy says: a
property that joins an open object breaks nobody, and a pattern that goes breaks no reader.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # has no types of its own

from tests.spec_diff.rules.runner import Pair, make_documents, place_schema
from tools.contract.document import Contract
from tools.spec_diff.policy import read_policy
from tools.spec_diff.wire.operations import compare

TEXT, WHOLE = {"type": "string"}, {"type": "integer"}
PARTS: tuple[Any, ...] = (
    *(TEXT, WHOLE, {}, True, False, {"type": ["string", "null"]}, {"const": 1}, {"enum": ["a", "b", None]}),
    *({**TEXT, "minLength": 2}, {**TEXT, "pattern": "^a"}, {**WHOLE, "minimum": 2}, {"not": WHOLE}, {"not": True}),
)
KEYWORDS: dict[str, dict[str, tuple[Any, ...]]] = {
    "object": {
        "properties": tuple({name: part} for name in ("a", "b") for part in PARTS),
        "required": (["a"], ["a", "b"], ["x"]),
        "additionalProperties": (False, True, TEXT, WHOLE),
        "patternProperties": ({"^x": TEXT}, {"^x": {}}),
        "propertyNames": ({"maxLength": 1},),
        "maxProperties": (1, 2),
        "dependentRequired": ({"a": ["b"]},),
        "unevaluatedProperties": (False,),
    },
    "array": {
        "items": PARTS,
        "prefixItems": (*([part] for part in PARTS), [TEXT, WHOLE], [WHOLE, {}]),
        "contains": PARTS,
        "maxContains": (1, 2),
        "minItems": (0, 1, 2),
        "uniqueItems": (True, False),
        "unevaluatedItems": (False,),
    },
    "string": {"minLength": (1, 2), "maxLength": (1, 2), "pattern": ("^a", "b$"), "enum": (["a"], ["a", "ab"])},
    "integer": {"minimum": (0, 2), "exclusiveMaximum": (2, 3), "multipleOf": (1, 2, 3), "const": (1, 2)},
}
AROUND: tuple[Callable[[Any, Any], dict[str, Any]], ...] = (
    *(lambda one, _: one,) * 5,
    lambda one, other: {"oneOf": [one, other]},
    lambda one, other: {"oneOf": [other, {"const": 1}, one]},
    lambda one, other: {"anyOf": [other, one]},
    lambda one, other: {"allOf": [one, other]},
    lambda one, other: {**other, "allOf": [one], "unevaluatedItems": False},
    lambda one, other: {"if": other, "then": one, "else": False},
    lambda one, other: {"if": one, "else": other, "unevaluatedProperties": False},
    lambda one, _: {"not": one},
)
"""What a schema is a part of."""
VALUES: tuple[Any, ...] = (
    *(None, True, 0, 1, 2, 3, 6, 0.5, "", "a", "b", "ab", "xyz"),
    *([], ["a"], ["b", "b"], [1], [1, 2], ["ab", 1], ["a", 1, "a"], [None], [3, 3, 3]),
    *({}, {"a": "a"}, {"a": 1}, {"b": 2}, {"a": "ab", "b": 1}, {"x": "a"}, {"x": 1}, {"xy": "b", "a": None}),
)


def make_schema(random: Random, kind: str) -> dict[str, Any]:
    return {key: random.choice(values) for key, values in KEYWORDS[kind].items() if random.random() < 0.4}


def make_pair(random: Random) -> tuple[Any, Any]:
    """Return a schema, and one that differs in two keywords at the most; some are a part of another."""
    kind = random.choice(list(KEYWORDS))
    choices = KEYWORDS[kind]
    old = make_schema(random, kind)
    new = dict(old)
    for key in random.sample(list(choices), 2):
        new.pop(key, None)
        new |= {key: random.choice(choices[key])} if random.random() < 0.6 else {}
    other = make_schema(random, kind)
    around = random.choice(AROUND)
    one, two = ({"type": kind, **around(each, other)} for each in (old, new))
    return one, two


@pytest.mark.parametrize("seed", range(3))
def test_validator_finds_no_break_that_is_not_told(seed: int) -> None:
    """Neither for who sends a value nor for who receives one."""
    random = Random(seed)
    schemas = [make_pair(random) for _ in range(400)]
    pairs: list[Pair] = [
        (f"{way} {index}", *(place_schema(place, half) for half in halves))
        for index, halves in enumerate(schemas)
        for way, place in (("sent", "request"), ("received", "response"))
    ]
    old, new = (Contract("contract", each) for each in make_documents(pairs))
    found: dict[str, dict[str, str]] = {}
    for change in map(read_policy().judge, compare(old, new, list)):
        for operation in change.operation.split(", "):
            name = pairs[int(operation.removeprefix("op_"))][0]
            found.setdefault(name, {})[change.kind] = change.level
    for index, halves in enumerate(schemas):
        before, after = (Draft202012Validator(half) for half in halves)
        refused = [value for value in VALUES if before.is_valid(value) and not after.is_valid(value)]
        is_new = [value for value in VALUES if after.is_valid(value) and not before.is_valid(value)]
        for way, values, meant in (("sent", refused, set()), ("received", is_new, {"pattern-removed"})):
            changes = found.get(f"{way} {index}", {})
            assert not values or "breaking" in changes.values() or changes.keys() & (meant | {"property-added"}), (
                halves,
                values,
                changes,
            )
