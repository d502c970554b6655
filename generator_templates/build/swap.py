"""The swap: a finished package takes the place of the old one whole, and two packages are compared byte for byte.

Lives here: renaming and comparing directories. A crash at any point leaves the old package or the new one, at worst
under the name ``recover`` knows. Does not live here: rendering.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_IGNORED = {"__pycache__"}


def aside(target: Path) -> Path:
    """Where the old package stands for the moment between two renames."""
    return target.with_name(f".{target.name}.old")


def recover(target: Path) -> None:
    """Put back what a run that died in the middle of a swap left aside, and clear what it left over."""
    old = aside(target)
    if not old.exists():
        return
    if target.exists():
        shutil.rmtree(old)
    else:
        old.rename(target)


def swap(new: Path, target: Path) -> None:
    """Put ``new`` where ``target`` is; both stand in one directory, so that a rename is atomic."""
    recover(target)
    if target.exists():
        target.rename(aside(target))
    new.rename(target)
    shutil.rmtree(aside(target), ignore_errors=True)


def differences(committed: Path, rendered: Path) -> list[str]:
    """Every file that is not the same in both, with what is wrong about it; sorted by name."""
    here, there = contents(committed), contents(rendered)
    lines = [f"missing  {name}" for name in there.keys() - here.keys()]
    lines += [f"extra    {name}" for name in here.keys() - there.keys()]
    lines += [f"differs  {name}" for name in here.keys() & there.keys() if here[name] != there[name]]
    return sorted(lines, key=lambda line: line.split(maxsplit=1)[1])


def contents(package: Path) -> dict[str, bytes]:
    """Every file below a package, but caches, by name."""
    return {
        file.relative_to(package).as_posix(): file.read_bytes()
        for file in package.rglob("*")
        if file.is_file() and not _IGNORED.intersection(file.relative_to(package).parts)
    }
