"""``muapi-client spec``: the pinned document, and what is done with it.

Lives here: which module carries out which action. Does not live here: the actions (``show``, ``diff``, ``drift``,
``locks``, ``build``), their options (``_arguments/spec``), reading a code base for them (``usage``), fetching and
comparing documents (``muapi_client.pinning``).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

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
    action = getattr(import_module(f"{__name__}.{HOMES[options.action]}"), options.action)
    code: int = action(options, console)
    return code
