"""Read what a generated client offers from the files that the generator has written, with griffe."""

from __future__ import annotations

import re
from pathlib import Path

import griffe

from tools.client.generate import PACKAGE
from tools.spec_diff.python.surface import ABSENT, Argument, Shape, Shapes, read_annotation


def is_taken(field: griffe.Attribute) -> bool:
    """Return whether the constructor of an attrs class takes a field."""
    return "property" not in field.labels and not re.search(r"\binit=False\b", str(field.value))


def read_argument(parameter: griffe.Parameter | griffe.Attribute, default: object) -> Argument:
    choices = read_annotation(str(parameter.annotation))
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


def read_written(folder: Path) -> tuple[Shapes, Shapes]:
    """Return the classes and the operations of the generated client in a folder."""
    package = folder / PACKAGE
    classes: Shapes = {}
    operations: Shapes = {}
    for path in sorted([*package.glob("models/*.py"), *package.glob("api/*/*.py")]):
        if path.name == "__init__.py":
            continue
        module = griffe.visit(path.stem, filepath=path, code=path.read_text("utf-8"))
        if path.parent.name == "models":
            read = {each.name: read_class(each) for each in module.classes.values()}
            classes |= {name: shape for name, shape in read.items() if shape is not None}
        elif "sync_detailed" in module.functions:
            # The other functions of an operation take the same.
            operations[f"{path.parent.name}.{path.stem}"] = read_operation(module.functions["sync_detailed"])
    return classes, operations
