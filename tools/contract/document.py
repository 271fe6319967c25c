"""Read a contract into plain values, with the line of each, within bounds and without running anything of it."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeGuard
from urllib.parse import unquote

import attrs
import yaml

# From the root of a contract to a value in it; a list is entered by its index.
Pointer = tuple[str | int, ...]

MAX_BYTES = 16 * 1024 * 1024
MAX_VALUES = 600_000
"""How many values a contract may hold, those counted again that an alias repeats."""
MAX_DEPTH = 150

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
AROUND = (yaml.StreamStartEvent, yaml.DocumentEndEvent, yaml.StreamEndEvent)
# Tags that say what is so anyway; any other could name a type of a program.
HARMLESS_TAGS = {None, "!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}
INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
MAX_DIGITS = 64
"""How long a number may be: no program calculates with longer ones, and some break on them."""
VERSIONS = re.compile(r"3\.[01]\.\d+(-.*)?")
"""The versions of OpenAPI that are known here."""
WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}


class UnreadableError(Exception):
    """An input cannot be read; the message says which, on which line, and why."""

    def __init__(self, name: str, reason: str, line: int | None = None) -> None:
        super().__init__(f"{name}{'' if line is None else f':{line}'}: {reason}")
        self.name, self.line = name, line


def is_object(value: Any) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)


def is_array(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def format_pointer(pointer: Pointer) -> str:
    """Return a pointer as the fragment that a `$ref` would hold."""
    return "#/" + "/".join(str(step).replace("~", "~0").replace("/", "~1") for step in pointer)


def parse_pointer(text: str) -> Pointer:
    """Return the pointer that a fragment such as `#/components/schemas/Upload` says."""
    steps = text.removeprefix("#").removeprefix("/")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in steps.split("/")) if steps else ()


def parse_reference(text: str) -> Pointer:
    """Return the pointer that a `$ref` says, which may be percent-encoded, being a part of a URL."""
    return parse_pointer(unquote(text))


def read_scalar(text: str) -> Any:
    """Return the value of a scalar without quotes, as YAML 1.2's core schema, and so JSON, sees it."""
    if text in WORDS:
        return WORDS[text]
    is_integer = INTEGER.fullmatch(text) is not None
    if not is_integer and not NUMBER.fullmatch(text):
        return text
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} characters; at most {MAX_DIGITS} are read")
    if is_integer:
        return int(text, 0 if text[:2] in ("0o", "0x") else 10)
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"the number {text} is too large")
    return value


class Object(dict[str, Any]):
    """An object, with the line of each key."""

    lines: dict[str | int, int]


class Array(list[Any]):
    """An array, with the line of each item."""

    lines: dict[str | int, int]


