"""The smaller things of an account: top-ups, social accounts, voices, prompts; and what everybody may read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from by_kind import IMAGE, needs, needs_bodies

from muapi_client.emulator import Emulator, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

FOX = {"prompt": "a red fox in snow"}
CLIP = {"url": "https://example.com/film.mp4"}
PERSON = {"external_user_id": "u1", "redirect_to": "https://example.com/done"}
PLATFORMS = ("facebook", "instagram", "tiktok", "youtube")
PROMPTS = {
    "generate_video_prompt": CLIP,
    "generate_wan_video_prompt": {"image_url": "https://example.com/a.png", "name": "melt"},
}
CLONE = "suno-voice-clone"  # what it makes is confirmed at routes of its own
PROOF = {"audio_url": "https://example.com/proof.mp3"}
SONG = {"audio_url": "https://example.com/song.mp3", "voice_name": "Fox"}


# ---- Top-ups ---------------------------------------------------------------------------------------------------------


def test_opening_a_checkout_pays_it_once(connect: Callable[..., Any]) -> None:
    emulator = Emulator(balance=1)
    link = connect(emulator)("POST", "account/topup", json={"amount": 20}).json()["checkout_url"]
    person = connect(emulator, None)
    assert [person("GET", link).status_code for _ in range(2)] == [200, 200]
    assert emulator.balance == 21
    assert person("GET", link.replace("/c/pay/", "/c/pay/x")).status_code == 404
    assert person("POST", link).status_code == 405


def test_a_test_keys_checkout_cannot_be_paid(connect: Callable[..., Any]) -> None:
    emulator = Emulator(balance=1)
    link = connect(emulator, "sk-test")("POST", "account/topup", json={"amount": 20}).json()["checkout_url"]
    assert connect(emulator, None)("GET", link).status_code == 404
    assert emulator.balance == 1


def test_auto_top_up_pays_before_the_balance_falls_below_its_threshold(connect: Callable[..., Any]) -> None:
    emulator = Emulator(balance=5, outcomes=[Outcome.completed(price=1)] * 3)
    send = connect(emulator)
    assert send("GET", "account/auto-topup").json() == {
        "payment_method": False,
        "enabled": False,
        "threshold": 5,
        "amount": 20,
    }
    changed = send("PUT", "account/auto-topup", json={"enabled": True, "threshold": 4, "note": "kept"}).json()
    assert (changed["enabled"], changed["threshold"], changed["note"]) == (True, 4, "kept")
    setup = send("POST", "account/auto-topup/setup").json()
    verify = {"params": {"session_id": setup["session_id"]}}
    assert send("GET", "account/auto-topup/verify", **verify).json()["verified"] is False
    send("POST", IMAGE.slug, json=FOX)
    send("POST", IMAGE.slug, json=FOX)
    assert emulator.balance == 3  # nobody has named a means of payment yet
    assert connect(emulator, None)("GET", setup["setup_url"]).status_code == 200
    assert send("GET", "account/auto-topup/verify", **verify).json()["verified"] is True
    assert send("GET", "account/auto-topup").json()["payment_method"] is True
    send("POST", IMAGE.slug, json=FOX)
    assert emulator.balance == 3 + 20 - 1


@pytest.mark.parametrize("body", [[], "on", None])
def test_auto_top_up_takes_an_object(connect: Callable[..., Any], body: Any) -> None:
    assert connect(Emulator())("PUT", "account/auto-topup", json=body).status_code == 422


def test_an_unknown_setup_is_not_verified(connect: Callable[..., Any]) -> None:
    answer = connect(Emulator())("GET", "account/auto-topup/verify", params={"session_id": "x"})
    assert answer.status_code == 404


# ---- Social accounts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("platform", PLATFORMS)
@needs_bodies({f"social/{platform}/connect-url": PERSON for platform in PLATFORMS})
def test_an_account_is_connected_when_the_person_agrees(connect: Callable[..., Any], platform: str) -> None:
    emulator = Emulator()
    send, person = connect(emulator), connect(emulator, None)
    url = send("POST", f"social/{platform}/connect-url", json=PERSON).json()["url"]
    theirs, others = ({"external_user_id": person_id} for person_id in ("u1", "u2"))
    assert send("GET", "social/ext/accounts", params=theirs).json() == {"accounts": []}
    agreed = person("GET", url)
    assert (agreed.status_code, agreed.headers["location"]) == (302, "https://example.com/done")
    (account,) = send("GET", "social/ext/accounts", params=theirs).json()["accounts"]
    assert (account["platform"], account["status"]) == (platform, "connected")
    assert send("GET", "social/ext/accounts", params=others).json() == {"accounts": []}
    path = f"social/ext/accounts/{account['id']}"
    assert send("PATCH", path, json={"label": "Fox", "platform": "other"}).json() == {**account, "label": "Fox"}
    assert send("PATCH", path).json() == {**account, "label": "Fox"}  # the document does not ask for a body
    assert send("POST", f"{path}/disconnect").json()["status"] == "disconnected"
    assert send("DELETE", path).json() == {"id": account["id"], "deleted": True}
    assert send("DELETE", path).status_code == 404
    assert person("GET", f"{url}x").status_code == 404


# ---- Voices ----------------------------------------------------------------------------------------------------------


@needs(CLONE, SONG)
@needs_bodies({f"{CLONE}/{{request_id}}/confirm": PROOF})
def test_a_voice_is_cloned_confirmed_refreshed_and_deleted(connect: Callable[..., Any]) -> None:
    emulator = Emulator(job_seconds=10)
    send = connect(emulator)
    request_id = send("POST", CLONE, json=SONG).json()["request_id"]
    confirm = f"{CLONE}/{request_id}/confirm"
    assert send("POST", confirm, json=PROOF).status_code == 400
    emulator.clock.sleep(10)
    (voice,) = send("GET", "suno-voices").json()["voices"]
    assert (voice["name"], voice["status"]) == ("Fox", "awaiting_confirmation")
    assert send("POST", confirm, json=PROOF).json()["status"] == "ready"
    path = f"suno-voices/{voice['id']}"
    assert send("POST", f"{path}/check").json()["available"] is True
    assert send("POST", f"{path}/refresh").json()["refreshed_at"] is not None
    assert send("DELETE", path).status_code == 200
    assert send("GET", "suno-voices").json() == {"voices": []}
    assert send("POST", f"{path}/check").status_code == 404


@needs(CLONE, SONG)
def test_a_voice_whose_cloning_failed(connect: Callable[..., Any]) -> None:
    emulator = Emulator(job_seconds=0, outcomes=[Outcome.failed("noise")])
    send = connect(emulator)
    send("POST", CLONE, json=SONG)
    assert [voice["status"] for voice in send("GET", "suno-voices").json()["voices"]] == ["failed"]


def test_another_job_is_no_voice(connect: Callable[..., Any]) -> None:
    send = connect(Emulator(job_seconds=0))
    request_id = send("POST", IMAGE.slug, json=FOX).json()["request_id"]
    assert send("POST", f"suno-voices/{request_id}/check").status_code == 404


# ---- Prompts and bulletins -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("slug", "body"), PROMPTS.items())
@needs_bodies(PROMPTS)
def test_a_prompt_without_a_key_is_free_and_at_once(connect: Callable[..., Any], slug: str, body: Any) -> None:
    emulator = Emulator()
    answer = connect(emulator, None)("POST", slug, json=body).json()
    assert (answer["status"], answer["cost"]["amount_usd"]) == ("completed", 0)
    assert answer["outputs"] == [answer["prompt"]]
    assert emulator.accepted == 0


@needs_bodies({"generate_video_scene_prompts": {**CLIP, "sync": True}})
def test_scene_prompts_are_a_job_and_cost_something(connect: Callable[..., Any]) -> None:
    emulator = Emulator()
    send = connect(emulator)
    answer = send("POST", "generate_video_scene_prompts", json=CLIP).json()
    emulator.clock.sleep(100)
    assert send("GET", f"predictions/{answer['request_id']}/result").json()["outputs"]
    assert (emulator.accepted, float(emulator.charged_usd)) == (1, answer["cost"]["amount_usd"])
    assert send("POST", "generate_video_scene_prompts", json={**CLIP, "sync": True}).json()["status"] == "completed"


def test_everybody_may_read_bulletins(connect: Callable[..., Any]) -> None:
    send = connect(Emulator(), None)
    skills = send("GET", "agent-skills").json()["skills"]
    one = send("GET", f"agent-skills/{skills[0]['name']}").json()
    assert skills[0].items() < one.items()
    assert send("GET", "agent-skills/none").status_code == 404
    changes = send("GET", "changelog").json()["changelog"]
    assert changes == sorted(changes, key=lambda change: change["date"], reverse=True)
    assert send("GET", "changelog", params={"limit": 1}).json()["changelog"] == changes[:1]
    assert send("GET", "get-template-workflows").json()["workflows"]


# ---- Test keys -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "keys", {"name": "x"}),
        ("DELETE", "keys/1", None),
        ("PUT", "account/auto-topup", {"enabled": True}),
        ("POST", "account/auto-topup/setup", None),
        ("POST", "social/tiktok/connect-url", {"external_user_id": "u1"}),
    ],
)
def test_a_test_key_cannot_change_the_account(method: str, path: str, body: Any, connect: Callable[..., Any]) -> None:
    emulator = Emulator()
    before = emulator.save()
    refused = connect(emulator, "sk-test")(method, path, json=body)
    assert (refused.status_code, "live key" in refused.json()["detail"]) == (403, True)
    assert len(connect(emulator)("GET", "keys").json()) == 2
    assert emulator.save().partition('"keys"')[0] == before.partition('"keys"')[0]


def test_a_test_key_cannot_delete_what_a_live_one_paid_for(connect: Callable[..., Any]) -> None:
    emulator = Emulator(job_seconds=0)
    live, test = connect(emulator), connect(emulator, "sk-test")
    request_id = live("POST", IMAGE.slug, json=FOX).json()["request_id"]
    assert test("DELETE", f"predictions/{request_id}/media").status_code == 403
    assert live("GET", f"predictions/{request_id}/result").json()["outputs"]
    own = test("POST", IMAGE.slug, json=FOX).json()["request_id"]
    assert test("DELETE", f"predictions/{own}/media").status_code == 200
    assert live("GET", f"get-usage-log-id/{own}").status_code == 404
