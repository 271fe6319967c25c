"""The page of the sandbox in a real browser: `make test-page`."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from scenario_uploads import Scenario, UploadFailedError
from scenario_uploads.sandbox import Sandbox

from tests.page.pictures import PICTURES, take_pictures
from tests.support.browser import Browser, find_chromium

ROOT = Path(__file__).parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = find_chromium()

pytestmark = [
    pytest.mark.page,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: on Debian, apt-get install chromium"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser(CHROMIUM or "") as one:
        yield one


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(step_delay=0.05) as running:
        yield running


@pytest.fixture
def client(box: Sandbox) -> Iterator[Scenario]:
    with Scenario(base_url=box.base_url, api_key=box.api_key, api_secret=box.api_secret) as one:
        yield one


@pytest.fixture
def file(tmp_path: Path) -> Path:
    size = 12 * 1024 * 1024
    (tmp_path / "dragon.glb").write_bytes(b"glTF" + struct.pack("<II", 2, size) + bytes(size - 12))
    return tmp_path / "dragon.glb"


def open_list(browser: Browser, box: Sandbox, width: int = 1280) -> None:
    browser.show_as(width=width)
    browser.open(box.page_url)
    browser.until("document.getElementById('live').dataset.state === 'on'")


def test_an_upload_is_seen_to_its_end(browser: Browser, box: Sandbox, client: Scenario, file: Path) -> None:
    """Without loading the page again, and with nothing from another host."""
    open_list(browser, box)
    # Notes each status that the page shows.
    browser.run(
        """window.seen = []; new MutationObserver(() => {
            const status = document.querySelector("#rows tr")?.dataset.status;
            if (status && window.seen.at(-1) !== status) window.seen.push(status);
        }).observe(document, { subtree: true, childList: true }), true"""
    )
    box.fail_next("unknown_status")
    upload = client.uploads.upload_file(file)
    row = f"document.getElementById('row-{upload.id}')"
    browser.until(f"{row}?.dataset.status === 'imported'")
    text = browser.run(f"{row}.innerText")
    for shown in ("dragon.glb", "3d", "12.0 MiB", "2/2", "imported", upload.entity_id, "unknown_status"):
        assert shown in text
    assert browser.run("window.seen.at(-1)") == "imported"
    assert len(browser.run("window.seen")) > 1
    assert browser.run("document.getElementById('said').textContent") == "dragon.glb: imported"
    browser.click(f"#open-{upload.id}")
    browser.until("document.querySelector('#steps .imported')")
    assert browser.run("document.querySelector('h1').innerText") == "dragon.glb"
    assert browser.list_hosts() == {"127.0.0.1"}
    assert browser.list_problems() == []


def test_a_fault_is_set_by_its_button_and_met_by_the_client(
    browser: Browser, box: Sandbox, client: Scenario, file: Path
) -> None:
    open_list(browser, box)
    browser.run("document.querySelector('input[name=times]').value = 2")
    browser.click("#fault-validation_failed")
    browser.until("document.querySelector('#fault-validation_failed b')?.textContent.startsWith('2')")
    # Where the keyboard was, it still is.
    assert browser.run("document.activeElement.id") == "fault-validation_failed"
    with pytest.raises(UploadFailedError):
        client.uploads.upload_file(file)
    browser.until("document.querySelector('#fault-validation_failed b')?.textContent.startsWith('1')")
    browser.until("document.querySelector('#rows tr')?.dataset.status === 'failed'")
    browser.click("button.plain")
    browser.until("!document.querySelector('#fault-validation_failed b')")
    assert client.uploads.upload_file(file).status == "imported"


def test_it_works_by_the_keyboard_alone(browser: Browser, box: Sandbox, client: Scenario, file: Path) -> None:
    for name in ("castle.glb", "dragon.glb"):
        client.uploads.upload_file(file, file_name=name)
    open_list(browser, box)
    browser.press("Tab")
    assert browser.run("document.activeElement.className") == "skip"
    browser.press("/", "/")
    browser.write("castle")
    browser.until("document.querySelectorAll('#rows tr').length === 1")
    assert browser.run("location.search") == "?q=castle"
    for _ in range(30):
        browser.press("Tab")
        if browser.run("document.activeElement.id").startswith("open-"):
            break
    browser.press("Enter")
    browser.until("document.querySelector('h1')?.innerText === 'castle.glb'")
    # A request that the reader opened stays open while others come.
    browser.until("document.getElementById('live').dataset.state === 'on'")
    browser.run("document.querySelector('#call-1 summary').focus()")
    browser.press("Enter")
    browser.until("document.querySelector('#call-1').open")
    before = browser.run("document.querySelectorAll('.calls > li').length")
    upload_id = browser.run("location.pathname.split('/').pop()")
    client.uploads.retrieve(upload_id, project_id="proj_sandbox")
    browser.until(f"document.querySelectorAll('.calls > li').length === {before + 1}")
    assert browser.run("document.querySelector('#call-1').open")
    assert browser.run("document.activeElement.closest('#call-1') !== null")


def test_a_hostile_name_runs_nothing(browser: Browser, box: Sandbox, client: Scenario, file: Path) -> None:
    name = "<img src=x onerror=document.title='pwned'><script>document.title='pwned'</script>.glb"
    open_list(browser, box)
    upload = client.uploads.upload_file(file, file_name=name)
    browser.until(f"document.getElementById('row-{upload.id}')")
    browser.open(f"{box.page_url}_sandbox/uploads/{upload.id}")
    assert "pwned" not in browser.run("document.title").replace("document.title='pwned'", "")
    assert browser.run("document.querySelector('h1').innerText") == name
    assert browser.list_problems() == []


def test_a_page_that_was_left_open_finds_the_next_sandbox(browser: Browser, client: Scenario, file: Path) -> None:
    with Sandbox() as box:
        port = int(box.page_url.rsplit(":", 1)[1].strip("/"))
        open_list(browser, box)
    browser.until("document.getElementById('live').dataset.state === 'lost'")
    with Sandbox(port=port, step_delay=0) as box:
        client.with_options(base_url=box.base_url, api_key=box.api_key, api_secret=box.api_secret).uploads.upload_file(
            file
        )
        browser.events.clear()
        browser.until_event("Page.loadEventFired")
        browser.until("document.querySelector('#rows tr')?.dataset.status === 'imported'")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation(
    browser: Browser, box: Sandbox, client: Scenario, file: Path, tmp_path: Path, theme: str
) -> None:
    (tmp_path / "notes.txt").write_text("A dragon.")
    text = client.uploads.upload_file(tmp_path / "notes.txt")
    box.fail_next("validation_failed")
    with pytest.raises(UploadFailedError):
        client.uploads.upload_file(file)
    box.fail_next("unknown_status")
    box.fail_next("slow_down")
    client.uploads.upload_file(file, wait=False)
    client.uploads.create(url="https://example.com/a.png", kind="image")
    box.fail_next("expired", times=3)
    axe = AXE.read_text(encoding="utf-8")
    for width in (1280, 390):
        browser.show_as(width=width, theme=theme)
        for path in ("", "?q=nothing", f"_sandbox/uploads/{text.id}", "docs"):
            browser.open(box.page_url + path)
            browser.run("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
            # Evaluated by the debugger, which the policy of the page does not stop.
            browser.run(axe + "; true")
            found = browser.run(
                "axe.run().then((result) => result.violations.map("
                "(each) => [each.id, each.help, each.nodes.slice(0, 3).map((node) => node.html)]))"
            )
            assert found == [], f"{path} {width} {theme}: {json.dumps(found, indent=1)}"


def test_nothing_is_cut_off_on_any_width(browser: Browser, box: Sandbox, client: Scenario, file: Path) -> None:
    upload = client.uploads.upload_file(file, file_name="x" * 200 + ".glb")
    for width in (1600, 1280, 800, 390, 320):
        browser.show_as(width=width)
        for path in ("", f"_sandbox/uploads/{upload.id}", "docs"):
            browser.open(box.page_url + path)
            assert browser.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), (
                path,
                width,
            )


def test_the_pictures_of_the_pages_are_there(browser: Browser, tmp_path: Path) -> None:
    take_pictures(browser, tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {path.name for path in PICTURES.glob("sandbox-*.png")}
    page = (ROOT / "docs" / "how-to" / "sandbox.md").read_text(encoding="utf-8")
    assert [name for name in names if name not in page] == []
