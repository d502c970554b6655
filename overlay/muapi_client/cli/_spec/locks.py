"""``spec verify`` and ``spec lock``: a program, held to the document it was written against.

Lives here: reading and writing the lock's files, the lines that are printed, the exit code. Does not live here: what a
lock holds and how it is compared (``muapi_client.pinning``).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from attrs import evolve

from muapi_client._spec.packages import INSTALLED
from muapi_client._spec.rendering import read_rendering
from muapi_client._types.words import SHORT, shorten_hashes
from muapi_client._version import __version__
from muapi_client.cli._exit import DONE, FAILED
from muapi_client.cli._spec.usage import (
    describe_remarks,
    describe_strange,
    describe_unknown,
    describe_unread,
    read_code,
    read_lock_text,
    read_only,
    resolve_usage,
)
from muapi_client.pinning import PinError, Rendering, UserLock, compare_lock, find_usage, make_lock, pinned
from muapi_client.pinning._document.reader import list_functions, resolve_names
from muapi_client.pinning._document.replacing import replace_together
from muapi_client.pinning._locks.lock_file import find_uses, read_uses
from muapi_client.pinning._locks.locked_document import SUFFIX, make_locked_document
from muapi_client.pinning._usage.usage import CLIENTS_OWN
from muapi_generated import SPEC

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from muapi_client.cli._console import Console
    from muapi_client.pinning import LockComparison, Pin, Usage, Use

PACKAGE = f"muapi-client=={__version__}"


class Choice(NamedTuple):
    """What is to be locked: the functions, None for all of them, and the groups that are used whole."""

    names: frozenset[str] | None
    groups: tuple[str, ...] = ()


def verify(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``spec verify``.

    Raises:
        PinError: The lock cannot be read, the package and the document beside it do not belong together, or an
            acknowledgement in the code names what there is not.
    """
    return _verify_hash(options.sha256, console) if options.sha256 else _verify_lock(options, console)


def lock(options: argparse.Namespace, console: Console) -> int:
    """Carry out ``spec lock``.

    Raises:
        PinError: A name is no function of the document, a file of the code cannot be read, the package and the
            document do not belong together, the table ``[uses]`` of the lock that is there cannot be read, or the
            lock cannot be written; that of before is as it was.
    """
    pin = _find_pin()
    target = Path(options.file)
    before = _read_before(target)
    uses = find_uses(before, options.file)
    choice = _choose(options, pin, uses, console)
    made = make_lock(
        Rendering(**read_rendering(INSTALLED)),
        choice.names,
        package=PACKAGE,
        prices=_read_prices() if options.prices else None,
        groups=choice.groups,
    )
    texts = {
        target: made.to_toml() + (f"\n{uses}" if uses else ""),
        Path(f"{target}{SUFFIX}"): make_locked_document(made, pin.document, pin.models),
    }
    changed = [file for file, text in texts.items() if not _holds(file, text)]
    # The table [uses] was written by a person: nothing may leave half of it.
    replace_together(
        {Path(os.path.realpath(file)): texts[file].encode() for file in changed}, "the lock of before is as it was"
    )
    facts = {
        "file": str(target),
        "document_sha256": SPEC.sha256,
        "functions": len(made.functions),
        "changed": bool(changed),
    }
    names = " and ".join(map(str, texts))
    wrote = "written" if changed else "are up to date"
    console.result(facts, f"{names} {wrote}: document {SPEC.sha256[:SHORT]}, {len(made.functions)} functions")
    return DONE


def _read_before(file: Path) -> str:
    """The lock that is there; empty where there is none.

    Raises:
        PinError: It is no file, or no text: what a person wrote into it would be gone.
    """
    if file.exists() and not file.is_file():
        raise PinError(f"{file} is no file that a lock can be: name one, also one that is not there yet")
    try:
        return file.read_text(encoding="utf-8-sig") if file.exists() else ""
    except UnicodeDecodeError as error:
        raise PinError(
            f"{file} is not text in UTF-8 ({error}), and what you wrote into it would be gone: save it as UTF-8, or "
            "take it away first"
        ) from None


def _holds(file: Path, text: str) -> bool:
    return file.is_file() and file.read_text(encoding="utf-8", errors="replace") == text


def _choose(options: argparse.Namespace, pin: Pin, uses: str, console: Console) -> Choice:
    """Choose the names of ``--only``, ``--used-in`` and the client's own calls; all where no option is given."""
    functions = list_functions(pin.document)
    only = resolve_names(read_only(options), functions)
    if not options.used_in:
        return Choice(only or None)
    table = f"the table [uses] of {options.file}"
    every = find_usage(options.used_in, uses=read_uses(uses), home=Path(options.file).parent, table=table)
    usage, strange, _ = resolve_usage(every, functions, pin.document)
    if usage.unread:
        raise PinError(
            f"nothing is locked, for what it uses would be missing: {'; '.join(describe_unread(usage))}. Run this "
            "under a Python that reads it, or give --used-in the rest and name what it uses with --only"
        )
    for line in describe_unknown(usage, options.file):
        console.remark(f"muapi-client: {line}")
    for line in describe_remarks(usage):
        console.remark(f"muapi-client: {line}")
    unlocked = "used and not locked: the document has no such function"
    for line in describe_strange(strange, functions, unlocked, usage.rendered):
        console.remark(f"muapi-client: {line}")
    return Choice(frozenset({*only, *usage.names, *(CLIENTS_OWN & functions.keys())}), usage.groups)


