"""``run SLUG/stream``: the words on standard output, the money on standard error."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from by_kind import STREAM, STREAMED

from muapi_client.emulator import Emulator, Fault, Faults, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

WORDS = ("run", STREAM.slug, "prompt=hi")
PRICE = Decimal("0.01")


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(outcomes=[Outcome.completed(price=PRICE)])


def test_the_text_comes_plainly(call: Callable[..., Any], emulator: Emulator) -> None:
    said = call(*WORDS)
    assert (said.code, said.out) == (0, f"{STREAMED.slug} answers: hi\n")
    assert "completed; charged 0.01 USD; balance 99.99 USD" in said.err
    assert emulator.accepted == 1


def test_a_text_that_ends_its_line_gets_no_other(call: Callable[..., Any], emulator: Emulator) -> None:
    emulator.next(Outcome.completed(["two\nlines\n"]))
    assert call(*WORDS).out == "two\nlines\n"


def test_json_is_one_line_an_event(call: Callable[..., Any]) -> None:
    said = call(*WORDS, "--output", "json")
    events = [json.loads(line) for line in said.out.splitlines()]
    assert "".join(event["text"] for event in events[:-1]) == f"{STREAMED.slug} answers: hi"
    assert (events[-1]["event"], events[-1]["status"]) == ("done", "completed")
    assert events[-1]["cost"]["charged_usd"] == 0.01
    assert events[-1]["outputs"][0]["text"] == f"{STREAMED.slug} answers: hi"
    assert said.err == ""


def test_what_had_arrived_is_printed_before_the_error(call: Callable[..., Any]) -> None:
    faults = Faults(sequence=[Fault.CUT_BODY])
    cut = Emulator(live_keys=("sk-live",), faults=faults, outcomes=[Outcome.completed(["one two three"] * 9)])
    said = call(*WORDS, transport=cut.transport())
    assert said.code == 9
    assert said.out.startswith("one two")
    assert said.out.endswith("\n")
    assert "broke off" in said.err


def test_it_takes_the_options_of_run(call: Callable[..., Any], emulator: Emulator) -> None:
    assert call(*WORDS, "--timeout", "5", "--max-spend", "1").code == 0
    assert json.loads(call(*WORDS, "--estimate", "--output", "json").out)["model"] == STREAMED.slug
    assert json.loads(call(*WORDS, "--dry-run").out)["url"].endswith(f"/{STREAM.slug}")
    assert call("run", STREAM.slug, "promt=hi").code == 8
    assert call("run", "--raw", STREAM.slug, "prompt=hi").out == f"{STREAMED.slug} answers: hi\n"
    assert emulator.accepted == 2


def test_an_interrupt_is_one_sentence(call: Callable[..., Any]) -> None:
    class Body(httpx.SyncByteStream):
        def __iter__(self) -> Any:
            yield b'data: {"text": "Hel"}\n\n'
            raise KeyboardInterrupt

    transport = httpx.MockTransport(
        lambda _: httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Body())
    )
    said = call(*WORDS, transport=transport)
    assert (said.code, said.out) == (130, "Hel\n")
    assert "may be charged" in said.err


def test_an_interrupt_before_a_stream_was_asked_for_says_that_nothing_was_charged(call: Callable[..., Any]) -> None:
    class Interrupted(httpx.BaseTransport):
        tells_when_sent = True  # and tells nothing: nothing was sent

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            raise KeyboardInterrupt(request.url)

    said = call(*WORDS, transport=Interrupted())
    assert said.code == 130
    assert said.err.splitlines()[1:] == ["muapi-client: interrupted: nothing was charged"]
