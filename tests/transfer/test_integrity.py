"""Rows 8 and 9: whether storage received what was sent, and what is done when it did not."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from scenario_uploads import IntegrityError
from scenario_uploads.retry import RetryPolicy
from scenario_uploads.sandbox import Sandbox
from scenario_uploads.transfer import part

from tests.support.clients import Clock, Connect, raises
from tests.support.content import make_glb
from tests.support.server import reply
from tests.support.service import UPLOAD_ID, Service
from tests.support.storing import CorruptingProxy, lead_through, store

MIB = 1024 * 1024
PART = 5 * MIB
CONTENT = make_glb(2 * PART)
WRONG = reply(200, b"", {"ETag": f'"{"0" * 32}"'})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "dragon.glb").write_bytes(CONTENT)
    return tmp_path / "dragon.glb"


@pytest.fixture(autouse=True)
def _haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part, "PART_POLICY", RetryPolicy(max_retries=8, base=0.0))


def test_8_a_part_with_another_etag_is_sent_again(connect: Connect, service: Service, clock: Clock, file: Path) -> None:
    service.script("part 1", WRONG, WRONG, store)
    service.script("part 2", store)
    assert connect(service.url).uploads.upload_file(file, part_size=PART)
    assert len(service.of("part 1")) == 3
    assert len(service.of("part 2")) == 1
    assert {request.sha256 for request in service.of("part 1")} == {hashlib.sha256(CONTENT[:PART]).hexdigest()}


def test_8_an_upload_whose_bytes_arrive_changed_is_never_completed(
    connect: Connect, service: Service, clock: Clock, file: Path
) -> None:
    service.script("part 1", store)
    service.script("part 2", *[WRONG] * 20)
    with raises(IntegrityError, "part 2", "MD5") as caught:
        connect(service.url).uploads.upload_file(file, part_size=PART)
    assert caught.error.upload_id == UPLOAD_ID
    assert len(service.of("part 2")) == 9
    assert "complete" not in service.steps


@pytest.mark.posix
def test_8_nothing_is_compared_nor_hashed_without_integrity(
    connect: Connect, service: Service, clock: Clock, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved: list[int] = []
    sendfile = os.sendfile

    def count(*arguments: int) -> int:
        moved.append(sendfile(*arguments))
        return moved[-1]

    monkeypatch.setattr(os, "sendfile", count)
    service.script("part 1", WRONG)
    assert connect(service.url).uploads.upload_file(file, part_size=PART, integrity=False)
    assert sum(moved) == len(CONTENT)
    assert len(service.of("part 1")) == 1


def test_a_part_alone_goes_through_a_buffer(
    connect: Connect, service: Service, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One connection by itself is faster that way; several leave the copying to the kernel."""
    monkeypatch.delattr(os, "sendfile", raising=False)
    assert connect(service.url).uploads.upload_file(file, part_size=PART, integrity=False, concurrency=1)
    halves = (CONTENT[:PART], CONTENT[PART:])
    expected = [hashlib.sha256(half).hexdigest() for half in halves]
    assert [service.of(f"part {number}")[-1].sha256 for number in (1, 2)] == expected


@pytest.mark.parametrize(
    "headers",
    [
        {"ETag": '"abc-2"'},
        {"ETag": f'"{"0" * 32}-2"'},
        {"ETag": f'"{"0" * 32}"', "x-amz-server-side-encryption": "aws:kms"},
        {"ETag": f'"{"0" * 32}"', "x-amz-server-side-encryption-customer-algorithm": "AES256"},
        {},
    ],
    ids=["multipart", "md5-of-md5s", "kms", "sse-c", "none"],
)
def test_9_an_etag_that_is_no_md5_is_accepted(
    connect: Connect, service: Service, clock: Clock, headers: dict[str, str]
) -> None:
    service.script("part 1", reply(200, b"", headers))
    assert connect(service.url).uploads.upload_file(b"x", file_name="a.glb")
    assert len(service.of("part 1")) == 1


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(step_delay=0.01) as running:
        yield running


class TestAByteThatFlipsInFlight:
    @pytest.fixture
    def client(self, connect: Connect, box: Sandbox) -> Any:
        return connect(box.base_url, api_key=box.api_key, api_secret=box.api_secret)

    @pytest.fixture
    def proxy(self, client: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[CorruptingProxy]:
        created = client.uploads.create(
            file_name="a.glb", file_size=1, content_type="model/gltf-binary", kind="3d", parts=1
        )
        port = urlsplit(created.upload.parts[0].url).port
        # Behind the head of the first request.
        with CorruptingProxy(port, offset=1_000_000) as running:
            lead_through(monkeypatch, port, running.port)
            yield running

    @pytest.mark.parametrize("kind", ["path", "bytes"])
    def test_8_is_caught_and_the_part_sent_again(
        self, client: Any, box: Sandbox, proxy: CorruptingProxy, file: Path, kind: str
    ) -> None:
        attempts: list[int] = []
        upload = client.uploads.upload_file(
            file if kind == "path" else CONTENT,
            file_name="a.glb",
            part_size=PART,
            concurrency=1,
            on_progress=lambda event: attempts.append(event.attempt),
        )
        assert proxy.connections >= 1
        assert max(attempts) == 2
        assert box.sha256(upload.id) == hashlib.sha256(CONTENT).hexdigest()

    def test_8_is_not_caught_without_integrity(
        self, client: Any, box: Sandbox, proxy: CorruptingProxy, file: Path
    ) -> None:
        upload = client.uploads.upload_file(file, part_size=PART, concurrency=1, integrity=False)
        assert proxy.connections >= 1
        assert box.sha256(upload.id) != hashlib.sha256(CONTENT).hexdigest()
