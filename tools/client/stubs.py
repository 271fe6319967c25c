"""Write the stubs for type checkers: `scenario_uploads.models` with its added methods, and the front of the package."""

import ast
from collections.abc import Iterable
from pathlib import Path

from tools.client.handwritten_layer import read_definitions
from tools.client.unasync import HEADER, PACKAGE
from tools.contract.operations import reach

PLACE, FRONT = PACKAGE / "models.pyi", PACKAGE / "__init__.pyi"
"""Where the stubs stand, from the folder that holds the generated client's."""

# What the annotations of generated models may name; ruff takes out what they do not.
HEAD = """\
# ruff: noqa: N815 - the names are those of the contract
import datetime
from typing import Any, Literal
from uuid import UUID

from {package} import models as _generated
{imports}
from {package}.types import {kinds}

from .decoding.methods import ModelMethods
"""


def write_stub(package: Path) -> str:
    """Return the stub for the models of a generated package, to be tidied by ruff."""
    classes = read_definitions(ast.ClassDef, *sorted((package / "models").glob("*.py")))
    models = {name for name, node in classes.items() if "_attrs_define" in map(ast.unparse, node.decorator_list)}
    imports = [f"from {package.name}.models import {name} as {name}" for name in sorted(classes.keys() - models)]
    received = _find_received(package, classes)
    blocks = [_declare(classes[name], models, received=name in received) for name in sorted(models)]
    kinds = "Unset" if "File" in classes else "File, Unset"
    return HEAD.format(package=package.name, imports="\n".join(imports), kinds=kinds) + "\n" + "\n".join(blocks)


def write_front(root: Path, package: Path) -> dict[Path, bytes]:
    """Return the stub of the front of the package: each name in its table, each error, each model."""
    front = root / FRONT.with_suffix(".py")
    tables = [node.value for node in ast.walk(ast.parse(front.read_text("utf-8"))) if isinstance(node, ast.Assign)]
    homes: dict[str, str] = ast.literal_eval(next(table for table in tables if isinstance(table, ast.Dict)))
    names = {home: set(text.split()) for home, text in homes.items()}
    names["errors"] |= read_definitions(ast.ClassDef, front.with_name("errors.py")).keys()
    names["models"] |= read_definitions(ast.ClassDef, *(package / "models").glob("*.py")).keys() - {"UploadSource"}
    # A type cannot be the enum and what is sent.
    names["bulk.options"].add("UploadSource")
    lines = [HEADER.format(source=front.name).rstrip()]
    lines += [f"from . import {name} as {name}" for name in ("errors", "models", "types")]
    lines += [f"from .{home} import {name} as {name}" for home in sorted(names) for name in sorted(names[home])]
    return {FRONT: "\n".join([*lines, "", "__version__: str", ""]).encode()}


def _find_received(package: Path, classes: dict[str, ast.ClassDef]) -> Iterable[str]:
    """Return what responses are made of, models and other types, and what these are made of."""
    functions = [read_definitions(ast.FunctionDef, path) for path in (package / "api").glob("*/*.py")]
    parsers = [each["_parse_response"] for each in functions if "_parse_response" in each]
    starts = [name for parser in parsers if parser.returns for name in _names(parser.returns)]
    fields = {name: [each for each in node.body if isinstance(each, ast.AnnAssign)] for name, node in classes.items()}
    return reach(starts, lambda name: [other for each in fields.get(name, ()) for other in _names(each.annotation)])


def _declare(node: ast.ClassDef, models: set[str], *, received: bool) -> str:
    fields: list[str] = []
    for item in node.body:
        if isinstance(item, ast.AnnAssign):
            shown = _show(item.annotation, received=received)
            if shown != ast.unparse(item.annotation) or _names(item.annotation) & models:
                fields.append(f"    {ast.unparse(item.target)}: {shown}{_silence(item.annotation, models)}")
    head = f"class {node.name}(ModelMethods, _generated.{node.name}):"
    return "\n".join([head, *fields]) + "\n" if fields else f"{head} ...\n"


def _show(annotation: ast.expr, *, received: bool) -> str:
    """Return what reading a field gives: what a response left out is decoded as None, and not as `UNSET`."""
    shown = ast.unparse(annotation)
    if not received or "Unset" not in _names(annotation):
        return shown
    kinds = [kind for kind in shown.split(" | ") if kind not in ("Unset", "None")]
    return " | ".join([*kinds, "None"])


def _names(annotation: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)}


def _silence(annotation: ast.expr, models: set[str]) -> str:
    # Lists are invariant: to a type checker, a list of our models is not a list of the generated ones.
    inside = any(isinstance(node, ast.Subscript) and _names(node) & models for node in ast.walk(annotation))
    return "  # type: ignore[assignment]" if inside else "  # pyright: ignore[reportIncompatibleVariableOverride]"
