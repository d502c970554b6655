"""``muapi-client``, the command line.

Lives here: the door, that is arguments in and an exit code out. Does not live here: the words a user may type
(``_arguments``), what a command does (one module a noun, loaded when its command is called), what an error means to the
shell (``_exit``). Starting must stay fast: nothing here imports a command, httpx or the catalogue.
"""

from __future__ import annotations

import os
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from muapi_client.cli._arguments import make_parser, read
from muapi_client.cli._console import Console

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["main"]

INTERRUPTED: Final = 130  # as ``_signals`` has it, which no word of help needs

# Where each command lives: its function there has the command's name.
HOMES: Final = {
    "auth": "_auth",
    "balance": "_account",
    "batch": "_batch",
    "completion": "_completion",
    "config": "_config_file",
    "demo": "_demo",
    "docs": "_docs",
    "download": "_files",
    "emulator": "_emulator",
    "estimate": "_run",
    "history": "_account",
    "jobs": "_journal",
    "journal": "_journal",
    "keys": "_keys",
    "look": "_jobs",
    "models": "_models",
    "reconcile": "_unknown",
    "resume": "_resume",
    "run": "_run",
    "sandbox": "_account",
    "settle": "_unknown",
    "spec": "_spec",
    "spend": "_spend",
    "topup": "_account",
    "unknown": "_unknown",
    "upload": "_files",
    "wait": "_jobs",
}

# What a person's settings say nothing to, so that a file that cannot be read is in nobody's way.
WITHOUT_SETTINGS: Final = frozenset({"completion", "config", "demo", "emulator", "spec"})


def main(argv: Sequence[str] | None = None, *, transport: Any = None) -> int:
    """Carry out one command.

    Args:
        argv: The words after the program's name; by default this process's own.
        transport: An httpx transport to use in place of the network, such as an emulator's.

    Returns:
        The exit code; ``_exit`` has the table.

    Raises:
        SystemExit: argparse has answered by itself: with help (0) or a usage error (2).
    """
    try:
        return _carry_out(argv, transport)
    except KeyboardInterrupt:  # before a command began, or once more while its end was told
        return INTERRUPTED


def _carry_out(argv: Sequence[str] | None, transport: Any) -> int:
    if "_ARGCOMPLETE" in os.environ and argv is None:
        from muapi_client.cli._completing import complete  # noqa: PLC0415 - a shell asks for words

        complete(make_parser())
    options = read(argv)
    from muapi_client._types.sandbox import SandboxWarning  # noqa: PLC0415 - loads attrs, which --help need not
    from muapi_client.cli._exit import guard  # noqa: PLC0415 - loads the errors, and the values they carry

    console = Console(options.output == "json", transport, getattr(options, "quiet", False))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SandboxWarning)  # the commands tell of a sandbox key in words of their own
        if options.command not in WITHOUT_SETTINGS:
            if code := guard(lambda: _add_settings(options), console):
                return code
            console = console._replace(json=options.output == "json")
        return guard(lambda: _command(options.command)(options, console), console)


def _add_settings(options: Any) -> int:
    """Put the user's settings beside the options, for the command to read where an option is not given."""
    from muapi_client.cli._config import read_settings  # noqa: PLC0415 - as above

    options.settings = read_settings()
    options.output = options.output or options.settings.output
    return 0


def _command(name: str) -> Callable[[Any, Console], int]:
    command: Callable[[Any, Console], int] = getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
    return command
