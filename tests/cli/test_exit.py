"""Every exit code has its cause, and every error its one line. Nothing paid for is lost."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from by_kind import IMAGE, STREAM, VIDEO

from muapi_client import errors
from muapi_client._runtime.clock import VirtualClock
from muapi_client.cli._exit import code_of
from muapi_client.emulator import Emulator, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

Call = Any  # the fixture `call`; see conftest
ERROR = {"error", "type", "request_id", "status_code", "cost", "charged_usd", "in_doubt", "saved_paths"}
RUN = ("run", IMAGE.slug, "prompt=x")


class Answering(httpx.MockTransport):
    """A server that does as a function says, in virtual time."""

    def __init__(self, handler: Callable[[httpx.Request], httpx.Response]) -> None:
        super().__init__(handler)
        self.clock = VirtualClock()


def status(code: int, detail: str = "because") -> Answering:
    return Answering(lambda _: httpx.Response(code, json={"detail": detail}))


def raising(error: BaseException) -> Answering:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error

    return Answering(handler)


def refusing() -> Answering:
    transport = raising(httpx.ConnectError("refused"))
    transport.tells_when_sent = True  # type: ignore[attr-defined] - and tells nothing: nothing was sent
    return transport


def poor() -> Any:
    return Emulator(live_keys=("sk-live",), balance=0).transport()


def ending(outcome: Outcome) -> Any:
    return Emulator(live_keys=("sk-live",), outcomes=[outcome]).transport()


CASES = [
    (RUN, lambda: ending(Outcome.completed()), 0, None),
    (RUN, lambda: ending(Outcome.failed("out of\nmemory")), 10, "JobFailedError"),
    (RUN, lambda: ending(Outcome.cancelled()), 10, "JobCancelledError"),
    (RUN, lambda: ending(Outcome.moderated()), 10, "JobFailedError"),
    (RUN, lambda: status(500), 9, "SubmitOutcomeUnknownError"),
    (RUN, refusing, 11, "APIConnectionError"),
    (RUN, lambda: raising(RuntimeError("a bug")), 1, "RuntimeError"),
    (RUN, lambda: status(401), 3, "AuthenticationError"),
    (RUN, lambda: status(403), 3, "AuthenticationError"),
    (RUN, lambda: status(429), 4, "RateLimitError"),
    (("run", f"{IMAGE.slug[:-2]}eg"), None, 5, "NotFoundError"),
    (("run", "new-model", "--raw", "prompt=x"), None, 5, "NotFoundError"),
    (("wait", "no-such-job"), None, 5, "NotFoundError"),
    (("look", "no-such-job"), None, 5, "NotFoundError"),
    (("models", "show", f"{IMAGE.slug[:-2]}eg"), None, 5, "NotFoundError"),
    (RUN, poor, 6, "InsufficientCreditError"),
    ((*RUN, "--max-spend", "0.001"), None, 12, "SpendLimitError"),
    ((*RUN, "--timeout", "30"), lambda: ending(Outcome.completed(seconds=math.inf)), 7, "WaitTimeoutError"),
    (("run", IMAGE.slug, "promt=x"), None, 8, "ValidationError"),
    (("run", IMAGE.slug, "width=x"), None, 8, "ValidationError"),
    (("run", IMAGE.slug, "width=wide", "--raw"), None, 8, "ValidationError"),
    (("models", "--group", "pictures"), None, 8, "ValidationError"),
    (RUN, lambda: raising(KeyboardInterrupt()), 130, "InterruptedJobError"),
]


@pytest.mark.parametrize(("words", "transport", "code", "kind"), CASES)
def test_the_exit_code_and_the_error_object(
    call: Call, words: tuple[str, ...], transport: Callable[[], Any] | None, code: int, kind: str | None
) -> None:
    said = call(*words, "--output", "json", transport=transport and transport())
    assert said.code == code
    if kind is not None:
        assert said.out == ""
        assert set(said.events[-1]) == ERROR
        assert said.events[-1]["type"] == kind


@pytest.mark.parametrize(("words", "transport", "code", "kind"), CASES)
def test_the_same_in_one_plain_line(
    call: Call, words: tuple[str, ...], transport: Callable[[], Any] | None, code: int, kind: str | None
) -> None:
    said = call(*words, transport=transport and transport())
    assert said.code == code
    if kind is not None:
        assert said.out == ""
        complaints = [line for line in said.err.splitlines() if not line.startswith(("accepted as ", "price: "))]
        assert len(complaints) == 1
        assert complaints[0].startswith("muapi-client: ")


def test_without_a_key_nothing_is_sent(call: Call, monkeypatch: pytest.MonkeyPatch, emulator: Emulator) -> None:
    monkeypatch.delenv("MUAPI_API_KEY")
    for words in (RUN, ("wait", "x"), ("look", "x"), (*RUN, "--estimate"), ("demo", "--live", "--yes")):
        assert call(*words).code == 3
    assert not emulator.requests


def test_every_error_of_the_tree_has_a_code() -> None:
    codes = {name: code_of(getattr(errors, name)("x")) for name in errors.__all__}
    assert {name: code for name, code in codes.items() if code != 1} == {
        "AuthenticationError": 3,
        "InsufficientCreditError": 6,
        "JobCancelledError": 10,
        "JobFailedError": 10,
        "NotFoundError": 5,
        "RateLimitError": 4,
        "SpendLimitError": 12,
        "StreamBrokenError": 9,
        "SubmitOutcomeUnknownError": 9,
        "ValidationError": 8,
        "WaitTimeoutError": 7,
    }


def test_a_failed_job_tells_its_id_and_its_charge(call: Call) -> None:
    said = call(*RUN, "--output=json", transport=ending(Outcome.failed("boom", refunded=False)))
    accepted, error = said.events
    assert error["request_id"] == accepted["request_id"]
    assert error["cost"]["charged_usd"] == 0.015
    assert error["status_code"] == 400  # how a failed job mostly arrives
    assert "boom" in error["error"]


def test_a_wait_that_ran_out_can_be_taken_up_again(call: Call, emulator: Emulator) -> None:
    said = call("run", VIDEO.slug, "prompt=x", "--timeout", "5", "--output=json")
    request_id = said.events[-1]["request_id"]
    assert f"muapi-client wait {request_id}" in said.events[-1]["error"]
    assert call("wait", request_id).code == 0
    assert emulator.accepted == 1


class Interrupting(httpx.BaseTransport):
    """Ctrl-C while the given exchange is under way."""

    def __init__(self, emulator: Emulator, exchange: int) -> None:
        self._inner = emulator.transport()
        self._left = exchange
        self.clock = emulator.clock

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._left -= 1
        if self._left == 0:
            raise KeyboardInterrupt
        return self._inner.handle_request(request)


@pytest.mark.parametrize("exchange", [2, 3])
def test_an_interrupted_wait_prints_the_id_and_how_to_go_on(call: Call, emulator: Emulator, exchange: int) -> None:
    said = call(*RUN, "--output=json", transport=Interrupting(emulator, exchange))
    accepted, error = said.events
    assert said.code == 130
    assert error["request_id"] == accepted["request_id"]
    assert error["cost"] == accepted["cost"]
    assert f"muapi-client wait {accepted['request_id']}" in error["error"]
    assert call("wait", accepted["request_id"]).out.startswith("https://")
    assert emulator.accepted == 1


def test_an_interrupted_submit_says_that_it_may_have_been_charged(call: Call, emulator: Emulator) -> None:
    said = call(*RUN, transport=Interrupting(emulator, 1))
    assert said.code == 130
    assert "may have been accepted and charged" in said.err


@pytest.mark.parametrize("command", ["wait", "look"])
def test_an_interrupted_wait_of_an_old_job_prints_its_id(call: Call, emulator: Emulator, command: str) -> None:
    said = call(command, "some-id", transport=Interrupting(emulator, 1))
    assert said.code == 130
    assert "muapi-client wait some-id" in said.err


def test_a_job_survives_a_standard_error_that_fails(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("sys.stderr.write", fail)
    assert call(*RUN).out.startswith("https://")


@pytest.mark.parametrize(("exchange", "words"), [(1, "may have been accepted"), (3, "muapi-client wait ")])
def test_an_interrupt_while_the_client_closes_hides_no_error(
    call: Call, emulator: Emulator, exchange: int, words: str
) -> None:
    class Impatient(Interrupting):
        def close(self) -> None:
            raise KeyboardInterrupt

    said = call(*RUN, transport=Impatient(emulator, exchange))
    assert said.code == 130
    assert words in said.err.replace("should the wait end early: muapi-client wait", "")


@pytest.mark.parametrize("error", [BrokenPipeError(), OSError(28, "No space left on device")], ids=["pipe", "disk"])
def test_a_job_survives_a_standard_output_that_fails(
    call: Call, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    def fail(_: str) -> None:
        raise error

    monkeypatch.setattr("muapi_client.cli._exit.abandon_stdout", lambda: None)
    with monkeypatch.context() as patch:
        patch.setattr("sys.stdout.write", fail)
        plain = call(*RUN, "sync=true")  # answered at once: nothing was told of it before
        whole = call(*RUN, "sync=true", "--output=json")
        stream = call("run", STREAM.slug, "prompt=x")
    assert [plain.code, whole.code, stream.code] == [1, 1, 1]
    assert "charged 0.015 USD" in plain.err
    assert call("look", plain.err.partition("muapi-client look ")[2].split()[0]).code == 0
    assert whole.events[0]["cost"]["charged_usd"] == 0.015
    assert whole.events[0]["outputs"][0]["url"].startswith("https://")
    assert "may be charged" in stream.err


def test_an_interrupt_where_no_job_is_at_stake_says_so_and_no_more(call: Call, emulator: Emulator) -> None:
    said = call(*RUN, "--estimate", transport=Interrupting(emulator, 1))
    assert (said.code, said.err) == (130, "muapi-client: interrupted\n")


def test_what_is_odd_about_an_answer_is_told(call: Call) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        body = {"id": "a", "status": "completed", "outputs": ["https://a.example/1.png"], "cost": {"amount_usd": 2}}
        return httpx.Response(200, json=body, headers={"x-muapi-cost-usd": "1"})

    warning, summary = call("wait", "a", transport=Answering(handler)).err.splitlines()
    assert warning == "warning: the cost headers say 1 USD, the body says 2 USD"
    assert "charged 2 USD" in summary


def test_an_interrupt_before_the_first_byte_says_that_nothing_was_charged(call: Call) -> None:
    transport = raising(KeyboardInterrupt())
    transport.tells_when_sent = True  # type: ignore[attr-defined] - as above
    said = call(*RUN, transport=transport)
    assert said.code == 130
    assert "nothing was charged" in said.err
    assert "may have been" not in said.err


def test_an_interrupt_before_an_accepted_job_was_told_tells_its_id(
    call: Call, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("muapi_client.cli._progress.Watcher.accepted", interrupt)
    for words in (RUN, (*RUN, "--no-wait")):
        said = call(*words, "--output=json", transport=emulator.transport())
        assert said.code == 130
        assert f"muapi-client wait {said.events[-1]['request_id']}" in said.events[-1]["error"]
        assert call("wait", said.events[-1]["request_id"]).code == 0


def test_what_is_noted_on_an_error_is_said_with_it(call: Call) -> None:
    error = errors.MuAPIError("it failed.")
    error.add_note("One file was saved: a.png")
    said = call("look", "x", transport=raising(error))
    assert said.err.endswith("it failed. One file was saved: a.png\n")


def test_an_interrupt_while_a_result_is_printed_says_that_the_job_has_ended(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("muapi_client.cli._progress.show_facts", interrupt)
    said = call(*RUN, "--output=json", transport=ending(Outcome.completed()))
    error = said.events[-1]
    assert said.code == 130
    assert error["error"].startswith(f"interrupted; job {error['request_id']} has ended.")
    assert "may be charged" not in error["error"]
