"""Finding evidence of the kind of key in an answer, a key list and a client's memory. Pure.

Lives here: finding evidence. Does not live here: what it weighs and what the sum means (``evidence``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from muapi_client._protocol.job_answer import DISPUTE
from muapi_client._protocol.request import STREAM
from muapi_client._runtime.loopback import is_loopback
from muapi_client._sandbox import evidence
from muapi_client._sandbox.evidence import Evidence, weigh
from muapi_client._spec.packages import INSTALLED
from muapi_client._state.key_state import NOTHING, KeyFacts, Listing, describe_request
from muapi_client._types.cost import is_charge
from muapi_client._types.outputs import find_texts
from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from muapi_client._sandbox.evidence import Indicator
    from muapi_client._types.cost import Cost
    from muapi_client._types.prediction import Prediction
    from muapi_client._types.sandbox import SandboxVerdict
    from muapi_client.catalog import Model
    from muapi_generated.types import Call

# Observed by several public clients: where a test key's samples lie, and where live outputs do.
SAMPLE_HOST: Final = "d3adwkbyhxyrtq.cloudfront.net"
SAMPLE_PATHS: Final = ("/webassets/", "/muapi/homepage", "/muapi/demo")
LIVE_HOST: Final = "cdn.muapi.ai"
LIVE_PATH: Final = "/outputs/"

# The reference promises samples for images, videos and audio alone; these kinds quote whatever URL they come across.
QUOTING: Final = frozenset({"text", "data", "social"})


def judge_answer(answer: Prediction, known: KeyFacts = NOTHING) -> SandboxVerdict:
    """Judge one answer by what it shows and what was known of its key: a charge before adds nothing to one of now."""
    known = known._replace(charged="") if is_charge(answer.cost) else known
    return weigh((*find_in_answer(answer), *find_in_key_facts(known)))


def find_in_answer(answer: Prediction) -> Iterator[Evidence]:
    """Find the evidence in one answer by itself; a charge settles it, so that the model does not count."""
    if answer.call is None or is_charge(answer.cost):
        return _find_signs(answer)
    model = _find_model(answer.call)
    return _find_signs(answer, free=_is_free(model), quotes=_may_quote(model))


def looks_like_sandbox(answer: Prediction, known: KeyFacts = NOTHING) -> bool:
    """Return whether the verdict may be True, without asking for the model.

    Knowing it can only take evidence away. Of that, only where outputs lie may speak for a live key, so it is left out.
    """
    shown = (piece for piece in _find_signs(answer) if piece.indicator is not evidence.LIVE_PLACE)
    return weigh((*shown, *find_in_key_facts(known))).verdict is True


def _find_signs(answer: Prediction, *, free: bool = False, quotes: bool | None = False) -> Iterator[Evidence]:
    """Find the evidence in one answer, whatever is known of its key.

    Args:
        answer: The answer.
        free: Whether the model that was called costs nothing.
        quotes: Whether it hands on whatever URL it comes across; None where that is not known.
    """
    yield from _find_in_cost(answer, free=free)
    if not quotes:
        for output in answer.outputs:
            if output.url and not _is_given(answer.call, output.url):
                yield from _find_in_url(output.url, has_call=answer.call is not None, quotes=quotes)
    if _is_at_once(answer):
        yield Evidence(evidence.AT_ONCE)


def _is_at_once(answer: Prediction) -> bool:
    """Return whether a submit was answered with the finished job, as streams always are; unknown without a call."""
    if answer.call is None or answer.call.operation.slug.endswith(STREAM):
        return False
    return answer.done and answer.looks == 0


def _find_in_cost(answer: Prediction, *, free: bool) -> Iterator[Evidence]:
    cost = answer.cost
    if cost is None:
        yield Evidence(evidence.NO_COST)
        return
    if is_charge(cost):
        yield Evidence(evidence.CHARGED, f"{describe_request(answer.id)} was charged {_charge(cost)}")
    if cost.refunded:
        yield Evidence(evidence.REFUNDED)
    elif any(warning.startswith(DISPUTE) for warning in answer.warnings):
        yield Evidence(evidence.DISPUTED)
    elif not is_charge(cost):
        slug = answer.call.operation.slug if answer.call else ""
        yield Evidence(evidence.FREE_MODEL, slug) if free else Evidence(evidence.NO_CHARGE)


def _charge(cost: Cost) -> str:
    if cost.amount_usd > 0:
        return f"{cost.amount_usd} USD"
    return f"{cost.amount_credits or cost.bonus_credits_used} credits"


def _find_in_url(url: str, *, has_call: bool, quotes: bool | None) -> Iterator[Evidence]:
    host, path = _split_url(url)
    if host == LIVE_HOST and path.startswith(LIVE_PATH):
        yield Evidence(evidence.LIVE_PLACE, url)
    elif host == SAMPLE_HOST or path.startswith(SAMPLE_PATHS):
        yield Evidence(evidence.MAYBE_QUOTED if quotes is None else _sample_indicator(host, has_call=has_call), url)


def _sample_indicator(host: str, *, has_call: bool) -> Indicator:
    """Return the indicator of a sample's URL: without its call it may be quoted from an unknown input."""
    return evidence.SAMPLE_PLACE if host == SAMPLE_HOST and has_call else evidence.LIKE_A_SAMPLE


