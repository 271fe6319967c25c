"""Make values that a schema allows, at its edges above all, and say by which of its keywords it refuses a value.

Both work on a `View`, so that they mean by a schema what the comparison means by it. Whether a whole body is valid is
asked of a validator that has nothing to do with either.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import math
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import attrs
from openapi_schema_validator import OAS30Validator, OAS31Validator, oas30_format_checker, oas31_format_checker

from tools.contract.document import Contract, Pointer, is_array, is_object
from tools.spec_diff.views import LIMITS, Bound, Reader, View, freeze

TEXT = "text"
FILLERS = "a1zZé -_./"
EXTRA = "somethingNew"
"""The name of a property that no contract has."""
MAX_SAMPLES = 40
MAX_LENGTH = 20_000
"""How long a text or a list is made at most to try a bound; longer ones are not tried."""
MAX_DEPTH = 40
TEXTS: Mapping[str, tuple[str, ...]] = {
    "date-time": ("2025-06-30T15:15:27.153Z",),
    "date": ("2025-06-30",),
    "time": ("15:15:27Z",),
    "duration": ("P1D",),
    "uuid": ("6f1c3c4e-8d0e-4c49-9d1b-0d8f5c3c1a2b",),
    "email": ("someone@example.com",),
    "hostname": ("example.com",),
    "ipv4": ("192.0.2.1",),
    "ipv6": ("2001:db8::1",),
    "uri": ("https://example.com/a",),
    "uri-reference": ("/a",),
    "byte": ("dGV4dA==",),
    "regex": ("^a",),
    "json-pointer": ("/a",),
}
NUMBERS: Mapping[str, tuple[int, ...]] = {
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
}
ALL_TYPES = ("string", "integer", "number", "boolean", "array", "object")


class NoSampleError(Exception):
    """No value was found that a schema allows."""


def type_of(value: Any) -> str:
    """Return the JSON type of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return "integer"
    if isinstance(value, float):
        return "number"
    return "string" if isinstance(value, str) else "array" if is_array(value) else "object"


def unique(values: Iterable[Any]) -> list[Any]:
    """Return values without those that equal an earlier one as JSON."""
    return list({freeze(value): value for value in reversed(list(values))}.values())[::-1]


