"""What type checkers are told of the models follows the contract by itself."""

import ast
import builtins
import re
import shutil
import tempfile
from pathlib import Path

import attrs
import pytest
import scenario_uploads
import scenario_uploads_client.models as generated

from tests.support import future
from tools.client import generate, stubs, unasync

STUB = generate.ROOT / stubs.PLACE


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the generated client and the handwritten layer of this one."""
    for place in ("generated_client", unasync.PACKAGE):
        shutil.copytree(
            generate.ROOT / place, tmp_path / place, ignore=shutil.ignore_patterns("__pycache__", "sandbox")
        )
    return tmp_path


def run(checkout: Path, *arguments: str) -> int:
    return generate.main([*arguments, "--target", str(checkout / "generated_client")])


def test_it_is_written_with_the_client(checkout: Path) -> None:
    (checkout / stubs.PLACE).unlink()
    assert run(checkout) == 0
    assert (checkout / stubs.PLACE).read_bytes() == STUB.read_bytes()


def test_it_names_every_model_and_enum_and_nothing_else() -> None:
    module = ast.parse(STUB.read_text(encoding="utf-8"))
    models = {node.name for node in module.body if isinstance(node, ast.ClassDef)}
    imported = {name.asname for node in module.body if isinstance(node, ast.ImportFrom) for name in node.names}
    assert models == {name for name in generated.__all__ if attrs.has(getattr(generated, name))}
    assert {name for name in imported if name and not name.startswith("_")} == set(generated.__all__) - models


def test_the_front_names_for_type_checkers_what_it_has_at_run_time() -> None:
    module = ast.parse((generate.ROOT / stubs.FRONT).read_text(encoding="utf-8"))
    imported = [name.asname for node in module.body if isinstance(node, ast.ImportFrom) for name in node.names]
    assert sorted(name for name in imported if name) == sorted([*scenario_uploads.__all__, "errors", "models", "types"])


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (
            lambda stub: stub.write_text(stub.read_text().replace("upload: Upload", "upload: object")),
            "+    upload: Upl",
        ),
        (Path.unlink, "missing file: overrides/scenario_uploads/models.pyi"),
    ],
)
def test_a_difference_fails_the_check(checkout: Path, capsys: pytest.CaptureFixture[str], spoil, expected: str) -> None:
    assert run(checkout, "--check") == 0
    spoil(checkout / stubs.PLACE)
    capsys.readouterr()
    assert run(checkout, "--check") == 1
    captured = capsys.readouterr()
    assert expected in captured.out
    assert "make generate" in captured.err


def test_the_models_of_tomorrow_are_told_of_as_well() -> None:
    with tempfile.TemporaryDirectory() as name:
        package = generate.build(Path(name), contract=future.CONTRACT)
        module = ast.parse(stubs.write_stub(package))
    classes = [node for node in module.body if isinstance(node, ast.ClassDef)]
    fields = {
        node.name: {ast.unparse(item) for item in node.body if isinstance(item, ast.AnnAssign)} for node in classes
    }
    imports = [node for node in module.body if isinstance(node, ast.Import | ast.ImportFrom)]
    known = {alias.asname or alias.name for node in imports for alias in node.names} | {*fields, *dir(builtins)}
    # Dates and ids too, which the present contract has none of.
    assert {
        node.id for node in ast.walk(module) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    } <= known
    assert {"datetime", "UUID", "Literal"} <= known
    assert fields.keys() == {model.__name__ for model in future.list_models(future.load())}
    assert "nested: list[list[Leaf]]" in "\n".join(fields["Everything"])
    # What an answer leaves out is read as None; what it has to have stays as the generated class says.
    assert all(field.endswith(" | None") for field in fields["Leaf"])
    assert "Unset" not in "".join(fields["Leaf"] | fields["Everything"])


def test_what_is_sent_alone_keeps_what_is_left_out_whatever_it_is_called(tmp_path: Path) -> None:
    contract = tmp_path / "openapi.yaml"
    text = (generate.ROOT / "openapi.yaml").read_text(encoding="utf-8")
    names = {"UploadCreateParams": "UploadCreateBody", "ErrorDetails": "File"}
    contract.write_text(re.sub("|".join(names), lambda found: names[found[0]], text), encoding="utf-8")
    stub = unasync.format_module(stubs.write_stub(generate.build(tmp_path, contract=contract)), stubs.PLACE).decode()
    assert "file_name: str | Unset" not in stub
    assert "asset_options: UploadAssetOptions | Unset" in stub
    assert "details: File | None" in stub
    # One that is called as a type of the generated client stands for itself.
    assert "import File" not in stub
