"""The command line, as a user and a script see it."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from scenario_uploads import __main__
from scenario_uploads.cli import commands as cli
from scenario_uploads.cli import terminal
from scenario_uploads.lines import Lines
from scenario_uploads.progress import OnProgress, UploadProgress
from scenario_uploads.sandbox import Sandbox
from scenario_uploads.system import FileState, find_state_folder
from scenario_uploads.upload.ledger import SUFFIX, Entry, Ledger

from tests.support import interrupts
from tests.support.folders import move_state
from tests.support.server import Server
from tests.support.service import Service
from tests.support.storing import store

MIB = 1024 * 1024
COMMAND = [sys.executable, "-m", "scenario_uploads"]


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(step_delay=0.01) as sandbox:
        yield sandbox


@pytest.fixture
def environment(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCENARIO_BASE_URL", box.base_url)
    monkeypatch.setenv("SCENARIO_SDK_API_KEY", box.api_key)
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", box.api_secret)
    monkeypatch.delenv("SCENARIO_SDK_JWT", raising=False)


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SCENARIO_BASE_URL", "SCENARIO_SDK_API_KEY", "SCENARIO_SDK_API_SECRET", "SCENARIO_SDK_JWT"):
        monkeypatch.delenv(name, raising=False)


def watch(monkeypatch: pytest.MonkeyPatch, on_progress: OnProgress) -> None:
    """Have the display call this with the progress of each file, instead of showing it."""

    class Watch(Lines):
        def follow(self, _name: str) -> OnProgress:  # type: ignore[override]
            return on_progress

    monkeypatch.setattr("scenario_uploads.display.open_display", Watch)


def interrupt(event: UploadProgress) -> None:
    if event.parts_done == 2:
        raise KeyboardInterrupt


def make_glb(path: Path, size: int) -> Path:
    """Write a file that begins as a GLB does."""
    head = b"glTF" + (2).to_bytes(4, "little") + size.to_bytes(4, "little")
    path.write_bytes(head + os.urandom(size - len(head)))
    return path


@pytest.mark.usefixtures("environment")
def test_upload_prints_the_entity_and_stores_the_same_bytes(
    box: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = make_glb(tmp_path / "dragon.glb", 11 * MIB)

    code = cli.run(["upload", str(file), "--part-size", str(5 * MIB)])

    shown = dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines())
    assert code == 0
    assert shown["status"] == "imported"
    assert shown["entityId"].startswith("asset_")
    assert box.sha256(shown["upload"]) == hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.usefixtures("environment")
def test_without_a_terminal_progress_is_plain_lines_on_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.run(["upload", str(make_glb(tmp_path / "dragon.glb", MIB))])

    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "dragon.glb: 0.0/1.0 MiB"
    assert lines[-3:] == ["dragon.glb: completing", "dragon.glb: waiting for the import", "dragon.glb: done"]


@pytest.mark.usefixtures("environment")
def test_json_is_one_object_on_stdout_and_silence_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.run(["upload", str(make_glb(tmp_path / "a.glb", 1000)), "--json"])

    captured = capsys.readouterr()
    assert code == 0
    assert captured.err == ""
    assert captured.out.count("\n") == 1
    assert json.loads(captured.out)["status"] == "imported"
    assert "entityId" in json.loads(captured.out)


@pytest.mark.usefixtures("environment")
def test_no_wait_returns_before_the_import_and_wait_and_status_follow_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = make_glb(tmp_path / "a.glb", 1000)
    assert cli.run(["upload", str(file), "--no-wait", "--json"]) == 0
    upload = json.loads(capsys.readouterr().out)

    assert cli.run(["wait", upload["id"], "--timeout", "30", "--json"]) == 0
    waited = json.loads(capsys.readouterr().out)
    assert cli.run(["status", upload["id"]]) == 0
    shown = capsys.readouterr().out

    assert upload["status"] != "imported"
    assert waited["status"] == "imported"
    assert shown == f"upload: {upload['id']}\nstatus: imported\nentityId: {waited['entityId']}\n"


@pytest.mark.usefixtures("environment")
def test_a_file_that_is_not_what_it_claims_to_be_fails_with_the_reason_and_exit_code_6(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "picture.png"
    file.write_bytes(b"no picture at all")

    assert cli.run(["upload", str(file)]) == 6
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(f"error: {file}: Upload upload_")
    upload_id = error.split()[3]

    assert cli.run(["status", upload_id]) == 0
    assert "status: failed\nerror: " in capsys.readouterr().out


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["status", "upload_unknown"], 4, "upload_unknown"),
        (["status", ".."], 2, "not an upload id"),
        (["wait", "upload_unknown", "--timeout", "-1"], 2, "timeout"),
        (["upload", "{empty}"], 2, "empty"),
        (["upload", "{folder}"], 2, "is a folder"),
        (["upload", "{missing}"], 2, "does not exist"),
        (["upload", "{unknown}"], 2, "give --kind, such as"),
        (["upload", "{unknown}", "--kind", "picture"], 2, "picture"),
        (["upload", "{empty}", "--part-size", "many"], 2, "many"),
        (["upload", "{empty}", "--sandbox", "--base-url", "http://127.0.0.1:1"], 2, "not both"),
        (["upload"], 2, "PATH"),
        (["frobnicate"], 2, "frobnicate"),
        (["status", "x", "--base-url", "ftp://example.com"], 2, "--base-url must"),
        (["status", "x", "--base-url", "http://127.0.0.1:1/v1"], 4, "no response from 127.0.0.1"),
    ],
)
def test_errors_are_one_line_on_stderr_with_the_documented_exit_code(
    arguments: list[str],
    code: int,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    (tmp_path / "empty.glb").touch()
    (tmp_path / "file.xyzzy").write_bytes(b"?")
    places = {
        "{empty}": tmp_path / "empty.glb",
        "{folder}": tmp_path,
        "{missing}": tmp_path / "missing.glb",
        "{unknown}": tmp_path / "file.xyzzy",
    }

    result = cli.run([str(places.get(argument, argument)) for argument in arguments])

    captured = capsys.readouterr()
    assert result == code
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert captured.err.startswith("error: ")
    assert message in captured.err


@pytest.mark.usefixtures("no_credentials")
def test_missing_credentials_exit_with_3_and_name_the_variables(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["status", "upload_1"]) == 3
    assert "SCENARIO_SDK_API_KEY" in capsys.readouterr().err


@pytest.mark.usefixtures("environment")
def test_refused_credentials_exit_with_3(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "not-the-secret")

    assert cli.run(["status", "upload_1"]) == 3
    assert "not-the-secret" not in capsys.readouterr().err


@pytest.mark.usefixtures("no_credentials")
def test_the_sandbox_option_needs_no_credentials(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["upload", str(make_glb(tmp_path / "a.glb", 1000)), "--sandbox", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "imported"


def test_a_deadline_that_passes_exits_with_7(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(step_delay=60) as slow:
        monkeypatch.setenv("SCENARIO_SDK_API_KEY", slow.api_key)
        monkeypatch.setenv("SCENARIO_SDK_API_SECRET", slow.api_secret)
        file = make_glb(tmp_path / "a.glb", 1000)

        assert cli.run(["upload", str(file), "--timeout", "0", "--base-url", slow.base_url]) == 7
    assert "wait again" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.usefixtures("environment")
def test_a_file_that_grows_while_it_is_sent_exits_with_5(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = make_glb(tmp_path / "a.glb", 1000)

    def grow(event: UploadProgress) -> None:
        if event.bytes_done == 0:
            with file.open("ab") as out:
                out.write(b"more")

    watch(monkeypatch, grow)

    assert cli.run(["upload", str(file)]) == 5
    error = capsys.readouterr().err
    assert error.startswith(f"error: {file}: The file changed while it was being sent")
    assert "(upload upload_" in error
    assert "goes on" not in error


@pytest.mark.usefixtures("environment")
def test_29_what_stopped_is_listed_taken_up_and_forgotten(
    box: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    move_state(monkeypatch, tmp_path / "state")
    file = make_glb(tmp_path / "dragon.glb", 11 * MIB)
    command = ["upload", str(file), "--part-size", str(5 * MIB), "--concurrency", "1"]

    with monkeypatch.context() as patch:
        watch(patch, interrupt)
        assert cli.run(command) == 130
    goes_on = "The same command goes on from where it stopped."
    assert capsys.readouterr().err == f"error: {file}: interrupted. {goes_on}\n"

    assert cli.run(["resume", "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)["uploads"]
    assert (listed["parts"], listed["size"]) == (3, 11 * MIB)
    # The last part may have arrived while the command stopped.
    done = listed["partsDone"]
    assert done in (2, 3)
    assert cli.run(["resume"]) == 0
    assert capsys.readouterr().out.startswith(f"{file}: {done} of 3 parts sent (upload upload_")

    assert cli.run([*command, "--json"]) == 0
    captured = capsys.readouterr()
    upload = json.loads(captured.out)
    told = captured.err.splitlines()
    assert told.pop(0) == f"'dragon.glb': Upload {listed['id']} is resumed: {done} of 3 parts are stored."
    # Windows has no change times.
    compared = ["'dragon.glb': The file may have changed, so the sent parts are compared with it."]
    assert told == compared * (os.name == "nt")
    assert upload["id"] == listed["id"]
    assert box.sha256(upload["id"]) == hashlib.sha256(file.read_bytes()).hexdigest()
    assert cli.run(["resume"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("environment")
def test_what_stopped_can_be_forgotten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    move_state(monkeypatch, tmp_path)
    folder = find_state_folder()
    folder.mkdir(parents=True)
    (folder / f"damaged{SUFFIX}").write_text("?")
    with closing(Ledger(folder / f"in use{SUFFIX}")) as ledger:
        ledger.begin(Entry("upload_1", "/f", FileState(1, 1), 1, (("https://a/1", ""),)))
        assert cli.run(["resume", "--clean"]) == 0
        assert capsys.readouterr().out == "1 removed\n"
        assert list(folder.glob(f"*{SUFFIX}")) == [ledger.path]
        assert cli.run(["resume", "--clean", "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == {"removed": 0}


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out.strip()
    assert cli.run(["upload", "--help"]) == 0
    assert "--no-wait" in capsys.readouterr().out
    assert cli.run([]) == 2
    assert "Exit codes" in capsys.readouterr().out


def test_a_fault_of_our_own_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("scenario_uploads.cli.connect.Scenario", fail)
    with pytest.raises(ZeroDivisionError):
        cli.run(["status", "x"])


def test_the_command_says_what_to_install_when_its_extra_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "scenario_uploads.cli.commands")
    monkeypatch.setitem(sys.modules, "typer", None)

    with pytest.raises(SystemExit) as exit_:
        __main__.main()

    assert exit_.value.code == 2
    assert "pip install '.[cli]'" in capsys.readouterr().err


@pytest.mark.usefixtures("no_credentials")
def test_the_sandbox_says_what_to_install_when_its_extra_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "scenario_uploads.sandbox", None)

    assert cli.run(["upload", str(make_glb(tmp_path / "a.glb", 100)), "--sandbox"]) == 2
    assert "The sandbox is not installed" in capsys.readouterr().err


@pytest.mark.posix
def test_on_a_terminal_a_bar_shows_progress(tmp_path: Path, box: Sandbox) -> None:
    # What a file is called is no command to the terminal.
    file = make_glb(tmp_path / "dragon.glb\x1b]0;PWNED\x1b\\\x1b[41m\x9b2J\u202e.glb", 6 * MIB)
    parent, child = pytest.importorskip("pty").openpty()
    environment = os.environ | {
        "SCENARIO_SDK_API_KEY": box.api_key,
        "SCENARIO_SDK_API_SECRET": box.api_secret,
        "TERM": "xterm",
        "COLUMNS": "100",
    }
    with subprocess.Popen(
        [*COMMAND, "upload", str(file), "--base-url", box.base_url, "--file-name", "dragon.glb"],
        stdout=subprocess.PIPE,
        stderr=child,
        env=environment,
    ) as process:
        os.close(child)
        shown = b""
        while chunk := _read(parent):
            shown += chunk
        output = process.communicate()[0].decode()
    os.close(parent)

    assert process.returncode == 0
    assert "status: imported" in output
    assert b"dragon.glb" in shown
    for sequence in (b"\x1b]0;", b"\x1b[41m", "\x9b".encode(), "\u202e".encode()):
        assert sequence not in shown


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # what Linux says when the last writer of a terminal has gone
        return b""


def test_27_ctrl_c_stops_the_upload_with_130(tmp_path: Path, box: Sandbox) -> None:
    file = tmp_path / "large.glb"
    with file.open("wb") as out:
        out.write(b"glTF")
        out.truncate(2048 * MIB)
    environment = os.environ | {"SCENARIO_SDK_API_KEY": box.api_key, "SCENARIO_SDK_API_SECRET": box.api_secret}
    code = "import runpy; runpy.run_module('scenario_uploads', run_name='__main__')"
    with interrupts.start(code, "upload", str(file), "--base-url", box.base_url, env=environment) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("large.glb: 0.0/2.0 GiB")
        interrupts.interrupt(process)
        out_, error = process.communicate()

    assert process.returncode == 130
    assert out_ == ""
    assert error.splitlines()[-1].startswith(f"error: {file}: interrupted. The same command goes on")
    assert "Traceback" not in error


@pytest.mark.posix
def test_the_sandbox_command_serves_what_it_prints_until_it_is_told_to_stop(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "sandbox", "--port", "0", "--folder", str(tmp_path / "stored"), "--step-delay", "0.01"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _ in range(3)]
        given = dict(line.removeprefix("export ").split("=", 1) for line in lines)
        answer = httpx.get(
            given["SCENARIO_BASE_URL"] + "/uploads/upload_1",
            auth=(given["SCENARIO_SDK_API_KEY"], given["SCENARIO_SDK_API_SECRET"]),
        )
        assert process.stderr is not None
        page = process.stderr.readline().split()[-1]
        assert page == given["SCENARIO_BASE_URL"].removesuffix("v1")
        assert "<h1>Uploads</h1>" in httpx.get(page).text
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate()

    assert answer.status_code == 404
    assert process.returncode == 0
    assert "Traceback" not in error


def test_a_sandbox_for_other_machines_says_how_to_upload_to_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("scenario_uploads.sandbox.box.is_loopback", lambda _host: False)
    monkeypatch.setattr(Sandbox, "wait", lambda _box: True)
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert cli.run(["sandbox", "--port", "0", "--allow-remote"]) == 0
    finally:
        signal.signal(signal.SIGTERM, before)
    out, err = capsys.readouterr()
    assert "export SCENARIO_ALLOW_HTTP_STORAGE=1\n" in out
    assert "--allow-http-storage" in err


@pytest.mark.usefixtures("environment")
def test_plain_http_storage_is_sent_to_when_that_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(make_glb(tmp_path / "a.glb", 100))
    with Service() as service, Server(store) as storage:
        service.part_url = "http://storage.example/bucket/part-{number}?sig=1"
        monkeypatch.setenv("HTTP_PROXY", storage.origin)
        assert cli.run(["upload", file, "--base-url", service.url]) == 5
        assert "--allow-http-storage" in capsys.readouterr().err
        assert cli.run(["upload", file, "--base-url", service.url, "--allow-http-storage"]) == 0


def test_a_port_that_is_taken_is_one_line_and_exit_code_2(box: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    port = str(httpx.URL(box.base_url).port)
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert cli.run(["sandbox", "--port", port]) == 2
    finally:
        signal.signal(signal.SIGTERM, before)
    assert f"port {port} is in use; choose another with --port.\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--host", "192.0.2.1"], "--allow-remote lets them"),
        (["--step-delay", "-1"], "--step-delay must be"),
        (["--storage-port", "70000"], "--storage-port must be"),
    ],
)
def test_a_sandbox_that_cannot_start_says_so_in_words_of_the_command_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["sandbox", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_result_that_cannot_be_printed_is_one_line(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [*COMMAND, "upload", str(make_glb(tmp_path / "a.glb", 100)), "--sandbox", "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (result.returncode, result.stderr) == (1, "error: No space left on device\n")


@pytest.mark.usefixtures("no_credentials")
def test_the_embedded_sandbox_is_reached_without_the_proxy_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert cli.run(["upload", str(make_glb(tmp_path / "a.glb", 100)), "--sandbox", "--json"]) == 0


@pytest.mark.usefixtures("environment")
def test_a_proxy_that_cannot_be_used_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "ftp://user:secret@127.0.0.1:9")
    assert cli.run(["status", "upload_1"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ALL_PROXY must be the URL of an http, https or socks5 proxy")
    assert len(error.splitlines()) == 1
    assert "secret" not in error


def test_an_interrupt_before_the_command_line_is_there_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt() -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "run", interrupt)
    with pytest.raises(SystemExit) as exit_:
        __main__.main()
    assert exit_.value.code == 130
    assert capsys.readouterr().err == "error: interrupted\n"


@pytest.fixture(params=["SIGTERM", "SIGHUP"])
def ending(request: pytest.FixtureRequest) -> Iterator[signal.Signals]:
    """A signal that ends a process which does not handle it, in tests under nohup too."""
    number = getattr(signal, request.param)
    before = signal.signal(number, signal.SIG_DFL)
    yield number
    signal.signal(number, before)


@pytest.mark.posix
@pytest.mark.parametrize("ending", ["SIGHUP"], indirect=True)
def test_a_sandbox_leaves_nothing_behind_however_it_is_ended(tmp_path: Path, ending: signal.Signals) -> None:
    """SIGHUP comes when a terminal is closed. A second signal does not interrupt the removal."""
    with subprocess.Popen(
        [*COMMAND, "sandbox", "--port", "0"], stdout=subprocess.PIPE, env=os.environ | {"TMPDIR": str(tmp_path)}
    ) as process:
        assert process.stdout is not None
        for _ in range(3):
            process.stdout.readline()
        assert list(tmp_path.iterdir()) != []
        process.send_signal(ending)
        process.send_signal(ending)
        process.communicate()
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.posix
def test_a_terminal_may_be_closed_under_nohup(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with terminal.interrupt_on_signals():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.posix
@pytest.mark.parametrize("ending", ["SIGTERM"], indirect=True)
def test_a_command_that_is_told_to_end_leaves_no_sandbox_behind(tmp_path: Path, ending: signal.Signals) -> None:
    file = tmp_path / "large.glb"
    with file.open("wb") as out:
        out.write(b"glTF")
        out.truncate(2048 * MIB)
    environment = os.environ | {"TMPDIR": str(tmp_path / "temporary")}
    (tmp_path / "temporary").mkdir()
    with subprocess.Popen(
        [*COMMAND, "upload", str(file), "--sandbox"], stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith(b"large.glb: 0.0/2.0 GiB")
        process.send_signal(ending)
        shown = process.communicate()[1]
    assert process.returncode == 128 + ending, shown.decode()
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.posix
@pytest.mark.usefixtures("environment")
def test_one_that_is_told_to_end_says_so_as_at_an_interrupt(tmp_path: Path, ending: signal.Signals) -> None:
    file = tmp_path / "large.glb"
    with file.open("wb") as out:
        out.write(b"glTF")
        out.truncate(2048 * MIB)
    command = [*COMMAND, "upload", str(file), "--max-bandwidth", "1MB/s"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("large.glb: 0.0/2.0 GiB")
        process.send_signal(ending)
        error = process.communicate()[1]
    assert process.returncode == 128 + ending
    # So has a terminal its cursor back, too.
    assert error.splitlines()[-1] == f"error: {file}: interrupted. The same command goes on from where it stopped."


@pytest.mark.usefixtures("no_credentials")
def test_a_command_can_be_run_outside_the_main_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No signal can be handled there: those of the main thread stay as they are."""
    monkeypatch.setattr(Sandbox, "wait", lambda _box: True)
    file = str(make_glb(tmp_path / "a.glb", 100))
    with ThreadPoolExecutor(1) as pool:
        codes = [
            pool.submit(cli.run, arguments).result()
            for arguments in (["upload", file, "--sandbox"], ["sandbox", "--port", "0"])
        ]
    assert codes == [0, 0], capsys.readouterr().err