@attrs.define(eq=False)
class Sampler:
    """Makes values for the schemas of one contract, and judges them."""

    reader: Reader
    _validators: dict[Pointer, Any] = attrs.field(factory=dict)

    @property
    def contract(self) -> Contract:
        """The contract whose schemas they are."""
        return self.reader.contract

    # Judging

    def find_errors(self, pointer: Pointer, value: Any) -> list[tuple[str | int, ...]]:
        """Return where in `value` an independent validator finds what the schema at `pointer` refuses.

        Raises:
            UnreadableError: When the validator cannot make sense of the schema.
        """
        if pointer not in self._validators:
            self._validators[pointer] = make_validator(self.contract, pointer)
        try:
            return [tuple(error.absolute_path) for error in self._validators[pointer].iter_errors(value)]
        except RecursionError:
            return []
        except Exception as error:  # noqa: BLE001 - whatever it raises, it is the schema that is at fault
            reason = str(error).partition("\n")[0]
            raise self.contract.fail(pointer, f"no validator can use the schema: {reason}") from None

    def allows(self, pointer: Pointer, value: Any) -> bool:
        """Return whether the schema at `pointer` allows a value, all that is below it included."""
        return not self.find_errors(pointer, value)

    def refuse(self, view: View, value: Any) -> set[str]:
        """Return by which keywords a schema refuses a value, what is below it aside.

        Names of properties stand behind their keyword, as `required:name` and `closed:name`.
        """
        kind = type_of(value)
        if kind == "null":
            return set() if view.nullable else {"null"}
        found: set[str] = set()
        if view.types is not None and kind not in view.types and not (kind == "integer" and "number" in view.types):
            found.add("type")
        if view.values is not None and freeze(value) not in view.values:
            found.add("enum")
        if view.alternatives is not None and not any(self.allows(each, value) for each in view.alternatives):
            found.add("alternatives")
        found |= refuse_number(view, value) if kind in ("integer", "number") else set()
        found |= refuse_text(view, value) if kind == "string" else set()
        found |= refuse_size(view, value)
        if kind == "array" and view.keywords.get("uniqueItems") is True and len(unique(value)) < len(value):
            found.add("uniqueItems")
        if kind == "object":
            found |= {f"required:{name}" for name in view.required if name not in value}
            if view.additional is False:
                patterns = view.keywords.get("patternProperties", {})
                known = {name for name in value for pattern in patterns if matches(pattern, name)}
                found |= {f"closed:{name}" for name in value.keys() - view.properties.keys() - known}
        return found

    # Making

    def make_plain(self, pointer: Pointer, depth: int = 0) -> Any:
        """Return the plainest value that a schema allows: objects with what is required, lists of one item.

        Raises:
            NoSampleError: When none is found.
        """
        if depth > MAX_DEPTH:
            raise NoSampleError("the schema demands itself")
        view = self.reader.read(pointer)
        for value in self._make(view, None, depth):
            if not self.refuse(view, value):
                return value
        raise NoSampleError(f"no value is known for {pointer[-1]!r}")

    def list_values(self, pointer: Pointer, other: View | None = None) -> list[Any]:
        """Return diverse values that a schema allows: its edges, and what is just past those of `other`.

        The plainest comes first. The list is empty when no value is found.
        """
        view = self.reader.read(pointer)
        try:
            made = [value for value in self._make(view, other, 0) if not self.refuse(view, value)]
        except NoSampleError:
            made = []
        return unique(made)[:MAX_SAMPLES]

    def make_full(self, pointer: Pointer) -> dict[str, Any]:
        """Return an object with all properties that a schema knows, as far as values for them are found.

        Raises:
            NoSampleError: When a required one has no value.
        """
        return self._make_object(self.reader.read(pointer), 0, full=True)

    def make_required(self, view: View, *, without: str | None = None) -> dict[str, Any]:
        """Return an object with what a schema demands, but for one property.

        Raises:
            NoSampleError: When a required property has no value.
        """
        return self._make_object(view, 1, without=without)

    def _make(self, view: View, other: View | None, depth: int) -> Iterator[Any]:
        """Yield values that a schema may allow."""
        if view.values is not None:
            yield from (json.loads(value) for value in view.values)
        else:
            yield from self._list_examples(view)
            if view.alternatives is not None:
                yield from self._make_alternatives(view, view.alternatives, other, depth)
            kinds = view.types if view.types is not None else () if view.alternatives is not None else ALL_TYPES
            for kind in sorted(kinds, key=ALL_TYPES.index) if set(kinds) <= set(ALL_TYPES) else ():
                yield from self._make_kind(kind, view, other, depth)
            yield from find_constants([view.keywords, {} if other is None else other.keywords])
        if view.nullable:
            yield None

    def _list_examples(self, view: View) -> Iterator[Any]:
        node = self.contract.at(view.place)
        if is_object(node):
            examples = [node["example"]] if "example" in node else []
            examples += node["examples"] if is_array(node.get("examples")) else []
            # What holds other values is made of them.
            yield from (value for value in examples if type_of(value) not in ("object", "array", "null"))

    def _make_alternatives(
        self, view: View, alternatives: tuple[Pointer, ...], other: View | None, depth: int
    ) -> Iterator[Any]:
        failures = 0
        for place in alternatives:
            try:
                values = [self.make_plain(place, depth + 1)] if depth else self.list_values(place, other)[:4]
            except NoSampleError:
                failures += 1
                continue
            for value in values:
                if is_object(value) and (view.properties or view.required):
                    yield {**self._make_object(view, depth), **value}
                else:
                    yield value

    def _make_kind(self, kind: str, view: View, other: View | None, depth: int) -> Iterator[Any]:
        if kind == "string":
            yield from make_texts(view, other)
        elif kind in ("integer", "number"):
            yield from make_numbers(view, other, integral=kind == "integer")
        elif kind == "boolean":
            yield from (True, False)
        elif kind == "array":
            yield from self._make_lists(view, other, depth)
        elif depth:
            yield self._make_object(view, depth)
        else:
            yield from self._make_objects(view, other)

    def _make_lists(self, view: View, other: View | None, depth: int) -> Iterator[Any]:
        items: list[Any] = [TEXT]
        if view.items is not None:
            items = [self.make_plain(view.items, depth + 1)] if depth else self.list_values(view.items)
        if view.keywords.get("uniqueItems") is not True:
            items = items[:1]
        elif view.items is None or "string" in (self.reader.read(view.items).types or {"string"}):
            items = unique([*items, *(f"{TEXT}{index}" for index in range(20))])
        for length in (1, *list_sizes(view, other, "minItems", "maxItems"), 0):
            if items and (len(items) >= length or view.keywords.get("uniqueItems") is not True):
                yield [items[index % len(items)] for index in range(length)]
        if items and view.keywords.get("uniqueItems") is not True:
            yield [items[0], items[0]]

    def _make_object(self, view: View, depth: int, *, full: bool = False, without: str | None = None) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for name in (*view.required, *(view.properties if full else ())):
            if name in result or name == without:
                continue
            place = view.properties.get(name, view.additional)
            try:
                result[name] = self.make_plain(place, depth + 1) if isinstance(place, tuple) else TEXT
            except NoSampleError:
                if name in view.required:
                    raise
        return result

    def _make_objects(self, view: View, other: View | None) -> Iterator[Any]:
        least = self._make_object(view, 0)
        most = self._make_object(view, 0, full=True)
        yield least
        yield most
        for size in list_sizes(view, other, "minProperties", "maxProperties"):
            names = [name for name in most if name not in least]
            made = {**least, **{name: most[name] for name in names[: max(0, size - len(least))]}}
            if view.additional is not False and size <= 1000:
                extra = self.make_plain(view.additional) if isinstance(view.additional, tuple) else TEXT
                made |= {f"{EXTRA}{index}": extra for index in range(size - len(made))}
            yield made
        for pattern in view.keywords.get("patternProperties", {}):
            name, place = make_matching(str(pattern), "a"), (*view.place_of("patternProperties"), pattern)
            if name is not None:
                yield {**least, name: self.make_plain(place)}
        if view.additional is not False:
            yield {**least, EXTRA: self.make_plain(view.additional) if isinstance(view.additional, tuple) else TEXT}


