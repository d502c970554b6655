"""How saved files are called: a pattern such as ``{row.name}-{index}``. Pure.

Lives here: reading a pattern, and the names it makes. Does not live here: what no file's name can hold
(``_files/media``), that nothing is overwritten (``_files/temp_file``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

PLACEHOLDERS: Final = {
    "slug": "the model",
    "id": "the request id",
    "key": "the row's key, or the number of the repeated run",
    "index": "the place among the job's outputs, from 0 (added where it is not named)",
    "ext": "the suffix, at the end (added where it is not named)",
    "row.NAME": "a column of the batch",
}
ROW: Final = "row."
PIECE: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|([{}])|([^{}]+)")
SEPARATORS: Final = "/\\"
LONGEST: Final = 72  # bytes of one value in UTF-8: two of them and what is between make a name that is taken whole


class Pattern(NamedTuple):
    """A pattern, read.

    Attributes:
        pieces: Words as they are, and names of placeholders, each with whether it is one.
    """

    pieces: tuple[tuple[str, bool], ...]

    @property
    def columns(self) -> set[str]:
        """The columns of a batch that it names."""
        return {piece.removeprefix(ROW) for piece, is_name in self.pieces if is_name and piece.startswith(ROW)}

    def names(self, placeholder: str) -> bool:
        """Whether a placeholder stands in it."""
        return (placeholder, True) in self.pieces

    def render(self, values: Mapping[str, Any], row: Mapping[str, Any]) -> Callable[[int], str]:
        """What makes a file's name, without suffix, of an output's place.

        Args:
            values: Of the placeholders.
            row: Of the columns.
        """

        def name(index: int) -> str:
            known = {**values, "index": index, **{f"{ROW}{column}": value for column, value in row.items()}}
            return "".join(_clean(known.get(piece)) if is_name else piece for piece, is_name in self.pieces)

        return name


def read_pattern(text: str) -> Pattern:
    """Read a pattern.

    Raises:
        ValueError: It names what there is not, or a folder.
    """
    if set(text) & set(SEPARATORS):
        raise ValueError(f"{text!r} is a path: --out names the folder, this how files in it are called")
    stem = text.removesuffix(".{ext}")
    pieces: list[tuple[str, bool]] = []
    for found in PIECE.finditer(stem):
        name, stray, words = found.groups()
        if stray:
            raise ValueError(f"{text!r} has a {stray} alone: {{{{ and }}}} are the signs themselves")
        if name is None:
            pieces.append((words or found[0][0], False))
            continue
        _check_placeholder(name, text)
        pieces.append((name, True))
    if not pieces:
        raise ValueError("a name is no empty text")
    if ("index", True) not in pieces:
        pieces += [("-", False), ("index", True)]
    return Pattern(tuple(pieces))


def find_clash(named: Iterable[tuple[str, str]]) -> tuple[str, str, str] | None:
    """The first name that two have, and both of them; names that differ in case are one on many disks.

    Args:
        named: Who has a name, and the name.
    """
    seen: dict[str, str] = {}
    for owner, name in named:
        other = seen.setdefault(name.casefold(), owner)
        if other != owner:
            return name, other, owner
    return None


def _check_placeholder(name: str, text: str) -> None:
    if name == "ext":
        raise ValueError(f"{text!r} has {{ext}} in the middle: a suffix stands at the end, as .{{ext}}")
    if name not in PLACEHOLDERS and not (name.startswith(ROW) and name != ROW):
        raise ValueError(
            f"{text!r} names {{{name}}}, and there are {', '.join(f'{{{each}}}' for each in PLACEHOLDERS)}"
        )


def _clean(value: Any) -> str:
    """A value as a part of a name: letters and digits of any script, points, dashes and underscores."""
    text = "" if value is None else str(value)
    fit = re.sub(r"[^\w.-]+", "_", text).encode()[:LONGEST].decode(errors="ignore")
    return fit.strip("._-") or "_"
