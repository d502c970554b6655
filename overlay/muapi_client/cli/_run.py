"""``muapi-client run``: one job, from its words to its result, or the same one several times.

Lives here: the ways to carry out a checked request. Does not live here: making it (``_call_arguments``), what is
shown on the way (``_progress``), several side by side (``_many``), getting a job's result or a stream's events
(``MuAPI``).
"""

from __future__ import annotations

from datetime import datetime
from os import urandom
from typing import TYPE_CHECKING, Any

from muapi_client import catalog
from muapi_client._files.attachments import find_attachments, with_urls
from muapi_client._protocol.request import STREAM
from muapi_client._settings.options import read_origin
from muapi_client.cli._call_arguments import list_schemas, read_call
from muapi_client.cli._client import own_jobs
from muapi_client.cli._exit import DONE, InterruptedJobError
from muapi_client.cli._formats import event_form, format_usd, job_form, to_json_number
from muapi_client.cli._progress import Watcher, save, save_and_show, show_facts, show_result
from muapi_client.errors import MuAPIError, ValidationError

if TYPE_CHECKING:
    import argparse

    from muapi_client import MuAPI
    from muapi_client._types.estimate import Estimate
    from muapi_client.cli._console import Console
    from muapi_client.cli._saving import Saving
    from muapi_generated.types import Call


