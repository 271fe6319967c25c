"""Generate clients of contracts aside, each one once, for whatever has to look at them or to run them."""

from __future__ import annotations

import atexit
import hashlib
import json
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tools.client import generate
from tools.client.generate import GenerationError
from tools.contract.document import Contract, UnreadableError
from tools.contract.operations import list_operations


class NoClientError(UnreadableError):
    """No client can be generated from a contract."""

    def __init__(self, name: str, output: str) -> None:
        super().__init__(name, f"no client can be generated from it: {output}")
        self.name = name
        # The generator says much before it comes to the point, and names objects of its own.
        words = " ".join(output.partition("some pieces may be missing")[2].split() or output.split())
        self.reason = re.sub(r"<[\w.]+ object at 0x[0-9a-f]+>", "…", words)[:300]


LARGE = 40
"""From how many operations on a contract is reduced to what matters before a client is generated from it."""
_LOCK = threading.Lock()
_RUNNING: dict[str, Future[Path]] = {}
"""What is generated or being generated, by what the contract says."""


def is_large(contract: Contract) -> bool:
    """Return whether to generate the client of a whole contract takes too long."""
    return len(list_operations(contract)) > LARGE


def start_generating(contract: Contract) -> Future[Path]:
    """Begin to generate the client of a contract, unless that was done before, and return what its folder will be.

    The folder holds the package and is removed when the process ends. Whoever waits gets `GenerationError` when there
    is no client of this contract.
    """
    # What was read, as JSON: one reader decides what the contract says, and JSON is read faster than YAML.
    text = json.dumps(contract.document)
    key = hashlib.sha256(text.encode()).hexdigest()
    with _LOCK:
        if key not in _RUNNING:
            # A thread each: the work is done by the generator's own processes.
            executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="generate")
            _RUNNING[key] = executor.submit(_generate, text)
            executor.shutdown(wait=False)
        return _RUNNING[key]


def _generate(text: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="spec-diff-client-")).resolve()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    contract = folder / "openapi.json"
    contract.write_text(text, encoding="utf-8")
    clients = folder / "client"
    clients.mkdir()
    try:
        generate.build(clients, contract=contract)
    except GenerationError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise GenerationError(str(error).replace(f"{folder}/", "")) from None
    return clients


def wait_for(contract: Contract) -> Path:
    """Return the folder that holds the client of a contract, generated when it was not yet.

    Raises:
        NoClientError: When the generator fails or warns: a client of this contract lacks a part of it, and the
            project would not have one.
    """
    try:
        return start_generating(contract).result()
    except GenerationError as error:
        raise NoClientError(contract.name, str(error)) from None


@contextmanager
def generated_clients(old: Contract, new: Contract) -> Iterator[tuple[Path, Path]]:
    """Give the folders that hold `scenario_uploads_client/` of the old and of the new contract.

    Both are generated side by side, and once in a process however often they are asked for. Nobody may write to them.

    Raises:
        NoClientError: When one cannot be generated; the message names the contract and says what the generator said.
    """
    for contract in (old, new):
        start_generating(contract)
    yield wait_for(old), wait_for(new)
