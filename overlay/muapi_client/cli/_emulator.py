"""``muapi-client emulator``: a MuAPI on this machine, over HTTP, until it is told to stop.

Lives here: what is printed at the start, for each request and at the end, and the signals. Does not live here: the
emulator and its server.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from muapi_client.cli._console import dumps
from muapi_client.cli._emulator_options import open_emulator
from muapi_client.cli._exit import DONE
from muapi_client.cli._formats import format_usd, to_json_number
from muapi_client.cli._state_file import StateFile
from muapi_client.emulator import Delivery
from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Generator
    from types import FrameType

    from muapi_client.cli._console import Console
    from muapi_client.emulator import Emulator, LogEntry
    from muapi_client.emulator._http.server import Served

REAL_TIME: Final = 1.0  # emulated seconds a second
TOKEN_VARIABLE: Final = "MUAPI_EMULATOR_TOKEN"  # noqa: S105 - the name of a variable
TICK: Final = 0.5  # seconds; Windows hears Ctrl-C between two waits only


def emulator(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``emulator``.

    Raises:
        OSError: The address cannot be listened on, or the state not read, or not written at the start.
        MuAPIError: The state is none, or could not be written at the end, or options do not go together.
        ImportError: The emulator's extra is not installed; the message tells how to.
    """
    with StateFile(Path(options.state)) if options.state is not None else nullcontext() as state:
        service = open_emulator(options, state)
        if state is not None:
            state.write(service)  # a file that cannot be written is told now, not at the end
        with _stop_signals() as stop:  # until all is written: a second Ctrl-C must not cost the state
            with _serve(service, options, console) as url:
                _greet(url, service, console)
                while not stop.wait(TICK):
                    pass
            if state is not None:
                _keep_state(state, service)
    _sum_up(service, console)
    return DONE


def _serve(service: Emulator, options: argparse.Namespace, console: Console) -> Served:
    try:
        return service.serve(
            options.port,
            options.host,
            speed=REAL_TIME if options.realtime else options.speed,
            log=lambda entry: _log(entry, console),
            webhooks=options.webhooks,
            allowed_hosts=options.allowed_host,
            cors=options.cors or not options.no_cors,
            control=_read_control(options),
        )
    except ValueError as error:
        raise MuAPIError(str(error)) from None


def _keep_state(state: StateFile, service: Emulator) -> None:
    """Write the state at the end. Jobs that were accepted and charged do not vanish without a word."""
    try:
        state.write(service)
    except OSError as error:
        place = state.rescue(service)
        jobs = f"{service.accepted} jobs accepted and {format_usd(service.charged_usd)} USD charged in all"
        kept = (
            f"is in {place}: move it there"
            if place is not None
            else "is lost, for the temporary folder takes it neither"
        )
        raise MuAPIError(
            f"the state could not be written: {error.strerror}. {state.path} is as it was when this emulator began; how"
            f" it ended, with {jobs}, {kept}"
        ) from error


def _read_control(options: argparse.Namespace) -> bool | str:
    """Who may steer it: the environment's token is nobody's to see, while words stand in the list of processes."""
    if options.no_control:
        return False
    token: str | None = options.control_token
    return token if token is not None else os.environ.get(TOKEN_VARIABLE) or True


@contextmanager
def _stop_signals() -> Generator[threading.Event, None, None]:
    """An event that Ctrl-C, SIGTERM and a terminal that is closed set, in place of what they did."""
    stop = threading.Event()

    def stop_waiting(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signals = [signal.SIGINT, signal.SIGTERM]
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup has it ignored
        signals.append(signal.SIGHUP)
    before = [signal.signal(each, stop_waiting) for each in signals]
    try:
        yield stop
    finally:
        for each, handler in zip(signals, before, strict=True):
            signal.signal(each, handler)


def _greet(url: str, service: Emulator, console: Console) -> None:
    live, test = (next(iter(keys), None) for keys in (service.live_keys, service.test_keys))  # a state has its own
    base = f"{url}/api/v1"  # as MuAPI's own clients take it; ours takes it with the path and without
    plain = (
        f"a MuAPI listens on {url}\n"
        f"  live key {live or '(none)'}   test key {test or '(none)'}\n"
        f"  export MUAPI_BASE_URL={base} MUAPI_API_KEY={live or test or ''}\n"
        "stop it with Ctrl-C"
    )
    event = {"event": "serving", "url": url, "base_url": base, "live_key": live, "test_key": test}
    print(dumps(event) if console.json else plain, flush=True)


def _log(entry: LogEntry | Delivery, console: Console) -> None:
    if isinstance(entry, Delivery):
        _log_webhook(entry, console)
        return
    event: dict[str, Any] = {
        "event": "request",
        "method": entry.method,
        "path": entry.path,
        "status": entry.status,
        "ms": round(entry.seconds * 1000, 2),
        "cost_usd": entry.cost_usd,
        "request_id": entry.request_id,
        "fault": entry.fault.value if entry.fault else None,
        "refusal": entry.refusal,
    }
    words = [
        f"{entry.method} {entry.path}".strip() or "a request",
        str(entry.status or "no answer"),
        f"{event['ms']:.2f} ms",
    ]
    words += [f"{entry.cost_usd} USD"] if entry.cost_usd else []
    words += [entry.request_id] if entry.request_id else []
    words += [f"fault: {entry.fault.value}"] if entry.fault else []
    words += [f"refused: {entry.refusal}"] if entry.refusal else []
    console.say("  ".join(words), event)


def _log_webhook(tried: Delivery, console: Console) -> None:
    """Tell of a webhook; of its URL the host alone, since the rest may hold a secret."""
    host = _host_of(tried.url)
    event = {
        "event": "webhook",
        "request_id": tried.id,
        "host": host,
        "attempt": tried.attempt,
        "status": tried.status,
        "error": tried.error,
    }
    head = f"webhook to {host or 'no host'}, try {tried.attempt}"
    console.say(f"{head}  {tried.status or tried.error}  {tried.id}", event)


def _host_of(url: str) -> str:
    """The host that ``url`` names; nothing where it is no URL, since any client may send anything as a webhook."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return ""


def _sum_up(service: Emulator, console: Console) -> None:
    jobs, charged = service.accepted, service.charged_usd
    console.say(
        f"{service.requests_seen} requests; {jobs} jobs accepted, {format_usd(charged)} USD charged,"
        f" {format_usd(service.balance)} USD left",
        {
            "event": "stopped",
            "requests": service.requests_seen,
            "accepted": jobs,
            "charged_usd": to_json_number(charged),
            "balance_usd": to_json_number(service.balance),
        },
    )
