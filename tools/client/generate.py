"""Rebuild the generated client from the contract, or check that the committed one is what the contract gives.

    python -m tools.client.generate            # rebuild generated_client/ and what is generated beside it
    python -m tools.client.generate --check    # rebuild aside and compare; exit 1 with a diff when they differ

The client is always built in a temporary folder, so that no setting, cache or stray file of the checkout can
shape it, and then moved into place. Two runs give the same bytes.
"""

from __future__ import annotations

import argparse
import difflib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.client import operations, spelling, stubs, unasync
from tools.contract.document import UnreadableError, read_contract
from tools.project import ROOT

PACKAGE = "scenario_uploads_client"
BYTE_CODE = re.compile(r"(^|/)__pycache__/[^/]+\.pyc$")
REMEDY = "Run `make generate` and commit the result; never edit generated_client/ by hand."


class GenerationError(Exception):
    """The client cannot be built from this contract with these tools."""


def header() -> str:
    """Return the comment that opens every generated file; the lock file says which version of the generator it is."""
    version = importlib.metadata.version("openapi-python-client")
    return (
        f"# Generated from openapi.yaml by openapi-python-client {version}.\n"
        "# Do not edit: change openapi.yaml and run `make generate`.\n"
    )


def run(*command: str, cwd: Path) -> None:
    """Run a tool of this environment, failing with its output when it fails or warns."""
    result = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=cwd,
        # Wide and without colour, so that a warning is found whatever the terminal; and no byte code beside the tools.
        env={**os.environ, "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    output = result.stdout + result.stderr
    if result.returncode != 0 or re.search(r"\bwarning", output, re.IGNORECASE):
        raise GenerationError(f"{command[0]} failed or warned (exit {result.returncode}):\n{output.strip()}")


def build(
    folder: Path, *, contract: Path = ROOT / "openapi.yaml", config: Path = ROOT / "generator-config.yaml"
) -> Path:
    """Build the client of `contract` as a package inside `folder` and return the package's path."""
    package = folder / PACKAGE
    run(
        *("openapi_python_client", "generate", "--path", str(contract.resolve()), "--config", str(config.resolve())),
        *("--meta", "none", "--fail-on-warning", "--output-path", str(package)),
        cwd=folder,
    )
    ruff = ("--isolated", "--no-cache", "--quiet", "--target-version", "py311")
    # The rules are named, since ruff's own choice grows: newer ones rewrite `*args: Any` to `object`, which no
    # longer passes mypy.
    run("ruff", "check", *ruff, "--fix-only", "--select=E4,E7,E9,F,I", PACKAGE, cwd=folder)
    run("ruff", "format", *ruff, PACKAGE, cwd=folder)
    for source in package.rglob("*.py"):
        source.write_text(header() + source.read_text(encoding="utf-8"), encoding="utf-8", newline="\n")
    (package / "py.typed").touch()
    return package


def read_tree(folder: Path) -> dict[str, bytes]:
    """Return every file below `folder` by its relative path, but for the byte code that imports leave."""
    tree: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            tree[name] = b"symbolic link to " + os.fsencode(path.readlink()) + b"\n"
        elif path.is_file() and not BYTE_CODE.search(name):
            tree[name] = path.read_bytes()
    return tree


def compare(committed: dict[str, bytes], expected: dict[str, bytes], folder: str = "") -> list[str]:
    """Return the differences as lines of a unified diff, with stray and missing files named; empty when equal."""
    lines = [f"stray file, not from the contract: {folder}{name}" for name in committed if name not in expected]
    lines += [f"missing file: {folder}{name}" for name in expected if name not in committed]
    for name in [name for name in expected if name in committed and committed[name] != expected[name]]:
        old, new = (side[name].decode("utf-8", "replace").splitlines() for side in (committed, expected))
        diff = list(difflib.unified_diff(old, new, f"committed/{name}", f"from the contract/{name}", lineterm=""))
        # Line ends and broken UTF-8 are no lines of a diff.
        lines += diff or [f"other bytes, though the same text: {folder}{name}"]
    return lines


def list_untracked(target: Path) -> list[str]:
    """Return the files below `target` that git does not know, ignored ones too; none outside a git checkout."""
    # From the parent, since in a hook the variables that git sets name its files from the top of the checkout.
    command = ("git", "-C", str(target.absolute().parent), "ls-files", "--others", "-z", "--", target.name)
    try:
        result = subprocess.run(command, capture_output=True, check=False)
    except OSError:
        return []
    names = [os.fsdecode(name) for name in result.stdout.split(b"\0") if name] if result.returncode == 0 else []
    return [name for name in names if not BYTE_CODE.search(name)]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.client.generate")
    parser.add_argument("--check", action="store_true", help="compare instead of writing; exit 1 when they differ")
    parser.add_argument("--target", type=Path, default=ROOT / "generated_client", help="the folder of the client")
    parser.add_argument("--contract", type=Path, default=ROOT / "openapi.yaml", help="the contract to build from")
    arguments = parser.parse_args(argv)
    target: Path = arguments.target
    # Only a whole checkout has the layer that the stub and the sync twins are part of.
    root = target.absolute().parent
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "generated_client"
        folder.mkdir()
        try:
            package = build(folder, contract=arguments.contract)
            stub = header() + stubs.write_stub(package)
            written = {stubs.PLACE: unasync.format_module(stub, stubs.PLACE), **stubs.write_front(root, package)}
            if (root / operations.TYPES).is_dir():
                written |= operations.write_operations(read_contract(arguments.contract))
            written |= spelling.write_client(root)
            written |= unasync.write_twins(root, written)
        except (GenerationError, UnreadableError, unasync.UnreadableSourceError) as error:
            print(error, file=sys.stderr)
            return 2
        written = {place: content for place, content in written.items() if (root / place).parent.is_dir()}
        stray = [path for path in (root / operations.TYPES).glob("*.py") if path.relative_to(root) not in written]
        if not arguments.check:
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(folder, target)
            for place, content in written.items():
                (root / place).write_bytes(content)
            for path in stray:
                path.unlink()
            print(f"{len(read_tree(target))} files written to {target.name}/, {len(written)} beside them")
            return 0
        expected = {place.as_posix(): content for place, content in written.items()}
        beside = {place.as_posix() for place in written if (root / place).exists()}
        beside |= {path.relative_to(root).as_posix() for path in stray}
        differences = compare(read_tree(target), read_tree(folder), "generated_client/")
        differences += compare({name: (root / name).read_bytes() for name in sorted(beside)}, expected)
    if not differences:
        differences = [f"not added to git: {name}" for name in list_untracked(target)]
    if differences:
        print("\n".join(differences))
        print(f"\nThe generated client is not what openapi.yaml gives. {REMEDY}", file=sys.stderr)
        return 1
    print("The generated client is what openapi.yaml gives.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
