"""Ctrl-C for a program that a test has started. Windows cannot send it to one process, so there a thread stands in."""

import os
import signal
import subprocess
import sys

# Under make test-portable as on Windows: no wait of the program's own is cut short.
BY_A_THREAD = os.name == "nt" or "PORTABLE_TESTS" in os.environ

_THREAD = """
import _thread, sys, threading
def _interrupt():
    sys.stdin.read()
    _thread.interrupt_main()
threading.Thread(target=_interrupt, name="interrupter", daemon=True).start()
"""


def start(code: str, *arguments: str, **options: object) -> subprocess.Popen[str]:
    """Start a program that `interrupt` can interrupt."""
    command = [sys.executable, "-c", _THREAD * BY_A_THREAD + code, *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, **options)  # type: ignore[call-overload, no-any-return]


def interrupt(process: subprocess.Popen[str]) -> None:
    """Do what Ctrl-C does."""
    if BY_A_THREAD:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    else:
        process.send_signal(signal.SIGINT)
