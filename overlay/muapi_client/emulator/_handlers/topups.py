"""Money that comes in: top-ups by hand and by themselves.

Lives here: ``account/topup``, ``account/auto-topup`` and what follows from them. Does not live here: the wallet, the
pages where a person pays (``pages``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from muapi_client.emulator._messages.addresses import CHECKOUT
from muapi_client.emulator._messages.cost import dollars
from muapi_client.emulator._messages.messages import Refusal, Reply

if TYPE_CHECKING:
    from decimal import Decimal

    from muapi_client.emulator._handlers.checked_request import CheckedRequest
    from muapi_client.emulator._state.records import Record
    from muapi_client.emulator._state.world import World

_DEFAULTS: Final = {"enabled": False, "threshold": 5, "amount": 20}  # US dollars


def create_checkout(world: World, checked: CheckedRequest) -> Reply:
    """``POST account/topup``: where to pay. Nothing is paid until that page is opened."""
    session, amount = world.new_id(), checked.need("amount")
    if not checked.is_test:
        world.records.add("checkouts", session=session, amount=amount, paid=False)
    return Reply({"checkout_url": f"{CHECKOUT}/c/pay/{session}?amount={amount}"})


def get_auto_top_up(world: World, _checked: CheckedRequest) -> Reply:
    """``GET account/auto-topup``."""
    return Reply(_public_settings(world))


def change_auto_top_up(world: World, checked: CheckedRequest) -> Reply:
    """``PUT account/auto-topup``: any fields; ``enabled``, ``threshold`` and ``amount`` (US dollars) mean something."""
    settings = _find_settings(world) or world.records.add("auto_topup", payment_method=False, **_DEFAULTS)
    settings.update((name, value) for name, value in checked.body.items() if name not in {"id", "payment_method"})
    return Reply(_public_settings(world))


def set_up_auto_top_up(world: World, _checked: CheckedRequest) -> Reply:
    """``POST account/auto-topup/setup``: where to name a means of payment."""
    session = world.new_id()
    world.records.add("setups", session=session, done=False)
    return Reply({"setup_url": f"{CHECKOUT}/c/setup/{session}", "session_id": session})


def verify_setup(world: World, checked: CheckedRequest) -> Reply:
    """``GET account/auto-topup/verify``: whether that was done."""
    session = checked.query["session_id"]
    found = world.records.where("setups", session=session)
    if not found:
        raise Refusal(404, "Not Found")
    return Reply({"session_id": session, "verified": found[0]["done"]})


def save_payment_method(world: World) -> None:
    """A means of payment was named."""
    settings = _find_settings(world) or world.records.add("auto_topup", **_DEFAULTS)
    settings["payment_method"] = True


def replenish(world: World, usd: Decimal) -> None:
    """Top the wallet up if it is set to and paying ``usd`` would leave it below the threshold."""
    settings = _find_settings(world)
    if settings is None or settings["enabled"] is not True or not settings["payment_method"]:
        return
    threshold, amount = settings["threshold"], settings["amount"]
    if _is_amount(threshold) and _is_amount(amount) and world.wallet.balance - usd < dollars(threshold):
        world.wallet.deposit(dollars(amount))


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 10**9


def _find_settings(world: World) -> Record | None:
    return next(iter(world.records.where("auto_topup")), None)


def _public_settings(world: World) -> dict[str, Any]:
    settings = _find_settings(world) or {"payment_method": False, **_DEFAULTS}
    return {name: value for name, value in settings.items() if name != "id"}
