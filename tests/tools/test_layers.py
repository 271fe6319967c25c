"""The layers are a contract: the code keeps it, and each kind of breach is caught."""

import configparser
import os
import re
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
        env={**os.environ, "PYTHONPATH": f"{overrides}{os.pathsep}{ROOT / 'generated_client'}", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_code_keeps_its_layers() -> None:
    """What is committed passes."""
    result = lint(ROOT / "overrides")
    assert result.returncode == 0, result.stdout


BREACHES = {
    # A file, what is put into it, the contract that it breaks, and how that names it.
    "upward": (
        "settings/client.py",
        "import scenario_uploads.api",
        "Packages import only what is below them",
        "scenario_uploads.settings.client -> scenario_uploads.api",
    ),
    "sideways": (
        "api/calls.py",
        "from scenario_uploads.transfer import engine",
        "Packages import only what is below them",
        "scenario_uploads.api.calls -> scenario_uploads.transfer.engine",
    ),
    "module without a place": (
        "attic.py",
        '"""A module."""',
        "Packages import only what is below them",
        "not listed as layers: - scenario_uploads.attic",
    ),
    "credentials in transfer": (
        "transfer/part.py",
        "from scenario_uploads.settings import credentials",
        "Storage never sees a credential",
        "scenario_uploads.transfer.part -> scenario_uploads.settings.credentials",
    ),
    "clock in a pure module": (
        "retry.py",
        "import time",
        "Pure modules touch nothing of the world",
        "scenario_uploads.retry -> time",
    ),
    "hidden in a function": (
        "settings/request.py",
        "def f() -> None:\n    from pathlib import Path",
        "Pure modules touch nothing of the world",
        "scenario_uploads.settings.request -> pathlib",
    ),
    "generated": (
        "transfer/engine.py",
        "import scenario_uploads_client",
        "Only calls, decoding and models know the generated client",
        "scenario_uploads.transfer.engine -> scenario_uploads_client",
    ),
    "sandbox": (
        "sandbox/api/rules.py",
        "from scenario_uploads.transfer.parts import *",
        "The sandbox shares nothing with the runtime",
        "scenario_uploads.sandbox.api.rules -> scenario_uploads.transfer.parts",
    ),
    "sandbox and generated": (
        "sandbox/storage/gate.py",
        "import scenario_uploads_client",
        "The sandbox shares nothing with the runtime",
        "scenario_uploads.sandbox.storage.gate -> scenario_uploads_client",
    ),
    "front": (
        "transfer/source.py",
        "from scenario_uploads import Scenario",
        "Modules import each other, never the front of the package",
        "scenario_uploads.transfer.source -> scenario_uploads",
    ),
}


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What is said of a package with every breach in it, by the contract that is broken, on one line each."""
    overrides = tmp_path_factory.mktemp("spoiled") / "overrides"
    shutil.copytree(ROOT / "overrides", overrides, ignore=shutil.ignore_patterns("__pycache__"))
    for name, code, *_ in BREACHES.values():
        with (overrides / "scenario_uploads" / name).open("a", encoding="utf-8") as file:
            file.write(f"\n{code}\n")
    result = lint(overrides)
    assert result.returncode == 1
    told = result.stdout.split("Broken contracts\n")[1]
    parts = re.split(r"\n(?=.+\n-{4,}\n)", told)
    return {part.strip().partition("\n")[0]: " ".join(part.split()) for part in parts}


@pytest.mark.parametrize("breach", BREACHES)
def test_a_breach_is_caught(spoiled: dict[str, str], breach: str) -> None:
    """One bad import anywhere fails, and the contract that it breaks is named with it."""
    *_, contract, said = BREACHES[breach]
    assert f"{said} " in f"{spoiled[contract]} "


def test_the_sandbox_is_kept_from_every_room() -> None:
    """A room that is added later is forbidden to the sandbox too."""
    forbidden = read_contracts()["importlinter:contract:sandbox-apart"]["forbidden_modules"].split()
    names = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    rooms = names - {"__init__", "sandbox"}
    assert {f"scenario_uploads.{room}" for room in rooms} | {"scenario_uploads_client"} == set(forbidden)
