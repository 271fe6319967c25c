"""Where this project is, and where in it the files are that a version of the contract consists of."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The folder of the checkout."""


class Project:
    """A folder with a contract: the checkout, but for tests."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self.contract = root / "openapi.yaml"
        self.released = root / "contracts"
        self.changelog = root / "CHANGELOG.md"
        self.allow = root / "spec-diff-allow.yaml"
