"""Row 35: a client in many threads, in loops in turn, after a fork, after closing, and while Python ends.

Each in a process of its own, where whatever goes wrong also shows as a traceback, a warning or a process that stays.
"""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace

import httpx
import pytest
from scenario_uploads import ScenarioError, TransferError
from scenario_uploads.api.network import Streams
from scenario_uploads.api.sync_http import ApiClient, _Stream
from scenario_uploads.client.runner import Connections
from scenario_uploads.sandbox import Sandbox
from scenario_uploads.system import Worker
from scenario_uploads.transfer import connection
from scenario_uploads.transfer.parts import Part

from tests.support.clients import SETTINGS, Connect, raises
from tests.support.server import hang, reply
from tests.support.service import UPLOAD_ID, Service

KINDS = ["sync", "async"]

BEGINNING = """
import asyncio, atexit, faulthandler, gc, os, random, signal, sys, threading, time, warnings
from hashlib import sha256
from scenario_uploads import AsyncScenario, Scenario, ScenarioError, TransferError

MIB = 1024 * 1024
URL, KEY, SECRET = sys.argv[1:4]
# Whoever deadlocks is ended, and seen.
faulthandler.dump_traceback_later(500, exit=True)

def make(kind=Scenario):
    return kind(base_url=URL, api_key=KEY, api_secret=SECRET)

def glb(seed, size=6 * MIB):
    # As `tests.support.content` makes it.
    block = random.Random(seed).randbytes(65528)
    content = b"".join(piece for number in range(size // 65536) for piece in (number.to_bytes(8, "big"), block))
    return b"glTF\\x02\\0\\0\\0" + size.to_bytes(4, "little") + content[: size - 12]
"""


