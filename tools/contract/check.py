"""Check what the client relies on in the contract beyond what OpenAPI and its linters demand.

    python -m tools.contract.check openapi.yaml

Prints one line for each finding, as `file:line: what is wrong`, and exits 1 when there is one. The rules:

- An optional property of anything that is received accepts null: the service sends null for what it does not
  know yet, and the generated decoder fails on a null that was not declared.
- An enum holds texts, or whole numbers, and each has a Python name in UPPER_SNAKE_CASE, unlike the others': the
  decoder keeps unknown values beside the known members, which it can do for these alone.
- No property has a name that the methods of a generated class need for themselves.
- A discriminator leads to members that rule each other out by its property, with a const: the generated code does not
  read the discriminator, and takes the first member that fits.
"""

import argparse
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import attrs
import scenario_uploads
from openapi_python_client.strings import ClassName, PythonIdentifier
from openapi_schema_validator import OAS31Validator
from scenario_uploads import models

from tools.contract.document import Contract, Pointer, UnreadableError, format_pointer, is_object, read_contract
from tools.contract.operations import find_references, list_operations, reach

NEEDED = {"to_dict", "from_dict", "additional_properties", "field_dict", "d", "cls", "cast"}
ADDED = {"to_json", "model_dump", "model_dump_json", "model_fields_set", "model_extra"}
"""Names that a generated class needs, and those that the runtime gives it."""
IMPORTED = {"Any", "Mapping", "ModelMethods", "Unset", "UUID"}
"""Names that the code and the stub of a model import."""
SCHEMA_KEYS = {"schema", "items", "additionalProperties", "contains", "not"}
SCHEMAS_KEYS = {"schemas", "properties", "patternProperties", "$defs", "allOf", "anyOf", "oneOf", "prefixItems"}
"""Keys whose values are a schema, or hold schemas."""
VALUE_KEYS = {"example", "examples", "default", "enum", "const"}
UPPER_SNAKE_CASE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")


@attrs.frozen
class Finding:
    pointer: Pointer
    message: str


def make_validator(contract: Contract, schema: Pointer) -> Any:
    """Return a validator for the schema at `schema`, to which `$ref` means this contract and a `format` nothing."""
    reference = quote(format_pointer(schema), safe="#/~")
    return OAS31Validator({**contract.document, "$ref": reference})


def find_schemas(value: Any, place: Pointer = ()) -> Iterator[tuple[Pointer, Mapping[str, Any]]]:
    """Yield every schema in a value with its place."""
    last, before = (*place[::-1], "", "")[:2]
    if is_object(value) and (last in SCHEMA_KEYS or before in SCHEMAS_KEYS):
        yield place, value
    for key, child in value.items() if is_object(value) else enumerate(value) if isinstance(value, list) else ():
        # A value in an example is no schema, but a property may be called `example`.
        if key not in VALUE_KEYS or last in SCHEMAS_KEYS:
            yield from find_schemas(child, (*place, key))


def find_required(contract: Contract, schema: Pointer) -> set[str]:
    """Return the properties that a schema demands, by itself or by a member of its `allOf`."""
    return {name for pointer in find_parts(contract, schema) for name in contract.at(pointer).get("required", ())}


def find_received_schemas(contract: Contract) -> Mapping[Pointer, set[str]]:
    """Return where the schemas are that an answer can be made of, and what is demanded of each, also by others."""
    received: dict[Pointer, None] = {}
    for operation in list_operations(contract):
        for status in contract.at(operation.pointer).get("responses", {}):
            place = (*contract.resolve((*operation.pointer, "responses", status)), "content")
            if contract.has(place):
                received |= reach([place], lambda each: find_references(contract.at(each)))
    demanded: defaultdict[Pointer, set[str]] = defaultdict(set)
    for pointer, _ in find_schemas(contract.document):
        if any(pointer[:length] in received for length in range(len(pointer) + 1)):
            demanded[pointer] |= find_required(contract, pointer)
            for member in contract.members(pointer, "allOf"):
                # A part of another, and no component that stands for itself, is demanded what the whole is.
                if contract.resolve(member) == member:
                    demanded[member] |= demanded[pointer]
    return demanded


def check_optional_is_nullable(contract: Contract) -> Iterator[Finding]:
    """Yield the optional properties of answers that do not accept null."""
    for schema, required in find_received_schemas(contract).items():
        value = contract.at(schema)
        for name in value.get("properties", {}):
            pointer = (*schema, "properties", name)
            if name not in required and not make_validator(contract, pointer).is_valid(None):
                yield Finding(
                    pointer,
                    f"{schema[-1]}.{name} is received and optional, so it has to accept null "
                    '(`type: [..., "null"]`, or `oneOf` with `type: "null"`)',
                )


