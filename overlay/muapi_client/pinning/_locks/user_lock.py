"""A user's lock: the document a program was written against, and a hash for each function it uses. Pure.

Lives here: what such a lock holds, its TOML, and comparing it with a document. Does not live here: the lock of the pin
itself (``_document/lock``), what of an operation matters (``fingerprint``), which functions a code base uses
(``_diff``), the file (``muapi-client spec lock`` writes it, ``spec verify`` and ``MuAPI(spec_pin=…)`` read it).
"""

import json
import re
import tomllib
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any, Final, Self

from attrs import field, frozen

from muapi_client.pinning._document.errors import PinError, quote
from muapi_client.pinning._document.reader import Document
from muapi_client.pinning._document.strict_json import as_object
from muapi_client.pinning._locks.fingerprint import make_fingerprint

FORM: Final = 1  # of the file; a later form gets another number, and this one is still read
HEADER: Final = """\
# Which MuAPI document this program was written against, and what that says of each function it uses.
# Written by `muapi-client spec lock`; commit it. CI compares: `muapi-client spec verify --lock muapi.lock`.
"""
HEAD: Final = ("document_sha256", "corrections_sha256", "package")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PRICE = re.compile(r"\d+(\.\d+)?")  # USD
_PACKAGE = re.compile(r"[!-~]+")  # one word: it is printed where somebody may copy it into a shell


@frozen(kw_only=True)
class UserLock:
    """The document a program was written against, and the functions it uses.

    Attributes:
        document_sha256: Hash of the pinned document.
        corrections_sha256: Hash of the corrections it was rendered with; they change what a function sends and takes.
        package: The distribution that brought both, such as ``muapi-client==0.1.0.20261122``.
        functions: For each, the hash of what the document says of it: method, path, server, parameters, request,
            answer, security.
        prices: For each function, its representative price in USD; empty where prices are not pinned.
    """

    __module__ = "muapi_client.pinning"

    document_sha256: str
    corrections_sha256: str
    package: str
    functions: Mapping[str, str]
    prices: Mapping[str, str] = field(factory=dict[str, str])

    def to_toml(self) -> str:
        """Write the lock as TOML, one fact a line, sorted."""
        head = {"form": FORM, **{name: getattr(self, name) for name in HEAD}}
        prices = [("prices", self.prices)] if self.prices else []
        tables = "".join(
            f"\n[{name}]\n{_to_toml(sorted(table.items()))}" for name, table in [("functions", self.functions), *prices]
        )
        return f"{HEADER}{_to_toml(head.items())}{tables}"

    @classmethod
    def from_toml(cls, text: str, name: str = "muapi.lock") -> Self:
        """Read a lock.

        Args:
            text: The TOML; a byte order mark before it is passed over.
            name: What an error message calls the file.

        Raises:
            PinError: This is no lock of this form.
        """
        try:
            found = tomllib.loads(text.removeprefix("\ufeff"))
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise PinError(f"{name} is not TOML: {error}; `muapi-client spec lock` writes it anew") from None
        if found.get("form", FORM) != FORM:
            raise PinError(f"{name} has the form {quote(found['form'])}, which a later muapi-client wrote: upgrade it")
        facts = {key: value for key, value in found.items() if key != "form"}
        wrong = _find_wrong(facts)
        if wrong:
            raise PinError(
                f"{name} is no lock of a program: look at {', '.join(wrong)}; `muapi-client spec lock` writes it anew"
            )
        return cls(**facts)


@frozen
class LockComparison:
    """How a lock stands to a document.

    Attributes:
        locked_sha256: Hash of the document that was locked.
        document_sha256: Hash of the document it was compared with.
        recorrected: Whether the package was rendered with other corrections than the locked ones.
        changed: Functions whose operation the two documents tell differently.
        gone: Functions the document has no longer.
        repriced: For each function whose pinned price differs: the price then and now in USD, empty where unknown.
        unlocked: Functions that are used and that the lock does not know.
        same: How many locked functions stand as they were locked.
    """

    __module__ = "muapi_client.pinning"

    locked_sha256: str
    document_sha256: str
    recorrected: bool
    changed: tuple[str, ...]
    gone: tuple[str, ...]
    repriced: Mapping[str, tuple[str, str]]
    unlocked: tuple[str, ...]
    same: int

    @property
    def moved(self) -> bool:
        """True where it is another document."""
        return self.locked_sha256 != self.document_sha256

    @property
    def holds(self) -> bool:
        """True where everything the program uses is as it was locked, whatever else of the document changed.

        Other corrections never hold: which functions they touch is not told by the document, and one that makes a field
        required breaks a program as surely as MuAPI does.
        """
        return not (self.recorrected or self.changed or self.gone or self.repriced or self.unlocked)


