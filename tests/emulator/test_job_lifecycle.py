"""A job's life: from accepted to its end, on the virtual clock."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from by_kind import CHAT, IMAGE, row, rows

from muapi_client._runtime.clock import VirtualClock
from muapi_client.emulator import Emulator, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

FOX = {"prompt": "a red fox in snow"}


def submit(send: Callable[..., Any], slug: str = IMAGE.slug, body: Any = None) -> str:
    answer = send("POST", slug, json=FOX if body is None else body)
    assert answer.status_code == 200, answer.text
    return answer.json()["request_id"]


def look(send: Callable[..., Any], request_id: str) -> httpx.Response:
    return send("GET", f"predictions/{request_id}/result")


def test_a_job_is_queued_then_processing_then_completed(connect: Callable[..., Any]) -> None:
    emulator = Emulator(job_seconds=4)
    send = connect(emulator)
    submitted = send("POST", IMAGE.slug, json=FOX).json()
    assert submitted == {
        "request_id": submitted["request_id"],
        "status": "queued",
        "cost": {"amount_usd": 0.015, "amount_credits": 2, "bonus_credits_used": 0, "refunded": False},
    }
    seen = []
    for _ in range(5):
        seen.append(look(send, submitted["request_id"]).json()["status"])
        emulator.clock.sleep(1)
    assert seen == ["queued", "processing", "processing", "processing", "completed"]
    done = look(send, submitted["request_id"]).json()
    assert done["outputs"] == [f"https://cdn.muapi.ai/outputs/{submitted['request_id']}.png"]
    assert done["cost"] == submitted["cost"]
    assert done["id"] == submitted["request_id"]


def test_outputs_stay_empty_until_the_end(connect: Callable[..., Any]) -> None:
    emulator = Emulator(job_seconds=10)
    send = connect(emulator)
    request_id = submit(send)
    emulator.clock.sleep(9.999)
    assert look(send, request_id).json()["outputs"] == []


@pytest.mark.parametrize(
    ("slug", "body", "bounds", "output"),
    rows(
        ("flux-dev-image", FOX, (20, 60), ".png"),
        ("flux-schnell-image", FOX, (2, 5), ".png"),
        ("veo3-text-to-video", FOX, (60, 600), ".mp4"),
        ("veo3-fast-text-to-video", FOX, (60, 180), ".mp4"),
        ("mmaudio-v2/text-to-audio", FOX, (10, 60), ".mp3"),
        ("tripo3d-h31-text-to-3d", FOX, (60, 300), ".glb"),
        (CHAT.slug, FOX, (1, 10), "a red fox in snow"),
        ("seo-domain-overview", {"domain": "example.com"}, (1, 5), None),
    ),
)
def test_each_kind_has_its_time_and_its_outputs(
    slug: str, body: Any, bounds: tuple[float, float], output: str | None, connect: Callable[..., Any]
) -> None:
    emulator = Emulator()
    send = connect(emulator)
    request_id = submit(send, slug, body)
    least, most = bounds
    emulator.clock.sleep(least - 0.001)
    assert look(send, request_id).json()["status"] in {"queued", "processing"}
    emulator.clock.sleep(most - least + 0.002)
    done = look(send, request_id).json()
    assert done["status"] == "completed"
    (one,) = done["outputs"]
    assert isinstance(one, dict) if output is None else one.endswith(output)


@pytest.mark.parametrize(
    "job_seconds", [7, 7.0, {"image": 7}, lambda kind: {"image": 7.0}[kind]], ids=["int", "float", "map", "call"]
)
def test_job_seconds_in_each_form(job_seconds: Any, connect: Callable[..., Any]) -> None:
    emulator = Emulator(job_seconds=job_seconds)
    send = connect(emulator)
    request_id = submit(send)
    emulator.clock.sleep(6.9)
    assert look(send, request_id).json()["status"] == "processing"
    emulator.clock.sleep(0.1)
    assert look(send, request_id).json()["status"] == "completed"


def test_job_seconds_of_an_unknown_kind_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"names picture; the kinds are image, video, audio, 3d, text"):
        Emulator(job_seconds={"picture": 3})


def test_outcomes_are_used_in_order_of_acceptance(connect: Callable[..., Any]) -> None:
    emulator = Emulator(outcomes=[Outcome.completed(["https://x.example/1.png"]), Outcome.failed("no memory")])
    send = connect(emulator)
    first, second, third = (submit(send) for _ in range(3))
    emulator.clock.sleep(60)
    assert look(send, first).json()["outputs"] == ["https://x.example/1.png"]
    failed = look(send, second)
    assert failed.status_code == 400
    assert failed.json() == {"detail": {"id": second, "status": "failed", "error": "no memory"}}
    assert look(send, third).json()["status"] == "completed"


def test_next_comes_before_the_script_and_refusals_use_nothing_up(connect: Callable[..., Any]) -> None:
    emulator = Emulator(outcomes=itertools.repeat(Outcome.cancelled(seconds=1)))
    send = connect(emulator)
    emulator.next(Outcome.failed("first", seconds=1), Outcome.completed(seconds=1))
    assert send("POST", IMAGE.slug, json={"prompt": 3}).status_code == 422
    assert send("POST", f"{IMAGE.slug}o", json=FOX).status_code == 404
    ids = [submit(send) for _ in range(4)]
    emulator.clock.sleep(1)
    answers = [look(send, request_id).json() for request_id in ids]
    assert answers[0]["detail"]["error"] == "first"
    assert [answer["status"] for answer in answers[1:]] == ["completed", "cancelled", "cancelled"]


def test_a_fate_by_slug_and_body(connect: Callable[..., Any]) -> None:
    def fate(slug: str, body: Any) -> Outcome | None:
        return Outcome.failed("cursed") if slug == IMAGE.slug and "curse" in body["prompt"] else None

    emulator = Emulator(outcomes=fate, job_seconds=10)
    send = connect(emulator)
    cursed, plain = submit(send, body={"prompt": "a curse"}), submit(send)
    emulator.clock.sleep(10)
    assert look(send, cursed).status_code == 400
    assert look(send, plain).status_code == 200


def test_a_job_that_never_ends(connect: Callable[..., Any]) -> None:
    emulator = Emulator(outcomes=[Outcome.failed(seconds=math.inf)])
    send = connect(emulator)
    request_id = submit(send)
    emulator.clock.sleep(1e9)
    answer = look(send, request_id).json()
    assert answer["status"] in {"queued", "processing"}
    assert emulator.charged_usd > 0


def test_several_pieces_give_several_outputs(connect: Callable[..., Any]) -> None:
    emulator = Emulator(job_seconds=0)
    send = connect(emulator)
    request_id = submit(send, body={**FOX, "num_images": 3})
    outputs = look(send, request_id).json()["outputs"]
    assert len(set(outputs)) == 3


def test_the_same_seed_gives_the_same_answers() -> None:
    def story(seed: int) -> list[bytes]:
        emulator = Emulator(seed=seed, clock=VirtualClock(epoch=0.0))
        transport = emulator.transport()
        with httpx.Client(
            transport=transport, base_url="https://api.muapi.ai/api/v1/", headers={"x-api-key": "sk-live"}
        ) as client:
            return [
                client.post(IMAGE.slug, json=FOX).content,
                client.post("keys", json={"name": "x"}).content,
                client.get("keys").content,
                client.get("history").content,
            ]

    assert story(1) == story(1)
    assert story(1) != story(2)


def test_a_test_key_gets_a_free_sample_at_once_and_changes_nothing(connect: Callable[..., Any]) -> None:
    emulator = Emulator(outcomes=[Outcome.failed("for live jobs")], job_seconds=10)
    send, live = connect(emulator, "sk-test"), connect(emulator)
    one, two = (send("POST", IMAGE.slug, json={"prompt": prompt}) for prompt in ("a fox", "a bear"))
    assert one.json()["status"] == "completed"
    assert one.json()["outputs"] == two.json()["outputs"]
    assert one.json()["outputs"][0].startswith("https://d3adwkbyhxyrtq.cloudfront.net/webassets/")
    assert one.json()["cost"] == {
        "amount_usd": 0.0,
        "amount_credits": 0,
        "bonus_credits_used": 0,
        "refunded": False,
    }
    assert one.headers["x-muapi-cost-usd"] == "0.000000"
    again = look(send, one.json()["request_id"])
    assert again.json()["outputs"] == one.json()["outputs"]
    assert live("GET", "history").json() == {"items": [], "next_cursor": None}
    assert (emulator.accepted, emulator.charged_usd, emulator.balance) == (0, 0, 100)
    request_id = submit(live)
    emulator.clock.sleep(10)
    assert look(live, request_id).status_code == 400


def test_an_empty_account_still_serves_its_test_keys(connect: Callable[..., Any]) -> None:
    emulator = Emulator(balance=0)
    assert connect(emulator, "sk-test")("POST", IMAGE.slug, json=FOX).status_code == 200


@pytest.mark.parametrize(
    "slug",
    [CHAT.slug, row("seo-account-status", body={}), row("mmaudio-v2/text-to-audio", body={"prompt": "a"})],
)
def test_samples_of_other_kinds_do_not_depend_on_the_request(slug: str, connect: Callable[..., Any]) -> None:
    send = connect(Emulator(), "sk-test")
    one, two = (send("POST", slug, json={"prompt": prompt}).json()["outputs"] for prompt in ("a", "b"))
    assert one == two


def test_deleting_media_empties_a_result_and_deleting_the_record_forgets_it(connect: Callable[..., Any]) -> None:
    emulator = Emulator(job_seconds=0)
    send = connect(emulator)
    request_id = submit(send)
    assert send("DELETE", f"predictions/{request_id}/media").status_code == 200
    assert look(send, request_id).json()["outputs"] == []
    assert len(send("GET", "history").json()["items"]) == 1
    send("DELETE", f"predictions/{request_id}/media", params={"delete_record": "true"})
    assert look(send, request_id).status_code == 404
    assert send("GET", "history").json()["items"] == []
    assert emulator.accepted == 1


def test_history_is_newest_first_and_a_cursor_keeps_its_place(connect: Callable[..., Any]) -> None:
    emulator = Emulator()
    send = connect(emulator)
    ids = [submit(send) for _ in range(7)]
    page = send("GET", "history", params={"limit": 3}).json()
    seen = [item["id"] for item in page["items"]]
    submit(send)
    while page["next_cursor"] is not None:
        page = send("GET", "history", params={"limit": 3, "cursor": page["next_cursor"]}).json()
        seen += [item["id"] for item in page["items"]]
    assert seen == ids[::-1]


def test_a_history_item_tells_what_a_look_tells(connect: Callable[..., Any]) -> None:
    emulator = Emulator(job_seconds=10)
    send = connect(emulator)
    request_id = submit(send)
    emulator.clock.sleep(10)
    (item,) = send("GET", "history").json()["items"]
    told = look(send, request_id).json()
    assert told.items() <= item.items()
    assert (item["model"], item["endpoint"]) == (IMAGE.name, IMAGE.slug)
    log = send("GET", f"get-usage-log-id/{request_id}").json()
    assert log == {"usage_log_id": item["usage_log_id"], "request_id": request_id, "status": "completed"}


def test_two_emulators_share_nothing(connect: Callable[..., Any]) -> None:
    first, second = Emulator(), Emulator()
    request_id = submit(connect(first))
    assert look(connect(second), request_id).status_code == 404
    assert (first.accepted, second.accepted) == (1, 0)
