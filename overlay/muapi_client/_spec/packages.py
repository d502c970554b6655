"""Generated packages: the installed one, and those `muapi-client spec build` renders from other documents beside it.

A call's operation names the package whose models it is checked and answered by. Lives here: from that name to the
package's modules, and holding a call against another package than the one that made it. Nothing is imported because a
name in a token says so: only what the process has imported itself counts.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve

from muapi_client.errors import MuAPIError, ValidationError

if TYPE_CHECKING:
    from muapi_generated.types import Call

INSTALLED: Final = "muapi_generated"
BUILT_BY: Final = "a package of request functions, as `muapi-client spec build` renders it"


def read_package(given: ModuleType | str) -> str:
    """The name of a generated package, given as a module or by name; a name is imported, for the caller asked.

    Raises:
        MuAPIError: It is no package of request functions, or none of that name can be imported.
    """
    if isinstance(given, str):
        try:
            import_module(given)
        except (ImportError, ValueError, TypeError) as error:
            raise MuAPIError(f"models={given!r} cannot be imported ({error}): it takes {BUILT_BY}") from None
    name = given.__name__ if isinstance(given, ModuleType) else str(given)
    if not _is_generated(sys.modules.get(name)):
        raise MuAPIError(f"models takes {BUILT_BY}, such as {INSTALLED}, not {given!r}")
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
    return import_module(f"{package}.{name}")


def at_home(call: Call[Any], models: str | None) -> Call[Any]:
    """A call as the package ``models`` has it: its job operations stand for those of every other package.

    Without a package a call stays with the one that made it; so does a request that submits no job, for the small
    endpoints of the client itself are the installed package's.

    Raises:
        ValidationError: The package's document has no such model; nothing was sent.
        MuAPIError: The call's own package is not there to read the answer by: told before it is sent and charged.
    """
    held = call if models in (None, call.operation.package) else _rehomed(call, str(models))
    part(held.operation.package, "types")
    return held


def _rehomed(call: Call[Any], models: str) -> Call[Any]:
    from muapi_client import catalog  # noqa: PLC0415 - for a client of another document only

    here = call.operation
    known = next((model for model in catalog.all(package=models) if model.slug == here.slug), None)
    if known is not None:
        return evolve(call, operation=known.operation)
    if here.name and here.is_job:
        raise ValidationError(
            f"{here.name}: the document of {models} has no {here.slug} (refused here; nothing was sent); raw_call"
            " reaches it unchecked"
        )
    return call if here.name or here.request else evolve(call, operation=evolve(here, package=models))


def _is_generated(module: ModuleType | None) -> bool:
    return hasattr(module, "SPEC") and hasattr(module, "__path__")
