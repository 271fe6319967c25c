"""A short run of `python -m tests.chaos` (the long one is `make chaos`), and what longer runs have found."""

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from scenario_uploads import AuthenticationError, TransferError
from scenario_uploads.system import FileState
from scenario_uploads.upload.ledger import SUFFIX, Entry, Ledger

from tests.chaos.script import draw_script, list_leads
from tests.chaos.watch import find_secret
from tests.support.clients import Clock, Connect, raises
from tests.support.folders import describe_home
from tests.support.server import reply
from tests.support.service import UPLOAD_ID, Service, answer_upload

ROOT = Path(__file__).parent.parent
SEED = 20261121


def test_nothing_is_lost_in_a_short_chaos_run(tmp_path: Path) -> None:
    """Uploads through a service that misbehaves end as they should, or the run says which did not and how to repeat it.

    A process of its own, because what it leaves open is counted.
    """
    run = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--seed", str(SEED), "-n", "40"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), **describe_home(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-5_000:]
    assert f"Nothing was lost: seed {SEED}, 40 uploads." in run.stdout
    assert list(tmp_path.iterdir()) == [], "something was written into the home folder"


def test_a_seed_decides_everything() -> None:
    leads = list_leads()
    scripts = [draw_script(SEED, number, leads) for number in range(50)]
    assert scripts == [draw_script(SEED, number, leads) for number in range(50)]
    assert scripts != [draw_script(SEED + 1, number, leads) for number in range(50)]


def test_the_watch_knows_a_secret_when_it_sees_one() -> None:
    assert find_secret("PUT https://x/y?X-Amz-Signature=ChaosSignature00001") == "a URL's signature"
    assert find_secret("PUT https://x/y?…") is None


def test_12_a_fresh_create_that_is_refused_names_the_upload_that_expired(service: Service, connect: Connect) -> None:
    service.script("part 1", reply(403, b"<Error><Message>Request has expired</Message></Error>"))
    created = answer_upload(status="pending", entityId=None, parts=service.make_parts(1))
    service.script("create", created, reply(401, {"reason": "revoked"}))
    with raises(AuthenticationError, "revoked") as caught:
        connect(service.url).uploads.upload_file(b"x", file_name="dragon.glb")
    assert caught.error.upload_id == UPLOAD_ID


def _begin_and_fail(service: Service, client: Any, path: Path) -> dict[str, Any]:
    """Upload in two parts of which the second is refused; return the arguments with which it can be resumed."""
    path.write_bytes(b"x" * (5 * 1024 * 1024 + 1))
    arguments = {"part_size": 5 * 1024 * 1024, "concurrency": 1, "resume": path.parent / "ledgers"}
    service.script("part 2", reply(400, b"<Error><Code>EntityTooSmall</Code></Error>"))
    with pytest.raises(TransferError):
        client.uploads.upload_file(path, **arguments)
    return arguments


def test_29_a_resumed_upload_asks_again_when_the_service_stumbles(
    service: Service, connect: Connect, clock: Clock, tmp_path: Path
) -> None:
    client = connect(service.url)
    arguments = _begin_and_fail(service, client, tmp_path / "dragon.glb")
    service.script("retrieve", reply(503, {"reason": "busy"}), answer_upload(status="pending", entityId=None))
    upload = client.uploads.upload_file(tmp_path / "dragon.glb", **arguments)
    assert upload.status == "imported"
    assert len(service.of("create")) == 1
    assert len(service.of("part 1")) == 1


def test_29_a_resumed_upload_that_cannot_be_read_is_named(
    service: Service, connect: Connect, clock: Clock, tmp_path: Path
) -> None:
    client = connect(service.url)
    arguments = _begin_and_fail(service, client, tmp_path / "dragon.glb")
    service.script("retrieve", reply(401, {"reason": "revoked"}))
    with raises(AuthenticationError, "revoked") as caught:
        client.uploads.upload_file(tmp_path / "dragon.glb", **arguments)
    assert caught.error.upload_id == UPLOAD_ID


def test_30_a_copy_of_the_descriptor_does_not_keep_a_closed_ledger_locked(tmp_path: Path) -> None:
    """Another thread that starts a process leaves it a copy of every descriptor until it runs its program."""
    with closing(Ledger(tmp_path / f"a{SUFFIX}")) as ledger:
        ledger.begin(Entry("upload_1", "/f", FileState(1, 1), 1, (("https://x/y", ""),)))
        copy = os.dup(ledger._descriptor)  # type: ignore[arg-type]
    try:
        with closing(Ledger(tmp_path / f"a{SUFFIX}")) as again:
            assert again.read() is not None
    finally:
        os.close(copy)
