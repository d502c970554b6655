"""A file to upload: opened, measured, and known by its first bytes before anything is sent.

Lives here: the limits, and turning a path, bytes, an open file or a PIL image into something that can be read from its
start more than once. Does not live here: sending it (``upload``).
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Final, TypeAlias, cast

from attrs import frozen

from muapi_client._files.attachments import is_picture
from muapi_client._files.media import HEAD, encode_name, family, guess_type, is_page, is_text, settle, sniff
from muapi_client._runtime.locks import ForkLock
from muapi_client._runtime.tracebacks import raise_if_from_signal_handler
from muapi_client._types.prediction import Output
from muapi_client._types.words import with_article
from muapi_client.errors import UploadError

MIB: Final = 2**20
LIMITS: Final[Mapping[str, int]] = {"image": 10 * MIB, "video": 50 * MIB}  # documented for uploads, in MB
LIMIT: Final = 10 * MIB  # of anything else; documented
SPOOL: Final = 1 * MIB  # bytes of an open file that are copied in memory; what is longer goes to a temporary file
PIECE: Final = 256 * 2**10  # bytes read at a time

Check: TypeAlias = Callable[[bytes, str], object]  # of a file's first bytes and its name; raises where they do not do

_copying = ForkLock()  # an open file has one position: two threads that read it would share the bytes out


@frozen(eq=False)
class Source:
    """A content to upload.

    Attributes:
        name: The file name it is sent under.
        media_type: What its bytes are.
        size: Its length in bytes.
        file: Itself, seekable, from its start to its end.
    """

    name: str
    media_type: str
    size: int
    file: IO[bytes]

    def digest(self) -> str:
        """The SHA-256 of the content."""
        self.file.seek(0)
        total = hashlib.sha256()
        while piece := self.file.read(PIECE):
            total.update(piece)
        return total.hexdigest()

    def read(self) -> bytes:
        """The content, whole."""
        self.file.seek(0)
        return self.file.read(self.size)

    def close(self) -> None:
        """Close what was opened here; a file the user opened stays open."""
        self.file.close()


def open_source(source: Any, filename: str | None = None, *, check: Check | None = None) -> Source:
    """Open what is to be uploaded and check it, before anything is sent.

    Args:
        source: A path, bytes, a binary file or a PIL image. A file is read from where it stands, and stands there
            again afterwards.
        filename: The name to send it under; by default its own.
        check: What its first bytes and its name are held against.

    Raises:
        UploadError: It cannot be read, is empty or too large.
        MuAPIError: What ``check`` raises.
    """
    if filename is not None and (not filename.isprintable() or set(filename) & set('/\\"') or not filename.strip(". ")):
        raise UploadError(f"{filename!r} is no file name: it may hold no separators, quotes or control characters")
    file, own_name = _open(source)
    try:
        return _measure(file, filename or own_name, check)
    except OSError as error:
        file.close()
        raise_if_from_signal_handler(error)
        raise UploadError(f"{filename or own_name} cannot be read: {error.strerror or error}") from error
    except BaseException:
        file.close()
        raise


def _open(source: Any) -> tuple[IO[bytes], str]:
    if isinstance(source, str | os.PathLike):
        return _from_path(cast("str | os.PathLike[str]", source))
    if isinstance(source, bytes | bytearray | memoryview):
        return io.BytesIO(bytes(cast("bytes", source))), "upload"
    if is_picture(source):
        return _from_picture(source)
    if isinstance(source, Output):
        raise UploadError(
            "an output of a job has a URL already: pass output.url to the model as it is, or upload its bytes, which"
            " output.read() answers"
        )
    if callable(getattr(source, "read", None)):
        return _from_file(source), _read_name(source)
    raise UploadError(
        f"cannot upload {with_article(type(source).__name__)}: give a path, bytes, a binary file or a PIL image"
    )


def _from_path(source: str | os.PathLike[str]) -> tuple[IO[bytes], str]:
    if isinstance(source, str) and source.startswith(("https://", "http://")):
        raise UploadError(f"{source!r} is a URL already: pass it to the model as it is")
    try:
        path = Path(source)
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would block, a directory has no bytes
            raise UploadError(f"{path} is no regular file")
        return path.open("rb"), path.name
    except (OSError, ValueError, TypeError) as error:  # ValueError: a zero byte; TypeError: a path of bytes
        raise_if_from_signal_handler(error)
        raise UploadError(f"{str(source)!r} cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _from_picture(picture: Any) -> tuple[IO[bytes], str]:
    buffer = io.BytesIO()
    photo = picture.format == "JPEG"  # as it was opened; a photograph as PNG would pass the limit
    try:
        picture.save(buffer, **({"format": "JPEG", "quality": 95} if photo else {"format": "PNG"}))
    except Exception as error:  # PIL's decoders and encoders raise much: OSError, ValueError, KeyError, SyntaxError
        raise_if_from_signal_handler(error)
        raise UploadError(f"the image (mode {picture.mode}) cannot be written: {error}; convert it to RGB") from error
    buffer.seek(0)
    return buffer, "image.jpg" if photo else "image.png"


def _from_file(source: Any) -> IO[bytes]:
    """A copy of an open file from where it stands, no longer than the limits let pass."""
    if isinstance(source, io.TextIOBase):
        raise UploadError(f"{_read_name(source)} is open as text: open it in binary mode ('rb')")
    copy = tempfile.SpooledTemporaryFile(SPOOL)  # noqa: SIM115 - Source.close closes it
    try:
        with _copying:
            stood = source.tell() if source.seekable() else None
            _copy(source, copy)
            if stood is not None:
                source.seek(stood)
    except Exception as error:  # closed, write-only, no file after all, or what an archive's or a socket's file raises
        copy.close()
        raise_if_from_signal_handler(error)
        raise UploadError(f"{_read_name(source)} cannot be read: {error}") from error
    copy.seek(0)
    return copy


def _copy(source: Any, copy: IO[bytes]) -> None:
    left = max(LIMIT, *LIMITS.values()) + 1
    while left > 0 and (piece := source.read(min(PIECE, left))):
        left -= copy.write(piece)


def _read_name(source: Any) -> str:
    name = getattr(source, "name", None)
    return Path(name).name if isinstance(name, str) and name else "upload"


def _measure(file: IO[bytes], name: str, check: Check | None) -> Source:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(HEAD)
    if not size or not head:
        raise UploadError(f"{name} is empty")
    if check is not None:
        check(head, name)
    media_type = settle(head, guess_type(name))
    limit = LIMITS.get(family(media_type), LIMIT)
    if size > limit:
        raise UploadError(
            f"{name} ({media_type}) has {size / MIB:.1f} MB and MuAPI takes at most {limit // MIB} MB of that kind:"
            " make it smaller, or host it yourself and pass its URL"
        )
    return Source(encode_name(name, media_type), media_type, size, file)


def check_content(head: bytes, name: str) -> None:
    """Hold a file's first bytes against its name.

    Raises:
        UploadError: It is a web page, or no media although its name says so.
    """
    named, sniffed = guess_type(name), sniff(head)
    if is_page(head):
        raise UploadError(f"{name} is a web page or an error message, no media: was its download refused?")
    if named is None or family(named) not in ("image", "video", "audio"):
        return
    if sniffed is None and named == "image/svg+xml":
        raise UploadError(f"{name} does not begin as an SVG drawing does")
    if sniffed is None and (is_text(head) or family(named) != "audio"):  # audio may begin with padding
        raise UploadError(f"{name} does not begin as {named} does: is it whole, and what its name says?")
    if sniffed is not None and family(sniffed) not in ("image", "video", "audio"):
        raise UploadError(f"{name} is {sniffed} by its first bytes, not {named}")
