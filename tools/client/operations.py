"""Write the operations of the contract as methods of the client, and the types of what they take and return.

`create_upload` of the tag `uploads` becomes `client.uploads.create`. What is in the path is given by position, and the
query and the properties of the body by name. A parameter of the query whose schema is called `X`, where a success is an
`XResponse`, asks for that response: the method is overloaded. `templates` has what no contract says.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import jinja2
from openapi_python_client.strings import ClassName, PythonIdentifier

from tools.client.unasync import HEADER, PACKAGE, format_module
from tools.contract.document import Contract, Pointer
from tools.contract.operations import Operation, find_references, list_operations, reach

TYPES = PACKAGE / "types"
PLACES = ("path", "body", "query")
# What every method has already.
TAKEN = {"self", "options", "body", "steps", "extra_headers", "extra_query", "extra_body", "timeout"}
SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}


@attrs.frozen
class Argument:
    """A parameter of an operation, or a property of an object; `plain` is its type in a `TypedDict`."""

    name: str
    place: str
    required: bool
    text: str
    schema: str
    type: str
    plain: str
    fields: list[Argument]


@attrs.frozen
class Method:
    """An operation, with the models of its successes and those that are in the first, the usual one."""

    tag: str
    name: str
    text: str
    arguments: list[Argument]
    responses: dict[str, str]
    not_found: str
    related: list[str]

    @property
    def stem(self) -> str:
        """What its types are named after."""
        return next(iter(self.responses)).removesuffix("Response")

    @property
    def switch(self) -> Argument | None:
        """The argument that asks for another response."""
        return next((each for each in self.arguments if f"{each.schema}Response" in self.responses), None)


def read_method(contract: Contract, operation: Operation) -> Method:
    """Return an operation of a contract as a method."""
    place, value = operation.pointer, contract.at(operation.pointer)
    arguments = [*_read_parameters(contract, place[:-1]), *_read_parameters(contract, place)]
    if "requestBody" in value:
        arguments += _read_properties(contract, _find_schema(contract, (*place, "requestBody")))
    names = [each.name for each in arguments]
    if twice := [name for name in names if name in TAKEN or names.count(name) > 1]:
        raise contract.fail(place, f"two arguments of its method would be called {twice[0]!r}")
    responses = {status: contract.resolve((*place, "responses", status)) for status in value["responses"]}
    texts = {status: _write_prose(contract.at((*response, "description"))) for status, response in responses.items()}
    # A success may have no body, such as 204.
    successes = [each for each in texts if each.startswith("2") and "content" in contract.at(responses[each])]
    models = {status: _find_schema(contract, responses[status]) for status in successes}
    if not models:
        raise contract.fail(place, "an operation needs a success with a body, such as 200")
    related = reach([next(iter(models.values()))], lambda each: find_references(contract.at(each)))
    tag = to_python(value.get("tags", ["default"])[0])
    # What the class says, the method does not repeat.
    words = {*tag.split("_"), *(word.removesuffix("s") for word in tag.split("_"))}
    method = Method(
        tag=tag,
        name=to_python("_".join(word for word in operation.name.split("_") if word not in words) or operation.name),
        text=_write_prose(f"{contract.at((*place, 'summary'))}.\n\n{value.get('description', '')}"),
        arguments=sorted(arguments, key=lambda each: (PLACES.index(each.place), each.name == "project_id")),
        responses={_name_model(each): texts[status] + _list_fields(contract, each) for status, each in models.items()},
        not_found=texts.get("404", ""),
        related=sorted(_name_model(each) for each in related if contract.at(each).get("type") == "object"),
    )
    if len(method.responses) > 1 and method.switch is None:
        raise contract.fail(
            place, "two models of successes need a parameter of the query that asks for one, as `DryRun`"
        )
    return method


def _find_schema(contract: Contract, holder: Pointer) -> Pointer:
    """Return where the schema of a JSON body is."""
    if "application/json" not in contract.get((*contract.resolve(holder), "content"), dict):
        raise contract.fail(holder, "a method can be written for bodies of application/json alone")
    schema = contract.resolve((*contract.resolve(holder), "content", "application/json", "schema"))
    if schema[0] != "components":
        raise contract.fail(schema, "a body needs a schema among the components, whose name is that of its model")
    return schema


def _name_model(schema: Pointer) -> str:
    return ClassName(str(schema[-1]), "")


def _read_parameters(contract: Contract, holder: Pointer) -> Iterator[Argument]:
    for place in map(contract.resolve, contract.members(holder, "parameters")):
        if contract.at(place)["in"] not in PLACES:
            raise contract.fail(place, "only a parameter of the path or the query can be an argument")
        yield _read_argument(contract, (*place, "schema"), contract.at(place))


def _read_properties(contract: Contract, schema: Pointer, *, inside: bool = False) -> Iterator[Argument]:
    required = contract.get((*schema, "required"), list)
    for name, value in contract.get((*schema, "properties"), dict).items():
        about = {"name": name, "in": "body", "required": name in required, "description": value.get("description")}
        yield _read_argument(contract, (*schema, "properties", name), about, inside=inside)


def _read_argument(contract: Contract, place: Pointer, about: Mapping[str, Any], *, inside: bool = False) -> Argument:
    """Return the argument for a schema; what is `inside` of another has no fields of its own."""
    target = contract.resolve(place)
    value = contract.at(target)
    text, choices = about.get("description") or value.get("description", ""), value.get("enum", [])
    kinds = value["type"] if isinstance(value.get("type"), list) else [value.get("type")]
    kind = next((kind for kind in kinds if kind != "null"), None)
    # Of other components no class is made.
    schema = _name_model(target) if target != place and (choices or kind == "object") else ""
    fields: list[Argument] = []
    plain = SCALARS.get(str(kind), "object")
    shown = f"{schema} | {plain}" if schema else plain
    if kind == "array":
        item = _read_argument(contract, (*target, "items"), {"name": about["name"], "in": about["in"]}, inside=True)
        plain, shown = f"list[{item.plain}]", f"Sequence[{item.type}]"
    if kind == "object" and schema:
        fields = [] if inside else [*_read_properties(contract, target, inside=True)]
        plain, shown = to_class(about["name"]) if fields else "dict[str, object]", f"{schema} | Mapping[str, object]"
        text += _list_fields(contract, target)
    if choices:
        text += f" One of {', '.join(f'`{json.dumps(each)}`' for each in choices)}."
    if "true" in choices and about["in"] == "query":
        text, shown = f'{text} True is the same as `"true"`.', f"{shown} | Literal[True]"
    name, required = to_python(about["name"]), about.get("required", False)
    return Argument(name, about["in"], required, _write_prose(text), schema, shown, plain, fields)


def _list_fields(contract: Contract, schema: Pointer) -> str:
    return f" Fields: {', '.join(f'`{to_python(name)}`' for name in contract.get((*schema, 'properties'), dict))}."


def to_python(name: str) -> str:
    """Return a name as the generated client has it."""
    return PythonIdentifier(name, "field_")


def to_class(name: str) -> str:
    """Return a name as that of a class."""
    return "".join(word.capitalize() for word in to_python(name).split("_"))


def _write_prose(text: str) -> str:
    """Return a description for a docstring, with the names that fields have in Python, each paragraph on a line."""
    text = text.replace("\\", "\\\\").replace('"""', "'''")
    text = re.sub(r"`([a-z]+[A-Z]\w*)`", lambda match: f"`{to_python(match[1])}`", text)
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n"))


