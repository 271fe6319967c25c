"""The one comment on a pull request, written on a GitHub of our own from what a stranger's code left."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from tests.spec_diff.support import BASE, edit
from tests.support.github import BOT, REPOSITORY, TOKEN, FakeGitHub, make_event, pack
from tests.support.project import Mini
from tools.pull_request import comment as spec_diff_comment
from tools.pull_request import report as spec_diff_report
from tools.pull_request.comment import MARKER, MAX_ARCHIVE_BYTES, Comment, Deed, decide
from tools.spec_diff.exchange import MAX_BYTES, dump_error, dump_report
from tools.spec_diff.report import COMMENT_LIMIT, Change, Report

CHANGE = Change("get_thing", "#/x", 3, "enum-value-added", "breaking", "Kind: the value c was added")
CHANGED = Report("1.0.0", "1.1.0", (CHANGE,), "major", "minor")
UNCHANGED = Report("1.0.0", "1.0.0", (), "none", "none")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with FakeGitHub() as running:
        yield running


@pytest.fixture
def run(github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line as the workflow does; return the exit code, stdout and stderr."""
    event_path = tmp_path / "event.json"
    for name, value in {
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_API_URL": github.url,
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_EVENT_PATH": str(event_path),
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    def run(event: Any = None) -> tuple[int, str, str]:
        event_path.write_text(json.dumps(make_event() if event is None else event), encoding="utf-8")
        code = spec_diff_comment.main([])
        output = capsys.readouterr()
        assert TOKEN not in output.out + output.err
        return code, output.out, output.err

    return run


def leave(github: FakeGitHub, report: Report) -> None:
    github.leave(pack(comment_json=dump_report(report)))


# What to do


def test_decide() -> None:
    """One comment when something changed, none when nothing did; what was said once is corrected."""
    own, other, fake = Comment(1, BOT, f"{MARKER}\nx"), Comment(2, BOT, "x"), Comment(3, "someone", f"{MARKER}\nx")
    twin = Comment(4, BOT, f"{MARKER}\ny")
    assert decide([other, fake], changed=True) == [Deed("create")]
    assert decide([other, fake], changed=False) == []
    for changed in (True, False):
        assert decide([other, own, fake], changed=changed) == [Deed("update", 1)]
        assert decide([own, twin], changed=changed) == [Deed("update", 1), Deed("delete", 4)]


# On a pull request


def test_first_report_becomes_a_comment(run: Run, github: FakeGitHub) -> None:
    """On the pull request whose head the run was for, found by what GitHub says of it."""
    github.open_pull(11, sha="b" * 40)
    github.open_pull(12)
    leave(github, CHANGED)
    assert run() == (0, "Comment on #12: created.\n", "")
    (comment,) = github.comments[12]
    assert comment["body"].startswith(f"{MARKER}\n🔴 **Breaking (1 breaking change). Required bump: major.")
    assert "Kind: the value c was added" in comment["body"]
    footer = comment["body"].splitlines()[-1]
    assert "a" * 40 in footer
    assert f"https://github.example/{REPOSITORY}/actions/runs/77" in footer
    assert github.comments[11] == []


def test_later_report_updates_the_comment(run: Run, github: FakeGitHub) -> None:
    """Ours is found behind hundreds of others, and theirs stay as they are."""
    github.open_pull(12)
    for index in range(120):
        github.say(12, f"{MARKER}\nnot by the bot {index}", author="someone")
        github.say(12, f"by the bot, of something else {index}\n{MARKER}")
    own = github.say(12, f"{MARKER}\nold")
    twin = github.say(12, f"{MARKER}\nwritten by a run at the same time")
    github.say(12, "last", author="someone")
    before = [dict(comment) for comment in github.comments[12]]
    leave(github, CHANGED)
    assert run()[:2] == (0, "Comment on #12: updated, deleted.\n")
    assert github.writes == [
        f"PATCH /repos/{REPOSITORY}/issues/comments/{own}",
        f"DELETE /repos/{REPOSITORY}/issues/comments/{twin}",
    ]
    after = {comment["id"]: comment["body"] for comment in github.comments[12]}
    assert "Breaking" in after.pop(own)
    assert after == {each["id"]: each["body"] for each in before if each["id"] not in (own, twin)}
    pages = [dict(each.query)["page"] for each in github.requests if each.path.endswith("/comments")]
    assert pages == ["1", "2", "3"]


def test_silent_when_nothing_changed(run: Run, github: FakeGitHub) -> None:
    """There is no comment to say that there is nothing to say."""
    github.open_pull(12)
    leave(github, UNCHANGED)
    assert run() == (0, "Comment on #12: nothing to say.\n", "")
    assert github.writes == []


def test_change_that_was_taken_back_is_corrected(run: Run, github: FakeGitHub) -> None:
    """A comment that is there does not go on saying what is no longer so."""
    github.open_pull(12)
    github.say(12, f"{MARKER}\n🔴 Breaking")
    leave(github, UNCHANGED)
    assert run()[0] == 0
    (comment,) = github.comments[12]
    assert comment["body"].startswith(f"{MARKER}\n🟢 **Nothing changed (1.0.0 → 1.0.0).**")


def test_contract_that_cannot_be_read_is_told(run: Run, github: FakeGitHub) -> None:
    """The run fails, and the comment says why."""
    github.open_pull(12)
    github.leave(pack(comment_json=dump_error("openapi.yaml:3: not YAML @all")))
    assert run(make_event(conclusion="failure"))[0] == 0
    (comment,) = github.comments[12]
    assert "🔴 **The contracts cannot be compared:** openapi.yaml:3: not YAML" in comment["body"]
    assert "@all" not in unescape(comment["body"])


@pytest.mark.parametrize(
    "pull",
    [
        {"sha": "b" * 40},
        {"fork": "stranger/other"},
        {"fork": "other/fork"},
        {"fork": None},
        {"branch": "other"},
        {"base": "release"},
    ],
    ids=["newer-push", "other-repository", "other-owner", "fork-gone", "other-branch", "other-base"],
)
def test_nothing_is_said_where_the_run_does_not_belong(run: Run, github: FakeGitHub, pull: Any) -> None:
    """Not on a pull request that has moved on, nor on another of the same commit or name."""
    github.open_pull(12, **pull)
    leave(github, CHANGED)
    code, output, _ = run()
    assert (code, output) == (0, "No open pull request has this commit as its head any more; nothing to do.\n")
    assert github.writes == []


@pytest.mark.parametrize("artifact", [None, "other", "expired"])
def test_run_without_a_report_is_passed_over(run: Run, github: FakeGitHub, artifact: str | None) -> None:
    """It failed before there was one."""
    github.open_pull(12)
    if artifact is not None:
        github.leave(
            pack(comment_json=dump_report(CHANGED)),
            "spec-diff" if artifact == "expired" else artifact,
            expired=artifact == "expired",
        )
    assert run()[:2] == (0, "The run left no report; nothing to do.\n")
    assert github.writes == []


def test_newest_report_of_a_run_counts(run: Run, github: FakeGitHub) -> None:
    """A run that is tried again leaves another artifact of the same name."""
    github.open_pull(12)
    leave(github, UNCHANGED)
    leave(github, CHANGED)
    assert run()[1] == "Comment on #12: created.\n"


@pytest.mark.parametrize("run_of", [{"event": "push"}, {"head_repository": None}])
def test_other_runs_are_passed_over(run: Run, github: FakeGitHub, run_of: Any) -> None:
    """Nothing is asked of GitHub for them."""
    assert run(make_event(**run_of))[0] == 0
    assert github.requests == []


# What a stranger may try


def test_token_is_for_the_api_alone(run: Run, github: FakeGitHub) -> None:
    """Storage, to which GitHub redirects, gets the request that was signed for it and nothing of ours."""
    github.open_pull(12)
    leave(github, CHANGED)
    assert run()[0] == 0
    (download,) = github.downloads
    assert "authorization" not in download.names
    assert all(each.header("authorization") == f"Bearer {TOKEN}" for each in github.requests)


def test_artifact_cannot_say_where_or_what_to_write(run: Run, github: FakeGitHub) -> None:
    """It is rendered anew from a few known values; whatever else it holds is passed over."""
    github.open_pull(12)
    github.open_pull(13, sha="b" * 40)
    document = {**json.loads(dump_report(CHANGED)), "pull": 13, "number": 13, "body": "forged", "markdown": "forged"}
    evil = "@all <img src=x> [x](https://evil.example) </details> #1"
    document["changes"][0]["message"] = evil
    github.leave(pack(comment_json=json.dumps(document), number="13", report_md="forged"))
    assert run()[0] == 0
    (comment,) = github.comments[12]
    assert github.comments[13] == []
    assert "forged" not in comment["body"]
    report, footer = comment["body"].split("<sub>")
    assert "<img" not in report
    assert "](" not in report
    assert footer.count("](") == 1
    for active in ("@all", "https://evil", "#1"):
        assert active not in unescape(report)


def test_longest_comment_fits(run: Run, github: FakeGitHub) -> None:
    """GitHub refuses longer ones; what is cut is said."""
    changes = tuple(Change("a", "#/x", line, "property-added", "non-breaking", "💥" * 100) for line in range(2000))
    github.open_pull(12)
    leave(github, Report("1.0.0", "1.1.0", changes, "minor", "minor"))
    assert run()[0] == 0
    (comment,) = github.comments[12]
    assert 60_000 < len(comment["body"].encode()) <= COMMENT_LIMIT
    assert "lines more; the report is too long for here" in comment["body"]
    assert comment["body"].endswith("the run](https://github.example/owner/repo/actions/runs/77).</sub>\n")


def pack_unusually() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("comment.json", dump_report(CHANGED))
    return data.getvalue()


def lie_about_size() -> bytes:
    """Return an archive of a bomb whose directory says that it is small."""
    data = bytearray(pack(comment_json=b" " * (MAX_BYTES + 2)))
    size = (MAX_BYTES + 2).to_bytes(4, "little")
    return bytes(data.replace(size, (100).to_bytes(4, "little")))


@pytest.mark.parametrize(
    ("archive", "message"),
    [
        (lambda: b"", "no archive that can be read"),
        (lambda: b"PK\x03\x04 and nothing more", "no archive that can be read"),
        (lambda: pack(comment_json=dump_report(CHANGED))[:-30], "no archive that can be read"),
        (lambda: pack(other_json=b"{}"), "holds no comment.json"),
        (lambda: pack(**{"../../comment.json": dump_report(CHANGED)}), "holds no comment.json"),
        (lambda: pack(**{"/comment.json": dump_report(CHANGED)}), "holds no comment.json"),
        (pack_unusually, "packed in an unusual way"),
        (lambda: pack(comment_json=b" " * (MAX_BYTES + 1)), f"more than {MAX_BYTES:,} bytes"),
        (lie_about_size, "no archive that can be read|is no report"),
        (lambda: b"x" * (MAX_ARCHIVE_BYTES + 1), f"more than {MAX_ARCHIVE_BYTES:,} bytes"),
        (lambda: pack(comment_json=b"[" * 100_000), "is no report: no JSON"),
        (lambda: pack(comment_json=b'{"format": 1, "changes": 1}'), "is no report: changes should be a list"),
    ],
)
def test_artifact_that_is_no_report_is_refused(
    run: Run, github: FakeGitHub, archive: Callable[[], bytes], message: str
) -> None:
    """The job fails and says why; no comment is touched."""
    github.open_pull(12)
    github.say(12, f"{MARKER}\nold")
    github.leave(archive())
    code, _, errors = run()
    assert code == 1
    assert any(each in errors for each in message.split("|")), errors
    assert github.writes == []


# When it does not go well


@pytest.mark.parametrize(
    "call",
    ["GET pulls", "GET actions/runs/77/artifacts", "GET issues/12/comments", "POST issues/12/comments"],
)
def test_refusal_is_told(run: Run, github: FakeGitHub, call: str) -> None:
    """With what was asked, the status and GitHub's words."""
    github.open_pull(12)
    leave(github, CHANGED)
    github.refusals[call] = 403
    code, _, errors = run()
    assert (code, errors) == (1, f"{call}: GitHub answered 403: Resource not accessible by integration\n")


def test_github_that_is_not_there_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a traceback."""
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:1")
    assert run()[::2] == (1, "GET pulls: no answer (ConnectError)\n")


@pytest.mark.parametrize(
    ("name", "value"), [("GITHUB_TOKEN", ""), ("GITHUB_REPOSITORY", "owner"), ("GITHUB_REPOSITORY", "a/b/../../c")]
)
def test_missing_settings_are_told(run: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """Before anything is sent."""
    monkeypatch.setenv(name, value)
    assert run()[::2] == (2, "GITHUB_TOKEN, GITHUB_REPOSITORY and GITHUB_EVENT_PATH (or --event) are needed.\n")


@pytest.mark.parametrize(
    "event", [{}, [], {"workflow_run": {}}, make_event(sha="HEAD"), make_event(sha="../x")], ids=range(5)
)
def test_event_of_another_kind_is_told(run: Run, github: FakeGitHub, event: Any) -> None:
    """Before anything is sent."""
    assert run(event)[0] == 1
    assert github.requests == []


def test_event_that_is_no_json_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends with 2."""
    (tmp_path / "event.txt").write_text("{", encoding="utf-8")
    assert spec_diff_comment.main(["--event", str(tmp_path / "event.txt")]) == 2
    assert capsys.readouterr().err.startswith("The event cannot be read: ")


# The whole way


def test_whole_way_from_an_edit_to_a_comment(run: Run, github: FakeGitHub, mini: Mini, tmp_path: Path) -> None:
    """A branch edits the contract, its code makes the report, ours makes the comment of it, and later corrects it."""
    mini.release(BASE)
    mini.write(BASE)
    mini.commit()
    folder = tmp_path / "out"
    github.open_pull(12)
    for document, verdict in ((edit(add_value), "🔴 **Breaking (1 breaking change)"), (BASE, "🟢 **Nothing changed")):
        mini.write(document)
        code = spec_diff_report.main(["--root", str(mini.root), "--base", "HEAD", "--out", str(folder)])
        assert code == (document is not BASE)
        github.leave(pack(**{path.name: path.read_bytes() for path in folder.iterdir()}))
        assert run()[0] == 0
        (comment,) = github.comments[12]
        assert comment["body"].startswith(f"{MARKER}\n{verdict}")
        assert comment["body"].startswith(f"{MARKER}\n{(folder / 'report.md').read_text(encoding='utf-8')}")


def add_value(document: Any) -> None:
    document["components"]["schemas"]["Kind"]["enum"].append("c")
