"""Whom a served emulator lets in from a browser: which names it answers under, and which pages may read its answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest
from by_kind import IMAGE

from muapi_client.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Iterable

PATH = f"/api/v1/{IMAGE.slug}"
HEADERS = {"x-api-key": "sk-live", "content-type": "application/json"}
ASKING = {
    "access-control-request-method": "POST",
    "access-control-request-headers": "content-type,x-api-key",
}
HERE = ["http://localhost:3000", "http://127.0.0.1:5173", "https://[::1]:8443", "http://app.localhost"]
ELSEWHERE = ["https://evil.example", "null", "http://localhost.evil.example", "file://", "http://127.0.0.1:x", ""]
ELSEWHERE += [
    "https://evil.example, http://app.localhost",
    "http://evil.example\\@localhost",
    "http://localhost@evil.example",
]


def submit(url: str, **headers: str) -> httpx.Response:
    return httpx.post(f"{url}{PATH}", content=json.dumps({"prompt": "x"}), headers={**HEADERS, **headers})


def ask_before(url: str, origin: str, **headers: str) -> httpx.Response:
    return httpx.options(f"{url}{PATH}", headers={"origin": origin, **ASKING, **headers})


@pytest.mark.parametrize("host", ["rebound.evil.example", "emulator:8000", "localhost.evil.example", 'x"y', "a/b"])
def test_a_name_that_is_not_its_own_is_answered_421_and_nothing_is_paid(host: str) -> None:
    emulator = Emulator()
    with emulator.serve() as url:
        answer = submit(url, host=host)
    assert (answer.status_code, emulator.accepted, emulator.requests) == (421, 0, ())
    assert "--allowed-host" in answer.json()["detail"]
    assert "date" in answer.headers


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:80", "[::1]:9", "10.0.0.7", "api.muapi.ai"])
def test_this_machine_addresses_and_the_real_hosts_are_its_names(host: str) -> None:
    with Emulator().serve() as url:
        assert submit(url, host=host).status_code == 200


@pytest.mark.parametrize("allowed", [["Emulator"], "emulator"])
def test_a_name_that_was_allowed_is_its_own_in_any_case(allowed: Iterable[str]) -> None:
    with Emulator().serve(allowed_hosts=allowed) as url:
        assert submit(url, host="eMULATOR:8000").status_code == 200
        assert submit(url, host="emulator.evil.example").status_code == 421


@pytest.mark.parametrize("origin", HERE)
def test_a_page_on_this_machine_may_ask_and_read(origin: str) -> None:
    with Emulator().serve() as url:
        before = ask_before(url, origin, **{"access-control-request-private-network": "true"})
        answer = submit(url, origin=origin)
    assert before.status_code == 204
    assert before.headers["access-control-allow-origin"] == origin
    assert before.headers["access-control-allow-headers"] == "content-type,x-api-key"
    assert "POST" in before.headers["access-control-allow-methods"]
    assert before.headers["access-control-allow-private-network"] == "true"
    assert answer.headers["access-control-allow-origin"] == origin
    assert "X-MuAPI-Cost-USD" in answer.headers["access-control-expose-headers"]
    assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize("origin", ELSEWHERE)
def test_a_page_elsewhere_may_not(origin: str) -> None:
    emulator = Emulator()
    with emulator.serve() as url:
        before = ask_before(url, origin)
        answer = httpx.get(f"{url}/api/v1/account/balance", headers={**HEADERS, "origin": origin})
        steered = httpx.post(f"{url}/emulator/reset", headers={"origin": origin})
    assert [before.status_code, steered.status_code] == [403, 403]
    assert [("--cors ORIGIN" in refused.json()["detail"]) for refused in (before, steered)] == [True, True]
    assert "access-control-allow-origin" not in before.headers
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["vary"] == "Origin"


def test_a_page_reads_refusals_too() -> None:
    with Emulator().serve() as url:
        answer = submit(url, origin=HERE[0], **{"x-api-key": "wrong"})
    assert answer.status_code in {401, 403}
    assert answer.headers["access-control-allow-origin"] == HERE[0]


@pytest.mark.parametrize(
    ("cors", "allowed", "refused"),
    [
        (["https://app.example.com"], ["https://app.example.com", HERE[0]], ["https://app.example.com:444"]),
        (["https://App.example.com/"], ["https://app.example.com"], ["http://app.example.com"]),
        ("https://app.example.com:443", ["https://app.example.com"], ["https://app.example.com:444"]),
        (["http://app.example.com:80", "http://b:8080"], ["http://app.example.com", "http://b:8080"], ["http://b"]),
        (["*"], ["https://evil.example", "null"], []),
        (False, [], [HERE[0], "null"]),
        (True, HERE, ["https://app.example.com"]),
    ],
)
def test_origins_are_the_users_to_choose(cors: bool | Iterable[str], allowed: list[str], refused: list[str]) -> None:
    with Emulator().serve(cors=cors) as url:
        assert [ask_before(url, origin).status_code for origin in allowed] == [204] * len(allowed)
        assert [ask_before(url, origin).status_code for origin in refused] == [403] * len(refused)


def test_without_an_origin_nothing_is_said_of_origins() -> None:
    with Emulator().serve() as url:
        answer = submit(url)
        options = httpx.options(f"{url}{PATH}")
    assert not {name for name in answer.headers if name.startswith("access-control")}
    assert options.status_code == 405


def test_a_preflight_is_no_request_to_the_api() -> None:
    emulator = Emulator()
    with emulator.serve() as url:
        ask_before(url, HERE[0])
    assert emulator.requests == ()


@pytest.mark.parametrize("host", ["http://emulator", "emulator:80", "", "a b"])
def test_what_is_no_host_is_refused_before_anything_is_served(host: str) -> None:
    with pytest.raises(ValueError, match="no host as a Host header names it"):
        Emulator().serve(allowed_hosts=[host])


@pytest.mark.parametrize(
    "origin",
    [
        "app.example.com",
        "https://a.example/path",
        "ftp://a",
        "",
        "https://a?x",
        "https://u@a",
        "https://m\u00fcnchen.de",
    ],
)
def test_what_is_no_origin_is_refused_before_anything_is_served(origin: str) -> None:
    with pytest.raises(ValueError, match="is no origin"):
        Emulator().serve(cors=[origin])
