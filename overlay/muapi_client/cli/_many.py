"""Many jobs of one command: the rows of a batch, a run repeated.

Lives here: carrying them out side by side, what is told of each and of all, what an interrupt means. Does not live
here: which jobs they are (``_batch``, ``_run``), the map itself (``MuAPI.map``).
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import closing, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from muapi_client import errors
from muapi_client._client.map_display import Display, tell_sums
from muapi_client._client.mapping import begin_map
from muapi_client._types.money import ZERO, total
from muapi_client.cli._client import own_jobs
from muapi_client.cli._console import abandon_stdout, make_safe
from muapi_client.cli._exit import (
    DONE,
    FAILED,
    NOT_SENT,
    InterruptedJobError,
    charged_by,
    code_of,
    is_in_doubt,
    tell,
    worst,
)
from muapi_client.cli._formats import format_usd, prediction_form, to_json_number
from muapi_client.cli._progress import NO_CANCEL, output_line
from muapi_client.cli._wording import in_shell_words

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from muapi_client import MuAPI
    from muapi_client._types.entry import Entry
    from muapi_client._types.outcome import Outcome, Progress
    from muapi_client._types.prediction import Prediction
    from muapi_client.cli._console import Console
    from muapi_client.cli._saving import Saving
    from muapi_generated.types import Call

STOPPING: Final = "stopping once it is known what became of each submit, within a minute; Ctrl-C again leaves at once"
NAMED: Final = 5  # jobs that a message names, where a journal knows them all
# What every further job would meet, too.
HOPELESS: Final = (errors.AuthenticationError, errors.InsufficientCreditError)
# What the same job need not meet another time.
REFUSED: Final = (*HOPELESS, errors.RateLimitError)


class Task(NamedTuple):
    """One of the jobs.

    Attributes:
        key: What it is known by in the run.
        call: The request.
        place: Where it was asked for, for messages: ``line 3``; empty where the key says it.
        row: The columns it was made of.
    """

    key: str
    call: Call[Any]
    place: str
    row: Mapping[str, Any]


class Many(NamedTuple):
    """What is to be carried out, and how.

    Attributes:
        title: What all of it is called.
        tasks: The jobs, each with a key of its own.
        run: The name of the run in the journal, or None without one.
        again: How to go on after an interrupt, in words.
        goes_on: Whether that submits what was not sent, and nothing else.
        saving: Where outputs are saved, or None.
        shows_keys: Whether a job's key stands before its outputs.
        concurrency: How many are under way at a time.
        retry_unknown: Whether what may have been charged is submitted again.
    """

    title: str
    tasks: Sequence[Task]
    run: str | None
    again: str
    goes_on: bool
    saving: Saving | None
    shows_keys: bool
    concurrency: int
    retry_unknown: bool = False


def carry_out(mu: MuAPI, many: Many, console: Console) -> int:
    """Carry out the jobs; answers the exit code, the worst of them.

    Raises:
        InterruptedJobError: The user pressed Ctrl-C.
        OSError: Standard output takes no more, and nothing is saved: then nothing more is submitted.
    """
    record = Record(many, console)
    tasks = {task.key: task for task in many.tasks}
    saving = many.saving

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
        with _stopping_in_words(mu, console), _left_by_interrupts(outcomes):
            for outcome in outcomes:
                record.take(outcome, tasks[outcome.key])
    except KeyboardInterrupt:
        said, in_doubt = _tell_left(mu, record)
        with suppress(OSError):  # what the error tells matters more
            record.close()
        raise InterruptedJobError(f"interrupted; {said}", in_doubt=in_doubt) from None
    except OSError:  # a full disk, or a pipe whose reader has gone: nobody else would tell what was paid for
        console.say(f"standard output takes no more; {_tell_left(mu, record)[0]}", record.unwritten())
        raise
    except errors.MuAPIError:  # of the map itself, such as a journal that fails: what had ended is paid for
        record.close()
        raise
    return record.close()


class Record:
    """What came of the jobs so far.

    Attributes:
        many: What is carried out.
        ended: How many have ended.
        codes: The exit codes they came to, and that of a standard output that took no more.
        unpaid: How many a limit of money had no room for, of which only the first is told.
        refused: How many something else kept from being accepted that may be put right: the key, the account, the way.
        ended_badly: How many failed or were cancelled once they were accepted.
    """

    def __init__(self, many: Many, console: Console) -> None:
        self.many = many
        self.codes: list[int] = []
        self.ended = self.unpaid = self.refused = self.ended_badly = 0
        self._told: dict[str, str] = {}  # the job that was told first with these words
        self.told: set[str | None] = set()  # ids of jobs whose results are printed
        self._console = console
        self._forms: list[dict[str, Any]] = []
        self._charged_before = ZERO  # by outcomes that earlier runs had paid for
        self._progress: Progress | None = None
        self._takes_results = True

    @property
    def is_json(self) -> bool:
        """Whether results come together, at the end."""
        return self._console.json

    def note(self, progress: Progress) -> None:
        """How far the map is."""
        self._progress = progress

    def take(self, outcome: Outcome[Any, Any], task: Task) -> None:
        """Take in what came of a job, and tell it."""
        error, prediction = outcome.error, outcome.prediction
        self.ended += 1
        self.codes.append(DONE if error is None else code_of(error))
        cost = prediction.cost if prediction is not None else error.cost if error is not None else None
        if outcome.reused and cost is not None:
            self._charged_before = total(self._charged_before, cost.charged_usd)
        if self._console.json:
            self._forms.append(_form(outcome, task))
        if error is not None:
            self._tell_error(error, outcome, task)
        if not self._console.json and prediction is not None:
            self._print(outcome, prediction, task)
            self.told.add(prediction.id)

    def close(self) -> int:
        """Tell the sums and, as JSON, what all jobs came to that have ended; answers the exit code."""
        if self._console.json:
            try:
                self._console.result(self._envelope(), "")
            except OSError:
                self._console.say("", self.unwritten())
                raise
        return worst(self.codes)

    def unwritten(self) -> dict[str, Any]:
        """What standard output did not take, as an event."""
        return {"event": "unwritten", **self._envelope()}

    @property
    def left(self) -> int:
        """How many jobs have not ended."""
        return len(self.many.tasks) - self.ended

    def _tell_error(self, error: errors.MuAPIError, outcome: Outcome[Any, Any], task: Task) -> None:
        """Tell an error; to a person in full once, since a wrong key or an empty account ends many jobs alike."""
        self.unpaid += isinstance(error, errors.SpendLimitError)
        self.refused += isinstance(error, REFUSED) or code_of(error) == NOT_SENT
        self.ended_badly += isinstance(error, errors.JobFailedError | errors.JobCancelledError)
        told = tell(error)
        first = self._told.setdefault(told, self._name(task))
        if first != self._name(task):
            told = f"the same as {first}"
        if self._console.json or not (isinstance(error, errors.SpendLimitError) and self.unpaid > 1):
            self._console.say(f"{self._name(task)}: {told}", {"event": "failed", **_form(outcome, task)})

    def sum_up(self, progress: Progress, seconds: float, *, is_left: bool) -> str:
        """The one line of books; empty after an interrupt, whose error tells more."""
        if is_left:
            return ""
        text = tell_sums(progress, len(self.many.tasks), seconds, is_left=is_left, stopped_by=None)
        text = f"{make_safe(self.many.title)}: {in_shell_words(text, None)}"
        if self._charged_before:
            text += f" Of what was charged, {format_usd(self._charged_before)} USD were in earlier runs."
        if unsent := self.left + self.unpaid + self.refused:
            accepted = "accepted" if self.refused else "sent" if self.unpaid else "begun"
            word = f"{'were' if unsent > 1 else 'was'} not {accepted}"
            again = " with a higher limit" * (self.unpaid > 0)
            if not self.many.goes_on and unsent < len(self.many.tasks):
                again = " would pay for the others again"
            text += f" {unsent} {word}: the same command again{again}."
        if self.ended_badly and self.many.goes_on:
            text += (
                " What failed is not submitted again by itself: --reuse with another --run NAME does, and pays for"
                " nothing that finished and can still be fetched."
            )
        if progress.doubtful or progress.in_doubt_usd:
            text += " muapi-client unknown lists what may have been charged." if self.many.run else ""
        return text

    def _print(self, outcome: Outcome[Any, Any], prediction: Prediction, task: Task) -> None:
        """Print the outputs; where nothing takes them any more and they are saved, go on saving.

        Raises:
            OSError: Standard output takes no more, and nothing is saved.
        """
        shown = [str(path) for path in outcome.files] or [output_line(output) for output in prediction.outputs]
        start = f"{' '.join(task.key.split())}\t" if self.many.shows_keys else ""
        if not (shown and self._takes_results):
            return
        try:
            self._console.made(None, "\n".join(f"{start}{line}" for line in shown))
        except OSError:
            if self.many.saving is None:
                raise
            abandon_stdout()
            self._takes_results = False
            self.codes.append(FAILED)
            self._console.say("standard output takes no more; the jobs go on, and are saved", {"event": "unwritten"})

    def _name(self, task: Task) -> str:
        return f"{task.key} ({task.place})" if task.place else task.key

    def _envelope(self) -> dict[str, Any]:
        progress = self._progress
        charged = (progress.charged_usd if progress else ZERO) - self._charged_before
        return {
            "run": self.many.run,
            "jobs": len(self.many.tasks),
            "finished": progress.finished if progress else 0,
            "failed": progress.failed if progress else 0,
            "doubtful": progress.doubtful if progress else 0,
            "not_begun": self.left,
            "charged_usd": to_json_number(charged),
            "charged_before_usd": to_json_number(self._charged_before),
            "in_doubt_usd": to_json_number(progress.in_doubt_usd if progress else ZERO),
            "rows": self._forms,
        }


class ManyDisplay(Display):
    """The display of a map, whose last line is in the words of this program."""

    def __init__(self, *given: Any, record: Record) -> None:
        super().__init__(*given)
        self.name = make_safe(record.many.title)
        self._record = record

    def sum_up(self, progress: Progress, seconds: float, *, is_left: bool, stopped_by: Any) -> str:  # noqa: ARG002 - the displays' common form
        """The one line of books. What stopped the map is told already, with its row."""
        return self._record.sum_up(progress, seconds, is_left=is_left)


def _form(outcome: Outcome[Any, Any], task: Task) -> dict[str, Any]:
    """What came of one job, as JSON."""
    error, prediction = outcome.error, outcome.prediction
    form: dict[str, Any] = {"key": task.key, "place": task.place or None}
    if prediction is not None:
        form |= prediction_form(prediction, outcome.files)
    else:
        job_id = outcome.job.id if outcome.job else getattr(error, "request_id", None)
        form |= {"request_id": job_id, "status": None, "outputs": [], "saved_paths": [], "charged_usd": None}
    if outcome.reused:
        form |= {"reused": True, "charged_usd": 0.0}
    if error is not None:
        form |= {
            "error": tell(error),
            "error_type": type(error).__name__,
            "exit_code": code_of(error),
            "charged_usd": form["charged_usd"] if form["charged_usd"] is not None else charged_by(error),
            "in_doubt": is_in_doubt(error),
        }
    return form


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
        for work in list(mu._maps):  # noqa: SLF001 - before the first interrupt has come anywhere, too
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


def _can_erase() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _tell_left(mu: MuAPI, record: Record) -> tuple[str, bool]:
    """What lives on, what is in doubt, and how to go on; and whether anything is in doubt."""
    many = record.many
    known = own_jobs(mu)
    if many.run:
        with suppress(errors.JournalError):  # then what this program itself knows has to do
            known = list(mu.jobs(run=many.run))
    running = [entry for entry in known if entry.state == "accepted"]
    doubtful = [entry for entry in known if entry.state == "unknown"]
    most = NAMED if many.run else len(known)
    untold = [entry for entry in known if entry.state == "completed" and entry.request_id not in record.told]
    parts = [f"nothing more is submitted, and {record.left} of {len(many.tasks)} have not ended"]
    if running:
        parts.append(f"{len(running)} live on ({_name_some(running, most)}): {NO_CANCEL}")
    if untold and many.saving is None and not record.is_json:
        parts.append(f"{len(untold)} ended without being printed ({_name_some(untold, most)}): muapi-client look ID")
    if doubtful:
        parts.append(f"{len(doubtful)} submits may have been charged, and no answer told an id")
    if not running and not doubtful:
        parts.append("no job is under way")
    charged = total(*(entry.cost.charged_usd for entry in known if entry.cost is not None))
    parts.append(f"charged so far {format_usd(charged)} USD")
    parts.append(f"to go on: {many.again}" if many.run else "muapi-client wait ID waits for each")
    return "; ".join(parts) + ".", bool(doubtful)


def _name_some(entries: Sequence[Entry], most: int) -> str:
    ids = [str(entry.request_id) for entry in entries[:most]]
    return ", ".join([*ids, *([f"{len(entries) - most} more"] if len(entries) > most else [])])
