"""The gate of the contract's version: what it lets pass, and what it says otherwise; and how a version is released."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.spec_diff.support import BASE, edit
from tests.support.project import Mini
from tools.project import Project
from tools.release.__main__ import main
from tools.release.released import list_released, read_released

Edit = Callable[[Any], Any]
BREAK = {"kind": "enum-value-added", "location": "#/components/schemas/Kind/enum/c"}
VERSION_LINE = 5
"""Of info.version in a contract that is written with a line for each value."""


def add_value(document: Any) -> None:
    document["components"]["schemas"]["Kind"]["enum"].append("c")


def add_property(document: Any) -> None:
    document["components"]["schemas"]["Thing"]["properties"]["name"] = {"type": "string"}


def describe(document: Any) -> None:
    document["info"]["description"] = "After."


def do_nothing(document: Any) -> None:
    pass


class Gate:
    """The gate, run on a project in miniature."""

    def __init__(self, mini: Mini, capsys: pytest.CaptureFixture[str]) -> None:
        self.mini, self.capsys = mini, capsys

    def check(self) -> tuple[int, str, str]:
        code = main(["check", "--root", str(self.mini.root)])
        return code, *self.capsys.readouterr()

    def release(self) -> tuple[int, str, str]:
        code = main(["record", "--root", str(self.mini.root)])
        return code, *self.capsys.readouterr()


@pytest.fixture
def gate(mini: Mini, capsys: pytest.CaptureFixture[str]) -> Gate:
    return Gate(mini, capsys)


@pytest.mark.parametrize(
    ("change", "version", "least"),
    [
        (add_value, "2.0.0", None),
        (add_value, "1.9.0", "2.0.0"),
        (add_property, "1.1.0", None),
        (add_property, "1.0.1", "1.1.0"),
        (describe, "1.0.1", None),
        (do_nothing, "1.0.1", None),
    ],
)
def test_version_has_to_cover_what_changed_since_the_release(
    gate: Gate, change: Edit, version: str, least: str | None
) -> None:
    """A break needs a major version, something new a minor one, words a patch; the least that will do is named."""
    gate.mini.release(BASE)
    gate.mini.write(edit(change, version))
    gate.mini.note(version)
    code, output, errors = gate.check()
    if least is None:
        assert (code, errors) == (0, "")
        return
    assert code == 1
    assert errors.startswith(
        f"openapi.yaml:{VERSION_LINE}: info.version {version} does not cover what changed since 1.0.0: "
        f"raise it to {least} or above"
    )
    assert "was added" in output


def test_changelog_needs_an_entry(gate: Gate) -> None:
    """What changed has to be said to people too, under the heading of the contract."""
    gate.mini.release(BASE)
    gate.mini.write(edit(add_property, "1.1.0"))
    expected = "CHANGELOG.md: no entry `### [1.1.0]` under `## Contract`; `make changelog-entry` drafts it.\n"
    assert gate.check() == (1, "", expected)
    text = gate.mini.changelog.read_text(encoding="utf-8")
    gate.mini.changelog.write_text(text.replace("## [Unr", "### [1.1.0]\n\n- Of the package.\n\n## [Unr"), "utf-8")
    assert gate.check()[0] == 1
    gate.mini.note("1.1.0")
    assert gate.check()[0] == 0


def test_accepted_break_needs_a_minor_version_alone(gate: Gate) -> None:
    """An entry of the allow file with a reason stands for the major version."""
    gate.mini.release(BASE)
    gate.mini.write(edit(add_value, "1.1.0"))
    gate.mini.note("1.1.0")
    code, _, errors = gate.check()
    assert code == 1
    assert "or accept each break that is intended in spec-diff-allow.yaml" in errors
    gate.mini.accept(**BREAK, reason="Readers are tolerant.")
    code, output, _ = gate.check()
    assert code == 0
    assert output == (
        "openapi.yaml 1.1.0: Breaking, accepted (1 breaking change). Required bump: minor. "
        "Actual: minor, 1.0.0 → 1.1.0.\n"
    )


def test_first_version_needs_an_entry_alone(gate: Gate) -> None:
    """Where nothing is released, there is nothing to cover."""
    gate.mini.write(BASE)
    assert gate.check() == (0, "openapi.yaml 1.0.0: the first version.\n", "")
    gate.mini.changelog.write_text("# Changelog\n\n## Contract\n", encoding="utf-8")
    assert gate.check()[0] == 1


def test_released_contract_cannot_change(gate: Gate) -> None:
    """Even words need a new version once others may have the old one; another order does not."""
    gate.mini.release(BASE)
    gate.mini.write(edit(lambda document: document.update(tags=document.pop("tags"))))
    assert gate.check()[0] == 0
    gate.mini.write(edit(describe))
    code, _, errors = gate.check()
    assert code == 1
    assert "1.0.0 is released and cannot change any more; raise info.version to 1.0.1 or above.\n" in errors


def test_commit_that_releases_is_judged_too(gate: Gate) -> None:
    """A contract that was copied among the released ones by hand has to cover what changed since the one before."""
    gate.mini.release(BASE)
    uncovered = edit(add_value, "1.1.0")
    gate.mini.release(uncovered)
    gate.mini.write(uncovered)
    gate.mini.note("1.1.0")
    assert gate.check()[0] == 1
    gate.mini.accept(**BREAK, reason="Readers are tolerant.")
    assert gate.check()[0] == 0


def test_version_cannot_sink(gate: Gate) -> None:
    """A contract that is older than the last released one is refused, though it was released once."""
    gate.mini.release(BASE)
    gate.mini.release(edit(add_property, "1.10.0"))
    gate.mini.release(edit(add_property, "1.9.0"))
    gate.mini.write(BASE)
    code, _, errors = gate.check()
    assert code == 1
    assert f"openapi.yaml:{VERSION_LINE}: info.version 1.0.0 is older than the released 1.10.0.\n" in errors


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda mini: mini.contract.unlink(), r"openapi\.yaml: No such file"),
        (lambda mini: mini.changelog.unlink(), r"CHANGELOG\.md: No such file"),
        (lambda mini: mini.changelog.write_bytes(b"\xff"), r"CHANGELOG\.md: not UTF-8"),
        (lambda mini: mini.release(BASE, "old.yaml"), r"contracts/old\.yaml: not named after a version"),
        (lambda mini: mini.release(BASE, "1.1.0.yaml"), r"contracts/1\.1\.0\.yaml:5: info\.version is 1\.0\.0, unlike"),
        (lambda mini: mini.write(edit(do_nothing, "1.1.0-beta")), r"openapi\.yaml:5: info\.version should be three"),
    ],
)
def test_input_that_cannot_be_read_is_named(gate: Gate, spoil: Callable[[Mini], object], message: str) -> None:
    """It ends with 2, with the file and where it can be told the line."""
    gate.mini.release(BASE)
    gate.mini.write(BASE)
    spoil(gate.mini)
    code, output, errors = gate.check()
    assert (code, output) == (2, "")
    assert errors.count("\n") == 1
    assert re.match(message, errors)


# Releasing


def test_release_records_the_contract_as_it_is(gate: Gate) -> None:
    """Byte for byte, under the name of its version; the gate then compares with it."""
    gate.mini.write(BASE)
    assert gate.release()[:2] == (0, "1.0.0 is recorded as released: contracts/1.0.0.yaml. Commit it with the rest.\n")
    assert gate.mini.contract.read_bytes() == (gate.mini.root / "contracts" / "1.0.0.yaml").read_bytes()
    assert gate.release()[:2] == (0, "1.0.0 is released already: contracts/1.0.0.yaml\n")
    gate.mini.write(edit(add_property))
    assert gate.check()[0] == 1


def test_release_keeps_the_report(gate: Gate) -> None:
    """What changed since the version before lies beside the contract; the first version has nothing before it."""
    gate.mini.write(BASE)
    gate.release()
    gate.mini.write(edit(add_property, "1.1.0"))
    gate.mini.note("1.1.0")
    assert gate.release()[0] == 0
    assert ["1.0.0.yaml", "1.1.0.md", "1.1.0.yaml"] == sorted(
        path.name for path in (gate.mini.root / "contracts").iterdir()
    )
    report = (gate.mini.root / "contracts" / "1.1.0.md").read_text(encoding="utf-8")
    assert report.startswith("🟢 **Not breaking. Required bump: minor. Actual: minor, 1.0.0 → 1.1.0.**\n")


def test_release_refuses_what_the_gate_refuses(gate: Gate) -> None:
    """Nothing is written then."""
    gate.mini.release(BASE)
    gate.mini.write(edit(add_property, "1.1.0"))
    code, _, errors = gate.release()
    assert code == 1
    assert errors.endswith("1.1.0 was not recorded as released.\n")
    assert ["1.0.0.yaml"] == [path.name for path in (gate.mini.root / "contracts").iterdir()]
    gate.mini.contract.write_text("{", encoding="utf-8")
    assert gate.release()[0] == 2


# This project


@pytest.mark.parametrize("path", list_released(Project()).values(), ids=lambda path: path.stem)
def test_released_contracts_of_this_project_are_what_their_names_say(path: Path) -> None:
    """They can be read, and all but the first have their reports."""
    assert read_released(path).version == path.stem
    assert path.with_suffix(".md").exists() == (path.stem != "1.0.0")


def test_this_project_has_a_released_contract() -> None:
    """The gate compares with something."""
    assert list_released(Project())


def test_line_of_the_version_is_right() -> None:
    """What the tests above take for granted."""
    assert '"version"' in json.dumps(BASE, indent=1).splitlines()[VERSION_LINE - 1]
