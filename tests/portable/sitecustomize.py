"""What Windows lacks is hidden from `scenario_uploads` and the sandbox's storage alone; see `make test-portable`.

With this folder in PYTHONPATH an interpreter, and each that it starts, imports this module by itself. Nothing here
depends on the project, and everybody else sees the real modules.
"""

import builtins
import importlib
import os
import pathlib
import sys
import types
from typing import Any

import filelock

OURS = ("scenario_uploads", "nanio")

# Modules that are not there, and names that the others lack.
NO_MODULES = frozenset({"fcntl", "grp", "pwd", "resource", "termios", "tty"})
NO_NAMES = {
    "os": {
        *("fchmod", "fork", "geteuid", "getuid", "posix_fadvise", "pread", "preadv", "pwrite", "pwritev"),
        *("register_at_fork", "sendfile", "O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK"),
    },
    "select": {"devpoll", "epoll", "kqueue", "poll"},
    "selectors": {"DevpollSelector", "EpollSelector", "KqueueSelector", "PollSelector"},
    "signal": {"SIGALRM", "SIGHUP", "SIGKILL", "SIGQUIT", "SIGTERM", "SIGUSR1"},
}


class View(types.ModuleType):
    """A module without some of its names; what is set here is set there."""

    def __init__(self, real: types.ModuleType, hidden: set[str]) -> None:
        object.__setattr__(self, "_real", real)
        object.__setattr__(self, "_hidden", hidden)

    def __getattribute__(self, name: str) -> Any:
        if name in object.__getattribute__(self, "_hidden"):
            raise AttributeError(f"this system has no {name}")
        return getattr(object.__getattribute__(self, "_real"), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(object.__getattribute__(self, "_real"), name, value)


class RemovedLock(filelock.FileLock):
    """A lock whose file is removed when it is released, as that of Windows is."""

    def _release(self) -> None:
        super()._release()
        pathlib.Path(self.lock_file).unlink(missing_ok=True)


VIEWS: dict[str, Any] = {name: View(importlib.import_module(name), hidden) for name, hidden in NO_NAMES.items()}
VIEWS["filelock"] = types.SimpleNamespace(FileLock=RemovedLock, Timeout=filelock.Timeout)
REAL_IMPORT = builtins.__import__


def is_ours(name: object) -> bool:
    """Return whether a module is one of the runtime's, or of nanio's."""
    return isinstance(name, str) and name.partition(".")[0] in OURS


def import_as_on_windows(name: str, namespace: Any = None, *arguments: Any, **more: Any) -> types.ModuleType:
    """Import like `__import__`, but for the views of modules of ours."""
    if is_ours((namespace or {}).get("__name__")):
        if name in NO_MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        if name in VIEWS:
            REAL_IMPORT(name)
            return VIEWS[name]
    return REAL_IMPORT(name, namespace, *arguments, **more)


def refuse_open_files(call: Any) -> Any:
    """Let a function that removes or moves a file fail for modules of ours while this process has the file open."""

    def checked(path: Any, *arguments: Any, **more: Any) -> Any:
        if is_ours(sys._getframe(1).f_globals.get("__name__")) and is_open(path):
            raise PermissionError(13, "The process cannot access the file because it is being used", str(path))
        return call(path, *arguments, **more)

    return checked


def is_open(path: Any) -> bool:
    """Return whether this process has a file open."""
    try:
        wanted = pathlib.Path(path).lstat()
    except OSError:
        return False
    for descriptor in pathlib.Path("/dev/fd").iterdir():
        try:
            found = os.fstat(int(descriptor.name))
        except OSError:
            continue
        if os.path.samestat(wanted, found):
            return True
    return False


builtins.__import__ = import_as_on_windows
for owner, names in ((os, ("unlink", "remove", "rename", "replace")), (pathlib.Path, ("unlink", "rename", "replace"))):
    for name in names:
        setattr(owner, name, refuse_open_files(getattr(owner, name)))
