"""The fixtures for other people's tests, as pytest finds them in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FILE = """
def make(folder):
    (folder / "a.glb").write_bytes(b"glTF" + bytes(100))
    return folder / "a.glb"
"""


# What is installed here for the tests of this project, and takes longer to load than to run them.
OTHERS = ("schemathesis", "hypothesispytest", "pytest_cov", "pytest_httpx", "timeout", "cacheprovider")


@pytest.fixture
def run(tmp_path: Path):
    """Run pytest on the text of a test file, in a process of its own, once for each list of arguments."""

    def run(text: str, *turns: list[str]) -> str:
        (tmp_path / "test_it.py").write_text(FILE + text)
        (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
        options = ["-q", *(word for name in OTHERS for word in ("-p", f"no:{name}"))]
        result = subprocess.run(
            [sys.executable, "-c", f"import pytest\nfor turn in {turns}: pytest.main({options} + turn)"],
            cwd=tmp_path,
            env=plain,
            capture_output=True,
            text=True,
            check=False,
        )
        return result.stdout + result.stderr

    return run


def test_faults_are_of_one_test_and_nothing_is_loaded_before(run):
    """Neither by pytest itself, nor by collecting tests that use the fixtures, nor by running others."""
    text = """
import sys
import pytest

def test_first():
    names = ("scenario_uploads.sandbox", "scenario_uploads.client", "starlette", "boto3", "jinja2")
    assert [name for name in names if name in sys.modules] == []

@pytest.mark.scenario_faults("never_finishes", times=5)
def test_leaves_some(scenario_client, tmp_path):
    scenario_client.uploads.upload_file(make(tmp_path), wait=False)

def test_meets_none(scenario_client, tmp_path):
    assert scenario_client.uploads.upload_file(make(tmp_path)).entity_id

@pytest.mark.scenario_faults("validation_failed")
class TestOwnClient:
    def test_meets_it(self, scenario_sandbox, tmp_path):
        from scenario_uploads import Scenario, UploadFailedError

        box = scenario_sandbox
        with Scenario(base_url=box.base_url, api_key=box.api_key, api_secret=box.api_secret) as client:
            with pytest.raises(UploadFailedError):
                client.uploads.upload_file(make(tmp_path))

@pytest.mark.scenario_faults("broken")
def test_is_told(scenario_client):
    pass

@pytest.mark.scenario_faults()
def test_is_told_too():
    pass
"""
    shown = run(text, ["-p", "no:asyncio"])
    assert "4 passed, 2 errors" in shown
    assert "there is no fault 'broken'; there are expired" in shown
    assert "missing 1 required positional argument: 'fault'" in shown
    assert "Traceback" not in shown


ASYNC = """
import asyncio
import pytest

async def upload(client, folder):
    assert (await client.uploads.upload_file(make(folder))).entity_id

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
async def test_with_anyio(anyio_backend, async_scenario_client, tmp_path):
    await upload(async_scenario_client, tmp_path)

@pytest.mark.asyncio
async def test_in_a_loop_of_its_own(async_scenario_client, tmp_path):
    await upload(async_scenario_client, tmp_path)

@pytest.mark.asyncio(loop_scope="session")
async def test_in_the_loop_of_the_session(async_scenario_client, tmp_path):
    await upload(async_scenario_client, tmp_path)

def test_in_a_loop_that_the_test_makes(async_scenario_client, tmp_path):
    asyncio.run(upload(async_scenario_client, tmp_path))
"""


def test_the_asynchronous_client_works_in_every_event_loop(run):
    # In auto mode, pytest-asyncio takes the test of anyio, too.
    options = ["-o", "asyncio_default_fixture_loop_scope=function"]
    shown = run(ASYNC, *([*options, "-o", f"asyncio_mode={mode}"] for mode in ("strict", "auto")))
    assert shown.count("4 passed") == 2, shown


def test_each_process_of_xdist_has_a_sandbox_of_its_own(run):
    text = """
import os
import pytest

@pytest.mark.parametrize("number", range(4))
def test_it(number, scenario_sandbox, scenario_client, tmp_path, pytestconfig):
    assert scenario_client.uploads.upload_file(make(tmp_path)).entity_id
    print(os.environ["PYTEST_XDIST_WORKER"], scenario_sandbox.base_url)
"""
    shown = run(text, ["-p", "no:asyncio", "-n", "2", "--dist", "load", "-rP"])
    assert "4 passed" in shown
    pairs = {line for line in shown.splitlines() if line.startswith("gw")}
    assert {line.split()[0] for line in pairs} == {"gw0", "gw1"}
    assert len({line.split()[1] for line in pairs}) == 2
