"""The pinning package loads each name when it is asked for."""

from __future__ import annotations

import inspect
import pickle
import re
import subprocess
import sys
import typing
from typing import Any

import pytest
from attrs import fields, has

from muapi_client import pinning
from muapi_client.emulator._spec.lazy_json import find_section


def test_every_public_name_is_there_and_no_other() -> None:
    assert [name for name in pinning.__all__ if not hasattr(pinning, name)] == []
    assert dir(pinning) == sorted(pinning.__all__)
    with pytest.raises(AttributeError, match=r"'muapi_client.pinning' has no attribute 'unpin'"):
        _ = pinning.unpin


FOREIGN = {"Any", "Literal", "Mapping", "None", "Optional", "Path", "Traversable", "Self"}
CLASSES = [value for name in pinning.__all__ if inspect.isclass(value := getattr(pinning, name))]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_a_public_class_names_the_module_it_is_imported_from(cls: type) -> None:
    assert cls.__module__ == "muapi_client.pinning"
    assert pickle.loads(pickle.dumps(cls)) is cls


@pytest.mark.parametrize("cls", [cls for cls in CLASSES if has(cls)], ids=lambda cls: cls.__name__)
def test_the_fields_of_a_public_class_tell_their_types(cls: type) -> None:
    assert typing.get_type_hints(cls).keys() >= {field.name for field in fields(cls)}


def test_whatever_class_a_public_name_hands_out_is_public() -> None:
    named = {
        word for name in pinning.__all__ for word in re.findall(r"\b[A-Z]\w+", _handed_out(getattr(pinning, name)))
    }
    assert named - FOREIGN - {*pinning.__all__} == set()


def _handed_out(value: Any) -> str:
    """The types that a function returns, or that a class has as fields, properties and answers of methods, as text."""
    if inspect.isclass(value):
        members = [*vars(value).values()]
        inner = [getattr(member, "fget", None) or getattr(member, "func", None) for member in members]
        functions = [one for one in (*members, *inner) if inspect.isfunction(one)]
        return " ".join(map(str, (inspect.get_annotations(value), *map(_handed_out, functions))))
    return str(inspect.get_annotations(value).get("return")) if inspect.isfunction(value) else ""


def test_reading_the_pin_loads_nothing_of_the_network() -> None:
    script = (
        "import sys; from muapi_client.pinning import pinned; pinned().content;"
        "package = 'muapi_client.pinning.';"
        "print([name for name in (f'{package}_locks.fetch', f'{package}_document.source', 'urllib.request')"
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
