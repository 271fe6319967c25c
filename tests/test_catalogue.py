"""The numbers in the names of tests are rows of the table of faults in docs/behaviour.md."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROW = re.compile(r"^\| (\d+) \| (.+) \| (.+) \| `(test_\w+)` \|$", re.MULTILINE)
ROWS = ROW.findall((ROOT / "docs" / "behaviour.md").read_text(encoding="utf-8"))
TESTS = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"def (test_\w+)\(", path.read_text(encoding="utf-8"))
}


def find_numbers(name: str) -> set[str]:
    """Return the rows that a test is about by its name, such as 31 and 32 for `test_31_32_what`."""
    numbered = re.match(r"test_((?:\d{1,2}_)+)", name)
    return set(numbered.group(1).split("_")) - {""} if numbered else set()


def test_the_rows_are_in_order_and_none_is_missing() -> None:
    assert [int(number) for number, *_ in ROWS] == list(range(1, 50))


def test_each_row_names_a_test_that_is_there_and_has_its_number() -> None:
    wrong = [name for number, _, _, name in ROWS if name not in TESTS or number not in find_numbers(name)]
    assert wrong == []


def test_each_number_of_a_test_is_a_row() -> None:
    numbers = {number for number, *_ in ROWS}
    assert {name for name in TESTS if not find_numbers(name) <= numbers} == set()
