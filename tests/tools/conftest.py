"""Fixtures of the tests of the tools."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.project import Mini, Sighted
from tools.contract.document import Contract
from tools.spec_diff import compare as comparison
from tools.spec_diff.compare import compare_wire
from tools.spec_diff.policy import Policy
from tools.spec_diff.python import callers
from tools.spec_diff.report import Change


def compare_wire_alone(old: Contract, new: Contract, policy: Policy) -> list[Change]:
    """Do without what becomes of installed clients."""
    return [replace(each, installed_clients=None) for each in compare_wire(old, new, policy)]


@pytest.fixture
def mini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mini:
    """A project in miniature. The wire alone is compared: the rest has tests of its own and takes longer."""
    monkeypatch.setattr("tools.spec_diff.redocly.run", lambda old, new: nullcontext(Sighted(old, new).wait))
    monkeypatch.setattr(comparison, "compare_wire", compare_wire_alone)
    monkeypatch.setattr(callers, "add_python", lambda changes, *_: changes)
    root = tmp_path / "project"
    root.mkdir()
    return Mini(root)
