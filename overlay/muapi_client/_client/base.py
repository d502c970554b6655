"""What ``MuAPI`` and ``AsyncMuAPI`` share: their options, and what they have learnt about money.

Lives here: what a client is made of. Does not live here: the methods (``client``, ``async_client``), which flow each is
(``flows``), I/O (``_transport.driver``).
"""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from decimal import Decimal
from functools import cache, partial
from os import PathLike, urandom
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypedDict, Unpack
from weakref import WeakSet

from attrs import evolve

from muapi_client import _state  # noqa: TC001 - a string annotation is resolved by it
from muapi_client._protocol.telemetry import is_traced, load_spans
from muapi_client._runtime.clock import Clock, SystemClock
from muapi_client._runtime.forks import forks
from muapi_client._settings.api_key import APIKey, read_key
from muapi_client._settings.arguments import require_job
from muapi_client._settings.options import (
    read_amount,
    read_clock,
    read_count,
    read_expect,
    read_flag,
    read_host,
    read_instance,
    read_origin,
    read_positive,
    read_seconds,
    read_transport,
)
from muapi_client._settings.polling import Polling
from muapi_client._settings.retry import Retry
from muapi_client._settings.webhook import read_webhook
from muapi_client._state.context import Context
from muapi_client._state.durations import Durations
from muapi_client._state.key_state import KeyState
from muapi_client._state.ledger import Ledger, Spend
from muapi_client._state.look_rate import LookRate
from muapi_client._state.memory import Memory
from muapi_client._state.pace import Pace
from muapi_client._state.upload_cache import UploadCache
from muapi_client._state.waiters import wake
from muapi_client._types.access import Access
from muapi_client._types.budget import Budget, read_budgets
from muapi_client._types.hint import Hint
from muapi_client._types.job import Job
from muapi_client.errors import MuAPIError
from muapi_generated.types import Call

if TYPE_CHECKING:
    from muapi_client._client.flows import Flows
    from muapi_client._state.journal.base import BaseJournal


@cache
def load_flows() -> "Callable[[Any, Any], Flows]":
    """What makes the flows of a client, loaded with the first call, and once: an import takes 1 us each time."""
    with forks.kept_waiting:
        from muapi_client._client.flows import make_flows  # noqa: PLC0415 - imports much that no import need pay for

    return make_flows


@cache
def load_driver() -> ModuleType:
    """What carries out flows, loaded like :func:`load_flows`."""
    with forks.kept_waiting:
        from muapi_client._transport import driver  # noqa: PLC0415 - imports httpx

    return driver


class Changes(TypedDict, total=False):
    """What ``with_options`` may change."""

    timeout: float
    wait_timeout: float
    retry: Retry | None
    polling: Polling | None
    looks_per_second: float | None
    max_spend: Decimal | None
    unpriced: Decimal | None
    budget: Budget | Sequence[Budget] | None
    expect: Literal["live", "sandbox"] | None
    strict: bool
    webhook: str | None
    team_id: int | None
    reuse: bool
    tag: str | None
    models: ModuleType | str | None
    allow_private_downloads: bool


