"""Find what the operations of the contract need and the handwritten layer lacks.

The layer is parsed, not imported: after an edit of the contract, it may not import.
"""

import ast
from pathlib import Path
from typing import TypeVar

from tools.client.operations import read_method, to_class
from tools.client.unasync import PACKAGE
from tools.contract.document import Contract
from tools.contract.operations import list_operations

Node = TypeVar("Node", ast.ClassDef, ast.FunctionDef)
CALLS, CLIENT = PACKAGE / "api" / "calls.py", PACKAGE / "client" / "template.py"
SANDBOX, TESTS, DOCS = PACKAGE / "sandbox" / "api" / "service.py", Path("tests"), Path("docs", "reference")
# In the order of docs/how-to/add-an-operation.md.
NEEDS: tuple[tuple[Path, str, str], ...] = (
    (CALLS, "def {name}(", "`{kind}.{name}` sends nothing: write `{name}`"),
    (CLIENT, "class {kind}({kind}Operations)", "`client.{tag}` is missing: write `{kind}({kind}Operations)`"),
    (CLIENT, "self.{tag} = {kind}(", "`AsyncScenario` has no `{tag}`: annotate it, and set it in `_begin`"),
    (PACKAGE / "__init__.py", " {kind}", "`{kind}` is not public: add it and `{twin}` to `_HOMES`"),
    (SANDBOX, '"{id}": ', "the sandbox does not answer `{id}`: write a handler, with its name in `build_app`"),
    (TESTS / "client/test_prism.py", '"{id}"', "no test calls `{id}`: add it to `run`; test it raw and streamed too"),
    (TESTS / "sandbox/test_contract.py", '"{id}"', "`{id}` is not expected: add it"),
    (TESTS / "test_init.py", '"{kind}"', "`{kind}` and `{twin}` are not expected: add them to `FRONT`"),
    (TESTS / "typing/user_code.py", "client.{tag}.{name}(", "the types of `{name}` are not checked: call it"),
    (DOCS / "client.md", "scenario_uploads.{twin}\n", "`{twin}` is not documented: add it"),
    (DOCS / "async-client.md", "scenario_uploads.{kind}\n", "`{kind}` is not documented: add it"),
    (DOCS / "models.md", ".{model}\n", "`{model}` is not documented: add it"),
)
"""What each operation needs that is written by hand: a file, a text in it, and what to do when it is not there."""


def read_definitions(kind: type[Node], *paths: Path) -> dict[str, Node]:
    """Return the classes or the functions of modules by their names."""
    modules = [ast.parse(path.read_text(encoding="utf-8"), filename=path.name) for path in paths]
    return {each.name: each for module in modules for each in module.body if isinstance(each, kind)}


def find_missing(contract: Contract, root: Path) -> list[str]:
    """Return what the methods need and the files of the project at `root` have not, with the remedy."""
    needs = [need for need in NEEDS if (root / need[0]).exists()]
    texts = {place: (root / place).read_text(encoding="utf-8") for place, _, _ in needs}
    calls = read_definitions(ast.FunctionDef, root / CALLS)
    missing: list[str] = []
    for operation in list_operations(contract):
        method = read_method(contract, operation)
        twin, names = to_class(method.tag), {"id": operation.name, "tag": method.tag, "name": method.name}
        names |= {"twin": twin, "kind": f"Async{twin}", "model": next(iter(method.responses))}
        for place, text, remedy in needs:
            if text.format(**names) not in texts[place]:
                missing.append(f"{remedy.format(**names)} in {place.as_posix()}.")
        known = {each.arg for each in ast.walk(calls.get(method.name, ast.Pass())) if isinstance(each, ast.arg)}
        wanted = [each.name for each in method.arguments if each.place != "body" and each.name != "project_id"]
        if lacking := [f"`{name}`" for name in wanted if method.name in calls and name not in known]:
            missing.append(f"`{method.name}` lacks {' and '.join(lacking)}: add it in {CALLS.as_posix()}.")
    return list(dict.fromkeys(missing))
