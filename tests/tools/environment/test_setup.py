"""Setting up: done when an input changed, and only then. Nothing is installed here; the commands are only counted."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.environment import setup
from tools.project import ROOT

PYPROJECT = """
[build-system]
requires = []
[project]
name = "thing"
[tool.hatch]
version = 1
[tool.ruff]
line-length = 100
"""
LOCK = """attrs==1.0 \\
    --hash=sha256:a
uv==2.0 \\
    --hash=sha256:b \\
    --hash=sha256:c
    # via -r requirements-dev.in
uvicorn==3.0 \\
    --hash=sha256:d
"""


class Recorder:
    """Stands in for the commands of a set-up, and does what they would leave behind."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.commands: list[str] = []
        self.fail_at: str | None = None

    def __call__(self, *command: str | Path, root: Path) -> None:
        line = " ".join(str(part) for part in command)
        self.commands.append(line)
        if self.fail_at and self.fail_at in line:
            raise setup.SetupError("set-up failed")
        if "-m venv" in line:
            shutil.rmtree(self.root / ".venv", ignore_errors=True)
            (self.root / ".venv" / "bin").mkdir(parents=True)
            (self.root / ".venv" / "bin" / "python").symlink_to(sys.executable)
        elif "npm ci" in line:
            (self.root / "node_modules").mkdir(exist_ok=True)

    def take(self) -> list[str]:
        """Return what was run since the last time, as one word for each command."""
        words = {
            "npm ci": "npm",
            "-m venv": "venv",
            "uv.txt": "uv",
            "pip sync": "lock",
            "--editable .": "package",
            "pip check": "check",
        }
        taken = [next(word for part, word in words.items() if part in command) for command in self.commands]
        self.commands.clear()
        return taken


EVERYTHING = ["venv", "uv", "lock", "package", "check"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / "requirements-dev.txt").write_text(LOCK)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        (root / name).write_text("{}")
    return root


@pytest.fixture
def recorder(root: Path, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder(root)
    monkeypatch.setattr(setup, "run", recorder)
    return recorder


def test_first_run_makes_everything_and_the_second_nothing(root: Path, recorder: Recorder) -> None:
    """The second run is quick because it runs no command at all."""
    assert setup.set_up_python(root)
    assert recorder.take() == EVERYTHING
    assert not setup.set_up_python(root)
    assert recorder.take() == []


def test_uv_is_the_one_of_the_lock_file(root: Path, recorder: Recorder) -> None:
    """With its hashes, for pip to check."""
    setup.set_up_python(root)
    assert (root / ".venv/uv.txt").read_text() == "uv==2.0 \\\n    --hash=sha256:b \\\n    --hash=sha256:c\n"


def touch_inputs(root: Path) -> None:
    for name in ("pyproject.toml", "requirements-dev.txt"):
        content = (root / name).read_bytes()
        (root / name).unlink()
        (root / name).write_bytes(content)


def break_python(root: Path) -> None:
    (root / ".venv/bin/python").unlink()
    (root / ".venv/bin/python").symlink_to(root / "gone")


@pytest.mark.parametrize(
    ("change", "done"),
    [
        pytest.param(touch_inputs, False, id="new times"),
        pytest.param(
            lambda root: (root / "pyproject.toml").write_text(PYPROJECT.replace("100", "99")), False, id="linter"
        ),
        pytest.param(
            lambda root: (root / "pyproject.toml").write_text(PYPROJECT.replace("thing", "other")), True, id="package"
        ),
        pytest.param(lambda root: (root / "requirements-dev.txt").write_text("uv==2\n"), True, id="lock file"),
        pytest.param(break_python, True, id="broken interpreter"),
        pytest.param(lambda root: (root / ".venv" / setup.STAMP).write_bytes(b"\xff"), True, id="unreadable stamp"),
    ],
)
def test_what_differs_from_what_was_installed_is_made_anew(root: Path, recorder: Recorder, change, done: bool) -> None:
    """Whatever it is, the remedy is the same; times and the settings of linters are no difference."""
    setup.set_up_python(root)
    recorder.take()
    change(root)
    assert setup.set_up_python(root) is done
    assert recorder.take() == EVERYTHING * done
    assert not setup.set_up_python(root)


def test_a_moved_checkout_is_built_again(root: Path, recorder: Recorder) -> None:
    """Scripts and the editable install name the folder, so they do not work from another one."""
    setup.set_up_python(root)
    moved = root.rename(root.parent / "moved")
    recorder.root = moved
    recorder.take()
    assert setup.set_up_python(moved)
    assert recorder.take() == EVERYTHING


def test_another_python_is_built_again(root: Path, recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make PYTHON=python3.12` after 3.11 changes what the tests run on."""
    setup.set_up_python(root)
    recorder.take()
    monkeypatch.setattr(sys, "version_info", (3, 99, 0))
    assert setup.set_up_python(root)
    assert not setup.set_up_python(root)


@pytest.mark.parametrize("step", ["-m venv", "uv.txt", "pip sync", "--editable", "pip check"])
def test_an_interrupted_set_up_starts_over(root: Path, recorder: Recorder, step: str) -> None:
    """Half an environment is never taken for a whole one."""
    recorder.fail_at = step
    with pytest.raises(setup.SetupError):
        setup.set_up_python(root)
    recorder.fail_at = None
    recorder.take()
    assert setup.set_up_python(root)
    assert recorder.take() == EVERYTHING


@pytest.mark.parametrize("name", ["package.json", "package-lock.json", ".npmrc"])
def test_node_modules_follow_their_inputs(root: Path, recorder: Recorder, name: str) -> None:
    """`npm ci` runs once, and again when an input changed."""
    assert setup.set_up_node(root)
    assert recorder.take() == ["npm"]
    assert not setup.set_up_node(root)
    (root / name).write_text('{"new": true}')
    assert setup.set_up_node(root)
    assert recorder.take() == ["npm"]


def test_a_failed_command_shows_what_it_said(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """The output of a set-up is hidden, but for the one that fails."""
    setup.run("sh", "-c", "echo quiet", root=tmp_path)
    with pytest.raises(setup.SetupError, match="sh ended with 3"):
        setup.run("sh", "-c", "echo loud; exit 3", root=tmp_path)
    captured = capfdbinary.readouterr()
    assert b"loud" in captured.err
    assert b"quiet" not in captured.err + captured.out


@pytest.mark.parametrize("python", ["no-such-python", "false"])
def test_make_refuses_a_python_that_does_not_fit_in_one_line(python: str) -> None:
    """Someone on an old machine reads what is needed, not a traceback."""
    result = subprocess.run(
        ["make", "--no-print-directory", "setup", f"PYTHON={python}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr.startswith(f"error: Python 3.11 or newer is needed and '{python}' is not that")
