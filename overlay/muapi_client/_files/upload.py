"""Uploads, as flows: which way a file goes, what its URL is, and the files in a call's body.

Lives here: the rules. Does not live here: opening and checking files (``source``), finding them in a body
(``attachments``), moving bytes (``transfer``). An upload is free (FACTS: documented), so one that failed is sent
again, as often as anything that only reads: at worst a file is stored twice.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, cast
from urllib.parse import quote, urlsplit

from attrs import evolve, frozen

from muapi_client import errors
from muapi_client._files.attachments import check_around, check_kind, find_attachments, with_urls
from muapi_client._files.form import Form
from muapi_client._files.source import MIB, check_content, open_source
from muapi_client._files.urls import is_loopback_url, is_safe, show_url
from muapi_client._protocol import response
from muapi_client._protocol.exchange import read
from muapi_client._protocol.forms import Part
from muapi_client._protocol.request import check_webhooks, encode
from muapi_client._protocol.resend import may_reread
from muapi_client._protocol.steps import OK, SLOWEST, Do, Flow, Reply, Send, Sleep
from muapi_client._runtime.logs import DEBUG, FILES, log
from muapi_generated.api.files.get_upload_url import get_upload_url
from muapi_generated.api.files.upload_file import OPERATION as UPLOAD_FILE
from muapi_generated.types import Call

if TYPE_CHECKING:
    from muapi_client._files.attachments import Where
    from muapi_client._files.source import Check, Source
    from muapi_client._files.transfer import FileTransfer
    from muapi_client._state.context import Context
    from muapi_client._state.upload_cache import Turn, UploadCache

R = TypeVar("R")

OnProgress: TypeAlias = Callable[[int, int], Any] | None  # bytes sent, bytes in all

LARGE: Final = 10 * MIB  # bytes above which a file goes to storage by a presigned form: only videos may be so large
CDN: Final = "cdn.muapi.ai"  # the host where what a presigned form stored is found, by its key (observed)
STORED: Final = frozenset({200, 201, 204})  # S3: 204 unless success_action_status says otherwise
MAY_BE_GONE: Final = frozenset({400, 422})  # what a submit is refused with whose input cannot be fetched any more
NO_FORM: Final = frozenset({400, 403, 404, 405, 422, 501})  # this server, or this key, has no presigned forms


@frozen(kw_only=True)
class UploadContext:
    """The context of an upload flow.

    Attributes:
        context: The client's.
        transfer: What moves the bytes.
        cache: What is uploaded already.
        origin: The API's; storage may be on this machine only if it is.
    """

    context: Context
    transfer: FileTransfer
    cache: UploadCache
    origin: str


def upload(source: Any, filename: str | None, on_progress: OnProgress, uploads: UploadContext) -> Flow[str]:
    """Upload one thing and answer its URL.

    Raises:
        UploadError: It cannot be read or is refused here.
        InsufficientCreditError: The account's balance is not above 0.
        APIStatusError, APIConnectionError, ResponseError: It could not be stored.
    """
    opened = yield from open_file(source, uploads, filename=filename)
    try:
        return (yield from _store(opened, on_progress, uploads))
    finally:
        opened.close()  # no step: an abandoned flow closes it, too


def upload_attachments(call: Call[Any], then: Callable[[Call[Any]], Flow[R]], uploads: UploadContext) -> Flow[R]:
    """Upload the local files of a call, each content once, and go on with the call that names their URLs.

    Raises:
        ValidationError: The rest of the call does not fit, a file stands where no URL belongs, or it is of another kind
            than the field takes; no job was submitted.
        UploadError: A file cannot be read or is refused here, or the server stored two under one address.
    """
    found = find_attachments(call.body)
    if uploads.context.strict:
        check_webhooks(call)
        check_around(call, [where for where, _ in found])
    for where, value in found:
        if isinstance(value, os.PathLike):  # it can be opened again: all are looked at before the first is uploaded
            (yield from open_file(value, uploads, check=partial(_check_file, call, where))).close()
    urls: dict[Where, str] = {}
    contents: dict[str, str] = {}
    for where, value in found:
        digest, url = yield from _upload_once(value, partial(_check_file, call, where), uploads)
        if contents.setdefault(url, digest) != digest:
            uploads.cache.forget([url])
            raise errors.UploadError(
                f"the server stored two files of this call under one address, {show_url(url)}, where only one of them"
                " can be; no job was submitted"
            )
        urls[where] = url
    try:
        return (yield from then(with_urls(call, urls)))
    except (errors.APIStatusError, errors.JobFailedError) as error:
        if isinstance(error, errors.JobFailedError) or error.status_code in MAY_BE_GONE:
            uploads.cache.forget(urls.values())
        raise


def read_contents(call: Call[Any], uploads: UploadContext) -> Flow[dict[Where, str]]:
    """The SHA-256 of each local file in a call's body, by its place.

    Raises:
        UploadError: A file cannot be read or is refused here.
    """
    digests: dict[Where, str] = {}
    for where, value in find_attachments(call.body):
        opened = yield from open_file(value, uploads)
        try:
            digests[where] = yield Do(partial(uploads.transfer.disk, opened.digest))
        finally:
            opened.close()
    return digests


def is_upload(call: Call[Any]) -> bool:
    """Whether a call is the upload of one file, which is free, and nothing else."""
    here = (call.operation.method, call.operation.path)
    alone = not call.body and not isinstance(call.files.get("file"), list | tuple)
    return here == (UPLOAD_FILE.method, UPLOAD_FILE.path) and call.files.keys() == {"file"} and alone


def send_file(call: Call[Any], uploads: UploadContext) -> Flow[Any]:
    """Send a call that is an upload and answer its typed body.

    Raises:
        UploadError: The file cannot be read or is refused here.
    """
    opened = yield from open_file(call.files["file"], uploads)
    try:
        answer = yield from _post(call, opened, None, uploads)
        return response.parse_typed(call.operation.answer, answer, call.operation.package)
    finally:
        opened.close()


def open_file(
    value: Any, uploads: UploadContext, *, filename: str | None = None, check: Check = check_content
) -> Flow[Source]:
    """Open what is to be uploaded; unless the server is to judge, it is held against ``check``."""
    held = check if uploads.context.strict else None
    opened: Source = yield Do(partial(uploads.transfer.disk, partial(open_source, value, filename, check=held)))
    return opened


def _check_file(call: Call[Any], where: Where, head: bytes, name: str) -> None:
    """Hold a file in a call against the field it stands in, then against its own name."""
    check_kind(call, where, head, name)
    check_content(head, name)


def _upload_once(value: Any, check: Check, uploads: UploadContext) -> Flow[tuple[str, str]]:
    """The SHA-256 and the URL of a content, uploaded unless it is already, or is just being."""
    opened = yield from open_file(value, uploads, check=check)
    try:
        digest: str = yield Do(partial(uploads.transfer.disk, opened.digest))
        turn: Turn = yield Do(partial(uploads.transfer.turn, digest))
        try:
            yield Do(turn.lock.acquire)  # inside: an interrupt must not leave it closed
            known = uploads.cache.url(digest, now=(yield Sleep(0.0)))
            if known is None:
                known = yield from _store(opened, None, uploads)
                uploads.cache.keep(digest, known, now=(yield Sleep(0.0)))
            elif FILES.isEnabledFor(DEBUG):
                log(FILES, DEBUG, "a file of %d bytes is uploaded already", opened.size)
            return digest, known
        finally:
            turn.end()
    finally:
        opened.close()


def _store(source: Source, on_progress: OnProgress, uploads: UploadContext) -> Flow[str]:
    form = None
    if source.size > LARGE:
        form = yield from _presign(source, on_progress, uploads)
    if form is not None:
        url = yield from _deposit(form, uploads)
    else:
        url = read_url((yield from _post(Call(UPLOAD_FILE), source, on_progress, uploads)))
    if FILES.isEnabledFor(DEBUG):
        log(FILES, DEBUG, "a file of %d bytes (%s) was uploaded", source.size, source.media_type)
    return url


def _post(call: Call[Any], source: Source, on_progress: OnProgress, uploads: UploadContext) -> Flow[Any]:
    # Its content goes by itself, straight from the disk.
    send = encode(evolve(call, files={"file": Part(source.name, source.media_type, b"")}), uploads.context)
    form = Form(
        send=evolve(send, timeout=send.timeout + source.size / SLOWEST),
        source=source,
        fields={},
        on_progress=on_progress,
    )
    reply = yield from read(Do(partial(uploads.transfer.post, form)), uploads.context, about=send)
    if reply.status not in OK:
        raise response.status_error(reply, send, context=uploads.context)
    return response.decode(reply, origin=uploads.context.origin)


def read_url(body: Any) -> str:
    """The URL in the answer to an upload: ``url``; ``file_url`` and ``data.url`` were observed.

    Raises:
        ResponseError: There is none.
    """
    for place in (_fields(body), _fields(_fields(body).get("data"))):
        for name in ("url", "file_url"):
            if isinstance(found := place.get(name), str) and found.startswith(("https://", "http://")):
                return found
    content = json.dumps(body).encode()
    raise errors.ResponseError(
        f"the file was sent and the answer names no URL: {response.excerpt(content)}", body=content
    )


def _fields(body: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", body) if isinstance(body, Mapping) else {}


def _presign(source: Source, on_progress: OnProgress, uploads: UploadContext) -> Flow[Form | None]:
    """The form that puts a large file straight into storage, or None where the server has none to give."""
    send = encode(get_upload_url(filename=source.name), uploads.context)
    reply = yield from read(send, uploads.context)
    if reply.status in NO_FORM:
        return None
    if reply.status not in OK:
        raise response.status_error(reply, send, context=uploads.context)
    body = _fields(response.decode(reply, origin=uploads.context.origin))
    url, fields = body.get("url"), _fields(body.get("fields"))
    if not isinstance(url, str) or not fields.get("key"):
        return None
    if not is_safe(url, loopback=is_loopback_url(uploads.origin)):
        raise errors.UploadError(f"the server names {urlsplit(url).netloc!r} for the file: only https is used for that")
    return Form(
        send=Send("POST", url, timeout=uploads.context.timeout + source.size / SLOWEST),
        source=source,
        fields={str(name): str(value) for name, value in fields.items()},
        on_progress=on_progress,
    )


def _deposit(form: Form, uploads: UploadContext) -> Flow[str]:
    reply: Reply = yield from read(
        Do(partial(uploads.transfer.deposit, form)), uploads.context, may_repeat=_may_deposit
    )
    if reply.status not in STORED:
        raise errors.UploadError(
            f"storage refused {form.source.name}: HTTP {reply.status} with {response.excerpt(reply.content)}",
            status_code=reply.status,
        )
    key = form.fields["key"].replace("${filename}", form.source.name)  # S3 fills that in
    # An emulator on this machine is storage and CDN as well, each under the name of its host as the path's beginning.
    emulated = is_loopback_url(uploads.origin) and form.send.path.startswith(f"{uploads.origin}/")
    site = f"{uploads.origin}/{CDN}" if emulated else f"https://{CDN}"
    return f"{site}/{quote(key.lstrip('/'))}"


def _may_deposit(outcome: Any) -> bool:
    """Storage speaks XML, so a body that is no JSON is no sign of a proxy."""
    return may_reread(outcome._replace(content=b"") if isinstance(outcome, Reply) else outcome)
