"""Find what the generated client has and the handwritten layer lacks, and what the layer imports that is gone.

Both are parsed, not imported: after an edit of the contract, the handwritten layer may not import.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path

import attrs

Function = ast.FunctionDef | ast.AsyncFunctionDef
CLIENT = Path("overrides", "scenario_uploads", "client", "async_client.py")
"""The client that is written by hand; the other one is made of it."""


@attrs.frozen
class Operation:
    """An operation of the generated client."""

    group: str
    """The package that it is in, such as `uploads`: the tag of the contract."""
    name: str
    """The operationId."""
    arguments: tuple[str, ...]
    """The names of its parameters and of the properties of its bodies."""


def read_classes(paths: Iterable[Path]) -> dict[str, ast.ClassDef]:
    """Return the classes of some modules by name."""
    return {each.name: each for path in paths for each in read_body(path) if isinstance(each, ast.ClassDef)}


def read_body(path: Path) -> list[ast.stmt]:
    """Return the statements of a module."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=path.name).body


def list_functions(body: list[ast.stmt]) -> dict[str, Function]:
    """Return the functions of a module or class by name."""
    return {each.name: each for each in body if isinstance(each, Function)}


def list_parameters(function: Function) -> list[ast.arg]:
    """Return the parameters of a function, `self` included."""
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


def read_operations(generated: Path) -> list[Operation]:
    """Return the operations of a generated client."""
    models = read_classes(sorted((generated / "models").glob("*.py")))
    operations: list[Operation] = []
    for path in sorted((generated / "api").glob("*/*.py")):
        functions = list_functions(read_body(path))
        if "_get_kwargs" not in functions:
            continue
        arguments: list[str] = []
        for parameter in list_parameters(functions["_get_kwargs"]):
            if parameter.arg != "body":
                arguments.append(parameter.arg)
                continue
            bodies = re.findall(r"\w+", ast.unparse(parameter.annotation) if parameter.annotation else "")
            fields = [each for name in bodies if name in models for each in models[name].body]
            arguments += [ast.unparse(each.target) for each in fields if isinstance(each, ast.AnnAssign)]
        kept = [name for name in dict.fromkeys(arguments) if name != "additional_properties"]
        operations.append(Operation(path.parent.name, path.stem, tuple(kept)))
    return operations


def name_method(operation: Operation) -> str:
    """Return what the method of an operation is called: `create_upload` is `create` of `uploads`."""
    group = operation.group.split("_")
    words = {*group, *(word.removesuffix("s") for word in group)}
    return "_".join(word for word in operation.name.split("_") if word not in words) or operation.name


def find_missing(generated: Path, root: Path) -> list[str]:
    """Return which operations and arguments of a generated client the handwritten one lacks, with the remedy.

    The handwritten client is in the project at `root`, with a class for each tag of the contract.
    """
    classes = read_classes(sorted((root / CLIENT).parent.glob("async_*.py")))
    missing: list[str] = []
    for operation in read_operations(generated):
        kind = "Async" + re.sub(r"(?:^|_)([a-z])", lambda match: match[1].upper(), operation.group)
        name = f"{kind}.{name_method(operation)}"
        method = list_functions(classes[kind].body).get(name_method(operation)) if kind in classes else None
        if method is None:
            missing.append(f"The operation {operation.name} is missing: write `{name}` in {CLIENT.as_posix()}.")
            continue
        known = [each.arg for each in list_parameters(method)]
        arguments = [f"`{each}`" for each in operation.arguments if each not in known]
        if arguments and method.args.kwarg is None:
            lacks = f"{' and '.join(arguments)} of the operation {operation.name}"
            missing.append(f"`{name}` lacks {lacks}: add it in {CLIENT.as_posix()}.")
    return missing


def find_gone(generated: Path, root: Path) -> list[str]:
    """Return which models and operations the handwritten layer imports that a generated client has no more."""
    users: dict[str, list[str]] = {}
    models = set(read_classes((generated / "models").glob("*.py")))
    for path in sorted((root / CLIENT).parents[1].rglob("*.py")):
        # The twins are written anew from the async sources.
        if path.read_text(encoding="utf-8").startswith("# Generated from"):
            continue
        for node in ast.walk(ast.Module(read_body(path), [])):
            if not isinstance(node, ast.ImportFrom) or node.module is None:
                continue
            folder, _, group = node.module.removeprefix(f"{generated.name}.").partition(".")
            if node.module.endswith("models"):
                known = models
            elif folder == "api" and generated.name in node.module:
                known = {each.stem for each in (generated / folder / group).glob("*.py")}
            else:
                continue
            for name in {each.name for each in node.names} - known - {"*"}:
                users.setdefault(name, []).append(path.relative_to(root).as_posix())
    return [f"`{name}` is gone: change {', '.join(paths)}." for name, paths in sorted(users.items())]
