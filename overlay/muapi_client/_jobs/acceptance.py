"""Whether a submit's answer is its own and tells of an acceptance. Pure.

Lives here: what is wrong with an answer that was read. Does not live here: reading it (``_protocol/job_answer``), what
becomes of the submission then (``submission``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from muapi_client._protocol.job_answer import find_unusable_id, is_final
from muapi_client._protocol.resend import is_cached
from muapi_client._protocol.response import describe_stranger
from muapi_client._types.cost import is_charge

if TYPE_CHECKING:
    from muapi_client._protocol.steps import Reply
    from muapi_client._state.context import Context
    from muapi_client._state.memory import Record
    from muapi_client._types.prediction import Prediction


def find_lack(answer: Prediction | None, reply: Reply, record: Record, context: Context) -> str:
    """What an answer to a submit lacks to prove that this very submit was accepted, after "HTTP 200 with"; or "".

    Args:
        answer: What was read of a job in ``reply``.
        record: The submission.
    """
    if is_cached(reply):
        return describe_cache(reply)
    if answer is None or (answer.id is None and not is_final(answer)):
        unusable = find_unusable_id(answer.raw if answer is not None else None)
        what = (
            f"the request id {unusable!r}, which no path can hold" if unusable else "neither a request id nor a result"
        )
        return what + describe_stranger(reply, context.origin)
    if is_of_another(answer.id, record, context) and (is_charge(answer.cost) or not is_final(answer)):
        return f"the request id {answer.id!r}, which is that of another call's job"
    return ""  # a sample that is free of charge may have one id for all


def describe_cache(reply: Reply) -> str:
    """What a cached answer to a submit is, after "HTTP 200 with"."""
    return f"the answer to an earlier request, which a cache has kept for {reply.headers['age']:.20} s"


def is_of_another(request_id: str | None, record: Record, context: Context) -> bool:
    """Whether a request id was the answer to another call of this client: its job is not what this one asks for.

    Of equal calls, such as two of one idempotency key, a server may make one job.
    """
    other = context.memory.find(request_id or "")
    return other is not None and not other.claimed and other.call != record.call
