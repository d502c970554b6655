"""The words of what runs on this machine: ``demo`` and ``emulator``.

Lives here: their options. Does not live here: what they do.
"""

from __future__ import annotations

from typing import Any, Final

from muapi_client.cli._arguments.options import add_command
from muapi_client.cli._arguments.values import read_port, read_rate, read_usd

EMULATOR: Final = """\
The address and the keys go to standard output, a line for each request to
standard error. Keys are never logged. To point a client at it:

  export MUAPI_BASE_URL=http://127.0.0.1:8780 MUAPI_API_KEY=sk-live

With --chaos, connections are reset before and after a job is accepted, answers
are late, cut, slow, no JSON, HTML, 429 or 500; the summary at the end tells
what was accepted and charged in truth.
"""


def add_demo(commands: Any) -> None:
    """Add ``demo``."""
    demo = add_command(
        commands, "demo", "run one model of each kind on the embedded emulator: no key, no network, no money"
    )
    demo.add_argument("--live", action="store_true", help="run one cheap model on the real API, after asking")
    demo.add_argument("--yes", action="store_true", help="with --live: do not ask")


def add_emulator(commands: Any) -> None:
    """Add ``emulator``."""
    emulator = add_command(commands, "emulator", "a MuAPI on this machine, over HTTP, until Ctrl-C", EMULATOR)
    emulator.add_argument(
        "--port",
        metavar="N",
        type=read_port,
        default=8780,
        help="where to listen; 0 picks a free port (default: 8780)",
    )
    emulator.add_argument(
        "--host", metavar="ADDRESS", default="127.0.0.1", help="another address to listen on lets other machines in"
    )
    emulator.add_argument(
        "--chaos",
        metavar="RATE",
        type=read_rate,
        default=0.0,
        help="the share of requests that meet a fault, such as 0.2",
    )
    emulator.add_argument("--realtime", action="store_true", help="jobs take as long as real ones, not a 60th")
    emulator.add_argument(
        "--seed", metavar="N", type=int, help="what ids and faults are drawn from (default: other ones each time)"
    )
    emulator.add_argument("--balance", metavar="USD", type=read_usd, help="in the account at first (default: 100)")
    emulator.add_argument(
        "--state", metavar="FILE", help="go on from this file where there is one, and write it when it ends"
    )
    emulator.add_argument(
        "--allowed-host",
        metavar="NAME",
        action="append",
        default=[],
        help="answer under this name, too, such as emulator in a compose network (others get 421)",
    )
    pages = emulator.add_mutually_exclusive_group()
    pages.add_argument(
        "--cors",
        metavar="ORIGIN",
        action="append",
        default=[],
        help="let pages of this origin read answers, besides those on this machine; '*' lets all",
    )
    pages.add_argument("--no-cors", action="store_true", help="let no page read answers")
