"""The order in which a request is judged, from its host to its answer.

Lives here: that order, and answers as bytes. Does not live here: what an operation does (``routes`` names who answers
it), what other hosts than the API answer (``pages``).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, cast

from muapi_client.emulator._handlers.checked_request import CheckedRequest
from muapi_client.emulator._handlers.routes import find_handler
from muapi_client.emulator._messages.addresses import find_place, rewrite_urls
from muapi_client.emulator._messages.inputs import add_inputs
from muapi_client.emulator._messages.messages import Refusal, Reply, Response, parse_json_body
from muapi_client.emulator._spec.operations import PREFIX
from muapi_client.emulator._spec.validation import check_body, check_path, check_query

# What MuAPI's own clients call besides (its command line, its front ends), and where FastAPI shows a document.
OUTSIDE: Final = (
    "/workflow/",
    "/agents/",
    "/app/",
    "/api/auth/",
    "/api/workflow/",
    "/docs/",
    "/redoc/",
    "/v1/",
    "/mcp/",
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muapi_client.emulator._messages.addresses import Place
    from muapi_client.emulator._messages.messages import Request
    from muapi_client.emulator._spec.operations import Operation
    from muapi_client.emulator._state.world import World


def answer_request(world: World, request: Request) -> Response:
    """Answer ``request``: the host, then the path, then the key, then query and body, then what the operation does."""
    now = request.now + world.offset
    world.settle(now)
    if request.path.endswith("/openapi.json"):
        from muapi_client.emulator._spec.published import answer_document_request  # noqa: PLC0415 - reads 2 MB

        if (document := answer_document_request(request, world.operations.read_document)) is not None:
            return document
    place = find_place(request)
    if place.host:
        from muapi_client.emulator._handlers.pages import answer_other_host  # noqa: PLC0415 - seldom needed

        response = answer_other_host(world, request, place, now)
    else:
        response = _answer_api(world, request, place, now)
    return response if not place.base else _rewrite_urls(response, place.base)


def _answer_api(world: World, request: Request, place: Place, now: float) -> Response:
    known = False
    parameters: Mapping[str, str] = {}
    try:
        operation, parameters = _find_operation(world, request.method, place.path)
        key = world.keys.of(request, world.timestamp) if operation.needs_key else None
        known = key is not None
        check_path(operation, parameters)
        query = check_query(operation, request.query)
        body: Any = _read_body(operation, request) if operation.body is not None else {}
        checked = CheckedRequest(request, operation, parameters, query, body, now, place.base, key)
        reply = find_handler(world.operations, operation)(world, checked)
    except Refusal as refusal:
        detail: Any = refusal.detail
        if isinstance(detail, list):  # of a 422
            detail = add_inputs(cast("list[dict[str, Any]]", detail), request, parameters)
        reply = Reply({"detail": detail}, None, refusal.status, refusal.headers)
    return _encode(world, reply, known=known)


def _find_operation(world: World, method: str, path: str) -> tuple[Operation, dict[str, str]]:
    """The operation that is meant.

    Raises:
        Refusal: 404 or 405: the document has none; 501: real hosts answer there, and the emulator does not.
    """
    if path.startswith(PREFIX):
        return world.operations.find(method, path)
    if path == "/" or f"{path.partition('?')[0]}/".startswith(OUTSIDE):
        raise Refusal(
            501, f"The emulator does not answer {method} {path}, which is not under {PREFIX}; the real host does"
        )
    raise Refusal(404, "Not Found")


def _rewrite_urls(response: Response, base: str) -> Response:
    """``response`` with the URLs in it as a client at ``base`` reaches them; files are left as they are."""
    headers = dict(response.headers)
    if "location" in headers:
        headers["location"] = rewrite_urls(headers["location"].encode(), base).decode()
    if not headers.get("content-type", "").startswith("application/json"):
        return Response(response.status, headers, response.body, response.chunks)
    return Response(response.status, headers, rewrite_urls(response.body, base), response.chunks)


def _read_body(operation: Operation, request: Request) -> Any:
    """The checked JSON body; an empty one where none was sent and none has to be."""
    if not request.body and not operation.needs_body:
        return {}
    body = parse_json_body(request)
    check_body(operation, body)
    return body


def _encode(world: World, reply: Reply, *, known: bool) -> Response:
    """``reply`` as bytes; the money headers of the account only for those who showed a key of it."""
    headers = {"content-type": "application/json", **reply.headers}
    if known and reply.cost is not None:
        headers |= reply.cost.headers()
        headers["X-Account-Balance"] = f"{world.wallet.balance:.4f}"
    body = b"" if reply.chunks else json.dumps(reply.body, ensure_ascii=False).encode()
    return Response(reply.status, headers, body, reply.chunks)
