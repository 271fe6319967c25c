"""The life of an upload, with real PUTs to presigned URLs."""

import hashlib
import os
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from threading import Barrier

import httpx
import pytest
from scenario_uploads.sandbox import Sandbox
from scenario_uploads.sandbox.errors import Refusal
from scenario_uploads.sandbox.state.records import UploadRecord, Uploads

from tests.sandbox.conftest import Sender
from tests.support.server import Server, reply, until

MIB = 1024 * 1024
GLB = b"glTF" + bytes(100)
CREATE_ONLY = {"parts", "partsCount", "fileSize", "contentType", "originalFileName"}


def test_file_in_three_parts_is_imported_with_the_same_bytes(sender, box):
    content = b"glTF" + os.urandom(11 * MIB)
    chunks = [content[: 5 * MIB], content[5 * MIB : 10 * MIB], content[10 * MIB :]]
    created = sender.create(len(content), parts=3)
    assert created["status"] == "pending"
    assert [part["number"] for part in created["parts"]] == [1, 2, 3]
    sender.put_parts(created, chunks)

    completed = sender.complete(created["id"]).json()["upload"]
    assert completed["status"] == "validating"
    assert completed["entityId"] is None
    ended = sender.wait_for_end(created["id"])
    assert ended["status"] == "imported"
    assert re.fullmatch(r"asset_\w+", ended["entityId"])
    assert hashlib.sha256(content).hexdigest() == box.sha256(created["id"])
    assert content == b"".join(box.read_file(created["id"]))
    assert content == box.file_path(created["id"]).read_bytes()


def test_parts_count_in_their_order_not_in_that_of_their_arrival(sender, box):
    chunks = [b"glTF" + os.urandom(5 * MIB), os.urandom(100)]
    created = sender.create(sum(map(len, chunks)), parts=2)
    for part, chunk in reversed(list(zip(created["parts"], chunks, strict=True))):
        assert sender.storage.put(part["url"], content=chunk).status_code == 200
    sender.complete(created["id"])
    assert sender.wait_for_end(created["id"])["status"] == "imported"
    assert b"".join(chunks) == b"".join(box.read_file(created["id"]))


def test_text_is_a_kind(sender, box):
    ended = sender.send(b"a dragon, at dusk", kind="text", contentType="text/plain", fileName="prompt.txt")
    assert (ended["status"], ended["kind"]) == ("imported", "text")


def test_every_status_is_seen_in_turn_and_the_entity_only_at_the_end(sender_to):
    with Sandbox(step_delay=0.15) as box:
        sender = sender_to(box)
        created = sender.create(4)
        sender.put_parts(created, [b"glTF"])
        seen = [created, sender.complete(created["id"]).json()["upload"]]
        while seen[-1]["status"] not in {"imported", "failed"}:
            seen.append(sender.retrieve(created["id"]))
    statuses = list(dict.fromkeys(upload["status"] for upload in seen))
    assert statuses == ["pending", "validating", "validated", "imported"]
    assert all((upload["entityId"] is None) == (upload["status"] != "imported") for upload in seen)


def test_create_only_fields_come_never_again(sender):
    created = sender.create(4)
    assert created.keys() >= CREATE_ONLY
    assert (
        created["partsCount"],
        created["fileSize"],
        created["contentType"],
        created["originalFileName"],
    ) == (1, 4, "model/gltf-binary", "dragon.glb")
    sender.put_parts(created, [b"glTF"])
    answers = [
        sender.retrieve(created["id"]),
        sender.complete(created["id"]).json()["upload"],
        sender.wait_for_end(created["id"]),
    ]
    assert [set()] * 3 == [answer.keys() & CREATE_ONLY for answer in answers]


