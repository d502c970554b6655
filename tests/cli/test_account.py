"""What the account says of itself: balance, top-up, keys, kind of key, history, and the price of a job."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from by_kind import IMAGE, make_image

from muapi_client import MuAPI
from muapi_client.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Callable

Call = Any  # the fixture `call`; see conftest
HOSTILE = "mine\x1b[2J\n99  admin\u202e"


class Terminal(io.StringIO):
    """Somebody who sits at a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have somebody at the terminal answer so."""
    return lambda text: monkeypatch.setattr(sys, "stdin", Terminal(text))


def test_the_balance_is_one_line_and_whose_it_is_stands_aside(call: Call) -> None:
    said = call("balance")
    assert (said.code, said.out) == (0, "10 USD\n")
    assert said.err == "account emulator@example.com\n"
    assert call("balance", "--output", "json").json == {
        "balance": 10.0, "currency": "USD", "email": "emulator@example.com",
    }  # fmt: skip


def test_a_payment_is_begun_only_once_somebody_agrees(
    call: Call, emulator: Emulator, answer: Callable[[str], None]
) -> None:
    for words, typed in ((["topup", "20"], "n\n"), (["topup", "20"], "")):
        answer(typed)
        said = call(*words)
        assert (said.code, said.out) == (1, "")
        assert "no payment was begun" in said.err
    assert not emulator.requests
    answer("y\n")
    assert call("topup", "20").out.startswith("https://checkout.")
    asked = call("topup", "20", "--yes", "--output", "json")
    assert (asked.json["amount_usd"], asked.err) == (20, "")


@pytest.mark.parametrize("amount", ["0", "-5", "1.5", "all", "1" * 30])
def test_a_payment_is_of_whole_dollars(call: Call, amount: str, capsys: Any) -> None:
    with pytest.raises(SystemExit, match="2"):
        call("topup", amount)
    assert "Traceback" not in capsys.readouterr().err


def test_a_new_key_is_told_once_and_a_list_tells_none(call: Call) -> None:
    made = call("keys", "create", "ci", "--test")
    secret = made.out.strip()
    assert made.out.count("\n") == 1
    assert secret not in made.err
    listed = call("keys", "ls")
    assert secret not in listed.out + listed.err
    assert listed.out.splitlines()[-1].split()[:4] == ["3", "ci", "test", "yes"]
    as_json = call("keys", "ls", "--output", "json")
    assert secret not in as_json.out
    assert as_json.json[-1].keys() == {"id", "name", "is_active", "is_test", "created_at", "last_used_at"}
    assert call("keys", "create", "other", "--output", "json").json["is_test"] is False


def test_a_secret_that_nobody_received_is_told_with_what_to_do(
    call: Call, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    class Full(io.StringIO):
        def write(self, _text: str) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stdout", Full())
    said = call("keys", "create", "ci")
    assert said.code == 1
    assert "key 3 was made, and its secret could not be written: muapi-client keys delete 3" in said.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("keys", "create", "ci"), "it may be there, its secret untold; muapi-client keys ls shows it"),
        (("keys", "delete", "2", "--yes"), "muapi-client keys ls shows whether it is"),
        (("topup", "20", "--yes"), "nothing is paid yet"),
    ],
)
def test_an_interrupt_tells_what_may_have_been_done_all_the_same(call: Call, words: tuple[str, ...], told: str) -> None:
    def interrupt(_request: httpx.Request) -> httpx.Response:
        raise KeyboardInterrupt

    said = call(*words, transport=httpx.MockTransport(interrupt))
    assert (said.code, said.out) == (130, "")
    assert said.err.startswith("muapi-client: interrupted while ")
    assert told in said.err


def test_a_key_is_deleted_only_once_somebody_agrees(call: Call, answer: Callable[[str], None]) -> None:
    answer("n\n")
    said = call("keys", "delete", "2")
    assert said.code == 1
    assert "Delete API key 2 (test 1) for good?" in said.err
    assert len(call("keys", "ls", "--output", "json").json) == 2
    assert call("keys", "delete", "2", "--yes").code == 0
    assert [key["id"] for key in call("keys", "ls", "--output", "json").json] == [1]
    assert call("keys", "delete", "2", "--yes").code == 5


def test_no_name_of_a_key_forges_a_row_or_steers_a_terminal(call: Call, answer: Callable[[str], None]) -> None:
    call("keys", "create", HOSTILE)
    listed = call("keys", "ls")
    assert len(listed.out.splitlines()) == 4  # heads, and three keys
    answer("n\n")
    asked = call("keys", "delete", "3")
    for text in (listed.out, listed.err, asked.err):
        assert not set("\x1b\u202e") & set(text)
    assert "mine" in asked.err


def test_a_list_of_keys_that_strays_from_the_document_is_shown_all_the_same(call: Call) -> None:
    keys = [{"id": "k1", "name": None, "is_active": [], "is_test": "maybe", "created_at": 5}]
    said = call("keys", "ls", transport=httpx.MockTransport(lambda _: httpx.Response(200, json=keys)))
    assert said.code == 0
    assert said.out.splitlines()[1].split() == ["k1", "-", "-", "-", "5", "-"]


def test_the_kind_of_key_is_one_word_and_the_evidence_stands_aside(
    call: Call, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = call("sandbox")
    assert said.out in ("live\n", "undecided\n")
    assert ("the first job tells" in said.err) == (said.out == "undecided\n")
    only = Emulator(live_keys=(), test_keys=("sk-live",))
    said = call("sandbox", transport=only.transport())
    assert said.out == "sandbox\n"
    assert "test key" in said.err
    assert call("sandbox", "--output=json", transport=only.transport()).json["sandbox"] is True
    assert emulator.accepted == only.accepted == 0


@pytest.mark.parametrize(("key", "kind"), [("sk-test", "sandbox"), ("sk-live", "live")])
def test_a_job_tells_the_kind_of_its_key_from_then_on(
    call: Call, monkeypatch: pytest.MonkeyPatch, key: str, kind: str
) -> None:
    both = Emulator(live_keys=("sk-live",), test_keys=("sk-test",)).transport()
    monkeypatch.setenv("MUAPI_API_KEY", key)
    assert call("sandbox", transport=both).out == "undecided\n"
    job = call("run", IMAGE.slug, "prompt=a fox", "--output=json", transport=both).json["request_id"]
    told = call("sandbox", transport=both)
    assert told.out == f"{kind}\n"
    assert f"before: request {job}" in told.err
    assert call("sandbox", "--no-journal", transport=both).out == "undecided\n"
    monkeypatch.setenv("MUAPI_API_KEY", "sk-live" if key == "sk-test" else "sk-test")
    assert call("sandbox", transport=both).out == "undecided\n"  # another key's jobs tell nothing of this one


def test_the_history_is_the_latest_first_and_as_many_as_asked_for(call: Call, emulator: Emulator) -> None:
    with MuAPI("sk-live", transport=emulator.transport()) as mu:
        ids = [mu.run(make_image(prompt="fox")).id for _ in range(3)]
    said = call("history", "--limit", "2")
    assert [line.split()[0] for line in said.out.splitlines()[1:]] == ids[:0:-1]
    first = call("history", "--output", "json").json[0]
    assert (first["request_id" if "request_id" in first else "id"], first["model"]) == (ids[-1], IMAGE.name)
    assert said.err == "2 requests, newest first; --limit tells more\n"
    assert call("history").err == "3 requests, newest first\n"


def test_a_history_of_odd_items_is_shown_as_far_as_it_can_be_read(call: Call) -> None:
    items = [
        {"id": 7, "model": HOSTILE, "cost": {"amount_usd": "0.5"}, "created_at": "last week"},
        {"request_id": "a", "amount_usd": 1, "created_at": "2026-01-01T00:00:00Z", "state": ["x"]},
        {},
    ]
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"items": items}))
    rows = call("history", transport=transport).out.splitlines()
    assert len(rows) == 4
    assert rows[1].startswith("7 ")
    assert rows[1].split()[-4:] == ["-", "0.5", "last", "week"]
    assert rows[2].split()[:2] == ["a", "-"]
    assert rows[3].split() == ["-"] * 5
    assert "\x1b" not in "".join(rows)
    assert call("history", "--output", "json", transport=transport).json[0]["cost"] == {"amount_usd": 0.5}


def test_a_price_is_the_one_that_run_tells_and_no_job_is_sent(call: Call, emulator: Emulator) -> None:
    words = (IMAGE.slug, "prompt=x", "num_images=3")
    said = call("estimate", *words)
    assert said.code == 0
    assert said.out == call("run", *words, "--estimate").out
    assert call("estimate", IMAGE.slug, "--output=json", "num_images=3").json["model"] == IMAGE.name
    assert call("estimate", IMAGE.slug, "num_images=9").code == 8
    assert emulator.accepted == 0


@pytest.mark.parametrize(
    "words", [["balance"], ["topup", "5", "--yes"], ["keys", "ls"], ["history"], ["auth", "status"]]
)
def test_a_key_that_is_refused_is_exit_code_three(
    call: Call, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUAPI_API_KEY", "sk-wrong-and-long-enough")
    said = call(*words, "--output", "json")
    assert said.code == 3
    assert json.loads(said.err.splitlines()[-1])["status_code"] in (401, 403)
    assert "sk-wrong" not in said.out + said.err