def fold(text: str, indent: int, hanging: int = 0) -> str:
    """Return prose in lines of the project's length, to stand at an indent."""
    first, other = " " * indent, " " * (indent + hanging)
    folded = (textwrap.fill(each, 120, initial_indent=first, subsequent_indent=other) for each in text.split("\n\n"))
    return "\n\n".join(folded).strip()


def write_operations(contract: Contract) -> dict[Path, bytes]:
    """Return the modules by their places in the project."""
    templates = jinja2.Environment(  # noqa: S701 - Python needs no escapes of HTML
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    methods = [read_method(contract, operation) for operation in list_operations(contract)]
    models = [ClassName(name, "") for name in contract.at(("components", "schemas"))]
    common = {"methods": methods, "models": models, "fold": fold, "to_python": to_python, "to_class": to_class}
    modules: dict[str, tuple[str, Method | None]] = {
        "client/async_operations.py": ("async_operations", None),
        "types/__init__.py": ("types", None),
    }
    for each in methods:
        modules |= {f"types/{to_python(each.stem)}_{kind}.py": (kind, each) for kind in ("params", "response")}
    texts = {
        PACKAGE / place: templates.get_template(f"{name}.py.jinja").render(common, method=method)
        for place, (name, method) in modules.items()
    }
    return {place: format_module(HEADER.format(source="openapi.yaml") + text, place) for place, text in texts.items()}
