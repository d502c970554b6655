"""``muapi-client run``: one job, from its words to its result.

Lives here: the ways to carry out a checked request. Does not live here: making it (``_call_arguments``), what is
shown on the way (``_progress``), getting a job's result or a stream's events (``MuAPI``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from muapi_client._settings.options import read_origin
from muapi_client.cli._call_arguments import read_call
from muapi_client.cli._exit import DONE, InterruptedJobError
from muapi_client.cli._formats import event_form, format_usd, job_form, to_json_number
from muapi_client.cli._progress import Watcher, show_facts, show_result
from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    import argparse

    from muapi_client import MuAPI
    from muapi_client._types.estimate import Estimate
    from muapi_client.cli._console import Console
    from muapi_generated.types import Call

STREAM: Final = "/stream"  # the ending of every slug that answers with events


def run(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``run``.

    Raises:
        MuAPIError: Whatever a job can come to; see ``MuAPI.run``.
    """
    call = read_call(options)
    if options.dry_run:
        _show(call, console, options.settings.base_url)
        return DONE
    from muapi_client.cli._client import open_client, remark_without_journal  # noqa: PLC0415 - a dry run needs none

    with open_client(options, console) as mu:
        if options.estimate:
            show_estimate(mu.estimate(call), console)
        elif call.operation.slug.endswith(STREAM):
            _listen(mu, call, console, options)
        elif options.no_wait:
            submit(mu, call, console)
        else:
            remark_without_journal(options, console)
            carry_out(mu, call, console, timeout=options.timeout)
    return DONE


def carry_out(mu: MuAPI, call: Call[Any], console: Console, *, timeout: float | None = None) -> None:
    """Submit, wait, print the result."""
    watcher = Watcher(console)
    with watcher.watching(mu):
        prediction = mu.run(call, timeout=timeout, on_accept=watcher.accepted, on_look=watcher.looked)
        show_result(prediction, console)


def submit(mu: MuAPI, call: Call[Any], console: Console) -> None:
    """Submit, print the request id; or the result where the server answered at once."""
    from muapi_client import Prediction  # noqa: PLC0415 - as above

    watcher = Watcher(console)
    with watcher.watching(mu):
        outcome = mu.submit(call)
        if isinstance(outcome, Prediction):
            show_result(outcome, console)
            return
        watcher.accepted(outcome)
        console.result(job_form(outcome), outcome.id)


def show_estimate(estimate: Estimate, console: Console) -> None:
    """Print a price."""
    form = {
        "model": estimate.model,
        "cost_usd": to_json_number(estimate.cost_usd),
        "dynamic": estimate.dynamic,
        "strategy": estimate.strategy,
    }
    console.result(form, f"{format_usd(estimate.cost_usd)} USD")


def _show(call: Call[Any], console: Console, base_url: str | None) -> None:
    """Print a request as it would be sent, in JSON whatever the output."""
    from muapi_client.cli._console import dumps  # noqa: PLC0415 - a dry run only

    request = {
        "method": call.operation.method,
        "url": f"{read_origin(base_url)}{call.operation.path}",
        "query": dict(call.query),
        **({"headers": dict(call.headers)} if call.headers else {}),
        "body": call.body if call.body is not None else {},
    }
    console.result(request, dumps(request, indent=2))


def _listen(mu: MuAPI, call: Call[Any], console: Console, options: argparse.Namespace) -> None:
    """Stream an answer."""
    if options.no_wait:
        whole = call.operation.slug.removesuffix(STREAM)
        raise MuAPIError(f"a stream cannot be taken up later: leave --no-wait out, or run {whole} (nothing was sent)")
    _print_events(mu if options.timeout is None else mu.with_options(wait_timeout=options.timeout), call, console)


def _print_events(mu: MuAPI, call: Call[Any], console: Console) -> None:
    """Print the text as it arrives, or one line of JSON an event; what it cost goes to standard error.

    Raises:
        InterruptedJobError: The user pressed Ctrl-C.
        MuAPIError: Whatever a stream can come to; what had arrived is printed.
        OSError: Standard output takes no more of it, and so standard error has told what may be charged.
    """
    last = ""
    try:
        for event in mu.stream(call):
            console.piece(event_form(event), event.text)
            last = event.text or last
            if event.prediction is not None:
                _end_line(last, console)
                show_facts(event.prediction, console)
    except MuAPIError:
        _end_line(last, console)
        raise
    except KeyboardInterrupt:
        _end_line(last, console)
        raise InterruptedJobError(f"interrupted: {_tell_fate(mu)}") from None
    except OSError:  # a full disk, or a pipe whose reader has gone
        console.say(f"the answer could not be written: {_tell_fate(mu)}", {"event": "unwritten"})
        raise


def _tell_fate(mu: MuAPI) -> str:
    """Say what became of a stream that nobody listens to any more."""
    if next(mu.jobs(), None) is None:  # a request that was not sent is not listed
        return "nothing was charged"
    return "what was begun may be charged, and a stream cannot be taken up again"


def _end_line(last: str, console: Console) -> None:
    """End the text's last line for people."""
    if last and not last.endswith("\n") and not console.json:
        console.piece(None, "\n")
