"""Redocly CLI as a finder of facts: what is made of its report, and what is said when there is none."""

from pathlib import Path

import pytest

from tests.spec_diff.support import BASE, edit, write
from tests.support.large_contract import main as make_large_contract
from tools.contract.document import Contract, UnreadableError, read_contract
from tools.spec_diff import compare, redocly
from tools.spec_diff.policy import read_policy


@pytest.fixture
def contracts(tmp_path: Path) -> tuple[Contract, Contract]:
    old, new = write(tmp_path, BASE, edit(lambda document: document["info"].update(title="New")))
    return read_contract(old), read_contract(new)


def install(folder: Path, script: str) -> None:
    """Put a program in the place of Redocly's."""
    path = folder / "node_modules" / ".bin" / "redocly"
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def test_missing_redocly_names_the_remedy(
    tmp_path: Path, contracts: tuple[Contract, Contract], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without node_modules the message says how to get it."""
    monkeypatch.setattr(redocly, "ROOT", tmp_path)
    with pytest.raises(UnreadableError, match="make setup-node"):
        compare.compare_wire(*contracts, read_policy())


def test_no_report_shows_what_redocly_says(
    tmp_path: Path, contracts: tuple[Contract, Contract], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure of Redocly is shown, without the folder that it worked in."""
    install(tmp_path, 'echo "broken in $(pwd)/old.json" >&2; exit 3')
    monkeypatch.setattr(redocly, "ROOT", tmp_path)
    with pytest.raises(UnreadableError, match=r"no report \(exit 3\): broken in /old\.json"):
        compare.compare_wire(*contracts, read_policy())


def test_report_of_another_form_is_refused() -> None:
    """A Redocly that reports in another way is not read as one that saw nothing."""
    with pytest.raises(UnreadableError, match="not of version 1"):
        redocly.read_report({"reportVersion": "2", "changes": []})


def test_large_contract(tmp_path: Path) -> None:
    """What all operations share is one entry, and what one operation has is one entry each."""
    assert make_large_contract([str(tmp_path), "--operations", "20"]) == 0
    contracts = (read_contract(tmp_path / name) for name in ("old.yaml", "new.yaml"))
    changes = compare.compare_wire(*contracts, read_policy())
    shared = [change for change in changes if change.kind == "enum-value-added"]
    assert [change.operation.count(", ") + 1 for change in shared] == [20]
    assert sorted((change.kind, change.operation) for change in changes if change not in shared) == [
        ("limit-narrowed", "make_thing_0"),
        ("limit-narrowed", "make_thing_10"),
        ("parameter-added", "make_thing_0"),
        ("parameter-added", "make_thing_10"),
    ]
