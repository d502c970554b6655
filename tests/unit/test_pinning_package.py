"""The pinning package loads each name when it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from muapi_client import pinning
from muapi_client.emulator._spec.lazy_json import find_section


def test_every_public_name_is_there_and_no_other() -> None:
    assert [name for name in pinning.__all__ if not hasattr(pinning, name)] == []
    assert dir(pinning) == sorted(pinning.__all__)
    with pytest.raises(AttributeError, match=r"'muapi_client.pinning' has no attribute 'unpin'"):
        _ = pinning.unpin


def test_reading_the_pin_loads_nothing_of_the_network() -> None:
    script = (
        "import sys; from muapi_client.pinning import pinned; pinned().content;"
        "print([name for name in ('muapi_client.pinning._fetch', 'muapi_client.pinning._source', 'urllib.request')"
        " if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_a_document_in_another_form_is_no_section() -> None:
    with pytest.raises(ValueError, match=r"has no components\.schemas where its form puts it"):
        find_section(b'{"components": {"schemas": {}}}', "components", "schemas")


def test_a_section_reads_its_members_and_no_others() -> None:
    content = (
        b'{\n "paths": {\n  "/a": {\n   "x": 1\n  },\n  "/b": {}\n },\n "other": {\n  "/c": {\n   "x": 2\n  }\n }\n}\n'
    )
    paths = find_section(content, "paths")
    assert ("/c" in paths, "/a" in paths) == (False, True)
    assert dict(paths) == {"/a": {"x": 1}, "/b": {}}
    assert ("/c" in paths, len(paths)) == (False, 2)
