"""Watching a job: nothing that was paid for may be lost, whatever happens to this program.

Lives here: telling the request id the moment it is known, how the job goes, its result, and what an interrupt means.
Does not live here: waiting itself (``MuAPI``).
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from muapi_client.cli._exit import InterruptedJobError
from muapi_client.cli._formats import describe_charge, format_usd, job_form, prediction_form

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from muapi_client import MuAPI
    from muapi_client._types.cost import Cost
    from muapi_client._types.job import Job
    from muapi_client._types.prediction import Output, Prediction
    from muapi_client.cli._console import Console

ENDED: Final = ("completed", "failed", "cancelled")  # states of an entry


class Watcher:
    """The state of the one job this program is about."""

    def __init__(self, console: Console, request_id: str | None = None) -> None:
        self._console = console
        self._id = request_id
        self._cost: Cost | None = None
        self._status = ""

    def accepted(self, job: Job) -> None:
        """Tell the id of a job that was accepted, before anything else can go wrong."""
        self._id, self._cost = job.id, job.cost
        self._console.say(
            f"accepted as {job.id}, {describe_charge(job.cost)}; should the wait end early: muapi-client wait {job.id}",
            {"event": "accepted", **job_form(job)},
        )

    def looked(self, prediction: Prediction) -> None:
        """Tell a person how the job stands, when that has changed."""
        if prediction.status != self._status and not prediction.outputs:
            self._status = prediction.status
            self._console.progress(f"{prediction.seconds or 0:6.1f} s  {prediction.status}")

    @contextmanager
    def watching(self, mu: MuAPI) -> Generator[None]:
        """Turn an interrupt into an error that tells how to go on.

        Args:
            mu: The job's client, which knows the id of an accepted job before it is shown.

        Raises:
            InterruptedJobError: The user pressed Ctrl-C.
        """
        try:
            yield
        except KeyboardInterrupt:
            raise self._interrupt_error(mu) from None

    def _interrupt_error(self, mu: MuAPI) -> InterruptedJobError:
        submitted = next(mu.jobs(), None)  # of this program, which submits one at most and keeps no journal
        request_id, cost = self._id, self._cost
        if request_id is None and submitted is not None:
            request_id, cost = submitted.request_id, submitted.cost
        if submitted is not None and submitted.state in ENDED:
            what = f"job {request_id} has ended" if request_id else f"the job has ended ({describe_charge(cost)})"
            return InterruptedJobError(f"interrupted; {what}.", request_id=request_id, cost=cost)
        if request_id is not None:
            return InterruptedJobError(
                f"interrupted; job {request_id} lives on and may be charged: MuAPI has no route to cancel a job.",
                request_id=request_id,
                cost=cost,
            )
        if submitted is None:
            return InterruptedJobError("interrupted: no job was submitted, and nothing was charged.")
        return InterruptedJobError(
            "interrupted while the job was being submitted: it may have been accepted and charged. Look at the"
            " history in the dashboard before you submit it again."
        )


def show_result(prediction: Prediction, console: Console, *, first: str = "") -> None:
    """Print what a job made, one output a line; what it cost and what is odd about it goes to standard error.

    Args:
        first: A line to print before the outputs, for people only.

    Raises:
        OSError: Standard output took none of it, and so standard error has told what was paid for.
    """
    lines = [*([first] if first else []), *map(_line, prediction.outputs)]
    try:
        console.made(prediction_form(prediction), "\n".join(lines))
    except OSError:  # a full disk, or a pipe whose reader has gone
        again = [f"muapi-client look {prediction.id} prints it again"] if prediction.id else lines
        told = "; ".join([*_facts(prediction), *again])
        console.say(f"the result could not be written: {told}", {"event": "unwritten", **prediction_form(prediction)})
        raise
    show_facts(prediction, console)


def show_facts(prediction: Prediction, console: Console) -> None:
    """Tell people what a result cost and what is odd about it, on standard error."""
    for warning in prediction.warnings:
        console.remark(f"warning: {warning}")
    if prediction.error:
        console.remark(f"error: {prediction.error}")
    if prediction.sandbox.verdict:
        console.remark("this key is a sandbox (test) key: the output is a sample, not made from your input")
    console.remark("; ".join(_facts(prediction)))


def _facts(prediction: Prediction) -> Iterator[str]:
    yield prediction.status
    yield describe_charge(prediction.cost)
    if prediction.balance is not None:
        yield f"balance {format_usd(prediction.balance)} USD"
    if prediction.seconds is not None:
        yield f"{prediction.seconds:.1f} s"
    if prediction.id is not None:
        yield f"request {prediction.id}"


def _line(output: Output) -> str:
    return output.url or output.text or _json(output.data)


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False)
