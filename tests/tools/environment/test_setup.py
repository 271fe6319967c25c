"""Setting up: done when an input changed, and only then. Nothing is installed here; the commands are only counted."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.environment import setup as setup_environment
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


class Recorder:
    """Stands in for the commands of a set-up, and does what they would leave behind."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.commands: list[str] = []
        self.fail_at: str | None = None

    def __call__(self, *command: str | Path, root: Path, environment: dict[str, str] | None = None) -> None:
        line = " ".join(str(part) for part in command)
        self.commands.append(line)
        if self.fail_at and self.fail_at in line:
            raise setup_environment.SetupError("set-up failed")
        if "-m venv" in line:
            shutil.rmtree(self.root / ".venv", ignore_errors=True)
            (self.root / ".venv" / "bin").mkdir(parents=True)
            (self.root / ".venv" / "bin" / "python").symlink_to(sys.executable)
        elif "--require-hashes" in line:
            self.add_distribution("attrs-1.0")
        elif "npm ci" in line:
            (self.root / "node_modules").mkdir(exist_ok=True)

    def add_distribution(self, name: str) -> None:
        (self.root / ".venv/lib/python3/site-packages" / f"{name}.dist-info").mkdir(parents=True)

    def take(self) -> list[str]:
        """Return what was run since the last time, as one word for each command."""
        words = {"npm ci": "npm", "require-hashes": "lock", "-e .": "package", " check": "check", "-m venv": "venv"}
        taken = [next(word for part, word in words.items() if part in command) for command in self.commands]
        self.commands.clear()
        return taken


EVERYTHING = ["venv", "lock", "package", "check"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "requirements-dev.txt").write_text("attrs==1.0\n")
    for name in ("package.json", "package-lock.json", ".npmrc"):
        (tmp_path / name).write_text("{}")
    return tmp_path


@pytest.fixture
def recorder(root: Path, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder(root)
    monkeypatch.setattr(setup_environment, "run", recorder)
    return recorder


def test_first_run_makes_everything_and_the_second_nothing(root: Path, recorder: Recorder) -> None:
    """The second run is quick because it runs no command at all."""
    assert setup_environment.set_up_python(root)
    assert recorder.take() == EVERYTHING
    assert not setup_environment.set_up_python(root)
    assert recorder.take() == []


def test_touched_inputs_change_nothing(root: Path, recorder: Recorder) -> None:
    """A checkout that sets new times but no new content costs nothing."""
    setup_environment.set_up_python(root)
    for name in ("pyproject.toml", "requirements-dev.txt"):
        content = (root / name).read_bytes()
        (root / name).unlink()
        (root / name).write_bytes(content)
    assert not setup_environment.set_up_python(root)


def break_python(root: Path) -> None:
    (root / ".venv/bin/python").unlink()
    (root / ".venv/bin/python").symlink_to(root / "gone")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda root: (root / "requirements-dev.txt").write_text("attrs==1.1\n"), id="lock file"),
        pytest.param(break_python, id="broken interpreter"),
        pytest.param(lambda root: (root / ".venv/.scenario-uploads.json").write_text("{"), id="unreadable stamp"),
        pytest.param(lambda root: (root / ".venv/.scenario-uploads.json").write_text("[1]"), id="odd stamp"),
        pytest.param(
            lambda root: (root / ".venv/lib/python3/site-packages/extra-1.0.dist-info").mkdir(),
            id="package added by hand",
        ),
        pytest.param(
            lambda root: (root / ".venv/lib/python3/site-packages/attrs-1.0.dist-info").rmdir(), id="package removed"
        ),
    ],
)
def test_a_changed_or_broken_venv_is_built_again(root: Path, recorder: Recorder, change) -> None:
    """Whatever differs from what was installed, the remedy is the same."""
    setup_environment.set_up_python(root)
    recorder.take()
    change(root)
    assert setup_environment.set_up_python(root)
    assert recorder.take() == EVERYTHING


def test_a_moved_checkout_is_built_again(root: Path, recorder: Recorder) -> None:
    """Scripts and the editable install name the folder, so they do not work from another one."""
    setup_environment.set_up_python(root)
    moved = root.rename(root.parent / "moved")
    recorder.root = moved
    recorder.take()
    assert setup_environment.set_up_python(moved)
    assert recorder.take() == EVERYTHING


def test_another_python_is_built_again(root: Path, recorder: Recorder) -> None:
    """`make PYTHON=python3.12` after 3.11 changes what the tests run on."""
    setup_environment.set_up_python(root, (3, 11))
    recorder.take()
    assert setup_environment.set_up_python(root, (3, 12))
    assert recorder.take() == EVERYTHING
    assert not setup_environment.set_up_python(root, (3, 12))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [('name = "thing"', 'name = "other"', ["package", "check"]), ("line-length = 100", "line-length = 99", [])],
)
def test_a_new_description_of_the_package_installs_it_alone(
    root: Path, recorder: Recorder, old: str, new: str, expected: list[str]
) -> None:
    """Settings of linters in the same file cost nothing."""
    setup_environment.set_up_python(root)
    recorder.take()
    (root / "pyproject.toml").write_text(PYPROJECT.replace(old, new))
    setup_environment.set_up_python(root)
    assert recorder.take() == expected
    assert not setup_environment.set_up_python(root)


@pytest.mark.parametrize("step", ["-m venv", "--require-hashes", "-e .", " check"])
def test_an_interrupted_set_up_starts_over(root: Path, recorder: Recorder, step: str) -> None:
    """Half an environment is never taken for a whole one."""
    recorder.fail_at = step
    with pytest.raises(setup_environment.SetupError):
        setup_environment.set_up_python(root)
    recorder.fail_at = None
    recorder.take()
    assert setup_environment.set_up_python(root)
    assert recorder.take() == EVERYTHING


@pytest.mark.parametrize("name", ["package.json", "package-lock.json", ".npmrc"])
def test_node_modules_follow_their_inputs(root: Path, recorder: Recorder, name: str) -> None:
    """`npm ci` runs once, and again when an input changed."""
    assert setup_environment.set_up_node(root)
    assert recorder.take() == ["npm"]
    assert not setup_environment.set_up_node(root)
    (root / name).write_text('{"new": true}')
    assert setup_environment.set_up_node(root)
    assert recorder.take() == ["npm"]


def test_a_failed_command_shows_what_it_said(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """The output of a set-up is hidden, but for the one that fails."""
    setup_environment.run(sys.executable, "-c", "print('quiet')", root=tmp_path)
    with pytest.raises(setup_environment.SetupError, match="ended with 3"):
        setup_environment.run(sys.executable, "-c", "print('loud'); raise SystemExit(3)", root=tmp_path)
    captured = capfdbinary.readouterr()
    assert b"loud" in captured.err
    assert b"quiet" not in captured.err + captured.out


def test_an_interpreter_without_venv_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian's python3 comes without; the line names the package."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(setup_environment.SetupError, match="apt-get install python3-venv") as error:
        setup_environment.check_interpreter()
    assert "\n" not in str(error.value)


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
