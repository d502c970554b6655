"""Usage: the names hand-written code uses of a generated package, looked up in the package that is to replace it.

The names are read from the code's syntax trees and the fresh package's: nothing is imported, for the package may be
half of what the code needs. A name that is gone is reported with the file that uses it, before the swap.

Lives here: imports of names, the keywords with which imported request functions are called, attributes of imported
modules, operations written by hand. Does not live here: types, which the type checkers look at once the package is in
place.
"""

from __future__ import annotations

import ast
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from rules.errors import GenerationError

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator
    from pathlib import Path

_MOST_SHOWN = 10  # uses in a message
_OPERATION_ARGUMENTS = 3  # name, method, path
_ENTRY_MODULES = (("muapi_client.models", "functions", "muapi_generated"),)  # modules of ours that lead into a package


class Use(NamedTuple):
    """One name some code uses of the package."""

    file: str
    module: str  # below the package, with dots; empty for the package itself
    name: str
    keyword: str = ""  # a parameter of the function, where that is what is needed
    operation: str = ""  # ``METHOD /path``, where the code makes a request of its own


def check_uses(code: Path, name: str, fresh: Path, document: str, operations: Container[str]) -> None:
    """Refuse a package that lacks what some code uses of it.

    Args:
        code: The folder of the code.
        name: The package's name, by which the code imports it.
        fresh: The package rendered just now, wherever it stands.
        document: The name, for the message, of the document it was rendered from.
        operations: The operations of that document, as ``METHOD /path``.

    Raises:
        GenerationError: Names are missing; each is reported with the file that uses it.
    """
    missing = [_describe(use, fresh) for use in find_uses(code, name) if not _exists(use, fresh, operations)]
    if missing:
        more = f" and {len(missing) - _MOST_SHOWN} more" if len(missing) > _MOST_SHOWN else ""
        raise GenerationError(
            f"{'; '.join(missing[:_MOST_SHOWN])}{more}: {document} no longer has what the hand-written code stands on. "
            "Change the code first, or keep the name with a correction."
        )


def find_uses(code: Path, name: str) -> list[Use]:
    """List what the files below a folder use of a package, each once, by file."""
    found = [
        use
        for file in sorted(code.rglob("*.py"))
        if any(module.encode() in (source := file.read_bytes()) for module, _ in _entry_modules(name))
        for use in _find_in_tree(ast.parse(source), file.relative_to(code.parent).as_posix(), name)
    ]
    return list(dict.fromkeys(found))


def _entry_modules(package: str) -> tuple[tuple[str, str], ...]:
    """List the modules whose imports are of the package, each with the module below it they lead to."""
    return ((package, ""), *((module, target) for module, target, owner in _ENTRY_MODULES if owner == package))


def _find_in_tree(tree: ast.Module, file: str, package: str) -> Iterator[Use]:
    names: dict[str, Use] = {}  # by what the file calls them
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level:
            module = _module_in_package(node.module or "", package)
            for alias in node.names if module is not None else ():
                names[alias.asname or alias.name] = Use(file, module or "", "" if alias.name == "*" else alias.name)
        elif isinstance(node, ast.Import):
            yield from (
                Use(file, module, "")
                for alias in node.names
                if (module := _module_in_package(alias.name, package)) is not None
            )
    yield from names.values()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            use = names[node.func.id]
            yield from (use._replace(keyword=keyword.arg) for keyword in node.keywords if keyword.arg)
            if use.name == "Operation":
                yield from _find_operations(node, use)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names:
            use = names[node.value.id]
            if use.name and use.name.islower():  # a module: of classes and constants the type checkers know more
                yield Use(file, f"{use.module}.{use.name}".lstrip("."), node.attr)


def _find_operations(node: ast.Call, use: Use) -> Iterator[Use]:
    """Find the operation a call of ``Operation`` makes, where method and path are literals."""
    arguments = [
        argument.value
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]
    if len(arguments) == _OPERATION_ARGUMENTS:
        yield use._replace(operation=f"{arguments[1]} {arguments[2]}")


def _module_in_package(module: str, package: str) -> str | None:
    """Return the module of the package an import is of, or ``None``."""
    for entry, target in _entry_modules(package):
        if module == entry or module.startswith(f"{entry}."):
            return ".".join(part for part in (target, module.removeprefix(entry).lstrip(".")) if part)
    return None


def _exists(use: Use, fresh: Path, operations: Container[str]) -> bool:
    if use.operation:
        return use.operation in operations
    home = fresh.joinpath(*use.module.split(".")) if use.module else fresh
    if not use.name:
        return home.is_dir() or home.with_suffix(".py").is_file()
    if (home / use.name).is_dir() or (home / f"{use.name}.py").is_file():
        return True
    if use.keyword:
        return _accepts_keyword(home, use, fresh)
    return use.name in _exported_names(home)


@cache
def _exported_names(home: Path) -> frozenset[str]:
    """Return the names a module exports: its own, and those of its stub."""
    return frozenset(name for node in _read_statements(home) for name in _bound_names(node))


def _read_statements(home: Path) -> Iterator[ast.stmt]:
    stems = (home / "__init__", home) if home.is_dir() else (home,)
    for file in (stem.with_name(f"{stem.name}{ending}") for stem in stems for ending in (".py", ".pyi")):
        if file.is_file():
            yield from ast.parse(file.read_bytes()).body


def _bound_names(node: ast.stmt) -> Iterable[str]:
    if isinstance(node, ast.ImportFrom | ast.Import):
        return [alias.asname or alias.name for alias in node.names]
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _accepts_keyword(home: Path, use: Use, fresh: Path) -> bool:
    """Return whether a request function has a parameter; what is a class, or gone altogether, is another matter."""
    candidates = [home, *(file.with_suffix("") for file in fresh.glob(f"api/*/{use.name}.py"))]
    functions = [
        node
        for candidate in candidates
        for node in _read_statements(candidate)
        if isinstance(node, ast.FunctionDef) and node.name == use.name
    ]
    return not functions or any(_has_parameter(node, use.keyword) for node in functions)


def _has_parameter(node: ast.FunctionDef, parameter: str) -> bool:
    arguments = node.args
    return arguments.kwarg is not None or parameter in {
        argument.arg for argument in (*arguments.args, *arguments.kwonlyargs)
    }


def _describe(use: Use, fresh: Path) -> str:
    if use.operation:
        return f"{use.file} asks {use.operation}"
    module = f" of {use.module}" if use.module else ""
    if use.keyword:
        return f"{use.file} calls {use.name} with {use.keyword}"
    home = fresh.joinpath(*use.module.split(".")) if use.module else fresh
    close = get_close_matches(use.name, _exported_names(home), n=1) if use.name else []
    hint = f" (near it: {close[0]})" if close else ""
    return f"{use.file} uses {use.name or use.module}{module if use.name else ''}{hint}"
