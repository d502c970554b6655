"""How often the jobs of many maps, runs and waits are looked at together, on a fixed clock."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from faces import make_calls

from muapi_client import MuAPI, Polling

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from faces import Face

    from muapi_client.emulator import Emulator


def note_looks(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, str]]:
    """When which job is looked at, in seconds on the emulator's clock."""
    looks: list[tuple[float, str]] = []
    meet = emulator.meet

    def noted(request: Any) -> Any:
        if "/predictions/" in request.path:
            looks.append((emulator.clock.now(), request.path))
        return meet(request)

    monkeypatch.setattr(emulator, "meet", noted)
    return looks


def test_no_more_looks_a_second_leave_than_allowed_and_all_jobs_get_theirs(
    open_client: Callable[..., Face], emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = note_looks(emulator, monkeypatch)
    polling = Polling(minimum=1, maximum=1, jitter=0)
    face = open_client(looks_per_second=10, polling=polling)
    assert all(outcome.error is None for outcome in face.map(make_calls(300), concurrency=300))
    readings = sorted(at for at, _ in looks)
    assert min(later - earlier for earlier, later in pairwise(readings)) > 0.099
    each = Counter(path for _, path in looks)
    assert len(each) == 300
    # Jobs of 10 s whose looks are 30 s apart once all are out: about one look in time, and one that finds each ended.
    assert sum(each.values()) <= 3 * 300
    assert readings[-1] - readings[0] < 75


def test_looks_come_in_the_order_in_which_they_are_due(
    open_client: Callable[..., Face], emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = note_looks(emulator, monkeypatch)
    face = open_client(looks_per_second=2, polling=Polling(minimum=1, maximum=1, jitter=0))
    assert len({outcome.prediction.id for outcome in face.map(make_calls(40), concurrency=40)}) == 40
    for path in {path for _, path in looks}:
        readings = [at for at, other in looks if other == path]
        assert all(later - earlier <= 40 / 2 + 1.01 for earlier, later in pairwise(readings)), "none is passed over"


def test_two_maps_of_one_client_share_the_turns(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = note_looks(emulator, monkeypatch)
    with MuAPI("sk-live", transport=emulator.transport(), looks_per_second=5) as mu:
        one, other = mu.map(make_calls(10)), mu.with_options(tag="x").map(make_calls(10))
        for _ in range(10):
            assert next(one).error is next(other).error is None
    readings = sorted(at for at, _ in looks)
    assert min(later - earlier for earlier, later in pairwise(readings)) > 0.199
