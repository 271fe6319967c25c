"""Read what a generated client offers to Python callers: enums, models, and operations with their arguments."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import attrs
import griffe

PACKAGE = "scenario_uploads_client"
ABSENT = "Unset"
"""What stands in an annotation for an argument that may be left out."""


def rename_choices(choices: frozenset[str], names: Mapping[str, str]) -> frozenset[str]:
    return frozenset(re.sub(r"\w+", lambda match: names.get(match[0], match[0]), choice) for choice in choices)


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


def is_taken(field: griffe.Attribute) -> bool:
    """Return whether the constructor of an attrs class takes a field."""
    return "property" not in field.labels and not re.search(r"\binit=False\b", str(field.value))


def read_annotation(annotation: object) -> frozenset[str]:
    """Return the choices of a union, or the one type that it is."""
    node = ast.parse(str(annotation), mode="eval").body
    if isinstance(node, ast.BinOp):
        return read_annotation(ast.unparse(node.left)) | read_annotation(ast.unparse(node.right))
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return read_annotation(node.value)
    return frozenset({ast.unparse(node).replace("'", "")})


def read_argument(parameter: griffe.Parameter | griffe.Attribute, default: object) -> Argument:
    choices = read_annotation(parameter.annotation)
    taken = isinstance(parameter, griffe.Parameter) or is_taken(parameter)
    return Argument(parameter.name, choices - {ABSENT}, required=default is None, taken=taken)


def read_class(cls: griffe.Class) -> Shape | None:
    """Return an enum or a model; none when the class is something else."""
    attributes = [member for member in cls.members.values() if isinstance(member, griffe.Attribute)]
    if any(re.search(r"Enum$", str(base)) for base in cls.bases):
        return Shape("enum", members={str(each.value): each.name for each in attributes if each.value is not None})
    if not any("define" in str(decorator.value) for decorator in cls.decorators):
        return None
    fields = (read_argument(member, member.value) for member in attributes if "property" not in member.labels)
    return Shape("model", tuple(fields))


def read_operation(function: griffe.Function) -> Shape:
    """Return an operation, given that of its functions which returns the response with the answer."""
    arguments = (read_argument(each, each.default) for each in function.parameters if each.name != "client")
    returns = read_annotation(re.sub(r"^Response\[(.*)\]$", r"\1", str(function.returns)))
    return Shape("operation", tuple(arguments), returns - {"None"})


def read_surfaces(old: Path, new: Path) -> tuple[tuple[Shapes, Shapes], tuple[Shapes, Shapes]]:
    """Return the classes and the operations of two generated clients, as far as their files differ."""
    texts = [read_sources(folder / PACKAGE) for folder in (old, new)]
    before, after = (
        read_surface({name: text for name, text in own.items() if texts[0].get(name) != texts[1].get(name)})
        for own in texts
    )
    return before, after


def read_sources(package: Path) -> dict[str, str]:
    """Return the files of a generated package that hold models and operations, by their names in it."""
    paths = sorted([*package.glob("models/*.py"), *package.glob("api/*/*.py")])
    texts = {path.relative_to(package).as_posix(): path.read_text("utf-8") for path in paths}
    return {name: text for name, text in texts.items() if not name.endswith("__init__.py")}


def read_surface(sources: Mapping[str, str]) -> tuple[Shapes, Shapes]:
    classes: Shapes = {}
    operations: Shapes = {}
    for name, text in sources.items():
        path = Path(name)
        module = griffe.visit(path.stem, filepath=path, code=text)
        if path.parent.name == "models":
            read = {each.name: read_class(each) for each in module.classes.values()}
            classes |= {each: shape for each, shape in read.items() if shape is not None}
        elif "sync_detailed" in module.functions:
            # The other functions of an operation take the same.
            operations[f"{path.parent.name}.{path.stem}"] = read_operation(module.functions["sync_detailed"])
    return classes, operations
