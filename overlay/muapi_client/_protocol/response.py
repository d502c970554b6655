"""Raw answers, judged: a typed value, or the error it stands for. Pure.

Lives here: judging. Does not live here: what an answer says of a job and of money (``job_answer``). The generated
parsers see nothing that has not been judged. Whatever arrives, what comes out is a value or a ``MuAPIError``.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from muapi_client import errors
from muapi_client._protocol.job_answer import balance_from_headers, cost_from_headers, peek, read_cost, read_json
from muapi_client._protocol.steps import OK, REDIRECTS, REFUSED
from muapi_client._runtime.content_coding import describe_odd_coding
from muapi_client._runtime.forks import forks
from muapi_client._settings.options import DEFAULT_BASE_URL
from muapi_client._spec.packages import INSTALLED, member
from muapi_client._types.words import as_words

if TYPE_CHECKING:
    from muapi_client._protocol.steps import Reply, Send
    from muapi_client._state.context import Context
    from muapi_client._types.cost import Cost

EXCERPT: Final = 300  # characters of an unreadable body shown in a message; the whole body is on the error

BY_STATUS: Final[Mapping[int, type[errors.APIStatusError]]] = {
    401: errors.AuthenticationError,
    402: errors.InsufficientCreditError,
    403: errors.AuthenticationError,
    404: errors.NotFoundError,
    422: errors.ValidationError,
    429: errors.RateLimitError,
}
NOT_FOUND: Final = 404
NO_KEY: Final = 401
BUSY: Final = 429
KEY_REFUSED: Final = frozenset({NO_KEY, 403})
NO_PATH: Final = frozenset(
    {401, 403, 404, 405, 406, 410, 415}
)  # what another API, or a gateway, refuses our paths with
MONEY_HEADERS: Final = ("x-account-balance", "x-muapi-cost-usd")  # API reference: MuAPI tells one to whom it knows
NO_MONEY: Final = ("credit", "balance", "funds", "top up", "top-up", "payment")  # in the words of a refusal
NO_LIVE_KEY: Final = ("test key", "test-key", "sandbox", "is_test", "live key")  # the same
READERS: Final = "readers."  # before the name of a function whose answer has a reader of its own
SLUGS: Final = " (slugs are not catalogue names: muapi_client.catalog.find() finds a model's slug)"
ADVICE: Final[Mapping[int, str]] = {
    402: "top up with mu.account.topup(amount); nothing was charged",
    422: "nothing was charged",
    429: "the request was refused unprocessed; send fewer at a time or wait",
}


def decode(reply: Reply, *, origin: str = "", exact: bool = False) -> Any:
    """The JSON of an answer.

    Args:
        reply: The answer.
        origin: The API's, which the message names where the answer looks like none of MuAPI's.
        exact: Whether a number that no float holds is a Decimal, by the digits that were written.

    Raises:
        ResponseError: The body is no JSON; it is kept on the error.
    """
    try:
        return read_json(reply.content, parse_float=_exact if exact else None)
    except (ValueError, RecursionError):
        odd = describe_odd_coding(reply.headers)
        coding = f" but in {odd}" if odd else ""
        stranger = describe_stranger(reply, origin)
        raise errors.ResponseError(
            f"HTTP {reply.status} with a body that is no JSON{coding}: {excerpt(reply.content)}{stranger}",
            body=reply.content,
            **read_facts(reply),
        ) from None


def _exact(text: str) -> float | Decimal:
    number = float(text)
    if len(text) <= sys.float_info.dig or not math.isfinite(number):
        return number
    return number if Decimal(repr(number)) == Decimal(text) else Decimal(text)


def status_error(
    reply: Reply,
    asked: Send | None = None,
    *,
    request_id: str | None = None,
    slug: str = "",
    context: Context | None = None,
) -> errors.APIStatusError:
    """The error an answer of 300 and above stands for, in the server's own words, whole.

    Args:
        asked: The exchange it answers, so that the message tells which of many it was.
        request_id: The job it is about, which is told in place of the exchange.
        slug: The slug that was asked for; where there is none such, the message suggests the one that was meant.
        context: The client's, which knows its key and its base URL.
    """
    body = peek(reply)
    detail = body.get("detail", body) if isinstance(body, Mapping) else body
    kind = BY_STATUS.get(reply.status, errors.ServerError if reply.status >= REFUSED.stop else errors.APIStatusError)
    about = f" for job {request_id}" if request_id else f" to {asked.method} {asked.path}" if asked else ""
    cost = _cost_of_error(reply, body)
    stranger = "" if context is None else describe_stranger(reply, context.origin)
    if context is not None and reply.status in KEY_REFUSED and not stranger and (cost is None or not cost.charged_usd):
        advice = f" ({_describe_refused_key(reply, as_words(detail), context, of_a_model=bool(slug))})"
    else:
        advice = stranger or _advice(reply.status, cost, of_a_job=request_id is not None, slug=slug)
    message = f"HTTP {reply.status}{about}: {as_words(detail) or excerpt(reply.content)}{advice}"
    if request_id and reply.status != NOT_FOUND:
        message += f". Where the job was accepted it lives on: mu.wait({request_id!r}) takes it up again"
    extra: dict[str, Any] = {**read_facts(reply), "cost": cost, "request_id": request_id, "detail": detail}
    if kind is errors.ValidationError:
        extra["errors"] = [e for e in detail if isinstance(e, Mapping)] if isinstance(detail, list) else []
    return kind(message, **extra)


def is_page(reply: Reply) -> bool:
    """Whether an answer is a web page, as a browser would show it, by its first sign."""
    return reply.content.lstrip()[:1] == b"<"


def describe_stranger(reply: Reply, origin: str) -> str:
    """What to check where an answer is none that MuAPI gives, as the end of a message; "" where it may be MuAPI's.

    MuAPI refuses by JSON with a ``detail`` (API document). A web page, or JSON without one, is another server's at
    that address, or of something on the way there; of a server that is down or busy (5xx, 429) a gateway's page is
    nothing odd.
    """
    if not origin or any(name in reply.headers for name in MONEY_HEADERS):
        return ""
    body = peek(reply)
    is_stray = is_page(reply) and (reply.status in OK or reply.status in REFUSED)
    is_odd = reply.status in NO_PATH and not (isinstance(body, Mapping) and "detail" in body)
    if reply.status == BUSY or not (is_stray or is_odd):
        return ""
    what = "a web page" if is_stray else "a refusal without a detail"
    return (
        f". MuAPI does not answer so: {what} came from {origin}, which is another server, or a proxy or a login page"
        f" on the way. Check base_url (MUAPI_BASE_URL), by default {DEFAULT_BASE_URL}"
    )


def _describe_refused_key(reply: Reply, words: str, context: Context, *, of_a_model: bool) -> str:
    """Tell a wrong key, a test key and an account without money apart, as far as the answer and the client know.

    To a key that it knows MuAPI tells the account's balance, in a header (API reference); "Not authorized" by itself is
    the answer to a wrong key, and at least one model gives it to a test key (observed).
    """
    balance, said = balance_from_headers(reply.headers), words.lower()
    kind = context.key_state.kind
    listing = context.key_state.known.listing
    if listing is not None and listing.test and not (listing.live or listing.silent):  # all that the account has
        kind = "sandbox"
    if any(sign in said for sign in NO_MONEY) or (balance is not None and balance <= 0):
        return "the account has no money for it: top up with mu.account.topup(amount)"
    if any(sign in said for sign in NO_LIVE_KEY) or kind == "sandbox":
        return "this takes a live key, and the client has a sandbox (test) key: see MUAPI_API_KEY, and mu.sandbox()"
    if balance is not None or kind == "live":
        return "the key is known, and may not do this"
    if reply.status == NO_KEY:
        return "the key is missing or wrong: check MUAPI_API_KEY, or api_key="
    wrong = "most likely the key is wrong: check MUAPI_API_KEY, or api_key="
    other = (
        ". If it works for other models this one refuses test keys, or the account has no money: mu.sandbox() and"
        " mu.account.balance() tell, and cost nothing"
    )
    return wrong + other * of_a_model


def _suggest_slug(name: str) -> str:
    """Tell the slug of a model whose function or catalogue name was taken for one; "" where the document has none."""
    with forks.kept_waiting:
        from muapi_client import catalog  # noqa: PLC0415 - loads the catalogue

    try:
        model = catalog.get(name)
    except errors.NotFoundError:
        return ""
    if model.slug == name:
        return ""
    function = f"muapi_client.models.{model.function}"
    return f" (there is no slug {name!r}; did you mean {model.slug!r}? Its function is {function})"


def _cost_of_error(reply: Reply, body: Any) -> Cost | None:
    """What an error answer says was charged: in its headers, its body, or the body's ``detail``."""
    detail = body.get("detail") if isinstance(body, Mapping) else None
    place = detail if isinstance(detail, Mapping) and "cost" in detail else body
    return read_cost(reply.headers, place)[0]


