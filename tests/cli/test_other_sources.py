"""What is not on the disk: stdin, and imports."""

from __future__ import annotations

import io
import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from scenario_uploads.cli import commands as cli
from scenario_uploads.sandbox import Sandbox

from tests.support.service import Service

GLB = b"glTF" + bytes(2_000_000)
Capture = pytest.CaptureFixture[str]
PAGE = "https://civitai.com/models/370194/x?modelVersionId=413566"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(step_delay=0.01) as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def _environment(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("BASE_URL", box.base_url), ("SDK_API_KEY", box.api_key), ("SDK_API_SECRET", box.api_secret)):
        monkeypatch.setenv(f"SCENARIO_{name}", value)


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have another program write a mesh into stdin."""
    reading, writing = os.pipe()

    def write() -> None:
        with open(writing, "wb") as file:  # noqa: PTH123
            file.write(GLB)

    with open(reading, encoding="utf-8") as stdin:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdin", stdin)
        thread = threading.Thread(target=write)
        thread.start()
        yield
        stdin.buffer.read()
        thread.join()


class TestStdin:
    def test_is_kept_until_its_length_is_known(self, box: Sandbox, pipe: None, capsys: Capture) -> None:
        assert cli.run(["upload", "-", "--file-name", "dragon.glb", "--json", "--max-size", "2MiB"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["source"], told["status"], told["upload"]["kind"]) == ("-", "imported", "3d")
        assert b"".join(box.read_file(told["id"])) == GLB

    def test_is_bounded(self, pipe: None, capsys: Capture) -> None:
        assert cli.run(["upload", "-", "--kind", "3d", "--max-size", "1MiB"]) == 2
        assert "stdin has more bytes than --max-size allows" in capsys.readouterr().err

    def test_that_cannot_be_kept_is_told(self, pipe: None, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
        full = open("/dev/full", "wb", 0) if os.path.exists("/dev/full") else pytest.skip("no full disk")  # noqa: PTH110, PTH123, SIM115
        monkeypatch.setattr("tempfile.TemporaryFile", lambda: full)
        assert cli.run(["upload", "-", "--kind", "3d"]) == 2
        assert "stdin cannot be kept in " in capsys.readouterr().err

    def test_that_is_a_file_is_sent_as_it_is(
        self, box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
    ) -> None:
        (tmp_path / "a").write_bytes(GLB)
        with (tmp_path / "a").open(encoding="utf-8") as stdin:
            monkeypatch.setattr(sys, "stdin", stdin)
            assert cli.run(["upload", "-", "--kind", "3d", "--max-size", "1"]) == 2
            assert "stdin has more bytes than --max-size allows" in capsys.readouterr().err
            stdin.seek(0)
            assert cli.run(["upload", "-", "--kind", "3d", "--json"]) == 0
        assert b"".join(box.read_file(json.loads(capsys.readouterr().out)["id"])) == GLB

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            ([], "stdin has no name"),
            (["--file-name", "dragon.xyz"], "cannot be inferred from its name; give --kind"),
            (["other.glb"], "give it alone"),
            (["--dry-run"], "leave out --dry-run and --resume"),
            (["--kind", "3d", "--include", "*.glb"], "has no path; leave out"),
            (["--kind", "3d", "--ledger", "own"], "has no path; leave out"),
            (["--kind", "3d", "--resume"], "leave out --dry-run and --resume"),
        ],
    )
    def test_is_not_read_when_it_cannot_be_sent(
        self, arguments: list[str], reason: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
    ) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        assert cli.run(["upload", "-", *arguments]) == 2
        assert reason in capsys.readouterr().err


class TestImport:
    @pytest.mark.parametrize(
        ("address", "source"),
        [
            ("https://example.com/cat.png", "url"),
            ("hf:stabilityai/sdxl-1.0", "huggingface"),
            (f"civitai:{PAGE}", "civitai"),
        ],
    )
    def test_is_told_by_its_address(self, address: str, source: str, capsys: Capture) -> None:
        assert cli.run(["import", address, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["source"], told["status"]) == (source, "imported")

    def test_shows_no_secret_of_a_url(self, capsys: Capture) -> None:
        url = "https://example.com/cat.png?X-Amz-Signature=s3cret"
        assert cli.run(["import", url, "--hide", "--collection", "c1"]) == 0
        shown = capsys.readouterr().out
        assert "file: https://example.com/cat.png?…" in shown
        assert "s3cret" not in shown

    def test_that_fails_names_its_address(self, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
        monkeypatch.setenv("SCENARIO_SDK_API_KEY", "wrong")
        assert cli.run(["import", "hf:a/b", "--json"]) == 3
        told = json.loads(capsys.readouterr().out)
        assert (told["source"], told["code"]) == ("hf:a/b", "AuthenticationError")

    def test_may_ask_for_the_cost_alone(self, box: Sandbox, capsys: Capture) -> None:
        assert cli.run(["import", PAGE, "--cost"]) == 0
        assert capsys.readouterr().out == "creativeUnitsCost: 0\ncreativeUnitsDiscount: 0\ncostDetails:\n  upload: 0\n"
        assert cli.run(["import", "hf:a/b", "--cost", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["creativeUnitsCost"] == 0

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            (["dragon.glb"], "give hf:OWNER/NAME, civitai:URL, or the http or https URL"),
            (["https://example.com/x"], "give --kind"),
            (["hf:a/b", "--kind", "model"], "kind is for the URL of a file"),
            (["hf:a/b", "--hide"], "this becomes a model"),
        ],
    )
    def test_31_of_what_cannot_be_meant_is_told_before_any_request(
        self, arguments: list[str], reason: str, service: Service, monkeypatch: pytest.MonkeyPatch, capsys: Capture
    ) -> None:
        monkeypatch.setenv("SCENARIO_BASE_URL", service.url)
        assert cli.run(["import", *arguments]) == 2
        assert reason in capsys.readouterr().err
        assert service.requests == []
