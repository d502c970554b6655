"""What knows of every paid job: written before a submit leaves, after each answer, and read ever after.

A job is written down before it can be charged, so a crash at any instruction loses none: what was intended and never
answered is found again as "may have been charged". A finished job stays readable, with what it made.

Lives here: what is written and read of a job, wherever it is kept. Does not live here: where that is (a file,
``sqlite``, or a database of a server's, ``postgres``), what columns hold (``values``), the
statements (``statements``), when it is written (``_jobs/submission``, ``_jobs/journaling``), what to do about
what it says (the user).

Each write is one statement, hence one transaction that no interrupt can leave half done, or part of one that several
share (``commits``); done twice it leaves the same. API keys and webhook addresses are never written down.
"""

import hmac
import json
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from time import monotonic
from typing import Any, Final, TypeVar

from muapi_client._runtime.forks import forks
from muapi_client._runtime.processes import is_alive
from muapi_client._runtime.tracebacks import raise_if_from_signal_handler
from muapi_client._settings.api_key import APIKey
from muapi_client._settings.numbers import as_float
from muapi_client._state.journal.budget import FULL
from muapi_client._state.journal.commits import GroupCommit
from muapi_client._state.journal.limits import Limit, Room, limits_as_text, read_usd, scope_of
from muapi_client._state.journal.statements import (
    ACCEPT,
    ANSWERS,
    BEGIN_WAIT,
    DURATIONS,
    END_WAIT,
    FAIL,
    FINISH,
    FORGET,
    FORGETTABLE,
    INTEND,
    INTEND_WITHIN,
    MARK_UNKNOWN,
    OF_ACCOUNT,
    OF_ITEM,
    RELEASE_ITEM,
    RETAKE_ITEM,
    SAVED,
    SETTLE,
    WITHDRAW,
)
from muapi_client._state.journal.store import Db, Store
from muapi_client._state.journal.values import (
    IN_FLIGHT,
    UNREADABLE,
    as_text,
    body_as_text,
    call_as_text,
    cost_as_text,
    outputs_as_text,
    read_body,
    read_duration,
    read_entry,
    read_moment,
)
from muapi_client._state.secrets import Secrets
from muapi_client._types.cost import Cost
from muapi_client._types.entry import Account, Entry, RunItem
from muapi_client._types.prediction import Prediction
from muapi_client._types.status import JobState
from muapi_client._types.words import writable
from muapi_client.errors import JournalError
from muapi_generated.types import Call

T = TypeVar("T")

BUSY_SECONDS: Final = 10.0  # how long a write waits for another process's: far longer than any of ours takes
NOW: Final = timedelta(0)  # times are told by how long from now they are, and the store's clock tells them
LEASE: Final = timedelta(minutes=5)  # of a wait: longer than one look with its resends and a Retry-After takes
RENEWED_AFTER: Final = timedelta(minutes=1)  # a younger lease is not written again: a look may come each second
LONGEST_BUSY: Final = 86_400.0  # seconds; SQLite counts milliseconds in 32 bits
FINGERPRINT: Final = 16  # hex digits: enough to tell accounts apart, too few to try keys against

STATE_OF: Final = {JobState.DONE: "completed", JobState.FAILED: "failed", JobState.CANCELLED: "cancelled"}


