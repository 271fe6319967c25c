"""Who sends a file, each in its own way; `python -m benchmarks.worker` runs one of them in a process of its own.

A contender takes a `Task` and returns the seconds that the sending took. What a program does once, such as importing,
making a client and its first call of the API, is outside; opening the connections to storage is inside, for all.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import os
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.libcurl import send_with_curl, send_with_pycurl, send_with_pycurl_multi
from benchmarks.task import Task, run_threads

CHUNK_SIZE = 1024 * 1024


def send_with_scenario(task: Task) -> float:
    """Send with `Scenario`."""
    scenario = importlib.import_module("scenario_uploads")
    with scenario.Scenario(api_key="key", api_secret="secret", base_url=task.base_url) as client:
        client.uploads.retrieve("upload_bench")
        start = time.perf_counter()
        client.uploads.upload_file(task.source, **_options(task))
        return time.perf_counter() - start


def send_with_async_scenario(task: Task) -> float:
    """Send with `AsyncScenario`."""
    scenario = importlib.import_module("scenario_uploads")

    async def send() -> float:
        async with scenario.AsyncScenario(api_key="key", api_secret="secret", base_url=task.base_url) as client:
            await client.uploads.retrieve("upload_bench")
            start = time.perf_counter()
            await client.uploads.upload_file(task.source, **_options(task))
            return time.perf_counter() - start

    return asyncio.run(send())


def _options(task: Task) -> dict[str, Any]:
    return {
        "kind": "model",
        "content_type": "application/zip",
        "part_size": task.part_size,
        "concurrency": task.concurrency,
        "integrity": task.integrity,
    }


def send_raw(task: Task) -> float:
    """Send with blocking sockets and nothing else: what the machine gives."""
    target = urlsplit(task.storage_url)
    address = (target.hostname or "", target.port or 0)
    context = ssl.create_default_context() if target.scheme == "https" else None
    with Path(task.source).open("rb") as file:

        def work(take: Callable[[], tuple[int, int, int] | None]) -> None:
            sock = socket.create_connection(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context:
                sock = context.wrap_socket(sock, server_hostname=address[0])
            with sock:
                buffer = memoryview(bytearray(CHUNK_SIZE)) if context or task.integrity else memoryview(b"")
                while part := take():
                    number, offset, length = part
                    head = (
                        f"PUT {target.path}/part{number} HTTP/1.1\r\nHost: {target.netloc}\r\nContent-Length: {length}"
                    )
                    sock.sendall(f"{head}\r\n\r\n".encode())
                    if buffer:
                        _send_chunks(sock, file.fileno(), offset, length, buffer, hashed=task.integrity)
                    else:
                        _send_file(sock, file.fileno(), offset, length)
                    _read_answer(sock)

        return run_threads(task, work)


def _send_file(sock: socket.socket, descriptor: int, offset: int, length: int) -> None:
    end = offset + length
    while offset < end:
        offset += os.sendfile(sock.fileno(), descriptor, offset, end - offset)


def _send_chunks(
    sock: socket.socket, descriptor: int, offset: int, length: int, buffer: memoryview, *, hashed: bool
) -> None:
    md5 = hashlib.md5(usedforsecurity=False)
    end = offset + length
    while offset < end:
        count = os.preadv(descriptor, [buffer[: min(CHUNK_SIZE, end - offset)]], offset)
        if hashed:
            md5.update(buffer[:count])
        sock.sendall(buffer[:count])
        offset += count
    md5.hexdigest()


def _read_answer(sock: socket.socket) -> None:
    data = b""
    while b"\r\n\r\n" not in data:
        data += _receive(sock)
    head, _, content = data.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    if not lines[0].split()[1].startswith(b"2"):
        raise RuntimeError(lines[0].decode())
    length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
    while len(content) < length:
        content += _receive(sock)


def _receive(sock: socket.socket) -> bytes:
    data = sock.recv(65536)
    if not data:
        raise RuntimeError("the connection was closed")
    return data


def send_as_documented(task: Task) -> float:
    """Send as the recipe in the service's documentation does: read the file, one `requests.put`."""
    requests = importlib.import_module("requests")
    start = time.perf_counter()
    data = Path(task.source).read_bytes()
    answer = requests.put(task.url(1), data=data, verify=os.environ.get("SSL_CERT_FILE") or True, timeout=600)
    answer.raise_for_status()
    return time.perf_counter() - start


CONTENDERS: dict[str, Callable[[Task], float]] = {
    "Scenario": send_with_scenario,
    "AsyncScenario": send_with_async_scenario,
    "raw": send_raw,
    "pycurl": send_with_pycurl,
    "pycurl-multi": send_with_pycurl_multi,
    "curl": send_with_curl,
    "recipe": send_as_documented,
}
