"""What an answer says: of a job, and of what it cost. Missing is not zero. Pure.

Lives here: every shape an answer has been seen in. Does not live here: which error an answer stands for
(``response``), what a job made (``_types/outputs``).
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve

from muapi_client._protocol.steps import OK, REFUSED
from muapi_client._types.cost import Cost
from muapi_client._types.money import EXACT, LONGEST, MICRO_USD, usd
from muapi_client._types.outputs import (
    AUDIO,
    LINKS,
    PLACES,
    find_addresses,
    find_previews,
    has_output,
    is_of_api,
    read_outputs,
)
from muapi_client._types.prediction import Prediction
from muapi_client._types.status import LONGEST_WORD, JobState, is_running_word, job_state, meaning
from muapi_client._types.words import read_error, writable
from muapi_generated.types import is_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from decimal import Decimal

    from muapi_client._protocol.steps import Reply
    from muapi_client._types.prediction import Output
    from muapi_generated.types import Call

# Statuses with a meaning of their own: there {"status": "error"} is an envelope's word.
TRANSPORTS: Final = frozenset({401, 402, 403, 404, 408, 422, 425, 429})

# Where an answer tells its cost.
COST_HEADERS: Final = (
    "x-muapi-cost-usd",
    "x-muapi-cost-credits",
    "x-muapi-cost-bonus-credits",
    "x-muapi-cost-refunded",
)
COST_FIELDS: Final = ("amount_usd", "amount_credits", "bonus_credits_used", "refunded")  # of the body's ``cost``
PLAIN: Final = frozenset({str, int, float, bool, type(None)})  # the types of what they tell
HALF: Final = re.compile(r"\\u[dD][89a-fA-F]")  # how half a character is written in JSON, and each half of a whole one
UNREADABLE: Final = "\ufffd"  # stands for what a text was damaged in
DISPUTE: Final = "the cost headers say"  # how the warning about a contradiction begins
WORDS: Final = {  # how a refund is reported as text; a number as text is read as a number
    **dict.fromkeys(("true", "yes", "y", "on", "t", "refunded"), True),
    **dict.fromkeys(("false", "no", "n", "off", "f"), False),
}


def read_json(content: bytes, *, parse_float: Callable[[str], Any] | None = None) -> Any:
    """The value of a JSON text, where it is damaged, too.

    A text that was cut by bytes is no UTF-8, and one cut within an escaped character holds half of it, which no file
    and no terminal takes. Both become ``UNREADABLE``: what stands beside them is read, and all of it can be written.

    Args:
        content: The text, in the encoding that its first bytes tell.
        parse_float: Makes a number of its digits.

    Raises:
        ValueError: It is no JSON.
        RecursionError: It is nested too deeply.
    """
    text = content.decode(json.detect_encoding(content), "replace")
    value = json.loads(text, parse_float=parse_float)
    return _without_halves(value) if HALF.search(text) else value


def _without_halves(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_halves(item) for item in value]
    if isinstance(value, dict):
        return {_without_halves(name): _without_halves(item) for name, item in value.items()}
    return value


def peek(reply: Reply) -> Any:
    """The JSON of an answer, or None where it is none."""
    try:
        return read_json(reply.content)
    except (ValueError, RecursionError):
        return None


def read_prediction(
    reply: Reply,
    *,
    request_id: str | None,
    looks: int = 0,
    seconds: float | None = None,
    call: Call[Any] | None = None,
) -> Prediction | None:
    """What an answer says of a job, or None where it is about something else than this job.

    A failed job mostly arrives as HTTP 400 whose ``detail`` is the result (observed): a job's end, no transport
    error. So a 4xx is read as a prediction when its ``detail`` names the job or tells a status that ends one.

    Args:
        request_id: The job's id, where it is known.
        looks: How many looks at the job there were, this one included; 0 where the answer is no look's.
        seconds: Seconds since the job was submitted, where that is known.
        call: What was submitted, where that is known: no address in it is an output.
    """
    body = peek(reply)
    answer: Any = None
    if reply.status in OK and isinstance(body, dict):
        whole = _unwrap(body)
        finished = request_id is None and _is_bare_file(whole, call)
        speaks = _speaks_of_a_job(whole, by_error=request_id is None)
        answer = whole if finished or speaks or read_outputs(whole) else None
    elif reply.status in REFUSED and isinstance(body, dict):
        detail = body.get("detail", body)
        if isinstance(detail, dict) and _ends_a_job(detail, request_id, named_only=reply.status in TRANSPORTS):
            answer = detail
    return None if answer is None else _prediction(reply, answer, request_id, looks, seconds, call=call)


def _unwrap(body: Any) -> Any:
    """Older routes nest the whole answer under ``data`` (observed), perhaps beside a status of the envelope's own.

    What is reported of the job inside counts; the envelope adds what is missing there, such as the cost or the status.
    """
    inner = body.get("data") if isinstance(body, dict) else None
    if isinstance(inner, str) and is_running_word(inner) and _tells_no_state(body):
        return {**{name: value for name, value in body.items() if name != "data"}, "status": inner}
    if not isinstance(inner, dict) or read_id(body) or not _speaks_of_a_job(inner) or _is_output(inner):
        return body
    return {**{name: value for name, value in body.items() if name != "data"}, **inner}


def _tells_no_state(body: Mapping[str, Any]) -> bool:
    """Whether an answer's status is missing, or a "success" that may be the envelope's, about the request."""
    status = body.get("status")
    return not status or (isinstance(status, str) and status.strip().lower() == "success")


def _is_output(answer: Mapping[str, Any]) -> bool:
    """Whether an object is one of a job's outputs, which may have ids of their own, rather than the job."""
    return "status" not in answer and any(isinstance(answer.get(name), str) for name in (*LINKS, AUDIO))


