"""The words of what runs on this machine: ``demo`` and ``emulator``.

Lives here: their options. Does not live here: what they do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from muapi_client.cli._arguments.options import add_command
from muapi_client.cli._arguments.values import (
    read_host,
    read_job_seconds,
    read_kind,
    read_origin,
    read_port,
    read_rate,
    read_seconds,
    read_shape,
    read_token,
    read_usd,
    read_whole,
)

if TYPE_CHECKING:
    import argparse

EMULATOR: Final = """\
The address and the keys go to standard output, a line for each request to
standard error. Keys are never logged. To point a client at it, MuAPI's own too:

  export MUAPI_BASE_URL=http://127.0.0.1:8780/api/v1 MUAPI_API_KEY=sk-live

In the background: --port 0 --output json prints one line of JSON when it is
ready; GET /emulator/health says so too. Programs in any language steer it under
/emulator/ (docs/emulator.md): what becomes of the next jobs, faults, the clock.

Words of a command line can be seen by others on the machine (`ps`): give keys
that are worth nothing elsewhere, and the control token in MUAPI_EMULATOR_TOKEN.

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
    emulator.add_argument(
        "--strict-types", action="store_true", help='refuse "5" where a number is asked, which the server reads'
    )
    speed = emulator.add_mutually_exclusive_group()
    speed.add_argument("--realtime", action="store_true", help="jobs take as long as real ones, not a 60th")
    speed.add_argument("--speed", metavar="N", type=read_seconds, help="emulated seconds a second (default: 60)")
    _add_account(emulator.add_argument_group("the account"))
    _add_jobs(emulator.add_argument_group("what becomes of jobs"))
    _add_reach(emulator.add_argument_group("who may reach it"))


def check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Refuse options of ``demo`` and ``emulator`` that do not go together."""
    if options.command == "demo" and options.yes and not options.live:
        parser.error("demo: --yes goes with --live; the emulator costs nothing")
    if options.command == "emulator":
        from muapi_client.cli._emulator_options import check_together  # noqa: PLC0415 - brings the emulator

        try:
            check_together(options)
        except ValueError as problem:
            parser.error(f"emulator: {problem}")


def _add_account(group: Any) -> None:
    group.add_argument(
        "--live-key", metavar="KEY", action="append", help="a key that is charged; again for more (default: sk-live)"
    )
    group.add_argument(
        "--test-key", metavar="KEY", action="append", help="a key that costs nothing; again for more (default: sk-test)"
    )
    group.add_argument("--balance", metavar="USD", type=read_usd, help="in the account at first (default: 100)")
    group.add_argument(
        "--state",
        metavar="FILE",
        help="go on from this file where there is one, and write it when it ends, for you alone to read",
    )
    group.add_argument("--spec", metavar="FILE|URL", help="answer this document, not the pinned one")
    group.add_argument("--prices", metavar="FILE|URL", help="charge by this list, as GET /api/v1/models has it")


def _add_jobs(group: Any) -> None:
    group.add_argument("--failure-rate", metavar="RATE", type=read_rate, help="the share of jobs that fail")
    group.add_argument("--moderation-rate", metavar="RATE", type=read_rate, help="the share that moderation refuses")
    group.add_argument("--refund-rate", metavar="RATE", type=read_rate, help="the share of those given back (all)")
    group.add_argument(
        "--job-seconds",
        metavar="SECONDS",
        type=read_job_seconds,
        help="how long jobs take, in emulated seconds: 30, or image=5,video=60 (default: as usual)",
    )
    group.add_argument(
        "--result-seconds", metavar="SECONDS", type=read_seconds, help="how long a result can be had (default: ever)"
    )
    group.add_argument(
        "--serial",
        metavar="KIND",
        type=read_kind,
        action="append",
        help="have jobs of this kind run one by one; again for more",
    )
    group.add_argument(
        "--shape",
        metavar="NAME=VALUE",
        type=read_shape,
        help="how answers are laid out, such as submit=id,outputs=objects,failure=http_200",
    )
    group.add_argument(
        "--webhook-duplicates",
        metavar="N",
        type=read_whole,
        default=0,
        help="how often a webhook comes besides once (0)",
    )
    group.add_argument(
        "--seed",
        metavar="N",
        type=int,
        help="what ids and faults are drawn from, the same after a reset (default: each time another)",
    )


def _add_reach(group: Any) -> None:
    group.add_argument(
        "--allowed-host",
        metavar="NAME",
        type=read_host,
        action="append",
        default=[],
        help="answer under this name, too, such as emulator in a compose network (others get 421)",
    )
    pages = group.add_mutually_exclusive_group()
    pages.add_argument(
        "--cors",
        metavar="ORIGIN",
        type=read_origin,
        action="append",
        default=[],
        help="let pages of this origin read answers, besides those on this machine; '*' lets all",
    )
    pages.add_argument("--no-cors", action="store_true", help="let no page read answers")
    steering = group.add_mutually_exclusive_group()
    steering.add_argument(
        "--control-token",
        metavar="TOKEN",
        type=read_token,
        help="who shows it in X-Emulator-Token may steer, from any machine; MUAPI_EMULATOR_TOKEN hides it from `ps`",
    )
    steering.add_argument("--no-control", action="store_true", help="answer nothing under /emulator/")
    group.add_argument(
        "--webhooks",
        choices=("loopback", "anywhere"),
        default="loopback",
        help="post webhooks to this machine only (default), or anywhere",
    )
