"""Read what the generator makes of a contract: the enums, models and operations of the client that it would write.

Of a large contract it is given an excerpt, without what makes no difference to those who compare two clients.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Literal

import attrs
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import EnumProperty, ModelProperty, Property
from openapi_python_client.strings import PythonIdentifier

from tools.contract.document import Contract, Pointer, is_object
from tools.contract.operations import METHODS, Operation, find_references, list_components, list_operations
from tools.project import ROOT
from tools.spec_diff.wire.places import find_changed

LARGE = 40
"""From how many operations on a contract is reduced to what matters before the generator reads it."""
ABSENT = "Unset"
"""What stands in an annotation for an argument that may be left out."""


class NoClientError(Exception):
    """No client can be generated from a contract; the message says why."""

    def __init__(self, contract: Contract, reasons: Iterable[str]) -> None:
        # They name objects of the generator's own.
        text = re.sub(r"<[\w.]+ object at 0x[0-9a-f]+>", "…", " ".join(reasons))
        super().__init__(" ".join(text.split())[:300])
        self.contract = contract


@attrs.frozen
class Argument:
    name: str
    annotation: frozenset[str]
    """The choices that it is a union of, without the one of being left out."""
    required: bool
    taken: bool = True
    """Whether the constructor takes it; if not, it is an attribute alone."""


@attrs.frozen
class Shape:
    """An enum, a model with the fields of its constructor in order, or an operation with its arguments."""

    noun: Literal["enum", "model", "operation"]
    arguments: tuple[Argument, ...] = ()
    returns: frozenset[str] = frozenset()
    members: Mapping[str, str] = attrs.field(factory=dict)
    """The members of an enum, by their values as Python source."""

    def rename(self, names: Mapping[str, str]) -> Shape:
        arguments = (attrs.evolve(each, annotation=rename_choices(each.annotation, names)) for each in self.arguments)
        return attrs.evolve(self, arguments=tuple(arguments), returns=rename_choices(self.returns, names))


# The classes of a generated client, or its operations, which are called as `uploads.create_upload`.
Shapes = dict[str, Shape]
Surface = tuple[Shapes, Shapes]


def rename_choices(choices: frozenset[str], names: Mapping[str, str]) -> frozenset[str]:
    return frozenset(re.sub(r"\w+", lambda match: names.get(match[0], match[0]), choice) for choice in choices)


@cache
def read_config() -> Config:
    file = ConfigFile.load_from_path(ROOT / "generator-config.yaml")
    return Config.from_sources(file, MetaType.NONE, "", "utf-8", overwrite=False, output_path=None)


def read_surface(contract: Contract) -> Surface:
    """Return the classes and the operations of the client of a contract."""
    try:
        data = GeneratorData.from_dict({**contract.document}, config=read_config())
        if isinstance(data, GeneratorError):
            reasons = [data.header, str(data.detail)]
        else:
            collections = data.endpoint_collections_by_tag.values()
            errors = [error for each in collections for error in each.parse_errors] + data.errors
            if not errors:
                return read_classes(data), read_operations(data)
            reasons = []
            for each in errors:
                shown = each.data and each.data.model_dump_json(indent=2, exclude_unset=True, by_alias=True)
                reasons += [each.header, each.detail or "", shown or ""]
    except Exception as error:  # noqa: BLE001 - whatever the generator stumbles over, or makes that is no Python
        reasons = [type(error).__name__, str(error)]
    raise NoClientError(contract, reasons)


def read_classes(data: GeneratorData) -> Shapes:
    """Return the classes in the order of their files; no enum is a `Literal`, as generator-config.yaml says."""
    enums = (each for each in data.enums if isinstance(each, EnumProperty))
    found: list[ModelProperty | EnumProperty] = [*data.models, *enums]
    found.sort(key=lambda each: each.class_info.module_name)
    return {each.class_info.name: read_class(each) for each in found}


def read_operations(data: GeneratorData) -> Shapes:
    found = {
        f"{tag}.{PythonIdentifier(each.name, read_config().field_prefix)}": read_operation(each)
        for tag, collection in data.endpoint_collections_by_tag.items()
        for each in collection.endpoints
    }
    return dict(sorted(found.items()))


def read_annotation(code: str) -> frozenset[str]:
    """Return the choices of a union, or the one type that it is."""
    node = ast.parse(code, mode="eval").body
    if isinstance(node, ast.BinOp):
        return read_annotation(ast.unparse(node.left)) | read_annotation(ast.unparse(node.right))
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return read_annotation(node.value)
    return frozenset({ast.unparse(node).replace("'", "")})


def read_type(value: Property) -> frozenset[str]:
    return read_annotation(value.get_type_string().as_unembedded_code()) - {ABSENT}


def read_arguments(values: Iterable[Property]) -> Iterator[Argument]:
    for each in values:
        yield Argument(each.python_name, read_type(each), required=each.required and each.default is None)


def read_class(model: ModelProperty | EnumProperty) -> Shape:
    if isinstance(model, EnumProperty):
        return Shape("enum", members={repr(value): name for name, value in model.values.items()})
    fields = [*read_arguments([*(model.required_properties or ()), *(model.optional_properties or ())])]
    # A dataclass has what may be left out at the end.
    fields.sort(key=lambda each: not each.required)
    if model.additional_properties:
        kind = model.additional_properties.get_type_string().as_unembedded_code()
        rest = read_annotation(f"dict[str, {kind}]")
        fields.append(Argument("additional_properties", rest, required=False, taken=False))
    return Shape("model", tuple(fields))


def read_operation(endpoint: Endpoint) -> Shape:
    """Return an operation, whose functions all take the same."""
    bodies = [each.prop for each in endpoint.bodies]
    arguments = [*read_arguments(endpoint.path_parameters)]
    if bodies:
        # Of several it may be none, as the generator writes it.
        required = len(bodies) == 1 and bodies[0].required
        kinds = frozenset[str]().union(*map(read_type, bodies))
        arguments.append(Argument("body", kinds, required))
    named = (endpoint.query_parameters, endpoint.header_parameters, endpoint.cookie_parameters)
    arguments += [argument for group in named for argument in read_arguments(group)]
    returns = read_annotation(endpoint.response_type().as_unembedded_code())
    return Shape("operation", tuple(arguments), returns - {"None"})


# Excerpts


def has_class(place: Pointer, value: Any) -> bool:
    """Return whether a component surely has a class of its own, so that others show no more of it than its name."""
    if place[:2] != ("components", "schemas") or not is_object(value):
        return False
    if value.keys() & {"allOf", "oneOf", "anyOf", "$ref", "const"}:
        return False
    return (value.get("type") == "object" and is_object(value.get("properties"))) or (
        "enum" in value and value.get("type") in ("string", "integer")
    )


def make_excerpts(old: Contract, new: Contract) -> tuple[Contract, Contract]:
    """Return both contracts, large ones without what makes no difference to Python callers."""
    if all(len(list_operations(contract)) <= LARGE for contract in (old, new)):
        return old, new
    sides: list[dict[Pointer, Any]] = [
        {each.pointer: read_entry(contract, each) for each in list_operations(contract)} | list_components(contract)
        for contract in (old, new)
    ]
    changed = find_changed(sides, has_class)
    return cut(old, changed), cut(new, changed)


def read_entry(contract: Contract, operation: Operation) -> list[Any]:
    """Return an operation, and what is said of all operations of its path."""
    item = contract.at(operation.pointer[:-1])
    return [item[operation.method], {key: value for key, value in item.items() if key not in METHODS}]


def cut(contract: Contract, changed: Collection[Pointer]) -> Contract:
    """Return a contract without the operations that are the same, of whose other classes only the names are left."""
    paths: dict[str, Any] = {}
    for operation in list_operations(contract):
        if operation.pointer in changed:
            own, common = read_entry(contract, operation)
            paths.setdefault(operation.path, common)[operation.method] = own
    # What is a part of another shows what is in it.
    whole = {*changed, *(place for place, is_part in find_references(contract.document).items() if is_part)}
    components: dict[str | int, dict[str | int, Any]] = {}
    for place, value in list_components(contract).items():
        is_name = has_class(place, value) and place not in whole and "enum" not in value
        shown = {key: value[key] for key in ("type", "title") if key in value} if is_name else value
        components.setdefault(place[1], {})[place[2]] = shown
    return attrs.evolve(contract, document={**contract.document, "paths": paths, "components": components})
