"""The comment on a pull request: rendered by the code of the main branch from a stranger's data, and put by `gh`."""

import json
import os
import subprocess
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.spec_diff.support import BASE, edit
from tests.support.project import Mini
from tools.project import ROOT
from tools.pull_request import comment, report
from tools.pull_request.comment import COMMENT_LIMIT, MAX_BYTES, dump
from tools.spec_diff.report import Change, Report

CHANGE = Change("get_thing", "#/x", 3, "enum-value-added", "breaking", "Kind: the value c was added")
CHANGED = Report("1.0.0", "1.1.0", (CHANGE,), "major", "minor")
UNCHANGED = Report("1.0.0", "1.0.0", (), "none", "none")
SHA, RUN_URL = "a" * 40, "https://github.example/owner/repo/actions/runs/77"
Render = Callable[..., tuple[int, str, str]]


@pytest.fixture
def render(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Render:
    """Run the command line on a report; return the exit code, the comment and what is said besides."""
    path = tmp_path / "comment.json"

    def render(data: str | bytes | Report, *arguments: str) -> tuple[int, str, str]:
        text = dump(data) if isinstance(data, Report) else data
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        code = comment.main([str(path), "--commit", SHA, "--run-url", RUN_URL, *arguments])
        return code, *capfd.readouterr()

    return render


def test_what_changed_is_said_with_where_it_comes_from(render: Render) -> None:
    """The report, and below it the commit and the run."""
    code, body, errors = render(CHANGED)
    assert (code, errors) == (0, "")
    assert body.startswith("🔴 **Breaking (1 breaking change). Required bump: major.")
    assert "Kind: the value c was added" in body
    assert body.splitlines()[-1] == (
        f"<sub>For {SHA}, as the code of this pull request sees it: [the run]({RUN_URL}).</sub>"
    )


def test_nothing_changed(render: Render) -> None:
    """There is no comment to say that there is nothing to say; one that is there is corrected."""
    assert render(UNCHANGED) == (0, "", "")
    code, body, _ = render(UNCHANGED, "--said", "true")
    assert code == 0
    assert body.startswith("🟢 **Nothing changed (1.0.0 → 1.0.0).**")


def test_contract_that_cannot_be_read_is_told(render: Render) -> None:
    """With the reason, in which nobody is called."""
    _, body, _ = render(dump("openapi.yaml:3: not YAML @all"))
    assert "🔴 **The contracts cannot be compared:** openapi.yaml:3: not YAML" in body
    assert "@all" not in unescape(body)


def test_report_cannot_say_what_to_write(render: Render) -> None:
    """It is rendered anew from a few known values; whatever else it holds is passed over."""
    document = {**json.loads(dump(CHANGED)), "pull": 13, "body": "forged", "markdown": "forged"}
    evil = "@all <img src=x> [x](https://evil.example) </details> #1"
    document["changes"][0]["message"] = evil
    code, body, _ = render(json.dumps(document))
    assert code == 0
    assert "forged" not in body
    told, footer = body.split("<sub>")
    assert "<img" not in told
    assert "](" not in told
    assert footer.count("](") == 1
    for active in ("@all", "https://evil", "#1"):
        assert active not in unescape(told)


def test_longest_comment_fits(render: Render) -> None:
    """GitHub refuses longer ones; what is cut is said."""
    changes = tuple(Change("a", "#/x", line, "property-added", "non-breaking", "💥" * 100) for line in range(2000))
    _, body, _ = render(Report("1.0.0", "1.1.0", changes, "minor", "minor"))
    assert 60_000 < len(body.encode()) <= COMMENT_LIMIT
    assert "lines more; the report is too long for here" in body
    assert body.endswith(f"the run]({RUN_URL}).</sub>\n")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b" " * (MAX_BYTES + 1), f"more than {MAX_BYTES:,} bytes"),
        (b"[" * 100_000, "no JSON"),
        (b'{"format": 1, "error": 1}', "error: Input should be a valid string"),
    ],
    ids=["large", "deep", "other"],
)
def test_what_is_no_report_is_refused(render: Render, data: bytes, message: str) -> None:
    """The job fails and says why; there is nothing to post."""
    code, body, errors = render(data)
    assert (code, body) == (1, "")
    assert errors.startswith(f"comment.json is no report: {message}")


