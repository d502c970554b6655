"""The order in which a request is judged, from its host to its answer.

Lives here: that order, and answers as bytes. Does not live here: what an operation does (``routes`` names who answers
it), what fits it (``_spec/validation``), what other hosts than the API answer (``pages``).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote, urlencode

from muapi_client.emulator._handlers.checked_request import CheckedRequest
from muapi_client.emulator._handlers.routes import find_handler
from muapi_client.emulator._messages.addresses import API, find_place, rewrite_urls
from muapi_client.emulator._messages.messages import Refusal, Reply, Response, is_writable, parse_json_body
from muapi_client.emulator._spec.operations import PREFIX
from muapi_client.emulator._spec.validation import check_inputs

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
    from muapi_client.emulator._messages.addresses import Place
    from muapi_client.emulator._messages.messages import Request
    from muapi_client.emulator._spec.operations import Operation
    from muapi_client.emulator._state.world import World

# What FastAPI answers where it cannot write what it has to repeat. It takes such a value where nothing has to be
# repeated; what the service then does with it is not known, and the emulator fails before anything is accepted.
_FAILURE: Final = Response(500, {"content-type": "text/plain; charset=utf-8"}, b"Internal Server Error")


def answer_request(world: World, request: Request) -> Response:
    """Answer ``request``.

    Judged are the host, then the path, then whether the body can be read at all, then the key, then parameters and
    body together; then the operation does what it does.
    """
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
    try:
        operation, parameters = _find_operation(world, request.method, place.path)
        body: Any = parse_json_body(request) if operation.body is not None else {}
        key = world.keys.of(request, world.timestamp) if operation.needs_key else None
        known = key is not None
        inputs = check_inputs(operation, parameters, request.query, body, strict=world.strict_types)
        if not is_writable(inputs.body):
            return _FAILURE
        checked = CheckedRequest(request, operation, inputs.parameters, inputs.query, inputs.body, now, place.base, key)
        reply = find_handler(world.operations, operation)(world, checked)
    except Refusal as refusal:
        if "location" in refusal.headers:
            return _redirect(request, refusal.headers["location"])
        if not is_writable(refusal.detail):
            return _FAILURE
        reply = Reply({"detail": refusal.detail}, None, refusal.status, refusal.headers)
    return _encode(world, reply, known=known)


def _redirect(request: Request, path: str) -> Response:
    """Send a request elsewhere, with its query, and with its method and body."""
    query = f"?{urlencode(request.query)}" if request.query else ""
    return Response(307, {"location": f"{API}{quote(path)}{query}"}, b"")


def _find_operation(world: World, method: str, path: str) -> tuple[Operation, dict[str, str]]:
    """The operation that is meant.

    Raises:
        Refusal: 404 or 405: the document has none; 501: real hosts answer there, and the emulator does not.
    """
    if unquote(path).startswith(PREFIX):
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


def _encode(world: World, reply: Reply, *, known: bool) -> Response:
    """``reply`` as bytes; the money headers of the account only for those who showed a key of it."""
    headers = {"content-type": "application/json", **reply.headers}
    if known and reply.cost is not None:
        headers |= reply.cost.headers()
        headers["X-Account-Balance"] = f"{world.wallet.balance:.4f}"
    body = b"" if reply.chunks else json.dumps(reply.body, ensure_ascii=False).encode()
    return Response(reply.status, headers, body, reply.chunks)
