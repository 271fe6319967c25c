"""What `SCENARIO_LOG` shows, in a process of its own as users have it, and what it never shows."""

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from scenario_uploads import Scenario
from scenario_uploads.logs import show_log

from tests.support.clients import Clock, Connect
from tests.support.server import reply
from tests.support.service import SIGNATURE, UPLOAD_ID, Service, answer_upload

SECRETS = ("s3cret", "t0ken", "qu3ry", "b0dy", SIGNATURE, "a2V5")
PROGRAM = """
import sys
from scenario_uploads import Scenario
client = Scenario(base_url=sys.argv[1], api_key="key", api_secret="s3cret-of-test", trust_env={trust},
    default_headers={{"X-Token": "t0ken"}}, default_query={{"key": "qu3ry"}})
with client:
    client.uploads.retrieve("upload_1", extra_headers={{"X-More": "t0ken"}}, extra_query={{"q": "qu3ry"}})
    client.uploads.create(kind="image", url="https://example.com/x?b0dy", extra_body={{"note": "b0dy"}})
    client.uploads.upload_file(b"x", file_name="a.glb")
"""


def run(service: Service, level: str | None, *, trust: bool = True) -> str:
    service.script("retrieve", reply(503, {"reason": "busy"}, {"Retry-After": "0"}))
    service.script("create", answer_upload(parts=service.make_parts(1)))
    environ = {name: value for name, value in os.environ.items() if name != "SCENARIO_LOG"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(trust=trust), service.url],
        env=environ | ({"SCENARIO_LOG": level} if level else {}) | {"SCENARIO_SDK_JWT": "t0ken"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""
    assert [secret for secret in SECRETS if secret in done.stderr] == []
    return done.stderr


def test_info_shows_what_is_tried_again(service: Service) -> None:
    lines = run(service, "info").splitlines()
    (line,) = [line for line in lines if "trying again" in line]
    assert len(lines) == 1 + len([step for step in service.steps if not step.startswith("part")])
    assert {"answered with status" in other for other in lines if other is not line} == {True}
    assert " - scenario_uploads.http:" in line
    assert line.startswith("[2")
    assert "INFO] retrieve_upload was answered with status 503: busy; trying again in 0." in line
    assert line.endswith(" s, 1 of 2.")


def test_what_is_tried_again_names_its_file(
    connect: Connect, service: Service, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    busy = reply(503, {"reason": "busy"}, {"Retry-After": "0"})
    service.script("create", busy)
    service.script("part 1", busy)
    with caplog.at_level(logging.INFO):
        connect(service.url).uploads.upload_file(b"x", file_name="odd.glb")
    lines = [line for line in caplog.messages if "rying again" in line]
    assert [line.partition(" in ")[0] for line in lines] == [
        "'odd.glb': create_upload was answered with status 503: busy; trying again",
        "'odd.glb': Part 1 was refused by storage with status 503. Trying again",
    ]


def test_so_it_does_among_many(
    service: Service, clock: Clock, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()
        (folder / "a.glb").write_bytes(b"x")
    busy = reply(503, {"reason": "busy"}, {"Retry-After": "0"})
    service.script("create", busy)
    service.script("part 1", busy)
    with (
        caplog.at_level(logging.INFO),
        Scenario(base_url=service.url, api_key="key", api_secret="secret") as client,
    ):
        results = client.uploads.upload_many(folders, recursive=True, ledger=False, files_at_once=1)
        assert [result.error for result in results] == [None, None]
    again = [line for line in caplog.messages if "rying again" in line]
    assert [line.partition(": ")[0] for line in again] == [repr(str(folders[0] / "a.glb"))] * 2
    assert "The service is busy: all calls wait for 0.1 s." in caplog.messages


def test_debug_shows_every_request(service: Service) -> None:
    lines = run(service, "DEBUG").splitlines()
    sending = [line for line in lines if ": sending " in line]
    assert len(sending) == len([step for step in service.steps if not step.startswith("part")])
    assert f"retrieve_upload: sending GET {service.url}/uploads/upload_1?…" in sending[0]
    assert any("create_upload: answered with status 200" in line for line in lines)


@pytest.mark.parametrize("level", [None, "nonsense"])
def test_nothing_else_shows_anything(service: Service, level: str | None) -> None:
    assert run(service, level) == ""


def test_an_environment_that_is_not_trusted_shows_nothing(service: Service) -> None:
    assert run(service, "debug", trust=False) == ""


def test_the_levels_of_other_logs_are_left_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = logging.getLogger("scenario_uploads")
    before = {name: logging.getLogger(name).level for name in (None, "httpx", "httpcore")}
    level = ours.level
    show_log.cache_clear()
    try:
        show_log("debug")
        assert ours.level == logging.DEBUG
        assert {name: logging.getLogger(name).level for name in before} == before
    finally:
        ours.setLevel(level)
        show_log.cache_clear()


def test_the_program_has_the_last_word(caplog: pytest.LogCaptureFixture) -> None:
    """A level that a program sets after its first client stays."""
    show_log.cache_clear()
    show_log("debug")
    logger = logging.getLogger("scenario_uploads")
    try:
        logger.setLevel(logging.ERROR)
        show_log("debug")
        assert logger.level == logging.ERROR
    finally:
        logger.setLevel(logging.NOTSET)
        show_log.cache_clear()


def test_no_log_of_a_program_shows_a_secret_of_ours(
    connect: Connect, service: Service, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "scenario_uploads")
    service.script("retrieve", reply(503, {"reason": "busy"}))
    secret: dict[str, Any] = {"extra_headers": {"X-Token": "t0ken"}, "extra_query": {"q": "qu3ry"}}
    connect(service.url, api_key="key", api_secret="s3cret-of-test").uploads.retrieve(UPLOAD_ID, **secret)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("scenario_uploads")]
    assert len(ours) == 5
    assert [text for text in SECRETS if text in "\n".join(ours)] == []
