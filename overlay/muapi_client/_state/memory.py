"""A client's own memory of its paid submissions, with a journal and without.

Lives here: one :class:`Record` a submission, and which of them may have been charged. Does not live here: the file that
outlives the process (``journal``), sums of money (``ledger``), the order in which facts become known
(``_jobs/submission``).

A record is made before anything is sent, and facts are written on it as they become known. What is reported of it is
derived from these facts and never stored beside them, so that an interrupt between any two lines leaves a truth: what
has begun to leave, and of which nothing better is known, may have been charged.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakValueDictionary, ref

from attrs import evolve

from muapi_client._runtime.delivery import Attempts
from muapi_client._runtime.forks import forks
from muapi_client._types.cost import is_charge
from muapi_client._types.entry_state import STATE_OF

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from decimal import Decimal
    from pathlib import Path

    from muapi_client._types.cost import Cost
    from muapi_client._types.entry import Entry
    from muapi_client._types.prediction import Prediction
    from muapi_generated.types import Call

KEPT_ENDED: Final = 1_000  # ended jobs a client remembers, the latest; the journal keeps them all


class Record(Attempts):
    """One paid submission: what is known of it so far.

    Attributes:
        key: Ours, and its key in the journal.
        call: What is submitted.
        intended_at: When it was about to be, by this machine's clock, in UTC.
        reading: The same on the client's clock, in seconds.
        given_up: When its last try was given up, on that clock, in seconds, or None.
        changed_at: When anything was last learnt of it, by this machine's clock, in UTC.
        accepted: Whether it is known to have been accepted.
        accepted_at: When, in seconds on the client's clock, or None.
        request_id: The server's, or None.
        cost: What the server reported it costs, or None.
        refused: Whether it was refused: no job, though a charge may have been reported.
        prediction: The answer that reported its end, or None.
        reason: Why its outcome is unknown; empty while that is not known.
        waits: Whether its submitter waits for the job at once.
        tag: The caller's word for it, or None.
        run: The name of the run it belongs to, or None.
        run_key: Which item of that run it is, or None.
        digest: What it asks, as a hash, or None.
        origin: The API it is sent to.
        set_aside_usd: What was set aside for it under a limit, or None.
        files: Where its outputs were saved.
        repeats: The keys of lost submits that it repeated by their idempotency key.
        journaled: Whether the journal may hold its intent.
        claimed: Whether its request id is somebody's word, and no answer to its submit reported it.
        span: Its OpenTelemetry span, or None.
    """

    span: Any = None

    def __init__(
        self,
        call: Call[Any],
        intended_at: datetime,
        *,
        reading: float = 0.0,
        waits: bool = False,
        tag: str | None = None,
        run: str | None = None,
        run_key: str | None = None,
        digest: str | None = None,
        origin: str = "",
    ) -> None:
        self.key = os.urandom(16).hex()
        self.call = call
        self.intended_at = self.changed_at = intended_at
        self.reading = reading
        self.given_up: float | None = None
        self.accepted = False
        self.accepted_at: float | None = None
        self.request_id: str | None = None
        self.cost: Cost | None = None
        self.refused = False
        self.prediction: Prediction | None = None
        self.reason = ""
        self.waits = waits
        self.tag = tag
        self.run = run
        self.run_key = run_key
        self.digest = digest
        self.origin = origin or None
        self.set_aside_usd: Decimal | None = None
        self.files: tuple[Path, ...] = ()
        self.repeats: list[str] = []
        self.journaled = False
        self.claimed = False
        self._pid = os.getpid()
        self._flow: ref[Generator[Any, Any, Any]] | None = None

    @property
    def state(self) -> str:
        """``intent``, ``accepted``, ``completed``, ``failed``, ``cancelled`` or ``unknown``, as the journal has it."""
        if self.prediction is not None:
            return STATE_OF.get(self.prediction.state, "completed")
        if self.refused:
            return "failed"
        if self.accepted and self.request_id:
            return "accepted"
        return "unknown" if self.accepted or self.sent else "intent"

    @property
    def ended(self) -> bool:
        """Whether nothing more is to be learnt of it."""
        return self.refused or self.prediction is not None

    @property
    def running(self) -> bool:
        """Whether its submission is still under way: as long as its generator has not ended, however it ends."""
        flow: Any = None if self._flow is None else self._flow()
        return flow is not None and flow.gi_frame is not None

    @property
    def ours(self) -> bool:
        """Whether this very process made it; a forked child has inherited its parent's."""
        return self._pid == os.getpid()

    def entry(self) -> Entry:
        """The record as its user reads it."""
        with forks.kept_waiting:
            from muapi_client._runtime.processes import owner  # noqa: PLC0415 - rarely asked for, and slow to import
            from muapi_client._state.secrets import remove_secrets  # noqa: PLC0415 - as above
            from muapi_client._types.entry import Entry  # noqa: PLC0415 - as above

        prediction = self.prediction
        return Entry(
            key=self.key,
            request_id=self.request_id,
            state=self.state,
            slug=self.call.operation.slug,
            call=remove_secrets(self.call),
            intended_at=self.intended_at,
            changed_at=self.changed_at,
            cost=self.cost,
            set_aside_usd=self.set_aside_usd,
            outputs=prediction.outputs if prediction else (),
            files=self.files,
            reason=self.reason or (prediction.error if prediction else None) or None,
            tag=self.tag,
            run=self.run,
            run_key=self.run_key,
            origin=self.origin,
            owner=owner(),
        )

    def follow(self, flow: Generator[Any, Any, Any]) -> None:
        """Have it under way as long as ``flow`` is."""
        self._flow = ref(flow)

    def accept(self, request_id: str | None, cost: Cost | None, *, at: float | None = None) -> None:
        """It was accepted; a refund that was reported once stays.

        Args:
            at: When, in seconds on the client's clock.
        """
        self.changed_at = datetime.now(UTC)
        self.request_id = request_id or self.request_id
        self.learn_cost(cost)
        self.accepted_at = self.accepted_at if at is None else at
        self.accepted = True

    def learn_cost(self, cost: Cost | None) -> None:
        """Take what an answer reported of its cost; silence changes nothing, and a refund is never taken back."""
        self.cost = update_cost(self.cost, cost)

    def claim(self, request_id: str, cost: Cost | None) -> None:
        """It was accepted, by the word of its user."""
        self.claimed = True
        self.accept(request_id, cost)

    def finish(self, prediction: Prediction, *, at: float | None = None) -> None:
        """It has ended, or was answered whole at once."""
        self.prediction = prediction
        self.accept(prediction.id, prediction.cost, at=at)

    def refuse(self, cost: Cost | None) -> None:
        """It was refused; perhaps charged all the same."""
        self.changed_at = datetime.now(UTC)
        self.cost = cost
        self.refused = True


