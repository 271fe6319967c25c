"""The life of a sandbox: what it takes, and that it leaves nothing behind."""

import gc
import importlib
import socket
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from scenario_uploads.sandbox import Sandbox, SandboxError
from scenario_uploads.sandbox.server import BackgroundServer, open_socket

from tests.support.interrupts import interrupt, start


def find_sockets() -> set[str]:
    """Return the sockets that this process has open, by the kernel's names of them."""
    links = list(Path("/proc/self/fd").iterdir())
    return {name for link in links if link.is_symlink() and (name := str(link.readlink())).startswith("socket:")}


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors through /proc")


@needs_proc
def test_close_leaves_no_thread_socket_or_folder(sender_to, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    gc.collect()
    threads, sockets = set(threading.enumerate()), find_sockets()
    box = Sandbox()
    box.start()
    folder = box.folder
    sender = sender_to(box)
    sender.send(b"glTF")
    sender.create(4)  # and one that is never finished
    assert {"sandbox-api", "sandbox-storage"} <= {thread.name for thread in set(threading.enumerate()) - threads}
    assert find_sockets() - sockets
    sender.close()
    box.close()
    assert (set(), set()) == (set(threading.enumerate()) - threads, find_sockets() - sockets)
    assert not folder.exists()
    assert list(tmp_path.iterdir()) == []
    box.close()


def test_what_other_machines_need_to_know_is_told_at_the_start(monkeypatch, caplog):
    with Sandbox() as box:
        assert box.is_local
    assert "allow_http_storage" not in caplog.text
    monkeypatch.setattr("scenario_uploads.sandbox.box.is_loopback", lambda _host: False)
    with Sandbox(allow_remote=True) as box:
        assert not box.is_local
    assert "allow_http_storage=True, SCENARIO_ALLOW_HTTP_STORAGE=1 or --allow-http-storage" in caplog.text


@needs_proc
def test_close_does_not_wait_for_half_a_part(sender_to, caplog, until):
    sockets = find_sockets()
    with Sandbox() as box:
        sender = sender_to(box)
        part = httpx.URL(sender.create(100)["parts"][0]["url"])
        sock = socket.create_connection((part.host, part.port))
        head = (
            f"PUT {part.raw_path.decode()} HTTP/1.1\r\nHost: {part.netloc.decode()}\r\nContent-Length: 100\r\n\r\nglTF"
        )
        sock.sendall(head.encode())
        until(lambda: any(box.folder.glob(".nanio/multipart/*/parts/000001.bin.tmp")))
        sender.close()
    sock.close()
    assert set() == find_sockets() - sockets
    assert [record.getMessage() for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []


def test_close_while_an_upload_is_processed_is_quick_and_quiet(sender_to, caplog):
    with Sandbox(step_delay=3600) as box:
        sender = sender_to(box)
        created = sender.create(4)
        sender.put_parts(created, [b"glTF"])
        assert sender.complete(created["id"]).status_code == 200
    assert [record.getMessage() for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []


def test_close_gives_an_answer_under_way_a_second_and_no_more(sender_to):
    threads = set(threading.enumerate())
    box = Sandbox()
    box.start()
    sender = sender_to(box)
    url = httpx.URL(box.base_url)
    sock = socket.create_connection((url.host, url.port))
    sock.sendall(b"POST /v1/uploads HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nAuthorization: Bearer ")
    sock.sendall(box.bearer_token.encode() + b"\r\n\r\n{")
    assert sender.api.get("/uploads/x").status_code == 404
    box.close()
    sock.close()
    assert set() == set(threading.enumerate()) - threads


@pytest.mark.posix
def test_given_folder_is_made_private_and_kept(tmp_path, sender_to):
    folder = tmp_path / "deep" / "folder"
    folder.mkdir(parents=True, mode=0o755)
    with Sandbox(folder=str(folder), step_delay=0) as box:
        assert stat.S_IMODE(box.folder.stat().st_mode) == 0o700
        sender = sender_to(box)
        ended = sender.send(b"glTF")
        pending = sender.create(4)
        sender.put_parts(pending, [b"glTF"])
    assert b"".join(box.read_file(ended["id"])) == b"glTF"
    assert folder.resolve() / "scenario-uploads" / ended["id"] == box.file_path(ended["id"])
    assert list(folder.glob(".nanio/multipart/*")) == []


@pytest.mark.posix
def test_temporary_folder_is_private(box):
    assert stat.S_IMODE(box.folder.stat().st_mode) == 0o700


def test_folder_that_is_a_file_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SandboxError, match="cannot use the folder"):
        Sandbox(folder=tmp_path / "file").start()


@pytest.mark.parametrize("option", ["port", "storage_port"])
def test_port_in_use_is_a_clear_error_and_leaves_nothing(option):
    threads = set(threading.enumerate())
    with open_socket("127.0.0.1", 0, "port") as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SandboxError, match=f"port {port} is in use; choose another with {option}="):
            Sandbox(**{option: port}).start()
    assert set() == set(threading.enumerate()) - threads
    with Sandbox(**{option: port}):
        pass


def test_host_of_another_machine_is_a_clear_error():
    with pytest.raises(SandboxError, match=r"cannot listen on 192\.0\.2\.1 port 0"):
        Sandbox(host="192.0.2.1", allow_remote=True).start()


def test_responses_do_not_wait_for_acknowledgements():
    with open_socket("127.0.0.1", 0, "port") as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "::1"])
