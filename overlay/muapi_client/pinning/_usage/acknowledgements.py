"""Acknowledgements: what a person says a dynamic call uses, which no reading of the code could tell. Pure.

A comment says it, on the line of the call, alone on the line above, or behind its statement::

    mu.run(raw_call(slug, fields))  # muapi: uses flux_dev_image, veo3_1
    # muapi: uses group text_to_image
    mu.run(getattr(models, name)(prompt=prompt))

Or the table ``[uses]`` of ``muapi.lock`` does, by file or by function: ``"src/app.py:run_any" = ["flux_dev_image"]``.

Lives here: reading both, and which places each is for. Does not live here: which places are dynamic (``call_sites``),
what the names mean in a document (``usage``).
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from typing import TYPE_CHECKING, Final, NamedTuple

from muapi_client.pinning._document.errors import PinError, quote

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

GROUP: Final = "group "  # before the name of a group, which stands for all its functions
_MARK: Final = "muapi:"
_COMMENT: Final = re.compile(r"#\s*muapi:\s*uses\b(?P<names>[^#]*)")
_PLACE: Final = re.compile(r"(?P<file>.+):(?P<scope>[^\W\d]\w*(?:\.[^\W\d]\w*)*)")


class Comment(NamedTuple):
    """A comment that names what a call uses; ``alone`` where nothing else stands on its line."""

    line: int
    names: tuple[str, ...]
    alone: bool


class Entry(NamedTuple):
    """A line of the table: what messages call it, which file, which function of it (empty for all), and the names."""

    origin: str
    file: Path
    scope: str
    names: tuple[str, ...]


def read_comments(text: str, name: str) -> list[Comment]:
    """Read the comments of a file that name what a call uses.

    Args:
        text: Its Python.
        name: What an error message calls the file.

    Raises:
        PinError: A comment names nothing.
    """
    if _MARK not in text:
        return []
    found: list[Comment] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        said = _COMMENT.search(token.string) if token.type == tokenize.COMMENT else None
        if said:
            line, column = token.start
            names = split_names(said["names"].split(","))
            if not names:
                raise PinError(f"{name}:{line} says `muapi: uses` and names nothing: give the names of functions")
            found.append(Comment(line, names, not token.line[:column].strip()))
    return found


def read_table(table: Mapping[str, Collection[str]], home: Path, called: str) -> list[Entry]:
    """Read the table of a lock.

    Args:
        table: Its lines.
        home: The folder of the lock, where its paths start.
        called: What messages call the table.
    """
    found: list[Entry] = []
    for place, names in table.items():
        said = _PLACE.fullmatch(place)
        file, scope = (said["file"], said["scope"]) if said else (place, "")
        found.append(Entry(f"{called} with {quote(place)}", (home / file).resolve(), scope, split_names(names)))
    return found


def split_names(names: Iterable[str]) -> tuple[str, ...]:
    """Bring names into one form, without what is empty."""
    return tuple(name for name in (" ".join(listed.split()) for listed in names) if name)


def name_of_group(name: str) -> str:
    """The group that a name stands for; empty where it is another name."""
    return name.removeprefix(GROUP) if name.startswith(GROUP) else ""


def match_comments(
    comments: Collection[Comment], unknown: Collection[int], tree: ast.Module
) -> Iterator[tuple[Comment, frozenset[int]]]:
    """Find the lines with a dynamic call that each comment is for; none where it is for none.

    Args:
        comments: The comments of a file.
        unknown: The lines of it that use what cannot be told.
        tree: Its syntax tree.
    """
    alone = {comment.line for comment in comments if comment.alone}
    for comment in comments:
        below = comment.line
        while comment.alone and below in alone:  # comments may stand above each other
            below += 1
        near = {line for line in (comment.line, below) if line in unknown}
        yield comment, frozenset(near or _find_in_statement(comment.line, unknown, tree))


def find_lines(scope: str, unknown: Collection[int], tree: ast.Module) -> set[int]:
    """Find which of some lines are in a function or class, by its dotted name; all of them for an empty one."""
    spans = [(node.lineno, node.end_lineno or node.lineno) for node in _iter_scopes(tree, scope.split("."))]
    return {line for line in unknown if not scope or any(first <= line <= last for first, last in spans)}


def check_file(entry: Entry) -> None:
    """Refuse a line of the table for a file that is not there.

    Raises:
        PinError: It is not there.
    """
    if not entry.file.exists():
        raise PinError(f"{entry.origin} names no file: there is no {quote(str(entry.file))}")


def _iter_scopes(tree: ast.AST, names: list[str]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """The definitions of that dotted name, wherever in the part they stand: each name inside the one before it."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if node.name == names[0]:
                yield from [node] if len(names) == 1 else _iter_scopes(node, names[1:])
        elif isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
            yield from _iter_scopes(node, names)


def _find_in_statement(line: int, unknown: Collection[int], tree: ast.Module) -> set[int]:
    """The dynamic calls of the statement that a line is of: of a compound one, of its head."""
    spans = [
        (node.lineno, _last_line(node))
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and node.lineno <= line <= _last_line(node)
    ]
    first, last = min(spans, key=lambda span: span[1] - span[0], default=(0, -1))
    return {found for found in unknown if first <= found <= last}


def _last_line(node: ast.stmt) -> int:
    inner: list[ast.AST] = [*getattr(node, "body", ()), *getattr(node, "cases", ())]
    if not inner:
        return node.end_lineno or node.lineno
    start = inner[0].pattern.lineno if isinstance(inner[0], ast.match_case) else getattr(inner[0], "lineno", 0)
    return max(node.lineno, start - 1)
