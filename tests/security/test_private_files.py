"""What is written on disk is its owner's alone, and nobody's tricks in a shared folder reach further."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from scenario_uploads.sandbox import Sandbox, SandboxError
from scenario_uploads.system import FileState
from scenario_uploads.upload.ledger import SUFFIX, Entry, Ledger, clean, list_entries

from tests.support.clients import Connect
from tests.support.server import reply
from tests.support.service import Service

ENTRY = Entry(
    "upload_1",
    "/data/a.glb",
    FileState(20, 7),
    10,
    (("https://a.example/1?sig=s", ""), ("https://a.example/2?sig=s", "")),
)


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """What the process allows others by default must not matter."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def write_ledger(folder: Path) -> Path:
    with closing(Ledger(folder / f"key{SUFFIX}")) as ledger:
        ledger.begin(ENTRY)
    return ledger.path


@pytest.mark.posix
@pytest.mark.usefixtures("umask")
def test_a_ledger_is_private_whatever_the_umask(tmp_path: Path) -> None:
    path = write_ledger(tmp_path / "state")
    assert (mode_of(path.parent), mode_of(path)) == (0o700, 0o600)


@pytest.mark.posix
def test_a_ledger_that_others_may_read_is_made_private(tmp_path: Path) -> None:
    path = write_ledger(tmp_path)
    path.chmod(0o666)
    with closing(Ledger(tmp_path / f"key{SUFFIX}")) as ledger:
        assert ledger.read() == ENTRY
    assert mode_of(path) == 0o600


@pytest.mark.posix
@pytest.mark.parametrize("umask", [0o000], indirect=True)
@pytest.mark.parametrize("connect", ["sync"], indirect=True)
@pytest.mark.parametrize("given", [True, False], ids=["given", "temporary"])
def test_the_sandbox_keeps_its_files_private_whatever_the_umask(
    umask: int, connect: Connect, tmp_path: Path, *, given: bool
) -> None:
    with Sandbox(folder=tmp_path / "box" if given else None, step_delay=0) as box:
        client = connect(box.base_url, api_key=box.api_key, api_secret=box.api_secret)
        upload = client.uploads.upload_file(b"glTF", file_name="a.glb")
        # Nobody else gets past the folder, so what is in it is out of reach.
        assert mode_of(box.folder) == 0o700
        path = box.file_path(upload.id)
        assert path is not None
        assert path.is_relative_to(box.folder)


class TestTricksWithLedgers:
    """In a folder that somebody else can write to, such as a shared one given as `resume=`."""

    def check_untouched(self, folder: Path, precious: Path, caplog: pytest.LogCaptureFixture) -> None:
        before = precious.read_bytes()
        with caplog.at_level(logging.WARNING, "scenario_uploads"), closing(Ledger(folder / f"key{SUFFIX}")) as ledger:
            assert ledger.read() is None
            ledger.begin(ENTRY)
            ledger.record(1)
        assert "cannot be used" in caplog.text
        assert precious.read_bytes() == before
        assert list(list_entries(folder)) == []

    @pytest.fixture
    def precious(self, tmp_path: Path) -> Path:
        (tmp_path / "precious").write_text("untouched")
        return tmp_path / "precious"

    @pytest.fixture
    def name(self, tmp_path: Path) -> Path:
        """The path of a ledger that is not there."""
        path = write_ledger(tmp_path / "shared")
        path.unlink()
        return path

    def test_a_link_is_not_followed(self, name: Path, precious: Path, caplog: pytest.LogCaptureFixture) -> None:
        name.symlink_to(precious)
        self.check_untouched(name.parent, precious, caplog)
        assert clean(name.parent) == 0

    def test_another_name_of_a_file_is_not_written_to(
        self, name: Path, precious: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        mode = mode_of(precious)
        name.hardlink_to(precious)
        self.check_untouched(name.parent, precious, caplog)
        assert mode_of(precious) == mode
        assert clean(name.parent) == 0

    @pytest.mark.posix
    def test_a_pipe_does_not_block(self, name: Path, precious: Path, caplog: pytest.LogCaptureFixture) -> None:
        os.mkfifo(name)
        self.check_untouched(name.parent, precious, caplog)

    @pytest.mark.posix
    def test_a_ledger_of_somebody_else_is_not_used(
        self, name: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its URLs may lead the bytes to whoever wrote it."""
        write_ledger(name.parent)
        monkeypatch.setattr(os, "geteuid", lambda: name.stat().st_uid + 1)
        self.check_untouched(name.parent, name, caplog)
        assert clean(name.parent) == 0

    def test_a_ledger_that_is_a_huge_device_is_not_read(self, name: Path) -> None:
        name.symlink_to("/dev/zero")
        assert list(list_entries(name.parent)) == []

    def test_a_ledger_that_names_no_upload_is_not_asked_for(
        self, connect: Connect, service: Service, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """An id is checked wherever it comes from."""
        file, folder = tmp_path / "a.glb", tmp_path / "ledgers"
        file.write_bytes(bytes(6 * 1024 * 1024))
        options = {"part_size": 5 * 1024 * 1024, "resume": folder, "wait": False}
        client = connect(service.url)
        service.script("part 2", reply(400, b"<Error><Code>EntityTooSmall</Code></Error>"))
        with pytest.raises(Exception, match="EntityTooSmall"):
            client.uploads.upload_file(file, **options)
        (ledger,) = folder.glob(f"*{SUFFIX}")
        ledger.write_text(ledger.read_text().replace("upload_1", "../evil"))
        with caplog.at_level(logging.WARNING, "scenario_uploads"):
            client.uploads.upload_file(file, **options)
        assert "cannot be resumed" in caplog.text
        assert not [request for request in service.requests if "evil" in request.target]


@pytest.mark.parametrize("link", [".nanio", "scenario-uploads", ".nanio/multipart", "scenario-uploads/a/b/c.glb"])
def test_links_in_the_folder_of_a_sandbox_are_refused(tmp_path: Path, link: str) -> None:
    """Through one, it would write, and at its end remove, what is elsewhere."""
    precious = tmp_path / "precious"
    (precious / "multipart").mkdir(parents=True)
    (precious / "multipart" / "file").write_text("untouched")
    folder = tmp_path / "shared"
    folder.mkdir(mode=0o777)
    (folder / link).parent.mkdir(parents=True, exist_ok=True)
    (folder / link).symlink_to(precious)
    with pytest.raises(SandboxError, match=f"{link} in it is a symbolic link"):
        Sandbox(folder=folder).start()
    assert (precious / "multipart" / "file").read_text() == "untouched"
