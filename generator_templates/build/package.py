"""The package: from the files of ``spec/`` to a checked package in a folder of its own.

Lives here: what a rendering is made of, and the order of its steps: read, correct, plan, render, check.
Does not live here: the steps, each a module; what becomes of the package (``render.py``).
"""

from __future__ import annotations

import hashlib
import re
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from attrs import frozen

from rules.corrections import apply_fitting_actions, check_misses, list_removals, read_actions
from rules.document_checks import check_frame
from rules.document_text import parse, read_fetch_time, read_text
from rules.errors import GenerationError, show_name
from rules.jobs import drop_marks
from rules.names import PREFIX
from rules.plan import Plan, make_plan
from rules.price_list import PriceList
from rules.survey import describe, find_left_out, list_operations, make_actions, survey

from .generator import HERE, render_package
from .left_out import left_out_path, write_overlay
from .overlay_usage import check_uses
from .package_checks import check_package
from .record import hash_inputs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rules.corrections import Action, Miss
    from rules.survey import Fault

_PIECE = 80  # characters
_MOST_ROUNDS = 9  # of leaving out; one is enough where no correction hides what another one leaves out


@frozen
class Sources:
    """The inputs of a rendering, and where it goes.

    Attributes:
        document: The OpenAPI document, JSON or YAML.
        corrections: This version's Overlays, of which each applies to what those before it left.
        models: The price list.
        output: The package.
        prefix: What no name repeats of a path.
        code: The hand-written code that uses the package; None where there is none.
        beside: The installed package whose types this one shares; empty for one that stands alone.
        generated_by: How the files call the command that writes them, where it is not `nox -s generate`.
        leave_out: Whether operations that cannot be said are left out, and the corrections for that made.
        own: A user's Overlays, which apply after this version's, and whose targets have to be there.
    """

    document: Path
    corrections: tuple[Path, ...]
    models: Path
    output: Path
    prefix: str = PREFIX
    code: Path | None = None
    beside: str = ""
    generated_by: str = ""
    leave_out: bool = False
    own: tuple[Path, ...] = ()

    def hash_inputs(self) -> dict[str, str]:
        """Hash all that decides a byte of the package.

        Raises:
            GenerationError: A file cannot be read.
        """
        overlays = {
            f"corrections{f'_{number}' if number else ''}": path
            for number, path in enumerate((*self.corrections, *self.own))
        }
        files = {"document": self.document, **overlays, "models": self.models}
        options = {"prefix": self.prefix, "fetched": read_fetch_time(self.document)}
        try:
            return hash_inputs(files, options, HERE)
        except OSError as problem:
            raise GenerationError(f"{problem.filename} cannot be read: {problem.strerror or problem}") from None


@frozen
class Made:
    """What was made of a document.

    Attributes:
        operations: How many operations the package has.
        all_operations: How many the document has.
        left_out: The text of the Overlay that leaves out what cannot be said; empty where all can, or where such a
            file was read.
    """

    operations: int
    all_operations: int
    left_out: str


@frozen
class _Settled:
    """A document, corrected until all that is left of it can be said."""

    plan: Plan
    misses: list[Miss]
    gone: list[tuple[str, str]]  # operations and the reasons why they are left out
    corrections_text: str
    left_out: str
    earlier: str  # the file of an earlier build by which something is left out; empty where there is none


def make_package(sources: Sources, package: Path) -> Made:
    """Render a package and check it; what the plan says of it is printed.

    Args:
        sources: What it is made of; its ``output`` is left alone.
        package: The directory to make.

    Raises:
        GenerationError: It cannot be made, or is not what it has to be.
    """
    document_text = read_text(sources.document)
    document = parse(document_text, sources.document)
    check_frame(document)
    settled = _settle(sources, drop_marks(document), document_text)
    plan = settled.plan
    for miss in settled.misses:
        print(f"{_say_kind(miss, sources)}: {miss.sentence}")
    for note in plan.notes:
        print(note)
    for operation, reason in settled.gone:
        print(f"Left out: {operation}: {reason}")
    if settled.earlier:
        print(
            f"{settled.earlier} leaves out what it names, even where other corrections mend that: a build with "
            "--leave-out decides anew."
        )
    render_package(
        plan, package, f"# Generated by {sources.generated_by}. Do not edit." if sources.generated_by else ""
    )
    check_package(plan, package, document_text + settled.corrections_text)
    if sources.code is not None:
        operations = {f"{method.upper()} {path}" for path, item in plan.document["paths"].items() for method in item}
        check_uses(sources.code, package.name, package, sources.document.name, operations)
    return Made(plan.operations, plan.operations + len(settled.gone), settled.left_out)


def _say_kind(miss: Miss, sources: Sources) -> str:
    if not sources.beside:
        return "An operation is gone"
    return "To look at" if _is_own(miss, sources) else "Not needed here"


def _is_own(miss: Miss, sources: Sources) -> bool:
    return miss.action.file in map(_name_file, sources.own)


def _name_file(path: Path) -> str:
    return show_name(path.name)


