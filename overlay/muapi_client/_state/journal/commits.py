"""Group commit: writes that wait for a journal at one moment are made durable by one transaction, so by one fsync.

An fsync takes as long as a hundred writes. Whoever is next carries out what others wait with as well, and each
of them learns of its own write once all are durable, never before: "written before it is sent" holds. They wait for
that one alone, not for the journal, which by then the one after it has. Nobody waits for others to come; a write that
is alone is one statement, as it would be without this, or a transaction of its own where it has several.

One that goes wrong harms no other: the transaction is rolled back, and done again without it. Where there can be none,
each is carried out alone, and says itself what is wrong. A write that is carried out twice leaves the same, which is
what lets an interrupt strike at any line: what was not told to be done is done again, and what an interrupt leaves open
is rolled back by whoever comes next.

Lives here: carrying out several writes at once. Does not live here: what a write is (``base``), where it
goes (``store``), waiting in an event loop (``_transport/keeping``).
"""

from __future__ import annotations

import os
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from muapi_client._runtime.locks import ForkLock
from muapi_client._runtime.tracebacks import from_signal_handler, raise_if_from_signal_handler

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from muapi_client._state.journal.store import Store


class Commit:
    """A transaction of several writes, or of one.

    Attributes:
        done: Whether all of them are durable; set at once for all.
    """

    def __init__(self) -> None:
        self.done = False


class Write:
    """A write on its way into the journal.

    Args:
        work: Writes, by one method of the journal; done twice it leaves the same.
        is_lasting: Whether it has to outlast a crash of the machine once it is told to be done.
    """

    def __init__(self, work: Callable[[], Any], *, is_lasting: bool = True) -> None:
        self.work, self.is_lasting, self.commit = work, is_lasting, Commit()
        self.began, self.pid = monotonic(), os.getpid()
        self.is_alone = False  # whether it was tried with others, in vain
        self._outcome: Any = None
        self._error: Exception | None = None

    @property
    def is_done(self) -> bool:
        """Whether it is durable, or has failed for good."""
        return self.commit.done

    def carry_out(self, commit: Commit) -> bool:
        """Do the work as a part of ``commit``; answers whether it went well. What a signal handler raises passes."""
        self.commit, self._error = commit, None
        try:
            self._outcome = self.work()
        except Exception as error:
            if from_signal_handler(error) is not None:
                raise
            self._error = error
        return self._error is None

    def leave(self, store: Store) -> None:
        """Leave a transaction with others, in which it went wrong: for good, or to be tried alone."""
        self.commit = Commit()
        self.is_alone = self._error is None or store.may_pass(self._error.__cause__)
        self.commit.done = not self.is_alone

    def answer(self) -> Any:
        """What the work returned; raises what it raised."""
        if self._error is None:
            return self._outcome
        try:
            raise self._error
        finally:
            self._error = None  # its traceback holds this

    def note_failure(self, interrupt: BaseException) -> None:
        """Let an interrupt say that the write failed; the failure does not take its place."""
        if self._error is not None:
            interrupt.add_note(str(self._error))
            self._error = None


class GroupCommit:
    """The writes that wait for one journal in this process.

    Args:
        store: The journal's.
        busy_seconds: How long a write waits for another process's.

    Attributes:
        ends: When the write that is being carried out has waited long enough, on ``time.monotonic()``.
    """

    def __init__(self, store: Store, busy_seconds: float) -> None:
        self.ends = 0.0
        self._store, self._busy_seconds = store, busy_seconds
        self._waiting: dict[int, Write] = {}
        self._next: ForkLock | None = None  # held by who will carry out what waits, once the journal is free
        self._is_committing = False

    def make_write(self, work: Callable[[], Any], *, is_lasting: bool = True) -> Write:
        """A write to be carried out; see :class:`Write`."""
        return Write(work, is_lasting=is_lasting)

    def carry_out(self, *writes: Write) -> None:
        """Carry writes out, together with those that others wait with; they are done when this returns."""
        try:
            for write in writes:
                self._waiting[id(write)] = write
            while not all(write.is_done for write in writes):
                ahead = self._next
                if ahead is None or self._store.lock.is_mine():  # for a signal handler's thread another may wait
                    self._lead(writes)
                else:
                    self._follow(ahead)
        finally:
            for write in writes:
                self._waiting.pop(id(write), None)

    def finish(self, write: Write) -> None:
        """Carry out alone, and perhaps once more, a write whose :meth:`carry_out` an interrupt has cut short."""
        self._waiting.pop(id(write), None)
        with self._store.lock:
            self._clear_up()
            if not write.is_done:
                self._commit([write])
            if not write.is_done:
                self._carry_out_alone(write)

    def _lead(self, writes: Sequence[Write]) -> None:
        """Carry out all that waits, with what comes before the journal is free; ``writes`` are done by then."""
        mine = ForkLock()
        with mine:
            self._next = mine
            with self._store.lock:
                self._next = None  # what comes from now on waits for another
                interrupted = self._is_committing
                self._clear_up()
                if not interrupted:  # else a signal handler writes in the middle of another commit: its own alone
                    self._commit(self._find_waiting())
                for write in writes:
                    if not write.is_done:
                        self._carry_out_alone(write)

    def _follow(self, ahead: ForkLock) -> None:
        """Wait until who is next has carried out what waits, or has not: interrupted, or left behind by a fork."""
        with ahead:
            if self._next is ahead:
                self._next = None

    def _find_waiting(self) -> list[Write]:
        """What waits, but for what a fork has carried over from its parent, and what is better off alone."""
        pid = os.getpid()
        waiting = list(self._waiting.values())  # one step of the interpreter's: other threads add to it
        return [write for write in waiting if write.pid == pid and not write.is_alone and not write.is_done]

    def _carry_out_alone(self, write: Write) -> None:
        commit = Commit()
        self.ends, self._store.is_lasting = write.began + self._busy_seconds, write.is_lasting
        try:
            write.carry_out(commit)
        finally:
            self._store.is_lasting = True
        commit.done = True

    def _commit(self, writes: Sequence[Write]) -> None:
        """Carry writes out in one transaction, if that can be; else leave each to whoever waits for it."""
        left = writes
        while len(left) > 1:  # one alone needs none
            left = self._commit_all(left)

    def _commit_all(self, writes: Sequence[Write]) -> list[Write]:
        """Carry writes out in one transaction, all or none; answers those that others have kept from it."""
        self._is_committing, commit = True, Commit()
        wrong: Collection[int] = ()
        try:
            self.ends = min(write.began for write in writes) + self._busy_seconds
            self._store.is_lasting = any(write.is_lasting for write in writes)
            wrong = self._store.carry_out([partial(write.carry_out, commit) for write in writes], self.ends)
            for place in wrong:
                writes[place].leave(self._store)
            commit.done = not wrong
        except self._store.errors as error:  # its own, too, where a signal handler's write has ended it
            raise_if_from_signal_handler(error)
        finally:
            self._clear_up()
            if not (commit.done or wrong):
                for write in writes:
                    write.is_alone = True
        return [write for place, write in enumerate(writes) if place not in wrong] if wrong else []

    def _clear_up(self) -> None:
        """End a transaction that was not committed."""
        self._is_committing, self._store.is_lasting = False, True
        self._store.roll_back()
