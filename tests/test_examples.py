"""The examples that users copy run as they are written.

Those of the pages are run by `make docs` (marker `examples`): see `tests.support.page`.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from scenario_uploads.sandbox import Sandbox

from tests.support import page as pages
from tests.support.server import reply
from tests.support.service import Service

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# The reference's example as it stands there, but for the import.
RETRIEVE = """\
import os
from scenario_uploads import Scenario

client = Scenario(
    api_key=os.environ.get("SCENARIO_SDK_API_KEY"),  # This is the default and can be omitted
    api_secret=os.environ.get("SCENARIO_SDK_API_SECRET"),  # This is the default and can be omitted
)
upload = client.uploads.retrieve(
    "uploadId",
)
print(upload.upload)
"""


def test_the_example_of_the_retrieve_page_prints_the_upload_of_the_page() -> None:
    contract = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
    credentials = {"SCENARIO_SDK_API_KEY": "key", "SCENARIO_SDK_API_SECRET": "secret"}
    with Service() as service:
        service.script("retrieve", reply(200, contract["components"]["examples"]["ReferenceUpload"]["value"]))
        shown = subprocess.run(
            [sys.executable, "-c", RETRIEVE],
            env=os.environ | credentials | {"SCENARIO_BASE_URL": service.url},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert ["/v1/uploads/uploadId"] == [request.path for request in service.requests]
    assert shown.startswith("Upload(id='id', author_id='authorId'")
    assert "entity_id='entityId'" in shown


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(step_delay=0.01) as running:
        yield running


def fill(folder: Path) -> None:
    """Write the files that the pages speak of."""
    mesh, picture = b"glTF" + bytes(100), b"\x89PNG\r\n\x1a\n" + bytes(100)
    weights = (2).to_bytes(8, "little") + b"{}"
    files = {"dragon.glb": mesh, "cat.png": picture, "weights.safetensors": weights, "refs/cat.png": picture}
    for name, content in (files | {"refs/dog.png": picture + b"dog", "refs/cat.tmp": b"half a cat"}).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)


def describe(box: Sandbox, folder: Path) -> dict[str, str]:
    """Return the environment of a reader who works in a folder, with a sandbox beside."""
    return {
        "SCENARIO_BASE_URL": box.base_url,
        "SCENARIO_SDK_API_KEY": box.api_key,
        "SCENARIO_SDK_API_SECRET": box.api_secret,
        "HOME": str(folder / "home"),
        "XDG_STATE_HOME": str(folder / "state"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }


def run_page(page: Path, folder: Path, box: Sandbox) -> subprocess.CompletedProcess[str]:
    fill(folder)
    return subprocess.run(
        [sys.executable, pages.__file__, page],
        cwd=folder,
        env=os.environ | describe(box, folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.examples
@pytest.mark.posix  # The pages speak to a shell.
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_shows_works(page: Path, tmp_path: Path, box: Sandbox) -> None:
    if list(pages.list_blocks(page.read_text(encoding="utf-8"))):
        result = run_page(page, tmp_path, box)
        assert result.returncode == 0, result.stderr


@pytest.mark.examples
@pytest.mark.posix
def test_the_plug_in_for_blender_shows_the_asset(tmp_path: Path, box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a Blender that has what the plug-in uses, and whose timer is this test."""
    shown: list[str] = []
    timers: list[Callable[[], float | None]] = []
    fill(tmp_path)
    for name, value in describe(box, tmp_path).items():
        monkeypatch.setenv(name, value)
    workspace = SimpleNamespace(status_text_set=shown.append)
    blender = SimpleNamespace(
        types=SimpleNamespace(Operator=object),
        data=SimpleNamespace(filepath=str(tmp_path / "dragon.glb")),
        app=SimpleNamespace(timers=SimpleNamespace(register=timers.append)),
        context=SimpleNamespace(workspace=workspace),
        utils=SimpleNamespace(register_class=bool, unregister_class=bool),
    )
    monkeypatch.setitem(sys.modules, "bpy", blender)
    text = (ROOT / "docs" / "how-to" / "background.md").read_text(encoding="utf-8")
    (source,) = (block.code for block in pages.list_blocks(text) if block.title == "scenario_panel.py")
    plugin: dict[str, Any] = {"__name__": "scenario_panel"}
    exec(source, plugin)
    plugin["register"]()
    assert plugin["SCENARIO_OT_upload"]().execute(blender.context) == {"FINISHED"}
    while (seconds := timers[0]()) is not None:
        assert seconds > 0
    plugin["unregister"]()
    assert shown[-1].startswith("Scenario: asset_")