def _is_bare_file(answer: Any, call: Call[Any] | None) -> bool:
    """Whether a submit's answer is the address of what was made, and tells neither id nor status.

    Only under a name that outputs have been seen by: whatever else an answer links to is no end of a job.
    """
    if not isinstance(answer, dict) or "status" in answer or read_id(answer) or read_error(answer):
        return False
    return any(name in LINKS for name in find_addresses(answer, _sent(call)))


def _sent(call: Call[Any] | None) -> list[Any]:
    return [] if call is None else [call.body, call.query]


def _speaks_of_a_job(answer: Any, *, by_error: bool = True) -> bool:
    """Whether an answer is about a job.

    Args:
        by_error: Whether an error alone is; of a job that was accepted it may be a gateway's, about the request.
    """
    if not isinstance(answer, dict):
        return False
    if read_id(answer) or answer.get("status") or (by_error and read_error(answer)):
        return True
    return any(has_output(answer.get(place)) for place in ("outputs", "output", "images"))


def _ends_a_job(detail: Mapping[str, Any], request_id: str | None, *, named_only: bool) -> bool:
    named = read_id(detail)
    if named_only and named is None:
        return False
    names_it = named is not None and named == request_id
    return meaning(detail.get("status")) is not JobState.RUNNING or (names_it and bool(read_error(detail)))


def _prediction(
    reply: Reply,
    answer: Mapping[str, Any],
    request_id: str | None,
    looks: int,
    seconds: float | None,
    *,
    call: Call[Any] | None,
) -> Prediction:
    cost, dispute = read_cost(reply.headers, answer)
    named = read_id(answer)
    warnings = [dispute] if dispute else []
    outputs = () if answer.keys().isdisjoint(PLACES) else read_outputs(answer, None if call is None else _sent(call))
    status = answer.get("status")
    word = status if isinstance(status, str) else ""
    if not word and (request_id or named) and not _show_an_end(outputs, answer):
        outputs = ()  # about a job that no word says to have ended, such as its place in a queue
    said_done = job_state(word[:LONGEST_WORD], has_outputs=False, has_error=False) is JobState.DONE
    if not outputs and (said_done or (request_id is None and _is_bare_file(answer, call))):
        outputs, doubts = _find_loose_outputs(answer, call)
        warnings += doubts
        if not outputs:
            previews = ", ".join(find_previews(answer))
            link = f"; the answer links to a preview, in {previews}" if previews else ""
            warnings.append(f"the job completed without outputs{link}")
    return Prediction(
        id=request_id or named,
        status=word or ("completed" if outputs else ""),
        outputs=outputs,
        cost=cost,
        error=read_error(answer) if answer.get("error") else None,
        balance=balance_from_headers(reply.headers),
        warnings=tuple(warnings),
        raw=answer,
        status_code=reply.status,
        looks=looks,
        seconds=seconds,
        headers=without_secrets(reply.headers),
    )


def _find_loose_outputs(answer: Mapping[str, Any], call: Call[Any] | None) -> tuple[tuple[Output, ...], list[str]]:
    """The outputs in fields of the answer's own, and what is odd about them.

    Only of a job that has ended well by the answer's own word: a field that merely links to something ends no job, and
    hides no failure.
    """
    found = {} if read_error(answer) else find_addresses(answer, _sent(call))
    doubt = (
        f"the outputs were found under {', '.join(found)}, which no document names: since the call is not known here,"
        " one of them may be what it sent"
    )
    return tuple(found.values()), [doubt] if found and call is None else []


