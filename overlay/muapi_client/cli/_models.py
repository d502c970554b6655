"""``muapi-client models``: the catalogue of the pinned document, without a network.

Lives here: the list, and what is shown of one model. Does not live here: finding models (``muapi_client.catalog``),
programs that run one (``_snippets``), prices that depend on the input (``run --estimate``).
"""

from __future__ import annotations

import json
import re
import shutil
import textwrap
from typing import TYPE_CHECKING, Any, Final

from muapi_client import catalog
from muapi_client._catalog.inputs import MEANINGS
from muapi_client._settings.options import read_origin
from muapi_client.cli._console import dumps
from muapi_client.cli._exit import DONE
from muapi_client.cli._formats import format_usd, render_table, to_json_number
from muapi_client.cli._snippets import write_curl, write_python
from muapi_client.errors import MuAPIError, ValidationError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence

    from muapi_client.cli._console import Console

HEADS: Final = ("slug", "kind", "tier", "price (USD)")
BEST: Final = 20  # how many answers to a question are listed unless --limit says otherwise
FILTERS: Final = ("group", "kind", "tier", "takes", "max_price")
UNKNOWN: Final = "unknown"
SHOWN: Final = 24  # choices named for people; programs get them all
INDENT: Final = "    "
BOUNDS: Final = {  # JSON Schema's words, as people read them
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "multipleOf": "in steps of {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "pattern": "of the pattern {}",
}


# An amount of USD among the words that are asked for.
PRICE: Final = re.compile(
    r"(?:\$|usd\s?)\s?(?P<before>\d*\.?\d+)|(?P<after>\d*\.?\d+)\s?(?:usd\b|dollars?\b|\$)", re.IGNORECASE
)


