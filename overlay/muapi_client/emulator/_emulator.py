"""The emulator as its users hold it.

Lives here: its options, its counters, and the lock. Does not live here:
how a request is answered (``_handlers/dispatch``).
"""

from __future__ import annotations

import math
import random
import time
from decimal import Decimal
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, Self

from attrs import evolve

from muapi_client._runtime.clock import VirtualClock
from muapi_client._runtime.forks import forks
from muapi_client._runtime.locks import ForkLock
from muapi_client.emulator._handlers.dispatch import answer_request
from muapi_client.emulator._handlers.routes import submits_job
from muapi_client.emulator._http.faults import FaultQueue, Faults, apply_fault
from muapi_client.emulator._http.request_log import Exchange, RequestLog
from muapi_client.emulator._http.served_clock import return_to_real_time
from muapi_client.emulator._messages.cost import dollars
from muapi_client.emulator._messages.timestamps import http_date
from muapi_client.emulator._spec.operations import PREFIX, read_operations
from muapi_client.emulator._state.behavior import Behavior, read_serial_kinds
from muapi_client.emulator._state.keys import read_secrets
from muapi_client.emulator._state.outcomes import Chance, OutcomeQueue, Shape
from muapi_client.emulator._state.wallet import Wallet
from muapi_client.emulator._state.world import World
from muapi_client.emulator._webhooks.deliveries import find_webhook
from muapi_client.emulator._webhooks.outbox import Outbox
from muapi_client.pinning import pinned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from muapi_client._runtime.clock import Clock
    from muapi_client.emulator._http.faults import Fault, FaultedResponse
    from muapi_client.emulator._http.httpx_transport import EmulatorTransport
    from muapi_client.emulator._http.log import LogEntry
    from muapi_client.emulator._http.server import Served
    from muapi_client.emulator._messages.messages import Request, Response
    from muapi_client.emulator._spec.kinds import JobSeconds
    from muapi_client.emulator._spec.operations import Table
    from muapi_client.emulator._state.outcomes import Outcome, Script
    from muapi_client.emulator._webhooks.deliveries import Delivery


