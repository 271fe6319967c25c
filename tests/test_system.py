"""What operating systems do differently, each way of it on this one."""

from __future__ import annotations

import errno
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

import httpx
import pytest
from scenario_uploads import system
from scenario_uploads.transfer.source import open_source

from tests.support.folders import move_state
from tests.support.service import Service

ROOT = Path(__file__).parent.parent

# Of `make test-portable`, what holds the parts of the runtime and the sandbox that know systems apart.
PORTABLE = ("tests/upload/test_ledger.py", "tests/security/test_private_files.py", "tests/sandbox/test_storage.py")


@pytest.mark.posix
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


def test_47_an_upload_needs_no_assertion_no_fork_hook_and_no_poll(service: Service, tmp_path: Path) -> None:
    """As under `python -O`, on Windows and under eventlet."""
    (tmp_path / "a.glb").write_bytes(b"glTF" + bytes(11 << 20))
    code = (
        # The standard library knows what it runs on: whatever of it is needed comes first.
        "import asyncio, httpx, os, select, sys\n"
        "for module, name in ((os, 'register_at_fork'), (select, 'poll')):\n"
        "    hasattr(module, name) and delattr(module, name)\n"
        "from scenario_uploads import AsyncScenario, Scenario\n"
        "settings = dict(base_url=sys.argv[2], api_key='key', api_secret='s3cret')\n"
        "async def upload():\n"
        "    async with AsyncScenario(**settings) as client:\n"
        "        print((await client.uploads.upload_file(sys.argv[1], part_size=5 << 20)).status)\n"
        "with Scenario(**settings) as client:\n"
        "    print(client.uploads.upload_file(sys.argv[1], part_size=5 << 20).status)\n"
        "asyncio.run(upload())\n"
    )
    command = [sys.executable, "-O", "-c", code, str(tmp_path / "a.glb"), service.url]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.stdout, run.stderr) == ("imported\nimported\n", "")


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


FEW_DESCRIPTORS = """
import asyncio, os, resource, sys
from attrs import evolve
from scenario_uploads import AsyncScenario, Scenario, ScenarioError
from scenario_uploads.transfer import part

part.PART_POLICY = evolve(part.PART_POLICY, base=0.01)
url, path, kind = sys.argv[1:]
settings = dict(base_url=url, api_key='key', api_secret='s3cret', max_retries=0)

def hold(free):
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    held = []
    try:
        while True: held.append(os.open(os.devnull, os.O_RDONLY))
    except OSError: pass
    for descriptor in held[len(held) - free:]: os.close(descriptor)

async def upload(free):
    hold(free)
    async with AsyncScenario(**settings) as client:
        await client.uploads.upload_file(path, part_size=5 << 20)

def try_with(free):
    if kind == 'AsyncScenario': return asyncio.run(upload(free))
    hold(free)
    with Scenario(**settings) as client:
        if kind == 'many':
            for one in client.uploads.upload_many(path, part_size=5 << 20, ledger=False):
                if one.error: raise one.error
        else: client.uploads.upload_file(path, part_size=5 << 20)

for free in 0, 1, 2, 5, 8:
    child = os.fork()
    if child:
        assert os.waitpid(child, 0)[1] == 0, free
        continue
    try:
        try_with(free)
        os.write(1, b'%d done\\n' % free)
    except ScenarioError as error: os.write(1, b'%d %s\\n' % (free, str(error).encode()))
    break
"""


@pytest.mark.posix
@pytest.mark.parametrize("kind", ["Scenario", "AsyncScenario", "many"])
def test_47_few_file_descriptors_are_enough_or_told(service: Service, tmp_path: Path, kind: str) -> None:
    """Each number of them in a process of its own, whose imports are done but for those that wait until needed."""
    (tmp_path / "a.glb").write_bytes(b"glTF" + bytes(11 << 20))
    command = [sys.executable, "-c", FEW_DESCRIPTORS, service.url, str(tmp_path / "a.glb"), kind]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    told = {int(free): text for free, text in (line.split(" ", 1) for line in run.stdout.splitlines())}
    assert told.keys() == {0, 1, 2, 5, 8}
    for free, text in told.items():
        assert text == "done" or (free < 6 and "oo many open files" in text), (free, text)


def test_47_what_is_used_up_here_is_no_fault_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be waited for as long as for a network that is away."""
    error = httpx.ConnectError("no")
    error.__cause__ = OSError(errno.EMFILE, "Too many open files")
    assert system.is_used_up(error)
    assert not system.is_used_up(ConnectionRefusedError(errno.ECONNREFUSED, "refused"))
    unresolved = socket.gaierror(socket.EAI_AGAIN, "Temporary failure")
    assert not system.is_used_up(unresolved)
    unresolved.__context__ = unresolved
    assert not system.is_used_up(unresolved)

    def fail(*_arguments: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", fail)
        assert system.is_used_up(unresolved)


def test_ledgers_are_in_the_users_state_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    move_state(monkeypatch, tmp_path)
    assert system.find_state_folder() == tmp_path / "scenario-uploads"


@pytest.mark.posix
@pytest.mark.parametrize("home", [None, ""], ids=["no home", "an empty one"])
def test_47_a_user_without_a_home_has_no_folder(monkeypatch: pytest.MonkeyPatch, home: str | None) -> None:
    """Containers with any uid, `env -i`, systemd's DynamicUser."""
    pwd = pytest.importorskip("pwd")

    def find_nobody(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", find_nobody)
    monkeypatch.delenv("HOME")
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    if home is not None:
        monkeypatch.setenv("HOME", home)
    with pytest.raises(OSError, match="this user has no home folder"):
        system.find_state_folder()


def test_47_an_older_platformdirs_makes_no_folder_called_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_state_path", lambda *_, **__: Path("~/.local/state/scenario-uploads"))
    with pytest.raises(OSError, match="this user has no home folder"):
        system.find_state_folder()
