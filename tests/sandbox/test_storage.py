"""The S3 side: what a presigned URL allows, what it does not, and another S3 than the embedded one."""

import hashlib
import http.client
import os
import socket
import traceback
from collections.abc import Iterator
from functools import cache
from urllib.parse import urlsplit

import boto3
import fsspec
import httpx
import pytest
from botocore.config import Config
from botocore.loaders import JSONFileLoader
from nanio.app import build_app
from nanio.auth.credentials import StaticCredentialResolver
from nanio.config import Settings
from scenario_uploads import Scenario, SourceError
from scenario_uploads.sandbox import Sandbox, SandboxError
from scenario_uploads.sandbox.errors import StorageError
from scenario_uploads.sandbox.server import BackgroundServer, format_origin, open_socket
from scenario_uploads.sandbox.storage import windows
from scenario_uploads.sandbox.storage.bucket import StoredPart
from scenario_uploads.sandbox.storage.other import OtherS3
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.support.content import make_glb

MIB = 1024 * 1024
STOCK = make_glb(12 * MIB)


def code_of(response: httpx.Response) -> str:
    return response.text.partition("<Code>")[2].partition("<")[0]


def test_url_answers_with_the_md5_as_etag(sender):
    answer = sender.storage.put(sender.create(4)["parts"][0]["url"], content=b"glTF")
    assert f'"{hashlib.md5(b"glTF").hexdigest()}"' == answer.headers["etag"]


@pytest.mark.parametrize(
    ("old", "new"),
    [("X-Amz-Signature=", "X-Amz-Signature=0"), ("partNumber=1", "partNumber=2"), ("Expires=172800", "Expires=180000")],
)
def test_tampered_url_is_refused(sender, old, new):
    url = sender.create(4)["parts"][0]["url"]
    assert old in url
    answer = sender.storage.put(url.replace(old, new), content=b"glTF")
    assert (answer.status_code, code_of(answer)) == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
def test_url_is_for_put_only(sender, method):
    assert sender.storage.request(method, sender.create(4)["parts"][0]["url"]).status_code == 403


def test_storage_is_closed_without_a_signature(sender, box):
    ended = sender.send(b"glTF")
    url = urlsplit(sender.create(4)["parts"][0]["url"])
    for path in ("/", "/scenario-uploads", f"/scenario-uploads/{ended['id']}", url.path + "?partNumber=1&uploadId=x"):
        for method in ("GET", "PUT", "DELETE"):
            response = sender.storage.request(method, f"http://{url.netloc}{path}", content=b"")
            assert response.status_code == 403, (method, path)


def test_expired_url_is_refused(sender_to, until):
    with Sandbox(url_lifetime=1) as box:
        sender = sender_to(box)
        url = sender.create(4)["parts"][0]["url"]
        until(lambda: sender.storage.put(url, content=b"glTF").status_code == 403)
        assert "expired" in sender.storage.put(url, content=b"glTF").text


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Authorization": "Basic YTpi"}, 400, "InvalidArgument"),
        ({"Content-MD5": "lKtHA2VqYB9c2jkzHxc6yQ=="}, 403, "AccessDenied"),
        ({"x-amz-checksum-crc32": "AAAAAA=="}, 403, "AccessDenied"),
        ({"Content-Length": str(5 * 1024 * MIB + 1)}, 400, "EntityTooLarge"),
        ({"Transfer-Encoding": "chunked"}, 411, "MissingContentLength"),
    ],
)
def test_headers_that_s3_refuses_are_refused(sender, headers, status, code):
    url = urlsplit(sender.create(4)["parts"][0]["url"])
    connection = http.client.HTTPConnection(url.netloc, timeout=300)
    connection.putrequest("PUT", f"{url.path}?{url.query}")
    for name, value in ({"Content-Length": "4"} | headers).items():
        if not (name == "Content-Length" and "Transfer-Encoding" in headers):
            connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    assert status == answer.status
    assert f"<Code>{code}</Code>".encode() in answer.read()
    connection.close()


