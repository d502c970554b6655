"""``spec diff``: what changed between two documents, and whether a build has to fail for it.

Lives here: which changes count, what is printed, the exit code. Does not live here: finding, judging and telling
changes (``muapi_client.pinning``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import evolve

from muapi_client.cli._exit import DONE, FAILED
from muapi_client.cli._spec.usage import SAY, describe_remarks, describe_strange, read_code, read_only, resolve_usage
from muapi_client.pinning._diff.documents import compare_documents
from muapi_client.pinning._diff.inputs import PIN, read_input, read_price_list
from muapi_client.pinning._locks.locked_document import read_locked
from muapi_client.pinning._report.forms import make_record, render
from muapi_client.pinning._report.report import Report
from muapi_client.pinning._usage.usage import CLIENTS_OWN

if TYPE_CHECKING:
    import argparse
    from collections.abc import Collection, Iterator, Mapping

    from muapi_client.cli._console import Console
    from muapi_client.cli._spec.usage import ReadUsage
    from muapi_client.pinning import Change, Diff, Usage
    from muapi_client.pinning._diff.inputs import Input
    from muapi_client.pinning._report.forms import Form

FORMS: Final = ("text", "markdown", "json", "sarif")
EVERYTHING: Final = (
    "what this code uses cannot be told in full, so every change counts; the report names the places: "
    f"{SAY.format(lock='your lock')}"
)
UNPRICED: Final = (
    "muapi-client: no prices were compared, so none fails this: models.json does not lie beside both documents "
    "(--prices names the lists)"
)
RECORRECTED: Final = (
    "muapi-client: this program also corrects the document in another way than that of {lock}: whether that touches a "
    "function of yours, `muapi-client spec verify --lock {lock}` says"
)

SECONDED: Final = "muapi-client: specshift looked at both documents, too; found by it alone: {}"


def diff(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``spec diff``.

    Raises:
        PinError: A document cannot be had or compared, or a name is no function of either.
        ImportError: A second opinion is asked for, and specshift is not installed.
    """
    words = options.old, options.new
    locks = {word: side for word in words if (side := read_locked(word))}
    old, new = (locks[word].side if word in locks else read_input(word) for word in words)
    prices = _read_prices(options, old, new)
    whole = compare_documents(old.parse(), new.parse(), prices=prices)
    if options.second_opinion:
        whole = _ask_specshift(old, new, whole)
        console.remark(SECONDED.format(len([change for change in whole.changes if change.kind == "unsorted"])))
    every = read_code(options.used_in, options.lock or next(iter(locks), None))
    read = resolve_usage(every, whole.functions, old.document, new.document) if every else None
    usage = read.usage if read else None
    locked = frozenset(name for one in locks.values() for name in one.lock.functions)
    only = read_only(options)
    found = narrow(_narrow_to_locked(whole, locked) if locks else whole, usage, only)
    report = Report(found, old.name, new.name, usage)
    form: Form = options.output if options.output in FORMS else "text"  # `plain` may stand before the command
    console.result(make_record(report) if console.json else None, render(report, form))
    unlocked = sorted(read.usage.named - locked) if read and locks else []
    if read:
        for line in _describe_usage(read, whole.functions, unlocked):
            console.remark(f"muapi-client: {line}")
    for word in locks if PIN in words else ():
        if locks[word].lock.corrections_sha256 != _corrections_sha256():
            console.remark(RECORRECTED.format(lock=word))
    if "silent" in options.fail_on and prices is None:
        console.remark(UNPRICED)
    missed = bool(unlocked or (read and read.missing))  # nothing can be told of what such code does
    return FAILED if (missed and options.fail_on) or found.fails(*options.fail_on) else DONE


def _describe_usage(read: ReadUsage, functions: Mapping[str, str], unlocked: Collection[str]) -> Iterator[str]:
    """What a reader has to know of the code that was looked into, a line each."""
    usage = read.usage
    if not usage.complete:
        yield EVERYTHING
    yield from describe_remarks(usage)
    yield from describe_strange(read.strange, functions, "used, and neither document has it", usage.rendered)
    for name in unlocked:
        where = ", ".join(map(str, usage.names[name]))
        what = "is used and not locked, so its changes are not reported"
        yield f"{where}: {name} {what}: `muapi-client spec lock` takes it up"


def _narrow_to_locked(whole: Diff, locked: Collection[str]) -> Diff:
    """The changes of what is locked; nothing else stands in the document beside a lock."""
    found = whole.only({*locked} & whole.functions.keys())
    gone = sum(1 for change in found.changes if is_gone(change))
    return evolve(found, operations=(len(locked), len(locked) - gone))


def is_gone(change: Change) -> bool:
    """Whether a change takes a function away."""
    return (change.kind, change.effect) == ("operation", "removed")


def _corrections_sha256() -> str:
    from muapi_generated import SPEC  # noqa: PLC0415 - only where a lock and this program stand beside each other

    return SPEC.corrections_sha256


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
