"""What an interrupt becomes that arrives between two steps of a lock of `threading`, and what it leaves."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from scenario_uploads import TransferError
from scenario_uploads.system import Worker

from tests.support.service import Service

# In a process of its own: an interrupt in `threading` itself may leave a lock that nobody opens again.
INTERRUPTED = """
import itertools, sys, threading
from scenario_uploads import Scenario
from scenario_uploads.lines import Lines
from scenario_uploads.system import Worker, attend

class EndError(BaseException): ...

def interrupt(function, step, error):
    # Call a function, and raise the error at the nth place in `threading` where Python looks for signals.
    left = step

    def look(frame, event, _argument):
        nonlocal left
        if frame.f_code.co_filename == threading.__file__ and event in ("call", "c_return"):
            left -= 1
            if left < 0:
                sys.setprofile(None)
                raise error

    sys.setprofile(look)
    try:
        function()
    finally:
        sys.setprofile(None)

def show_display():
    with Lines():
        pass

def upload():
    with Scenario(base_url=sys.argv[2], bearer_auth="token") as client:
        client.uploads.upload_file(sys.argv[3], part_size=5 << 20, resume=False)

def upload_behind():
    with Scenario(base_url=sys.argv[2], bearer_auth="token") as client:
        client.uploads.start_upload(sys.argv[3], part_size=5 << 20, resume=False).result()

def upload_many():
    with Scenario(base_url=sys.argv[2], bearer_auth="token") as client:
        list(client.uploads.upload_many(sys.argv[3], ledger=False))

functions = {
    "a thread": lambda: Worker(int, "test").start(),
    "a wait": lambda: attend(int, int),
    "a display": show_display,
    "upload_file": upload,
    "start_upload": upload_behind,
    "upload_many": upload_many,
}
errors = KeyboardInterrupt(), EndError()
for step in itertools.count(0, 1 if sys.argv[1].startswith("a ") else 11):
    try:
        interrupt(functions[sys.argv[1]], step, errors[step % 2])
    except BaseException as error:
        if error not in errors:
            raise
    else:
        break
print("interrupted" if step > 9 else step, flush=True)
"""


@pytest.mark.parametrize("what", ["a thread", "a wait", "a display", "upload_file", "start_upload", "upload_many"])
def test_27_an_interrupt_stays_one_wherever_it_arrives(service: Service, tmp_path: Path, what: str) -> None:
    file = tmp_path / "a.glb"
    file.write_bytes(b"glTF" + bytes(6 << 20))
    command = [sys.executable, "-c", INTERRUPTED, what, service.url, str(file)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.stdout, run.stderr) == ("interrupted\n", "")


def test_a_thread_that_cannot_be_started_while_an_error_is_handled_is_no_interrupt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As in a clean-up after Ctrl-C."""

    def refuse(_self: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt:
        with pytest.raises(TransferError, match="can't start"):
            Worker(int, "test").start()
