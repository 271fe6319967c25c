"""Writes the pictures of a terminal that docs/ shows, terminal-*.svg: `make docs-pictures`.

Each command runs in a pseudo-terminal, against a sandbox. What moves is caught when a text appears.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from attrs import frozen
from rich.console import Console
from rich.text import Text
from scenario_uploads.sandbox import Sandbox

from tests.support.terminal import Terminal

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
COLUMNS = 92
MB = 1_000_000


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


def watch(picture: Picture, folder: Path, environment: Mapping[str, str]) -> str:
    """Run a command in a terminal and return its screen."""
    # Wider than what is drawn, so that no line breaks where the folder's name is longer than what is shown for it.
    with Terminal(2 * COLUMNS) as terminal:
        file = terminal.file
        process = subprocess.Popen(
            ["/bin/bash", "-c", picture.command],
            cwd=folder,
            env=environment,
            stdin=file,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
        while process.poll() is None:
            time.sleep(0.02)
            if picture.when and re.search(picture.when, terminal.screen()):
                screen = terminal.screen(colours=True)
                os.killpg(process.pid, signal.SIGINT)
                process.wait()
                return screen
        return terminal.screen(colours=True)


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
    """Write them where docs/ has them."""
    files = {
        **{f"refs/{pet}.png": b"\x89PNG\r\n\x1a\n" + os.urandom(600_000) for pet in ("cat", "dog", "owl", "fox")},
        **{f"scans/scan-{number}.glb": b"glTF" + os.urandom(number * 4 * MB) for number in range(1, 7)},
        "castle.glb": b"glTF" + bytes(100 * MB),
        "refs/draft.tmp": b"half",
    }
    with tempfile.TemporaryDirectory() as name, Sandbox(step_delay=0.2) as box:
        for place, content in files.items():
            (Path(name) / place).parent.mkdir(exist_ok=True)
            (Path(name) / place).write_bytes(content)
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
            screen = watch(picture, Path(name), environment).replace(name, "/home/ada")
            path = PICTURES / f"terminal-{picture.name}.svg"
            path.write_text(draw(picture, screen), encoding="utf-8")
            print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