class Client:
    """The common part of both clients."""

    _origin = ""  # for the repr of a client whose options were refused
    _connect: Callable[..., Any]
    _handler: str  # the method of a transport that this kind of client calls
    _awaits: bool

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        timeout: float = 60.0,
        wait_timeout: float = 1800.0,
        retry: Retry | None = None,
        polling: Polling | None = None,
        looks_per_second: float | None = None,
        max_spend: Decimal | None = None,
        unpriced: Decimal | None = None,
        budget: Budget | Sequence[Budget] | None = None,
        expect: Literal["live", "sandbox"] | None = None,
        strict: bool = True,
        webhook: str | None = None,
        team_id: int | None = None,
        journal: "_state.Journal | _state.PostgresJournal | str | PathLike[str] | None" = None,
        reuse: bool = False,
        tag: str | None = None,
        spec_pin: str | PathLike[str] | None = None,
        models: ModuleType | str | None = None,
        allow_http: bool = False,
        allow_private_downloads: bool = False,
        max_connections: int = 100,  # Linux lets a process have 1,024 files open unless told otherwise
        transport: Any = None,
        clock: Clock | None = None,
    ) -> None:
        """Read the options; nothing is sent and no connection opened.

        Args:
            api_key: The API key; by default ``MUAPI_API_KEY``.
            base_url: Where the API is, with or without ``/api/v1``; by default ``MUAPI_BASE_URL``, else
                ``https://api.muapi.ai``.
            timeout: Seconds for one exchange, connecting and reading all of the answer included. In ``MuAPI``, looking
                up a host's name takes as long as the system lets it.
            wait_timeout: Seconds for one wait for a job's end (observed: at worst 30 minutes).
            retry: How often a failed exchange is sent again, where that cannot charge twice.
            polling: How often a job is looked at; by default by how long the model's jobs took, this client's and
                those in its journal. A ``Polling(…)`` is kept to as it says.
            looks_per_second: How many looks a second all waits of this client send together, in whatever thread or
                task: ``wait``, ``run`` and ``map``. What is due earlier looks earlier, the others are late; deadlines
                hold meanwhile, and no submit waits for a look. By default as many as are due, since nothing is known
                of what MuAPI allows: 10,000 jobs looked at every 10 s are 1,000 a second.
            max_spend: The most this client may spend, in USD; a submit that would pass it is refused, and so is one
                whose price nobody tells. 0 sends nothing.
            unpriced: What to set aside within ``max_spend`` or a budget, in USD, for a job whose price nobody tells:
                no estimate and no price in the catalogue, as for raw calls and many streams. By default such a job is
                refused.
            budget: What jobs may cost together, a ``Budget`` or several: kept in the journal, it holds over every
                process that shares it.
            expect: The kind of key this is meant to be: a live one, or a sandbox (test) key. Checked before the first
                submit by ``GET keys``, which is free, and on every answer, those about jobs from elsewhere included;
                by default either will do, and the first sandbox answer is warned of.
            strict: Whether inputs are checked against the pinned document before anything is sent. False leaves it
                to the server, which may know newer fields.
            webhook: A URL that is notified of every job's end (query parameter ``webhook``).
            team_id: The team that is charged, by its number.
            journal: A file, made where there is none, that knows of every paid job: written before a submit leaves
                and after each answer, so that a crash loses none. Several processes may share it; those of many
                machines share a database, ``postgresql://user:password@host/name``.
            reuse: Whether ``run``, ``submit`` and ``map`` answer a call that asks what a completed one of this API key
                did by that one's answer, which the journal has, where all of its outputs can still be fetched:
                ``prediction.reused``. Nothing is submitted then and nothing charged, and no webhook comes. One that
                was accepted and has not ended is waited for, and its end is the answer unless it failed or is lost;
                ``submit`` hands out its job, unless a webhook is to tell the end. Where one may have been charged and
                nobody knows its job, ``SubmitOutcomeUnknownError`` says so again, and nothing is sent. Two calls
                ask the same where operation, parameters, body and the contents of local files are the same, and what
                the pinned document says of the operation. Calls with files of a form or cookies are always submitted.
            tag: Your word for what this client submits, kept in the journal with each job and never sent.
            spec_pin: What this program was written against: the sha256 of a document, and on another one the client
                refuses to start; or the path of a ``muapi.lock`` (``muapi-client spec lock``), and it refuses where a
                function in that changed or is gone, as ``muapi-client spec verify --lock`` does.
            models: A generated package of another document (``muapi-client spec build``): jobs are checked, priced and
                answered by that document, whichever package made the call. By default each by the one that made it.
            allow_http: Whether the key may go in clear text to another machine.
            allow_private_downloads: Whether outputs are fetched from, and large files handed to, loopback, private and
                link-local addresses, as split-horizon DNS and storage of one's own need. By default they are where
                the API itself is on such an address, and refused elsewhere, redirects and every address that a name
                resolves to included. Behind a proxy, which resolves names itself, and over a ``transport``, the name
                alone is judged.
            max_connections: How many connections to the API may be open at a time, and to each host that files move to
                or from. An exchange that finds all in use waits for one within its ``timeout``, and was not sent where
                that ends before. One connection carries a few hundred exchanges a second, however many jobs are out;
                of ``AsyncMuAPI`` each event loop has as many. A ``transport`` of yours has its own limits.
            transport: An httpx transport to use in place of the network: the emulator's, or a test's. What it was given
                counts as sent, whatever it raises, unless it is httpx's own or has ``tells_when_sent = True`` and calls
                or passes on ``request.extensions["trace"]`` (httpcore's) when a request leaves.
            clock: The clock to run on; by default the transport's ``clock`` where it has one, else the system's.

        Raises:
            AuthenticationError: There is no usable key.
            JournalError: The journal cannot be opened.
            SpecPinError: This package was rendered from another document than ``spec_pin`` asks for, or from one that
                says something else of a locked function.
            MuAPIError: An option cannot be right.
        """
        try:
            journal = hide_address(journal)
            self._key: APIKey = read_key(api_key)
            notified = read_webhook(webhook)
        finally:
            del api_key, webhook  # a traceback that shows locals shows no secret
        self._key.hide_too([notified.reveal()] if notified else [])
        if spec_pin is not None:
            check_pin(spec_pin, models)
        self._origin = read_origin(base_url, allow_http=read_flag("allow_http", allow_http))
        transport = read_transport(transport, self._handler)
        options = read_options(
            retry=retry,
            polling=polling,
            looks_per_second=looks_per_second,
            timeout=timeout,
            wait_timeout=wait_timeout,
            strict=strict,
            webhook=notified,
            team_id=team_id,
            max_spend=max_spend,
            unpriced=unpriced,
            budget=budget,
            expect=expect,
            models=models,
            reuse=reuse,
            tag=tag,
            allow_private_downloads=allow_private_downloads,
        )
        connect = partial(self._connect, transport, most=read_count("max_connections", max_connections))
        self._connections = connect()
        # Files move over connections of their own, without the key: to public addresses, or to any.
        self._storage = connect(read_host(self._origin))
        self._any_storage = connect()
        self._upload_cache = UploadCache()
        self._maps: WeakSet[Any] = WeakSet()  # under way
        self._clock: Clock = read_clock(clock) or getattr(transport, "clock", None) or SystemClock()
        memory = Memory()
        self._ledger = Ledger(memory, listed_price)
        opened = open_journal(journal) if journal is not None else None
        self._own_journal = opened if opened is not journal else None  # what this client opened, it closes
        self._context = Context(
            **options,
            random=draw_random,
            memory=memory,
            ledger=self._ledger,
            key_state=KeyState(),
            pace=Pace(),
            durations=Durations(),
            journal=opened,
            account=opened.account(self._origin, self._key) if opened is not None else None,
            origin=self._origin,
            access=Access(
                origin=self._origin,
                allow_private=options["allow_private_downloads"],
                awaits=self._awaits,
                has_transport=transport is not None,
                transport=transport,
                clock=self._clock,
                key=self._key,
            ),
        )
        require_journal(self._context)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self._origin!r})"

    @property
    def spend(self) -> Spend:
        """What this client's jobs have cost so far: exact, each counted once, refunds taken off."""
        return self._ledger.spend

    @property
    def account_balance(self) -> Decimal | None:
        """What was left in the account by the last answer that reported it (``X-Account-Balance``), in USD, or None."""
        return self._ledger.balance

    def wake(self, hint_or_id: Hint | Job | str) -> bool:
        """Have whoever waits for a job look at once, because a webhook says that it has ended.

        A hint is unverified, so it causes a look and nothing else: one however many come, none sooner than a second
        after the look before or than the server asked for by Retry-After, and within ``looks_per_second``. A job that
        runs on is looked at as before. Of ``MuAPI`` and ``AsyncMuAPI`` alike it sends nothing, waits for nothing, and
        may be called in any thread and event loop, for waits of any client in this process that asks the same API.

        Args:
            hint_or_id: What ``webhooks.receive`` answered, a job, or its id.

        Returns:
            Whether anybody waits for the job here. Where nobody does yet, a wait that begins soon looks at once.

        Raises:
            MuAPIError: It is something else.
        """
        if not isinstance(hint_or_id, Hint):
            require_job(hint_or_id, "wake")
        return wake(self._origin, hint_or_id if isinstance(hint_or_id, str) else hint_or_id.id)

    def _end_spans(self) -> None:
        """End the spans of jobs whose end this client will not see."""
        if is_traced():
            load_spans().end_all(self._context.memory)

    def with_options(self, **changes: Unpack[Changes]) -> Self:
        """The same client with other options: connections, key and spend are shared, and one ``close()`` closes both.

        Args:
            changes: Any of ``timeout``, ``wait_timeout``, ``retry``, ``polling``, ``looks_per_second``, ``strict``,
                ``webhook``, ``team_id``, ``max_spend``, ``unpriced``, ``budget``, ``expect``, ``models``, ``reuse``,
                ``tag``, ``allow_private_downloads``, as for the client itself. A ``looks_per_second`` given here is
                counted beside this client's, which is shared otherwise.

        Raises:
            MuAPIError: Some other option is named, or one cannot be right.
        """
        if "webhook" in changes:  # before anything else is refused: a traceback that shows locals shows no secret
            notified = read_webhook(changes["webhook"])
            changes["webhook"] = notified  # type: ignore[typeddict-item]  # hidden in a value
            self._key.hide_too([notified.reveal()] if notified else [])
        if unknown := changes.keys() - OPTIONS.keys():
            raise MuAPIError(f"with_options() cannot change {', '.join(sorted(unknown))}: make a new client for that")
        other = copy(self)
        context = self._context._replace(**read_options(**changes))
        context = context._replace(access=evolve(context.access, allow_private=context.allow_private_downloads))
        require_journal(context)
        other.__dict__["_context"] = context
        return other