def run(program: str, url: str, key: str = "key", secret: str = "secret") -> subprocess.CompletedProcess[str]:
    # Every warning is an error, and ResourceWarnings of what is left open are printed.
    return subprocess.run(
        [
            *[sys.executable, "-W", "error", "-W", "ignore:.*use of fork:DeprecationWarning"],
            *["-c", BEGINNING + program, url, key, secret],
        ],
        env={name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
        capture_output=True,
        text=True,
        check=False,
    )


def check(done: subprocess.CompletedProcess[str], expected: str) -> None:
    assert (done.stdout, done.stderr, done.returncode) == (expected, "", 0)


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(step_delay=0) as running:
        yield running


THREADS = """
def work(number):
    for turn in range(2):
        content = glb((number, turn).__hash__())
        upload = client.uploads.upload_file(
            content, file_name=f"{number}.glb", part_size=5 * MIB, concurrency=3
        )
        assert client.uploads.retrieve(upload.id).upload.file_name.endswith(f"/{number}.glb")
        results.append((upload.id, sha256(content).hexdigest()))

results = []
with make() as client:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
assert threading.active_count() == 1
for result in results:
    print(*result)
"""


def test_35_many_threads_share_a_client(box: Sandbox) -> None:
    """Uploads of several parts and calls, all at once over one client; each file arrives as it was."""
    done = run(THREADS, box.base_url, box.api_key, box.api_secret)
    assert (done.stderr, done.returncode) == ("", 0)
    results = [line.split() for line in done.stdout.splitlines()]
    assert len({upload_id for upload_id, _ in results}) == 16
    for upload_id, digest in results:
        assert box.sha256(upload_id) == digest


LOOPS_AT_ONCE = """
client = make(AsyncScenario)
barrier = threading.Barrier(4)
outcomes = []

async def work():
    barrier.wait()
    for _ in range(5):
        await client.uploads.retrieve("upload_1")

def run_one():
    try:
        asyncio.run(work())
        outcomes.append("served")
    except ScenarioError as error:
        assert "event loop" in str(error), error
        outcomes.append("refused")

threads = [threading.Thread(target=run_one) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(*sorted(outcomes))
warnings.simplefilter("ignore")  # the loop that was served has ended before its client
os._exit(sys.stdout.flush() or 0)
"""


def test_35_of_loops_in_several_threads_one_is_served(service: Service) -> None:
    check(run(LOOPS_AT_ONCE, service.url), "refused refused refused served\n")


LOOPS_IN_TURN = """
async def use(client):
    content = glb(1)
    upload = await client.uploads.upload_file(content, file_name="a.glb", part_size=5 * MIB)
    return (await client.uploads.retrieve(upload.id)).upload.status

async def once():
    async with make(AsyncScenario) as client:
        return await use(client)

print(asyncio.run(once()), asyncio.run(once()))

client = make(AsyncScenario)
with asyncio.Runner() as first, asyncio.Runner() as second:
    print(first.run(use(client)))
    for _ in range(2):
        try:
            second.run(use(client))
        except ScenarioError as error:
            assert "make a client for each" in str(error), error
    print(first.run(use(client)))
    first.run(client.close())
    try:
        second.run(use(client))
    except ScenarioError as error:
        assert "closed" in str(error), error
"""


def test_35_loops_in_turn_work_or_are_told_apart(box: Sandbox) -> None:
    done = run(LOOPS_IN_TURN, box.base_url, box.api_key, box.api_secret)
    check(done, "imported imported\nimported\nimported\n")


FORK_WITH_LOCKS = """
client = make()
client.uploads.retrieve("upload_1")
client.uploads.upload_file(b"glTF", file_name="a.glb")
held, done = threading.Event(), threading.Event()
shared = client._runner.connections

def hold():
    pool = shared._own._transport.transports[None]._pool
    with shared._lock, shared._storage._lock, pool._optional_thread_lock:
        held.set()
        done.wait()

thread = threading.Thread(target=hold)
thread.start()
held.wait()
child = os.fork()
if child:
    done.set()
    thread.join()
client.uploads.retrieve("upload_1")
client.uploads.upload_file(b"glTF", file_name="a.glb")
client.close()
if not child:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print("both are well")
"""


@pytest.mark.posix
def test_35_a_fork_while_other_threads_hold_locks_leaves_the_child_free(service: Service) -> None:
    """Only the forking thread goes on in the child, so what another one had locked stays locked there."""
    check(run(FORK_WITH_LOCKS, service.url), "both are well\n")


FORK_STORM = """
client = make()
# What is imported with the first use is Python's to lock, and a fork in the middle of an import is Python's fault.
client.uploads.retrieve("upload_1")
client.uploads.upload_file(b"glTF", file_name="a.glb")
stop = threading.Event()
faults = []

def hammer():
    try:
        while not stop.is_set():
            client.uploads.retrieve("upload_1")
            client.uploads.upload_file(b"glTF", file_name="a.glb")
    except BaseException as error:
        faults.append(error)

threads = [threading.Thread(target=hammer) for _ in range(4)]
for thread in threads:
    thread.start()
for _ in range(20):
    child = os.fork()
    if not child:
        signal.alarm(30)
        try:
            assert client.uploads.retrieve("upload_1").upload.id == "upload_1"
            client.uploads.upload_file(b"glTF", file_name="a.glb")
            client.close()
        except BaseException as error:
            os.write(2, f"child: {error!r}".encode())
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
for thread in threads:
    thread.join()
assert faults == []
client.close()
print("all are well")
"""


@pytest.mark.posix
def test_35_forks_in_the_middle_of_everything_work(service: Service) -> None:
    check(run(FORK_STORM, service.url), "all are well\n")
    # No stream was mixed up: each request came whole, and each connection belongs to one process.
    assert {request.method for request in service.requests} == {"GET", "POST", "PUT"}
    assert all(request.whole for request in service.requests)


FORK_ASYNC = """
async def use():
    return (await client.uploads.retrieve("upload_1")).upload.id

client = make(AsyncScenario)
runner = asyncio.Runner()
runner.run(use())
child = os.fork()
if not child:
    try:
        asyncio.run(use())
    except ScenarioError as error:
        os._exit(0 if "event loop" in str(error) else 1)
    os._exit(2)
assert os.waitpid(child, 0)[1] == 0
print(runner.run(use()))
runner.run(client.close())
runner.close()
"""


@pytest.mark.posix
def test_35_a_forked_child_of_a_loop_is_told_to_make_its_own_client(service: Service) -> None:
    check(run(FORK_ASYNC, service.url), f"{UPLOAD_ID}\n")


FORK_HANDLE = """
import threading
client, entered, go_on = make(), threading.Event(), threading.Event()

def hold(_event):
    entered.set()
    go_on.wait()

handle = client.uploads.start_upload(b"glTF", file_name="a.glb", on_progress=hold)
# In one write each: two threads would mix what `print` writes in two.
handle.add_done_callback(lambda handle: os.write(1, b"called back\\n"))
entered.wait()
child = os.fork()
if not child:
    assert "start another one here" in str(handle.exception())
    assert (handle.done(), handle.running(), handle.cancel()) == (True, False, False)
    assert client.uploads.start_upload(b"glTF", file_name="a.glb").result().id == "upload_1"
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
go_on.set()
os.write(1, handle.result().id.encode() + b"\\n")
client.close()
"""


@pytest.mark.posix
def test_nobody_waits_in_a_forked_child_for_an_upload_of_its_parent(service: Service) -> None:
    assert sorted(run(FORK_HANDLE, service.url).stdout.splitlines()) == ["called back", "upload_1"]


CLOSE_MEANWHILE = """
client = make()
outcomes = set()

def work():
    try:
        while True:
            client.uploads.retrieve("upload_1")
            client.uploads.upload_file(b"glTF", file_name="a.glb")
            outcomes.add("used")
    except ScenarioError as error:
        outcomes.add(type(error).__name__)

threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
while "used" not in outcomes:
    time.sleep(0.001)
client.close()
for thread in threads:
    thread.join()
assert outcomes <= {"used", "ScenarioError", "APIConnectionError", "TransferError"}, outcomes
try:
    client.uploads.retrieve("upload_1")
except ScenarioError as error:
    print(error)
"""


def test_35_closing_under_many_threads_ends_each_in_our_words(service: Service) -> None:
    check(run(CLOSE_MEANWHILE, service.url), "This client is closed; make a new one.\n")


UNCLOSED = """
client = make()
client.uploads.retrieve("upload_1")
client.uploads.upload_file(b"glTF", file_name="a.glb")
warnings.simplefilter("ignore", ResourceWarning)
print("the end")
"""


def test_35_a_program_that_closes_nothing_ends(service: Service) -> None:
    check(run(UNCLOSED, service.url), "the end\n")


IN_A_DAEMON = """
warnings.simplefilter("ignore", ResourceWarning)
client = make()

def work():
    client.uploads.upload_file(glb(1), file_name="a.glb", part_size=5 * MIB)

def work_async():
    async def main():
        async with make(AsyncScenario) as other:
            await other.uploads.upload_file(glb(1), file_name="a.glb", part_size=5 * MIB)
    asyncio.run(main())

for target in (work, work_async):
    threading.Thread(target=target, daemon=True).start()
sys.stdin.readline()
print("the end")
"""


def test_35_a_program_ends_while_daemon_threads_upload(service: Service) -> None:
    """What they were at is lost, as with every daemon thread; nothing hangs and nothing is printed."""
    service.script("part 1", hang, hang)
    service.script("part 2", hang, hang)
    process = subprocess.Popen(
        [sys.executable, "-c", BEGINNING + IN_A_DAEMON, service.url, "key", "secret"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while len(service.of("part 1")) + len(service.of("part 2")) < 4:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    output, errors = process.communicate("go\n")
    assert (output, errors, process.returncode) == ("the end\n", "", 0)


IN_A_THREAD = """
def work():
    started.set()
    with make() as client:
        content = glb(7)
        upload = client.uploads.upload_file(content, file_name="a.glb", part_size=5 * MIB, concurrency=1)
        print(upload.id, sha256(content).hexdigest())

started = threading.Event()
threading.Thread(target=work).start()
started.wait()
"""


def test_35_a_thread_finishes_its_upload_after_the_main_one(box: Sandbox) -> None:
    """Python waits for it; whether threads can still be begun then is Python's to say, and told in our words."""
    done = run(IN_A_THREAD, box.base_url, box.api_key, box.api_secret)
    if done.returncode == 0 and done.stdout:
        upload_id, digest = done.stdout.split()
        assert box.sha256(upload_id) == digest
    else:
        assert "TransferError: The parts cannot be sent: can't create new thread" in done.stderr


AT_EXIT = {
    "sync": """
client = make()

def last():
    print(client.uploads.retrieve("upload_1").upload.id)
    try:
        client.uploads.upload_file(b"glTF", file_name="a.glb")
        print("sent")
    except TransferError as error:
        assert "The parts cannot be sent: " in str(error)
        print("refused")
    client.close()

atexit.register(last)
""",
    "async": """
async def last():
    async with make(AsyncScenario) as client:
        print((await client.uploads.retrieve("upload_1")).upload.id)
        try:
            await client.uploads.upload_file(b"glTF", file_name="a.glb")
            print("sent")
        except TransferError as error:
            assert "The parts cannot be sent: " in str(error)
            print("refused")

atexit.register(lambda: asyncio.run(last()))
""",
}


@pytest.mark.parametrize("kind", KINDS)
def test_35_what_is_done_at_exit_works_or_is_refused(service: Service, kind: str) -> None:
    done = run(AT_EXIT[kind], service.url)
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout in (f"{UPLOAD_ID}\nsent\n", f"{UPLOAD_ID}\nrefused\n")


CLOSED_LATE = """
class Holder:
    def __init__(self):
        self.client = make()
        self.client.uploads.retrieve("upload_1")
        self.client.uploads.upload_file(b"glTF", file_name="a.glb")
        self.itself = self

    def __del__(self):
        self.client.close()
        self.client.close()

holder = Holder()
print("the end")
"""


def test_35_a_client_may_be_closed_by_what_python_takes_apart_last(service: Service) -> None:
    check(run(CLOSED_LATE, service.url), "the end\n")


def test_35_threads_that_cannot_be_begun_end_the_upload_in_our_words(
    connect: Connect, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As at the end of Python from 3.12 on, or at a limit of the system."""

    begin = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if isinstance(thread, Worker):
            raise RuntimeError("can't start new thread")  # noqa: TRY004 - as Python says it
        begin(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with raises(TransferError, "No thread can be started: can't start new thread") as caught:
        connect(service.url).uploads.upload_file(b"glTF", file_name="a.glb")
    assert caught.error.upload_id == UPLOAD_ID


def test_memory_that_is_used_up_ends_the_upload_in_our_words(
    connect: Connect, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CHUNK_SIZE", 1 << 60)
    with raises(ScenarioError, "out of memory") as caught:
        connect(service.url).uploads.upload_file(b"x", file_name="a.glb")
    assert caught.error.upload_id == UPLOAD_ID


def test_47_descriptors_that_are_used_up_end_the_upload_in_our_words(
    connect: Connect, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an import too, that waits until it is needed."""

    def run_out(*_arguments: object) -> bool:
        raise OSError(errno.EMFILE, "Too many open files", "dateutil/__init__.py")

    monkeypatch.setattr(Part, "is_expired", run_out)
    service.script("part 1", reply(403))
    with raises(ScenarioError, "too many open files"):
        connect(service.url).uploads.upload_file(b"x", file_name="a.glb")


def test_35_a_connection_that_is_made_while_the_client_closes_is_closed(service: Service) -> None:
    connections = Connections(SETTINGS)
    client = connections.to_api()
    assert isinstance(client, ApiClient)
    client.get(service.url, timeout=5)
    (stream,) = client.streams.list()
    for owned in connections.end():
        owned.close()
    assert stream.get_extra_info("socket").fileno() < 0
    with socket.create_connection(("127.0.0.1", service.server.port)) as sock:
        late = _Stream(SimpleNamespace(close=sock.close), Streams())
        with pytest.raises(httpx.ConnectError, match="closed"):
            client.streams.add(late)
        assert sock.fileno() < 0