def check_names(contract: Contract) -> Iterator[Finding]:
    """Yield the properties whose names a generated class needs for itself, and the schemas whose names are taken."""
    taken = IMPORTED | {*dir(scenario_uploads)} - {*dir(models)}
    for name in contract.document.get("components", {}).get("schemas", {}):
        if ClassName(name, "") in taken:
            message = f"the schema {name!r} would take the place of what generated code or the package has; rename it"
            yield Finding(("components", "schemas", name), message)
    for pointer, schema in find_schemas(contract.document):
        for name in schema.get("properties", {}):
            if PythonIdentifier(name, "field_") in NEEDED | ADDED:
                message = f"the property {name!r} would take the place of what generated classes need; rename it"
                yield Finding((*pointer, "properties", name), message)


def check_discriminators(contract: Contract) -> Iterator[Finding]:
    """Yield the discriminators whose members do not say by themselves which one they are."""
    for pointer, schema in find_schemas(contract.document):
        members = [*contract.members(pointer, "oneOf"), *contract.members(pointer, "anyOf")]
        discriminator = schema.get("discriminator")
        name = discriminator.get("propertyName") if is_object(discriminator) else None
        seen: set[str] = set()
        for member in members if name is not None else ():
            place = contract.resolve(member)
            if contract.at(place).get("type") == "null":
                continue
            values = find_constants(contract, place, str(name))
            if not values or name not in find_required(contract, place) or not seen.isdisjoint(values):
                yield Finding(
                    member,
                    f"{place[-1]} does not say which one it is: it needs a required {name} with a `const` of its own, "
                    "since the generated client takes the first member that fits",
                )
            seen |= values


def find_constants(contract: Contract, schema: Pointer, name: str) -> set[str]:
    """Return the values that a property of a schema may have, as texts; none when it may have any."""
    values: set[str] = set()
    for pointer in find_parts(contract, schema):
        if name in contract.at(pointer).get("properties", {}):
            own = contract.at(contract.resolve((*pointer, "properties", name)))
            values |= {repr(own["const"])} if "const" in own else {repr(value) for value in own.get("enum", ())}
    return values


def find_parts(contract: Contract, schema: Pointer, keywords: Iterable[str] = ("allOf",)) -> Iterator[Pointer]:
    """Yield a schema and the members of its `allOf`, or of what else is named."""
    pointer = contract.resolve(schema)
    yield pointer
    for keyword in keywords:
        for member in contract.members(pointer, keyword):
            yield from find_parts(contract, member, keywords)


def check_enums(contract: Contract) -> Iterator[Finding]:
    for pointer, schema in find_schemas(contract.document):
        if "enum" not in schema:
            continue
        # A null among the values makes the generated type optional; it is not a member.
        values = [value for value in schema["enum"] if value is not None]
        where = (*pointer, "enum")
        others = [value for value in values if type(value) is not type(values[0]) or type(value) not in (str, int)]
        if others:
            message = f"the decoder keeps unknown values of texts or of whole numbers, and {others[0]!r} is none"
            yield Finding(where, message)
            continue
        names = schema.get("x-enum-varnames")
        if names is None:
            # What the generator calls them; of a number it makes `VALUE_1`.
            names = [re.sub(r"[ -]", "_", value).upper() if isinstance(value, str) else "VALUE" for value in values]
            names = [f"{name}_{index}" if name == "VALUE" else name for index, name in enumerate(names)]
        if len(names) != len(values):
            yield Finding((*pointer, "x-enum-varnames"), f"{len(names)} names for {len(values)} values")
            continue
        for value, name in zip(values, names, strict=True):
            if not UPPER_SNAKE_CASE.fullmatch(name):
                yield Finding(where, f"{value!r} needs a name in UPPER_SNAKE_CASE in x-enum-varnames, not {name!r}")
        if len(set(names)) != len(names):
            yield Finding(where, "two values have the same Python name; name them in x-enum-varnames")


def check(contract: Contract) -> list[Finding]:
    """Return what is wrong with `contract`, each fact once however many `$ref` paths lead to it."""
    rules = (check_optional_is_nullable, check_enums, check_names, check_discriminators)
    return list(dict.fromkeys(finding for rule in rules for finding in rule(contract)))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.contract.check")
    parser.add_argument("contract", type=Path)
    arguments = parser.parse_args(argv)
    path: Path = arguments.contract
    try:
        contract = read_contract(path)
        findings = check(contract)
    except UnreadableError as error:
        print(f"cannot be checked: {error}", file=sys.stderr)
        return 2
    for finding in findings:
        print(f"{path}:{contract.find_line(finding.pointer)}: {finding.message}")
    if findings:
        return 1
    print(f"{path}: what the client relies on holds.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
