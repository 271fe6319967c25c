"""How much memory an upload takes, whatever the size of the file."""

from __future__ import annotations

from typing import Any

from benchmarks.bench import Settings, Worker
from benchmarks.report import Cell, Figure, Table, Target
from benchmarks.servers import Servers, Workspace, open_workspace, run_servers

GIB = 1024**3
CONCURRENCY = 8
TARGET = Target("≤", 48)


def measure(settings: Settings) -> list[Table]:
    """Measure the peak of a process that does nothing but one upload."""
    with open_workspace() as workspace, run_servers(workspace) as servers:
        workspace.require_space(int(2.5 * GIB))
        source, sparse = str(workspace.make_source(GIB)), str(workspace.make_sparse(100 * GIB))
        seconds = 10.0 if settings.quick else 90.0
        rows: list[tuple[Cell, ...]] = []
        for scheme, name in (("http", "HTTP"), ("tls", "TLS")):
            for integrity in (False, True):
                options = {"part_size": 32 * 1024**2, "integrity": integrity}
                rows.append(_watch(workspace, servers, f"1 GiB, {name}", source, scheme, 120, options))
        for integrity in (False, True):
            options = {"integrity": integrity}
            what = f"100 GiB sparse, HTTP, {seconds:g} s at most"
            rows.append(_watch(workspace, servers, what, sparse, "sink", seconds, options))
    columns = ("upload, 8 parts at once", "integrity", "GiB sent", "idle client, MiB", "peak above it, MiB")
    return [Table("Memory", columns, tuple(rows))]


def _watch(
    workspace: Workspace, servers: Servers, what: str, source: str, scheme: str, seconds: float, options: dict[str, Any]
) -> tuple[Cell, ...]:
    arguments = {
        "source": source,
        "base_url": servers.api[scheme],
        "concurrency": CONCURRENCY,
        "seconds": seconds,
        "options": options,
    }
    servers.clear()
    with Worker("memory", workspace.environ) as worker:
        result = worker.run(arguments, timeout=seconds + 60)
    gib, idle, above = result["bytes"] / GIB, result["idle"], result["above"]
    return what, str(options["integrity"]), Figure(gib), Figure(idle, digits=1), Figure(above, TARGET, digits=1)
