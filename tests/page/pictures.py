"""Writes the pictures of the sandbox's page that docs/ shows: `make pictures`."""

import struct
import sys
import tempfile
import zlib
from contextlib import suppress
from pathlib import Path

from scenario_uploads import Scenario, UploadFailedError
from scenario_uploads.sandbox import Sandbox

from tests.support.browser import Browser, find_chromium

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
MIB = 1024 * 1024


def draw_png(width: int, height: int) -> bytes:
    """Return a picture of a colourful sky."""
    rows = (
        b"\0" + b"".join(bytes((90 + x * 120 // width, 70 + y * 140 // height, 210)) for x in range(width))
        for y in range(height)
    )

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"".join(rows)))
        + chunk(b"IEND", b"")
    )


def fill(box: Sandbox, folder: Path) -> str:
    """Make the uploads that are seen, and return the id of the one that is looked at."""
    (folder / "sky.png").write_bytes(draw_png(360, 200))
    (folder / "castle.glb").write_bytes(b"glTF" + struct.pack("<II", 2, 44 * MIB) + bytes(44 * MIB - 12))
    (folder / "notes.txt").write_text("A castle below a colourful sky.\n")
    with Scenario(base_url=box.base_url, api_key=box.api_key, api_secret=box.api_secret) as client:
        send = client.uploads.upload_file
        send(folder / "notes.txt")
        send(folder / "castle.glb")
        box.fail_next("validation_failed")
        with suppress(UploadFailedError):
            send(folder / "notes.txt", file_name="broken.txt")
        box.fail_next("slow_down")
        shown = send(folder / "sky.png")
        client.uploads.wait(client.uploads.create(hugging_face_model_name="stabilityai/sdxl-turbo").upload.id)
        client.uploads.create(
            file_name="dragon.glb", content_type="model/gltf-binary", kind="3d", file_size=160 * MIB, parts=20
        )
    # As it is while parts are on their way.
    dragon = box._uploads.list_newest()[0].id
    for number in range(1, 18):
        box._journal.note_part(dragon, number, state="stored" if number < 12 else "sending")
    box.fail_next("expired", times=3)
    return str(shown.id)


def take_pictures(browser: Browser, folder: Path) -> None:
    """Write the pictures into a folder."""
    with tempfile.TemporaryDirectory() as files, Sandbox(port=4010, step_delay=0.02) as box:
        upload = fill(box, Path(files))
        for path, name, width, theme, height in (
            ("", "", 1280, "light", 800),
            ("", "", 800, "light", 900),
            ("", "", 390, "dark", 900),
            (f"_sandbox/uploads/{upload}", "upload-", 1280, "dark", 900),
        ):
            browser.show_as(width=width, theme=theme, height=height)
            browser.open(box.page_url + path)
            browser.until("document.getElementById('live').dataset.state === 'on'")
            browser.take_picture(folder / f"sandbox-{name}{width}-{theme}.png")


def main() -> int:
    """Write them where docs/ has them."""
    path = find_chromium()
    if path is None:
        print("error: needs Chromium; on Debian: apt-get install chromium", file=sys.stderr)
        return 1
    with Browser(path) as browser:
        take_pictures(browser, PICTURES)
    return 0


if __name__ == "__main__":
    sys.exit(main())
