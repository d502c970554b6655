"""How far a map is: which calls are under way, what is handed out next, when no more are begun. Pure.

Lives here: the books of one map. Does not live here: one call (``map_item``), carrying several on side by side
(``_transport/scheduler``), asking for calls and handing out outcomes (``_transport/map_driver``).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from muapi_client import errors
from muapi_client._jobs.map_item import Item
from muapi_client._types.money import ZERO, total
from muapi_client._types.outcome import Outcome, Progress
from muapi_client._types.words import writable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal

    from muapi_client._types.cost import Cost
    from muapi_generated.types import Call

LONGEST: Final = 1e9  # seconds, 30 years: what lies further ahead is no forecast
NAMED: Final = 5  # jobs that a note names; mu.resume() lists them all


class Books:
    """The books of one map.

    Args:
        concurrency: How many calls may be under way, those whose outcome was not handed out among them.
        ordered: Whether outcomes are handed out in the order of the calls.
        key: Makes a call's key of its place and itself; None: its place as text.
        stop_on: Errors after which no more calls are begun.
        on_progress: Called with the progress whenever it has changed, or None.
        price: What a call costs by the price list, in USD, or None.
        length: How many calls there are, or None.
        began: The clock's reading, in seconds.
        is_kept: Whether a client's memory or a journal knows the jobs, too, so that a note need not name them all.
    """

    def __init__(
        self,
        *,
        concurrency: int,
        ordered: bool,
        key: Callable[[int, Call[Any]], str] | None,
        stop_on: tuple[type[BaseException], ...],
        on_progress: Callable[[Progress], object] | None,
        price: Callable[[Call[Any]], Decimal | None],
        length: int | None,
        began: float,
        is_kept: bool = True,
    ) -> None:
        self.on_progress = on_progress
        self._concurrency = concurrency
        self._ordered = ordered
        self._key = key
        self._stop_on: tuple[type[BaseException], ...] = (errors.SpendLimitError, *stop_on)
        self._price = price
        self.length = length
        self._began = began
        self._is_kept = is_kept
        self._begun = 0
        self._handed_out = 0
        self._open: dict[int, Item] = {}  # by index: begun, and not handed out
        self._ended: dict[int, Outcome[Any, Any]] = {}  # by index, in the order of their ends
        self.is_stopped = False  # begins no more calls
        self.stopped_by: errors.MuAPIError | None = None  # the first error that made it so
        self.is_left = False  # and nobody reads what becomes of those under way
        self._accepted: set[int] = set()  # indexes of those that are open
        self._elsewhere: set[int] = set()  # indexes of those that another process has in hand
        self._running = 0
        self._counts = {"submitted": 0, "finished": 0, "failed": 0, "doubtful": 0}
        self._charged = self._charged_before = self._in_doubt = ZERO

    @property
    def has_room(self) -> bool:
        """Whether one more call may be begun."""
        return not self.is_stopped and len(self._open) < self._concurrency

    @property
    def is_empty(self) -> bool:
        """Whether nothing is under way, or waits to be handed out."""
        return not self._open

    @property
    def has_submits(self) -> bool:
        """Whether of any call it is not known yet what became of its submit."""
        return any(item.is_begun and not item.is_known for item in self.open_items)

    @property
    def has_begun(self) -> bool:
        """Whether any call that was begun has not ended."""
        items = self.open_items
        return any(item.is_begun and item.outcome is None and item.trouble is None for item in items)

    def leave(self) -> None:
        """Nobody reads what becomes of the calls under way."""
        self.is_stopped = self.is_left = True

    def stop(self) -> None:
        """Begin no more calls."""
        self.is_stopped = True

    def begin(self, call: Call[Any]) -> Item:
        """Take in the next call.

        Raises:
            MuAPIError: Its key is no text.
        """
        index = self._begun
        key = str(index) if self._key is None else self._key(index, call)
        if not isinstance(key, str) or not key or key != writable(key):
            raise errors.MuAPIError(
                f"key= must make a text of each call, without halves of characters, and made {key!r} of call {index}"
            )
        item = Item(index, key, call)
        self._begun += 1
        self._open[index] = item
        return item

    def take(self, item: Item) -> None:
        """Take in what is known of a call by now: that it was accepted, or what came of it. Twice does no harm.

        Raises:
            BaseException: What ended it in place of an outcome.
        """
        if item.trouble is not None:
            raise item.trouble
        if item.index in self._ended or item.index not in self._open:
            return
        if item.is_elsewhere:
            self._elsewhere.add(item.index)
        else:
            self._elsewhere.discard(item.index)
        if item.index not in self._accepted and (item.job or (item.outcome and item.outcome.prediction)):
            self._accepted.add(item.index)
            self._counts["submitted"] += 1
            self._running += 1
        if item.outcome is not None:
            self._running -= item.index in self._accepted
            self._end(item.outcome, item.left_in_doubt, is_earlier=item.is_earlier)

    def _end(self, outcome: Outcome[Any, Any], left_in_doubt: int, *, is_earlier: bool) -> None:
        self._ended[outcome.index] = outcome
        error = outcome.error
        is_doubtful = isinstance(error, errors.SubmitOutcomeUnknownError)
        self._counts["doubtful" if is_doubtful else "finished" if error is None else "failed"] += 1
        cost: Cost | None = (outcome.prediction and outcome.prediction.cost) or (error and error.cost) or None
        if doubts := left_in_doubt + is_doubtful:
            self._in_doubt = total(self._in_doubt, doubts * (self._price(outcome.call) or ZERO))
        if cost is not None and not is_doubtful:
            self._charged = total(self._charged, cost.charged_usd)
            self._charged_before = total(self._charged_before, cost.charged_usd if is_earlier else ZERO)
        if isinstance(error, self._stop_on):
            self.stopped_by = self.stopped_by or error
            self.stop()

    def next(self) -> Outcome[Any, Any] | None:
        """The outcome to be handed out next, or None while there is none."""
        if self._ordered:
            return self._ended.get(self._handed_out)
        return next(iter(self._ended.values()), None)

    def hand_out(self, outcome: Outcome[Any, Any]) -> None:
        """An outcome was handed out, and the next one is asked for."""
        self._handed_out += 1
        for books in (self._open, self._ended):
            books.pop(outcome.index, None)
        self._accepted.discard(outcome.index)

    def progress(self, now: float, wall: float) -> Progress:
        """How far it has got.

        Args:
            now: The clock's reading, in seconds.
            wall: The time of day, in seconds since the epoch.
        """
        ended = self._counts["finished"] + self._counts["failed"] + self._counts["doubtful"]
        expected_end: datetime | None = None
        if ended and self.length is not None:
            left = max(self.length - ended, 0) * (now - self._began) / ended
            expected_end = datetime.fromtimestamp(wall + min(left, LONGEST), UTC)
        return Progress(
            running=self._running,
            charged_usd=self._charged,
            charged_before_usd=self._charged_before,
            elsewhere=len(self._elsewhere),
            in_doubt_usd=self._in_doubt,
            expected_end=expected_end,
            **self._counts,
        )

    @property
    def open_items(self) -> list[Item]:
        """The calls that were begun, and whose outcome was not handed out."""
        return list(self._open.values())

    def describe(self) -> str:
        """What is true of the calls whose outcome was not handed out, for the note of what ends the map before."""
        items = self.open_items
        running = [item.job.id for item in items if item.job is not None and item.outcome is None]
        ended = [item.outcome.prediction.id for item in items if item.outcome and item.outcome.prediction]
        doubtful = [item.key for item in items if item.is_doubtful]
        if self._is_kept:
            parts = [f"{len(running)} jobs live on{_name(running)}, mu.resume() lists them"] if running else []
            parts += [f"{len(ended)} jobs have ended{_name(ended)}, mu.jobs() lists them"] if ended else []
            parts += [f"{len(doubtful)} submits may have been charged, mu.unknown() lists them"] if doubtful else []
        else:
            every = len(items)
            parts = [f"{len(running)} jobs live on{_name(running, every)}, mu.wait(id) waits"] if running else []
            parts += [f"{len(ended)} jobs have ended{_name(ended, every)}, mu.look(id) answers"] if ended else []
            keys = f"{len(doubtful)} submits may have been charged{_name(doubtful, every)}"
            parts += [f"{keys}, mu.history() tells of all jobs"] if doubtful else []
            parts += ["this note alone knows them, for there is no journal"] if parts else []
        fate = " MuAPI has no route to cancel a job." if running else ""
        return f"The map was left: no more calls are submitted; {'; '.join(parts) or 'none was under way'}.{fate}"


def _name(ids: Sequence[str | None], most: int = NAMED) -> str:
    names = [name for name in ids if name]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f" ({', '.join(names[:most])}{more})" if names else ""
