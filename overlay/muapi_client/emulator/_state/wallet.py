"""One account's money: what is left, and what has been charged.

Lives here: the sums. Does not live here: prices (``_spec/prices``), and when a refund is due (``jobs``). Amounts are
exact, in US dollars.
"""

from __future__ import annotations

from decimal import Decimal

from attrs import define


@define(eq=False)
class Wallet:
    """The balance, and what has been charged less what was refunded."""

    balance: Decimal
    charged: Decimal = Decimal(0)

    def covers(self, amount: Decimal) -> bool:
        """Return whether ``amount`` can be paid."""
        return self.balance >= amount

    def charge(self, amount: Decimal) -> None:
        """Take ``amount``."""
        self.balance -= amount
        self.charged += amount

    def refund(self, amount: Decimal) -> None:
        """Give ``amount`` back."""
        self.charge(-amount)

    def deposit(self, amount: Decimal) -> None:
        """Pay ``amount`` in; charges stay what they were."""
        self.balance += amount
