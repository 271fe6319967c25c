"""Read what a generated client offers to Python callers: enums, models, and operations with their arguments."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from functools import reduce
from pathlib import Path

import attrs
import griffe

PACKAGE = "scenario_uploads_client"
VARIANTS = ("sync", "sync_detailed", "asyncio", "asyncio_detailed")
"""The functions of an operation: with and without the whole response, once awaited. They count as one."""
ABSENT = "Unset"
"""What stands in an annotation for an argument that may be left out."""


@attrs.frozen
class Argument:
    """Something that a model or an operation takes by name."""

    name: str
    annotation: frozenset[str]
    """The choices that it is a union of, without the one of being left out."""
    required: bool
    taken: bool = True
    """Whether the constructor takes it; if not, it is an attribute alone."""


@attrs.frozen
class Enum:
    """An enum: the value of each member, as Python source."""

    members: Mapping[str, str]


@attrs.frozen
class Model:
    """A model: its fields, in the order of the constructor."""

    fields: tuple[Argument, ...]


@attrs.frozen
class Operation:
    """An operation: what it takes besides the client, and what it returns."""

    arguments: tuple[Argument, ...]
    returns: frozenset[str]


@attrs.frozen
class Surface:
    """What a generated client offers, or the part of it that was read."""

    classes: Mapping[str, Enum | Model]
    operations: Mapping[str, Operation]
    """By tag and name, as `uploads.create_upload`."""


def is_taken(field: griffe.Attribute) -> bool:
    """Return whether the constructor of an attrs class takes a field."""
    return "property" not in field.labels and not re.search(r"\binit=False\b", str(field.value))


def read_annotation(annotation: object) -> frozenset[str]:
    """Return the choices of an annotation, however the union is written and quoted."""
    return frozenset(_list_choices(ast.parse(str(annotation), mode="eval").body))


def _list_choices(node: ast.expr) -> Iterable[str]:
    if isinstance(node, ast.BinOp):
        return [*_list_choices(node.left), *_list_choices(node.right)]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _list_choices(ast.parse(node.value, mode="eval").body)
    return [ast.unparse(node).replace("'", "")]


def read_argument(parameter: griffe.Parameter | griffe.Attribute, default: object) -> Argument:
    """Return a parameter, or a field, as an argument."""
    choices = read_annotation(parameter.annotation)
    taken = isinstance(parameter, griffe.Parameter) or is_taken(parameter)
    return Argument(parameter.name, choices - {ABSENT}, required=default is None, taken=taken)


def read_class(cls: griffe.Class) -> Enum | Model | None:
    """Return an enum or a model; none when the class is something else."""
    if any(re.search(r"Enum$", str(base)) for base in cls.bases):
        attributes = (member for member in cls.members.values() if isinstance(member, griffe.Attribute))
        return Enum({member.name: str(member.value) for member in attributes if member.value is not None})
    if not any("define" in str(decorator.value) for decorator in cls.decorators):
        return None
    fields = [
        read_argument(member, member.value)
        for member in cls.members.values()
        if isinstance(member, griffe.Attribute) and "property" not in member.labels
    ]
    return Model(tuple(fields))


def read_operation(module: griffe.Module) -> Operation | None:
    """Return the one operation that the functions of a module are variants of."""
    variants = [module[name] for name in VARIANTS if name in module.members]
    if not variants:
        return None
    arguments = {
        parameter.name: read_argument(parameter, parameter.default)
        for function in variants
        for parameter in function.parameters
        if parameter.name != "client"
    }
    # A variant returns the answer, with None beside it, or a response that holds the answer.
    returns: frozenset[str] = reduce(
        frozenset.union, (read_annotation(re.sub(r"^Response\[(.*)\]$", r"\1", str(f.returns))) for f in variants)
    )
    return Operation(tuple(arguments.values()), returns - {"None"})


def visit(path: Path) -> griffe.Module:
    """Return what a source file defines."""
    return griffe.visit(path.stem, filepath=path, code=path.read_text(encoding="utf-8"))


def read_surfaces(old: Path, new: Path) -> tuple[Surface, Surface]:
    """Return what two generated clients offer, as far as their files differ."""
    trees = [list_sources(folder / PACKAGE) for folder in (old, new)]
    equal = {
        name for name, path in trees[0].items() if name in trees[1] and path.read_bytes() == trees[1][name].read_bytes()
    }
    before, after = (read_surface({name: path for name, path in tree.items() if name not in equal}) for tree in trees)
    return before, after


def list_sources(package: Path) -> dict[str, Path]:
    """Return the files of a generated package that hold models and operations, by their names in it."""
    paths = [*package.glob("models/*.py"), *package.glob("api/*/*.py")]
    return {path.relative_to(package).as_posix(): path for path in sorted(paths) if path.name != "__init__.py"}


def read_surface(sources: Mapping[str, Path]) -> Surface:
    """Return what source files of a generated client offer."""
    classes: dict[str, Enum | Model] = {}
    operations: dict[str, Operation] = {}
    for name, path in sources.items():
        module = visit(path)
        if name.startswith("models/"):
            for cls in module.classes.values():
                read = read_class(cls)
                if read is not None:
                    classes[cls.name] = read
        elif (operation := read_operation(module)) is not None:
            operations[f"{path.parent.name}.{path.stem}"] = operation
    return Surface(classes, operations)
