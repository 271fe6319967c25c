"""Measures inside one process: calls of the API, the making of a client, and memory; run by `benchmarks.worker`."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks import bulk

UPLOAD_ID = "upload_bench"
CREDENTIALS = {"api_key": "key", "api_secret": "secret"}


class EnoughError(Exception):
    """Raised out of `on_progress` to end an upload that has been watched for long enough."""


@cache
def _make_client(package: str, base_url: str) -> Any:
    return importlib.import_module(package).Scenario(base_url=base_url, **CREDENTIALS)


def _time_calls(call: Callable[[], object], count: int) -> dict[str, float]:
    call()  # opens the connection
    start = time.perf_counter()
    for _ in range(count):
        call()
    return {"seconds": (time.perf_counter() - start) / count}


def retrieve_with_scenario(base_url: str, count: int) -> dict[str, float]:
    """Time `retrieve` of this client."""
    uploads = _make_client("scenario_uploads", base_url).uploads
    return _time_calls(lambda: uploads.retrieve(UPLOAD_ID).upload.status, count)


def retrieve_with_sdk(base_url: str, count: int) -> dict[str, float]:
    """Time `retrieve` of scenario-sdk."""
    uploads = _make_client("scenario_sdk", base_url).uploads
    return _time_calls(lambda: uploads.retrieve(UPLOAD_ID).upload.status, count)


@cache
def _make_httpx_client() -> Any:
    return importlib.import_module("httpx").Client()


def retrieve_with_httpx(base_url: str, count: int) -> dict[str, float]:
    """Time the least that gets the same answer with httpx."""
    client, url = _make_httpx_client(), f"{base_url}/uploads/{UPLOAD_ID}"
    return _time_calls(lambda: client.get(url).json()["upload"]["status"], count)


def _construct(package: str, count: int) -> dict[str, float]:
    client = importlib.import_module(package).Scenario
    taken = 0.0
    for _ in range(count):
        start = time.perf_counter()
        made = client(base_url="http://127.0.0.1:9/v1", **CREDENTIALS)
        _ = made.uploads
        taken += time.perf_counter() - start
        made.close()
    return {"seconds": taken / count}


def construct_scenario(count: int) -> dict[str, float]:
    """Time the making of this client, up to `client.uploads`."""
    return _construct("scenario_uploads", count)


def construct_sdk(count: int) -> dict[str, float]:
    """Time the making of scenario-sdk's client, up to `client.uploads`."""
    return _construct("scenario_sdk", count)


def read_memory(name: str) -> float:
    """Return a line of this process's `/proc` status in MiB: `VmRSS` is what it holds, `VmHWM` its peak."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


def watch_memory(
    source: str, base_url: str, concurrency: int, seconds: float, options: dict[str, Any]
) -> dict[str, float]:
    """Upload for some seconds at most, in a process that has done nothing else; return MiB."""
    client = importlib.import_module("scenario_uploads").Scenario(base_url=base_url, **CREDENTIALS)
    _ = client.uploads
    idle = read_memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts anew: proc(5)
    start, done = time.perf_counter(), 0

    def on_progress(progress: Any) -> None:
        nonlocal done
        done = progress.bytes_done
        if time.perf_counter() - start > seconds:
            raise EnoughError

    with suppress(EnoughError):
        client.uploads.upload_file(source, kind="model", concurrency=concurrency, on_progress=on_progress, **options)
    taken = time.perf_counter() - start
    client.close()
    return {"idle": idle, "above": read_memory("VmHWM") - idle, "seconds": taken, "bytes": float(done)}


PROBES: dict[str, Callable[..., dict[str, float]]] = {
    "retrieve-scenario": retrieve_with_scenario,
    "retrieve-httpx": retrieve_with_httpx,
    "retrieve-sdk": retrieve_with_sdk,
    "construct-scenario": construct_scenario,
    "construct-sdk": construct_sdk,
    "memory": watch_memory,
    "bulk-httpx": bulk.send_with_httpx,
    "bulk-scenario": bulk.send_with_scenario,
    "bulk-note": bulk.note_as_done,
}
