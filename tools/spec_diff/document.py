"""Read a contract into plain values, with the line of each, within bounds and without running anything of it.

Values are those of JSON: YAML's dates, `yes` and `on` stay the texts that they are to OpenAPI's other readers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

import attrs
import yaml

# From the root of a contract to a value in it; a list is entered by its index.
Pointer = tuple[str | int, ...]

MAX_BYTES = 16 * 1024 * 1024
MAX_VALUES = 2_000_000
"""How many values a contract may hold, those counted again that an alias repeats."""
MAX_DEPTH = 150

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
TAG = "tag:yaml.org,2002:"
PLAIN_TAGS = frozenset(
    TAG + kind for kind in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value", "binary")
)
"""What PyYAML makes of scalars that have no tag; which of them it is is decided anew."""
INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
MAX_DIGITS = 400
WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}


class UnreadableError(Exception):
    """An input cannot be read; the message says which, on which line, and why."""

    def __init__(self, name: str, reason: str, line: int | None = None) -> None:
        super().__init__(f"{name}{'' if line is None else f':{line}'}: {reason}")


def is_object(value: Any) -> TypeGuard[Mapping[str, Any]]:
    """Return whether a value is an object."""
    return isinstance(value, Mapping)


def is_array(value: Any) -> TypeGuard[list[Any]]:
    """Return whether a value is an array."""
    return isinstance(value, list)


def format_pointer(pointer: Pointer) -> str:
    """Return a pointer as the fragment that a `$ref` would hold."""
    return "#/" + "/".join(str(step).replace("~", "~0").replace("/", "~1") for step in pointer)


def parse_pointer(text: str) -> Pointer:
    """Return the pointer that a fragment such as `#/components/schemas/Upload` says."""
    steps = text.removeprefix("#").removeprefix("/")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in steps.split("/")) if steps else ()


def read_scalar(node: yaml.ScalarNode, name: str) -> Any:
    """Return the value of a scalar as YAML 1.2's core schema, and so JSON, sees it.

    Raises:
        UnreadableError: When it has a tag of its own.
    """
    text, tag = node.value, node.tag
    if tag == "!" or (node.style and tag == TAG + "str"):
        return text
    if node.style or tag not in PLAIN_TAGS:
        raise UnreadableError(name, f"the tag {tag!r} is not allowed", node.start_mark.line + 1)
    if text in WORDS:
        return WORDS[text]
    if len(text) <= MAX_DIGITS:
        if INTEGER.fullmatch(text):
            return int(text, 0 if text[:2] in ("0o", "0x") else 10)
        if NUMBER.fullmatch(text):
            return float(text)
    return text


class _Builder:
    """Builds the value of one document, counting what it holds."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = 0

    def build(self, node: yaml.Node, depth: int = 0) -> Any:
        self.count += 1
        line = node.start_mark.line + 1
        if self.count > MAX_VALUES:
            raise UnreadableError(self.name, f"more than {MAX_VALUES:,} values, repeated ones counted", line)
        if depth > MAX_DEPTH:
            raise UnreadableError(self.name, f"nested more than {MAX_DEPTH} levels deep", line)
        if isinstance(node, yaml.ScalarNode):
            return read_scalar(node, self.name)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, depth + 1) for child in node.value]
        result: dict[str, Any] = {}
        for key, child in node.value:
            where = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise UnreadableError(self.name, "a key is neither a text nor a number", where)
            if key.value in result:
                raise UnreadableError(self.name, f"the key {key.value!r} is there twice", where)
            if key.value == "<<" and not key.style:
                raise UnreadableError(self.name, "merge keys (<<) are not OpenAPI", where)
            value = result[str(key.value)] = self.build(child, depth + 1)
            if key.value == "$ref" and isinstance(value, str) and not value.startswith("#/"):
                raise UnreadableError(self.name, f"$ref {value!r} leads out of the document", where)
        return result


