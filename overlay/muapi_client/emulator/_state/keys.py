"""The API keys of the account.

Lives here: keys, live and test, and finding the one a request carries. Does not live here: what a key may do.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from attrs import define, field

from muapi_client.emulator._messages.messages import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from muapi_client.emulator._messages.messages import Request


@define(eq=False)
class Key:
    """One key; its secret is shown once, when it is made."""

    id: int  # OpenAPI document: the path parameter key_id is an integer
    name: str
    secret: str = field(repr=False)
    is_test: bool
    created_at: str
    last_used_at: str | None = None

    def listed(self) -> dict[str, Any]:
        """The key as ``GET keys`` lists it, ``is_test`` included: whether the real list tells it is uncertain."""
        used = {"last_used_at": self.last_used_at} if self.last_used_at is not None else {}  # muapi-cli takes no null
        return {
            "id": self.id,
            "name": self.name,
            "is_active": True,
            "is_test": self.is_test,
            "created_at": self.created_at,
            **used,
        }


def read_secrets(live: str | Iterable[str], test: str | Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The live keys and the test keys that an emulator is made with; a text alone is one key.

    Raises:
        ValueError: One is none that a header can carry, or is among both.
    """
    both = tuple((keys,) if isinstance(keys, str) else tuple(keys) for keys in (live, test))
    if not all(re.fullmatch("[!-~]+", secret) for keys in both for secret in keys):
        raise ValueError("a key is empty, or has characters that no header can carry: use letters and digits")
    if not set(both[0]).isdisjoint(both[1]):
        raise ValueError(
            "one key is among the live keys and among the test keys, and a job's key is charged or it is not: unless "
            "others are named, sk-live is the live one and sk-test the test one"
        )
    return both[0], both[1]


@define(eq=False, repr=False)
class KeyRing:
    """Every key that works now, oldest first."""

    _keys: dict[str, Key] = field(factory=dict[str, Key], init=False)
    _made: int = field(default=0, init=False)

    def new_id(self) -> int:
        """An id no key ever had."""
        self._made += 1
        return self._made

    def add(self, key: Key) -> Key:
        """Let ``key`` work from now on."""
        self._keys[key.secret] = key
        return key

    def all(self) -> tuple[Key, ...]:
        """All of them."""
        return tuple(self._keys.values())

    @property
    def made(self) -> int:
        """How many there ever were."""
        return self._made

    def restore(self, keys: Iterable[Key], made: int) -> None:
        """Have ``keys`` in place of those there are, of ``made`` so many that ever were."""
        self._keys = {key.secret: key for key in keys}
        self._made = made

    def listed(self) -> list[dict[str, Any]]:
        """All of them, as ``GET keys`` lists them."""
        return [key.listed() for key in self._keys.values()]

    def delete(self, key_id: str) -> bool:
        """Let the key of this id work no longer; whether there was one."""
        found = next((key for key in self._keys.values() if str(key.id) == key_id), None)
        if found is not None:
            del self._keys[found.secret]
        return found is not None

    def of(self, request: Request, timestamp: str) -> Key:
        """The key that ``request`` carries, which is used at ``timestamp``.

        Raises:
            Refusal: 401 without a key, 403 with one that does not work.
        """
        secret = request.headers.get("x-api-key")
        if not secret:
            raise Refusal(401, "Not authorized")
        key = self._keys.get(secret)
        if key is None:
            raise Refusal(403, "Not authorized")
        key.last_used_at = timestamp
        return key
