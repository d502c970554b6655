"""Who is reached without a proxy: NO_PROXY in every spelling that curl, Go, Python or httpx read."""

from __future__ import annotations

import httpx
import pytest

from muapi_client._transport.proxies import find_proxy

NAMED = "http://api.corp.example:8080"
PLAIN = "http://api.corp.example"
TLS = "https://api.corp.example"
IPV4 = "http://10.1.2.3:8080"
IPV6 = "http://[2001:db8::1]:8080"
ALL = {NAMED, PLAIN, TLS, IPV4, IPV6}
NAMES = {NAMED, PLAIN, TLS}

SPELLINGS = [
    ("", set()),
    (",", set()),
    ("*", ALL),
    ("*:8080", {NAMED, IPV4, IPV6}),
    ("api.corp.example", NAMES),
    ("API.Corp.Example", NAMES),
    ("api.corp.example.", NAMES),
    (" a.example , api.corp.example ", NAMES),
    (".corp.example", NAMES),
    ("corp.example", NAMES),
    ("*.corp.example", NAMES),
    ("orp.example", set()),
    ("pi.corp.example", set()),
    ("api.corp.example.evil.example", set()),
    (".", set()),
    ("api.corp.example:8080", {NAMED}),
    (".corp.example:8080", {NAMED}),
    ("api.corp.example:80", {PLAIN}),
    ("api.corp.example:443", {TLS}),
    ("api.corp.example:1", set()),
    ("http://api.corp.example", {NAMED, PLAIN}),
    ("https://api.corp.example", {TLS}),
    ("all://api.corp.example", NAMES),
    ("http://api.corp.example:8080", {NAMED}),
    ("10.1.2.3", {IPV4}),
    ("10.1.2.3:8080", {IPV4}),
    ("10.1.2.3:1", set()),
    ("10.0.0.0/8", {IPV4}),
    ("11.0.0.0/8", set()),
    ("10.0.0.0/99", set()),
    ("2001:db8::1", {IPV6}),
    ("2001:DB8:0::1", {IPV6}),
    ("[2001:db8::1]", {IPV6}),
    ("[2001:db8::1]:8080", {IPV6}),
    ("[2001:db8::1]:1", set()),
    ("2001:db8::/32", {IPV6}),
    ("[", set()),
]


@pytest.mark.parametrize(("exceptions", "direct"), SPELLINGS)
@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_whom_no_proxy_names(name: str, exceptions: str, direct: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for other in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(other, raising=False)
    for scheme in ("HTTP_PROXY", "https_proxy"):
        monkeypatch.setenv(scheme, "proxy.example:3128")
    monkeypatch.setenv(name, exceptions)
    assert {url for url in ALL if find_proxy(httpx.URL(url)) is None} == direct
    if exceptions != "*":
        assert find_proxy(httpx.URL("http://elsewhere.example")) == "http://proxy.example:3128"
    assert find_proxy(httpx.URL("http://127.0.0.1:8080")) is None
    assert find_proxy(httpx.URL("http://127.8.8.8")) is None