def test_every_loopback_host_serves(host, sender_to):
    try:
        open_socket(host, 0, "port").close()
    except SandboxError as error:
        pytest.skip(str(error))
    with Sandbox(host=host, step_delay=0) as box:
        assert sender_to(box).send(b"glTF")["status"] == "imported"


def test_sandbox_runs_once():
    box = Sandbox()
    assert repr(box) == "<Sandbox not started>"
    for name in ("base_url", "folder"):
        with pytest.raises(SandboxError, match="not started"):
            getattr(box, name)
    with box, pytest.raises(SandboxError, match="only once"):
        box.start()
    with pytest.raises(SandboxError, match="only once"):
        box.start()


def test_close_before_start_ends_it():
    box = Sandbox()
    box.close()
    with pytest.raises(SandboxError, match="only once"):
        box.start()


def test_wait_returns_when_another_thread_closes():
    with Sandbox() as box, ThreadPoolExecutor(1) as pool:
        assert box.wait(0) is False
        waiting = pool.submit(box.wait)
        box.close()
        assert waiting.result(5) is True


def test_given_credentials_are_the_ones(sender_to):
    with Sandbox(api_key="mine", api_secret="secret") as box:
        assert (box.api_key, box.api_secret) == ("mine", "secret")
        assert sender_to(box).api.get("/uploads/x").status_code == 404


def test_two_sandboxes_share_nothing(box, sender, sender_to):
    created = sender.create(4)
    with Sandbox() as other:
        assert other.api_key != box.api_key
        assert other.api_secret != box.api_secret
        assert sender_to(other).api.get(f"/uploads/{created['id']}").status_code == 404


def test_file_of_an_upload_without_one_is_a_clear_error(box, sender):
    for upload_id in ("upload_unknown", "../../etc/passwd", sender.create(4)["id"]):
        with pytest.raises(SandboxError, match="the sandbox has no file of upload"):
            box.sha256(upload_id)


def test_failure_of_the_server_thread_is_a_clear_error():
    listener = open_socket("127.0.0.1", 0, "port")
    server = BackgroundServer("no.such:app", listener, name="broken", is_patient=True)  # type: ignore[arg-type]
    with pytest.raises(SandboxError, match="the server broken did not start"):
        server.start()
    assert listener.fileno() == -1


LEFT_OPEN = """
from scenario_uploads.sandbox import Sandbox
box = Sandbox()
box.start()
print(box.folder, flush=True)
"""


def test_program_that_ends_without_close_leaves_no_folder():
    run = subprocess.run([sys.executable, "-c", LEFT_OPEN], capture_output=True, text=True, check=True)
    assert run.stderr == ""
    assert not Path(run.stdout.strip()).exists()


WAITS = """
from scenario_uploads.sandbox import Sandbox
try:
    with Sandbox() as box:
        print(box.folder, flush=True)
        box.wait()
except KeyboardInterrupt:
    print("closed")
"""


def test_ctrl_c_ends_a_program_that_waits():
    with start(WAITS) as process:
        folder = Path(process.stdout.readline().strip())
        assert folder.is_dir()
        interrupt(process)
        output, errors = process.communicate()
    assert (output, errors, process.returncode) == ("closed\n", "", 0)
    assert not folder.exists()


def forget_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("scenario_uploads.sandbox")]:
        monkeypatch.delitem(sys.modules, name)


def test_missing_extra_says_what_to_install(monkeypatch):
    forget_sandbox(monkeypatch)
    monkeypatch.setitem(sys.modules, "nanio.app", None)
    with pytest.raises(ImportError, match=r"needs the package 'nanio'.*pip install '\.\[sandbox\]'"):
        importlib.import_module("scenario_uploads.sandbox")


def test_missing_module_of_ours_is_not_taken_for_a_missing_extra(monkeypatch):
    forget_sandbox(monkeypatch)
    monkeypatch.setitem(sys.modules, "scenario_uploads.sandbox.box", None)
    with pytest.raises(ModuleNotFoundError, match="halted"):
        importlib.import_module("scenario_uploads.sandbox")
