"""HTML that is safe by construction: what is no markup is escaped when it is put in.

Lives here: elements, links, texts that are cut. Does not live here: what is said of a value (``cards``, ``spend``,
``model``).
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from muapi_client._runtime.exact import write_decimal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

VOID: Final = frozenset({"br", "img"})  # elements without an end
UNWRITABLE: Final = re.compile("[\ud800-\udfff\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # halves of characters, and controls
LONGEST_LINK: Final = 2083  # characters; MuAPI's own limit of a URL
MUTED: Final = "color:#6e7781"  # readable on white and on black


class Markup(str):
    """HTML that is put in as it is."""

    __slots__ = ()


def element(tag: str, *inside: object, **attributes: object) -> Markup:
    """An element. What is inside is escaped unless it is markup; None and "" leave an attribute or a part out.

    Args:
        tag: Its name.
        inside: Texts, numbers, markup.
        attributes: By their names, ``_`` for ``-``, and behind a name that Python keeps for itself.
    """
    told = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_clean(str(value))}"'
        for name, value in attributes.items()
        if value not in (None, "")
    )
    start = f"<{tag}{told}>"
    return Markup(start if tag in VOID else f"{start}{join(inside)}</{tag}>")


def join(parts: Iterable[object]) -> Markup:
    """Parts one after another, each escaped unless it is markup."""
    return Markup(
        "".join(part if isinstance(part, Markup) else _clean(str(part)) for part in parts if part is not None)
    )


def _clean(text: str) -> str:
    return escape(UNWRITABLE.sub("\ufffd", text), quote=True)


def cut(text: object, most: int) -> str:
    """The beginning of a text, of ``most`` characters, with an ellipsis where there is more."""
    whole = str(text)
    return whole if len(whole) <= most else f"{whole[:most]}…"


def is_link(url: object) -> bool:
    """Whether a URL is one to click on: http or https, of a host, without a password."""
    if not isinstance(url, str) or len(url) > LONGEST_LINK or not url.isprintable() or url[:1].isspace():
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
    except ValueError:  # malformed IPv6 host
        return False


def link(url: str, text: str = "") -> Markup:
    """A link; where the URL is none to click on, what it says."""
    shown = cut(text or _name(url), 80)
    if not is_link(url):
        return element("code", shown)
    return element("a", shown, href=url, target="_blank", rel="noopener noreferrer")


def _name(url: str) -> str:
    """A URL without its query, which may be a signature, and without the content of a data URL."""
    if url[:5].lower() == "data:":
        return f"{cut(url.partition(',')[0], 40)},…"
    return url.partition("?")[0].rpartition("@")[2]


def usd(amount: Decimal) -> str:
    """An amount of money, without zeros that tell nothing."""
    return f"{write_decimal(amount)} USD"


def badge(text: str, color: str) -> Markup:
    """A word in a coloured frame."""
    style = f"color:{color};border:1px solid {color};border-radius:1em;padding:0 .6em;font-size:85%;white-space:nowrap"
    return element("span", cut(text, 40), style=style)


def muted(*inside: object) -> Markup:
    """What matters less."""
    return element("span", *inside, style=MUTED)


def card(*inside: object) -> Markup:
    """A frame around what belongs together."""
    style = (
        "border:1px solid #8c959f55;border-radius:6px;padding:.6em .8em;margin:.2em 0;max-width:60em;line-height:1.5;"
        "overflow-wrap:anywhere"
    )
    return element("div", *inside, style=style)


def table(rows: Iterable[Iterable[object]], head: Iterable[str] = ()) -> Markup:
    """A table of cells, aligned to the left."""
    left = "text-align:left;vertical-align:top;padding:.15em .8em .15em 0"
    titles = [element("tr", *(element("th", title, style=left) for title in head))] if head else []
    lines = [element("tr", *(element("td", cell, style=left) for cell in row)) for row in rows]
    return element("table", *titles, *lines, style="border-collapse:collapse;margin:.3em 0")