def test_expires_is_a_time_with_milliseconds_and_zone_two_days_ahead(sender):
    expires = sender.create(4)["parts"][0]["expires"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", expires)
    left = datetime.fromisoformat(expires) - datetime.now(UTC)
    assert timedelta(hours=47, minutes=59) < left <= timedelta(hours=48)


def test_model_becomes_a_model(sender):
    ended = sender.send(b"PK\3\4rest", kind="model", contentType="application/zip", fileName="lora.zip")
    assert re.fullmatch(r"model_\w+", ended["entityId"])


def test_every_create_answer_has_options_settings_and_a_job(sender):
    """Though nothing was asked for; and what was stays as it was, with defaults for the rest."""
    created = sender.create(4)
    assert (created["assetOptions"], created["config"]) == ({"collectionIds": [], "hide": False}, {})
    assert re.fullmatch(r"job_\w+", created["jobId"])
    assert sender.retrieve(created["id"])["jobId"] == created["jobId"]
    hidden = sender.create(4, assetOptions={"hide": True})
    assert hidden["assetOptions"] == {"collectionIds": [], "hide": True}


def test_file_name_is_a_path_in_storage(sender):
    """Of which the name that was given is the end, and `originalFileName` has it alone."""
    created = sender.create(4, fileName="dragon.glb")
    assert re.fullmatch(r"uploads/\w{24}/dragon\.glb", created["fileName"])
    assert created["originalFileName"] == "dragon.glb"


def test_asset_options_come_back(sender):
    options = {"collectionIds": ["collection_1"], "hide": True, "parentId": None}
    assert options == sender.create(4, assetOptions=options)["assetOptions"]


def test_content_that_is_not_what_it_claims_fails_with_a_reason(sender, box):
    ended = sender.send(b"<html>not found</html>")
    assert (ended["status"], ended["errorMessage"]) == ("failed", "The content is not a GLB (model/gltf-binary)")
    assert ended["entityId"] is None
    assert b"".join(box.read_file(ended["id"])) == b"<html>not found</html>"


@pytest.mark.parametrize(
    ("body", "source", "provider", "file_name", "entity"),
    [
        ({"url": "https://example.com/a/cat%20one.png?x=1", "kind": "image"}, "url", "other", "cat one.png", "asset_"),
        ({"url": "https://example.com", "kind": "model", "fileName": "a.zip"}, "url", "other", "a.zip", "model_"),
        ({"huggingFaceModelName": "stabilityai/sdxl-1.0"}, "huggingface", "huggingface", "sdxl-1.0", "model_"),
        ({"civitaiModelUrl": "https://civitai.com/models/3/x?modelVersionId=4"}, "civitai", "civitai", "x", "model_"),
    ],
)
def test_import_pretends_and_ends_imported(sender, body, source, provider, file_name, entity):
    response = sender.post(**body)
    created = response.json()["upload"]
    assert (response.status_code, created["status"]) == (200, "validating")
    assert (source, provider, file_name) == (
        created["source"],
        created["provider"],
        created["fileName"].rpartition("/")[2],
    )
    assert created.get("url") == body.get("url")
    assert not created.keys() & CREATE_ONLY
    ended = sender.wait_for_end(created["id"])
    assert ended["status"] == "imported"
    assert ended["entityId"].startswith(entity)


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        ([None, 4], "Parts are missing: 1 (of 2)"),
        ([5 * MIB, None], "Parts are missing: 2 (of 2)"),
        ([4, 5 * MIB], "Parts are too small: 1; every part but the last has at least 5242880 bytes"),
        ([5 * MIB, 5], "The parts have 5242885 bytes together, but fileSize is 5242884"),
    ],
)
def test_complete_with_wrong_parts_is_refused_and_can_be_said_again(sender, sizes, reason):
    created = sender.create(5 * MIB + 4, parts=2)
    urls = [part["url"] for part in created["parts"]]
    for url, size in zip(urls, sizes, strict=True):
        if size is not None:
            sender.storage.put(url, content=b"glTF".ljust(size)).raise_for_status()
    refused = sender.complete(created["id"])
    assert (400, reason) == (refused.status_code, refused.json()["reason"])
    assert sender.retrieve(created["id"])["status"] == "pending"

    sender.put_parts(created, [b"glTF".ljust(5 * MIB), b"last"])
    assert sender.complete(created["id"]).status_code == 200
    assert sender.wait_for_end(created["id"])["status"] == "imported"


def test_exactly_one_of_many_completes_at_once_wins(sender, box):
    created = sender.create(4)
    sender.put_parts(created, [b"glTF"])
    barrier = Barrier(6)

    def complete():
        barrier.wait()
        url = f"{box.base_url}/uploads/{created['id']}/action"
        return httpx.post(url, json={"action": "complete"}, auth=(box.api_key, box.api_secret), trust_env=False)

    with ThreadPoolExecutor(6) as pool:
        answers = [future.result() for future in [pool.submit(complete) for _ in range(6)]]
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409, 409]
    reasons = {answer.json()["reason"].partition(":")[0] for answer in answers if answer.status_code == 409}
    assert {"Upload is not pending"} == reasons
    assert sender.wait_for_end(created["id"])["status"] == "imported"


def test_complete_of_an_import_is_a_conflict(sender):
    created = sender.post(huggingFaceModelName="a/b").json()["upload"]
    assert sender.complete(created["id"]).status_code == 409


