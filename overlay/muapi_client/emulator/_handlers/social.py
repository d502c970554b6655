"""Social accounts that are connected.

Lives here: connecting, listing, changing, forgetting them. Does not live here: the page where the person agrees
(``pages``), publishing (which are ordinary jobs; they take any account id).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from muapi_client.emulator._messages.addresses import CONNECT
from muapi_client.emulator._messages.messages import Refusal, Reply

if TYPE_CHECKING:
    from muapi_client.emulator._handlers.checked_request import CheckedRequest
    from muapi_client.emulator._state.records import Record
    from muapi_client.emulator._state.world import World

_TABLE: Final = "social_accounts"
_FIXED: Final = frozenset({"id", "platform", "external_user_id", "status", "connected_at"})  # what PATCH leaves alone
_HIDDEN: Final = frozenset({"token", "redirect_to"})


def create_connect_url(world: World, checked: CheckedRequest) -> Reply:
    """``POST social/{platform}/connect-url``: where the person agrees; the account is connected once they did."""
    token, person = world.new_id(), checked.need("external_user_id")
    world.records.add(
        _TABLE,
        platform=checked.operation.slug.split("/")[1],
        external_user_id=person,
        username=f"{person}-{checked.operation.slug.split('/')[1]}",
        status="pending",
        connected_at=None,
        token=token,
        redirect_to=checked.body.get("redirect_to") or "",
    )
    return Reply({"url": f"{CONNECT}/social/connect/{token}"})


def connect_account(world: World, token: str) -> Record | None:
    """The account that ``token`` stands for, connected; ``None`` when there is none."""
    account = next(iter(world.records.where(_TABLE, token=token)), None)
    if account is not None and account["status"] == "pending":
        account |= {"status": "connected", "connected_at": world.timestamp}
    return account


def list_accounts(world: World, checked: CheckedRequest) -> Reply:
    """``GET social/ext/accounts``: those of one person that are or were connected."""
    found = world.records.where(_TABLE, external_user_id=checked.query["external_user_id"])
    return Reply({"accounts": [_public_fields(account) for account in found if account["status"] != "pending"]})


def change_account(world: World, checked: CheckedRequest) -> Reply:
    """``PATCH social/ext/accounts/{account_id}``: any field but those that say what it is."""
    account = _find_account(world, checked)
    account |= {name: value for name, value in checked.body.items() if name not in _FIXED | _HIDDEN}
    return Reply(_public_fields(account))


def disconnect_account(world: World, checked: CheckedRequest) -> Reply:
    """``POST social/ext/accounts/{account_id}/disconnect``: it stays in the list."""
    account = _find_account(world, checked)
    account["status"] = "disconnected"
    return Reply(_public_fields(account))


def delete_account(world: World, checked: CheckedRequest) -> Reply:
    """``DELETE social/ext/accounts/{account_id}``."""
    account = _find_account(world, checked)
    world.records.delete(_TABLE, account)
    return Reply({"id": account["id"], "deleted": True})


def _find_account(world: World, checked: CheckedRequest) -> Record:
    account = world.records.get(_TABLE, int(checked.parameters["account_id"]))
    if account is None or account["status"] == "pending":
        raise Refusal(404, "Not Found")
    return account


def _public_fields(account: Record) -> dict[str, Any]:
    return {name: value for name, value in account.items() if name not in _HIDDEN}