@attrs.define(eq=False)
class _Builder:
    """Builds the value of one document from the events of a parser, within bounds from the first event on."""

    name: str
    events: Iterator[Any]
    anchors: dict[str, Any] = attrs.field(factory=dict)
    size: int = 0

    def build(self, event: Any, depth: int = 0) -> Any:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                raise UnreadableError(self.name, f"the alias {event.anchor!r} stands for nothing, or for itself", line)
            self.count_again(self.anchors[event.anchor], depth, line)
            return self.anchors[event.anchor]
        self.count(depth, line)
        if event.tag not in HARMLESS_TAGS:
            raise UnreadableError(self.name, f"the tag {event.tag!r} is not allowed", line)
        value: Any
        if isinstance(event, yaml.ScalarEvent):
            plain = event.implicit[0] and event.tag is None
            try:
                value = read_scalar(event.value) if plain else event.value
            except ValueError as error:
                raise UnreadableError(self.name, str(error), line) from None
        elif isinstance(event, yaml.SequenceStartEvent):
            value = Array()
            value.lines = {}
            while not isinstance(item := next(self.events), yaml.SequenceEndEvent):
                value.lines[len(value)] = item.start_mark.line + 1
                value.append(self.build(item, depth + 1))
        else:
            value = Object()
            value.lines = {}
            while not isinstance(item := next(self.events), yaml.MappingEndEvent):
                key, value.lines[key] = self.read_key(item, value)
                value[key] = self.build(next(self.events), depth + 1)
                if key in ("$ref", "$dynamicRef") and isinstance(value[key], str) and value[key] != "#":
                    self.check_reference(value[key], value.lines[key])
        if event.anchor is not None:
            self.anchors[event.anchor] = value
        return value

    def check_reference(self, reference: str, line: int) -> None:
        """Refuse a `$ref` that is not a pointer into this document."""
        reason = "leads out of the document"
        if reference.startswith("#"):
            reason = "names an anchor; only JSON pointers, such as #/components/schemas/Upload, are followed"
        if not (reference.startswith("#") and unquote(reference).startswith("#/")):
            raise UnreadableError(self.name, f"$ref {reference!r} {reason}", line)

    def read_key(self, event: Any, others: Mapping[str, Any]) -> tuple[str, int]:
        line = event.start_mark.line + 1
        if not isinstance(event, yaml.ScalarEvent):
            raise UnreadableError(self.name, "a key is neither a text nor a number", line)
        if event.value in others:
            raise UnreadableError(self.name, f"the key {event.value!r} is there twice", line)
        if event.value == "<<" and event.implicit[0]:
            raise UnreadableError(self.name, "merge keys (<<) are not OpenAPI", line)
        return str(event.value), line

    def count(self, depth: int, line: int) -> None:
        self.size += 1
        if self.size > MAX_VALUES:
            raise UnreadableError(self.name, f"more than {MAX_VALUES:,} values, repeated ones counted", line)
        if depth > MAX_DEPTH:
            raise UnreadableError(self.name, f"nested more than {MAX_DEPTH} levels deep", line)

    def count_again(self, value: Any, depth: int, line: int) -> None:
        self.count(depth, line)
        for child in value.values() if is_object(value) else value if is_array(value) else ():
            self.count_again(child, depth + 1, line)


@attrs.frozen(eq=False)
class Contract:
    name: str
    """What messages call it: the path as it was given."""
    document: Mapping[str, Any] = attrs.field(repr=False)

    @property
    def version(self) -> str:
        return str(self.document["info"]["version"])

    def fail(self, pointer: Pointer, reason: str) -> UnreadableError:
        return UnreadableError(self.name, reason, self.find_line(pointer))

    def at(self, pointer: Pointer) -> Any:
        value: Any = self.document
        try:
            for step in pointer:
                value = value[int(step) if isinstance(value, list) else str(step)]
        except (LookupError, TypeError, ValueError):
            raise self.fail(pointer, f"nothing is at {format_pointer(pointer)}") from None
        return value

    def has(self, pointer: Pointer) -> bool:
        try:
            self.at(pointer)
        except UnreadableError:
            return False
        return True

    def object_at(self, pointer: Pointer, name: str = "") -> Mapping[str, Any]:
        """Return the object at `pointer`; an error calls it by `name`, or by its key."""
        value = self.at(pointer)
        if not is_object(value):
            raise self.fail(pointer, f"{name or repr(pointer[-1])} should be an object")
        return value

    def get(self, pointer: Pointer, kind: type[dict[str, Any] | list[Any]]) -> Any:
        """Return the value at `pointer`, empty when there is none."""
        holder = self.at(pointer[:-1])
        value = holder.get(str(pointer[-1])) if is_object(holder) else None
        if value is None:
            return kind()
        if not isinstance(value, kind):
            wanted = "an object" if kind is dict else "a list"
            raise self.fail(pointer, f"{pointer[-1]!r} should be {wanted}")
        return value

    def members(self, pointer: Pointer, key: str) -> list[Pointer]:
        """Return where the items of a list are, such as an `allOf`; none when there is no list."""
        return [(*pointer, key, index) for index in range(len(self.get((*pointer, key), list)))]

    def follow(self, pointer: Pointer) -> Pointer:
        """Return where the `$ref` at `pointer` leads, one step."""
        reference = str(self.at(pointer)["$ref"])
        target = parse_reference(reference)
        if not self.has(target):
            raise self.fail((*pointer, "$ref"), f"$ref {reference!r} leads nowhere")
        # One way to say one place, so that places can be compared.
        return tuple(int(step) if is_array(self.at(target[:index])) else step for index, step in enumerate(target))

    def resolve(self, pointer: Pointer) -> Pointer:
        """Return where the value at `pointer` really is, past any `$ref`."""
        seen: set[Pointer] = set()
        while is_object(value := self.at(pointer)) and isinstance(value.get("$ref"), str):
            if pointer in seen:
                raise self.fail((*pointer, "$ref"), f"$ref {value['$ref']!r} leads back to itself")
            seen.add(pointer)
            pointer = self.follow(pointer)
        return pointer

    def find_line(self, pointer: Pointer) -> int:
        """Return the line, from 1, of the value at `pointer`, or of the nearest thing around it; of its key if any."""
        line, value = 1, self.document
        for step in pointer:
            key: Any = int(step) if is_array(value) and str(step).isdigit() else str(step)
            if not isinstance(value, Object | Array) or key not in value.lines:
                break
            line, value = value.lines[key], value[key]
        return line


