"""The price of a job before it is submitted, and the limit that must not be passed. Pure.

Lives here: asking the price, and holding a submit back. Does not live here: what was charged in the end
(``_state/ledger``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve

from muapi_client import catalog, errors
from muapi_client._protocol import response
from muapi_client._protocol.exchange import read
from muapi_client._protocol.request import STREAM, encode
from muapi_client._protocol.steps import OK
from muapi_client._runtime.logs import DEBUG, MONEY, log
from muapi_client._state.journal.limits import Limit
from muapi_client._types.budget import find_zone
from muapi_client._types.estimate import Estimate
from muapi_client._types.money import ZERO, usd
from muapi_generated.types import Call, Operation, is_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from muapi_client._protocol.request import Request
    from muapi_client._protocol.steps import Flow, Send
    from muapi_client._state.context import Context
    from muapi_client._state.journal.limits import Room
    from muapi_client._state.memory import Record
    from muapi_client._types.budget import Budget

PIECES: Final = ("num_images", "num_videos", "batch_size")  # how many to make, 1 by default, "each one is charged"
ESTIMATE: Final = Operation("", "POST", "/api/v1/models/{name}/estimate-cost")  # OpenAPI document; charges nothing


def estimate(call: Call[Any], send: Send, context: Context) -> Flow[Estimate]:
    """Ask what a call would cost.

    Args:
        send: What carries the call: its body, encoded, is the estimate's, too; of a form the fields are, and of what
            is sent as it is nothing, for an estimate takes JSON.

    Raises:
        NotFoundError: Nobody can price the model before it runs: it has no name in the price catalogue, or the price
            list lacks it.
        ResponseError: The answer names no price.
    """
    name = _catalogue_name(call)
    is_ready = is_json(send.media_type)
    fields = call.body if not is_ready and isinstance(call.body, Mapping) else {}
    asked = encode(Call[Any](ESTIMATE, fields, path={"name": name}), context)
    if is_ready and send.content:
        asked = evolve(asked, content=send.content)
    reply = yield from read(asked, context)
    if reply.status == response.NOT_FOUND:
        detail = response.status_error(reply).detail
        raise _unpriced_error(f"the price list has no model {name!r}", detail=detail, **response.read_facts(reply))
    if reply.status not in OK:
        raise response.status_error(reply, asked, context=context)
    answer = response.decode(reply, origin=context.origin)
    cost = usd(answer.get("cost")) if isinstance(answer, dict) else None
    if cost is None:
        raise errors.ResponseError(f"the estimate for {name} names no price: {answer!r}", body=reply.content)
    strategy = answer.get("cost_strategy")
    return Estimate(name, cost, bool(answer.get("dynamic_pricing")), str(strategy) if strategy else None)


def reserve(request: Request, record: Record, context: Context) -> Flow[Sequence[Limit]]:
    """Set aside what a job will cost, before it is sent, if that keeps to ``max_spend``; answers its budgets' limits.

    It counts as spent until the server tells the cost, so that jobs submitted side by side keep to the limit together,
    and what may have been charged counts as charged. What is set aside is the server's estimate; where none can be had
    the price catalogue's representative price; where that is missing too ``unpriced``. A model that was charged more
    than was set aside for it is reserved at its highest charge from then on.

    Raises:
        SpendLimitError: The job would pass the limit, or nobody tells its price; nothing was sent.
    """
    slug, ledger, limit = request.call.operation.slug, context.ledger, context.max_spend
    limits = list_limits(record, context)
    if limit is None and not limits:
        return ()
    price = yield from _expected_price(request, context)
    if price is None:
        raise errors.SpendLimitError(
            f"nobody tells what {slug} costs, so {_name_limit(context)} cannot be kept to; nothing was sent. Pass"
            ' unpriced=Decimal("0.50"), say, to set that aside for such a job.'
        )
    price = max(price, ledger.highest_charge(slug), ZERO)
    record.set_aside_usd = price
    if limit is not None and not ledger.reserve(record.key, price, limit):
        spend = ledger.spend
        aside = spend.reserved_usd
        doubtful = f" and the {aside} USD set aside for requests whose cost is not known" if aside else ""
        raise errors.SpendLimitError(
            f"{slug} at about {price} USD would take the spend of {spend.total_usd} USD{doubtful}"
            f" past max_spend={limit} USD; nothing was sent",
            needed_usd=price,
        )
    if MONEY.isEnabledFor(DEBUG):
        log(MONEY, DEBUG, "%s USD is set aside for a job of %s", price, slug, model=slug)
    return limits


def list_limits(record: Record, context: Context) -> list[Limit]:
    """The budgets that hold for a job, each for the time that it falls into.

    Raises:
        SpendLimitError: One is for runs, and the job is of none.
    """
    limits = []
    for budget in context.budget:
        if budget.tag is not None and budget.tag != record.tag:
            continue
        if budget.per == "run" and record.run is None:
            raise errors.SpendLimitError(
                f"{_name_budget(budget)} is for the jobs of runs, and this one is of none; nothing was sent."
                " mu.map(calls, run='…') names one.",
                budget=budget,
            )
        starts, ends = budget.period(record.intended_at)
        limits.append(Limit(budget.usd, starts, ends, budget.tag, record.run if budget.per == "run" else None))
    return limits


def budget_error(record: Record, context: Context, full: Room) -> errors.SpendLimitError:
    """The error of a job for which a budget has no room."""
    limit, spent = full
    budget = next(
        each
        for each in context.budget
        if (each.usd, each.tag, each.per == "run") == (limit.usd, limit.tag, limit.run is not None)
        and each.period(record.intended_at) == (limit.starts, limit.ends)
    )
    needed = record.set_aside_usd
    never = needed is not None and needed > budget.usd
    opens_at = None if never else limit.ends
    opens = ", which never has room for it" * never
    if opens_at is not None:
        opens = f"; it opens again at {opens_at.astimezone(find_zone(budget.timezone)).isoformat()}"
    return errors.SpendLimitError(
        f"{record.call.operation.slug} at about {needed} USD would take what is spent and set aside, "
        f"{spent} USD, past {_name_budget(budget, record.run)}{opens}; nothing was sent",
        budget=budget,
        needed_usd=needed,
        opens_at=opens_at,
    )


def _name_limit(context: Context) -> str:
    return f"max_spend={context.max_spend} USD" if context.max_spend is not None else _name_budget(context.budget[0])


def _name_budget(budget: Budget, run: str | None = None) -> str:
    name = "" if run is None or budget.per != "run" else f", this one {run!r}"
    per = "" if budget.per == "ever" else f" a {budget.per}{name}"
    tag = "" if budget.tag is None else f" for the tag {budget.tag!r}"
    return f"the budget of {budget.usd} USD{per}{tag}"


def listed_price(call: Call[Any]) -> Decimal | None:
    """What a call costs by the price catalogue, in USD, or None where it has no price of the model.

    The catalogue has one example a model, of the usual input. A call that asks for several pieces costs as many times
    that, since each is charged; what else of the input changes the price it does not tell.
    """
    try:
        model = catalog.get(_priced_slug(call), package=call.operation.package)
    except errors.MuAPIError:  # no such model, or a package this process has not imported
        return None
    usual = model.price.known_usd if model.price else None
    if usual is None or model.price is None or not model.price.dynamic:
        return usual
    return usual * count_pieces(call)


def count_pieces(call: Call[Any]) -> int:
    """How many pieces a call asks for; 1 where it does not say."""
    body = call.body if isinstance(call.body, Mapping) else {}
    counts = [body[name] for name in PIECES if type(body.get(name)) is int and body[name] > 0]
    return next(iter(counts), 1)


def _expected_price(request: Request, context: Context) -> Flow[Decimal | None]:
    call = request.call
    try:
        return (yield from estimate(call, request.send, context)).cost_usd
    except errors.MuAPIError as error:
        if isinstance(error, errors.ValidationError | errors.AuthenticationError):
            raise  # the submit would be refused for the same reason
    listed = listed_price(call)
    return listed if listed is not None else context.unpriced


def _catalogue_name(call: Call[Any]) -> str:
    slug = _priced_slug(call)
    try:
        model = catalog.get(slug, package=call.operation.package)
    except errors.NotFoundError as error:
        raise _unpriced_error(f"the price list has no model {slug!r} ({error})") from error
    if model.name is None:
        raise _unpriced_error(
            f"the pinned document tells no catalogue name for {slug}, and prices are asked by that name"
        )
    return model.name


def _unpriced_error(why: str, **known: Any) -> errors.NotFoundError:
    return errors.NotFoundError(
        f"{why}, so nobody can price it before it runs; pass unpriced= the USD to set aside for such a job", **known
    )


def _priced_slug(call: Call[Any]) -> str:
    """The slug whose price counts: a stream has no catalogue name of its own, and costs what its model does."""
    return call.operation.slug.removesuffix(STREAM)
