"""The page as its HTML and its stream of events have it. tests/page looks at it in a browser."""

import ast
import html
import json
import re
import shlex
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from scenario_uploads.sandbox import Sandbox, SandboxError
from scenario_uploads.sandbox.page.views import Strip, find_media, format_size, show
from scenario_uploads.sandbox.state.journal import Journal
from scenario_uploads.sandbox.state.records import UploadRecord

MIB = 1024 * 1024
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


@pytest.fixture
def browser(box: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=box.page_url, trust_env=False, timeout=300) as client:
        yield client


def read(page: str) -> str:
    """Return what is read of a page, in one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


class TestTheList:
    def test_shows_name_kind_size_parts_status_and_entity(self, sender, browser):
        upload = sender.send(PNG, fileName="list.png", contentType="image/png", kind="image")
        row = re.search(rf'<tr id="row-{upload["id"]}".*?</tr>', browser.get("/").text, re.DOTALL)
        assert row
        assert '<a id="open-' in row[0]
        text = read(row[0])
        for shown in ("list.png", upload["id"], "image", "108 B", "1/1", "imported", upload["entityId"]):
            assert shown in text

    def test_shows_why_an_upload_failed(self, sender, browser):
        upload = sender.send(b"no png", fileName="bad.png", contentType="image/png", kind="image")
        assert upload["errorMessage"] in read(browser.get("/").text.replace("&#39;", "'"))

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("q=needle", True),
            ("q=NEEDLE+glb", True),
            ("q=needle+haystack", False),
            ("q=needle&status=pending", True),
            ("q=needle&status=failed", False),
            ("q=needle&kind=3d", True),
            ("q=needle&kind=image", False),
        ],
    )
    def test_can_be_searched_and_filtered(self, query, found, sender, browser):
        upload = sender.create(10, fileName="a needle.glb")
        page = browser.get(f"/?{query}").text
        assert (f'id="row-{upload["id"]}"' in page) is found
        if not found:
            assert "No upload fits" in page

    def test_shows_an_empty_sandbox_how_to_begin(self):
        with Sandbox() as box:
            page = httpx.get(box.page_url, trust_env=False).text
        assert "Nothing has been uploaded yet" in page
        assert box.base_url in page
        assert box.api_secret not in page

    def test_shows_requests_that_made_no_upload(self, box, sender, browser):
        assert sender.post(fileName="alone").status_code == 400
        assert httpx.get(f"{box.base_url}/uploads/upload_x", trust_env=False).status_code == 401
        page = read(browser.get("/").text)
        assert "Requests that made no upload" in page
        assert "/v1/uploads/upload_x 401" in page

    def test_of_a_thousand_is_whole_and_no_longer(self):
        """The newest thousand are listed; older ones are found."""
        with Sandbox() as box:
            now = datetime.now(UTC)
            for number in range(1001):
                box._uploads.add(
                    UploadRecord(
                        id=f"upload_{number:024}", owner_id="p", created_at=now + timedelta(seconds=number), kind="3d",
                        updated_at=now, file_name=f"{number}.glb", source="url", status="pending", job_id="job_x",
                    )
                )  # fmt: skip
            page = httpx.get(box.page_url, trust_env=False).text
            assert page.count("<tr id=") == 1000
            assert len(page) < 1000 * MIB // 1024
            assert "The newest 1000 of 1001" in page
            assert "upload_000000000000000000000000" not in page
            assert "upload_000000000000000000000000" in httpx.get(f"{box.page_url}?q=0.glb", trust_env=False).text


class TestAnUpload:
    def test_shows_the_requests_that_made_it_without_secrets(self, box, sender, browser):
        upload = sender.create(len(PNG), fileName="shown.png", contentType="image/png", kind="image")
        sender.put_parts(upload, [PNG])
        sender.complete(upload["id"])
        sender.wait_for_end(upload["id"])
        page = browser.get(f"/_sandbox/uploads/{upload['id']}").text
        text = read(page)
        for shown in (
            "POST /v1/uploads 200",
            f"{upload['id']}?partNumber=1 200",
            "/action 200",
            "authorization: Basic",
        ):
            assert shown in text
        for step in ("pending", "validating", "validated", "imported"):
            assert f'<li class="{step}"><b>{step}</b>' in page
        secrets = [box.api_key, box.api_secret, box.bearer_token, "X-Amz-", upload["parts"][0]["url"].partition("?")[2]]
        assert [secret for secret in secrets if secret in page] == []

    def test_counts_polls_instead_of_repeating_them(self, sender, browser):
        upload = sender.create(10)
        for _ in range(5):
            sender.retrieve(upload["id"])
        page = browser.get(f"/_sandbox/uploads/{upload['id']}").text
        assert page.count('<li><details id="call-') == 2
        assert "\N{MULTIPLICATION SIGN}5" in page

    def test_keeps_the_secrets_of_what_it_imports(self, sender, browser):
        response = sender.post(url="https://me:word@example.com/a.png?sig=abc#def", kind="image")
        page = browser.get(f"/_sandbox/uploads/{response.json()['upload']['id']}").text
        assert "https://***@example.com/a.png?***" in page
        assert [secret for secret in ("word@", "sig=abc", "#def") if secret in page] == []

    @pytest.mark.parametrize(
        ("name", "content_type", "content", "shown"),
        [
            ("a.png", "image/png", PNG, "<img src="),
            ("a.mp3", "audio/mpeg", b"ID3" + bytes(50), "<audio controls"),
            ("a.mp4", "video/mp4", b"\0\0\0\x18ftypmp42" + bytes(50), "<video controls"),
            ("a.txt", "text/plain", b"read <b>this</b>", "read &lt;b&gt;this&lt;/b&gt;"),
        ],
    )
    def test_previews_what_can_be_shown(self, name, content_type, content, shown, sender, browser):
        kind = {"text": "text"}.get(content_type[:4], content_type.partition("/")[0])
        upload = sender.send(content, fileName=name, contentType=content_type, kind=kind)
        page = browser.get(f"/_sandbox/uploads/{upload['id']}").text
        assert shown in page
        file = browser.get(f"/_sandbox/uploads/{upload['id']}/file", headers={"Range": "bytes=1-5"})
        assert (file.status_code, file.content) == (206, content[1:6])
        assert file.headers["content-type"].startswith(content_type)
        assert file.headers["content-security-policy"].startswith("sandbox;")

    def test_can_be_downloaded_whatever_it_is(self, sender, browser):
        upload = sender.send(b"glTF", fileName="träge.glb")
        file = browser.get(f"/_sandbox/uploads/{upload['id']}/file?download")
        assert file.content == b"glTF"
        assert file.headers["content-type"] == "application/octet-stream"
        assert file.headers["content-disposition"].startswith("attachment;")

    def test_that_is_not_there_is_said_so(self, sender, browser):
        assert browser.get("/_sandbox/uploads/upload_x").status_code == 404
        assert browser.get(f"/_sandbox/uploads/{sender.create(10)['id']}/file").status_code == 404
        assert browser.get("/_sandbox/static/app.py").status_code == 404


class TestCalls:
    """What is copied runs, whatever a file is called."""

    NAME = "it's \"$(me)\" `x` \\ 'y'.glb"

    def copy(self, page: str, place: str) -> str:
        found = re.search(rf'<pre tabindex="0" id="{place}">(.*?)</pre>', page, re.DOTALL)
        assert found
        return html.unescape(found[1])

    @pytest.fixture
    def page(self, sender, browser) -> str:
        upload = sender.create(10, fileName=self.NAME, assetOptions={"collectionIds": ["a", "b", "c", "d"]})
        sender.put_parts(upload, [b"glTF567890"])
        sender.retrieve(upload["id"])
        sender.complete(upload["id"])
        return browser.get(f"/_sandbox/uploads/{upload['id']}").text

    def test_as_python(self, page, box, monkeypatch):
        monkeypatch.setenv("SCENARIO_SDK_API_KEY", box.api_key)
        monkeypatch.setenv("SCENARIO_SDK_API_SECRET", box.api_secret)
        made: list[httpx.Request] = []
        original = httpx.Client.send
        monkeypatch.setattr(
            httpx.Client,
            "send",
            lambda self, request, **named: made.append(request) or original(self, request, **named),
        )
        for number, method in ((1, "POST"), (3, "GET")):
            exec(self.copy(page, f"python-{number}"), {})
            assert made[-1].method == method
        body = json.loads(made[0].content)
        assert (body["fileName"], body["assetOptions"]) == (self.NAME, {"collectionIds": ["a", "b", "c", "d"]})
        assert "action='complete'" in self.copy(page, "python-4")
        ast.parse(self.copy(page, "python-4"))
        ast.parse(self.copy(page, "python-2"))
        ast.parse(self.copy(page, "again"))
        assert "upload_file(" in self.copy(page, "again")

    def test_as_curl(self, page, box):
        words = shlex.split(self.copy(page, "curl-1"))
        assert words[:4] == ["curl", "-X", "POST", f"{box.base_url}/uploads"]
        assert words[words.index("-u") + 1] == "$SCENARIO_SDK_API_KEY:$SCENARIO_SDK_API_SECRET"
        assert json.loads(words[words.index("--data-raw") + 1])["fileName"] == self.NAME
        assert shlex.split(self.copy(page, "curl-3"))[2:4] == [
            "GET",
            f"{box.base_url}/uploads/{words and re.search('row-|upload_[A-Za-z0-9]{24}', page)[0]}",
        ]
        assert '"$PART_1_URL"' in self.copy(page, "curl-2")


class Events:
    """The events of a stream, read one by one."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.iter_lines()

    def until(self, wanted: str) -> str:
        """Return the data of the next event that has a text in it."""
        data = ""
        for line in self._lines:
            data = "" if not line else f"{data}\n{line}"
            if wanted in data:
                return data
        raise AssertionError(f"no {wanted}")