class BaseJournal:
    """What every journal does, wherever it keeps what it knows. One object may serve many threads.

    Attributes:
        commits: Carries out what threads and tasks write at one moment in one transaction.
    """

    _name = ""  # for the repr of one whose arguments were refused

    def __init__(self, store: Store, busy_seconds: float) -> None:
        self._name = store.name
        self._store, self._busy_seconds = store, busy_seconds
        self._lock = store.lock
        self.commits = GroupCommit(store, busy_seconds)
        self._secrets = Secrets()
        self._budgets: set[str] = set()  # whose sums are kept
        self._run(lambda _: None)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._name!r})"

    def clock_offset(self) -> float:
        """By how many seconds the clock that jobs are dated by is ahead of this machine's."""
        return self._store.clock_offset()

    def account(self, origin: str, api_key: APIKey | str) -> Account:
        """The account of an API key: its rows are kept apart from another's, while the journal does not know the key.

        Raises:
            JournalError: It cannot be read.
        """
        key = api_key if isinstance(api_key, APIKey) else APIKey(api_key)
        del api_key  # a traceback that shows locals shows no secret
        try:
            salt = bytes.fromhex(self._rows("SELECT value FROM meta WHERE name = 'salt'", {})[0]["value"])
        except (LookupError, TypeError, ValueError) as error:
            raise JournalError(f"journal {self._store.name}: its salt cannot be read: {error}") from error
        with forks.kept_waiting:  # OpenSSL's own locks, too, would stay closed in a child
            return Account(origin, hmac.digest(salt, key.reveal().encode(), "sha256").hex()[:FINGERPRINT])

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
            **_of(account),
        }

        def write(db: Db) -> Room | None:
            self._store.check_place()
            if account is None or not limits:
                db.execute(INTEND, values)
                return None
            return self._intend_within(db, values, limits, account)

        try:
            return self._run(write)
        except JournalError as error:
            if run is not None and self._store.is_taken(error.__cause__):
                what = f"journal {self._store.name}: run {run!r} has an entry for {run_key!r} already"
                raise JournalError(f"{what}; nothing was sent") from error
            reason = error.__cause__  # of which a group asks whether it passes
            raise JournalError(f"{error}; nothing was sent") from reason

    def _intend_within(self, db: Db, values: dict[str, Any], limits: Sequence[Limit], account: Account) -> Room | None:
        if not self._store.has_budgets(db):  # none yet, or what made them was rolled back with others' writes
            self._budgets.clear()
        for limit in limits:
            if (scope := scope_of(limit, account)) not in self._budgets:
                self._store.begin_budget(db, limit, account)
                self._budgets.add(scope)
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

    def take_back(self, key: str) -> None:
        """Have an intent withdrawn that could not be written as far as is known, and of which nothing was sent.

        Nothing is written now: where the answer to a write was lost, it may stand there, and goes with the next
        connection.
        """
        self._store.take_back(key)

    def withdraw(self, key: str) -> None:
        """Take back an intent that provably came to nothing: never sent, or refused."""
        self._write(WITHDRAW, {"key": key})

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
            self._change(key, f"{FINISH} key = :key OR {by_id}", **values, **_of(account))
        else:
            self._write(f"{FINISH} request_id = :request_id AND {OF_ACCOUNT}", {**values, **_of(account)})

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
        values = {"before": as_text(before), **_of(account)}
        if not bodies:
            found = self._rows(f"SELECT count(*) AS found FROM job WHERE {FORGETTABLE}", values)  # noqa: S608
            return int(found[0]["found"])

        def write(db: Db) -> int:
            count = db.execute(FORGET, values).rowcount
            self._store.erase(db)
            return count

        return self._run(write)

    def entries(
        self,
        *,
        states: Collection[str] | None = None,
        account: Account | None = None,
        slug: str | None = None,
        tag: str | None = None,
        run: str | None = None,
        since: datetime | None = None,
    ) -> list[Entry]:
        """The jobs of the journal, oldest first.

        An entry that is damaged, or newer than this version, is among them with what can be read of it; its ``reason``
        says what cannot.

        Args:
            states: Only those in one of these states.
            account: Only this account's, and those whose account is not known.
            slug: Only this model's.
            tag: Only those of this tag.
            run: Only those of this run.
            since: Only those intended at this time or later.
        """
        return [read_entry(row) for row in self._select(states, account, slug=slug, tag=tag, run=run, since=since)]

    def unfinished(self, account: Account | None = None) -> list[Entry]:
        """The jobs that were accepted and whose end was not seen, oldest first.

        What another process that is alive waits for is left out.
        """
        rows = self._select(("accepted",), account)
        return [read_entry(row) for row in rows if _has_id(row) and not self._is_waited_for(row)]

    def is_unfinished(self, request_id: str) -> bool:
        """Whether a job was accepted, its end not seen, and no other process that is alive waits for it."""
        query = "SELECT *, :now AS now FROM job WHERE request_id = :request_id AND state = 'accepted'"
        return any(not self._is_waited_for(row) for row in self._rows(query, {"request_id": request_id}))

    def unknown(
        self, account: Account | None = None, *, is_running: Callable[[str], bool] = lambda _key: False
    ) -> list[Entry]:
        """The submits that may have been charged and have no id, oldest first.

        What another process that is alive has begun lately is left out: its answer may be on its way.

        Args:
            account: Only this account's, and those whose account is not known.
            is_running: Whether this process's own submit of a key is under way, and is left out, too.
        """
        rows = self._select(("unknown", "intent", "accepted"), account)
        rows = [row for row in rows if row["state"] != "accepted" or not _has_id(row)]
        return [read_entry(row) for row in rows if row["state"] == "unknown" or not self._is_in_flight(row, is_running)]

    def ids(self, account: Account | None = None) -> frozenset[str]:
        """The request ids of every job in the journal."""
        rows = self._rows(f"SELECT request_id FROM job WHERE request_id IS NOT NULL AND {OF_ACCOUNT}", _of(account))  # noqa: S608
        return frozenset(row["request_id"] for row in rows)

    def is_of_another(self, request_id: str, key: str, account: Account | None = None) -> bool:
        """Whether a job is that of another entry than ``key``."""
        query = f"SELECT 1 FROM job WHERE request_id = :request_id AND key <> :key AND {OF_ACCOUNT}"  # noqa: S608
        return bool(self._rows(query, {"request_id": request_id, "key": key, **_of(account)}))

    def is_of_other_account(self, key: str, account: Account | None = None) -> bool:
        """Whether an entry is known to be of another account."""
        query = f"SELECT 1 FROM job WHERE key = :key AND NOT {OF_ACCOUNT}"  # noqa: S608 - our own words
        return bool(self._rows(query, {"key": key, **_of(account)}))

    def find_item(
        self, run: str, run_key: str, account: Account | None, *, is_running: Callable[[str], bool]
    ) -> RunItem | None:
        """What is known of a call of a run, or None.

        Args:
            run: The run's name.
            run_key: The call's key.
            account: Whose run it is meant to be.
            is_running: Whether this process's own submit of an entry's key is under way.
        """
        query = f"SELECT *, :now AS now, {OF_ACCOUNT} AS is_ours FROM job WHERE {OF_ITEM}"  # noqa: S608
        rows = self._rows(query, {"run": run, "run_key": run_key, **_of(account)})
        if not rows:
            return None
        row = rows[0]
        is_submitted = row["state"] == "intent" or (row["state"] == "accepted" and not _has_id(row))
        is_in_hand = self._is_in_flight(row, is_running) if is_submitted else self._is_waited_for(row)
        return RunItem(read_entry(row), read_body(row), bool(row["is_ours"]), is_in_hand, row["digest"])

    def release_item(self, key: str) -> None:
        """Let the call of a run be submitted again: its entry, whose outcome is unknown, stays one of the run's books.

        Args:
            key: The entry.
        """
        self._write(RELEASE_ITEM, {"key": key})

    def retake_item(self, key: str, run: str, run_key: str) -> None:
        """Have an entry stand for the call of a run again that it was released from, unless another one does by now.

        Args:
            key: The entry.
            run: The run's name.
            run_key: The call's key.
        """
        self._write(RETAKE_ITEM, {"key": key, "run": run, "run_key": run_key})

    def answers(
        self, digest: str, account: Account, *, kind: str | None = None, latest: int
    ) -> list[tuple[Entry, bytes]]:
        """The jobs that made something and asked the same, the latest first, each with its last answer's body as JSON.

        Args:
            digest: What was asked, as :meth:`intend` was told it.
            account: Whose jobs; those whose account is not known are left out.
            kind: Leaves out jobs of the other kind of key: a sandbox's sample is no answer to a live client.
            latest: How many at most.
        """
        values = {"digest": digest, "kind": kind, "latest": latest, **_of(account)}
        return [(read_entry(row), read_body(row)) for row in self._rows(ANSWERS, values)]

    def durations(
        self, account: Account | None = None, *, fields: Sequence[str] = (), latest: int = 1000
    ) -> list[tuple[str, dict[str, Any], float]]:
        """How long jobs took that completed or failed: model, inputs, and seconds from the intent to the last change.

        That is too long for a job that was looked at late, or whose outputs were saved late.

        Args:
            account: Only this account's, and those whose account is not known.
            fields: Names of inputs to tell; one that was not given is None.
            latest: How many of the jobs that have ended so to look through, the latest.
        """
        values = {"fields": json.dumps(list(fields)), "latest": latest, **_of(account)}
        return [duration for row in self._rows(DURATIONS, values) for duration in read_duration(row)]

    def close(self) -> None:
        """Close it; once is enough, twice does no harm, and later use opens it again."""
        with self._lock:
            self._store.close()

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

    def _select(self, states: Collection[str] | None, account: Account | None, **equal: Any) -> list[Any]:
        values = {**_of(account), **{name: value for name, value in equal.items() if value is not None}}
        conditions = [OF_ACCOUNT, *(f"{name} = :{name}" for name in ("slug", "tag", "run") if name in values)]
        if states is not None:
            wanted = {f"state_{number}": state for number, state in enumerate(states)}
            conditions.append(f"state IN ({', '.join(f':{name}' for name in wanted)})" if wanted else "false")
            values |= wanted
        if "since" in values:
            conditions.append("intended_at >= :since")
            values["since"] = as_text(values["since"])
        query = f"SELECT *, :now AS now FROM job WHERE {' AND '.join(conditions)} ORDER BY intended_at, rowid"  # noqa: S608
        return self._rows(query, values)

    def _write(self, statement: str, values: Mapping[str, Any]) -> None:
        """Carry out one statement, however many rows it changes."""

        def write(db: Db) -> None:
            db.execute(statement, {"now": NOW, **values})

        self._run(write)

    def _execute(self, statement: str, values: Mapping[str, Any]) -> int:
        """Carry out one statement; answers how many rows it changed."""
        return self._run(lambda db: db.execute(statement, {"now": NOW, **values}).rowcount)

    def _rows(self, query: str, values: Mapping[str, Any]) -> list[Any]:
        return self._run(lambda db: db.execute(query, {"now": NOW, **values}).fetchall())

    def _run(self, work: Callable[[Db], T]) -> T:
        """Work on what is open in this process, one thread at a time.

        Raises:
            JournalError: It cannot be opened, read or written; or stayed locked for the busy time-out, in which the
                time that was spent on waiting for other threads counts.
        """
        ends = monotonic() + self._busy_seconds
        is_within = self._lock.is_mine()
        if is_within:  # a group commit, which has waited already
            ends = min(ends, self.commits.ends)
        try:
            with self._lock:
                if not is_within:
                    self._store.roll_back()  # what an interrupt, and another one behind it, may have left open
                return self._store.run(work, ends)
        except self._store.errors as error:
            raise_if_from_signal_handler(error)
            told = self._store.explain(error, self._busy_seconds)
            raise JournalError(f"journal {self._store.name}: {told}") from error

    def _is_waited_for(self, row: Any) -> bool:
        """Return whether another process waits for an accepted job: it is alive, or its lease still holds."""
        if row["lease"] is None or row["owner"] == self._store.owner():
            return False
        alive = is_alive(str(row["owner"]))
        return _lease_holds(row) if alive is None else alive

    def _is_in_flight(self, row: Any, is_running: Callable[[str], bool]) -> bool:
        """Return whether the answer to a submit may still come."""
        if row["owner"] == self._store.owner():
            return is_running(row["key"])
        return is_alive(str(row["owner"])) is not False and _lease_holds(row)


def read_busy_timeout(value: float) -> float:
    """How long a write waits for others, in seconds.

    Raises:
        JournalError: It is no such number.
    """
    seconds = as_float(value)
    if seconds is None or not 0 <= seconds <= LONGEST_BUSY:
        raise JournalError(f"busy_timeout must be a number of seconds from 0 to {LONGEST_BUSY:g}, not {value!r}")
    return seconds


def _of(account: Account | None) -> dict[str, str | None]:
    """An account as a statement's values."""
    return {"origin": account.origin if account else None, "account": account.fingerprint if account else None}


def _has_id(row: Any) -> bool:
    return isinstance(row["request_id"], str)


def _lease_holds(row: Any) -> bool:
    """Return whether a lease has not ended; one that cannot be read has."""
    try:
        if row["lease"] is None:  # a program of form 1 wrote it, which had the file open when it was migrated
            return read_moment(row["intended_at"]) + IN_FLIGHT > read_moment(row["now"])
        return read_moment(row["lease"]) > read_moment(row["now"])
    except UNREADABLE:
        return False
