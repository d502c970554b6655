"""Prices: what differs between two price lists, told of the operations they are for. Pure.

Lives here: two catalogues as ``GET /api/v1/models`` gives them or ``spec/models.json`` keeps them. Does not live here:
what a payload costs, which only the server's estimate knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from muapi_client.pinning._diff.findings import Finding
from muapi_client.pinning._document.naming import split_summary
from muapi_client.pinning._document.price_list import FACTS
from muapi_client.pinning._document.reader import is_same
from muapi_client.pinning._document.strict_json import as_list, as_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from muapi_client.pinning._document.reader import Document, Operation

_PRICING: Final = ("dynamic_pricing", "cost_strategy")


def compare_prices(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, Finding]]:
    """Every difference with the catalogue name it is about; an empty one for the list as a whole."""
    currency = _currency_of(old), _currency_of(new)
    if currency[0] != currency[1]:
        yield "", Finding("currency", "changed", *currency, "#/currency")
    before, after = _index_by_name(old), _index_by_name(new)
    place = {name: f"#/models/{number}" for number, name in enumerate(after)}
    for name in sorted(before.keys() | after.keys()):
        at = place.get(name, "#/models")
        if name not in after:
            yield name, Finding("price", "removed", _cost_of(before[name], currency[0]), None, at)
        elif name not in before:
            yield name, Finding("price", "added", None, _cost_of(after[name], currency[1]), at)
        else:
            yield from ((name, finding) for finding in _compare_models(before[name], after[name], currency, at))


def _compare_models(
    was: Mapping[str, Any], now: Mapping[str, Any], currency: tuple[str, str], at: str
) -> Iterator[Finding]:
    if not is_same(was.get("cost"), now.get("cost")):
        yield Finding("price", "changed", _cost_of(was, currency[0]), _cost_of(now, currency[1]), at)
    before, after = ({word: model.get(word) for word in _PRICING} for model in (was, now))
    if not is_same(before, after):
        yield Finding("pricing", "changed", before, after, at)
    rest = [word for word in FACTS if word not in ("name", "cost", *_PRICING)]
    turned = [word for word in rest if not is_same(was.get(word), now.get(word))]
    if turned:
        before, after = ({word: model.get(word) for word in turned} for model in (was, now))
        yield Finding("remark", "changed", before, after, at)


def _index_by_name(catalogue: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    models = (as_object(entry) for entry in as_list(catalogue.get("models")) or ())
    return {str(model.get("name")): model for model in models if model is not None}


def _currency_of(catalogue: Mapping[str, Any]) -> str:
    return str(catalogue.get("currency") or "USD")


def _cost_of(model: Mapping[str, Any], currency: str) -> dict[str, Any]:
    return {currency: model.get("cost")}


def index_operations(*documents: Document) -> dict[str, list[Operation]]:
    """The jobs each catalogue name is for: a summary names it, or the slug where the summary does not."""
    found: dict[str, dict[str, Operation]] = {}
    for document in documents:
        for operation in document.operations.values():
            if operation.job == "job":
                name, _ = split_summary(operation.node.text("summary"))
                for called in {name, operation.slug}:
                    found.setdefault(called, {}).setdefault(operation.slug, operation)
    return {name: [*some.values()] for name, some in found.items()}