def find_stream(page: str) -> str:
    found = re.search(r'data-stream="([^"]*)"', page)
    assert found
    return found[1].replace("&amp;", "&")


class TestTheStream:
    def test_tells_of_an_upload_to_its_end(self, sender, browser):
        with browser.stream("GET", find_stream(browser.get("/").text)) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            events = Events(response)
            upload = sender.create(6 * MIB, parts=2, fileName="lively.glb")
            assert "0/2" in events.until(f"row-{upload['id']}") + events.until("0/2")
            sender.put_parts({"parts": upload["parts"][:1]}, [b"glTF" + bytes(5 * MIB - 4)])
            events.until("1/2")
            sender.put_parts({"parts": upload["parts"][1:]}, [bytes(MIB)])
            events.until("2/2")
            sender.complete(upload["id"])
            events.until('data-status="imported"')

    def test_keeps_to_the_filter(self, sender, browser):
        with browser.stream("GET", find_stream(browser.get("/?q=wanted").text)) as response:
            events = Events(response)
            other = sender.create(10, fileName="other.glb")
            events.until(f"data: row-{other['id']}")
            events.until(f"row-{sender.create(10, fileName='wanted.glb')['id']}")

    def test_misses_nothing_between_two_connections(self, sender, browser):
        stream = find_stream(browser.get("/").text)
        upload = sender.create(10, fileName="meanwhile.glb")
        with browser.stream("GET", stream) as response:
            events = Events(response)
            events.until(f"row-{upload['id']}")
            last = re.search(r"id: (\S+)", events.until("</tr>") + events.until("id: "))
            assert last
        later = sender.create(10, fileName="later.glb")
        with browser.stream("GET", stream, headers={"Last-Event-ID": last[1]}) as response:
            assert upload["id"] not in Events(response).until(f"row-{later['id']}")

    def test_of_an_upload_tells_of_that_one_alone(self, sender, browser):
        upload, other = sender.create(4), sender.create(4)
        with browser.stream("GET", find_stream(browser.get(f"/_sandbox/uploads/{upload['id']}").text)) as response:
            events = Events(response)
            sender.put_parts(other, [b"glTF"])
            sender.put_parts(upload, [b"glTF"])
            assert other["id"] not in events.until("1/1")
            sender.complete(upload["id"])
            events.until('<li class="imported">')

    def test_tells_of_planned_faults(self, box, browser):
        with browser.stream("GET", find_stream(browser.get("/").text)) as response:
            box.fail_next("reset", times=7)
            Events(response).until("<b>7")
        box.clear_faults()

    def test_of_another_sandbox_loads_the_page_anew(self, browser):
        assert browser.get("/_sandbox/events?since=0123abcd-5").text == "event: reload\ndata:\n\n"
        assert browser.get("/_sandbox/events").text == "event: reload\ndata:\n\n"

    def test_ends_with_the_sandbox_and_does_not_hold_it(self):
        with Sandbox() as box, httpx.Client(base_url=box.page_url, trust_env=False, timeout=300) as client:  # noqa: SIM117
            with client.stream("GET", find_stream(client.get("/").text)) as response, ThreadPoolExecutor() as pool:
                chunks = response.iter_text()
                assert next(chunks).startswith("retry:")
                pool.submit(box.close)
                # To its end, and not cut off.
                assert "".join(chunks).endswith("\n\n")

    def test_is_not_had_by_ever_more_pages(self, monkeypatch, until):
        monkeypatch.setattr("scenario_uploads.sandbox.page.app.MAX_STREAMS", 1)
        with Sandbox() as box, httpx.Client(base_url=box.page_url, trust_env=False, timeout=300) as client:
            stream = find_stream(client.get("/").text)
            with client.stream("GET", stream) as response:
                chunks = response.iter_text()
                next(chunks)
                assert client.get(stream).status_code == 503
            # A page that is closed makes room.
            until(lambda: client.get("/_sandbox/events?since=x-1").status_code == 200)


