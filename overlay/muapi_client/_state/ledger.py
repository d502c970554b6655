"""What all of a client's requests cost together, exactly, and what is set aside for those on their way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muapi_client._runtime.locks import ForkLock
from muapi_client._types.money import ZERO, _sum

if TYPE_CHECKING:
    from decimal import Decimal

    from muapi_client._types.cost import Cost


class Spend:
    """What a client's requests cost together: exact, thread-safe, each request counted once by its id.

    Submit and result both tell the same charge, and a later refund replaces it, so the last word per id counts.
    """

    def __init__(self) -> None:
        self._lock = ForkLock()
        self._costs: dict[str, Cost | None] = {}
        self._requests = 0
        self._charged = ZERO
        self._refunded = ZERO
        self._reserved = ZERO  # submits on their way, or accepted without a word of cost, at their estimate
        self._held: dict[str, Decimal] = {}  # what of it waits for the server to tell a request's cost

    def __repr__(self) -> str:
        return f"Spend(total_usd={self.total_usd}, requests={self.requests}, unpriced={self.unpriced})"

    @property
    def total_usd(self) -> Decimal:
        """The sum of what was charged, in USD, refunds taken off."""
        return self._charged

    @property
    def refunded_usd(self) -> Decimal:
        """The sum of what was charged and given back, in USD."""
        return self._refunded

    @property
    def reserved_usd(self) -> Decimal:
        """What is set aside within ``max_spend`` for requests whose cost is not known yet, in USD."""
        return self._reserved

    @property
    def requests(self) -> int:
        """How many requests were accepted."""
        return self._requests

    @property
    def unpriced(self) -> int:
        """How many accepted requests the server told no cost for: their charge is unknown, not zero."""
        with self._lock:
            return sum(1 for cost in self._costs.values() if cost is None)

    def record(self, request_id: str | None, cost: Cost | None) -> None:
        """Take note of what an answer said of one request; the last word counts, silence changes nothing.

        An answer without an id is a request of its own.
        """
        with self._lock:
            key = request_id or f"nameless {self._requests}"
            before = self._costs.get(key)
            self._requests += key not in self._costs
            self._costs[key] = now = cost or before
            if cost is not None:
                self._reserved = _sum(self._reserved, self._held.pop(key, ZERO).copy_negate())
            self._charged = _sum(self._charged, _charged(now), _charged(before).copy_negate())
            self._refunded = _sum(self._refunded, _given_back(now), _given_back(before).copy_negate())

    def reserve(self, amount: Decimal, limit: Decimal) -> bool:
        """Set ``amount`` USD aside for a submit unless that would pass ``limit``; threads may compete for it."""
        with self._lock:
            if _sum(self._charged, self._reserved, amount) > limit:
                return False
            self._reserved = _sum(self._reserved, amount)
            return True

    def hold(self, request_id: str, amount: Decimal) -> None:
        """Keep aside what :meth:`reserve` did until the server tells what the accepted request cost."""
        with self._lock:
            if self._costs.get(request_id) is None:
                self._held[request_id] = amount
            else:
                self._reserved = _sum(self._reserved, amount.copy_negate())

    def release(self, amount: Decimal) -> None:
        """Give back what :meth:`reserve` set aside: the submit was answered, or never left."""
        with self._lock:
            self._reserved = _sum(self._reserved, amount.copy_negate())


def _charged(cost: Cost | None) -> Decimal:
    return cost.charged_usd if cost else ZERO


def _given_back(cost: Cost | None) -> Decimal:
    return cost.amount_usd if cost and cost.refunded else ZERO


class Ledger:
    """What a client has learnt about money: its spend, and the last balance told. Shared by ``with_options``."""

    def __init__(self) -> None:
        self.spend = Spend()
        self.balance: Decimal | None = None

    def note(self, cost: Cost | None, balance: Decimal | None, request_id: str | None) -> None:
        """Take note of a judged answer.

        Args:
            cost: What it told of the charge, or None.
            balance: What it told of the wallet, in USD, or None.
            request_id: The job; empty for one that was answered without an id, None where no job is concerned.
        """
        if request_id is not None:
            self.spend.record(request_id or None, cost)
        if balance is not None:
            self.balance = balance
