"""What a journal tells of which kind of key paid for its jobs: of this very key, and of one job by itself. Pure.

A journal lists the jobs of an account by a fingerprint of its key, so what one of them shows holds for this key. Yet
it settles no answer: an answer is judged by itself, and by what this client has seen.

Lives here: reading ended jobs for what they show. Does not live here: what that weighs (``evidence``), when it is asked
for (``mismatch``, ``probe``).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from muapi_client import errors
from muapi_client._protocol.steps import Keep
from muapi_client._sandbox.detection import find_in_answer
from muapi_client._sandbox.evidence import weigh
from muapi_client._state.key_state import NOTHING, KeyFacts, describe_request
from muapi_client._types.cost import is_charge
from muapi_client._types.prediction import Prediction

if TYPE_CHECKING:
    from muapi_client._protocol.steps import Flow
    from muapi_client._state.context import Context
    from muapi_client._types.entry import Entry

LATEST: Final = 100  # ended jobs of the journal that are looked through


def read_past(context: Context) -> Flow[KeyFacts]:
    """What the latest ended jobs of this very key show; a journal that cannot be read shows nothing."""
    if context.journal is None or context.account is None:
        return NOTHING
    try:
        entries: list[Entry] = yield Keep(partial(context.journal.ended, context.account, latest=LATEST))
    except errors.JournalError:
        return NOTHING
    first: dict[str | None, str] = {}
    for entry in entries:
        first.setdefault(judge_entry(entry), describe_request(entry.id))
    return KeyFacts(first.get("live", ""), first.get("sandbox", ""))


def judge_entry(entry: Entry) -> Literal["live", "sandbox"] | None:
    """The kind of the key that paid for an ended job, or None where it shows none.

    Whether it was answered at once is written nowhere, so that an unusual sample may show nothing here. Nor does what a
    live key was not charged for, whatever it looks like.
    """
    if is_charge(entry.cost):
        return "live"
    if entry.key_kind is not None:
        return "sandbox" if entry.key_kind == "sandbox" else None
    answer = Prediction(entry.id, entry.state, outputs=entry.outputs, cost=entry.cost, call=entry.call, looks=1)
    return "sandbox" if weigh(find_in_answer(answer)).verdict else None
