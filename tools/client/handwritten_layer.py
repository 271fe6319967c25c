"""Find what the operations of the contract need and the handwritten layer lacks.

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
