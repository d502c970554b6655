"""The option ``--used-in`` of the actions of ``spec``: the functions that a code base uses.

Lives here: reading the code against documents, and the lines about what cannot be known of it. Does not live here: how
code is read (``muapi_client.pinning``), what each action makes of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from muapi_client.pinning import find_usage
from muapi_client.pinning._usage.usage import index_functions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from muapi_client.pinning import Usage


class ReadUsage(NamedTuple):
    """A code base, read against documents.

    Attributes:
        usage: The functions it uses.
        strange: Names it uses that no document has.
    """

    usage: Usage
    strange: tuple[str, ...]


def resolve_usage(every: Usage, functions: Mapping[str, str], *documents: Mapping[str, Any]) -> ReadUsage:
    """Resolve the names found in code to functions of these documents.

    Args:
        every: What was found.
        functions: The functions of the documents, each with its slug.
        documents: The documents, whose summaries tell the catalogue names.
    """
    called = index_functions(*documents)
    return ReadUsage(every.within(functions, called), every.strange(functions, called))


def read_code(paths: Iterable[str]) -> Usage | None:
    """Find what the code that ``--used-in`` names uses; None where it names none.

    Raises:
        PinError: A path is not there, or holds no Python.
    """
    listed = [*paths]
    return find_usage(listed) if listed else None


def describe_unknown(usage: Usage) -> Iterator[str]:
    """The places that use what cannot be told, a line each."""
    yield from (f"{use.file}:{use.line} uses what cannot be told without running it" for use in usage.unknown)


def describe_unread(usage: Usage) -> Iterator[str]:
    """The files that cannot be read, a line each."""
    yield from (f"{file} could not be read: {why}" for file, why in usage.unread)
