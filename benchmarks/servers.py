"""A workspace in memory, and the servers in it, which end with it."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import field, frozen

from benchmarks.bench import BenchError, stop
from benchmarks.environment import FOLDER, ROOT, MissingError, find_tool, require
from benchmarks.service import UPLOAD

MEMORY_FOLDER = Path("/dev/shm")
BLOCK = 1024 * 1024


@contextlib.contextmanager
def run_server(module: str, *arguments: str, prefix: Sequence[str] = ()) -> Iterator[Any]:
    """Run a module that prints one line of JSON once it listens, and give that."""
    process = subprocess.Popen(
        [*prefix, sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        start_new_session=True,
    )
    try:
        assert process.stdout
        line = process.stdout.readline()
        if not line:
            raise BenchError(f"{module} did not start")
        yield json.loads(line)
    finally:
        stop(process)


@frozen
class Workspace:
    """A folder in memory with a certificate; it is deleted at the end."""

    folder: Path

    @property
    def certificate(self) -> Path:
        """The certificate of the TLS server, which everyone is told to trust."""
        return self.folder / "cert.pem"

    @property
    def environ(self) -> dict[str, str]:
        """The environment of every contender: one trust, an empty home, no proxy, no settings of its user."""
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "TMPDIR")}
        # On a disk like the real one: a ledger is written there, and what that costs is measured too.
        return kept | {"SSL_CERT_FILE": str(self.certificate), "NO_PROXY": "*", "HOME": str(FOLDER / "home")}

    def make_source(self, size: int) -> Path:
        """Return a file of random bytes."""
        path = self.folder / f"source-{size}.zip"
        if not path.exists():
            self.require_space(size)
            with path.open("wb") as file:
                block = os.urandom(16 * BLOCK)
                for at in range(0, size, len(block)):
                    file.write(block[: size - at])
        return path

    def make_sparse(self, size: int) -> Path:
        """Return a file that is one hole: it takes no memory, and its bytes are zero."""
        path = self.folder / f"sparse-{size}.zip"
        with path.open("wb") as file:
            file.truncate(size)
        return path

    def require_space(self, size: int) -> None:
        """Look for room in memory.

        Raises:
            MissingError: When there is less than `size` bytes.
        """
        free = shutil.disk_usage(self.folder).free
        if free < size:
            raise MissingError(f"{size / 2**30:.1f} GiB are needed in {MEMORY_FOLDER}, and {free / 2**30:.1f} are free")


@contextlib.contextmanager
def open_workspace(*names: str) -> Iterator[Workspace]:
    """Make a workspace; `names` are further addresses of the certificate."""
    require("openssl")
    folder = Path(tempfile.mkdtemp(prefix="scenario-uploads-bench-", dir=MEMORY_FOLDER))
    try:
        workspace = Workspace(folder)
        alternatives = ",".join(f"IP:{name}" for name in ("127.0.0.1", *names))
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        command += ["-days", "2", "-subj", "/CN=bench", "-addext", f"subjectAltName={alternatives}"]
        command += ["-addext", "keyUsage=critical,digitalSignature,keyCertSign"]
        command += ["-keyout", str(folder / "key.pem"), "-out", str(workspace.certificate)]
        subprocess.run(command, check=True, capture_output=True)
        yield workspace
    finally:
        shutil.rmtree(folder)


NGINX = """
{user}
worker_processes auto;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_max_body_size 0;
  client_body_buffer_size 1m;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/temporary;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  default_type application/json;
  server {{
    listen {host}:{http};
    listen {host}:{tls} ssl;
    ssl_certificate {folder}/cert.pem;
    ssl_certificate_key {folder}/key.pem;
    root {folder}/stored;
    location /put/ {{ dav_methods PUT; create_full_put_path on; }}
    location = /v1/uploads/upload_bench {{ return 200 '{upload}'; }}
    location / {{ proxy_pass http://{host}:{api}; proxy_http_version 1.1; }}
  }}
}}
"""


@frozen
class Servers:
    """nginx, which keeps parts in memory, and `benchmarks.service` behind it.

    Attributes:
        storage: The URL that parts go to, by scheme: `http` or `tls`.
        api: The base URL of the API by where its parts go: `http`, `tls` or `sink`.
        call: The base URL where nginx itself answers `retrieve`.
        service: Where the sink's counts are read.
    """

    workspace: Workspace = field(repr=False)
    storage: dict[str, str]
    api: dict[str, str]
    call: str
    service: str

    def clear(self) -> None:
        """Delete what has been stored, so that everyone begins with the same memory."""
        for path in (self.workspace.folder / "stored").rglob("part*"):
            path.unlink()


@contextlib.contextmanager
def run_servers(workspace: Workspace, *, host: str = "127.0.0.1", prefix: Sequence[str] = ()) -> Iterator[Servers]:
    """Start nginx and the service, perhaps by a command that puts them elsewhere.

    Raises:
        BenchError: When nginx does not start.
    """
    require("nginx")
    http, tls = _find_ports(2)
    storage = {"http": f"http://{host}:{http}/put", "tls": f"https://{host}:{tls}/put"}
    targets = [f"--target={name}={url}" for name, url in storage.items()]
    with contextlib.ExitStack() as stack:
        ports = stack.enter_context(run_server("benchmarks.service", "--host", host, *targets, prefix=prefix))
        configuration = _configure(workspace, host, http, tls, ports)
        nginx = subprocess.Popen([*prefix, str(find_tool("nginx")), "-c", str(configuration)], start_new_session=True)
        stack.callback(stop, nginx)
        _wait_for_pid(workspace.folder / "nginx.pid", nginx, workspace.folder / "nginx.log")
        yield Servers(
            workspace,
            storage,
            {
                "http": f"http://{host}:{ports['api']}/http/v1",
                "tls": f"https://{host}:{tls}/tls/v1",
                "sink": f"http://{host}:{ports['api']}/sink/v1",
            },
            f"http://{host}:{http}/v1",
            f"http://{host}:{ports['api']}",
        )


def _configure(workspace: Workspace, host: str, http: int, tls: int, ports: Mapping[str, int]) -> Path:
    (workspace.folder / "stored").mkdir()
    # A master that is root gives its workers away to nobody, who could not write here.
    user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
    upload = json.dumps({"upload": UPLOAD})
    path = workspace.folder / "nginx.conf"
    path.write_text(
        NGINX.format(
            user=user, folder=workspace.folder, host=host, http=http, tls=tls, api=ports["api"], upload=upload
        ),
        encoding="utf-8",
    )
    return path


def _find_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        return [stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(count)]


def _wait_for_pid(path: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until nginx listens: only then it writes down its process id."""
    while not path.exists():
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
            lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
            raise BenchError(f"nginx did not start: {lines[-1] if lines else 'see above'}")
