"""What is to be released: one version everywhere, and archives with valid metadata."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from tools.release.package import main

METADATA = """Metadata-Version: 2.4
Name: scenario-uploads
Version: 1.2.3
Description-Content-Type: text/markdown

Words.
"""
CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-12-01\n\nWords.\n"


def write(root: Path, changelog: str = CHANGELOG, metadata: str = METADATA, version: str = "1.2.3") -> Path:
    """Write a project with its archives and return their folder."""
    (root / "pyproject.toml").write_text(f'[project]\nname = "scenario-uploads"\nversion = "{version}"\n')
    (root / "CHANGELOG.md").write_text(changelog)
    dist = root / "dist"
    dist.mkdir()
    with zipfile.ZipFile(dist / "scenario_uploads-1.2.3-py3-none-any.whl", "w") as wheel:
        wheel.writestr("scenario_uploads-1.2.3.dist-info/METADATA", metadata)
    with tarfile.open(dist / "scenario_uploads-1.2.3.tar.gz", "w:gz") as sdist:
        member = tarfile.TarInfo("scenario_uploads-1.2.3/PKG-INFO")
        member.size = len(metadata)
        sdist.addfile(member, io.BytesIO(metadata.encode()))
    return dist


def test_release_that_is_ready(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dist = str(write(tmp_path))
    assert main([dist, "--root", str(tmp_path), "--tag", "v1.2.3"]) == 0
    assert capsys.readouterr().out == "The versions agree, and the metadata are valid.\n"


@pytest.mark.parametrize(
    ("given", "tag", "message"),
    [
        ({}, "v1.2.4", "pyproject.toml: the version is 1.2.3, and the tag is v1.2.4"),
        ({"changelog": CHANGELOG.replace("1.2.3", "1.2.2")}, None, "CHANGELOG.md: nothing under `## [1.2.3]`"),
        ({"changelog": "## [1.2.3]\n\n## [1.2.2]\n\nx\n"}, None, "CHANGELOG.md: nothing under `## [1.2.3]`"),
        ({"changelog": CHANGELOG.replace(" - 2026-12-01", "")}, "v1.2.3", "CHANGELOG.md: no date at `## [1.2.3]`"),
        (
            {"metadata": METADATA.replace("Version: 1.2.3", "Version: 1.2.2")},
            None,
            "says that it is scenario-uploads 1.2.2",
        ),
        ({"metadata": METADATA.replace("Metadata-Version: 2.4\n", "")}, None, "its metadata cannot be used"),
        ({"metadata": METADATA.replace("\nWords.\n", "")}, None, "has no README"),
        ({"version": "1.2.4"}, None, "dist/scenario_uploads-1.2.4.tar.gz: its metadata cannot be used: [Errno 2]"),
    ],
)
def test_release_that_is_not_ready(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: dict[str, str], tag: str | None, message: str
) -> None:
    """Each thing that is wrong is a line."""
    dist = str(write(tmp_path, **given))
    assert main([dist, "--root", str(tmp_path), *(["--tag", tag] if tag else [])]) == 1
    assert message in capsys.readouterr().err


def test_date_is_set_with_the_tag(tmp_path: Path) -> None:
    """Until then a version may wait for its date."""
    dist = str(write(tmp_path, CHANGELOG.replace(" - 2026-12-01", "")))
    assert main([dist, "--root", str(tmp_path)]) == 0
