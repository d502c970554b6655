"""The account, the keys, the server's list of models, the history: small endpoints, each a typed call.

Lives here: which call a method is. Does not live here: sending it (``client``, ``async_client``). The blocking and
the awaiting twin stand side by side; the calls are made once, by the generated functions.
"""

import builtins
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, Protocol, TypeVar

from attrs import evolve

from muapi_client._protocol.response import read_items
from muapi_client._settings.options import read_instance
from muapi_client._types.words import show
from muapi_client.errors import MuAPIError, ResponseError
from muapi_generated.answers import amount
from muapi_generated.api.account.account_topup import account_topup
from muapi_generated.api.account.get_account_balance import get_account_balance
from muapi_generated.api.keys.delete_keys_key_id import delete_keys_key_id
from muapi_generated.api.keys.get_keys import get_keys
from muapi_generated.api.keys.keys import keys as create_key
from muapi_generated.api.platform.get_history import get_history
from muapi_generated.api.platform.get_models import get_models
from muapi_generated.api.platform.get_models_name import get_models_name
from muapi_generated.models import (
    AccountBalance,
    ApiKey,
    ApiKeyCreated,
    ModelCard,
    ModelList,
    TopUpCheckout,
)
from muapi_generated.types import UNSET, Call

T = TypeVar("T")

MONEY = frozenset({"cost", "amount_usd"})  # fields of a history's item that hold USD
PAGE = 100  # items of history a request; the document's maximum


class Client(Protocol):
    """A sender of calls: ``MuAPI``, or a stand-in."""

    def send(self, call: Call[T]) -> T:
        """Answer the typed body; see ``MuAPI.send``."""
        ...


class AsyncClient(Protocol):
    """The twin of :class:`Client`."""

    async def send(self, call: Call[T]) -> T:
        """Answer the typed body; see ``MuAPI.send``."""
        ...


class Account:
    """The wallet. Its methods raise what ``MuAPI.send`` does."""

    def __init__(self, mu: Client) -> None:
        self._mu = mu

    def balance(self) -> AccountBalance:
        """Return what is left: ``balance`` (a Decimal, in ``currency``) and ``email``.

        Source: API reference, "Account Endpoints".
        """
        return self._mu.send(get_account_balance())

    def topup(self, amount: int) -> TopUpCheckout:
        """Begin a top-up of ``amount`` whole USD, 1 or more: the answer's ``checkout_url`` is where it is paid."""
        return self._mu.send(account_topup(amount=amount))


class AsyncAccount:
    """The twin of :class:`Account`."""

    def __init__(self, mu: AsyncClient) -> None:
        self._mu = mu

    async def balance(self) -> AccountBalance:
        """See :meth:`Account.balance`."""
        return await self._mu.send(get_account_balance())

    async def topup(self, amount: int) -> TopUpCheckout:
        """See :meth:`Account.topup`."""
        return await self._mu.send(account_topup(amount=amount))


class Keys:
    """The account's API keys. Its methods raise what ``MuAPI.send`` does."""

    def __init__(self, mu: Client) -> None:
        self._mu = mu

    def list(self) -> builtins.list[ApiKey]:
        """Every key, without its secret. Source: API reference, "API Key Management"."""
        return self._mu.send(get_keys())

    def create(self, name: str, *, is_test: bool = False) -> ApiKeyCreated:
        """Make a key; its secret, ``api_key``, is shown only this once.

        Args:
            name: What to call it.
            is_test: Whether it is a sandbox key: never charged, answered at once with sample outputs.
        """
        return self._mu.send(create_key(name=name, is_test=is_test))

    def delete(self, key_id: int) -> None:
        """Delete a key by its id.

        Raises:
            NotFoundError: There is no such key.
        """
        self._mu.send(delete_keys_key_id(key_id=key_id))


