"""Check what is to be released: one version everywhere, and archives with valid metadata.

    python -m tools.release.package DIST [--tag v1.2.3]

With a tag, which has to be that of the version, the changelog needs the date too. Exits 1 with a line for
each thing that is wrong.
"""

from __future__ import annotations

import argparse
import re
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

from packaging.metadata import Metadata

from tools.project import ROOT, Project
from tools.release.changelog import read_changelog


def read_metadata(archive: Path) -> Metadata:
    """Return the metadata of a wheel or an sdist, held against its specification."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            (name,) = [name for name in wheel.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name)]
            data = wheel.read(name)
    else:
        with tarfile.open(archive) as sdist:
            (member,) = [member for member in sdist if re.fullmatch(r"[^/]+/PKG-INFO", member.name)]
            file = sdist.extractfile(member)
            data = file.read() if file is not None else b""
    return Metadata.from_email(data, validate=True)


def check_changelog(text: str, version: str, *, is_dated: bool) -> Iterator[str]:
    """Yield what the changelog lacks of a version."""
    found = re.search(rf"^## \[{re.escape(version)}\](?: - (\S+))?\n+(?!## )\S", text, re.MULTILINE)
    if found is None:
        yield f"CHANGELOG.md: nothing under `## [{version}]`"
    elif is_dated and not re.fullmatch(r"\d{4}-\d\d-\d\d", found[1] or ""):
        yield f"CHANGELOG.md: no date at `## [{version}]`; write it as `## [{version}] - YYYY-MM-DD`"


def find_problems(project: Project, dist: Path, tag: str | None) -> Iterator[str]:
    """Yield what keeps the archives in a folder from being released."""
    described = tomllib.loads((project.root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = described["version"]
    if tag is not None and tag != f"v{version}":
        yield f"pyproject.toml: the version is {version}, and the tag is {tag}"
    yield from check_changelog(read_changelog(project), version, is_dated=tag is not None)
    stem = f"{described['name'].replace('-', '_')}-{version}"
    names = {f"{stem}-py3-none-any.whl", f"{stem}.tar.gz"}
    present = {path.name for path in dist.iterdir()} if dist.is_dir() else set()
    yield from (f"{dist.name}/{name}: missing" for name in sorted(names - present))
    yield from (f"{dist.name}/{name}: does not belong to the release" for name in sorted(present - names))
    for name in sorted(names & present):
        try:
            metadata = read_metadata(dist / name)
        except (ValueError, ExceptionGroup, OSError, tarfile.TarError, zipfile.BadZipFile) as error:
            yield f"{dist.name}/{name}: its metadata cannot be used: {error}"
            continue
        if (metadata.name, str(metadata.version)) != (described["name"], version):
            yield f"{dist.name}/{name}: says that it is {metadata.name} {metadata.version}"
        if metadata.description_content_type != "text/markdown" or not metadata.description:
            yield f"{dist.name}/{name}: has no README"


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m tools.release.package", description="Check a release.")
    parser.add_argument("dist", type=Path, help="the folder with the wheel and the sdist")
    parser.add_argument("--tag", help="the git tag of the release")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder of the project")
    arguments = parser.parse_args(argv)
    problems = list(find_problems(Project(arguments.root), arguments.dist, arguments.tag))
    print(
        "\n".join(problems) or "The versions agree, and the metadata are valid.", file=sys.stderr if problems else None
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
