"""Moving files over the network: once blocking, once awaiting. The only room of uploads and downloads with httpx in it.

Lives here: one exchange that carries a file, under one deadline. Does not live here: whether it is tried again
(``_uploads``, ``_downloads``), the disk (``_parts``, ``_sources``). The key goes to the API's origin and nowhere else:
storage is reached over connections of its own, by requests that are made without it.
"""

from __future__ import annotations

import inspect
import threading
from typing import TYPE_CHECKING, Any, Final, TypeVar
from weakref import WeakValueDictionary

import anyio
import anyio.lowlevel
import anyio.to_thread
import httpx
from attrs import frozen

from muapi_client._deadline import deadline
from muapi_client._flow import Lost, Reply, Send
from muapi_client._receiving import Fetched, Receiving
from muapi_client._transport import USER_AGENT, headers_of, lost, request_of
from muapi_client.errors import APIConnectionError, UploadError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from muapi_client._clock import Clock
    from muapi_client._config import APIKey
    from muapi_client._connections import AsyncConnections, Connections
    from muapi_client._parts import Part
    from muapi_client._receiving import Fetch
    from muapi_client._sources import Source

R = TypeVar("R")

FAULTS: Final = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError)
ANSWER_MAXIMUM: Final = 2**20  # bytes of an answer to an upload; a URL and little more


@frozen(kw_only=True)
class Form:
    """A multipart form that carries a file, posted to the API or to storage.

    Attributes:
        send: Where to, and how long it may take; its path is a whole URL for storage.
        fields: The form's fields, in their order; the file comes last, as storage wants it.
    """

    send: Send
    source: Source
    fields: dict[str, str]
    on_progress: Callable[[int, int], Any] | None = None


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A form's bytes on their way, with the progress of the file in them."""

    def __init__(self, form: Form, inner: Any, reader: _Reader) -> None:
        self._form = form
        self._inner = inner
        self._reader = reader
        self._told = -1
        self.fault: Exception | None = None  # of the file or the callback: it must not pass for one of the network

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces():
            yield piece
            self._tell()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces():  # reads at most 64 KiB at a time of a local file: not worth a thread each
            yield piece
            told = self._tell()
            if inspect.isawaitable(told):
                try:
                    await told
                except Exception as error:
                    self.fault = error
                    raise

    def _pieces(self) -> Iterator[bytes]:
        pieces = iter(self._inner)
        while True:
            try:
                piece = next(pieces, None)
                if piece is None:
                    return
            except (OSError, ValueError) as error:  # ValueError: the file was closed
                self.fault = UploadError(f"{self._form.source.name} cannot be read: {error}")
                raise self.fault from error
            yield piece

    def _tell(self) -> Any:
        if self._form.on_progress is None or self._reader.sent == self._told:
            return None
        self._told = self._reader.sent
        try:
            return self._form.on_progress(self._told, self._form.source.size)
        except Exception as error:
            self.fault = error
            raise


class _Reader:
    """A source as httpx's form encoder reads it: as long as it was when it was measured."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.sent = 0
        source.file.seek(0)

    def read(self, size: int) -> bytes:
        """The next bytes; none once the measured length was read."""
        piece = self._source.file.read(min(size, self._source.size - self.sent))
        self.sent += len(piece)
        if not piece and self.sent < self._source.size:
            raise UploadError(f"{self._source.name} became shorter while it was sent")
        return piece

    def tell(self) -> int:
        """Where it stands: always at its start when httpx measures it."""
        return 0

    def seek(self, _offset: int, whence: int = 0) -> int:
        """Its length from the end; anything else is its start, where it stands already."""
        return self._source.size if whence else 0


def _form_request(form: Form, url: str, headers: dict[str, str]) -> tuple[httpx.Request, _Body]:
    reader = _Reader(form.source)
    named: Any = (form.source.name, reader, form.source.media_type)
    limits = dict.fromkeys(("connect", "read", "write", "pool"), max(form.send.timeout, 0.001))
    request = httpx.Request(
        form.send.method,
        url,
        params=dict(form.send.query) or None,
        headers=headers,
        data=form.fields,
        files={"file": named},
        extensions={"timeout": limits},
    )
    body = _Body(form, request.stream, reader)
    request.stream = body
    return request, body


def _fetch_request(fetch: Fetch) -> httpx.Request:
    headers = {"accept": "*/*", "accept-encoding": "identity", "user-agent": USER_AGENT}
    if fetch.offset:
        headers |= {"range": f"bytes={fetch.offset}-", "if-range": fetch.validator}
    idle, whole = max(min(fetch.idle, fetch.timeout), 0.001), max(fetch.timeout, 0.001)
    limits = {"connect": idle, "read": idle, "write": idle, "pool": whole}
    return httpx.Request("GET", fetch.url, headers=headers, extensions={"timeout": limits})


class _Base:
    def __init__(self, clock: Clock, origin: str, api_key: APIKey) -> None:
        self._clock = clock
        self._origin = origin
        self._key = api_key

    def _api_request(self, form: Form) -> tuple[httpx.Request, _Body]:
        sent = request_of(form.send, self._origin, self._key)
        kept = ("accept", "user-agent", "x-api-key")  # the form has its own length and type
        return _form_request(form, self._origin + form.send.path, {name: sent.headers[name] for name in kept})

    def _storage_request(self, form: Form) -> tuple[httpx.Request, _Body]:
        return _form_request(form, form.send.path, {"accept": "*/*", "user-agent": USER_AGENT})

    def _answered(self, response: httpx.Response, content: bytearray) -> Reply:
        return Reply(response.status_code, headers_of(response), bytes(content), self._clock.now())

    def _lost(self, error: Exception, form: Form, body: _Body) -> Lost:
        """What a fault means; one of the file or of the callback is raised as it is."""
        if body.fault is not None:
            raise body.fault from None
        fault = error if isinstance(error, APIConnectionError) else lost(error, form.send)
        return Lost(fault, self._clock.now())


def _guard(content: bytearray) -> None:
    if len(content) > ANSWER_MAXIMUM:
        raise APIConnectionError(f"the answer to an upload passes {ANSWER_MAXIMUM} bytes")


class _Turn:
    """A lock that lives as long as somebody holds or awaits it."""

    def __init__(self, lock: Any) -> None:
        self.lock = lock


class Turns:
    """One at a time by key: whoever comes second to a content finds it uploaded."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._turns: WeakValueDictionary[Any, _Turn] = WeakValueDictionary()

    def of(self, key: Any, new_lock: Callable[[], Any]) -> _Turn:
        """The turn of a key, the same for all who ask at a time."""
        with self._guard:
            turn = self._turns.get(key)
            if turn is None:
                turn = self._turns[key] = _Turn(new_lock())
            return turn


