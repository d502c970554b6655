"""The options ``--used-in`` and ``--only`` of the actions of ``spec``: the functions that a code base uses.

Lives here: reading the code against documents, with the table ``[uses]`` of a lock, and the lines about what cannot be
known of it. Does not live here: how code is read (``muapi_client.pinning``), what each action makes of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from muapi_client.pinning import UserLock, find_usage
from muapi_client.pinning._document.errors import PinError, list_near
from muapi_client.pinning._usage.usage import index_functions, index_groups

if TYPE_CHECKING:
    import argparse
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from muapi_client.pinning import Usage, Use

# What makes a dynamic call known.
SAY: Final = (
    "say what it uses beside the call (`# muapi: uses NAME, …`), or in the table [uses] of {lock} "
    '(`"FILE:FUNCTION" = ["NAME", …]`)'
)
RENDERED: Final = (
    "of a package rendered into this code, and not of the pinned document: no lock is about it, so pin that package by "
    "its hash (`spec_pin=PACKAGE.SPEC.sha256`)"
)
LOCK: Final = "muapi.lock"  # whose table is read where no option names another


class ReadUsage(NamedTuple):
    """A code base, read against documents.

    Attributes:
        usage: The functions it uses.
        strange: Names it uses that no document has, each with its places.
        missing: Of those, what is imported or had as an attribute: there the program fails.
    """

    usage: Usage
    strange: Mapping[str, tuple[Use, ...]]
    missing: Mapping[str, tuple[Use, ...]]


def resolve_usage(every: Usage, functions: Mapping[str, str], *documents: Mapping[str, Any]) -> ReadUsage:
    """Resolve the names found in code to functions of these documents.

    Args:
        every: What was found.
        functions: The functions of the documents, each with its slug.
        documents: The documents, whose summaries tell the catalogue names, and whose tags tell the groups.

    Raises:
        PinError: An acknowledgement in the code names what no document has.
    """
    called = index_functions(*documents)
    strange = {name: every.names[name] for name in every.strange(functions, called)}
    missing = {name: places for name, places in every.attributes.items() if name in strange}
    return ReadUsage(every.within(functions, called, index_groups(*documents)), strange, missing)


def read_code(paths: Iterable[str], lock: str | None = None) -> Usage | None:
    """Find what the code that ``--used-in`` names uses; None where it names none.

    Args:
        paths: The code.
        lock: The lock whose table ``[uses]`` says what dynamic calls use; None for ``muapi.lock``, if there is one.

    Raises:
        PinError: A path is not there, or holds no Python; or the lock or an acknowledgement in the code is none.
    """
    listed = [*paths]
    if not listed:
        return None
    file = Path(lock or LOCK)
    if lock is None and not file.is_file():
        return find_usage(listed)
    uses = UserLock.from_toml(read_lock_text(str(file)), str(file)).uses
    return find_usage(listed, uses=uses, home=file.parent, table=f"the table [uses] of {file}")


def read_only(options: argparse.Namespace) -> list[str]:
    """The functions or slugs that ``--only`` names."""
    return [name.strip() for name in (options.only or "").split(",") if name.strip()]


def read_lock_text(lock: str) -> str:
    """Read the file of a lock.

    Raises:
        PinError: There is none.
    """
    try:
        return Path(lock).read_text(encoding="utf-8-sig", errors="replace")
    except FileNotFoundError:
        raise PinError(
            f"there is no lock {lock}: `muapi-client spec lock {lock} --used-in FOLDER` writes one of what the code "
            "there uses; commit it"
        ) from None


def describe_unknown(usage: Usage, lock: str) -> Iterator[str]:
    """The places that use what cannot be told, a line each, with what to do about it."""
    say = SAY.format(lock=lock)
    for use in usage.unknown:
        if use in usage.unused:
            yield (
                f"{use}: `{usage.unused[use]}` is imported and not used there, and other code may "
                f"have it from there: take the import away, or {say}"
            )
        else:
            yield f"{use} uses what cannot be told without running it: {say}"


def describe_strange(
    strange: Mapping[str, tuple[Use, ...]], functions: Mapping[str, str], verdict: str, rendered: Collection[str] = ()
) -> Iterator[str]:
    """The names that no document has, a line each: where, what that means, and what may be meant.

    Args:
        strange: The names, each with its places.
        functions: The functions of the documents, each with its slug.
        verdict: What it means.
        rendered: The functions of packages rendered into the code, of which something else is true.
    """
    known = [*functions, *functions.values()]
    for name, places in strange.items():
        where = ", ".join(map(str, places))
        if name in rendered:
            yield f"{where}: {name} is {RENDERED}"
        else:
            yield f"{where}: {name} is {verdict}{list_near(name, dict.fromkeys(known))}"


def describe_unread(usage: Usage) -> Iterator[str]:
    """The files that cannot be read, a line each."""
    yield from (f"{file} could not be read: {why}" for file, why in usage.unread)


def describe_remarks(usage: Usage) -> Iterator[str]:
    """What changes no result and may be a mistake: idle words on dynamic calls, rendered packages that changed."""
    yield from (
        f"{folder} is a package that `spec build` rendered, and {count} of its files changed since, which are read as "
        "code of yours: render it anew, and leave it out of what formats or lints code"
        for folder, count in usage.changed.items()
    )
    yield from (
        f"{place} says what a dynamic call uses, and there is none: take it away, or put it beside the call"
        for place in usage.idle
    )
