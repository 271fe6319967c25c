"""SECURITY.md names the test that holds each threat; here, that each of them is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip().strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("|") and not re.match(r"\|(-+\||\s*threat \|)", line)
]
NAME = re.compile(r"`(tests/[\w/]+\.py)::([\w:]+)`")


@cache
def list_tests(path: Path) -> set[str]:
    """Return the names of the tests in a file, those in classes with that of their class."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{item.name}" for item in node.body if isinstance(item, ast.FunctionDef)}
    return {name for name in found if name.rpartition("::")[2].startswith("test_")}


def test_there_are_rows() -> None:
    assert len(ROWS) > 40


@pytest.mark.parametrize("row", ROWS, ids=[row[0][:60] for row in ROWS])
def test_each_threat_has_what_holds_it_and_a_test_that_is_there(row: list[str]) -> None:
    threat, held, tests = row
    assert threat
    assert held
    assert NAME.findall(tests)
    # Nothing but names of tests.
    assert NAME.sub("", tests).strip() == ""
    for file, name in NAME.findall(tests):
        assert name in list_tests(ROOT / file), f"{file} has no test {name}"