def test_part_that_is_sent_again_replaces_the_first(sender, box):
    created = sender.create(4)
    for content in (b"first try", b"glTF"):
        sender.put_parts(created, [content])
    sender.complete(created["id"])
    assert sender.wait_for_end(created["id"])["status"] == "imported"
    assert b"".join(box.read_file(created["id"])) == b"glTF"


def start_part(url: str, size: int, content: bytes) -> socket.socket:
    """Send the headers and some of the body of a part."""
    split = urlsplit(url)
    sock = socket.create_connection((split.hostname, split.port), timeout=300)
    head = f"PUT {split.path}?{split.query} HTTP/1.1\r\nHost: {split.netloc}\r\nContent-Length: {size}\r\n\r\n"
    sock.sendall(head.encode() + content)
    return sock


def test_second_try_of_a_part_counts_when_the_first_breaks_meanwhile(sender, box, until, caplog):
    created = sender.create(4)
    url = created["parts"][0]["url"]
    first = start_part(url, 1000, b"bits")
    until(lambda: any(box.folder.glob(".nanio/multipart/*/parts/000001.bin.tmp")))
    with start_part(url, 4, b"gl") as second:
        # Answered by the same event loop, so after it has begun with the second try.
        assert sender.storage.get(url).status_code == 403
        first.close()
        second.sendall(b"TF")
        assert b"200 OK" in second.recv(100)
    sender.complete(created["id"])
    assert sender.wait_for_end(created["id"])["status"] == "imported"
    assert b"".join(box.read_file(created["id"])) == b"glTF"
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_limit_bounds_what_is_stored_of_one_upload(sender_to):
    with Sandbox(max_file_size=6 * MIB) as box:
        sender = sender_to(box)
        refused = sender.post(fileName="a", contentType="a/b", fileSize=6 * MIB + 1, parts=2, kind="3d")
        assert refused.json()["reason"] == "fileSize 6291457 is over this sandbox's limit of 6291456 bytes"
        first, second = (part["url"] for part in sender.create(6 * MIB, parts=2)["parts"])
        tampered = second.replace("X-Amz-Signature=", "X-Amz-Signature=0")
        assert sender.storage.put(tampered, content=b"x" * 2 * MIB).status_code == 403
        assert sender.storage.put(first, content=b"x" * 5 * MIB).status_code == 200
        assert code_of(sender.storage.put(second, content=b"x" * (MIB + 1))) == "EntityTooLarge"
        assert sender.storage.put(tampered, content=b"x" * MIB).status_code == 403
        assert sender.storage.put(first, content=b"y" * 5 * MIB).status_code == 200
        assert sender.storage.put(second, content=b"x" * MIB).status_code == 200
        assert sender.storage.put(tampered, content=b"x" * MIB).status_code == 403
        assert code_of(sender.storage.put(first, content=b"x" * (5 * MIB + 1))) == "EntityTooLarge"


