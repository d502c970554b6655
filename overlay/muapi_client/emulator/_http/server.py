"""An emulator over HTTP/1.1, in a thread of this process.

Lives here: the listening socket, its event loop and thread. Does not live here: a connection (``connection``), what is
answered (``Emulator.meet``), how time passes (``served_clock``).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final, Self, TypeAlias
from weakref import WeakSet

from muapi_client.emulator._http.connection import Connection, Service
from muapi_client.emulator._http.served_clock import begin_serving, end_serving
from muapi_client.emulator._http.webhook_sender import WebhookSender, call_receiver, is_own
from muapi_client.emulator._messages.callback_errors import report_errors_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from muapi_client._runtime.clock import Clock
    from muapi_client.emulator._http.faults import FaultedResponse
    from muapi_client.emulator._http.log import LogEntry
    from muapi_client.emulator._messages.messages import Request
    from muapi_client.emulator._webhooks.deliveries import Delivery
    from muapi_client.emulator._webhooks.outbox import Outbox

    Delivering: TypeAlias = "Callable[[], Coroutine[None, None, None]]"  # sees to webhooks until cancelled

_BACKLOG: Final = 512
_PATIENCE: Final = 10.0  # seconds for the thread to end
_EVERYWHERE: Final = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where a client here finds it


class Served(str):
    """The URL of a served emulator, to pass to any client; ``close()`` or the end of its ``with`` block stops it."""

    __slots__ = ("_server",)
    _server: Server

    def __new__(cls, server: Server) -> Self:
        """The URL of ``server``, which listens already."""
        self = super().__new__(cls, server.url)
        self._server = server
        return self

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        """Copied or pickled it is the URL alone: a server is one, and stays in its process."""
        return str, (str(self),)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.port

    def close(self) -> None:
        """Stop listening, drop every connection and end the thread; once is enough, twice does no harm."""
        self._server.close()

    def __enter__(self) -> Self:
        """Use it in a ``with`` block, which closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()


class Server:
    """The thread, its event loop, and what runs in it."""

    def __init__(
        self, service: Service, delivering: Delivering, host: str, port: int, on_close: Callable[[], None]
    ) -> None:
        """Listen; answers from here on, until ``on_close`` is called.

        Raises:
            OSError: The address cannot be listened on.
        """
        self._listening = _listen(host, port)
        self.port: int = self._listening.getsockname()[1]
        there = _EVERYWHERE.get(host, host)
        self.url = f"http://{f'[{there}]' if ':' in there else there}:{self.port}"
        self._on_close: Callable[[], None] | None = on_close
        self._ready: Future[None] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(
            target=self._run, args=(service, delivering), name=f"muapi emulator {self.port}", daemon=True
        )
        self._thread.start()
        self._ready.result()
        _servers.add(self)

    def close(self) -> None:
        """Stop, and wait for the thread's end unless it is the one that asks."""
        if self._loop is not None and self._stop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not threading.current_thread():
            self._thread.join(_PATIENCE)
        self._end()

    def abandon(self) -> None:
        """In a forked child, where the thread does not exist: leave the port to the parent."""
        self._listening.close()
        self._loop = None
        self._end()

    def _end(self) -> None:
        done, self._on_close = self._on_close, None
        if done is not None:
            done()

    def _run(self, service: Service, delivering: Delivering) -> None:
        try:
            asyncio.run(self._main(service, delivering))
        except BaseException as error:
            if self._ready.done():
                raise  # threading tells it on standard error
            self._ready.set_exception(error)

    async def _main(self, service: Service, delivering: Delivering) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        connections: set[Connection] = set()
        listener = await self._loop.create_server(
            lambda: Connection(service, connections), sock=self._listening, backlog=_BACKLOG
        )
        posts = self._loop.create_task(delivering())
        self._ready.set_result(None)
        try:
            await self._stop.wait()
        finally:
            listener.close()
            for connection in tuple(connections):
                connection.transport.abort()
            posts.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await posts


def serve(
    meet: Callable[[Request], FaultedResponse],
    post: Outbox,
    clock: Clock,
    date: Callable[[], str],
    address: tuple[str, int],
    *,
    speed: float | None,
    log: Callable[[LogEntry | Delivery], object] | None,
    anywhere: bool,
) -> Served:
    """Serve an emulator; see ``Emulator.serve``, which says what is what."""
    now, tell, host = begin_serving(clock, speed), report_errors_of("log=", log), address[0]

    def due() -> list[Delivery]:
        now()  # lets the time pass that the post's clock reads
        return post.due()

    def record_result(delivery: Delivery, status: int | None, error: str | None, final: bool) -> None:
        tried = post.record_result(delivery, status, error, final)
        if tell is not None:
            tell(tried)

    def delivering() -> Coroutine[None, None, None]:
        if post.is_handed_over:
            return call_receiver(due, post.attempt)
        others = not is_own(host)
        return WebhookSender(due, post.is_under_way, record_result, anywhere=anywhere, open_to_others=others).run()

    def on_close() -> None:
        post.serve(-1)
        end_serving(clock)

    post.serve(1)
    try:
        return Served(Server(Service(meet, now, date, tell), delivering, *address, on_close))
    except BaseException:
        on_close()
        raise


_servers: Final[WeakSet[Server]] = WeakSet()


def _abandon_all() -> None:
    for server in list(_servers):
        server.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        advice = "; port 0 picks a free one" if port else ""
        raise OSError(
            error.errno, f"cannot listen on {host}, port {port}: {error.strerror or error}{advice}"
        ) from error
