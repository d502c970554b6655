"""The account's balance and keys.

Lives here: the four operations on them. Does not live here: the wallet and the key ring themselves, top-ups
(``topups``), uploads (``uploads``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from muapi_client.emulator._messages.messages import Refusal, Reply
from muapi_client.emulator._spec.prices import CURRENCY

if TYPE_CHECKING:
    from muapi_client.emulator._handlers.checked_request import CheckedRequest
    from muapi_client.emulator._state.world import World

_EMAIL: Final = "emulator@example.com"


def get_balance(world: World, _checked: CheckedRequest) -> Reply:
    """``GET account/balance``."""
    return Reply({"balance": float(world.wallet.balance), "currency": CURRENCY, "email": _EMAIL})


def list_keys(world: World, _checked: CheckedRequest) -> Reply:
    """``GET keys``."""
    listed = world.keys.listed()
    if not world.shape.is_test_listed:
        listed = [{name: value for name, value in key.items() if name != "is_test"} for key in listed]
    return Reply(listed)


def create_key(world: World, checked: CheckedRequest) -> Reply:
    """``POST keys``: the key works at once and is shown only here."""
    key = world.new_key(checked.need("name"), is_test=checked.body.get("is_test", False))
    return Reply({"id": key.id, "name": key.name, "api_key": key.secret})


def delete_key(world: World, checked: CheckedRequest) -> Reply:
    """``DELETE keys/{key_id}``: it works no longer, even the one this request came with."""
    key_id = checked.parameters["key_id"]
    if not world.keys.delete(key_id):
        raise Refusal(404, "Not Found")
    return Reply({"id": int(key_id), "deleted": True})
