"""Odd callbacks, odd answers, other clients on the same journal, and what a traceback shows."""

from __future__ import annotations

import traceback
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from by_kind import IMAGE, make_company, make_edit, make_image

from muapi_client import Call, Retry, errors, raw_call

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from twins.conftest import Face, Twin

HOOK = "https://example.com/hooks/SECRET"
COST = {"amount_usd": 0.5}
ACCEPTED = {"request_id": "r-1", "status": "processing"}
DONE = {"id": "r-1", "status": "completed", "outputs": ["https://cdn.muapi.ai/outputs/1.png"], "cost": COST}
NO_ANSWER = httpx.ReadError("reset")


class UnprintableError(Exception):
    """An error of a program's own that cannot be printed."""

    def __str__(self) -> str:
        return self.args[0] + 1


def _empty(_: Any) -> Any:
    return next(iter(()))


def _unprintable(_: Any) -> Any:
    raise UnprintableError("x")


def lose(face: Face, twin: Twin) -> errors.SubmitOutcomeUnknownError:
    with pytest.raises(errors.SubmitOutcomeUnknownError) as caught:
        face.submit(twin.call)
    return caught.value


@pytest.mark.parametrize(("callback", "kind"), [(_empty, RuntimeError), (_unprintable, UnprintableError)])
def test_whatever_a_callback_raises_names_the_paid_job(twin: Twin, callback: Callable[[Any], Any], kind: type) -> None:
    face = twin(ACCEPTED)
    with pytest.raises(kind) as caught:
        face.run(twin.call, on_accept=callback)
    assert any("r-1" in note for note in caught.value.__notes__)
    assert [job.id for job in face.resume()] == ["r-1"]


def test_a_run_that_a_callback_ended_is_no_longer_waited_for(twin: Twin, tmp_path: Path) -> None:
    face = twin(ACCEPTED, journal=tmp_path / "jobs.db")

    def fail(_: Any) -> None:
        raise ValueError("my database is down")

    with pytest.raises(ValueError, match="my database"):
        face.run(twin.call, on_accept=fail)
    assert [job.id for job in twin(journal=tmp_path / "jobs.db").resume()] == ["r-1"]


def test_a_repetition_by_its_idempotency_key_clears_the_doubt(twin: Twin) -> None:
    estimate = {"cost": 0.5}
    face = twin(estimate, NO_ANSWER, estimate, DONE, max_spend=Decimal(5), retry=Retry(attempts=1))
    with pytest.raises(errors.SubmitOutcomeUnknownError) as caught:
        face.submit(make_company(domain="example.com"))
    assert face.submit(caught.value.call).id == "r-1"
    assert face.unknown() == []
    assert (face.spend.total_usd, face.spend.reserved_usd, face.spend.requests) == (Decimal("0.5"), 0, 1)


