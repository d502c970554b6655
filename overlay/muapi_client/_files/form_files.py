"""The files of a call's form, read before it is sent: a request that may be paid for is one value, and known whole.

Lives here: opening and reading each. Does not live here: writing the form (``_protocol/forms``), an upload, which goes
straight from the disk (``upload``).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import evolve

from muapi_client._files.upload import open_file
from muapi_client._protocol.forms import Part
from muapi_client._protocol.request import check_webhooks
from muapi_client._protocol.steps import Do
from muapi_client._spec.validation import check

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from muapi_client._files.source import Source
    from muapi_client._files.upload import UploadContext
    from muapi_client._protocol.steps import Flow
    from muapi_generated.types import Call

R = TypeVar("R")


def read_form(call: Call[Any], then: Callable[[Call[Any]], Flow[R]], uploads: UploadContext) -> Flow[R]:
    """Read the files of a call, and go on with the call that has their contents.

    Raises:
        ValidationError: The rest of the call does not fit; nothing was sent.
        UploadError: A file cannot be read or is refused here.
    """
    if uploads.context.strict:
        check_webhooks(call)
        check(call)
    files: dict[str, Any] = {}
    for name, value in call.files.items():
        if isinstance(value, list | tuple):
            files[name] = yield from _read_all(value, uploads)
        elif value is not None:  # which a form cannot say
            files[name] = yield from _read(value, uploads)
    return (yield from then(evolve(call, files=files)))


def _read_all(values: Sequence[Any], uploads: UploadContext) -> Flow[list[Part]]:
    parts: list[Part] = []
    for value in values:
        part = yield from _read(value, uploads)
        parts.append(part)
    return parts


def _read(value: Any, uploads: UploadContext) -> Flow[Part]:
    opened: Source = yield from open_file(value, uploads)
    try:
        content: bytes = yield Do(partial(uploads.transfer.disk, opened.read))
        return Part(opened.name, opened.media_type, content, value)
    finally:
        opened.close()
