"""A pooler in transaction mode, as hosted databases have in front: each transaction goes to whichever session is free.

Lives here: as much of one as shows what a client must not rely on. Each client logs in by itself, and its session then
belongs to all; which one a transaction gets changes each time, though nobody else is there. Not for many at a time.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import threading
from collections import deque
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

NO_TLS: Final = {80877103, 80877104}  # what asks for TLS, or GSSAPI
IDLE: Final = b"I"  # no transaction is open


class Messages:
    """The messages of one side, read whole."""

    def __init__(self, side: socket.socket) -> None:
        self.side = side
        side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read(self, size: int) -> bytes:
        """So many bytes.

        Raises:
            EOFError: The side has hung up.
        """
        read = b""
        while len(read) < size:
            more = self.side.recv(size - len(read))
            if not more:
                raise EOFError
            read += more
        return read

    def next(self) -> tuple[bytes, bytes]:
        """The next one: its kind, and all of it."""
        head = self.read(5)
        return head[:1], head + self.read(struct.unpack("!I", head[1:])[0] - 4)

    def start(self) -> bytes:
        """The first one of a client, which has no kind."""
        while True:
            head = self.read(4)
            rest = self.read(struct.unpack("!I", head)[0] - 4)
            if struct.unpack("!I", rest[:4])[0] not in NO_TLS:
                return head + rest
            self.side.sendall(b"N")


class TransactionPooler:
    """A pooler, until it is closed.

    Attributes:
        url: Of the server's database, by way of it.
        sessions: How many sessions it has with the server.
    """

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._server = (str(place.hostname), int(place.port or 5432))
        self._listening = socket.create_server(("127.0.0.1", 0))
        login, at, _ = place.netloc.rpartition("@")
        self.url = place._replace(netloc=f"{login}{at}127.0.0.1:{self._listening.getsockname()[1]}").geturl()
        self.sessions = 0
        self._free: deque[Messages] = deque()
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        """Hang up."""
        self._listening.close()
        while self._free:
            self._free.popleft().side.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(Messages(client),), daemon=True).start()

    def _serve(self, client: Messages) -> None:
        with client.side, suppress(EOFError, OSError):
            self._log_in(client)
            while True:
                self._carry_out(client)

    def _log_in(self, client: Messages) -> None:
        server = Messages(socket.create_connection(self._server))
        server.side.sendall(client.start())
        kind = b""
        while kind != b"Z":
            ready, _, _ = select.select([client.side, server.side], [], [])
            if client.side in ready:
                server.side.sendall(client.next()[1])
                continue
            kind, whole = server.next()
            if kind == b"K":  # as whose session it is known is a secret of its own
                whole = whole[:5] + struct.pack("!I", os.getpid()) + whole[9:]
            client.side.sendall(whole)
        self.sessions += 1
        self._free.append(server)

    def _carry_out(self, client: Messages) -> None:
        """Carry out one transaction, in the session that has been free for the longest."""
        kind, whole = client.next()
        if kind == b"X":
            raise EOFError
        server = self._free.popleft()
        try:
            awaited, is_open = 0, True
            while is_open:
                if whole:
                    awaited += kind in b"QS"
                    server.side.sendall(whole)
                ready, _, _ = select.select([client.side, server.side], [], [])
                kind, whole = client.next() if client.side in ready else (b"", b"")
                if whole:
                    continue
                told, answer = server.next()
                client.side.sendall(answer)
                awaited -= told == b"Z"
                is_open = not (told == b"Z" and awaited == 0 and answer[5:6] == IDLE)
        except BaseException:
            server.side.close()  # it may be in the middle of something
            self.sessions -= 1
            raise
        self._free.append(server)