def test_file_of_ten_thousand_parts_gets_ten_thousand_different_urls(sender):
    created = sender.create(50_000 * MIB, parts=10_000)
    assert list(range(1, 10_001)) == [part["number"] for part in created["parts"]]
    assert len({part["url"] for part in created["parts"]}) == 10_000
    assert sender.storage.put(created["parts"][-1]["url"], content=b"last").status_code != 403


@pytest.mark.parametrize("content", [b"glTF", b"no model at all"], ids=["imported", "failed"])
def test_what_is_forgotten_is_removed_and_makes_room(sender_to, until, content):
    with Sandbox(step_delay=0, max_stored=20) as box:
        box._uploads._limit = 1
        sender = sender_to(box)
        first = sender.send(content)
        until(lambda: box._uploads.find(first["id"]).is_finished)
        stored = box.file_path(first["id"])
        assert stored.is_file()
        sender.create(4)
        until(lambda: not stored.exists() and box._quota.left == 20)
        sender.close()


def test_what_records_hold_is_bounded():
    uploads, forgotten = Uploads(max_size=1000), []
    uploads.forget = forgotten.append
    now = datetime.now(UTC)
    facts = {"owner_id": "p", "created_at": now, "updated_at": now, "kind": "3d", "source": "url", "job_id": "j"}
    for number in range(10):
        uploads.add(UploadRecord(id=str(number), file_name="a", url="u" * 300, status="imported", **facts))
    assert [record.id for record in forgotten] == [str(number) for number in range(7)]
    for number in range(3):
        uploads.add(UploadRecord(id=f"x{number}", file_name="a", url="u" * 300, status="validating", **facts))
    with pytest.raises(Refusal, match="1000 characters"):
        uploads.add(UploadRecord(id="y", file_name="a", url="u" * 300, status="validating", **facts))


class TestAnImportFromThisMachine:
    def fetch(self, sender, url, kind="3d"):
        created = sender.post(url=url, kind=kind).json()["upload"]
        ended = sender.wait_for_end(created["id"])
        return ended["id"], ended["status"], ended.get("errorMessage")

    def test_is_really_fetched(self, sender, box):
        with Server(reply(200, GLB, {"Content-Type": "model/gltf-binary"})) as server:
            upload_id, status, _ = self.fetch(sender, f"{server.origin}/dragon.glb")
        assert status == "imported"
        assert box.sha256(upload_id) == hashlib.sha256(GLB).hexdigest()

    def test_that_is_no_file_fails(self, sender):
        with Server(reply(404, b"no")) as server:
            assert self.fetch(sender, server.origin)[1:] == (
                "failed",
                "The URL could not be fetched: the answer was 404",
            )
        assert self.fetch(sender, "http://127.0.0.1:9")[2] == "The URL could not be fetched: nobody answers"
        with Server(reply(200, b"<html>", {"Content-Type": "model/gltf-binary"})) as server:
            assert self.fetch(sender, server.origin)[2] == "The content is not a GLB (model/gltf-binary)"

    def test_does_not_lead_elsewhere(self, sender):
        for target in ("http://192.0.2.1/", "ftp://127.0.0.1/", "file:///etc/passwd", "http://127.0.0.1@192.0.2.1/"):
            with Server(reply(302, b"", {"Location": target})) as server:
                assert self.fetch(sender, server.origin)[1] == "failed"
        with Server(reply(200, GLB)) as there, Server(reply(302, b"", {"Location": there.origin})) as here:
            assert self.fetch(sender, here.origin)[1] == "imported"

    def test_is_bounded_and_freed(self):
        with (
            Sandbox(step_delay=0, max_file_size=len(GLB) - 1) as box,
            Server(reply(200, GLB)) as server,
            closing(Sender(box)) as sender,
        ):
            assert "over this sandbox's limit of" in self.fetch(sender, server.origin)[2]


def test_what_is_fetched_and_forgotten_makes_room():
    with Sandbox(step_delay=0) as box, Server(reply(200, GLB)) as server, closing(Sender(box)) as sender:
        before = box._quota.left
        created = sender.post(url=server.origin, kind="3d").json()["upload"]
        sender.wait_for_end(created["id"])
        path = box.file_path(created["id"])
        assert (path.read_bytes(), box._quota.left) == (GLB, before - len(GLB))
        box._uploads._limit = 1
        sender.create(5)
        until(lambda: box._quota.left == before and not path.exists())
