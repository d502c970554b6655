"""The table of fates, row by row: what becomes of journal, memory, reservation and caller, whatever a submit came to.

README prints the table; here each row is held against both clients, with a journal and without.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import pytest

from muapi_client import Job, Journal, MuAPIError, Prediction, Retry, errors
from muapi_client._jobs.submission import Fate

if TYPE_CHECKING:
    from twins.conftest import Face, Twin

ASIDE = Decimal("0.50")  # USD, set aside for a call that nobody can price
COST = {"amount_usd": 0.2, "amount_credits": 1, "bonus_credits_used": 0, "refunded": False}
CHARGE = {"x-muapi-cost-usd": "0.2"}
REFUND = {**CHARGE, "x-muapi-cost-refunded": "true"}
FAILED = {"id": "r-1", "status": "failed", "error": "NSFW"}


class Alarm(Exception):  # noqa: N818 - a program's own, as its signal handler raises it
    """What a program's own signal handler raises."""


class Row(NamedTuple):
    """One way for a submit to end, and what has to be true afterwards."""

    fate: Fate
    step: Any  # the server's answer, or the fault
    raises: type[BaseException] | None
    states: tuple[str, ...]  # in the journal, and of jobs()
    charged: str = "0"
    reserved: str = "0"
    in_doubt: str = "0"


def refused(step: Any, kind: type[BaseException], **more: Any) -> Row:
    return Row(Fate.REFUSED, step, kind, (), **more)


def in_doubt(step: Any, raises: type[BaseException] = errors.SubmitOutcomeUnknownError) -> Row:
    fate = Fate.IN_DOUBT if issubclass(raises, MuAPIError) else Fate.INTERRUPTED
    return Row(fate, step, raises, ("unknown",), reserved="0.50", in_doubt="0.50")


def unsent(fault: BaseException | type[BaseException], raises: type[BaseException] = errors.APIConnectionError) -> Row:
    return Row(Fate.NOT_SENT, ("unsent", fault), raises, ())


ROWS = [
    refused((401, {"detail": "Not authorized"}), errors.AuthenticationError),
    refused((402, {"detail": "Insufficient credit balance"}), errors.InsufficientCreditError),
    refused((404, {"detail": "Not Found"}), errors.NotFoundError),
    refused((422, {"detail": []}), errors.ValidationError),
    refused((400, {"detail": "no"}), errors.APIStatusError),
    refused((409, {"detail": "no"}, {"x-muapi-cost-usd": "0.000000"}), errors.APIStatusError),
    refused((400, {"detail": "no"}, REFUND), errors.APIStatusError),
    refused((307, "", {"location": "https://elsewhere.example"}), errors.APIStatusError),
    refused((308, "", {"location": "https://elsewhere.example"}), errors.APIStatusError),
    refused((429, {"detail": "slow down"}), errors.RateLimitError),
    Row(Fate.CHARGED, (400, {"detail": "no"}, CHARGE), errors.APIStatusError, ("failed",), charged="0.2"),
    Row(Fate.CHARGED, (422, {"detail": [], "cost": COST}), errors.ValidationError, ("failed",), charged="0.2"),
    unsent(httpx.ConnectError("no such host")),
    unsent(httpx.ConnectTimeout("late")),
    unsent(httpx.ProxyError("502 Bad Gateway")),
    unsent(OSError("SSL_CERT_FILE: no such file")),
    unsent(KeyboardInterrupt, KeyboardInterrupt),
    unsent(SystemExit, SystemExit),
    unsent(asyncio.CancelledError, asyncio.CancelledError),
    unsent(Alarm, Alarm),
    *(in_doubt((status, "")) for status in (301, 302, 303, 304, 408, 425, 499, 500, 502, 503, 504, 522)),
    *(in_doubt(fault) for fault in (httpx.ReadError("reset"), httpx.ReadTimeout("late"), OSError("unreachable"))),
    *(in_doubt((200, body)) for body in ("<html>", '{"request_id": "r-1", "sta', "", "null", "[]", "{}")),
    in_doubt({"status": "processing"}),
    in_doubt(KeyboardInterrupt, KeyboardInterrupt),
    in_doubt(SystemExit, SystemExit),
    in_doubt(asyncio.CancelledError, asyncio.CancelledError),
    in_doubt(Alarm, Alarm),
    Row(Fate.ACCEPTED, {"request_id": "r-1", "cost": COST}, None, ("accepted",), charged="0.2"),
    Row(Fate.ACCEPTED, {"request_id": "r-1"}, None, ("accepted",), reserved="0.50"),
    Row(
        Fate.ACCEPTED, {"id": "r-1", "status": "completed", "outputs": ["w"], "cost": COST}, None, ("completed",), "0.2"
    ),
    Row(Fate.ACCEPTED, {"outputs": ["w"], "cost": COST}, None, ("completed",), charged="0.2"),
    Row(Fate.ACCEPTED, {"outputs": ["w"]}, None, ("completed",), reserved="0.50", in_doubt="0.50"),
    Row(Fate.ACCEPTED, {**FAILED, "cost": COST}, errors.JobFailedError, ("failed",), charged="0.2"),
    Row(Fate.ACCEPTED, (400, {"detail": FAILED}, CHARGE), errors.JobFailedError, ("failed",), charged="0.2"),
    Row(Fate.ACCEPTED, (400, {"detail": FAILED}, REFUND), errors.JobFailedError, ("failed",)),
]