@pytest.fixture(autouse=True, scope="module")
def _share_descriptions() -> Iterator[None]:
    """Clients of boto3 read the descriptions of services once and not for each of them."""
    remember = cache(JSONFileLoader().load_file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", lambda _, path: remember(path))
        yield


@pytest.fixture
def aws_credentials(monkeypatch):
    """Credentials in the usual variables, and no other setting of AWS."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOTHER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "other-secret")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def other_s3(tmp_path, aws_credentials):
    """Another S3 than the embedded one, which takes these credentials."""
    settings = Settings(data_dir=tmp_path, credentials=StaticCredentialResolver({"AKIAOTHER": "other-secret"}))
    listener = open_socket("127.0.0.1", 0, "port")
    endpoint = format_origin(listener)
    server = BackgroundServer(build_app(settings), listener, name="other-s3", is_patient=False)
    server.start()
    yield endpoint
    server.stop()


@pytest.mark.parametrize("region", [None, "eu-west-1"])
def test_file_goes_through_another_s3(other_s3, monkeypatch, tmp_path, sender_to, region):
    if region is not None:
        monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    for _ in range(2):  # the second one finds the bucket
        with Sandbox(s3_endpoint=other_s3 + "/", s3_bucket="elsewhere", step_delay=0) as box:
            sender = sender_to(box)
            created = sender.create(4)
            assert created["parts"][0]["url"].startswith(f"{other_s3}/elsewhere/upload_")
            assert (region or "us-east-1") in created["parts"][0]["url"]
            sender.put_parts(created, [b"glTF"])
            sender.complete(created["id"])
            assert sender.wait_for_end(created["id"])["status"] == "imported"
            assert box.file_path(created["id"]) is None
            assert hashlib.sha256(b"glTF").hexdigest() == box.sha256(created["id"])
            with pytest.raises(SandboxError, match="another S3 has the files"):
                _ = box.folder
    assert len(list((tmp_path / "elsewhere").glob("upload_*"))) == 2


def test_what_is_forgotten_is_removed_from_another_s3_too(other_s3, tmp_path, sender_to, until):
    with Sandbox(s3_endpoint=other_s3, s3_bucket="elsewhere", step_delay=0) as box:
        box._uploads._limit = 1
        sender = sender_to(box)
        stored = tmp_path / "elsewhere" / sender.send(b"glTF")["id"]
        assert stored.read_bytes() == b"glTF"
        sender.create(4)
        until(lambda: not stored.exists())


@pytest.fixture
def stocked(other_s3, monkeypatch):
    """A sandbox that stores its files in another S3, a client for it, and the URL of an object there."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", other_s3)
    with Sandbox(s3_endpoint=other_s3, step_delay=0) as box:
        keys = {"api_key": box.api_key, "api_secret": box.api_secret}
        with Scenario(base_url=box.base_url, **keys) as client:
            upload = client.uploads.upload_file(STOCK, file_name="a.glb")
            yield box, client, f"s3://scenario-uploads/{upload.id}"
    fsspec.filesystem("s3").clear_instance_cache()


def test_object_of_an_s3_is_a_source(stocked, tmp_path):
    box, client, url = stocked
    upload = client.uploads.upload_file(url, kind="3d", part_size=5 * MIB, resume=tmp_path)
    results = list(client.uploads.upload_many("s3://scenario-uploads", recursive=True, kind="3d", ledger=False))
    assert {str(one.source) for one in results} == {url, f"s3://scenario-uploads/{upload.id}"}
    for sent in (upload, *(one.upload for one in results)):
        assert box.sha256(sent.id) == hashlib.sha256(STOCK).hexdigest()


def test_presigned_url_of_an_s3_is_a_source(stocked):
    box, client, url = stocked
    bucket, key = url.removeprefix("s3://").split("/")
    signer = boto3.client("s3", config=Config(signature_version="s3v4"))
    presigned = signer.generate_presigned_url("get_object", {"Bucket": bucket, "Key": key})
    upload = client.uploads.upload_file(presigned, kind="3d", part_size=5 * MIB)
    assert box.sha256(upload.id) == hashlib.sha256(STOCK).hexdigest()
    assert upload.file_name.endswith(f"/{key}")


def test_object_of_an_s3_that_cannot_be_read_is_told(stocked, monkeypatch):
    _, client, url = stocked
    for missing in (f"{url}.glb", "s3://no-such-bucket/a.glb"):
        with pytest.raises(SourceError, match="there is no such file"):
            client.uploads.upload_file(missing, kind="3d")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret")
    fsspec.filesystem("s3").clear_instance_cache()
    with pytest.raises(SourceError, match="cannot be uploaded: Forbidden") as caught:
        client.uploads.upload_file(url, kind="3d")
    assert "wrong-secret" not in "".join(traceback.format_exception(caught.value))


