"""What only `AsyncScenario` has: an event loop to leave free, and tasks that are cancelled."""

import asyncio
import gc
import io
import json
import os
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import httpx
import pytest
from scenario_uploads import (
    APIResponseValidationError,
    AsyncScenario,
    BadRequestError,
    ScenarioError,
    TransferError,
    UploadProgress,
)
from scenario_uploads.api import responses
from scenario_uploads.models import UploadCreateResponse
from scenario_uploads.system import find_version

from tests.support.clients import find_upload_threads, raises
from tests.support.server import Answering, Exchange, encode_head, hang, reply, stall
from tests.support.service import UPLOAD_ID, Service, answer_upload, make_upload
from tests.support.storing import bear_with_storage

MIB = 1024 * 1024
PART = 5 * MIB
CONTENT = bytes(4 * PART)


@asynccontextmanager
async def connected(service: Service) -> AsyncIterator[AsyncScenario]:
    async with AsyncScenario(base_url=service.url, bearer_auth="token") as client:
        yield client


async def reached(holds: Callable[[], object]) -> None:
    """Wait until something holds, leaving the loop free."""
    while not holds():  # noqa: ASYNC110 - what is waited for happens in other threads
        await asyncio.sleep(0.005)


async def group_of(*coroutines: Coroutine[Any, Any, object]) -> None:
    async with asyncio.TaskGroup() as group:
        for coroutine in coroutines:
            group.create_task(coroutine)


class Zeros:
    """A stream without end."""

    def read(self, size: int) -> bytes:
        return bytes(size)


