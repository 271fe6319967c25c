"""A program written for scenario-sdk runs unchanged but for the import, and comes to the same."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from scenario_uploads.sandbox import Sandbox

PROGRAM = Path(__file__).with_name("program.py").read_text(encoding="utf-8")


def run(program: str, box: Sandbox) -> Any:
    credentials = {"SCENARIO_SDK_API_KEY": box.api_key, "SCENARIO_SDK_API_SECRET": box.api_secret}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, box.base_url],
        env=os.environ | credentials,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_a_program_for_the_official_client_comes_to_the_same_with_ours(box: Sandbox) -> None:
    written = PROGRAM.replace("scenario_uploads", "scenario_sdk")
    assert written != PROGRAM
    official, ours = run(written, box), run(PROGRAM, box)
    assert len(ours) > 25
    assert ours == official
