"""A MuAPI on loopback that does everything wrong a server, a proxy or a network can, and keeps honest books.

Lives here: sockets. Does not live here: the books (``truth``), the faults' bytes (``wire``), their timing (``plans``).

``FaultServer()`` runs in a thread beside a test; ``python server.py --seed N --rate R`` runs in a process of its own:
it tells its port on standard output, takes one JSON command a line on standard input and answers one line each.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import struct
import sys
import threading
from typing import TYPE_CHECKING, Any, Final, Self

import queue_dialect
from plans import Dice, Script, Strike
from truth import Answer, ServerRecord
from wire import End, Move, Pause, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BLACKOUT: Final = 0.02  # seconds the listening socket stays closed
LINGER_0: Final = struct.pack("ii", 1, 0)
API: Final = "/api/v1/"


class Connection(asyncio.Protocol):
    """One connection: requests in, moves out, one request at a time."""

    transport: asyncio.Transport

    def __init__(self, server: FaultServer) -> None:
        self.server = server
        self.pending = bytearray()
        self.moves: Iterator[Move] | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.open = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.server.connections.add(self)
        if self.server.plan.connection():
            self.end(End.RESET)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.open = False
        self.server.connections.discard(self)
        if self.timer:
            self.timer.cancel()

    def data_received(self, data: bytes) -> None:
        self.pending += data
        self.take()

    def take(self) -> None:
        """Serve the next request once it has arrived whole."""
        if self.moves is not None or not self.open or not self.pending:
            return
        start, found, rest = self.pending.partition(b"\r\n\r\n")
        if not found:
            return
        line, *fields = bytes(start).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return
        self.pending = rest[length:]
        method, target, _ = line.split(" ", 2)
        self.moves = self.server.serve(method, target, bytes(rest[:length]))
        self.play()

    def play(self) -> None:
        """Make moves until one takes time."""
        if not self.open:
            return
        assert self.moves is not None
        for move in self.moves:
            match move:
                case bytes():
                    self.transport.write(move)
                case Pause(seconds):
                    self.timer = asyncio.get_running_loop().call_later(seconds, self.play)
                    return
                case End():
                    self.end(move)
                    return
        self.moves = None
        self.take()

    def end(self, how: End) -> None:
        """Close the connection."""
        self.open = False
        if how is End.RESET:
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
            self.transport.abort()
        else:
            self.transport.close()


class Elsewhere(asyncio.Protocol):
    """Another origin, where nobody's key has any business."""

    def __init__(self, seen: list[bytes]) -> None:
        self.seen = seen

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.seen.append(data)
        self.transport.write(b'HTTP/1.1 200 OK\r\ncontent-length: 24\r\n\r\n{"request_id": "stolen"}')