class TestCancelling:
    @pytest.mark.parametrize(
        ("step", "answer"),
        [
            ("create", hang),
            ("part 1", hang),
            ("part 1", stall),
            ("part 1", reply(503, b"", {"Retry-After": "3600"})),
            ("complete", hang),
            ("retrieve", hang),
        ],
        ids=["create", "part-unanswered", "part-stalled", "part-pausing", "complete", "poll"],
    )
    def test_28_ends_the_task_wherever_it_is(
        self, service: Service, monkeypatch: pytest.MonkeyPatch, step: str, answer: Answering
    ) -> None:
        service.script(step, answer)
        bear_with_storage(monkeypatch, 3600)

        async def main() -> None:
            async with connected(service) as client:
                task = asyncio.create_task(
                    client.uploads.upload_file(CONTENT, file_name="a.glb", part_size=2 * PART, concurrency=1)
                )
                await reached(lambda: service.of(step))
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert not find_upload_threads()

        asyncio.run(main())
        if step in ("create", "part 1"):
            assert "complete" not in service.steps

    def test_28_cancelling_again_does_not_leave_threads_behind(self, service: Service) -> None:
        service.script("part 1", stall)

        async def main() -> None:
            async with connected(service) as client:
                task = asyncio.create_task(client.uploads.upload_file(CONTENT, file_name="a.glb"))
                await reached(lambda: service.of("part 1"))
                for _ in range(5):
                    task.cancel()
                    await asyncio.sleep(0)
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert not find_upload_threads()

        asyncio.run(main())

    def test_28_ends_a_pause_between_polls(self, service: Service) -> None:
        service.script("retrieve", *[answer_upload(status="validating", entityId=None)] * 9)

        async def main() -> None:
            async with connected(service) as client:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await client.uploads.wait(UPLOAD_ID)
                # The client is as good as before.
                service._scripts["retrieve"].clear()
                assert (await client.uploads.wait(UPLOAD_ID)).entity_id == "asset_1"

        asyncio.run(main())

    def test_28_one_of_a_group_takes_the_others_with_it(self, service: Service) -> None:
        service.script("part 1", hang, hang)

        async def fail() -> None:
            await reached(lambda: len(service.of("part 1")) == 2)
            raise ZeroDivisionError

        async def main() -> None:
            async with connected(service) as client:
                with pytest.raises(ExceptionGroup) as caught:
                    await group_of(
                        client.uploads.upload_file(CONTENT, file_name="a.glb"),
                        client.uploads.upload_file(CONTENT, file_name="a.glb"),
                        fail(),
                    )
                assert caught.group_contains(ZeroDivisionError)
                assert not find_upload_threads()

        asyncio.run(main())
        assert "complete" not in service.steps

    @pytest.mark.parametrize("given", [False, True])
    def test_45_any_number_of_calls_leaves_the_connections_usable(self, service: Service, given: bool) -> None:
        """Cancelled at each step of a call in turn. The caller's own client has one connection, so none may be lost."""

        async def main() -> None:
            own = httpx.AsyncClient(limits=httpx.Limits(max_connections=1)) if given else None
            async with AsyncScenario(
                base_url=service.url, bearer_auth="token", http_client=own, max_retries=0, timeout=30
            ) as client:
                for steps in [*range(100)] * 2:
                    task = asyncio.create_task(client.uploads.retrieve(UPLOAD_ID))
                    for _ in range(steps):
                        await asyncio.sleep(0)
                    if task.cancel():
                        with pytest.raises(asyncio.CancelledError):
                            await task
                assert (await client.uploads.retrieve(UPLOAD_ID)).upload.id == UPLOAD_ID
            if own:
                await own.aclose()

        asyncio.run(main())

    @pytest.mark.parametrize("times", [1, 2])
    def test_45_nor_do_those_that_stream_lose_any(self, service: Service, times: int) -> None:
        """Cancelled at each step of the call, of its body, and of closing it; and once more while that goes on."""

        def in_pieces(exchange: Exchange) -> None:
            body = json.dumps({"upload": {"id": UPLOAD_ID}}).encode()
            exchange.read_body()
            exchange.send(encode_head(200, [("Content-Length", str(len(body)))]))
            for byte in body:
                exchange.send(bytes([byte]))

        async def stream(client: AsyncScenario) -> None:
            async with client.uploads.with_streaming_response.retrieve(UPLOAD_ID) as response:
                async for _ in response.iter_bytes():
                    pass

        async def main() -> None:
            own = httpx.AsyncClient(limits=httpx.Limits(max_connections=1))
            options: dict[str, Any] = {"base_url": service.url, "bearer_auth": "token", "max_retries": 0, "timeout": 30}
            async with own, AsyncScenario(http_client=own, **options) as client:
                for steps in range(100):
                    service.script("retrieve", in_pieces)
                    task = asyncio.create_task(stream(client))
                    for _ in range(steps):
                        await asyncio.sleep(0)
                    for _ in range(times):
                        task.cancel()
                        await asyncio.sleep(0)
                    await asyncio.gather(task, return_exceptions=True)
                assert (await client.uploads.retrieve(UPLOAD_ID)).upload.id == UPLOAD_ID

        asyncio.run(main())

    def test_28_the_file_is_let_go_of_only_when_nobody_reads_it(self, service: Service) -> None:
        """A descriptor that is closed too early may by then be that of another file."""

        def slowly(exchange: Exchange) -> None:
            exchange.read_body(MIB)
            exchange.stall()

        service.script("part 1", slowly)

        async def main() -> None:
            async with connected(service) as client:
                task = asyncio.create_task(client.uploads.upload_file(CONTENT, file_name="a.glb"))
                await reached(lambda: service.of("part 1") and service.of("part 1")[0].received)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                assert task.cancelled()
                assert not find_upload_threads()

        asyncio.run(main())