def _advice(status: int, cost: Cost | None, *, of_a_job: bool, slug: str) -> str:
    if cost is not None and cost.charged_usd:
        return f" (the server tells a charge of {cost.charged_usd} USD all the same)"
    if status in REDIRECTS:
        return " (a redirect, which is never followed since it would take the key along: check base_url)"
    if status == NOT_FOUND and of_a_job:  # not the slug but the job is unknown
        return " (this key's account has no such job: see that the id is whole, and the key the one that submitted it)"
    if status == NOT_FOUND and slug:
        return _suggest_slug(slug) or SLUGS
    return f" ({ADVICE[status]})" if status in ADVICE else ""


def read_items(page: Any) -> list[Any]:
    """The items of a page: the one list in it, whose name is documented nowhere; the longest of several."""
    lists = [value for value in page.values() if isinstance(value, list)] if isinstance(page, Mapping) else []
    return max(lists, key=len, default=[])


def parse_typed(answer: str, body: Any, package: str = INSTALLED) -> Any:
    """Turn a body into what the generated package reads it into, or leave it as it is where nothing there does.

    Args:
        answer: A class, ``AccountBalance``, a list of one, ``list[ApiKey]``, or the reader of what may be one of
            several things, ``readers.get_pets``; empty for any JSON.
        body: The decoded body.
        package: The generated package that reads it.

    Raises:
        ResponseError: The body is of a kind of JSON that the document does not have there.
    """
    if not answer:
        return body
    if answer.startswith(READERS):
        return _read_one_of_several(answer.removeprefix(READERS), body, package)
    model = member(package, "models", answer.removeprefix("list[").removesuffix("]"))
    if model is None:  # of a token from another version: what was paid for arrives all the same
        return body
    with forks.kept_waiting:  # the first of them to tell a time loads what reads it
        if answer.startswith("list["):
            if isinstance(body, list):
                return [model.from_dict(each) if isinstance(each, Mapping) else each for each in body]
        elif isinstance(body, Mapping):
            return model.from_dict(body)
    raise _unexpected(f"expected {answer}, got {type(body).__name__}", body)


def _read_one_of_several(function: str, body: Any, package: str) -> Any:
    read = (member(package, "readers", "READERS") or {}).get(function)
    if read is None:  # as above
        return body
    try:
        with forks.kept_waiting:
            return read(body)
    except TypeError as problem:
        raise _unexpected(str(problem), body) from None


def _unexpected(message: str, body: Any) -> errors.ResponseError:
    return errors.ResponseError(message, body=json.dumps(body, default=str).encode())  # a Decimal may be in it


def read_facts(reply: Reply) -> dict[str, Any]:
    """What any error about an answer tells."""
    return {
        "status_code": reply.status,
        "cost": cost_from_headers(reply.headers),
        "balance": balance_from_headers(reply.headers),
    }


def excerpt(content: bytes) -> str:
    """The beginning of a body, on one line and quoted, for a message."""
    text = content[: 4 * EXCERPT].decode("utf-8", "replace").strip()
    shown = " ".join(text.split())[:EXCERPT]
    return repr(shown) if shown else "(empty)"
