"""Left out: the corrections that `spec build --leave-out` writes, in a file beside the package that later builds read.

Lives here: that file's name, its text, and whose it is. Does not live here: which operations are left out
(``rules/survey``), how corrections apply (``rules/corrections``).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rules.document_text import read_text
from rules.errors import GenerationError

if TYPE_CHECKING:
    from pathlib import Path

_OURS = "# Written by `spec build --leave-out`"
_HEAD = """\
{ours}: what {package} leaves out of its document, and why. An OpenAPI Overlay.
# Every build of {package} applies it, and one with --leave-out writes it anew: actions of your own, which mend what
# this leaves out, belong in a file for --corrections.
overlay: 1.1.0
info: {{title: "What {package} leaves out", version: 1.0.0}}
actions:
"""


def left_out_path(package: Path) -> Path:
    """Return where the file of a package stands: beside it, for the package is replaced whole."""
    return package.with_name(f"{package.name}.left_out.yaml")


def write_overlay(actions: list[dict[str, Any]], package: str) -> str:
    """Write actions as an Overlay in YAML, three lines an action; an empty text for none."""
    if not actions:
        return ""
    lines = [
        f"{'    ' if position else '  - '}{key}: {json.dumps(value, ensure_ascii=False)}\n"
        for action in actions
        for position, (key, value) in enumerate(action.items())
    ]
    return _HEAD.format(ours=_OURS, package=package) + "".join(lines)


def check_ours(file: Path) -> None:
    """Refuse to write over a file that was not written here.

    Raises:
        GenerationError: It was not, or cannot be read.
    """
    if file.is_symlink() or (file.exists() and not (file.is_file() and read_text(file).startswith(_OURS))):
        raise GenerationError(f"{file} was not written here, and would be gone: take it away first.")


def save(file: Path, text: str) -> str:
    """Write the file, or take it away where nothing is left out any more; the line that says so, if any.

    Raises:
        GenerationError: It cannot be written.
    """
    if not text and not file.exists():
        return ""
    try:
        if not text:
            file.unlink()
            return f"Took {file} away: nothing is left out any more."
        file.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise GenerationError(
            f"The package is built, but {file} cannot be written ({problem.strerror or problem}): the next build would "
            "not know what this one left out."
        ) from None
    return f"Wrote {file}: every build of this package leaves out what it names, until it is gone."
