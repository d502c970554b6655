"""``spec diff``: what changed between two documents, and whether a build has to fail for it.

Lives here: which changes count, what is printed, the exit code. Does not live here: finding, judging and telling
changes (``muapi_client.pinning``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from muapi_client.cli._exit import DONE, FAILED
from muapi_client.cli._spec.usage import read_code, resolve_usage
from muapi_client.pinning import diff as compared
from muapi_client.pinning._diff.inputs import read_input, read_price_list
from muapi_client.pinning._report.forms import make_record, render
from muapi_client.pinning._report.report import Report
from muapi_client.pinning._usage.usage import CLIENTS_OWN

if TYPE_CHECKING:
    import argparse
    from collections.abc import Collection, Mapping

    from muapi_client.cli._console import Console
    from muapi_client.pinning import Diff, Usage
    from muapi_client.pinning._diff.inputs import Input
    from muapi_client.pinning._report.forms import Form

FORMS: Final = ("text", "markdown", "json", "sarif")
EVERYTHING: Final = (
    "muapi-client: what this code uses cannot be told in full, so every change counts; the report names the places"
)


def diff(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``spec diff``.

    Raises:
        PinError: A document cannot be had or compared, or a name is no function of either.
        ImportError: A second opinion is asked for, and specshift is not installed.
    """
    old, new = read_input(options.old), read_input(options.new)
    whole = compared(old.document, new.document, prices=_read_prices(options, old, new))
    if options.second_opinion:
        whole = _ask_specshift(old, new, whole)
    every = read_code(options.used_in)
    usage, strange = resolve_usage(every, whole.functions, old.document, new.document) if every else (None, ())
    found = narrow(whole, usage, [name.strip() for name in (options.only or "").split(",") if name.strip()])
    report = Report(found, old.name, new.name, usage)
    form: Form = options.output if options.output in FORMS else "text"  # `plain` may stand before the command
    console.result(make_record(report) if console.json else None, render(report, form))
    if usage and not usage.complete:
        console.remark(EVERYTHING)
    for name in strange:
        console.remark(f"muapi-client: {name} is used, and neither document has it")
    return FAILED if found.fails(options.fail_on) else DONE


def _ask_specshift(old: Input, new: Input, whole: Diff) -> Diff:
    from muapi_client.pinning._diff.specshift import add_second_opinion  # noqa: PLC0415 - only where it is asked for

    return add_second_opinion(old.document, new.document, whole)


def _read_prices(
    options: argparse.Namespace, old: Input, new: Input
) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """The price lists, given or lying beside both documents."""
    if options.prices:
        return read_price_list(options.prices[0]), read_price_list(options.prices[1])
    return (old.prices, new.prices) if old.prices is not None and new.prices is not None else None


def narrow(whole: Diff, usage: Usage | None, only: Collection[str]) -> Diff:
    """The changes that count: of what is used and what is named, together.

    What the client calls by itself is used by every program. Where something in the code cannot be told, or a file
    cannot be read, anything may be used, and all changes count.
    """
    if usage is None:
        return whole.only(only) if only else whole
    if not usage.complete:
        return whole
    return whole.only({*usage.names, *only, *(CLIENTS_OWN & whole.functions.keys())})
