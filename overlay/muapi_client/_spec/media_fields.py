"""Which kind of media a field takes, by its name. Pure.

Lives here: the rule. Does not live here: which bytes cannot be of a kind (``_files/kinds``). The rule never guesses: a
field whose name tells no kind or several takes any file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

# The document names media in these words, in the singular or the plural, and never says it in a format: `uri` is all.
NOUNS: Final = {"image": "image", "photo": "image", "picture": "image", "video": "video", "audio": "audio"}
WRAPPINGS: Final = frozenset({"url", "uri", "list", "file"})  # words for how a file is given: audio_files, image_url
ADDRESS: Final = re.compile(r"_ur[il]s?\Z")


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
