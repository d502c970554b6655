"""``muapi-client``, the command line.

Lives here: the door, that is arguments in and an exit code out. Does not live here: the words a user may type
(``_arguments``), what a command does (one module a noun, loaded when its command is called), what an error means to the
shell (``_exit``). Starting must stay fast: nothing here imports a command, httpx or the catalogue.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from muapi_client.cli._arguments import read
from muapi_client.cli._console import Console

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["main"]

# Where each command lives: its function there has the command's name.
HOMES: Final = {
    "demo": "_demo",
    "emulator": "_emulator",
    "look": "_jobs",
    "models": "_models",
    "run": "_run",
    "spec": "_spec",
    "spend": "_spend",
    "wait": "_jobs",
}


def main(argv: Sequence[str] | None = None, *, transport: Any = None) -> int:
    """Carry out one command.

    Args:
        argv: The words after the program's name; by default this process's own.
        transport: An httpx transport to use in place of the network, such as an emulator's.

    Returns:
        The exit code: 0 done, 1 error, 3 key, 4 rate limit, 5 not found, 6 billing, 7 timeout, 8 invalid input,
        130 interrupted.

    Raises:
        SystemExit: argparse has answered by itself: with help (0) or a usage error (2).
    """
    options = read(argv)
    from muapi_client._types.sandbox import SandboxWarning  # noqa: PLC0415 - loads attrs, which --help need not
    from muapi_client.cli._exit import guard  # noqa: PLC0415 - loads the errors, and the values they carry

    console = Console(json=options.output == "json", transport=transport)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SandboxWarning)  # the commands tell of a sandbox key in words of their own
        return guard(lambda: _command(options.command)(options, console), console)


def _command(name: str) -> Callable[[Any, Console], int]:
    command: Callable[[Any, Console], int] = getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
    return command
