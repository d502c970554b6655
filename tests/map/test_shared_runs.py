"""One client begins a call of a run twice at one moment, in two maps or one: it is one call, as for two processes."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import make_image
from faces import make_calls

from muapi_client import errors
from muapi_client._state.journal.base import BaseJournal
from muapi_client.emulator import Emulator, Shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from faces import Face
    from places import Place

RUN = "portraits"


@pytest.fixture
def client(open_client: Callable[..., Face], place: Place) -> Callable[..., Face]:
    """``client()``: a new client on the journal."""
    return lambda **options: open_client(journal=place.location, **options)


def have_both_ask_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the first two who ask for a call of a run find nothing, as they do where both ask before either writes."""
    find_item, asked = BaseJournal.find_item, count()

    def find_late(*given: Any, **named: Any) -> Any:
        return None if next(asked) < 2 else find_item(*given, **named)

    monkeypatch.setattr(BaseJournal, "find_item", find_late)


def test_two_calls_of_one_map_under_one_key_are_one_call(
    client: Callable[..., Face], emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_both_ask_first(monkeypatch)
    outcomes = list(client().map([make_image(prompt="a fox")] * 2, run=RUN, key=lambda _place, _call: "fox"))
    assert [outcome.error for outcome in outcomes] == [None, None]
    assert len({outcome.job.id for outcome in outcomes}) == emulator.accepted == 1


def test_two_calls_of_one_map_under_one_key_that_differ_are_refused_by_name(
    client: Callable[..., Face], emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_both_ask_first(monkeypatch)
    outcomes = list(client().map(make_calls(2), run=RUN, key=lambda _place, _call: "fox"))
    (error,) = (outcome.error for outcome in outcomes if outcome.error is not None)
    assert "this call another key. Nothing was sent." in str(error)
    assert emulator.accepted == 1


def test_two_maps_of_one_client_on_one_run_share_its_calls(
    client: Callable[..., Face], emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_both_ask_first(monkeypatch)
    face = client()
    maps = [face.map(make_calls(1), run=RUN) for _ in range(2)]
    outcomes = [outcome for pair in zip(*maps, strict=True) for outcome in pair]
    assert [outcome.error for outcome in outcomes] == [None, None]
    assert len({outcome.job.id for outcome in outcomes}) == emulator.accepted == 1


def test_a_call_that_is_answered_whole_and_not_written_down_is_not_submitted_again(
    client: Callable[..., Face], monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = Emulator(shape=Shape(inline_id=False))

    def refuse(*_: Any, **__: Any) -> None:
        raise errors.JournalError("journal jobs.db: the disk is full")

    monkeypatch.setattr(BaseJournal, "finish", refuse)
    (outcome,) = client(emulator=emulator, key="sk-test").map(make_calls(1), run=RUN)
    assert str(outcome.error).endswith("the disk is full; it was accepted, and has ended")
    assert [exchange.request.method for exchange in emulator.requests] == ["POST"]