# The workflow, with a `gh` that notes what it is asked for


GH = """#!/bin/bash
echo "$*" >> "$LOG"
case "$1 $2" in
    "api --method") echo "$PULL" ;;
    "run download") mkdir -p "$7" && cp "$REPORT" "$7/comment.json" ;;
    "pr view") echo "$SAID" ;;
esac
"""
Job = Callable[..., tuple[int, list[str], str]]


@pytest.fixture
def run_job(tmp_path: Path) -> Job:
    """Run the step that comments; return the exit code, what it did with `gh`, and the comment."""
    gh = tmp_path / "bin" / "gh"
    gh.parent.mkdir()
    gh.write_text(GH)
    gh.chmod(0o755)
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "spec-diff-comment.yml").read_text("utf-8"))
    step = workflow["jobs"]["comment"]["steps"][-1]

    def run_job(report: Path, pull: str = "12", said: str = "false") -> tuple[int, list[str], str]:
        log = tmp_path / "log"
        log.write_text("")
        # The values are those of an event, which a stranger may have a part in.
        given = {**dict.fromkeys(step["env"], "$(exit 9)"), "SHA": SHA, "RUN": "77", "RUN_URL": RUN_URL}
        fake = {"LOG": str(log), "PULL": pull, "SAID": said, "REPORT": str(report), "RUNNER_TEMP": str(tmp_path)}
        path = f"{gh.parent}{os.pathsep}{os.environ['PATH']}"
        command = ["bash", "-e", "-c", step["run"]]
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **given, **fake, "PATH": path}, capture_output=True, check=False
        )
        body = tmp_path / "comment.md"
        return done.returncode, log.read_text().splitlines(), body.read_text("utf-8") if body.exists() else ""

    return run_job


def test_whole_way_from_an_edit_to_a_comment(run_job: Job, mini: Mini, tmp_path: Path) -> None:
    """A branch edits the contract, its code makes the report, ours makes the comment of it, and later corrects it."""
    mini.release(BASE)
    mini.write(BASE)
    mini.commit()
    folder = tmp_path / "out"
    for document, said, verdict in (
        (edit(add_value), "false", "🔴 **Breaking (1 breaking change)"),
        (BASE, "true", "🟢 **Nothing changed"),
    ):
        mini.write(document)
        code = report.main(["--root", str(mini.root), "--base", "HEAD", "--out", str(folder)])
        assert code == (document is not BASE)
        code, asked, body = run_job(folder / "comment.json", said=said)
        assert code == 0
        assert asked[-1] == f"pr comment 12 --edit-last --create-if-none --body-file {tmp_path}/comment.md"
        assert body.startswith(verdict)
        assert body.startswith((folder / "report.md").read_text(encoding="utf-8"))


def add_value(document: Any) -> None:
    document["components"]["schemas"]["Kind"]["enum"].append("c")


@pytest.mark.parametrize(
    ("document", "pull", "code"),
    [(dump(CHANGED), "", 0), (dump(UNCHANGED), "12", 0), ("{}", "12", 1)],
    ids=["moved on", "unchanged", "no report"],
)
def test_nothing_is_posted(run_job: Job, tmp_path: Path, document: str, pull: str, code: int) -> None:
    """Where the run does not belong, where nothing changed, and when what was left is no report."""
    path = tmp_path / "left.json"
    path.write_text(document)
    ended, asked, _ = run_job(path, pull)
    assert ended == code
    assert asked[0].endswith("--jq .[] | select(.head.sha == env.SHA) | .number")
    assert not any(line.startswith("pr comment") for line in asked)
