"""What changes on a page, as server-sent events: pieces of HTML, each with the id of the element that it replaces."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final

import attrs

from scenario_uploads.sandbox.state.journal import Journal

MAX_STREAMS: Final = 32
"""How many are served at once; each is an open page."""
_GATHER_SECONDS: Final = 0.1
_BEAT_SECONDS: Final = 15.0

Event = tuple[str, str]
"""What comes: the HTML of a `row` or of a `part` of the page, or the id of the row that is `gone`."""


@attrs.define
class Streams:
    """The open streams of a page.

    Args:
        journal: What tells of changes.
        boot: A name of this sandbox: a page of another one, on the same port, is loaded anew.
    """

    journal: Journal
    boot: str
    open: int = 0
    _wake: set[Callable[[], None]] = attrs.field(factory=set)
    _is_closed: bool = False

    def close(self) -> None:
        """End all streams, so that their server need not wait for them. From any thread."""
        self._is_closed = True
        for wake in list(self._wake):
            wake()

    async def follow(self, since: str, render: Callable[[int], Iterable[Event]]) -> AsyncIterator[str]:
        """Yield what changed since a version, and then what changes.

        Args:
            since: The last that the page has, as `boot-version`.
            render: Returns the events of what changed after a version; called in a thread.
        """
        boot, _, number = since.rpartition("-")
        if boot != self.boot or not number.isdecimal():
            yield "event: reload\ndata:\n\n"
            return
        version, sent = int(number), dict[str, str]()
        loop, changed = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            if not changed.is_set() and not loop.is_closed():
                loop.call_soon_threadsafe(changed.set)

        stop = self.journal.listen(wake)
        self._wake.add(wake)
        self.open += 1
        try:
            yield "retry: 1000\n\n"
            while not self._is_closed:
                changed.clear()
                now = self.journal.version
                for kind, text in await asyncio.to_thread(list, render(version)):
                    # A part of the page is sent when it differs; rows come because they changed.
                    if kind == "part" and sent.get(text[:40]) == text:
                        continue
                    if kind == "part":
                        sent[text[:40]] = text
                    yield _write(kind, text, f"{self.boot}-{now}")
                version = now
                await _wait(changed)
                if not changed.is_set():
                    yield ": beat\n\n"
                elif not self._is_closed:
                    # Changes come in swarms: together they cost one look.
                    await asyncio.sleep(_GATHER_SECONDS)
        finally:
            stop()
            self._wake.discard(wake)
            self.open -= 1


async def _wait(changed: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(changed.wait(), _BEAT_SECONDS)
    except TimeoutError:
        return


def _write(kind: str, text: str, event_id: str) -> str:
    lines = "".join(f"data: {line}\n" for line in text.splitlines())
    return f"event: {kind}\nid: {event_id}\n{lines}\n"
