"""What a client has spent, as a table and a bar.

Lives here: what is said of it. Does not live here: the sums (``_state/ledger``), escaping (``markup``).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from muapi_client._html.markup import card, element, muted, table, usd
from muapi_client._runtime.exact import total

if TYPE_CHECKING:
    from muapi_client._html.markup import Markup

WIDTH, HEIGHT = 320, 14  # pixels of the bar
COLORS: Final = {"charged": "#1a7f37", "in doubt": "#bf8700", "set aside": "#8c959f"}


def spend_card(spend: Any) -> Markup:
    """The sums, each with what it means, and how they stand to each other."""
    aside = max(spend.reserved_usd - spend.in_doubt_usd, Decimal(0))
    parts = {"charged": spend.total_usd, "in doubt": spend.in_doubt_usd, "set aside": aside}
    rows = [
        [_swatch("charged"), element("b", usd(spend.total_usd)), f"charged, for {spend.requests} requests"],
        [_swatch("in doubt"), usd(spend.in_doubt_usd), "in doubt: may have been charged besides (mu.unknown())"],
        [_swatch("set aside"), usd(aside), "set aside for what is under way, or tells no cost"],
        ["", usd(spend.refunded_usd), "charged and given back"],
    ]
    unpriced = muted(f"{spend.unpriced} requests told no cost: unknown, not zero") if spend.unpriced else None
    return card(_bar(parts), table(rows), unpriced)


def _bar(parts: dict[str, Decimal]) -> Markup:
    whole = total(*parts.values())
    pieces = [element("rect", x=0, y=0, width=WIDTH, height=HEIGHT, rx=3, fill="#8c959f33")]
    start = 0.0
    for name, amount in parts.items():
        width = float(amount / whole) * WIDTH if whole > 0 else 0.0
        if width > 0:
            shape = element("rect", x=f"{start:.1f}", y=0, width=f"{width:.1f}", height=HEIGHT, fill=COLORS[name])
            pieces.append(element("g", element("title", f"{name}: {usd(amount)}"), shape))
        start += max(width, 0.0)
    told = ", ".join(f"{name} {usd(amount)}" for name, amount in parts.items())
    return element("svg", *pieces, width=WIDTH, height=HEIGHT, role="img", aria_label=told)


def _swatch(name: str) -> Markup:
    return element("span", "■", style=f"color:{COLORS[name]}")
