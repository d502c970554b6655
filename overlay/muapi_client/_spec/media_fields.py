"""Whether a field takes the address of media, and of which kind, by its name and its schema. Pure.

Lives here: the rules. Does not live here: which bytes cannot be of a kind (``_files/kinds``). The rules never guess: a
field whose name tells no kind or several takes any file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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


def says_address(schema: Mapping[str, Any]) -> bool:
    """Return whether a field's schema says that it takes an address, or a list of them."""
    return any(shape.get("format") == "uri" for shape in list_shapes(schema))


def list_shapes(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The schema of a field, and those of what it may be and of what it may hold."""
    yield schema
    for part in (*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else [])):
        yield from list_shapes(part)
