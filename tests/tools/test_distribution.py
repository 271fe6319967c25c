"""What a user installs: the wheel, tried in an environment that holds nothing but what the wheel asks for.

Nothing is fetched. The packages that the wheel requires, and theirs in turn, are copied from the environment that
runs the tests, where the lock file put them; so a requirement that the wheel does not declare is missing here.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterable
from email.parser import Parser
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.metadata import Metadata
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.project import ROOT

DECLARED = {"httpx", "attrs", "python-dateutil"}

USE = """
import json, sys
import scenario_uploads
from scenario_uploads import AsyncScenario, Scenario, UploadKind, UploadStatus, is_known
import scenario_uploads_client

with Scenario(api_key="key", api_secret="secret", base_url="http://127.0.0.1:9") as client:
    assert "secret" not in repr(client)
    kind: UploadKind = UploadKind("3d")
    assert is_known(kind) and not is_known(UploadStatus("archived"))
try:
    Scenario(api_key="key", api_secret="secret", base_url="nonsense")
except scenario_uploads.ScenarioError:
    pass
else:
    raise AssertionError
print(json.dumps(sorted(name for name in sys.modules if "." not in name)))
"""


def require_all(requirements: Iterable[str], seen: dict[str, metadata.Distribution], *extras: str) -> None:
    """Add the installed distributions that are required here, and what they require without extras, to `seen`."""
    for requirement in map(Requirement, requirements):
        key, marker = canonicalize_name(requirement.name), requirement.marker
        if key not in seen and (marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))):
            seen[key] = metadata.distribution(key)
            require_all(seen[key].requires or [], seen)


def read_requirements(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode()).get_all("Requires-Dist") or []


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the sdist and the wheel that is built from it, or the one that is to be released."""
    if "DIST" in os.environ:
        return ROOT / os.environ["DIST"]
    source = tmp_path_factory.mktemp("source") / "checkout"
    # A copy, so that building leaves nothing in the checkout and takes nothing of what lies around in it.
    wanted = ("overrides", "generated_client", "openapi.yaml", "pyproject.toml", "README.md", "LICENSE", ".gitignore")
    source.mkdir()
    for name in wanted:
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, source)
    output = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", output, source], check=True, capture_output=True
    )
    return output


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def empty_environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that holds the wheel and what it requires, nothing else."""
    return make_environment(wheel, tmp_path_factory.mktemp("empty") / "venv")


def make_environment(wheel: Path, venv: Path, *extras: str) -> Path:
    """Return the interpreter of an environment with the wheel, and with what it and some extras require."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True, capture_output=True)
    python = venv / "bin" / "python"
    (site_packages,) = venv.glob("lib/python*/site-packages")
    dependencies: dict[str, metadata.Distribution] = {}
    require_all(read_requirements(wheel), dependencies, *extras)
    for distribution in dependencies.values():
        for file in distribution.files or []:
            if ".." not in file.parts and "__pycache__" not in file.parts:
                target = site_packages / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(str(file.locate()), target)
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps", wheel],
        check=True,
        capture_output=True,
    )
    return python


def test_wheel_requires_little(wheel: Path) -> None:
    """A plain install brings httpx, attrs, python-dateutil and at most two more; the rest are extras."""
    plain = {
        canonicalize_name(requirement.name)
        for requirement in map(Requirement, read_requirements(wheel))
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    }
    assert plain >= DECLARED
    # HTTPX brings anyio along.
    assert len(plain - DECLARED - {"anyio"}) <= 2


