"""Rebuild the generated client from the contract, or check that the committed one is what the contract gives.

    python -m tools.generate            # rebuild generated_client/
    python -m tools.generate --check    # rebuild aside and compare; exit 1 with a diff when they differ

The client is always built in a temporary folder, so that no setting, cache or stray file of the checkout can
shape it, and then moved into place. Two runs give the same bytes.
"""

from __future__ import annotations

import argparse
import difflib
import importlib.metadata
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "scenario_uploads_client"
SHAPING_TOOLS = ("openapi-python-client", "ruff")
REMEDY = "Run `make generate` and commit the result; never edit generated_client/ by hand."


class GenerationError(Exception):
    """The client cannot be built from this contract with these tools."""


def header(generator_version: str) -> str:
    """Return the comment that opens every generated file."""
    return (
        f"# Generated from openapi.yaml by openapi-python-client {generator_version}.\n"
        "# Do not edit: change openapi.yaml and run `make generate`.\n"
    )


def pinned_versions(requirements: Path = ROOT / "requirements-dev.in") -> dict[str, str]:
    """Return the exact versions that the project pins for the tools that shape the output."""
    pins = dict(re.findall(r"^([a-z-]+)==(\S+)$", requirements.read_text(encoding="utf-8"), re.MULTILINE))
    return {tool: pins[tool] for tool in SHAPING_TOOLS}


def check_versions() -> dict[str, str]:
    """Return the installed versions of the shaping tools.

    Raises:
        GenerationError: When one is not the pinned version: its output would differ from everybody else's.
    """
    pins = pinned_versions()
    for tool, pin in pins.items():
        installed = importlib.metadata.version(tool)
        if installed != pin:
            raise GenerationError(f"{tool} is {installed} here, but the project pins {pin}; run `make setup`.")
    return pins


def run(*command: str, cwd: Path) -> None:
    """Run a tool of this environment, failing with its output when it fails or warns."""
    result = subprocess.run(
        [sys.executable, "-m", *command], cwd=cwd, capture_output=True, text=True, encoding="utf-8", check=False
    )
    output = result.stdout + result.stderr
    if result.returncode != 0 or re.search(r"\bwarning", output, re.IGNORECASE):
        raise GenerationError(f"{command[0]} failed or warned (exit {result.returncode}):\n{output.strip()}")


def build(folder: Path, *, contract: Path = ROOT / "openapi.yaml", config: Path = ROOT / "generator-config.yaml") -> Path:
    """Build the client of `contract` as a package inside `folder` and return the package's path.

    Raises:
        GenerationError: When the generator fails or warns, or a tool is not of the pinned version.
    """
    versions = check_versions()
    package = folder / PACKAGE
    run(
        *("openapi_python_client", "generate", "--path", str(contract), "--config", str(config)),
        *("--meta", "none", "--fail-on-warning", "--output-path", str(package)),
        cwd=folder,
    )
    ruff = ("--isolated", "--no-cache", "--quiet", "--target-version", "py311")
    # The rules are named, since ruff's own choice grows: newer ones rewrite `*args: Any` to `object`, which no
    # longer passes mypy.
    run("ruff", "check", *ruff, "--fix-only", "--select=E4,E7,E9,F,I", PACKAGE, cwd=folder)
    run("ruff", "format", *ruff, PACKAGE, cwd=folder)
    for source in package.rglob("*.py"):
        source.write_text(header(versions["openapi-python-client"]) + source.read_text(encoding="utf-8"), encoding="utf-8")
    (package / "py.typed").touch()
    return package


def read_tree(folder: Path) -> dict[str, bytes]:
    """Return every file below `folder` by its relative path, but for the byte code that imports leave."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def compare(committed: dict[str, bytes], expected: dict[str, bytes]) -> list[str]:
    """Return the differences as lines of a unified diff, with stray and missing files named; empty when equal."""
    lines: list[str] = []
    for name in sorted(committed.keys() | expected.keys()):
        old, new = committed.get(name), expected.get(name)
        if old == new:
            continue
        if new is None:
            lines.append(f"stray file, not from the contract: generated_client/{name}")
            continue
        if old is None:
            lines.append(f"missing file: generated_client/{name}")
            continue
        lines += difflib.unified_diff(
            old.decode("utf-8", "replace").splitlines(),
            new.decode("utf-8", "replace").splitlines(),
            f"committed/{name}",
            f"from the contract/{name}",
            lineterm="",
        )
    return lines


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m tools.generate", description="Build the client from openapi.yaml.")
    parser.add_argument("--check", action="store_true", help="compare instead of writing; exit 1 when they differ")
    parser.add_argument("--target", type=Path, default=ROOT / "generated_client", help="the folder that holds the client")
    arguments = parser.parse_args(argv)
    target: Path = arguments.target
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            build(folder)
        except GenerationError as error:
            print(error, file=sys.stderr)
            return 2
        if not arguments.check:
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(folder, target)
            print(f"{len(read_tree(target))} files written to {target.name}/")
            return 0
        differences = compare(read_tree(target), read_tree(folder))
    if differences:
        print("\n".join(differences))
        print(f"\nThe generated client is not what openapi.yaml gives. {REMEDY}", file=sys.stderr)
        return 1
    print("The generated client is what openapi.yaml gives.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
