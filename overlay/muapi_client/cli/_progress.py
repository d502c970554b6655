"""Watching a job: nothing that was paid for may be lost, whatever happens to this program.

Lives here: telling the request id the moment it is known, the job's result, and what an interrupt means. Does not live
here: waiting itself (``MuAPI``), what is drawn meanwhile (``_live``).
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from muapi_client._files.attachments import find_attachments
from muapi_client._types.cost import is_charge
from muapi_client._types.entry_state import ENDED
from muapi_client._types.status import JobState
from muapi_client.cli._client import has_journal, own_jobs
from muapi_client.cli._exit import InterruptedJobError
from muapi_client.cli._formats import describe_charge, format_usd, job_form, prediction_form
from muapi_client.cli._live import ACCEPTED, LiveJob
from muapi_client.errors import DownloadError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from pathlib import Path

    from muapi_client import MuAPI
    from muapi_client._types.cost import Cost
    from muapi_client._types.job import Job
    from muapi_client._types.prediction import Output, Prediction
    from muapi_client.cli._console import Console
    from muapi_client.cli._saving import Saving
    from muapi_client.errors import MuAPIError
    from muapi_generated.types import Call

NO_CANCEL: Final = "MuAPI has no route to cancel a job"
SAMPLE: Final = "this key is a sandbox (test) key: the output is a sample, not made from your input"


class Watcher:
    """The state of the one job this program is about.

    Args:
        console: Where it is told.
        request_id: Its id, where that is known from the start.
        call: What is submitted, or None.
    """

    def __init__(self, console: Console, request_id: str | None = None, call: Call[Any] | None = None) -> None:
        self._console = console
        self._id = request_id
        self._call = call
        self._cost: Cost | None = None
        self._live: LiveJob | None = None
        self._is_kept = False  # whether anything but this program knows of the job

    def accepted(self, job: Job) -> None:
        """Tell the id of a job that was accepted, before anything else can go wrong."""
        self._id, self._cost = job.id, job.cost
        if self._live is not None:
            self._live.change(status=ACCEPTED, cost=job.cost)
        if not (self._console.quiet and self._is_kept):
            self._console.say(
                f"accepted as {job.id}, {describe_charge(job.cost)}; should the wait end early: muapi-client wait"
                f" {job.id}",
                {"event": "accepted", **job_form(job)},
            )

    def looked(self, prediction: Prediction) -> None:
        """Show how the job stands."""
        if self._live is None:
            return
        known = {"cost": prediction.cost} if prediction.cost is not None else {}
        self._live.change(status=prediction.status, failures=0, **known)
        if prediction.state is not JobState.RUNNING:
            self._live.close()

    def failed(self, error: MuAPIError) -> None:
        """Show that a look told nothing, and the wait goes on."""
        if self._live is not None:
            self._live.fail(error)

    @contextmanager
    def watching(self, mu: MuAPI) -> Generator[None]:
        """Show the job live, and turn an interrupt into an error that tells how to go on.

        Args:
            mu: The job's client, which knows the id of an accepted job before it is shown.

        Raises:
            InterruptedJobError: The user pressed Ctrl-C.
        """
        self._is_kept = has_journal(mu)
        try:
            if not (self._console.json or self._console.quiet):
                has_files = self._call is not None and find_attachments(self._call.body)
                status = "looking" if self._id is not None else "uploading" if has_files else "submitting"
                self._live = LiveJob(mu, self._call, status)
                self._live.open()
            yield
        except KeyboardInterrupt:
            self._close()
            raise self._interrupt_error(mu) from None
        finally:
            self._close()

    def _close(self) -> None:
        if self._live is not None:
            self._live.close()

    def _interrupt_error(self, mu: MuAPI) -> InterruptedJobError:
        submitted = next(iter(own_jobs(mu)), None)  # one at most
        request_id, cost = self._id, self._cost
        if submitted is not None:  # which the job it was told of may have led to: an earlier one that came to nothing
            request_id, cost = submitted.request_id, submitted.cost
        if submitted is not None and submitted.state in ENDED:
            what = f"job {request_id} has ended" if request_id else f"the job has ended ({describe_charge(cost)})"
            again = f" Its outputs: muapi-client download {request_id}" if request_id else ""
            return InterruptedJobError(f"interrupted; {what}.{again}", request_id=request_id, cost=cost)
        if request_id is not None:
            charge = "may be charged" if cost is None else f"was {describe_charge(cost)}"
            return InterruptedJobError(
                f"interrupted; job {request_id} lives on and {charge}: {NO_CANCEL}. To go on waiting:"
                f" muapi-client wait {request_id}",
                request_id=request_id,
                cost=cost,
                in_doubt=cost is None,
            )
        if submitted is None:
            return InterruptedJobError("interrupted: no job was submitted, and nothing was charged.")
        return InterruptedJobError(
            "interrupted while the job was being submitted: it may have been accepted and charged. muapi-client unknown"
            " lists it, if a journal is kept; else look at muapi-client history before you submit it again.",
            in_doubt=True,
        )


def save_and_show(mu: MuAPI, prediction: Prediction, console: Console, saving: Saving | None) -> None:
    """Save what a job made, where that is asked for, and print the result.

    Raises:
        DownloadError: An output could not be saved; the result is printed all the same.
        OSError: Those of :func:`show_result`.
    """
    saved, trouble = save(mu, prediction, saving)
    show_result(prediction, console, saved=saved)
    if trouble is not None:
        raise trouble


def save(mu: MuAPI, prediction: Prediction, saving: Saving | None) -> tuple[list[Path], DownloadError | None]:
    """Save what a job made; where one output cannot be, those that were, and why: the result is to be printed first."""
    try:
        return (saving.save(mu, prediction) if saving is not None else []), None
    except DownloadError as error:
        return error.saved, error


def show_result(prediction: Prediction, console: Console, *, first: str = "", saved: Sequence[Path] = ()) -> None:
    """Print what a job made, one output a line; what it cost and what is odd about it goes to standard error.

    Args:
        first: A line to print before the outputs, for people only.
        saved: Where they were saved, which stands in their place then.

    Raises:
        OSError: Standard output took none of it, and so standard error has told what was paid for.
    """
    lines = [*([first] if first else []), *(map(str, saved) if saved else map(output_line, prediction.outputs))]
    try:
        console.made(prediction_form(prediction, saved), "\n".join(lines))
    except OSError:  # a full disk, or a pipe whose reader has gone
        again = [f"muapi-client look {prediction.id} prints it again"] if prediction.id else lines
        told = "; ".join([*list_facts(prediction), *again])
        console.say(
            f"the result could not be written: {told}", {"event": "unwritten", **prediction_form(prediction, saved)}
        )
        raise
    show_facts(prediction, console)


def show_facts(prediction: Prediction, console: Console) -> None:
    """Tell people what a result cost and what is odd about it, on standard error."""
    for warning in prediction.warnings:
        console.remark(f"warning: {warning}")
    if prediction.error:
        console.remark(f"error: {prediction.error}")
    if is_sample(prediction):
        console.remark(SAMPLE)
    console.remark("; ".join(list_facts(prediction)))


def is_sample(prediction: Prediction) -> bool:
    """Whether a sandbox key was answered; of what was charged that need not be weighed."""
    return not is_charge(prediction.cost) and prediction.sandbox.verdict is True


def list_facts(prediction: Prediction) -> Iterator[str]:
    """How a job ended, what it cost and which it is, in words."""
    yield prediction.status
    yield "answered from the journal, nothing was charged" if prediction.reused else describe_charge(prediction.cost)
    if prediction.balance is not None:
        yield f"balance {format_usd(prediction.balance)} USD"
    if prediction.seconds is not None:
        yield f"{prediction.seconds:.1f} s"
    if prediction.id is not None:
        yield f"request {prediction.id}"


def output_line(output: Output) -> str:
    """One output as people read it: an address, a text, or data as JSON."""
    return output.url or output.text or json.dumps(output.data, ensure_ascii=False)
