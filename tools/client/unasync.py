"""Write the sync twins of async modules, so that the two never differ in more than `await`."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tools.project import ROOT

PACKAGE = Path("overrides", "scenario_uploads")
SOURCES = ("api/async_http.py", "client/async_client.py", "client/async_operations.py", "client/async_response.py")
HEADER = "# Generated from {source} by make generate. Do not edit.\n"

SUBSTITUTIONS = (
    # Prose.
    (r"the client for asyncio", "the client for code that waits for its responses"),
    (r"\ban (`?)(?=async with)", r"a \1"),
    # Names of ours, of httpx and of Python.
    (r"\bDefaultAsyncHttpxClient\b", "DefaultHttpxClient"),
    (r"\b(_|Abstract)?Async(?=[A-Z])", r"\1"),
    (r"\basynccontextmanager\b", "contextmanager"),
    (r"\basync_(?=client|http|operations|response)", "sync_"),
    (r"\basync_runner\b", "runner"),
    (r"\b(return_raw|return_streamed|upload_all)_async\b", r"\1"),
    (r"\b(read|send)_async\b", r"\1_sync"),
    (r"\bhandle_async_request\b", "handle_request"),
    (r"\bAwaitable\[(.+?\]?)\](?=[],])", r"\1"),
    (r", Awaitable\b", ""),
    (r"\b__a(enter|exit|iter|next)__\b", r"__\1__"),
    (r"\ba(close|next)\b", r"\1"),
    (r"\baiter_(?=raw|bytes|text|lines)", "iter_"),
    # Syntax.
    (r"\basync (?=def|for|with)", ""),
    (r"\bawait ", ""),
)


class GenerationError(Exception):
    """The client cannot be built from this contract and these modules; the message says why."""


def unasync(text: str) -> str:
    """Return the sync twin of an async module, not yet formatted."""
    for pattern, replacement in SUBSTITUTIONS:
        text = re.sub(pattern, replacement, text)
    return text


def write_twins(root: Path, written: Mapping[Path, bytes]) -> dict[Path, bytes]:
    """Return the sync twins by their place below `root`, those of sources that are `written` with them included."""
    twins: dict[Path, bytes] = {}
    for name in SOURCES:
        source, twin = PACKAGE / name, PACKAGE / name.replace("async_", "sync_")
        text = written.get(source) or (root / source).read_bytes()
        twins[twin] = format_module(HEADER.format(source=source.name) + unasync(text.decode()), twin)
    return twins


def format_module(text: str, name: Path) -> bytes:
    """Return a module as ruff formats it with the project's settings, its imports in order."""
    for command in (("check", "--fix-only", "--select=I,F401"), ("format",)):
        text = run("ruff", *command, "--quiet", "--no-cache", "--stdin-filename", str(name), "-", text=text)
    return text.encode()


def run(*command: str, cwd: Path = ROOT, text: str | None = None) -> str:
    """Run a tool of this environment on a text and return what it prints; that it fails or warns is an error."""
    result = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=cwd,
        # Wide and without colour, so that a warning is found whatever the terminal; and no byte code beside the tools.
        env={**os.environ, "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1", "COLUMNS": "200"},
        input=text,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if result.returncode != 0 or "warning" in result.stderr.lower():
        output = (result.stdout + result.stderr).strip()
        raise GenerationError(f"{command[0]} failed or warned (exit {result.returncode}):\n{output}")
    return result.stdout