def _show_an_end(outputs: Iterable[Output], answer: Mapping[str, Any]) -> bool:
    """Whether what stands where outputs do shows that a job has ended: in the documented place, or no mere facts.

    A text under ``data`` may be about the job, and so may a word of a status wherever it stands.
    """
    if read_outputs({"outputs": answer.get("outputs")}):
        return True
    speaks = has_output(answer.get("output"))
    return any(
        not is_of_api(output.url) if output.url else speaks and output.text and not is_running_word(output.text)
        for output in outputs
    )


def _are_texts(outputs: Iterable[Output]) -> bool:
    """Whether outputs are texts, none of them a word by which a job is said to run."""
    return all(output.text and not is_running_word(output.text) for output in outputs)


def without_secrets(headers: Mapping[str, str]) -> dict[str, str]:
    """An answer's headers, in which the key is hidden already, without those whose names tell of a secret."""
    return {name: value for name, value in headers.items() if not _is_secret(name)}


_is_secret = lru_cache(maxsize=256)(is_secret)  # every answer has the same headers


def is_final(prediction: Prediction) -> bool:
    """Whether a submit's answer is the result. A bare "success" with an id may only mean: accepted."""
    word, has_outputs = prediction.status[:LONGEST_WORD], bool(prediction.outputs)
    body = prediction.raw if isinstance(prediction.raw, dict) else {}
    if has_outputs and prediction.id:
        if [output.url for output in read_outputs(body)] != [output.url for output in prediction.outputs]:
            # An address beside the status may be of something else, such as a page about the job: a look tells.
            is_file = any(output.media_type is not None for output in prediction.outputs)
            has_outputs = is_file and word.strip().lower() != "success"
        else:
            has_outputs = _show_an_end(prediction.outputs, body) or (
                word.strip().lower() != "success" and _are_texts(prediction.outputs)
            )
    elif not body.get("status"):  # an answer without an id and a status of its own ends by what was made alone
        has_outputs = not all(output.text and is_running_word(output.text) for output in prediction.outputs)
    state = job_state(word, has_outputs=has_outputs, has_error=bool(prediction.error))
    return state in (JobState.FAILED, JobState.CANCELLED) or (state is JobState.DONE and has_outputs)


def names_another(prediction: Prediction) -> bool:
    """Whether an answer is about a job other than the one asked for."""
    named = read_id(prediction.raw) if isinstance(prediction.raw, dict) else None
    return named is not None and prediction.id is not None and named != prediction.id


def read_id(answer: Mapping[str, Any]) -> str | None:
    """The request id, under the names it has been seen by; ``request_id`` is the documented one."""
    for name in ("request_id", "id"):
        value = answer.get(name)
        # A damaged id names nothing, nor does what a path cannot hold: such a job could never be looked at.
        if isinstance(value, str) and value.strip(". ") and (value.isascii() or _is_whole(value)):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return None


def _is_whole(text: str) -> bool:
    """Return whether nothing of a text was damaged; a stream's may hold half characters."""
    return UNREADABLE not in text and writable(text) == text


def find_unusable_id(answer: object) -> str | None:
    """The request id that an answer tells and that no path can hold, such as ``"."``, or None."""
    told = answer.get("request_id") if isinstance(answer, dict) else None
    return told if isinstance(told, str) and told and read_id({"request_id": told}) is None else None


def read_cost(headers: Mapping[str, str], body: object) -> tuple[Cost | None, str | None]:
    """Read what one answer tells of the charge, in its headers and its body, and say where they disagree.

    Args:
        headers: The answer's headers; names in lower case.
        body: The answer's body, decoded: what holds ``cost``.
    """
    whole = body if isinstance(body, dict) else {}
    cost = whole.get("cost")
    fields = cost if isinstance(cost, dict) else {}
    reported = (*map(headers.get, COST_HEADERS), *map(fields.get, COST_FIELDS), whole.get("refunded"))
    words = [value for value in reported if isinstance(value, str)]
    noise = not PLAIN.issuperset(map(type, reported)) or any(len(word) > LONGEST for word in words)
    return (_read_reported.__wrapped__ if noise else _read_reported)(*reported)  # noise is not remembered


@lru_cache(maxsize=256, typed=True)  # every look at a job tells the same; typed, since 1 is no True
def _read_reported(*reported: Any) -> tuple[Cost | None, str | None]:
    """Read what is reported under ``COST_HEADERS``, under ``COST_FIELDS``, and as the body's own ``refunded``."""
    *words, refunded = reported
    headers = {name: text for name, text in zip(COST_HEADERS, words, strict=False) if text is not None}
    body = {"cost": dict(zip(COST_FIELDS, words[len(COST_HEADERS) :], strict=True)), "refunded": refunded}
    cost, dispute = settle(cost_from_headers(headers), cost_from_body(body))
    if cost is None:
        return None, None
    in_headers, in_body = _refund_in_headers(headers, cost.amount_usd), _refund_in_body(body, cost.amount_usd)
    if (in_headers or in_body) and not cost.refunded:
        cost = evolve(cost, refunded=True)
    if dispute is None and {in_headers, in_body} == {True, False}:
        yes, no = ("headers", "body") if in_headers else ("body", "headers")
        dispute = (
            f"{DISPUTE} otherwise than the body: {cost.amount_usd} USD were refunded by the {yes}, not by the {no}"
        )
    return cost, dispute


