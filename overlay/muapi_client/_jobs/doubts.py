"""A lost submit, before a call that asks the same is sent: was it never accepted, or may it have been charged?

Lives here: what the history says of it, and withdrawing what it proves to be nothing. Does not live here: looking
there (``reconcile``), who asks: a call of a run that was left (``map_item``), and one that reuses (``reuse``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from muapi_client import errors
from muapi_client._jobs.recall import settle

if TYPE_CHECKING:
    from collections.abc import Callable

    from muapi_client._protocol.steps import Flow
    from muapi_client._state.context import Context
    from muapi_client._types.entry import Entry
    from muapi_client._types.reconciliation import Reconciliation


def look_for_doubt(
    entry: Entry, reconcile: Callable[[Entry], Flow[Reconciliation[Any]]], context: Context
) -> Flow[str | None]:
    """Find out whether a lost submit may have been accepted and charged. A job of its model and time is no proof.

    Args:
        entry: The submit.
        reconcile: Looks for its job in the history.

    Returns:
        Why that is not known, or None where it was never accepted: its entry is withdrawn then.

    Raises:
        JournalError: The journal cannot be read or written.
    """
    try:
        found = yield from reconcile(entry)
    except errors.JournalError:
        raise
    except errors.MuAPIError as error:
        return f"the history could not be had: {error}"
    if found.candidates:
        newest = found.candidates[0].id
        offered = f"{len(found.candidates)} jobs, the newest {newest}" if len(found.candidates) > 1 else f"job {newest}"
        told = "which may be this one's and may be another's; mu.reconcile(error) shows what it offers"
        return f"the history offers {offered}, {told}"
    if not found.complete:
        return "the history proves nothing before some minutes have passed, nor once 1,000 jobs have followed"
    try:
        yield from settle(entry, None, context)
    except errors.JournalError:
        raise
    except errors.MuAPIError:  # another process has settled it meanwhile: the caller looks again
        pass
    return None
