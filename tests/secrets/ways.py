"""Ways to fail, and a server on this machine that echoes all it was sent, in every spelling, while it fails.

Lives here: one function a way. Does not live here: where secrets are looked for (``search``).
"""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CLOSE = b"close"
RESET = b"reset"
TLS = b"\x16\x03"  # how a handshake begins


class Asked:
    """One request as it arrived."""

    def __init__(self, head: bytes, body: bytes) -> None:
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = lines[0].split(" ", 2)
        self.path = self.target.partition("?")[0]
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        self.whole = f"{self.method} {self.target}\n{json.dumps(self.headers)}\n{body.decode('utf-8', 'replace')}"

    def echoes(self) -> dict[str, str]:
        """All of it, in several spellings; one value is JSON in JSON."""
        return {
            "plain": self.whole,
            "headers": json.dumps(self.headers),
            "url": quote(self.whole, safe=""),
            "html": "".join(f"&#{ord(letter)};" for letter in self.whole),
        }


def answer(body: Any, status: str = "200 OK", **headers: str) -> bytes:
    """An answer; JSON unless it is bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = {"content-type": "application/json", "content-length": str(len(content)), **headers}
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in head.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def escaped(text: str) -> str:
    """A text as JSON may have it: no letter stands as it is."""
    return "".join(f"\\u{ord(letter):04x}" for letter in text)


def echo(asked: Asked, status: str, **more: Any) -> bytes:
    """A refusal that echoes the request in its headers and its body."""
    whole = {**more, "detail": {"message": f"no: {asked.whole}", "input": asked.echoes()}}
    raw = json.dumps(whole)[:-1] + f', "{escaped(asked.whole)}": "{escaped(asked.whole)}"' + "}"
    key = asked.headers.get("x-api-key", "")
    return answer(
        raw.encode(), status, x_echo=f"{key} {asked.target}", x_echo_url=quote(key, safe="").replace("-", "%2D")
    )


class Handler(socketserver.BaseRequestHandler):
    """One connection: a request is answered as told, until the client or the answer ends it."""

    def handle(self) -> None:
        with suppress(OSError):
            while asked := self._read():
                self._answer(self.server.answer(asked))  # type: ignore[attr-defined]  # see serving()

    def _read(self) -> Asked | None:
        head = bytearray()
        while not head.endswith(b"\r\n\r\n"):
            byte = self.request.recv(1)
            if not byte:
                return None
            head += byte
            if head.startswith(TLS):
                self.request.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                return None
        length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"), 0)
        body = bytearray()
        while self.server.reads and len(body) < length:  # type: ignore[attr-defined]  # as above
            body += self.request.recv(length - len(body)) or b" " * length
        return Asked(bytes(head[:-4]), bytes(body))

    def _answer(self, content: bytes | None) -> None:
        if content is None:
            self.server.ended.wait(30)  # type: ignore[attr-defined]  # as above
            raise OSError
        if content.endswith(RESET):
            self.request.sendall(content.removesuffix(RESET))
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.request.close()
            raise OSError
        self.request.sendall(content.removesuffix(CLOSE))
        if content.endswith(CLOSE):
            raise OSError


class Server(socketserver.ThreadingTCPServer):
    """A server that its clients cannot keep alive."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64


@contextmanager
def serving(handler: Callable[[Asked], bytes | None], *, reads: bool = True) -> Iterator[str]:
    """Serve until the block ends; answers the URL.

    Args:
        handler: Answers a request: ``None`` keeps silent, ``RESET`` at the end resets, ``CLOSE`` there hangs up.
        reads: Whether a request's body is read before it is answered.
    """
    with Server(("127.0.0.1", 0), Handler) as server:
        server.answer, server.reads, server.ended = handler, reads, threading.Event()  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.ended.set()  # type: ignore[attr-defined]
            server.shutdown()
            thread.join()
