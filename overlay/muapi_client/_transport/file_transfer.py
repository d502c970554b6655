"""Moving files over the network: once blocking, once awaiting. The only room of uploads and downloads with httpx in it.

Lives here: one exchange that carries a file, under one deadline. Does not live here: whether it is tried again
(``_files/upload``, ``_files/fetch``), the disk (``_files/temp_file``, ``_files/source``).
The key goes to the API's origin and nowhere else: storage is reached over connections of its own, by requests that are
made without it.
"""

from __future__ import annotations

import sys
from contextlib import aclosing
from typing import TYPE_CHECKING, Final, TypeVar

import anyio
import anyio.lowlevel
import httpx

from muapi_client._files.ranges import Fetched, Receiving
from muapi_client._files.urls import show_url
from muapi_client._runtime.delivery import Delivery
from muapi_client._runtime.locks import ForkLock
from muapi_client._runtime.tracebacks import clear_locals, raise_if_from_signal_handler
from muapi_client._transport.async_network import watch_for_answers
from muapi_client._transport.deadline import deadline
from muapi_client._transport.driver import aread_pieces, make_no_reply, make_reply, read_headers, read_pieces
from muapi_client._transport.faults import FAULTS, connection_error
from muapi_client._transport.guard import PrivateAddressError
from muapi_client._transport.hosts import KEY, USER_AGENT, api_address
from muapi_client._transport.multipart import Body, form_request
from muapi_client._transport.threads import run_in_thread
from muapi_client.errors import APIConnectionError, DownloadError, UploadError

if TYPE_CHECKING:
    from collections.abc import Callable

    from muapi_client._files.form import Form
    from muapi_client._files.part import Part
    from muapi_client._files.ranges import Fetch
    from muapi_client._protocol.steps import NoReply, Reply
    from muapi_client._runtime.clock import Clock
    from muapi_client._settings.api_key import APIKey
    from muapi_client._state.upload_cache import Turn, UploadCache
    from muapi_client._transport.connections import AsyncConnections, Connections

R = TypeVar("R")

ANSWER_MAXIMUM: Final = 2**20  # bytes of an answer to an upload; a URL and little more


def _fetch_request(fetch: Fetch) -> httpx.Request:
    headers = {"accept": "*/*", "accept-encoding": "identity", "user-agent": USER_AGENT}
    if fetch.offset:
        headers |= {"range": f"bytes={fetch.offset}-", "if-range": fetch.validator}
    idle, whole = max(min(fetch.idle, fetch.timeout), 0.001), max(fetch.timeout, 0.001)
    limits = {"connect": idle, "read": idle, "write": idle, "pool": whole}
    return httpx.Request("GET", fetch.url, headers=headers, extensions={"timeout": limits})


def _probe_request(fetch: Fetch) -> httpx.Request:
    request = _fetch_request(fetch)
    request.headers["range"] = "bytes=0-0"  # GET: an address that is signed for it refuses HEAD
    return request


def _unanswered(error: Exception, clock: Clock) -> Fetched:
    return Fetched(status=0, headers={}, trouble=str(error) or type(error).__name__, at=clock.now())


def _read_fault(error: BaseException, fetch: Fetch) -> Exception:
    """The fault of the network's that ended a fetch; what is none is raised as it is.

    Raises:
        DownloadError: Files are not fetched from there.
    """
    raise_if_from_signal_handler(error)
    if isinstance(error, PrivateAddressError):
        raise DownloadError(f"{show_url(fetch.url)} is not fetched: {error}", url=fetch.url) from error
    if not isinstance(error, FAULTS):
        raise error
    return error


class _Base:
    def __init__(self, clock: Clock, origin: str, api_key: APIKey) -> None:
        self._clock = clock
        self._origin = origin
        self.key = api_key

    def _api_request(self, form: Form) -> tuple[httpx.Request, Body]:
        request, body = form_request(form, str(api_address(self._origin, form.send.path)), accept="application/json")
        request.extensions[KEY] = self.key
        request.headers["x-api-key"] = self.key.reveal()  # never in a local of ours, which a traceback may show
        return request, body

    def _storage_request(self, form: Form) -> tuple[httpx.Request, Body]:
        return form_request(form, form.send.path, accept="*/*")

    def _make_no_reply(self, error: BaseException, form: Form, body: Body, delivery: Delivery, began: float) -> NoReply:
        """Return what a fault means; one of the file or of the callback is raised as it is."""
        if body.fault is not None and isinstance(error, Exception):
            raise body.fault from None
        if isinstance(error, PrivateAddressError):
            raise UploadError(f"{form.source.name} is not sent: {error}") from error
        return make_no_reply(connection_error(error, form.send, delivery, self._origin, self.key), self._clock, began)


def _check_size(content: bytearray) -> None:
    if len(content) > ANSWER_MAXIMUM:
        raise APIConnectionError(f"the answer to an upload passes {ANSWER_MAXIMUM} bytes")


