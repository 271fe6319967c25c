"""The sandbox is for its own machine, keeps to its folder, and takes only so much."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario_uploads.cli import commands as cli
from scenario_uploads.sandbox import Sandbox
from scenario_uploads.sandbox.api.wire import MAX_BODY_SIZE
from scenario_uploads.sandbox.storage.quota import DEFAULT_STORED, Quota

MIB = 1024 * 1024
FILE = {"fileName": "a.glb", "contentType": "model/gltf-binary", "kind": "3d"}


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(step_delay=0, api_key="key", api_secret="secret") as running:
        yield running


def connect(box: Sandbox) -> httpx.Client:
    return httpx.Client(base_url=box.base_url, auth=(box.api_key, box.api_secret), timeout=300, trust_env=False)


def list_listeners() -> set[tuple[str, int]]:
    """Return address and port of what this process listens on, as the kernel has it."""
    own = {str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.exists() or path.is_symlink()}
    found: set[tuple[str, int]] = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in own:
                address, _, port = fields[1].partition(":")
                found.add((address, int(port, 16)))
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel through /proc")
def test_it_listens_on_loopback_alone() -> None:
    """Both the API and the storage, as the kernel says."""
    before = list_listeners()
    with Sandbox() as box:
        ours = list_listeners() - before
        assert len(ours) == 2
        assert urlsplit(box.base_url).port in {port for _, port in ours}
        # 127.0.0.1, least significant byte first.
        assert {address for address, _ in ours} == {"0100007F"}


def send_raw(origin: str, head: str) -> bytes:
    """Send a request as it stands, since clients tidy up paths."""
    parts = urlsplit(origin)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=300) as sock:
        sock.sendall(head.replace("\n", "\r\n").encode("latin-1"))
        answer = b""
        while chunk := sock.recv(65536):
            answer += chunk
    return answer


TRICKS = [
    "/../../../../etc/passwd",
    "/..%2f..%2f..%2f..%2fetc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/..%5c..%5cetc%5cpasswd",
    "//etc/passwd",
    "/%00/etc/passwd",
    "/.nanio/multipart",
    "/etc/passwd%00.glb",
    "/%c0%ae%c0%ae/etc/passwd",
]


@pytest.mark.parametrize("trick", TRICKS)
def test_paths_of_the_api_that_climb_lead_nowhere(box: Sandbox, trick: str) -> None:
    before = sorted(box.folder.rglob("*"))
    for path in (f"/v1/uploads{trick}", f"/v1{trick}", trick):
        head = f"GET {path} HTTP/1.1\nHost: x\nAuthorization: Bearer {box.bearer_token}\nConnection: close\n\n"
        answer = send_raw(box.base_url, head)
        assert answer.split()[1] in (b"400", b"404"), answer
        assert b"root:" not in answer
    assert before == sorted(box.folder.rglob("*"))


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("trick", TRICKS)
def test_paths_of_the_storage_that_climb_lead_nowhere(box: Sandbox, trick: str, method: str) -> None:
    with connect(box) as client:
        created = client.post("/uploads", json={**FILE, "fileSize": 4, "parts": 1}).json()["upload"]
    before = sorted(box.folder.rglob("*"))
    signed = urlsplit(created["parts"][0]["url"])
    for path in (trick, f"{signed.path}{trick}", f"/scenario-uploads{trick}"):
        for query in ("", f"?{signed.query}"):
            answer = send_raw(
                f"http://{signed.netloc}",
                f"{method} {path}{query} HTTP/1.1\nHost: {signed.netloc}\nContent-Length: 0\nConnection: close\n\n",
            )
            assert answer.split()[1][:1] == b"4", answer
            assert b"root:" not in answer
    assert before == sorted(box.folder.rglob("*"))


@pytest.mark.parametrize(
    "name", ["../../etc/cron.d/x", "/etc/passwd", "..\\..\\x.glb", "a\0b.glb", ".", "..", "~root/x", "CON", "x" * 5000]
)
def test_a_file_name_is_never_a_path(box: Sandbox, name: str) -> None:
    """The file is called what its id says, whatever the name."""
    with connect(box) as client:
        answer = client.post("/uploads", json={**FILE, "fileName": name, "fileSize": 4, "parts": 1})
    if answer.status_code == 400:
        return
    upload = answer.json()["upload"]
    folder, _, name = upload["fileName"].rpartition("/")
    assert folder == f"uploads/{upload['id'].removeprefix('upload_')}"
    assert not set(name) & set("\\\0")
    assert name not in ("", ".", "..")
    assert urlsplit(upload["parts"][0]["url"]).path == f"/scenario-uploads/{upload['id']}"


class TestWhatItTakes:
    def test_is_bounded_by_default(self) -> None:
        assert Sandbox()._options.max_stored == DEFAULT_STORED == 64 * 1024**3

    def test_ends_at_the_limit_of_all_files_together(self) -> None:
        """Declared before, a file that does not fit is refused at once; undeclared, its parts are."""
        with Sandbox(step_delay=0, max_stored=10) as box, connect(box) as client:
            storage = httpx.Client(trust_env=False)

            def create(size: int) -> httpx.Response:
                return client.post("/uploads", json={**FILE, "fileSize": size, "parts": 1})

            def put(created: httpx.Response, content: bytes) -> httpx.Response:
                return storage.put(created.json()["upload"]["parts"][0]["url"], content=content)

            first, second = create(6), create(6)
            assert put(first, b"glTF__").status_code == 200
            refused = put(second, b"glTF__")
            assert (refused.status_code, "EntityTooLarge" in refused.text) == (400, True)
            reason = create(5).json()["reason"]
            assert reason == "The sandbox has room for 4 more bytes, not for 5: see max_stored"
            # What is sent again replaces what was there, and a refused part takes nothing.
            assert put(first, b"glTF01").status_code == 200
            assert put(second, b"glTF").status_code == 200
            assert create(1).status_code == 400
            storage.close()

    def test_counts_what_an_earlier_one_left(self, tmp_path: Path) -> None:
        with Sandbox(step_delay=0, folder=tmp_path / "box") as box:
            (box.folder / "left").write_bytes(bytes(100))
        with Sandbox(folder=tmp_path / "box", max_stored=150) as box, connect(box) as client:
            refused = client.post("/uploads", json={**FILE, "fileSize": 51, "parts": 1})
            assert refused.status_code == 400
            assert client.post("/uploads", json={**FILE, "fileSize": 40, "parts": 1}).status_code == 200

    def test_is_no_more_than_a_create_needs(self, box: Sandbox) -> None:
        with connect(box) as client:
            for name in ("x" * MAX_BODY_SIZE, "x" * 2 * MIB):
                answer = client.post("/uploads", json={**FILE, "fileName": name, "fileSize": 4, "parts": 1})
                assert (answer.status_code, answer.json()["reason"]) == (400, "The body has more than 65536 bytes")

    def test_leaves_nothing_of_a_create_that_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Otherwise a loop of them would fill the disk with empty folders."""
        with Sandbox() as box, connect(box) as client:
            monkeypatch.setattr(box._uploads, "_limit", 0)
            for _ in range(3):
                assert client.post("/uploads", json={**FILE, "fileSize": 4, "parts": 1}).status_code == 429
            assert list(box.folder.glob(".nanio/multipart/*")) == []

    def test_ends_with_the_command_lines_limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        given: dict[str, Any] = {}

        class Box:
            def __init__(self, **options: Any) -> None:
                given.update(options)
                raise RuntimeError

        monkeypatch.setattr("scenario_uploads.sandbox.Sandbox", Box)
        with pytest.raises(RuntimeError):
            cli.run(["sandbox", "--max-stored", "5"])
        assert given["max_stored"] == 5


