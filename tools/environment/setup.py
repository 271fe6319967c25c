"""Make the development environment what the lock files say, and nothing at all when it is that already.

    python3 tools/environment/setup.py            # .venv from requirements-dev.txt, with this package in it
    python3 tools/environment/setup.py --node     # and node_modules from package-lock.json

Runs on the bare interpreter of a fresh machine, so it uses the standard library alone. That this interpreter is
new enough is for the Makefile to see, since an older one might not be able to read this file.

What is installed is remembered by fingerprint, not by time: a clone, a checkout or a `touch` changes no content
and so costs nothing. The fingerprint of `.venv` covers the lock file, the version of Python, the folder of the
checkout (scripts and the editable install name it) and the distributions found inside, so that a `.venv` that was
moved, broken or changed by hand is built again.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class SetupError(Exception):
    """The environment cannot be made here; the message is one line that says what to do."""


def check_interpreter() -> None:
    """Refuse an interpreter that no environment can be made with.

    Raises:
        SetupError: When it comes without venv or pip, as on Debian and Ubuntu.
    """
    if any(importlib.util.find_spec(module) is None for module in ("venv", "ensurepip")):
        raise SetupError(
            f"{sys.executable} comes without venv or pip; on Debian and Ubuntu: apt-get install python3-venv"
        )


def digest(*values: object) -> str:
    """Return a fingerprint of JSON-like values."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def digest_file(path: Path) -> str:
    """Return a fingerprint of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def list_distributions(venv: Path) -> list[str]:
    """Return what is installed in `venv`, as the names of its metadata folders."""
    return sorted(path.name for path in venv.glob("lib/python*/site-packages/*.dist-info"))


def fingerprint_packaging(root: Path) -> str:
    """Return a fingerprint of the tables of pyproject.toml that shape an editable install.

    The tables of linters and test tools are left out, so that editing them costs no installation.
    """
    tables = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return digest(tables["build-system"], tables["project"], tables.get("tool", {}).get("hatch"))


def describe_venv(root: Path, version: tuple[int, int]) -> dict[str, str]:
    """Return the fingerprints that the `.venv` of `root` has when it is up to date, made with Python `version`."""
    venv = root / ".venv"
    return {
        "locked": digest(version, str(root), digest_file(root / "requirements-dev.txt")),
        "packaging": fingerprint_packaging(root),
        "installed": digest(list_distributions(venv)),
    }


def describe_node(root: Path) -> str:
    """Return the fingerprint that `node_modules` has when it is up to date with its inputs."""
    return digest(*(digest_file(root / name) for name in ("package.json", "package-lock.json", ".npmrc")))


def read_stamp(path: Path) -> dict[str, str]:
    """Return what was remembered after the last installation; empty when there is nothing readable."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, TypeError, ValueError):
        return {}


def run(*command: str | Path, root: Path, environment: dict[str, str] | None = None) -> None:
    """Run a command of the set-up; what it prints is shown only when it fails.

    Raises:
        SetupError: When the command fails.
    """
    result = subprocess.run(
        [str(part) for part in command],
        cwd=root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if result.returncode != 0:
        sys.stderr.buffer.write(result.stdout)
        sys.stderr.flush()
        raise SetupError(f"set-up failed: {Path(command[0]).name} ended with {result.returncode} (see above)")


def works(python: Path) -> bool:
    """Return whether an interpreter is there and starts."""
    try:
        return subprocess.run([str(python), "-c", ""], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def set_up_python(root: Path, version: tuple[int, int] = sys.version_info[:2]) -> bool:
    """Bring `.venv` up to date and return whether anything had to be done.

    Raises:
        SetupError: When a step fails; the next run then starts over.
    """
    venv, stamp_path = root / ".venv", root / ".venv" / ".scenario-uploads.json"
    python = venv / "bin" / "python"
    stamp, wanted = read_stamp(stamp_path), describe_venv(root, version)
    fresh = all(stamp.get(key) == wanted[key] for key in ("locked", "installed")) and works(python)
    if fresh and stamp.get("packaging") == wanted["packaging"]:
        return False
    if not fresh:
        say(f"Setting up .venv with Python {version[0]}.{version[1]} (about a minute) ...")
        # --clear and not a removal beforehand: the interpreter that runs this may be the one of the old .venv.
        run(sys.executable, "-m", "venv", "--clear", venv, root=root)
        pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input")
        run(*pip, "--require-hashes", "--no-deps", "-r", "requirements-dev.txt", root=root)
    else:
        say("Installing this package into .venv again, since its description in pyproject.toml changed ...")
        stamp_path.unlink()
        pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input")
    # --no-index: what building needs is locked and installed already, so nothing may be fetched here.
    run(*pip, "--no-index", "--no-deps", "--no-build-isolation", "-e", ".", root=root)
    run(python, "-m", "pip", "--disable-pip-version-check", "check", root=root)
    # Written last: an interrupted set-up leaves no stamp and is done again.
    stamp_path.write_text(json.dumps(describe_venv(root, version)), encoding="utf-8")
    return True


def set_up_node(root: Path) -> bool:
    """Bring `node_modules` up to date with the Node of `.venv` and return whether anything had to be done.

    Raises:
        SetupError: When a step fails; the next run then starts over.
    """
    stamp_path, wanted = root / "node_modules" / ".scenario-uploads.json", describe_node(root)
    if read_stamp(stamp_path) == {"locked": wanted}:
        return False
    say("Setting up node_modules with the Node of .venv ...")
    binaries = root / ".venv" / "bin"
    environment = dict(os.environ, PATH=f"{binaries}{os.pathsep}{os.environ.get('PATH', os.defpath)}")
    # What ~/.npmrc or NODE_ENV say about leaving things out or running scripts must not matter here; where
    # packages come from is theirs to say.
    run(
        *(binaries / "npm", "ci", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund"),
        *("--no-update-notifier", "--loglevel=error"),
        root=root,
        environment=environment,
    )
    stamp_path.write_text(json.dumps({"locked": wanted}), encoding="utf-8")
    return True


def say(message: str) -> None:
    """Tell the person at the terminal what takes time."""
    print(message, file=sys.stderr, flush=True)


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see the module's docstring."""
    parser = argparse.ArgumentParser(description="Set up .venv, and with --node also node_modules.")
    parser.add_argument("--node", action="store_true", help="also set up node_modules")
    arguments = parser.parse_args(argv)
    try:
        check_interpreter()
        done = set_up_python(ROOT)
        if arguments.node:
            done = set_up_node(ROOT) or done
    except SetupError as error:
        say(f"error: {error}")
        return 1
    if done:
        say("Set up.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
