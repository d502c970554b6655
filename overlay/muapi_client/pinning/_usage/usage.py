"""Usage: which of MuAPI's operations a code base calls, read from its syntax trees. Nothing is imported or executed.

Seen are imports of request functions, from wherever they can be had; attributes of modules that were imported; names
given as text to ``raw_call``, ``catalog.get`` and ``getattr``. Not seen is what only running would tell: it is reported
as unknown, and a file that cannot be read or parsed as unread. Then anything may be used, unless a person says what.

Lives here: files in, names and places out. Does not live here: finding files (``source_files``), what one file uses
(``call_sites``), what a person says of it (``acknowledgements``), what changed.
"""

import ast
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from attrs import evolve, field, frozen

from muapi_client.pinning._diff.prices import index_operations
from muapi_client.pinning._document.errors import PinError, list_near, quote
from muapi_client.pinning._document.reader import Document
from muapi_client.pinning._usage.acknowledgements import (
    GROUP,
    Comment,
    Entry,
    check_file,
    find_lines,
    match_comments,
    name_of_group,
    read_comments,
    read_table,
)
from muapi_client.pinning._usage.call_sites import FileUsage, Found, read_tree
from muapi_client.pinning._usage.source_files import UNREADABLE, Python, describe_error, find_source_files, read_python

# What the client calls by itself, whichever models a program uses (its code says; a test compares).
CLIENTS_OWN: Final = frozenset({
    "account_topup", "delete_keys_key_id", "get_account_balance", "get_history", "get_keys", "get_models",
    "get_models_name", "get_predictions_id_result", "get_upload_url", "keys", "models_name_estimate_cost",
    "upload_file",
})  # fmt: skip


@frozen(order=True)
class Use:
    """Where something is used.

    Attributes:
        file: The file.
        line: The line, counted from 1; in a notebook that within its cell.
        cell: In a notebook, which of its code cells, counted from 1; else 0.
    """

    __module__ = "muapi_client.pinning"

    file: str
    line: int
    cell: int = 0

    def __str__(self) -> str:
        return f"{self.file}, code cell {self.cell}, line {self.line}" if self.cell else f"{self.file}:{self.line}"


