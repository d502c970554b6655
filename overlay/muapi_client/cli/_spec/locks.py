"""``spec verify`` and ``spec lock``: a program, held to the document it was written against.

Lives here: reading and writing the lock's file, the lines that are printed, the exit code. Does not live here: what a
lock holds and how it is compared (``muapi_client.pinning``).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve

from muapi_client._version import __version__
from muapi_client.cli._exit import DONE, FAILED
from muapi_client.cli._spec.usage import describe_unknown, describe_unread, read_code, resolve_usage
from muapi_client.pinning import PinError, UserLock, compare_lock, make_lock, pinned
from muapi_client.pinning._locks.user_lock import list_functions
from muapi_client.pinning._usage.usage import CLIENTS_OWN
from muapi_generated import SPEC

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from muapi_client.cli._console import Console
    from muapi_client.pinning import LockComparison, Pin, Usage

PACKAGE = f"muapi-client=={__version__}"
SHORT = 12  # characters of a hash that tell documents apart for a reader


def verify(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``spec verify``.

    Raises:
        PinError: The lock cannot be read, or the package and the document beside it do not belong together.
    """
    return _verify_hash(options.sha256, console) if options.sha256 else _verify_lock(options, console)


def lock(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``spec lock``.

    Raises:
        PinError: A name is no function of the document, a file of the code cannot be read, or the package and the
            document do not belong together.
    """
    pin = _find_pin()
    names = _choose_names(options, pin, console)
    prices = _read_prices() if options.prices else None
    made = make_lock(
        pin.document,
        SPEC.sha256,
        names,
        corrections_sha256=SPEC.corrections_sha256,
        package=PACKAGE,
        prices=prices,
    )
    target = Path(options.file)
    text = made.to_toml()
    same = target.is_file() and target.read_text(encoding="utf-8") == text
    if not same:
        target.write_text(text, encoding="utf-8", newline="\n")
    facts = {"file": str(target), "document_sha256": SPEC.sha256, "functions": len(made.functions), "changed": not same}
    wrote = "is up to date" if same else "written"
    console.result(facts, f"{target} {wrote}: document {SPEC.sha256[:SHORT]}, {len(made.functions)} functions")
    return DONE


def _choose_names(options: argparse.Namespace, pin: Pin, console: Console) -> frozenset[str] | None:
    """Choose the names of ``--only``, ``--used-in`` and the client's own calls; None where no option is given."""
    only = read_only(options)
    every = read_code(options.used_in)
    if every is None:
        return frozenset(only) if only else None
    functions = list_functions(pin.document)
    usage, strange = resolve_usage(every, functions, pin.document)
    if usage.unread:
        raise PinError(
            f"nothing is locked, for what it uses would be missing: {'; '.join(describe_unread(usage))}. Run this "
            "under a Python that reads it, or give --used-in the rest and name what it uses with --only"
        )
    for line in describe_unknown(usage):
        console.remark(f"muapi-client: {line}: name it with --only too")
    for name in strange:
        console.remark(f"muapi-client: {name} is used and not locked: the document has no such function")
    return frozenset({*only, *usage.names, *(CLIENTS_OWN & functions.keys())})


def read_only(options: argparse.Namespace) -> list[str]:
    """The functions or slugs that ``--only`` names."""
    return [name.strip() for name in (options.only or "").split(",") if name.strip()]


def _verify_hash(asked: str, console: Console) -> int:
    holds = asked == SPEC.sha256
    verdict = "as asked" if holds else f"not on {asked} as asked: install the version that was rendered from it"
    console.result(
        {"holds": holds, "runs_on": SPEC.sha256, "pinned": asked},
        f"this program runs on document {SPEC.sha256}, {verdict}",
    )
    return DONE if holds else FAILED


def _verify_lock(options: argparse.Namespace, console: Console) -> int:
    text = Path(options.lock).read_text(encoding="utf-8-sig", errors="replace")
    mine = UserLock.from_toml(text, options.lock)
    document = _find_pin().document
    usage = _read_usage(mine, document, options, console)
    used = usage.names if usage else ()
    now = _read_prices() if mine.prices else None
    found = compare_lock(mine, document, SPEC.sha256, used, corrections_sha256=SPEC.corrections_sha256, prices=now)
    missed = usage is not None and bool(usage.unread or (options.strict and usage.unknown))
    holds = found.holds and not (options.strict and found.moved) and not missed
    facts = {
        "holds": holds,
        "runs_on": found.document_sha256,
        "pinned": found.locked_sha256,
        "recorrected": found.recorrected,
        "changed": list(found.changed),
        "gone": list(found.gone),
        "repriced": {
            name: {"before": was or None, "after": now or None} for name, (was, now) in found.repriced.items()
        },
        "unlocked": list(found.unlocked),
        "unknown": [f"{use.file}:{use.line}" for use in usage.unknown] if usage else [],
        "unread": [{"file": file, "reason": why} for file, why in usage.unread] if usage else [],
        "same": found.same,
    }
    console.result(facts, "\n".join(_describe(found, mine, options)))
    return DONE if holds else FAILED


def _read_usage(
    mine: UserLock, document: Mapping[str, Any], options: argparse.Namespace, console: Console
) -> Usage | None:
    """Read what the code uses that ``--used-in`` names, and warn of what cannot be known of it.

    A lock of every function has whatever the code may use, so that nothing is left to be told.
    """
    every = read_code(options.used_in)
    if every is None:
        return None
    functions = list_functions(document)
    usage = resolve_usage(every, functions, document).usage
    if functions.keys() <= mine.functions.keys():
        return evolve(usage, unknown=(), unread=())
    refused = "; refused, since --strict was given" if options.strict else ""
    for line in describe_unknown(usage):
        console.remark(f"muapi-client: {line}: see that {options.lock} has it (`spec lock --only`){refused}")
    for line in describe_unread(usage):
        console.remark(f"muapi-client: {line}; refused: run this under a Python that reads it, or leave it out")
    return usage


def _describe(found: LockComparison, mine: UserLock, options: argparse.Namespace) -> list[str]:
    """Describe a comparison: the document first, then a line for each model."""
    runs_on, pinned_to = found.document_sha256[:SHORT], found.locked_sha256[:SHORT]
    if not found.moved and not found.recorrected:
        lines = [f"this program runs on document {runs_on}, as {options.lock} has it"]
    elif found.holds:
        kept = f"none of the {found.same} functions in {options.lock} changed"
        refused = "; refused, since --strict was given: `muapi-client spec lock` takes it up" if options.strict else ""
        lines = [f"this program runs on document {runs_on}, not on {pinned_to}; {kept}{refused}"]
    elif found.moved:
        lines = [f"this program runs on document {runs_on}, not on {pinned_to} as {options.lock} has it"]
    else:
        lines = [f"this program runs on document {runs_on}, as {options.lock} has it, corrected in another way"]
    if found.recorrected:
        lines.append(
            f"  the client's own corrections of the document are others than those of {mine.package}; which functions "
            "they touch cannot be told from here, and any of yours may take or answer something else"
        )
    lines += [f"  {name}: changed" for name in found.changed]
    lines += [f"  {name}: gone from the document" for name in found.gone]
    lines += [
        f"  {name}: costs {now or 'an unknown sum'}, not {was} USD" for name, (was, now) in found.repriced.items()
    ]
    lines += [f"  {name}: used, and not in {options.lock}" for name in found.unlocked]
    return lines if found.holds else [*lines, *_advise(found, mine, options)]


def _advise(found: LockComparison, mine: UserLock, options: argparse.Namespace) -> list[str]:
    """Say what to do about it: how to see what changed, where that can be seen, and how to take it up."""
    both = f"of {mine.package}, and that of the installed {PACKAGE}"
    documents = [f"To see how: `muapi-client spec diff OLD NEW`, on muapi_generated/openapi.json {both}."]
    corrections = [f"To see how it is corrected: compare muapi_generated/corrections.yaml {both}."]
    see = [*(documents if found.moved else ()), *(corrections if found.recorrected else ())]
    return [*see, f"To take it up: `muapi-client spec lock {options.lock}`, with --used-in or --only as before."]


def _find_pin() -> Pin:
    """The document this package was rendered from, as a file."""
    pin = pinned()
    if pin.lock.document_sha256 != SPEC.sha256:
        raise PinError(
            f"this package was rendered from {SPEC.sha256[:SHORT]}, and the document beside it is "
            f"{pin.lock.document_sha256[:SHORT]}: run `nox -s generate`, or install anew"
        )
    return pin


def _read_prices() -> dict[str, str]:
    """Each function's representative price in USD, where one is known."""
    from muapi_client import catalog  # noqa: PLC0415 - loads every model's data

    return {model.function: f"{model.price.cost_usd:f}" for model in catalog.all() if model.price}
