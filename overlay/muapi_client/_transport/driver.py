"""Carry out the steps of a flow: once blocking, once awaiting.

Lives here: exchanges, pauses and callbacks, one step after another. Does not live here: jobs and money (``_jobs``, as
flows), the journal's writes (``keeping``), pauses that a hint cuts short (``pauses``), a stream's connection
(``stream_connection``), connections (``hosts``).

Each exchange has one deadline that holds for all of it: httpx's own timeouts start anew with every byte.
"""

from __future__ import annotations

import inspect
import sys
import time
import zlib
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from muapi_client._protocol.steps import Do, Flow, Keep, NoReply, Reply, Send, Sleep, Step, has_ended
from muapi_client._runtime.content_coding import Unpacking
from muapi_client._runtime.delivery import Delivery
from muapi_client._runtime.tracebacks import clear_locals
from muapi_client._transport.deadline import exchange_ends
from muapi_client._transport.faults import connection_error
from muapi_client._transport.hosts import hide_webhooks, make_request
from muapi_client._transport.keeping import akeep, keep
from muapi_client._transport.pauses import apause, pause
from muapi_client.errors import APIConnectionError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator

    import httpx

    from muapi_client._runtime.clock import Clock
    from muapi_client._settings.api_key import APIKey
    from muapi_client._state.waiters import Waiter
    from muapi_client._transport.connections import AsyncConnections, Connections

R = TypeVar("R")

ANSWER_MAXIMUM: Final = 64 * 2**20  # bytes of one JSON answer; the largest seen is the 2.4 MB document
GRACE: Final = 0.25  # seconds for httpx to tell of a time-out itself: only it knows whether anything was sent


def run(flow: Flow[R], connections: Connections, clock: Clock, origin: str, api_key: APIKey) -> R:
    """Drive ``flow`` to its end, blocking this thread.

    Whatever goes wrong between two of its steps is thrown into it: it alone knows what may have been paid by now. So it
    is never left suspended, and never closed.
    """
    try:
        return _run(flow, connections, clock, origin, api_key)
    except BaseException as error:
        if has_ended(flow):
            raise
        return _run(flow, connections, clock, origin, api_key, error=error)  # it struck here, between two steps


def _run(
    flow: Flow[R],
    connections: Connections,
    clock: Clock,
    origin: str,
    api_key: APIKey,
    *,
    error: BaseException | None = None,
) -> R:
    """Drive a flow on, throwing ``error`` into it first if there is one."""
    outcome: Any = None
    try:
        while True:
            step: Step = flow.send(outcome) if error is None else flow.throw(error)
            error = None
            try:
                outcome = carry_out(step, connections, clock, origin, api_key)
            except BaseException as raised:  # noqa: BLE001 - the flow decides; what it does not handle comes back out of throw()
                error = raised
    except StopIteration as end:
        answer: R = end.value
        return answer  # without a call, after which a signal could strike: nobody else has the answer
    finally:
        del error  # its traceback holds this frame


def carry_out(step: Step, connections: Connections, clock: Clock, origin: str, api_key: APIKey) -> Any:
    """Carry out one step; answers its outcome."""
    match step:
        case Send():
            return _exchange(step, connections, clock, origin, api_key)
        case Sleep(seconds, waiter):
            if waiter is None:
                clock.sleep(seconds)
            else:
                pause(seconds, waiter, clock)
            return clock.now()
        case Do(work):
            try:
                return work()
            except StopIteration as error:  # thrown into a generator it would lose what the flow notes on it
                raise RuntimeError("a callback raised StopIteration") from error
        case Keep(write, commits, is_lasting):
            return keep(write, commits, is_lasting=is_lasting)


