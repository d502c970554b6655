"""A user's lock: the document a program was written against, and a hash for each function it uses. Pure.

Lives here: what such a lock holds, writing it, and comparing it with what a package was rendered from. Does not live
here: reading its file (``lock_file``), the lock of the pin itself (``_document/lock``), the hashes
(``fingerprints.json`` of a generated package has them), which functions a code base uses (``_usage``), the document
beside a lock (``locked_document``).

A lock of form 1, of before, knows the hashes of the document alone, so that other corrections of it never hold. One of
form 2 has those of the corrected document, and other corrections are like any change.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any, Final, Self

from attrs import asdict, field, frozen

from muapi_client.pinning._document.errors import PinError, list_near, quote
from muapi_client.pinning._locks.lock_file import FORM, HEAD, UNCORRECTED, USES, find_differences, read_facts

HEADER: Final = """\
# Which MuAPI document this program was written against, and what that says of each function it uses.
# Written by `muapi-client spec lock`; commit it. CI compares: `muapi-client spec verify --lock muapi.lock`.
"""


@frozen(kw_only=True)
class Rendering:
    """What a generated package was rendered from, as far as locks tell.

    Attributes:
        document_sha256: Hash of the document.
        corrections_sha256: Hash of the corrections it was rendered with.
        functions: For each function, the hash of what the corrected document says of it.
        uncorrected: For each, the hash of what the document says before it is corrected, for locks of form 1.
    """

    __module__ = "muapi_client.pinning"

    document_sha256: str
    corrections_sha256: str
    functions: Mapping[str, str]
    uncorrected: Mapping[str, str] = field(factory=dict[str, str])


@frozen(kw_only=True)
class UserLock:
    """The document a program was written against, and the functions it uses.

    Attributes:
        document_sha256: Hash of the pinned document.
        corrections_sha256: Hash of the corrections it was rendered with; they change what a function sends and takes.
        package: The distribution that brought both, such as ``muapi-client==0.1.0.20261122``.
        functions: For each, the hash of what the document says of it: method, path, server, parameters, request,
            answer, security; corrected, but in a lock of form 1.
        prices: For each function, its representative price in USD; empty where prices are not pinned.
        groups: The groups of which every function was locked, for the program says that it uses the whole group.
        uses: What a person says of dynamic calls: a file, or ``file:function``, with the names of what it may call, as
            a comment ``# muapi: uses …`` would have them.
        form: Of the file: 2, or 1 where an earlier muapi-client wrote it.
    """

    __module__ = "muapi_client.pinning"

    document_sha256: str
    corrections_sha256: str
    package: str
    functions: Mapping[str, str]
    prices: Mapping[str, str] = field(factory=dict[str, str])
    groups: tuple[str, ...] = field(default=(), converter=tuple[str, ...])
    uses: Mapping[str, tuple[str, ...]] = field(factory=dict[str, tuple[str, ...]])
    form: int = FORM

    def to_toml(self) -> str:
        """Write the lock as TOML, one fact a line, sorted."""
        head = {"form": self.form, **{name: getattr(self, name) for name in HEAD}}
        groups = {"groups": list(self.groups)} if self.groups else {}
        prices = [("prices", self.prices)] if self.prices else []
        tables = "".join(
            f"\n[{name}]\n{_to_toml(sorted(table.items()))}" for name, table in [("functions", self.functions), *prices]
        )
        return f"{HEADER}{_to_toml({**head, **groups}.items())}{tables}{_write_uses(self.uses)}"

    @classmethod
    def from_toml(cls, text: str, name: str = "muapi.lock") -> Self:
        """Read a lock.

        Args:
            text: The TOML; a byte order mark before it is passed over.
            name: What an error message calls the file.

        Raises:
            PinError: This is no lock of this form.
        """
        facts = read_facts(text, name)
        uses: dict[str, list[str]] = facts.pop(USES, {})
        return cls(**facts, uses={place: tuple(names) for place, names in uses.items()})


@frozen
class LockComparison:
    """How a lock stands to what a package was rendered from.

    Attributes:
        locked_sha256: Hash of the document that was locked.
        document_sha256: Hash of the document it was compared with.
        recorrected: Whether the package was rendered with other corrections than the locked ones.
        unclear: Whether those may touch any function: a lock of form 1 does not tell which they do.
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
    unclear: bool
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

        Other corrections hold where the lock tells that they touch none of it.
        """
        return not (self.unclear or self.changed or self.gone or self.repriced or self.unlocked)


def make_lock(
    rendering: Rendering,
    only: Collection[str] | None = None,
    *,
    package: str,
    prices: Mapping[str, str] | None = None,
    groups: Collection[str] = (),
) -> UserLock:
    """Make the lock of a program.

    Args:
        rendering: What the package that the program runs on was rendered from.
        only: The functions the program uses; None for every one there is.
        package: The distribution that brought it.
        prices: Prices in USD by function, where they are to be pinned too; functions without one are left out.
        groups: The groups of which ``only`` has every function, for the program uses the whole group.

    Raises:
        PinError: There is no such function, or nothing is named: a lock of nothing would always hold.
    """
    names = sorted(rendering.functions if only is None else only)
    if not names:
        raise PinError("there is no function to lock: name one with --only, or leave it out to lock all")
    for name in names:
        if name not in rendering.functions:
            raise PinError(f"the pinned document has no function {quote(name)}{list_near(name, rendering.functions)}")
    return UserLock(
        document_sha256=rendering.document_sha256,
        corrections_sha256=rendering.corrections_sha256,
        package=package,
        functions={name: rendering.functions[name] for name in names},
        prices={name: prices[name] for name in names if name in prices} if prices else {},
        groups=tuple(sorted(groups)),
    )


def compare_lock(
    lock: UserLock, rendering: Rendering, used: Collection[str] = (), *, prices: Mapping[str, str] | None = None
) -> LockComparison:
    """Compare a program's lock with what the package that it runs on was rendered from.

    Args:
        lock: The lock.
        rendering: That package's.
        used: Functions that the program uses, where that is known.
        prices: Prices in USD by function, as known now.
    """
    changed, gone = find_differences(asdict(lock, recurse=False), asdict(rendering, recurse=False))
    recorrected = lock.corrections_sha256 != rendering.corrections_sha256
    now = prices or {}
    repriced = {name: (was, now.get(name, "")) for name, was in lock.prices.items() if now.get(name, "") != was}
    return LockComparison(
        lock.document_sha256,
        rendering.document_sha256,
        recorrected,
        recorrected and lock.form == UNCORRECTED,
        tuple(changed),
        tuple(gone),
        {name: both for name, both in sorted(repriced.items()) if name not in gone},
        tuple(sorted({*used} - lock.functions.keys())),
        len(lock.functions) - len(changed) - len(gone),
    )


def _write_uses(uses: Mapping[str, Collection[str]]) -> str:
    lines = [(json.dumps(place, ensure_ascii=False), [*names]) for place, names in sorted(uses.items())]
    return f"\n[{USES}]\n{_to_toml(lines)}" if lines else ""


def _to_toml(facts: Any) -> str:
    # A JSON string is a TOML basic string but for DEL, which TOML wants escaped; function names are bare keys.
    return "".join(
        f"{name} = {json.dumps(value, ensure_ascii=False)}\n".replace("\x7f", "\\u007f") for name, value in facts
    )
