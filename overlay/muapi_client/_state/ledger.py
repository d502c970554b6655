"""The total cost of a client's requests, and what of its limit is set aside.

Lives here: exact sums. Does not live here: reading a cost out of an answer (``_protocol/job_answer``), deciding what
a job may cost (``_jobs/budget``).

Each request counts once, by its id: submit and result both tell the same charge, and a later refund replaces it, so the
last word counts. Each submission sets aside once, by its record's key, however often it is asked. A sum and what it is
the sum of change in one statement, so that an interrupt between two lines leaves no wrong sum.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from muapi_client._runtime.forks import forks
from muapi_client._runtime.locks import ForkLock
from muapi_client._state.memory import Memory, Record, update_cost
from muapi_client._types.cost import Cost
from muapi_client._types.money import EXACT, ZERO, total
from muapi_generated.types import Call


class Spend:
    """What a client's requests cost together: exact, each counted once by its id, refunds taken off. A live view."""

    __module__ = "muapi_client"

    def __init__(self, ledger: "Ledger") -> None:
        self._ledger = ledger

    def __repr__(self) -> str:
        return (
            f"Spend(total_usd={self.total_usd}, in_doubt_usd={self.in_doubt_usd}, reserved_usd={self.reserved_usd},"
            f" requests={self.requests}, unpriced={self.unpriced})"
        )

    def _repr_html_(self) -> str:
        with forks.kept_waiting:
            from muapi_client._html.spend import spend_card  # noqa: PLC0415 - for notebooks alone

        return spend_card(self)

    @property
    def total_usd(self) -> Decimal:
        """The sum of what was charged, in USD, refunds taken off."""
        return self._ledger.sums.charged

    @property
    def refunded_usd(self) -> Decimal:
        """The sum of what was charged and given back, in USD."""
        return self._ledger.sums.refunded

    @property
    def in_doubt_usd(self) -> Decimal:
        """What may have been charged besides, in USD, by estimate: submits whose outcome is unknown.

        Apart from ``total_usd``, and a part of ``reserved_usd``. A submit that nobody can price counts as nothing here;
        ``mu.unknown()`` lists it all the same.
        """
        return self._ledger.in_doubt()

    @property
    def reserved_usd(self) -> Decimal:
        """What is set aside, in USD, for requests whose cost is not known: under way, without a cost, or in doubt."""
        return self._ledger.reserved()

    @property
    def requests(self) -> int:
        """How many requests were accepted."""
        return self._ledger.sums.requests

    @property
    def unpriced(self) -> int:
        """How many accepted requests have no reported cost: their charge is unknown, not zero."""
        return self._ledger.sums.unpriced


class Sums(NamedTuple):
    """The sums of one moment, in USD but for the counts."""

    charged: Decimal = ZERO
    refunded: Decimal = ZERO
    requests: int = 0
    unpriced: int = 0


class Overrun(NamedTuple):
    """A job that cost more than was set aside for it."""

    slug: str
    set_aside_usd: Decimal
    charged_usd: Decimal