def _settle(sources: Sources, document: dict[str, Any], document_text: str) -> _Settled:
    """Correct and plan a document; where it is wanted, leave out what cannot be said.

    Raises:
        GenerationError: Some of it cannot be said, or a user's own correction matches nothing; the message tells all
            of that, and what can be done.
    """
    earlier = _find_earlier(sources)
    overlays = [("", read_text(path)) for path in sources.corrections]
    overlays += [(_name_file(path), read_text(path)) for path in (*sources.own, *([earlier] if earlier else []))]
    prices = PriceList.read(parse(read_text(sources.models), sources.models))
    leaving_out: list[dict[str, Any]] = []
    for _ in range(_MOST_ROUNDS):
        left_out = write_overlay(leaving_out, sources.output.name)
        texts = [*overlays, *([(left_out_path(sources.output).name, left_out)] if left_out else [])]
        actions = [action for name, text in texts for action in read_actions(text, name)]
        corrected, misses = _correct(document, actions, is_pinned=not sources.beside)
        gone = find_left_out(document, corrected, list_removals(document, actions))
        corrections_text = "".join(text for _, text in texts)
        spec = _describe_spec(document, document_text, corrections_text, read_fetch_time(sources.document), gone)
        plan, faults = survey(
            corrected,
            lambda rest, unsayable, spec=spec: make_plan(
                rest,
                prices,
                spec,
                prefix=sources.prefix,
                beside=sources.beside,
                unsayable=unsayable,
                pinned=document,
            ),
        )
        own = [miss for miss in misses if _is_own(miss, sources)]
        lost = [miss for miss in own if not miss.matches]
        if lost and (sources.leave_out or not faults):  # what it was to mend is not to be left out in its stead
            raise GenerationError(_describe_lost(lost))
        if plan is not None and not faults:
            applied = _name_if_effective(earlier, actions, misses)
            return _Settled(plan, misses, gone, corrections_text, left_out, applied)
        if plan is None or not sources.leave_out:
            break
        leaving_out += make_actions(faults, corrected)
    raise GenerationError(_describe_faults(faults, corrected, sources, own))


def _find_earlier(sources: Sources) -> Path | None:
    """Find the file of what an earlier build left out, unless that is decided anew."""
    earlier = left_out_path(sources.output)
    return earlier if sources.beside and not sources.leave_out and earlier.is_file() else None


def _name_if_effective(file: Path | None, actions: list[Action], misses: list[Miss]) -> str:
    """Name the file if one of its actions was carried out."""
    if file is None:
        return ""
    idle = {str(miss.action) for miss in misses}
    name = _name_file(file)
    return name if any(action.file == name and str(action) not in idle for action in actions) else ""


def _describe_lost(lost: list[Miss]) -> str:
    """Say in a line that corrections of a user's own are about nothing in this document."""
    sentences = " ".join(miss.sentence for miss in lost)
    return f"{sentences} Mend the target, or take the action out: a file for --corrections is about one document."


def _describe_faults(faults: list[Fault], document: Mapping[str, Any], sources: Sources, own: list[Miss]) -> str:
    """Tell all that cannot be said, where a user's own corrections do not fit, and what can be done about it here."""
    total = len([*list_operations(document)])
    count = len({operation for fault in faults for operation in fault.operations})
    way_on = (
        f"With --leave-out these corrections are written into {left_out_path(sources.output)}, and the rest is "
        "rendered; corrections of your own (--corrections FILE) may mend it instead."
        if sources.beside
        else f"Put a correction for each into {', '.join(map(str, sources.corrections)) or 'a file'}: nothing is left "
        "out without one."
    )
    if count == total:
        way_on = "Nothing is left to render."
    reasons = f"{len(faults)} reasons" if faults[1:] else "one reason"
    what = f"{count} of {total} operations" if count else "Components that no operation needs"
    headline = f"{what} cannot be said in Python, for {reasons}:"
    missed = [f"{_say_kind(miss, sources)}: {miss.sentence}" for miss in own]
    return "\n".join((headline, describe(faults, document), *missed, f"{what} cannot be said in Python. {way_on}"))


def _correct(document: dict[str, Any], actions: list[Action], *, is_pinned: bool) -> tuple[dict[str, Any], list[Miss]]:
    """Return the corrected document; another than the pinned one may lack what is corrected, or say it itself."""
    if is_pinned:
        corrected, misses = apply_fitting_actions(document, actions)
        check_misses(misses)
        return corrected, misses
    # nothing but the installed package is what our code stands on
    return apply_fitting_actions(document, [action for action in actions if not action.keeps])


def _describe_spec(
    document: dict[str, Any], document_text: str, corrections_text: str, fetched: str, gone: list[tuple[str, str]]
) -> dict[str, Any]:
    """Return what the package says it was rendered from."""
    return {
        "sha256": hashlib.sha256(document_text.encode()).hexdigest(),
        "corrections_sha256": hashlib.sha256(corrections_text.encode()).hexdigest(),
        "api_version": str(document.get("info", {}).get("version", "")),
        "schemas": len(document.get("components", {}).get("schemas", {})),
        "generator": f"openapi-python-client {version('openapi-python-client')}",
        "fetched": fetched,
        "left_out": [(operation, _cut(reason)) for operation, reason in gone],
    }


def _cut(text: str) -> list[str]:
    """Cut a text into pieces that fit into lines of source, each but the last with the space behind it."""
    return re.findall(rf".{{1,{_PIECE}}}(?: |$)|.{{1,{_PIECE}}}", text) or [""]