def test_wheel_holds_two_packages_and_nothing_else(wheel: Path) -> None:
    """No third top-level module comes along, no tests, no byte code; types are marked and the contract is inside."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == {"scenario_uploads", "scenario_uploads_client"}
    assert len(top) == 3
    assert not [name for name in names if name.endswith((".pyc", ".pyo"))]
    assert {"scenario_uploads/py.typed", "scenario_uploads_client/py.typed"} <= set(names)
    data = ("sandbox/openapi.yaml", "upload/media_types.csv", "bulk/ledger.sql")
    assert {f"scenario_uploads/{name}" for name in data} <= set(names)
    page = {
        f"scenario_uploads/sandbox/page/{name}" for name in ("templates/list.html", "static/page.css", "static/page.js")
    }
    assert page <= set(names)
    assert [name for name in names if name.endswith("licenses/LICENSE")]


def test_sdist_holds_what_the_wheel_is_built_from(built: Path) -> None:
    """The wheel of these tests was built from the sdist; here, that the sdist names no folder of this machine."""
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        members = [member for member in archive.getmembers() if member.isfile()]
        assert members
        for member in members:
            file = archive.extractfile(member)
            assert file is not None
            assert str(ROOT).encode() not in file.read(), member.name


def test_installed_in_an_empty_environment_it_works(empty_environment: Path) -> None:
    """The package imports, makes a client and raises its errors with nothing around but its own requirements."""
    # -I: neither the environment's variables nor the current folder lend a module.
    result = subprocess.run([empty_environment, "-I", "-c", USE], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    loaded = set(json.loads(result.stdout))
    assert {"scenario_uploads", "scenario_uploads_client"} <= loaded
    assert not loaded & {"boto3", "nanio", "rich", "starlette", "typer", "uvicorn", "yaml"}


def check_types(python: Path, folder: Path) -> dict[str, Any]:
    """Return what pyright reports of a folder, in its strictest mode, with what an interpreter has installed."""
    settings = {"include": ["."], "typeCheckingMode": "strict"}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    result = subprocess.run(
        [ROOT / "node_modules" / ".bin" / "pyright", "--outputjson", "--pythonpath", python, "--project", folder],
        cwd=folder,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    report: dict[str, Any] = json.loads(result.stdout)
    assert report["summary"]["filesAnalyzed"] > 0, result.stdout + result.stderr
    return report


def test_installed_it_is_typed(empty_environment: Path, tmp_path: Path) -> None:
    """Users see the types of clients, models and enums in the wheel, and not only we in our source tree."""
    for name in ("user_code.py", "wrong_code.py"):
        shutil.copy(ROOT / "tests" / "typing" / name, tmp_path)
    report = check_types(empty_environment, tmp_path)
    assert report["generalDiagnostics"] == []
    assert report["summary"]["filesAnalyzed"] == 2


def test_what_is_installed_is_what_is_checked(empty_environment: Path, tmp_path: Path) -> None:
    """The test above can fail: without the stub of the front, pyright complains."""
    (site_packages,) = empty_environment.parents[1].glob("lib/python*/site-packages")
    marker = site_packages / "scenario_uploads" / "__init__.pyi"
    shutil.copy(ROOT / "tests" / "typing" / "user_code.py", tmp_path)
    moved = marker.rename(marker.with_name("moved"))
    try:
        assert check_types(empty_environment, tmp_path)["summary"]["errorCount"] > 0
    finally:
        moved.rename(marker)


def test_command_without_its_extra_says_what_to_install(empty_environment: Path) -> None:
    """The script is there after a plain install too; it names the extra instead of showing a traceback."""
    script = empty_environment.with_name("scenario-uploads")
    result = subprocess.run([script, "--help"], capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "pip install '.[cli]'" in result.stderr
    assert "Traceback" not in result.stderr


def test_nothing_else_is_installed(empty_environment: Path, wheel: Path) -> None:
    """The environment of these tests is as empty as they say, and whole."""
    code = "from importlib.metadata import distributions as d; print(*(x.metadata['Name'] for x in d()))"
    result = subprocess.run([empty_environment, "-I", "-c", code], capture_output=True, text=True, check=True)
    required: dict[str, metadata.Distribution] = {}
    require_all(read_requirements(wheel), required)
    assert {canonicalize_name(name) for name in result.stdout.split()} == set(required) | {"scenario-uploads"}


@pytest.mark.release
def test_demo_and_command_line_work_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """With its extras, and with nothing of the checkout."""
    python = make_environment(wheel, tmp_path / "venv", "cli", "sandbox")
    where = [python, "-I", "-c", "import scenario_uploads; print(scenario_uploads.__file__)"]
    assert str(tmp_path) in subprocess.run(where, capture_output=True, text=True, check=True).stdout
    command = [python, "-I", ROOT / "tools" / "demo.py"]
    demo = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "entityId: asset_" in demo.stdout, demo.stderr
    (tmp_path / "a.txt").write_text("words")
    command = [python.with_name("scenario-uploads"), "upload", "a.txt", "--sandbox", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["status"] == "imported", done.stderr


@pytest.mark.release
def test_release_has_one_version_and_valid_metadata(built: Path) -> None:
    """In pyproject.toml, both archives, the changelog, and the git tag; which wants the changelog's date too."""
    described = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    name, version, tag = described["name"], described["version"], os.environ.get("TAG")
    assert tag in (None, f"v{version}")
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    date = r" - \d{4}-\d\d-\d\d" if tag else r"( - .+)?"
    assert re.search(rf"(?m)^## \[{re.escape(version)}\]{date}\n+(?!## )\S", changelog)
    stem = f"{name.replace('-', '_')}-{version}"
    with zipfile.ZipFile(built / f"{stem}-py3-none-any.whl") as wheel, tarfile.open(built / f"{stem}.tar.gz") as sdist:
        described_by_sdist = sdist.extractfile(f"{stem}/PKG-INFO")
        assert described_by_sdist is not None
        for data in (wheel.read(f"{stem}.dist-info/METADATA"), described_by_sdist.read()):
            found = Metadata.from_email(data, validate=True)
            assert (found.name, str(found.version)) == (name, version)
            assert found.description_content_type == "text/markdown"
            assert found.description
