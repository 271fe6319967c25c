"""Many small files: their rate beside that of bare HTTPX calls, the run after, and whether any number goes as fast."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from array import array
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import evolve

from benchmarks.bench import Settings, Worker, take_turns
from benchmarks.report import Cell, Figure, Table, Target, tell_disturbance
from benchmarks.servers import Workspace, open_workspace, run_server

FILE_SIZE = 64 * 1024
AT_ONCE = 8
PNG = b"\x89PNG\r\n\x1a\n"
IN_A_FOLDER = 1_000

BARE = Target("≥", 0.85)
STEADY = Target("≥", 0.9)
MEMORY = Target("≤", 64)


def measure(settings: Settings) -> list[Table]:
    """Send folders of files of 64 KiB to a sink that discards them, and look at a million that are done."""
    quick = settings.quick
    some, many, most = (500, 5_000, 50_000) if quick else (10_000, 100_000, 1_000_000)
    with open_workspace() as workspace, run_server("benchmarks.service", "--host", "127.0.0.1") as ports:
        url = f"http://127.0.0.1:{ports['api']}/sink/v1"
        folder = make_folder(workspace, some, FILE_SIZE)
        ledger = str(workspace.folder / "ledger.sqlite3")

        def send(worker: Worker, folder: Path, **options: Any) -> dict[str, float]:
            return worker.run({"base_url": url, "folder": str(folder)} | options, timeout=7200)

        with Worker("bulk-httpx", workspace.environ) as bare, Worker("bulk-scenario", workspace.environ) as ours:
            turns = {
                "httpx": lambda: send(bare, folder)["seconds"],
                "scenario": lambda: send(ours, folder, ledger=ledger, force=True)["seconds"],
                "async": lambda: send(ours, folder, ledger=ledger, force=True, in_loop=True)["seconds"],
            }
            taken = take_turns(turns, evolve(settings, rounds=3))
            again = send(ours, folder, ledger=ledger)["seconds"]
        with run_server("benchmarks.sandbox") as box, Worker("bulk-scenario", workspace.environ) as ours:
            before = read_cpu(box["pid"])
            ours.run({"base_url": box["url"], "folder": str(folder), "ledger": False}, timeout=7200)
            sandbox = 1000 * (read_cpu(box["pid"]) - before) / some
        with Worker("bulk-scenario", workspace.environ) as ours:
            run = send(ours, make_folder(workspace, many, 1), ledger=ledger)
        folder, done = make_folder(workspace, most, 1), f"{ledger}.done"
        with Worker("bulk-note", workspace.environ) as worker:
            worker.run({"folder": str(folder), "ledger": done}, timeout=7200)
        with Worker("bulk-scenario", workspace.environ) as ours:
            looked = ours.run({"base_url": "http://127.0.0.1:1", "folder": str(folder), "ledger": done}, timeout=7200)
    rows = (
        *(
            _row(
                f"{some:,} files of 64 KiB, {client}",
                Figure.of(tuple(some / seconds for seconds in taken.seconds[name]), digits=0),
                Figure.of(taken.compare("httpx", name), BARE),
            )
            for name, client in (("scenario", "Scenario"), ("async", "AsyncScenario"))
        ),
        _row(f"the same again, all done: {again:.1f} s", Figure(some / again, digits=0)),
        _row(f"{many:,} files of 16 bytes", *_tell(many, run)),
        _row(f"{most:,} files, listing and ledger alone", *_tell(most, looked)),
    )
    columns = ("what", "files a second", "ratio", "MiB above idle")
    notes = (
        f"The first ratio is the rate beside that of bare HTTPX calls: the same requests from {AT_ONCE} threads.",
        f"The sandbox spends {sandbox:.1f} ms of processor time on each file of 64 KiB (target ≤ 12).",
        "The other ratios are the rate of the last tenth of the files beside that of the first.",
        f"By the processor's clock, these are {run['steady_cpu']:.2f} and {looked['steady_cpu']:.2f}.",
        tell_disturbance(taken.disturbance),
    )
    return [Table("Many files", columns, rows, notes)]


def _tell(count: int, run: Mapping[str, float]) -> tuple[Cell, ...]:
    return Figure(count / run["seconds"], digits=0), Figure(run["steady"], STEADY), Figure(run["memory"], MEMORY, 0)


def _row(*cells: Cell) -> tuple[Cell, ...]:
    return (*cells, None, None)[:4]


def make_folder(workspace: Workspace, count: int, size: int) -> Path:
    """Make a folder of so many different files, a thousand in each of its folders."""
    top = workspace.folder / f"files-{count}-{size}"
    for number in range(count):
        folder = top / str(number // IN_A_FOLDER)
        if number % IN_A_FOLDER == 0:
            folder.mkdir(parents=True)
        (folder / f"{number}.png").write_bytes((PNG + number.to_bytes(8, "big") + os.urandom(size))[: max(size, 16)])
    return top


def send_with_httpx(base_url: str, folder: str) -> dict[str, float]:
    """Send a folder by the requests that the service's documentation names, from as many threads, and nothing else."""
    import httpx  # noqa: PLC0415 - each contender is loaded where it is used

    files = iter([path for path in Path(folder).rglob("*") if path.is_file()])
    lock, faults = threading.Lock(), list[BaseException]()
    client = httpx.Client(auth=("key", "secret"), trust_env=False)

    def send(path: Path) -> None:
        body = {"fileName": path.name, "fileSize": path.stat().st_size, "parts": 1, "kind": "image"}
        created = client.post(f"{base_url}/uploads", json=body | {"contentType": "image/png"}).json()["upload"]
        client.put(created["parts"][0]["url"], content=path.read_bytes(), auth=None).raise_for_status()  # type: ignore[arg-type]
        upload = f"{base_url}/uploads/{created['id']}"
        client.post(f"{upload}/action", json={"action": "complete"}).raise_for_status()
        assert client.get(upload).json()["upload"]["status"] == "imported"

    def work() -> None:
        try:
            while not faults:
                with lock:
                    path = next(files, None)
                if path is None:
                    return
                try:
                    send(path)
                except httpx.TransportError:
                    # HTTPX may close a connection that another thread has just begun to use, once in 100,000 calls.
                    send(path)
        except BaseException as error:  # noqa: BLE001 - raised again below
            faults.append(error)

    start = time.perf_counter()
    run_all(work)
    if faults:
        raise faults[0]
    client.close()
    return {"seconds": time.perf_counter() - start}


