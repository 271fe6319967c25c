"""The sandbox's page is read on its own machine, changed with its token, and shows what is hostile as text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urlsplit

import httpx
import pytest
from scenario_uploads.sandbox import Sandbox
from scenario_uploads.sandbox.page.guard import find_refusal

HOSTILE = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>{{ 7*7 }}\u202egpj.glb"
PAGES = [
    "/",
    "/docs",
    "/_sandbox/faults",
    "/_sandbox/events?since=x",
    "/_sandbox/static/page.js",
    "/_sandbox/uploads/x",
]


class Elements(HTMLParser):
    """The elements of a page with their attributes, as a browser has them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def list_inline(self) -> list[tuple[str, dict[str, str | None]]]:
        """Return what runs or styles by itself."""
        return [
            (tag, attributes)
            for tag, attributes in self.found
            if tag == "style"
            or (tag == "script" and "src" not in attributes)
            or any(name == "style" or name.startswith("on") for name in attributes)
            or "javascript:" in (attributes.get("href") or "")
        ]


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(step_delay=0) as running:
        yield running


@pytest.fixture
def browser(box: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=box.page_url, trust_env=False, timeout=300) as client:
        yield client


def create(box: Sandbox, **changes: object) -> str:
    body = {"fileName": "a.glb", "contentType": "model/gltf-binary", "kind": "3d", "fileSize": 4, "parts": 1} | changes
    auth = (box.api_key, box.api_secret)
    response = httpx.post(f"{box.base_url}/uploads", json=body, auth=auth, trust_env=False)
    return str(response.json()["upload"]["id"])


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:4010"},
        {"Host": "localhost.evil.example"},
        {"Host": "192.168.0.1"},
        {"Host": "[::1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    ],
)
def test_other_sites_and_names_are_refused(browser: httpx.Client, path: str, headers: dict[str, str]) -> None:
    response = browser.get(path, headers=headers)
    assert response.status_code == 403
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1234", "[::1]:4010"])
def test_this_machine_reads_it_under_each_of_its_names(browser: httpx.Client, host: str) -> None:
    headers = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    assert browser.get("/", headers=headers).status_code == 200
    # A link from elsewhere may be followed.
    assert browser.get("/", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}).status_code == 200


@pytest.mark.parametrize(("client", "is_refused"), [("127.0.0.1", False), ("::1", False), ("10.0.0.7", True)])
def test_other_machines_are_refused(client: str, is_refused: bool) -> None:
    scope = {"type": "http", "client": (client, 1), "headers": [(b"host", b"127.0.0.1:4010")]}
    assert (find_refusal(scope) is not None) is is_refused
    assert find_refusal(scope | {"client": None}) is not None
    # No name, or two of them.
    assert find_refusal(scope | {"headers": []}) is not None
    assert find_refusal(scope | {"headers": scope["headers"] * 2}) is not None


@pytest.mark.parametrize("path", ["/_sandbox/faults", "/_sandbox/faults/clear"])
def test_nothing_is_changed_without_the_token_of_the_page(box: Sandbox, browser: httpx.Client, path: str) -> None:
    box.fail_next("reset")
    right = {"X-Sandbox-Token": box.page_token}
    for headers, body in (
        ({}, {}),
        ({"X-Sandbox-Token": "wrong"}, {}),
        ({"X-Sandbox-Token": "wörld".encode()}, {}),
        ({}, {"token": "wrong"}),
        ({}, {"token": None}),
        (right | {"Origin": "http://evil.example"}, {}),
        (right | {"Host": "evil.example"}, {}),
        ({"Authorization": f"Bearer {box.bearer_token}"}, {}),
    ):
        response = browser.post(path, json={"fault": "expired", **body}, headers=headers)
        assert response.status_code == 403
    assert browser.get(path).status_code in (200, 405)
    assert box._faults.pending == {"reset": 1}
    assert browser.post(path, json={"fault": "reset"}, headers=right).status_code == 200
    box.clear_faults()


def test_the_token_is_of_this_sandbox_and_stands_in_its_page_alone(box: Sandbox, browser: httpx.Client) -> None:
    assert box.page_token in browser.get("/").text
    with Sandbox() as other:
        assert other.page_token != box.page_token
    assert box.page_token not in repr(box)
    for path in ("/_sandbox/faults", "/_sandbox/static/page.js"):
        assert box.page_token not in browser.get(path).text


def test_a_hostile_name_or_message_is_text(box: Sandbox, browser: httpx.Client) -> None:
    upload_id = create(box, fileName=HOSTILE)
    stream = re.search(r'data-stream="([^"]*)"', browser.get("/").text)
    assert stream
    pages = [browser.get("/").text, browser.get(f"/_sandbox/uploads/{upload_id}").text]
    pages.append(browser.get("/", params={"q": HOSTILE, "status": HOSTILE, "kind": HOSTILE}).text)
    for page in pages:
        assert "onerror" in page
        elements = Elements(page)
        assert elements.list_inline() == []
        assert [tag for tag, _ in elements.found if tag == "img"] == []
        assert "{{ 7*7 }}" in page
    # Turned around, the name would end in png.
    assert "\u202e" not in pages[0]
    with browser.stream("GET", stream[1].replace("&amp;", "&").partition("-")[0] + "-0") as response:
        for line in response.iter_lines():
            assert "<img src=x" not in line
            if "&lt;img src=x" in line:
                break


def test_pages_run_nothing_but_their_own_script(box: Sandbox, browser: httpx.Client) -> None:
    upload_id = create(box)
    for path in (*PAGES[:5], f"/_sandbox/uploads/{upload_id}", "/_sandbox/uploads/nope"):
        response = browser.get(path)
        policy = dict(each.strip().split(" ", 1) for each in response.headers["content-security-policy"].split(";"))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert {value for name, value in policy.items() if name.endswith("-src")} == {"'none'", "'self'"}
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cross-origin-resource-policy"] == "same-origin"
        assert response.headers["cache-control"] == "no-store"
        if response.headers["content-type"].startswith("text/html"):
            # The policy would not take these, so none may be needed.
            assert Elements(response.text).list_inline() == []


@pytest.mark.parametrize("content_type", ["text/html", "image/svg+xml", "application/xhtml+xml", "text/javascript"])
def test_an_uploaded_file_runs_nothing(box: Sandbox, browser: httpx.Client, content_type: str) -> None:
    content = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    upload_id = create(box, fileName="a.svg", contentType=content_type, kind="asset", fileSize=len(content))
    path = box._uploads
    path.advance(upload_id, "validating", path.find(upload_id).created_at)  # type: ignore[union-attr]
    path.mark_stored(upload_id)
    place = box.file_path(upload_id)
    assert place
    place.write_bytes(content)
    response = browser.get(f"/_sandbox/uploads/{upload_id}/file")
    assert response.content == content
    assert response.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-type"].partition(";")[0] in {"image/svg+xml", "text/plain"} or (
        response.headers["content-disposition"].startswith("attachment")
    )


def test_the_api_asks_for_credentials_as_before(box: Sandbox, browser: httpx.Client) -> None:
    """The page opens nothing beside its own paths."""
    for path in ("/v1/uploads/upload_x", "/uploads/upload_x", "/_sandboxes", "/docs/", "/docs/x", "/_sandbox"):
        assert browser.get(path).status_code == 401, path
    assert urlsplit(box.page_url).path == "/"
