"""``spec_pin=``: a client that runs on the document it was written against, or not at all.

Lives here: reading what was pinned, and comparing it with what this package was rendered from. Does not live here:
which models changed meanwhile (``muapi-client spec verify --lock``), the lock's form (``pinning``).
"""

from __future__ import annotations

import re
from importlib import import_module
from os import fspath
from typing import TYPE_CHECKING, Final

from muapi_client._runtime.forks import forks
from muapi_client._spec.packages import INSTALLED, read_package
from muapi_client._types.words import show
from muapi_client.errors import SpecPinError

if TYPE_CHECKING:
    from os import PathLike
    from types import ModuleType

SHA256: Final = re.compile(r"[0-9a-fA-F]{64}")
SHORT: Final = 12  # characters of a hash that tell documents apart for a reader


def check(spec_pin: str | PathLike[str], models: ModuleType | str | None = None) -> None:
    """Refuse a document other than the pinned one.

    Args:
        spec_pin: The document's SHA-256, as ``muapi_generated.SPEC.sha256`` has it, or the path of a ``muapi.lock``.
        models: The generated package that the client runs on; None for the installed one.

    Raises:
        SpecPinError: The package was rendered from another document, or the lock cannot be read.
        MuAPIError: ``models`` is no generated package.
    """
    package = INSTALLED if models is None else read_package(models)
    runs_on: str = import_module(package).SPEC.sha256
    given = _text(spec_pin)
    by_hash = SHA256.fullmatch(given) is not None
    pinned = given.lower() if by_hash else _locked(given)
    if pinned == runs_on:
        return
    see = "`muapi-client spec show`" if by_hash else f"`muapi-client spec verify --lock {given}`"
    raise SpecPinError(
        f"this program is pinned to document {pinned[:SHORT]}… ({'spec_pin' if by_hash else given}), and {package} "
        f"was rendered from {runs_on[:SHORT]}…: install the version it was written against, or look "
        f"at what changed and pin the new one ({see})",
        runs_on=runs_on,
        pinned=pinned,
    )


def _text(spec_pin: str | PathLike[str]) -> str:
    try:
        return str(fspath(spec_pin))
    except TypeError:
        raise SpecPinError(
            f"spec_pin must be a document's sha256 or the path of a lock, not {show(spec_pin)}"
        ) from None


def _locked(path: str) -> str:
    """The document's hash that a user's lock holds."""
    with forks.kept_waiting:
        from muapi_client.pinning import PinError, UserLock  # noqa: PLC0415 - a hash needs no TOML

    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - as given, so that an error names it as given
            return UserLock.from_toml(file.read(), path).document_sha256
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise SpecPinError(
            f"spec_pin={path!r} cannot be read ({why}): give the 64 hexadecimal digits of a document's sha256 "
            "(`muapi-client spec show`), or the path of a lock (`muapi-client spec lock` writes it)"
        ) from None
    except PinError as error:
        raise SpecPinError(f"spec_pin: {error}") from None