def run_all(work: Callable[[], object]) -> None:
    """Run the same in as many threads as files go at once."""
    threads = [threading.Thread(target=work) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def send_with_scenario(base_url: str, folder: str, *, in_loop: bool = False, **options: Any) -> dict[str, float]:
    """Send a folder with `upload_many`, in an event loop or not."""
    from scenario_uploads import AsyncScenario, Scenario  # noqa: PLC0415 - as above

    settings: dict[str, Any] = {"base_url": base_url, "api_key": "key", "api_secret": "secret", "trust_env": False}
    options |= {"recursive": True, "files_at_once": AT_ONCE}

    async def send() -> float:
        async with AsyncScenario(**settings) as client:
            start = time.perf_counter()
            async for result in client.uploads.upload_many(folder, **options):
                assert result.error is None
            return time.perf_counter() - start

    if in_loop:
        return {"seconds": asyncio.run(send())}
    with Scenario(**settings) as client:
        return follow(lambda: client.uploads.upload_many(folder, **options))


def note_as_done(folder: str, ledger: str) -> dict[str, float]:
    """Let a ledger say of each file of a folder that an earlier run has sent it."""
    from scenario_uploads import Scenario  # noqa: PLC0415 - as above
    from scenario_uploads.bulk.ledger import Row, open_ledger  # noqa: PLC0415
    from scenario_uploads.bulk.listing import list_sources  # noqa: PLC0415
    from scenario_uploads.bulk.options import BulkOptions  # noqa: PLC0415
    from scenario_uploads.bulk.plan import File, plan_files  # noqa: PLC0415

    client = Scenario(base_url="http://127.0.0.1:1", api_key="key", api_secret="secret", trust_env=False)
    options, known, row = BulkOptions(recursive=True), open_ledger(ledger), Row("upload", "entity", done=True)
    assert known is not None
    # All but the sending.
    settings = client.uploads._api.options  # noqa: SLF001
    for file in plan_files(list_sources(folder, options), options.file, settings, known):
        assert isinstance(file, File)
        assert file.state is not None
        known.note(file.context, file.state, row, size=file.plan.size, part_size=1, content=file.state)
    known.close()
    return {}


def follow(begin: Callable[[], Any]) -> dict[str, float]:
    """Go through results; return how long it took, and how fast the last tenth was beside the first, by two clocks."""
    idle, times, used = read_memory("VmRSS"), array("d", [time.perf_counter()]), array("d", [time.process_time()])
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts anew: proc(5)
    for result in begin():
        if result.error is not None:
            raise result.error
        times.append(time.perf_counter())
        used.append(time.process_time())
    tenth = len(times) // 10
    steady, steady_cpu = ((taken[tenth] - taken[0]) / (taken[-1] - taken[-1 - tenth]) for taken in (times, used))
    memory = read_memory("VmHWM") - idle
    return {"seconds": times[-1] - times[0], "steady": steady, "steady_cpu": steady_cpu, "memory": memory}


def read_cpu(pid: int) -> float:
    """Return the processor time of a process in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def read_memory(name: str) -> float:
    """Return a figure of this process in MiB."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(next(line for line in status.splitlines() if line.startswith(name)).split()[1]) / 1024
