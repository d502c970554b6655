"""What ``MuAPI`` and ``AsyncMuAPI`` share: their options, and what they have learnt about money.

Does not live here: the methods (``_client``, ``_async_client``), which flow each is (``_flows``), I/O (``_driver``).
"""

from __future__ import annotations

from copy import copy
from os import urandom
from typing import TYPE_CHECKING, Any, Literal, Self

from muapi_client._clock import SystemClock
from muapi_client._config import APIKey, read_amount, read_expect, read_key, read_origin, read_seconds
from muapi_client._cost import Ledger, Spend
from muapi_client._polling import Polling
from muapi_client._retry import Retry
from muapi_client._shelf import Shelf
from muapi_client._standing import Standing
from muapi_client._terms import Terms
from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal
    from os import PathLike
    from types import ModuleType

    from muapi_client._clock import Clock
    from muapi_client._journal import Entry, Journal

HISTORY_LOOKED_THROUGH = 300  # items, for a lost submit: more than a client submits while one answer is awaited
OPTIONS = frozenset(
    {"expect", "max_spend", "models", "timeout", "wait_timeout", "retry", "polling", "strict", "webhook", "team_id"}
)


class Client:
    """What both clients share."""

    _origin = ""  # for the repr of a client whose options were refused
    _connect: Callable[[Any], Any]

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        timeout: float = 60.0,
        wait_timeout: float = 1800.0,
        retry: Retry | None = None,
        polling: Polling | None = None,
        max_spend: Decimal | None = None,
        expect: Literal["live", "sandbox"] | None = None,
        strict: bool = True,
        webhook: str | None = None,
        team_id: int | None = None,
        journal: Journal | str | PathLike[str] | None = None,
        spec_pin: str | PathLike[str] | None = None,
        models: ModuleType | str | None = None,
        allow_http: bool = False,
        transport: Any = None,
        clock: Clock | None = None,
    ) -> None:
        """Read the options; nothing is sent and no connection opened.

        Args:
            api_key: The API key; by default ``MUAPI_API_KEY``.
            base_url: Where the API is, with or without ``/api/v1``; by default ``MUAPI_BASE_URL``, else
                ``https://api.muapi.ai``.
            timeout: Seconds for one exchange, connecting and reading all of the answer included.
            wait_timeout: Seconds for one wait for a job's end (observed: at worst 30 minutes).
            retry: How often a failed exchange is sent again, where that cannot charge twice.
            polling: How often a job is looked at.
            max_spend: The most this client may spend, in USD; a submit that would pass it is refused.
            expect: The kind of key this is meant to be: a live one, or a sandbox (test) key. Checked before the first
                submit by ``GET keys``, which is free, and on every answer, those about jobs from elsewhere included;
                by default either will do, and the first sandbox answer is warned of.
            strict: Whether inputs are checked against the pinned document before anything is sent. False leaves it
                to the server, which may know newer fields.
            webhook: A URL that is told of every job's end (query parameter ``webhook``).
            team_id: The team that is charged, by its number.
            journal: A file, made where there is none, that knows of every paid job: written before a submit leaves
                and after each answer, so that a crash loses none. Several processes may share it.
            spec_pin: The document this program was written against: its sha256, or the path of a ``muapi.lock``
                (``muapi-client spec lock``). On another document the client refuses to start.
            models: A generated package of another document (``muapi-client spec build``): jobs are checked, priced and
                answered by that document, whichever package made the call. By default each by the one that made it.
            allow_http: Whether the key may go in clear text to another machine.
            transport: An httpx transport to use in place of the network: the emulator's, or a test's. What it was given
                counts as sent, whatever it raises, unless it is httpx's own or has ``tells_when_sent = True`` and calls
                or passes on ``request.extensions["trace"]`` (httpcore's) when a request leaves.
            clock: The clock to run on; by default the transport's ``clock`` where it has one, else the system's.

        Raises:
            AuthenticationError: There is no usable key.
            JournalError: The journal cannot be opened.
            SpecPinError: This package was rendered from another document than ``spec_pin`` asks for.
            MuAPIError: An option cannot be right.
        """
        try:
            self._key: APIKey = read_key(api_key)
        finally:
            del api_key  # a traceback that shows locals shows no secret
        if spec_pin is not None:
            check_pin(spec_pin, models)
        self._origin = read_origin(base_url, allow_http=allow_http)
        self._connections = self._connect(transport)
        self._storage = self._connect(transport)  # files move over connections of their own, without the key
        self._shelf = Shelf()
        self._clock: Clock = clock or getattr(transport, "clock", None) or SystemClock()
        self._max_spend = None if max_spend is None else read_amount("max_spend", max_spend)
        self._ledger = Ledger()
        self._terms = Terms(
            retry=retry or Retry(),
            polling=polling or Polling(),
            timeout=read_seconds("timeout", timeout),
            wait_timeout=read_seconds("wait_timeout", wait_timeout),
            strict=strict,
            webhook=webhook,
            team_id=team_id,
            draw=draw,
            note=self._ledger.note,
            journal=read_journal(journal),
            standing=Standing(),
            expect=read_expect(expect),
            models=read_models(models),
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self._origin!r})"

    @property
    def spend(self) -> Spend:
        """What this client's jobs have cost so far: exact, each counted once, refunds taken off."""
        return self._ledger.spend

    @property
    def account_balance(self) -> Decimal | None:
        """What was left in the account by the last answer that told it (``X-Account-Balance``), in USD, or None."""
        return self._ledger.balance

    def with_options(self, **changes: Any) -> Self:
        """The same client with other options: connections, key and spend are shared, and one ``close()`` closes both.

        Args:
            changes: Any of ``timeout``, ``wait_timeout``, ``retry``, ``polling``, ``strict``, ``webhook``,
                ``team_id``, ``max_spend``, ``expect``, ``models``, as for the client itself.

        Raises:
            MuAPIError: Some other option is named, or one cannot be right.
        """
        if unknown := changes.keys() - OPTIONS:
            raise MuAPIError(f"with_options() cannot change {', '.join(sorted(unknown))}: make a new client for that")
        for name, kind in (("retry", Retry), ("polling", Polling)):
            if not isinstance(changes.get(name, kind()), kind):
                raise MuAPIError(f"{name} must be a {kind.__name__}, not {changes[name]!r}")
        for name in changes.keys() & {"timeout", "wait_timeout"}:
            changes[name] = read_seconds(name, changes[name])
        if "expect" in changes:
            changes["expect"] = read_expect(changes["expect"])
        if "models" in changes:
            changes["models"] = read_models(changes["models"])
        limit = changes.pop("max_spend", self._max_spend)
        other = copy(self)
        other.__dict__["_max_spend"] = None if limit is None else read_amount("max_spend", limit)
        other.__dict__["_terms"] = self._terms._replace(**changes)
        return other

    @property
    def _journal(self) -> Journal:
        if self._terms.journal is None:
            raise MuAPIError("this client has no journal: pass journal= a path")
        return self._terms.journal

    def unknown(self) -> list[Entry]:
        """The submits of the journal that may have been charged and whose job is not known, oldest first.

        Raises:
            JournalError: The journal cannot be read.
            MuAPIError: The client has no journal.
        """
        return self._journal.unknown()


def check_pin(spec_pin: str | PathLike[str], models: ModuleType | str | None) -> None:
    """Refuse another document than the pinned one."""
    from muapi_client._spec_pin import check  # noqa: PLC0415 - most programs pin nothing

    check(spec_pin, models)


def read_models(given: ModuleType | str | None) -> str | None:
    """The name of the generated package given."""
    if given is None:
        return None
    from muapi_client._packages import read_package  # noqa: PLC0415 - most programs have one document

    return read_package(given)


def draw() -> float:
    """A random number from 0 to 1, for jitter; the operating system's, since importing ``random`` takes 3 ms."""
    return int.from_bytes(urandom(4)) / 2**32


def read_journal(given: Journal | str | PathLike[str] | None) -> Journal | None:
    """The journal given, or the one at the path given."""
    if given is None:
        return None
    from muapi_client._journal import Journal  # noqa: PLC0415 - imports sqlite3

    return given if isinstance(given, Journal) else Journal(given)
