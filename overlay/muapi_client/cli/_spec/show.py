"""``muapi-client spec``: the pinned document, told in a few lines, and the door to what else is done with it.

Lives here: what is shown of it, and where each action lives. Does not live here: fetching and comparing documents
(``muapi_client.pinning``).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from attrs import asdict

from muapi_client.cli._exit import DONE
from muapi_client.pinning import pinned

if TYPE_CHECKING:
    import argparse

    from muapi_client.cli._console import Console


# Where each action lives: its function there has the action's name.
HOMES: Final = {
    "build": "build",
    "diff": "diff",
    "drift": "drift",
    "lock": "locks",
    "show": "show",
    "verify": "locks",
}


def spec(options: argparse.Namespace, console: Console) -> int:
    """Carry out one action; its own function says what goes wrong, and its help which exit codes it has."""
    action = getattr(import_module(f"muapi_client.cli._spec.{HOMES[options.action]}"), options.action)
    code: int = action(options, console)
    return code


def show(options: argparse.Namespace, console: Console) -> int:  # noqa: ARG001 - every action is called alike
    """Carry out ``spec show``.

    Raises:
        PinError: There is no pinned document.
    """
    facts = _facts()
    width = max(map(len, facts))
    console.result(facts, "\n".join(f"{name.ljust(width)}  {_said(value)}" for name, value in facts.items()))
    return DONE


def _facts() -> dict[str, Any]:
    """What the lock says, and whether this package was rendered from that document."""
    from muapi_generated import SPEC  # noqa: PLC0415 - stands beside what it is compared with

    pin = pinned()
    lock = pin.lock
    return {**asdict(lock), "rendered": SPEC.sha256 == lock.document_sha256, "prices_as_of": pin.models["as_of"]}


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes: the package was rendered from it" if value else "no: run `nox -s generate`"
    return str(value) or "-"