def make_lock(
    document: Mapping[str, Any],
    document_sha256: str,
    only: Collection[str] | None = None,
    *,
    corrections_sha256: str,
    package: str,
    prices: Mapping[str, str] | None = None,
) -> UserLock:
    """Make the lock of a program.

    Args:
        document: The document the program runs on, as pinned.
        document_sha256: Its hash.
        only: The functions the program uses, or slugs, which mean all their functions; None for every one of the
            document.
        corrections_sha256: Hash of the corrections it was rendered with.
        package: The distribution that brought both.
        prices: Prices in USD by function, where they are to be pinned too; functions without one are left out.

    Raises:
        PinError: The document has no such function, or nothing is named: a lock of nothing would always hold.
    """
    operations = _index_operations(document)
    names = sorted(operations if only is None else _resolve_names(only, operations))
    if not names:
        raise PinError("there is no function to lock: name one with --only, or leave it out to lock all")
    hashes = {name: make_fingerprint(dict(document), *operations[name]) for name in names}
    known = {name: prices[name] for name in names if name in prices} if prices else {}
    return UserLock(
        document_sha256=document_sha256,
        corrections_sha256=corrections_sha256,
        package=package,
        functions=hashes,
        prices=known,
    )


def compare_lock(
    lock: UserLock,
    document: Mapping[str, Any],
    document_sha256: str,
    used: Collection[str] = (),
    *,
    corrections_sha256: str,
    prices: Mapping[str, str] | None = None,
) -> LockComparison:
    """Compare a program's lock with a document.

    Args:
        lock: The lock.
        document: The document the program runs on now.
        document_sha256: Its hash; the one locked spares all comparing of models.
        used: Functions, or slugs, that the program uses, where that is known.
        corrections_sha256: Hash of the corrections that the program's package was rendered with.
        prices: Prices in USD by function, as known now.

    Raises:
        PinError: A name in ``used`` is no function of the document.
    """
    operations = _index_operations(document)
    gone = [name for name in lock.functions if name not in operations]
    there = [name for name in lock.functions if name in operations] if document_sha256 != lock.document_sha256 else []
    changed = [name for name in there if make_fingerprint(dict(document), *operations[name]) != lock.functions[name]]
    now = prices or {}
    repriced = {name: (was, now.get(name, "")) for name, was in lock.prices.items() if now.get(name, "") != was}
    return LockComparison(
        lock.document_sha256,
        document_sha256,
        corrections_sha256 != lock.corrections_sha256,
        tuple(sorted(changed)),
        tuple(sorted(gone)),
        {name: both for name, both in sorted(repriced.items()) if name not in gone},
        tuple(sorted(_resolve_names(used, operations) - lock.functions.keys())),
        len(lock.functions) - len(changed) - len(gone),
    )


def list_functions(document: Mapping[str, Any]) -> dict[str, str]:
    """Every function of a document, with its slug."""
    return {
        operation.function: operation.slug for operation in Document(document).operations.values() if operation.function
    }


def _index_operations(document: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Every function of a document, with its method and path."""
    found = Document(document).operations.values()
    return {operation.function: (operation.method, operation.path) for operation in found if operation.function}


def _resolve_names(names: Collection[str], operations: Mapping[str, tuple[str, str]]) -> set[str]:
    """The functions that names mean: each a function's own, or a slug, which may have one for each method."""
    return {function for name in names for function in _resolve_name(name, operations)}


def _resolve_name(name: str, operations: Mapping[str, tuple[str, str]]) -> list[str]:
    if name in operations:
        return [name]
    path = f"/api/v1/{name.strip('/').removeprefix('api/v1/')}"
    found = [function for function, (_, own) in operations.items() if own == path]
    if not found:
        near = get_close_matches(name, operations, n=3)
        hint = f": did you mean {', '.join(near)}?" if near else ""
        raise PinError(f"the pinned document has no function {quote(name)}{hint}")
    return found


def _find_wrong(facts: Mapping[str, Any]) -> list[str]:
    """The names of what cannot be right in a lock's TOML."""
    hashes = [name for name in ("document_sha256", "corrections_sha256") if not _fits(_SHA256, facts.get(name))]
    tables = {"functions": _SHA256, "prices": _PRICE}
    return [
        *hashes,
        *([] if _fits(_PACKAGE, facts.get("package")) else ["package"]),
        *([] if facts.get("functions") else ["functions"]),
        *(misfit for table, form in tables.items() for misfit in _find_misfits(table, facts.get(table, {}), form)),
        *sorted(map(quote, facts.keys() - {*HEAD, *tables})),
    ]


def _find_misfits(table: str, found: object, form: re.Pattern[str]) -> list[str]:
    """The table, where it is none, or its entries that are no function's name with a value of that form."""
    entries = as_object(found)
    if entries is None:
        return [table]
    named = {key: key if key.isidentifier() else quote(key) for key in entries}
    return [f"{table}.{named[key]}" for key, value in entries.items() if named[key] != key or not _fits(form, value)]


def _fits(form: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


def _to_toml(facts: Any) -> str:
    # A JSON string is a TOML basic string but for DEL, which TOML wants escaped; function names are bare keys.
    return "".join(
        f"{name} = {json.dumps(value, ensure_ascii=False)}\n".replace("\x7f", "\\u007f") for name, value in facts
    )
