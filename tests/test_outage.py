"""Row 42 in real time: a minute without network in the middle of an upload. `make test-outage` runs it."""

import hashlib
import os
import socket
import threading
import time
from contextlib import suppress

import pytest

from tests.support.clients import Connect
from tests.support.server import until
from tests.support.service import SIGNATURE, Service

PART = 5 * 1024 * 1024
SECONDS = 60.0


class Cable:
    """Carries connections to a server on this machine, until it is pulled out."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._ends: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._listen()

    def _listen(self) -> None:
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                self._ends += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def pull(self) -> None:
        """Break every connection and refuse new ones."""
        for end in (self._listener, *self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._ends.clear()

    def plug_in(self) -> None:
        """Take connections again, at the same port."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._listen()


@pytest.mark.outage
def test_42_an_upload_outlasts_a_minute_without_network(connect: Connect, service: Service) -> None:
    cable, content = Cable(service.server.port), os.urandom(8 * PART)
    service.part_url = f"http://127.0.0.1:{cable.port}/bucket/part-{{number}}?X-Amz-Signature={SIGNATURE}"

    def interrupt() -> None:
        until(lambda: len(service.parts) >= 2)
        cable.pull()
        time.sleep(SECONDS)
        cable.plug_in()

    outage = threading.Thread(target=interrupt)
    outage.start()
    upload = connect(f"http://127.0.0.1:{cable.port}/v1").uploads.upload_file(
        content, file_name="a.glb", part_size=PART, concurrency=2, max_bandwidth=8 * PART
    )
    outage.join()
    cable.pull()
    assert upload.status == "imported"
    expected = {n: hashlib.sha256(content[(n - 1) * PART : n * PART]).hexdigest() for n in range(1, 9)}
    assert {number: request.sha256 for number, request in service.parts.items()} == expected