def update_cost(known: Cost | None, reported: Cost | None) -> Cost | None:
    """Return the cost of a request of which a further answer came: silence changes nothing, and a refund stays one."""
    if known is not None and known.refunded and reported is not None:
        return evolve(reported, refunded=True)
    return reported or known


class Memory:
    """The records of one client; threads may share it. Shared by ``with_options``."""

    def __init__(self) -> None:
        self._pending: dict[str, Record] = {}  # by key: no id is known yet
        self._accepted: dict[str, Record] = {}  # by key: an id is known, or the end
        self._ended: OrderedDict[str, None] = OrderedDict()  # keys of the accepted that have ended, oldest first
        self._keys: dict[str, str] = {}  # of the accepted, by request id
        self.shared_ids: list[tuple[str, str]] = []  # which two calls were answered with, and a model; not logged yet

    def intend(self, record: Record) -> None:
        """Remember a submission, before anything of it is sent."""
        _ALL[record.key] = record
        self._pending[record.key] = record

    def forget(self, record: Record) -> None:
        """Forget a submission of which there is provably nothing to know."""
        self._pending.pop(record.key, None)
        self._accepted.pop(record.key, None)

    def accept(self, record: Record) -> None:
        """Let a submission be found by its request id, now that it has one or has ended.

        Of those that have ended only the latest are remembered; the journal keeps them all.
        """
        if record.request_id:
            same = self.find(record.request_id)
            if same is not None and same is not record:  # two submits of one idempotency key are one request
                self._accepted.pop(same.key, None)
                is_sample = record.ended and not is_charge(record.cost)  # which may have one id for all
                if same.call != record.call and not same.claimed and not is_sample:
                    self.shared_ids.append((record.request_id, record.call.operation.slug))
            self._keys[record.request_id] = record.key
        if record.request_id or record.ended:
            self._accepted[record.key] = record
            self._pending.pop(record.key, None)
        is_settled = record.cost is not None or record.request_id is not None  # else it stays in doubt, and remembered
        if record.ended and is_settled and record.key not in self._ended:
            self._ended[record.key] = None
            while len(self._ended) > KEPT_ENDED:
                oldest = self._accepted.pop(self._ended.popitem(last=False)[0], None)
                self._keys.pop((oldest and oldest.request_id) or "", None)

    def find(self, request_id: str) -> Record | None:
        """The submission that was accepted under a request id, if it is one of this client's."""
        return self.get(self._keys.get(request_id, ""))

    def get(self, key: str) -> Record | None:
        """The submission of a key, if it is one of this client's."""
        return self._accepted.get(key) or self._pending.get(key)

    def request_id_of(self, entry: Entry) -> str | None:
        """The request id of a journal's entry, also of a job whose acceptance could not be written down."""
        record = self.get(entry.key)
        return entry.request_id or (record.request_id if record is not None else None)

    def owns(self, request_id: str) -> bool:
        """Whether a job is known to be this client's. One without an id is: only the answer to a submit has none."""
        record = self.find(request_id)
        return not request_id or (record is not None and not record.claimed)

    def unknown(self) -> list[Record]:
        """Return what may have been charged, and whose job is not known, oldest first."""
        pending = [record for record in list(self._pending.values()) if record.ours]
        return [record for record in pending if record.state == "unknown" and not record.running]

    def unfinished(self) -> list[Record]:
        """Return what was accepted, and whose end was not seen, oldest first."""
        return [record for record in self if record.state == "accepted"]

    def ids(self) -> frozenset[str]:
        """The request ids of all that was accepted and is remembered."""
        return frozenset(list(self._keys))

    def __iter__(self) -> Iterator[Record]:
        records = {**self._accepted, **self._pending}
        return iter(
            sorted((record for record in records.values() if record.ours), key=lambda record: record.intended_at)
        )


_ALL: WeakValueDictionary[str, Record] = WeakValueDictionary()


def is_running(key: str) -> bool:
    """Return whether a submission of this process, whichever client's, is still under way."""
    record = _ALL.get(key)
    return record is not None and record.running
