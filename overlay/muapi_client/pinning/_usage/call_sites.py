"""Readings: which request functions one file uses, and what it hands on to others. Pure.

Closed by construction: a name through which any function can be had is read where an attribute of it is named, where it
is called with a text, and as the first argument of ``getattr`` with a text. Wherever else it stands, it is told as
unknown. A name made at run time is unknown, too.

Lives here: one tree in, names and lines out. Does not live here: the files (``source_files``), what they make together
(``usage``).
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from attrs import frozen

from muapi_client.pinning._usage.imports import ForeignImport, read_imports
from muapi_client.pinning._usage.symbols import CLIENTS, RENDERED, find_client_name, find_symbol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muapi_client.pinning._usage.imports import Bindings

_OURS: Final = re.compile(r"muapi_(?:client|generated)\w*(?:[.:]\w+)+[.:]?|muapi_(?:client|generated)\w*[.:]")
_IMPORTERS: Final = frozenset({"__import__", "import_module", "importorskip"})
_BLIND: Final = frozenset({"eval", "exec", "globals", "locals"})  # may reach every name of the file
_MISSING: Final = frozenset({"AttributeError", "BaseException", "Exception", "ImportError", "ModuleNotFoundError"})
_GETATTR: Final = 2  # arguments of `getattr` without a default
_FROMLIST: Final = 4  # the place of this argument of `__import__`, from one


class Found(NamedTuple):
    """One use: for sure (``names``), of a name that may be a function (``maybe``), or of what cannot be told."""

    sort: Literal["names", "maybe", "unknown"]
    name: str  # of what cannot be told: of an import with which nothing else is done
    line: int
    owned: bool = False  # had from the client's modules by its name, so that it has to be there


@frozen
class FileUsage:
    """The uses in one file, and what it exports.

    Attributes:
        found: What it uses.
        ways: The names in it through which any function can be had.
        star: Whether it has request functions that its imports do not name.
        foreign: What it imports from elsewhere.
        reached: Attributes of modules from elsewhere: the last part of the module, the attribute, the line.
    """

    found: tuple[Found, ...]
    ways: frozenset[str]
    star: bool
    foreign: tuple[ForeignImport, ...]
    reached: tuple[tuple[str, str, int], ...]


def read_tree(tree: ast.Module, folders: tuple[str, ...] = (), packages: frozenset[str] = frozenset()) -> FileUsage:
    """Read one file.

    Args:
        tree: Its syntax tree.
        folders: The names of the folders it is in, the nearest first.
        packages: Names of packages known to be rendered, beside those that are called like one.
    """
    nodes = [*ast.walk(tree)]
    scope = read_imports(nodes, folders, packages)
    is_ours = bool(scope.ours) or any(_names_client(node, packages) for node in nodes)
    found = [*_iter_imports(scope, nodes), *_iter_uses(tree, scope)] if is_ours else []
    optional = _find_optional_lines(nodes)
    if any(_is_from_elsewhere(node, packages) for node in nodes):  # whose functions nobody knows here
        found = [one._replace(owned=False) for one in found]
    found = [one._replace(owned=one.owned and one.line not in optional) for one in found]
    if scope.star:
        found += [Found("maybe", node.id, node.lineno) for node in nodes if isinstance(node, ast.Name)]
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    dynamic = [foreign for node in calls for foreign in _iter_foreign_imports(node, packages)]
    reached = [reached for node in nodes for reached in _iter_foreign_attributes(node, scope)]
    return FileUsage(tuple(found), scope.ways, scope.star, (*scope.foreign, *dynamic), tuple(reached))


def _names_client(node: ast.AST, packages: frozenset[str]) -> bool:
    """Tell whether it is a text that could name this client: most files have neither that nor its import."""
    text = node.value if isinstance(node, ast.Constant) else None
    return isinstance(text, str) and any(name in text for name in ("muapi_", *packages))


def _find_optional_lines(nodes: list[ast.AST]) -> set[int]:
    """The lines where a name may be missing: the program says what it does then."""
    tries = (node for node in nodes if isinstance(node, ast.Try) and any(map(_catches_missing, node.handlers)))
    return {line for node in tries for one in node.body for line in range(one.lineno, (one.end_lineno or 0) + 1)}


def _catches_missing(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(one is None or (isinstance(one, ast.Name) and one.id in _MISSING) for one in caught)


def _is_from_elsewhere(node: ast.AST, packages: frozenset[str]) -> bool:
    """Tell whether it imports a rendered package that does not stand in the code."""
    if isinstance(node, ast.Import):
        roots = [alias.name.partition(".")[0] for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        roots = [(node.module or "").partition(".")[0]]
    elif isinstance(node, ast.Call):
        roots = [_module_of(node).partition(".")[0]]
    else:
        return False
    return any(root.startswith(f"{RENDERED}_") and root not in packages for root in roots)


def _iter_imports(scope: Bindings, nodes: list[ast.AST]) -> Iterator[Found]:
    """Find what imports use: functions, and whatever is imported only to be had from here."""
    loaded = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    for imported in scope.ours:
        symbol = find_symbol(imported.whole)
        if symbol.sort == "function":
            yield Found("names", symbol.name, imported.line, owned=True)
        elif symbol.sort != "plain" and imported.name != "*" and "." in imported.whole and imported.name not in loaded:
            starred = imported.bound != imported.whole and imported.bound.startswith(imported.whole)
            if not starred:
                yield Found("unknown", imported.name, imported.line)


def _iter_uses(tree: ast.Module, scope: Bindings) -> Iterator[Found]:
    """Every use in the order of a stack: no depth of nesting is too deep for it."""
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Expr):  # its value goes nowhere
            value = node.value
            yield from (found for found in _read_expression(value, scope) if found.sort == "names")
            if not isinstance(value, ast.Constant):
                stack += _iter_other_parts(value, scope) if _dotted_names_of(value, scope) else [value]
        elif isinstance(node, ast.Call) and not _dotted_names_of(node, scope):
            yield from _read_call(node, scope)
            stack += _iter_call_parts(node, scope)
        elif isinstance(node, ast.expr):
            yield from _read_expression(node, scope)
            stack += _iter_other_parts(node, scope) if _dotted_names_of(node, scope) else ast.iter_child_nodes(node)
        else:
            stack += ast.iter_child_nodes(node)


def _read_expression(node: ast.expr, scope: Bindings) -> Iterator[Found]:
    """Find what an expression that stands by itself leads to."""
    for whole in _dotted_names_of(node, scope):
        symbol = find_symbol(whole)
        if symbol.sort == "function":
            yield Found("names", symbol.name, node.lineno, owned=not _has_default(node))
        elif symbol.sort != "plain":
            yield Found("unknown", "", node.lineno)
    text = _text_of(node)
    if text and _OURS.fullmatch(text):
        symbol = find_symbol(find_client_name(text.replace(":", ".")))
        if symbol.sort != "plain":
            yield Found("names" if symbol.sort == "function" else "unknown", symbol.name, node.lineno)
    if isinstance(node, ast.Name) and node.id in _BLIND and scope.ways:
        yield Found("unknown", "", node.lineno)


def _dotted_names_of(node: ast.expr, scope: Bindings) -> set[str]:
    """The dotted names of this client that an expression may stand for; none where it is something else."""
    after: list[str] = []
    while True:
        if isinstance(node, ast.Attribute):
            after.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Call) and _is_getattr(node):
            after.append(_text_of(node.args[1]) or "")
            node = node.args[0]
        else:
            break
    if isinstance(node, ast.Name):
        first = [*scope.names.get(node.id, ())] if isinstance(node.ctx, ast.Load) else []
    else:
        module = _client_module_of(node, scope) if isinstance(node, ast.Call) else ""
        first = [module] if module else []
    wholes = (".".join([root, *reversed(after)]) for root in first)
    return {name for name in (find_client_name(whole, scope.packages) for whole in wholes) if name}


def _is_getattr(node: ast.Call) -> bool:
    named = isinstance(node.func, ast.Name) and node.func.id == "getattr" and len(node.args) > 1
    return named and bool(_text_of(node.args[1]))


def _has_default(node: ast.expr) -> bool:
    """Tell whether an expression has a value even where an attribute in it is missing."""
    asked = (part for part in ast.walk(node) if isinstance(part, ast.Call) and _callee_name_of(part) == "getattr")
    return any(len(part.args) > _GETATTR for part in asked)


def _client_module_of(node: ast.Call, scope: Bindings) -> str:
    """The module of this client that a call imports; empty where it imports none."""
    return find_client_name(_module_of(node), scope.packages)


def _module_of(node: ast.Call) -> str:
    """The dotted name of the module that a call imports, as its value has it."""
    called = _callee_name_of(node)
    if called not in _IMPORTERS or not node.args:
        return ""
    name, beside = _text_of(node.args[0]) or "", [*node.args[1:], *(keyword.value for keyword in node.keywords)]
    if called == "__import__":
        listed = len(node.args) >= _FROMLIST or any(keyword.arg == "fromlist" for keyword in node.keywords)
        return name if listed else name.partition(".")[0]
    near = next((_text_of(argument) or "" for argument in beside), "")
    return f"{near}.{name.lstrip('.')}" if name.startswith(".") else name


def _callee_name_of(node: ast.Call) -> str:
    """The last part of the name that is called; empty where it has none."""
    if isinstance(node.func, ast.Name):
        return node.func.id
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def _iter_other_parts(node: ast.expr, scope: Bindings) -> Iterator[ast.expr]:
    """List the parts of an expression that was read as a dotted name which do not belong to the name."""
    while _dotted_names_of(node, scope):
        if isinstance(node, ast.Attribute):
            node = node.value
        elif isinstance(node, ast.Call):
            yield from (keyword.value for keyword in node.keywords)
            yield from (argument for argument in node.args[1:] if _text_of(argument) is None)
            if not _is_getattr(node):
                yield node.func
                return
            node = node.args[0]
        else:
            return


def _read_call(node: ast.Call, scope: Bindings) -> Iterator[Found]:
    """Find what a call uses: by what is called, and by a name that it gives as text."""
    for whole in _dotted_names_of(node.func, scope):
        symbol = find_symbol(whole)
        if symbol.sort == "asks":
            given = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg in ("slug", "name"))]
            text = _text_of(given[0]) if given else None
            name = (text or "").strip("/").removeprefix("api/v1/")
            yield Found("names", name, node.lineno) if name else Found("unknown", "", node.lineno)
        elif symbol.sort != "plain":
            owned = symbol.sort == "function" and not _has_default(node.func)
            yield Found("names" if symbol.sort == "function" else "unknown", symbol.name, node.lineno, owned)
    if _callee_name_of(node) == "hasattr" and len(node.args) > 1:
        for whole in _dotted_names_of(node.args[0], scope):
            symbol = find_symbol(f"{whole}.{_text_of(node.args[1]) or '__name__'}")
            if symbol.sort == "function":
                yield Found("names", symbol.name, node.lineno)


def _iter_call_parts(node: ast.Call, scope: Bindings) -> Iterator[ast.expr]:
    """The parts of a call that have to be read as well."""
    callee = _dotted_names_of(node.func, scope)
    if callee:
        yield from _iter_other_parts(node.func, scope)
    else:
        yield node.func
    asked = _callee_name_of(node) == "hasattr" and len(node.args) > 1 and bool(_text_of(node.args[1]))
    yield from node.args[1:] if asked else node.args
    for keyword in node.keywords:  # a client is held to a package that was rendered beside
        if not (callee & CLIENTS and keyword.arg == "models" and isinstance(keyword.value, ast.Name)):
            yield keyword.value


def _iter_foreign_imports(node: ast.Call, packages: frozenset[str]) -> Iterator[ForeignImport]:
    """A module from elsewhere that a call imports."""
    name = _module_of(node)
    if name and not find_client_name(name, packages):
        yield ForeignImport("", name.rpartition(".")[2], "", node.lineno)


def _iter_foreign_attributes(node: ast.AST, scope: Bindings) -> Iterator[tuple[str, str, int]]:
    """An attribute of a module from elsewhere."""
    if isinstance(node, ast.Attribute):
        base, name = node.value, node.attr
    elif isinstance(node, ast.Call) and _is_getattr(node):
        base, name = node.args[0], _text_of(node.args[1]) or ""
    else:
        return
    if isinstance(base, ast.Name):
        yield from ((part, name, node.lineno) for part in scope.modules.get(base.id, ()))
    elif isinstance(base, ast.Attribute):
        yield base.attr, name, node.lineno
    elif isinstance(base, ast.Call) and _module_of(base):
        yield _module_of(base).rpartition(".")[2], name, node.lineno


def _text_of(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