class AsyncKeys:
    """The twin of :class:`Keys`."""

    def __init__(self, mu: AsyncClient) -> None:
        self._mu = mu

    async def list(self) -> builtins.list[ApiKey]:
        """See :meth:`Keys.list`."""
        return await self._mu.send(get_keys())

    async def create(self, name: str, *, is_test: bool = False) -> ApiKeyCreated:
        """See :meth:`Keys.create`."""
        return await self._mu.send(create_key(name=name, is_test=is_test))

    async def delete(self, key_id: int) -> None:
        """See :meth:`Keys.delete`."""
        await self._mu.send(delete_keys_key_id(key_id=key_id))


class Models:
    """The server's list of models and prices, as it is now; ``muapi_client.catalog`` is the pinned one.

    Its methods raise what ``MuAPI.send`` does.
    """

    def __init__(self, mu: Client) -> None:
        self._mu = mu

    def list(self) -> ModelList:
        """Every model the server lists. Its ``endpoint`` is wrong for some: the name is not the slug (observed)."""
        return self._mu.send(get_models())

    def get(self, name: str) -> ModelCard:
        """One model by its catalogue name.

        Raises:
            NotFoundError: There is no such name.
        """
        return self._mu.send(get_models_name(name=name))


class AsyncModels:
    """The twin of :class:`Models`."""

    def __init__(self, mu: AsyncClient) -> None:
        self._mu = mu

    async def list(self) -> ModelList:
        """See :meth:`Models.list`."""
        return await self._mu.send(get_models())

    async def get(self, name: str) -> ModelCard:
        """See :meth:`Models.get`."""
        return await self._mu.send(get_models_name(name=name))


def history(mu: Client, limit: int | None) -> Iterator[dict[str, Any]]:
    """Walk through the pages of ``GET history`` until ``limit`` items were yielded or none are left."""
    cursor, left = None, _read_limit(limit)
    while left is None or left > 0:
        page = _read_page(mu.send(_page(cursor, left)))
        items = _items(page)[:left]
        yield from items
        before, cursor, left = cursor, page.get("next_cursor"), None if left is None else left - len(items)
        if not cursor or not items or cursor == before:
            return


async def async_history(mu: AsyncClient, limit: int | None) -> AsyncIterator[dict[str, Any]]:
    """The twin of :func:`history`."""
    cursor, left = None, _read_limit(limit)
    while left is None or left > 0:
        page = _read_page(await mu.send(_page(cursor, left)))
        items = _items(page)[:left]
        for item in items:
            yield item
        before, cursor, left = cursor, page.get("next_cursor"), None if left is None else left - len(items)
        if not cursor or not items or cursor == before:
            return


def _read_limit(limit: int | None) -> int | None:
    number = read_instance("limit", limit, int, example="a number of items")
    if number is not None and number < 0:
        raise MuAPIError(f"limit must be a number of items, not {show(number)}")
    return number


def _page(cursor: str | None, left: int | None) -> Call[Any]:
    """Ask for a page as it comes: what the document calls its items, or may call them one day, does not matter."""
    call = get_history(cursor=cursor or UNSET, limit=PAGE if left is None else min(PAGE, left))
    return evolve(call, operation=evolve(call.operation, answer=""))


def _read_page(page: Any) -> Mapping[str, Any]:
    if not isinstance(page, Mapping):
        message = f"expected a page of the history, got {type(page).__name__}"
        raise ResponseError(message, body=json.dumps(page).encode())
    return page


def _items(page: Mapping[str, Any]) -> builtins.list[dict[str, Any]]:
    return [_with_amounts(item) for item in read_items(page) if isinstance(item, dict)]


def _with_amounts(item: dict[str, Any]) -> dict[str, Any]:
    """An item of the history with its sums of money as Decimal, as the reference names them; the rest as it came."""
    exact = {name: amount(item[name]) for name in MONEY & item.keys()}
    cost = item.get("cost")
    if isinstance(cost, dict):
        exact["cost"] = {**cost, **{name: amount(cost[name]) for name in MONEY & cost.keys()}}
    return {**item, **exact}