class TestTheReference:
    def test_has_every_operation_and_schema_of_the_contract(self, browser, box):
        page = browser.get("/docs").text
        for name in ("create_upload", "retrieve_upload", "trigger_upload_action", "schema-Upload", "schema-UploadKind"):
            assert f'id="{name}"' in page
        # Every link inside leads somewhere.
        targets = set(re.findall(r'href="#([^"]+)"', page))
        assert targets - set(re.findall(r'id="([^"]+)"', page)) == set()
        assert box.base_url in page

    @pytest.mark.parametrize("path", ["/", "/docs", "/_sandbox/static/page.js", "/_sandbox/static/page.css"])
    def test_nothing_comes_from_another_host(self, path, browser, box):
        urls = re.findall(r"""(?:src|href|action)="?([^" >]+)|url\(([^)]+)""", browser.get(path).text)
        assert [url for pair in urls for url in pair if "//" in url] == []


def test_a_sandbox_without_a_page_has_none():
    with Sandbox(page=False) as box, httpx.Client(base_url=box.base_url.removesuffix("/v1"), trust_env=False) as client:
        client.auth = (box.api_key, box.api_secret)
        for path in ("/", "/docs", "/_sandbox/faults", "/_sandbox/events", "/_sandbox/static/page.js"):
            assert client.get(path).status_code == 404
        for name in ("page_url", "page_token"):
            with pytest.raises(SandboxError, match="page=False"):
                getattr(box, name)
        # Faults can be had without it.
        box.fail_next("rate_limited")
        assert client.post("/v1/uploads", json={"huggingFaceModelName": "a/b"}).status_code == 429
        assert box._journal.version == 0


