"""Rebuild the generated client from the contract, or check that the committed one is what the contract gives.

    python -m tools.client.generate            # rebuild generated_client/ and what is generated beside it
    python -m tools.client.generate --check    # rebuild aside and compare; exit 1 with a diff when they differ

The client is always built in a temporary folder, so that no setting, cache or stray file of the checkout can
shape it, and then moved into place. Two runs give the same bytes.
"""

import argparse
import difflib
import importlib.metadata
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tools.client import operations, spelling, stubs, unasync
from tools.client.unasync import GenerationError, run
from tools.contract.document import UnreadableError, read_contract
from tools.project import ROOT

CONFIG = ROOT / "generator-config.yaml"
PACKAGE = "scenario_uploads_client"
REMEDY = "Run `make generate` and commit the result; never edit generated_client/ by hand."


def header() -> str:
    """Return the comment that opens every generated file; the lock file says which version of the generator it is."""
    version = importlib.metadata.version("openapi-python-client")
    source = f"# Generated from openapi.yaml by openapi-python-client {version}.\n"
    return f"{source}# Do not edit: change openapi.yaml and run `make generate`.\n"


def build(folder: Path, contract: Path) -> Path:
    """Build the client of `contract` as a package inside `folder` and return the package's path."""
    package = folder / PACKAGE
    run(
        *("openapi_python_client", "generate", "--path", str(contract.resolve()), "--config", str(CONFIG)),
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


def generate(folder: Path, contract: Path, target: Path) -> dict[str, bytes]:
    """Build the client in `folder`; return it and what belongs beside it by their places in the folder of `target`."""
    root = target.absolute().parent
    package = build(folder, contract)
    if not (root / stubs.FRONT).with_suffix(".py").exists():
        # Only a whole checkout has the layer that the rest is part of.
        return read_tree(folder, target.name)
    stub = header() + stubs.write_stub(package)
    beside = {stubs.PLACE: unasync.format_module(stub, stubs.PLACE), **stubs.write_front(root, package)}
    beside |= operations.write_operations(read_contract(contract)) | spelling.write_client(root)
    beside |= unasync.write_twins(root, beside)
    return read_tree(folder, target.name) | {place.as_posix(): content for place, content in beside.items()}


def read_tree(folder: Path, name: str = "generated_client") -> dict[str, bytes]:
    """Return every file below `folder` by its path below `name`, but for the byte code that imports leave."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".pyc")
    return {f"{name}/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in files}


def read_present(target: Path, names: Iterable[str]) -> dict[str, bytes]:
    """Return what is there of some files, all files in the client's folder, and all types."""
    root = target.absolute().parent
    beside = {root / name for name in names} | {*(root / operations.TYPES).glob("*.py")}
    found = {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(beside) if path.is_file()}
    return found | read_tree(target, target.name)


def compare(committed: dict[str, bytes], expected: dict[str, bytes]) -> list[str]:
    """Return the differences as lines of a unified diff, with stray and missing files named; empty when equal."""
    lines = [f"stray file, not from the contract: {name}" for name in committed if name not in expected]
    lines += [f"missing file: {name}" for name in expected if name not in committed]
    for name in [name for name in expected if name in committed and committed[name] != expected[name]]:
        old, new = (side[name].decode("utf-8", "replace").splitlines() for side in (committed, expected))
        diff = list(difflib.unified_diff(old, new, f"committed/{name}", f"from the contract/{name}", lineterm=""))
        # Line ends and broken UTF-8 are no lines of a diff.
        lines += diff or [f"other bytes, though the same text: {name}"]
    return lines


def list_unknown(root: Path, names: Iterable[str]) -> list[str]:
    """Return the files that git does not know, ignored ones too; none outside a git checkout."""
    command = ("git", "-C", str(root), "ls-files", "--others", "--", *names)
    result = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    return result.stdout.splitlines()


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.client.generate")
    parser.add_argument("--check", action="store_true", help="compare instead of writing; exit 1 when they differ")
    parser.add_argument("--target", type=Path, default=ROOT / "generated_client", help="the folder of the client")
    parser.add_argument("--contract", type=Path, default=ROOT / "openapi.yaml", help="the contract to build from")
    arguments = parser.parse_args(argv)
    target: Path = arguments.target
    root = target.absolute().parent
    try:
        with tempfile.TemporaryDirectory() as folder:
            expected = generate(Path(folder), arguments.contract, target)
    except (GenerationError, UnreadableError) as error:
        print(error, file=sys.stderr)
        return 2
    present = read_present(target, expected)
    if not arguments.check:
        shutil.rmtree(target, ignore_errors=True)
        for name in present.keys() - expected.keys():
            (root / name).unlink(missing_ok=True)
        for name, content in expected.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
        print(f"{len(expected)} files written to {target.name}/ and beside it")
        return 0
    differences = compare(present, expected) or [f"not added to git: {name}" for name in list_unknown(root, expected)]
    if differences:
        print("\n".join(differences))
        print(f"\nThe generated client is not what openapi.yaml gives. {REMEDY}", file=sys.stderr)
        return 1
    print("The generated client is what openapi.yaml gives.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
