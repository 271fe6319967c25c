"""One upload of the run, and what has to hold after it."""

import asyncio
import io
import json
import os
import random
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import define, field
from scenario_uploads import APIStatusError, AsyncScenario, Scenario, ScenarioError, Upload

from tests.chaos import shorten
from tests.chaos.script import LARGEST, MIB, Effect, Script, effect_of
from tests.chaos.service import ChaosService, Job, digest_parts
from tests.chaos.watch import find_secret

DEADLINE = 300.0
"""Seconds that an upload may take: far above all that its timeouts, tries and pauses add up to."""


class InterruptionError(Exception):
    """What a user's own callback raises."""


@define
class Run:
    """What the uploads of a run share."""

    service: ChaosService
    folder: Path
    pool: bytes
    running: dict[int, tuple[Job, float]] = field(factory=dict)
    """The jobs under way, and until when each may take."""


def make_pool(seed: int) -> bytes:
    """Return the random bytes that all sources are cut from."""
    return random.Random(seed).randbytes(LARGEST + 2 * MIB)


@define
class Attempt:
    """An upload while it is under way: its source, and what shall happen to it."""

    run: Run
    job: Job
    source: Any = None
    path: Path = field(init=False)
    opened: Any = None
    events: int = 0
    last: tuple[int, int] = (0, 0)

    def __attrs_post_init__(self) -> None:
        self.path = self.run.folder / f"{self.script.index}.glb"

    @property
    def script(self) -> Script:
        return self.job.script

    @property
    def keywords(self) -> dict[str, Any]:
        return shorten.keywords(self.script, str(self.run.folder / "ledgers")) | {"on_progress": self.on_progress}

    def note_digests(self, digests: list[tuple[int, str]]) -> None:
        self.job.digests = digests
        self.job.sizes |= {(number, size) for number, (size, _) in enumerate(digests, 1)}

    def prepare(self) -> None:
        script = self.script
        data = memoryview(self.run.pool)[script.at : script.at + script.size]
        self.note_digests(digest_parts(data))
        if script.given in ("path", "object"):
            self.path.write_bytes(data)
            # Long ago, so that every change is later, however coarse the clock of the file system.
            os.utime(self.path, (1_700_000_000, 1_700_000_000))
        match script.given:
            case "path":
                self.source = self.path if script.index % 2 else str(self.path)
            case "bytes":
                self.source = bytes(data) if script.index % 2 else data
            case "object":
                self.source = self.opened = self.path.open("rb")
            case "memory":
                self.source = io.BytesIO(data)
        if script.event == "bandwidth":
            self.job.injected["event: bandwidth"] += 1
        if script.changes_file:
            self.job.hooks[f"part {script.event_part}"] = self.change_file

    def change_file(self) -> None:
        self.job.changed = True
        self.job.injected[f"event: {self.script.event}"] += 1
        with self.path.open("r+b") as file:
            if self.script.event == "file_grows":
                file.seek(0, os.SEEK_END)
                file.write(b"more")
            elif self.script.event == "file_shrinks":
                file.truncate(self.script.size // 2)
            else:
                file.seek(self.script.size // 2)
                file.write(b"x")

    def on_progress(self, event: Any) -> None:
        """Check what a user is told, and raise where the script says so."""
        self.events += 1
        script, job = self.script, self.job
        if not (0 <= event.bytes_done <= event.bytes_total == sum(size for size, _ in job.digests)):
            job.accuse(f"progress of {event}")
        if event.parts_done > event.parts_total:
            job.accuse(f"progress of {event}")
        if (script.event == "raise_early" and self.events == 1) or (
            script.event == "raise_late" and event.parts_done == event.parts_total
        ):
            job.injected[f"event: {script.event}"] += 1
            raise InterruptionError

    def calls(self) -> int:
        """Say how often the call is made, at most: a failed upload that can be resumed is tried again."""
        return 2 if self.script.resume else 1

    def is_last(self, outcome: Any, call: int) -> bool:
        """Tell whether the upload is at its end, and get ready for the next call when it is not."""
        if isinstance(outcome, Upload) or call + 1 >= self.calls() or not self.path.exists():
            return True
        self.job.note(f"call again after {type(outcome).__name__}")
        self.job.begin_call()
        if self.job.changed:
            self.note_digests(digest_parts(memoryview(self.path.read_bytes())))
            self.job.changed = False
            self.job.hooks.clear()
        # What is left of the file may have other parts than the script knows.
        return len(self.job.digests) != self.script.parts_count

    def close(self) -> None:
        if self.opened is not None:
            self.opened.close()
        self.path.unlink(missing_ok=True)


def judge(job: Job, outcome: Any) -> None:
    """Accuse the client of what it did wrong in one call."""
    script, name = job.script, type(outcome).__name__
    job.note(f"= {name}: {outcome if isinstance(outcome, BaseException) else outcome.status}")
    if isinstance(outcome, Upload):
        stored = job.uploads.get(outcome.id)
        if stored is None or [stored.parts.get(n) for n in range(1, len(job.digests) + 1)] != job.digests:
            job.accuse("an Upload was returned whose bytes are not the source's")
        elif not stored.completed:
            job.accuse("an Upload was returned that was not completed")
        if script.wait and outcome.status != "imported":
            job.accuse(f"an Upload was returned with status {outcome.status}")
    elif isinstance(outcome, ScenarioError):
        # A later call that creates an upload of its own has its own to name; one that resumes has the earlier one.
        known = [upload_id for upload_id in job.answered if upload_id not in job.earlier or not job.creates]
        if known and outcome.upload_id not in known:
            job.accuse(f"{name} has upload_id {outcome.upload_id!r}, but {known} were answered")
    elif not (
        (isinstance(outcome, InterruptionError) and (script.event or "").startswith("raise"))
        or (isinstance(outcome, asyncio.CancelledError) and (script.event or "").startswith("cancel"))
    ):
        job.accuse(f"{name} is none of our errors")
        job.note("".join(traceback.format_exception(outcome)))
    if isinstance(outcome, BaseException):
        for secret in filter(None, map(find_secret, list_texts(outcome))):
            job.accuse(f"{name} shows {secret}")
    judge_creates(job)


def judge_creates(job: Job) -> None:
    """Accuse the client of creates that no answer asked for: of a lost one there may be one more."""
    lost = 0
    for create in job.creates:
        if lost == 2:
            job.accuse("create was sent again after two lost answers")
        lost = 0 if create == "answered" else lost + (create == "lost")
    if not job.script.rate and len(job.creates) > 3 * (2 if (job.script.event or "").startswith("expiry") else 1):
        job.accuse(f"create was sent {len(job.creates)} times")


def judge_expected(job: Job, outcome: Any) -> None:
    """Accuse the client of giving up what could be borne, or of going on where it could not."""
    name, expected = type(outcome).__name__, job.script.expected
    if expected and name != expected and not (expected == "CancelledError" and name == "Upload"):
        job.accuse(f"the outcome was {name} and had to be {expected}")


def list_texts(error: BaseException) -> Iterator[str]:
    """Yield every text of an exception that may land in a log."""
    yield "".join(traceback.format_exception(error))
    chain: list[BaseException | None] = [error]
    seen: set[int] = set()
    while chain:
        link = chain.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        yield from (str(link), repr(link), *getattr(link, "__notes__", ()))
        if isinstance(link, APIStatusError):
            yield from (repr(link.body), link.response.text, repr(link.response), str(link.reason))
        chain += [link.__cause__, link.__context__]


def send(run: Run, job: Job, client: Scenario) -> Any:
    """Upload with `Scenario`; return the last call's upload or exception."""
    attempt = Attempt(run, job)
    try:
        attempt.prepare()
        for _ in range(job.script.kills):
            kill_one(run, attempt)
        for call in range(attempt.calls()):
            run.running[job.script.index] = (job, time.monotonic() + DEADLINE)
            try:
                outcome: Any = client.uploads.upload_file(attempt.source, **attempt.keywords)
            except BaseException as error:  # noqa: BLE001 - it is what is judged
                outcome = error
            judge(job, outcome)
            if call == 0:
                judge_expected(job, outcome)
            if attempt.is_last(outcome, call):
                return outcome
    finally:
        run.running.pop(job.script.index, None)
        attempt.close()
    raise AssertionError("there is always a call")


async def send_async(run: Run, job: Job, client: AsyncScenario) -> Any:
    """Upload with `AsyncScenario`; return the last call's upload or exception."""
    attempt, loop = Attempt(run, job), asyncio.get_running_loop()
    try:
        attempt.prepare()
        for call in range(attempt.calls()):
            run.running[job.script.index] = (job, time.monotonic() + DEADLINE)
            task = asyncio.ensure_future(client.uploads.upload_file(attempt.source, **attempt.keywords))
            if call == 0 and (script := job.script).event and script.event.startswith("cancel"):
                step = script.event.removeprefix("cancel_")
                step = f"part {script.event_part}" if step == "part" else step
                job.hooks[step] = lambda task=task: _cancel(job, loop, task)  # type: ignore[misc]
            await asyncio.wait({task})
            outcome: Any
            try:
                outcome = task.result()
            except BaseException as error:  # noqa: BLE001 - it is what is judged
                outcome = error
            judge(job, outcome)
            if call == 0:
                judge_expected(job, outcome)
            if attempt.is_last(outcome, call):
                return outcome
    finally:
        run.running.pop(job.script.index, None)
        attempt.close()
    raise AssertionError("there is always a call")


def _cancel(job: Job, loop: asyncio.AbstractEventLoop, task: "asyncio.Task[Any]") -> None:
    job.injected[f"event: {job.script.event}"] += 1
    loop.call_soon_threadsafe(task.cancel)


def kill_one(run: Run, attempt: Attempt) -> None:
    """Let a process send the file, and kill it when storage is asked to take a part."""
    job = attempt.job
    keywords = {name: value for name, value in attempt.keywords.items() if name != "on_progress"}
    order = {"url": run.service.url, "path": str(attempt.path), "keywords": keywords}
    run.running[job.script.index] = (job, time.monotonic() + DEADLINE)
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    sent, ledgers = threading.Event(), run.folder / "ledgers"

    def kill() -> None:
        job.injected[f"event: {job.script.event}"] += 1
        expect_ledger(job, ledgers, attempt.path, lambda: child.poll() is None)
        sent.set()
        child.kill()

    job.hooks[f"part {job.script.event_part}"] = kill
    output, _ = child.communicate(json.dumps(order).encode())
    job.hooks.clear()
    job.note(f"a process ended with {child.returncode}")
    if not sent.is_set():
        # It may have failed by the script, or the ledger of the last one had this part already.
        job.note(output.decode("utf-8", "replace")[-300:])
    if secret := find_secret(output.decode("utf-8", "replace")):
        job.accuse(f"the output of a process shows {secret}")
    begun, done = _read_ledger(ledgers, attempt.path)
    job.settled |= done
    # By a clock that is an hour ahead, its URLs have expired; after a 404 it is gone.
    denied = any(effect_of("retrieve", fault) is Effect.FATAL for fault in job.script.faults.get("retrieve", ()))
    job.resumable = begun and job.script.skew >= 0 and not denied
    job.begin_call()


def expect_ledger(job: Job, folder: Path, path: Path, is_running: Callable[[], bool], patience: float = 60.0) -> None:
    """Accuse the client when what storage has acknowledged is not in the ledger soon."""
    known, deadline = set(job.acknowledged), time.monotonic() + patience
    while missing := known - _read_ledger(folder, path)[1]:
        if not is_running():
            return
        if time.monotonic() > deadline:
            job.accuse(f"{sorted(missing)} were acknowledged and are not in the ledger")
            return
        time.sleep(0.01)


def _read_ledger(folder: Path, path: Path) -> tuple[bool, set[tuple[str, int]]]:
    """Return whether there is a ledger for this file, and which parts of which upload it has as done."""
    for ledger in folder.glob("*"):
        with suppress(OSError, ValueError, KeyError):
            head, *lines = ledger.read_text().splitlines()
            entry = json.loads(head)
            if entry["file"] == os.path.realpath(path):
                done = [json.loads(line)["part"] for line in lines if line.endswith("}")]
                return True, {(entry["upload_id"], number) for number in done}
    return False, set()