class FaultServer:
    """The server. Its public attributes may be read from any thread; what changes it goes through methods."""

    def __init__(self, plan: Script | Dice | None = None) -> None:
        self.plan: Script | Dice = plan or Script()
        self.truth = ServerRecord()
        self.elsewhere: list[bytes] = []  # what the other origin was sent
        self.on_request: Callable[[str, str], None] = lambda _what, _subject: None
        self.connections: set[Connection] = set()
        self._holder = socket.socket()  # keeps the port ours while nothing listens on it
        self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._holder.bind(("127.0.0.1", 0))
        self.port: int = self._holder.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._listener: asyncio.Server | None = None
        self._other = ""
        self._darkness: asyncio.Task[None] | None = None
        self._aside: asyncio.Server | None = None

    def serve(self, method: str, target: str, body: bytes) -> Iterator[Move]:
        """Decide what a request gets: the one place where truth and faults meet."""
        path = target.split("?", maxsplit=1)[0]
        wanted = _wanted(body)
        what, subject = _subject(method, path, wanted)
        struck = self.plan.request(what, subject)
        if self.plan.blackout(subject) and (self._darkness is None or self._darkness.done()):
            self._darkness = asyncio.get_running_loop().create_task(self._blackout())
        answer = self._answer(what, subject, path, struck, wanted.get("idempotency_key"))
        answer.headers = [*answer.headers, ("x-elsewhere", self._other)] if struck else answer.headers
        self.on_request(what, subject)
        return struck.kind.moves(answer) if struck else plain(answer)

    def _answer(self, what: str, subject: str, path: str, struck: Strike | None, key: str | None) -> Answer:
        if what == "submit":
            self.truth.posts[subject] += 1
            if struck and not struck.accepts:
                return Answer(200, {"request_id": f"{subject}.never", "status": "processing"})
            job = self.truth.accept(path.removeprefix(API), subject, key)
            fal = path.startswith(queue_dialect.ROOT)
            return queue_dialect.submitted(job, self.url) if fal else self.truth.submitted(job)
        if what == "look":
            self.truth.looks[subject] += 1
            fal = path.startswith(queue_dialect.ROOT)
            return queue_dialect.look(self.truth, path) if fal else self.truth.look(subject)
        return self.truth.history() if path == f"{API}history" else Answer(404, {"detail": "Not Found"})

    async def open(self) -> None:
        """Begin to listen, unless it does."""
        if self._listener is not None:
            return
        loop = asyncio.get_running_loop()
        if not self._other:
            self._aside = await loop.create_server(lambda: Elsewhere(self.elsewhere), "127.0.0.1", 0)
            self._other = f"http://localhost:{self._aside.sockets[0].getsockname()[1]}{API}stolen"
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind(("127.0.0.1", self.port))
        self._listener = await loop.create_server(lambda: Connection(self), sock=listening, backlog=512)

    async def shut(self) -> None:
        """Stop to listen, and drop every open connection: the next connection is refused."""
        await self._turn_away()
        for connection in list(self.connections):
            connection.end(End.CLOSE)

    async def close(self) -> None:
        """Give up every socket."""
        if self._darkness is not None:
            self._darkness.cancel()
        await self.shut()
        if self._aside is not None:
            self._aside.close()
        self._holder.close()
        await asyncio.sleep(0.01)  # asyncio closes a connection's socket in a later turn

    async def _blackout(self) -> None:
        """Listen no more for a moment; the connections that are open stay open."""
        await self._turn_away()
        await asyncio.sleep(BLACKOUT)
        await self.open()

    async def _turn_away(self) -> None:
        listener, self._listener = self._listener, None
        if listener is None:
            return
        for listening in listener.sockets:
            asyncio.get_running_loop().remove_reader(listening.fileno())
        await asyncio.sleep(0.001)  # asyncio loses a connection whose listener closes while it is being accepted
        listener.close()


def _wanted(body: bytes) -> dict[str, Any]:
    try:
        wanted = json.loads(body)
    except ValueError:
        return {}
    return wanted if isinstance(wanted, dict) else {}


def _subject(method: str, path: str, wanted: dict[str, Any]) -> tuple[str, str]:
    """What kind of request this is, and the marker or job id it is about."""
    if method == "POST":
        marker = wanted.get("prompt") or wanted.get("domain")
        return ("submit", str(marker)) if marker else ("other", path)
    if path.startswith(f"{API}predictions/") and path.endswith("/result"):
        return "look", path.removeprefix(f"{API}predictions/").removesuffix("/result")
    if path.startswith(f"{queue_dialect.ROOT}requests/"):
        return "look", queue_dialect.subject(path)
    return "other", path


class InThread:
    """A fault server in a thread of this process: ``with InThread() as server``."""

    def __init__(self) -> None:
        self.server = FaultServer()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-server", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.do(self.server.open())
        return self

    def __exit__(self, *_: object) -> None:
        self.do(self.server.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def do(self, work: Any) -> Any:
        """Run a coroutine in the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def _obey(server: FaultServer) -> None:
    """Carry out the commands that arrive on standard input, until it ends."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=2**26)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = json.loads(line)
        assert isinstance(server.plan, Dice)
        if "rate" in command:
            server.plan.rate = command["rate"]
        told = {"accepted": len(server.truth.jobs), "posts": server.truth.posts.total()}
        if command.get("report"):
            told |= {**server.truth.report(), "struck": dict(server.plan.struck), "elsewhere": len(server.elsewhere)}
        _say(json.dumps(told))


async def _main(seed: int, rate: float) -> None:
    server = FaultServer(Dice(seed, rate))
    await server.open()
    _say(json.dumps({"url": server.url}))
    await _obey(server)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=0.2)
    options = parser.parse_args()
    asyncio.run(_main(options.seed, options.rate))
