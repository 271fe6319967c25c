"""Make .venv and node_modules what the lock files say, and do nothing when they are that already.

    python3 tools/environment/setup.py            # .venv from requirements-dev.txt, with this package in it
    python3 tools/environment/setup.py --node     # and node_modules from package-lock.json

Runs on the bare interpreter of a fresh machine, so it uses the standard library alone: pip installs the uv of the lock
file, and uv the rest. A stamp keeps what a folder was made from, by content and not by time, and where.
"""

import hashlib
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STAMP = ".scenario-uploads"


class SetupError(Exception):
    """The environment cannot be made here; the message is one line that says what to do."""


def is_made(folder: Path, fingerprint: str) -> bool:
    """Return whether a folder was made from what has a fingerprint."""
    stamp = folder / STAMP
    return stamp.is_file() and stamp.read_bytes() == fingerprint.encode()


def _digest(*values: object) -> str:
    return hashlib.sha256(repr(values).encode()).hexdigest()


def run(*command: str | Path, root: Path = ROOT) -> None:
    """Run a command; what it prints is shown only when it fails."""
    result = subprocess.run(
        [*map(str, command)],
        cwd=root,
        env={
            # uv trusts whom the machine trusts, as pip does.
            "UV_SYSTEM_CERTS": "1",
            "REDOCLY_TELEMETRY": "off",
            "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
            **os.environ,
            # npm starts Node, and a package may start tools: those of the environment.
            "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if result.returncode != 0:
        sys.stderr.buffer.write(result.stdout)
        sys.stderr.flush()
        raise SetupError(f"{Path(command[0]).name} ended with {result.returncode} (see above)")


def set_up_python(root: Path = ROOT, folder: str = ".venv", lock: str = "requirements-dev.txt", *options: str) -> bool:
    """Make an environment with the locked packages and this one in it, and return whether anything had to be done.

    `options` are given to `uv pip sync` besides.
    """
    venv = root / folder
    python, uv = venv / "bin" / "python", root / ".venv" / "bin" / "uv"
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    # Settings of linters and test tools cost no installation.
    packaging = settings["build-system"], settings["project"], settings.get("tool", {}).get("hatch")
    fingerprint = _digest(sys.version_info[:2], str(venv), (root / lock).read_bytes(), packaging)
    if python.exists() and is_made(venv, fingerprint):
        return False
    say(f"Setting up {folder} with Python {sys.version_info[0]}.{sys.version_info[1]} ...")
    # --clear and not a removal beforehand: the interpreter that runs this may be the one of the old environment.
    run(sys.executable, "-m", "venv", "--clear", venv, root=root)
    if uv.parent == python.parent:
        locked = re.search(r"^uv==(.*\\\n)*.*\n", (root / lock).read_text(encoding="utf-8"), re.MULTILINE)
        only_uv = venv / "uv.txt"
        only_uv.write_text(locked[0] if locked else "uv\n", encoding="utf-8")
        pip = (python, "-m", "pip", "--disable-pip-version-check", "install", "--no-input", "--no-deps")
        run(*pip, "--require-hashes", "--requirement", only_uv, root=root)
    run(uv, "pip", "sync", "--python", python, "--require-hashes", *options, lock, root=root)
    # Offline: what building needs is locked and installed already, so nothing may be fetched here.
    install = (uv, "pip", "install", "--python", python, "--offline", "--no-deps", "--no-build-isolation")
    run(*install, "--editable", ".", root=root)
    run(uv, "pip", "check", "--python", python, root=root)
    # Written last: an interrupted set-up leaves no stamp and is done again.
    (venv / STAMP).write_text(fingerprint, encoding="utf-8")
    return True


def set_up_node(root: Path = ROOT) -> bool:
    """Make `node_modules` with the Node of `.venv` and return whether anything had to be done."""
    folder = root / "node_modules"
    fingerprint = _digest(*((root / name).read_bytes() for name in ("package.json", "package-lock.json", ".npmrc")))
    if is_made(folder, fingerprint):
        return False
    say("Setting up node_modules with the Node of .venv ...")
    # What ~/.npmrc or NODE_ENV say of what to leave out or run must not matter; where packages come from is theirs.
    npm = (root / ".venv" / "bin" / "npm", "ci", "--include=dev", "--ignore-scripts")
    run(*npm, "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error", root=root)
    (folder / STAMP).write_text(fingerprint, encoding="utf-8")
    return True


def say(message: str) -> None:
    """Tell the person at the terminal what takes time."""
    print(message, file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    try:
        done = [set_up_python(), "--node" in arguments and set_up_node()]
    except SetupError as error:
        say(f"error: set-up failed: {error}")
        return 1
    if any(done):
        say("Set up.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
