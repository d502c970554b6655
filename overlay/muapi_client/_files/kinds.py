"""Which bytes cannot be of the kind of file that a field takes. Pure.

Lives here: the rule. Does not live here: which kind a field takes (``_spec/media_fields``), what bytes are (``media``),
where files stand in a body (``attachments``). The rule never guesses: bytes that are not recognized fit every field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from muapi_client._files.media import family, is_page, is_text, sniff

if TYPE_CHECKING:
    from collections.abc import Mapping

# What may be of a kind although its type's name is another's: most containers of video hold sound alone as well, some
# pictures move, and whether an Ogg file has pictures shows late.
ALSO: Final[Mapping[str, frozenset[str]]] = {
    "image": frozenset(),
    "video": frozenset({"image/gif", "image/webp", "image/avif", "audio/ogg"}),
    "audio": frozenset({
        "video/mp4", "video/mpeg", "video/mp2t", "video/ogg", "video/quicktime", "video/webm", "video/x-flv",
        "video/x-matroska", "video/x-ms-wmv", "video/x-msvideo",
    }),
}  # fmt: skip


def find_contradiction(head: bytes, kind: str | None) -> str:
    """What a file is by its first bytes, in words, where that cannot be of a kind; "" where it can, or is not known."""
    if kind is None:
        return ""
    if is_page(head):
        return "a web page or an error message"
    media_type = sniff(head)
    if media_type is None:
        return "text" if is_text(head) else ""
    return "" if family(media_type) == kind or media_type in ALSO[kind] else media_type