def name_of(row: Row) -> str:
    step = row.step[1] if isinstance(row.step, tuple) and row.step[0] == "unsent" else row.step
    return f"{row.fate.value}: {step!r}"[:70]


@pytest.fixture(params=["journal", "without"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    """A journal's path, or None."""
    return tmp_path / "jobs.db" if request.param == "journal" else None


def submit(face: Face, twin: Twin) -> tuple[Any, BaseException | None]:
    """What a submit answers or raises; one that an interrupt cuts short, too."""
    try:
        return face.submit(twin.call), None
    except BaseException as error:  # noqa: BLE001 - interrupts are rows of the table
        return None, error


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_every_fate_has_its_consequences(twin: Twin, row: Row, journal: Path | None) -> None:
    face = twin(row.step, journal=journal, max_spend=Decimal(9), unpriced=ASIDE, retry=Retry(attempts=1))
    outcome, error = submit(face, twin)
    assert face.server.posts == 1
    # the caller
    assert type(error) is (row.raises or type(None))
    if row.raises is None:
        assert isinstance(outcome, Job | Prediction)
    if row.fate in (Fate.IN_DOUBT, Fate.INTERRUPTED) and not isinstance(error, MuAPIError):
        (note,) = error.__notes__
        assert "may have been accepted and charged" in note
        assert "a red fox" in note, "the note carries the call"
    if row.fate is Fate.CHARGED:
        assert error.cost.charged_usd == Decimal("0.2")
    # memory and journal
    assert tuple(entry.state for entry in face.jobs()) == row.states
    assert [entry.slug for entry in face.unknown()] == ["new/model"] * (row.states == ("unknown",))
    assert [job.id for job in face.resume()] == ["r-1"] * (row.states == ("accepted",))
    if journal is not None:
        assert tuple(entry.state for entry in Journal(journal).entries()) == row.states
    # the money
    spend = face.spend
    assert (spend.total_usd, spend.reserved_usd, spend.in_doubt_usd) == (
        Decimal(row.charged),
        Decimal(row.reserved),
        Decimal(row.in_doubt),
    )
    # and the client goes on
    face.server.steps[:] = [{"request_id": "r-2", "cost": COST}]
    assert face.submit(twin.call).id == "r-2"


def test_every_fate_has_a_row() -> None:
    assert {row.fate for row in ROWS} == set(Fate)


def has_a_body(row: Row) -> bool:
    """Whether a stream would be read: what becomes of one that has begun is told in ``test_stream``."""
    return isinstance(row.step, dict) or (isinstance(row.step, tuple) and row.step[0] == 200)


@pytest.mark.parametrize("row", [row for row in ROWS if not has_a_body(row)], ids=name_of)
def test_a_stream_that_never_began_has_the_fate_of_a_job(twin: Twin, row: Row, tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    face = twin(row.step, journal=path, max_spend=Decimal(9), unpriced=ASIDE, retry=Retry(attempts=1), strict=False)
    with pytest.raises(row.raises or AssertionError):
        face.events(twin.call)
    assert face.server.posts == 1
    assert tuple(entry.state for entry in face.jobs()) == row.states
    assert tuple(entry.state for entry in Journal(path).entries()) == row.states
    assert (face.spend.total_usd, face.spend.reserved_usd) == (Decimal(row.charged), Decimal(row.reserved))


def test_the_readme_prints_every_fate() -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    for fate in Fate:
        assert f"| {fate.value} |" in text
