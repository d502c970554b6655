"""Packages that ``spec build`` rendered into a code base: they are no code of the program's, and lead to functions."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from muapi_client.pinning import Usage, find_usage

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "__init__.py": "SPEC = 1\n",
    "types.py": "from muapi_generated.types import *\n",
    "functions/__init__.py": "from muapi_client import models\nfound = vars(models)\n",  # what nobody could tell
}


@pytest.fixture
def src(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A code base with such a package in ``src/app/older``."""
    package = tmp_path / "src/app/older"
    (package / "functions").mkdir(parents=True)
    for name, text in FILES.items():
        (package / name).write_text(text, encoding="utf-8")
    record = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in FILES.items()}
    (package / "files.json").write_text(json.dumps(record), encoding="utf-8")
    (tmp_path / "src/main.py").write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "src"


def told(src: Path, text: str, name: str = "main.py") -> Usage:
    (src / name).write_text(text, encoding="utf-8")
    return find_usage(["src"])


def test_its_own_files_are_left_out(src: Path) -> None:
    usage = find_usage(["src"])
    assert (usage.complete, usage.files) == (True, 1)


def test_a_file_of_it_that_was_changed_or_added_is_read(src: Path) -> None:
    (src / "app/older/mine.py").write_text("from muapi_client import raw_call\nraw_call(input())\n", encoding="utf-8")
    with (src / "app/older/functions/__init__.py").open("a", encoding="utf-8") as file:
        file.write("# mine\n")
    assert [use.file for use in find_usage(["src"]).unknown] == [
        "src/app/older/functions/__init__.py",
        "src/app/older/mine.py",
    ]


@pytest.mark.parametrize("record", ["", "[]", "{}", '{"__init__.py": "0"}', '{"types.py": 1, "__init__.py": 1}'])
def test_another_file_of_that_name_makes_no_package(src: Path, record: str) -> None:
    (src / "app/older/files.json").write_text(record, encoding="utf-8")
    assert not find_usage(["src"]).complete


@pytest.mark.parametrize(
    "text",
    [
        "from app.older.functions import flux_dev_image\n",
        "from older import functions\nfunctions.flux_dev_image()\n",
        "import app.older.functions\napp.older.functions.flux_dev_image()\n",
        "import app.older as one\none.functions.flux_dev_image()\n",
        "from app import older\nolder.functions.flux_dev_image()\n",
        "import importlib\nimportlib.import_module('app.older.functions').flux_dev_image()\n",
        "from app.older.functions import *\nflux_dev_image()\n",
    ],
)
def test_what_is_had_from_it_counts(src: Path, text: str) -> None:
    usage = told(src, text)
    assert "flux_dev_image" in {**usage.names, **usage.maybe}
    assert not usage.unknown


@pytest.mark.parametrize(
    "text",
    [
        "from .older.functions import flux_dev_image\n",
        "from . import older\nolder.functions.flux_dev_image()\n",
    ],
)
def test_what_a_neighbour_has_from_it_counts(src: Path, text: str) -> None:
    assert [*told(src, text, "app/near.py").names] == ["flux_dev_image"]


def test_a_name_made_at_run_time_is_told_and_can_be_said(src: Path) -> None:
    text = "from app.older import functions\ngetattr(functions, name)()"
    assert told(src, text).unknown[0].line == 2
    assert told(src, f"{text}  # muapi: uses flux_dev_image\n").complete
