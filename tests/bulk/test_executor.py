"""Files whose parts are sent by the workers of an executor: in processes, on a cluster, and when these die."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from io import BytesIO
from multiprocessing import forkserver, resource_tracker
from pathlib import Path
from typing import Any

import httpx
import pytest
from scenario_uploads import (
    BulkProgress,
    CredentialsError,
    InvalidArgumentError,
    Scenario,
    ScenarioError,
    SourceError,
    TransferError,
    UnprocessableEntityError,
    UploadResult,
    UploadSource,
)
from scenario_uploads.sandbox import Sandbox

from tests.bulk.test_killed import write_mixed
from tests.bulk.test_run import Caller, tell, write
from tests.support.server import Exchange, reply
from tests.support.service import Service


@pytest.fixture(scope="module", autouse=True)
def _no_tracker() -> Iterator[None]:
    """End the processes that follow what processes share, and that start others; they live as long as this one."""
    yield
    if os.name != "nt":
        forkserver._forkserver._stop()  # type: ignore[attr-defined]
        resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined]


def start_pool(workers: int = 1) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with start_pool() as pool:
        # It begins now, with an environment that no test has changed.
        pool.submit(os.getpid).result()
        yield pool


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest, service: Service) -> Caller:
    return Caller(request.param, service.url, api_key="key", api_secret="s3cret")


class Failing(ThreadPoolExecutor):
    """Loses so many of its tasks."""

    def __init__(self, losses: int, error: BaseException | None = None) -> None:
        super().__init__(1)
        self.losses, self.error = losses, error or OSError("the worker is gone.")

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.losses -= 1
        # As some executors write into their logs.
        assert "s3cret" not in repr((fn, args, kwargs))
        if self.losses < 0:
            return super().submit(fn, *args, **kwargs)
        lost: Future[Any] = Future()
        lost.set_exception(self.error)
        return lost


def test_workers_send_and_the_caller_completes(
    call: Caller, service: Service, pool: ProcessPoolExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(write(tmp_path / "refs", 3))
    service.script("create", reply(422, b'{"reason": "odd"}'))
    told: list[BulkProgress] = []
    sources = ["*.png", UploadSource(bytearray(b"words"), file_name="a.txt"), UploadSource(BytesIO(b"x"), kind="text")]
    options: dict[str, Any] = {"ledger": tmp_path / "ledger", "executor": pool, "max_bandwidth": 10**9}
    results = call(sources, on_progress=told.append, **options)
    assert Counter(type(result.error) for result in results) == {
        type(None): 3,
        UnprocessableEntityError: 1,
        InvalidArgumentError: 1,
    }
    assert told[-1].bytes_done == sum(int(request.header("content-length")) for request in service.of("part 1"))
    results = call(sources[:2], **options)
    assert tell(results) == {"done": 3, "sent": 1}
    assert len(service.of("part 1")) == len(service.of("complete")) == 4


@pytest.mark.parametrize(
    ("losses", "error", "reason"),
    [
        (1, OSError("the worker is gone."), None),
        (2, OSError("the worker is gone."), "(OSError: the worker is gone); the same call sends it again"),
        # A worker that was told to end says so, and none of it is meant for the caller.
        (1, SystemExit(15), None),
        (2, KeyboardInterrupt(), "(KeyboardInterrupt); the same call sends it again"),
        (
            2,
            BrokenExecutor("it is over"),
            "(BrokenExecutor: it is over); the same call sends it again, with a new exec",
        ),
    ],
)
def test_a_file_of_a_worker_that_failed_is_sent_once_more(
    call: Caller, tmp_path: Path, losses: int, error: BaseException, reason: str | None
) -> None:
    with Failing(losses, error) as executor:
        (result,) = call(write(tmp_path / "refs", 1), recursive=True, ledger=False, executor=executor)
    if reason:
        assert isinstance(result.error, TransferError)
        assert reason in str(result.error)
    else:
        assert result.entity_id is not None


def test_a_process_that_is_killed_leaves_nothing_twice(service: Service, tmp_path: Path) -> None:
    folder, ledger = write(tmp_path / "refs", 4), tmp_path / "ledger"
    with Scenario(base_url=service.url, api_key="key", api_secret="secret") as client:
        with start_pool() as pool:

            def kill(exchange: Exchange) -> None:
                os.kill(next(iter(pool._processes)), signal.SIGTERM if os.name == "nt" else signal.SIGKILL)

            service.script("part 1", kill)
            results = list(client.uploads.upload_many(folder, recursive=True, ledger=ledger, executor=pool))
        assert {type(result.error) for result in results} == {TransferError}
        assert service.of("complete") == []
        with start_pool() as pool:
            results = list(client.uploads.upload_many(folder, recursive=True, ledger=ledger, executor=pool))
    assert tell(results) == {"sent": 4}
    assert len(service.of("complete")) == 4


def test_closing_the_client_ends_waiting_for_a_worker(tmp_path: Path, service: Service) -> None:
    client = Scenario(base_url=service.url, api_key="key", api_secret="secret")
    task: Future[Any] = Future()

    class Silent(Executor):
        def submit(self, *_args: Any, **_kwargs: Any) -> Future[Any]:  # type: ignore[override]
            threading.Thread(target=client.close).start()
            return task

    with pytest.raises(ScenarioError, match="closed"):
        list(client.uploads.upload_many(write(tmp_path / "refs", 1), recursive=True, ledger=False, executor=Silent()))
    assert task.cancelled()


def test_a_worker_reads_secrets_of_the_environment_in_its_own(
    pool: ProcessPoolExecutor, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key")
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "secret")
    with Scenario(base_url=service.url) as client:
        folder = write(tmp_path / "refs", 1)
        (result,) = client.uploads.upload_many(folder, recursive=True, ledger=False, executor=pool)
    assert isinstance(result.error, CredentialsError)
    assert result.error.message.startswith("On a worker: ")


def test_a_file_that_is_not_where_the_workers_are_is_told(call: Caller, tmp_path: Path) -> None:
    class Elsewhere(ThreadPoolExecutor):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            (tmp_path / "refs" / "0.png").unlink()
            return super().submit(fn, *args, **kwargs)

    with Elsewhere(1) as executor:
        (result,) = call(write(tmp_path / "refs", 1), recursive=True, ledger=False, executor=executor)
    assert isinstance(result.error, SourceError)
    assert str(result.error).startswith("On a worker: ")
    assert "there is no such file" in str(result.error)


@pytest.mark.parametrize("wrong", ["executor", "http_client"])
def test_what_cannot_go_to_another_process_is_refused(tmp_path: Path, wrong: str) -> None:
    http_client = httpx.Client() if wrong == "http_client" else None
    executor: Any = 7 if wrong == "executor" else Failing(0)
    with Scenario(api_key="key", api_secret="secret", http_client=http_client) as client:
        uploads = client.uploads
        with pytest.raises(InvalidArgumentError, match=wrong):
            uploads.upload_many(tmp_path, recursive=True, executor=executor)


@pytest.mark.timeout(3600)
def test_a_cluster_loses_a_worker_and_no_file(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="needs the extra dask")
    dask = pytest.importorskip("dask")
    # `make test-many` tries a folder of 10,000.
    count = int(os.environ.get("UPLOADS_TEST_FILES", "20"))
    folder, results = tmp_path / "refs", list[UploadResult]()
    digests = write_mixed(folder, count)
    # Where processes fork, the workers need not each import distributed, nor does the one that replaces the lost one.
    method = "spawn" if os.name == "nt" else "forkserver"
    with (
        dask.config.set({"distributed.worker.multiprocessing-method": method}),
        Sandbox(step_delay=0.01) as box,
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=2,
            dashboard_address=None,
            host="127.0.0.1",
            silence_logs=50,
            local_directory=str(tmp_path / "dask"),
        ) as cluster,
        distributed.Client(cluster) as cluster_client,
        Scenario(base_url=box.base_url, api_key=box.api_key, api_secret=box.api_secret) as client,
    ):
        processes, begun = [*cluster_client.run(os.getpid).values()], time.monotonic()
        for result in client.uploads.upload_many(
            folder, recursive=True, ledger=tmp_path / "ledger", executor=cluster_client.get_executor()
        ):
            results.append(result)
            if len(results) == 1 + count // 5:
                os.kill(processes[0], signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
        print(f"{count:,} files over a cluster that lost a worker: {time.monotonic() - begun:.0f} s")
        assert [str(result.error) for result in results if result.error] == []
        imported = [upload for upload in box._uploads._records.values() if upload.status == "imported"]
        assert {
            Path(str(result.source)).name: box.sha256(result.upload.id) for result in results if result.upload
        } == digests
        assert len(imported) == len(results) == count
        command = [sys.executable, "-m", "scenario_uploads", "upload", f"{folder}/0/*", "--json"]
        command += ["--base-url", box.base_url, "--dask", cluster.scheduler_address]
        environ = {"SCENARIO_SDK_API_KEY": box.api_key, "SCENARIO_SDK_API_SECRET": box.api_secret}
        said = subprocess.run(command, env=os.environ | environ, capture_output=True, text=True, check=False)
        # The workers have no credentials in their environment.
        assert (said.returncode, json.loads(said.stdout.split("\n")[0])["code"]) == (8, "CredentialsError"), said.stderr
