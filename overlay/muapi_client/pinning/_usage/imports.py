"""Bindings: what the imports of a file bind. Pure.

A name may stand for several things, since one part of a file may import under it what another does not.

Lives here: imports. Does not live here: what is done with the names (``call_sites``).
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from attrs import field, frozen

from muapi_client.pinning._usage.symbols import RENDERED, STARS, find_client_name, find_symbol, is_function_module

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Import(NamedTuple):
    """One name that an import binds.

    Attributes:
        name: The name; ``*`` for all of a module.
        whole: The dotted name of what was imported, where it is this client's.
        line: Where.
        bound: The dotted name of what the name stands for: of ``import a.b`` the ``a``.
    """

    name: str
    whole: str
    line: int
    bound: str


class ForeignImport(NamedTuple):
    """One name imported from somewhere else, by the last part of its module and its own name there.

    Attributes:
        module: The last part of the module's name, and for a relative import without one the folder's; empty where a
            module itself was imported.
        name: What was imported: a module, or something of one; ``*`` for all of it.
        bound: The name it has here.
        line: Where.
    """

    module: str
    name: str
    bound: str
    line: int


@frozen
class Bindings:
    """The names that the imports of a file bind."""

    ours: tuple[Import, ...]
    foreign: tuple[ForeignImport, ...]
    packages: frozenset[str] = frozenset()  # known to be rendered
    names: dict[str, set[str]] = field(factory=dict[str, set[str]])  # ours, each with what it may stand for
    modules: dict[str, set[str]] = field(factory=dict[str, set[str]])  # others, each with parts of what it may be

    @property
    def ways(self) -> frozenset[str]:
        """The names through which any function can be had."""
        return frozenset(
            name
            for name, wholes in self.names.items()
            if any(find_symbol(whole).sort in ("way", "asks") for whole in wholes)
        )

    @property
    def star(self) -> bool:
        """True where functions are imported that are not named."""
        return any(imported.name == "*" for imported in self.ours)


def read_imports(nodes: Iterable[ast.AST], folders: tuple[str, ...], packages: frozenset[str]) -> Bindings:
    """Read the imports among nodes.

    Args:
        nodes: All nodes of a file.
        folders: The names of the folders the file is in, the nearest first.
        packages: Names of packages known to be rendered.
    """
    mine: list[Import] = []
    foreign: list[ForeignImport] = []
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                whole = find_client_name(alias.name, packages)
                mine += [_read_import(alias, whole, node.lineno)] if whole else []
                foreign += [] if whole else _iter_modules(alias, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            module = find_client_name(node.module or "", packages)
            if node.level and (node.module or "").partition(".")[0] not in packages:
                module = ""  # a neighbour, that may be called as this client is
            near = folders[node.level - 1] if node.level and len(folders) >= node.level else ""
            home = (node.module or near).rpartition(".")[2]
            for alias in node.names:
                is_package = not module and alias.name in packages
                mine += [_import_package(alias, node.lineno)] if is_package else []
                mine += [*_iter_names(alias, module, node.lineno)] if module else []
                foreign += (
                    []
                    if module or is_package
                    else [ForeignImport(home, alias.name, alias.asname or alias.name, node.lineno)]
                )
    found = Bindings(tuple(mine), tuple(foreign), packages)
    for imported in mine:
        found.names.setdefault(imported.name, set()).add(imported.bound)
    for foreign_name in foreign:
        found.modules.setdefault(foreign_name.bound, set()).add(foreign_name.name)
    return found


def _read_import(alias: ast.alias, whole: str, line: int) -> Import:
    root = alias.name.partition(".")[0]
    if alias.asname:
        return Import(alias.asname, whole, line, whole)
    return Import(root, whole, line, find_client_name(root) or root)


def _import_package(alias: ast.alias, line: int) -> Import:
    return Import(alias.asname or alias.name, RENDERED, line, RENDERED)


def _iter_modules(alias: ast.alias, line: int) -> Iterator[ForeignImport]:
    parts = alias.name.split(".")
    for part in parts[-1:] if alias.asname else parts:
        yield ForeignImport("", part, alias.asname or parts[0], line)


def _iter_names(alias: ast.alias, module: str, line: int) -> Iterator[Import]:
    if alias.name != "*":
        whole = f"{module}.{alias.name}"
        yield Import(alias.asname or alias.name, whole, line, whole)
    elif is_function_module(module):
        yield Import("*", module, line, module)
    elif module in STARS:
        yield from (Import(name, module, line, f"{module}.{name}") for name in STARS[module])
    else:
        yield Import("", module, line, module)  # binds nothing that is known
