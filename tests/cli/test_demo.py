"""The demo shows every kind of job, and its sums are right."""

from __future__ import annotations

import io
import json
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from muapi_client import catalog
from muapi_client.cli import _demo, main
from muapi_client.emulator import Emulator
from muapi_client.emulator._spec.price_list import read_price_list

if TYPE_CHECKING:
    from collections.abc import Callable

Call = Any  # the fixture `call`; see conftest


@pytest.fixture
def emulators(monkeypatch: pytest.MonkeyPatch) -> list[Emulator]:
    """The emulators that were made since."""
    made: list[Emulator] = []

    class Noted(Emulator):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            made.append(self)

    monkeypatch.setattr("muapi_client.emulator.Emulator", Noted)
    return made


@pytest.fixture
def demo(emulators: list[Emulator], capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """The demo's JSON, and the emulator it ran on; its key is the emulator's own and no secret."""

    def demo() -> tuple[Any, Emulator]:
        assert main(["demo", "--output", "json"]) == 0
        return json.loads(capsys.readouterr().out), emulators[-1]

    return demo


def exact(amounts: Any) -> Decimal:
    return sum((Decimal(str(amount)) for amount in amounts), Decimal(0))


def price_of(slug: str) -> str:
    """What a job of one picture costs with a model that the demo chose, in words: which one depends on the document."""
    model = catalog.get(slug)
    assert model.group == "text_to_image"
    return f"{Decimal(str(read_price_list()[model.name]['cost'])).normalize():f}"


def test_the_sum_of_the_rows_is_what_the_emulator_charged(demo: Callable[..., Any]) -> None:
    told, emulator = demo()
    assert exact(job["cost"]["charged_usd"] for job in told["jobs"]) == emulator.charged_usd > 0
    assert exact([told["total_spend_usd"]]) == emulator.charged_usd
    assert told["emulator"] == {
        "accepted": emulator.accepted,
        "charged_usd": float(emulator.charged_usd),
        "balance_usd": float(Decimal(100) - emulator.charged_usd),
    }


def test_every_kind_is_run_by_both_twins(demo: Callable[..., Any]) -> None:
    told, _ = demo()
    for client in ("sync", "async"):
        done = [job for job in told["jobs"] if job["client"] == client and job["status"] == "completed"]
        kinds = {catalog.get(job["model"]).kind for job in done}
        assert kinds == {"image", "image_edit", "video", "audio", "3d", "text"}
        assert all(job["outputs"] and job["seconds"] > 0 for job in done)


def test_one_fails_and_is_charged_one_is_refunded_one_is_a_test(demo: Callable[..., Any]) -> None:
    told, emulator = demo()
    charged, refunded = [job for job in told["jobs"] if job["status"] == "failed"]
    assert (charged["cost"]["refunded"], charged["cost"]["charged_usd"]) == (False, float(price_of(charged["model"])))
    assert (refunded["cost"]["refunded"], refunded["cost"]["charged_usd"]) == (True, 0)
    (test,) = [job for job in told["jobs"] if job["client"] == "test key"]
    assert (test["sandbox"], test["cost"]["charged_usd"]) == (True, 0)
    assert emulator.accepted == len(told["jobs"]) - 1


def test_the_table_ends_with_the_total(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo"]) == 0
    out, err = capsys.readouterr()
    head, *rows = out.split("\n\n", maxsplit=1)[0].splitlines()
    assert head.split() == ["client", "model", "status", "seconds", "charged", "balance", "outputs"]
    assert len(rows) == 15
    assert "total spend" in out.splitlines()[-1]
    assert err == ""


def test_sums_that_differ_are_an_error(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    scenes = _demo._scenes
    monkeypatch.setattr(_demo, "_scenes", lambda emulator: (scenes(emulator)[0], Decimal(1)))
    said = call("demo")
    assert said.code == 1
    assert "the clients counted 1 USD, the emulator charged" in said.err


def test_without_the_extra_the_message_says_how_to_get_it(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("muapi_client.emulator._emulator.find_spec", lambda _: None)
    said = call("demo")
    assert said.code == 1
    assert "muapi-client[emulator]" in said.err


class Terminal(io.StringIO):
    """Somebody at a terminal, who types this."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("answer", ["y\n", "Yes\n"])
def test_live_asks_and_runs_one_cheap_job(
    call: Call, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    said = call("demo", "--live")
    assert said.code == 0
    assert said.out.startswith("https://")
    estimated, *_, total = said.err.splitlines()
    price = price_of(estimated.partition(" ")[0])
    assert f" is estimated at {price} USD" in estimated
    assert (total, emulator.charged_usd) == (f"total spend {price} USD", Decimal(price))
    assert emulator.accepted == 1


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_live_sends_nothing_unless_somebody_agrees(
    call: Call, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    said = call("demo", "--live")
    assert said.code == 1
    assert f" is estimated at {price_of(said.err.partition(' ')[0])} USD" in said.err
    assert "nothing was sent" in said.err
    assert emulator.accepted == 0


def test_live_does_not_read_an_agreement_from_a_file(
    call: Call, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert call("demo", "--live").code == 1
    assert emulator.accepted == 0
    said = call("demo", "--live", "--yes", "--output=json")
    assert said.code == 0
    assert [event["event"] for event in said.events] == ["estimated", "accepted", "spent"]
    assert emulator.accepted == 1
