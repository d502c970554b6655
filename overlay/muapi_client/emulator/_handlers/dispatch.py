"""The order in which a request is judged, from its host to its answer.

Lives here: that order, and answers as bytes. Does not live here: what an operation does (``routes`` names who answers
it), what other hosts than the API answer (``pages``).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from muapi_client.emulator._handlers.checked_request import Visit
from muapi_client.emulator._handlers.routes import handler_of
from muapi_client.emulator._messages.addresses import addressed, place_of
from muapi_client.emulator._messages.messages import Refusal, Reply, Response, json_body
from muapi_client.emulator._spec.operations import operations
from muapi_client.emulator._spec.validation import check_body, check_path, check_query

if TYPE_CHECKING:
    from muapi_client.emulator._messages.addresses import Place
    from muapi_client.emulator._messages.messages import Request
    from muapi_client.emulator._spec.operations import Operation
    from muapi_client.emulator._state.world import World


def answer(world: World, request: Request) -> Response:
    """Answer ``request``: the host, then the path, then the key, then query and body, then what the operation does."""
    now = request.now + world.offset
    world.settle(now)
    if request.path.endswith("/openapi.json"):
        from muapi_client.emulator._spec.published import published  # noqa: PLC0415 - reads 2 MB for who asks for them

        if (document := published(request)) is not None:
            return document
    place = place_of(request)
    if place.host:
        from muapi_client.emulator._handlers.pages import elsewhere  # noqa: PLC0415 - most are never asked for files

        response = elsewhere(world, request, place, now)
    else:
        response = _answer(world, request, place, now)
    return response if not place.base else _readdressed(response, place.base)


def _answer(world: World, request: Request, place: Place, now: float) -> Response:
    known = False
    try:
        operation, parameters = operations().find(request.method, place.path)
        key = world.keys.of(request, world.timestamp) if operation.needs_key else None
        known = key is not None
        check_path(operation, parameters)
        query = check_query(operation, request.query)
        body = None if operation.body is None else _body(operation, request)
        visit = Visit(request, operation, parameters, query, body, now, place.base, key)
        reply = handler_of(operation)(world, visit)
    except Refusal as refusal:
        reply = Reply({"detail": refusal.detail}, None, refusal.status, refusal.headers)
    return _encoded(world, reply, known=known)


def _readdressed(response: Response, base: str) -> Response:
    """``response`` with the URLs in it as a client at ``base`` reaches them; files are left as they are."""
    headers = dict(response.headers)
    if "location" in headers:
        headers["location"] = addressed(headers["location"].encode(), base).decode()
    if not headers.get("content-type", "").startswith("application/json"):
        return Response(response.status, headers, response.body, response.chunks)
    return Response(response.status, headers, addressed(response.body, base), response.chunks)


def _body(operation: Operation, request: Request) -> Any:
    """The checked JSON body; an empty one where none was sent and none has to be."""
    if not request.body and not operation.needs_body:
        return {}
    body = json_body(request)
    check_body(operation, body)
    return body


def _encoded(world: World, reply: Reply, *, known: bool) -> Response:
    """``reply`` as bytes; the money headers of the account only for those who showed a key of it."""
    headers = {"content-type": "application/json", **reply.headers}
    if known and reply.cost is not None:
        headers |= reply.cost.headers()
        headers["X-Account-Balance"] = f"{world.wallet.balance:.4f}"
    body = b"" if reply.chunks else json.dumps(reply.body, ensure_ascii=False).encode()
    return Response(reply.status, headers, body, reply.chunks)
