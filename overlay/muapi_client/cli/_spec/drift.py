"""``spec drift``: has MuAPI's document moved away from the pinned one, and does that touch what a program uses?

Lives here: which changes count, what is printed, the exit code. Does not live here: getting the live document and
comparing it (``muapi_client.pinning``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from attrs import evolve

from muapi_client.cli._exit import DONE
from muapi_client.cli._spec.diff import EVERYTHING, narrow
from muapi_client.cli._spec.locks import read_only
from muapi_client.cli._spec.usage import read_code, resolve_usage
from muapi_client.pinning import Drift, PinError, make_lock, pinned
from muapi_client.pinning import drift as compared
from muapi_client.pinning._report.forms import make_record, render
from muapi_client.pinning._report.report import Report

if TYPE_CHECKING:
    import argparse

    from muapi_client.cli._console import Console
    from muapi_client.pinning import Usage
    from muapi_client.pinning._locks.drift import DriftVerdict

UNREACHABLE: Final = 5
CODES: Final[dict[DriftVerdict, int]] = {"same": DONE, "additive": 3, "breaking": 4}
SHORT: Final = 12  # characters of a hash that tell documents apart for a reader


def drift(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``spec drift``.

    Raises:
        PinError: A name is no function of the pinned document, or code that is to be read is not there.
    """
    only = read_only(options)
    if only:
        # A misspelt name shall not wait for a drift to be noticed.
        make_lock(pinned().document, "", only, corrections_sha256="", package="")
    every = read_code(options.used_in)
    try:
        whole = compared(options.source)
    except PinError as error:
        event = {"error": str(error), "type": type(error).__name__, "verdict": "unreachable"}
        console.say(f"muapi-client: {error}", event)
        return UNREACHABLE
    usage = resolve_usage(every, whole.diff.functions, pinned().document).usage if every and whole.diff else None
    if usage and not usage.complete:
        console.remark(EVERYTHING)
    found = evolve(whole, diff=narrow(whole.diff, usage, only)) if whole.diff else whole
    report = _report(found, usage)
    form: Literal["text", "markdown"] = "markdown" if options.output == "markdown" else "text"
    console.result(_record(found, report), "\n".join(_lines(found, report, form)))
    return CODES[found.verdict]


def _report(found: Drift, usage: Usage | None) -> Report | None:
    if found.diff is None:
        return None
    old, new = f"pinned {found.pinned_sha256[:SHORT]}", f"{found.source} {found.live_sha256[:SHORT]}"
    return Report(found.diff, old, new, usage)


def _lines(found: Drift, report: Report | None, form: Literal["text", "markdown"]) -> list[str]:
    """The verdict in one line, and what changed."""
    if report is None:
        return [f"same: {found.source} serves the pinned document {found.pinned_sha256[:SHORT]}"]
    meaning = {
        "additive": "additive: the document changed, and nothing that is used breaks",
        "breaking": f"breaking: something that {_is(report.usage)} used changed; see below",
    }[found.verdict]
    return [meaning, "", render(report, form)]


def _is(usage: Usage | None) -> str:
    return "is" if usage is None or usage.complete else "may be"


def _record(found: Drift, report: Report | None) -> dict[str, Any]:
    return {
        "verdict": found.verdict,
        "source": found.source,
        "pinned_sha256": found.pinned_sha256,
        "live_sha256": found.live_sha256,
        "diff": make_record(report) if report else None,
    }