@frozen
class Usage:
    """The operations that a code base uses.

    Attributes:
        names: Functions, slugs and catalogue names, each with the places where it is used.
        maybe: Other names in files with a star import, which may be functions and may be anything.
        unknown: Places that use what only running would tell, such as a slug made at run time, and of which nobody
            says what.
        unread: Files that could not be read or parsed, each with the reason.
        files: How many files were read.
        acknowledged: What a person says that such places use, each with where that is said: a function, slug or
            catalogue name, or ``group text_to_image``.
        idle: Where a person says it of a place that uses nothing of the kind.
        attributes: Of ``names``, with their places, what is imported or had as an attribute of the client's models, so
            that the program fails where there is no such function; without what a package rendered into the code has.
        origins: For each of ``acknowledged``, the place where a person says it: of a comment its line, or the entry of
            the table.
        unused: Of ``unknown``, the imports that nothing in their file uses, with the name each binds.
        named: Of ``names``, once those are functions, what is used by its own name and not as one of a group.
        rendered: The functions of packages that ``muapi-client spec build`` rendered into the code.
        changed: The folders of such packages of which files changed since, each with how many: those count as the
            program's own code.
    """

    __module__ = "muapi_client.pinning"

    names: Mapping[str, tuple[Use, ...]] = field(factory=dict[str, tuple[Use, ...]])
    maybe: Mapping[str, tuple[Use, ...]] = field(factory=dict[str, tuple[Use, ...]])
    unknown: tuple[Use, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()
    files: int = 0
    acknowledged: Mapping[str, tuple[Use, ...]] = field(factory=dict[str, tuple[Use, ...]])
    idle: tuple[str, ...] = ()
    named: frozenset[str] = frozenset()
    attributes: Mapping[str, tuple[Use, ...]] = field(factory=dict[str, tuple[Use, ...]])
    origins: Mapping[str, str] = field(factory=dict[str, str])
    unused: Mapping[Use, str] = field(factory=dict[Use, str])
    rendered: frozenset[str] = frozenset()
    changed: Mapping[str, int] = field(factory=dict[str, int])

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that a person says are used whole."""
        return tuple(sorted(group for group in map(name_of_group, self.acknowledged) if group))

    @property
    def complete(self) -> bool:
        """True where nothing else can be used: nothing is unknown or unread."""
        return not (self.unknown or self.unread)

    def within(
        self,
        functions: Mapping[str, str],
        called: Mapping[str, Collection[str]] | None = None,
        groups: Mapping[str, Collection[str]] | None = None,
    ) -> Self:
        """It, with each name of a function of some document under the function's name, and no other.

        Args:
            functions: The functions of the document, each with its slug.
            called: The functions that each catalogue name is for, where catalogue names are to be understood.
            groups: The functions of each group.

        Raises:
            PinError: A person says that a function is used which the document does not have.
        """
        known: dict[str, set[Use]] = {}
        named: set[str] = set()
        for some, meant in (
            (self.acknowledged, self._resolve_acknowledged(functions, called or {}, groups or {})),
            *((some, _resolve(some, functions, called or {})) for some in (self.names, self.maybe)),
        ):
            for name, functions_of_it in meant.items():
                named |= set() if name_of_group(name) else functions_of_it
                for function in functions_of_it:
                    known.setdefault(function, set()).update(some[name])
        return evolve(
            self,
            names={name: tuple(sorted(known[name])) for name in sorted(known)},
            maybe={},
            named=frozenset(named),
        )

    def _resolve_acknowledged(
        self, functions: Mapping[str, str], called: Mapping[str, Collection[str]], groups: Mapping[str, Collection[str]]
    ) -> dict[str, set[str]]:
        meant = _resolve(self.acknowledged, functions, called)
        for name, places in self.acknowledged.items():
            meant[name] |= {*groups.get(name_of_group(name), ())}
            if not meant[name]:
                known = [*functions, *functions.values(), *called, *(f"{GROUP}{group}" for group in groups)]
                hint = f": did you mean {GROUP}{name}?" if name in groups else list_near(name, dict.fromkeys(known))
                origin = self.origins.get(name) or str(places[0])
                raise PinError(
                    f"{origin} says that {quote(name)} is used, which is no function, slug, "
                    f"catalogue name or group of the document{hint}"
                )
        return meant

    def strange(
        self, functions: Mapping[str, str], called: Mapping[str, Collection[str]] | None = None
    ) -> tuple[str, ...]:
        """The names that are used for sure, and that are no function, slug or catalogue name of the document.

        Args:
            functions: As for :meth:`within`.
            called: The functions that each catalogue name is for.
        """
        meant = _resolve(self.names, functions, called or {})
        return tuple(sorted(name for name in self.names if not meant[name]))


def find_usage(
    paths: Iterable[str | os.PathLike[str]],
    *,
    uses: Mapping[str, Collection[str]] | None = None,
    home: str | os.PathLike[str] = ".",
    table: str = "the table [uses]",
) -> Usage:
    """Find the request functions that Python code uses, in modules, scripts and notebooks.

    Args:
        paths: Files, or folders to look through; folders of installed packages and hidden ones are left out, and
            packages that ``muapi-client spec build`` rendered.
        uses: What dynamic calls use, by ``file`` or ``file:function``, beside what comments in the code say of it.
        home: The folder where the files in ``uses`` are looked for.
        table: What messages call ``uses``.

    Returns:
        What was found, and what could not be told.

    Raises:
        PinError: A path is not there, there is no Python file in any of them, or a comment or ``uses`` names nothing.
    """
    listed = find_source_files(paths)
    if not listed.files and not listed.unread:
        raise PinError("there is no Python file to look into: give --used-in a file or a folder with code")
    readings: dict[Path, _Reading] = {}
    unread = [*listed.unread]
    for file in listed.files:
        try:
            python = read_python(file)
            if python is not None:
                tree = _parse(python, file)
                comments = read_comments(python.text, file.as_posix())
                usage = read_tree(tree, _folders_of(file), listed.packages)
                readings[file] = _Reading(usage, comments, tree, file, python)
        except UNREADABLE as error:
            unread.append((file.as_posix(), describe_error(error)))
    entries = read_table(uses or {}, Path(home), table)
    for entry in entries:
        check_file(entry)
    return evolve(_gather(readings, unread, entries, listed.functions), changed=listed.changed)


def _parse(python: Python, file: Path) -> ast.Module:
    """The syntax tree of a file; what is no Python in a notebook is told by its cell, as its reader sees it.

    Raises:
        SyntaxError: It is no Python.
    """
    try:
        return ast.parse(python.text, str(file))
    except SyntaxError as error:
        if not python.starts or error.lineno is None:
            raise
        line, cell = python.locate(error.lineno)
        raise SyntaxError(f"{error.msg} (code cell {cell}, line {line})") from None


class _Reading(NamedTuple):
    """One file that was read."""

    usage: FileUsage
    comments: list[Comment]
    tree: ast.Module
    file: Path
    python: Python

    def use(self, line: int) -> Use:
        """A line of it, as a place to tell."""
        return Use(self.file.as_posix(), *self.python.locate(line))


class _Said(NamedTuple):
    """One thing a person says of a file: where, which names, and the lines of dynamic calls that it is for."""

    origin: str
    names: tuple[str, ...]
    lines: frozenset[int]
    places: frozenset[int]  # what is shown of it


def _gather(
    readings: Mapping[Path, _Reading],
    unread: Iterable[tuple[str, str]],
    table: list[Entry],
    rendered: frozenset[str],
) -> Usage:
    """Gather what files use, with what a person says of it."""
    names: dict[str, dict[str, set[Use]]] = {"names": {}, "maybe": {}, "unknown": {}, "acknowledged": {}}
    attributes: dict[str, set[Use]] = {}
    origins: dict[str, str] = {}
    unused: dict[Use, str] = {}
    handed, starred = _collect_exports({file: reading.usage for file, reading in readings.items()})
    served: dict[str, bool] = {}  # by where a person says something: whether that is for any dynamic call
    for file, reading in readings.items():
        found = [*reading.usage.found, *_iter_imported(reading.usage, handed, starred)]
        said = _list_said(file, reading, {one.line for one in found if one.sort == "unknown"}, table)
        settled = frozenset[int]().union(*(one.lines for one in said))
        for sort, name, line, owned in found:
            if owned and name not in rendered:
                attributes.setdefault(name, set()).add(reading.use(line))
            if sort != "unknown":
                names[sort].setdefault(name, set()).add(reading.use(line))
            elif line not in settled:
                names[sort].setdefault("", set()).add(reading.use(line))
                unused |= {reading.use(line): name} if name else {}
        for one in said:
            served[one.origin] = bool(one.lines)
            for name in one.names if one.lines else ():
                origins.setdefault(name, one.origin)
                names["acknowledged"].setdefault(name, set()).update(map(reading.use, one.places))
    whole = {
        entry.file: entry for entry in table if not entry.scope
    }  # which stands for a file that cannot be read, too
    closed = {name: whole[Path(name).resolve()] for name, _ in unread if Path(name).resolve() in whole}
    for file_name, entry in closed.items():
        served.pop(entry.origin, None)
        for name in entry.names:
            origins.setdefault(name, entry.origin)
            names["acknowledged"].setdefault(name, set()).add(Use(file_name, 1))
    sorted_names = {sort: {name: tuple(sorted(some[name])) for name in sorted(some)} for sort, some in names.items()}
    return Usage(
        sorted_names["names"],
        sorted_names["maybe"],
        sorted_names["unknown"].get("", ()),
        tuple(one for one in unread if one[0] not in closed),
        len(readings),
        sorted_names["acknowledged"],
        tuple(origin for origin, serves in served.items() if not serves),
        origins=origins,
        unused=unused,
        attributes={name: tuple(sorted(attributes[name])) for name in sorted(attributes)},
        rendered=rendered,
    )


def _list_said(file: Path, reading: _Reading, unknown: Collection[int], table: list[Entry]) -> list[_Said]:
    """List what a person says of the dynamic calls in a file, by comments and in the table."""
    said = [
        _Said(str(reading.use(comment.line)), comment.names, lines, frozenset({comment.line}))
        for comment, lines in match_comments(reading.comments, unknown, reading.tree)
    ]
    for entry in (entry for entry in table if entry.file == file.resolve()):
        lines = frozenset(find_lines(entry.scope, unknown, reading.tree))
        said.append(_Said(entry.origin, entry.names, lines, lines))
    return said


def index_groups(*documents: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """The functions of each group, as the documents' tags and paths tell it."""
    found: dict[str, set[str]] = {}
    for document in map(Document, documents):
        for operation in document.operations.values():
            if operation.function:
                found.setdefault(operation.group, set()).add(operation.function)
    return {group: frozenset(functions) for group, functions in sorted(found.items())}


def index_functions(*documents: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """The functions that each catalogue name is for, as the documents' summaries tell it."""
    named = index_operations(*map(Document, documents))
    return {
        name: frozenset(operation.function for operation in some if operation.function) for name, some in named.items()
    }


def _resolve(
    names: Iterable[str], functions: Mapping[str, str], called: Mapping[str, Collection[str]]
) -> dict[str, set[str]]:
    """The functions each name may mean: its own, a slug's (one slug may have several methods), a catalogue name's."""
    by_slug: dict[str, set[str]] = {}
    for function, slug in functions.items():
        by_slug.setdefault(slug, set()).add(function)
    patterns = [(re.compile(_pattern_of(slug)), some) for slug, some in by_slug.items() if "{" in slug]
    meant: dict[str, set[str]] = {}
    for name in names:
        found = {name} & functions.keys() | by_slug.get(name, set()) | {*called.get(name, ())} & functions.keys()
        filled = (some for pattern, some in patterns if "/" in name and pattern.fullmatch(name))
        meant[name] = found.union(*filled)
    return meant


def _pattern_of(slug: str) -> str:
    """A slug with parameters, such as ``predictions/{id}/result``, as what fits it."""
    return "[^/]+".join(map(re.escape, re.split(r"\{[^{}]*\}", slug)))


def _folders_of(file: Path) -> tuple[str, ...]:
    return tuple(folder.name for folder in file.resolve().parents)


def _module_of(file: Path) -> str:
    """The last part of the name by which a file is imported."""
    return file.resolve().parent.name if file.stem == "__init__" else file.stem


def _collect_exports(readings: Mapping[Path, FileUsage]) -> tuple[dict[str, set[str]], set[str]]:
    """Collect the names that lead to functions, by module, and the modules that export functions unnamed."""
    handed: dict[str, set[str]] = {}
    for file, reading in readings.items():
        handed.setdefault(_module_of(file), set()).update(reading.ways)
    return handed, {_module_of(file) for file, reading in readings.items() if reading.star}


def _iter_imported(reading: FileUsage, handed: Mapping[str, set[str]], starred: Collection[str]) -> Iterator[Found]:
    """Find what a file uses by way of another one."""
    for foreign in reading.foreign:
        ways = handed.get(foreign.module, set())
        whole_module = foreign.name in starred or (foreign.name == "*" and (bool(ways) or foreign.module in starred))
        if foreign.name in ways or whole_module:
            yield Found("unknown", "", foreign.line)
        elif foreign.module in starred:
            yield Found("maybe", foreign.name, foreign.line)
    for module, name, line in reading.reached:
        if name in handed.get(module, ()):
            yield Found("unknown", "", line)
        elif module in starred:
            yield Found("maybe", name, line)
