"""``muapi-client emulator``: a MuAPI on this machine, over HTTP, until it is told to stop.

Lives here: what is printed at the start, for each request and at the end, and the signals. Does not live here: the
emulator and its server.
"""

from __future__ import annotations

import random
import signal
import threading
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from muapi_client.cli._console import dumps
from muapi_client.cli._exit import DONE
from muapi_client.cli._formats import format_usd, to_json_number
from muapi_client.cli._state_file import StateFile
from muapi_client.emulator import Delivery, Emulator, Faults
from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Generator
    from types import FrameType

    from muapi_client.cli._console import Console
    from muapi_client.emulator import LogEntry

LIVE_KEY: Final = "sk-live"  # the emulator's own, not a secret
TEST_KEY: Final = "sk-test"
DEFAULT_BALANCE: Final = 100  # USD
REAL_TIME: Final = 1.0  # emulated seconds a second
TICK: Final = 0.5  # seconds; Windows hears Ctrl-C between two waits only


def emulator(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``emulator``.

    Raises:
        OSError: The address cannot be listened on, or the state not read or written.
        MuAPIError: The state is none.
        ImportError: The emulator's extra is not installed; the message tells how to.
    """
    with StateFile(Path(options.state)) if options.state else nullcontext() as state:
        service = _open_emulator(options, state)
        if state is not None:
            state.write(service)  # a file that cannot be written is told now, not at the end
        speed = REAL_TIME if options.realtime else None
        with (
            _stop_signals() as stop,
            service.serve(
                options.port,
                options.host,
                speed=speed,
                log=lambda entry: _log(entry, console),
                allowed_hosts=options.allowed_host,
                cors=options.cors or not options.no_cors,
            ) as url,
        ):
            _greet(url, console)
            while not stop.wait(TICK):
                pass
        if state is not None:
            state.write(service)
    _sum_up(service, console)
    return DONE


def _open_emulator(options: argparse.Namespace, state: StateFile | None) -> Emulator:
    """A new emulator, or the one whose state was kept."""
    seed = random.SystemRandom().getrandbits(64) if options.seed is None else options.seed
    faults = Faults.chaos(options.chaos, seed=seed)
    try:
        text = state.read() if state is not None else None
        if state is None or text is None:
            balance = DEFAULT_BALANCE if options.balance is None else options.balance
            return Emulator((LIVE_KEY,), (TEST_KEY,), balance, faults=faults, seed=seed)
        if options.balance is not None:
            raise MuAPIError(f"{state.path} has a balance of its own: leave --balance out, or name another file")
        return Emulator.load(text, faults=faults, seed=seed)
    except ValueError as error:
        raise MuAPIError(f"{state.path if state else 'it'} holds no state of an emulator: {error}") from error


@contextmanager
def _stop_signals() -> Generator[threading.Event, None, None]:
    """An event that Ctrl-C and SIGTERM set, in place of what they did."""
    stop = threading.Event()

    def stop_waiting(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(each, stop_waiting) for each in signals]
    try:
        yield stop
    finally:
        for each, handler in zip(signals, before, strict=True):
            signal.signal(each, handler)


def _greet(url: str, console: Console) -> None:
    plain = (
        f"a MuAPI listens on {url}\n"
        f"  live key {LIVE_KEY}   test key {TEST_KEY}\n"
        f"  export MUAPI_BASE_URL={url} MUAPI_API_KEY={LIVE_KEY}\n"
        "stop it with Ctrl-C"
    )
    event = {"event": "serving", "url": url, "live_key": LIVE_KEY, "test_key": TEST_KEY}
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
    }
    words = [f"{entry.method} {entry.path}", str(entry.status or "no answer"), f"{event['ms']:.2f} ms"]
    words += [f"{entry.cost_usd} USD"] if entry.cost_usd else []
    words += [entry.request_id] if entry.request_id else []
    words += [f"fault: {entry.fault.value}"] if entry.fault else []
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
        f"{len(service.requests)} requests; {jobs} jobs accepted, {format_usd(charged)} USD charged,"
        f" {format_usd(service.balance)} USD left",
        {
            "event": "stopped",
            "requests": len(service.requests),
            "accepted": jobs,
            "charged_usd": to_json_number(charged),
            "balance_usd": to_json_number(service.balance),
        },
    )
