"""Write the stub of `scenario_uploads.models` for type checkers: the generated models with their added methods."""

from __future__ import annotations

import ast
from pathlib import Path

PLACE = Path("overrides", "scenario_uploads", "models.pyi")
"""Where the stub stands, from the folder that holds the generated client's."""

HEAD = """\
# ruff: noqa: N815 - the names are those of the contract
from typing import Any

from {package} import models as _generated
{imports}
from {package}.types import Unset

from .decoding.methods import ModelMethods
"""


def write_stub(package: Path) -> str:
    """Return the stub for the models of a generated package, formatted as ruff does."""
    classes = {
        node.name: node
        for path in sorted((package / "models").glob("*.py"))
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    }
    models = {name for name, node in classes.items() if any(_is_define(decorator) for decorator in node.decorator_list)}
    enums = sorted(classes.keys() - models)
    imports = [f"from {package.name}.models import {name} as {name}" for name in enums]
    blocks = [_declare(classes[name], models) for name in sorted(models)]
    head = HEAD.format(package=package.name, imports="\n".join(imports))
    used = "\n".join(blocks)
    lines = [line for line in head.splitlines() if not line.startswith("from typing") or "Any" in used]
    lines = [line for line in lines if not line.endswith("import Unset") or "Unset" in used]
    return "\n".join(lines).strip() + "\n\n" + "\n".join(blocks)


def _is_define(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Name) and decorator.id == "_attrs_define"


def _declare(node: ast.ClassDef, models: set[str]) -> str:
    """Return the declaration of one model."""
    fields = [
        f"    {ast.unparse(item.target)}: {shown}{_silence(item.annotation, models)}"
        for item in node.body
        if isinstance(item, ast.AnnAssign)
        and (
            (shown := _show(item.annotation, node)) != ast.unparse(item.annotation) or _names(item.annotation) & models
        )
    ]
    head = f"class {node.name}(ModelMethods, _generated.{node.name}):"
    return "\n".join([head, *fields]) + "\n" if fields else f"{head} ...\n"


def _show(annotation: ast.expr, node: ast.ClassDef) -> str:
    """Return what reading a field gives: what an answer left out is decoded as None, and not as `UNSET`."""
    shown = ast.unparse(annotation)
    if node.name.endswith("Params") or "Unset" not in _names(annotation):
        return shown
    kinds = [kind for kind in shown.split(" | ") if kind not in ("Unset", "None")]
    return " | ".join([*kinds, "None"])


def _names(annotation: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)}


def _silence(annotation: ast.expr, models: set[str]) -> str:
    # A list of our models is no list of the generated ones to a type checker, since one might be put into it.
    inside = any(isinstance(node, ast.Subscript) and _names(node) & models for node in ast.walk(annotation))
    return "  # type: ignore[assignment]" if inside else "  # pyright: ignore[reportIncompatibleVariableOverride]"