def require_journal(context: Context) -> None:
    """Refuse what the journal does, ``reuse`` and ``budget``, where there is no journal.

    Raises:
        MuAPIError: One of them is on, and there is none.
    """
    if context.reuse and context.journal is None:
        raise MuAPIError(
            "reuse=True answers from the journal, and this client has none: MuAPI(journal='jobs.db', reuse=True)"
        )
    if context.budget and context.journal is None:
        raise MuAPIError(
            "budget= is kept in the journal, over every process that shares it, and this client has none:"
            " MuAPI(journal='jobs.db', budget=…); max_spend= is the limit of one client"
        )


def check_pin(spec_pin: str | PathLike[str], models: ModuleType | str | None) -> None:
    """Refuse another document than the pinned one."""
    with forks.kept_waiting:
        from muapi_client._client.spec_pin import check  # noqa: PLC0415 - most programs pin nothing

    check(spec_pin, models)


def read_models(given: ModuleType | str | None) -> str | None:
    """The name of the generated package given."""
    if given is None:
        return None
    with forks.kept_waiting:
        from muapi_client._spec.packages import read_package  # noqa: PLC0415 - most programs have one document

    return read_package(given)


def draw_random() -> float:
    """A random number from 0 to 1, for jitter; the operating system's, since importing ``random`` takes 3 ms."""
    return int.from_bytes(urandom(4)) / 2**32


