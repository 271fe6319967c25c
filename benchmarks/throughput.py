"""How fast a file goes out, against what else could send it."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Mapping
from functools import partial

from attrs import asdict, evolve

from benchmarks.bench import Settings, Turns, Worker, take_turns
from benchmarks.environment import find_tool
from benchmarks.report import Cell, Figure, Table, Target, tell_disturbance
from benchmarks.servers import Servers, open_workspace, run_servers
from benchmarks.task import Task
from tools.setup_environment import say

PART_SIZE = 32 * 1024 * 1024
CONCURRENCIES = (1, 4, 8)
OURS = ("Scenario", "AsyncScenario")
# In turns: the two that are judged most closely stand beside their measure.
WITHOUT_HASH = ("pycurl", "Scenario", "raw", "AsyncScenario", "pycurl-multi", "curl", "recipe")
WITH_HASH = ("Scenario", "raw", "AsyncScenario")
TARGETS = {
    ("http", False, "raw"): Target("≥", 0.90),
    ("http", False, "pycurl"): Target("≥", 1.0),
    ("tls", False, "pycurl"): Target("≥", 0.95),
    ("http", True, "raw"): Target("≥", 0.90),
    ("tls", True, "raw"): Target("≥", 0.90),
}
NAMES = {"http": "HTTP", "tls": "TLS"}


def measure(settings: Settings) -> list[Table]:
    """Measure all combinations."""
    with contextlib.ExitStack() as stack:
        workspace = stack.enter_context(open_workspace())
        # The file, its parts for the curl tool, what is stored, and a part more for each connection.
        workspace.require_space(3 * settings.size + (CONCURRENCIES[-1] + 1) * PART_SIZE)
        servers = stack.enter_context(run_servers(workspace))
        names = [name for name in WITHOUT_HASH if name != "curl" or find_tool("curl")]
        workers = {name: stack.enter_context(Worker(name, workspace.environ)) for name in names}
        source = str(workspace.make_source(settings.size))
        tables = []
        for integrity in (False, True):
            for scheme in NAMES:
                task = Task(
                    source, settings.size, PART_SIZE, 1, integrity, servers.api[scheme], servers.storage[scheme]
                )
                tables.append(_measure_scheme(settings, servers, workers, task, scheme))
        return tables


def _measure_scheme(
    settings: Settings, servers: Servers, workers: Mapping[str, Worker], task: Task, scheme: str
) -> Table:
    names = [name for name in (WITH_HASH if task.integrity else WITHOUT_HASH) if name in workers]
    others = [name for name in names if name not in (*OURS, "pycurl-multi")]
    limit = "raw sendfile" if scheme == "http" and not task.integrity else f"raw {NAMES[scheme]} sockets"
    limit += " and MD5" if task.integrity else ""
    title = f"Throughput, {NAMES[scheme]}, integrity={task.integrity}"
    worst, rows = 0.0, list[tuple[Cell, ...]]()
    for concurrency in CONCURRENCIES:
        say(f"  {title}, {concurrency} at once")
        turns = {name: partial(send, servers, workers[name], evolve(task, concurrency=concurrency)) for name in names}
        taken = take_turns(turns, settings)
        worst = max(worst, taken.disturbance)
        chosen = {name: _choose_pycurl(taken) if name == "pycurl" else name for name in others}
        for name in OURS:
            speeds = tuple(task.size / 2**30 / seconds for seconds in taken.seconds[name])
            ratios = (
                Figure.of(taken.compare(name, chosen[other]), TARGETS.get((scheme, task.integrity, other)))
                for other in others
            )
            rows.append((name, str(concurrency), Figure.of(speeds), *ratios))
    columns = ("client", "at once", "GiB/s", *(f"vs {limit if name == 'raw' else name}" for name in others))
    return Table(title, columns, tuple(rows), (tell_disturbance(worst),))


def _choose_pycurl(taken: Turns) -> str:
    """Return the better of pycurl's two ways, which stands for it; which that is depends on the machine."""
    return min(("pycurl", "pycurl-multi"), key=lambda name: statistics.median(taken.seconds[name]))


def send(servers: Servers, worker: Worker, task: Task) -> float:
    """Let a worker send a file to an empty storage."""
    servers.clear()
    return worker.run(asdict(task), timeout=120)["seconds"]
