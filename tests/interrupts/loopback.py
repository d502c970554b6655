"""A MuAPI on loopback that answers at once and keeps the books: what it accepted, and whether a byte arrived at all.

Lives here: sockets and the books. Does not live here: faults of the network (``tests/faults``); the few answers that
make a client back off can be asked for by name.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable

API: Final = "/api/v1/"
PRICE: Final = "0.010000"  # USD, of every job
LINGER_0: Final = struct.pack("ii", 1, 0)
COST: Final = {"amount_usd": 0.01, "amount_credits": 100, "bonus_credits_used": 0, "refunded": False}


class Connection(asyncio.Protocol):
    """One connection: a request at a time, each answered at once."""

    transport: asyncio.Transport

    def __init__(self, server: Server) -> None:
        self.server = server
        self.pending = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.server.connections.add(transport)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.server.connections.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        self.server.bytes_received += len(data)
        self.pending += data
        while (request := self._next_request()) is not None:
            answer = self.server.answer(*request)
            if answer is None:
                sock = self.transport.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
                self.transport.abort()
                return
            self.transport.write(answer)

    def _next_request(self) -> tuple[str, str, bytes] | None:
        """Method, path and body of the next request that has arrived whole."""
        head, found, rest = self.pending.partition(b"\r\n\r\n")
        if not found:
            return None
        line, *fields = bytes(head).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return None
        self.pending = rest[length:]
        method, target, _ = line.split(" ", 2)
        return method, target.partition("?")[0], bytes(rest[:length])


class Server:
    """The server, in a thread of this process.

    Attributes:
        accepted: The ids of the jobs that were accepted and charged, by marker (the ``prompt`` of a request).
        bytes_received: How many bytes have ever arrived.
        trouble: What the next requests meet, by kind of request (``submit``, ``look``): ``429``, ``503``, or ``reset``,
            which accepts a submit and then drops the connection. Each is used up once.
        on_accept: Called with the marker in the server's thread, after a job was accepted and before it is answered.
    """

    def __init__(self) -> None:
        self.accepted: dict[str, list[str]] = defaultdict(list)
        self.bytes_received = 0
        self.trouble: dict[str, list[str]] = defaultdict(list)
        self.on_accept: Callable[[str], object] = lambda _marker: None
        self.connections: set[asyncio.Transport] = set()
        self._looks: dict[str, int] = defaultdict(int)
        self._by_key: dict[str, str] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="loopback-server", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._listener = self._do(self._listen())
        self.url = f"http://127.0.0.1:{self._listener.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._hang_up())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def settle(self) -> None:
        """Return once everything that was sent before this call has been read and booked."""
        self._do(self._turns())

    def drop_connections(self) -> None:
        """Close every open connection."""
        self._do(self._drop())

    def answer(self, method: str, path: str, body: bytes) -> bytes | None:
        """The bytes a request is answered with; None drops the connection."""
        name = path.removeprefix(API)
        if method == "POST" and name.endswith("estimate-cost"):
            return json_answer(200, {"cost": 0.01, "dynamic_pricing": False})
        if method == "POST":
            return self._submit(name, json.loads(body))
        if name.startswith("predictions/"):
            return self._look(name.removeprefix("predictions/").removesuffix("/result"))
        return json_answer(404, {"detail": "Not Found"})

    def _submit(self, slug: str, body: dict[str, Any]) -> bytes | None:
        trouble = self._trouble("submit")
        if trouble in ("429", "503"):
            return json_answer(int(trouble), {"detail": "later"})
        marker = str(body.get("prompt") or body.get("domain"))
        key = body.get("idempotency_key")
        job = self._by_key.get(key) if key else None
        if job is None:
            job = f"{marker}.{len(self.accepted[marker]) + 1}"
            self.accepted[marker].append(job)
            if key:
                self._by_key[key] = job
        self.on_accept(marker)
        if trouble == "reset":
            return None
        if slug.endswith("/stream"):
            return stream_answer(job)
        return json_answer(200, {"request_id": job, "status": "processing", "cost": COST}, charged=True)

    def _look(self, job: str) -> bytes:
        if trouble := self._trouble("look"):
            return json_answer(int(trouble), {"detail": "later"})
        self._looks[job] += 1
        ended = self._looks[job] > 1
        outputs = [f"https://cdn.muapi.ai/outputs/{job}.png"] if ended else []
        body = {"id": job, "status": "completed" if ended else "processing", "outputs": outputs, "cost": COST}
        return json_answer(200, body, charged=True)

    def _trouble(self, what: str) -> str | None:
        return self.trouble[what].pop(0) if self.trouble[what] else None

    def _do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> asyncio.Server:
        return await self._loop.create_server(lambda: Connection(self), "127.0.0.1", 0, backlog=128)

    async def _turns(self) -> None:
        for _ in range(4):  # one turn accepts a connection, one reads it, and this call came in the middle of one
            await asyncio.sleep(0)

    async def _drop(self) -> None:
        for transport in list(self.connections):
            transport.abort()
        await self._turns()

    async def _hang_up(self) -> None:
        self._listener.close()
        await self._drop()


def json_answer(status: int, body: dict[str, Any], *, charged: bool = False) -> bytes:
    """A response with a JSON body."""
    content = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Answer", "content-type: application/json", f"content-length: {len(content)}"]
    lines += [f"x-muapi-cost-usd: {PRICE}", "x-muapi-cost-credits: 100"] if charged else []
    return "\r\n".join([*lines, "", ""]).encode() + content


def stream_answer(job: str) -> bytes:
    """A response that streams three events."""
    events = [{"request_id": job, "text": "Hel"}, {"text": "lo"}]
    frames = [b"data: " + json.dumps(event).encode() + b"\n\n" for event in events] + [b"data: [DONE]\n\n"]
    lines = ["HTTP/1.1 200 Answer", "content-type: text/event-stream", "transfer-encoding: chunked"]
    lines += [f"x-muapi-cost-usd: {PRICE}"]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(frame), frame) for frame in frames)
    return "\r\n".join([*lines, "", ""]).encode() + chunks + b"0\r\n\r\n"
