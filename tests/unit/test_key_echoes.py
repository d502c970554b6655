"""A key that a server echoes is hidden in every spelling that JSON, URLs and HTML have, and nothing else is touched."""

from __future__ import annotations

import html
import json
import sys
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from muapi_client._settings import api_key
from muapi_client._settings.api_key import APIKey
from muapi_client._state.secrets import Secrets

HIDDEN = api_key.HIDDEN.decode()
KEY = "sk-live-0123456789abcDEF_~."
ODD = "sk/live+\"0123\\456&789<abc>'"
WAYS = [
    lambda c: c,
    lambda c: f"\\u{ord(c):04x}",
    lambda c: f"\\u{ord(c):04X}",
    lambda c: f"\\\\u{ord(c):04x}",
    lambda c: f"\\x{ord(c):02x}",
    lambda c: f"%{ord(c):02x}",
    lambda c: f"%{ord(c):02X}",
    lambda c: f"%25{ord(c):02X}",
    lambda c: f"&#{ord(c)};",
    lambda c: f"&#x{ord(c):x};",
    lambda c: f"&amp;#0{ord(c)};",
    html.escape,
    lambda c: json.dumps(c)[1:-1],
    lambda c: json.dumps(json.dumps(c)[1:-1])[1:-1],
    lambda c: json.dumps(c)[1:-1].replace("/", "\\/"),
]


def spelt(key: str, ways: list[int]) -> str:
    return "".join(WAYS[ways[index % len(ways)]](letter) for index, letter in enumerate(key))


@pytest.mark.parametrize("key", [KEY, ODD])
@pytest.mark.parametrize("way", range(len(WAYS)))
def test_in_one_spelling(key: str, way: int) -> None:
    content = f'{{"detail": "bad key {spelt(key, [way])}, \\u00e9 %2F\\n"}}'
    assert APIKey(key).hide(content.encode()).decode() == f'{{"detail": "bad key {HIDDEN}, \\u00e9 %2F\\n"}}'
    assert APIKey(key).hide_text(content) == APIKey(key).hide(content.encode()).decode()


@given(st.sampled_from([KEY, ODD]), st.lists(st.integers(0, len(WAYS) - 1), min_size=1), st.text(max_size=5))
@example(KEY, [5], "\\")
def test_in_any_mixture(key: str, ways: list[int], around: str) -> None:
    hidden = APIKey(key).hide_text(f"{around}{spelt(key, ways)} {around}")
    assert HIDDEN in hidden
    assert key not in html.unescape(unquote(unquote(hidden)))


@pytest.mark.parametrize("code", ["utf-16-le", "utf-16-be", "utf-16", "utf-32", "utf-8-sig"])
def test_in_whatever_json_is_encoded_in(code: str) -> None:
    hidden = APIKey(KEY).hide(json.dumps({"detail": f"bad key {KEY}"}).encode(code))
    assert KEY not in hidden.decode("utf-8", "replace").replace("\0", "")
    assert KEY not in str(hidden)


@given(st.binary())
def test_nothing_else_is_touched(content: bytes) -> None:
    assert APIKey(KEY).hide(content) == content


@given(st.text(st.characters(codec="utf-8")))
def test_nor_in_json_of_any_text(text: str) -> None:
    content = json.dumps({"a": text}).encode()
    assert APIKey(KEY).hide(content) == content


def test_json_stays_json() -> None:
    content = json.dumps({"detail": f'"{KEY}" and \\{KEY}\\', KEY: [f"https://a.example/?k={KEY}&x=%2F"]}).encode()
    assert json.loads(APIKey(KEY).hide(content)) == {
        "detail": f'"{HIDDEN}" and \\{HIDDEN}\\',
        HIDDEN: [f"https://a.example/?k={HIDDEN}&x=%2F"],
    }


@pytest.mark.parametrize("run", ["\\x", "\\u00", "%25", "\\x25", "&amp;", "\\"])
def test_a_run_of_escapes_is_read_once(run: str) -> None:
    content = run.encode() * 50_000  # in quadratic time: an hour
    assert APIKey(KEY).hide(content) == content


@pytest.mark.parametrize("run", ["\0", "\\", "\\a", "\0%"])
def test_what_spells_nothing_is_passed_over_without_a_call_for_each(run: str) -> None:
    calls = 0

    def count(_frame: object, event: str, _: object) -> None:
        nonlocal calls
        calls += event == "call"

    key, before = APIKey(KEY), sys.getprofile()
    key.hide(b"%41")  # loads what it needs
    sys.setprofile(count)
    try:
        key.hide(run.encode() * 10_000)
    finally:
        sys.setprofile(before)
    assert calls < 100


def test_words_shorter_than_any_key_are_left_alone() -> None:
    assert APIKey("k").hide(b"\\u006b k") == b"\\u006b k"


def test_headers() -> None:
    headers = {"location": f"https://a.example/?key={KEY}", "x-echo": spelt(KEY, [5]), "x-account-balance": "3"}
    assert APIKey(KEY).hide_values(headers) == {
        "location": f"https://a.example/?key={HIDDEN}",
        "x-echo": HIDDEN,
        "x-account-balance": "3",
    }


@pytest.mark.parametrize(
    "text",
    [
        '{"note": "https:\\/\\/h.example\\/cb\\/s3cr3t99"}',  # as PHP writes it
        '{"note": "https://h.example/cb/%73%33%63%72%33%74%39%39"}',
        '{"web_hook": "https://h.example/cb/another"}',
        '{"a": [{"WEBHOOK-URL": "https://h.example/cb/another"}]}',
    ],
)
def test_json_that_is_written_down_holds_no_webhook_in_any_spelling(text: str) -> None:
    secrets = Secrets()
    secrets.add(["https://h.example/cb/s3cr3t99"])
    written = unquote(secrets.clean_json(text).replace("\\", ""))
    assert "s3cr3t99" not in written
    assert "another" not in written
