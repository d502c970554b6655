"""Outputs that come in the answer itself, as ``data:`` URLs (RFC 2397). Pure.

Lives here: decoding them. Does not live here: telling one from text (``_types/outputs``), what its bytes are
(``media``).
"""

from __future__ import annotations

import binascii
from urllib.parse import unquote_to_bytes

from muapi_client._files.urls import show_url
from muapi_client._types.outputs import DATA_URL
from muapi_client.errors import DownloadError


def decode_data_url(url: str, maximum: int) -> bytes | None:
    """The content of a data URL, or None where the URL is another.

    Args:
        url: Any URL.
        maximum: Bytes it may have.

    Raises:
        DownloadError: It is not encoded as it says, or too large.
    """
    head = DATA_URL.match(url)
    if head is None:
        return None
    content = unquote_to_bytes(url[head.end() :])
    if head[2].lower().endswith(";base64"):
        content = _decode_base64(content, url)
    if len(content) > maximum:
        raise DownloadError(f"{show_url(url)} passes {maximum} bytes: raise max_bytes to have it", url=url)
    return content


def _decode_base64(encoded: bytes, url: str) -> bytes:
    """Decode base64, as browsers do: blanks are passed over, and the padding may be missing."""
    plain = b"".join(encoded.split()).rstrip(b"=")
    try:
        return binascii.a2b_base64(plain + b"=" * (-len(plain) % 4), strict_mode=True)
    except binascii.Error as error:
        raise DownloadError(f"{show_url(url)} cannot be decoded: {error}", url=url) from error