def _split_url(url: str) -> tuple[str, str]:
    """A URL's host and path. An emulator that is served on this machine tells the host it stands for in the path."""
    try:
        parts = urlsplit(url)
        host, path = (parts.hostname or "").lower(), parts.path
    except ValueError:  # urlsplit refuses malformed IPv6 hosts; such a URL is no evidence
        return "", ""
    if is_loopback(host):
        host, _, rest = path.removeprefix("/").partition("/")
        return host, f"/{rest}"
    return host, path


def _is_given(call: Call[Any] | None, url: str) -> bool:
    """Return whether the input holds the URL, so that finding it in the output tells nothing.

    A query or fragment makes no other file of it, nor does scheme, case or quoting: neither here nor there.
    """
    file = _normalize("".join(_split_url(url)))
    texts = find_texts((call.body, call.query, call.headers)) if call is not None else ()
    return any(file in _normalize(text) for text in texts)


def _normalize(text: str) -> str:
    return unquote(text).lower()


def _find_model(call: Call[Any]) -> Model | None:
    """The model that was called, as the document of the call has it, else as the installed one does."""
    from muapi_client import catalog  # noqa: PLC0415 - loads the catalogue

    for package in dict.fromkeys((call.operation.package, INSTALLED)):
        try:
            models = catalog.all(package=package)
        except MuAPIError:  # a call that came from another process, whose package this one has not imported
            continue
        found = next((model for model in models if model.slug == call.operation.slug), None)
        if found is not None:
            return found
    return None


def _is_free(model: Model | None) -> bool:
    return model is not None and model.price is not None and not model.price.cost_usd


def _may_quote(model: Model | None) -> bool | None:
    return None if model is None else model.kind in QUOTING


def find_in_key_facts(known: KeyFacts) -> Iterator[Evidence]:
    """Find the evidence in what is known of a key besides the current answer."""
    if known.charged:
        yield Evidence(evidence.CHARGED_BEFORE, known.charged)
    if known.sampled:
        yield Evidence(evidence.SAMPLED_BEFORE, known.sampled)
    if known.listing is not None:
        yield _read_listing(known.listing)


def _read_listing(listing: Listing) -> Evidence:
    """Read the key list. It does not mark which key is ours, so only what holds for all of them counts."""
    test, live, silent = listing
    if not silent and bool(test) != bool(live):
        indicator: Indicator = evidence.LISTED_TEST if test else evidence.LISTED_LIVE
        return Evidence(indicator, str(test or live))
    if test or live:
        return Evidence(evidence.LISTED_BOTH, f"{test} of {sum(listing)} active keys")
    return Evidence(evidence.LISTED_SILENT)


def count_keys(keys: Iterable[Any]) -> Listing:
    """Count the keys that ``GET keys`` lists; one that is not active is not the one that asked."""
    marks = [getattr(key, "is_test", None) for key in keys if getattr(key, "is_active", None) is not False]
    return Listing(marks.count(True), marks.count(False), sum(not isinstance(mark, bool) for mark in marks))


def have_same_outputs(answers: Sequence[Prediction]) -> bool:
    """Return whether several answers, to different inputs, hold the same files.

    Equal words tell nothing: two live answers may both be "no". Nor do files that were given, or are quoted.
    """
    first, *others = answers
    return (
        bool(others)
        and all(answer.outputs == first.outputs for answer in others)
        and bool(first.outputs)
        and all(output.url and not _is_given(first.call, output.url) for output in first.outputs)
        and not (first.call and _may_quote(_find_model(first.call)))
    )
