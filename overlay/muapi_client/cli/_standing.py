"""How each of many jobs stands: which word it has, and its form in JSON. Pure.

Lives here: the words, of an outcome and of what a journal or memory knows of a job whose outcome nobody was handed.
Does not live here: sums, and telling them (``_record``), exit codes (``_exit``).

Every job has exactly one word, so that the counts add up to the jobs. Only two of them say that there may be no job to
pay for twice: a row that was not begun or not sent cost nothing, and one that was refused cost nothing either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from muapi_client import errors
from muapi_client._types.cost import is_charge
from muapi_client._types.status import JobState
from muapi_client.cli._exit import DONE, JOB_FAILED, LIVES_ON, PERHAPS_CHARGED, charged_by, code_of, is_in_doubt, tell
from muapi_client.cli._formats import charged_form, cost_form, output_form, prediction_form
from muapi_client.cli._wording import in_shell_words

if TYPE_CHECKING:
    from muapi_client._types.entry import Entry
    from muapi_client._types.outcome import Outcome

FINISHED: Final = "finished"  # it ended well, and is saved where it was to be
NOT_SAVED: Final = "not_saved"  # it ended well and is paid for, and its outputs are not where they were to be
FAILED: Final = "failed"  # it ended badly: failed, cancelled, or refused and charged all the same
DOUBTFUL: Final = "doubtful"  # it may have been charged, and no answer told an id
RUNNING: Final = "running"  # it was accepted, lives on and is paid for
REFUSED: Final = "refused"  # the server did not take it, and charged nothing
NOT_SENT: Final = "not_sent"  # it was begun, and kept from being sent: a limit of money, our own check, no way there
NOT_BEGUN: Final = "not_begun"
STANDINGS: Final = (FINISHED, FAILED, DOUBTFUL, NOT_BEGUN, RUNNING, NOT_SAVED, REFUSED, NOT_SENT)
SAID: Final = {  # in a sentence: of one, and of several
    FINISHED: ("finished", "finished"),
    NOT_SAVED: ("not saved", "not saved"),
    FAILED: ("failed", "failed"),
    DOUBTFUL: ("in doubt", "in doubt"),
    RUNNING: ("lives on", "live on"),
    REFUSED: ("refused", "refused"),
    NOT_SENT: ("not sent", "not sent"),
    NOT_BEGUN: ("not begun", "not begun"),
}
JOBLESS: Final = (REFUSED, NOT_SENT, NOT_BEGUN)  # what has no job, and cost nothing
UNWELL: Final = (FAILED, NOT_SAVED, RUNNING, REFUSED, NOT_SENT)  # what a map's progress has one word for
ENDED: Final = (FINISHED, NOT_SAVED, FAILED)
CODES: Final = {FINISHED: DONE, NOT_SAVED: 1, FAILED: JOB_FAILED, DOUBTFUL: PERHAPS_CHARGED, RUNNING: LIVES_ON}

BY_ERROR: Final[tuple[tuple[Any, str], ...]] = (
    (errors.SubmitOutcomeUnknownError, DOUBTFUL),
    ((errors.JobFailedError, errors.JobCancelledError), FAILED),
    (errors.WaitTimeoutError, RUNNING),  # also of what another process has in hand
)


def stand(outcome: Outcome[Any, Any]) -> str:
    """How a job stands whose outcome was handed out."""
    error, prediction = outcome.error, outcome.prediction
    if error is None:
        return FINISHED
    by_kind = next((word for kinds, word in BY_ERROR if isinstance(error, kinds)), None)
    if by_kind is not None:
        return by_kind
    if prediction is not None and prediction.state is JobState.DONE:
        return NOT_SAVED
    is_of_job = error.request_id is not None and not isinstance(
        error, errors.DownloadError
    )  # else of one that is reused
    if outcome.job is not None or is_of_job:
        return FAILED if isinstance(error, errors.NotFoundError) else RUNNING  # the server knows of no such job
    return _stand_without_job(error)


def _stand_without_job(error: errors.MuAPIError) -> str:
    if is_charge(error.cost):
        return FAILED
    return REFUSED if error.status_code is not None else NOT_SENT


def stand_by_entry(entry: Entry, *, is_saved: bool) -> str:
    """How a job stands that nobody was handed the outcome of, by what is known of its submit.

    Args:
        is_saved: Whether its outputs were to be saved.
    """
    if entry.state == "completed":
        return NOT_SAVED if is_saved and entry.outputs and not entry.files else FINISHED
    if entry.state in ("failed", "cancelled"):
        return FAILED
    return RUNNING if entry.state == "accepted" and entry.request_id else DOUBTFUL


def outcome_form(outcome: Outcome[Any, Any], named: dict[str, Any], *, is_earlier: bool) -> dict[str, Any]:
    """What came of a job, as JSON.

    Args:
        named: What says which job it is.
        is_earlier: Whether an earlier run had it accepted, and paid for it.
    """
    error, prediction = outcome.error, outcome.prediction
    form: dict[str, Any] = {**named, "state": stand(outcome)}
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
    return form | ({"charged_usd": 0.0} if is_earlier else {})


def entry_form(entry: Entry, standing: str, named: dict[str, Any], *, is_earlier: bool) -> dict[str, Any]:
    """What is known of a job that nobody was handed the outcome of, as JSON.

    Args:
        standing: How it stands.
        named: What says which job it is.
        is_earlier: Whether an earlier run had it accepted, and paid for it.
    """
    is_ours = entry.state == "unknown" and entry.reason is not None  # else it is the server's own text
    return {
        **named,
        "state": standing,
        "request_id": entry.request_id,
        "status": entry.state if standing in ENDED else None,
        "outputs": [output_form(output) for output in entry.outputs],
        "saved_paths": [str(path) for path in entry.files],
        "error": in_shell_words(entry.reason or "", entry.request_id) if is_ours else entry.reason,
        "cost": cost_form(entry.cost),
        "charged_usd": 0.0 if is_earlier else charged_form(entry.cost),
        "in_doubt": standing == DOUBTFUL or (standing == RUNNING and entry.cost is None),
        "reused": False,
    }
