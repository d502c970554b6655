"""What the server expects a job to cost.

Lives here: the value. Does not live here: asking for it (``_jobs/budget``).
"""

from decimal import Decimal

from attrs import frozen

from muapi_client._types.reprs import represent_short


@frozen
class Estimate:
    """What the server expects a job to cost.

    Attributes:
        model: The catalogue name the price was asked by.
        cost_usd: The price in USD.
        dynamic: Whether it depends on the input.
        strategy: The server's name for how it is computed, or None.
    """

    __module__ = "muapi_client"

    model: str
    cost_usd: Decimal
    dynamic: bool
    strategy: str | None

    __repr__ = represent_short
