"""Write the async client from its template, with the arguments of each method spelt out.

A parameter `options: X` of the template becomes a keyword argument for each field of the class X that has a text, which
is its description under `Args:`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import attrs

from tools.client.operations import fold
from tools.client.unasync import PACKAGE, UnreadableSourceError, format_module

TEMPLATE, CLIENT = PACKAGE / "client" / "template.py", PACKAGE / "client" / "async_client.py"
HEADER = f"# Generated from {TEMPLATE.name} by make generate. Do not edit.\n"


@attrs.frozen
class Argument:
    """A keyword argument."""

    name: str
    type: str
    default: str
    text: str


@attrs.frozen
class Options:
    """A class of options: its arguments, those of its bases last, and the imports that their types need."""

    arguments: list[Argument]
    imports: list[str]


def read_options(root: Path, tree: ast.Module, name: str) -> Options:
    """Return the class that a module calls `name`, whether it is defined there or imported."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module and name in {each.name for each in node.names}:
            path = root / PACKAGE.parent / Path(*node.module.split(".")).with_suffix(".py")
            return read_options(root, ast.parse(path.read_text(encoding="utf-8"), path.name), name)
        if isinstance(node, ast.ClassDef) and node.name == name:
            bases = [read_options(root, tree, ast.unparse(base)) for base in node.bases]
            imports = [ast.unparse(each) for each in tree.body if isinstance(each, ast.Import | ast.ImportFrom)]
            return Options(
                _read_fields(node) + [each for base in bases for each in base.arguments],
                [each for base in bases for each in base.imports] + imports,
            )
    raise UnreadableSourceError(f"no class {name} for the arguments of a method")


def _read_fields(node: ast.ClassDef) -> list[Argument]:
    """Return the fields of a class that have a text, which is a string in the line below."""
    fields: list[Argument] = []
    for each, after in zip(node.body, node.body[1:], strict=False):
        if isinstance(each, ast.AnnAssign) and each.value and isinstance(after, ast.Expr):
            default = each.value
            if isinstance(default, ast.Call):
                (default,) = [keyword.value for keyword in default.keywords if keyword.arg == "default"]
            text = " ".join(ast.literal_eval(after.value).split())
            fields.append(Argument(ast.unparse(each.target), ast.unparse(each.annotation), ast.unparse(default), text))
    return fields


def write_client(root: Path) -> dict[Path, bytes]:
    """Return the async client by its place in the project at `root`; nothing without a template."""
    if not (root / TEMPLATE).exists():
        return {}
    try:
        text = spell_out(root, (root / TEMPLATE).read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise UnreadableSourceError(f"{error.filename}:{error.lineno}: {error.msg}") from None
    # The comment at the top is about the template.
    return {CLIENT: format_module(HEADER + re.sub(r"\A(#.*\n)+", "", text), CLIENT)}


def spell_out(root: Path, text: str) -> str:
    """Return the template with arguments in place of each parameter called `options`, not yet formatted."""
    tree, lines = ast.parse(text, TEMPLATE.name), text.splitlines(keepends=True)
    imports: list[str] = []
    edits: list[tuple[slice, str]] = []
    for kind in [each for each in tree.body if isinstance(each, ast.ClassDef)]:
        for method in kind.body:
            if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
                for parameter in method.args.args:
                    if parameter.arg == "options" and parameter.annotation:
                        name = ast.unparse(parameter.annotation)
                        options = read_options(root, tree, name)
                        imports += options.imports
                        edits += _spell_out(lines, kind, method, name, options.arguments)
    first = next((node.lineno - 1 for node in tree.body if isinstance(node, ast.Import)), 0)
    edits.append((slice(first, first), "".join(f"{line}\n" for line in imports)))
    # From the end, so that the lines above keep their numbers.
    for place, new in sorted(edits, key=lambda edit: edit[0].start, reverse=True):
        lines[place] = [new]
    return "".join(lines)


def _spell_out(
    lines: list[str],
    kind: ast.ClassDef,
    method: ast.FunctionDef | ast.AsyncFunctionDef,
    name: str,
    arguments: list[Argument],
) -> Iterator[tuple[slice, str]]:
    """Yield which lines to replace for one method: of its signature, its description, and the start of its body."""
    described = kind if method.name == "__init__" else method
    body = method.body[0 if described is kind else 1]
    given = ", ".join(f"{each.name}={each.name}" for each in arguments)
    yield slice(body.lineno - 1, body.lineno - 1), f"{' ' * body.col_offset}options = {name}({given})\n"
    signature = ", ".join(f"{each.name}: {each.type} = {each.default}" for each in arguments)
    yield _replace(
        lines, slice(method.lineno - 1, method.body[0].lineno - 1), rf"options: {name}(,\s+\*)?", f"*, {signature}"
    )
    doc = described.body[0]
    indent = 8 if described is kind else 12
    texts = "".join(f"{' ' * indent}{fold(f'{each.name}: {each.text}', indent, 4)}\n" for each in arguments)
    yield _replace(lines, slice(doc.lineno - 1, doc.end_lineno), r" +options: .*\n", texts)


def _replace(lines: list[str], place: slice, pattern: str, new: str) -> tuple[slice, str]:
    return place, re.sub(pattern, lambda _: new, "".join(lines[place]), count=1)
