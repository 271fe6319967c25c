"""A TCP proxy on loopback that is as slow as a long link, for machines where none can be shaped.

    python -m benchmarks.slow_proxy PORT --bits 200000000 --delay 0.025

It prints its port and runs until its standard input ends. What goes to the server shares the line among all
connections, or with `--each` has one of its own for each; what comes back is only delayed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys

CHUNK_SIZE = 16 * 1024
# Sleeping for less costs more time than it takes.
LEAST_SLEEP = 0.005


class Line:
    """Bytes leave one after the other, at `rate` bytes a second, and arrive `delay` seconds later."""

    def __init__(self, rate: float | None, delay: float) -> None:
        self._rate, self._delay, self._free_at = rate, delay, 0.0

    def enter(self, count: int, now: float) -> tuple[float, float]:
        """Return when so many bytes have left, and when they arrive."""
        self._free_at = max(now, self._free_at) + (count / self._rate if self._rate else 0.0)
        return self._free_at, self._free_at + self._delay

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry everything from one side to the other."""
        loop = asyncio.get_running_loop()
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                moment, data = await under_way.get()
                await asyncio.sleep(max(0.0, moment - loop.time()))
                if not data:
                    return
                writer.write(data)
                await writer.drain()

        delivery = asyncio.create_task(deliver())
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(CHUNK_SIZE):
                left, arrival = self.enter(len(data), loop.time())
                under_way.put_nowait((arrival, data))
                if left - loop.time() > LEAST_SLEEP:
                    await asyncio.sleep(left - loop.time())
        under_way.put_nowait((loop.time() + self._delay, b""))
        with contextlib.suppress(ConnectionError):
            await delivery
        writer.close()


async def serve(port: int, bits: float, delay: float, *, each: bool) -> None:
    """Run the proxy until standard input ends."""
    shared, down = Line(bits / 8, delay), Line(None, delay)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up = Line(bits / 8, delay) if each else shared
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(up.carry(reader, far_writer), down.carry(far_reader, writer))

    # A small window, as a router has a small queue: otherwise a client could be done long before the server.
    server = await asyncio.start_server(accept, "127.0.0.1", 0, limit=CHUNK_SIZE)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


def main() -> None:
    """Run the command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.slow_proxy")
    parser.add_argument("port", type=int)
    parser.add_argument("--bits", type=float, required=True, help="bits a second")
    parser.add_argument("--delay", type=float, required=True, help="seconds in each direction")
    parser.add_argument("--each", action="store_true", help="give each connection a line of its own")
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.port, arguments.bits, arguments.delay, each=arguments.each))


if __name__ == "__main__":
    main()
