"""The pretended API and a storage that throws everything away, in a process of their own.

    python -m benchmarks.service --host 127.0.0.1 --target http=http://127.0.0.1:8080/put

It prints one line of JSON with its two ports and runs until its standard input ends, so that it never outlives whoever
started it. The path of a call to the API begins with the name of a target, `/http/v1/uploads`, which decides where the
parts of the upload go; `/sink/v1/uploads` sends them to this process. Every upload that is asked for is imported.

`GET /counts` says how many connections and requests the sink has had since the last `POST /reset`.
"""

from __future__ import annotations

import argparse
import json
import selectors
import socket
import sys
from collections.abc import Callable
from typing import Any

SCRATCH_SIZE = 4 * 1024 * 1024
UPLOAD = {
    "id": "upload_bench",
    "authorId": "user_bench",
    "createdAt": "2025-06-30T15:15:27.153Z",
    "updatedAt": "2025-06-30T15:15:28.153Z",
    "fileName": "bench.zip",
    "kind": "model",
    "ownerId": "proj_bench",
    "source": "multipart",
    "status": "imported",
    "entityId": "model_bench",
    "jobId": None,
    "errorMessage": None,
}
# As long as a presigned URL of S3 is, since its length is part of the work.
QUERY = (
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Date=20250630T151527Z"
    "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20250630%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Expires=3600"
    "&X-Amz-SignedHeaders=host&X-Amz-Signature=" + "0" * 64 + "&uploadId=" + "u" * 120 + "&partNumber={number}"
)
Answer = Callable[[str, str, bytes], dict[str, Any]]


class Service:
    """One loop over all sockets: nothing here is worth a second thread."""

    def __init__(self, host: str, targets: dict[str, str]) -> None:
        self._selector = selectors.DefaultSelector()
        self._targets = targets
        self.counts = {"connections": 0, "requests": 0, "bytes": 0}
        self.ports = {"api": self._listen(host, sink=False), "sink": self._listen(host, sink=True)}
        targets["sink"] = f"http://{host}:{self.ports['sink']}"
        self._scratch = bytearray(SCRATCH_SIZE)

    def run(self) -> None:
        """Serve until standard input ends."""
        self._selector.register(sys.stdin.fileno(), selectors.EVENT_READ, None)
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    return
                key.data()

    def answer(self, method: str, path: str, body: bytes) -> dict[str, Any]:
        """Answer a call to the API."""
        if path == "/counts":
            return self.counts
        if path == "/reset":
            self.counts = dict.fromkeys(self.counts, 0)
            return self.counts
        if method == "GET" or path.endswith("/action"):
            return {"upload": UPLOAD}
        asked = json.loads(body)
        base = self._targets[path.split("/")[1]]
        parts = [
            {
                "number": number,
                "url": f"{base}/part{number}?{QUERY.format(number=number)}",
                "expires": "2099-01-01T00:00:00Z",
            }
            for number in range(1, asked["parts"] + 1)
        ]
        created = {"status": "pending", "entityId": None, "parts": parts, "partsCount": len(parts)}
        return {"upload": UPLOAD | created}

    def _listen(self, host: str, *, sink: bool) -> int:
        listener = socket.create_server((host, 0), backlog=256)

        def accept() -> None:
            sock, _ = listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if sink:
                self.counts["connections"] += 1
            peer = _Peer(sock, self, sink=sink)
            self._selector.register(sock, selectors.EVENT_READ, peer.read)

        self._selector.register(listener, selectors.EVENT_READ, accept)
        return int(listener.getsockname()[1])

    def forget(self, sock: socket.socket) -> None:
        """Close a connection."""
        self._selector.unregister(sock)
        sock.close()

    def discard(self, sock: socket.socket, most: int) -> int:
        """Take bytes out of a socket without copying them (MSG_TRUNC, tcp(7)); return how many."""
        return sock.recv_into(self._scratch, min(most, SCRATCH_SIZE), socket.MSG_TRUNC)


class _Peer:
    """One connection: a head, then as many bytes as it says, then the answer."""

    def __init__(self, sock: socket.socket, service: Service, *, sink: bool) -> None:
        self._sock, self._service, self._sink = sock, service, sink
        self._buffer = b""
        self._head: list[str] = []
        self._missing = 0

    def read(self) -> None:
        try:
            if self._head and self._sink:
                count = self._service.discard(self._sock, self._missing)
                self._missing -= count
            else:
                data = self._sock.recv(65536)
                count = len(data)
                self._take(data)
            if not count:
                self._service.forget(self._sock)
            elif self._head and not self._missing:
                self._reply()
        except ConnectionError:
            self._service.forget(self._sock)

    def _take(self, data: bytes) -> None:
        self._buffer += data
        if self._head:
            self._missing -= len(data)
        elif b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            self._head = head.decode("latin-1").split("\r\n")
            lengths = [line.partition(":")[2] for line in self._head if line.lower().startswith("content-length:")]
            self._missing = int(lengths[0]) if lengths else 0
            if self._sink:
                self._service.counts["requests"] += 1
                self._service.counts["bytes"] += self._missing
            self._missing -= len(self._buffer)

    def _reply(self) -> None:
        method, path, _ = self._head[0].split(" ")
        content = b"" if self._sink else json.dumps(self._service.answer(method, path, self._buffer)).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        self._head, self._buffer = [], b""
        self._sock.sendall(head.encode() + content)


def main() -> None:
    """Run the command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.service")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--target", action="append", default=[], metavar="NAME=URL")
    arguments = parser.parse_args()
    service = Service(arguments.host, dict(target.split("=", 1) for target in arguments.target))
    print(json.dumps(service.ports), flush=True)
    service.run()


if __name__ == "__main__":
    main()
