"""Reliance: what hand-written code uses of a generated package, held against the package that is to replace it.

The names are read from the code's syntax trees, and looked up in the fresh package's: nothing is imported, for the
package may be half of what the code needs. A name that is gone is told with the file that uses it, before the swap.

Lives here: imports of names, the keywords with which imported request functions are called, attributes of imported
modules, operations written by hand. Does not live here: types, which the checkers look at once the package is in its
place.
"""

from __future__ import annotations

import ast
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from rules.errors import RefusalError

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator
    from pathlib import Path

_SHOWN = 10  # uses in a message
_WORDS_OF_AN_OPERATION = 3  # name, method, path
_DOORS = (("muapi_client.models", "functions", "muapi_generated"),)  # modules of ours that lead into a package


class Use(NamedTuple):
    """One thing some code needs of the package."""

    file: str
    module: str  # below the package, with dots; empty for the package itself
    name: str
    keyword: str = ""  # a parameter of the function, where that is what is needed
    operation: str = ""  # ``METHOD /path``, where the code makes a request of its own


def check(code: Path, name: str, fresh: Path, document: str, operations: Container[str]) -> None:
    """Refuse a package that lacks what some code uses of it.

    Args:
        code: The folder of the code.
        name: The package's name, by which the code imports it.
        fresh: The package rendered just now, wherever it stands.
        document: What the message calls the document it was rendered from.
        operations: What that has, as ``METHOD /path``.

    Raises:
        RefusalError: Names are missing; each is told with the file that uses it.
    """
    lacking = [_told(use, fresh) for use in uses(code, name) if not _there(use, fresh, operations)]
    if lacking:
        more = f" and {len(lacking) - _SHOWN} more" if len(lacking) > _SHOWN else ""
        raise RefusalError(
            f"{'; '.join(lacking[:_SHOWN])}{more}: {document} no longer has what the hand-written code stands on. "
            "Change the code first, or keep the name with a correction."
        )


def uses(code: Path, name: str) -> list[Use]:
    """Everything the files below a folder use of a package, each once, by file."""
    found = [
        use
        for file in sorted(code.rglob("*.py"))
        if any(lead.encode() in (source := file.read_bytes()) for lead, _ in _leads(name))
        for use in _of_tree(ast.parse(source), file.relative_to(code.parent).as_posix(), name)
    ]
    return list(dict.fromkeys(found))


def _leads(package: str) -> tuple[tuple[str, str], ...]:
    """The modules whose imports are of the package, each with where below it they lead."""
    return ((package, ""), *((lead, home) for lead, home, of in _DOORS if of == package))


def _of_tree(tree: ast.Module, file: str, package: str) -> Iterator[Use]:
    names: dict[str, Use] = {}  # by what the file calls them
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level:
            module = _below(node.module or "", package)
            for alias in node.names if module is not None else ():
                names[alias.asname or alias.name] = Use(file, module or "", "" if alias.name == "*" else alias.name)
        elif isinstance(node, ast.Import):
            yield from (
                Use(file, module, "") for alias in node.names if (module := _below(alias.name, package)) is not None
            )
    yield from names.values()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            use = names[node.func.id]
            yield from (use._replace(keyword=one.arg) for one in node.keywords if one.arg)
            if use.name == "Operation":
                yield from _operations(node, use)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names:
            use = names[node.value.id]
            if use.name and use.name.islower():  # a module: of a class or a constant the checkers know more
                yield Use(file, f"{use.module}.{use.name}".lstrip("."), node.attr)


def _operations(node: ast.Call, use: Use) -> Iterator[Use]:
    """The operation a call of ``Operation`` makes, where method and path are written there."""
    words = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    if len(words) == _WORDS_OF_AN_OPERATION:
        yield use._replace(operation=f"{words[1]} {words[2]}")


def _below(module: str, package: str) -> str | None:
    """The module of the package an import is of, or ``None``."""
    for lead, home in _leads(package):
        if module == lead or module.startswith(f"{lead}."):
            return ".".join(part for part in (home, module.removeprefix(lead).lstrip(".")) if part)
    return None


def _there(use: Use, fresh: Path, operations: Container[str]) -> bool:
    if use.operation:
        return use.operation in operations
    place = fresh.joinpath(*use.module.split(".")) if use.module else fresh
    if not use.name:
        return place.is_dir() or place.with_suffix(".py").is_file()
    if (place / use.name).is_dir() or (place / f"{use.name}.py").is_file():
        return True
    if use.keyword:
        return _takes(place, use, fresh)
    return use.name in _names(place)


@cache
def _names(place: Path) -> frozenset[str]:
    """The names a module gives away: its own, and those its stub tells."""
    return frozenset(name for node in _statements(place) for name in _bound(node))


def _statements(place: Path) -> Iterator[ast.stmt]:
    stems = (place / "__init__", place) if place.is_dir() else (place,)
    for file in (stem.with_name(f"{stem.name}{ending}") for stem in stems for ending in (".py", ".pyi")):
        if file.is_file():
            yield from ast.parse(file.read_bytes()).body


def _bound(node: ast.stmt) -> Iterable[str]:
    if isinstance(node, ast.ImportFrom | ast.Import):
        return [alias.asname or alias.name for alias in node.names]
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [one.id for one in targets if isinstance(one, ast.Name)]


def _takes(place: Path, use: Use, fresh: Path) -> bool:
    """Whether a request function has a parameter; what is a class, or gone altogether, is another matter."""
    homes = [place, *(file.with_suffix("") for file in fresh.glob(f"api/*/{use.name}.py"))]
    functions = [
        node
        for home in homes
        for node in _statements(home)
        if isinstance(node, ast.FunctionDef) and node.name == use.name
    ]
    return not functions or any(_has(node, use.keyword) for node in functions)


def _has(node: ast.FunctionDef, parameter: str) -> bool:
    taken = node.args
    return taken.kwarg is not None or parameter in {one.arg for one in (*taken.args, *taken.kwonlyargs)}


def _told(use: Use, fresh: Path) -> str:
    if use.operation:
        return f"{use.file} asks {use.operation}"
    module = f" of {use.module}" if use.module else ""
    if use.keyword:
        return f"{use.file} calls {use.name} with {use.keyword}"
    place = fresh.joinpath(*use.module.split(".")) if use.module else fresh
    near = get_close_matches(use.name, _names(place), n=1) if use.name else []
    hint = f" (near it: {near[0]})" if near else ""
    return f"{use.file} uses {use.name or use.module}{module if use.name else ''}{hint}"
