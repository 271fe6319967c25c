"""The first thing that a newcomer runs: it works, says what happens, and fails when the bytes are not the same."""

import hashlib
import json
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from scenario_uploads.sandbox import Sandbox

from tools import demo
from tools.project import ROOT


@pytest.mark.parametrize("size", [0, 4, 4096, demo.MIB])
def test_mesh_is_a_glb(tmp_path: Path, size: int) -> None:
    """The file is what its name says: a glTF 2.0 header, a JSON chunk and a BIN chunk, aligned and complete."""
    path = tmp_path / "mesh.glb"
    digest = demo.write_mesh(path, size)
    content = path.read_bytes()
    magic, version, length, json_length, json_type = struct.unpack_from("<4sIII4s", content)
    assert (magic, version, length, json_type) == (b"glTF", 2, len(content), b"JSON")
    description = json.loads(content[20 : 20 + json_length])
    assert description["asset"] == {"version": "2.0"}
    assert description["buffers"] == [{"byteLength": size}]
    bin_length, bin_type = struct.unpack_from("<I4s", content, 20 + json_length)
    assert bin_type == b"BIN\0"
    assert 28 + json_length + bin_length == len(content)
    assert bin_length == size
    assert (json_length % 4, bin_length % 4) == (0, 0)
    assert hashlib.sha256(content).hexdigest() == digest


def test_mesh_is_the_same_each_time(tmp_path: Path) -> None:
    """Two runs of the demo send the same bytes."""
    assert demo.write_mesh(tmp_path / "a.glb", demo.MIB) == demo.write_mesh(tmp_path / "b.glb", demo.MIB)


def test_demo_uploads_a_file_in_several_parts(tmp_path: Path) -> None:
    """As a newcomer sees it: parts go out, the digests are equal, the entityId comes last, and nothing is on stderr.

    Nothing is left in the home folder.
    """
    result = subprocess.run(
        [sys.executable, "-m", "tools.demo"],
        cwd=ROOT,
        env=os.environ | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "4 of 4 parts stored" in result.stdout
    (sent,) = re.findall(r"sent +SHA-256 ([0-9a-f]{64})$", result.stdout, re.MULTILINE)
    (stored,) = re.findall(r"stored +SHA-256 ([0-9a-f]{64})$", result.stdout, re.MULTILINE)
    assert sent == stored
    assert re.fullmatch(r"entityId: asset_\w+", result.stdout.splitlines()[-1])
    assert demo.MESH_SIZE >= 20_000_000
    assert list(tmp_path.iterdir()) == []


def test_demo_fails_when_storage_has_other_bytes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The demo is a proof: other bytes are an error, and no entityId is shown."""
    monkeypatch.setattr(Sandbox, "sha256", lambda box, upload_id: "0" * 64)
    monkeypatch.setattr(demo, "MESH_SIZE", demo.MIB)
    monkeypatch.setattr(demo, "write_mesh", lambda path, real=demo.write_mesh: real(path, demo.MIB))
    assert demo.main() == 1
    captured = capsys.readouterr()
    assert "other bytes" in captured.err
    assert "entityId" not in captured.out