def _exchange(send: Send, connections: Connections, clock: Clock, origin: str, api_key: APIKey) -> Reply | NoReply:
    began, handled = clock.now(), sys.exception()
    delivery = send.delivery or Delivery()
    request: httpx.Request | None = None
    outer = exchange_ends.set(time.monotonic() + send.timeout)
    try:
        request = make_request(send, origin, api_key)
        response = connections.send(request, delivery)
        content = read_content(response, began + send.timeout, clock, send)
    except BaseException as error:  # noqa: BLE001 - connection_error() raises what is no fault of the network's
        connections.fail(request, error)
        request = None  # its URL may hold a webhook's: no local shows it to whoever sees the error
        clear_locals(error, handled, everything=False)
        return make_no_reply(connection_error(error, send, delivery, origin, api_key), clock, began)
    finally:
        exchange_ends.reset(outer)
    hide_webhooks(send, api_key)
    return make_reply(response, content, clock, api_key, began)


def read_content(response: httpx.Response, ends: float, clock: Clock, send: Send) -> bytes:
    """Read all of an answer's body, and close it.

    Raises:
        APIConnectionError: It is too large, or was not whole when the clock read ``ends``.
    """
    content = bytearray()
    packed = "content-encoding" in response.headers
    # Read from the stream itself, where it is not packed: httpx's own loop around it takes 5 us more an answer.
    pieces = read_pieces(response) if packed else cast("Iterator[bytes]", response.stream)
    try:
        for piece in pieces:
            content += piece
            _guard(len(content), ends - clock.now(), send)
    finally:
        response.close()
    return bytes(content)


def read_pieces(response: httpx.Response) -> Iterator[bytes]:
    """The pieces of a body, unpacked; one in a coding that was not asked for stays as it came.

    Raises:
        APIConnectionError: It cannot be unpacked.
    """
    if "content-encoding" not in response.headers:
        yield from response.iter_raw()
    else:
        unpacking = Unpacking(response.headers)
        try:
            for piece in response.iter_raw():
                yield from unpacking.feed(piece)
            unpacking.end()
        except zlib.error as error:
            raise APIConnectionError(f"the answer cannot be unpacked: {error}") from error


async def arun(flow: Flow[R], connections: AsyncConnections, clock: Clock, origin: str, api_key: APIKey) -> R:
    """The twin of :func:`run`, yielding to the event loop."""
    connections.enter()
    try:
        return await _arun(flow, connections, clock, origin, api_key)
    except BaseException as error:
        if has_ended(flow):
            raise
        return await _arun(flow, connections, clock, origin, api_key, error=error)  # it struck here, between two steps


async def _arun(
    flow: Flow[R],
    connections: AsyncConnections,
    clock: Clock,
    origin: str,
    api_key: APIKey,
    *,
    error: BaseException | None = None,
) -> R:
    """The twin of :func:`_run`."""
    outcome: Any = None
    closing: BaseException | None = error if isinstance(error, GeneratorExit) else None
    try:
        while True:
            step: Step = flow.send(outcome) if error is None else flow.throw(error)
            error = None
            try:
                if closing is None:
                    outcome = await acarry_out(step, connections, clock, origin, api_key)
                else:
                    outcome = finish_step(step, closing)
            except BaseException as raised:  # noqa: BLE001 - as above; a cancellation passes through the flow, too
                closing = closing or find_closing(raised, step)
                error = closing or raised
    except StopIteration as end:
        answer: R = end.value
        return answer  # as above
    finally:
        del error, closing  # as above


def find_closing(error: BaseException, step: Any) -> GeneratorExit | None:
    """The GeneratorExit that an error is or came of, or None.

    It closes a coroutine whose event loop has ended. anyio's scopes, left without a loop, raise errors in its place.
    """
    found: BaseException | None = error
    while found is not None and not isinstance(found, GeneratorExit):
        found = None if isinstance(step, Do) else found.__context__  # what a callback raises is its own
    return found


def finish_step(step: Any, closing: BaseException) -> Any:
    """Carry out a step where nothing can be awaited any more: what is to be kept is kept, the rest is called off."""
    if isinstance(step, Keep):
        return keep(step.write, step.commits, is_lasting=step.is_lasting)
    raise closing


