"""The ledger of many files: what it knows of earlier runs, and what becomes of one that cannot be used."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from scenario_uploads import LedgerError, LedgerLockedError
from scenario_uploads.bulk.ledger import BulkLedger, Row, hash_content, hash_context, hash_state, open_ledger
from scenario_uploads.system import FileState

STATE, OTHER = b"a state of a file", b"another state"
CONTENT = hash_content(10, 5, ["a" * 32, "b" * 32])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledgers" / "files.sqlite3"


@pytest.fixture
def reopen(path: Path) -> Iterator[Callable[[], BulkLedger]]:
    opened: list[BulkLedger] = []

    def reopen() -> BulkLedger:
        for ledger in opened:
            ledger.close()
        opened.append(BulkLedger(path))
        return opened[-1]

    yield reopen
    for ledger in opened:
        ledger.close()


def note(ledger: BulkLedger, context: bytes, state: bytes = STATE, *, upload: str = "upload_1") -> None:
    ledger.note(context, state, Row(upload, None, done=False), size=10, part_size=5, content=CONTENT)


def finish(ledger: BulkLedger, context: bytes, state: bytes = STATE, *, upload: str = "upload_1") -> None:
    ledger.finish(context, state, Row(upload, f"asset of {upload}", done=True))


class TestLater:
    """What a run finds of the runs before it."""

    def test_a_file_that_is_done_is_known_by_its_state_and_its_content(self, reopen: Callable[[], BulkLedger]) -> None:
        ledger = reopen()
        context = hash_context("https://api", "key")
        note(ledger, context)
        finish(ledger, context)
        ledger = reopen()
        done = Row("upload_1", "asset of upload_1", done=True)
        assert ledger.find(context, STATE) == ledger.find_content(context, CONTENT) == done
        assert ledger.find_part_sizes(context, 10) == [5]
        assert ledger.find(context, OTHER) is ledger.find(context, None) is ledger.find_content(context, OTHER) is None

    def test_nothing_counts_in_the_same_run(self, reopen: Callable[[], BulkLedger]) -> None:
        """Equal files of one run are each sent."""
        ledger = reopen()
        context = hash_context("https://api", "key")
        note(ledger, context)
        finish(ledger, context)
        note(ledger, context, OTHER)
        assert ledger.find(context, STATE) is ledger.find_content(context, CONTENT) is None
        assert ledger.find_part_sizes(context, 10) == []

    def test_so_is_what_was_sent_and_may_be_done(self, reopen: Callable[[], BulkLedger]) -> None:
        ledger = reopen()
        context = hash_context("https://api", "key")
        note(ledger, context)
        ledger = reopen()
        assert ledger.find(context, STATE) == ledger.find_content(context, CONTENT) == Row("upload_1", None, done=False)
        assert ledger.find_part_sizes(context, 10) == [5]

    def test_of_equal_files_that_which_is_done_counts(self, reopen: Callable[[], BulkLedger]) -> None:
        ledger = reopen()
        context = hash_context("https://api", "key")
        for number, state in enumerate((b"first", b"second", b"third")):
            note(ledger, context, state, upload=f"upload_{number}")
        finish(ledger, context, b"second", upload="upload_1")
        assert reopen().find_content(context, CONTENT) == Row("upload_1", "asset of upload_1", done=True)

    def test_the_database_of_the_version_before_is_used_on(self, path: Path, reopen: Callable[[], BulkLedger]) -> None:
        ledger = reopen()
        context = hash_context("https://api", "key")
        note(ledger, context)
        finish(ledger, context)
        ledger.close()
        with closing(sqlite3.connect(path)) as database:
            database.execute("DROP INDEX sent")
            database.execute(
                "CREATE INDEX contents ON files (context, content, run) WHERE done AND content IS NOT NULL"
            )
        assert reopen().find_content(context, CONTENT) == Row("upload_1", "asset of upload_1", done=True)

    def test_another_account_knows_nothing_of_it(self, reopen: Callable[[], BulkLedger]) -> None:
        ledger = reopen()
        note(ledger, hash_context("https://api", "key"))
        ledger = reopen()
        assert ledger.find(hash_context("https://api", "other key"), STATE) is None
        assert ledger.find(hash_context("https://apik", "ey"), STATE) is None

    def test_the_end_of_an_upload_that_another_one_has_replaced_changes_nothing(
        self, reopen: Callable[[], BulkLedger]
    ) -> None:
        ledger = reopen()
        context = hash_context("https://api", "key")
        note(ledger, context)
        note(ledger, context, upload="upload_2")
        finish(ledger, context)
        ledger = reopen()
        assert ledger.find(context, STATE) == Row("upload_2", None, done=False)

    def test_what_was_noted_outlives_a_process_that_is_killed(
        self, path: Path, reopen: Callable[[], BulkLedger]
    ) -> None:
        script = (
            "import os, sys; from pathlib import Path\n"
            "from scenario_uploads.bulk.ledger import BulkLedger, Row\n"
            "ledger = BulkLedger(Path(sys.argv[1]))\n"
            "ledger.note(b'context', b'state', Row('upload_1', None, done=False), size=1, part_size=1, content=None)\n"
            "os._exit(9)\n"
        )
        subprocess.run([sys.executable, "-c", script, path], check=False)
        assert reopen().find(b"context", b"state") == Row("upload_1", None, done=False)


class TestUse:
    """Who may use it, and when it cannot be used."""

    def test_a_plan_makes_none(self, path: Path) -> None:
        assert open_ledger(path, plan=True) is open_ledger(False) is None
        assert not path.exists()

    def test_a_second_run_is_refused_at_once(self, path: Path, reopen: Callable[[], BulkLedger]) -> None:
        reopen()
        with pytest.raises(LedgerLockedError, match="ledger=PATH"):
            BulkLedger(path)
        assert reopen().run == 2

    def test_that_of_another_process_too(self, path: Path) -> None:
        script = (
            "import sys; from pathlib import Path; from scenario_uploads.bulk.ledger import BulkLedger\n"
            "ledger = BulkLedger(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", script, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other:
            assert other.stdout is not None
            assert other.stdin is not None
            other.stdout.readline()
            with pytest.raises(LedgerLockedError, match="Another run uses"):
                BulkLedger(path)
            other.stdin.close()
        BulkLedger(path).close()

    @pytest.mark.parametrize("content", [b"no database at all", b"SQLite format 3\0" + bytes(4096)])
    def test_a_damaged_one_says_what_to_do(self, path: Path, content: bytes) -> None:
        path.parent.mkdir()
        path.write_bytes(content)
        with pytest.raises(LedgerError, match=r"cannot be used.*Move it away.*ledger=PATH"):
            BulkLedger(path)

    def test_one_that_is_damaged_in_the_middle_too(self, path: Path, reopen: Callable[[], BulkLedger]) -> None:
        ledger = reopen()
        context = hash_context("https://api", "key")
        for number in range(500):
            note(ledger, context, b"%d" % number, upload=f"upload_{number}")
        ledger.close()
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * (path.stat().st_size - 4096))
        with pytest.raises(LedgerError, match="Move it away"):  # noqa: PT012 - wherever it comes to light
            ledger = reopen()
            ledger.find(context, b"7")

    def test_another_database_is_left_alone(self, path: Path) -> None:
        path.parent.mkdir()
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE mine (a)")
        connection.commit()
        connection.close()
        before = path.read_bytes()
        with pytest.raises(LedgerError, match="it is no ledger of uploads"):
            BulkLedger(path)
        assert path.read_bytes() == before

    def test_that_of_another_version_is_left_alone(self, path: Path, reopen: Callable[[], BulkLedger]) -> None:
        reopen().close()
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA user_version = 99")
        connection.close()
        with pytest.raises(LedgerError, match="another version's"):
            BulkLedger(path)

    @pytest.mark.parametrize("name", ["", "no\0name"])
    def test_a_folder_is_none_nor_what_no_file_can_be_called(self, name: str, tmp_path: Path) -> None:
        with pytest.raises(LedgerError, match=r"cannot be used.*ledger=PATH"):
            BulkLedger(tmp_path / name)

    def test_what_cannot_be_written_is_never_taken_for_written(
        self, reopen: Callable[[], BulkLedger], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ledger = reopen()
        ledger._connection.execute("PRAGMA query_only = ON")
        for _ in range(2):
            with pytest.raises(LedgerError, match="cannot be used"):
                note(ledger, b"context")
        ledger._connection.execute("PRAGMA query_only = OFF")

    def test_that_of_a_full_disk_is_not_to_be_moved_away(self, reopen: Callable[[], BulkLedger]) -> None:
        """It would be missing all that is done."""
        ledger = reopen()
        ledger._connection.execute("PRAGMA max_page_count = 1")
        with pytest.raises(LedgerError, match=r"is full\. Check its disk and permissions, or"):  # noqa: PT012 - the pages last for some
            for number in range(500):
                note(ledger, b"context", b"%d" % number)
        ledger._connection.execute("PRAGMA max_page_count = 1000000")

    @pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
    def test_it_is_its_owners_alone(self, path: Path, reopen: Callable[[], BulkLedger]) -> None:
        reopen()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()} == {0o600}

    def test_it_needs_no_memory_that_processes_share(self, reopen: Callable[[], BulkLedger]) -> None:
        """As a write-ahead log does, which network file systems do not have."""
        assert reopen()._connection.execute("PRAGMA journal_mode").fetchone() == ("truncate",)

    def test_without_a_home_there_is_none(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setenv("HOME", "")
        monkeypatch.delenv("XDG_STATE_HOME", raising=False)
        assert open_ledger(None) is None
        assert "give ledger=PATH" in caplog.text


def test_a_state_is_another_after_any_change(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(b"abc")
    before = hash_state(FileState.of(file.stat()))
    assert before == hash_state(FileState.of(file.stat()))
    os.utime(file, ns=(1, 1))
    assert hash_state(FileState.of(file.stat())) != before
    assert hash_state(None) is None
