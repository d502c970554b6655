"""A document in YAML becomes the JSON that it stands for; one in JSON comes back byte for byte."""

from __future__ import annotations

import json
from typing import Any

import pytest

from muapi_client.pinning import PinError
from muapi_client.pinning._document import yaml_text

BOMB = b"a: &a [1, 1]\n" + b"".join(
    b"%c: &%c [%s]\n" % (letter, letter, b", ".join([b"*%c" % (letter - 1)] * 20)) for letter in b"bcdefg"
)


@pytest.mark.parametrize(
    ("content", "source", "means"),
    [
        (
            b"openapi: 3.1.0\non: off\nday: 2026-11-22\n",
            "a.yaml",
            {"openapi": "3.1.0", "on": "off", "day": "2026-11-22"},
        ),
        (b"# ours\nopenapi: 3.1.0\n", "https://example.com/openapi", {"openapi": "3.1.0"}),
        (b"\xef\xbb\xbfresponses: {200: x}\n", "https://example.com/a.yml?raw=1", {"responses": {"200": "x"}}),
    ],
)
def test_yaml_is_told_by_its_name_or_its_beginning_and_read_as_json_means_it(
    content: bytes, source: str, means: Any
) -> None:
    assert json.loads(yaml_text.to_json(content, source)) == means


@pytest.mark.parametrize("content", [b'{"openapi": "3.1.0"}', b' \n{"a": 1}', b"<html>openapi: 1", b"", b"half a doc"])
def test_whatever_else_comes_back_as_it_is(content: bytes) -> None:
    assert yaml_text.to_json(content, "openapi.json") == content


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"a: [", "the document is not YAML"),
        (b"a: 1\na: 2\n", "the document is not YAML"),
        (b"a: !!python/object/apply:os.system [x]\n", "the document is not YAML"),
        (b"a: \xff\n", "the document is not YAML"),
        (b"a: &a [*a]\n", "aliases unfold"),
        (BOMB, "aliases unfold to more than 10,000,000 values"),
        (b"a: !!binary aGk=\n", "no form for"),
    ],
)
def test_what_is_no_yaml_of_json_is_refused(content: bytes, named: str) -> None:
    with pytest.raises(PinError, match=named):
        yaml_text.to_json(content, "a.yaml")


def test_without_a_reader_of_yaml_the_extra_that_has_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(yaml_text, "import_module", refuse)
    with pytest.raises(PinError, match=r"pip install 'muapi-client\[generate\]', or give the document as JSON"):
        yaml_text.to_json(b"openapi: 3.1.0\n", "a.yaml")


def test_json_needs_no_reader_of_yaml(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> Any:
        raise AssertionError(name)

    monkeypatch.setattr(yaml_text, "import_module", refuse)
    assert yaml_text.to_json(b"{}", "a.yaml") == b"{}"
