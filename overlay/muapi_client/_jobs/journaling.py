"""When the journal is written of a job: before its submit leaves, after its answer, at its end. Pure.

Lives here: the order of submit and journal, and what an error tells where the file fails. Does not live here: the file
(``_journal``), streams, which may go on while it fails (``_bookkeeping``).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from muapi_client import errors
from muapi_client._protocol.job_answer import is_final
from muapi_client._protocol.steps import Keep
from muapi_client._types.status import JobState

if TYPE_CHECKING:
    from collections.abc import Callable

    from muapi_client._protocol.steps import Flow
    from muapi_client._state.context import Terms
    from muapi_client._types.prediction import Prediction
    from muapi_generated.types import Call


def journaled(call: Call[Any], terms: Terms, submission: Flow[Prediction]) -> Flow[Prediction]:
    """Carry out a submission with its journal: the intent before anything leaves, its outcome before anything else.

    Raises:
        JournalError: The journal cannot be written; the message tells whether anything was sent.
    """
    journal = terms.journal
    if journal is None:
        return (yield from submission)
    key = yield from _kept(partial(journal.intend, call), "nothing was sent")
    try:
        said = yield from submission
    except errors.SubmitOutcomeUnknownError as error:
        yield Keep(partial(journal.lose, key, str(error)))
        raise
    except errors.MuAPIError:
        yield Keep(partial(journal.forget, key))
        raise
    except GeneratorExit:  # the event loop ended: nobody carries out another step, and the intent stays what it is
        raise
    except BaseException as interrupt:
        yield Keep(partial(journal.lose, key, f"interrupted by {type(interrupt).__name__}"))
        raise
    if said.id is not None:
        yield from _kept(partial(journal.accept, key, said.id, said.cost), f"job {said.id} was accepted", said)
    if said.id is None or is_final(said):
        yield from _kept(partial(journal.finish, said, key=key), f"job {said.id} has ended", said)
    return said


def ended(said: Prediction, terms: Terms) -> Flow[None]:
    """Write a job's end into the journal, where there is one, and where the answer tells it.

    Raises:
        JournalError: The journal cannot be written.
    """
    if terms.journal is not None and said.state is not JobState.RUNNING:
        yield from _kept(partial(terms.journal.finish, said), f"job {said.id} has ended: look at it again", said)


def _kept(write: Callable[[], Any], fact: str, said: Prediction | None = None) -> Flow[Any]:
    """Write to the journal; should that fail, the error tells what is true all the same."""
    try:
        return (yield Keep(write))
    except errors.JournalError as error:
        known: dict[str, Any] = {"request_id": said.id, "cost": said.cost, "balance": said.balance} if said else {}
        raise errors.JournalError(f"{error}; {fact}", **known) from error
