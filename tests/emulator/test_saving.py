"""State that is saved and loaded: an emulator that goes on as if it had never stopped."""

from __future__ import annotations

import itertools
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from by_kind import CHAT, CLIP, COMPANY, IMAGE, UPSCALE
from hypothesis import given, settings
from hypothesis import strategies as st

from muapi_client._runtime.clock import SystemClock, VirtualClock
from muapi_client.emulator import Emulator, Outcome, Request, Shape

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADERS = {"x-api-key": "sk-live", "content-type": "application/json"}
FOX = {"prompt": "a red fox in snow"}


def ask(emulator: Emulator, method: str, path: str, body: Any = None, key: str = "sk-live") -> tuple[int, Any, Any]:
    """Status, body and money headers of an answer."""
    content = b"" if body is None else json.dumps(body).encode()
    headers = {**HEADERS, "x-api-key": key}
    now = emulator.clock.now()
    answer = emulator.handle(Request(method, f"/api/v1/{path}", headers=headers, body=content, now=now))
    money = {name: value for name, value in answer.headers.items() if name.startswith("X-")}
    return answer.status, json.loads(answer.body), money


# ---- Answers stay the same -------------------------------------------------------------------------------------------

SLUGS = st.sampled_from([IMAGE.slug, CLIP.slug, CHAT.slug, UPSCALE.slug])
OUTCOMES = st.one_of(
    st.builds(
        lambda seconds, refunded: Outcome.failed({"message": "no"}, seconds=seconds, refunded=refunded),
        st.one_of(st.none(), st.integers(0, 50), st.just(float("inf"))),
        st.booleans(),
    ),
    st.builds(lambda price: Outcome.completed(["text", {"url": "u"}], price=price), st.decimals(0, 3, places=6)),
    st.just(Outcome.completed(inline=True, shape=Shape(submit="id", running=("pending",), extras=True))),
    st.just(Outcome.cancelled(bonus_credits=2)),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), SLUGS, st.sampled_from(["sk-live", "sk-test"])),
        st.tuples(st.just("next"), OUTCOMES),
        st.tuples(st.just("sleep"), st.floats(0, 100)),
        st.tuples(st.just("forget"), st.integers(0, 5)),
        st.tuples(st.just("look"), st.integers(0, 5)),
        st.tuples(
            st.just("ask"),
            st.sampled_from(
                [
                    ("POST", "keys", {"name": "x"}),
                    ("DELETE", "keys/2", None),
                    ("POST", "account/topup", {"amount": 5}),
                    ("PUT", "account/auto-topup", {"enabled": True}),
                    ("POST", "storyboard-projects/generate", {"prompt": "x"}),
                    ("GET", "storyboard-projects", None),
                    ("GET", "suno-voices", None),
                    ("GET", "history", None),
                    ("GET", "keys", None),
                    ("POST", "social/tiktok/connect-url", {"external_user_id": "u"}),
                ]
            ),
        ),
    ),
    max_size=15,
)


def play(emulator: Emulator, step: Any, ids: list[str]) -> Any:  # noqa: PLR0911 - one return a kind of step
    match step:
        case ("submit", slug, key):
            body = {**FOX, "audio_url": "https://example.com/a.mp3", "voice_name": "v"}
            answer = ask(emulator, "POST", slug, body, key)
            ids.append(answer[1].get("request_id") or answer[1].get("id") or "none")
            return answer
        case ("next", outcome):
            return emulator.next(outcome)
        case ("sleep", seconds):
            return emulator.clock.sleep(seconds)
        case ("forget", number) if number < len(ids):
            path = f"predictions/{ids[number]}/media"
            request = Request("DELETE", f"/api/v1/{path}", query={"delete_record": "true"}, headers=HEADERS)
            return emulator.handle(request).status
        case ("look", number) if number < len(ids):
            return ask(emulator, "GET", f"predictions/{ids[number]}/result")
        case ("ask", (method, path, body)):
            return ask(emulator, method, path, body)
    return None


