"""A charter that names a neighbouring file names one that exists: what moves or is renamed is followed there, too.

A charter is a module's docstring. It names a file by its name in backticks (``names.py``), a module of its folder or
one above it by its leading underscore (``_journal``), and in parentheses behind "Does not live here" what has the rest
of the subject, a module or a room (``build``).
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
TREES = ["generator_templates", "overlay/muapi_client"]  # whose charters are read
RENDERED = ROOT / "generated/muapi_generated"  # whose files charters name, too

_QUOTED = re.compile(r"(?<!`)(`{1,2})([^`]+)\1(?!`)")
_FILE = re.compile(r"\w[\w./-]*\.(?:py|jinja|toml|ya?ml|json|md)")
_PRIVATE = re.compile(r"_[a-z][\w/]*")
_MODULE = re.compile(r"[a-z_][\w/]*")
_PARENTHESES = re.compile(r"\(([^()]*)\)")


def named_files(charter: str) -> Iterator[str]:
    """The files and modules a charter names."""
    for _, quoted in _QUOTED.findall(charter):
        yield from (word for word in quoted.split() if _FILE.fullmatch(word))
        if _PRIVATE.fullmatch(quoted):
            yield quoted
    for parentheses in _PARENTHESES.findall(charter.partition("Does not live here:")[2].partition("\n\n")[0]):
        yield from (quoted for _, quoted in _QUOTED.findall(parentheses) if _MODULE.fullmatch(quoted))


def exists(name: str, module: Path, tree: Path) -> bool:
    """Whether a name is that of a file, module or room beside a module, above it, or among what is rendered."""
    folders = [folder for folder in module.parents if folder.is_relative_to(tree)]
    return any((folder / name).exists() or (folder / f"{name}.py").is_file() for folder in (*folders, ROOT, RENDERED))


MODULES = [(tree, path) for tree in TREES for path in sorted((ROOT / tree).rglob("*.py"))]


@pytest.mark.parametrize(("tree", "path"), MODULES, ids=[path.relative_to(ROOT).as_posix() for _, path in MODULES])
def test_a_charter_names_files_that_exist(tree: str, path: Path) -> None:
    charter = ast.get_docstring(ast.parse(path.read_bytes()))
    assert charter, f"{path.name} has no charter"
    assert [name for name in named_files(charter) if not exists(name, path, ROOT / tree)] == []


def test_what_a_charter_names_is_read_from_it() -> None:
    charter = """Names: see `names.py`, ``_journal`` and ``python rules/render.py build``; ``uri=True`` is none.

    Lives here: ``values``. Does not live here: layout (``templates``), what ``Call`` is (``catalog``,
    ``docs.json``).

    Answers have an id (``request_id``).
    """
    assert [*named_files(charter)] == ["names.py", "_journal", "rules/render.py", "docs.json", "templates", "catalog"]
