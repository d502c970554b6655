"""``spec_pin=``: a client that runs on what it was written against, or not at all.

A hash is of one document, and no other is taken. A lock is of the functions that a program uses: any document that says
the same of them is taken, as ``muapi-client spec verify --lock`` takes it.

Lives here: reading what was pinned, and comparing it with what this package was rendered from. Does not live here:
prices, and what of the code is not locked (``muapi-client spec verify --lock``), the lock's form (``pinning``).
"""

from __future__ import annotations

import re
from importlib import import_module
from os import fspath
from typing import TYPE_CHECKING, Any, Final

from muapi_client._runtime.forks import forks
from muapi_client._spec.packages import INSTALLED, read_package
from muapi_client._types.words import shorten_hashes, show
from muapi_client.errors import MuAPIError, SpecPinError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike
    from types import ModuleType

SHA256: Final = re.compile(r"[0-9a-fA-F]{64}")
NAMED: Final = 5  # functions named in a message


def check(spec_pin: str | PathLike[str], models: ModuleType | str | None = None) -> None:
    """Refuse a document other than the pinned one, or in which a locked function is another.

    Args:
        spec_pin: The document's SHA-256, as ``muapi_generated.SPEC.sha256`` has it, or the path of a ``muapi.lock``.
        models: The generated package that the client runs on; None for the installed one.

    Raises:
        SpecPinError: The package was rendered from another document; or, for a lock, from one in which a locked
            function changed or is gone; or the lock cannot be read.
        MuAPIError: ``models`` is no generated package.
    """
    package = INSTALLED if models is None else read_package(models)
    given = _text(spec_pin)
    if SHA256.fullmatch(given):
        _check_hash(given.lower(), package)
    else:
        _check_lock(given, package)


def _check_hash(pinned: str, package: str) -> None:
    runs_on: str = import_module(package).SPEC.sha256
    if pinned != runs_on:
        asked, there = shorten_hashes(pinned, runs_on)
        raise SpecPinError(
            f"this program is pinned to document {asked} by its hash, which takes no other, and {package} "
            f"was rendered from {there}: {_advise_hash(package)}",
            runs_on=runs_on,
            pinned=pinned,
        )


def _check_lock(path: str, package: str) -> None:
    facts = _read_lock(path)
    spec = import_module(package).SPEC
    runs_on: str = spec.sha256
    changed, gone = _find_differences(facts, package)
    if changed or gone:
        asked, there = shorten_hashes(facts["document_sha256"], runs_on)
        raise SpecPinError(
            f"this program is pinned by {path} to {facts['package']} (document {asked}), "
            f"and {package} was rendered from {there}, in which {_name_differences(changed, gone)}: "
            f"{_advise_lock(path, package)}",
            runs_on=runs_on,
            pinned=facts["document_sha256"],
        )


def _advise_hash(package: str) -> str:
    if package != INSTALLED:
        return f"spec_pin={package}.SPEC.sha256 pins that one; or render the package again from the document you want"
    return (
        "install the version it was written against, or look at what changed and pin the new one (`muapi-client spec "
        "show`); a lock (`muapi-client spec lock`) takes every document that says the same of the functions you use"
    )


def _advise_lock(path: str, package: str) -> str:
    if package != INSTALLED:  # `spec lock` locks the installed package alone
        return f"a lock is of the installed client: pin this package by its hash, spec_pin={package}.SPEC.sha256"
    return (
        "install the version it was written against, or look at what changed and lock anew (`muapi-client spec verify "
        f"--lock {path}`)"
    )


def _find_differences(facts: Mapping[str, Any], package: str) -> tuple[list[str], list[str]]:
    """The locked functions that changed, and those that are gone.

    A package of the same files may lack one all the same, if it was rendered under another path or by another version.
    """
    spec = import_module(package).SPEC
    with forks.kept_waiting:
        from muapi_client._spec.rendering import read_rendering  # noqa: PLC0415 - a hash needs none of it
        from muapi_client.pinning._locks.lock_file import find_differences, is_settled  # noqa: PLC0415 - as above

        try:
            return find_differences(facts, read_rendering(package))
        except MuAPIError as error:  # an older package has no fingerprints
            if is_settled(facts, {"document_sha256": spec.sha256, "corrections_sha256": spec.corrections_sha256}):
                return [], []
            pinned = facts["document_sha256"]
            raise SpecPinError(f"spec_pin: {error}", runs_on=spec.sha256, pinned=pinned) from None


def _name_differences(changed: list[str], gone: list[str]) -> str:
    parts = ((changed, "changed"), (gone, "is gone" if len(gone) == 1 else "are gone"))
    return " and ".join(f"{_list_names(names)} {what}" for names, what in parts if names)


def _list_names(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _text(spec_pin: str | PathLike[str]) -> str:
    try:
        return str(fspath(spec_pin))
    except TypeError:
        raise SpecPinError(
            f"spec_pin must be a document's sha256 or the path of a lock, not {show(spec_pin)}"
        ) from None


def _read_lock(path: str) -> dict[str, Any]:
    with forks.kept_waiting:
        from muapi_client.pinning._document.errors import PinError  # noqa: PLC0415 - a hash needs none of it
        from muapi_client.pinning._locks.lock_file import read_facts  # noqa: PLC0415 - as above

    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - as given, so that an error names it as given
            return read_facts(file.read(), path)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise SpecPinError(
            f"spec_pin={path!r} cannot be read ({why}): give the 64 hexadecimal digits of a document's sha256 "
            "(`muapi-client spec show`), or the path of a lock (`muapi-client spec lock` writes it)"
        ) from None
    except PinError as error:
        raise SpecPinError(f"spec_pin: {error}") from None
