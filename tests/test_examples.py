"""The examples that users copy run as they are written."""

import os
import re
import subprocess
import sys
from pathlib import Path

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


def readme_block(start: str) -> str:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (block,) = [block for block in blocks if block.startswith(start)]
    return str(block)


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
    lines = run(readme_block("from scenario_uploads import Scenario, UploadFailedError")).splitlines()
    assert lines[0] == "transferring: 0 of 12 bytes"
    assert "done: 12 of 12 bytes" in lines
    assert any(line.startswith("asset_") for line in lines)
    assert lines[-1].endswith("The content is not a PNG (image/png)")


def test_the_first_example_uploads_a_file_of_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "dragon.glb").write_bytes(b"glTF" + (2).to_bytes(4, "little") + (12).to_bytes(4, "little"))
    code = f"import os; os.chdir({str(tmp_path)!r})\n" + readme_block("from scenario_uploads import Scenario\n\nwith")
    with Sandbox(step_delay=0.01) as box:
        credentials = {"SCENARIO_SDK_API_KEY": box.api_key, "SCENARIO_SDK_API_SECRET": box.api_secret}
        assert run(code, SCENARIO_BASE_URL=box.base_url, **credentials).startswith("asset_")
