"""Check what is to be released: one version everywhere, and archives with valid metadata.

    python -m tools.release.package DIST [--tag v1.2.3]

With a tag, which has to be that of the version, the changelog needs the date too. Exits 1 with a line for
each thing that is wrong.
"""

from __future__ import annotations

import argparse
import io
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


def read_metadata(dist: Path, stem: str, name: str) -> Metadata:
    """Return the metadata of a wheel or an sdist, held against its specification."""
    if name.endswith(".whl"):
        with zipfile.ZipFile(dist / name) as wheel:
            return Metadata.from_email(wheel.read(f"{stem}.dist-info/METADATA"), validate=True)
    with tarfile.open(dist / name) as sdist, sdist.extractfile(f"{stem}/PKG-INFO") or io.BytesIO() as file:
        return Metadata.from_email(file.read(), validate=True)


def check_changelog(text: str, version: str, *, is_dated: bool) -> Iterator[str]:
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
    for name in (f"{stem}-py3-none-any.whl", f"{stem}.tar.gz"):
        try:
            metadata = read_metadata(dist, stem, name)
        except (ValueError, ExceptionGroup, LookupError, OSError, tarfile.TarError, zipfile.BadZipFile) as error:
            yield f"{dist.name}/{name}: its metadata cannot be used: {error}"
            continue
        if (metadata.name, str(metadata.version)) != (described["name"], version):
            yield f"{dist.name}/{name}: says that it is {metadata.name} {metadata.version}"
        if metadata.description_content_type != "text/markdown" or not metadata.description:
            yield f"{dist.name}/{name}: has no README"


def main(argv: list[str] | None = None) -> int:
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
