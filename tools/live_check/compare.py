"""Where responses differ from the contract, field by field. Pure."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import attrs
from openapi_schema_validator import OAS31Validator

from tools.contract.check import find_parts, make_validator
from tools.contract.document import Contract, Pointer, format_pointer, is_object
from tools.live_check.run import Exchange

ONLY_CREATE, EVERY_CREATE, A_TIME = "Only in the create answer", "In every create answer", "ISO 8601"
LIFETIME = re.compile(r"(\d+) hours")
TOLERANCE = 300.0
"""How many seconds the lifetime of a URL may be off: clocks differ, and signing takes time."""
TELLING_HEADER = re.compile(r"retry-after|(x-)?rate-?limit.*|deprecation|sunset|warning")
"""Headers that tell a client what to do, so that the contract has to name them."""
REASONS = {"reason", "message", "error", "detail"}
PART: Pointer = ("components", "schemas", "UploadPart", "properties")
JSON_TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")


@attrs.frozen
class Difference:
    """One way in which the service differs from the contract."""

    kind: str
    place: str
    """Where in the contract, as the fragment of a `$ref`."""
    line: int
    message: str
    edit: str
    """What to change in the contract so that it says what the service does."""
    steps: tuple[str, ...]


def compare(contract: Contract, exchanges: Sequence[Exchange]) -> list[Difference]:
    """Return where responses differ from the contract, each difference once, in the order of the contract."""
    found: dict[_Finding, dict[str, None]] = {}
    for exchange in exchanges:
        for finding in _Comparison(contract, exchange).find():
            found.setdefault(finding, {})[exchange.step] = None
    differences = [
        Difference(kind, format_pointer(pointer), contract.find_line(pointer), message, edit, tuple(steps))
        for (kind, pointer, message, edit), steps in found.items()
    ]
    return sorted(differences, key=lambda difference: (difference.line, difference.message))


# Its kind, its place, what is to be said of it, and the edit.
_Finding = tuple[str, Pointer, str, str]


class _Comparison:
    """One response, compared with the contract."""

    def __init__(self, contract: Contract, exchange: Exchange) -> None:
        self._contract, self._exchange = contract, exchange
        self._is_create = False

    def find(self) -> Iterator[_Finding]:
        exchange = self._exchange
        if exchange.md5:
            yield from self._judge_storage()
            return
        paths = self._contract.object_at(("paths",))
        path = next(path for path in paths if re.fullmatch(".*" + re.sub(r"\{\w+\}", "[^/]+", path), exchange.path))
        pointer: Pointer = ("paths", path, exchange.method.lower())
        operation, status = self._contract.at(pointer)["operationId"], str(exchange.status)
        self._is_create = operation.startswith("create")
        known = self._contract.at((*pointer, "responses"))
        answer = next((key for key in (status, f"{status[0]}XX", "default") if key in known), None)
        if answer is None:
            edit = f'add "{status}" with the body that came'
            yield "status", (*pointer, "responses"), f"{operation} answers {status}", edit
            return
        place = self._contract.resolve((*pointer, "responses", answer))
        # To be busy, broken or, for what should be done, to refuse is no difference.
        is_excused = status == "429" or exchange.status >= 500 or exchange.status >= 400 > min(exchange.expected)
        if exchange.status not in exchange.expected and not is_excused:
            wanted = " or ".join(map(str, exchange.expected))
            yield "unexpected-status", place, f"{exchange.step}: {status} came, not {wanted}", "say when it comes"
        named = {name.lower() for name in self._contract.at(place).get("headers", {})}
        for name in sorted({*exchange.headers} - named):
            if TELLING_HEADER.fullmatch(name):
                yield "header", place, f"the header {name} comes", f"add `{name}` under `headers`"
        yield from self._judge_body(place)

    def _judge_body(self, place: Pointer) -> Iterator[_Finding]:
        exchange, content = self._exchange, self._contract.at(place).get("content", {})
        media = exchange.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media not in content:
            if exchange.status < 500:  # gateways answer HTML, and the contract's Error says so
                shown = show_word(media)
                yield "media-type", place, f"the media type of the body is {shown}", f"add {shown} under `content`"
            return
        try:
            value = json.loads(exchange.body.decode())
        except (ValueError, RecursionError):
            yield "not-json", place, "the body is not JSON", "say which body comes"
            return
        schema = (*place, "content", media, "schema")
        yield from self._validate(schema, value)
        yield from self._walk(schema, value)
        if exchange.status >= 400 and is_object(value) and not any(value.get(name) for name in REASONS):
            yield "error-body", place, "the error has no reason", "say where the reason stands"
        if self._is_create and is_object(value) and is_object(upload := value.get("upload")):
            yield from self._judge_urls(upload)

    def _validate(self, schema: Pointer, value: Any) -> Iterator[_Finding]:
        """Yield what a validator of JSON Schema finds; what descriptions say of a format is judged elsewhere."""
        for error in _list_causes(make_validator(self._contract, schema).iter_errors(value)):
            place = schema
            for step in error.absolute_schema_path:  # without the `$ref` on the way
                place = (*self._contract.resolve(place), step)
            rule, limit, got = error.validator, error.validator_value, name_type(error.instance)
            field = ".".join("[]" if isinstance(step, int) else step for step in error.absolute_path) or "the body"
            if rule == "required":
                for name in [name for name in limit if name not in error.instance]:
                    edit = f"take `{name}` from `required`, and let it be null"
                    yield "missing-field", place, f"{field}: {name} is missing", edit
            elif error.instance is None:
                edit = 'let it be null, by `type: [..., "null"]` or `oneOf` with `type: "null"`'
                yield "null", place[:-1], f"{field} is null", edit
            elif rule == "enum":
                shown = show_word(error.instance)
                yield "enum-value", place, f"{field}: {shown} is no known value", f"add the value {shown}"
            elif rule == "type":
                allowed = [limit] if isinstance(limit, str) else limit
                edit = f"write `type: [{', '.join([*allowed, got])}]`, or another schema"
                yield "type", place, f"{field} is of type {got}, not {' or '.join(allowed)}", edit
            else:
                yield "value", place, f"{field} of type {got} breaks {rule}: {limit}", f"widen `{rule}`"

    def _walk(self, pointer: Pointer, value: Any) -> Iterator[_Finding]:
        """Yield what a validator lets pass: fields that are not documented, and what the contract says in words."""
        pointer = self._contract.resolve(pointer)
        members = list(find_parts(self._contract, pointer, ("allOf", "anyOf", "oneOf")))
        if isinstance(value, list):
            for at in [(*member, "items") for member in members if self._contract.has((*member, "items"))]:
                for item in value:
                    yield from self._walk(at, item)
        if not is_object(value):
            return
        known = {
            name: (*at, "properties", name) for at in members for name in self._contract.at(at).get("properties", ())
        }
        for name in sorted(value.keys() - known.keys()) if known else ():
            shown, kind = show_word(name), name_type(value[name])
            edit = f'add the property {shown} with `type: [{kind}, "null"]`'
            yield "undocumented-field", pointer, f"{shown}, of type {kind}, is not documented", edit
        for name, at in known.items():
            yield from self._judge_words(at, name, value)
            yield from self._walk(at, value.get(name))

    def _judge_words(self, place: Pointer, name: str, owner: Mapping[str, Any]) -> Iterator[_Finding]:
        words, value = " ".join(self._contract.at(place).get("description", "").split()), owner.get(name)
        if ONLY_CREATE in words and not self._is_create and value is not None:
            yield "late-field", place, f"{name} comes later too", f"take out “{ONLY_CREATE}”"
        is_due = (ONLY_CREATE in words and value is None) or (EVERY_CREATE in words and name not in owner)
        if self._is_create and is_due:
            yield "missing-field", place, f"a create answer lacks {name}", "say when it comes"
        if A_TIME not in words or not isinstance(value, str):
            return
        moment, hours = read_time(value), LIFETIME.search(words)
        if moment is None:
            yield "time", place, f"{name} is no time of {A_TIME} with a zone", "say what it is"
        elif hours is not None:
            lifetime = (moment - self._exchange.came).total_seconds()
            if abs(lifetime - 3600 * int(hours[1])) > TOLERANCE:
                actual = f"{lifetime / 3600:.1f} hours"
                yield "lifetime", place, f"{name} is after {actual}, not after {hours[0]}", f"write {actual}"

    def _judge_urls(self, upload: Mapping[str, Any]) -> Iterator[_Finding]:
        """Yield the URLs of parts whose signatures do not end when `expires` says."""
        parts = upload.get("parts")
        for part in filter(is_object, parts if isinstance(parts, list) else ()):
            query = {name.lower(): value for name, value in parse_qsl(str(part.get("url")).partition("?")[2])}
            signed, expires = read_time(query.get("x-amz-date")), read_time(part.get("expires"))
            lifetime = query.get("x-amz-expires", "")
            if expires and signed and lifetime.isdecimal():
                gap = round((expires - signed).total_seconds() - int(lifetime))
                if abs(gap) > TOLERANCE:
                    message = f"the signature of a URL ends {abs(gap)} s {'before' if gap > 0 else 'after'} `expires`"
                    yield "lifetime", (*PART, "expires"), message, "say in the description what it means"

    def _judge_storage(self) -> Iterator[_Finding]:
        exchange, place = self._exchange, (*PART, "url")
        etag, edit = exchange.headers.get("etag"), "say so in the description"
        if exchange.status == 200 and etag != f'"{exchange.md5}"':
            kms = "kms" in exchange.headers.get("x-amz-server-side-encryption", "")
            what = "gives no ETag" if etag is None else "gives an ETag that is not the MD5 of the part in quotes"
            yield "etag", place, f"storage {what}{', and encrypts with KMS' if kms else ''}", edit
        elif exchange.status < 400 and exchange.status != 200:
            yield "status", place, f"storage answers {exchange.status} to a part", edit


def read_time(value: object) -> datetime | None:
    """Return the moment that an ISO 8601 text with a zone says, or None."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def show_word(value: object) -> str:
    """Return a stranger's word for a person; what it is, when it is none that can be published."""
    word = value if isinstance(value, str) else json.dumps(value)
    return f"`{word}`" if re.fullmatch(r"[\w. /+-]{1,40}", word) else f"({name_type(value)}, {len(word)} characters)"


def name_type(value: object) -> str:
    """Return the type that a value of JSON has to JSON Schema."""
    return next(name for name in JSON_TYPES if OAS31Validator.TYPE_CHECKER.is_type(value, name))


def _list_causes(errors: Any) -> Iterator[Any]:
    """Yield errors; instead of one of `oneOf` or `anyOf`, those of the members that are not `type: "null"`."""
    for error in errors:
        causes = [cause for cause in error.context if cause.validator_value != "null"]
        yield from _list_causes(causes) if causes and error.instance is not None else [error]
