"""``muapi-client auth``: a key is checked before it is kept, and shown to nobody."""

from __future__ import annotations

import io
import sys
from argparse import Namespace
from traceback import walk_tb
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from muapi_client.cli._auth import auth
from muapi_client.cli._config import Settings
from muapi_client.cli._console import Console
from muapi_client.emulator import Emulator
from muapi_client.errors import AuthenticationError

if TYPE_CHECKING:
    from collections.abc import Callable

Call = Any  # the fixture `call`; see conftest
ORIGIN = "https://api.muapi.ai"
PLACE = ("muapi-client", ORIGIN)
Kept = dict[tuple[str, str], str]


class KeyringError(Exception):
    """As keyring's own."""


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Kept:
    """A keyring in the place of the machine's; answers what is in it. The environment has no key."""
    kept: Kept = {}

    def take_out(service: str, name: str) -> None:
        del kept[service, name]

    monkeypatch.delenv("MUAPI_API_KEY")
    stand_in = SimpleNamespace(
        get_password=lambda service, name: kept.get((service, name)),
        set_password=lambda service, name, key: kept.update({(service, name): key}),
        delete_password=take_out,
        errors=SimpleNamespace(KeyringError=KeyringError, NoKeyringError=type("NoKeyringError", (KeyringError,), {})),
    )
    monkeypatch.setitem(sys.modules, "keyring", stand_in)
    return kept


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have this on standard input."""
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_a_key_is_kept_once_the_server_takes_it(call: Call, keyring: Kept, piped: Callable[[str], None]) -> None:
    piped("sk-live\n")
    said = call("auth", "login")
    assert (said.code, said.out) == (0, "")
    assert said.err == f"the API key of emulator@example.com is kept for {ORIGIN}; balance 10 USD\n"
    assert keyring == {PLACE: "sk-live"}
    assert call("balance").out == "10 USD\n"


def test_a_key_that_the_server_refuses_is_not_kept_and_not_shown(
    call: Call, keyring: Kept, piped: Callable[[str], None]
) -> None:
    piped("sk-wrong-but-long-enough\n")
    said = call("auth", "login")
    assert (said.code, keyring) == (3, {})
    assert "sk-wrong" not in said.out + said.err
    assert "the key that was given is not kept" in said.err


def test_a_traceback_of_a_key_that_is_refused_holds_no_key(
    emulator: Emulator, keyring: Kept, piped: Callable[[str], None]
) -> None:
    piped("sk-wrong-but-long-enough\n")
    options = Namespace(action="login", settings=Settings())
    with pytest.raises(AuthenticationError) as caught:
        auth(options, Console(transport=emulator.transport()))
    frames = [frame for frame, _ in walk_tb(caught.value.__traceback__)]
    assert len(frames) > 2
    assert not [name for frame in frames for name, value in frame.f_locals.items() if "sk-wrong" in str(value)]


@pytest.mark.parametrize("text", ["", "\n", "  \n"])
def test_no_key_is_no_key(
    call: Call, emulator: Emulator, keyring: Kept, piped: Callable[[str], None], text: str
) -> None:
    piped(text)
    assert call("auth", "login").code == 8
    assert (keyring, emulator.requests) == ({}, ())


def test_a_key_that_is_typed_is_not_echoed(
    call: Call, keyring: Kept, monkeypatch: pytest.MonkeyPatch, piped: Callable[[str], None]
) -> None:
    piped("never read\n")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("muapi_client.cli._auth.getpass", lambda _: "sk-live")
    assert call("auth", "login", "--output=json").json["stored"] is True
    assert keyring == {PLACE: "sk-live"}


@pytest.mark.parametrize("words", [["sk-live"], ["--key", "sk-live"], ["--key=sk-live"]])
def test_there_is_no_argument_for_a_key(call: Call, keyring: Kept, capsys: Any, words: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        call("auth", "login", *words)
    assert keyring == {}
    said = capsys.readouterr().err
    assert "auth login takes no key as an argument, which others could read: it asks for it, or reads a pipe" in said
    assert "sk-live" not in said


def test_without_the_package_the_way_to_get_it_is_told_before_a_key_is_read(
    call: Call, monkeypatch: pytest.MonkeyPatch, piped: Callable[[str], None]
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    piped("sk-live\n")
    said = call("auth", "login")
    assert said.code == 1
    assert "pip install keyring" in said.err
    assert sys.stdin.read() == "sk-live\n"


def test_a_keyring_that_takes_no_key_is_told(
    call: Call, keyring: Kept, piped: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: str) -> None:
        raise KeyringError("locked")

    monkeypatch.setattr(sys.modules["keyring"], "set_password", refuse)
    piped("sk-live\n")
    said = call("auth", "login")
    assert said.code == 1
    assert "the keyring does not take the key (locked)" in said.err


LONG = "sk-live-0123456789abcdef"


@pytest.mark.parametrize("error", [RuntimeError, KeyringError, OSError, ValueError, KeyError, ImportError])
def test_whatever_a_keyring_raises_is_an_error_in_words_that_holds_no_key(
    call: Call, keyring: Kept, piped: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    module = sys.modules["keyring"]

    def fail(*given: str) -> None:
        raise error(f"no service for {given}")

    said = {}
    monkeypatch.setattr(module, "set_password", fail)
    piped(f"{LONG}\n")
    said["login"] = call("auth", "login", transport=Emulator(live_keys=(LONG,)).transport())
    keyring[PLACE] = LONG
    monkeypatch.setattr(module, "delete_password", fail)
    said["logout"] = call("auth", "logout")
    monkeypatch.setattr(module, "get_password", fail)
    said["status"], said["balance"] = call("auth", "status"), call("balance")
    assert {name: each.code for name, each in said.items()} == {"login": 1, "logout": 1, "status": 3, "balance": 3}
    for each in said.values():
        assert each.err.startswith("muapi-client: the keyring does not ")
        assert "please report it" not in each.err
        assert LONG not in each.out + each.err


def test_a_keyring_that_cannot_be_loaded_is_told_before_a_key_is_read(
    call: Call, keyring: Kept, piped: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(name: str) -> None:
        raise RuntimeError("its backend is broken")

    monkeypatch.setattr("muapi_client.cli._keyring.import_module", fail)
    piped("sk-live\n")
    said = call("auth", "login")
    assert (said.code, "RuntimeError" in said.err) == (1, True)
    assert sys.stdin.read() == "sk-live\n"
    assert call("balance").code == 3


def test_status_tells_where_the_key_comes_from_and_the_environment_comes_first(
    call: Call, keyring: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = call("auth", "status")
    assert said.code == 3
    assert f"no API key for {ORIGIN}" in said.err
    keyring[PLACE] = "sk-live"
    assert call("auth", "status").err == f"{ORIGIN}: the API key comes from keyring\n"
    monkeypatch.setenv("MUAPI_API_KEY", "sk-live")
    said = call("auth", "status")
    assert (said.out, said.err) == (
        "accepted, account emulator@example.com\n",
        f"{ORIGIN}: the API key comes from MUAPI_API_KEY\n",
    )
    assert call("auth", "status", "--output=json").json["source"] == "MUAPI_API_KEY"


def test_a_key_is_taken_out_and_a_second_time_there_is_none(call: Call, keyring: Kept) -> None:
    keyring[PLACE] = "sk-live"
    keyring["muapi-client", "https://other.example"] = "sk-other"
    assert call("auth", "logout", "--output=json").json == {"base_url": ORIGIN, "removed": True}
    assert list(keyring.values()) == ["sk-other"]
    said = call("auth", "logout")
    assert (said.code, said.err) == (0, f"the API key for {ORIGIN} is not kept here\n")


def test_a_login_says_that_the_environment_comes_before_it(
    call: Call, keyring: Kept, piped: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUAPI_API_KEY", "sk-of-the-environment")
    piped("sk-live\n")
    assert "MUAPI_API_KEY is set, and comes before it" in call("auth", "login").err
