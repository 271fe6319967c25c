"""What a call of the API costs beyond its way to the server and back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from attrs import evolve

from benchmarks.bench import Settings, Turns, Worker, take_turns
from benchmarks.import_time import time_import
from benchmarks.report import Cell, Figure, Table, Target, tell_disturbance
from benchmarks.servers import open_workspace, run_servers

ROUNDS = 20
SDK = Target("<", 0.7)
HTTPX = Target("≤", 1.15)


def measure(settings: Settings) -> list[Table]:
    """Measure `retrieve` on a warm connection, the making of a client, and the import."""
    settings = evolve(settings, rounds=5 if settings.quick else ROUNDS)
    with contextlib.ExitStack() as stack:
        workspace = stack.enter_context(open_workspace())
        servers = stack.enter_context(run_servers(workspace))

        def turn(name: str, arguments: Mapping[str, Any]) -> Callable[[], float]:
            worker = stack.enter_context(Worker(name, workspace.environ))
            return lambda: worker.run(arguments, timeout=60)["seconds"]

        calls = {"base_url": servers.call, "count": 200}
        retrieve = take_turns(
            {name: turn(f"retrieve-{name}", calls) for name in ("httpx", "scenario", "sdk")}, settings
        )
        construct = take_turns(
            {name: turn(f"construct-{name}", {"count": 10}) for name in ("scenario", "sdk")}, settings
        )
        imports = take_turns(
            {
                name: partial(time_import, f"from {package} import Scenario")
                for name, package in (("scenario", "scenario_uploads"), ("sdk", "scenario_sdk"))
            },
            settings,
        )
    rows = (
        _row("retrieve, warm connection", retrieve),
        _row("Scenario(...).uploads", construct),
        _row("from … import Scenario", imports),
    )
    columns = ("what", "ms", "time vs httpx get + json", "time vs scenario-sdk")
    worst = max(turns.disturbance for turns in (retrieve, construct, imports))
    notes = ("httpx is `client.get(url).json()` without credentials.", tell_disturbance(worst))
    return [Table("Calls", columns, rows, notes)]


def _row(what: str, taken: Turns) -> tuple[Cell, ...]:
    milliseconds = tuple(seconds * 1000 for seconds in taken.seconds["scenario"])
    httpx = Figure.of(taken.compare("httpx", "scenario"), HTTPX) if "httpx" in taken.seconds else None
    return what, Figure.of(milliseconds), httpx, Figure.of(taken.compare("sdk", "scenario"), SDK)