def test_a_refund_is_never_taken_back(twin: Twin, tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    failed = {"id": "r-1", "status": "failed", "error": "no"}
    face = twin({**ACCEPTED, "cost": COST}, {**failed, "refunded": True}, {**failed, "cost": COST}, journal=path)
    job = face.submit(twin.call)
    for _ in range(2):
        face.look(job)
    assert (face.spend.total_usd, face.spend.refunded_usd) == (0, Decimal("0.5"))
    assert face.jobs()[0].cost.refunded
    assert twin(journal=path).jobs()[0].cost.refunded, "for other clients, too"


def test_a_refund_alone_counts_against_the_charge_a_look_told(twin: Twin) -> None:
    face = twin(
        ACCEPTED,
        {"id": "r-1", "status": "processing", "cost": COST},
        {"id": "r-1", "status": "failed", "error": "no", "refunded": True},
    )
    with pytest.raises(errors.JobFailedError, match=r"0\.5 USD was refunded"):
        face.run(twin.call)
    assert face.spend.total_usd == 0


def test_what_another_client_settled_is_no_longer_in_doubt_here(twin: Twin, tmp_path: Path) -> None:
    face = twin(NO_ANSWER, journal=tmp_path / "jobs.db", max_spend=Decimal(5), unpriced=Decimal("0.5"))
    lose(face, twin)
    other = twin(DONE, journal=tmp_path / "jobs.db")
    other.settle(other.unknown()[0], "r-1")
    other.wait("r-1")
    assert face.unknown() == []
    assert face.spend.in_doubt_usd == 0
    assert [entry.request_id for entry in face.jobs()] == ["r-1"]


def test_a_limit_counts_what_the_client_without_one_has_out(twin: Twin) -> None:
    face, call = twin(ACCEPTED, {"cost": 1}), raw_call(IMAGE.slug, {"prompt": "a red fox"})
    face.submit(call)
    with pytest.raises(errors.SpendLimitError, match="set aside"):
        face.sharing(max_spend=Decimal(1)).submit(call)


@pytest.mark.parametrize(
    "spelling", ["HTTPS://API.MUAPI.AI", "https://api.muapi.ai:443", "https://api.muapi.ai/api/v1"]
)
def test_one_account_is_one_however_its_address_is_spelled(twin: Twin, tmp_path: Path, spelling: str) -> None:
    twin(ACCEPTED, journal=tmp_path / "jobs.db").submit(twin.call)
    face = twin(base_url=spelling, journal=tmp_path / "jobs.db")
    assert [entry.request_id for entry in face.jobs()] == ["r-1"]


@pytest.mark.parametrize("odd", [b"https://example.com/hook", 5, object()])
def test_a_webhook_that_is_no_text_is_refused_before_anything_is_sent(twin: Twin, odd: Any) -> None:
    with pytest.raises(errors.MuAPIError, match="webhook must be a URL as text"):
        twin(webhook=odd)
    with pytest.raises(errors.MuAPIError, match="webhook must be a URL as text"):
        twin().sharing(webhook=odd)


@pytest.mark.parametrize(
    "odd", ["foo-t0k3n", "example.com/t0k3n", "ftp://example.com/t0k3n", "https://", "https:///t0k3n"]
)
def test_a_webhook_that_is_no_whole_address_is_refused_and_not_shown(twin: Twin, odd: str, tmp_path: Path) -> None:
    face, picture = twin(ACCEPTED), tmp_path / "a.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    by_query = Call(twin.call.operation, twin.call.body, {"webhook": odd})
    by_field = make_image(prompt="a red fox", webhook_url=odd)
    edit = make_edit(prompt="a red fox", images_list=[picture])
    with_a_file = Call(edit.operation, edit.body, {"webhook": odd})
    for go in (
        lambda: twin(webhook=odd),
        lambda: face.sharing(webhook=odd),
        lambda: face.run(by_query),
        lambda: face.submit(by_field),
        lambda: face.submit(raw_call("brand-new", {"webhook": odd})),
        lambda: face.submit(with_a_file),
    ):
        with pytest.raises(errors.MuAPIError, match=r"webhook.* must be a whole address, such as https://") as caught:
            go()
        assert odd == "https://" or odd not in str(caught.value)
    assert face.server.requests == []


@pytest.mark.parametrize(
    "address", ["https://example.com", "HTTP://user:word@[::1]:8000/x?y=z", "http://127.0.0.1:80/a"]
)
def test_a_whole_address_is_a_webhook(twin: Twin, address: str) -> None:
    face = twin(ACCEPTED, webhook=address)
    face.submit(twin.call)
    assert face.server.requests[0].url.params["webhook"] == address


@pytest.mark.parametrize(
    "steps",
    [
        [NO_ANSWER],
        [(422, {"detail": "no"})],
        [ACCEPTED, {"id": "r-1", "status": "failed", "error": "no"}],
        [ACCEPTED, (403, {"detail": "no"})],
    ],
    ids=["in doubt", "refused", "failed", "not looked at"],
)
def test_a_traceback_that_shows_locals_shows_no_secret(twin: Twin, steps: list[Any]) -> None:
    face = twin(*steps, webhook=HOOK)
    with pytest.raises(errors.MuAPIError) as caught:
        face.run(twin.call)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in shown.stack if "muapi_client" in frame.filename]
    assert ours
    for frame in ours:
        assert "SECRET" not in str(frame.locals), f"{frame.filename}: {frame.name}"
        assert twin.key not in str(frame.locals), f"{frame.filename}: {frame.name}"
