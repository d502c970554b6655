"""A file that is on its way: written under a temporary name, put in its place when it is whole, else removed.

Lives here: everything a download does to the disk. Does not live here: what is fetched, and when it is whole.
"""

from __future__ import annotations

import filecmp
import os
import secrets
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from muapi_client._files.media import HEAD, iterate_names
from muapi_client._runtime.locks import ForkLock
from muapi_client._runtime.tracebacks import raise_if_from_signal_handler
from muapi_client.errors import DownloadError

if TYPE_CHECKING:
    from collections.abc import Generator


class PartialFile:
    """One such file, for a ``with`` block, which removes it unless it was put in its place.

    Use it from one thread at a time; only its end may come from another, while a cancelled task's thread still works.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / f".{secrets.token_hex(8)}.part"
        self._file: IO[bytes] | None = None
        self._lock = ForkLock()
        self._tried = False  # whether there may be a file
        self._over = False

    def __enter__(self) -> Self:
        """Begin; nothing is done to the disk before :meth:`open`."""
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        """Remove the temporary file; that it could not be is a note of an error that is on its way.

        Raises:
            DownloadError: It could not be removed, and nothing else went wrong.
        """
        try:
            self._discard()
        except DownloadError as trouble:
            if error is None:
                raise
            error.add_note(str(trouble))

    def open(self) -> None:
        """Make the directory, where it is missing, and the temporary file in it.

        Raises:
            DownloadError: The directory cannot be written to.
        """
        with self._working():
            self._directory.mkdir(parents=True, exist_ok=True)
            self._tried = True
            self._file = self._path.open("xb+")

    def begin(self, offset: int) -> None:
        """Go on writing at ``offset``; what stands behind it is dropped."""
        with self._working():
            file = self._open_file()
            file.seek(offset)
            file.truncate()

    def write(self, content: bytes) -> None:
        """Append to the file.

        Raises:
            DownloadError: The disk is full, or gone.
        """
        with self._working():
            self._open_file().write(content)

    def head(self) -> bytes:
        """The first bytes, for telling what the file is."""
        with self._working():
            file = self._open_file()
            end = file.tell()
            file.seek(0)
            head = file.read(HEAD)
            file.seek(end)
            return head

    def place(self, stem: str, suffix: str) -> Path:
        """Give the file its name: ``stem.suffix``, or the next free one; nothing is ever overwritten.

        A file of that name that holds the same bytes is taken for this one.
        """
        with self._working():
            file = self._open_file()
            file.close()
            for name in iterate_names(stem, suffix):
                target = self._directory / name
                if _claim(self._path, target) or _is_same(self._path, target):
                    return target
        raise DownloadError(f"{self._directory} has too many files called {stem}")

    def _discard(self) -> None:
        with self._lock:
            self._over = True
            with wrap_disk_errors(self._directory):
                if self._file is not None:
                    with suppress(OSError):  # of what is not written yet, for which a full disk has no room: let it go
                        self._file.close()
                if self._tried:
                    self._path.unlink(missing_ok=True)

    @contextmanager
    def _working(self) -> Generator[None]:
        """Do something to the file, unless its end has come."""
        with self._lock, wrap_disk_errors(self._directory):
            if self._over:
                raise DownloadError("the download was stopped")
            yield

    def _open_file(self) -> IO[bytes]:
        if self._file is None:
            raise RuntimeError("the partial file is not open")
        return self._file


def _claim(part: Path, target: Path) -> bool:
    """Move ``part`` to ``target`` unless something stands there."""
    try:
        os.link(part, target)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links: claim the name, then replace what claimed it
        return _claim_by_name(part, target)
    return True  # discard() removes the temporary name


def _claim_by_name(part: Path, target: Path) -> bool:
    try:
        target.open("xb").close()
    except FileExistsError:
        return False
    try:
        os.replace(part, target)  # noqa: PTH105 - the word for it
    except BaseException:
        target.unlink()  # the name alone stands there
        raise
    return True


def _is_same(part: Path, target: Path) -> bool:
    try:
        return filecmp.cmp(part, target, shallow=False)
    except OSError:  # a dangling link, a file we may not read
        return False


@contextmanager
def wrap_disk_errors(directory: Path) -> Generator[None]:
    """Turn what the disk refuses into an error that says so."""
    try:
        yield
    except OSError as error:
        raise_if_from_signal_handler(error)
        raise DownloadError(f"cannot write to {directory}: {error}") from error


def read_directory(directory: Any) -> Path:
    """The directory to write to.

    Raises:
        DownloadError: It is no path, or something else stands there.
    """
    try:
        path = Path(directory)
        require_name(path)
        taken = path.exists() and not path.is_dir()
    except (TypeError, ValueError, OSError) as error:
        raise DownloadError(f"{directory!r} is no directory: {error}") from error
    if taken:
        raise DownloadError(f"{path} is a file: give a directory")
    return path


def require_name(path: Path) -> None:
    """Refuse a path that no file can have, which some Pythons answer questions about all the same.

    Raises:
        ValueError: It holds a null byte, or half a character.
    """
    if b"\0" in os.fsencode(path):
        raise ValueError("it holds a null byte")
