"""The user's folders for state and settings, moved on every system: Linux and macOS have two variables, Windows one."""

import os
from pathlib import Path

import pytest

ON_WINDOWS = "WIN_PD_OVERRIDE_LOCAL_APPDATA"


def move_state(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let ledgers be below a folder."""
    for name in ("XDG_STATE_HOME", ON_WINDOWS):
        patch.setenv(name, str(folder))


def move_settings(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let `config.toml` be below a folder; on Windows ledgers too."""
    for name in ("XDG_CONFIG_HOME", ON_WINDOWS):
        patch.setenv(name, str(folder))


def describe_home(folder: Path) -> dict[str, str]:
    """Return the environment in which a folder is the user's home."""
    below = {ON_WINDOWS: str(folder / "AppData" / "Local")} if os.name == "nt" else {}
    return {"HOME": str(folder), "USERPROFILE": str(folder), **below}
