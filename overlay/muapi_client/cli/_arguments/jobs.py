"""The words of a job that was submitted before: ``wait``, ``look``.

Lives here: their options. Does not live here: what they do.
"""

from __future__ import annotations

from typing import Any, Final

from muapi_client.cli._arguments.options import (
    EXIT_CODES,
    add_command,
    add_journal,
    add_quiet,
    add_saving,
    add_timeout,
)

WAIT: Final = f"""\
Free: the job was paid for when it was accepted, here or elsewhere. What it came
to is noted in the journal, where that knows it. Ctrl-C ends the waiting and no
job: MuAPI has no route to cancel one. PATTERN may hold {{slug}}, {{id}}, {{index}}
and {{ext}}; the default is {{id}}-{{index}}.{{ext}}, and no file is overwritten.

{EXIT_CODES}"""


def add_jobs(commands: Any) -> None:
    """Add ``wait`` and ``look``."""
    wait = add_command(commands, "wait", "wait for the result of a job submitted before (free)", WAIT)
    wait.add_argument("id", metavar="ID", help="the request id")
    add_saving(wait)
    add_timeout(wait)
    add_journal(wait)
    add_quiet(wait)
    look = add_command(commands, "look", "ask once how a job stands (free)")
    look.add_argument("id", metavar="ID", help="the request id")
    add_journal(look)
