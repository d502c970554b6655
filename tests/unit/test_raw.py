"""A raw call reaches any job endpoint below ``/api/v1/``, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from by_kind import IMAGE, make_image
from hypothesis import given
from hypothesis import strategies as st

from muapi_client import raw_call
from muapi_client.errors import ValidationError


@pytest.mark.parametrize(
    ("slug", "path"),
    [
        (IMAGE.slug, f"/api/v1/{IMAGE.slug}"),
        ("any/new-slug", "/api/v1/any/new-slug"),
        ("/any/new-slug/", "/api/v1/any/new-slug"),
        (f"api/v1/{IMAGE.slug}", f"/api/v1/{IMAGE.slug}"),
        (f"/api/v1/{IMAGE.slug}", f"/api/v1/{IMAGE.slug}"),
        ("vidu-v2.0-t2v", "/api/v1/vidu-v2.0-t2v"),
        ("a_b~c", "/api/v1/a_b~c"),
        ("a?b#c", "/api/v1/a%3Fb%23c"),
        ("{name}", "/api/v1/%7Bname%7D"),
        ("a b", "/api/v1/a%20b"),
        ("ü", "/api/v1/%C3%BC"),
    ],
)
def test_a_slug(slug: str, path: str) -> None:
    call = raw_call(slug, {"prompt": "a fox"})
    assert (call.operation.method, call.operation.path, call.body) == ("POST", path, {"prompt": "a fox"})
    assert call.operation.is_job


@pytest.mark.parametrize(
    "slug",
    ["", "/", "..", "a/..", "../a", "a/./b", "a//b", "a/ /b", "a\nb", "\ud800", "https://evil.example/x"],
)
def test_no_slug(slug: str) -> None:
    with pytest.raises(ValidationError):
        raw_call(slug)


@pytest.mark.parametrize("slug", ["a%2e%2e", "%2e%2e/admin", "a%2Fb", "a\\b", "..;/admin"])
def test_nor_does_what_a_proxy_would_make_another_path_of(slug: str) -> None:
    with pytest.raises(ValidationError):
        raw_call(slug)


@given(st.text())
def test_no_slug_leaves_the_prefix(slug: str) -> None:
    try:
        path = raw_call(slug).operation.path
    except ValidationError:
        return
    assert path.startswith("/api/v1/")
    assert path.isascii()
    assert not set(path) & set(" ?#\\{}")
    assert not {"", ".", ".."} & set(path.removeprefix("/").split("/"))


@pytest.mark.parametrize("words", [(None,), (make_image,), (42, {}), ("a/b", ["x"]), ("a/b", "prompt")])
def test_what_is_no_slug_or_no_body_is_refused(words: tuple[Any, ...]) -> None:
    with pytest.raises(ValidationError, match=r"is text|is a mapping"):
        raw_call(*words)


def test_the_body_is_a_copy() -> None:
    body = {"prompt": "a fox"}
    call = raw_call("any/model", body)
    body["prompt"] = "a bear"
    assert call.body == {"prompt": "a fox"}
    assert raw_call("any/model").body == {}
