"""The reference has all that users may name."""

import inspect
import re
from pathlib import Path

import pytest
import scenario_uploads
from scenario_uploads import errors
from scenario_uploads.cli import terminal

DOCS = Path(__file__).parents[3] / "docs"


def read(*names: str) -> str:
    return "\n".join((DOCS / name).read_text(encoding="utf-8") for name in names)


def test_every_public_name_has_a_place() -> None:
    pages = read(*(f"reference/{path.name}" for path in (DOCS / "reference").glob("*.md")), "errors.md")
    named = set(
        re.findall(r"\w+", " ".join(re.findall(r"^::: \S+$|(?<!`)`[^`\n]+`(?!`)|members: .*", pages, re.MULTILINE)))
    )
    # The page of the classes shows the whole module.
    assert set(scenario_uploads.__all__) - named - set(errors.__all__) == set()


@pytest.mark.parametrize("name", sorted({*errors.__all__} - {"ScenarioError", "APIError", "UploadError"}))
def test_every_error_says_when_and_what_to_do(name: str) -> None:
    (row,) = re.findall(rf"^\| `{name}`[^|]*\| ([^|]+) \| ([^|]+) \|$", read("errors.md"), re.MULTILINE)
    assert all(row)


def test_every_setting_of_a_client_is_explained() -> None:
    arguments = [name for name in inspect.signature(scenario_uploads.Scenario).parameters if name[0] != "_"]
    page = read("settings.md")
    assert [name for name in arguments if f"`{name}`" not in page] == []


def test_every_variable_is_explained() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in Path(terminal.__file__).parents[1].rglob("*.py"))
    page = read("settings.md")
    assert {name for name in re.findall(r"\bSCENARIO_[A-Z_]+\b", code) if name not in page} == set()


def test_every_exit_code_is_explained() -> None:
    codes = {0, 1, 2, 8, terminal.INTERRUPTED, *(code for _, code in terminal.EXIT_CODES)}
    table = re.findall(r"^\| (\d+) \| ", read("command-line.md"), re.MULTILINE)
    assert {int(code) for code in table} == codes
