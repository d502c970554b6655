"""What knows of every paid job: written before a submit leaves, after each answer, and read ever after.

A job is written down before it can be charged, so a crash at any instruction loses none: what was intended and never
answered is found again as "may have been charged". A finished job stays readable, with what it made.

Lives here: what is written of a job, wherever it is kept. Does not live here: what is read of it (``reading``), where
it is kept (a file, ``sqlite``, or a database of a server's, ``postgres``), what columns hold (``values``), the
statements (``statements``), when it is written (``_jobs/submission``, ``_jobs/journaling``), what to do about
what it says (the user).

Each write is one statement, hence one transaction that no interrupt can leave half done, or several that make up a
transaction because they belong together, or part of one that several share (``commits``); done twice it leaves the
same. API keys and webhook addresses are never written down.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final, TypeVar

from muapi_client._settings.numbers import as_float
from muapi_client._state.journal.budget import FULL
from muapi_client._state.journal.limits import Limit, Room, limits_as_text, read_usd, scope_of
from muapi_client._state.journal.reading import NOW, JournalReader, of_account
from muapi_client._state.journal.statements import (
    ACCEPT,
    BEGIN_WAIT,
    END_WAIT,
    FAIL,
    FINISH,
    FORGET,
    FORGETTABLE,
    INTEND,
    INTEND_WITHIN,
    MARK_UNKNOWN,
    OF_ACCOUNT,
    RELEASE_ITEM,
    RETAKE_ITEM,
    REUSE,
    SAVED,
    SETTLE,
    WITHDRAW,
)
from muapi_client._state.journal.store import Db, Store
from muapi_client._state.journal.values import (
    IN_FLIGHT,
    as_text,
    body_as_text,
    call_as_text,
    cost_as_text,
    outputs_as_text,
)
from muapi_client._state.secrets import Secrets
from muapi_client._types.cost import Cost
from muapi_client._types.entry import Account, Replaced
from muapi_client._types.entry_state import STATE_OF
from muapi_client._types.prediction import Prediction
from muapi_client._types.words import writable
from muapi_client.errors import JournalError
from muapi_generated.types import Call

T = TypeVar("T")

BUSY_SECONDS: Final = 10.0  # how long a write waits for another process's: far longer than any of ours takes
LEASE: Final = timedelta(minutes=5)  # of a wait: longer than one look with its resends and a Retry-After takes
RENEWED_AFTER: Final = timedelta(minutes=1)  # a younger lease is not written again: a look may come each second
LONGEST_BUSY: Final = 86_400.0  # seconds; SQLite counts milliseconds in 32 bits


class BaseJournal(JournalReader):
    """What every journal does, wherever it keeps what it knows. One object may serve many threads.

    Attributes:
        commits: Carries out what threads and tasks write at one moment in one transaction.
    """

    def __init__(self, store: Store, busy_seconds: float) -> None:
        self._secrets = Secrets()
        self._budgets: set[str] = set()  # whose sums are kept
        super().__init__(store, busy_seconds)

    def intend(
        self,
        key: str,
        call: Call[Any],
        account: Account | None,
        *,
        intended_at: datetime,
        set_aside_usd: Decimal | None = None,
        tag: str | None = None,
        run: str | None = None,
        run_key: str | None = None,
        digest: str | None = None,
        limits: Sequence[Limit] = (),
        replaces: Replaced | None = None,
        secrets: Iterable[str | None] = (),
    ) -> Room | None:
        """Write down that a call is about to be submitted, where every limit has room for what is set aside for it.

        Args:
            key: The entry's key, made by the caller.
            call: What is about to be submitted; its webhooks stay out of the journal.
            account: Whose job it is; None makes it everybody's.
            intended_at: When that was.
            set_aside_usd: What was set aside for it.
            tag: The caller's word for it.
            run: The name of the run it belongs to.
            run_key: Which item of the run it is; a run has each once.
            digest: What the call asks, as a hash, to find its answer by: :meth:`answers`.
            limits: What may be spent, over all processes; they need an account.
            replaces: The entry whose place in the run it takes, which may have been charged. That one has its place
                until this one is written, and keeps it where this one is not.
            secrets: What must stay out of the journal, in this and in every later text.

        Returns:
            None, or the first limit that has no room; then nothing was written.

        Raises:
            JournalError: It cannot be written, or the place is not the one that was opened; nothing may be sent.
        """
        self._secrets.add(secrets)
        values = {
            "key": key,
            "slug": writable(call.operation.slug),
            "call": call_as_text(call, self._secrets),
            "intended_at": as_text(intended_at),
            "now": NOW,
            "owner": self._store.owner(),
            "lease": IN_FLIGHT,
            "tag": tag,
            "run": run,
            "run_key": run_key,
            "digest": digest,
            "set_aside_usd": None if set_aside_usd is None else str(set_aside_usd),
            **of_account(account),
        }

        def write(db: Db) -> Room | None:
            self._store.check_place()
            if account is None or not limits:
                db.execute(INTEND, values)
                return None
            return self._intend_within(db, values, limits, account)

        def write_in_place(db: Db) -> Room | None:
            assert replaces is not None
            if account is not None:  # before a row is locked: who begins a sum waits for all who have one
                self._begin_budgets(db, limits, account)
            db.execute(RELEASE_ITEM, {"key": replaces.key})
            full = write(db)
            if full is not None:
                db.execute(RETAKE_ITEM, replaces._asdict())
            return full

        try:
            return self._run(write) if replaces is None else self._run_whole(write_in_place)
        except JournalError as error:
            if run is not None and self._store.is_taken(error.__cause__):
                what = f"journal {self._store.name}: run {run!r} has an entry for {run_key!r} already"
                raise JournalError(f"{what}; nothing was sent") from error
            reason = error.__cause__  # of which a group asks whether it passes
            raise JournalError(f"{error}; nothing was sent") from reason

    def _intend_within(self, db: Db, values: dict[str, Any], limits: Sequence[Limit], account: Account) -> Room | None:
        self._begin_budgets(db, limits, account)
        set_aside = values["set_aside_usd"]
        needed = limits_as_text(limits, account, None if set_aside is None else Decimal(set_aside))
        if db.execute(INTEND_WITHIN, {**values, **needed}).rowcount:
            return None
        if db.execute("SELECT 1 FROM job WHERE key = :key", values).fetchone():  # written before an interrupt
            return None
        full = {row["scope"]: row["spent"] for row in db.execute(FULL, {**values, **needed}).fetchall()}
        self._budgets.difference_update(scope for scope, spent in full.items() if spent is None)  # another time's
        for limit in limits:
            if (spent := full.get(scope_of(limit, account))) is not None:
                return Room(limit, read_usd(spent))
        return self._intend_within(db, values, limits, account)  # there is room by now, or the sum is begun anew

    def _begin_budgets(self, db: Db, limits: Sequence[Limit], account: Account) -> None:
        """Keep the sums of limits from now on, where they are not kept yet."""
        if not self._store.has_budgets(db):  # none yet, or what made them was rolled back with others' writes
            self._budgets.clear()
        for limit in limits:
            if (scope := scope_of(limit, account)) not in self._budgets:
                self._store.begin_budget(db, limit, account)
                self._budgets.add(scope)

    def take_back(self, key: str, *, replaced: Replaced | None = None) -> None:
        """Have an intent withdrawn that could not be written as far as is known, and of which nothing was sent.

        Nothing is written now: where the answer to a write was lost, it may stand there, and goes with the next
        connection.

        Args:
            key: The entry.
            replaced: The entry whose place in its run it may have taken; it has that again then.
        """
        self._store.take_back(key, partial(_withdraw, key=key, replaced=replaced))

    def withdraw(self, key: str, *, replaced: Replaced | None = None) -> None:
        """Take back an intent that provably came to nothing: never sent, or refused.

        Args:
            key: The entry.
            replaced: The entry whose place in its run it took; it has that again, unless another one does by now.
        """
        work = partial(_withdraw, key=key, replaced=replaced)
        self._run(work) if replaced is None else self._run_whole(work)

    def mark_unknown(self, key: str, reason: str) -> None:
        """Write down that a submit's outcome is unknown, and why."""
        self._change(key, MARK_UNKNOWN, reason=self._clean(reason))

    def accept(self, key: str, request_id: str | None, cost: Cost | None, *, waiting: bool = False) -> None:
        """Write down that a job was accepted.

        Args:
            key: The entry.
            request_id: The server's id; None where it gave none.
            cost: What the server reported it costs, or None.
            waiting: Whether this process waits for its end now, as :meth:`begin_wait` says.
        """
        lease = LEASE if waiting else IN_FLIGHT if request_id is None else None
        values = {"request_id": request_id, "cost": cost_as_text(cost), "owner": self._store.owner()}
        self._change(key, ACCEPT, lease=lease, **values)

    def fail(self, key: str, cost: Cost, reason: str) -> None:
        """Write down that a submit was refused and charged all the same."""
        self._change(key, FAIL, cost=cost_as_text(cost), reason=self._clean(reason))

    def finish(
        self,
        prediction: Prediction,
        *,
        key: str | None = None,
        account: Account | None = None,
        key_kind: str | None = None,
        secrets: Iterable[str | None] = (),
    ) -> None:
        """Write down how a job ended, what it made and what it cost; a job that is not in the journal stays out of it.

        Args:
            prediction: The answer that tells the end.
            key: The entry, where the submit itself was answered so; by default that of the answer's id.
            account: Whose job it is, where it is looked for by the answer's id; None looks among everybody's.
            key_kind: Which kind of API key it was, ``live`` or ``sandbox``, where that is known.
            secrets: What must stay out of the journal, in this and in every later text.
        """
        self._secrets.add(secrets)
        values = {
            "state": STATE_OF[prediction.state],
            "request_id": prediction.id,
            "cost": cost_as_text(prediction.cost),
            "body": body_as_text(prediction.raw, self._secrets),
            "outputs": outputs_as_text(prediction.outputs, self._secrets),
            "reason": None if prediction.error is None else self._clean(prediction.error),
            "key_kind": key_kind,
        }
        if key:
            by_id = f"(request_id = :request_id AND {OF_ACCOUNT})"  # other submits of one idempotency key
            self._change(key, f"{FINISH} key = :key OR {by_id}", **values, **of_account(account))
        else:
            self._write(f"{FINISH} request_id = :request_id AND {OF_ACCOUNT}", {**values, **of_account(account)})

    def reuse(self, key: str, run: str, run_key: str) -> None:
        """Write down that a call of a run was answered by another entry's job, and was not submitted.

        Args:
            key: That entry.
            run: The name of the run.
            run_key: Which item of the run the call is.
        """
        self._write(REUSE, {"key": key, "run": run, "run_key": run_key})

    def saved(self, request_id: str, files: Sequence[str | os.PathLike[str]]) -> None:
        """Write down where outputs of a job were saved, beside what is known of that already."""
        paths = [writable(os.path.abspath(os.fspath(file))) for file in files]  # noqa: PTH100 - resolves no links
        self._write(SAVED, {"request_id": request_id, "files": json.dumps(paths)})

    def begin_wait(self, request_id: str) -> None:
        """Write down that this process waits for a job, so that other processes' :meth:`unfinished` leaves it out.

        On other hosts that holds for some minutes: who waits longer calls this again, which is cheap, at every look.
        """
        leases = {"lease": LEASE, "stale": LEASE - RENEWED_AFTER}
        self._write(BEGIN_WAIT, {"request_id": request_id, "owner": self._store.owner(), **leases})

    def end_wait(self, request_id: str) -> None:
        """Write down that this process does not wait for a job any more."""
        self._write(END_WAIT, {"request_id": request_id, "owner": self._store.owner()})

    def settle(self, key: str, request_id: str | None) -> bool:
        """Write down what became of an unknown outcome: its id, or None where it was never accepted.

        Returns:
            Whether there was such an outcome; what is known already is not changed.
        """
        if request_id is None:
            return bool(self._execute(WITHDRAW, {"key": key}))
        return bool(self._execute(SETTLE, {"key": key, "request_id": request_id}))

    def forget(self, *, before: datetime, bodies: bool = True, account: Account | None = None) -> int:
        """Drop what ended jobs were asked and answered, and keep the books: ids, states, times, costs, output URLs.

        Args:
            before: Jobs that were last changed before this time.
            bodies: Whether to drop prompts, answers' bodies, output texts and reasons. False drops nothing and only
                counts: entries themselves stay, for a job that is known is never offered as a lost one.
            account: Whose jobs; None forgets everybody's.

        Returns:
            How many entries had something to forget.
        """
        values = {"before": as_text(before), **of_account(account)}
        if not bodies:
            found = self._rows(f"SELECT count(*) AS found FROM job WHERE {FORGETTABLE}", values)  # noqa: S608
            return int(found[0]["found"])

        def write(db: Db) -> int:
            count = db.execute(FORGET, values).rowcount
            self._store.erase(db)
            return count

        return self._run(write)

    def _clean(self, text: str) -> str:
        return writable(self._secrets.clean_text(text))

    def _change(self, key: str, statement: str, **values: Any) -> None:
        """Change one entry.

        Raises:
            JournalError: The journal does not hold it.
        """
        values["key"] = key
        if not self._execute(statement, values) and not self._rows("SELECT 1 FROM job WHERE key = :key", {"key": key}):
            raise JournalError(f"journal {self._store.name}: entry {key} is not in the {self._store.kind} any more")

    def _run_whole(self, work: Callable[[Db], T]) -> T:
        """Carry out several statements of which all are written or none, so that a kill leaves no half of them."""
        return self._run(lambda db: db.carry_out_whole(work))

    def _write(self, statement: str, values: Mapping[str, Any]) -> None:
        """Carry out one statement, however many rows it changes."""

        def write(db: Db) -> None:
            db.execute(statement, {"now": NOW, **values})

        self._run(write)

    def _execute(self, statement: str, values: Mapping[str, Any]) -> int:
        """Carry out one statement; answers how many rows it changed."""
        return self._run(lambda db: db.execute(statement, {"now": NOW, **values}).rowcount)


def _withdraw(db: Db, *, key: str, replaced: Replaced | None) -> None:
    """Take an intent back, and have the entry whose place it took stand there again."""
    db.execute(WITHDRAW, {"key": key})
    if replaced is not None:
        db.execute(RETAKE_ITEM, replaced._asdict())


def read_busy_timeout(value: float) -> float:
    """How long a write waits for others, in seconds.

    Raises:
        JournalError: It is no such number.
    """
    seconds = as_float(value)
    if seconds is None or not 0 <= seconds <= LONGEST_BUSY:
        raise JournalError(f"busy_timeout must be a number of seconds from 0 to {LONGEST_BUSY:g}, not {value!r}")
    return seconds
