"""How fast a file goes out, against what else could send it."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from attrs import asdict, evolve

from benchmarks.bench import Settings, Turns, Worker, take_turns
from benchmarks.environment import MissingError, find_tool
from benchmarks.openssl import find_versions, share_openssl
from benchmarks.report import Cell, Figure, Table, Target, tell_disturbance
from benchmarks.servers import Servers, open_workspace, run_servers
from benchmarks.task import Task
from tools.environment.setup import say

PART_SIZE = 32 * 1024 * 1024
CONCURRENCIES = (1, 4, 8)
OURS = ("Scenario", "AsyncScenario")
# In turns: the two that are judged most closely stand beside their measure.
WITHOUT_HASH = ("pycurl", "Scenario", "raw", "AsyncScenario", "pycurl-multi", "curl", "recipe")
WITH_HASH = ("Scenario", "raw", "AsyncScenario")
WITH_ONE_OPENSSL = ("pycurl", "Scenario", "raw", "AsyncScenario", "pycurl-multi")
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
        source = str(workspace.make_source(settings.size))
        with _run_workers(names, workspace.environ) as workers:
            tables = [
                _measure_scheme(
                    settings,
                    servers,
                    {name: workers[name] for name in workers if name in WITH_HASH or not integrity},
                    Task(source, settings.size, PART_SIZE, 1, integrity, servers.api[scheme], servers.storage[scheme]),
                    scheme,
                )
                for integrity in (False, True)
                for scheme in NAMES
            ]
        plain, tls, *hashed = tables
        return [plain, *_compare_with_one_openssl(settings, servers, source, tls), *hashed]


@contextlib.contextmanager
def _run_workers(names: Iterable[str], environ: Mapping[str, str]) -> Iterator[dict[str, Worker]]:
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(Worker(name, environ)) for name in names}


def _compare_with_one_openssl(settings: Settings, servers: Servers, source: str, measured: Table) -> Iterator[Table]:
    """Give the table of TLS, and when pycurl encrypts with another OpenSSL than Python, one in which both use its.

    The target is for two clients, so it is the second table that is judged then.
    """
    workspace = servers.workspace
    python, curl = find_versions(workspace.environ)
    if python == curl:
        yield measured
        return
    note = f"Python encrypts with OpenSSL {python}, the machine's, and pycurl with {curl}, that of its wheel"
    try:
        environ = share_openssl(workspace.folder / "openssl", workspace.environ)
    except MissingError as error:
        yield evolve(measured, notes=(f"{note}; both with one could not be measured: {error}.", *measured.notes))
        return
    yield evolve(measured.without_targets(), notes=(f"{note}; the next table has one for both.", *measured.notes))
    task = Task(source, settings.size, PART_SIZE, 1, False, servers.api["tls"], servers.storage["tls"])
    with _run_workers(WITH_ONE_OPENSSL, environ) as workers:
        table = _measure_scheme(settings, servers, workers, task, "tls")
    yield evolve(table, title=f"{table.title}, OpenSSL {curl} for all")


def _measure_scheme(
    settings: Settings, servers: Servers, workers: Mapping[str, Worker], task: Task, scheme: str
) -> Table:
    others = [name for name in workers if name not in (*OURS, "pycurl-multi")]
    limit = "raw sendfile" if scheme == "http" and not task.integrity else f"raw {NAMES[scheme]} sockets"
    limit += " and MD5" if task.integrity else ""
    title = f"Throughput, {NAMES[scheme]}, integrity={task.integrity}"
    worst, rows = 0.0, list[tuple[Cell, ...]]()
    for concurrency in CONCURRENCIES:
        say(f"  {title}, {concurrency} at once")
        turns = {
            name: partial(send, servers, worker, evolve(task, concurrency=concurrency))
            for name, worker in workers.items()
        }
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
