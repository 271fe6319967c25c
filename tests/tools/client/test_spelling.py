"""The async client with its arguments spelt out, from its template and the classes of options."""

import ast
from pathlib import Path

from tools.client.spelling import TEMPLATE, spell_out
from tools.client.unasync import PACKAGE
from tools.project import ROOT

OPTIONS = PACKAGE / "upload" / "options.py"


def test_a_field_with_a_text_is_an_argument(tmp_path: Path) -> None:
    """In the signature, the docstring and what is passed on, of each method that takes the options or more of them."""
    for place in (OPTIONS, PACKAGE / "bulk" / "options.py", PACKAGE / "settings" / "client.py"):
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).write_bytes((ROOT / place).read_bytes())
    text = '"""The "hue", as `#\\\\d`."""'
    field = f'    tint: str | None = field(default="red", repr=False)\n    {text}\n    inner: int = 1\n'
    options = (tmp_path / OPTIONS).read_text("utf-8")
    start = '    """The arguments of `upload_file` and `upload_many`."""\n\n'
    (tmp_path / OPTIONS).write_text(options.replace(start, start + field), "utf-8")
    written = spell_out(tmp_path, (ROOT / TEMPLATE).read_text("utf-8"))
    functions = [
        node for node in ast.walk(ast.parse(written)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    taking = {each.name: each for each in functions if "tint" in {argument.arg for argument in each.args.kwonlyargs}}
    assert taking.keys() == {"upload_file", "start_upload", "upload_many"}
    for each in taking.values():
        assert "tint: str | None='red'" in ast.unparse(each.args)
        assert 'tint: The "hue", as `#\\d`.' in (ast.get_docstring(each, clean=False) or "")
        assert "tint=tint" in ast.unparse(each)
        assert "inner" not in ast.unparse(each)
