"""Usage: which of MuAPI's operations a code base calls, read from its syntax trees. Nothing is imported or executed.

Seen are imports of request functions, from wherever they can be had; attributes of modules that were imported; names
given as text to ``raw_call``, ``catalog.get`` and ``getattr``. Not seen is what only running would tell: it is reported
as unknown, and a file that cannot be read or parsed as unread. Then anything may be used.

Lives here: files in, names and places out. Does not live here: finding and parsing files (``source_files``), what one
file uses (``call_sites``), what changed.
"""

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Self

from attrs import evolve, field, frozen

from muapi_client.pinning._diff.prices import index_operations
from muapi_client.pinning._document.errors import PinError
from muapi_client.pinning._document.reader import Document
from muapi_client.pinning._usage.call_sites import FileUsage, Found, read_tree
from muapi_client.pinning._usage.source_files import UNREADABLE, describe_error, find_source_files, parse_file

# What the client calls by itself, whichever models a program uses (its code says; a test compares).
CLIENTS_OWN: Final = frozenset({
    "account_topup", "delete_keys_key_id", "get_account_balance", "get_history", "get_keys", "get_models",
    "get_models_name", "get_predictions_id_result", "get_upload_url", "keys", "models_name_estimate_cost",
    "upload_file",
})  # fmt: skip


@frozen(order=True)
class Use:
    """Where something is used; in a notebook the line is counted over all its code."""

    __module__ = "muapi_client.pinning"

    file: str
    line: int


@frozen
class Usage:
    """The operations that a code base uses.

    Attributes:
        names: Functions, slugs and catalogue names, each with the places where it is used.
        maybe: Other names in files with a star import, which may be functions and may be anything.
        unknown: Places that use what only running would tell, such as a slug made at run time.
        unread: Files that could not be read or parsed, each with the reason.
        files: How many files were read.
    """

    __module__ = "muapi_client.pinning"

    names: Mapping[str, tuple[Use, ...]] = field(factory=dict[str, tuple[Use, ...]])
    maybe: Mapping[str, tuple[Use, ...]] = field(factory=dict[str, tuple[Use, ...]])
    unknown: tuple[Use, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()
    files: int = 0

    @property
    def complete(self) -> bool:
        """True where nothing else can be used: nothing is unknown or unread."""
        return not (self.unknown or self.unread)

    def within(self, functions: Mapping[str, str], called: Mapping[str, Collection[str]] | None = None) -> Self:
        """It, with each name of a function of some document under the function's name, and no other.

        Args:
            functions: The functions of the document, each with its slug.
            called: The functions that each catalogue name is for, where catalogue names are to be understood.
        """
        known: dict[str, set[Use]] = {}
        for some in (self.names, self.maybe):
            for name, functions_of_it in _resolve(some, functions, called or {}).items():
                for function in functions_of_it:
                    known.setdefault(function, set()).update(some[name])
        return evolve(self, names={name: tuple(sorted(known[name])) for name in sorted(known)}, maybe={})

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


def find_usage(paths: Iterable[str | os.PathLike[str]]) -> Usage:
    """Find the request functions that Python code uses, in modules, scripts and notebooks.

    Args:
        paths: Files, or folders to look through; folders of installed packages and hidden ones are left out.

    Returns:
        What was found, and what could not be told.

    Raises:
        PinError: A path is not there, or there is no Python file in any of them.
    """
    listed = find_source_files(paths)
    if not listed.files and not listed.unread:
        raise PinError("there is no Python file to look into: give --used-in a file or a folder with code")
    readings: dict[Path, FileUsage] = {}
    unread = [*listed.unread]
    for file in listed.files:
        try:
            tree = parse_file(file)
            if tree is not None:
                readings[file] = read_tree(tree, _folders_of(file))
        except UNREADABLE as error:
            unread.append((file.as_posix(), describe_error(error)))
    names: dict[str, dict[str, set[Use]]] = {"names": {}, "maybe": {}, "unknown": {}}
    handed, starred = _collect_exports(readings)
    for file, reading in readings.items():
        for sort, name, line in (*reading.found, *_iter_imported(reading, handed, starred)):
            names[sort].setdefault(name, set()).add(Use(file.as_posix(), line))
    sorted_names = {sort: {name: tuple(sorted(some[name])) for name in sorted(some)} for sort, some in names.items()}
    return Usage(
        sorted_names["names"], sorted_names["maybe"], sorted_names["unknown"].get("", ()), tuple(unread), len(readings)
    )


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
