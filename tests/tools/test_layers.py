"""The layers are a contract: the code keeps it, and each kind of breach is caught."""

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.project import ROOT

PACKAGE = ROOT / "overrides" / "scenario_uploads"


def read_contracts() -> configparser.ConfigParser:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter", encoding="utf-8")
    return contracts


def lint(overrides: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the package in `overrides` instead of the installed one."""
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--config", ROOT / ".importlinter"],
        cwd=overrides.parent,
        env={**os.environ, "PYTHONPATH": f"{overrides}{os.pathsep}{ROOT / 'generated_client'}"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def overrides(tmp_path: Path) -> Path:
    """A copy of the source root that a test may spoil."""
    copy = tmp_path / "overrides"
    shutil.copytree(ROOT / "overrides", copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def test_the_code_keeps_its_layers(overrides: Path) -> None:
    """What is committed passes."""
    result = lint(overrides)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("room", "code", "broken"),
    [
        pytest.param(
            "settings/client.py",
            "import scenario_uploads.api",
            "Packages import only what is below them BROKEN",
            id="upward",
        ),
        pytest.param(
            "api/calls.py",
            "from scenario_uploads.transfer import engine",
            "Packages import only what is below them BROKEN",
            id="sideways",
        ),
        pytest.param("attic.py", "", "scenario_uploads.attic", id="module without a place"),
        pytest.param(
            "transfer/part.py",
            "from scenario_uploads.settings import credentials",
            "Storage never sees a credential BROKEN",
            id="credentials in transfer",
        ),
        pytest.param(
            "retry.py", "import time", "Pure modules touch nothing of the world BROKEN", id="clock in a pure module"
        ),
        pytest.param(
            "api/polling.py",
            "def f() -> None:\n    from pathlib import Path",
            "Pure modules touch nothing of the world BROKEN",
            id="hidden in a function",
        ),
        pytest.param(
            "transfer/engine.py", "import scenario_uploads_client", "know the generated client BROKEN", id="generated"
        ),
        pytest.param(
            "sandbox/rules.py",
            "from scenario_uploads.transfer.parts import *",
            "The sandbox shares nothing with the runtime BROKEN",
            id="sandbox",
        ),
        pytest.param(
            "sandbox/rules.py",
            "import scenario_uploads_client",
            "The sandbox shares nothing with the runtime BROKEN",
            id="sandbox 2",
        ),
        pytest.param(
            "transfer/source.py",
            "from scenario_uploads import Scenario",
            "never the front of the package BROKEN",
            id="front",
        ),
    ],
)
def test_a_breach_is_caught(overrides: Path, room: str, code: str, broken: str) -> None:
    """One bad import anywhere fails, and the contract that it breaks is named."""
    path = overrides / "scenario_uploads" / room
    before = path.read_text(encoding="utf-8") if path.exists() else '"""A module."""\n'
    path.write_text(f"{before}\n{code}\n", encoding="utf-8")
    result = lint(overrides)
    assert result.returncode == 1
    assert broken in result.stdout


def test_the_sandbox_is_kept_from_every_room() -> None:
    """A room that is added later is forbidden to the sandbox too."""
    forbidden = read_contracts()["importlinter:contract:sandbox-apart"]["forbidden_modules"].split()
    names = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    rooms = names - {"__init__", "sandbox"}
    assert {f"scenario_uploads.{room}" for room in rooms} | {"scenario_uploads_client"} == set(forbidden)
