"""What a journal tells of jobs, wherever it keeps them.

Lives here: opening it, carrying out a statement, and everything that only reads. Does not live here: what is written
(``base``), what columns hold (``values``), the place (``store``).
"""

import hmac
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Final, TypeVar

from muapi_client._runtime.forks import forks
from muapi_client._runtime.processes import is_alive
from muapi_client._runtime.tracebacks import raise_if_from_signal_handler
from muapi_client._settings.api_key import APIKey
from muapi_client._state.journal.commits import GroupCommit
from muapi_client._state.journal.statements import ANSWERS, DURATIONS, FIND_ITEM, LATEST, OF_ACCOUNT, OPEN_ENDS
from muapi_client._state.journal.store import Db, Store
from muapi_client._state.journal.values import (
    IN_FLIGHT,
    UNREADABLE,
    as_text,
    read_body,
    read_duration,
    read_entry,
    read_moment,
)
from muapi_client._types.entry import Account, Entry, RunItem
from muapi_client._types.entry_state import MAYBE_CHARGED
from muapi_client.errors import JournalError

T = TypeVar("T")

NOW: Final = timedelta(0)  # times are told by how long from now they are, and the store's clock tells them
FINGERPRINT: Final = 16  # hex digits: enough to tell accounts apart, too few to try keys against


class JournalReader:
    """What every journal tells, and how a statement reaches it. One object may serve many threads.

    Attributes:
        commits: Carries out what threads and tasks write at one moment in one transaction.
    """

    _name = ""  # for the repr of one whose arguments were refused

    def __init__(self, store: Store, busy_seconds: float) -> None:
        self._name = store.name
        self._store, self._busy_seconds = store, busy_seconds
        self._lock = store.lock
        self.commits = GroupCommit(store, busy_seconds)
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
        query = f"SELECT request_id FROM job WHERE request_id IS NOT NULL AND {OF_ACCOUNT}"  # noqa: S608 - our own words
        rows = self._rows(query, of_account(account))
        return frozenset(row["request_id"] for row in rows)

    def find_job(self, request_id: str, account: Account | None = None) -> Entry | None:
        """The job of a request id, or None where the journal has none."""
        query = f"SELECT * FROM job WHERE request_id = :request_id AND {OF_ACCOUNT}"  # noqa: S608 - our own words
        rows = self._rows(query, {"request_id": request_id, **of_account(account)})
        return read_entry(rows[0]) if rows else None

    def is_of_another(self, request_id: str, key: str, account: Account | None = None) -> bool:
        """Whether a job is that of another entry than ``key``."""
        query = f"SELECT 1 FROM job WHERE request_id = :request_id AND key <> :key AND {OF_ACCOUNT}"  # noqa: S608
        return bool(self._rows(query, {"request_id": request_id, "key": key, **of_account(account)}))

    def is_of_other_account(self, key: str, account: Account | None = None) -> bool:
        """Whether an entry is known to be of another account."""
        query = f"SELECT 1 FROM job WHERE key = :key AND NOT {OF_ACCOUNT}"  # noqa: S608 - our own words
        return bool(self._rows(query, {"key": key, **of_account(account)}))

    def find_item(
        self, run: str, run_key: str, account: Account | None, *, is_running: Callable[[str], bool]
    ) -> RunItem | None:
        """What is known of a call of a run, or None: its own entry, or another's that it was answered by.

        Where it has both, its own counts, unless that is in doubt: what is answered need not be submitted again.

        Args:
            run: The run's name.
            run_key: The call's key.
            account: Whose run it is meant to be.
            is_running: Whether this process's own submit of an entry's key is under way.
        """
        rows = self._rows(FIND_ITEM, {"run": run, "run_key": run_key, **of_account(account)})
        if not rows:
            return None
        row = rows[-1] if rows[0]["state"] in MAYBE_CHARGED else rows[0]  # the answer, if any, is last
        is_submitted = row["state"] == "intent" or (row["state"] == "accepted" and not _has_id(row))
        is_in_hand = self._is_in_flight(row, is_running) if is_submitted else self._is_waited_for(row)
        known = (read_entry(row), read_body(row), bool(row["is_ours"]), is_in_hand, row["digest"])
        return RunItem(*known, is_reused=bool(row["is_reused"]))

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
        values = {"digest": digest, "kind": kind, "latest": latest, **of_account(account)}
        return [(read_entry(row), read_body(row)) for row in self._rows(ANSWERS, values)]

    def ended(self, account: Account, *, latest: int) -> list[Entry]:
        """The jobs that have ended, the latest first.

        Args:
            account: Whose jobs; those whose account is not known are left out.
            latest: How many at most.
        """
        return [read_entry(row) for row in self._rows(LATEST, {"latest": latest, **of_account(account)})]

    def open_ends(self, digest: str, account: Account, *, is_running: Callable[[str], bool]) -> list[Entry]:
        """The jobs that ask the same and have not ended as far as is known, the latest first.

        A submit whose answer may be on its way is left out.

        Args:
            digest: What was asked, as :meth:`intend` was told it.
            account: Whose jobs; those whose account is not known are left out.
            is_running: Whether this process's own submit of a key is under way.
        """
        rows = self._rows(OPEN_ENDS, {"digest": digest, **of_account(account)})
        return [
            read_entry(row)
            for row in rows
            if row["state"] == "unknown" or _has_id(row) or not self._is_in_flight(row, is_running)
        ]

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
        values = {"fields": json.dumps(list(fields)), "latest": latest, **of_account(account)}
        return [duration for row in self._rows(DURATIONS, values) for duration in read_duration(row)]

    def close(self) -> None:
        """Close it; once is enough, twice does no harm, and later use opens it again."""
        with self._lock:
            self._store.close()

    def _select(self, states: Collection[str] | None, account: Account | None, **equal: Any) -> list[Any]:
        values = {**of_account(account), **{name: value for name, value in equal.items() if value is not None}}
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


def of_account(account: Account | None) -> dict[str, str | None]:
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
