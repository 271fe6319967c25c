"""Find what the generated client can say and the handwritten layer does not yet.

Both are read and not run: after an edit of the contract, the layer may not even import.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
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
    signature: Mapping[str, str]
    """Its parameters with their types, and what its responses are."""


def read_classes(paths: Iterable[Path]) -> dict[str, ast.ClassDef]:
    """Return the classes of some modules by name."""
    return {each.name: each for path in paths for each in read_body(path) if isinstance(each, ast.ClassDef)}


def read_body(path: Path) -> list[ast.stmt]:
    """Return the statements of a module."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=path.name).body


def list_functions(body: list[ast.stmt]) -> dict[str, Function]:
    """Return the functions of a module or class by name."""
    return {each.name: each for each in body if isinstance(each, Function)}


def describe_parameters(function: Function) -> dict[str, str]:
    """Return the parameters of a function with their types, `self` included."""
    given = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return {each.arg: ast.unparse(each.annotation) if each.annotation else "" for each in given}


def read_models(generated: Path) -> dict[str, dict[str, str]]:
    """Return the models of a generated client with their attributes, and its enums with their members."""
    models: dict[str, dict[str, str]] = {}
    for name, kind in read_classes(sorted((generated / "models").glob("*.py"))).items():
        fields = models[name] = {}
        for each in kind.body:
            if isinstance(each, ast.AnnAssign):
                fields[ast.unparse(each.target)] = ast.unparse(each.annotation)
            elif isinstance(each, ast.Assign):
                fields[ast.unparse(each.targets[0])] = ast.unparse(each.value)
        fields.pop("additional_properties", None)
    return models


def read_operations(generated: Path) -> list[Operation]:
    """Return the operations of a generated client."""
    models = read_models(generated)
    operations: list[Operation] = []
    for path in sorted((generated / "api").glob("*/*.py")):
        functions = list_functions(read_body(path))
        if "_get_kwargs" not in functions:
            continue
        parameters = describe_parameters(functions["_get_kwargs"])
        names = [name for name in parameters if name != "body"]
        names += [field for name in re.findall(r"\w+", parameters.get("body", "")) for field in models.get(name, ())]
        parse = functions.get("_parse_response")
        if parse is not None and parse.returns is not None:
            parameters["response"] = ast.unparse(parse.returns)
        operations.append(Operation(path.parent.name, path.stem, tuple(dict.fromkeys(names)), parameters))
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
        known = describe_parameters(method)
        arguments = [f"`{each}`" for each in operation.arguments if each not in known]
        if arguments and method.args.kwarg is None:
            lacks = f"{' and '.join(arguments)} of the operation {operation.name}"
            missing.append(f"`{name}` lacks {lacks}: add it in {CLIENT.as_posix()}.")
    return missing


def list_client_changes(old: Path, new: Path) -> list[str]:
    """Return the operations, models and enums that differ between two generated packages, with what came and went."""
    lines: list[str] = []
    operations = [{each.name: each.signature for each in read_operations(side)} for side in (old, new)]
    models: list[Mapping[str, Mapping[str, str]]] = [read_models(side) for side in (old, new)]
    for noun, (before, after) in (("operation", operations), ("model", models)):
        for name in dict.fromkeys([*after, *before]):
            if name not in before or name not in after:
                lines.append(f"{noun} {name} is {'new' if name in after else 'gone'}")
            elif before[name] != after[name]:
                came = [f"+{each}" for each in after[name] if each not in before[name]]
                went = [f"-{each}" for each in before[name] if each not in after[name]]
                other = [f"~{each}" for each, kind in after[name].items() if before[name].get(each, kind) != kind]
                lines.append(f"{noun} {name} changed: {' '.join(came + went + other)}")
    return lines
