"""Where the benchmarks run: an environment of their own, the tools of the machine, and what machine it is.

The standard library is all that this module needs: it makes the environment that has the rest.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import ssl
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tools.environment.setup import SetupError, set_up_python

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".bench"
VENV = FOLDER / "venv"
PACKAGES = {"nginx": "nginx-light", "openssl": "openssl", "curl": "curl", "ip": "iproute2", "tc": "iproute2"}


class MissingError(Exception):
    """Something that a measure needs is not on this machine; the message is one line that says what to do."""


def enter() -> None:
    """Make the environment of the benchmarks what the lock file says, and go on in it.

    Raises:
        SetupError: When it cannot be made.
    """
    if not sys.platform.startswith("linux"):
        raise SetupError("the benchmarks need Linux: /dev/shm, /proc, network namespaces")
    set_up()
    if Path(sys.prefix).resolve() != VENV.resolve():
        # By its whole path, for from that an interpreter tells its environment.
        python = str(VENV / "bin" / "python")
        os.execv(python, [python, "-m", "benchmarks", *sys.argv[1:]])


def set_up() -> None:
    """Install what is to be compared, and this checkout, into `.bench/venv`, unless that has been done."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / ".gitignore").write_text("*\n", encoding="ascii")
    # Wheels only: a contender that is built here would be measured with this machine's compiler and libcurl.
    set_up_python(ROOT, ".bench/venv", "requirements-bench.txt", "--only-binary=:all:")


def require(*tools: str) -> None:
    """Look for programs.

    Raises:
        MissingError: When one is not installed; the message names the Debian packages.
    """
    missing = [tool for tool in tools if find_tool(tool) is None]
    if missing:
        packages = sorted({PACKAGES[tool] for tool in missing})
        raise MissingError(f"not installed: {', '.join(missing)}; on Debian: apt-get install {' '.join(packages)}")


def find_tool(name: str) -> str | None:
    """Return the path of a program; those for administrators are found too."""
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin")))


def describe_machine() -> dict[str, str]:
    """Return what the figures depend on."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = {line.partition(":")[2].strip() for line in lines if line.startswith("model name")}
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    pycurl = describe_pycurl()
    return {
        "processor": ", ".join(sorted(names)) or platform.machine(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory / 2**30:.0f} GiB",
        "kernel": f"Linux {platform.release().partition('-')[0]}",
        "Python": f"{platform.python_version()}, {ssl.OPENSSL_VERSION.rpartition(' ')[0].rsplit(' ', 2)[0]}",
        **{name: importlib.metadata.version(name) for name in ("httpx", "pycurl", "requests", "scenario-sdk")},
        "libcurl of pycurl": f"{find_word(pycurl, 'libcurl/')}, OpenSSL {find_word(pycurl, 'OpenSSL/')}",
        "curl": ask("curl", "--version").partition(" (")[0].removeprefix("curl "),
        "nginx": ask("nginx", "-v").rpartition("/")[2],
        "load before": f"{os.getloadavg()[0]:.2f}",
    }


def describe_pycurl(environ: Mapping[str, str] | None = None) -> str:
    """Return the versions of pycurl and of what it brings, `name/version` each."""
    return ask(sys.executable, "-c", "import pycurl; print(pycurl.version)", environ=environ)


def ask(program: str, *arguments: str, environ: Mapping[str, str] | None = None) -> str:
    """Return the first line that a program prints, perhaps under another environment."""
    path = find_tool(program)
    if path is None:
        return "not installed"
    result = subprocess.run([path, *arguments], env=environ, capture_output=True, text=True, check=False)
    return (result.stdout or result.stderr).partition("\n")[0].strip()


def find_word(text: str, prefix: str) -> str:
    """Return what follows a prefix in the word that begins with it; "unknown" when none does."""
    return next((word.removeprefix(prefix) for word in text.split() if word.startswith(prefix)), "unknown")
