"""What a log tells of a job: which logger, at which level, with which facts; and that no handler can harm the job."""

from __future__ import annotations

import json
import logging
import threading
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from muapi_client import MuAPI, Polling, Retry, raw_call
from muapi_client.errors import (
    JobFailedError,
    MuAPIError,
    RateLimitError,
    SandboxMismatchError,
    SpendLimitError,
    StreamBrokenError,
    SubmitOutcomeUnknownError,
    ValidationError,
    WaitTimeoutError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twins.conftest import Twin

COST = {"amount_usd": 0.0042, "amount_credits": 1, "bonus_credits_used": 0, "refunded": False}
ACCEPTED = {"request_id": "abc", "status": "processing", "cost": COST}
RUNNING = {"id": "abc", "status": "processing", "outputs": [], "error": None}
DONE = {"id": "abc", "status": "completed", "outputs": ["https://cdn.muapi.ai/outputs/1.png"], "cost": COST}
FAILED = (400, {"detail": {"id": "abc", "status": "failed", "error": "a red fox is not allowed"}})
PACKAGE = logging.getLogger("muapi_client")


def told(caplog: pytest.LogCaptureFixture, logger: str, level: str) -> list[str]:
    """The messages of a logger at a level."""
    found = [each for each in caplog.records if (each.name, each.levelname) == (f"muapi_client.{logger}", level)]
    return [each.getMessage() for each in found]


@pytest.fixture(autouse=True)
def _everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "muapi_client")


def test_a_job_is_told_from_its_acceptance_to_its_end(twin: Twin, caplog: pytest.LogCaptureFixture) -> None:
    twin(ACCEPTED, RUNNING, DONE).run(twin.call)
    assert told(caplog, "jobs", "DEBUG") == [
        "POST /api/v1/new/model was accepted as job abc (charged 0.0042 USD)",
        "job abc: look 1 says 'processing'",
        "job abc: look 2 says 'completed' (charged 0.0042 USD)",
    ]
    assert [line.partition(":")[0] for line in told(caplog, "http", "DEBUG")] == [
        "POST /api/v1/new/model",
        *["GET /api/v1/predictions/abc/result"] * 2,
    ]
    assert {record.levelname for record in caplog.records if record.name.startswith("muapi_client")} == {"DEBUG"}


def test_records_carry_request_id_model_and_cost_for_formatters(twin: Twin, caplog: pytest.LogCaptureFixture) -> None:
    twin(ACCEPTED, DONE).run(twin.call)
    facts = [
        (each.__dict__["muapi_request_id"], each.__dict__["muapi_model"], each.__dict__["muapi_cost_usd"])
        for each in caplog.records
        if each.name == "muapi_client.jobs"
    ]
    assert facts == [("abc", "new/model", 0.0042)] * 2
    assert json.dumps(facts)
    ours = [each for each in caplog.records if each.name.startswith("muapi_client")]
    assert all({"muapi_request_id", "muapi_model", "muapi_cost_usd"} <= vars(each).keys() for each in ours)


def test_a_refusal_is_a_warning(twin: Twin, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ValidationError):
        twin((422, {"detail": [{"loc": ["body", "prompt"], "msg": "no a red fox", "type": "x"}]})).submit(twin.call)
    (line,) = told(caplog, "jobs", "WARNING")
    assert line == "POST /api/v1/new/model was refused (ValidationError, HTTP 422): nothing was charged"


