"""``spec diff``: what changed between two documents, and whether a build has to fail for it.

Lives here: which changes count, what is printed, the exit code. Does not live here: finding, judging and telling
changes (``muapi_client.pinning``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from muapi_client.cli._exit import DONE, FAILED
from muapi_client.pinning import diff as compared
from muapi_client.pinning import used_in
from muapi_client.pinning._comparison import Report, told
from muapi_client.pinning._comparison._records import record
from muapi_client.pinning._comparison._sides import price_list, side
from muapi_client.pinning._comparison._usage import CLIENTS_OWN

if TYPE_CHECKING:
    import argparse
    from collections.abc import Collection, Mapping

    from muapi_client.cli._console import Console
    from muapi_client.pinning import Diff, Usage
    from muapi_client.pinning._comparison._reports import Form
    from muapi_client.pinning._comparison._sides import Given

FORMS: Final = ("text", "markdown", "json", "sarif")


def diff(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``spec diff``.

    Raises:
        PinError: A document cannot be had or compared, or a name is no function of either.
        ImportError: A second opinion is asked for, and specshift is not installed.
    """
    old, new = side(options.old), side(options.new)
    whole = compared(old.document, new.document, prices=_prices(options, old, new))
    if options.second_opinion:
        whole = _second(old, new, whole)
    every = used_in(options.used_in) if options.used_in else None
    usage = every.within(whole.functions) if every else None
    found = narrowed(whole, usage, [name.strip() for name in (options.only or "").split(",") if name.strip()])
    report = Report(found, old.name, new.name, usage)
    form: Form = options.output if options.output in FORMS else "text"  # `plain` may stand before the command
    console.result(record(report) if console.json else None, told(report, form))
    for name in _strangers(every, whole):
        console.remark(f"muapi-client: {name} is used, and neither document has it")
    return FAILED if found.fails(options.fail_on) else DONE


def _second(old: Given, new: Given, whole: Diff) -> Diff:
    from muapi_client.pinning._comparison._second import second_opinion  # noqa: PLC0415 - only where it is asked for

    return second_opinion(old.document, new.document, whole)


def _prices(options: argparse.Namespace, old: Given, new: Given) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """The price lists, given or lying beside both documents."""
    if options.prices:
        return price_list(options.prices[0]), price_list(options.prices[1])
    return (old.prices, new.prices) if old.prices is not None and new.prices is not None else None


def narrowed(whole: Diff, usage: Usage | None, only: Collection[str]) -> Diff:
    """The changes that count: of what is used and what is named, together.

    What the client calls by itself is used by every program. Where code makes a name at run time, anything may be used,
    and all changes count.
    """
    if usage is None:
        return whole.only(only) if only else whole
    if usage.unknown:
        return whole
    return whole.only({*usage.names, *only, *(CLIENTS_OWN & whole.functions.keys())})


def _strangers(usage: Usage | None, whole: Diff) -> list[str]:
    """Names that are used for sure, and that no document knows."""
    known = {*whole.functions, *whole.functions.values()}
    return [name for name in usage.names if name not in known] if usage else []
