"""What a contender is to send, and the threads that some of them send with."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from attrs import frozen


@frozen
class Task:
    """What is to be sent, and where.

    Attributes:
        source: The file.
        size: Its bytes.
        part_size: Bytes in a part.
        concurrency: Parts, and so connections, at once.
        integrity: Whether the MD5 of each part is taken.
        base_url: Where the pretended API is.
        storage_url: Where parts go; their names are appended.
    """

    source: str
    size: int
    part_size: int
    concurrency: int
    integrity: bool
    base_url: str
    storage_url: str

    @property
    def parts(self) -> list[tuple[int, int, int]]:
        """Number, offset and length of each part."""
        offsets = range(0, self.size, self.part_size)
        return [(number, at, min(self.part_size, self.size - at)) for number, at in enumerate(offsets, start=1)]

    def url(self, number: int) -> str:
        """Return the URL of a part."""
        return f"{self.storage_url}/part{number}"


def run_threads(task: Task, work: Callable[[Callable[[], tuple[int, int, int] | None]], None]) -> float:
    """Run `work` in as many threads as parts go at once, each taking parts until none is left."""
    parts, lock, faults = iter(task.parts), threading.Lock(), list[BaseException]()

    def take() -> tuple[int, int, int] | None:
        with lock:
            return None if faults else next(parts, None)

    def guarded() -> None:
        try:
            work(take)
        except BaseException as error:  # noqa: BLE001 - raised again below
            faults.append(error)

    threads = [threading.Thread(target=guarded) for _ in range(task.concurrency)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return time.perf_counter() - start
