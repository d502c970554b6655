"""The price list: catalog names, tiers and prices, as spec/models.json and the summaries give them.

A summary ``"flux-dev (balanced)"`` gives name and tier. Without a tier the summary is a name only if the price list
knows it; else the slug is, if the price list knows that; else there is none: names are never guessed.
"""

from __future__ import annotations

import re
from typing import Any

from attrs import frozen

TIERS = ("best", "balanced", "fast", "budget")
_NAMED = re.compile(rf"(?P<name>.+) \((?P<tier>{'|'.join(TIERS)})\)", re.DOTALL)


@frozen
class Price:
    """The cost of one run: exactly, or as an example where it depends on the input."""

    cost_usd: float
    dynamic: bool
    strategy: str | None


@frozen
class PriceList:
    """The prices of one day, by catalog name."""

    as_of: str
    prices: dict[str, Price]

    @classmethod
    def read(cls, document: dict[str, Any]) -> PriceList:
        """Read spec/models.json."""
        return cls(
            str(document["as_of"]),
            {
                model["name"]: Price(model["cost"], bool(model["dynamic_pricing"]), model.get("cost_strategy"))
                for model in document["models"]
            },
        )

    def find_name_and_tier(self, slug: str, summary: str) -> tuple[str | None, str | None]:
        """Find the catalog name and tier of an endpoint, as far as they are known."""
        name, tier = split_summary(summary)
        if tier:
            return name, tier
        if summary in self.prices:
            return summary, None
        return (slug if slug in self.prices else None), None

    def describe(self, name: str | None) -> str:
        """Say what a run costs, in a sentence."""
        price = self.prices.get(name or "")
        if price is None:
            return f"Price: not in the price list of {self.as_of}."
        if not price.dynamic:
            return f"Price: {price.cost_usd:g} USD a run ({self.as_of})."
        if not price.cost_usd:
            return f"Price: depends on the input ({self.as_of} gives no example); ask ``MuAPI.estimate``."
        return (
            f"Price: {price.cost_usd:g} USD is representative ({self.as_of}); it depends on the input: "
            "ask ``MuAPI.estimate``."
        )

    def to_json(self, name: str | None) -> dict[str, Any] | None:
        """Return the price as catalog.json has it; what is in the price list can also be estimated."""
        price = self.prices.get(name or "")
        if price is None:
            return None
        return {"cost_usd": price.cost_usd, "dynamic": price.dynamic, "strategy": price.strategy, "estimate": True}


def split_summary(summary: str) -> tuple[str, str]:
    """Split a summary into a catalog name and a tier; one without a tier is all name."""
    named = _NAMED.fullmatch(summary)
    return (named["name"], named["tier"]) if named else (summary, "")
