"""The books of many jobs of one command: how each stands, what they cost, and telling it.

Lives here: one word a job, sums that count each request once, the last line, the JSON of all. Does not live here: the
words themselves (``_standing``), carrying the jobs out and what an interrupt means (``_many``).

Whatever ends a command, each of its jobs has one word in the end: of outcomes that were handed out by these, of the
others by what the map, this program's memory and the journal know. So no job that was accepted, now or in an earlier
run, passes for one that was not begun.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from muapi_client import errors
from muapi_client._jobs.budget import listed_price
from muapi_client._jobs.map_item import is_same
from muapi_client._types.entry import Entry
from muapi_client._types.money import ZERO, total
from muapi_client.cli import _standing as standing
from muapi_client.cli._client import has_submitted, own_jobs
from muapi_client.cli._console import abandon_stdout, make_safe
from muapi_client.cli._exit import DONE, FAILED, code_of, tell, worst
from muapi_client.cli._formats import format_usd, to_json_number
from muapi_client.cli._progress import NO_CANCEL, SAMPLE, is_sample, output_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from muapi_client import MuAPI
    from muapi_client._jobs.map_item import Item
    from muapi_client._transport.map_driver import Work
    from muapi_client._types.cost import Cost
    from muapi_client._types.outcome import Outcome, Progress
    from muapi_client._types.prediction import Prediction
    from muapi_client.cli._console import Console
    from muapi_client.cli._task import Many, Task

NAMED: Final = 5  # jobs that a message names, where a journal knows them all


class Record:
    """What came of the jobs so far.

    Attributes:
        many: What is carried out.
        standings: How each job stands of which anything is known, by its key; the others were not begun.
        codes: The exit codes they came to, by their keys.
    """

    def __init__(self, many: Many, mu: MuAPI, console: Console) -> None:
        self.many = many
        self.standings: dict[str, str] = {}
        self.codes: dict[str, int] = {}
        self._mu = mu
        self._console = console
        self._told: dict[str, str] = {}  # the job that was told first with these words
        self._samples = 0  # of a sandbox key, of which the first is told at once
        self._unpaid = 0  # a limit of money had no room for, of which only the first is told
        self._running: list[str] = []  # ids of those that live on
        self._unprinted: dict[str, str] = {}  # ids of those that made something which is not printed, by their keys
        self._forms: dict[str, dict[str, Any]] = {}  # by their keys, as JSON
        # What each request was charged, by its id, or its key where it has none.
        self._charged: dict[str, Decimal] = {}
        self._charged_before: dict[str, Decimal] = {}  # by earlier runs
        self._progress: Progress | None = None
        self._in_doubt_beside = ZERO  # what those in doubt may have cost that the map knows nothing of
        self._takes_results = True

    @property
    def charged_usd(self) -> Decimal:
        """What this command's jobs were charged so far."""
        return total(*self._charged.values())

    @property
    def charged_before_usd(self) -> Decimal:
        """What those were charged that earlier runs had accepted."""
        return total(*self._charged_before.values())

    @property
    def in_doubt_usd(self) -> Decimal:
        """What those in doubt may have cost."""
        return total(self._progress.in_doubt_usd if self._progress else ZERO, self._in_doubt_beside)

    @property
    def is_in_doubt(self) -> bool:
        """Whether anything may have been charged of which no answer told."""
        return standing.DOUBTFUL in self.standings.values()

    def count(self) -> Counter[str]:
        """How many jobs stand how; all of them together are the jobs."""
        counts = Counter(self.standings.values())
        counts[standing.NOT_BEGUN] = len(self.many.tasks) - len(self.standings)
        return counts

    def note(self, progress: Progress) -> None:
        """How far the map is."""
        self._progress = progress

    def take(self, outcome: Outcome[Any, Any], task: Task) -> None:
        """Take in what came of a job, and tell it."""
        self._keep(outcome, task)
        if outcome.error is not None:
            self._tell_error(outcome.error, task)
        if not self._console.json and outcome.prediction is not None:
            self._print(outcome, outcome.prediction, task)
            self._unprinted.pop(task.key, None)

    def complete(self, work: Work | None) -> None:
        """Take in what is known of the jobs whose outcome was not handed out; of a job twice does no harm.

        Args:
            work: The map, which has ended or was left; None where none was begun.
        """
        left = {task.key: task for task in self.many.tasks if task.key not in self.standings}
        if not left:
            return
        begun = {item.key: item for item in (work.books.open_items if work is not None else ()) if item.key in left}
        for item in list(begun.values()):
            if item.outcome is not None and work is not None:
                work.take(item)  # so that its sums are in the progress
                self._keep(item.outcome, left.pop(item.key))
                begun.pop(item.key)
        for key, item in begun.items():
            repeated = item.left_in_doubt * (listed_price(left[key].call) or ZERO)
            self._in_doubt_beside = total(self._in_doubt_beside, repeated)
        found = self._find_entries(begun, left)
        if work is not None and work.is_given_up:  # what was about to be sent may be on its way by now
            lost = [item for key, item in begun.items() if key not in found and item.is_doubtful]
            found |= {item.key: _as_entry(item) for item in lost}
        for key, entry in found.items():
            self._keep_entry(entry, left[key])

    def _find_entries(self, begun: dict[str, Item], left: dict[str, Task]) -> dict[str, Entry]:
        """What journal and memory know of jobs whose outcome was not handed out, by its key.

        An intent of this program's own was kept from being sent, for a map is left once what is on its way has arrived,
        unless the wait for that was given up; so it counts as not begun.
        """
        found: dict[str, Entry] = {}
        known = own_jobs(self._mu)
        if self.many.run:
            with suppress(errors.JournalError):  # then what this program itself knows has to do
                known = list(self._mu.jobs(run=self.many.run))
            for entry in known:
                task = left.get(entry.run_key or "")
                if task is None or (entry.state == "intent" and task.key in begun):
                    continue
                if task.key in begun or is_same(entry, task.call):  # else the row is refused once it is reached
                    found[task.key] = entry
        by_id = {entry.request_id: entry for entry in known}
        for key, item in begun.items():
            if key not in found and item.job is not None:
                found[key] = by_id.get(item.job.id) or _as_entry(item)
        if not self.many.run:  # memory tells no key: whichever of these it was, it may have been charged
            lost = [entry for entry in known if entry.state == "unknown"]
            unknown = len(lost) - self.count()[standing.DOUBTFUL]
            unsettled = [key for key, item in begun.items() if key not in found and item.is_doubtful]
            found |= {key: lost[-1] for key in unsettled if unknown > 0}
        return found

    def _keep(self, outcome: Outcome[Any, Any], task: Task) -> None:
        """Take in what came of a job."""
        error, prediction = outcome.error, outcome.prediction
        request_id = prediction.id if prediction is not None else error.request_id if error is not None else None
        request_id = request_id or (outcome.job.id if outcome.job is not None else None)
        cost = (prediction.cost if prediction is not None else None) or (error.cost if error is not None else None)
        stands = standing.stand(outcome)
        if prediction is not None and prediction.outputs and is_sample(prediction):
            self._samples += 1
            if self._samples == 1:
                self._console.remark(SAMPLE)
        is_earlier = self._book(cost, request_id, task, is_reused=outcome.reused and request_id is None)
        if self._console.json:
            form = standing.outcome_form(outcome, _name(task), is_earlier=is_earlier)
            self._forms[task.key] = form
        elif prediction is not None and prediction.outputs and not is_earlier:
            self._unprinted[task.key] = str(request_id)
        if stands == standing.RUNNING and request_id:
            self._running.append(request_id)
        self.codes[task.key] = DONE if error is None else code_of(error)
        self.standings[task.key] = stands

    def _keep_entry(self, entry: Entry, task: Task) -> None:
        """Take in what is known of a job whose outcome was not handed out."""
        stands = standing.stand_by_entry(entry, is_saved=self.many.saving is not None)
        is_earlier = self._book(entry.cost, entry.request_id, task, is_reused=False)
        if self._console.json:
            self._forms[task.key] = standing.entry_form(entry, stands, _name(task), is_earlier=is_earlier)
        elif stands in (standing.FINISHED, standing.NOT_SAVED) and not is_earlier:
            self._unprinted[task.key] = str(entry.request_id)
        if stands == standing.RUNNING:
            self._running.append(str(entry.request_id))
        if stands == standing.DOUBTFUL:
            price = entry.set_aside_usd if entry.set_aside_usd is not None else listed_price(task.call)
            self._in_doubt_beside = total(self._in_doubt_beside, price or ZERO)
        self.codes[task.key] = standing.CODES[stands]
        self.standings[task.key] = stands

    def _book(self, cost: Cost | None, request_id: str | None, task: Task, *, is_reused: bool) -> bool:
        """Enter what a request was charged, once; answers whether it was an earlier run's."""
        name = request_id or f"row {task.key}"
        is_earlier = name not in self._charged and (is_reused or not has_submitted(self._mu, request_id))
        if cost is not None:
            books = self._charged_before if is_earlier else self._charged
            books.setdefault(name, cost.charged_usd)
        return is_earlier and cost is not None

    def close(self) -> int:
        """Tell, as JSON, the sums and how all jobs stand; answers the exit code."""
        if self._console.json:
            try:
                self._console.result(self._envelope(), "")
            except OSError:
                self._console.say("", self.unwritten())
                raise
        return worst(self.codes.values())

    def unwritten(self) -> dict[str, Any]:
        """What standard output did not take, as an event."""
        return {"event": "unwritten", **self._envelope()}

    def _tell_error(self, error: errors.MuAPIError, task: Task) -> None:
        """Tell an error; to a person in full once, since a wrong key or an empty account ends many jobs alike."""
        self._unpaid += isinstance(error, errors.SpendLimitError)
        name = f"{task.key} ({task.place})" if task.place else task.key
        told = tell(error)
        first = self._told.setdefault(told, name)
        if first != name:
            told = f"the same as {first}"
        if self._console.json or not (isinstance(error, errors.SpendLimitError) and self._unpaid > 1):
            self._console.say(f"{name}: {told}", {"event": "failed", **self._forms.get(task.key, {})})

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
            self.codes["standard output"] = FAILED
            self._console.say("standard output takes no more; the jobs go on, and are saved", {"event": "unwritten"})

    def sum_up(self, seconds: float) -> None:
        """Tell a person the sums in one line, and what there is to do."""
        counts, many = self.count(), self.many
        done = sum(counts[each] for each in standing.ENDED)
        ends = [_say(standing.FINISHED, counts)]
        ends += [_say(each, counts) for each in standing.SAID if each != standing.FINISHED and counts[each]]
        money = f"{format_usd(total(self.charged_usd, self.charged_before_usd))} USD charged"
        money += f", {format_usd(self.in_doubt_usd)} USD in doubt by the price list" if self.in_doubt_usd else ""
        took = timedelta(seconds=round(seconds))
        text = f"{make_safe(many.title)}: {done} of {len(many.tasks)} done in {took}: {', '.join(ends)}; {money}."
        if before := self.charged_before_usd:
            text += f" Of what was charged, {format_usd(before)} USD were in earlier runs."
        if self._samples:
            text += f" {self._samples} of what was made are samples of a sandbox (test) key, not made from the input."
        jobless = [each for each in standing.JOBLESS if counts[each]]
        if jobless:
            again = " with a higher limit" * (self._unpaid > 0)
            if not many.goes_on and sum(counts[each] for each in jobless) < len(many.tasks):
                again = " would pay for the others again"
            words = " or ".join(standing.SAID[each][0] for each in jobless)
            text += f" What was {words}: the same command again{again}."
        if counts[standing.RUNNING]:
            text += f" What lives on: {self.take_up}."
        if counts[standing.FAILED] and many.goes_on:
            text += (
                " What failed is not submitted again by itself: --reuse with another --run NAME does, and pays for"
                " nothing that finished and can still be fetched."
            )
        if (counts[standing.DOUBTFUL] or self.in_doubt_usd) and many.run:
            text += " muapi-client unknown lists what may have been charged."
        self._console.remark(text)

    @property
    def take_up(self) -> str:
        """How jobs that live on are waited for."""
        return self.many.again if self.many.run else "muapi-client wait ID waits for each"

    def tell_left(self) -> str:
        """Say what lives on, what is in doubt, what was charged, and how to go on."""
        many, counts = self.many, self.count()
        most = NAMED if many.run else len(many.tasks)
        left = len(many.tasks) - sum(counts[each] for each in standing.ENDED)
        running, unprinted, doubtful = self._running, list(self._unprinted.values()), counts[standing.DOUBTFUL]
        parts = [f"nothing more is submitted, and {left} of {len(many.tasks)} have not ended"]
        if running:
            parts.append(f"{len(running)} live on ({_name_some(running, most)}): {NO_CANCEL}")
        if unprinted and many.saving is None:
            some = _name_some(unprinted, most)
            parts.append(f"{len(unprinted)} ended without being printed ({some}): muapi-client look ID")
        if doubtful:
            parts.append(f"{doubtful} submits may have been charged, and no answer told an id")
        if not running and not doubtful:
            parts.append("no job is under way")
        before = self.charged_before_usd
        earlier = f", and {format_usd(before)} USD in earlier runs" if before else ""
        parts.append(f"charged so far {format_usd(self.charged_usd)} USD{earlier}")
        parts.append(f"to go on: {many.again}" if many.run else self.take_up)
        return "; ".join(parts) + "."

    def _envelope(self) -> dict[str, Any]:
        counts = self.count()
        return {
            "run": self.many.run,
            "jobs": len(self.many.tasks),
            **{each: counts[each] for each in standing.STANDINGS},
            "charged_usd": to_json_number(self.charged_usd),
            "charged_before_usd": to_json_number(self.charged_before_usd),
            "in_doubt_usd": to_json_number(self.in_doubt_usd),
            "rows": list(self._forms.values()),
        }


def _name(task: Task) -> dict[str, Any]:
    return {"key": task.key, "place": task.place or None}


def _say(stands: str, counts: Counter[str]) -> str:
    one, several = standing.SAID[stands]
    return f"{counts[stands]} {one if counts[stands] == 1 else several}"


def _name_some(ids: Sequence[str], most: int) -> str:
    return ", ".join([*ids[:most], *([f"{len(ids) - most} more"] if len(ids) > most else [])])


def _as_entry(item: Item) -> Entry:
    """A job that the map alone knows of, as where the journal cannot be read and an earlier run had it accepted."""
    now = datetime.now(UTC)
    return Entry(
        key="",
        request_id=None if item.job is None else item.job.id,
        state="unknown" if item.job is None else "accepted",
        slug=item.call.operation.slug,
        intended_at=(item.job and item.job.submitted_at) or now,
        changed_at=now,
        cost=None if item.job is None else item.job.cost,
    )
