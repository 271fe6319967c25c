"""A run of the tests leaves nothing on the machine: no process, and nothing in the home folder of whoever runs it."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from platformdirs import user_cache_path, user_state_path

from tests import conftest
from tests.support.folders import move_state
from tests.support.footprint import MARK, Footprint, find_processes
from tests.support.server import until

# Leaves a child that nobody waits for, as a wrapper does when it is killed.
ORPHAN = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])"


def test_a_process_that_outlives_its_parent_is_found_named_and_killed(request: pytest.FixtureRequest) -> None:
    run = Footprint()
    subprocess.run([sys.executable, "-c", ORPHAN], check=True)
    (pid,) = dict(find_processes(run.token))
    (left,) = run.end(patience=0)
    assert left.startswith(f"process {pid} ({sys.executable} -c import time")
    assert request.node.nodeid in left
    until(lambda: not dict(find_processes(run.token)))


def test_a_ledger_in_the_real_state_folder_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    move_state(monkeypatch, tmp_path)
    real = user_state_path("scenario-uploads", appauthor=False)
    real.mkdir(parents=True)
    (real / "old").write_text(tempfile.gettempdir())
    run = Footprint()
    (real / "of the user").write_text("/home/user/dragon.glb")
    (real / "of a test").write_text(f"{tempfile.gettempdir()}/dragon.glb")
    assert run.end() == [f"file {real / 'of a test'}"]


def test_a_run_has_an_empty_home_of_its_own_until_it_ends() -> None:
    before = dict(os.environ)
    run = Footprint()
    program = "import platformdirs; print(platformdirs.user_state_path('scenario-uploads'))"
    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert Path(shown.strip()).is_relative_to(run.home)
    assert list(run.home.iterdir()) == []
    assert run.end() == []
    assert os.environ == before
    assert not run.home.exists()


def test_these_tests_are_such_a_run() -> None:
    assert MARK in os.environ
    for folder in (Path.home(), user_state_path(), user_cache_path()):
        assert folder.is_relative_to(tempfile.gettempdir())


def test_what_is_left_behind_fails_a_run() -> None:
    left = SimpleNamespace(end=lambda: ["process 5"])
    session: Any = SimpleNamespace(config=SimpleNamespace(stash=pytest.Stash()), exitstatus=0)
    session.config.stash[conftest.FOOTPRINT] = left
    conftest.pytest_sessionfinish(session)
    assert session.exitstatus == pytest.ExitCode.TESTS_FAILED
    lines: list[str] = []
    reporter: Any = SimpleNamespace(config=session.config, write_line=lambda line, **_: lines.append(line))
    conftest.pytest_terminal_summary(reporter)
    assert lines == ["LEFT BEHIND by the tests: process 5"]
