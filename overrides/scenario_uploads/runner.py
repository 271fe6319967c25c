"""Carrying out, in the calling thread, what `flow` yields; and the connections for it.

There are two: one with the caller's proxies and limits for the API, and a bare one for storage, which never sees a
credential.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Generator
from typing import Any, TypeVar

import httpx

from .errors import ScenarioError
from .http import Pause, Send, explain_environment, send
from .storage import Storage
from .transfer import Transfer, transfer_parts

T = TypeVar("T")


class Runner:
    """Runs the steps of calls, from many threads at once if need be."""

    def __init__(self, http_client: httpx.Client | None) -> None:
        self._given = http_client
        self._own: httpx.Client | None = None
        self._storage: Storage | None = None
        self._lock = threading.Lock()
        self._owner = os.getpid()
        self._closed = False

    def close(self) -> None:
        """Close the connections that were opened here; closing again changes nothing."""
        with self._lock:
            self._closed = True
            self._drop_inherited()
            for client in (self._own, self._storage):
                if client is not None:
                    client.close()

    def _connection(self) -> httpx.Client:
        """Return what carries the calls to the API: it has the credentials' origin, storage has another."""
        with self._lock:
            self._check_open()
            if self._given is not None:
                return self._given
            if self._own is None:
                with explain_environment():
                    self._own = httpx.Client()
            return self._own

    def _storage_connection(self) -> Storage:
        with self._lock:
            self._check_open()
            if self._storage is None:
                self._storage = Storage()
            return self._storage

    def _check_open(self) -> None:
        if self._closed or (self._given is not None and self._given.is_closed):
            raise ScenarioError("This client is closed; make a new one.")
        self._drop_inherited()

    def _drop_inherited(self) -> None:
        """Give up the connections that a forked child has from its parent: two processes would mix their bytes."""
        if self._owner != os.getpid():
            for client in (self._own, self._storage):
                if client is not None:
                    client.close()
            self._own = self._storage = None
            self._owner = os.getpid()

    def run(self, steps: Generator[Send | Pause | Transfer, Any, T]) -> T:
        """Carry out the steps of a call in this thread."""
        try:
            step = next(steps)
            while True:
                try:
                    result = self._perform(step)
                except BaseException as error:  # noqa: BLE001 - the steps decide what becomes of it
                    step = steps.throw(error)
                else:
                    step = steps.send(result)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]

    def _perform(self, step: Send | Pause | Transfer) -> object:
        match step:
            case Send():
                return send(self._connection(), step)
            case Pause():
                time.sleep(step.seconds)
            case Transfer():
                return transfer_parts(self._storage_connection(), step.job)
        return None