class Hands(_Base):
    """The blocking client's."""

    def __init__(
        self, api: Connections, storage: Connections, clock: Clock, origin: str, api_key: APIKey, turns: Turns
    ) -> None:
        super().__init__(clock, origin, api_key)
        self._api, self._storage, self._turns = api, storage, turns

    def post(self, form: Form) -> Reply | Lost:
        """Post a form to the API, with the key."""
        return self._post(form, self._api.client(), *self._api_request(form))

    def deposit(self, form: Form) -> Reply | Lost:
        """Post a form to storage, without the key."""
        return self._post(form, self._storage.client(), *self._storage_request(form))

    def _post(self, form: Form, client: httpx.Client, request: httpx.Request, body: _Body) -> Reply | Lost:
        content = bytearray()
        try:
            with deadline(form.send.timeout):
                response = client.send(request, stream=True)
                try:
                    for piece in response.iter_bytes():
                        content += piece
                        _guard(content)
                finally:
                    response.close()
        except (APIConnectionError, *FAULTS) as error:
            return self._lost(error, form, body)
        return self._answered(response, content)

    def fetch(self, fetch: Fetch, part: Part) -> Fetched:
        """Fetch a file, or what lacks of it, into ``part``; without the key."""
        receiving = Receiving(fetch, part, self._clock)
        try:
            with deadline(fetch.timeout):
                response = self._storage.client().send(_fetch_request(fetch), stream=True)
                try:
                    if receiving.begin(response.status_code, headers_of(response)):
                        for piece in response.iter_bytes():
                            receiving.take(piece)
                finally:
                    response.close()
        except FAULTS as error:
            return receiving.broke(error)
        return receiving.end(response.num_bytes_downloaded)

    def disk(self, work: Callable[[], R]) -> R:
        """Do something to the disk."""
        return work()

    def turn(self, key: str) -> Callable[[], None]:
        """Wait for the turn of a content; answers what ends it."""
        turn = self._turns.of(key, threading.Lock)
        turn.lock.acquire()
        return lambda: turn.lock.release()  # noqa: PLW0108 - keeps the turn alive


class AsyncHands(_Base):
    """The awaiting client's."""

    def __init__(
        self, api: AsyncConnections, storage: AsyncConnections, clock: Clock, origin: str, api_key: APIKey, turns: Turns
    ) -> None:
        super().__init__(clock, origin, api_key)
        self._api, self._storage, self._turns = api, storage, turns

    async def post(self, form: Form) -> Reply | Lost:
        """Post a form to the API, with the key."""
        return await self._post(form, self._api.client(), *self._api_request(form))

    async def deposit(self, form: Form) -> Reply | Lost:
        """Post a form to storage, without the key."""
        return await self._post(form, self._storage.client(), *self._storage_request(form))

    async def _post(self, form: Form, client: httpx.AsyncClient, request: httpx.Request, body: _Body) -> Reply | Lost:
        content = bytearray()
        try:
            with anyio.fail_after(form.send.timeout):
                response = await client.send(request, stream=True)
                try:
                    async for piece in response.aiter_bytes():
                        content += piece
                        _guard(content)
                finally:
                    await response.aclose()
        except (APIConnectionError, *FAULTS) as error:
            return self._lost(error, form, body)
        return self._answered(response, content)

    async def fetch(self, fetch: Fetch, part: Part) -> Fetched:
        """Fetch a file, or what lacks of it, into ``part``; without the key."""
        receiving = Receiving(fetch, part, self._clock)
        try:
            with anyio.fail_after(fetch.timeout):
                response = await self._storage.client().send(_fetch_request(fetch), stream=True)
                try:
                    if receiving.begin(response.status_code, headers_of(response)):
                        async for piece in response.aiter_bytes():
                            await anyio.to_thread.run_sync(receiving.take, piece)
                finally:
                    await response.aclose()
        except FAULTS as error:
            return receiving.broke(error)
        return receiving.end(response.num_bytes_downloaded)

    async def disk(self, work: Callable[[], R]) -> R:
        """Do something to the disk, in a thread."""
        return await anyio.to_thread.run_sync(work)

    async def turn(self, key: str) -> Callable[[], None]:
        """Wait for the turn of a content in this event loop; answers what ends it."""
        turn = self._turns.of((key, anyio.lowlevel.current_token()), anyio.Lock)
        await turn.lock.acquire()
        return lambda: turn.lock.release()  # noqa: PLW0108 - keeps the turn alive
