"""Where this project is, and where in it the files are that a version of the contract consists of."""

from __future__ import annotations

from pathlib import Path

import attrs

ROOT = Path(__file__).resolve().parents[1]
"""The folder of the checkout."""


@attrs.frozen
class Project:
    """A folder with a contract; this one, but for tests."""

    root: Path = ROOT

    @property
    def contract(self) -> Path:
        """The contract in work."""
        return self.root / "openapi.yaml"

    @property
    def released(self) -> Path:
        """The folder of the released contracts."""
        return self.root / "contracts"

    @property
    def changelog(self) -> Path:
        """What changed, for readers."""
        return self.root / "CHANGELOG.md"

    @property
    def allow(self) -> Path:
        """The breaks that are accepted."""
        return self.root / "spec-diff-allow.yaml"