NOTES = st.lists(
    st.tuples(st.sampled_from(["u", "v"]), st.sampled_from(["1", "2", "3"]), st.integers(0, 12)), max_size=40
)


@given(notes=NOTES, each=st.none() | st.integers(1, 20), total=st.none() | st.integers(1, 30), stored=st.integers(0, 9))
def test_a_quota_is_never_exceeded(
    notes: list[tuple[str, str, int]], each: int | None, total: int | None, stored: int
) -> None:
    """Whatever is sent, replaced or taken back, in whatever order."""
    quota = Quota(each, total, stored)
    sizes: dict[tuple[str, str], int] = {}
    for upload, part, size in notes:
        wanted = sizes | {(upload, part): size}
        fits = size <= sizes.get((upload, part), 0) or (
            (each is None or sum(known for (name, _), known in wanted.items() if name == upload) <= each)
            and (total is None or stored + sum(wanted.values()) <= total)
        )
        assert quota.note(upload, part, size) is fits
        sizes = wanted if fits else sizes
        assert quota.find(upload, part) == sizes.get((upload, part), 0)
        assert quota.left == (None if total is None else max(0, total - stored - sum(sizes.values())))
    assert {name for name, parts in quota._sizes.items() if parts} == {n for (n, _), size in sizes.items() if size}
