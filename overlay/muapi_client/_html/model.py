"""A model of the catalogue as a card.

Lives here: what is said of it. Does not live here: the catalogue (``catalog``), escaping (``markup``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from muapi_client._html.markup import badge, card, cut, element, muted, table, usd

if TYPE_CHECKING:
    from muapi_client._html.markup import Markup

FIELDS: Final = 40
CHOICES: Final = 12  # of a field
WORDS: Final = 160  # characters of a description


def model_card(model: Any) -> Markup:
    """What it makes, what it costs, how it is called and what it takes."""
    marks = [word for word in (model.kind, model.tier, "stream" if model.streams else None) if word]
    fields = model.fields
    rows = [
        [
            element("code", field.name),
            _type(field),
            "required" if field.required else _default(field),
            cut(field.description, WORDS),
        ]
        for field in fields[:FIELDS]
    ]
    rest = muted(f"and {len(fields) - FIELDS} more: model.fields") if len(fields) > FIELDS else None
    return card(
        element("b", model.slug),
        *(part for mark in marks for part in (" ", badge(mark, "#0969da"))),
        " ",
        muted(_price(model.price)),
        element("div", element("code", f"from muapi_client.models import {model.function}")),
        table(rows, ["field", "type", "default", ""]) if rows else None,
        rest,
    )


def _type(field: Any) -> str:
    if not field.choices:
        return str(field.type) or "any"
    more = f", … {len(field.choices) - CHOICES} more" if len(field.choices) > CHOICES else ""
    return ", ".join(cut(repr(choice), 30) for choice in field.choices[:CHOICES]) + more


def _default(field: Any) -> str:
    return "" if field.default is None else cut(repr(field.default), 40)


def _price(price: Any) -> str:
    if price is None or price.known_usd is None:
        return "no price in the catalogue"
    about = "about " if price.dynamic else ""
    asked = "; mu.estimate(call) tells it" if price.dynamic else ""
    return f"{about}{usd(price.known_usd)} a job, as of {price.as_of}{asked}"