STRING = re.compile(r'"(?:[^"\\]|\\.)*"(?=(\s*:)?)')


def write_as_yaml(match: re.Match[str]) -> str:
    """Return a string of JSON in a form that YAML reads alike: it has other escapes, and no long keys."""
    # Escapes of Python are escapes of YAML too.
    quoted = json.loads(match[0]).encode("unicode_escape").decode().replace('"', '\\"')
    return f'? "{quoted}"' if match[1] else f'"{quoted}"'


def read_yaml(path: Path, name: str) -> Any:
    """Return the value that a YAML or JSON file holds, which knows its lines; None when it holds none."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise UnreadableError(name, f"more than {MAX_BYTES // 2**20} MiB")
        text = data.decode("utf-8-sig")
        with suppress(ValueError, RecursionError):
            json.loads(text)
            # YAML has no tabs; those in strings of JSON are escaped.
            text = STRING.sub(write_as_yaml, text.replace("\t", " "))
        builder = _Builder(name, (event for event in yaml.parse(text, Loader) if not isinstance(event, AROUND)))
        value = None
        if next(builder.events, None) is not None:  # the beginning of the document
            value = builder.build(next(builder.events))
        if (second := next(builder.events, None)) is not None:
            raise UnreadableError(name, "a second document", second.start_mark.line + 1)
    except OSError as error:
        raise UnreadableError(name, error.strerror or "cannot be read") from None
    except UnicodeDecodeError as error:
        raise UnreadableError(name, "not UTF-8", error.object[: error.start].count(b"\n") + 1) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise UnreadableError(name, error.problem or "not YAML", None if mark is None else mark.line + 1) from None
    except yaml.YAMLError as error:
        raise UnreadableError(name, f"not YAML: {str(error).splitlines()[0]}") from None
    return value


def read_contract(path: Path, name: str | None = None) -> Contract:
    name = str(path) if name is None else name
    document = read_yaml(path, name)
    if not is_object(document):
        raise UnreadableError(name, "not an OpenAPI document", 1)
    contract = Contract(name, document)
    version, info = document.get("openapi"), document.get("info")
    if version is None:
        raise contract.fail(("swagger",), "not an OpenAPI 3 document: openapi is missing")
    if not isinstance(version, str):
        reason = f'openapi: {version} is no text; write the whole version in quotes, as "3.1.1"'
        raise contract.fail(("openapi",), reason)
    if not VERSIONS.fullmatch(version):
        raise contract.fail(("openapi",), f"openapi {version!r} is not known here; 3.0.x and 3.1.x are")
    if not is_object(info) or not isinstance(info.get("version"), str | int | float):
        raise contract.fail(("info", "version"), "info.version is missing")
    if not is_object(document.get("paths", {})):
        raise contract.fail(("paths",), "paths should be an object")
    return contract
