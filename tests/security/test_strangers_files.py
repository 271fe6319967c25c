"""A contract, a ledger or an answer that a stranger wrote is read, and never run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.client.generate import main as generate
from tools.contract.check import main as check
from tools.spec_diff.__main__ import main as compare

ROOT = Path(__file__).parents[2]
CODE = (ROOT / "overrides", ROOT / "tools")
# What YAML's unsafe loaders carry out, and bombs that unfold to gigabytes.
PAYLOADS = {
    "apply": '!!python/object/apply:os.system ["touch {mark}"]',
    "name": "!!python/name:os.system",
}
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.fixture
def contract() -> str:
    return (ROOT / "openapi.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(("payload", "place"), [("apply", "value"), ("name", "document")])
def test_yaml_of_a_stranger_runs_nothing(tmp_path: Path, contract: str, payload: str, place: str) -> None:
    """Neither the comparison nor the generator nor the check of the contract."""
    mark = tmp_path / "mark"
    text = PAYLOADS[payload].format(mark=mark)
    evil = tmp_path / "evil.yaml"
    evil.write_text(contract + f"x-evil: {text}\n" if place == "value" else f"{text}\n", encoding="utf-8")
    target = tmp_path / "generated"
    assert compare([str(evil), str(ROOT / "openapi.yaml")]) == 2
    assert compare([str(ROOT / "openapi.yaml"), str(evil)]) == 2
    assert check([str(evil)]) == 2
    assert generate(["--contract", str(evil), "--target", str(target)]) == 2
    assert not mark.exists()
    assert not target.exists()


def test_aliases_that_unfold_to_gigabytes_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bomb = tmp_path / "bomb.yaml"
    bomb.write_text(LAUGHS, encoding="utf-8")
    assert compare([str(bomb), str(ROOT / "openapi.yaml")]) == 2
    assert "bomb.yaml" in capsys.readouterr().err


def test_nothing_in_the_code_can_run_data() -> None:
    """No pickle is read, no text evaluated, and YAML goes through safe loaders; ruff's rules S say so for each line."""
    words = r"\b(pickle\.load|marshal\.load|shelve\.|eval\(|exec\(|yaml\.(unsafe_|full_)?load\(|os\.system|shell=True)"
    found = [
        f"{path.name}: {line.strip()}"
        for folder in CODE
        for path in folder.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(words, line)
    ]
    assert found == []


def test_exceptions_from_the_security_rules_have_reasons() -> None:
    """Each `noqa` of a rule of ruff's S says why it is safe."""
    bare = [
        f"{path}: {line.strip()}"
        for folder in CODE
        for path in folder.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"noqa:[^#]*\bS\d{3}", line) and not re.search(r"noqa: [A-Z0-9, ]+ -+ \w+", line)
    ]
    assert bare == []


def test_security_rules_are_on_and_nothing_of_the_package_is_left_out() -> None:
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.search(r'(?m)^select = \[.*"S"', settings)
    ignored = re.search(r"(?ms)^\[tool.ruff.lint.per-file-ignores\]\n(.*?)\n\n", settings)
    assert ignored is not None
    assert not re.search(r'(?m)^"overrides.*"S\d*"', ignored.group(1))
    assert re.search(r'(?m)^"tools/\*\*" = \[("D\d+", )*"S603", "T20"\]$', ignored.group(1))