class TestTheJournal:
    def test_is_bounded(self, monkeypatch):
        monkeypatch.setattr("scenario_uploads.sandbox.state.journal._MAX_REQUESTS", 10)
        monkeypatch.setattr("scenario_uploads.sandbox.state.journal._MAX_APART", 20)
        journal = Journal()
        for number in range(4):
            journal.touch(f"upload_{number}")
        for number in range(40):
            fields = {"at": datetime.now(UTC), "seconds": 0.1, "method": "PUT", "status": 200}
            journal.note_request(f"upload_{number % 4}", path=f"/{number}", part=number, body="x" * 9999, **fields)
            journal.note_request(None, path="/apart", **fields)
        kept = [journal.find(f"upload_{number}") for number in range(4)]
        assert sum(len(trace.requests) for trace in kept) == 10
        assert sum(trace.dropped for trace in kept) == 30
        assert max(len(call.body) for trace in kept for call in trace.requests) < 5000
        assert len(journal.list_apart()) == 20

    def test_is_in_the_order_in_which_requests_began(self):
        journal, begun = Journal(), datetime.now(UTC)
        journal.touch("upload_1")
        for path, seconds in (("/create", 0), ("/retrieve", 2), ("/part", 1)):
            fields = {"at": begun + timedelta(seconds=seconds), "seconds": 9, "method": "PUT", "status": 200}
            journal.note_request("upload_1", path=path, **fields)
        assert [request.path for request in journal.find("upload_1").requests] == ["/create", "/part", "/retrieve"]

    def test_forgets_what_the_sandbox_forgets(self, box):
        journal = Journal()
        journal.touch("upload_1")
        journal.forget("upload_1")
        assert journal.list_changed(0) == []

    @pytest.mark.parametrize(
        ("text", "masked"),
        [
            ("see https://a.example/b?c=d&e=f now", "see https://a.example/b?*** now"),
            ("s3://me:word@host/x", "s3://***@host/x"),
            ("http://[::1]:80/#frag", "http://[::1]:80/?***"),
            ("a top-secret-text here", "a *** here"),
            ("nothing", "nothing"),
        ],
    )
    def test_masks_secrets(self, text, masked):
        assert Journal(secrets=("top-secret-text", "key")).mask(text) == masked

    def test_takes_whatever_a_request_says(self, sender, browser):
        """Nested deeply, a body is refused as it is without a page."""
        for depth in (100, 300, 450, 900, 5000):
            body = b'{"fileName": ' + b"[" * depth + b"]" * depth + b"}"
            response = sender.api.post("/uploads", content=body, headers={"Content-Type": "application/json"})
            assert response.status_code == 400, depth
        assert "nested too deeply to be shown" in browser.get("/").text

    def test_masks_fields_by_their_name(self):
        journal = Journal()
        body = {"apiKey": "abc", "civitaiModelUrl": "https://civitai.com/x?modelVersionId=1", "n": {"token": [1]}}
        journal.note_request(None, at=datetime.now(UTC), seconds=0, method="POST", path="/", status=400, body=body)
        assert json.loads(journal.list_apart()[0].body) == {
            "apiKey": "***", "civitaiModelUrl": "https://civitai.com/x?modelVersionId=1", "n": {"token": "***"},
        }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "cells"),
    [
        ((1, 0, 0, 0), {"waiting": "M0 6h10"}),
        ((3, 0b011, 0b100, 0), {"stored": "M0 6h22", "sending": "M24 6h10"}),
        ((3, 0b101, 0, 0b010), {"stored": "M0 6h10M24 6h10", "refused": "M12 6h10"}),
        ((64, 0b1, 0, 0), {"some": "M0 6h10", "waiting": f"M12 6h{31 * 12 - 2}"}),
        ((10_000, (1 << 10_000) - 1, 0, 0), {"stored": f"M0 6h{32 * 12 - 2}"}),
    ],
)
def test_parts_are_a_strip_of_cells(arguments, cells):
    assert Strip.of(*arguments).cells == cells


@pytest.mark.parametrize(
    ("content_type", "media"),
    [
        ("image/PNG; a=b", ("image", "image/png")),
        ("image/svg+xml", ("image", "image/svg+xml")),
        ("image/x-exr", (None, "application/octet-stream")),
        ("video/mp4", ("video", "video/mp4")),
        ("text/html", ("text", "text/plain; charset=utf-8")),
        ("application/json", ("text", "text/plain; charset=utf-8")),
        ("application/pdf", (None, "application/octet-stream")),
        ("audio/\r\nx", (None, "application/octet-stream")),
        ("", (None, "application/octet-stream")),
    ],
)
def test_what_is_previewed_is_served_as_nothing_else(content_type, media):
    assert find_media(content_type) == media


def test_texts_are_for_people():
    assert [format_size(size) for size in (None, 0, 1023, 1536, 5 * 1024**4)] == [
        "\N{EN DASH}",
        "0 B",
        "1023 B",
        "1.5 KiB",
        "5.0 TiB",
    ]
    assert show("a\u202eb\n\x1b[2Jc" + "d" * 300) == "a\ufffdb\ufffd\ufffd[2Jc" + "d" * 191 + "…"