class Emulator:
    """A MuAPI of one account, in this process.

    Args:
        live_keys: Keys that work and are charged, or one.
        test_keys: Keys, or one, that work, cost nothing, and are answered at once with samples.
        balance: What the account holds at the start, in US dollars.
        job_seconds: How long a job takes, in seconds: one number, a mapping from kind (``image``, ``video``,
            ``audio``, ``3d``, ``text``, ``data``, ``training``; the rest as usual), or a function of the kind.
            By default drawn between what is usual: a picture 20 to 60 (of a fast model 2 to 5), a video 60 to
            600 (180), a sound 10 to 60, a mesh 60 to 300, a text 1 to 10, data 1 to 5, a training 600 to 1800.
        outcomes: What accepted jobs come to, in order, or a function of slug and body; see the package.
        shape: How answers are laid out, where an outcome does not say.
        failure_rate: Share of the jobs that fail where nothing is scripted, 0 to 1.
        moderation_rate: Share of the jobs that moderation refuses, 0 to 1; both together at most 1.
        refund_rate: Share of those two whose charge is given back, 0 to 1.
        serial: Kinds (one or several) whose jobs run one after another, in one queue; ``True`` for all kinds. A
            job answered at once passes the queue by.
        result_seconds: How long a result can be had after its job's end, in seconds; then a look answers 404, and
            so do the URLs of its outputs. For ever by default.
        clock: The time jobs live in; a ``VirtualClock`` by default, which clients on the transport share. The time of
            day in answers is the clock's: of a virtual one the real time, ahead of it by what was slept, unless it was
            given an ``epoch``. While the emulator is served, it passes as it really does, however fast jobs run.
        seed: What ids, durations and failures are drawn from: the same seed and requests give the same answers, but
            for the time of day, also after :meth:`reset`. A function is asked for another one at the start and at each
            reset.
        faults: What goes wrong on the way, and how often; nothing by default.
        deliver: Called with every try to deliver a webhook; answers its HTTP status (None counts as 200) or raises
            OSError where nobody is there. A served emulator calls it in a thread, one try at a time. By default
            every webhook arrives, and ``webhooks`` tells it; a served emulator posts them.
        webhook_duplicates: How many times more than once each webhook is delivered.
        document: The OpenAPI document whose operations it answers, as parsed JSON; the pinned one by default.
        prices: What models cost, in the form that ``GET /api/v1/models`` has; the pinned list by default.
        strict_types: Whether a body's values must have the document's types as they stand. By default ``"5"`` is read
            as 5 where a number is asked, and 1 as true where a boolean is, as the server reads them.

    Raises:
        ImportError: ``jsonschema-rs`` is not installed.
        ValueError: A key is empty, is none that a header can carry, or is both live and test; ``job_seconds`` or
            ``serial`` names an unknown kind, a rate is no share, ``balance`` is no amount from 0 to 10**15, ``faults``
            are none, or ``document`` is no OpenAPI document of MuAPI's.
    """

    def __init__(
        self,
        live_keys: str | Iterable[str] = ("sk-live",),
        test_keys: str | Iterable[str] = ("sk-test",),
        balance: Decimal | float | str = Decimal(100),
        *,
        job_seconds: JobSeconds | None = None,
        outcomes: Script = (),
        shape: Shape | None = None,
        failure_rate: float = 0.0,
        moderation_rate: float = 0.0,
        refund_rate: float = 1.0,
        serial: bool | str | Iterable[str] = False,
        result_seconds: float = math.inf,
        clock: Clock | None = None,
        seed: int | Callable[[], int] = 0,
        faults: Faults | None = None,
        deliver: Callable[[Delivery], int | None] | None = None,
        webhook_duplicates: int = 0,
        document: Mapping[str, Any] | None = None,
        prices: Mapping[str, Any] | None = None,
        strict_types: bool = False,
    ) -> None:
        _need("jsonschema_rs", "jsonschema-rs")
        self.clock: Clock = clock or VirtualClock()
        self._wall_time: Callable[[], float] = getattr(self.clock, "wall_time", time.time)
        self._lock = ForkLock()
        self._request_log = RequestLog()
        self._fault_queue = FaultQueue(faults or Faults())
        self._outbox = Outbox(self._now, deliver, webhook_duplicates)
        live_keys, test_keys = read_secrets(live_keys, test_keys)
        kinds, operations = read_serial_kinds(serial), _read_operations(document, prices)

        def begin() -> World:
            world = World(
                wallet=Wallet(dollars(balance)),
                outcomes=OutcomeQueue.of(outcomes),
                shape=shape or Shape(),
                behavior=Behavior(
                    job_seconds=job_seconds,
                    failure_rate=failure_rate,
                    moderation_rate=moderation_rate,
                    refund_rate=refund_rate,
                    serial=kinds,
                    result_seconds=result_seconds,
                ),
                rng=random.Random(seed() if callable(seed) else seed),  # noqa: S311 - ids that repeat are the point
                wall_time=self._wall_time(),
                operations=operations,
                strict_types=strict_types,
            )
            for is_test, secrets in ((False, live_keys), (True, test_keys)):
                for number, secret in enumerate(secrets, 1):
                    world.new_key(f"{'test' if is_test else 'live'} {number}", is_test=is_test, secret=secret)
            return world

        self._begin: Callable[[], World] = begin
        self._world = begin()

    def transport(self) -> EmulatorTransport:
        """A transport for ``MuAPI``, ``AsyncMuAPI`` and httpx clients of both kinds, with ``.clock``."""
        from muapi_client.emulator._http.httpx_transport import EmulatorTransport  # noqa: PLC0415 - brings httpx

        return EmulatorTransport(self.meet, self.clock)

    def serve(
        self,
        port: int = 0,
        host: str = "127.0.0.1",
        *,
        speed: float | None = None,
        log: Callable[[LogEntry | Delivery], object] | None = None,
        webhooks: Literal["loopback", "anywhere"] = "loopback",
        allowed_hosts: Iterable[str] = (),
        cors: bool | Iterable[str] = True,
        control: bool | str = True,
    ) -> Served:
        """Answer over HTTP, in a thread of this process.

        Args:
            port: Where to listen; 0 picks a free port.
            host: The address to listen on; ``0.0.0.0`` lets other machines in, and no webhook is posted then.
            speed: Emulated seconds a real second, by default 60; 1 is real time. For the virtual clock only.
            log: Called with every request and every try to post a webhook, in the server's thread.
            webhooks: Where webhooks are posted to: this machine only, or anywhere, whoever asks for it.
            allowed_hosts: Names that it may be called by besides this machine's and any address, such as
                ``"emulator"`` in a compose network; under any other name it answers 421, for a page in a browser could
                be asking that has bound its name to this machine.
            cors: Whose pages may read answers in a browser: those on this machine, and with a list such as
                ``["https://app.example.com"]`` those of these origins, too (``["*"]``: all); False lets none.
            control: Whether programs on this machine may steer it under ``/emulator/``; a text is a token that whoever
                wants to steer it has to show in ``X-Emulator-Token``, from any machine.

        Returns:
            The URL, a string with ``close()``, ``port`` and a ``with`` block that closes.

        Raises:
            ImportError: ``httptools`` is not installed.
            OSError: The address cannot be listened on.
            ValueError: ``speed`` is not above 0 or not that of another server of this emulator, or the emulator was
                given a clock that goes by itself; or a host, an origin or the token is none.
        """
        _need("httptools", "httptools")
        from muapi_client.emulator._http.access import Access  # noqa: PLC0415 - as the server
        from muapi_client.emulator._http.control import Control  # noqa: PLC0415 - as the server
        from muapi_client.emulator._http.server import serve  # noqa: PLC0415 - brings asyncio and httptools

        access = Access(
            allowed_hosts,
            () if isinstance(cors, bool) else cors,
            own_origins=cors is not False,
            control=Control(self, control if isinstance(control, str) else None) if control is not False else None,
        )
        meet, reach = access.guard(self.meet, self._read_date), webhooks == "anywhere"
        return serve(
            meet, self._outbox, self.clock, self._read_date, (host, port), speed=speed, log=log, anywhere=reach
        )

    def handle(self, request: Request) -> Response:
        """Answer one request: the whole service, one request at a time, and no fault."""
        with self._lock, forks.kept_waiting:
            self._world.wall_time = self._wall_time()
            response = self._add_date(self._answer(request))
            self._request_log.add(Exchange(request, response.status))
        self._outbox.settle()
        return response

    def meet(self, request: Request) -> FaultedResponse:
        """Answer one request as transport and server do: under the fault that it meets, if any."""
        with self._lock, forks.kept_waiting:
            self._world.wall_time = self._wall_time()
            fault = self._fault_queue.take(request)
            answered = self._answer(request) if fault is None or fault.accepts else None
            faulted = apply_fault(self._fault_queue.faults, fault, answered)
            if faulted.response is not None:
                faulted = evolve(faulted, response=self._add_date(faulted.response))
            self._request_log.add(Exchange(request, faulted.status, fault))
        self._outbox.settle()
        return faulted

    def save(self) -> str:
        """The whole state as JSON text, for :meth:`load`.

        Money, keys (the emulator's own, worth nothing elsewhere), jobs, idempotency keys, uploads, storyboards, what
        was scripted and is not used up, and the options above from ``job_seconds`` to ``seed``. Not the log of
        requests, faults, webhooks (their URLs, which hold secrets, are taken out of jobs), nor options that are
        functions or iterators.
        """
        from muapi_client.emulator._state.snapshot import save_world  # noqa: PLC0415 - most emulators are never saved

        with self._lock:
            self._world.settle(self._now())
            return save_world(self._world, self._now())

    @classmethod
    def load(
        cls,
        text: str,
        *,
        job_seconds: JobSeconds | None = None,
        outcomes: Script | None = None,
        clock: Clock | None = None,
        seed: int | Callable[[], int] | None = None,
        faults: Faults | None = None,
        deliver: Callable[[Delivery], int | None] | None = None,
        webhook_duplicates: int = 0,
        document: Mapping[str, Any] | None = None,
        prices: Mapping[str, Any] | None = None,
        strict_types: bool = False,
    ) -> Self:
        """An emulator that goes on where a saved one stopped, and answers as that one would have.

        Args:
            text: What :meth:`save` gave.
            job_seconds: As for a new emulator; by default as saved.
            outcomes: As for a new emulator; by default what was left of a list. What :meth:`next` was given still
                comes first.
            clock: As for a new emulator; by default a ``VirtualClock`` that reads what it read. Time that passed
                between saving and loading counts on no clock, only for the time of day.
            seed: What ids, durations and failures are drawn from; by default from where the saved one was. Two that
                go on from one text give their jobs the same ids unless each has a seed of its own, and so does one that
                is reset unless a function is asked for another.
            faults: As for a new emulator.
            deliver: As for a new emulator.
            webhook_duplicates: As for a new emulator.
            document: As for a new emulator; a text does not hold it.
            prices: As for a new emulator.
            strict_types: As for a new emulator.

        Raises:
            ValueError: The text was not saved by an emulator of this version, or altered since, or ``job_seconds`` or
                ``outcomes`` was a function or an iterator and is not given again, or the text has jobs of another
                document: it says which.
        """
        from muapi_client.emulator._state.snapshot import Options, load_world  # noqa: PLC0415 - as in `save`

        operations = _read_operations(document, prices)

        def load() -> tuple[World, float]:
            rng = random.Random(0)  # noqa: S311 - ids that repeat are the point
            loaded = load_world(text, rng, Options(job_seconds, outcomes, operations))
            loaded[0].strict_types = strict_types
            if seed is not None:
                rng.seed(seed() if callable(seed) else seed)
            return loaded

        world, now = load()
        emulator = cls(
            (),
            (),
            clock=clock or VirtualClock(now),
            faults=faults,
            deliver=deliver,
            webhook_duplicates=webhook_duplicates,
        )

        def begin() -> World:
            again, saved = load()
            again.offset = saved - emulator.clock.now()
            return again

        emulator._begin = begin
        emulator._world = world
        world.offset = now - emulator.clock.now()
        return emulator

    def next(self, *outcomes: Outcome, model: str | None = None) -> None:
        """Let the next accepted jobs come to ``outcomes``, in this order, before anything scripted.

        Args:
            outcomes: What they come to.
            model: The slug of the model whose jobs are meant, before all others; by default whatever comes.

        Raises:
            ValueError: One is no outcome, or the document has no such model, or more than 100,000 would be waiting.
        """
        self._check_model(model)
        with self._lock:
            self._world.outcomes.add(outcomes, model)

    def sometimes(self, outcome: Outcome, share: float, *, model: str | None = None) -> None:
        """Let jobs that nothing else was chosen for come to ``outcome`` by chance, from now on until :meth:`reset`.

        Args:
            outcome: What they come to.
            share: How many of them do, 0 to 1; of several chances the first that strikes counts, and each before
                ``failure_rate`` and ``moderation_rate``. The same outcome and model again is another share of it, and
                0 none.
            model: The slug of the model whose jobs are meant; by default all.

        Raises:
            ValueError: ``share`` or ``outcome`` is none, or the document has no such model, or there are 1,000 others.
        """
        self._check_model(model)
        with self._lock:
            self._world.outcomes.add_chance(Chance(share, outcome, model))

    def next_fault(self, *faults: Fault | None) -> None:
        """Let the next requests to the API meet ``faults``, in this order, before any other; None is no fault.

        Raises:
            ValueError: One is no fault, or more than 100,000 would be waiting.
        """
        with self._lock:
            self._fault_queue.add(faults)

    def set_faults(self, faults: Faults) -> None:
        """Let what goes wrong on the way be drawn from ``faults`` from now on, and nothing else be waiting.

        Raises:
            ValueError: They are none.
        """
        with self._lock:
            self._fault_queue = FaultQueue(faults)

    def reset(self) -> None:
        """Begin anew: the account, its keys, jobs and files as this emulator was made or loaded with.

        What was scripted, faults and the log of requests are gone; webhooks to come are not sent, nor one under way
        again. Options stay; an iterator given as ``outcomes`` is not begun again. Jobs are given the ids of before
        unless ``seed`` is a function, and a client that lives on logs a warning of one that it knows.
        The clock's reading goes on, since somebody may be waiting for one; the time of day is the real one again,
        whatever was slept, unless the clock was given an ``epoch``.
        """
        if isinstance(self.clock, VirtualClock):
            return_to_real_time(self.clock)
        world = self._begin()
        with self._lock:
            self._world = world
            self._fault_queue = FaultQueue(Faults())
            self._request_log = RequestLog()
            self._outbox.clear()

    def deposit(self, amount: Decimal | float | str) -> None:
        """Pay ``amount`` US dollars into the account, as finishing a top-up's checkout would.

        Raises:
            ValueError: It is no amount from 0 to 10**15.
        """
        with self._lock:
            self._world.wallet.deposit(dollars(amount))

    @property
    def accepted(self) -> int:
        """How many jobs were accepted from live keys, ever: each was charged once."""
        return self._world.jobs.accepted

    @property
    def charged_usd(self) -> Decimal:
        """The charges for them in US dollars, less what has been refunded by now."""
        return self._settle_wallet().charged

    @property
    def balance(self) -> Decimal:
        """The account's balance now, in US dollars."""
        return self._settle_wallet().balance

    @property
    def live_keys(self) -> tuple[str, ...]:
        """The keys that work now and are charged, oldest first."""
        return self._list_secrets(is_test=False)

    @property
    def test_keys(self) -> tuple[str, ...]:
        """The keys that work now and cost nothing, oldest first."""
        return self._list_secrets(is_test=True)

    @property
    def requests(self) -> tuple[Exchange, ...]:
        """Every request seen, refused ones too, oldest first: the newest 10,000, and 32 MiB of their newest bodies.

        An older one has ``whole`` False and an empty body; the last one always has its own.
        """
        with self._lock:
            return self._request_log.all()

    @property
    def requests_seen(self) -> int:
        """How many requests were seen, those no longer in :attr:`requests` too."""
        return self._request_log.seen

    def jobs(self, limit: int | None = None) -> tuple[dict[str, Any], ...]:
        """The account's jobs as plain values, newest first: what a test in any language asks about.

        Args:
            limit: How many at most; by default all. Jobs of test keys are not among them.

        Returns:
            Of each ``id``, ``model`` (its slug), ``status`` now, ``cost_usd`` (as text, exact), ``refunded`` and
            ``created_at``.
        """
        with self._lock:
            now = self._now()
            self._world.settle(now)
            return tuple(
                {
                    "id": job.id,
                    "model": job.operation.slug,
                    "status": job.status(now),
                    "cost_usd": str(job.usd),
                    "refunded": job.refunded,
                    "created_at": job.created_at,
                }
                for job in islice(self._world.jobs.newest(), limit)
            )

    @property
    def webhooks(self) -> tuple[Delivery, ...]:
        """Every try to deliver a webhook by now, oldest first."""
        self._outbox.settle()
        return self._outbox.tries

    def _answer(self, request: Request) -> Response:
        """Answer under the lock, and have the webhook of a new job posted at its end."""
        accepted = self.accepted
        response = answer_request(self._world, request)
        if self.accepted > accepted:
            job = next(self._world.jobs.newest())
            if (url := find_webhook(request, job.body)) is not None:
                self._outbox.expect(job, url)
        return response

    def _add_date(self, response: Response) -> Response:
        return evolve(response, headers={**response.headers, "date": http_date(self._world.wall_time)})

    def _read_date(self) -> str:
        """The ``Date`` of answers that the server gives by itself."""
        return http_date(self._wall_time())

    def _now(self) -> float:
        """The emulator's time: the clock's reading, gone on from where it was saved."""
        return self.clock.now() + self._world.offset

    def _list_secrets(self, *, is_test: bool) -> tuple[str, ...]:
        with self._lock:
            return tuple(key.secret for key in self._world.keys.all() if key.is_test is is_test)

    def _settle_wallet(self) -> Wallet:
        with self._lock:
            self._world.settle(self._now())
            return self._world.wallet

    def _check_model(self, slug: str | None) -> None:
        if slug is None:
            return
        operations = self._world.operations
        try:
            operation = operations.at(f"{PREFIX}{slug}").get("POST")
        except KeyError:
            operation = None
        if operation is None or not submits_job(operations, operation):
            from difflib import get_close_matches  # noqa: PLC0415 - a misspelt name is rare

            slugs = {
                one.path.removeprefix(PREFIX): one.name for one in operations.all() if submits_job(operations, one)
            }
            near = [model for model, name in slugs.items() if name == slug] or get_close_matches(slug, slugs, n=3)
            hint = f": did you mean {', '.join(near)}?" if near else f": a model's slug stands after {PREFIX}"
            raise ValueError(f"the document has no model {slug!r}{hint}")


def _read_operations(document: Mapping[str, Any] | None, prices: Mapping[str, Any] | None) -> Table:
    if document is None and prices is None:
        return read_operations()
    from muapi_client.emulator._spec.given import make_operations  # noqa: PLC0415 - most answer the pinned document

    return make_operations(pinned().document if document is None else document, prices)


def _need(module: str, package: str) -> None:
    """Say what to install before a module that is not there is missed by its name alone.

    Raises:
        ImportError: It is not there.
    """
    if find_spec(module) is None:
        raise ImportError(
            f'the emulator needs {package}, which is not installed: pip install "muapi-client[emulator]"', name=module
        )
