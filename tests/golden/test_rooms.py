"""The rooms of the generator: imports go one way, those for type checkers included."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

from build.generator import HERE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES = {".".join(path.relative_to(HERE).with_suffix("").parts): path for path in HERE.rglob("*.py")}


def imported(path: Path) -> Iterator[str]:
    """The generator's modules that one of them imports, at run time or for its types."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom):
            module = f"{path.parent.name}.{node.module or ''}".rstrip(".") if node.level else node.module or ""
            yield from (name for name in (module, *(f"{module}.{alias.name}" for alias in node.names)) if name in FILES)


def test_no_module_imports_one_that_imports_it() -> None:
    arrows = {name: set(imported(path)) for name, path in FILES.items()}
    assert {"rules.names", "rules.plan"} <= arrows["build.package"]
    TopologicalSorter(arrows).prepare()  # raises CycleError, which names the modules


def test_rules_know_of_no_other_room_and_nothing_knows_of_the_command() -> None:
    for name, path in FILES.items():
        rooms = {module.partition(".")[0] for module in imported(path)}
        assert "render" not in rooms, name
        assert not (name.startswith("rules.") and rooms - {"rules"}), name
