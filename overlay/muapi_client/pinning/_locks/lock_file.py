"""The file of a user's lock: its TOML as facts, checked, and which functions differ from those of a package. Pure.

A client that is given a lock reads it when it is made, so that nothing here takes long to load: what ``spec lock``
wrote is one fact a line and needs no TOML, and there are no classes.

Lives here: reading, and that one comparison. Does not live here: the lock as a value, and writing it (``user_lock``).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from muapi_client.pinning._document.errors import PinError, quote
from muapi_client.pinning._document.strict_json import as_list, as_object

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FORM: Final = 2  # of the file; a later form gets another number, and this one is still read
UNCORRECTED: Final = 1  # the form whose hashes are of the document as it is pinned
HEAD: Final = ("document_sha256", "corrections_sha256", "package")
USES: Final = "uses"
HASH: Final = 64  # hexadecimal digits
# Patterns are compiled where they are used: the most of a start on a lock would go into those that are not.
_TABLE: Final = r"(?m)^\["
_USES_TABLE: Final = r"(?m)^\[\s*uses\s*\].*$"
_FACT: Final = r'(?a:([A-Za-z_]\w*) = ("[^"\\]*"|[0-9]+))'
_SHA256: Final = frozenset("0123456789abcdef")
_PRICE: Final = r"[0-9]+(\.[0-9]+)?"  # USD
_PACKAGE: Final = r"[!-~]+"  # one word: it is printed where somebody may copy it into a shell
_GROUP: Final = r"[a-z0-9_]+"


def read_facts(text: str, name: str) -> dict[str, Any]:
    """Read what a lock says, ``form`` included.

    Args:
        text: The TOML; a byte order mark before it is passed over.
        name: What an error message calls the file.

    Raises:
        PinError: This is no lock of a form that is known.
    """
    written = _read_written(text)
    found = _parse(text, name) if written is None else written
    form = found.setdefault("form", UNCORRECTED)
    if type(form) is not int or form not in (UNCORRECTED, FORM):
        raise PinError(f"{name} has the form {quote(form)}, which a later muapi-client wrote: upgrade it")
    _check_uses(found.get(USES, {}), name)
    wrong = _find_wrong({key: value for key, value in found.items() if key != "form"})
    if wrong:
        raise PinError(
            f"{name} is no lock of a program: look at {', '.join(wrong)}; `muapi-client spec lock` writes it anew"
        )
    return found


def find_differences(facts: Mapping[str, Any], rendered: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Find the locked functions that a package has otherwise, and those it has no longer.

    Args:
        facts: What the lock says.
        rendered: What the package was rendered from: ``document_sha256``, ``corrections_sha256``, and the hashes of
            its functions, ``functions`` and ``uncorrected``.
    """
    locked: dict[str, str] = facts["functions"]
    there: dict[str, str] = rendered["uncorrected" if facts["form"] == UNCORRECTED else "functions"]
    gone = sorted(name for name in locked if name not in there)
    if is_settled(facts, rendered):
        return [], gone
    return sorted(name for name, was in locked.items() if there.get(name, was) != was), gone


def is_settled(facts: Mapping[str, Any], rendered: Mapping[str, Any]) -> bool:
    """Tell whether hashes of whole files say that no function differs."""
    heads = HEAD[:1] if facts["form"] == UNCORRECTED else HEAD[:2]
    return all(facts[head] == rendered[head] for head in heads)


def find_uses(text: str, name: str = "muapi.lock") -> str:
    """Find the table ``[uses]`` of a lock, as a person wrote it: the one part of the file that no program writes.

    The rest of the file need not be whole: a merge may have left its marks there.

    Args:
        text: The file.
        name: What an error message calls it.

    Returns:
        The table with its head and its comments; empty where there is none.

    Raises:
        PinError: The table cannot be read.
    """
    head = re.search(_USES_TABLE, text)
    if head is None:
        return ""
    end = re.compile(_TABLE).search(text, head.end())
    table = text[head.start() : end.start() if end else len(text)].rstrip() + "\n"
    _check_uses(_parse(table, f"the table [uses] of {name}", "mend it").get(USES), name)
    return table


def read_uses(table: str) -> dict[str, tuple[str, ...]]:
    """Read the table ``[uses]``, as :func:`find_uses` gives it."""
    return {place: tuple(names) for place, names in _parse(table, USES).get(USES, {}).items()}


def _parse(text: str, name: str, remedy: str = "`muapi-client spec lock` writes it anew") -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - takes as long as all the rest of a start on a lock

    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PinError(f"{name} is not TOML: {error}; {remedy}") from None


def _find_wrong(facts: Mapping[str, Any]) -> list[str]:
    """The names of what cannot be right in a lock's TOML."""
    hashes = [name for name in ("document_sha256", "corrections_sha256") if not _is_hash(facts.get(name))]
    tables: dict[str, Callable[[object], bool]] = {"functions": _is_hash, "prices": lambda price: _fits(_PRICE, price)}
    groups = as_list(facts.get("groups", []))
    return [
        *hashes,
        *([] if _fits(_PACKAGE, facts.get("package")) else ["package"]),
        *([] if facts.get("functions") else ["functions"]),
        *(["groups"] if groups is None or not all(_fits(_GROUP, group) for group in groups) else []),
        *(
            misfit
            for table, is_good in tables.items()
            for misfit in _find_misfits(table, facts.get(table, {}), is_good)
        ),
        *sorted(map(quote, facts.keys() - {*HEAD, *tables, "groups", USES})),
    ]


def _find_misfits(table: str, found: object, is_good: Callable[[object], bool]) -> list[str]:
    """The table, where it is none, or its entries that are no function's name with such a value."""
    entries = as_object(found)
    if entries is None:
        return [table]
    named = {key: key if key.isidentifier() else quote(key) for key in entries}
    return [f"{table}.{named[key]}" for key, value in entries.items() if named[key] != key or not is_good(value)]


def _check_uses(found: object, name: str) -> None:
    """Refuse a table [uses] that cannot be right: a person writes it, so that no command writes it anew."""
    wrong = _find_wrong_uses(found)
    if wrong:
        raise PinError(f"{name}: look at {', '.join(wrong)}: a file, or file:function, has a list of names")


def _find_wrong_uses(found: object) -> list[str]:
    """The table of what dynamic calls use, where it is none, or its entries that are no lists of names."""
    entries = as_object(found)
    if entries is None:
        return [USES]
    lists = {place: as_list(names) for place, names in entries.items()}
    return [
        f"{USES}.{quote(place)}"
        for place, names in lists.items()
        if not place or not names or not all(isinstance(name, str) and name.strip() for name in names)
    ]


def _fits(form: str, value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(form, value) is not None


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and len(value) == HASH and set(value) <= _SHA256


def _read_written(text: str) -> dict[str, Any] | None:
    """The facts of a file that stands as ``spec lock`` writes it, without a table of uses; None of another."""
    found: dict[str, Any] = {}
    table, fact_form = found, re.compile(_FACT)
    for line in (line for line in text.split("\n") if line and not line.startswith("#")):
        fact = fact_form.fullmatch(line)
        if fact and fact[1] not in table:
            table[fact[1]] = json.loads(fact[2])
        elif line in ("[functions]", "[prices]") and line[1:-1] not in found:
            table = found[line[1:-1]] = {}
        else:
            return None
    return found