class BlockingFileTransfer(_Base):
    """How the blocking client moves files."""

    def __init__(
        self, api: Connections, storage: Connections, cache: UploadCache, *, clock: Clock, origin: str, api_key: APIKey
    ) -> None:
        super().__init__(clock, origin, api_key)
        self._api, self._storage, self._upload_cache = api, storage, cache

    def post(self, form: Form) -> Reply | NoReply:
        """Post a form to the API, with the key."""
        return self._post(form, self._api, *self._api_request(form))

    def deposit(self, form: Form) -> Reply | NoReply:
        """Post a form to storage, without the key."""
        return self._post(form, self._storage, *self._storage_request(form))

    def _post(self, form: Form, over: Connections, request: httpx.Request, body: Body) -> Reply | NoReply:
        content, began = bytearray(), self._clock.now()
        delivery, handled = form.send.delivery or Delivery(), sys.exception()
        try:
            with deadline(form.send.timeout):
                response = over.send(request, delivery)
                try:
                    for piece in read_pieces(response):
                        content += piece
                        _check_size(content)
                finally:
                    response.close()
        except BaseException as error:  # noqa: BLE001 - connection_error() raises what is no fault of the network's
            over.fail(request, error)
            content.clear()  # it may echo the key: no local shows it to whoever sees the error
            clear_locals(error, handled, everything=False)
            return self._make_no_reply(error, form, body, delivery, began)
        return make_reply(response, bytes(content), self._clock, self.key, began)

    def fetch(self, fetch: Fetch, part: Part) -> Fetched:
        """Fetch a file, or what lacks of it, into ``part``; without the key."""
        receiving = Receiving(fetch, part, self._clock.now)
        request: httpx.Request | None = None
        try:
            with deadline(fetch.timeout):
                request = _fetch_request(fetch)
                response = self._storage.send(request, Delivery())
                try:
                    if receiving.begin(response.status_code, read_headers(response)):
                        for piece in read_pieces(response):
                            receiving.take(piece)
                finally:
                    response.close()
        except BaseException as error:  # noqa: BLE001 - _read_fault() raises what is no fault of the network's
            self._storage.fail(request, error)
            return receiving.fail(_read_fault(error, fetch))
        return receiving.end(response.num_bytes_downloaded)

    def probe(self, fetch: Fetch) -> Fetched:
        """Ask for the first byte of a file, without the key, and take none."""
        request: httpx.Request | None = None
        try:
            with deadline(fetch.timeout):
                request = _probe_request(fetch)
                response = self._storage.send(request, Delivery())
                response.close()
        except BaseException as error:  # noqa: BLE001 - _read_fault() raises what is no fault of the network's
            self._storage.fail(request, error)
            return _unanswered(_read_fault(error, fetch), self._clock)
        return Fetched(status=response.status_code, headers=read_headers(response), at=self._clock.now())

    def disk(self, work: Callable[[], R]) -> R:
        """Do something to the disk."""
        return work()

    def turn(self, key: str) -> Turn:
        """The turn of a content."""
        return self._upload_cache.turn(key, ForkLock)


class AsyncFileTransfer(_Base):
    """How the awaiting client moves files; the twin of :class:`BlockingFileTransfer`."""

    def __init__(
        self,
        api: AsyncConnections,
        storage: AsyncConnections,
        cache: UploadCache,
        *,
        clock: Clock,
        origin: str,
        api_key: APIKey,
    ) -> None:
        super().__init__(clock, origin, api_key)
        self._api, self._storage, self._upload_cache = api, storage, cache

    async def post(self, form: Form) -> Reply | NoReply:
        """Post a form to the API, with the key."""
        return await self._post(form, self._api, *self._api_request(form))

    async def deposit(self, form: Form) -> Reply | NoReply:
        """Post a form to storage, without the key."""
        return await self._post(form, self._storage, *self._storage_request(form))

    async def _post(self, form: Form, over: AsyncConnections, request: httpx.Request, body: Body) -> Reply | NoReply:
        content, began = bytearray(), self._clock.now()
        delivery, handled = form.send.delivery or Delivery(), sys.exception()
        try:
            with anyio.fail_after(form.send.timeout):
                with watch_for_answers():
                    response = await over.send(request, delivery)
                try:
                    async with aclosing(aread_pieces(response)) as pieces:
                        async for piece in pieces:
                            content += piece
                            _check_size(content)
                finally:
                    await response.aclose()
        except BaseException as error:  # noqa: BLE001 - connection_error() raises what is no fault of the network's
            over.fail(request, error)
            content.clear()  # it may echo the key: no local shows it to whoever sees the error
            clear_locals(error, handled, everything=False)
            return self._make_no_reply(error, form, body, delivery, began)
        return make_reply(response, bytes(content), self._clock, self.key, began)

    async def fetch(self, fetch: Fetch, part: Part) -> Fetched:
        """Fetch a file, or what lacks of it, into ``part``; without the key."""
        receiving = Receiving(fetch, part, self._clock.now)
        request: httpx.Request | None = None
        try:
            with anyio.fail_after(fetch.timeout):
                request = _fetch_request(fetch)
                response = await self._storage.send(request, Delivery())
                try:
                    if receiving.begin(response.status_code, read_headers(response)):
                        async with aclosing(aread_pieces(response)) as pieces:
                            async for piece in pieces:
                                await run_in_thread(receiving.take, piece)
                finally:
                    await response.aclose()
        except BaseException as error:  # noqa: BLE001 - _read_fault() raises what is no fault of the network's
            self._storage.fail(request, error)
            return receiving.fail(_read_fault(error, fetch))
        return receiving.end(response.num_bytes_downloaded)

    async def probe(self, fetch: Fetch) -> Fetched:
        """Ask for the first byte of a file, without the key, and take none."""
        request: httpx.Request | None = None
        try:
            with anyio.fail_after(fetch.timeout):
                request = _probe_request(fetch)
                response = await self._storage.send(request, Delivery())
                await response.aclose()
        except BaseException as error:  # noqa: BLE001 - _read_fault() raises what is no fault of the network's
            self._storage.fail(request, error)
            return _unanswered(_read_fault(error, fetch), self._clock)
        return Fetched(status=response.status_code, headers=read_headers(response), at=self._clock.now())

    async def disk(self, work: Callable[[], R]) -> R:
        """Do something to the disk, in a thread."""
        return await run_in_thread(work)

    def turn(self, key: str) -> Turn:
        """The turn of a content in this event loop."""
        return self._upload_cache.turn((key, anyio.lowlevel.current_token()), anyio.Lock)