def _verify_hash(asked: str, console: Console) -> int:
    holds = asked == SPEC.sha256
    verdict = "as asked" if holds else f"not on {asked} as asked: install the version that was rendered from it"
    console.result(
        {"holds": holds, "runs_on": SPEC.sha256, "pinned": asked},
        f"this program runs on document {SPEC.sha256}, {verdict}",
    )
    return DONE if holds else FAILED


def _verify_lock(options: argparse.Namespace, console: Console) -> int:
    mine = UserLock.from_toml(read_lock_text(options.lock), options.lock)
    usage, missing = _read_usage(mine, _find_pin().document, options, console)
    now = _read_prices() if mine.prices else None
    found = compare_lock(mine, Rendering(**read_rendering(INSTALLED)), _select_used(usage, mine), prices=now)
    missed = usage is not None and bool(usage.unread or (options.strict and usage.unknown))
    other = found.moved or found.recorrected
    holds = found.holds and not (options.strict and other) and not missed and not missing
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
        "missing": {name: [*map(str, places)] for name, places in missing.items()},
        "unknown": [*map(str, usage.unknown)] if usage else [],
        "unread": [{"file": file, "reason": why} for file, why in usage.unread] if usage else [],
        "same": found.same,
    }
    lines = [*_describe(found, mine, options), *_describe_missing(missing)]
    console.result(facts, "\n".join(lines))
    return DONE if holds else FAILED


def _select_used(usage: Usage | None, mine: UserLock) -> frozenset[str]:
    """The functions that have to be locked: of a group that was locked whole, those that it had then."""
    if usage is None:
        return frozenset()
    later = set(usage.groups) - set(mine.groups)
    return frozenset(usage.names) if later else frozenset(usage.named)


def _read_usage(
    mine: UserLock, document: Mapping[str, Any], options: argparse.Namespace, console: Console
) -> tuple[Usage | None, Mapping[str, tuple[Use, ...]]]:
    """Read what the code uses that ``--used-in`` names, and warn of what cannot be known of it.

    A lock of every function has whatever the code may use, so that nothing is left to be told.

    Returns:
        What it uses, None where no code is named; and what it needs of the client that no document has.
    """
    every = read_code(options.used_in, options.lock)
    if every is None:
        return None, {}
    functions = list_functions(document)
    usage, strange, needed = resolve_usage(every, functions, document)
    missing = {name: places for name, places in needed.items() if name not in mine.functions}  # which is told as gone
    asked = {name: places for name, places in strange.items() if name not in {*needed, *mine.functions}}
    for line in describe_strange(asked, functions, "used, and in no document", usage.rendered):
        console.remark(f"muapi-client: {line}")
    for line in describe_remarks(usage):
        console.remark(f"muapi-client: {line}")
    if functions.keys() <= mine.functions.keys():
        return evolve(usage, unknown=(), unread=()), missing
    refused = "; refused, since --strict was given" if options.strict else ""
    for line in describe_unknown(usage, options.lock):
        console.remark(f"muapi-client: {line}{refused}")
    for line in describe_unread(usage):
        console.remark(f"muapi-client: {line}; refused: run this under a Python that reads it, or leave it out")
    return usage, missing


def _describe_missing(missing: Mapping[str, tuple[Use, ...]]) -> list[str]:
    functions = list_functions(_find_pin().document)
    return [f"  {line}" for line in describe_strange(missing, functions, "used, and in no document")]


def _describe(found: LockComparison, mine: UserLock, options: argparse.Namespace) -> list[str]:
    """Describe a comparison: the document first, then a line for each model."""
    runs_on, pinned_to = shorten_hashes(found.document_sha256, found.locked_sha256)
    other = f", not on {pinned_to}" if found.moved else f", as {options.lock} has it"
    corrected = ", corrected in another way" if found.recorrected else ""
    same = ""
    if found.holds and (found.moved or found.recorrected):
        refused = "; refused, since --strict was given: `muapi-client spec lock` takes it up" if options.strict else ""
        same = f"; none of the {found.same} functions in {options.lock} changed{refused}"
    elif found.moved:
        other += f" as {options.lock} has it"
    lines = [f"this program runs on document {runs_on}{other}{corrected}{same}"]
    if found.unclear:
        lines.append(
            f"  the client's own corrections of the document are others than those of {mine.package}; which functions "
            "they touch this lock, of an earlier form, does not tell: any of yours may take or answer something else"
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
    if Path(f"{options.lock}{SUFFIX}").is_file():
        documents = [f"To see how: `muapi-client spec diff {options.lock} pin`."]
    else:
        documents = [f"To see how: `muapi-client spec diff OLD NEW`, on muapi_generated/openapi.json {both}."]
    corrections = [f"To see how it is corrected: compare muapi_generated/corrections.yaml {both}."]
    touched = found.unclear or (found.recorrected and found.changed)
    see = [*(documents if found.moved else ()), *(corrections if touched else ())]
    return [*see, f"To take it up: `muapi-client spec lock {options.lock}`, with --used-in or --only as before."]


def _find_pin() -> Pin:
    """The document this package was rendered from, as a file."""
    pin = pinned()
    if pin.lock.document_sha256 != SPEC.sha256:
        rendered, beside = shorten_hashes(SPEC.sha256, pin.lock.document_sha256)
        raise PinError(
            f"this package was rendered from {rendered}, and the document beside it is {beside}: run "
            "`nox -s generate`, or install anew"
        )
    return pin


def _read_prices() -> dict[str, str]:
    """Each function's representative price in USD, where one is known."""
    from muapi_client import catalog  # noqa: PLC0415 - loads every model's data

    return {model.function: f"{model.price.cost_usd:f}" for model in catalog.all() if model.price}