class Ledger:
    """The books of one client. Shared by ``with_options``; threads may share it.

    Args:
        memory: The client's submissions, for what is in doubt.
        listed_price: What the price list tells of a call, in USD, or None; asked only for what is in doubt.
    """

    def __init__(self, memory: Memory, listed_price: Callable[[Call[Any]], Decimal | None]) -> None:
        self.spend = Spend(self)
        self.balance: Decimal | None = None  # the last one reported, in USD
        self.sums = Sums()
        self.overruns: list[Overrun] = []  # not warned of yet
        self._memory = memory
        self._listed_price = listed_price
        self._lock = ForkLock()
        self._costs: dict[str, Cost | None] = {}  # by request id, or by key where there is none
        self._aside: dict[str, Decimal] = {}  # by key, in USD
        self._reserved = ZERO  # the sum of it
        self._keys: dict[str, tuple[str, ...]] = {}  # of the submissions accepted under an id, until its cost is known
        self._doubtful: set[str] = set()  # keys of finished answers that reported neither an id nor a cost
        self._unpriced: set[str] = set()  # keys of accepted jobs whose cost nobody has reported, with nothing set aside
        self._highest: dict[str, Decimal] = {}  # by slug: the charge that passed what was set aside

    def note_balance(self, balance: Decimal | None) -> None:
        """Take note of what is left in the account, in USD, where an answer reported it."""
        if balance is not None:
            self.balance = balance

    def record(self, request: str, cost: Cost | None) -> None:
        """Take note of what an answer reported of one accepted request; silence changes nothing.

        Args:
            request: Its id, or its record's key where it has none.
            cost: What was reported, or None.
        """
        with self._lock:
            known = request in self._costs
            before = self._costs.get(request)
            now = update_cost(before, cost)
            if not known or now is not before:  # most looks repeat what was told before
                sums = Sums(
                    EXACT.subtract(EXACT.add(self.sums.charged, _charged(now)), _charged(before)),
                    EXACT.subtract(EXACT.add(self.sums.refunded, _given_back(now)), _given_back(before)),
                    self.sums.requests + (not known),
                    self.sums.unpriced + (now is None) - (known and before is None),
                )
                self._costs[request], self.sums = now, sums
        if cost is not None:
            keys = self._keys.get(request)
            for key in keys or (request,):
                self._settle(key, cost)
            with self._lock:
                if self._keys.get(request) is keys:  # else another was accepted under the id meanwhile
                    self._keys.pop(request, None)

    def reserve(self, key: str, amount: Decimal, limit: Decimal) -> bool:
        """Set ``amount`` USD aside for a submission unless that would pass ``limit``; threads may compete for it.

        Where the limit is reached already nothing may go, not even what is free: a limit of 0 means: send nothing.
        """
        with self._lock:
            spent = total(self.sums.charged, self.reserved())
            if spent >= limit or total(spent, amount) > limit:
                return False
            self._aside[key], self._reserved = amount, total(self._reserved, amount)
            return True

    def release(self, key: str) -> None:
        """Give back what a submission has set aside: it cost nothing, or what it cost is known."""
        with self._lock:
            amount = self._aside.get(key, ZERO)
            self._aside[key], self._reserved = ZERO, total(self._reserved, amount.copy_negate())
            del self._aside[key]
            self._doubtful.discard(key)
            self._unpriced.discard(key)

    def cost_of(self, request_id: str) -> Cost | None:
        """What was last reported of a request's cost, or None."""
        return self._costs.get(request_id)

    def withdraw(self, key: str) -> None:
        """A submission was never accepted, for all its user knows: it sets nothing aside, and is no request."""
        self.release(key)
        with self._lock:
            if self._costs.get(key, ZERO) is None:
                sums = self.sums._replace(requests=self.sums.requests - 1, unpriced=self.sums.unpriced - 1)
                self._costs[key], self.sums = None, sums
                del self._costs[key]

    def accept(self, record: Record) -> None:
        """A submission was accepted: what is set aside for it is settled by its cost, else held until it is known."""
        key, request_id = record.key, record.request_id
        if request_id is None:
            if record.cost is None:
                self._doubtful.add(key)
            self.record(key, record.cost)
            return
        with self._lock:
            self._keys[request_id] = (*self._keys.get(request_id, ()), key)  # one key of idempotency may make several
        if key in self._costs:  # it was counted before its id was known
            self._costs.setdefault(request_id, self._costs.pop(key))
        self._doubtful.discard(key)
        if record.cost is None and key not in self._aside:
            self._unpriced.add(key)
        known = self._costs.get(request_id)  # a look may have reported it before the submit was known to be its
        record.cost = record.cost or known
        self.record(request_id, record.cost)

    def take_overruns(self) -> list[Overrun]:
        """The jobs that cost more than was set aside for them and were not warned of yet: from now on they were."""
        taken, self.overruns = self.overruns, []
        return taken

    def highest_charge(self, slug: str) -> Decimal:
        """The highest charge of a model that passed what was set aside for it, in USD; 0 where none did."""
        return self._highest.get(slug, ZERO)

    def in_doubt(self) -> Decimal:
        """Return what may have been charged without a reported cost, in USD."""
        return total(*self._doubts().values())

    def reserved(self) -> Decimal:
        """All that is set aside, and what is in doubt or unpriced though nothing was set aside for it, in USD."""
        unpriced = [record for key in list(self._unpriced) if (record := self._memory.get(key))]
        besides = {**self._doubts(), **{record.key: self._price(record) for record in unpriced}}
        return total(self._reserved, *(price for key, price in besides.items() if key not in self._aside))

    def _doubts(self) -> dict[str, Decimal]:
        """Return what may have been charged, by key, in USD."""
        unknown = [record for record in self._memory.unknown() if record.cost is None]
        doubtful = [record for key in list(self._doubtful) if (record := self._memory.get(key))]
        return {record.key: self._price(record) for record in (*unknown, *doubtful)}

    def _price(self, record: Record) -> Decimal:
        set_aside = self._aside.get(record.key)
        return set_aside if set_aside is not None else self._listed_price(record.call) or ZERO

    def set_aside(self, key: str) -> Decimal | None:
        """Return what a submission has set aside, in USD, or None."""
        return self._aside.get(key)

    def _settle(self, key: str, cost: Cost) -> None:
        """The cost of a request is known: nothing is set aside for it any more."""
        self._unpriced.discard(key)
        set_aside = self._aside.get(key)
        if set_aside is None:
            return
        record = self._memory.get(key)
        if record is not None and cost.amount_usd > set_aside:
            slug = record.call.operation.slug
            if slug not in self._highest:
                self.overruns.append(Overrun(slug, set_aside, cost.amount_usd))
            self._highest[slug] = max(cost.amount_usd, self._highest.get(slug, ZERO))
        self.release(key)


def _charged(cost: Cost | None) -> Decimal:
    """What was charged, in USD, but for what was given back."""
    return EXACT.subtract(cost.amount_usd, _given_back(cost)) if cost else ZERO


def _given_back(cost: Cost | None) -> Decimal:
    return cost.amount_usd if cost and cost.refunded else ZERO
