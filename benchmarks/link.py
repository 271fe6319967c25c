"""How much of a slow link an upload fills.

The link is a pair of virtual interfaces between two network namespaces, shaped by tbf; its traffic never leaves this
machine. Addresses that are not loopback take parts over https only, so it is measured over TLS. Where namespaces cannot
be made, a proxy on loopback takes the part of the link, over HTTP.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from urllib.parse import urlsplit

from attrs import asdict, evolve, frozen

from benchmarks.bench import BenchError, Settings, Worker, take_turns
from benchmarks.environment import MissingError, find_tool, require
from benchmarks.report import Cell, Figure, Table, Target
from benchmarks.servers import Servers, open_workspace, run_server, run_servers
from benchmarks.task import Task

BITS = 200_000_000
# Of each connection, where it is these that are slow, as to a server that is far away.
EACH_BITS = 16_000_000
DELAY = 0.025
PART_SIZE = 8 * 1024 * 1024
TARGET = Target("≥", 0.9)
ADDRESSES = ("10.213.77.1", "10.213.77.2")
CASES = (("Scenario", True), ("Scenario", False), ("AsyncScenario", True), ("raw", False), ("recipe", False))


@frozen
class Link:
    """Commands that put a process at either end, and what is known of what lies between."""

    client: tuple[str, ...]
    server: tuple[str, ...]
    note: str


def measure(settings: Settings) -> list[Table]:
    """Send a file through the link, each contender in its turn; then through one that slows each connection."""
    return [_measure_shared(settings), _measure_each(settings)]


def _measure_each(settings: Settings) -> Table:
    size, most = (64 if settings.quick else 128) * 1024**2, 8 * EACH_BITS
    with contextlib.ExitStack() as stack:
        workspace = stack.enter_context(open_workspace())
        workspace.require_space(2 * size)
        servers = stack.enter_context(run_servers(workspace))
        servers = stack.enter_context(_run_proxy(servers, "--bits", str(EACH_BITS), "--delay", str(DELAY), "--each"))
        worker = stack.enter_context(Worker("Scenario", workspace.environ, ()))
        source = str(workspace.make_source(size))
        task = Task(source, size, PART_SIZE, 8, True, servers.api["http"], servers.storage["http"])
        turns = {"Scenario": partial(_send, servers, worker, task)}
        taken = take_turns(turns, evolve(settings, rounds=1 if settings.quick else 3, seconds=0), warm=False)
    share = Figure.of(tuple(size * 8 / seconds / most for seconds in taken.seconds["Scenario"]))
    title = f"{EACH_BITS // 10**6} Mbit/s for each connection, {size >> 20} MiB, 8 parts at once"
    note = "A proxy on loopback, HTTP; the share is that of eight connections from the first byte to the last."
    return Table(title, ("sender", "MB/s", "share"), (("Scenario", Figure(share.value * most / 8e6), share),), (note,))


def _measure_shared(settings: Settings) -> Table:
    size = (64 if settings.quick else 256) * 1024**2
    with contextlib.ExitStack() as stack:
        link = None if settings.proxy else _try_namespaces(stack)
        workspace = stack.enter_context(open_workspace(*ADDRESSES))
        workspace.require_space(2 * size)
        if link:
            servers = stack.enter_context(run_servers(workspace, host=ADDRESSES[1], prefix=link.server))
            scheme, prefix, note = "tls", link.client, link.note
        else:
            servers = stack.enter_context(run_servers(workspace))
            servers = stack.enter_context(_run_proxy(servers, "--bits", str(BITS), "--delay", str(DELAY)))
            scheme, prefix, note = (
                "http",
                (),
                f"The link is a proxy on loopback with a delay of {DELAY * 1000:g} ms, HTTP.",
            )
        source = str(workspace.make_source(size))
        workers = {
            name: stack.enter_context(Worker(name, workspace.environ, prefix))
            for name in dict.fromkeys(n for n, _ in CASES)
        }
        task = Task(source, size, PART_SIZE, 8, False, servers.api[scheme], servers.storage[scheme])
        turns = {
            f"{name} {integrity}": partial(_send, servers, workers[name], evolve(task, integrity=integrity))
            for name, integrity in CASES
        }
        # Others hardly disturb what waits for the link, so no round is taken again.
        taken = take_turns(turns, evolve(settings, rounds=1 if settings.quick else 3, seconds=0), warm=False)
    rows: list[tuple[Cell, ...]] = []
    for name, integrity in CASES:
        shares = tuple(size * 8 / seconds / BITS for seconds in taken.seconds[f"{name} {integrity}"])
        target = TARGET if name not in ("raw", "recipe") else None
        share = Figure.of(shares, target)
        rows.append((name, str(integrity) if target else None, Figure(share.value * BITS / 8e6), share))
    columns = ("sender", "integrity", "MB/s", "of the link")
    title = f"A link of {BITS // 10**6} Mbit/s, {size >> 20} MiB, 8 parts at once"
    return Table(title, columns, tuple(rows), (note,))


def _send(servers: Servers, worker: Worker, task: Task) -> float:
    servers.clear()
    return worker.run(asdict(task), timeout=task.size * 8 / BITS * 5 + 30)["seconds"]


def _try_namespaces(stack: contextlib.ExitStack) -> Link | None:
    try:
        require("ip", "tc")
        return stack.enter_context(_open_namespaces())
    except (BenchError, MissingError) as error:
        print(f"link: a proxy takes its part, since there is no namespace: {error}", file=sys.stderr)
        return None


@contextlib.contextmanager
def _open_namespaces() -> Iterator[Link]:
    ip, tc = str(find_tool("ip")), str(find_tool("tc"))
    near, far = f"scenario-bench-{os.getpid()}-a", f"scenario-bench-{os.getpid()}-b"
    with contextlib.ExitStack() as stack:
        for name in (near, far):
            _run(ip, "netns", "add", name)
            # Deleting a namespace deletes the interfaces in it.
            stack.callback(_run, ip, "netns", "del", name)
            _run(ip, "-n", name, "link", "set", "lo", "up")
        _run(ip, "-n", near, "link", "add", "link0", "type", "veth", "peer", "name", "link0", "netns", far)
        for name, address in zip((near, far), ADDRESSES, strict=True):
            _run(ip, "-n", name, "addr", "add", f"{address}/30", "dev", "link0")
            _run(ip, "-n", name, "link", "set", "link0", "up")
        limit = ("root", "tbf", "rate", f"{BITS}bit", "burst", "128kb", "latency", "50ms")
        _run(tc, "-n", near, "qdisc", "add", "dev", "link0", *limit)
        note = "Shaped by tbf in a network namespace, TLS; a queue of at most 50 ms, frame headers count"
        try:
            _run(tc, "-n", far, "qdisc", "add", "dev", "link0", "root", "netem", "delay", f"{DELAY * 2000:g}ms")
        except BenchError:
            note += "; no further delay, since this kernel has no netem."
        else:
            note += f"; answers are delayed by {DELAY * 2000:g} ms."
        enter = (ip, "netns", "exec")
        yield Link((*enter, near), (*enter, far), note)


def _run(*command: str) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise BenchError(f"{' '.join(command[1:4])}: {result.stderr.strip().partition(chr(10))[0]}")


@contextlib.contextmanager
def _run_proxy(servers: Servers, *shape: str) -> Iterator[Servers]:
    """Put the slow proxy before nginx; the service is told to send parts there."""
    port = urlsplit(servers.storage["http"]).port
    with run_server("benchmarks.slow_proxy", str(port), *shape) as slow_port:
        storage = f"http://127.0.0.1:{slow_port}/put"
        with run_server("benchmarks.service", f"--target=http={storage}") as ports:
            api = f"http://127.0.0.1:{ports['api']}/http/v1"
            yield evolve(servers, storage={"http": storage}, api={"http": api})
