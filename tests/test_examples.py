"""The examples that users copy run as they are written."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from scenario_uploads.sandbox import Sandbox

from tests.support.server import reply
from tests.support.service import Service

ROOT = Path(__file__).parents[1]
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


def run(code: str, **environment: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def list_examples(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


def find_example(start: str, page: str = "README.md") -> str:
    (block,) = [block for block in list_examples(page) if block.startswith(start)]
    return block


def test_the_example_of_the_retrieve_page_prints_the_upload_of_the_page() -> None:
    contract = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
    with Service() as service:
        service.script("retrieve", reply(200, contract["components"]["examples"]["ReferenceUpload"]["value"]))
        credentials = {"SCENARIO_SDK_API_KEY": "key", "SCENARIO_SDK_API_SECRET": "secret"}
        shown = run(RETRIEVE, SCENARIO_BASE_URL=service.url, **credentials)
        assert ["/v1/uploads/uploadId"] == [request.path for request in service.requests]
    assert shown.startswith("Upload(id='id', author_id='authorId'")
    assert "entity_id='entityId'" in shown


def test_the_quickstart_for_the_sandbox_uploads_and_shows_a_failure() -> None:
    lines = run(find_example("from scenario_uploads import Scenario, UploadFailedError")).splitlines()
    assert lines[0] == "transferring: 0 of 12 bytes"
    assert "done: 12 of 12 bytes" in lines
    assert any(line.startswith("asset_") for line in lines)
    assert lines[-1].endswith("The content is not a PNG (image/png)")


def run_in(folder: Path, code: str) -> str:
    """Run the code in a folder with a mesh, a picture and weights, against a sandbox."""
    (folder / "dragon.glb").write_bytes(b"glTF" + (2).to_bytes(4, "little") + (12).to_bytes(4, "little"))
    (folder / "cat.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    (folder / "weights.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    with Sandbox(step_delay=0.01) as box:
        credentials = {"SCENARIO_SDK_API_KEY": box.api_key, "SCENARIO_SDK_API_SECRET": box.api_secret}
        code = f"import os; os.chdir({str(folder)!r})\n{code}"
        return run(code, SCENARIO_BASE_URL=box.base_url, **credentials)


def test_the_first_example_uploads_a_file_of_the_current_folder(tmp_path: Path) -> None:
    assert run_in(tmp_path, find_example("from scenario_uploads import Scenario\n\nwith")).startswith("asset_")


def test_the_example_of_many_files_sends_each_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "refs").mkdir()
    (tmp_path / "refs" / "cat.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    (tmp_path / "refs" / "cat.tmp").write_bytes(b"half a cat")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    example = find_example("from scenario_uploads import Scenario, UploadSource", "docs/folders.md")
    lines = run_in(tmp_path, example * 2).splitlines()
    assert sorted(lines[:4]) == sorted(lines[4:])
    told = dict(line.split() for line in lines)
    assert told.pop(str(Path("refs", "cat.tmp"))) == "excluded"
    assert set(told) == {str(Path("refs", "cat.png")), "dragon.glb", "weights.safetensors"}
    assert all(entity.startswith(("asset_", "model_")) for entity in told.values())


def test_the_examples_of_the_usage_page_run_one_after_the_other(tmp_path: Path) -> None:
    asset, model, cost, raw, *streamed = run_in(tmp_path, "".join(list_examples("docs/usage.md"))).splitlines()
    assert asset.startswith("asset_")
    assert model.startswith("model_")
    assert float(cost) >= 0
    assert raw.startswith("200 ")
    assert raw.endswith(" 0 imported")
    assert json.loads("".join(streamed))["upload"]["status"] == "imported"