@settings(max_examples=80, deadline=None)
@given(STEPS, STEPS, st.booleans())
def test_a_loaded_emulator_answers_as_one_that_never_stopped(before: Any, after: Any, serial: bool) -> None:
    emulator = Emulator(
        clock=VirtualClock(epoch=0.0),
        seed=3,
        failure_rate=0.2,
        moderation_rate=0.1,
        refund_rate=0.5,
        serial=serial,
        result_seconds=120,
        job_seconds={"video": 60},
        outcomes=[Outcome.completed(), Outcome.failed("scripted")],
        shape=Shape(extras=True),
    )
    ids: list[str] = []
    for step in before:
        play(emulator, step, ids)
    clock = VirtualClock(emulator.clock.now(), epoch=0.0)
    twin, twins_ids = Emulator.load(emulator.save(), clock=clock), list(ids)
    assert twin.save() == emulator.save()
    for step in [
        *after,
        ("sleep", 1000.0),
        *(("look", number) for number in range(6)),
        ("ask", ("GET", "history", None)),
    ]:
        assert play(twin, step, twins_ids) == play(emulator, step, ids)
    assert (twin.accepted, twin.charged_usd, twin.balance) == (
        emulator.accepted,
        emulator.charged_usd,
        emulator.balance,
    )
    assert twin.save() == emulator.save()


def test_uploads_and_presigned_forms_are_kept() -> None:
    emulator = Emulator()
    with httpx.Client(
        transport=emulator.transport(), base_url="https://api.muapi.ai/api/v1/", headers={"x-api-key": "sk-live"}
    ) as client:
        url = client.post("upload_file", files={"file": ("a.bin", bytes(range(256)))}).json()["url"]
        form = client.get("get_upload_url", params={"filename": "b.txt"}).json()
    with httpx.Client(transport=Emulator.load(emulator.save()).transport()) as anybody:
        assert anybody.get(url).content == bytes(range(256))
        assert anybody.post(form["url"], data=form["fields"], files={"file": ("b.txt", b"b")}).status_code == 204


# ---- Time ------------------------------------------------------------------------------------------------------------


def test_time_goes_on_from_where_it_was_on_any_clock() -> None:
    emulator = Emulator(job_seconds=10)
    request_id = ask(emulator, "POST", IMAGE.slug, FOX)[1]["request_id"]
    emulator.clock.sleep(9)
    for clock in (None, SystemClock()):
        loaded = Emulator.load(emulator.save(), clock=clock)
        assert ask(loaded, "GET", f"predictions/{request_id}/result")[1]["status"] == "processing"
    loaded = Emulator.load(emulator.save())
    loaded.clock.sleep(1)
    assert ask(loaded, "GET", f"predictions/{request_id}/result")[1]["status"] == "completed"


# ---- What a text cannot hold -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "outcomes", [itertools.repeat(Outcome.failed("no")), lambda _slug, _body: Outcome.failed("no")]
)
def test_a_script_that_is_a_function_or_endless_is_given_again(outcomes: Any) -> None:
    emulator = Emulator(outcomes=outcomes, job_seconds=0)
    text = emulator.save()
    with pytest.raises(ValueError, match=r"give it again, Emulator.load\(..., outcomes=\)"):
        Emulator.load(text)
    loaded = Emulator.load(text, outcomes=outcomes)
    request_id = ask(loaded, "POST", IMAGE.slug, FOX)[1]["request_id"]
    assert ask(loaded, "GET", f"predictions/{request_id}/result")[0] == 400


def test_job_seconds_that_is_a_function_is_given_again() -> None:
    text = Emulator(job_seconds=lambda _kind: 5.0).save()
    with pytest.raises(ValueError, match="job_seconds"):
        Emulator.load(text)
    loaded = Emulator.load(text, job_seconds=7)
    request_id = ask(loaded, "POST", IMAGE.slug, FOX)[1]["request_id"]
    loaded.clock.sleep(6.9)
    assert ask(loaded, "GET", f"predictions/{request_id}/result")[1]["status"] == "processing"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"muapi_emulator": 99}'])
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not the text of a saved emulator"):
        Emulator.load(text)


def alter(value: Any, other: Any) -> Iterator[Any]:
    """``value`` with each of its parts taken out in turn, and replaced by ``other``."""
    if isinstance(value, dict):
        for name in value:
            yield {key: part for key, part in value.items() if key != name}
            yield from ({**value, name: part} for part in (other, *alter(value[name], other)))
    if isinstance(value, list):
        for place in range(min(len(value), 3)):
            yield from ([*value[:place], part, *value[place + 1 :]] for part in (other, *alter(value[place], other)))


