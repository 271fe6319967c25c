"""The product with its waits made short, through the seams that it has, so that a run of hundreds ends in a minute."""

import random
from typing import Any

import httpx
from attrs import evolve
from scenario_uploads import DEFAULT_MAX_RETRIES, AsyncScenario, Scenario
from scenario_uploads.api import calls
from scenario_uploads.retry import RetryPolicy
from scenario_uploads.transfer import part
from scenario_uploads.transfer.connection import Storage, StorageTimeouts

from tests.chaos.script import PART_SIZE
from tests.support.trust import create_ssl_context

API_KEY = "key_of_chaos"
API_SECRET = "chaos-s3cret-0f3a77c1"
PATIENCE = 6.0
CALL_TIMEOUT = 2.0
STORAGE_TIMEOUTS = StorageTimeouts(connect=5.0, write=2.0, read=3.0)
IMPORT_TIMEOUT = 8.0
RATE_RETRIES = 6
RATE_IMPORT_TIMEOUT = 30.0
HOPELESS_IMPORT_TIMEOUT = 1.0


def shorten_waits() -> None:
    """Let this process's clients wait briefly between tries and polls."""
    part.PART_POLICY = RetryPolicy(max_retries=8, base=0.02, cap=0.3, clip=True)
    calls.FIRST_DELAY, calls.LONGEST_DELAY = 0.02, 0.3
    # Reading the machine's certificates for each of a thousand clients takes longer than all the rest.
    httpx.create_ssl_context = create_ssl_context


def connect(kind: type[Scenario] | type[AsyncScenario], url: str, *, rate: float = 0.0) -> Any:
    """Return a client whose timeouts are short and whose credentials are secrets to look for.

    Where every request may be faulty, three tries of a create would lose 3 of 100 uploads.
    """
    retries = RATE_RETRIES if rate else DEFAULT_MAX_RETRIES
    client = kind(base_url=url, api_key=API_KEY, api_secret=API_SECRET, timeout=CALL_TIMEOUT, max_retries=retries)
    uploads: Any = client.uploads
    uploads._api = evolve(uploads._api, draw=lambda: 0.1 * random.random())
    uploads._runner.connections._storage = Storage(STORAGE_TIMEOUTS)
    return client


def keywords(script: Any, folder: str) -> dict[str, Any]:
    """Return what `upload_file` gets besides the source."""
    event = script.event or ""
    return {
        "file_name": script.name,
        "part_size": PART_SIZE,
        "concurrency": script.concurrency,
        "integrity": script.integrity,
        "resume": folder if script.resume else False,
        "wait": script.wait,
        "timeout": _import_timeout(script),
        "patience": PATIENCE,
        "restart_on_expiry": event != "expiry_no_restart",
        "max_bandwidth": max(script.size / 1.5, 1000.0) if event == "bandwidth" else None,
    }


def _import_timeout(script: Any) -> float:
    if script.ending in ("never", "unknown_for_ever"):
        return HOPELESS_IMPORT_TIMEOUT
    return RATE_IMPORT_TIMEOUT if script.rate else IMPORT_TIMEOUT
