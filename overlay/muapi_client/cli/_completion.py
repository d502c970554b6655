"""``muapi-client completion``: what a shell has to know to complete this program.

Lives here: the code that is printed for a shell. Does not live here: which words there are (``_completing``), which the
shell asks for by calling this program.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from muapi_client.cli._exit import DONE

if TYPE_CHECKING:
    import argparse

    from muapi_client.cli._console import Console

PROGRAM: Final = "muapi-client"
MISSING: Final = "completion works by argcomplete, which is not installed: pip install 'muapi-client[cli]'"


def completion(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``completion``.

    Raises:
        ImportError: The extra is not installed; the message tells how to.
    """
    try:
        from argcomplete.shell_integration import shellcode  # noqa: PLC0415 - of the extra [cli]
    except ImportError:
        raise ImportError(MISSING) from None
    code = shellcode([PROGRAM], shell=options.shell).strip("\n")
    console.made({"shell": options.shell, "code": code}, code)
    return DONE