@pytest.mark.parametrize("other", [None, "x", [1], {"a": 1}, -1, True], ids=repr)
def test_an_altered_text_is_refused_or_makes_an_emulator_that_answers(other: Any) -> None:
    emulator = Emulator(outcomes=[Outcome.failed("no", seconds=5), Outcome.completed(["x"])], job_seconds=3)
    ask(emulator, "POST", IMAGE.slug, FOX)
    ask(emulator, "POST", "keys", {"name": "x"})
    whole = json.loads(emulator.save())
    for altered in alter(whole, other):
        try:
            loaded = Emulator.load(json.dumps(altered))
        except ValueError:
            continue
        loaded.clock.sleep(10)
        assert loaded.save()
        for path in ("history", "keys", "account/balance"):
            assert ask(loaded, "GET", path)[0] in {200, 401, 403}


@pytest.mark.parametrize("other", ["NaN", "Infinity", "-0.01", "-Infinity", "sNaN", "x", [1], float("nan")], ids=repr)
@pytest.mark.parametrize(
    "place",
    [
        ("wallet", "balance"),
        ("wallet", "charged"),
        ("jobs", "all", 0, "usd"),
        ("outcomes", "next", 0, "price"),
        ("idempotency_keys", 0, 3, "cost", 0),
    ],
)
def test_money_that_is_no_amount_is_refused(place: tuple[Any, ...], other: Any) -> None:
    emulator = Emulator(outcomes=[Outcome.completed()])
    emulator.next(Outcome.completed(price=Decimal(1)))
    ask(emulator, "POST", COMPANY.slug, {"domain": "example.com", "idempotency_key": "a"})
    emulator.next(Outcome.completed(price=Decimal(1)))
    text = json.loads(emulator.save())
    part = text
    for step in place[:-1]:
        part = part[step]
    assert isinstance(part[place[-1]], str)
    part[place[-1]] = other
    with pytest.raises(ValueError, match=r"This text of a saved emulator was altered|not the text of a saved emulator"):
        Emulator.load(json.dumps(text))


@pytest.mark.parametrize(
    ("place", "other"),
    [
        (("now",), "nan"),
        (("now",), "inf"),
        (("free_at",), -1),
        (("behavior", "result_seconds"), "nan"),
        (("jobs", "all", 0, "seconds"), "nan"),
        (("jobs", "all", 0, "accepted_at"), "nan"),
        (("jobs", "all", 0, "accepted_at"), True),
        (("jobs", "all", 0, "number"), -1),
        (("jobs", "accepted"), 10**12),
        (("jobs", "accepted"), -1),
    ],
)
def test_a_time_or_a_count_that_is_none_is_refused(place: tuple[Any, ...], other: Any) -> None:
    emulator = Emulator()
    ask(emulator, "POST", IMAGE.slug, FOX)
    text = json.loads(emulator.save())
    part = text
    for step in place[:-1]:
        part = part[step]
    part[place[-1]] = other
    with pytest.raises(ValueError, match="This text of a saved emulator was altered: "):
        Emulator.load(json.dumps(text))


@pytest.mark.parametrize("text", ["[" * 100_000, '{"muapi_emulator": 2}', "\0"])
def test_a_hostile_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="saved emulator"):
        Emulator.load(text)


def test_two_that_go_on_from_one_text_may_draw_from_seeds_of_their_own() -> None:
    text = Emulator().save()
    ids = [ask(Emulator.load(text, seed=seed), "POST", IMAGE.slug, FOX)[1]["request_id"] for seed in (None, None, 1, 2)]
    assert len(set(ids)) == 3


def test_a_saved_text_is_strict_json() -> None:
    emulator = Emulator(balance=Decimal("1.5"), outcomes=[Outcome.completed(seconds=float("inf"))])
    ask(emulator, "POST", IMAGE.slug, FOX)

    def no_constant(word: str) -> None:
        raise AssertionError(word)

    assert json.loads(emulator.save(), parse_constant=no_constant)["wallet"]["balance"] == "1.485000"