def test_another_s3_with_wrong_credentials_does_not_start(other_s3, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(SandboxError, match=r"could not look for its bucket \(403\)"):
        Sandbox(s3_endpoint=other_s3).start()


def test_another_s3_without_credentials_does_not_start(other_s3, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(SandboxError, match="no AWS credentials: set AWS_ACCESS_KEY_ID"):
        Sandbox(s3_endpoint=other_s3).start()


def test_s3_that_is_not_there_does_not_start(other_s3):
    with open_socket("127.0.0.1", 0, "port") as listener:
        origin = format_origin(listener)
    with pytest.raises(SandboxError, match=r"could not look for its bucket \(EndpointConnectionError\)"):
        Sandbox(s3_endpoint=origin).start()


def test_s3_endpoint_that_is_no_url_does_not_start(other_s3):
    with pytest.raises(SandboxError, match="the S3 settings are not usable"):
        Sandbox(s3_endpoint="not a url").start()


def test_bucket_that_cannot_be_created_does_not_start(other_s3, tmp_path):
    (tmp_path / "elsewhere").write_text("a file where the bucket would be")
    with pytest.raises(SandboxError, match="could not create its bucket"):
        Sandbox(s3_endpoint=other_s3, s3_bucket="elsewhere").start()


def test_aws_settings_of_the_machine_do_not_reach_the_embedded_storage(monkeypatch, sender_to):
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    with Sandbox(step_delay=0) as box:
        assert sender_to(box).send(b"glTF")["status"] == "imported"


PAGE = """<?xml version="1.0"?><ListPartsResult><Bucket>b</Bucket><Key>k</Key><UploadId>u</UploadId>
<PartNumberMarker>{marker}</PartNumberMarker><NextPartNumberMarker>{next}</NextPartNumberMarker>
<IsTruncated>{cut}</IsTruncated>
<Part><PartNumber>{next}</PartNumber><ETag>"e{next}"</ETag><Size>{next}0</Size></Part></ListPartsResult>"""


def test_parts_are_listed_over_every_page(aws_credentials):
    def list_parts(request: Request) -> Response:
        marker = int(request.query_params.get("part-number-marker", 0))
        page = PAGE.format(marker=marker, next=marker + 1, cut="true" if marker < 2 else "false")
        return Response(page, media_type="application/xml")

    listener = open_socket("127.0.0.1", 0, "port")
    endpoint = format_origin(listener)
    app = Starlette(routes=[Route("/{path:path}", list_parts)])
    server = BackgroundServer(app, listener, name="pages", is_patient=False)
    server.start()
    storage = OtherS3(endpoint_url=endpoint, bucket="bucket")
    assert [StoredPart(1, 10, '"e1"'), StoredPart(2, 20, '"e2"'), StoredPart(3, 30, '"e3"')] == storage.list_parts(
        "k", "u"
    )
    storage.close()
    server.stop()


def test_file_that_is_cut_while_it_is_read_is_a_storage_error(aws_credentials):
    async def cut(scope, receive, send):
        headers = [(b"content-length", b"10"), (b"etag", b'"e"')]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"cut", "more_body": True})
        raise ConnectionError

    listener = open_socket("127.0.0.1", 0, "port")
    endpoint = format_origin(listener)
    server = BackgroundServer(cut, listener, name="cut", is_patient=False)
    server.start()
    storage = OtherS3(endpoint_url=endpoint, bucket="bucket")
    with pytest.raises(StorageError, match="could not read the file"):
        list(storage.read("k"))
    storage.close()
    server.stop()


def test_files_of_the_storage_are_binary(monkeypatch, tmp_path):
    """Unless told so, Windows writes a line feed as two bytes."""
    opened = []

    def note(path, flags, mode):
        opened.append(flags)
        return 7

    monkeypatch.setattr(os, "O_BINARY", 1 << 40, raising=False)
    monkeypatch.setattr(os, "open", note)
    assert windows.COMPLETE.open(tmp_path / "part", os.O_WRONLY | windows.COMPLETE.O_NOFOLLOW) == 7
    assert opened == [os.O_WRONLY | 1 << 40]
