"""A seeded chaos run: hundreds of uploads through a service that misbehaves, and what has to hold whatever it does.

Each upload ends in bytes with the right SHA-256 or in one of our errors with `upload_id`; none hangs, none is completed
with wrong bytes, no secret is shown, nothing is left open. A run is repeated by its seed, one upload of it by `--only`.

    python -m tests.chaos --seed 7 -n 300
    python -m tests.chaos --seed 7 --only 123 --verbose
    python -m tests.chaos --seed 7 -n 1000 --rate 0.3

With `--rate`, each request is faulty with that chance, and 99 % of the uploads have to arrive.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from scenario_uploads import AsyncScenario, Scenario, Upload

from tests.chaos import shorten
from tests.chaos.script import (
    CALL_FAULTS,
    ENDINGS,
    EVENTS,
    PART_FAULTS,
    Script,
    draw_script,
    draw_weather,
    list_leads,
)
from tests.chaos.service import ChaosService, Job
from tests.chaos.upload import Run, make_pool, send, send_async
from tests.chaos.watch import LogWatch, clear_environment, find_leaks, give_up, list_descriptors

GROUPS_AT_ONCE = 6
LARGEST_GROUP = 4
# What part of the uploads has to arrive when each request is faulty by chance alone.
IMPORTED = 0.99


def group(scripts: list[Script], seed: int) -> Iterator[list[Script]]:
    """Cut the run into groups that share a client, each of one kind."""
    chance = random.Random(f"{seed}/groups")
    waiting: dict[bool, list[Script]] = {False: [], True: []}
    sizes = {kind: chance.randint(1, LARGEST_GROUP) for kind in waiting}
    for script in scripts:
        kind = script.is_async
        waiting[kind].append(script)
        if len(waiting[kind]) >= sizes[kind]:
            yield waiting[kind]
            waiting[kind], sizes[kind] = [], chance.randint(1, LARGEST_GROUP)
    yield from (rest for rest in waiting.values() if rest)


def send_group(run: Run, jobs: list[Job]) -> list[Any]:
    """Send some uploads at once with one client; return their outcomes."""
    if jobs[0].script.is_async:
        return asyncio.run(_send_group_async(run, jobs))
    client = shorten.connect(Scenario, run.service.url, rate=jobs[0].script.rate)
    with client, ThreadPoolExecutor(len(jobs), "chaos") as pool:
        return [future.result() for future in [pool.submit(send, run, job, client) for job in jobs]]


async def _send_group_async(run: Run, jobs: list[Job]) -> list[Any]:
    async with shorten.connect(AsyncScenario, run.service.url, rate=jobs[0].script.rate) as client:
        return list(await asyncio.gather(*(send_async(run, job, client) for job in jobs)))


def watch(run: Run, futures: list[Future[Any]]) -> None:
    """Wait for all uploads; none may pass its deadline."""
    while wait(futures, timeout=1.0).not_done:
        for job, deadline in list(run.running.values()):
            if time.monotonic() > deadline:
                give_up(f"Upload {job.script.index} hangs.\n{describe(job)}")


def describe(job: Job) -> str:
    """Return an upload's script and what happened, for whoever has to find out why."""
    return "\n".join([str(job.script), *(f"    {line}" for line in job.log), *job.violations])


def list_faults() -> list[str]:
    """Return everything that a run can inject, as it is counted."""
    names = [f"{step}: {name}" for step, table in CALL_FAULTS.items() for names in table.values() for name in names]
    names += [f"part: {name}" for names in PART_FAULTS.values() for name in names]
    names += [f"event: {name}" for name in EVENTS]
    return names + [f"ending: {name}" for name in ENDINGS]


def summarise(jobs: list[Job], outcomes: Counter[str], log: LogWatch, seconds: float) -> None:
    """Print how many uploads ended how, and how often each fault was met."""
    injected: Counter[str] = sum((job.injected for job in jobs), Counter())
    print("\nOutcomes")
    for name, count in outcomes.most_common():
        print(f"  {count:5}  {name}")
    print("Faults that were met")
    for kind in ("create", "complete", "retrieve", "part", "event", "ending"):
        found = [(name.split(": ")[1], injected[name]) for name in list_faults() if name.startswith(kind)]
        print(f"  {kind}: " + ", ".join(f"{name} {count}" for name, count in found))
    sent = sum(script.size for script in (job.script for job in jobs))
    print(f"{sent / 1e6:,.0f} MB of sources, {sum(log.counts.values()):,} log records read, {seconds:.1f} s")


def run_chaos(seed: int, scripts: list[Script], *, verbose: bool) -> int:
    """Run these uploads; return the exit status."""
    log = LogWatch()
    log.install()
    shorten.shorten_waits()
    threads, descriptors = set(threading.enumerate()), list_descriptors()
    begun, jobs = time.monotonic(), [Job(script) for script in scripts]
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        service = ChaosService()
        with service:
            run = Run(service, Path(name), make_pool(seed))
            by_index = {job.script.index: job for job in jobs}
            service.jobs = {job.script.name: job for job in jobs}
            with ThreadPoolExecutor(GROUPS_AT_ONCE, "chaos-group") as pool:
                groups = [[by_index[script.index] for script in found] for found in group(scripts, seed)]
                futures = [pool.submit(send_group, run, found) for found in groups]
                watch(run, futures)
            for found, future in zip(groups, futures, strict=True):
                for job, outcome in zip(found, future.result(), strict=True):
                    outcomes[type(outcome).__name__] += 1
                    if verbose:
                        kind = "async" if job.script.is_async else "sync"
                        told = "" if isinstance(outcome, Upload) else f": {outcome}"
                        print(f"{job.script.index:5} {kind:5} {job.script.lead} {type(outcome).__name__}{told}")
        left = find_leaks(descriptors, threads)
    summarise(jobs, outcomes, log, time.monotonic() - begun)
    violations = [*service.violations, *log.violations, *(f"left over: {thing}" for thing in left)]
    failed = [job for job in jobs if job.violations]
    for job in failed:
        print(f"\nFAILED: upload {job.script.index}; python -m tests.chaos --seed {seed} --only {job.script.index}")
        print(describe(job))
    for violation in violations:
        print(f"\nFAILED: {violation}")
    imported = outcomes["Upload"] / len(jobs)
    if failed or violations or (scripts[0].rate and imported < IMPORTED):
        print(f"{imported:.1%} were imported.")
        print(f"\nThe run failed: python -m tests.chaos --seed {seed} -n {len(scripts)}")
        return 1
    print(f"Nothing was lost: seed {seed}, {len(scripts)} uploads.")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=None, help="what decides everything; random when it is not given")
    parser.add_argument("-n", type=int, default=300, help="how many uploads")
    parser.add_argument(
        "--rate", type=float, default=0.0, help="instead of scripts: the chance of each request to be faulty, 0 to 1"
    )
    parser.add_argument("--only", type=int, default=None, help="only the upload with this number")
    parser.add_argument("--verbose", action="store_true", help="print how each upload ended")
    arguments = parser.parse_args()
    seed = random.randrange(1_000_000) if arguments.seed is None else arguments.seed
    print(f"seed {seed}", flush=True)
    clear_environment()
    leads = list_leads()
    random.Random(seed).shuffle(leads)
    numbers = range(arguments.n) if arguments.only is None else [arguments.only]
    rate = arguments.rate
    scripts = [draw_weather(seed, n, rate) if rate else draw_script(seed, n, leads) for n in numbers]
    return run_chaos(seed, scripts, verbose=arguments.verbose)


if __name__ == "__main__":
    sys.exit(main())
