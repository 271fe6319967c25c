"""What is kept of an upload on disk, and what becomes of it when disks and processes misbehave."""

from __future__ import annotations

import errno
import json
import logging
import os
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from attrs import evolve
from scenario_uploads.errors import LedgerLockedError
from scenario_uploads.settings.client import ClientArguments, resolve_options
from scenario_uploads.system import FileState
from scenario_uploads.upload.ledger import SUFFIX, Entry, Ledger, clean, list_entries, locate_ledger

ENTRY = Entry(
    upload_id="upload_1",
    file="/data/dragon.glb",
    state=FileState(25, 1_750_000_000_000_000_001, 5, 6, 1_750_000_000_000_000_002),
    part_size=10,
    parts=tuple((f"https://storage.example/{n}?X-Amz-Signature=secret{n}", "2030-01-01T00:00:00Z") for n in (1, 2, 3)),
)

MD5 = "0123456789abcdef0123456789abcdef"


def write_ledger(folder: Path, *done: int) -> Path:
    """Leave a ledger as a process that was killed leaves it."""
    with closing(Ledger(folder / f"key{SUFFIX}")) as ledger:
        ledger.begin(ENTRY)
        for number in done:
            ledger.record(number)
        return ledger.path


def let_fail(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let a function of the system fail as on a disk that has gone."""

    def fail(*_arguments: Any) -> Any:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, name, fail)


def read_ledger(folder: Path) -> Entry | None:
    with closing(Ledger(folder / f"key{SUFFIX}")) as ledger:
        return ledger.read()


def test_what_was_recorded_is_read_back(tmp_path: Path) -> None:
    write_ledger(tmp_path, 3, 1)
    assert evolve(ENTRY, done={1: None, 3: None}) == read_ledger(tmp_path)


def test_29_the_md5_of_a_part_is_kept(tmp_path: Path) -> None:
    with closing(Ledger(tmp_path / f"key{SUFFIX}")) as ledger:
        ledger.begin(ENTRY)
        ledger.record(2, MD5)
        ledger.record(3)
    assert evolve(ENTRY, done={2: MD5, 3: None}) == read_ledger(tmp_path)


def test_29_what_is_cleared_leads_nowhere_and_can_be_begun_anew(tmp_path: Path) -> None:
    write_ledger(tmp_path, 1)
    with closing(Ledger(tmp_path / f"key{SUFFIX}")) as ledger:
        ledger.clear()
        assert ledger.read() is None
        ledger.begin(evolve(ENTRY, upload_id="upload_2"))
    assert evolve(ENTRY, upload_id="upload_2") == read_ledger(tmp_path)
    with closing(Ledger(tmp_path / f"key{SUFFIX}")) as ledger:
        ledger.clear()
    assert [] == list(tmp_path.glob(f"*{SUFFIX}"))


@pytest.mark.parametrize("version", [2, 99, None])
def test_30_a_ledger_of_another_version_is_ignored_without_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, version: object
) -> None:
    path = write_ledger(tmp_path, 1)
    path.write_text(path.read_text().replace('"version": 3', f'"version": {json.dumps(version)}'))
    with caplog.at_level(logging.INFO, "scenario_uploads"):
        assert read_ledger(tmp_path) is None
        assert [] == list(list_entries(tmp_path))
    assert [] == caplog.records


def test_a_new_ledger_has_nothing_to_resume_and_leaves_no_file(tmp_path: Path) -> None:
    assert read_ledger(tmp_path) is None
    assert [] == list(tmp_path.glob(f"*{SUFFIX}"))


def test_a_new_upload_replaces_what_was_there(tmp_path: Path) -> None:
    write_ledger(tmp_path, 1, 2)
    with closing(Ledger(tmp_path / f"key{SUFFIX}")) as ledger:
        ledger.begin(evolve(ENTRY, upload_id="upload_2", done={1: None}))
    assert evolve(ENTRY, upload_id="upload_2") == read_ledger(tmp_path)


def test_deleting_leaves_nothing(tmp_path: Path) -> None:
    write_ledger(tmp_path, 1)
    with closing(Ledger(tmp_path / f"key{SUFFIX}")) as ledger:
        ledger.close(remove=True)
        ledger.record(2)
    assert [] == list(tmp_path.glob(f"*{SUFFIX}"))


def test_only_the_owner_may_read_it_and_its_name_tells_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    service = resolve_options({}, ClientArguments(api_key="key", api_secret="c2VjcmV0", base_url="https://api.example"))
    with closing(Ledger(locate_ledger(folder, service, "/data/dragon.glb", {}))) as ledger:
        ledger.begin(ENTRY)
    if os.name != "nt":  # which has no modes
        assert 0o700 == stat.S_IMODE(folder.stat().st_mode)
        assert 0o600 == stat.S_IMODE(ledger.path.stat().st_mode)
    assert not {"dragon", "example", "c2VjcmV0"} & set(ledger.path.name.replace(".", " ").split())
    assert "secret1" not in repr(ENTRY)


def test_other_accounts_and_options_have_ledgers_of_their_own(tmp_path: Path) -> None:
    one, other = (resolve_options({}, ClientArguments(api_key=key, api_secret="secret")) for key in ("one", "other"))
    asked: list[dict[str, object]] = [{}, {"kind": "3d"}]
    paths = {locate_ledger(tmp_path, service, "a.glb", each) for service in (one, other) for each in asked}
    assert len(paths) == 4


def test_a_secret_that_is_renewed_keeps_the_ledger(tmp_path: Path) -> None:
    before, after = (resolve_options({}, ClientArguments(api_key="key", api_secret=each)) for each in ("old", "new"))
    assert locate_ledger(tmp_path, before, "a.glb", {}) == locate_ledger(tmp_path, after, "a.glb", {})


def test_29_a_line_that_a_crash_cut_short_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    path = write_ledger(tmp_path, 1)
    path.write_bytes(path.read_bytes() + b'{"part": ')
    assert evolve(ENTRY, done={1: None}) == read_ledger(tmp_path)


HEAD = {
    "version": 3, "upload_id": "u", "file": "/f", "part_size": 10,
    "state": {"size": 20, "mtime_ns": 1, "device": 2, "inode": 3, "ctime_ns": 4},
}  # fmt: skip
PARTS = '["https://a/1", ""]\n["https://a/2", ""]\n'


def head_with(**changes: Any) -> str:
    return json.dumps(HEAD | changes) + "\n"


@pytest.mark.parametrize(
    "content",
    [
        "no json\n",
        "[]\n",
        "null\n",
        "\n",
        "[" * 100_000 + "\n",
        json.dumps(HEAD),
        head_with(),
        head_with() + PARTS.splitlines(keepends=True)[0],
        head_with() + PARTS.replace('"https://a/2", ', ""),
        head_with() + PARTS.replace('""', "1"),
        head_with(state={"size": "20", "mtime_ns": 1}) + PARTS,
        head_with(state={"size": 20}) + PARTS,
        head_with(state=20) + PARTS,
        head_with(upload_id=None) + PARTS,
        head_with(part_size=0) + PARTS,
        head_with(part_size=-10) + PARTS,
        head_with() + PARTS + '{"part": 3}\n',
        head_with() + PARTS + '{"part": "1"}\n',
        head_with() + PARTS + "{}\n",
        head_with() + PARTS + "[]\n",
        head_with() + PARTS + "\x00\x00\n",
    ],
)
def test_30_a_damaged_ledger_is_ignored_with_a_warning(
    content: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_ledger(tmp_path)
    path.write_text(content)
    with caplog.at_level(logging.WARNING, "scenario_uploads"):
        assert read_ledger(tmp_path) is None
    assert ["is damaged and was ignored" in record.getMessage() for record in caplog.records] == [True]


def test_30_a_ledger_that_another_process_holds_is_a_clear_error(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from scenario_uploads.upload.ledger import Ledger\n"
        f"ledger = Ledger(Path({str(tmp_path / f'key{SUFFIX}')!r})); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().rstrip() == b"held"
        with pytest.raises(LedgerLockedError, match="Another upload of this file is in progress"):
            Ledger(tmp_path / f"key{SUFFIX}")
        process.kill()
        process.wait()
        with closing(Ledger(tmp_path / f"key{SUFFIX}")) as ledger:
            assert ledger.read() is None


def test_30_a_folder_that_cannot_be_written_costs_a_warning_and_not_the_upload(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocker = tmp_path / "file"
    blocker.touch()
    path = blocker / "folder" / f"key{SUFFIX}"
    with caplog.at_level(logging.WARNING, "scenario_uploads"), closing(Ledger(path)) as ledger:
        ledger.begin(ENTRY)
        ledger.record(1)
        assert ledger.read() is None
        ledger.close(remove=True)
    assert len(caplog.records) == 1
    assert "cannot be resumed later" in caplog.text


def test_30_a_disk_that_fills_costs_a_warning_and_not_the_upload(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_descriptor: int, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with caplog.at_level(logging.WARNING, "scenario_uploads"), closing(Ledger(tmp_path / f"key{SUFFIX}")) as ledger:
        monkeypatch.setattr(os, "write", fail)
        ledger.begin(ENTRY)
        ledger.record(1)
    monkeypatch.undo()
    assert "No space left on device" in caplog.text
    assert read_ledger(tmp_path) is None


def test_30_a_ledger_that_failed_once_does_not_outlive_its_upload(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with caplog.at_level(logging.WARNING, "scenario_uploads"), closing(Ledger(tmp_path / f"key{SUFFIX}")) as ledger:
        ledger.begin(ENTRY)
        ledger.record(1, MD5)
        with monkeypatch.context() as patch:
            let_fail(patch, "fsync")
            ledger.record(2, MD5)
        # Not joined to what may be half a line.
        ledger.record(3, MD5)
        assert len(caplog.records) == 1
        ledger.close(remove=True)
    assert [] == list(tmp_path.glob(f"*{SUFFIX}"))


@pytest.mark.parametrize("name", ["ftruncate", "write", "fsync"])
def test_30_what_was_there_before_does_not_outlive_it_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Else a later call would take up an upload that is over."""
    write_ledger(tmp_path, 1)
    with closing(Ledger(tmp_path / f"key{SUFFIX}")) as ledger:
        let_fail(monkeypatch, name)
        ledger.begin(evolve(ENTRY, upload_id="upload_2"))
        ledger.record(1)
    monkeypatch.undo()
    assert [] == list(tmp_path.glob(f"*{SUFFIX}"))


@pytest.mark.parametrize("name", ["ftruncate", "unlock", "close", "unlink"])
def test_30_what_fails_at_the_end_costs_a_warning_and_not_the_result(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Such as a network's file system that has gone meanwhile."""
    with caplog.at_level(logging.WARNING, "scenario_uploads"), closing(Ledger(tmp_path / f"key{SUFFIX}")) as ledger:
        ledger.begin(ENTRY)
        if name == "unlock":
            monkeypatch.setattr(ledger, "_unlock", Mock(side_effect=OSError(errno.EIO, "Input/output error")))
        else:
            let_fail(monkeypatch, name)
        ledger.close(remove=True)
    monkeypatch.undo()
    assert "could not be closed and tidied away" in caplog.text
    assert {record.levelname for record in caplog.records} == {"WARNING"}


def test_30_who_did_not_ask_to_resume_is_not_warned(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_ledger(tmp_path).write_bytes(b"damaged\n")
    with caplog.at_level(logging.DEBUG, "scenario_uploads"):
        with closing(Ledger(tmp_path / f"key{SUFFIX}", level=logging.DEBUG)) as ledger:
            assert ledger.read() is None
            let_fail(monkeypatch, "write")
            ledger.begin(ENTRY)
        with closing(Ledger(Path(os.devnull, "folder") / f"key{SUFFIX}", level=logging.DEBUG)) as ledger:
            ledger.begin(ENTRY)
    assert len(caplog.records) == 3
    assert {record.levelname for record in caplog.records} == {"DEBUG"}


def test_a_link_that_someone_laid_in_its_place_is_not_followed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_ledger(tmp_path)
    path.unlink()
    precious = tmp_path / "precious"
    precious.write_text("untouched")
    path.symlink_to(precious)
    with caplog.at_level(logging.WARNING, "scenario_uploads"), closing(Ledger(tmp_path / f"key{SUFFIX}")) as ledger:
        ledger.begin(ENTRY)
    assert precious.read_text() == "untouched"


def test_what_can_be_resumed_is_listed(tmp_path: Path) -> None:
    path = write_ledger(tmp_path, 2)
    (tmp_path / "other.txt").write_text("not ours")
    (tmp_path / "broken.upload.jsonl").mkdir()
    assert [(path, evolve(ENTRY, done={2: None}))] == list(list_entries(tmp_path))


@pytest.mark.parametrize("step", ["unlink", "close", "ftruncate"])
def test_a_fault_at_the_end_costs_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, step: str
) -> None:
    """What became of the upload is known by then and matters more."""
    done = getattr(os, step)

    def fail(*arguments: object, **more: object) -> None:
        done(*arguments, **more)
        raise OSError(errno.EIO, "Input/output error")

    with closing(Ledger(tmp_path / f"key{SUFFIX}")) as ledger:
        ledger.begin(ENTRY)
        monkeypatch.setattr(os, step, fail)
        ledger.close(remove=True)
        monkeypatch.undo()
    assert "could not be closed and tidied away: Input/output error" in caplog.text
    with closing(Ledger(tmp_path / f"key{SUFFIX}")) as again:
        assert again.read() is None


@pytest.mark.posix
def test_a_lock_that_cannot_be_given_back_costs_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As on NFS, when its server has gone away meanwhile."""
    fcntl = pytest.importorskip("fcntl")
    flock = fcntl.flock

    def fail(descriptor: int, operation: int) -> None:
        if operation == fcntl.LOCK_UN:
            raise OSError(errno.EIO, "Input/output error")
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", fail)
    with closing(Ledger(tmp_path / f"key{SUFFIX}")) as ledger:
        ledger.begin(ENTRY)
    assert "could not be closed and tidied away: Input/output error" in caplog.text
    assert read_ledger(tmp_path) == ENTRY


def test_cleaning_leaves_what_is_in_use(tmp_path: Path) -> None:
    write_ledger(tmp_path)
    with closing(Ledger(tmp_path / f"another{SUFFIX}")) as ledger:
        ledger.begin(ENTRY)
        assert clean(tmp_path) == 1
        assert list(tmp_path.glob(f"*{SUFFIX}")) == [ledger.path]
