"""A project in miniature for the tests of the tools: a contract, its released versions, a changelog, git."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tools.contract.document import Contract
from tools.spec_diff.redocly import Seen

CHANGELOG = """# Changelog

## [Unreleased]

### Added

- A thing of the package.

## Contract

### [1.0.0]

#### Added

- Everything.
"""


class Sighted:
    """Redocly, as far as these tests need it: it sees words. The real one has tests of its own, and is a process."""

    def __init__(self, old: Contract, new: Contract) -> None:
        place = ("info", "description")
        differ = old.document["info"].get(place[1]) != new.document["info"].get(place[1])
        self.seen = [Seen("modified", place[1], place, place)] if differ else []

    def wait(self) -> list[Seen]:
        return self.seen


class Mini:
    """A project in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.changelog.write_text(CHANGELOG, encoding="utf-8")

    @property
    def changelog(self) -> Path:
        return self.root / "CHANGELOG.md"

    @property
    def contract(self) -> Path:
        return self.root / "openapi.yaml"

    def write(self, document: Any) -> None:
        """Write the contract in work; JSON is YAML with a line for each value."""
        self.contract.write_text(json.dumps(document, indent=1), encoding="utf-8")

    def release(self, document: Any, name: str | None = None) -> Path:
        """Put a contract among the released ones."""
        folder = self.root / "contracts"
        folder.mkdir(exist_ok=True)
        path = folder / (name or f"{document['info']['version']}.yaml")
        path.write_text(json.dumps(document, indent=1), encoding="utf-8")
        return path

    def accept(self, **entry: str) -> None:
        """Accept a break."""
        text = json.dumps({"allow": [entry]}, indent=1)
        (self.root / "spec-diff-allow.yaml").write_text(text, encoding="utf-8")

    def note(self, version: str) -> None:
        """Write an entry of the changelog."""
        text = self.changelog.read_text(encoding="utf-8")
        entry = f"## Contract\n\n### [{version}]\n\n#### Added\n\n- Something.\n"
        self.changelog.write_text(text.replace("## Contract\n", entry), encoding="utf-8")

    def git(self, *arguments: str) -> str:
        """Run git as nobody in particular, whatever the machine's settings are."""
        settings = ("user.name=N", "user.email=n@example.invalid", "commit.gpgsign=false", "init.defaultBranch=main")
        options = [option for setting in settings for option in ("-c", setting)]
        result = subprocess.run(
            ["git", *options, *arguments], cwd=self.root, check=True, capture_output=True, text=True
        )
        return result.stdout.strip()

    def commit(self, message: str = "x") -> str:
        """Commit everything and return the commit."""
        if not (self.root / ".git").exists():
            self.git("init", "--quiet")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")
