"""``muapi-client balance``, ``topup``, ``sandbox`` and ``history``: what the account says of itself.

Lives here: what is shown of each. Does not live here: asking (``MuAPI``), the account's keys (``_keys``).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, cast

from muapi_client.cli._client import open_client, open_reader
from muapi_client.cli._exit import DONE, interrupted_while
from muapi_client.cli._formats import describe_age, format_usd, render_table, to_json_number
from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping

    from muapi_client.cli._console import Console

HEADS: Final = ("id", "model", "status", "USD", "age")
# What an item of the history may call it: the document says only that an item is JSON.
NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("request_id", "id"),
    "model": ("endpoint", "slug", "model", "model_name", "name"),
    "status": ("status", "state"),
    "USD": ("amount_usd", "cost"),
    "age": ("created_at", "created", "submitted_at", "timestamp"),
}
VERDICTS: Final = {True: "sandbox", False: "live", None: "undecided"}


def balance(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``balance``.

    Raises:
        MuAPIError: The account could not be asked.
    """
    with open_client(options, console) as mu:
        account = mu.account.balance()
    form = {"balance": to_json_number(account.balance), "currency": account.currency, "email": account.email}
    console.result(form, f"{format_usd(account.balance)} {account.currency or 'USD'}")
    if account.email:
        console.remark(f"account {account.email}")
    return DONE


def topup(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``topup``.

    Raises:
        MuAPIError: Nobody agreed, or the server began no payment.
        InterruptedJobError: The user pressed Ctrl-C, before there was a page to pay at.
    """
    if not options.yes and not console.agrees(f"Begin a payment of {options.amount} USD into the account?"):
        raise MuAPIError("nobody agreed, so no payment was begun; --yes agrees beforehand")
    begun = "a payment was being begun: nothing is paid yet, and what is never paid adds nothing"
    with open_client(options, console) as mu, interrupted_while(begun):
        checkout = mu.account.topup(options.amount)
    if not checkout.checkout_url:
        raise MuAPIError("the server tells no page to pay at, so nothing can be paid: look into the dashboard")
    form = {"checkout_url": checkout.checkout_url, "amount_usd": options.amount}
    console.result(form, checkout.checkout_url)
    console.remark(f"{options.amount} USD are added once they are paid there; nothing is paid yet")
    return DONE


def sandbox(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``sandbox``.

    Raises:
        APIConnectionError: The key list was asked for and no answer arrived.
    """
    with open_reader(options, console) as mu:
        found = mu.sandbox()
    console.result({"sandbox": found.verdict, "evidence": list(found.evidence)}, VERDICTS[found.verdict])
    for sentence in found.evidence:
        console.remark(sentence)
    if found.verdict is None:
        console.remark("the first job tells, and with a journal `sandbox` knows it from then on: muapi-client run")
    return DONE


def history(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``history``.

    Raises:
        MuAPIError: The history could not be had.
    """
    with open_client(options, console) as mu:
        items = list(mu.history(limit=options.limit))
    now = datetime.now(UTC)
    rows = [
        [*(_cell(item, NAMES[head]) for head in HEADS[:-1]), _age(_cell(item, NAMES["age"]), now)] for item in items
    ]
    right = {"USD", "age"}
    table = render_table(HEADS, rows, right=right, gives_way="model", width=console.width) if rows else ""
    console.result([_json_form(item) for item in items], table)
    more = "; --limit tells more" if len(items) == options.limit else ""
    console.remark(f"{len(items)} request{'s' * (len(items) != 1)}, newest first{more}")
    return DONE


def _cell(item: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """What an item calls by the first of these names that it has."""
    value = next((item[name] for name in names if item.get(name) is not None), None)
    if isinstance(value, dict):  # a cost, as the reference has it
        value = cast("dict[str, Any]", value).get("amount_usd")
    if isinstance(value, Decimal):
        return format_usd(value)
    return "-" if value is None else value if isinstance(value, str) else json.dumps(value)


def _age(told: str, now: datetime) -> str:
    """How long ago a time of the server's was; the time as it told it, where that cannot be read."""
    try:
        moment = datetime.fromisoformat(told)
    except ValueError:
        return told
    return describe_age(now - (moment if moment.tzinfo else moment.replace(tzinfo=UTC)))


def _json_form(value: Any) -> Any:
    """An item as it came; its exact sums as numbers again."""
    if isinstance(value, dict):
        return {name: _json_form(each) for name, each in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_json_form(each) for each in cast("Iterable[Any]", value)]
    return to_json_number(value) if isinstance(value, Decimal) else value
