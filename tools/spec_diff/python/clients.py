"""Generate clients of contracts aside, each one once, for whatever has to look at them or to run them."""

from __future__ import annotations

import atexit
import json
import re
import shutil
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path

from tools.client import generate
from tools.client.unasync import GenerationError
from tools.contract.document import Contract, UnreadableError
from tools.contract.operations import list_operations

LARGE = 40
"""From how many operations on a contract is reduced to what matters before a client is generated from it."""
# The work is done by the generator's own processes.
_THREADS = ThreadPoolExecutor(max_workers=4, thread_name_prefix="generate")


class NoClientError(UnreadableError):
    def __init__(self, name: str, output: str) -> None:
        # It names a folder and objects of its own, and says much before it comes to the point.
        output = re.sub(r"<[\w.]+ object at 0x[0-9a-f]+>", "…", re.sub(r"/\S*/(?=openapi\.json)", "", output))
        super().__init__(name, f"no client can be generated from it: {output}")
        self.name = name
        self.reason = " ".join(output.partition("some pieces may be missing")[2].split() or output.split())[:300]


def is_large(contract: Contract) -> bool:
    return len(list_operations(contract)) > LARGE


def start_generating(contract: Contract) -> Future[Path]:
    """Begin to generate the client of a contract, unless that was done before, and return what its folder will be."""
    # What was read, as JSON: one reader decides what the contract says, and JSON is read faster than YAML.
    return _start(json.dumps(contract.document))


@cache
def _start(text: str) -> Future[Path]:
    return _THREADS.submit(_generate, text)


def _generate(text: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="spec-diff-client-")).resolve()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    contract, clients = folder / "openapi.json", folder / "client"
    contract.write_text(text, encoding="utf-8")
    clients.mkdir()
    generate.build(clients, contract=contract)
    return clients


def wait_for(contract: Contract) -> Path:
    """Return the folder that holds the client of a contract, generated when it was not yet; nobody may write to it."""
    try:
        return start_generating(contract).result()
    except GenerationError as error:
        raise NoClientError(contract.name, str(error)) from None


def generate_clients(old: Contract, new: Contract) -> tuple[Path, Path]:
    for contract in (old, new):
        start_generating(contract)
    return wait_for(old), wait_for(new)
