"""What a part costs when there are many, and how many connections are made for them."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from attrs import asdict

from benchmarks.bench import Settings, Worker
from benchmarks.report import Cell, Figure, Table, Target
from benchmarks.servers import Servers, Workspace, open_workspace, run_servers
from benchmarks.task import Task

PART_SIZE = 5 * 1024 * 1024
COUNTS = (1_000, 4_000, 10_000)
CONCURRENCIES = (1, 8, 32, 64)
# Ten times the parts may cost ten times as much, and a little for a noisy machine.
LINEAR = Target("≤", 1.15)


def measure(settings: Settings) -> list[Table]:
    """Send sparse files to a sink that discards them."""
    with open_workspace() as workspace, run_servers(workspace) as servers:
        return [_measure_cost(settings, workspace, servers), _measure_connections(workspace, servers)]


def _measure_cost(settings: Settings, workspace: Workspace, servers: Servers) -> Table:
    rows: list[tuple[Cell, ...]] = []
    first = 0.0
    repeats = 1 if settings.quick else 3
    with Worker("Scenario", workspace.environ) as worker:
        _send(worker, workspace, servers, 100, 8)
        for count in COUNTS:
            runs = [_send(worker, workspace, servers, count, 8) for _ in range(repeats)]
            seconds, cpu = (min(run[name] for run in runs) / count for name in ("seconds", "cpu"))
            first = first or seconds
            ratio = Figure(seconds / first, LINEAR)
            rows.append((f"{count:,}", Figure(seconds * 1000, digits=3), Figure(cpu * 1000, digits=3), ratio))
    columns = ("parts of 5 MiB, 8 at once", "ms a part", "ms of processor time", "vs that of 1,000 parts")
    return Table("Many parts", columns, tuple(rows), (f"To a sink that discards, integrity=False, best of {repeats}.",))


def _measure_connections(workspace: Workspace, servers: Servers) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name in ("Scenario", "AsyncScenario"):
        for concurrency in CONCURRENCIES:
            _call(servers, "POST", "/reset")
            with Worker(name, workspace.environ) as worker:
                _send(worker, workspace, servers, 640, concurrency)
            counts = _call(servers, "GET", "/counts")
            opened = Figure(counts["connections"], Target("≤", concurrency), digits=0)
            rows.append((name, str(concurrency), Figure(counts["requests"], digits=0), opened))
    columns = ("client", "at once", "parts received", "connections opened")
    return Table(
        "Connections", columns, tuple(rows), ("Counted at the server; the target is one for each part at once.",)
    )


def _send(worker: Worker, workspace: Workspace, servers: Servers, count: int, concurrency: int) -> dict[str, float]:
    size = count * PART_SIZE
    source = str(workspace.make_sparse(size))
    return worker.run(asdict(Task(source, size, PART_SIZE, concurrency, False, servers.api["sink"], "")), timeout=300)


def _call(servers: Servers, method: str, path: str) -> dict[str, Any]:
    request = urllib.request.Request(servers.service + path, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as answer:
        return dict(json.load(answer))
