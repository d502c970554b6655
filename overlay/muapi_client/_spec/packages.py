"""Generated packages: the installed one, and those `muapi-client spec build` renders from other documents beside it.

A call's operation names the package whose models it is checked and answered by. Lives here: from that name to the
package's modules, and holding a call against another package than the one that made it. Nothing is imported because a
name in a token says so: only what the process has imported itself counts.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any, Final

from muapi_client._runtime.forks import forks
from muapi_client._types.words import show
from muapi_client.errors import MuAPIError

INSTALLED: Final = "muapi_generated"
BUILT_BY: Final = "a package of request functions, as `muapi-client spec build` renders it"


def read_package(given: ModuleType | str) -> str:
    """The name of a generated package, given as a module or by name; a name is imported, for the caller asked.

    Raises:
        MuAPIError: It is no package of request functions, or none of that name can be imported.
    """
    if isinstance(given, str):
        try:
            with forks.kept_waiting:
                import_module(given)
        except (ImportError, ValueError, TypeError) as error:
            raise MuAPIError(f"models={show(given)} cannot be imported ({error}): it takes {BUILT_BY}") from None
    name = given.__name__ if isinstance(given, ModuleType) else given
    if not isinstance(name, str) or not _is_generated(sys.modules.get(name)):
        raise MuAPIError(f"models takes {BUILT_BY}, such as {INSTALLED}, not {show(given)}")
    return name


def part(package: str, name: str) -> Any:
    """A module of a generated package.

    Raises:
        MuAPIError: The process has not imported such a package, and would not because a call says so.
    """
    if package != INSTALLED and not _is_generated(sys.modules.get(package)):
        raise MuAPIError(
            f"the call was made by {package!r}, which this process has not imported: import it first, or make the "
            f"client with models={package!r}"
        )
    with forks.kept_waiting:
        return import_module(f"{package}.{name}")


def member(package: str, room: str, name: str) -> Any:
    """What a module of a generated package has by a name; None where it has none, or no such module.

    Raises:
        MuAPIError: As :func:`part`.
    """
    try:
        module = part(package, room)
    except ModuleNotFoundError as error:
        if error.name != f"{package}.{room}":
            raise
        return None
    with forks.kept_waiting:
        return getattr(module, name) if name in module.__all__ else None


def _is_generated(module: ModuleType | None) -> bool:
    return hasattr(module, "SPEC") and hasattr(module, "__path__")
