"""Watching the process: what is logged, what is left over, what hangs."""

import base64
import faulthandler
import gc
import logging
import os
import sys
import threading
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

from tests.chaos.service import SIGNATURE
from tests.chaos.shorten import API_KEY, API_SECRET

_SECRETS = {
    "the API secret": API_SECRET,
    "the credentials": base64.b64encode(f"{API_KEY}:{API_SECRET}".encode()).decode(),
    "a URL's signature": SIGNATURE,
}


def find_secret(text: str) -> str | None:
    """Return which secret a text shows, or None."""
    return next((name for name, secret in _SECRETS.items() if secret in text), None)


class LogWatch(logging.Handler):
    """Reads everything that is logged, at DEBUG, by anybody."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.violations: list[str] = []
        self.counts: Counter[str] = Counter()
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        self.counts[record.name.partition(".")[0]] += 1
        if secret := find_secret(text):
            self.violations.append(f"{record.name} logged {secret}: {text[:300]}")
        # What nobody awaited or closed is told here, and nowhere else.
        if record.name == "py.warnings" or (record.name == "asyncio" and record.levelno >= logging.WARNING):
            self.violations.append(f"{record.name}: {text[:1000]}")

    def install(self) -> None:
        root = logging.getLogger()
        root.addHandler(self)
        root.setLevel(logging.DEBUG)
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        sys.unraisablehook = lambda told: self.violations.append(f"unraisable: {told.exc_value!r} in {told.object!r}")
        threading.excepthook = lambda told: self.violations.append(f"thread {told.thread}: {told.exc_value!r}")


def list_descriptors() -> Counter[str]:
    """Return what this process has open, sockets and pipes without their numbers, on Linux."""
    found: Counter[str] = Counter()
    for entry in [*Path("/proc/self/fd").glob("*")]:
        try:
            target = str(entry.readlink())
        except OSError:
            continue
        if not target.startswith("/proc/"):
            found[target.partition("[")[0] if ":[" in target else target] += 1
    return found


def find_leaks(descriptors: Counter[str], threads: set[threading.Thread], patience: float = 60.0) -> list[str]:
    """Return what is open or alive that was not before, after a grace for what is just ending."""
    deadline = time.monotonic() + patience
    while True:
        gc.collect()
        left = [f"thread {thread.name}" for thread in threading.enumerate() if thread not in threads]
        left += [f"{count} x {target}" for target, count in (list_descriptors() - descriptors).items()]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.05)


def give_up(message: str) -> Any:
    """Show where every thread is, and end the process: something hangs."""
    print(message, flush=True)
    faulthandler.dump_traceback(file=sys.stdout, all_threads=True)
    sys.stdout.flush()
    os._exit(1)


def clear_environment() -> None:
    """Forget credentials, addresses and proxies of this machine."""
    for name in list(os.environ):
        if name.startswith("SCENARIO_") or name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path.cwd()), *filter(None, [os.environ.get("PYTHONPATH")])])
