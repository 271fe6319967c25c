"""A running sandbox, and what a sender of files needs to speak to it without the client of this project."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx
import pytest
from scenario_uploads.sandbox import Sandbox

from tests.support.server import until

MIB = 1024 * 1024


class Sender:
    """Speaks to a sandbox with nothing but httpx."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self.api = httpx.Client(base_url=box.base_url, auth=(box.api_key, box.api_secret), timeout=300, trust_env=False)
        self.storage = httpx.Client(timeout=300, trust_env=False)

    def close(self) -> None:
        self.api.close()
        self.storage.close()

    def post(self, **body: Any) -> httpx.Response:
        return self.api.post("/uploads", json=body)

    def create(self, size: int, parts: int = 1, **changes: Any) -> dict[str, Any]:
        """Create a multipart upload of a GLB and return the record."""
        body = {"fileName": "dragon.glb", "contentType": "model/gltf-binary", "kind": "3d"}
        response = self.post(**(body | {"fileSize": size, "parts": parts} | changes))
        assert response.status_code == 200, response.text
        upload: dict[str, Any] = response.json()["upload"]
        return upload

    def put_parts(self, upload: dict[str, Any], chunks: Sequence[bytes]) -> None:
        for part, chunk in zip(upload["parts"], chunks, strict=True):
            assert self.storage.put(part["url"], content=chunk).status_code == 200

    def complete(self, upload_id: str) -> httpx.Response:
        return self.api.post(f"/uploads/{upload_id}/action", json={"action": "complete"})

    def retrieve(self, upload_id: str) -> dict[str, Any]:
        response = self.api.get(f"/uploads/{upload_id}")
        assert response.status_code == 200, response.text
        upload: dict[str, Any] = response.json()["upload"]
        return upload

    def send(self, content: bytes, **changes: Any) -> dict[str, Any]:
        """Upload a file in one part and return the record at its end."""
        upload = self.create(len(content), **changes)
        self.put_parts(upload, [content])
        response = self.complete(upload["id"])
        assert response.status_code == 200, response.text
        return self.wait_for_end(upload["id"])

    def wait_for_end(self, upload_id: str) -> dict[str, Any]:
        until(lambda: self.retrieve(upload_id)["status"] in {"imported", "failed"})
        return self.retrieve(upload_id)


@pytest.fixture(name="until", scope="session")
def until_fixture() -> Callable[..., None]:
    return until


@pytest.fixture(scope="session")
def box() -> Iterator[Sandbox]:
    """A sandbox that all tests share that do not need one of their own."""
    with Sandbox(step_delay=0.01) as running:
        yield running


@pytest.fixture(scope="session")
def sender(box: Sandbox) -> Iterator[Sender]:
    one = Sender(box)
    yield one
    one.close()


@pytest.fixture
def sender_to() -> Iterator[Callable[[Sandbox], Sender]]:
    """Make a sender for a sandbox of the test's own."""
    senders: list[Sender] = []

    def make(box: Sandbox) -> Sender:
        senders.append(Sender(box))
        return senders[-1]

    yield make
    for one in senders:
        one.close()
