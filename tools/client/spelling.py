"""Write the async client from its template, with the arguments of each method spelt out.

A parameter `options: X` of the template becomes a keyword argument for each field of the class X that has a text, which
is its description under `Args:`. A field without one has that of a class above it, up to its default.
"""

import ast
import re
from collections.abc import Mapping
from pathlib import Path

import attrs

from tools.client.operations import fold
from tools.client.unasync import HEADER, PACKAGE, GenerationError, format_module

TEMPLATE, CLIENT = PACKAGE / "client" / "template.py", PACKAGE / "client" / "async_client.py"


@attrs.frozen
class Argument:
    """A keyword argument."""

    name: str
    type: str
    default: str
    text: str


def write_client(root: Path) -> dict[Path, bytes]:
    """Return the async client by its place in the project at `root`."""
    try:
        text = spell_out(root, (root / TEMPLATE).read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise GenerationError(f"{error.filename}:{error.lineno}: {error.msg}") from None
    # The comment at the top is about the template.
    return {CLIENT: format_module(HEADER.format(source=TEMPLATE.name) + re.sub(r"\A(#.*\n)+", "", text), CLIENT)}


def spell_out(root: Path, text: str) -> str:
    """Return the template with arguments in place of each parameter called `options`, not yet formatted."""
    tree, lines = ast.parse(text, TEMPLATE.name), text.splitlines(keepends=True)
    blocks: dict[tuple[int, int], str] = {}
    imports: list[str] = []
    for kind in [node for node in tree.body if isinstance(node, ast.ClassDef)]:
        for method in [node for node in kind.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]:
            for name in [ast.unparse(each.annotation or each) for each in method.args.args if each.arg == "options"]:
                arguments, needed = read_arguments(root, tree, name)
                imports += needed
                described = kind if method.name == "__init__" else method
                head, doc = (method.lineno - 1, method.body[0].lineno - 1), described.body[0]
                place = doc.lineno - 1, doc.end_lineno or 0
                blocks[head] = _spell_signature("".join(lines[slice(*head)]), arguments)
                blocks[place] = _spell_text("".join(lines[slice(*place)]), arguments)
                given = ", ".join(f"{each.name}={each.name}" for each in arguments)
                blocks[max(head, place)] += f"{' ' * method.body[0].col_offset}options = {name}({given})\n"
    first = next((node.lineno - 1 for node in tree.body if isinstance(node, ast.Import)), 0)
    blocks[first, first] = "".join(f"{line}\n" for line in imports)
    # From the end, so that the lines above keep their numbers.
    for place in sorted(blocks, reverse=True):
        lines[slice(*place)] = [blocks[place]]
    return "".join(lines)


def _spell_signature(text: str, arguments: list[Argument]) -> str:
    spelt = ", ".join(f"{each.name}: {each.type} = {each.default}" for each in arguments)
    return re.sub(r"\boptions: \w+(,\s+\*)?", lambda _: f"*, {spelt}", text, count=1)


def _spell_text(text: str, arguments: list[Argument]) -> str:
    def describe(line: re.Match[str]) -> str:
        indent = len(line[1])
        return "".join(f"{line[1]}{fold(f'{each.name}: {each.text}', indent, 4)}\n" for each in arguments)

    return re.sub(r"( +)options: .*\n", describe, text, count=1)


def read_arguments(root: Path, tree: ast.Module, name: str) -> tuple[list[Argument], list[str]]:
    """Return the arguments of the class that a module calls `name`, and the imports that their types need."""
    texts: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module and name in {each.name for each in node.names}:
            path = root / PACKAGE.parent / Path(*node.module.split(".")).with_suffix(".py")
            return read_arguments(root, ast.parse(path.read_text(encoding="utf-8"), path.name), name)
        if isinstance(node, ast.ClassDef) and node.name != name:
            texts |= {field: text.partition(" Default: ")[0] for field, text in _read_texts(node).items()}
        elif isinstance(node, ast.ClassDef):
            arguments = _read_fields(node, texts | _read_texts(node))
            imports = [ast.unparse(each) for each in tree.body if isinstance(each, ast.Import | ast.ImportFrom)]
            for base in node.bases:
                more, needed = read_arguments(root, tree, ast.unparse(base))
                arguments, imports = arguments + more, imports + needed
            return arguments, imports
    raise GenerationError(f"no class {name} for the arguments of a method")


def _read_texts(node: ast.ClassDef) -> dict[str, str]:
    """Return the texts of the fields of a class, each a string in the line below the field."""
    return {
        ast.unparse(each.target): " ".join(ast.literal_eval(after.value).replace("\\", "\\\\").split())
        for each, after in zip(node.body, node.body[1:], strict=False)
        if isinstance(each, ast.AnnAssign) and isinstance(after, ast.Expr)
    }


def _read_fields(node: ast.ClassDef, texts: Mapping[str, str]) -> list[Argument]:
    """Return the fields of a class that have a text."""
    fields: list[Argument] = []
    for each in node.body:
        if isinstance(each, ast.AnnAssign) and each.value and (text := texts.get(ast.unparse(each.target))):
            default = each.value
            if isinstance(default, ast.Call):
                (default,) = [keyword.value for keyword in default.keywords if keyword.arg == "default"]
            fields.append(Argument(ast.unparse(each.target), ast.unparse(each.annotation), ast.unparse(default), text))
    return fields
