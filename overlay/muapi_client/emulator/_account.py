"""The account's own operations: balance, top-up, keys, uploads.

Lives here: what needs a key and starts no job. Does not live here: the wallet and the key ring themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from muapi_client.emulator._exchanges import Refusal, Reply, form_file, invalid, problem
from muapi_client.emulator._outputs import CDN
from muapi_client.emulator._prices import CURRENCY

if TYPE_CHECKING:
    from muapi_client.emulator._world import Visit, World

_EMAIL: Final = "emulator@example.com"
_MIB: Final = 1024 * 1024
_VIDEO_LIMIT: Final = 50 * _MIB  # documented for uploads: videos 50 MB, images and everything else 10 MB
_LIMIT: Final = 10 * _MIB


def balance(world: World, _visit: Visit) -> Reply:
    """``GET account/balance``."""
    return Reply({"balance": float(world.wallet.balance), "currency": CURRENCY, "email": _EMAIL})


def top_up(world: World, visit: Visit) -> Reply:
    """``POST account/topup``: where to pay. Nothing is paid until ``Emulator.deposit`` is called."""
    session, amount = world.new_id(), visit.body["amount"]
    return Reply({"checkout_url": f"https://checkout.stripe.com/c/pay/{session}?amount={amount}"})


def list_keys(world: World, _visit: Visit) -> Reply:
    """``GET keys``."""
    listed = world.keys.listed()
    if not world.shape.is_test_listed:
        listed = [{name: value for name, value in key.items() if name != "is_test"} for key in listed]
    return Reply(listed)


def create_key(world: World, visit: Visit) -> Reply:
    """``POST keys``: the key works at once and is told only here."""
    body = visit.body
    key = world.new_key(body["name"], visit.now, is_test=body.get("is_test", False))
    return Reply({"id": key.id, "name": key.name, "api_key": key.secret})


def delete_key(world: World, visit: Visit) -> Reply:
    """``DELETE keys/{key_id}``: it works no longer, even the one this request came with."""
    key_id = visit.parameters["key_id"]
    if not world.keys.delete(key_id):
        raise Refusal(404, "Not Found")
    return Reply({"id": int(key_id), "deleted": True})


def upload(world: World, visit: Visit) -> Reply:
    """``POST upload_file``: free, but only for an account that is not empty."""
    if world.wallet.balance <= 0:
        raise Refusal(402, "Insufficient credit balance: uploading needs a balance above 0")
    sent = form_file(visit.request, "file")
    if sent is None:
        raise invalid(problem("missing", ("body", "file"), "Field required"))
    filename, content_type, content = sent
    limit = _VIDEO_LIMIT if content_type.startswith("video/") else _LIMIT
    if len(content) > limit:
        raise Refusal(413, f"File too large: {len(content)} bytes, at most {limit} for {content_type}")
    return Reply({"url": f"{CDN}/uploads/{world.new_id()}/{filename}"})
