"""One OpenSSL for all: Python's `ssl` uses the machine's, and pycurl's wheel brings a newer one of its own.

Their ciphers differ in speed by more than their callers do (3.1 brought the wide AES instructions of newer processors),
so a ratio of two clients is one of two OpenSSLs unless both run with the same.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from benchmarks.environment import MissingError, ask, describe_pycurl, find_word

LIBRARIES = ("libcrypto", "libssl")


def find_versions(environ: Mapping[str, str] | None = None) -> tuple[str, str]:
    """Return the versions of the OpenSSL that Python and pycurl load under an environment; "unknown" when not told."""
    python = ask(sys.executable, "-c", "import ssl; print(ssl.OPENSSL_VERSION)", environ=environ).split()
    return (
        python[1] if python[:1] == ["OpenSSL"] else "unknown",
        find_word(describe_pycurl(environ), "OpenSSL/"),
    )


def share_openssl(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which Python uses the OpenSSL that pycurl brings.

    Args:
        folder: Where links to it are made.
        environ: The environment otherwise.

    Raises:
        MissingError: When pycurl brings none, or this Python does not take it.
    """
    spec = find_spec("pycurl")
    if spec is None or spec.origin is None:
        raise MissingError("pycurl is not installed")
    folder.mkdir()
    for name in LIBRARIES:
        brought = sorted((Path(spec.origin).parents[1] / "pycurl.libs").glob(f"{name}-*.so.3"))
        if not brought:
            raise MissingError(f"pycurl brings no {name}.so.3 of its own")
        (folder / f"{name}.so.3").symlink_to(brought[0])
    path = os.pathsep.join(filter(None, (str(folder), environ.get("LD_LIBRARY_PATH"))))
    shared = {**environ, "LD_LIBRARY_PATH": path}
    python, curl = find_versions(shared)
    if python != curl or python == "unknown":
        raise MissingError(f"this Python keeps OpenSSL {python} where pycurl has {curl}")
    return shared
