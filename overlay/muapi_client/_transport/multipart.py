"""A multipart form with a file in it, on its way: encoded by httpx, streamed from disk, its progress reported.

Lives here: the bytes of such a request. Does not live here: sending it (``file_transfer``), what it is for
(``_files/upload``).
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import httpx

from muapi_client._transport.hosts import USER_AGENT
from muapi_client.errors import UploadError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from muapi_client._files.form import Form
    from muapi_client._files.source import Source


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A form's bytes on their way, with the progress of the file in them."""

    def __init__(self, form: Form, inner: Any, reader: _Reader) -> None:
        self._form = form
        self._inner = inner
        self._reader = reader
        self._told = -1
        self.fault: Exception | None = None  # of the file or the callback: it must not pass for one of the network

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces():
            yield piece
            self.tell()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _AsyncPieces(self)

    def pieces(self) -> Iterator[bytes]:
        """The bytes; of a file that cannot be read the error is kept in ``fault``, too."""
        pieces = iter(self._inner)
        while True:
            try:
                piece = next(pieces, None)
                if piece is None:
                    return
            except (OSError, ValueError) as error:  # ValueError: the file was closed
                self.fault = UploadError(f"{self._form.source.name} cannot be read: {error}")
                raise self.fault from error
            yield piece

    def tell(self) -> Any:
        """Report progress where there is some; an error of the callback is kept in ``fault``, too."""
        if self._form.on_progress is None or self._reader.sent == self._told:
            return None
        self._told = self._reader.sent
        try:
            return self._form.on_progress(self._told, self._form.source.size)
        except Exception as error:
            self.fault = error
            raise


class _AsyncPieces:
    """A form's bytes, awaited. No generator: one that an early answer leaves half way would have to be closed."""

    def __init__(self, body: Body) -> None:
        self._body, self._pieces, self._begun = body, body.pieces(), False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._begun:
            pending = self._body.tell()
            if inspect.isawaitable(pending):
                try:
                    await pending
                except Exception as error:
                    self._body.fault = error
                    raise
        self._begun = True
        piece = next(self._pieces, None)  # reads 64 KiB at most of a local file: not worth a thread each
        if piece is None:
            raise StopAsyncIteration
        return piece


class _Reader:
    """A source as httpx's form encoder reads it: as long as it was when it was measured."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.sent = 0
        source.file.seek(0)

    def read(self, size: int) -> bytes:
        """The next bytes; none once the measured length was read."""
        piece = self._source.file.read(min(size, self._source.size - self.sent))
        self.sent += len(piece)
        if not piece and self.sent < self._source.size:
            raise UploadError(f"{self._source.name} became shorter while it was sent")
        return piece

    def tell(self) -> int:
        """Where it stands: always at its start when httpx measures it."""
        return 0

    def seek(self, _offset: int, whence: int = 0) -> int:
        """Its length from the end; anything else is its start, where it stands already."""
        return self._source.size if whence else 0


def form_request(form: Form, url: str, *, accept: str) -> tuple[httpx.Request, Body]:
    """The request that carries a form, and the body to ask afterwards whether a fault was its own."""
    reader = _Reader(form.source)
    named: Any = (form.source.name, reader, form.source.media_type)
    limits = dict.fromkeys(("connect", "read", "write", "pool"), max(form.send.timeout, 0.001))
    request = httpx.Request(
        form.send.method,
        url,
        params=dict(form.send.query) or None,
        headers={"accept": accept, "user-agent": USER_AGENT},
        data=form.fields,
        files={"file": named},
        extensions={"timeout": limits},
    )
    request.headers.update(form.send.headers)
    body = Body(form, request.stream, reader)
    request.stream = body
    return request, body
