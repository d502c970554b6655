"""The emulator as its users hold it.

Lives here: what is chosen at the start, what can be asked afterwards, and the lock. Does not live here:
how a request is answered (``_world``).
"""

from __future__ import annotations

import random
import threading
from collections import deque
from decimal import Decimal
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from muapi_client._clock import VirtualClock
from muapi_client.emulator._exchanges import Exchange
from muapi_client.emulator._kinds import durations
from muapi_client.emulator._money import Wallet, dollars
from muapi_client.emulator._outcomes import Fates, Shape
from muapi_client.emulator._routes import handler_of
from muapi_client.emulator._world import World, answer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from muapi_client._clock import Clock
    from muapi_client.emulator._exchanges import Request, Response
    from muapi_client.emulator._kinds import JobSeconds
    from muapi_client.emulator._outcomes import Outcome, Script
    from muapi_client.emulator._transport import EmulatorTransport

_REMEMBERED: Final = 100_000  # exchanges kept for `requests`: a soak test must not eat the memory


class Emulator:
    """A MuAPI of one account, in this process.

    Args:
        live_keys: Keys that work and are charged.
        test_keys: Keys that work, cost nothing, and are answered at once with samples.
        balance: What the account holds at the start, in US dollars.
        job_seconds: How long a job takes, in seconds: one number, a mapping from kind (``image``, ``video``,
            ``audio``, ``3d``, ``text``, ``data``, ``training``; the rest as usual), or a function of the kind.
            By default 4, 90, 20, 60, 2, 2 and 600.
        outcomes: What accepted jobs come to, in order, or a function of slug and body; see the package.
        shape: How answers are laid out, where an outcome does not say.
        clock: The time jobs live in; a ``VirtualClock`` by default, which clients on the transport share.
        seed: What ids are drawn from: the same seed and requests give the same answers.

    Raises:
        ImportError: ``jsonschema-rs`` is not installed.
        ValueError: ``job_seconds`` names an unknown kind.
    """

    def __init__(
        self,
        live_keys: Iterable[str] = ("sk-live",),
        test_keys: Iterable[str] = ("sk-test",),
        balance: Decimal | float | str = Decimal(100),
        *,
        job_seconds: JobSeconds | None = None,
        outcomes: Script = (),
        shape: Shape | None = None,
        clock: Clock | None = None,
        seed: int = 0,
    ) -> None:
        if find_spec("jsonschema_rs") is None:
            raise ImportError(
                'The emulator judges bodies with jsonschema-rs: pip install "muapi-client[emulator]"',
                name="jsonschema_rs",
            )
        self.clock: Clock = clock or VirtualClock()
        self._lock = threading.Lock()
        self._seen: deque[Exchange] = deque(maxlen=_REMEMBERED)
        self._world = World(
            wallet=Wallet(dollars(balance)),
            fates=Fates.of(outcomes),
            shape=shape or Shape(),
            duration=durations(job_seconds),
            rng=random.Random(seed),  # noqa: S311 - ids that repeat are the point
        )
        for is_test, secrets in ((False, live_keys), (True, test_keys)):
            for number, secret in enumerate(secrets, 1):
                name = f"{'test' if is_test else 'live'} {number}"
                self._world.new_key(name, self.clock.now(), is_test=is_test, secret=secret)

    def transport(self) -> EmulatorTransport:
        """A transport for ``MuAPI``, ``AsyncMuAPI`` and httpx clients of both kinds, with ``.clock``."""
        from muapi_client.emulator._transport import EmulatorTransport  # noqa: PLC0415 - brings httpx

        return EmulatorTransport(self.handle, self.clock)

    def handle(self, request: Request) -> Response:
        """Answer one request: the whole service, one request at a time."""
        with self._lock:
            response = answer(self._world, request, handler_of)
            self._seen.append(Exchange(request, response.status))
        return response

    def next(self, *outcomes: Outcome) -> None:
        """Let the next accepted jobs come to ``outcomes``, in this order, before anything scripted."""
        with self._lock:
            self._world.fates.add(outcomes)

    def deposit(self, amount: Decimal | float | str) -> None:
        """Pay ``amount`` US dollars into the account, as finishing a top-up's checkout would."""
        with self._lock:
            self._world.wallet.deposit(dollars(amount))

    @property
    def accepted(self) -> int:
        """How many jobs were accepted from live keys, ever: each was charged once."""
        return self._world.jobs.accepted

    @property
    def charged_usd(self) -> Decimal:
        """What they were charged in US dollars, less what has been refunded by now."""
        return self._settled().charged

    @property
    def balance(self) -> Decimal:
        """What the account holds now, in US dollars."""
        return self._settled().balance

    @property
    def requests(self) -> tuple[Exchange, ...]:
        """Every request seen, refused ones too, oldest first; at most the newest 100,000."""
        with self._lock:
            return tuple(self._seen)

    def _settled(self) -> Wallet:
        with self._lock:
            self._world.settle(self.clock.now())
            return self._world.wallet