@pytest.mark.posix
@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("closed", ["2>&-", "2>/dev/full", ">&-", "2> >(head -1 >/dev/null)"])
def test_an_upload_needs_nobody_who_reads_its_progress(tmp_path: Path, closed: str) -> None:
    """A service may have no stderr, a pipe may end early: that is nothing to the file."""
    file = make_glb(tmp_path / "dragon.glb", 11 * MIB)
    command = f"exec {' '.join(COMMAND)} upload {file} --part-size {5 * MIB} {closed}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    if closed == ">&-":
        assert done.stderr.splitlines()[-1] == "dragon.glb: done"
    else:
        assert (done.stderr, "entityId: asset_" in done.stdout) == ("", True)


@pytest.mark.usefixtures("environment")
def test_names_that_an_encoding_lacks_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    move_state(monkeypatch, tmp_path)
    with closing(Ledger(find_state_folder() / f"a{SUFFIX}")) as ledger:
        ledger.begin(Entry("upload_1", "/tmp/é\u202e.png", FileState(1, 1), 1, (("https://a.example/", ""),)))
    done = subprocess.run(
        [*COMMAND, "resume"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "/tmp/\\xe9 .png: 0 of 1 parts sent (upload upload_1)\n"
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.usefixtures("environment")
class TestManyFiles:
    """Several files, folders and globs."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "refs"
        (folder / "deep").mkdir(parents=True)
        make_glb(folder / "a.glb", 100)
        make_glb(folder / "deep" / "b.glb", 100)
        (folder / "deep" / "c.tmp").write_bytes(b"half a file")
        return folder

    def test_a_folder_is_uploaded_once(self, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        call = ["upload", str(folder), "-r", "--exclude", "*.tmp", "--ledger", str(tmp_path / "ledger")]
        assert cli.run(call) == 0
        told = capsys.readouterr()
        assert sorted(line.split(": ")[0] for line in told.out.splitlines()) == [
            str(folder / "a.glb"),
            str(folder / "deep" / "b.glb"),
        ]
        assert told.err.splitlines()[-1] == "2 uploaded, 1 skipped (1 excluded), 0 failed"
        assert cli.run(call) == 0
        assert capsys.readouterr().out.count("(done before)") == 2

    def test_some_of_several_fail(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        paths = [str(folder / "a.glb"), str(folder / "deep" / "c.tmp"), str(folder / "deep" / "*.glb")]
        assert cli.run(["upload", *paths, "--no-ledger"]) == 8
        told = capsys.readouterr()
        assert "1 failed" in told.err
        assert f"error: {paths[1]}: The kind of" in told.err
        assert len(told.out.splitlines()) == 2

    def test_without_a_home_folder_it_is_said_what_to_give(
        self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOME", "")
        monkeypatch.delenv("XDG_STATE_HOME", raising=False)
        assert cli.run(["upload", str(folder), "-r", "--exclude", "*.tmp"]) == 0
        warning = "The next run will send finished files again: this user has no home folder; give --ledger PATH."
        assert capsys.readouterr().err.splitlines()[0] == warning

    def test_each_is_a_json_line_on_failure_too(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        paths = [str(folder / "a.glb"), str(folder / "deep" / "c.tmp")]
        assert cli.run(["upload", *paths, "--no-ledger", "--json"]) == 8
        told = {line["source"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
        assert told[paths[0]]["entityId"].startswith("asset_")
        assert told[paths[1]]["code"] == "SourceError"
        assert "kind" in told[paths[1]]["error"]

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["{folder}"], "give -r"),
            (["{folder}", "-r", "--file-name", "a.glb"], "for a single file"),
            (["{folder}", "-r", "--dask", "foo://scheduler"], "give an address such as tcp://scheduler:8786"),
        ],
    )
    def test_what_cannot_be_meant_is_said(
        self, folder: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.run(["upload", *(one.format(folder=folder) for one in arguments)]) == 2
        assert words in capsys.readouterr().err
