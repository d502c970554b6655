"""``spec drift``: has MuAPI's document moved away from the pinned one, and does that touch what a program uses?

Lives here: which changes count, what is printed, the exit code. Does not live here: getting the live document and
comparing it (``muapi_client.pinning``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from attrs import evolve

from muapi_client._types.words import SHORT
from muapi_client.cli._exit import DONE
from muapi_client.cli._spec.diff import EVERYTHING, is_gone, narrow
from muapi_client.cli._spec.usage import describe_remarks, read_code, read_only, resolve_usage
from muapi_client.pinning import Drift, PinError, pinned
from muapi_client.pinning import drift as compared
from muapi_client.pinning._document.reader import list_functions, resolve_names
from muapi_client.pinning._report.forms import make_record, render
from muapi_client.pinning._report.report import Report

if TYPE_CHECKING:
    import argparse
    from collections.abc import Collection

    from muapi_client.cli._console import Console
    from muapi_client.pinning import Usage
    from muapi_client.pinning._locks.drift import DriftVerdict

UNREACHABLE: Final = 5
CODES: Final[dict[DriftVerdict, int]] = {"same": DONE, "compatible": 3, "breaking": 4}


def drift(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``spec drift``.

    Raises:
        PinError: A name is no function of the pinned document, or code that is to be read is not there.
    """
    only = read_only(options)
    functions = list_functions(pinned().document)  # first: a misspelt name shall not wait for a drift to be noticed
    resolve_names(only, functions)
    every = read_code(options.used_in, options.lock)
    if every:
        resolve_usage(every, functions, pinned().document)
    for line in describe_remarks(every) if every else ():
        console.remark(f"muapi-client: {line}")
    try:
        whole = compared(options.source, prices=options.prices)
    except PinError as error:
        event = {"error": str(error), "type": type(error).__name__, "verdict": "unreachable"}
        console.say(f"muapi-client: {error}", event)
        return UNREACHABLE
    usage = resolve_usage(every, whole.diff.functions, pinned().document).usage if every and whole.diff else None
    if usage and not usage.complete:
        console.remark(f"muapi-client: {EVERYTHING}")
    found = evolve(whole, diff=narrow(whole.diff, usage, only)) if whole.diff else whole
    report = _report(found, usage)
    form: Literal["text", "markdown"] = "markdown" if options.output == "markdown" else "text"
    console.result(
        _record(found, report), "\n".join(_lines(found, report, form, _compare_parts(whole, found, usage, only)))
    )
    return CODES[found.verdict]


def _report(found: Drift, usage: Usage | None) -> Report | None:
    if found.diff is None:
        return None
    old, new = f"pinned {found.pinned_sha256[:SHORT]}", f"{found.source} {found.live_sha256[:SHORT]}"
    return Report(found.diff, old, new, usage)


def _lines(found: Drift, report: Report | None, form: Literal["text", "markdown"], parts: str) -> list[str]:
    """The verdict in one line, and what changed."""
    if report is None:
        prices = ", and the prices" if found.priced else ""
        return [f"same: {found.source} serves the pinned document {found.pinned_sha256[:SHORT]}{prices}"]
    narrowed = report.usage is not None or bool(parts)
    told = {
        ("compatible", True): "the document changed, and nothing that you use breaks",
        ("compatible", False): "the document changed, and no function breaks",
        ("breaking", True): f"something that you {_use(report.usage)} changed",
        ("breaking", False): "something that a program may use changed; --used-in or --only tells of what yours uses",
    }[found.verdict, narrowed]
    return [f"{found.verdict}: {told}{parts}", "", render(report, form)]


def _compare_parts(whole: Drift, found: Drift, usage: Usage | None, only: Collection[str]) -> str:
    """Say how many functions changed of those that are used, and of the others; empty where all count."""
    if whole.diff is None or found.diff is None or (usage is None and not only) or (usage and not usage.complete):
        return ""
    gone = {name for change in whole.diff.changes if is_gone(change) for name in change.names}
    mine, every = ({name for change in diff.changes for name in change.names} for diff in (found.diff, whole.diff))
    others = every - mine
    return (
        f" (of the functions you use {len(mine - gone)} changed and {len(mine & gone)} are gone; of all others "
        f"{len(others - gone)} and {len(others & gone)})"
    )


def _use(usage: Usage | None) -> str:
    return "use" if usage is None or usage.complete else "may use"


def _record(found: Drift, report: Report | None) -> dict[str, Any]:
    return {
        "verdict": found.verdict,
        "source": found.source,
        "pinned_sha256": found.pinned_sha256,
        "live_sha256": found.live_sha256,
        "prices": found.priced or None,
        "diff": make_record(report) if report else None,
    }
