"""The border to generated code: what `make generate` and `make check-generated` promise."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.client import generate

CLIENT = Path("scenario_uploads_client")


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A client that was built once, by the command line, for the tests of this file to copy."""
    target = tmp_path_factory.mktemp("pristine") / "generated_client"
    assert generate.main(["--target", str(target)]) == 0
    return target


@pytest.fixture
def client(pristine: Path, tmp_path: Path) -> Path:
    """A copy of the client that a test may spoil."""
    return Path(shutil.copytree(pristine, tmp_path / "generated_client"))


def check(target: Path) -> int:
    return generate.main(["--check", "--target", str(target)])


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)


def read_contract() -> str:
    return (generate.ROOT / "openapi.yaml").read_text(encoding="utf-8")


def test_committed_client_is_what_the_contract_gives(pristine: Path) -> None:
    """The checkout as it is passes its own check."""
    assert generate.read_tree(pristine) == generate.read_tree(generate.ROOT / "generated_client")


def test_two_runs_give_the_same_bytes(pristine: Path, tmp_path: Path) -> None:
    """Neither the order of hashes nor the environment shapes the output."""
    target = tmp_path / "generated_client"
    subprocess.run(
        [sys.executable, "-m", "tools.client.generate", "--target", str(target)],
        cwd=generate.ROOT,
        env={**os.environ, "PYTHONHASHSEED": "1", "COLUMNS": "20", "FORCE_COLOR": "1"},
        check=True,
        capture_output=True,
    )
    assert generate.read_tree(pristine) == generate.read_tree(target)


def test_every_module_says_not_to_edit_it(pristine: Path) -> None:
    """Whoever opens a generated file learns where it comes from."""
    modules = list(pristine.rglob("*.py"))
    assert modules
    for module in modules:
        assert "Do not edit" in module.read_text(encoding="utf-8").splitlines()[1]


def test_the_client_is_typed_and_nothing_but_the_package_is_written(pristine: Path) -> None:
    """`py.typed` is there; caches and byte code are not, in the folder or beside it."""
    files = sorted(path for path in pristine.rglob("*") if path.is_file())
    assert (pristine / CLIENT / "py.typed") in files
    assert {".py", ".typed"} == {path.suffix for path in files if path.name != "py.typed"} | {".typed"}
    assert [pristine / CLIENT] == list(pristine.iterdir())
    assert [pristine] == list(pristine.parent.iterdir())


def test_a_rebuild_removes_what_is_not_from_the_contract(client: Path) -> None:
    """Generating is deleting and rebuilding."""
    (client / CLIENT / "left_over.py").write_text("x = 1\n")
    assert generate.main(["--target", str(client)]) == 0
    assert not (client / CLIENT / "left_over.py").exists()
    assert check(client) == 0


def test_a_folder_that_others_may_read_stays_so(client: Path) -> None:
    """The privacy of the temporary folder is not carried over."""
    assert generate.main(["--target", str(client)]) == 0
    assert client.stat().st_mode & 0o777 == (client / CLIENT).stat().st_mode & 0o777


def edit(client: Path) -> None:
    path = client / CLIENT / "models" / "upload.py"
    path.write_text(path.read_text(encoding="utf-8").replace("class Upload", "class Uploaded", 1), encoding="utf-8")


def change_line_ends(client: Path) -> None:
    path = client / CLIENT / "models" / "upload.py"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        pytest.param(edit, "+class Upload:", id="edited"),
        pytest.param(
            change_line_ends, "same text: generated_client/scenario_uploads_client/models/upload.py", id="crlf"
        ),
        pytest.param(
            lambda client: (client / CLIENT / "client.py").unlink(),
            "missing file: generated_client/scenario_uploads_client/client.py",
            id="missing",
        ),
        pytest.param(
            lambda client: (client / CLIENT / "py.typed").unlink(),
            "missing file: generated_client/scenario_uploads_client/py.typed",
            id="untyped",
        ),
        pytest.param(
            lambda client: (client / CLIENT / "models" / "extra.py").touch(),
            "stray file, not from the contract: generated_client/scenario_uploads_client/models/extra.py",
            id="stray module",
        ),
        pytest.param(
            lambda client: (client / "notes.txt").touch(),
            "stray file, not from the contract: generated_client/notes.txt",
            id="stray file beside the package",
        ),
        pytest.param(
            lambda client: [(client / ".ruff_cache").mkdir(), (client / ".ruff_cache" / "CACHEDIR.TAG").touch()],
            "stray file, not from the contract: generated_client/.ruff_cache/CACHEDIR.TAG",
            id="cache",
        ),
    ],
)
def test_a_difference_fails_with_its_place_and_the_remedy(
    client: Path, capsys: pytest.CaptureFixture[str], spoil, expected: str
) -> None:
    """Whatever was done to the folder by hand is shown, with what to do about it."""
    spoil(client)
    assert check(client) == 1
    captured = capsys.readouterr()
    assert expected in captured.out
    assert "make generate" in captured.err


def test_byte_code_of_imports_is_no_difference(client: Path) -> None:
    """Importing the client must not fail the check."""
    cache = client / CLIENT / "__pycache__"
    cache.mkdir()
    (cache / "types.cpython-311.pyc").touch()
    assert check(client) == 0


def test_a_file_that_nobody_added_to_git_fails(client: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A new model that was generated but not added would be missing for everybody else, ignored or not."""
    git(client.parent, "init", "-q")
    git(client.parent, "add", "generated_client")
    assert check(client) == 0
    git(client.parent, "rm", "-q", "--cached", "generated_client/scenario_uploads_client/models/upload.py")
    (client.parent / ".gitignore").write_text("models/\n")
    capsys.readouterr()
    assert check(client) == 1
    assert "not added to git: generated_client/scenario_uploads_client/models/upload.py" in capsys.readouterr().out


def test_a_contract_that_makes_the_generator_warn_fails(
    client: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A warning means that something of the contract is left out; the old client stays as it was."""
    contract = tmp_path / "warns.yaml"
    before = generate.read_tree(client)
    contract.write_text(
        read_contract().replace(
            'application/json:\n            schema:\n              $ref: "#/components/schemas/UploadCreateParams"',
            'application/xml:\n            schema:\n              $ref: "#/components/schemas/UploadCreateParams"',
        ),
        encoding="utf-8",
    )
    assert generate.main(["--target", str(client), "--contract", str(contract)]) == 2
    assert "application/xml" in capsys.readouterr().err
    assert before == generate.read_tree(client)


def test_a_changed_contract_fails_the_check(client: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A contract that was edited without generating anew is noticed, new files included."""
    contract = tmp_path / "changed.yaml"
    contract.write_text(
        read_contract().replace("enum: [civitai, huggingface, other]", "enum: [civitai, huggingface, hub, other]"),
        encoding="utf-8",
    )
    assert generate.main(["--check", "--target", str(client), "--contract", str(contract)]) == 1
    assert '+    HUB = "hub"' in capsys.readouterr().out


def test_a_contract_that_cannot_be_read_fails(client: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No contract, no client; the old one stays."""
    before = generate.read_tree(client)
    assert generate.main(["--target", str(client), "--contract", str(tmp_path / "none.yaml")]) == 2
    assert "openapi_python_client failed" in capsys.readouterr().err
    assert before == generate.read_tree(client)
