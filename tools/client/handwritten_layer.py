"""Find what the operations of the contract need and the handwritten layer lacks, and what it imports that is gone.

The layer is parsed, not imported: after an edit of the contract, it may not import.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

from tools.client.operations import read_methods, to_class
from tools.client.unasync import PACKAGE
from tools.contract.document import Contract

CALLS, CLIENT = PACKAGE / "api" / "calls.py", PACKAGE / "client" / "template.py"


def read_classes(paths: Iterable[Path]) -> dict[str, ast.ClassDef]:
    return {each.name: each for path in paths for each in read_body(path) if isinstance(each, ast.ClassDef)}


def read_body(path: Path) -> list[ast.stmt]:
    return ast.parse(path.read_text(encoding="utf-8"), filename=path.name).body


def list_functions(body: list[ast.stmt]) -> dict[str, ast.FunctionDef]:
    return {each.name: each for each in body if isinstance(each, ast.FunctionDef)}


def find_missing(contract: Contract, root: Path) -> list[str]:
    """Return what the methods need and the project at `root` has not, with the remedy."""
    client = (root / CLIENT).read_text(encoding="utf-8")
    functions = list_functions(read_body(root / CALLS))
    calls = {
        name: {each.arg for each in ast.walk(node) if isinstance(each, ast.arg)} for name, node in functions.items()
    }
    missing: list[str] = []
    for method in read_methods(contract):
        kind = f"Async{to_class(method.tag)}"
        wanted = [each.name for each in method.arguments if each.place != "body" and each.name != "project_id"]
        lacking = [f"`{name}`" for name in wanted if name not in calls.get(method.name, wanted)]
        if f"class {kind}({kind}Operations)" not in client:
            missing.append(
                f"`client.{method.tag}` is missing: write `{kind}({kind}Operations)` in {CLIENT.as_posix()}."
            )
        if method.name not in calls:
            missing.append(f"`{kind}.{method.name}` sends nothing: write `{method.name}` in {CALLS.as_posix()}.")
        elif lacking:
            missing.append(f"`{method.name}` lacks {' and '.join(lacking)}: add it in {CALLS.as_posix()}.")
    return list(dict.fromkeys(missing))


def find_gone(generated: Path, root: Path) -> list[str]:
    """Return which models and operations the handwritten layer imports that a generated client has no more."""
    users: dict[str, list[str]] = {}
    models = set(read_classes((generated / "models").glob("*.py")))
    for path in sorted((root / PACKAGE).rglob("*.py")):
        # These are written anew.
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
