"""The state of one emulated MuAPI, and the order in which a request is judged.

Lives here: what there is (wallet, keys, jobs, files, fates) and the way from a request to an answer. Does not
live here: what an operation does (``_routes`` names the rooms), what other hosts than the API answer (``_cdn``,
``_pages``).
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import define, field, frozen

from muapi_client.emulator._addresses import addressed, place_of
from muapi_client.emulator._document import operations
from muapi_client.emulator._exchanges import Refusal, Reply, Response, json_body
from muapi_client.emulator._idempotency import IdempotencyKeys
from muapi_client.emulator._jobs import JobBook
from muapi_client.emulator._keys import Key, KeyRing
from muapi_client.emulator._records import Records
from muapi_client.emulator._timestamps import iso_date
from muapi_client.emulator._validation import check_body, check_path, check_query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from muapi_client.emulator._addresses import Place
    from muapi_client.emulator._document import Operation
    from muapi_client.emulator._exchanges import Request
    from muapi_client.emulator._habits import Habits
    from muapi_client.emulator._kinds import Kind
    from muapi_client.emulator._money import Wallet
    from muapi_client.emulator._outcomes import Fates, Shape
    from muapi_client.emulator._uploads import Stored


@define(eq=False, repr=False)
class World:
    """Everything a request may change, and what a test chose.

    Args:
        wallet: The account's money.
        fates: What was scripted.
        shape: How answers are laid out, where a job does not say.
        habits: What happens where nothing was scripted.
        rng: What ids are drawn from.
        offset: What is added to the clock's reading, in seconds: after loading, time goes on from where it was.
        wall_time: The time of day, in seconds since 1970, of the request that is being answered.
        free_at: When the serial queue is empty, as a reading in seconds.
        records: The account's small things, and those that test keys see in their place.
        files: What was uploaded, by its path on the CDN.
    """

    wallet: Wallet
    fates: Fates
    shape: Shape
    habits: Habits
    rng: Random
    offset: float = 0.0
    wall_time: float = 0.0
    free_at: float = 0.0
    keys: KeyRing = field(factory=KeyRing)
    jobs: JobBook = field(factory=JobBook)
    idempotency_keys: IdempotencyKeys = field(factory=IdempotencyKeys)
    records: Records = field(factory=Records)
    sandbox: Records = field(factory=Records)
    files: dict[str, Stored] = field(factory=dict[str, "Stored"])

    def new_id(self) -> str:
        """An id not given before; the same ones in the same order for the same seed."""
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def new_key(self, name: str, *, is_test: bool, secret: str | None = None) -> Key:
        """A key that works from now on; ``secret`` is made up if not given."""
        secret = secret or f"sk-{self.rng.getrandbits(128):032x}"
        return self.keys.add(Key(self.keys.new_id(), name, secret, is_test, self.timestamp))

    def queue(self, kind: Kind, now: float, seconds: float) -> float:
        """How long a job of ``seconds`` stands in the serial queue, in seconds, and its place there."""
        if kind not in self.habits.serial:
            return 0.0
        begins = max(now, self.free_at)
        self.free_at = begins + seconds
        return begins - now

    @property
    def timestamp(self) -> str:
        """The time of day as bodies tell it."""
        return iso_date(self.wall_time)

    def settle(self, now: float) -> None:
        """Bring the wallet up to ``now``."""
        self.jobs.settle(now, self.wallet)


@frozen(eq=False, repr=False)
class Visit:
    """A request that passed every check, ready to be answered.

    Args:
        now: The emulator's time on arrival, in seconds.
        base: ``http://HOST:PORT`` for a client that reaches the emulator there, else ``""``.
    """

    request: Request
    operation: Operation
    parameters: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any
    now: float
    base: str
    _key: Key | None

    @property
    def is_test(self) -> bool:
        """Whether a test key came with it."""
        return self._key is not None and self._key.is_test


Handler: TypeAlias = "Callable[[World, Visit], Reply]"
Handlers: TypeAlias = "Callable[[Operation], Handler]"


def answer(world: World, request: Request, handler_of: Handlers) -> Response:
    """Answer ``request``: the host, then the path, then the key, then query and body, then what the operation does."""
    now = request.now + world.offset
    world.settle(now)
    if request.path.endswith("/openapi.json"):
        from muapi_client.emulator._published import published  # noqa: PLC0415 - reads 2 MB for those who ask for them

        if (document := published(request)) is not None:
            return document
    place = place_of(request)
    if place.host:
        from muapi_client.emulator._pages import elsewhere  # noqa: PLC0415 - most emulators are never asked for files

        response = elsewhere(world, request, place, now)
    else:
        response = _answer(world, request, place, now, handler_of)
    return response if not place.base else _readdressed(response, place.base)


def _answer(world: World, request: Request, place: Place, now: float, handler_of: Handlers) -> Response:
    known = False
    try:
        operation, parameters = operations().find(request.method, place.path)
        key = world.keys.of(request, world.timestamp) if operation.needs_key else None
        known = key is not None
        check_path(operation, parameters)
        query = check_query(operation, request.query)
        body = None if operation.body is None else _body(operation, request)
        visit = Visit(request, operation, parameters, query, body, now, place.base, key)
        reply = handler_of(operation)(world, visit)
    except Refusal as refusal:
        reply = Reply({"detail": refusal.detail}, None, refusal.status, refusal.headers)
    return _encoded(world, reply, known=known)


def _readdressed(response: Response, base: str) -> Response:
    """``response`` with the URLs in it as a client at ``base`` reaches them; files are left as they are."""
    headers = dict(response.headers)
    if "location" in headers:
        headers["location"] = addressed(headers["location"].encode(), base).decode()
    if not headers.get("content-type", "").startswith("application/json"):
        return Response(response.status, headers, response.body, response.chunks)
    return Response(response.status, headers, addressed(response.body, base), response.chunks)


def _body(operation: Operation, request: Request) -> Any:
    """The checked JSON body; an empty one where none was sent and none has to be."""
    if not request.body and not operation.needs_body:
        return {}
    body = json_body(request)
    check_body(operation, body)
    return body


def _encoded(world: World, reply: Reply, *, known: bool) -> Response:
    """``reply`` as bytes; the money headers of the account only for those who showed a key of it."""
    headers = {"content-type": "application/json", **reply.headers}
    if known and reply.cost is not None:
        headers |= reply.cost.headers()
        headers["X-Account-Balance"] = f"{world.wallet.balance:.4f}"
    body = b"" if reply.chunks else json.dumps(reply.body, ensure_ascii=False).encode()
    return Response(reply.status, headers, body, reply.chunks)
