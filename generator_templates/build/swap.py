"""The swap: a finished package takes the place of the old one whole, and two packages are compared byte for byte.

Lives here: renaming and comparing directories. A crash at any point leaves the old package or the new one, at worst
under the name ``recover_backup`` knows. Does not live here: rendering.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

IGNORED = {"__pycache__"}  # folders of caches, which are nobody's


def backup_path(target: Path) -> Path:
    """Return where the old package stands for the moment between two renames."""
    return target.with_name(f".{target.name}.old")


def recover_backup(target: Path) -> None:
    """Put back what a run that died in the middle of a swap left aside, and clear what it left over."""
    old = backup_path(target)
    if not old.exists():
        return
    if target.exists():
        shutil.rmtree(old)
    else:
        old.rename(target)


def swap_in(new: Path, target: Path) -> None:
    """Put ``new`` where ``target`` is; both stand in one directory, so that a rename is atomic."""
    recover_backup(target)
    if target.exists():
        target.rename(backup_path(target))
    try:
        new.rename(target)
    except BaseException:
        recover_backup(target)
        raise
    shutil.rmtree(backup_path(target), ignore_errors=True)


def list_differences(committed: Path, rendered: Path) -> list[str]:
    """List the files that are not the same in both, each with what is wrong about it; sorted by name."""
    old, new = read_contents(committed), read_contents(rendered)
    lines = [f"missing  {name}" for name in new.keys() - old.keys()]
    lines += [f"extra    {name}" for name in old.keys() - new.keys()]
    lines += [f"differs  {name}" for name in old.keys() & new.keys() if old[name] != new[name]]
    return sorted(lines, key=lambda line: line.split(maxsplit=1)[1])


def read_contents(package: Path) -> dict[str, bytes]:
    """Read every file below a package, but caches, by name."""
    return {
        file.relative_to(package).as_posix(): file.read_bytes()
        for file in package.rglob("*")
        if file.is_file() and not IGNORED.intersection(file.relative_to(package).parts)
    }
