"""The file that ``muapi-client emulator --state`` goes on from: one owner at a time, and whole or not there.

Two emulators on one file would each write at their end what the other never knew of: a paid job would be gone without
a word. So the first one holds a lock beside the file for as long as it runs, and a second one is refused. The system
lets go of the lock with the process, however that ends; the empty lock file stays.

Lives here: the lock, reading and writing. Does not live here: what the state is (``Emulator.save``, ``Emulator.load``).
"""

from __future__ import annotations

import os
import sys
import tempfile
from errno import EACCES, EAGAIN, EDEADLK
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Self

from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    from muapi_client.emulator import Emulator

_HELD: Final = {EACCES, EAGAIN, EDEADLK}  # what systems say of a lock that somebody has


class StateFile:
    """A state file that nobody else writes to, until the end of its ``with`` block."""

    def __init__(self, path: Path) -> None:
        """Lock it.

        Raises:
            MuAPIError: Another emulator has it, or it is no file, such as a folder or a device.
            OSError: The lock cannot be made there.
        """
        if path.exists() and not path.is_file():
            raise MuAPIError(f"{path} is no file that a state can be kept in: name one, also one that is not there yet")
        # One file has one lock and is written in its place, by whichever link it is named.
        self.path = Path(os.path.realpath(path))
        self._lock = self.path.with_name(f"{self.path.name}.lock").open("ab")
        try:
            _lock(self._lock)
        except OSError as error:
            self._lock.close()
            if error.errno not in _HELD:
                raise
            raise MuAPIError(
                f"{path} is the state of an emulator that is running: stop that one, or name another file"
            ) from error

    def __enter__(self) -> Self:
        """Use it in a ``with`` block, which lets go of it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of it."""
        self._lock.close()

    def read(self) -> str | None:
        """What it holds; None where there is no file yet.

        Raises:
            OSError: It cannot be read.
            ValueError: It holds no text.
        """
        return self.path.read_text(encoding="utf-8") if self.path.exists() else None

    def write(self, service: Emulator) -> None:
        """Write the state, whole or not at all: neither a full disk nor a machine that stops leaves half of it.

        It holds keys, prompts and uploads: nobody but its owner may read it.

        Raises:
            OSError: It cannot be written; the file is as it was.
        """
        try:
            _write_private(self.path.with_name(f"{self.path.name}.part"), service.save()).replace(self.path)
        except OSError as error:  # of a full disk it names no file
            raise OSError(error.errno, error.strerror, str(self.path)) from error

    def rescue(self, service: Emulator) -> Path | None:
        """Write the state to a file of its own in the system's temporary folder; None where that does not go either."""
        try:
            folder = Path(tempfile.mkdtemp(prefix="muapi-emulator-"))  # nobody else may look into it
        except OSError:
            return None
        try:
            return _write_private(folder / self.path.name, service.save())
        except OSError:
            folder.rmdir()
            return None


def _write_private(path: Path, text: str) -> Path:
    """Write a file that nobody but its owner may read, to the disk; or leave none."""
    path.unlink(missing_ok=True)  # of one that was killed while it wrote: its mode would stay
    try:
        with open(path, "x", encoding="utf-8", opener=_open_private) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return path


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
