"""Fixtures of the tests of the tools."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.project import Mini, Sighted
from tools.contract.document import Contract
from tools.spec_diff import compare as comparison
from tools.spec_diff.policy import Policy
from tools.spec_diff.report import Change


def compare_wire_alone(
    old: Contract, new: Contract, policy: Policy, *, is_alone: bool
) -> tuple[list[Change], list[str]]:
    """Do without what Python callers and installed clients see."""
    assert not is_alone
    return [replace(each, installed_clients=None) for each in comparison.compare_wire(old, new, policy)], []


@pytest.fixture
def mini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mini:
    """A project in miniature. The wire alone is compared: the rest has tests of its own and takes longer."""
    monkeypatch.setattr("tools.spec_diff.redocly.run", lambda old, new: nullcontext(Sighted(old, new).wait))
    monkeypatch.setattr(comparison, "compare_with_python", compare_wire_alone)
    root = tmp_path / "project"
    root.mkdir()
    return Mini(root)
