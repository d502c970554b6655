"""A client's options, read and refused."""

from __future__ import annotations

import copy
import pickle
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muapi_client import MuAPI, MuAPIError
from muapi_client._settings.api_key import APIKey, read_key
from muapi_client._settings.options import read_amount, read_origin, read_seconds
from muapi_client.errors import AuthenticationError


@pytest.mark.parametrize(
    ("given_url", "origin"),
    [
        (None, "https://api.muapi.ai"),
        ("https://api.muapi.ai", "https://api.muapi.ai"),
        ("https://api.muapi.ai/", "https://api.muapi.ai"),
        ("https://api.muapi.ai/api/v1", "https://api.muapi.ai"),
        ("https://api.muapi.ai/api/v1/", "https://api.muapi.ai"),
        (" https://api.muapi.ai \n", "https://api.muapi.ai"),
        ("https://proxy.example/muapi/api/v1", "https://proxy.example/muapi"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://127.0.0.1:8000/api/v1", "http://127.0.0.1:8000"),
        ("http://127.0.0.2:8000", "http://127.0.0.2:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("HTTP://LOCALHOST", "http://localhost"),
    ],
)
def test_an_origin(given_url: str | None, origin: str) -> None:
    assert read_origin(given_url) == origin


@pytest.mark.parametrize("host", ["a.localhost", "localhost.example", "127.0.0.1.example", "10.0.0.1", "[::2]"])
def test_a_host_that_may_be_another_machine_gets_no_key_in_clear_text(host: str) -> None:
    with pytest.raises(MuAPIError, match="clear text"):
        read_origin(f"http://{host}")


def test_an_empty_environment_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUAPI_BASE_URL", "")
    assert read_origin(None) == "https://api.muapi.ai"


@given(st.text() | st.text().map("https://{}".format) | st.text().map("http://{}".format))
def test_any_text_is_an_origin_or_refused(url: str) -> None:
    try:
        origin = read_origin(url)
    except MuAPIError:
        return
    assert origin.lower().startswith(("https://", "http://"))
    assert not set(" ?#\n\r\t\\") & set(origin)
    assert not origin.endswith("/")


@given(st.text())
def test_any_text_is_a_key_or_refused(text: str) -> None:
    try:
        key = read_key(text)
    except AuthenticationError:
        return
    assert key.reveal() == text.strip()
    assert all("!" <= character <= "~" for character in key.reveal())


def test_a_key_tells_itself_to_nobody() -> None:
    key = APIKey("sk-secret")
    assert "secret" not in f"{key} {key!r} {key.__reduce_ex__.__name__} {dir(key)} {key.reveal!r}"
    for travel in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled"):
            travel(key)


@pytest.mark.parametrize("value", [1, 0.001, 1e9])
def test_seconds(value: float) -> None:
    assert read_seconds("timeout", value) == value


@given(st.none() | st.booleans() | st.floats(max_value=0) | st.just(float("inf")) | st.just(float("nan")) | st.text())
def test_no_seconds(value: Any) -> None:
    with pytest.raises(MuAPIError, match="timeout must be a positive number of seconds"):
        read_seconds("timeout", value)


@pytest.mark.parametrize("value", [0, -1, 1.5, "16", True, None])
def test_how_many_connections_there_may_be_is_a_whole_number_of_one_or_more(value: Any) -> None:
    with pytest.raises(MuAPIError, match="max_connections must be a whole number of 1 or more, not"):
        MuAPI("k", max_connections=value)


def test_how_many_connections_there_may_be_is_told_once() -> None:
    with pytest.raises(MuAPIError, match=r"with_options\(\) cannot change max_connections: make a new client"):
        MuAPI("k").with_options(max_connections=3)  # type: ignore[call-arg]


@pytest.mark.parametrize(("value", "expected"), [("5", "5"), (0.1, "0.1"), (0, "0"), (Decimal("1.50"), "1.50")])
def test_an_amount(value: Any, expected: str) -> None:
    assert str(read_amount("max_spend", value)) == expected


@given(
    st.none()
    | st.booleans()
    | st.floats(max_value=-0.000001)
    | st.sampled_from([float("nan"), float("inf"), "sNaN", "", "5 USD", [], {}, b"5"])
)
def test_no_amount(value: Any) -> None:
    with pytest.raises(MuAPIError, match="max_spend must be an amount in USD"):
        read_amount("max_spend", value)
