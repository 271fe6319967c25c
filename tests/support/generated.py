"""Generated clients, each built once in a session, whichever process of it asks first.

To build one takes most of a second, and many tests want that of the same contract.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tools.client.generate import CONFIG, PACKAGE

Build = Callable[..., Path]


def remember(build: Build, kept: Path) -> Build:
    """Return `tools.client.generate.build` with a memory in the folder `kept`."""

    def build_once(folder: Path, contract: Path) -> Path:
        if not contract.is_file():
            return build(folder, contract)
        known = kept / hashlib.sha256(contract.read_bytes() + CONFIG.read_bytes()).hexdigest()
        if not known.exists():
            kept.mkdir(exist_ok=True)
            with tempfile.TemporaryDirectory(dir=kept) as name:
                whole = Path(name) / "whole"
                whole.mkdir()
                build(whole, contract)
                with suppress(OSError):  # another process was faster
                    whole.rename(known)
        return Path(shutil.copytree(known / PACKAGE, folder / PACKAGE))

    return build_once