def make_validator(contract: Contract, pointer: Pointer) -> Any:
    """Return a validator for the schema at `pointer`, to which `$ref` means its contract."""
    fragment = "/".join(
        urllib.parse.quote(str(step).replace("~", "~0").replace("/", "~1"), safe="~") for step in pointer
    )
    root = {**contract.document, "$ref": f"#/{fragment}"}
    if str(contract.document["openapi"]).startswith("3.0"):
        return OAS30Validator(root, format_checker=oas30_format_checker)
    return OAS31Validator(root, format_checker=oas31_format_checker)


def find_constants(value: Any) -> Iterator[Any]:
    """Yield the constants that keywords name somewhere, such as those that a schema rules out."""
    for key, child in value.items() if is_object(value) else ():
        if key == "enum" and is_array(child):
            yield from child
        elif key == "const":
            yield child
    for child in value.values() if is_object(value) else value if is_array(value) else ():
        yield from find_constants(child)


def matches(pattern: Any, text: str) -> bool:
    """Return whether a pattern is found in a text; one that Python does not understand is."""
    try:
        return re.search(str(pattern), text) is not None
    except re.error:
        return True


def refuse_number(view: View, value: float) -> set[str]:
    """Return by which keywords a schema refuses a number."""
    found: set[str] = set()
    exact = Fraction(str(value))
    if view.lower is not None and not is_above(exact, view.lower, 1):
        found.add("lower")
    if view.upper is not None and not is_above(exact, view.upper, -1):
        found.add("upper")
    step = view.keywords.get("multipleOf")
    if isinstance(step, int | float) and step > 0 and (exact / Fraction(str(step))).denominator != 1:
        found.add("multipleOf")
    return found | refuse_format(view, value)


def is_above(value: Fraction, bound: Bound, sign: int) -> bool:
    """Return whether a number keeps to a bound from below (1) or from above (-1)."""
    distance = (value - bound.value) * sign
    return distance > 0 or (distance == 0 and not bound.exclusive)


def refuse_text(view: View, value: str) -> set[str]:
    """Return by which keywords a schema refuses a text."""
    pattern = view.keywords.get("pattern")
    refused = {"pattern"} if pattern is not None and not matches(pattern, value) else set[str]()
    return refused | refuse_format(view, value)


def refuse_format(view: View, value: Any) -> set[str]:
    """Return whether a schema refuses a value by its format; formats that nobody checks refuse nothing."""
    name = view.keywords.get("format")
    return {"format"} if name is not None and not oas31_format_checker.conforms(value, str(name)) else set()


def refuse_size(view: View, value: Any) -> set[str]:
    """Return by which bounds a schema refuses the length of a text, a list or an object."""
    names = {"string": "Length", "array": "Items", "object": "Properties"}.get(type_of(value))
    found: set[str] = set()
    for keyword, sign in LIMITS.items():
        limit = view.keywords.get(keyword)
        if names is None or not keyword.endswith(names) or not isinstance(limit, int | float):
            continue
        if (len(value) - limit) * sign < 0:
            found.add(keyword)
    return found


def list_sizes(view: View, other: View | None, least: str, most: str) -> list[int]:
    """Return lengths at the bounds of a schema, and just past those of another."""
    wanted: list[Any] = [view.keywords.get(least), view.keywords.get(most)]
    if other is not None:
        low, high = other.keywords.get(least), other.keywords.get(most)
        wanted += [None if low is None else low - 1, None if high is None else high + 1]
    return [int(size) for size in wanted if isinstance(size, int | float) and 0 <= size <= MAX_LENGTH]


