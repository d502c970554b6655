"""A loopback server that accepts any submit and finishes any job, as little work as HTTP allows.

It speaks as MuAPI, as fal's queue (below ``/fal/``) and as Replicate (below ``/v1/``), all three with answers of about
the same size; ``/file/8`` is a picture of 8 MiB, ``/busy`` tells the seconds of processor time the server has used, by
which a measurement says whether it was the client that was measured. It runs on uvloop where that is installed.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBERS = count(1)  # of the jobs
FILE_MIB: Final = 64  # of the file that a job is said to have made
COST: Final = {"amount_usd": 0.0042, "amount_credits": 1, "bonus_credits_used": 0, "refunded": False}
HEADERS: Final = (
    "content-type: application/json\r\nx-muapi-cost-usd: 0.004200\r\n"
    "x-muapi-cost-credits: 1\r\nx-account-balance: 18.7234\r\n"
)


def submitted(path: str, here: str, number: int) -> dict[str, Any]:
    """What a submit is answered, in the dialect of its path."""
    name = f"job-{number}"
    if path.startswith("/fal/"):
        at = f"{here}/fal/requests/{name}"
        links = {"response_url": at, "status_url": f"{at}/status", "cancel_url": f"{at}/cancel"}
        return {"request_id": name, "status": "IN_QUEUE", "queue_position": 0, **links}
    if path.startswith("/v1/"):
        return _prediction(name, here, "starting")
    return {"request_id": name, "status": "processing", "cost": COST}


def looked(path: str, here: str, *, done: bool = True) -> dict[str, Any]:
    """What a look is answered, at a job that has ended or has not."""
    if path.startswith("/fal/"):
        if path.partition("?")[0].endswith("/status"):
            return {"status": "COMPLETED" if done else "IN_PROGRESS", "logs": None, "metrics": {"inference_time": 1.5}}
        return {"images": [{"url": f"{here}/file/{FILE_MIB}"}], "seed": 7}
    if path.startswith("/v1/"):
        return _prediction(path.split("/")[3], here, "succeeded" if done else "processing")
    status, outputs = ("completed", [f"{here}/file/{FILE_MIB}"]) if done else ("processing", [])
    return {"id": path.split("/")[4], "status": status, "outputs": outputs, "cost": COST}


def _prediction(name: str, here: str, status: str) -> dict[str, Any]:
    output = [f"{here}/file/{FILE_MIB}"] if status == "succeeded" else None
    told = {"id": name, "model": "a/b", "version": "c", "status": status, "input": {}, "output": output}
    return {**told, "logs": "", "error": None, "urls": {"get": f"{here}/v1/predictions/{name}"}}


@cache
def _file(mib: int) -> bytes:
    body = b"\x89PNG\r\n\x1a\n".ljust(mib * 2**20, b"\0")
    return f"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


def _answer(head: bytes, here: str) -> bytes:
    verb, path, _ = head.split(b" ", 2)
    where = path.decode()
    if where.startswith("/file/"):
        return _file(int(where[6:]))
    if verb == b"POST":
        told: Any = submitted(where, here, next(NUMBERS))
    else:
        told = time.process_time() if where == "/busy" else looked(where, here)
    body = json.dumps(told)
    return f"HTTP/1.1 200 OK\r\n{HEADERS}content-length: {len(body)}\r\n\r\n{body}".encode()


class _Connection(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.here = f"http://127.0.0.1:{transport.get_extra_info('sockname')[1]}"
        self.pending = b""

    def data_received(self, data: bytes) -> None:
        self.pending += data
        while b"\r\n\r\n" in self.pending:
            head, _, rest = self.pending.partition(b"\r\n\r\n")
            _, named, length = head.lower().partition(b"\r\ncontent-length:")
            expected = int(length.partition(b"\r\n")[0]) if named else 0
            if len(rest) < expected:
                return
            self.pending = rest[expected:]
            self.transport.write(_answer(head, self.here))  # type: ignore[attr-defined]


async def _serve() -> None:
    # Thousands of connections are opened at once.
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", 0, backlog=4096)
    asyncio.get_running_loop().add_reader(sys.stdin, os._exit, 0)  # it ends when whoever started it is gone
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def running() -> Iterator[str]:
    """The server in a process of its own; gives its URL and stops it at the end."""
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, __file__], stdin=pipe, stdout=pipe, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.terminate()
        process.wait()
        for end in filter(None, (process.stdin, process.stdout)):
            end.close()


def busy(url: str) -> float:
    """Seconds of processor time that the server has used."""
    with urlopen(f"{url}/busy") as answer:
        return float(json.load(answer))


if __name__ == "__main__":
    try:
        import uvloop
    except ImportError:
        asyncio.run(_serve())
    else:
        uvloop.run(_serve())
