"""What operating systems do differently, each way of it on this one."""

from __future__ import annotations

import io
import ntpath
import os
import select
import selectors
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from scenario_uploads import system
from scenario_uploads.transfer.source import open_source

ROOT = Path(__file__).parent.parent

# What these hold is the part of the runtime that knows systems apart: at most half a minute of `make test-portable`.
PORTABLE = ("tests/test_system.py", "tests/upload/test_ledger.py", "tests/security/test_private_files.py")


@pytest.mark.skipif("PORTABLE_TESTS" in os.environ, reason="this is the run that it starts")
def test_47_the_runtime_works_without_what_windows_lacks() -> None:
    """A sample of `make test-portable`."""
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n",
            "0",
            "--no-cov",
            "-p",
            "no:cacheprovider",
            "-m",
            "not posix",
            *PORTABLE,
        ],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "tests/portable"), "PORTABLE_TESTS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    assert " passed" in run.stdout


def test_47_nothing_is_imported_that_windows_lacks() -> None:
    code = (
        "import os, pkgutil, importlib, scenario_uploads\n"
        "for module in pkgutil.walk_packages(scenario_uploads.__path__, 'scenario_uploads.'):\n"
        "    module.name.endswith('__main__') or importlib.import_module(module.name)\n"
        "from scenario_uploads import system\n"
        "assert system.fcntl is None and not hasattr(system.os, 'preadv')\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT / "tests/portable")}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


@pytest.mark.parametrize("way", ["preadv", "seek"])
def test_47_reading_at_an_offset_moves_no_position(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    if way == "seek":
        monkeypatch.delattr(os, "preadv", raising=False)
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(range(256)) * 4096)
    with path.open("rb", buffering=0) as file:
        file.seek(7)
        wrong: list[int] = []
        lock = threading.Lock()

        def read(first: int) -> None:
            for offset in range(first, 4096, 16):
                buffer = bytearray(256)
                count = system.read_at(file.fileno(), memoryview(buffer), offset * 256, lock)
                if (count, bytes(buffer)) != (256, bytes(range(256))):
                    wrong.append(offset)

        threads = [threading.Thread(target=read, args=(first,)) for first in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (wrong, file.tell()) == ([], 7)
        assert system.read_at(file.fileno(), memoryview(bytearray(16)), 256 * 4096 - 4, lock) == 4


@pytest.mark.parametrize("lacking", ["poll", "PollSelector", None])
def test_47_waiting_needs_no_poll_and_no_descriptor(monkeypatch: pytest.MonkeyPatch, lacking: str | None) -> None:
    if lacking is not None:
        monkeypatch.delattr(select if lacking == "poll" else selectors, lacking, raising=False)
    selector = system.create_selector()
    near, far = socket.socketpair()
    with near, far, selector:
        with pytest.raises((AttributeError, ValueError)):
            selector.fileno()
        selector.register(near, selectors.EVENT_READ)
        assert selector.select(0) == []
        far.send(b"x")
        assert [events for _, events in selector.select(5)] == [selectors.EVENT_READ]


def test_47_a_lock_beside_the_file_where_flock_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "fcntl", None)
    path = tmp_path / "a.jsonl"
    descriptor = system.open_private(path, os.O_RDWR | os.O_CREAT)
    try:
        unlock = system.lock_file(descriptor, path)
        with pytest.raises(BlockingIOError):
            system.lock_file(descriptor, path)
        unlock()
        system.lock_file(descriptor, path)()
    finally:
        os.close(descriptor)


def test_47_no_lock_at_all_is_an_error_of_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "fcntl", None)
    monkeypatch.setitem(sys.modules, "filelock", None)
    with pytest.raises(OSError, match="install filelock"):
        system.lock_file(0, tmp_path / "a.jsonl")


def test_47_a_path_of_windows_names_the_file_without_drive_and_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file object tells the path under which it was opened."""

    class Opened(io.BytesIO):
        name = r"C:\art\dragon.glb"

    with monkeypatch.context() as patch:
        patch.setattr(os.path, "basename", ntpath.basename)
        source = open_source(Opened(b"glTF"))
    assert source.name == "dragon.glb"
