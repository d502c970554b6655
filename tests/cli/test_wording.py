"""What an error advises a program is said in a shell's words: no one who types commands is told of ``mu.wait``."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import httpx
import pytest
from by_kind import IMAGE, VIDEO

from muapi_client._runtime.clock import VirtualClock
from muapi_client.cli._wording import describe, in_shell_words
from muapi_client.emulator import Emulator, Fault
from muapi_client.errors import MuAPIError

Call = Any  # the fixture `call`; see conftest
RUN = ("run", IMAGE.slug, "prompt=x")
PYTHON = re.compile(r"\bmu\.\w+|catalog\.|\w=(True|False|Decimal)|MuAPI\(|error\.\w+|api_key=")


def poor() -> Any:
    return Emulator(live_keys=("sk-live",), balance=Decimal(0)).transport()


def losing() -> Any:
    emulator = Emulator(live_keys=("sk-live",))
    emulator.next_fault(Fault.RESET_AFTER_ACCEPT)
    return emulator.transport()


def refusing(code: int) -> Any:
    transport = httpx.MockTransport(lambda _: httpx.Response(code, json={"detail": "Not authorized"}))
    transport.clock = VirtualClock()  # type: ignore[attr-defined]
    return transport


@pytest.mark.parametrize(
    ("words", "transport", "advice"),
    [
        (RUN, lambda: refusing(401), "MUAPI_API_KEY, or muapi-client auth status"),
        (RUN, lambda: refusing(403), "MUAPI_API_KEY"),
        (RUN, lambda: refusing(404), "muapi-client models WORD finds a model's slug"),
        (RUN, lambda: refusing(500), "muapi-client reconcile"),
        (("wait", "a"), lambda: refusing(403), "muapi-client wait a"),
        (RUN, poor, "muapi-client topup AMOUNT"),
        (RUN, losing, "muapi-client reconcile"),
        (("run", VIDEO.slug, "prompt=x", "--timeout", "1"), None, "muapi-client wait "),
        (("run", "new", "--raw", "prompt=x", "--max-spend", "1"), None, "--unpriced 0.50"),
        (("run", f"{IMAGE.slug[:-2]}eg", "prompt=x"), None, "run --raw"),
        ((*RUN, "--budget", "5/run"), None, "muapi-client batch"),
    ],
)
def test_an_error_says_what_to_type(call: Call, words: tuple[str, ...], transport: Any, advice: str) -> None:
    said = call(*words, transport=transport and transport())
    assert said.code != 0
    assert advice in said.err
    assert not PYTHON.search(said.err)


def test_without_a_key_it_says_where_one_comes_from(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MUAPI_API_KEY")
    said = call(*RUN)
    assert "set MUAPI_API_KEY, or muapi-client auth login" in said.err
    assert "made at https://muapi.ai/access-keys" in said.err


def test_an_address_at_which_nobody_is_is_named(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUAPI_BASE_URL", "http://127.0.0.1:1/api/v1")
    said = call(*RUN, transport=httpx.HTTPTransport())
    assert said.code == 11
    assert "it was not sent: nobody took it at http://127.0.0.1:1" in said.err


def test_an_address_in_clear_text_is_refused_in_a_shell_s_words(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUAPI_BASE_URL", "http://api.example.com")
    said = call("balance")
    assert "config set base_url" in said.err
    assert "allow_http" not in said.err


def test_a_slug_that_is_none_is_told_once_what_to_do(call: Call) -> None:
    said = call("run", "no-such-thing-at-all", "prompt=x")
    assert said.code == 5
    assert said.err.count("models WORD searches") == said.err.count("run --raw") == 1


def test_advice_is_not_said_twice() -> None:
    error = MuAPIError("it lives on: mu.wait('a') takes it up", request_id="a")
    said = describe(error, ["On the command line: muapi-client wait a"])
    assert said == "it lives on: muapi-client wait a takes it up"
    assert describe(MuAPIError("it lives on.", request_id="a"), ["Type: muapi-client wait a"]).endswith("wait a")


def test_words_that_advise_nothing_stay_as_they_are() -> None:
    assert in_shell_words("museum; a mu.nothing of 5", None) == "museum; a mu.nothing of 5"
