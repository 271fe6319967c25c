"""The workflows: what they may do, whose code they run, and that a laptop can do it too."""

import os
import re
import subprocess
from typing import Any

import pytest
import yaml

from tools.project import ROOT

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(path.name for path in FOLDER.glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def read(name: str) -> Any:
    # YAML calls the key `on` true.
    return {
        "on" if key is True else key: value for key, value in yaml.safe_load((FOLDER / name).read_text("utf-8")).items()
    }


def list_steps(name: str) -> list[Any]:
    return [step for job in read(name)["jobs"].values() for step in job["steps"]]


WRITING = {
    ("spec-diff-comment.yml", "comment"): {"pull-requests"},
    ("release.yml", "publish"): {"id-token", "attestations"},
}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_actions_are_pinned(name: str) -> None:
    """By commit, with the version for people; and the same everywhere."""
    uses = re.findall(r"uses: (\S+)@(\S+)(.*)", (FOLDER / name).read_text(encoding="utf-8"))
    assert uses
    for action, commit, comment in uses:
        assert re.fullmatch(r"[0-9a-f]{40}", commit), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action
        for other in WORKFLOWS:
            assert {commit} >= set(re.findall(rf"uses: {action}@(\S+)", (FOLDER / other).read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", WORKFLOWS)
def test_permissions_are_the_least(name: str) -> None:
    """Nothing unless a job says so, and two jobs alone may write: that which comments, and that which publishes."""
    workflow = read(name)
    assert workflow["permissions"] == {}
    for key, job in workflow["jobs"].items():
        rights = {right for right, value in job["permissions"].items() if value != "read"}
        assert rights == WRITING.get((name, key), set())
        assert job["timeout-minutes"] <= 30
    for step in list_steps(name):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("name", WORKFLOWS)
def test_nothing_of_an_event_becomes_a_script(name: str) -> None:
    """What is put into a script before a shell reads it is a stranger's chance."""
    for step in list_steps(name):
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("name", WORKFLOWS)
def test_whatever_a_workflow_does_is_a_task(name: str) -> None:
    """Of the Makefile, so that it can be done on a laptop; what is left is to show what a task has written."""
    tasks = set(re.findall(r"(?m)^\.PHONY: (\S+)$", MAKEFILE))
    for step in list_steps(name):
        if "gh pr comment" in step.get("run", ""):
            continue  # GitHub's own
        if step.get("run", "").startswith("python -m "):
            continue  # on Windows, whose .venv the Makefile does not know
        for line in step.get("run", "").splitlines():
            words = line.split()
            assert words[:2] == ["bash", ".ci/run"] or words[0] == "cat" or (words[0] == "make" and {*words} & tasks)


def test_code_of_a_pull_request_gets_no_right_to_write() -> None:
    """What runs it is started as `pull_request`, which gives a fork neither secrets nor a token that may write."""
    for name in WORKFLOWS:
        assert "pull_request_target" not in read(name)["on"]
    assert set(read("spec-diff.yml")["on"]) == {"pull_request"}
    knowing = {name for name in WORKFLOWS if "secrets." in (FOLDER / name).read_text(encoding="utf-8")}
    assert knowing == {"live-check.yml"}


def test_what_is_published_is_what_was_tried() -> None:
    """For a tag alone, on three systems; who publishes runs nothing of the checkout, and has no secret."""
    workflow = read("release.yml")
    assert workflow["on"] == {"push": {"tags": ["v[0-9]*"]}}
    build, attempt, publish = workflow["jobs"].values()
    assert 'make release-check TAG="$GITHUB_REF_NAME"' in [step.get("run") for step in build["steps"]]
    assert (attempt["needs"], publish["needs"]) == ("build", "try")
    assert {system.partition("-")[0] for system in attempt["strategy"]["matrix"]["system"]} == {
        "ubuntu",
        "windows",
        "macos",
    }
    used = [step["uses"].partition("@")[0] for step in publish["steps"]]
    assert used == ["actions/download-artifact", "actions/attest-build-provenance", "pypa/gh-action-pypi-publish"]
    assert publish["environment"]["name"] == "pypi"
    assert "password" not in yaml.safe_dump(publish)


def test_live_check_asks_the_service_where_there_are_credentials() -> None:
    """Every week and on request, and for no pull request; one step alone is shown the credentials."""
    workflow = read("live-check.yml")
    assert set(workflow["on"]) == {"schedule", "workflow_dispatch"}
    (job,) = workflow["jobs"].values()
    (ask,) = [step for step in job["steps"] if "make live-check" in step.get("run", "")]
    assert ask["run"] == "make live-check YES=1 OUT=build/live-check"
    for step in job["steps"][2:]:
        assert "env.HAS_CREDENTIALS == 'true'" in step["if"]
        assert ("env" in step) == (step is ask)
    *_, show, keep = job["steps"]
    assert "build/live-check/report.md" in show["run"]
    assert keep["with"]["path"] == "build/live-check"


def test_comment_runs_code_of_the_main_branch_alone() -> None:
    """It follows the other workflow by name, checks out nothing of a head, and shows its token to one step."""
    name = "spec-diff-comment.yml"
    assert read(name)["on"] == {"workflow_run": {"workflows": [read("spec-diff.yml")["name"]], "types": ["completed"]}}
    checkouts = [step["with"]["ref"] for step in list_steps(name) if "checkout" in step.get("uses", "")]
    assert checkouts == ["${{ github.event.repository.default_branch }}"]
    assert [step["name"] for step in list_steps(name) if "env" in step] == ["Comment"]
    # Neither may a cache carry anything over from a pull request.
    assert "cache" not in yaml.safe_dump(list_steps(name))


def test_summary_and_artifact_are_what_the_task_writes() -> None:
    """The folder is the same in every step."""
    *_, compare, show, upload = list_steps("spec-diff.yml")
    assert compare["run"] == "make spec-diff-report BASE=HEAD^1 OUT=build/spec-diff"
    assert show["run"].splitlines() == [
        "cat build/spec-diff/annotations.txt",
        'cat build/spec-diff/report.md >> "$GITHUB_STEP_SUMMARY"',
    ]
    assert (upload["with"]["path"], upload["with"]["name"]) == ("build/spec-diff", "spec-diff")
    # A comparison that fails is what one wants to see most.
    assert show["if"] == upload["if"] == "${{ !cancelled() }}"


def dry_run(*arguments: str) -> str:
    """Return what a task would do, whatever the task that runs the tests was given."""
    command = ["make", "--no-print-directory", "--dry-run", *arguments]
    environment = {
        key: value for key, value in os.environ.items() if "MAKE" not in key and key not in ("BASE", "MFLAGS")
    }
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout


def test_gate_is_part_of_the_check() -> None:
    """Continuous integration runs it through .ci/run, as everybody does; CONTRIBUTING.md lists each part."""
    parts = re.findall(r"(?m)^check-static: (.*?) ##", MAKEFILE)[0].split()
    assert "check-version" in parts
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.split("## What `make check` runs")[1].split("##")[0]
    assert [*parts, "test"] == re.findall(r"(?m)^\| `([a-z-]+)` \|", table)


def test_audit_asks_about_every_lock_file() -> None:
    """Every week, and when one changes; what could not be asked fails, and one that fails does not hide the other."""
    workflow = read("audit.yml")
    assert "schedule" in workflow["on"]
    (step,) = [step for step in list_steps("audit.yml") if "make" in step.get("run", "")]
    assert step["run"] == "make --keep-going audit"
    commands = dry_run("--keep-going", "audit")
    locks = [path.name for path in ROOT.glob("requirements-*.txt")]
    assert len(locks) > 1
    assert all(f"--requirement {lock}" in commands for lock in locks)
    assert "pip-audit --strict" in commands
    assert "npm audit --package-lock-only" in commands
    for lock in ("requirements-*.txt", "package-lock.json"):
        assert lock in workflow["on"]["pull_request"]["paths"]


def test_nothing_of_npm_looks_for_a_newer_npm() -> None:
    """Its notifier asks the registry behind one's back, and prints into what is read."""
    for task in ("audit-node", "lock", "types", "contract"):
        lines = [line for line in dry_run(task).splitlines() if re.search(r"\bnpm\b|node_modules/", line)]
        assert lines
        assert all("npm_config_update_notifier=false" in line for line in lines)


def test_regenerate_compares_with_a_ref_that_is_named() -> None:
    """And with the last release alone when none is."""
    assert "tools.release review --base 'v1.0.0'" in dry_run("regenerate", "BASE=v1.0.0")
    assert "--base" not in dry_run("regenerate")


def test_live_check_sends_nothing_unasked() -> None:
    """YES=1 alone says that it is wanted; where the service is and where the report goes are passed on."""
    for arguments in ((), ("YES=0",)):
        command = dry_run("live-check", *arguments).partition("tools.live_check")[2]
        assert not command.replace("\\", "").split()
    command = dry_run("live-check", "YES=1", "BASE_URL=http://127.0.0.1/v1", "OUT=there")
    assert "--base-url 'http://127.0.0.1/v1' --yes" in command
    assert "--out 'there'" in command