def models(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``models`` and ``models show``.

    Raises:
        NotFoundError: A model to show is not in the pinned document.
        MuAPIError: A program is to be shown, and the API's address is none.
        ValidationError: There is no such group, kind, tier or input.
    """
    if options.words[:1] == ["show"]:
        return _show([catalog.get(name) for name in options.words[1:]], options, console)
    try:
        found = _find(options, max_price=options.max_price)
        unpriced = _count_unpriced(options)
    except MuAPIError as error:
        raise ValidationError(str(error)) from None
    limit = options.limit if options.limit is not None else BEST if options.words else 0
    listed = found[:limit] if limit else found
    console.result([_form(model) for model in listed], _list_models(listed) if listed else "")
    event: dict[str, Any] = {"event": "listed", "models": len(listed), "not_listed": len(found) - len(listed)}
    if unpriced is not None:
        event["unpriced"] = unpriced
    advice = "" if found else _advise(options)
    console.say(_summary(len(found), listed, unpriced, advice), event)
    if options.max_price is None and (price := PRICE.search(" ".join(options.words))):
        console.remark(f"words limit no price: --max-price {price['before'] or price['after']} does")
    return DONE


def _find(options: argparse.Namespace, **narrowed: Any) -> tuple[catalog.Model, ...]:
    given = {"group": options.group, "kind": options.kind, "tier": options.tier, "takes": options.takes}
    return catalog.find(*options.words, **given, sort=options.sort, **narrowed)


def _count_unpriced(options: argparse.Namespace) -> int | None:
    """How many models --max-price leaves out since nobody tells their price; None without it."""
    if options.max_price is None:
        return None
    return len([model for model in _find(options) if model.price is None or model.price.known_usd is None])


def _advise(options: argparse.Namespace) -> str:
    """What may find a model where nothing did: the same words without what narrows them, or else other words."""
    given = [f"--{name.replace('_', '-')}" for name in FILTERS if getattr(options, name) is not None]
    others = len(catalog.find(*options.words)) if given else 0
    return f"{others} do without {' and '.join(given)}" if others else "fewer or other words may find one"


def _show(shown: Sequence[catalog.Model], options: argparse.Namespace, console: Console) -> int:
    """Show models in the form that is asked for; a program goes where this one would."""
    form = options.output
    if form == "json-schema":
        schemas = {model.slug: model.json_schema() for model in shown}
        console.result(None, dumps(schemas if len(shown) > 1 else schemas[shown[0].slug], indent=2))
    elif form in PROGRAMS:
        origin = read_origin(options.settings.base_url)
        console.result(None, "\n\n".join(PROGRAMS[form](model, origin) for model in shown))
    else:
        console.result([_whole_form(model) for model in shown], "\n\n".join(map(_sheet, shown)))
    return DONE


PROGRAMS: Final = {"python": write_python, "curl": write_curl}


def show_fields(name: str, console: Console) -> int:
    """Print what a model takes, behind the help of a command that is given one.

    Raises:
        NotFoundError: The model is not in the pinned document.
    """
    console.result(None, f"\n{_sheet(catalog.get(name))}")
    return DONE


def show_filters(console: Console) -> int:
    """Print what the pinned document has to narrow a list by, behind the help of ``models``."""
    found = catalog.all()
    named = {
        "--group": {model.group for model in found},
        "--kind": {model.kind for model in found},
        "--tier": {model.tier for model in found if model.tier},
    }
    lines = [_wrap(f"{option}: {', '.join(sorted(names))}") for option, names in named.items()]
    lines.append(_wrap(f"--takes: {', '.join(MEANINGS)}, or a field's name"))
    console.result(None, "\n".join(["\nwhat the pinned document has:", *lines]))
    return DONE


def _wrap(text: str) -> str:
    width = max(shutil.get_terminal_size().columns, 40)
    return textwrap.fill(text, width, initial_indent="  ", subsequent_indent=INDENT, break_on_hyphens=False)


def _list_models(found: Sequence[catalog.Model]) -> str:
    rows = [(model.slug, model.kind, model.tier or "-", _price(model)) for model in found]
    return render_table(HEADS, rows, right={"price (USD)"})


def _summary(found: int, listed: Sequence[catalog.Model], unpriced: int | None, advice: str) -> str:
    left_out = f"; {unpriced} more tell no price" if unpriced else ""
    if not listed:
        return f"no model answers that{left_out}; {advice}"
    more = f" of {found}; --limit 0 lists all" if found > len(listed) else ""
    as_of = next((model.price.as_of for model in listed if model.price), None)
    prices = f"; ~ depends on the input: run SLUG ... --estimate; prices of {as_of}" if as_of else ""
    return f"{len(listed)} model{'s' * (len(listed) != 1)}{more}{left_out}{prices}"


def _price(model: catalog.Model) -> str:
    if model.price is None or model.price.known_usd is None:
        return UNKNOWN
    return f"{'~' if model.price.dynamic else ''}{format_usd(model.price.known_usd)}"


def _form(model: catalog.Model) -> dict[str, Any]:
    price = model.price
    return {
        "slug": model.slug,
        "function": model.function,
        "name": model.name,
        "kind": model.kind,
        "group": model.group,
        "tier": model.tier,
        "streams": model.streams,
        "price": price
        and {"cost_usd": to_json_number(price.known_usd), "dynamic": price.dynamic, "as_of": price.as_of},
    }


def _whole_form(model: catalog.Model) -> dict[str, Any]:
    return {
        **_form(model),
        "import": _import(model),
        "fields": [{"name": field.name, **field.schema} for field in model.fields],
    }


def _import(model: catalog.Model) -> str:
    return f"from muapi_client.models import {model.function}"


def _sheet(model: catalog.Model) -> str:
    """All there is to know of a model, as people read it."""
    head = [
        model.slug,
        f"{INDENT}{model.kind}, group {model.group}, catalogue name {model.name or '-'}, tier {model.tier or '-'}",
        f"{INDENT}{_price_line(model)}",
        f"{INDENT}{_import(model)}",
    ]
    return "\n".join([*head, "", *(line for field in model.fields for line in _field(field))])


def _price_line(model: catalog.Model) -> str:
    if model.price is None:
        return "price: not in the price catalogue"
    return f"price: {model.price}{'; --estimate tells' if model.price.dynamic else ''}"


def _field(field: catalog.Field) -> Iterator[str]:
    width = max(shutil.get_terminal_size().columns, 40)
    yield from textwrap.wrap(f"{field.name}: {', '.join(_traits(field))}", width, subsequent_indent=2 * INDENT)
    if field.description:
        yield from textwrap.wrap(field.description, width, initial_indent=INDENT, subsequent_indent=INDENT)


def _traits(field: catalog.Field) -> Iterator[str]:
    yield " or ".join(map(_type, field.schema.get("anyOf", (field.schema,))))
    if field.required:
        yield "required"
    if field.nullable:
        yield "may be null"
    yield from _bounds(field.schema)
    yield from _choices(field.choices)
    if field.default is not None:
        yield f"default {_value(field.default)}"


def _type(schema: Mapping[str, Any]) -> str:
    if schema.get("type") == "array" and "items" in schema:
        return f"array of {_type(schema['items'])}"
    if schema.get("format") == "uri":
        return "URL"
    return str(schema.get("request") or schema.get("type") or "any JSON")


def _bounds(schema: Mapping[str, Any]) -> Iterator[str]:
    """The limits of a value; a URL's length is nobody's concern."""
    if schema.get("format") != "uri":
        yield from (words.format(_value(schema[name])) for name, words in BOUNDS.items() if name in schema)


def _choices(choices: Sequence[Any]) -> Iterator[str]:
    if choices:
        more = f" and {len(choices) - SHOWN} more (--output json tells all)" if len(choices) > SHOWN else ""
        yield f"one of {' | '.join(map(_value, choices[:SHOWN]))}{more}"


def _value(value: Any) -> str:
    """A value as JSON has it; a bound such as 4294967295.0 as the whole number it is."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False)
