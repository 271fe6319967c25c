"""Sending with libcurl: by pycurl, in threads or with the multi interface, and by the curl tool."""

from __future__ import annotations

import importlib
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.task import Task, run_threads


class _Slice:
    """What libcurl reads a part from."""

    def __init__(self, descriptor: int, offset: int, length: int) -> None:
        self._descriptor, self._position, self._end = descriptor, offset, offset + length

    def read(self, size: int) -> bytes:
        data = os.pread(self._descriptor, min(size, self._end - self._position), self._position)
        self._position += len(data)
        return data


def send_with_pycurl(task: Task) -> float:
    """Send with pycurl: one handle and its connection in each thread, libcurl's largest buffer."""
    pycurl = importlib.import_module("pycurl")
    with Path(task.source).open("rb") as file:

        def work(take: Callable[[], tuple[int, int, int] | None]) -> None:
            handle = _new_handle(pycurl)
            try:
                while part := take():
                    _aim_handle(pycurl, handle, task, file.fileno(), part)
                    handle.perform()
                    _check_status(handle.getinfo(pycurl.RESPONSE_CODE))
            finally:
                handle.close()

        return run_threads(task, work)


def send_with_pycurl_multi(task: Task) -> float:
    """Send with pycurl's multi interface: the same handles in one thread."""
    pycurl = importlib.import_module("pycurl")
    with Path(task.source).open("rb") as file:
        start = time.perf_counter()
        multi, parts = pycurl.CurlMulti(), iter(task.parts)
        handles = [_new_handle(pycurl) for _ in range(task.concurrency)]
        busy = 0
        for handle, part in zip(handles, parts, strict=False):
            _aim_handle(pycurl, handle, task, file.fileno(), part)
            multi.add_handle(handle)
            busy += 1
        while busy:
            multi.perform()
            _, done, failed = multi.info_read()
            if failed:
                raise RuntimeError(failed[0][2])
            for handle in done:
                _check_status(handle.getinfo(pycurl.RESPONSE_CODE))
                multi.remove_handle(handle)
                busy -= 1
                if following := next(parts, None):
                    _aim_handle(pycurl, handle, task, file.fileno(), following)
                    multi.add_handle(handle)
                    busy += 1
            if busy and not done:
                multi.select(1.0)
        for handle in handles:
            handle.close()
        multi.close()
        return time.perf_counter() - start


def _new_handle(pycurl: Any) -> Any:
    handle = pycurl.Curl()
    handle.setopt(pycurl.UPLOAD, 1)
    handle.setopt(pycurl.UPLOAD_BUFFERSIZE, 2 * 1024 * 1024)
    handle.setopt(pycurl.HTTPHEADER, ["Expect:"])
    handle.setopt(pycurl.WRITEFUNCTION, lambda _: None)
    # One thread's libcurl may not interrupt another's (libcurl's documentation of threads).
    handle.setopt(pycurl.NOSIGNAL, 1)
    handle.setopt(pycurl.CAINFO, os.environ.get("SSL_CERT_FILE", ""))
    handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
    return handle


def _aim_handle(pycurl: Any, handle: Any, task: Task, descriptor: int, part: tuple[int, int, int]) -> None:
    number, offset, length = part
    handle.setopt(pycurl.URL, task.url(number))
    handle.setopt(pycurl.INFILESIZE_LARGE, length)
    handle.setopt(pycurl.READDATA, _Slice(descriptor, offset, length))


def _check_status(status: int) -> None:
    if not 200 <= status < 300:
        raise RuntimeError(f"status {status}")


def send_with_curl(task: Task) -> float:
    """Send with the curl tool. It cannot send a slice of a file, so the parts are cut beforehand, outside the time."""
    folder = Path(task.source).with_suffix(f".{task.part_size}")
    cut_parts(task, folder)
    lines = [f'url = "{task.url(number)}"\nupload-file = "{folder}/{number}"' for number, _, _ in task.parts]
    command = ["curl", "--no-progress-meter", "--fail", "--http1.1", "--config", "-", "--header", "Expect:"]
    if task.concurrency > 1:
        command += ["--parallel", "--parallel-immediate", "--parallel-max", str(task.concurrency)]
    if certificate := os.environ.get("SSL_CERT_FILE"):
        command += ["--cacert", certificate]
    start = time.perf_counter()
    subprocess.run(command, input="\n".join(lines), text=True, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def cut_parts(task: Task, folder: Path) -> None:
    """Write each part into a file of its own, unless that has been done."""
    if folder.is_dir():
        return
    folder.mkdir()
    with Path(task.source).open("rb") as file:
        for number, offset, length in task.parts:
            with (folder / str(number)).open("wb") as part:
                at, left = offset, length
                while left > 0:
                    moved = os.sendfile(part.fileno(), file.fileno(), at, left)
                    at, left = at + moved, left - moved