def make_texts(view: View, other: View | None) -> Iterator[str]:
    """Yield texts that a schema may allow."""
    patterns = [each.keywords.get("pattern") for each in (view, other) if each is not None]
    formats = [each.keywords.get("format") for each in (view, other) if each is not None]
    texts = [*TEXTS.get(str(formats[0]), ()), TEXT]
    if patterns[0] is not None:
        made = [text for filler in FILLERS if (text := make_matching(str(patterns[0]), filler)) is not None]
        texts = [*unique(made), *texts]
    sizes = list_sizes(view, other, "minLength", "maxLength")
    for text in texts:
        yield text
        for size in sizes:
            yield text[:size] if len(text) >= size else text + (text[-1:] or "x") * (size - len(text))
    # What the other allows, and what it does not.
    yield from (text for name in formats[1:] for text in TEXTS.get(str(name), ()))
    if patterns[-1] is not None:
        yield from filter(None, [make_matching(str(patterns[-1]), "a")])
        yield from (*FILLERS, f"{TEXT} 1/2", TEXT.upper())
    yield ""


def make_numbers(view: View, other: View | None, *, integral: bool) -> Iterator[int | float]:
    """Yield numbers that a schema may allow."""
    step = view.keywords.get("multipleOf")
    exact: list[Fraction] = []
    if isinstance(step, int | float) and step > 0:
        base = Fraction(str(step))
        start = math.ceil(view.lower.value / base) if view.lower is not None else 1
        exact += [base * (start + index) for index in range(8)]
    exact += [Fraction(1), Fraction(0)]
    for each in (view, other):
        for bound in () if each is None else (each.lower, each.upper):
            if bound is not None:
                steps = (0, 1, -1) if integral else (0, Fraction(1, 2), Fraction(-1, 2), 1, -1)
                exact += [bound.value + distance for distance in steps]
        for name in () if each is None else (each.keywords.get("format"),):
            for edge in NUMBERS.get(str(name), ()):
                exact += [Fraction(edge), Fraction(edge + (1 if edge > 0 else -1))]
    exact += [Fraction(2), Fraction(-1), Fraction(10**6)]
    if not integral:
        exact.append(Fraction(1, 4))
    for value in exact:
        if value.denominator == 1:
            yield int(value)
        elif not integral:
            yield float(value)


CATEGORIES: Mapping[str, str] = {
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
}
# What Python makes of a pattern is no part of its promises; without it patterns are not tried.
_PARSER: Any = importlib.import_module("re._parser") if importlib.util.find_spec("re._parser") else None


def make_matching(pattern: str, filler: str) -> str | None:
    """Return a text in which a pattern is found, or None when none was found; `filler` stands where much may stand."""
    if _PARSER is None:
        return None
    try:
        text = "".join(_make_tokens(_PARSER.parse(pattern), filler))
    except (re.error, RecursionError, ValueError, OverflowError):
        return None
    return text if len(text) <= MAX_LENGTH and matches(pattern, text) else None


def _make_tokens(tokens: Any, filler: str) -> Iterator[str]:
    for operation, argument in tokens:
        name = str(operation)
        if name == "LITERAL":
            yield chr(argument)
        elif name in ("ANY", "NOT_LITERAL"):
            yield filler if argument != ord(filler) else chr(argument + 1)
        elif name == "IN":
            yield _choose(argument, filler)
        elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            least, most, inner = argument
            # One, where none and many are allowed, shows more of the pattern.
            count = min(max(int(least), 1), int(most), MAX_LENGTH)
            text = "".join(_make_tokens(inner, filler))
            if len(text) * count > MAX_LENGTH:
                raise ValueError("the text would be too long")
            yield text * count
        elif name == "SUBPATTERN":
            yield from _make_tokens(argument[-1], filler)
        elif name == "BRANCH":
            yield from _make_tokens(argument[1][0], filler)
        elif name != "AT":
            raise ValueError(name)


def _choose(members: Sequence[Any], filler: str) -> str:
    """Return a character of a set, `filler` if it is one."""
    for one in (filler, *map(chr, range(0x20, 0x7F)), *map(chr, range(0xA0, 0x250))):
        if _is_in(members, one):
            return one
    raise ValueError("no character is in the set")


def _is_in(members: Sequence[Any], one: str) -> bool:
    """Return whether a set has a character."""
    negative = found = False
    for operation, argument in members:
        name = str(operation)
        if name == "NEGATE":
            negative = True
        elif name == "LITERAL":
            found |= ord(one) == argument
        elif name == "RANGE":
            found |= argument[0] <= ord(one) <= argument[1]
        elif name == "CATEGORY" and str(argument) in CATEGORIES:
            found |= re.fullmatch(CATEGORIES[str(argument)], one) is not None
        else:
            raise ValueError(name)
    return found != negative