def run(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``run``.

    Raises:
        MuAPIError: Whatever a job can come to; see ``MuAPI.run``.
    """
    call = read_call(options)
    if not (options.dry_run or options.estimate or options.empty):
        _refuse_empty(call)
    from muapi_client.cli._saving import read_saving  # noqa: PLC0415 - an estimate's command needs none

    streams = call.operation.slug.endswith(STREAM)
    _refuse_contradictions(options, call, streams=streams)
    saving = read_saving(options, call.operation.slug, "{id}-{index}")
    if saving is not None and options.times > 1:
        saving.refuse_clashes((f"run {key}", key, {}) for key in _list_keys(options))
    if options.dry_run:
        _show(call, console, options.settings.base_url)
        return DONE
    if saving is not None and not options.estimate:
        saving.open()
    from muapi_client.cli._client import open_client, remark_without_journal  # noqa: PLC0415 - a dry run needs none
    from muapi_client.cli._prices import tell_price  # noqa: PLC0415 - as above

    model = None if options.raw else catalog.get(options.slug)
    with open_client(options, console) as mu:
        if options.estimate:
            show_estimate(mu.estimate(call), console, options.times)
            return DONE
        remark_without_journal(options, console)
        tell_price([call] * options.times, options, console, list_schemas(model))
        if options.times > 1:
            return _repeat(mu, call, options, console, saving)
        if saving is not None:
            saving.remark_taken(console)
        if streams:
            _print_events(mu, call, console, saving)
        elif options.no_wait:
            submit(mu, call, console)
        else:
            carry_out(mu, call, console, saving=saving)
    return DONE


def _refuse_empty(call: Call[Any]) -> None:
    """Refuse a run without input: most are an oversight, and each is paid for.

    Raises:
        ValidationError: There is none.
    """
    if not (call.body or call.files or call.query or call.path):
        raise ValidationError(
            f"no field is given: muapi-client models show {call.operation.slug} lists them, such as prompt='a red fox';"
            " --empty runs it with none (nothing was sent)"
        )


def _refuse_contradictions(options: argparse.Namespace, call: Call[Any], *, streams: bool) -> None:
    """Refuse options that cannot go together.

    Raises:
        ValidationError: They cannot.
    """
    if streams and (options.no_wait or options.times > 1):
        what = "a stream cannot be taken up later" if options.no_wait else "one stream is read at a time"
        option, whole = ("--no-wait" if options.no_wait else "-n"), call.operation.slug.removesuffix(STREAM)
        raise ValidationError(f"{what}: leave {option} out, or run {whole} (nothing was sent)")
    if options.no_wait and (options.times > 1 or options.out):
        other = "-n waits for its jobs" if options.times > 1 else "--out saves what is waited for"
        raise ValidationError(f"{other}: leave --no-wait out (nothing was sent)")


def _list_keys(options: argparse.Namespace) -> list[str]:
    """What the repeated runs are known by: their numbers, from 1."""
    return [str(place) for place in range(1, options.times + 1)]


def _repeat(mu: MuAPI, call: Call[Any], options: argparse.Namespace, console: Console, saving: Saving | None) -> int:
    """Carry the same request out several times side by side."""
    from muapi_client.cli._client import find_journal  # noqa: PLC0415 - as above
    from muapi_client.cli._many import carry_out  # noqa: PLC0415 - loads what maps need
    from muapi_client.cli._task import Many, Task  # noqa: PLC0415 - as above

    slug = call.operation.slug
    name = f"{slug} {datetime.now().astimezone():%Y-%m-%d %H:%M:%S} {urandom(2).hex()}"
    run = name if find_journal(options) is not None else None
    many = Many(
        title=slug,
        tasks=[Task(key, call, "", {}) for key in _list_keys(options)],
        run=run,
        again="muapi-client resume",
        goes_on=False,
        saving=saving,
        shows_keys=False,
        concurrency=64,
    )
    return carry_out(mu, many, console)


def estimate(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``estimate``.

    Raises:
        NotFoundError: There is no such model, or nobody prices it before it runs.
        ValidationError: The input would be refused.
    """
    call = read_call(options)
    from muapi_client.cli._client import open_client  # noqa: PLC0415 - wrong input needs none

    with open_client(options, console) as mu:
        show_estimate(mu.estimate(call), console)
    return DONE


def carry_out(mu: MuAPI, call: Call[Any], console: Console, *, saving: Saving | None = None) -> None:
    """Submit, wait, save, print the result.

    Raises:
        DownloadError: An output could not be saved; the result is printed all the same.
    """
    watcher = Watcher(console, call=call)
    with watcher.watching(mu):
        prediction = mu.run(call, on_accept=watcher.accepted, on_look=watcher.looked, on_look_failed=watcher.failed)
        save_and_show(mu, prediction, console, saving)


def submit(mu: MuAPI, call: Call[Any], console: Console) -> None:
    """Submit, print the request id; or the result where the server answered at once."""
    from muapi_client import Prediction  # noqa: PLC0415 - as above

    watcher = Watcher(console, call=call)
    with watcher.watching(mu):
        outcome = mu.submit(call)
        if isinstance(outcome, Prediction):
            show_result(outcome, console)
            return
        watcher.accepted(outcome)
        console.result(job_form(outcome), outcome.id)


def show_estimate(estimate: Estimate, console: Console, times: int = 1) -> None:
    """Print the price of a job, or of as many."""
    cost = estimate.cost_usd * times
    form = {
        "model": estimate.model,
        "cost_usd": to_json_number(cost),
        "dynamic": estimate.dynamic,
        "strategy": estimate.strategy,
    }
    console.result(form, f"{format_usd(cost)} USD")


def _show(call: Call[Any], console: Console, base_url: str | None) -> None:
    """Print a request as it would be sent, in JSON whatever the output."""
    from muapi_client.cli._console import dumps  # noqa: PLC0415 - a dry run only

    files = find_attachments(call.body)
    call = with_urls(call, {where: f"@{path}" for where, path in files})
    for where, path in files:
        console.remark(f"{where[0]}: {path} is uploaded first, and its URL sent")
    request = {
        "method": call.operation.method,
        "url": f"{read_origin(base_url)}{call.operation.path}",
        "query": dict(call.query),
        **({"headers": dict(call.headers)} if call.headers else {}),
        "body": call.body if call.body is not None else {},
    }
    console.result(request, dumps(request, indent=2))


def _print_events(mu: MuAPI, call: Call[Any], console: Console, saving: Saving | None) -> None:
    """Print the text as it arrives, or one line of JSON an event; what it cost goes to standard error.

    Raises:
        InterruptedJobError: The user pressed Ctrl-C.
        MuAPIError: Whatever a stream can come to; what had arrived is printed.
        OSError: Standard output takes no more of it, and so standard error has told what may be charged.
    """
    last = ""
    try:
        for event in mu.stream(call):
            if event.prediction is None:
                console.piece(event_form(event), event.text)
                last = event.text or last
                continue
            saved, trouble = save(mu, event.prediction, saving)
            console.piece(event_form(event, saved), event.text)
            _end_line(event.text or last, console)
            last = ""
            show_facts(event.prediction, console)
            for path in saved:
                console.remark(f"saved {path}")
            if trouble is not None:
                raise trouble
    except MuAPIError:
        _end_line(last, console)
        raise
    except KeyboardInterrupt:
        _end_line(last, console)
        raise InterruptedJobError(f"interrupted: {_tell_fate(mu)}", in_doubt=bool(own_jobs(mu))) from None
    except OSError:  # a full disk, or a pipe whose reader has gone
        console.say(f"the answer could not be written: {_tell_fate(mu)}", {"event": "unwritten"})
        raise


def _tell_fate(mu: MuAPI) -> str:
    """Say what became of a stream that nobody listens to any more."""
    if not own_jobs(mu):  # a request that was not sent is not listed
        return "nothing was charged"
    return "what was begun may be charged, and a stream cannot be taken up again"


def _end_line(last: str, console: Console) -> None:
    """End the text's last line for people."""
    if last and not last.endswith("\n") and not console.json:
        console.piece(None, "\n")
