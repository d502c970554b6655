"""The other hosts' answers: files, storage, and the pages where a person would pay or agree.

Lives here: telling those hosts apart, and the pages. Does not live here: files (``cdn``), storage (``uploads``),
what a payment or a connection means (``topups``, ``social``).

A person opens such a page in a browser; for the emulator opening it is agreeing. Opening it again changes nothing.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from muapi_client.emulator._handlers.cdn import serve_file
from muapi_client.emulator._handlers.social import connect_account
from muapi_client.emulator._handlers.topups import save_payment_method
from muapi_client.emulator._handlers.uploads import build_refusal, store_posted_file
from muapi_client.emulator._messages.addresses import CHECKOUT, CONNECT, STORAGE
from muapi_client.emulator._messages.cost import dollars
from muapi_client.emulator._messages.messages import Response

if TYPE_CHECKING:
    from muapi_client.emulator._messages.addresses import Place
    from muapi_client.emulator._messages.messages import Request
    from muapi_client.emulator._state.world import World

_PAY: Final = "/c/pay/"
_SETUP: Final = "/c/setup/"
_CONNECT: Final = "/social/connect/"


def answer_other_host(world: World, request: Request, place: Place, now: float) -> Response:
    """The answer of the host at ``place``, which is not the API."""
    url = f"https://{place.host}"
    if url == STORAGE:
        if request.method != "POST":
            return build_refusal(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
        return store_posted_file(world, request, now)
    if url not in {CHECKOUT, CONNECT}:
        return serve_file(world, request, place, now)
    if request.method != "GET":
        return _build_page(405, "Method Not Allowed")
    return _open_checkout(world, place.path) if url == CHECKOUT else _open_connection(world, place.path)


def _open_checkout(world: World, path: str) -> Response:
    for session in world.records.where("checkouts", session=path.removeprefix(_PAY)):
        if not session["paid"]:
            session["paid"] = True
            world.wallet.deposit(dollars(session["amount"]))
        return _build_page(200, f"${session['amount']} was paid.")
    for session in world.records.where("setups", session=path.removeprefix(_SETUP)):
        session["done"] = True
        save_payment_method(world)
        return _build_page(200, "The means of payment is saved.")
    return _build_page(404, "There is no such checkout.")


def _open_connection(world: World, path: str) -> Response:
    account = connect_account(world, path.removeprefix(_CONNECT))
    if account is None:
        return _build_page(404, "There is no such connection.")
    if target := account["redirect_to"]:
        return Response(302, {"location": target, "content-type": "text/html"}, b"")
    return _build_page(200, f"The {account['platform']} account is connected.")


def _build_page(status: int, sentence: str) -> Response:
    body = f"<!doctype html><title>MuAPI emulator</title><p>{escape(sentence)}</p>".encode()
    return Response(status, {"content-type": "text/html; charset=utf-8"}, body)
