"""Carry out the steps of a flow: once blocking, once awaiting.

The only room with I/O, sleep and a clock; it knows nothing of jobs or money. Each exchange has one deadline that
holds for all of it: httpx's own timeouts start anew with every byte.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import httpx

from muapi_client._protocol.steps import Do, Flow, Keep, Lost, Reply, Send, Sleep, Step
from muapi_client._transport.deadline import deadline
from muapi_client._transport.hosts import headers_of, lost, request_of
from muapi_client.errors import APIConnectionError

if TYPE_CHECKING:
    from muapi_client._runtime.clock import Clock
    from muapi_client._settings.api_key import APIKey
    from muapi_client._transport.connections import AsyncConnections, Connections

R = TypeVar("R")

ANSWER_MAXIMUM: Final = 64 * 2**20  # bytes of one JSON answer; the largest seen is the 2.4 MB document
GRACE: Final = 0.25  # seconds for httpx to tell of a time-out itself: only it knows whether anything was sent
FAULTS: Final = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError)


def run(flow: Flow[R], connections: Connections, clock: Clock, origin: str, api_key: APIKey) -> R:
    """Drive ``flow`` to its end, blocking this thread."""
    try:
        step: Step = next(flow)
        while True:
            try:
                outcome = carry_out(step, connections, clock, origin, api_key)
            except BaseException as error:  # noqa: BLE001 - the flow decides; what it does not handle comes back out of throw()
                step = flow.throw(error)
            else:
                step = flow.send(outcome)
    except StopIteration as end:
        return cast("R", end.value)


def carry_out(step: Step, connections: Connections, clock: Clock, origin: str, api_key: APIKey) -> Any:
    """Carry out one step; answers its outcome."""
    match step:
        case Send():
            return _exchange(step, connections, clock, origin, api_key)
        case Sleep(seconds):
            clock.sleep(seconds)
            return clock.now()
        case Do(work):
            return work()
        case Keep(write):
            return write()


def _exchange(send: Send, connections: Connections, clock: Clock, origin: str, api_key: APIKey) -> Reply | Lost:
    ends = clock.now() + send.timeout
    try:
        with deadline(send.timeout):
            response = connections.send(request_of(send, origin, api_key))
            content = content_of(response, ends, clock, send)
    except APIConnectionError as error:
        return Lost(error, clock.now())
    except FAULTS as error:
        return Lost(lost(error, send), clock.now())
    return reply_of(response, content, clock, api_key)


def content_of(response: httpx.Response, ends: float, clock: Clock, send: Send) -> bytes:
    """Read all of an answer's body, and close it.

    Raises:
        APIConnectionError: It is too large, or was not whole when the clock read ``ends``.
    """
    content = bytearray()
    try:
        for chunk in response.iter_bytes():
            content += chunk
            _guard(len(content), ends - clock.now(), send)
    finally:
        response.close()
    return bytes(content)


async def arun(flow: Flow[R], connections: AsyncConnections, clock: Clock, origin: str, api_key: APIKey) -> R:
    """Drive ``flow`` to its end, yielding to the event loop."""
    try:
        step: Step = next(flow)
        while True:
            try:
                outcome = await acarry_out(step, connections, clock, origin, api_key)
            except BaseException as error:  # noqa: BLE001 - as above; a cancellation passes through the flow, too
                step = flow.throw(error)
            else:
                step = flow.send(outcome)
    except StopIteration as end:
        return cast("R", end.value)


async def acarry_out(step: Step, connections: AsyncConnections, clock: Clock, origin: str, api_key: APIKey) -> Any:
    """The twin of :func:`carry_out`."""
    match step:
        case Send():
            return await _aexchange(step, connections, clock, origin, api_key)
        case Sleep(seconds):
            await clock.asleep(seconds)
            return clock.now()
        case Do(work):
            done = work()
            return await done if inspect.isawaitable(done) else done
        case Keep(write):
            import anyio.to_thread  # noqa: PLC0415 - 28 ms, which a blocking program need not pay

            with anyio.CancelScope(shield=True):
                return await anyio.to_thread.run_sync(write)


async def _aexchange(
    send: Send, connections: AsyncConnections, clock: Clock, origin: str, api_key: APIKey
) -> Reply | Lost:
    import anyio  # noqa: PLC0415 - as above

    ends = clock.now() + send.timeout
    try:
        with anyio.fail_after(send.timeout + GRACE):
            response = await connections.send(request_of(send, origin, api_key))
            content = await acontent_of(response, ends, clock, send)
    except APIConnectionError as error:
        return Lost(error, clock.now())
    except FAULTS as error:  # anyio's TimeoutError is an OSError
        return Lost(lost(error, send), clock.now())
    return reply_of(response, content, clock, api_key)


async def acontent_of(response: httpx.Response, ends: float, clock: Clock, send: Send) -> bytes:
    """The twin of :func:`content_of`."""
    content = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            content += chunk
            _guard(len(content), ends - clock.now(), send)
    finally:
        await response.aclose()
    return bytes(content)


def reply_of(response: httpx.Response, content: bytes, clock: Clock, api_key: APIKey) -> Reply:
    """The value of an answer, without the key, which a server may echo: an answer's words go into errors and files."""
    return Reply(response.status_code, headers_of(response), api_key.hide(content), clock.now())


def _guard(size: int, left: float, send: Send) -> None:
    if left < 0:
        raise APIConnectionError(f"no whole answer to {send.method} {send.path} within {send.timeout:g} s")
    if size > ANSWER_MAXIMUM:
        raise APIConnectionError(f"the answer to {send.method} {send.path} passes {ANSWER_MAXIMUM} bytes")