def hide_address(journal: Any) -> Any:
    """The journal given; the address of a database as a value that shows its password to nobody."""
    if not isinstance(journal, str) or not ("://" in journal or "=" in journal or "postgres" in journal):
        return journal
    with forks.kept_waiting:
        from muapi_client._settings.database import DatabaseAddress, means_server  # noqa: PLC0415 - a fleet's alone

    is_one = "://" in journal or means_server(journal)  # of whatever kind: it may hold a password
    return DatabaseAddress(journal) if is_one else journal


def open_journal(given: Any) -> "BaseJournal":
    """The journal given, or the one at the path or address given."""
    with forks.kept_waiting:
        from muapi_client._settings.database import DatabaseAddress  # noqa: PLC0415 - as above
        from muapi_client._state.journal.base import BaseJournal  # noqa: PLC0415 - most programs have none

        if isinstance(given, BaseJournal):
            return given
        if isinstance(given, DatabaseAddress):
            from muapi_client._state.journal.postgres import PostgresJournal  # noqa: PLC0415 - as above

            address: Any = given  # which a user gives as text
            return PostgresJournal(address)
        from muapi_client._state.journal.sqlite import Journal  # noqa: PLC0415 - imports sqlite3

    return Journal(given)


def listed_price(call: Call[Any]) -> Decimal | None:
    """The representative price of a call's model in the price catalogue, in USD, or None where it has none."""
    with forks.kept_waiting:
        from muapi_client._jobs.budget import listed_price as read_price  # noqa: PLC0415 - loads the catalogue

    return read_price(call)


OPTIONS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "allow_private_downloads": partial(read_flag, "allow_private_downloads"),
    "budget": read_budgets,
    "expect": read_expect,
    "looks_per_second": lambda value: (
        None if value is None else LookRate(read_positive("looks_per_second", value, "looks a second"))
    ),
    "max_spend": lambda value: None if value is None else read_amount("max_spend", value),
    "models": read_models,
    "polling": lambda value: read_instance("polling", value, Polling, example="a Polling(…)") or Polling(learn=True),
    "retry": lambda value: (
        read_instance("retry", value, Retry, example="a Retry(…), such as Retry(attempts=3)") or Retry()
    ),
    "reuse": partial(read_flag, "reuse"),
    "strict": partial(read_flag, "strict"),
    "tag": lambda value: read_instance("tag", value, str, example="text"),
    "team_id": lambda value: read_instance("team_id", value, int, example="the team's number"),
    "timeout": partial(read_seconds, "timeout"),
    "unpriced": lambda value: None if value is None else read_amount("unpriced", value),
    "wait_timeout": partial(read_seconds, "wait_timeout"),
    "webhook": lambda value: value,  # read before
}
"""What ``with_options`` may change, and what reads it."""


def read_options(**given: Any) -> dict[str, Any]:
    """Read options of :data:`OPTIONS`, each by its reader.

    Raises:
        MuAPIError: One cannot be right.
    """
    return {name: OPTIONS[name](value) for name, value in given.items()}
