"""Why an answer to a submit proves no acceptance. Pure.

Lives here: saying so. Does not live here: reading the answer (``_protocol/job_answer``), what becomes of the submission
then (``submission``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from muapi_client._protocol.job_answer import find_unusable_id
from muapi_client._protocol.resend import is_cached
from muapi_client._protocol.response import describe_stranger

if TYPE_CHECKING:
    from muapi_client._protocol.steps import Reply
    from muapi_client._state.context import Context
    from muapi_client._types.prediction import Prediction


def describe_lack(answer: Prediction | None, reply: Reply, context: Context) -> str:
    """What an answer lacks to prove that this very submit was accepted, after "HTTP 200 with".

    Args:
        answer: What was read of a job in ``reply``.
    """
    if is_cached(reply):
        return describe_cache(reply)
    unusable = find_unusable_id(answer.raw if answer is not None else None)
    what = f"the request id {unusable!r}, which no path can hold" if unusable else "neither a request id nor a result"
    return what + describe_stranger(reply, context.origin)


def describe_cache(reply: Reply) -> str:
    """What a cached answer to a submit is, after "HTTP 200 with"."""
    return f"the answer to an earlier request, which a cache has kept for {reply.headers['age']:.20} s"
