"""The command, against the sandbox as it is and behind something that changes its responses."""

import json
import os
import pty
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from scenario_uploads.sandbox import Sandbox

from tests.support.server import Exchange, Server, encode_head
from tools.live_check import run
from tools.live_check.__main__ import main
from tools.project import ROOT


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(step_delay=0.05) as box:
        yield box


@pytest.fixture(autouse=True)
def credentials(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCENARIO_SDK_API_KEY", box.api_key)
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", box.api_secret)


class Changing:
    """Passes requests on to a sandbox, and its responses back as `change` leaves them.

    The small image goes to storage through it too. `change` is given the request, and the response with its JSON.
    """

    def __init__(self, box: Sandbox, change: Callable[["Response"], object]) -> None:
        self._api, self._storage = httpx.URL(box.base_url), httpx.URL()
        self._change = change
        self.server = Server(self._pass_on)

    @property
    def base_url(self) -> str:
        return f"{self.server.origin}/v1"

    def _pass_on(self, exchange: Exchange) -> None:
        exchange.read_body()
        request = exchange.request
        is_part = not request.path.startswith("/v1/")
        url = (self._storage if is_part else self._api).copy_with(raw_path=request.target.encode())
        headers = {name: value for name, value in request.headers if name.lower() not in ("host", "connection")}
        response = Response(httpx.request(request.method, url, headers=headers, content=request.body), is_part=is_part)
        parts = (response.upload or {}).get("parts", [])
        if len(parts) == 1:
            self._storage = httpx.URL(parts[0]["url"])
            parts[0]["url"] = self.server.origin + self._storage.raw_path.decode()
        self._change(response)
        body = response.body if response.value is None else json.dumps(response.value).encode()
        response.headers["content-length"] = str(len(body))
        exchange.send(encode_head(response.status, response.headers.items()) + body)


class Response:
    """A response that can be changed."""

    def __init__(self, response: httpx.Response, *, is_part: bool) -> None:
        self.status, self.headers, self.body = response.status_code, dict(response.headers), response.content
        self.value: Any = None if is_part else response.json()
        self.is_part = is_part
        self.is_poll = response.request.method == "GET" and self.status == 200

    @property
    def upload(self) -> Any:
        return (self.value or {}).get("upload")


def check(base_url: str, folder: Path) -> tuple[int, str, Any]:
    """Run the command and return its exit status and both reports."""
    code = main(["--base-url", base_url, "--yes", "--out", str(folder)])
    return code, (folder / "report.md").read_text("utf-8"), json.loads((folder / "report.json").read_text("utf-8"))


def change_everything(response: Response) -> None:
    """Let a response differ in each way that leaves the steps after it possible."""
    if response.is_part:
        response.headers["etag"] = '"another"'
    elif response.status == 404:
        response.status = 410
    elif response.status == 401:
        response.headers["content-type"] = "text/html"
        response.value, response.body = None, b"<html>no</html>"
    elif response.status == 400:
        response.value = {"traceId": "1-2"}
    elif response.status == 269:
        response.headers["x-ratelimit-remaining"] = "7"
        response.value["creativeUnitsCost"] = "5"
    elif response.is_poll:
        response.upload.update(checksum="topsecret", kind="picture", jobId=7, fileSize=5, source=None)
        del response.upload["ownerId"]
    elif "parts" in response.upload:
        response.upload["parts"][0]["expires"] = "soon"
        del response.upload["partsCount"]


def test_sandbox_as_it_is_differs_in_nothing(box: Sandbox, tmp_path: Path) -> None:
    """As a program: it says what it will send, and the images arrive."""
    command = [sys.executable, "-m", "tools.live_check", "--base-url", box.base_url, "--yes", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "may cost" in done.stdout
    report = (tmp_path / "report.md").read_text("utf-8")
    assert report.endswith("## Proposed edits of the contract\n\nNone.\n")
    assert "large image: part 3: 200" in report


def test_every_difference_is_reported(box: Sandbox, tmp_path: Path) -> None:
    """With the edit that it proposes, by line; the exit status says that there are some."""
    with (changing := Changing(box, change_everything)).server:
        code, text, document = check(changing.base_url, tmp_path)
    assert code == 1
    found = {(found["kind"], found["place"].rpartition("/")[2]) for found in document["differences"]}
    assert found == {
        *[("etag", "url"), ("status", "responses"), ("media-type", "Unauthorized"), ("error-body", "BadRequest")],
        *[("header", "269"), ("type", "type"), ("undocumented-field", "Upload"), ("enum-value", "enum")],
        *[("late-field", "fileSize"), ("null", "UploadSource"), ("missing-field", "required"), ("time", "expires")],
        ("missing-field", "partsCount"),
    }
    assert document["problems"] == []
    edits = text.partition("## Proposed edits of the contract\n")[2]
    lines = (ROOT / "openapi.yaml").read_text("utf-8").splitlines()
    for difference in document["differences"]:
        assert f"`openapi.yaml:{difference['line']}` `{difference['place']}`: {difference['edit']}" in edits
        key = difference["place"].rpartition("/")[2]
        assert lines[difference["line"] - 1].strip().strip('"').startswith(key)


def test_reports_hold_no_id_and_no_secret(box: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever reads the summary of a job may read them."""
    seen: set[str] = set()

    def echo(response: Response) -> None:
        change_everything(response)
        if response.upload:
            seen.update(str(response.upload[name]) for name in ("id", "authorId", "entityId") if response.upload[name])
            seen.update(part["url"].partition("?")[2] for part in response.upload.get("parts", []))
            response.upload.update(token=box.api_secret, errorMessage=f"{box.api_key} of {response.upload['id']}")
            if response.is_poll:
                response.upload.update(status="failed")

    with (changing := Changing(box, echo)).server:
        code, text, document = check(changing.base_url, tmp_path)
    assert code == 1
    assert len(document["problems"]) == 2
    captured = capsys.readouterr()
    assert len(seen) > 6
    for shown in (text, json.dumps(document, ensure_ascii=False), captured.out, captured.err):
        for secret in (box.api_key, box.api_secret, "topsecret", "Signature=", *seen):
            assert secret not in shown


@pytest.mark.parametrize(
    ("is_poll", "problem"), [(False, "create: the response does not fit"), (True, "poll: Upload … was not imported")]
)
def test_a_body_that_does_not_fit_is_not_quoted(
    box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_poll: bool, problem: str
) -> None:
    """The comparison says what is wrong with it, and no word that it holds."""

    def change(response: Response) -> None:
        if response.is_poll == is_poll and (is_poll or "parts" in (response.upload or {})):
            response.value = {"other": "topsecret"}

    monkeypatch.setattr(run, "PATIENCE", 0.0)
    with (changing := Changing(box, change)).server:
        code, text, document = check(changing.base_url, tmp_path)
    assert code == 1
    assert document["problems"][0].startswith(f"small image: {problem}")
    assert "topsecret" not in text + json.dumps(document)


@pytest.mark.parametrize(("size", "parts"), [(run.SMALL, 1), (run.LARGE, 3)])
def test_images_are_images(size: tuple[int, int], parts: int) -> None:
    """PNG: chunks with their checksums, and as many bytes of pixels as the header says. The larger one has 11 MiB."""
    png = run.make_png(*size)
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(png):
        length, name = struct.unpack_from(">I4s", png, at)
        chunks[name] = png[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", png, at + 8 + length)[0] == zlib.crc32(name + chunks[name])
        at += 12 + length
    assert struct.unpack(">IIBBBBB", chunks[b"IHDR"]) == (*size, 8, 2, 0, 0, 0)
    assert len(zlib.decompress(chunks[b"IDAT"])) == size[1] * (1 + 3 * size[0])
    assert run.describe("x.png", len(png))["parts"] == parts
    assert parts == 1 or round(len(png) / 1024**2, 1) == 11


def fail(response: Response) -> None:
    if response.is_poll:
        response.upload.update(status="failed", errorMessage="The file is no image")


def stay(response: Response) -> None:
    if response.is_poll:
        response.upload.update(status="validating")


def refuse_part(response: Response) -> None:
    if response.is_part:
        response.status, response.body = 403, b"<Error><Code>AccessDenied</Code></Error>"


def refuse_create(response: Response) -> None:
    if response.upload and "parts" in response.upload:
        response.status, response.value = 403, {"reason": "The plan allows no more"}


UNDONE = {
    "an upload fails": (fail, "poll: Upload … failed: The file is no image"),
    "polling does not end": (stay, "poll: Upload … was not imported within 0 s; the status was 'validating'"),
    "storage refuses": (refuse_part, "part 1: storage answered 403, AccessDenied"),
    "a plan's limit": (refuse_create, "create: "),
}


@pytest.mark.parametrize("name", UNDONE)
def test_what_cannot_be_done_is_told(box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The contract allows it, so that it is no difference, but the comparison is not whole either."""
    change, problem = UNDONE[name]
    monkeypatch.setattr(run, "PATIENCE", 0.0)
    monkeypatch.setattr(run, "LARGE", (64, 64))
    with (changing := Changing(box, change)).server:
        code, text, document = check(changing.base_url, tmp_path)
    assert code == 2, document["differences"]
    assert any(problem in line for line in document["problems"])
    assert problem in text.partition("## What could not be done")[2]
    assert "not everything could be done" in document["verdict"]
    # The other steps were done.
    assert document["responses"][-1]["step"] == "create without its fields"


def test_wrong_credentials_end_it(box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first request, which made nothing."""
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "no-secret-of-this-box")
    code, _, document = check(box.base_url, tmp_path)
    assert code == 2
    assert [response["step"] for response in document["responses"]] == ["dry run"]
    (problem,) = document["problems"]
    assert "Unauthorized" in problem


def test_no_service_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As do no credentials and a URL that is none: each says so, and exits with 2."""
    with Server(lambda exchange: exchange.reset()) as gone:
        code, _, document = check(f"{gone.origin}/v1", tmp_path)
    assert (code, len(document["problems"])) == (2, 1)
    assert main(["--base-url", "ftp://example.com", "--yes", "--out", str(tmp_path)]) == 2
    assert "base_url must be an http or https URL" in capsys.readouterr().err
    monkeypatch.delenv("SCENARIO_SDK_API_SECRET")
    assert main(["--yes", "--out", str(tmp_path)]) == 2
    assert "SCENARIO_SDK_API_SECRET" in capsys.readouterr().err


def test_nothing_is_sent_without_a_word(box: Sandbox, tmp_path: Path) -> None:
    """Where nobody can be asked, YES=1 has to say it; on a terminal anything but yes is no."""
    with Server(lambda exchange: exchange.reset()) as server:
        command = [
            sys.executable,
            "-m",
            "tools.live_check",
            "--base-url",
            f"{server.origin}/v1",
            "--out",
            str(tmp_path),
        ]
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert "may cost" in done.stdout
        assert "YES=1" in done.stderr
        terminal, child = pty.openpty()
        os.write(terminal, b"n\n")
        done = subprocess.run(command, cwd=ROOT, stdin=child, capture_output=True, text=True, check=False)
        os.close(terminal)
        os.close(child)
        assert done.returncode == 2
        assert "Go on? [y/N]" in done.stdout
        assert server.requests == []
    assert list(tmp_path.iterdir()) == []
