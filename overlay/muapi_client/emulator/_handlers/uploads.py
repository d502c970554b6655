"""Files that come in: by the API and by presigned forms.

Lives here: both ways, their limits, and the answers of storage. Does not live here: handing files out (``cdn``).
"""

from __future__ import annotations

import base64
import hashlib
import json
from mimetypes import guess_type
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from muapi_client.emulator._messages.addresses import CDN, STORAGE
from muapi_client.emulator._messages.messages import Refusal, Reply, Response, build_problem, invalid_error
from muapi_client.emulator._messages.multipart import parse_parts
from muapi_client.emulator._state.world import StoredFile

if TYPE_CHECKING:
    from muapi_client.emulator._handlers.checked_request import CheckedRequest
    from muapi_client.emulator._messages.messages import Request
    from muapi_client.emulator._state.world import World

_MIB: Final = 1024 * 1024
_VIDEO_LIMIT: Final = 50 * _MIB  # documented for uploads: videos 50 MB, images and everything else 10 MB
_LIMIT: Final = 10 * _MIB
_FORM_LASTS: Final = 3600.0  # seconds; S3's usual lifetime of a presigned form


def upload_file(world: World, checked: CheckedRequest) -> Reply:
    """``POST upload_file``: free, but only for an account that is not empty."""
    _check_balance(world, checked)
    sent = parse_parts(checked.request).get("file")
    if sent is None or sent.filename is None:
        raise invalid_error(build_problem("missing", ("body", "file"), "Field required", None))
    limit = _find_limit(sent.content_type)
    if len(sent.content) > limit:
        raise Refusal(413, f"File too large: {len(sent.content)} bytes, at most {limit} for {sent.content_type}")
    path = f"/uploads/{world.new_id()}/{sent.filename}"
    world.files[path] = StoredFile(sent.content, sent.content_type)
    return Reply({"url": f"{CDN}{quote(path)}"})


def create_upload_form(world: World, checked: CheckedRequest) -> Reply:
    """``GET get_upload_url``: a form to post to storage; the file is then found on the CDN under the form's key."""
    _check_balance(world, checked)
    filename = checked.query["filename"]
    key = f"uploads/{world.new_id()}/{filename}"
    content_type = guess_type(filename)[0] or "application/octet-stream"
    limit = _find_limit(content_type)
    policy = base64.b64encode(json.dumps({"conditions": [["content-length-range", 0, limit]]}).encode()).decode()
    fields = {"key": key, "Content-Type": content_type, "policy": policy, "x-amz-signature": _sign(key, policy)}
    world.records.add("forms", key=key, fields=fields, limit=limit, ends_at=checked.now + _FORM_LASTS)
    return Reply({"url": f"{STORAGE}/", "fields": fields})


def store_posted_file(world: World, request: Request, now: float) -> Response:
    """A form posted to storage, answered as S3 does: 204, or a refusal in XML."""
    sent = parse_parts(request)
    names = {name: part.content.decode(errors="replace") for name, part in sent.items() if part.filename is None}
    found = world.records.where("forms", key=names.get("key", ""))
    if not found or any(names.get(name) != value for name, value in found[0]["fields"].items()):
        return build_refusal(
            403, "AccessDenied", "Invalid according to Policy: a field of the form is missing or changed"
        )
    if now >= found[0]["ends_at"]:
        return build_refusal(403, "AccessDenied", "Invalid according to Policy: Policy expired.")
    if "file" not in sent:
        return build_refusal(400, "InvalidArgument", "POST requires exactly one file upload per request.")
    content = sent["file"].content
    if len(content) > found[0]["limit"]:
        return build_refusal(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
    path = f"/{names['key']}"
    world.files[path] = StoredFile(content, names["Content-Type"])
    etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return Response(204, {"etag": f'"{etag}"', "location": f"{STORAGE}{quote(path)}"}, b"")


def build_refusal(status: int, code: str, message: str) -> Response:
    """A refusal in the words of storage."""
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(status, {"content-type": "application/xml"}, body.encode())


def _check_balance(world: World, checked: CheckedRequest) -> None:
    if world.wallet.balance <= 0 and not checked.is_test:
        raise Refusal(402, "Insufficient credit balance: uploading needs a balance above 0")


def _find_limit(content_type: str) -> int:
    return _VIDEO_LIMIT if content_type.startswith("video/") else _LIMIT


def _sign(key: str, policy: str) -> str:
    """Something that looks like a signature; what counts is that the form comes back unchanged."""
    return hashlib.sha256(f"{key}\n{policy}".encode()).hexdigest()
