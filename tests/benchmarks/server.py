"""A loopback server that accepts any submit and finishes any job, as little work as HTTP allows."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBERS = count(1)  # of the jobs
COST = {"amount_usd": 0.0042, "amount_credits": 1, "bonus_credits_used": 0, "refunded": False}
SUBMITTED = {"status": "processing", "cost": COST}
FINISHED = {"status": "completed", "outputs": ["https://cdn.muapi.ai/outputs/a.png"], "cost": COST}
HEADERS = (
    "content-type: application/json\r\nx-muapi-cost-usd: 0.004200\r\n"
    "x-muapi-cost-credits: 1\r\nx-account-balance: 18.7234\r\n"
)


def _answer(head: bytes) -> bytes:
    if head.startswith(b"POST"):
        answer = {"request_id": f"job-{next(NUMBERS)}", **SUBMITTED}
    else:
        answer = {"id": head.split(b"/")[4].decode(), **FINISHED}
    body = json.dumps(answer)
    return f"HTTP/1.1 200 OK\r\n{HEADERS}content-length: {len(body)}\r\n\r\n{body}".encode()


class _Connection(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.pending = b""

    def data_received(self, data: bytes) -> None:
        self.pending += data
        while b"\r\n\r\n" in self.pending:
            head, _, rest = self.pending.partition(b"\r\n\r\n")
            length = next(
                (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
            )
            if len(rest) < length:
                return
            self.pending = rest[length:]
            assert isinstance(self.transport, asyncio.Transport)
            self.transport.write(_answer(head))


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def running() -> Iterator[str]:
    """The server in a process of its own; gives its URL and stops it at the end."""
    process = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


if __name__ == "__main__":
    asyncio.run(_serve())