def test_a_refusal_that_is_charged_says_so(twin: Twin, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(MuAPIError):
        twin((400, {"detail": "no", "cost": COST})).submit(twin.call)
    assert told(caplog, "jobs", "WARNING") == [
        "POST /api/v1/new/model was refused (APIStatusError, HTTP 400) (charged 0.0042 USD)"
    ]


@pytest.mark.parametrize("answer", [httpx.ReadError("reset"), (502, "<html>a red fox"), {"hello": "a red fox"}])
def test_doubt_is_a_warning(answer: Any, twin: Twin, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(SubmitOutcomeUnknownError):
        twin(answer).submit(twin.call)
    (line,) = told(caplog, "jobs", "WARNING")
    assert "may have been accepted and charged" in line


def test_what_was_not_sent_says_why(twin: Twin, caplog: pytest.LogCaptureFixture) -> None:
    face = twin(("unsent", httpx.ConnectError("name not known")), retry=Retry(attempts=1))
    with pytest.raises(MuAPIError):
        face.submit(twin.call)
    (line,) = told(caplog, "jobs", "WARNING")
    assert "was not sent" in line
    assert "name not known" in line


def test_a_429_the_pause_after_it_and_the_pace_are_told(twin: Twin, caplog: pytest.LogCaptureFixture) -> None:
    face = twin((429, {"detail": "slow down"}, {"retry-after": "3"}), ACCEPTED)
    face.submit(twin.call)
    lines = told(caplog, "http", "INFO")
    assert "submits now leave at" in lines[0]
    assert "HTTP 429" in lines[1]
    assert "again in 3.00 s" in lines[1]
    caplog.clear()
    face.submit(twin.call)
    assert all("turn after a 429" in line for line in told(caplog, "http", "INFO"))


def test_what_a_map_submits_again_by_itself_is_no_warning(twin: Twin, caplog: pytest.LogCaptureFixture) -> None:
    face = twin((429, {"detail": "slow down"}), ACCEPTED, DONE)
    outcomes = face._listed(face.mu.map([twin.call]))
    assert outcomes[0].error is None
    assert told(caplog, "jobs", "WARNING") == []
    assert "RateLimitError" in told(caplog, "jobs", "INFO")[0]


def test_a_429_after_every_try_is_a_warning(twin: Twin, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(RateLimitError):
        twin((429, {"detail": "slow down"}), retry=Retry(attempts=2)).submit(twin.call)
    assert "RateLimitError" in told(caplog, "jobs", "WARNING")[0]


def test_a_look_that_fails_and_one_that_tells_of_a_failed_job(twin: Twin, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(JobFailedError):
        twin(ACCEPTED, (503, "a red fox"), httpx.ReadError("reset"), FAILED).run(twin.call)
    assert told(caplog, "jobs", "INFO") == [
        "job abc: look 1 failed (HTTP 503)",
        "job abc: look 2 failed (APIConnectionError)",
        "job abc: look 3 says 'failed' (charged 0.0042 USD)",  # by the answer to its submit
    ]


def test_an_unknown_status_is_a_warning_each_time_it_comes(twin: Twin, caplog: pytest.LogCaptureFixture) -> None:
    odd = {**RUNNING, "status": "hydrating"}
    twin(ACCEPTED, odd, odd, RUNNING, odd, DONE).run(twin.call)
    lines = told(caplog, "jobs", "WARNING")
    assert len(lines) == 2
    assert "'hydrating', which this version does not know" in lines[0]


@pytest.mark.parametrize("word", ["", " Processing ", "SUCCEEDED"])
def test_a_known_word_in_another_spelling_is_none(word: str, twin: Twin, caplog: pytest.LogCaptureFixture) -> None:
    twin(ACCEPTED, {**RUNNING, "status": word, "output": "https://cdn.muapi.ai/1.png"}, DONE).run(twin.call)
    assert told(caplog, "jobs", "WARNING") == []


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        ({**RUNNING, "retry_after": 30}, 30),
        ((503, {"detail": "no", "retry_after": 12}), 12),
        ((429, {"detail": "no", "retry_after": 9}, {"retry-after": "2"}), 9),
        ((429, {"detail": "no", "retry_after": 2}, {"retry-after": "2"}), None),
        ((429, {"detail": "no", "retry_after": 2}), None),
    ],
)
def test_a_retry_after_that_nothing_goes_by_is_told(
    answer: Any, seconds: int | None, twin: Twin, caplog: pytest.LogCaptureFixture
) -> None:
    twin(ACCEPTED, answer, DONE, polling=Polling(minimum=60, maximum=60)).run(twin.call)
    ignored = [line for line in told(caplog, "http", "INFO") if line.startswith("retry_after")]
    status = answer[0] if isinstance(answer, tuple) else 200
    expected = f"retry_after={seconds} in the body of an HTTP {status} is not gone by"
    assert ignored == ([] if seconds is None else [expected])


def test_a_wait_that_is_over_is_a_warning(twin: Twin, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(WaitTimeoutError):
        twin(ACCEPTED, RUNNING).run(twin.call, timeout=5)
    (line,) = told(caplog, "jobs", "WARNING")
    assert line.startswith("job abc had not ended after 5 s and ")


def test_money_is_told_by_its_own_logger(twin: Twin, caplog: pytest.LogCaptureFixture) -> None:
    priced = {"model": "x", "cost": 0.5, "currency": "USD", "dynamic_pricing": True}
    limited = {"max_spend": Decimal(1), "unpriced": Decimal("0.25")}
    refund = {**DONE, "cost": {**COST, "refunded": True}}
    twin(ACCEPTED, (200, refund, {"x-muapi-cost-usd": "0.5"}), **limited).run(twin.call)
    assert told(caplog, "money", "DEBUG") == ["0.25 USD is set aside for a job of new/model"]
    assert told(caplog, "money", "INFO") == ["job abc: 0.0042 USD was refunded"]
    assert "the cost headers say" in told(caplog, "money", "WARNING")[0]
    caplog.clear()
    with pytest.raises(SpendLimitError):
        twin(priced, max_spend=Decimal("0.1"), unpriced=Decimal("0.25")).run(twin.call)
    (line,) = told(caplog, "money", "WARNING")
    assert "past max_spend=0.1 USD; nothing was sent" in line


def test_a_key_of_the_wrong_kind_is_a_warning(twin: Twin, caplog: pytest.LogCaptureFixture) -> None:
    keys = [{"id": "1", "name": "a key", "is_active": True, "is_test": True}]
    with pytest.raises(SandboxMismatchError):
        twin(keys, expect="live").submit(twin.call)
    assert any("expect='live', but" in line for line in told(caplog, "jobs", "WARNING"))


def test_files_are_told_without_their_names_and_addresses(
    twin: Twin, caplog: pytest.LogCaptureFixture, tmp_path: Any
) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + b"x" * 50
    (tmp_path / "holiday.png").write_bytes(picture)
    twin({"url": "https://cdn.muapi.ai/uploads/private.png"}).upload(tmp_path / "holiday.png")
    assert told(caplog, "files", "DEBUG") == ["a file of 58 bytes (image/png) was uploaded"]
    face = twin((503, ""), (200, picture))
    done = twin(ACCEPTED, DONE).run(twin.call)
    face.download(done, tmp_path / "out")
    assert told(caplog, "files", "INFO")[0].startswith(
        "a file from cdn.muapi.ai is not whole (HTTP 503): on from byte 0"
    )
    assert told(caplog, "files", "DEBUG")[-1] == "a file of 58 bytes was fetched from cdn.muapi.ai"
    lines = [each.getMessage() for each in caplog.records if each.name.startswith("muapi_client")]
    assert not any("holiday" in line or "private" in line or "1.png" in line for line in lines)


def test_no_record_repeats_a_prompt_or_the_server_s_words(twin: Twin, caplog: pytest.LogCaptureFixture) -> None:
    refused = (422, {"detail": [{"loc": ["body"], "msg": "a red fox", "type": "x", "input": {"prompt": "a red fox"}}]})
    for steps in ([refused], [(500, "a red fox")], [{"echo": "a red fox"}], [ACCEPTED, FAILED], [(403, "a red fox")]):
        with pytest.raises(MuAPIError):
            twin(*steps, retry=Retry(attempts=1)).run(twin.call)
    ours = [each for each in caplog.records if each.name.startswith("muapi_client")]
    assert ours
    assert not any("a red fox" in f"{each.getMessage()} {vars(each)}" for each in ours)


class Taking(logging.Handler):
    """A handler that does something with each record."""

    def __init__(self, take: Any) -> None:
        super().__init__()
        self.take = take

    def handle(self, record: logging.LogRecord) -> bool:
        self.take(record)
        return True

    emit = handle  # type: ignore[assignment]  # never called


@pytest.fixture
def handling() -> Iterator[Any]:
    """Adds a handler to the package's logger until the test's end."""
    added: list[logging.Handler] = []

    def add(take: Any) -> None:
        added.append(Taking(take))
        PACKAGE.addHandler(added[-1])

    yield add
    for handler in added:
        PACKAGE.removeHandler(handler)


def fail(_: object) -> None:
    raise ZeroDivisionError("a fault of the handler's")


def test_a_handler_that_raises_loses_no_job_and_is_told_of(
    twin: Twin, handling: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    handling(fail)
    face = twin(ACCEPTED, RUNNING, DONE)
    assert face.run(twin.call).id == "abc"
    assert face.server.posts == 1
    assert face.mu.spend.total_usd == Decimal("0.0042")
    assert "a fault of the handler's" in capsys.readouterr().err


def test_so_does_a_filter_and_where_logging_keeps_silent_so_do_we(
    twin: Twin, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    jobs = logging.getLogger("muapi_client.jobs")
    jobs.addFilter(fail)  # type: ignore[arg-type]  # it answers nothing, for it raises
    try:
        assert twin(ACCEPTED, DONE).run(twin.call).id == "abc"
    finally:
        jobs.removeFilter(fail)  # type: ignore[arg-type]  # as above
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_in_a_handler_passes_and_carries_the_accepted_job(
    interrupt: type[BaseException], twin: Twin, handling: Any
) -> None:
    def strike(record: logging.LogRecord) -> None:
        if "was accepted" in record.getMessage():
            raise interrupt

    handling(strike)
    face = twin(ACCEPTED, DONE)
    with pytest.raises(interrupt) as caught:
        face.run(twin.call)
    assert any("Job abc was accepted" in note for note in caught.value.__notes__)
    assert [entry.request_id for entry in face.jobs()] == ["abc"]
    assert face.unknown() == []


def test_a_handler_may_use_a_client_itself(handling: Any, twin: Twin) -> None:
    other = MuAPI("sk-live-9", transport=httpx.MockTransport(lambda _: httpx.Response(200, json=ACCEPTED)))
    seen: list[str] = []

    def ask(record: logging.LogRecord) -> None:
        seen.append(record.getMessage())
        other.submit(twin.call)

    handling(ask)
    twin(ACCEPTED, DONE).run(twin.call)
    assert other.spend.requests == 1
    assert len(seen) == 4  # of the one client: two exchanges, two facts


def test_a_handler_may_wait_for_another_thread_that_uses_the_same_client(handling: Any) -> None:
    """No lock that other threads wait for is held while a record is written."""
    mu = MuAPI("sk-live-9", transport=httpx.MockTransport(lambda _: httpx.Response(200, json=ACCEPTED)))
    call, waited = raw_call("new/model", {"prompt": "a red fox"}), []

    def ask(_: logging.LogRecord) -> None:
        if threading.current_thread() is threading.main_thread():
            thread = threading.Thread(target=mu.submit, args=(call,), daemon=True)
            thread.start()
            thread.join(30)
            waited.append(thread.is_alive())

    handling(ask)
    mu.with_options(max_spend=9, unpriced=Decimal("0.5")).submit(call)
    assert waited == [False] * 3  # what is set aside, the exchange, the acceptance


def test_a_stream_that_breaks_off_is_a_warning(twin: Twin, caplog: pytest.LogCaptureFixture) -> None:
    pieces = iter([None, httpx.ReadError("reset")])

    def go_on() -> None:
        if (error := next(pieces)) is not None:
            raise error

    body = twin.body(b'data: {"text": "a red fox"}\n\n', b"data", pause=go_on)
    face = twin((200, body, {"content-type": "text/event-stream"}))
    with pytest.raises(StreamBrokenError):
        face.events(raw_call("new/model/stream", {}))
    (line,) = told(caplog, "jobs", "WARNING")
    assert "was accepted as job (without id), and then ended by StreamBrokenError" in line
