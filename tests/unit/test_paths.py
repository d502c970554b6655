"""Whatever a call's path is, the key goes to the API's origin: what leads elsewhere is refused, read and sent."""

from __future__ import annotations

import json
import pickle
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muapi_client import Call, Job
from muapi_client._transport.hosts import api_address
from muapi_client.errors import MuAPIError
from muapi_generated.types import Operation

NO_URL = (MuAPIError, httpx.InvalidURL, UnicodeError)
ORIGIN = "https://api.example:8443/base"
ELSEWHERE = [
    "",
    "api/v1/x",
    "@127.0.0.1:80/x",
    ":80@127.0.0.1/x",
    ".evil.example/x",
    "//evil.example/x",
    "/\\evil.example/x",
    "\\\\evil.example/x",
    "https://evil.example/x",
    "/api/v1//x",
    "/api/v1/x?webhook=https://evil.example",
    "/api/v1/x#y",
    "/api/v1/../../admin",
    "/api/v1/./x",
    "/api/v1/..",
    "/api/v1/..;/x",
    "/api/v1/%2e%2e/x",
    "/api/v1/.%2E/x",
    "/api/v1/a%2fb",
    "/api/v1/a%5Cb",
    "/api/v1/%252e%252e/x",
    "/api/v1/x%00",
    "/api/v1/x%0d%0ay",
    "/api/v1/x%zz",
    "/api/v1/x\r\nHost: evil.example",
    "/api/v1/x\ty",
    "/api/v1/x y",
    " /api/v1/x",
    "/api/v1/x\n",
    "/api/v1/x\x7f",
    "/api/v1/\u202ex",
    "/api/v1/\ud800",
    7,
    None,
]
NO_METHODS = ["", "post", "CONNECT", "GET /evil HTTP/1.1\r\nX: y", "POST ", "P\u200bOST", "STEAL", 7, None]


def token(**changes: Any) -> str:
    operation = {"name": "", "method": "POST", "path": "/api/v1/x", "answer": "Submission", "request": "", **changes}
    return json.dumps({"operation": operation, "body": {}, "query": {}, "path": {}})


def forged(**changes: Any) -> Call[Any]:
    """A call that nobody's constructor has seen, as a crafted pickle is."""
    call = Call.from_json(token())
    for name, value in changes.items():
        object.__setattr__(call.operation, name, value)
    return call


@pytest.mark.parametrize("path", ELSEWHERE)
def test_a_stored_call_that_leads_elsewhere_is_refused_when_it_is_read(path: Any) -> None:
    with pytest.raises(ValueError, match="no path of an API"):
        Call.from_json(token(path=path))
    with pytest.raises(MuAPIError, match="no path of an API"):
        Job.from_json(json.dumps({**JOB, "call": json.loads(token(path=path))}))
    with pytest.raises(ValueError, match="no path of an API"):
        Operation("", "POST", path)
    with pytest.raises(ValueError, match="no path of an API"):
        pickle.loads(pickle.dumps(forged(path=path)))


JOB = {"muapi_job": 1, "id": "abc", "submitted_at": None, "cost": None}


@pytest.mark.parametrize("method", NO_METHODS)
def test_and_one_whose_method_is_none(method: Any) -> None:
    with pytest.raises(ValueError, match="no method of an API"):
        Call.from_json(token(method=method))
    with pytest.raises(ValueError, match="no method of an API"):
        pickle.loads(pickle.dumps(forged(method=method)))


@pytest.mark.parametrize("changes", [{"name": 3}, {"answer": ["Submission"]}, {"request": None}, {"package": 7}])
def test_and_one_whose_words_are_no_text(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="is text"):
        Call.from_json(token(**changes))


def test_and_one_that_would_send_a_file_of_this_machine() -> None:
    with pytest.raises(ValueError, match="files"):
        Call.from_json(json.dumps({**json.loads(token()), "files": {"file": "/etc/passwd"}}))


@pytest.mark.parametrize("path", [path for path in ELSEWHERE if isinstance(path, str)])
def test_no_url_of_such_a_path_is_given_the_key(path: str) -> None:
    try:
        url = api_address(ORIGIN, path)
    except NO_URL:
        return
    assert str(url).startswith(f"{ORIGIN}/")


@given(st.text())
def test_nor_of_any_other(path: str) -> None:
    try:
        url = api_address(ORIGIN, path)
    except NO_URL:
        return
    assert (url.scheme, url.host, url.port, url.userinfo) == ("https", "api.example", 8443, b"")
    assert url.path.startswith("/base/")
    assert not url.query


@given(st.text())
def test_what_an_operation_takes_stays_below_the_origin(path: str) -> None:
    try:
        Operation("", "GET", path)
    except ValueError:
        return
    assert str(api_address("http://127.0.0.1:80", path)).startswith("http://127.0.0.1/")


@pytest.mark.parametrize(
    "path", ["/", "/a", "/api/v1/x/", "/api/v1/things/{id}", "/api/v1/a.b", "/api/v1/größe", "/api/v1/a%20b", "/a:b@c"]
)
def test_paths_of_documents_are_taken(path: str) -> None:
    assert Operation("", "GET", path).path == path