def tells_refund(headers: Mapping[str, str], body: object, amount: Decimal) -> bool:
    """Whether an answer says that a charge of ``amount`` USD, reported by an earlier one, was given back."""
    return bool(_refund_in_headers(headers, amount) or _refund_in_body(body, amount))


def cost_from_headers(headers: Mapping[str, str]) -> Cost | None:
    """Read the ``X-MuAPI-Cost-…`` headers; names in lower case."""
    amount = _header(headers, "x-muapi-cost-usd")
    if amount is None or amount < 0:
        return None
    return Cost(
        amount,
        int(_header(headers, "x-muapi-cost-credits") or 0),
        int(_header(headers, "x-muapi-cost-bonus-credits") or 0),
        _refund_in_headers(headers, amount) is True,
    )


def cost_from_body(body: object) -> Cost | None:
    """Read a body's ``cost`` object."""
    cost = body.get("cost") if isinstance(body, dict) else None
    if not isinstance(cost, dict):
        return None
    amount = usd(cost.get("amount_usd"))
    if amount is None or amount < 0:
        return None
    return Cost(
        amount,
        _count(cost.get("amount_credits")),
        _count(cost.get("bonus_credits_used")),
        _refund_in_body(body, amount) is True,
    )


def settle(in_headers: Cost | None, in_body: Cost | None) -> tuple[Cost | None, str | None]:
    """Make one cost of the two places that tell it, and say where they disagree about the amount.

    The body's amount wins: the reference calls it "the actual wallet charge" and the headers a copy of it. A refund
    counts whichever place tells it. It comes after the charge and is never taken back, so that of two places the one
    that tells it speaks later; the other one was written before, or is silent. (No documented field tells of a part;
    see :func:`_read_refund`.)
    """
    if in_headers is None or in_body is None:
        return in_body or in_headers, None
    header, body = (cost.amount_usd.quantize(MICRO_USD, context=EXACT) for cost in (in_headers, in_body))
    cost = evolve(in_body, refunded=True) if in_headers.refunded and not in_body.refunded else in_body
    return cost, None if header == body else f"{DISPUTE} {_say(in_headers)}, the body says {_say(in_body)}"


def _refund_in_headers(headers: Mapping[str, str], amount: Decimal) -> bool | None:
    return _any_refund(headers.get("x-muapi-cost-refunded", "").split(","), amount)


def _refund_in_body(body: object, amount: Decimal) -> bool | None:
    if not isinstance(body, dict):
        return None
    cost = body.get("cost")
    return _any_refund([body.get("refunded"), cost.get("refunded") if isinstance(cost, dict) else None], amount)


def _any_refund(values: Iterable[object], amount: Decimal) -> bool | None:
    found = {_read_refund(value, amount) for value in values}
    return True if True in found else False if False in found else None


def _read_refund(value: object, amount: Decimal) -> bool | None:
    """Whether a charge was given back, or None where that is not reported.

    Told as a boolean, as text or as a number: 1, or the amount itself. Any other number would be a part of it, and what
    remains of the charge is not reported, so it counts as charged: better too much than more than ``max_spend``.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and (word := value.strip().lower()) in WORDS:
        return WORDS[word]
    number = usd(value)
    if number is None:
        return None
    return False if number == 0 else True if number in (1, amount) else None


def balance_from_headers(headers: Mapping[str, str]) -> Decimal | None:
    """Read ``X-Account-Balance``: what is left in the wallet, in USD."""
    return _header(headers, "x-account-balance")


def _header(headers: Mapping[str, str], name: str) -> Decimal | None:
    """A header's number; one that a proxy has repeated counts once, one that contradicts itself not at all."""
    text = headers.get(name)
    if not text:
        return None
    if "," not in text:
        return usd(text)
    amounts = {usd(value) for value in text.split(",")}
    return amounts.pop() if len(amounts) == 1 else None


def _count(value: object) -> int:
    amount = usd(value)
    return int(amount) if amount is not None else 0


def _say(cost: Cost) -> str:
    return f"{cost.amount_usd} USD{' (refunded)' if cost.refunded else ''}"