class TestTheLoop:
    def test_is_free_while_parts_are_sent(self, service: Service) -> None:
        gate = threading.Event()

        def wait_for_the_loop(exchange: Exchange) -> None:
            exchange.read_body()
            gate.wait()
            reply(200)(exchange)

        service.script("part 1", wait_for_the_loop)

        async def main() -> None:
            async with connected(service) as client:
                task = asyncio.create_task(client.uploads.upload_file(CONTENT, file_name="a.glb"))
                await reached(lambda: service.of("part 1"))
                # The loop has come here with a part under way, and only it can let the part end.
                gate.set()
                assert (await task).entity_id == "asset_1"

        asyncio.run(main())

    def test_carries_many_uploads_at_once(self, service: Service) -> None:
        together = threading.Barrier(12)

        def meet(exchange: Exchange) -> None:
            exchange.read_body()
            together.wait()
            reply(200)(exchange)

        service.script("part 1", *[meet] * 12)

        async def main() -> None:
            async with connected(service) as client:
                uploads = await asyncio.gather(
                    *(client.uploads.upload_file(b"x", file_name="a.glb") for _ in range(12))
                )
                assert [upload.entity_id for upload in uploads] == ["asset_1"] * 12

        asyncio.run(main())

    def test_progress_may_touch_what_belongs_to_the_loop(self, service: Service) -> None:
        async def main() -> None:
            events: asyncio.Queue[UploadProgress] = asyncio.Queue()
            async with connected(service) as client:
                await client.uploads.upload_file(CONTENT, file_name="a.glb", on_progress=events.put_nowait)
            assert events.qsize() > 4

        asyncio.run(main())

    def test_a_transfer_that_nobody_watches_leaves_the_loop_alone(self, service: Service) -> None:
        woken: list[str] = []

        async def main() -> None:
            loop = asyncio.get_running_loop()
            wake = loop.call_soon_threadsafe

            def count(callback: Callable[..., object], *args: Any, **kwargs: Any) -> asyncio.Handle:
                woken.append(getattr(callback, "__qualname__", ""))
                return wake(callback, *args, **kwargs)

            loop.call_soon_threadsafe = count  # type: ignore[method-assign]
            async with connected(service) as client:
                await client.uploads.upload_file(CONTENT, file_name="a.glb")

        asyncio.run(main())
        assert woken, "the end of the transfer wakes it"
        assert [name for name in woken if "tell" in name] == []

    def test_46_what_takes_long_is_done_in_threads(
        self, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Files, ledgers and CA files are opened, synced and read, and large responses decoded, elsewhere."""
        (tmp_path / "a.glb").write_bytes(CONTENT)
        find_version.cache_clear()
        threads: dict[str, set[int]] = {}

        def watch(owner: object, name: str) -> None:
            call = getattr(owner, name)

            def note(*arguments: Any, **options: Any) -> Any:
                threads.setdefault(name, set()).add(threading.get_ident())
                return call(*arguments, **options)

            monkeypatch.setattr(owner, name, note)

        watch(os, "open")
        watch(os, "fsync")
        watch(io, "open")
        watch(responses, "decode")
        watch(httpx, "create_ssl_context")
        large: dict[str, Any] = {"config": {"text": "x" * 100_000}}
        created = answer_upload(status="pending", entityId=None, parts=service.make_parts(2), **large)
        service.script("create", created)
        for step in ("complete", "retrieve"):
            service.script(step, answer_upload(**large))

        async def main() -> None:
            async with connected(service) as client:
                options: dict[str, Any] = {"part_size": 2 * PART, "resume": tmp_path / "ledgers"}
                await client.uploads.upload_file(tmp_path / "a.glb", **options)

        asyncio.run(main())
        assert set(threads) == {"open", "fsync", "decode", "create_ssl_context"}
        assert threading.get_ident() not in set.union(*threads.values())

    def test_46_no_response_holds_the_loop(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        """With 10,000 parts, good or bad, the longest step takes a fraction of the time of decoding them."""
        parts = [part | {"url": f"{part['url']}?token={'a' * 700}"} for part in service.make_parts(10_000)]
        good = {"upload": make_upload(status="pending", entityId=None, parts=parts)}
        body = json.dumps(good).encode()
        run, steps = asyncio.events.Handle._run, [0.0]  # type: ignore[attr-defined]

        def measure(call: Callable[[], object]) -> float:
            # The thread's own time: the machine may be busy with something else.
            begun = time.thread_time()
            call()
            return time.thread_time() - begun

        async def upload(client: AsyncScenario) -> None:
            zeros: Any = Zeros()
            await client.uploads.upload_file(zeros, file_name="a.glb", size=10_000 * PART, part_size=PART)

        async def create(client: AsyncScenario) -> None:
            await client.uploads.create(**wanted)

        async def read_raw(client: AsyncScenario) -> None:
            raw = await client.uploads.with_raw_response.create(**wanted)
            assert (await raw.json())["upload"]["parts"] == parts
            assert len((await raw.parse()).upload.parts or ()) == len(parts)

        wanted: dict[str, Any] = {
            "file_name": "a.glb",
            "content_type": "model/gltf-binary",
            "kind": "3d",
            "parts": 10_000,
        }
        cases: list[tuple[Callable[[AsyncScenario], Awaitable[None]], Answering, type[ScenarioError] | None]] = [
            (read_raw, reply(200, body), None),
            (upload, reply(200, body), TransferError),
            (upload, reply(200, body.replace(b'"id"', b'"no"')), APIResponseValidationError),
            (create, reply(200, body, length=len(body) + 1, close=True), APIResponseValidationError),
            (create, reply(400, body), BadRequestError),
        ]
        service.script("part 1", reply(404))

        async def main() -> None:
            async with AsyncScenario(
                base_url=service.url, api_key="key_123456", api_secret="s" * 40, max_retries=0
            ) as client:
                await client.uploads.retrieve(UPLOAD_ID)
                monkeypatch.setattr(
                    asyncio.events.Handle, "_run", lambda handle: steps.append(measure(lambda: run(handle)))
                )
                for call, answer, fault in cases:
                    service.script("create", answer)
                    with pytest.raises(fault) if fault else nullcontext():
                        await call(client)

        decoding = measure(
            lambda: responses.decode_body(UploadCreateResponse, httpx.Response(200, content=body), "", strict=True)
        )
        gc.disable()  # what it takes depends on what other tests have left
        try:
            asyncio.run(main())
        finally:
            gc.enable()
        assert max(steps) < decoding / 3

    def test_progress_after_its_own_exception_is_not_called_again(self, service: Service) -> None:
        calls: list[UploadProgress] = []

        def fail(progress: UploadProgress) -> None:
            calls.append(progress)
            raise ZeroDivisionError

        async def main() -> None:
            async with connected(service) as client:
                with pytest.raises(ZeroDivisionError):
                    await client.uploads.upload_file(CONTENT, file_name="a.glb", on_progress=fail)

        asyncio.run(main())
        assert len(calls) == 1
        assert "complete" not in service.steps

    def test_a_transfer_that_fails_is_told(self, service: Service) -> None:
        service.script("part 1", reply(404))

        async def main() -> None:
            async with connected(service) as client:
                with raises(TransferError, "404"):
                    await client.uploads.upload_file(CONTENT, file_name="a.glb")

        asyncio.run(main())


class TestTwoLoops:
    def test_35_a_client_belongs_to_the_loop_that_used_it_first(self, service: Service) -> None:
        clients: list[AsyncScenario] = []

        async def use() -> None:
            if not clients:
                clients.append(AsyncScenario(base_url=service.url, bearer_auth="token"))
            await clients[0].uploads.retrieve(UPLOAD_ID)

        async def close() -> None:
            await clients[0].close()

        first, second = asyncio.new_event_loop(), asyncio.new_event_loop()
        first.run_until_complete(use())
        with raises(ScenarioError, "event loop"):
            second.run_until_complete(use())
        first.run_until_complete(use())
        first.run_until_complete(close())
        first.close()
        second.close()

    @pytest.mark.filterwarnings("ignore:.*unclosed:ResourceWarning")
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    def test_35_closing_it_after_its_loop_has_ended_is_no_error(self, service: Service) -> None:
        client = AsyncScenario(base_url=service.url, bearer_auth="token")

        async def use() -> None:
            await client.uploads.retrieve(UPLOAD_ID)

        asyncio.run(use())
        asyncio.run(client.close())
        with raises(ScenarioError, "closed"):
            asyncio.run(use())
        gc.collect()

    def test_35_a_given_client_without_sockets_serves_any_loop(self) -> None:
        transport = httpx.MockTransport(lambda request: httpx.Response(200, json={"upload": {"id": "u"}}))
        client = AsyncScenario(
            base_url="http://api.invalid", bearer_auth="t", http_client=httpx.AsyncClient(transport=transport)
        )

        async def use() -> str:
            return (await client.uploads.retrieve("u")).upload.id

        assert [asyncio.run(use()), asyncio.run(use())] == ["u", "u"]


def test_leaving_an_async_with_block_closes(service: Service) -> None:
    async def main() -> None:
        async with connected(service) as client:
            await client.uploads.retrieve(UPLOAD_ID)
        with raises(ScenarioError, "closed"):
            await client.uploads.retrieve(UPLOAD_ID)

    asyncio.run(main())


def test_what_is_never_awaited_sends_nothing(service: Service) -> None:
    client = AsyncScenario(base_url=service.url, bearer_auth="token")
    pending: Awaitable[object] = client.uploads.retrieve(UPLOAD_ID)
    pending.close()  # type: ignore[attr-defined]
    assert service.requests == []


def test_47_another_kind_of_event_loop_is_told(service: Service) -> None:
    """As under trio, where nothing of asyncio runs."""
    client = AsyncScenario(base_url=service.url, api_key="key_of_test", api_secret="s3cret-of-test")
    with pytest.raises(ScenarioError, match="AsyncScenario is for asyncio"):
        client.uploads.retrieve("upload_1").send(None)
    assert service.requests == []
