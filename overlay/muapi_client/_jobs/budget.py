"""What a job will cost, before it is submitted, and the limit that must not be passed.

Lives here: asking the price, and holding a submit back. Does not live here: what was charged in the end (``_cost``).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from muapi_client import catalog, errors
from muapi_client._protocol.exchange import exchange
from muapi_client._protocol.request import STREAM, prepare
from muapi_client._types.estimate import Estimate
from muapi_client._types.money import ZERO, usd
from muapi_generated.types import Call, Operation

if TYPE_CHECKING:
    from muapi_client._protocol.steps import Flow
    from muapi_client._state.context import Terms
    from muapi_client._state.ledger import Spend
    from muapi_client._types.prediction import Prediction


ESTIMATE: Final = Operation("", "POST", "/api/v1/models/{name}/estimate-cost")  # OpenAPI document; charges nothing


def estimate(call: Call[Any], terms: Terms, *, started_at: float) -> Flow[Estimate]:
    """Ask what a call would cost.

    Raises:
        NotFoundError: The price list has no such model, so nobody can price it before it runs.
        ResponseError: The answer names no price.
    """
    name = _catalogue_name(call)
    asked: Call[Any] = Call(ESTIMATE, dict(call.body or {}), path={"name": name})
    try:
        answer = yield from exchange(asked, terms, reads=True, started_at=started_at)
    except errors.NotFoundError as error:
        raise errors.NotFoundError(
            _unpriced(f"the price list has no model {name!r}"),
            status_code=error.status_code,
            detail=error.detail,
            balance=error.balance,
        ) from error
    cost = usd(answer.get("cost")) if isinstance(answer, dict) else None
    if cost is None:
        raise errors.ResponseError(f"the estimate for {name} names no price: {answer!r}")
    strategy = answer.get("cost_strategy")
    return Estimate(name, cost, bool(answer.get("dynamic_pricing")), str(strategy) if strategy else None)


def within(
    limit: Decimal, spend: Spend, acceptance: Flow[Prediction], call: Call[Any], terms: Terms
) -> Flow[Prediction]:
    """Go on with a submit only if the job's estimate keeps the spend within ``limit`` USD.

    The estimate counts as spent until the server tells the cost, so that jobs submitted side by side keep to the limit,
    and what may have been charged counts as charged.
    Where no estimate can be had, the price catalogue's representative price counts; where that is missing too, the
    job may go as long as the limit is not yet reached.

    Raises:
        SpendLimitError: The job would pass the limit; nothing was sent.
    """
    price = yield from reserved(limit, spend, call, terms)
    try:
        said = yield from acceptance
    except errors.MuAPIError as error:
        charged = isinstance(error, errors.SubmitOutcomeUnknownError) or error.request_id is not None
        if not charged:  # what may have been charged stays set aside
            spend.release(price)
        raise
    if said.cost is None and said.id:
        spend.hold(said.id, price)
    else:
        spend.release(price)
    return said


def reserved(limit: Decimal, spend: Spend, call: Call[Any], terms: Terms) -> Flow[Decimal]:
    """Set a job's estimate aside before it is sent; answers it, in USD.

    Raises:
        SpendLimitError: It would pass ``limit``; nothing was sent.
    """
    prepare(call, terms)  # what is refused here needs no price
    price = max((yield from _expected(call, terms)), ZERO)
    if not spend.reserve(price, limit):
        aside = spend.reserved_usd
        doubtful = f" and the {aside} USD set aside for requests whose cost is not known" if aside else ""
        raise errors.SpendLimitError(
            f"{call.operation.slug} at about {price} USD would take the spend of {spend.total_usd} USD{doubtful}"
            f" past max_spend={limit} USD; nothing was sent"
        )
    return price


def _expected(call: Call[Any], terms: Terms) -> Flow[Decimal]:
    try:
        return (yield from estimate(call, terms, started_at=0.0)).cost_usd
    except errors.MuAPIError as error:
        if isinstance(error, errors.ValidationError | errors.AuthenticationError):
            raise  # the submit would be refused for the same reason
        return _listed(call)


def _listed(call: Call[Any]) -> Decimal:
    try:
        price = catalog.get(_priced(call), package=call.operation.package).price
    except errors.NotFoundError:
        return Decimal(0)
    return price.cost_usd if price else Decimal(0)


def _catalogue_name(call: Call[Any]) -> str:
    slug = _priced(call)
    try:
        model = catalog.get(slug, package=call.operation.package)
    except errors.NotFoundError as error:
        raise errors.NotFoundError(_unpriced(f"the price list has no model {slug!r} ({error})")) from error
    if model.name is None:
        raise errors.NotFoundError(
            _unpriced(f"the pinned document tells no catalogue name for {slug}, and prices are asked by that name")
        )
    return model.name


def _unpriced(why: str) -> str:
    return f"{why}, so nobody can price it before it runs; pass unpriced= the USD to set aside for such a job"


def _priced(call: Call[Any]) -> str:
    """The slug whose price counts: a stream has no catalogue name of its own, and costs what its model does."""
    return call.operation.slug.removesuffix(STREAM)