def acarry_out(step: Step, connections: AsyncConnections, clock: Clock, origin: str, api_key: APIKey) -> Awaitable[Any]:
    """The twin of :func:`carry_out`, to be awaited; no coroutine of its own, which thousands may hold."""
    match step:
        case Send():
            return _aexchange(step, connections, clock, origin, api_key)
        case Sleep(seconds, waiter):
            return _asleep(seconds, waiter, clock)
        case Do(work):
            return _ado(work)
        case Keep(write, commits, is_lasting):
            return akeep(write, commits, is_lasting=is_lasting)


async def _asleep(seconds: float, waiter: Waiter | None, clock: Clock) -> float:
    if waiter is None:
        await clock.asleep(seconds)
    else:
        await apause(seconds, waiter, clock)
    return clock.now()


async def _ado(work: Callable[[], Any]) -> Any:
    done = work()
    return await done if inspect.isawaitable(done) else done


async def _aexchange(
    send: Send, connections: AsyncConnections, clock: Clock, origin: str, api_key: APIKey
) -> Reply | NoReply:
    import anyio  # noqa: PLC0415 - as above

    began, handled = clock.now(), sys.exception()
    delivery = send.delivery or Delivery()
    request: httpx.Request | None = None
    try:
        # As anyio.fail_after, less its two generators, which each of many exchanges would hold and run.
        with anyio.CancelScope(deadline=anyio.current_time() + send.timeout + GRACE) as scope:
            request = make_request(send, origin, api_key)
            response = await connections.send(request, delivery)
            content = await aread_content(response, began + send.timeout, clock, send)
        if scope.cancelled_caught:
            raise TimeoutError  # noqa: TRY301 - what fail_after would raise
    except BaseException as error:  # noqa: BLE001 - connection_error() raises what is no fault of the network's
        connections.fail(request, error)
        request = None  # its URL may hold a webhook's: no local shows it to whoever sees the error
        clear_locals(error, handled, everything=False)
        return make_no_reply(connection_error(error, send, delivery, origin, api_key), clock, began)
    hide_webhooks(send, api_key)
    return make_reply(response, content, clock, api_key, began)  # pyright: ignore[reportPossiblyUnboundVariable]  # else it raised


async def aread_content(response: httpx.Response, ends: float, clock: Clock, send: Send) -> bytes:
    """The twin of :func:`read_content`."""
    content = bytearray()
    try:
        async with aclosing(aread_pieces(response)) as pieces:
            async for piece in pieces:
                content += piece
                _guard(len(content), ends - clock.now(), send)
    finally:
        await response.aclose()
    return bytes(content)


async def aread_pieces(response: httpx.Response) -> AsyncGenerator[bytes]:
    """The twin of :func:`read_pieces`."""
    unpacking = Unpacking(response.headers)
    try:
        async with aclosing(cast("AsyncGenerator[bytes]", response.aiter_raw())) as pieces:
            async for piece in pieces:
                for unpacked in unpacking.feed(piece):
                    yield unpacked
        unpacking.end()
    except zlib.error as error:
        raise APIConnectionError(f"the answer cannot be unpacked: {error}") from error


def make_reply(response: httpx.Response, content: bytes, clock: Clock, api_key: APIKey, began: float) -> Reply:
    """The value of an answer, without the key, which a server may echo: an answer's words go into errors and files.

    Args:
        began: The clock's reading when its exchange began.
    """
    headers, now = api_key.hide_values(read_headers(response)), clock.now()
    return Reply(response.status_code, headers, api_key.hide(content), now, now - began)


def make_no_reply(error: APIConnectionError, clock: Clock, began: float) -> NoReply:
    """The value of an exchange that came to nothing; ``began`` as above."""
    now = clock.now()
    return NoReply(error, now, now - began)


def read_headers(response: httpx.Response) -> dict[str, str]:
    """A response's headers: names in lower case, a repeated header's values joined."""
    return dict(response.headers.items())


def _guard(size: int, left: float, send: Send) -> None:
    if left < 0:
        raise APIConnectionError(f"no whole answer to {send.method} {send.path} within {send.timeout:g} s")
    if size > ANSWER_MAXIMUM:
        raise APIConnectionError(f"the answer to {send.method} {send.path} passes {ANSWER_MAXIMUM} bytes")
