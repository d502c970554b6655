"""What a journal asks of the place where it keeps what it knows: a file, or a database of a server's.

Lives here: that interface, and what is done with either of the two at the end. Does not live here: the two that have it
(``file``, ``server``), what is written (``base``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from muapi_client._runtime.locks import ForkLock
    from muapi_client._state.journal.limits import Limit
    from muapi_client._types.entry import Account

T = TypeVar("T")

CLOSE_SECONDS: Final = 1.0  # how long the end of the program waits for a thread that is writing


class Rows(Protocol):
    """What a statement came to."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""
        ...

    def fetchone(self) -> Any:
        """The next row it found, or None; a column is had by its name."""
        ...

    def fetchall(self) -> list[Any]:
        """Every row it found."""
        ...


class Db(Protocol):
    """What carries out statements."""

    def execute(self, statement: str, values: Mapping[str, Any] = ..., /) -> Rows:
        """Carry out one statement, as ``statements`` has it.

        Args:
            statement: It.
            values: Of its parameters; a ``timedelta`` stands for the time that is so far from now.
        """
        ...

    def carry_out_whole(self, work: Callable[[Db], T], /) -> T:
        """Carry out several statements in one transaction: a group's, where one is under way, or its own."""
        ...


class Store(Protocol):
    """Where a journal keeps what it knows, as one process uses it.

    Attributes:
        lock: Held by the thread that uses it: it is not for several at once.
        name: What messages call it; it holds no password.
        kind: What it is: a file or a database.
        errors: What it raises where a statement goes wrong.
        is_lasting: Whether what is committed has to outlast a crash of the machine. What does not outlasts that of this
            process, and lasts with the next commit that has to.
    """

    lock: ForkLock
    name: str
    kind: str
    errors: tuple[type[Exception], ...]
    is_lasting: bool

    def run(self, work: Callable[[Db], T], ends: float) -> T:
        """Work on it, within the group that is begun or by itself; ``ends`` is when to give up, by ``monotonic()``."""
        ...

    def carry_out(self, works: Sequence[Callable[[], bool]], ends: float) -> Collection[int]:
        """Carry out works in one transaction, all or none.

        Args:
            works: Each calls :meth:`run`, and answers whether it went well.
            ends: When to give up, by ``monotonic()``.

        Returns:
            The places of those that went wrong, so that nothing was written; none where all is durable.
        """
        ...

    def roll_back(self) -> None:
        """End what an interrupt has left open, if it has: nothing of it is written."""
        ...

    def close(self) -> None:
        """Close it."""
        ...

    def check_place(self) -> None:
        """Make sure that what is written now will be found.

        Raises:
            OSError: It would not.
        """
        ...

    def owner(self) -> str:
        """This process, as :func:`~muapi_client._runtime.processes.is_alive` knows it."""
        ...

    def clock_offset(self) -> float:
        """By how many seconds the clock that jobs are dated by is ahead of this machine's."""
        ...

    def is_taken(self, error: BaseException | None) -> bool:
        """Whether an error says that there is such an entry already."""
        ...

    def may_pass(self, error: BaseException | None) -> bool:
        """Whether what went wrong within a group may go well alone."""
        ...

    def explain(self, error: Exception, busy_seconds: float) -> str:
        """What went wrong, for a message."""
        ...

    def take_back(self, key: str, withdraw: Callable[[Db], None]) -> None:
        """Withdraw an intent, once that can be, that was perhaps written though its write went wrong.

        Args:
            key: The entry.
            withdraw: Withdraws it; done twice it leaves the same.
        """
        ...

    def erase(self, db: Db) -> None:
        """Leave nothing behind of what was forgotten that could be read past it."""
        ...

    def has_budgets(self, db: Db) -> bool:
        """Whether it keeps sums at all."""
        ...

    def begin_budget(self, db: Db, limit: Limit, account: Account) -> None:
        """Keep the sum of a limit from now on; jobs that are in it count. Twice does no harm."""
        ...


def close_abandoned(store: Store) -> None:
    """Close the store of a journal that nobody holds any more, and at the end of the program."""
    if store.lock.acquire(timeout=CLOSE_SECONDS):
        try:
            store.close()
        finally:
            store.lock.release()
