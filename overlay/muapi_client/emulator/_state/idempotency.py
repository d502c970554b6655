"""Idempotency keys: the answers that submits were given under one.

Lives here: remembering those answers, and telling a repeated request from another one. Does not live here: accepting a
job (``_handlers/submissions``).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from muapi_client.emulator._messages.cost import Cost, dollars
from muapi_client.emulator._messages.messages import Reply, build_problem, invalid_error

if TYPE_CHECKING:
    from collections.abc import Mapping

FIELD: Final = "idempotency_key"  # of a body; only some operations declare it
_REUSED: Final = "This key was used for another request: repeat that one as it was, or choose another key"


class IdempotencyKeys:
    """Every key under which a submit was accepted, for ever: live keys and test keys share none."""

    def __init__(self) -> None:
        # By kind of key and idempotency key: the request as a hash, since bodies are large and hold the URLs of
        # webhooks, and its answer.
        self._answered: dict[tuple[bool, str], tuple[str, Reply]] = {}

    def find_reply(self, key: str, path: str, body: Mapping[str, Any], *, is_test: bool) -> Reply | None:
        """The answer that the same request was given under ``key``; ``None`` where the key is new.

        Raises:
            Refusal: 422 if the key was used for another path or body.
        """
        if (is_test, key) not in self._answered:
            return None
        request, reply = self._answered[is_test, key]
        if request != _fingerprint(path, body):
            raise invalid_error(build_problem("value_error", ("body", FIELD), _REUSED, key))
        return reply

    def remember(self, key: str, path: str, body: Mapping[str, Any], reply: Reply, *, is_test: bool) -> None:
        """Answer the same request under ``key`` with ``reply`` from now on."""
        self._answered[is_test, key] = _fingerprint(path, body), reply

    def plain(self) -> list[Any]:
        """Everything as JSON."""
        return [
            [is_test, key, request, _plain_reply(reply)] for (is_test, key), (request, reply) in self._answered.items()
        ]

    @classmethod
    def of(cls, plain: list[Any]) -> IdempotencyKeys:
        """From what :meth:`plain` gave."""
        keys = cls()
        keys._answered = {(is_test, key): (request, _restore_reply(reply)) for is_test, key, request, reply in plain}
        return keys


def _fingerprint(path: str, body: Mapping[str, Any]) -> str:
    from hashlib import blake2b  # noqa: PLC0415 - 4 ms of an emulator's start, and most see no idempotency key

    return blake2b(json.dumps([path, body], sort_keys=True).encode(), digest_size=16).hexdigest()


def _plain_reply(reply: Reply) -> dict[str, Any]:
    cost = reply.cost
    return {
        "status": reply.status,
        "body": reply.body,
        "cost": None if cost is None else [str(cost.usd), cost.bonus_credits, cost.refunded],
    }


def _restore_reply(plain: Mapping[str, Any]) -> Reply:
    cost = None
    if plain["cost"] is not None:
        usd, bonus_credits, refunded = plain["cost"]
        cost = Cost(dollars(usd), bonus_credits, refunded)
    return Reply(plain["body"], cost, plain["status"])
