"""What nanio expects of the system and Windows lacks."""

import errno
import os
from types import ModuleType
from typing import Any

from nanio.storage import filesystem, metadata, multipart, paths  # type: ignore[import-untyped]  # has no py.typed


def complete_os() -> None:
    """Give nanio an `os` with the functions of POSIX that it calls, where the system has none of them."""
    if not hasattr(os, "O_NOFOLLOW"):
        for module in (filesystem, metadata, multipart, paths):
            vars(module)["os"] = COMPLETE


def _open(path: Any, flags: int, mode: int = 0o777) -> int:
    # Without the flag, Windows writes each line feed as two bytes.
    return os.open(path, flags | getattr(os, "O_BINARY", 0), mode)


def _read_at(descriptor: int, length: int, offset: int) -> bytes:
    """Like `pread`. Each of nanio's descriptors has one reader."""
    os.lseek(descriptor, offset, os.SEEK_SET)
    return os.read(descriptor, length)


def _send_nothing(*_: Any) -> int:
    raise OSError(errno.ENOSYS, "this system has no sendfile")  # whereupon nanio reads and writes


COMPLETE: Any = ModuleType("os")
COMPLETE.__dict__.update({name: getattr(os, name) for name in dir(os) if hasattr(os, name)})
# Links need no flag: `open_folder` refuses a folder that has one.
COMPLETE.__dict__.update({"O_NOFOLLOW": 0, "open": _open, "pread": _read_at, "sendfile": _send_nothing})
