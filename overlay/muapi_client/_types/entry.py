"""What the memory of a client tells of one job, and the account it belongs to.

Lives here: values. Does not live here: where they are kept (``_state/journal``).
"""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, NamedTuple

from attrs import field, frozen

from muapi_client._types.cost import Cost
from muapi_client._types.prediction import Output
from muapi_client._types.reprs import represent_short
from muapi_generated.types import Call


class Account(NamedTuple):
    """Whose jobs: an API's origin, and a key's fingerprint, salted by the journal that made it."""

    origin: str
    fingerprint: str


@frozen(kw_only=True)
class Entry:
    """One paid job as it was written down.

    Attributes:
        key: The entry's own key, made before the submit.
        request_id: The server's id, or None where no answer reported one.
        state: ``intent`` (about to be submitted), ``accepted``, ``completed``, ``failed``, ``cancelled``, or
            ``unknown`` (submitted, and perhaps charged).
        slug: The model.
        call: What was submitted, without webhooks; None where it held local files, or was forgotten.
        intended_at: When the submit was about to leave, in UTC.
        changed_at: When anything was last learnt of it, in UTC.
        cost: What the server reported as its cost, or None: unknown, not zero.
        set_aside_usd: What was set aside for it under a limit, or None.
        outputs: What it made, once it has ended.
        files: Where its outputs were saved, as absolute paths.
        reason: Why it failed or its outcome is unknown; or what of the entry cannot be read, and is therefore missing.
        tag: The caller's word for it, or None.
        run: The name of the run it belongs to, or None.
        run_key: Which item of that run it is, or None.
        origin: The API it was sent to, or None in what an older version wrote.
        key_kind: Which kind of API key paid for it, where that is known.
        owner: The process that submitted it or waits for it, as ``host:pid:start:token``.
    """

    __module__ = "muapi_client"

    key: str
    request_id: str | None = None
    state: str
    slug: str
    call: Call[Any] | None = field(default=None, hash=False)  # its body is a dictionary, which has none
    intended_at: datetime
    changed_at: datetime
    cost: Cost | None = None
    set_aside_usd: Decimal | None = None
    outputs: tuple[Output, ...] = ()
    files: tuple[Path, ...] = ()
    reason: str | None = None
    tag: str | None = None
    run: str | None = None
    run_key: str | None = None
    origin: str | None = None
    key_kind: Literal["live", "sandbox"] | None = None
    owner: str = field(default="", repr=False)

    __repr__ = represent_short

    @property
    def id(self) -> str | None:
        """The request id, under the name that jobs have it: ``mu.wait(entry)`` and ``mu.look(entry)`` take an entry."""
        return self.request_id


class RunItem(NamedTuple):
    """What the journal knows of a call of a run.

    Attributes:
        entry: Its entry.
        body: The last answer's body as JSON, or empty where there was none, or it was forgotten.
        is_ours: Whether it is of the account that was asked for.
        is_in_hand: Whether it is being submitted, or waited for by another process that is alive.
        digest: What it asked, contents of local files included, as a hash; None where nobody knows.
        is_reused: Whether the entry is another call's, whose answer the call was given by ``reuse=True``.
    """

    entry: Entry
    body: bytes
    is_ours: bool
    is_in_hand: bool
    digest: str | None
    is_reused: bool = False


class Replaced(NamedTuple):
    """An entry, which may have been charged, whose place in its run another one takes: its call is submitted again.

    Attributes:
        key: The entry's.
        run: The run.
        run_key: The place.
    """

    key: str
    run: str
    run_key: str
