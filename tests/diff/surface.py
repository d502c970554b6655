"""The public surface of the hand-written package, as griffe reads it from the source, a line a name.

``python tests/diff/surface.py`` compares it with the record, surface.txt; ``--write`` writes the record anew. What the
pinned document makes is not in it: ``muapi-client spec diff`` tells that.
"""

from __future__ import annotations

import difflib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import griffe

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
RECORD = Path(__file__).with_name("surface.txt")
PACKAGE = "muapi_client"
MADE = f"{PACKAGE}.models"  # leads to the rendered functions
PRIVATE = re.compile(r"\b_[a-z]\w*\.(?:[a-z_]\w*\.)*(?=[A-Z])")  # a room that an annotation names a class by
REMEDY = (
    "The public surface changed. If on purpose: say so in CHANGELOG.md, under Changed or Removed where it breaks code, "
    "and run `nox -s surface -- --write`."
)


def surface() -> list[str]:
    """Every public name, with its signature or type."""
    loader = griffe.GriffeLoader(search_paths=[ROOT / "overlay"], allow_inspection=False)
    package = loader.load(PACKAGE)
    loader.resolve_aliases(implicit=True, external=False)
    assert isinstance(package, griffe.Module)
    return sorted({PRIVATE.sub("", line) for line in _module(package)})


def _module(module: griffe.Module) -> Iterator[str]:
    exported = {str(name) for name in module.exports} if module.exports is not None else None
    for name, member in module.members.items():
        inner = f"{module.path}.{name}"
        if isinstance(member, griffe.Module):
            if not name.startswith("_") and inner != MADE:
                yield from _module(member)
        elif name in exported if exported is not None else not (name.startswith("_") or member.is_alias):
            yield from _told(inner, member)


def _told(name: str, member: griffe.Object | griffe.Alias) -> Iterator[str]:
    """A name and what is public of it; for what is taken from elsewhere, that."""
    try:
        target = member.final_target if isinstance(member, griffe.Alias) else member
    except (griffe.AliasResolutionError, griffe.CyclicAliasError):
        yield f"{name}: from {member.target_path if isinstance(member, griffe.Alias) else '?'}"
        return
    if isinstance(target, griffe.Function):
        yield f"{name}{_signature(target)}"
    elif isinstance(target, griffe.Class):
        yield f"{name}: class({', '.join(map(str, target.bases))})"
        for inner, one in {**target.inherited_members, **target.members}.items():
            if not inner.startswith("_") or inner == "__init__":
                yield from _told(f"{name}.{inner}", one)
    elif isinstance(target, griffe.Attribute):
        yield f"{name}: {target.annotation or 'value'}"


def _signature(function: griffe.Function) -> str:
    told: list[str] = []
    starred = False
    for one in function.parameters:
        if one.kind is griffe.ParameterKind.var_positional:
            starred = True
        if one.kind is griffe.ParameterKind.keyword_only and not starred:
            told.append("*")
            starred = True
        stars = {griffe.ParameterKind.var_positional: "*", griffe.ParameterKind.var_keyword: "**"}.get(one.kind, "")
        default = f" = {one.default}" if one.default is not None and not stars else ""
        told.append(f"{stars}{one.name}{f': {one.annotation}' if one.annotation else ''}{default}")
    return f"({', '.join(told)}) -> {function.returns or 'None'}"


def differences() -> list[str]:
    """How the surface differs from the record, as a diff."""
    record = RECORD.read_text(encoding="utf-8").splitlines()
    return [*difflib.unified_diff(record, surface(), "surface.txt", "the source", lineterm="", n=0)]


def main(words: list[str]) -> int:
    """Compare, or write the record."""
    if words == ["--write"]:
        RECORD.write_text("\n".join(surface()) + "\n", encoding="utf-8", newline="\n")
        return 0
    found = differences()
    sys.stdout.writelines(f"{line}\n" for line in (*found, *([REMEDY] if found else ["as recorded"])))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
