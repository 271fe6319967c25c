"""Fixtures of the tests of the tools."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.support.project import Mini, Sighted


@pytest.fixture
def mini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mini:
    """A project in miniature. The wire alone is compared: the rest has tests of its own and takes longer."""
    monkeypatch.setattr("tools.spec_diff.compare.EXTENSIONS", ())
    monkeypatch.setattr("tools.spec_diff.redocly.run", lambda old, new: nullcontext(Sighted(old, new)))
    root = tmp_path / "project"
    root.mkdir()
    return Mini(root)
