"""What a branch changes in the contract, written into a folder for a pull request."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.spec_diff.support import BASE, edit
from tests.support.project import Mini
from tools.pull_request import report as spec_diff_report
from tools.pull_request.comment import REPORT_LIMIT, load
from tools.spec_diff.report import Report

Run = Callable[..., tuple[int, str, dict[str, str]]]


def add_value(document: Any) -> None:
    document["components"]["schemas"]["Kind"]["enum"].append("c")


def add_property(document: Any, name: str = "name") -> None:
    document["components"]["schemas"]["Thing"]["properties"][name] = {"type": "string"}


@pytest.fixture
def run(mini: Mini, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line; return the exit code, what it says and the files."""
    out = tmp_path / "a" / "b"

    def run(base: str = "HEAD") -> tuple[int, str, dict[str, str]]:
        code = spec_diff_report.main(["--root", str(mini.root), f"--base={base}", "--out", str(out)])
        output = capsys.readouterr()
        return code, output.out + output.err, {path.name: path.read_text(encoding="utf-8") for path in out.iterdir()}

    return run


def test_report_in_every_form(run: Run, mini: Mini) -> None:
    """For people, for programs, for the lines of the pull request, and for whoever comments."""
    mini.write(BASE)
    mini.commit()
    mini.write(edit(add_value))
    code, said, files = run()
    verdict = "Breaking (1 breaking change). Required bump: major. Actual: none: not enough."
    assert (code, said) == (1, f"{verdict}\n")
    assert set(files) == {"report.md", "report.json", "annotations.txt", "comment.json"}
    assert files["report.md"].startswith(f"🔴 **{verdict}**\n")
    assert json.loads(files["report.json"])["changes"][0]["kind"] == "enum-value-added"
    line = 1 + mini.contract.read_text(encoding="utf-8").splitlines().index('     "c"')
    assert f"\n::error file=openapi.yaml,line={line},title=breaking%3A enum-value-added::" in files["annotations.txt"]
    report = load(files["comment.json"].encode())
    assert isinstance(report, Report)
    assert [change.line for change in report.changes] == [line]


def test_nothing_changed(run: Run, mini: Mini) -> None:
    """It says so, has nothing to annotate, and passes."""
    mini.write(BASE)
    mini.commit()
    code, said, files = run()
    assert (code, said) == (0, "Nothing changed (1.0.0 → 1.0.0).\n")
    assert files["report.md"] == "🟢 **Nothing changed (1.0.0 → 1.0.0).**\n"
    assert files["annotations.txt"] == ""


def test_any_ref_can_be_the_base(run: Run, mini: Mini) -> None:
    """A branch, a tag, a commit, a parent of one."""
    mini.write(BASE)
    first = mini.commit()
    mini.git("tag", "one")
    mini.write(edit(add_property, "1.1.0"))
    mini.commit()
    for ref in ("one", first, "HEAD^1", "main~1"):
        assert run(ref)[1] == "Not breaking. Required bump: minor. Actual: minor, 1.0.0 → 1.1.0.\n"
    assert run("main")[1] == "Nothing changed (1.1.0 → 1.1.0).\n"


def test_version_is_raised_once_between_releases(run: Run, mini: Mini) -> None:
    """What counts is the last released version: the second addition to a version in work needs no other number."""
    mini.release(edit(lambda document: None, "0.9.0"))
    mini.release(BASE)
    mini.write(edit(add_property, "1.1.0"))
    mini.commit()

    def add_both(document: Any) -> None:
        add_property(document)
        add_property(document, "more")

    mini.write(edit(add_both, "1.1.0"))
    code, said, files = run()
    assert (code, said) == (0, "Not breaking. Required bump: minor. Actual: minor, 1.0.0 → 1.1.0.\n")
    assert len(json.loads(files["report.json"])["changes"]) == 1
    report = load(files["comment.json"].encode())
    assert isinstance(report, Report)
    assert report.covered


def test_branch_cannot_release_what_the_base_has_not(run: Run, mini: Mini) -> None:
    """A contract among the released ones of the branch alone changes nothing of the verdict."""
    mini.release(BASE)
    mini.write(BASE)
    mini.commit()
    broken = edit(add_value, "1.1.0")
    mini.write(broken)
    mini.release(broken)
    mini.commit()
    code, said, _ = run("HEAD^")
    assert (code, said) == (
        1,
        "Breaking (1 breaking change). Required bump: major. Actual: minor, 1.0.0 → 1.1.0: not enough.\n",
    )


def test_contract_that_cannot_be_read_is_annotated(run: Run, mini: Mini) -> None:
    """At its line; the report says so and nothing of an older one is left."""
    mini.write(BASE)
    mini.commit()
    assert run()[0] == 0
    mini.contract.write_text("openapi: 3.1.1\ninfo: {title: T, version: 1.0.0}\n- x\n", encoding="utf-8")
    code, said, files = run()
    assert code == 2
    assert said.startswith("openapi.yaml:3: ")
    assert set(files) == {"report.md", "annotations.txt", "comment.json"}
    assert files["report.md"] == f"🔴 **The contracts cannot be compared:** {said}"
    assert files["annotations.txt"] == f"::error file=openapi.yaml,line=3,title=Contract::{said}"
    assert load(files["comment.json"].encode()) == said.rstrip("\n")


@pytest.mark.parametrize("base", ["nonsense", "--help", "HEAD:openapi.yaml", ""])
def test_base_that_is_none_is_told(run: Run, mini: Mini, base: str) -> None:
    """And is never an option of git's."""
    mini.write(BASE)
    mini.commit()
    code, said, files = run(base)
    assert code == 2
    assert said.startswith(f"{base}:")
    assert files["annotations.txt"].startswith("::error title=Contract::")


def test_report_leaves_room_in_a_comment(run: Run, mini: Mini) -> None:
    """However much a contract changes."""
    mini.write(BASE)
    mini.commit()

    def add_many(document: Any) -> None:
        for index in range(1500):
            add_property(document, f"name_{index}")

    mini.write(edit(add_many, "1.1.0"))
    code, _, files = run()
    assert code == 0
    assert 60_000 < len(files["report.md"].encode()) <= REPORT_LIMIT
    assert len(json.loads(files["report.json"])["changes"]) == 1500
