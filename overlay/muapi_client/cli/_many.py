"""Many jobs of one command: the rows of a batch, a run repeated.

Lives here: carrying them out side by side, what an interrupt means. Does not live here: which jobs they are
(``_task``, ``_batch``, ``_run``), the books of them and what is told of each and of all (``_record``), the map itself
(``MuAPI.map``).
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import closing, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from muapi_client import errors
from muapi_client._client.map_display import Display, make_view
from muapi_client._client.mapping import begin_map
from muapi_client.cli import _standing as standing
from muapi_client.cli._client import list_maps
from muapi_client.cli._console import make_safe
from muapi_client.cli._exit import InterruptedJobError
from muapi_client.cli._record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from muapi_client import MuAPI
    from muapi_client._client.map_display import View
    from muapi_client._transport.map_driver import Work
    from muapi_client._types.outcome import Outcome, Progress
    from muapi_client._types.prediction import Prediction
    from muapi_client.cli._console import Console
    from muapi_client.cli._task import Many
    from muapi_generated.types import Call

STOPPING: Final = "stopping once it is known what became of each submit, within a minute; Ctrl-C again leaves at once"
# What every further job would meet, too.
HOPELESS: Final = (errors.AuthenticationError, errors.InsufficientCreditError)


def carry_out(mu: MuAPI, many: Many, console: Console) -> int:
    """Carry out the jobs; answers the exit code, the worst of them.

    Raises:
        InterruptedJobError: The user pressed Ctrl-C.
        OSError: Standard output takes no more, and nothing is saved: then nothing more is submitted.
    """
    record = Record(many, mu, console)
    tasks = {task.key: task for task in many.tasks}
    saving = many.saving
    work: Work | None = None
    began = time.monotonic()

    def key_of(place: int, _call: Call[Any]) -> str:
        return many.tasks[place].key

    def name_of(prediction: Prediction, key: str) -> Callable[[int], str]:
        assert saving is not None
        return saving.name(prediction, key, tasks[key].row)

    try:
        outcomes = begin_map(
            mu,
            [task.call for task in many.tasks],
            concurrency=many.concurrency,
            ordered=False,
            run=many.run,
            key=key_of,
            tag=None,
            reuse=None,
            stop_on=HOPELESS,
            retry_unknown=many.retry_unknown,
            download_to=saving and saving.directory,
            progress=False if console.json or console.quiet else partial(ManyDisplay, record=record),
            on_progress=record.note,
            name_of=name_of,
        )
        (work,) = list_maps(mu)  # which knows of jobs whose outcome is never handed out
        with _stopping_in_words(mu, console), _left_by_interrupts(outcomes):
            for outcome in outcomes:
                record.take(outcome, tasks[outcome.key])
    except KeyboardInterrupt:
        with _deaf_to_interrupts():  # one more would take the place of what is known
            record.complete(work)
            left = InterruptedJobError(
                f"interrupted; {record.tell_left()}", in_doubt=record.is_in_doubt, charged_usd=record.charged_usd
            )
        with suppress(OSError, KeyboardInterrupt):  # what the error tells matters more
            record.close()
        raise left from None
    except OSError:  # a full disk, or a pipe whose reader has gone: nobody else would tell what was paid for
        record.complete(work)
        console.say(f"standard output takes no more; {record.tell_left()}", record.unwritten())
        raise
    except errors.MuAPIError:  # of the map itself, such as a journal that fails: what had ended is paid for
        record.complete(work)
        record.close()
        raise
    record.complete(work)
    record.sum_up(time.monotonic() - began)
    return record.close()


class ManyDisplay(Display):
    """The display of a map in the words of this program, which says the last line itself, once it knows all."""

    def __init__(self, *given: Any, record: Record) -> None:
        super().__init__(*given)
        self.name = make_safe(record.many.title)
        self._record = record

    def view(self, progress: Progress) -> View:
        """What is shown on the way: of those that did not end well each word of theirs."""
        counts = self._record.count()
        words = [(counts[each], standing.SAID[each][counts[each] > 1]) for each in standing.UNWELL]
        return make_view(self.name, progress, self.total, failed=words)

    def sum_up(self, *_given: Any, **_known: Any) -> str:
        """No last line."""
        return ""


@contextmanager
def _left_by_interrupts(outcomes: Generator[Outcome[Any, Any]]) -> Generator[None]:
    """Leave a map with what ends it: wherever an interrupt strikes, what is being submitted is seen to its end."""
    with closing(outcomes):
        try:
            yield
        except KeyboardInterrupt as interrupt:
            outcomes.throw(interrupt)


@contextmanager
def _stopping_in_words(mu: Any, console: Console) -> Generator[None]:
    """Say at Ctrl-C what is waited for; the interrupt itself takes its course. A second one waits for nothing.

    It is written beside Python's streams: the handler may run while one of them is in the middle of a line. Where
    Ctrl-C is somebody else's, or ignored as of a job in the background, it stays so.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return

    def leave_at_once(signum: int, frame: Any) -> None:
        for work in list_maps(mu):  # before the first interrupt has come anywhere, too
            work.is_given_up = True
        signal.default_int_handler(signum, frame)

    def interrupt(signum: int, frame: Any) -> None:
        signal.signal(signal.SIGINT, leave_at_once)
        if not (console.json or console.quiet):
            with suppress(OSError, ValueError, AttributeError):
                os.write(
                    sys.stderr.fileno(), f"\r\x1b[K{STOPPING}\n".encode() if _can_erase() else f"{STOPPING}\n".encode()
                )
        signal.default_int_handler(signum, frame)

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def _deaf_to_interrupts() -> Generator[None]:
    """Have no interrupt strike, for the moment that it takes to gather what is known; a second SIGTERM ends it."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is None:
        yield
        return

    def ignore(_number: int, _frame: Any) -> None:
        """Do nothing, as SIGTERM does then, which calls this, too."""

    signal.signal(signal.SIGINT, ignore)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _can_erase() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"
