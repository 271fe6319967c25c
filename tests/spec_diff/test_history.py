"""The steps that the contract of this project took: the report of each is the one that lies beside it."""

import json
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from tests.spec_diff.support import CONTRACTS
from tools.contract.document import read_contract
from tools.project import ROOT
from tools.release.released import parse_version
from tools.spec_diff.compare import compare
from tools.spec_diff.policy import Allowed, read_policy
from tools.spec_diff.report import render_markdown

VERSIONS = sorted((path.stem for path in CONTRACTS.glob("*.yaml")), key=parse_version)
STEPS = list(pairwise(VERSIONS))
COST = "#/components/schemas/UploadDryRunResponse"
_OPTIONAL = "The official SDK types it as optional, so that an answer may come without. Clients of ours read None then."
_NULL = "As every optional field of an answer, it may be null. Clients of ours read None then."
# What spec-diff-allow.yaml held at the time.
ACCEPTED = {
    "1.1.0": [
        Allowed(
            "enum-value-added",
            "#/components/schemas/UploadKind/enum/text",
            "The service has sent it since the day it was added. A strict reader fails on it; clients of ours,"
            " installed ones included, keep a kind that they do not know as it came.",
            "allow.yaml:1",
        )
    ],
    "1.4.0": [
        Allowed("property-became-optional", f"{COST}/required/costDetails", _OPTIONAL, "allow.yaml:1"),
        Allowed("null-added", f"{COST}/properties/costDetails/oneOf", _NULL, "allow.yaml:2"),
        Allowed("property-became-optional", f"{COST}/required/creativeUnitsDiscount", _OPTIONAL, "allow.yaml:3"),
        Allowed("null-added", f"{COST}/properties/creativeUnitsDiscount/type", _NULL, "allow.yaml:4"),
        Allowed(
            "python-type-changed",
            f"{COST}CostDetails",
            "Any became float. It only comes in answers, so that whoever reads it is told more than before.",
            "allow.yaml:5",
        ),
        Allowed(
            "limit-widened",
            "#/components/schemas/Upload/properties/fileSize/maximum",
            "An answer repeats what was asked for, whose bound was ours and not the service's. No client of ours checks"
            " it.",
            "allow.yaml:6",
        ),
    ],
}


@pytest.mark.parametrize(("old", "new"), STEPS)
def test_report_of_a_step(old: str, new: str) -> None:
    """The wire, Python callers and installed clients, as they were told when the version was released."""
    before, after = (read_contract(CONTRACTS / f"{version}.yaml") for version in (old, new))
    report = compare(before, after, read_policy(), ACCEPTED.get(new, []))
    texts = (CONTRACTS / f"{new}.md").read_text(encoding="utf-8"), render_markdown(report)
    # The words for installed clients stay, and their reasons are of the time.
    told, tells = (re.sub(r"(installed clients: \w+): .*", r"\1", text) for text in texts)
    assert told == tells
    assert report.covered
    assert report.unused == ()


def test_whole_history_at_once(tmp_path: Path) -> None:
    """Who comes from the first version gets all of it in one report, each fact with its three parts.

    It is a program: it says by its exit code what it found, and leaves nothing behind.
    """
    command = [sys.executable, "-m", "tools.spec_diff", "contracts/1.0.0.yaml", "contracts/1.4.0.yaml", "--format=json"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert not any(path.name.startswith("spec-diff") for path in tmp_path.iterdir())
    report = json.loads(result.stdout)
    assert (report["old"], report["new"], report["bump"], report["breaking"]) == ("1.0.0", "1.4.0", "major", True)
    assert {
        (change["kind"], change["level"], change["installed_clients"].partition(":")[0]) for change in report["changes"]
    } == {
        ("enum-value-added", "breaking", "tolerated"),
        ("limit-widened", "breaking", "nothing"),
        ("limit-widened", "non-breaking", "nothing"),
        ("success-status-added", "non-breaking", "tolerated"),
        ("parameter-added", "non-breaking", "nothing"),
        ("property-added", "non-breaking", "tolerated"),
        ("documentation-changed", "note", "nothing"),
    }
    # A bound leaves no trace in Python, and neither do words.
    assert all(change["python"] for change in report["changes"] if change["kind"].endswith("-added"))


def test_worked_example_is_ahead_of_the_contract() -> None:
    """One value of an enum that docs/contract.md adds, and that the contract does not have yet."""
    text = (ROOT / "docs" / "contract.md").read_text("utf-8").partition("## Example: a new value of an enum")[2]
    ((name, example),) = yaml.safe_load(text.partition("```yaml\n")[2].partition("```")[0]).items()
    present = read_contract(ROOT / "openapi.yaml").document["components"]["schemas"][name]
    for field in ("enum", "x-enum-varnames"):
        assert example[field][:-1] == present[field]
    assert f"`{name}.{example['x-enum-varnames'][-1]}`" in text
