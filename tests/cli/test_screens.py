"""Whole commands, as a person sees them in a terminal."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from scenario_uploads.cli import commands as cli
from scenario_uploads.sandbox import Sandbox

from tests.cli.conftest import Compare
from tests.cli.test_commands import interrupt, make_glb, watch
from tests.support.folders import move_settings, move_state
from tests.support.terminal import Terminal

MIB = 1024 * 1024
LOCK = (Path(__file__).parents[2] / "requirements-dev.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(step_delay=0.01) as sandbox:
        yield sandbox


@pytest.fixture
def folder(box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The present folder of somebody with an account."""
    for name, value in (("BASE_URL", box.base_url), ("SDK_API_KEY", box.api_key), ("SDK_API_SECRET", box.api_secret)):
        monkeypatch.setenv(f"SCENARIO_{name}", value)
    for move in (move_settings, move_state):
        move(monkeypatch, tmp_path)
    make_glb(tmp_path / "dragon.glb", 11 * MIB)
    (tmp_path / "refs").mkdir()
    make_glb(tmp_path / "refs" / "a-rather-long-name-of-a-castle.glb", 1000)
    (tmp_path / "refs" / "empty.png").touch()
    (tmp_path / "refs" / ".hidden").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def show(monkeypatch: pytest.MonkeyPatch, columns: int, *commands: str) -> str:
    """Run commands in a terminal of that width, and return the screen without what is never twice the same."""
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    with Terminal(columns) as terminal, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", terminal.file)
        patch.setattr(sys, "stderr", terminal.file)
        for command in commands:
            print(f"$ scenario-uploads {command}", flush=True)
            code = cli.run(command.split())
            if code:
                print(f"# exit code {code}", flush=True)
        screen = terminal.screen()
    # The ids are of one length, so that lines break where they do.
    return re.sub(r"\b(upload|asset)_[0-9A-Za-z]{24}", r"\1_" + "x" * 24, screen)


COMMANDS = ("upload", "import", "status", "wait", "complete", "resume", "sandbox", "config show")


def test_each_command_has_an_example_in_its_help(monkeypatch: pytest.MonkeyPatch) -> None:
    for command in COMMANDS:
        assert f"\n    scenario-uploads {command}" in show(monkeypatch, 100, f"{command} -h").partition("Example")[2]


@pytest.mark.skipif(f"typer=={version('typer')} " not in LOCK, reason="other versions of typer write it otherwise")
def test_help(compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    compare("help", show(monkeypatch, 100, "--help", *(f"{command} --help" for command in COMMANDS)))


@pytest.mark.parametrize(
    ("shell", "variables"),
    [
        ("bash", {"COMP_WORDS": "scenario-uploads upl", "COMP_CWORD": "1"}),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "scenario-uploads upl"}),
        ("fish", {"_TYPER_COMPLETE_ARGS": "scenario-uploads upl", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}),
    ],
)
def test_shells_complete_commands(
    shell: str, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for action, words in (("source", "scenario-uploads"), ("complete", "upload")):
        monkeypatch.setenv("_SCENARIO_UPLOADS_COMPLETE", f"{action}_{shell}")
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit):
            cli.run([])
        assert words in capsys.readouterr().out


@pytest.mark.parametrize("columns", [80, 40])
def test_uploads(columns: int, folder: Path, compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = (
        "upload dragon.glb",
        "upload refs -r",
        "upload refs -r -v --exclude empty.png",
        "upload refs -r --dry-run",
    )
    compare(f"uploads-{columns}", show(monkeypatch, columns, *commands))


def test_an_upload_that_stops_and_goes_on(folder: Path, compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        watch(patch, interrupt)
        stopped = show(patch, 300, "upload dragon.glb --part-size 5MiB --concurrency 1")
    # The last part may have arrived while the command stopped.
    goes_on = re.sub(
        r"[23] of 3 parts", "2 of 3 parts", show(monkeypatch, 300, "resume", "resume dragon.glb", "resume")
    )
    compare("resume", (stopped + goes_on).replace(os.path.realpath(folder), "/home"))


def test_mistakes(folder: Path, compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "list.csv").write_text("file,kynd\n")
    (folder / "notes.xyz").write_text("text")
    commands = (
        "upload",
        "upload draogn.glb",
        "upload refs",
        "upload notes.xyz",
        "upload dragon.glb --part-size 1MB",
        "upload dragon.glb --max-bandwidth 20Mbit/s",
        "upload --manifest list.csv",
        "status upload_1 --profile studio",
    )
    shown = re.sub(r"\S+config\.toml", "config.toml", show(monkeypatch, 1000, *commands))
    compare("mistakes", shown)


def test_settings(folder: Path, compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCENARIO_BASE_URL")
    monkeypatch.setenv("SCENARIO_SDK_JWT", "a token")
    (folder / "scenario-uploads").mkdir()
    config = folder / "scenario-uploads" / "config.toml"
    config.write_text("max_bandwidth = '20MB/s'\n[profiles.studio]\nproject_id = 'proj_1'\napi_key = 'a secret'\n")
    config.chmod(0o600)
    shown = show(monkeypatch, 300, "config show --profile studio")
    compare("settings", shown.replace(str(config), "/home/config.toml"))