@attrs.frozen(eq=False)
class Contract:
    """One version of the contract."""

    name: str
    """What messages call it: the path as it was given."""
    path: Path
    document: Mapping[str, Any]
    root: yaml.Node = attrs.field(repr=False)

    @property
    def version(self) -> str:
        """The version of the contract, `info.version`."""
        return str(self.document["info"]["version"])

    def fail(self, pointer: Pointer, reason: str) -> UnreadableError:
        """Return the error that says `reason` of the value at `pointer`."""
        return UnreadableError(self.name, reason, self.find_line(pointer))

    def at(self, pointer: Pointer) -> Any:
        """Return the value at `pointer`.

        Raises:
            UnreadableError: When there is none.
        """
        value: Any = self.document
        for index, step in enumerate(pointer):
            try:
                value = value[int(step)] if is_array(value) else value[str(step)]
            except (LookupError, TypeError, ValueError):
                raise self.fail(pointer[:index], f"nothing is at {format_pointer(pointer)}") from None
        return value

    def get(self, pointer: Pointer, kind: type[dict[str, Any] | list[Any]]) -> Any:
        """Return the value at `pointer`, empty when there is none.

        Raises:
            UnreadableError: When it is something else than an object, or an array.
        """
        holder = self.at(pointer[:-1])
        value = holder.get(str(pointer[-1])) if is_object(holder) else None
        if value is None:
            return kind()
        if not isinstance(value, kind):
            wanted = "an object" if kind is dict else "a list"
            raise self.fail(pointer, f"{pointer[-1]!r} should be {wanted}")
        return value

    def follow(self, pointer: Pointer) -> Pointer:
        """Return where the `$ref` at `pointer` leads, one step.

        Raises:
            UnreadableError: When it leads nowhere.
        """
        reference = str(self.at(pointer)["$ref"])
        target: list[str | int] = []
        value: Any = self.document
        try:
            for step in parse_pointer(reference):
                # One way to say one place, so that places can be compared.
                target.append(int(step) if is_array(value) else step)
                value = value[target[-1]]
        except (LookupError, TypeError, ValueError):
            raise self.fail((*pointer, "$ref"), f"$ref {reference!r} leads nowhere") from None
        return tuple(target)

    def resolve(self, pointer: Pointer) -> Pointer:
        """Return where the value at `pointer` really is, past any `$ref`.

        Raises:
            UnreadableError: When a `$ref` leads nowhere or back to itself.
        """
        seen: set[Pointer] = set()
        while is_object(value := self.at(pointer)) and isinstance(value.get("$ref"), str):
            if pointer in seen:
                raise self.fail((*pointer, "$ref"), f"$ref {value['$ref']!r} leads back to itself")
            seen.add(pointer)
            pointer = self.follow(pointer)
        return pointer

    def find_line(self, pointer: Pointer) -> int:
        """Return the line, from 1, of the value at `pointer`, or of the nearest thing around it; of its key if any."""
        line, node = 1, self.root
        for step in pointer:
            if isinstance(node, yaml.MappingNode):
                match = next(((key, value) for key, value in node.value if key.value == str(step)), None)
                if match is None:
                    break
                line, node = match[0].start_mark.line + 1, match[1]
            elif isinstance(node, yaml.SequenceNode) and str(step).isdigit() and int(step) < len(node.value):
                node = node.value[int(step)]
                line = node.start_mark.line + 1
            else:
                break
        return line


def read_yaml(path: Path, name: str) -> tuple[Any, yaml.Node | None]:
    """Return the value that a YAML or JSON file holds, and the nodes that know its lines.

    Raises:
        UnreadableError: When it cannot be read, is too large, or is neither.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise UnreadableError(name, f"more than {MAX_BYTES // 2**20} MiB")
        loader = Loader(data.decode("utf-8-sig"))
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except OSError as error:
        raise UnreadableError(name, error.strerror or "cannot be read") from None
    except UnicodeDecodeError as error:
        raise UnreadableError(name, "not UTF-8", error.object[: error.start].count(b"\n") + 1) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise UnreadableError(name, error.problem or "not YAML", None if mark is None else mark.line + 1) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise UnreadableError(name, f"not YAML: {str(error).splitlines()[0]}") from None
    return (None, None) if node is None else (_Builder(name).build(node), node)


def read_contract(path: Path, name: str | None = None) -> Contract:
    """Return the contract in a file.

    Raises:
        UnreadableError: When it cannot be read, or is no OpenAPI 3 document with a version and paths.
    """
    name = str(path) if name is None else name
    document, root = read_yaml(path, name)
    if not is_object(document) or root is None:
        raise UnreadableError(name, "not an OpenAPI document", 1)
    contract = Contract(name, path, document, root)
    if not str(document.get("openapi", "")).startswith("3."):
        raise contract.fail(("openapi",), "not an OpenAPI 3 document")
    info = document.get("info")
    if not is_object(info) or not re.match(r"\d+\.\d+\.\d+", str(info.get("version", ""))):
        raise contract.fail(("info", "version"), "info.version should be three numbers, as 1.2.3")
    if not is_object(document.get("paths", {})):
        raise contract.fail(("paths",), "paths should be an object")
    return contract
