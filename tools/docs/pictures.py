"""Draw what a terminal shows, for the pages: `python -m tools.docs.pictures` writes docs/pictures/terminal-*.svg.

Each command runs in a pseudo-terminal, against a sandbox. What moves is caught when a text appears.
"""

import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from attrs import frozen
from rich.console import Console
from rich.text import Text
from scenario_uploads.sandbox import Sandbox

from tools.project import ROOT

PICTURES = ROOT / "docs" / "pictures"
COLUMNS = 92
_CONTROL = re.compile(r"\x1b\[(\??)([\d;]*)([A-Za-ln-z])|\r|\n")


@frozen
class Picture:
    """A command, and when to look: at its end, or when its screen matches."""

    name: str
    command: str
    when: str | None = None


TO_DRAW = (
    Picture("progress", "scenario-uploads upload castle.glb --max-bandwidth 6MB/s", r"\b[45]\d\.\d/"),
    Picture("plan", "scenario-uploads upload refs -r --exclude '*.tmp' --dry-run"),
    Picture("files", "scenario-uploads upload scans -r --max-bandwidth 8MB/s", "[2-4]/6 files"),
    Picture("folder", "scenario-uploads upload refs -r --exclude '*.tmp'"),
    Picture("again", "scenario-uploads upload refs -r --exclude '*.tmp'"),
    Picture("resume", "scenario-uploads resume"),
)


def settle(shown: str) -> str:
    """Return what is to be seen after all that was written, with its colours."""
    lines, row, at = [""], 0, 0
    for match in _CONTROL.finditer(shown + "\n"):
        if text := shown[at : match.start()]:
            lines[row] += text
        at = match.end()
        if match[0] == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif match[3] in ("A", "B"):
            row = max(0, row + int(match[2] or 1) * (1 if match[3] == "B" else -1))
            lines += [""] * (row + 1 - len(lines))
        elif match[3] in ("J", "K"):
            lines[row] = ""
    return "\n".join(lines).rstrip()


def watch(picture: Picture, folder: Path, environment: Mapping[str, str]) -> str:
    """Run a command in a terminal and return its screen."""
    parent, child = pty.openpty()
    with subprocess.Popen(
        ["/bin/bash", "-c", picture.command],
        cwd=folder,
        env=environment,
        stdin=child,
        stdout=child,
        stderr=child,
        start_new_session=True,
    ) as process:
        os.close(child)
        shown, screen = b"", ""
        while chunk := _read(parent):
            shown += chunk
            screen = settle(shown.decode(errors="replace"))
            if picture.when and re.search(picture.when, screen):
                os.killpg(process.pid, signal.SIGINT)
                break
        while _read(parent):
            pass
    os.close(parent)
    return screen


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # what Linux says when the program has ended
        return b""


def draw(picture: Picture, screen: str) -> str:
    """Return a screen as SVG, without the font that rich takes from another host."""
    console = Console(width=COLUMNS, file=StringIO(), record=True, force_terminal=True, color_system="truecolor")
    console.print(Text.assemble(("$ ", "bold green"), picture.command))
    console.print(Text.from_ansi(screen))
    # The last line of a picture is cut a little.
    console.print()
    svg = console.export_svg(title="", unique_id=f"terminal-{picture.name}")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


def main() -> int:
    with tempfile.TemporaryDirectory() as name, Sandbox(step_delay=0.2) as box:
        folder = Path(name)
        (folder / "refs").mkdir()
        (folder / "dragon.glb").write_bytes(b"glTF" + bytes(2_400_000))
        (folder / "castle.glb").write_bytes(b"glTF" + bytes(96 * 1024 * 1024))
        (folder / "broken.png").write_bytes(b"not a picture")
        for pet in ("cat", "dog", "owl", "fox"):
            (folder / "refs" / f"{pet}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + os.urandom(600_000))
        (folder / "refs" / "draft.tmp").write_bytes(b"half")
        (folder / "scans").mkdir()
        for number in range(1, 7):
            (folder / "scans" / f"scan-{number}.glb").write_bytes(b"glTF" + os.urandom(number * 4_000_000))
        environment = {
            "HOME": name,
            "XDG_STATE_HOME": f"{name}/state",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "TERM": "xterm-256color",
            "COLUMNS": str(COLUMNS),
            "LINES": "40",
            "LANG": "C.UTF-8",
            "SCENARIO_BASE_URL": box.base_url,
            "SCENARIO_SDK_API_KEY": box.api_key,
            "SCENARIO_SDK_API_SECRET": box.api_secret,
        }
        for picture in TO_DRAW:
            screen = watch(picture, folder, environment).replace(name, "/home/ada")
            path = PICTURES / f"terminal-{picture.name}.svg"
            path.write_text(draw(picture, screen), encoding="utf-8")
            print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
