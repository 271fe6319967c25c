"""Ask Redocly CLI which places of two contracts differ: its facts, never its verdicts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

from tools.contract.document import Contract, Pointer, UnreadableError, is_object, parse_pointer
from tools.project import ROOT

REPORT_VERSION = "1"
TIMEOUT = 300.0
"""Seconds after which Redocly is given up; a contract of 5 MB takes a few."""


@attrs.frozen
class Seen:
    change: str
    """`added`, `removed` or `modified`."""
    key: str | None
    """The one property of the place that differs; none when it is the place as a whole."""
    old: Pointer | None
    new: Pointer | None
    is_breaking: bool = attrs.field(default=False, eq=False)
    """Whether Redocly calls it breaking; tests hold that against what is said here."""


def read_report(report: Any) -> list[Seen]:
    """Return what Redocly's JSON says that it saw, each place once."""
    if not is_object(report) or report.get("reportVersion") != REPORT_VERSION:
        raise UnreadableError("redocly diff", f"its report is not of version {REPORT_VERSION}; see package.json")
    seen: dict[Seen, None] = {}
    for change in report["changes"]:
        old, new = (
            parse_pointer(change[side]["pointer"]) if change.get(side) else None for side in ("base", "revision")
        )
        is_breaking = change.get("impact") == "major"
        seen[Seen(change["kind"], change.get("property"), old, new, is_breaking=is_breaking)] = None
    return list(seen)


@contextmanager
def run(old: Contract, new: Contract) -> Iterator[Callable[[], list[Seen]]]:
    """Start Redocly on copies of both contracts; it works beside us until its findings are asked for."""
    command = ROOT / "node_modules" / ".bin" / "redocly"
    path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    if not command.exists() or shutil.which("node", path=path) is None:
        raise UnreadableError("redocly", "not installed; run `make setup-node`")
    with tempfile.TemporaryDirectory(prefix="spec-diff-") as name:
        folder = Path(name).resolve()
        for contract, copy in ((old, "old.json"), (new, "new.json")):
            # What was read, as JSON: one reader decides what the contract says, and JSON is read faster than YAML.
            (folder / copy).write_text(json.dumps(contract.document), encoding="utf-8")
        quiet = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}
        process = subprocess.Popen(
            [str(command), "diff", "old.json", "new.json", "--format=json", "--fail-on=none"],
            cwd=folder,
            env={**os.environ, **quiet, "PATH": path, "NODE_OPTIONS": "--max-old-space-size=4096"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        )

        def wait() -> list[Seen]:
            try:
                output, errors = process.communicate(timeout=TIMEOUT)
            except subprocess.TimeoutExpired:
                raise UnreadableError("redocly diff", f"no answer within {TIMEOUT:.0f} s") from None
            try:
                report = json.loads(output)
            except ValueError:
                text = errors.replace(str(folder), "").strip()[-2000:]
                raise UnreadableError("redocly diff", f"no report (exit {process.returncode}): {text}") from None
            return read_report(report)

        with process:
            try:
                yield wait
            finally:
                process.kill()
