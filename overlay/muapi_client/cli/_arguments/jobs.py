"""The words of a job that was submitted before: ``wait``, ``look``.

Lives here: their options. Does not live here: what they do.
"""

from __future__ import annotations

from typing import Any

from muapi_client.cli._arguments.options import add_command, add_timeout


def add_jobs(commands: Any) -> None:
    """Add ``wait`` and ``look``."""
    wait = add_command(commands, "wait", "wait for the result of a job submitted before")
    wait.add_argument("id", metavar="ID", help="the request id")
    add_timeout(wait)
    look = add_command(commands, "look", "ask once how a job stands")
    look.add_argument("id", metavar="ID", help="the request id")
