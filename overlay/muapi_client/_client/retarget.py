"""Calls held against another package than the one that made them, for a client with ``models=``.

Lives here: finding the same operation there. Does not live here: which package a client uses (``base``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from muapi_client._spec.packages import part
from muapi_client.errors import ValidationError

if TYPE_CHECKING:
    from muapi_generated.types import Call


def for_package(call: Call[Any], models: str | None) -> Call[Any]:
    """A call as the package ``models`` has it: its job operations stand for those of every other package.

    Without a package a call stays with the one that made it; so does a request that submits no job, for the small
    endpoints of the client itself are the installed package's.

    Raises:
        ValidationError: The package's document has no such model; nothing was sent.
        MuAPIError: The call's own package is not there to read the answer by: raised before it is sent and charged.
    """
    held = call if models in (None, call.operation.package) else _move_to_package(call, str(models))
    part(held.operation.package, "types")
    return held


def _move_to_package(call: Call[Any], models: str) -> Call[Any]:
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
