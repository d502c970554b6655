"""The state of one emulated MuAPI, and the order in which a request is judged.

Lives here: what there is (wallet, keys, jobs, fates) and the way from a request to an answer. Does not
live here: what an operation does (``_submissions``, ``_predictions``, ``_account``, ``_models``).
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import define, field, frozen

from muapi_client.emulator._document import operations
from muapi_client.emulator._exchanges import Refusal, Reply, Response, json_body
from muapi_client.emulator._jobs import JobBook
from muapi_client.emulator._keys import Key, KeyRing
from muapi_client.emulator._validation import check_body, check_query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from muapi_client.emulator._document import Operation
    from muapi_client.emulator._exchanges import Request
    from muapi_client.emulator._kinds import Kind
    from muapi_client.emulator._money import Wallet
    from muapi_client.emulator._outcomes import Fates, Shape


@define
class World:
    """Everything a request may change, and what a test chose."""

    wallet: Wallet
    fates: Fates
    shape: Shape
    duration: Callable[[Kind], float]
    rng: Random
    keys: KeyRing = field(factory=KeyRing, init=False)
    jobs: JobBook = field(factory=JobBook, init=False)

    def new_id(self) -> str:
        """An id not given before; the same ones in the same order for the same seed."""
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def new_key(self, name: str, now: float, *, is_test: bool, secret: str | None = None) -> Key:
        """A key that works from now on; ``secret`` is made up if not given."""
        secret = secret or f"sk-{self.rng.getrandbits(128):032x}"
        return self.keys.add(Key(self.keys.new_id(), name, secret, is_test, now))

    def settle(self, now: float) -> None:
        """Bring the wallet up to ``now``."""
        self.jobs.settle(now, self.wallet)


@frozen
class Visit:
    """A request that passed every check, ready to be answered."""

    request: Request
    operation: Operation
    parameters: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any
    _key: Key | None

    @property
    def now(self) -> float:
        """The clock's reading on arrival, in seconds."""
        return self.request.now

    @property
    def is_test(self) -> bool:
        """Whether a test key came with it."""
        return self._key is not None and self._key.is_test


Handler: TypeAlias = "Callable[[World, Visit], Reply]"


def answer(world: World, request: Request, handler_of: Callable[[Operation], Handler]) -> Response:
    """Answer ``request``: the path, then the key, then query and body, then what the operation does."""
    world.settle(request.now)
    known = False
    try:
        operation, parameters = operations().find(request.method, request.path)
        key = world.keys.of(request) if operation.needs_key else None
        known = key is not None
        query = check_query(operation, request.query)
        body = None
        if operation.body is not None:
            body = json_body(request)
            check_body(operation, body)
        reply = handler_of(operation)(world, Visit(request, operation, parameters, query, body, key))
    except Refusal as refusal:
        reply = Reply({"detail": refusal.detail}, None, refusal.status, refusal.headers)
    return _encoded(world, reply, known=known)


def _encoded(world: World, reply: Reply, *, known: bool) -> Response:
    """``reply`` as bytes; the money headers of the account only for those who showed a key of it."""
    headers = {"content-type": "application/json", **reply.headers}
    if known and reply.cost is not None:
        headers |= reply.cost.headers()
        headers["X-Account-Balance"] = f"{world.wallet.balance:.4f}"
    return Response(reply.status, headers, json.dumps(reply.body, ensure_ascii=False).encode())
