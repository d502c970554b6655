"""What happens where nothing is scripted: times, failures, queues."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from by_kind import CLIP, IMAGE
from hypothesis import given, settings
from hypothesis import strategies as st

from muapi_client._runtime.clock import SystemClock
from muapi_client.emulator import Emulator, Outcome, Request

if TYPE_CHECKING:
    from collections.abc import Callable

FOX = json.dumps({"prompt": "a red fox in snow"}).encode()
HEADERS = {"x-api-key": "sk-live", "content-type": "application/json"}


def post(emulator: Emulator, slug: str = IMAGE.slug) -> str:
    request = Request("POST", f"/api/v1/{slug}", headers=HEADERS, body=FOX, now=emulator.clock.now())
    return json.loads(emulator.handle(request).body)["request_id"]


def look(emulator: Emulator, request_id: str) -> Any:
    path = f"/api/v1/predictions/{request_id}/result"
    answer = json.loads(emulator.handle(Request("GET", path, headers=HEADERS, now=emulator.clock.now())).body)
    return answer.get("detail", answer)


def ends(emulator: Emulator, ids: list[str]) -> list[str]:
    return [look(emulator, request_id)["status"] for request_id in ids]


def test_rates_are_met_and_refunds_are_given() -> None:
    emulator = Emulator(balance=1000, job_seconds=1, failure_rate=0.3, moderation_rate=0.1, refund_rate=0.5)
    ids = [post(emulator) for _ in range(2000)]
    emulator.clock.sleep(1)
    seen = ends(emulator, ids)
    assert 540 < seen.count("failed") < 660
    assert 160 < seen.count("moderated") < 240
    lost = len(ids) - seen.count("completed")
    refunded = (Decimal("0.015") * len(ids) - emulator.charged_usd) / Decimal("0.015")
    assert 0.4 * lost < refunded < 0.6 * lost


def test_the_same_seed_has_the_same_luck_and_another_another() -> None:
    def story(seed: int) -> list[Any]:
        emulator = Emulator(seed=seed, failure_rate=0.5)
        ids = [post(emulator) for _ in range(20)]
        emulator.clock.sleep(60)
        return ends(emulator, ids)

    assert story(1) == story(1)
    assert story(1) != story(2)


def test_a_scripted_outcome_knows_no_luck() -> None:
    emulator = Emulator(job_seconds=0, failure_rate=1, outcomes=[Outcome.completed(["https://x.example/1"])])
    assert ends(emulator, [post(emulator), post(emulator)]) == ["completed", "failed"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"failure_rate": 1.1}, "failure_rate"),
        ({"moderation_rate": -0.1}, "moderation_rate"),
        ({"failure_rate": 0.6, "moderation_rate": 0.6}, "together they are at most 1"),
        ({"serial": "films"}, "serial names films; the kinds are image, video"),
        ({"result_seconds": 0}, "result_seconds"),
        ({"live_keys": ("sk-test",)}, "among the live keys and among the test keys"),
        ({"test_keys": ("",)}, "a key is empty"),
        ({"live_keys": ("not one",)}, "no header can carry"),
    ],
)
def test_what_cannot_be_is_refused_by_name(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Emulator(**options)


def test_a_text_is_one_key() -> None:
    emulator = Emulator(live_keys="sk-one", test_keys=())
    assert (emulator.live_keys, emulator.test_keys) == (("sk-one",), ())


@pytest.mark.parametrize("serial", [True, "image", ("image", "video")])
def test_serial_jobs_run_one_after_another(serial: Any) -> None:
    emulator = Emulator(job_seconds=10, serial=serial)
    ids = [post(emulator) for _ in range(3)]
    emulator.clock.sleep(9.5)
    assert ends(emulator, ids) == ["processing", "queued", "queued"]
    emulator.clock.sleep(10)
    assert ends(emulator, ids) == ["completed", "processing", "queued"]
    emulator.clock.sleep(10.5)
    assert ends(emulator, ids) == ["completed"] * 3
    later = post(emulator)
    emulator.clock.sleep(10)
    assert ends(emulator, [later]) == ["completed"]


def test_kinds_of_a_generator_are_serial_after_a_reset_too() -> None:
    emulator = Emulator(job_seconds=10, serial=(kind for kind in ("image", "video")))
    emulator.reset()
    ids = [post(emulator) for _ in range(2)]
    emulator.clock.sleep(9.5)
    assert ends(emulator, ids) == ["processing", "queued"]


def test_other_kinds_do_not_stand_in_the_queue() -> None:
    emulator = Emulator(job_seconds=10, serial="video")
    ids = [post(emulator, slug) for slug in (CLIP.slug, CLIP.slug, IMAGE.slug)]
    emulator.clock.sleep(10)
    assert ends(emulator, ids) == ["completed", "queued", "completed"]


def test_a_queue_behind_a_job_that_never_ends() -> None:
    emulator = Emulator(serial=True, outcomes=[Outcome.completed(seconds=float("inf"))] * 2)
    ids = [post(emulator) for _ in range(3)]
    emulator.clock.sleep(1e6)
    assert ends(emulator, ids[1:]) == ["queued", "queued"]


def test_real_time_runs_the_same_jobs() -> None:
    emulator = Emulator(clock=SystemClock(), outcomes=[Outcome.completed(seconds=0), Outcome.completed(seconds=3600)])
    assert ends(emulator, [post(emulator), post(emulator)]) == ["completed", "queued"]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 30), st.floats(0, 20)), min_size=1, max_size=8),
    st.booleans(),
)
def test_a_job_ends_exactly_when_it_should(plan: list[tuple[float, float]], serial: bool) -> None:
    """Each step is a pause and a job of some seconds; the end is what a queue of one works out to."""
    emulator = Emulator(serial=serial)
    clock, free_at, expected = emulator.clock, 0.0, []
    for pause, seconds in plan:
        clock.sleep(pause)
        emulator.next(Outcome.completed(seconds=seconds))
        begins = max(clock.now(), free_at) if serial else clock.now()
        free_at = begins + seconds
        expected.append((post(emulator), clock.now() + (begins - clock.now()) + seconds))
    for request_id, end in sorted(expected, key=lambda pair: pair[1]):
        before = clock.now()
        if end > before:
            assert look(emulator, request_id)["status"] != "completed"
            clock.sleep(end - before)
            if clock.now() < end:  # a sum of floats may fall a hair short
                clock.sleep(1e-6)
        assert look(emulator, request_id)["status"] == "completed"


def test_an_inline_job_passes_the_queue_by(connect: Callable[..., Any]) -> None:
    emulator = Emulator(serial=True, job_seconds=100)
    post(emulator)
    emulator.next(Outcome.completed(inline=True))
    answer = connect(emulator)("POST", IMAGE.slug, json={"prompt": "now"}).json()
    assert answer["status"] == "completed"
