"""`upload` and `resume`: manifests, plans, going on, and what is said in JSON."""

from __future__ import annotations

import io
import json
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from scenario_uploads import UploadResult
from scenario_uploads.cli import commands as cli
from scenario_uploads.cli.terminal import speak
from scenario_uploads.errors import ScenarioError
from scenario_uploads.sandbox import Sandbox
from scenario_uploads.system import FileState, find_state_folder
from scenario_uploads.upload.ledger import SUFFIX, Entry, Ledger

from tests.cli.test_commands import interrupt, make_glb, watch
from tests.support.folders import move_state

MIB = 1024 * 1024
Capture = pytest.CaptureFixture[str]
LINES = """\
{"file": "a.glb", "asset_options": {"collection_ids": ["c1", "c2"]}, "hide": true}

{"file": "deep/b.glb", "kind": null}
"""


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(step_delay=0.01) as sandbox:
        yield sandbox


@pytest.fixture
def folder(box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The present folder, with files to upload to a sandbox."""
    for name, value in (("BASE_URL", box.base_url), ("SDK_API_KEY", box.api_key), ("SDK_API_SECRET", box.api_secret)):
        monkeypatch.setenv(f"SCENARIO_{name}", value)
    move_state(monkeypatch, tmp_path / "state")
    folder = tmp_path / "here"
    (folder / "refs" / "deep").mkdir(parents=True)
    make_glb(folder / "refs" / "a.glb", 1000)
    make_glb(folder / "refs" / "deep" / "b.glb", 2000)
    (folder / "refs" / "c.txt").write_text("text")
    (folder / "refs" / ".hidden").touch()
    (folder / "refs" / "empty.png").touch()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def offline(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of somebody without credentials, where nothing may be sent."""
    for name in ("SCENARIO_BASE_URL", "SCENARIO_SDK_API_KEY", "SCENARIO_SDK_API_SECRET"):
        monkeypatch.delenv(name)
    monkeypatch.setattr("httpx.Client.send", None)
    return folder


def read_json(capsys: Capture) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


class TestDryRun:
    def test_says_what_would_be_sent_and_what_not(self, offline: Path, capsys: Capture) -> None:
        assert cli.run(["upload", "refs", "-r", "--exclude", "*.txt", "--dry-run"]) == 8
        told = capsys.readouterr()
        skipped = [f"{Path('refs/.hidden')}: skipped (hidden)", f"{Path('refs/c.txt')}: skipped (excluded)"]
        assert sorted(told.out.splitlines()[:2]) == skipped
        assert told.out.splitlines()[2] == "3d: 2 files, 2.9 KiB"
        assert told.out.splitlines()[3] == "would upload 2 files, 2.9 KiB"
        assert sorted(told.out.splitlines()[4]) == sorted("skip 2 (1 hidden, 1 excluded); 1 would fail")
        assert told.err == f"error: {Path('refs/empty.png')}: The file is empty: there is nothing to upload.\n"
        assert not find_state_folder().exists()

    def test_is_one_object_in_json(self, offline: Path, capsys: Capture) -> None:
        (offline / "refs" / "empty.png").unlink()
        assert cli.run(["upload", "refs", "-r", "--dry-run", "--json"]) == 0
        (told,) = read_json(capsys)
        assert told["kinds"] == {"3d": {"files": 2, "bytes": 3000}, "text": {"files": 1, "bytes": 4}}
        assert (told["files"], told["bytes"], told["skipped"], told["failed"]) == (3, 3004, {"hidden": 1}, 0)
        assert [(one["source"], one["skipped"]) for one in told["notSent"]] == [(str(Path("refs/.hidden")), "hidden")]

    def test_keeps_nothing_of_what_it_skips(
        self, offline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        results = (UploadResult(f"{number}{'x' * 20_000}", skipped="hidden") for number in range(200))
        monkeypatch.setattr("scenario_uploads.cli.terminal.plan_many", lambda *_: results)
        with (tmp_path / "out").open("w+") as out:
            monkeypatch.setattr(sys, "stdout", out)
            tracemalloc.start()
            assert cli.run(["upload", "refs", "-r", "--dry-run", "--json"]) == 0
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            out.seek(0)
            told = json.load(out)
        assert told["skipped"] == {"hidden": 200}
        assert [one["source"].rstrip("x") for one in told["notSent"]] == [str(number) for number in range(200)]
        assert most < 2 * MIB

    def test_lists_the_files_on_demand(self, offline: Path, capsys: Capture) -> None:
        assert cli.run(["upload", "refs/a.glb", "--kind", "model", "--dry-run", "-v"]) == 0
        assert capsys.readouterr().out.startswith("refs/a.glb: model, 1000 B\nmodel: 1 file, 1000 B\n")

    def test_tells_what_is_done_without_a_request(
        self, folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        upload = ["upload", "refs", "-r", "--exclude", "empty.png", "--json"]
        own = ["--ledger", "own.sqlite3"]
        assert cli.run([*upload, "--exclude", "c.txt"]) == 0
        sent = {line["source"]: line["entityId"] for line in read_json(capsys) if line["entityId"]}
        assert len(sent) == 2
        monkeypatch.setattr("httpx.Client.send", None)

        def plan(*options: str) -> tuple[dict[str, str], int]:
            assert cli.run([*upload, "--dry-run", *options]) == 0
            (told,) = read_json(capsys)
            done = {one["source"]: one["entityId"] for one in told["notSent"] if one["skipped"] == "done"}
            assert told["skipped"].get("done", 0) == len(done)
            return done, told["files"]

        before = (find_state_folder() / "files.sqlite3").read_bytes()
        assert plan() == (sent, 1)
        for other in (own, ["--no-ledger"], ["--force"], ["--sandbox"], ["--hide"], ["--project-id", "proj_1"]):
            assert plan(*other) == ({}, 3)
        assert not Path("own.sqlite3").exists()
        (folder / "refs" / "a.glb").touch()
        assert plan() == ({path: sent[path] for path in sent if "b.glb" in path}, 2)
        monkeypatch.delenv("SCENARIO_SDK_API_KEY")
        monkeypatch.delenv("SCENARIO_SDK_API_SECRET")
        assert plan() == ({}, 3)
        assert (find_state_folder() / "files.sqlite3").read_bytes() == before

    @pytest.mark.parametrize("force", [[], ["--force"]])
    def test_leaves_the_ledger_out_as_the_run_does(self, force: list[str], folder: Path, capsys: Capture) -> None:
        upload = ["upload", "refs", "-r", "--include", "a.glb", "--include", "own*", "--ledger", "refs/own", *force]
        assert cli.run(upload) == 0
        assert cli.run([*upload, "--dry-run"]) == 0
        assert "own" not in capsys.readouterr().out

    def test_of_a_ledger_that_cannot_be_read_fails_as_the_run_would(self, folder: Path, capsys: Capture) -> None:
        Path("damaged").write_bytes(b"no database at all")
        assert cli.run(["upload", "refs", "-r", "--ledger", "damaged", "--dry-run"]) == 5
        assert "Move it away" in capsys.readouterr().err

    def test_needs_something_that_can_be_meant(self, offline: Path, capsys: Capture) -> None:
        assert cli.run(["upload", "refs", "refs", "--dry-run", "--json"]) == 2
        told = capsys.readouterr()
        assert told.err == "error: 'refs' is a folder; give --recursive to upload what is in it.\n"
        assert json.loads(told.out)["code"] == "InvalidArgumentError"

    def test_looks_at_what_is_here_by_its_url_too(self, offline: Path, capsys: Capture) -> None:
        here = [(offline / "refs" / name).as_uri() for name in ("a.glb", "missing.glb")]
        assert cli.run(["upload", *here, "--dry-run", "--json"]) == 8
        (told,) = read_json(capsys)
        assert told["bytes"] == (offline / "refs" / "a.glb").stat().st_size
        assert told["notSent"][0]["source"] == here[1]

    def test_asks_no_url(self, offline: Path, capsys: Capture) -> None:
        url = "https://user.example/a.glb?X-Amz-Signature=secret"
        assert cli.run(["upload", url, "s3://bucket/b.xyz", "--dry-run", "--json"]) == 8
        (told,) = read_json(capsys)
        assert told["kinds"] == {"3d": {"files": 1, "bytes": 0}}
        assert told["notSent"][0]["source"] == "s3://bucket/b.xyz"
        assert cli.run(["upload", url, "--dry-run", "-v"]) == 0
        assert "https://user.example/a.glb?…: 3d" in capsys.readouterr().out


class TestManifest:
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("list.csv", "file,kind,collection_ids,hide\na.glb,,c1;c2,yes\ndeep/b.glb,3d,,\n"),
            ("list.csv", "\ufefffile;collection_ids;hide\r\na.glb;c1,c2;TRUE\r\n\r\ndeep/b.glb;;\r\n"),
            # As spreadsheets write them where a cell outside of the table was edited once.
            ("list.csv", 'file,collection_ids,hide,,\r"a.glb","c1 c2",1,,\r,,,,\rdeep/b.glb,,,,\r'),
            ("list.jsonl", LINES),
        ],
    )
    def test_names_files_and_what_becomes_of_them(self, name: str, text: str, folder: Path, capsys: Capture) -> None:
        (folder / "refs" / name).write_text(text, encoding="utf-8")
        assert cli.run(["upload", "--manifest", f"refs/{name}", "--parent", "asset_1", "--no-ledger", "--json"]) == 0
        told = {line["source"]: line["upload"]["assetOptions"] for line in read_json(capsys)}
        assert told[str(Path("refs/a.glb"))] == {"collectionIds": ["c1", "c2"], "hide": True, "parentId": "asset_1"}
        assert told[str(Path("refs/deep/b.glb"))]["parentId"] == "asset_1"

    def test_comes_after_paths(self, offline: Path, capsys: Capture) -> None:
        (offline / "list.jsonl").write_text('{"file": "s3://bucket/b.glb"}\n{"file": "nothing.glb"}\n')
        assert cli.run(["upload", "refs/a.glb", "--manifest", "list.jsonl", "--dry-run", "-v"]) == 8
        told = capsys.readouterr()
        assert told.out.splitlines()[:2] == ["refs/a.glb: 3d, 1000 B", "s3://bucket/b.glb: 3d, 0 B"]
        assert told.err.startswith("error: nothing.glb: ")

    @pytest.mark.parametrize(
        ("name", "text", "words"),
        [
            ("a.csv", "file,kynd\n", "a.csv, line 1: unknown column 'kynd'; there are file, kind, "),
            ("a.csv", "kind\n3d\n", "a.csv, line 1: the header has no column 'file'; it may have file, kind, "),
            ("a.csv", "", "a.csv, line 1: the header has no column 'file'"),
            ("a.csv", "file,kind\na.glb,3d\nb.glb,picture\n", "a.csv, line 3: create: kind is 'picture'"),
            ("a.csv", "file,kind\n,3d\n", "line 2: file must be a text"),
            ("a.csv", "file\na.glb,3d\n", "line 2: unknown column '(no name)'"),
            ("a.csv", "file,kind\na.glb,3d,,model\n", "line 2: unknown column '(no name)'"),
            # Where the row begins, not where its end was missed.
            ("a.csv", 'file\na.glb\n\n"b.glb\nc.glb\n', "line 4: unexpected end of data; check the quotes."),
            ("a.csv", 'file\n"a.glb\nb.glb\nc"d.glb\n', "line 2: ',' expected after '\"'; check the quotes."),
            ("a.csv", 'file\n"' + "a\n" * 70_000, "line 2: field larger than field limit (131072); check the quotes."),
            ("a.csv", "file,content_type\na.glb,glb\n", "line 2: content_type must be a MIME type"),
            ("a.csv", "file,file_name\na.glb,a\x01b\n", "line 2: file_name must be a name"),
            ("a.csv", "file,hide\na.glb,perhaps\n", "hide should be True or False and is 'perhaps'"),
            (
                "a.jsonl",
                '{"file": "a.glb"}\n\n{"file": \n',
                "a.jsonl, line 3: Expecting value at column 9 (char 8); ",
            ),
            (
                "a.txt",
                "file\na.glb\n",
                "a.txt, line 1: Expecting value at column 1 (char 0); a manifest that is no .csv ",
            ),
            ("a.jsonl", '{"file": "a.glb"}\n\nnull\n', "line 3: it must be an object"),
            ("a.jsonl", "{}", "line 1: it must be an object"),
            ("a.jsonl", '["a.glb"]\n', "line 1: it must be an object"),
            ("a.jsonl", '{"file": "a.glb", "asset_options": 5}\n', "it must be an object"),
            ("a.jsonl", '{"file": "a.glb", "collection_ids": [5]}\n', "collection_ids[0] should be a string and is 5"),
            ("a.jsonl", '{"file": "a.glb", "colour": 5}\n', "unknown column 'colour'"),
            ("a.csv", b"file\n" + b"a.glb\n" * 5000 + b"b\xff.glb\n", "a.csv, line 5002: 'utf-8' codec can't decode"),
            ("a.csv", "file\na.glb\n".encode("utf-16"), "line 1: 'utf-8' codec can't decode byte 0xff in position 0"),
            ("a.jsonl", '{"file": "é.glb"}'.encode("latin-1"), "save it as UTF-8, which spreadsheets call CSV UTF-8."),
            ("a.jsonl", None, "The manifest a.jsonl does not exist."),
        ],
    )
    def test_a_bad_row_is_an_error_before_any_request(
        self, name: str, text: str | bytes | None, words: str, offline: Path, capsys: Capture
    ) -> None:
        if text is not None:
            (offline / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        assert cli.run(["upload", "--manifest", name]) == 2
        error = capsys.readouterr().err
        assert words in error
        assert error.count("\n") == 1

    def test_is_read_twice(self, offline: Path, capsys: Capture) -> None:
        assert cli.run(["upload", "--manifest", "refs"]) == 2
        assert capsys.readouterr().err == "error: The manifest refs must be a regular file, since it is read twice.\n"

    def test_filters_are_about_paths(self, offline: Path, capsys: Capture) -> None:
        assert cli.run(["upload", "--manifest", "a.csv", "--include", "*.glb"]) == 2
        assert "a manifest names its files itself" in capsys.readouterr().err


class TestWhatIsNotSent:
    """Whoever names something sees what became of it."""

    @pytest.mark.parametrize("options", [[], ["-q"], ["-v"], ["--json"]])
    def test_is_told_of_what_was_named(self, options: list[str], folder: Path, capsys: Capture) -> None:
        assert cli.run(["upload", "refs/a.glb", "--include", "*.png", *options]) == 0
        told = capsys.readouterr()
        assert told.err == ""
        if options == ["--json"]:
            line = json.loads(told.out)
            assert (line["source"], line["skipped"], line["upload"]) == ("refs/a.glb", "excluded", None)
        else:
            assert told.out == "refs/a.glb: skipped (excluded)\n"

    def test_is_told_of_each_that_was_named(self, folder: Path, capsys: Capture) -> None:
        paths = ["refs/a.glb", "refs/c.txt", "refs/deep"]
        assert cli.run(["upload", *paths, "-r", "--exclude", "*.glb", "--no-ledger"]) == 0
        told = capsys.readouterr()
        assert [line.partition(": ")[0] for line in told.out.splitlines()] == paths[:2]
        assert "refs/a.glb: skipped (excluded)\n" in told.out
        assert told.err == "1 uploaded, 2 skipped (2 excluded), 0 failed\n"

    @pytest.mark.parametrize("options", [[], ["--dry-run"]])
    def test_is_told_of_what_is_empty(self, options: list[str], folder: Path, capsys: Capture) -> None:
        (folder / "empty" / "deep").mkdir(parents=True)
        (folder / "list.csv").write_text("file,kind\n")
        assert cli.run(["upload", "empty", "refs/c.txt", "-r", "--manifest", "list.csv", *options]) == 0
        told = capsys.readouterr().err
        assert "The manifest list.csv names no file.\n" in told
        assert "The folder 'empty' has no files.\n" in told

    @pytest.mark.parametrize("arguments", [[], ["--all"], ["--clean"]])
    def test_is_told_of_nothing_to_resume(self, arguments: list[str], folder: Path, capsys: Capture) -> None:
        assert cli.run(["resume", *arguments]) == 0
        assert capsys.readouterr().err.startswith("There are no unfinished uploads.\n")


class TestWhatFails:
    def test_is_an_object_in_json_too(self, folder: Path, capsys: Capture) -> None:
        (folder / "picture.png").write_text("no picture")
        assert cli.run(["upload", "picture.png", "--json"]) == 6
        (told,) = read_json(capsys)
        assert (told["source"], told["upload"], told["code"]) == ("picture.png", None, "UploadFailedError")
        assert told["upload_id"] in told["error"]

    @pytest.mark.parametrize(
        ("arguments", "code", "name", "source"),
        [
            (["upload", "nothing.png"], 2, "UsageError", "nothing.png"),
            (["upload", "-", "nothing.png"], 2, "UsageError", None),
            (["upload", "refs/empty.png"], 2, "SourceError", "refs/empty.png"),
            (["upload", "refs/empty.png", "-r", "--force"], 2, "SourceError", "refs/empty.png"),
            (["upload", "refs/empty.png", "--ledger", "own"], 2, "SourceError", "refs/empty.png"),
            (["upload", "nothing.png", "--no-ledger"], 2, "UsageError", "nothing.png"),
            (["upload", "refs/a.glb", "--part-size", "1KB"], 2, "InvalidArgumentError", "refs/a.glb"),
            (["upload", "refs/a.glb", "--frobnicate"], 2, "UsageError", None),
            (["status", "upload_1"], 4, "NotFoundError", None),
            (["resume", "nothing"], 2, "UsageError", None),
        ],
    )
    def test_whatever_it_is(
        self, arguments: list[str], code: int, name: str, source: str | None, folder: Path, capsys: Capture
    ) -> None:
        assert cli.run([*arguments, "--json"]) == code
        (told,) = read_json(capsys)
        assert (told["code"], told["source"]) == (name, source)
        assert told["error"]

    def test_of_several_is_summed_up_and_goes_on(
        self, folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("scenario_uploads.bulk.run.Workers.run", _raise_interrupt)
        assert cli.run(["upload", "refs", "-r"]) == 130
        assert capsys.readouterr().err == (
            "0 uploaded, 0 skipped, 0 failed\nerror: interrupted. The same command goes on from where it stopped.\n"
        )
        assert cli.run(["upload", "refs", "-r", "--force", "--json"]) == 130
        told = capsys.readouterr()
        assert told.err == "error: interrupted\n"
        assert json.loads(told.out)["code"] == "KeyboardInterrupt"

    def test_and_is_tried_again_is_told_with_its_file(self, folder: Path, box: Sandbox, capsys: Capture) -> None:
        box.fail_next("slow_down", 2)
        assert cli.run(["upload", "refs", "-r", "--include", "*.glb", "--no-ledger"]) == 0
        lines = [line for line in capsys.readouterr().err.splitlines() if "Trying again" in line]
        assert sorted(line.partition(":")[0] for line in lines) == [
            repr(str(Path("refs") / name)) for name in ("a.glb", "deep/b.glb")
        ]
        away = ["--base-url", "http://127.0.0.1:1/v1", "--patience", "0.1"]
        assert cli.run(["upload", "refs/a.glb", *away]) == 4
        lines = capsys.readouterr().err.splitlines()
        assert "'a.glb': create_upload: no response from 127.0.0.1" in lines[0]
        assert lines[0].endswith(" s, for up to 0.1 s.")

    def test_for_want_of_a_connection_goes_on_too(self, folder: Path, capsys: Capture) -> None:
        unreachable = ["--base-url", "http://127.0.0.1:1/v1", "--patience", "0"]
        assert cli.run(["upload", "refs", "-r", "--include", "*.glb", *unreachable]) == 8
        assert capsys.readouterr().err.endswith("2 failed\nThe same command goes on from where it stopped.\n")

    @pytest.mark.parametrize(
        ("message", "words"),
        [
            ("kind must be 3d, not 'kind='.", "--kind must be 3d, not 'kind='."),
            ("give kind='3d' or content_type=, as", "give --kind '3d' or --content-type, as"),
            ("part_size must be; give a part_size", "--part-size must be; give a --part-size"),
            ("wait, or give another one with ledger=PATH, or ledger=False for none.",) * 2,
            ("The kind of timeout", "The kind of timeout"),
        ],
    )
    def test_is_said_in_the_words_of_the_command_line(self, message: str, words: str) -> None:
        if message == words:
            words = (
                "wait, or give another one with --ledger PATH, or --no-ledger for none." if "=" in message else words
            )
        assert speak(ScenarioError(message)) == words


def _raise_interrupt(*_arguments: object) -> None:
    raise KeyboardInterrupt


def test_quiet_shows_results_only(folder: Path, capsys: Capture) -> None:
    assert cli.run(["upload", "refs/a.glb", "refs/c.txt", "-q", "--no-ledger"]) == 0
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 2
    assert told.err == ""
    assert cli.run(["upload", "refs", "-r", "-v", "--no-ledger", "--exclude", "*.png"]) == 0
    assert f"{Path('refs/.hidden')}: skipped (hidden)\n" in capsys.readouterr().out


class TestResume:
    @pytest.fixture
    def stopped(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> str:
        """The id of an upload that was interrupted, with settings of its own."""
        make_glb(folder / "dragon.glb", 11 * MIB)
        settings = ["--collection", "c1", "--hide", "--kind", "3d", "--file-name", "d.glb", "--project-id", "proj_1"]
        with monkeypatch.context() as patch:
            watch(patch, interrupt)
            command = ["upload", "dragon.glb", "--part-size", "5MiB", "--concurrency", "1", *settings]
            assert cli.run(command) == 130
        capsys.readouterr()
        assert cli.run(["resume", "--json"]) == 0
        (told,) = read_json(capsys)
        upload_id: str = told["uploads"][0]["id"]
        return upload_id

    @pytest.mark.parametrize("how", ["dragon.glb", "--all", "id"])
    def test_goes_on_as_it_was_begun(self, how: str, stopped: str, box: Sandbox, folder: Path, capsys: Capture) -> None:
        assert cli.run(["resume", stopped if how == "id" else how, "--json"]) == 0
        (told,) = read_json(capsys)
        assert (told["upload_id"], told["status"]) == (stopped, "imported")
        assert told["upload"]["assetOptions"]["hide"] is True
        assert cli.run(["resume"]) == 0
        assert capsys.readouterr().out == ""

    def test_names_what_cannot_be_resumed(self, stopped: str, capsys: Capture) -> None:
        assert cli.run(["resume", "dragon.glb", stopped, "nothing.glb"]) == 2
        assert "'nothing.glb'" in capsys.readouterr().err

    def test_goes_on_though_the_same_file_was_done_before(self, stopped: str, folder: Path, capsys: Capture) -> None:
        settings = ["--collection", "c1", "--hide", "--kind", "3d", "--project-id", "proj_1"]
        assert cli.run(["upload", "dragon.glb", "refs/a.glb", "--part-size", "5MiB", *settings]) == 0
        capsys.readouterr()
        assert cli.run(["resume", "--all", "--json"]) == 0
        assert read_json(capsys)[0]["upload_id"] == stopped

    def test_sends_nothing_for_another_account_or_service(
        self, stopped: str, folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert cli.run(["resume", "--all", "--base-url", "http://127.0.0.1:1/v1"]) == 2
        assert "give --profile or --base-url" in capsys.readouterr().err
        monkeypatch.setenv("SCENARIO_SDK_API_KEY", "another")
        assert cli.run(["resume", "--all"]) == 2
        assert f"error: {folder / 'dragon.glb'}: It was begun with other credentials" in capsys.readouterr().err

    def test_leaves_what_is_under_way(self, stopped: str, folder: Path, capsys: Capture) -> None:
        (path,) = find_state_folder().glob("*.jsonl")
        with closing(Ledger(path)):
            assert cli.run(["resume", "dragon.glb"]) == 5
        assert "Another process uploads it" in capsys.readouterr().err

    def test_is_one_of_three(self, folder: Path, capsys: Capture) -> None:
        for arguments in (["a", "--all"], ["--all", "--clean"], ["a", "--clean"]):
            assert cli.run(["resume", *arguments]) == 2
            assert "one of them" in capsys.readouterr().err

    @pytest.mark.parametrize(("answer", "removed"), [("n\n", 0), ("y\n", 1)])
    def test_asks_before_it_forgets(
        self, answer: str, removed: int, folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with closing(Ledger(find_state_folder() / f"a{SUFFIX}")) as ledger:
            ledger.begin(Entry("upload_1", "/a.glb", FileState(1, 1), 1, (("https://a.example/", ""),)))
        terminal = io.StringIO(answer)
        monkeypatch.setattr(terminal, "isatty", lambda: True)
        monkeypatch.setattr(sys, "stdin", terminal)
        assert cli.run(["resume", "--clean"]) == 0
        told = capsys.readouterr()
        assert told.out.strip() == f"{removed} removed"
        assert "Forget the unfinished uploads (1)" in told.err


def test_an_upload_is_completed_by_hand(box: Sandbox, folder: Path, capsys: Capture) -> None:
    assert cli.run(["complete", "upload_1"]) == 4
    assert "upload_1 not found" in capsys.readouterr().err
