"""Replacing several files together, so that a full disk or an interrupt leaves the old ones, whole.

Lives here: writing beside, renaming, putting back. Does not live here: which files, and what they hold (``pin``, and
a user's own lock).
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from muapi_client.pinning._document.errors import PinError

if TYPE_CHECKING:
    from collections.abc import Mapping

UNFINISHED: Final = ".new"  # how the name of a file ends that has not taken its place yet


def replace_together(contents: Mapping[Path, bytes], kept: str) -> None:
    """Replace files together: a failure changes none.

    All bytes are on disk before the first name changes; only a crash between two renames leaves an old file beside a
    new one.

    Args:
        contents: What each file is to hold, in the order in which the names change. A link is replaced, not followed.
        kept: What a message says of the old files where one cannot be written.

    Raises:
        PinError: A file cannot be written.
    """
    fresh: dict[Path, Path] = {}
    spare: dict[Path, Path] = {}
    target = Path()
    try:
        for target, content in contents.items():
            fresh[target] = _write_beside(target, content)
            if target.exists():
                spare[target] = _write_beside(target, target.read_bytes())
        _rename_all(fresh, spare)
    except OSError as error:
        raise PinError(f"cannot write {error.filename2 or target}: {error.strerror or error}; {kept}") from None
    finally:
        for left in (*fresh.values(), *spare.values()):
            with contextlib.suppress(OSError):
                left.unlink(missing_ok=True)
    for folder in {target.parent for target in contents}:
        _sync_folder(folder)


def sweep(target: Path) -> None:
    """Take away what was left beside a file by a process that was killed.

    Raises:
        OSError: It cannot be.
    """
    for left in target.parent.glob(f".{target.name}.*{UNFINISHED}"):
        left.unlink(missing_ok=True)


def _rename_all(fresh: Mapping[Path, Path], spare: Mapping[Path, Path]) -> None:
    """Give every fresh file its name; when one refuses, give the old ones theirs back."""
    renamed: list[Path] = []
    try:
        for target, new in fresh.items():
            new.replace(target)
            renamed.append(target)
    except BaseException as failure:
        for target in renamed:
            _put_back(target, spare.get(target), failure)
        raise


def _put_back(target: Path, spare: Path | None, failure: BaseException) -> None:
    try:
        if spare is None:
            target.unlink()
        else:
            spare.replace(target)
    except OSError as error:
        raise PinError(
            f"writing stopped half way ({failure}) and {target} could not be put back "
            f"({error.strerror or error}): restore the folder from version control, or fetch again"
        ) from None


def _write_beside(target: Path, content: bytes) -> Path:
    """Write a new file next to the one it is to replace, down to the disk."""
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=UNFINISHED)
    made = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # A temporary file is its owner's alone; the pin is for everybody, or for whom it was before.
        made.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o644)
    except BaseException:
        made.unlink(missing_ok=True)
        raise
    return made


def _sync_folder(folder: Path) -> None:
    """Make the renames durable at once, where the system lets a folder be opened."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
