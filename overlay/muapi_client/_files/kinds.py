"""Which kind of file a field takes, and which bytes cannot be of that kind. Pure.

Lives here: the rule. Does not live here: what bytes are (``media``), where files stand in a body (``attachments``).
The rule never guesses: a field whose name tells no kind or several takes any file, and bytes that are not recognized
fit every field.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from muapi_client._files.media import family, is_page, is_text, sniff

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# The document names media in these words, in the singular or the plural, and never says it in a format: `uri` is all.
NOUNS: Final = {"image": "image", "photo": "image", "picture": "image", "video": "video", "audio": "audio"}
WRAPPINGS: Final = frozenset({"url", "uri", "list", "file"})  # words for how a file is given: audio_files, image_url
ADDRESS: Final = re.compile(r"_ur[il]s?\Z")

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


def find_kind(names: Iterable[str]) -> str | None:
    """The kind of file a field takes: ``image``, ``video``, ``audio``, or None where its name does not tell.

    The name's last word that is no mere wrapping tells: ``audio_files`` take audio, ``images_data_url`` an archive of
    data. A name with no other word, as ``url`` in ``{"images": [{"url": ...}]}``, leaves it to the one it stands in.

    Args:
        names: The names the field stands under, from the body down, its own the last.
    """
    for name in reversed(list(names)):
        words = [_to_singular(word) for word in re.findall("[a-z]+", name.lower())]
        told = [word for word in words if word not in WRAPPINGS]
        if told:
            kinds = {NOUNS[word] for word in told if word in NOUNS}
            return NOUNS.get(told[-1]) if len(kinds) == 1 else None
    return None


def _to_singular(word: str) -> str:
    return word.removesuffix("s")


def is_address(name: str) -> bool:
    """Return whether a field's name says that it takes the address of media, where its type says no more than text."""
    return ADDRESS.search(name) is not None and find_kind([name]) is not None


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
