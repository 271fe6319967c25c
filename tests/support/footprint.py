"""What a run of the tests may leave on the machine: no process, and nothing in the home folder of whoever runs it."""

import os
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from platformdirs import user_state_path

from tests.support.folders import describe_home

# The programs that a test starts inherit it, and theirs in turn, however they detach themselves from their parents.
MARK = "UPLOADS_TEST_RUN"


class Footprint:
    """A run of the tests: moves it into a home folder of its own, and finds what outlives it.

    Processes are found where there is `/proc`, as on Linux.

    Attributes:
        home: An empty folder that is `HOME` until the end of the run.
        token: The value of `MARK` in the environment of every process of this run.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="uploads-tests-"))
        self.home = self._folder / "home"
        self.home.mkdir()
        self.token = f"{os.getpid()}-{secrets.token_hex(8)}"
        self._real_state = user_state_path("scenario-uploads", appauthor=False)
        self._ledgers = set(self._list_ledgers())
        self._given = dict(os.environ)
        for name in [name for name in os.environ if name.startswith("XDG_")]:
            del os.environ[name]
        os.environ |= {**describe_home(self.home), MARK: self.token}
        if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
            # Otherwise each of some hundred processes compiles all that it imports.
            os.environ["PYTHONPYCACHEPREFIX"] = str(self._folder / "bytecode")

    def _list_ledgers(self) -> Iterator[Path]:
        with suppress(OSError):
            yield from self._real_state.iterdir()

    def end(self, patience: float = 10.0) -> list[str]:
        """Return what is left behind. Kills left processes, restores the environment and removes the home folder.

        Args:
            patience: Seconds that a process may take to end by itself.
        """
        deadline = time.monotonic() + patience
        while (processes := dict(find_processes(self.token))) and time.monotonic() < deadline:
            time.sleep(0.05)
        for pid in processes:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        os.environ.clear()
        os.environ.update(self._given)
        shutil.rmtree(self._folder, ignore_errors=True)
        return [*processes.values(), *self._find_ledgers()]

    def _find_ledgers(self) -> Iterator[str]:
        """Yield what is new among the ledgers of whoever runs the tests and is of a file in a temporary folder."""
        for path in set(self._list_ledgers()) - self._ledgers:
            with suppress(OSError):
                if tempfile.gettempdir().encode() in path.read_bytes():
                    yield f"file {path}"


def find_processes(token: str) -> Iterator[tuple[int, str]]:
    """Yield pid and description of every living process of a run but this one."""
    mark = f"{MARK}={token}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # A process that has ended and is not waited for has an empty one.
            variables = (folder / "environ").read_bytes().split(b"\0")
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
        pid = int(folder.name)
        if mark in variables and pid != os.getpid():
            tests = [value[20:].decode() for value in variables if value.startswith(b"PYTEST_CURRENT_TEST=")]
            yield pid, f"process {pid} ({command[:200]}) of {' '.join(tests) or 'no test'}"
