"""An index of texts in memory, by SQLite's FTS5: which things a phrase is said of, and how well it fits each.

A fit is from 0 to 1: bm25 without the rarity of the phrase, which tells a short text that holds the phrase from a long
one. Rarity is the question's matter (``search``), since bm25's own is 0 for what half of all texts hold, as "video".
Words are compared without their endings; FTS5's own stemmer would take animate and anime for one word.

Lives here: the table, asking it, and what a word is without its ending. Does not live here: what the texts are
(``search``).
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import log
from typing import TYPE_CHECKING, Any, Final
from weakref import finalize

from muapi_client._runtime.forks import forks, hold_across_forks
from muapi_client._runtime.locks import ForkLock
from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BEST: Final = 2.2  # the highest bm25 of a phrase is its rarity times this: 1 + k1, which FTS5 fixes at 1.2
RARITY_LEAST: Final = 1e-6  # what FTS5 takes for the rarity of a phrase that half of the texts hold, or more

_Y: Final = re.compile(r"(?<=..)(?:ies|ie|y)\Z")
_ENDING: Final = re.compile(r"(?<=...)(?:ing|ers?|ed|es|e|s)\Z")


@lru_cache(maxsize=16384)
def stem(word: str) -> str:
    """A word without its ending, as plurals and verbs have them: upscale, upscaler and upscaling are one."""
    return _ENDING.sub("", _Y.sub("i", word))


class Index:
    """Texts by key. Threads may share it."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        """Build it; of 852 short texts in a few milliseconds.

        Args:
            texts: Words without punctuation, separated by spaces.

        Raises:
            MuAPIError: This Python's SQLite has no FTS5.
        """
        self._keys: Final = list(texts)
        self._asking: Final = ForkLock()
        hold_across_forks(self)
        with forks.kept_waiting:
            self._table: Final = _fill(texts.values())
        finalize(self, self._table.close)  # Python 3.13 and later warn of one that is dropped open

    def hold(self) -> None:
        """Let no thread ask while another one forks: the child would find SQLite's own locks closed for ever."""
        self._asking.acquire()

    def release_mine(self) -> None:
        """Let threads ask again, where the calling one holds it."""
        self._asking.release_mine()

    def find(self, phrase: str) -> Mapping[str, float]:
        """The keys of the texts that hold a phrase, each with how well it fits.

        Args:
            phrase: Words without punctuation, which stand side by side in that order.
        """
        with self._asking:
            rows = self._table.execute(
                "SELECT rowid, bm25(texts) FROM texts WHERE texts MATCH ?", (f'"{_stem_all(phrase)}"',)
            ).fetchall()
        rarity = max(log((len(self._keys) - len(rows) + 0.5) / (len(rows) + 0.5)), RARITY_LEAST)
        return {self._keys[row]: -score / rarity / BEST for row, score in rows}


def _fill(texts: Iterable[str]) -> Any:
    try:
        import sqlite3  # noqa: PLC0415 - a Python may be built without it, and only a search needs it
    except ImportError as error:
        raise _no_index_error(error) from error
    table = sqlite3.connect(":memory:", check_same_thread=False)
    try:
        table.execute("CREATE VIRTUAL TABLE texts USING fts5(words, tokenize = \"unicode61 tokenchars '.'\")")
    except sqlite3.OperationalError as error:
        table.close()
        raise _no_index_error(error) from error
    with table:
        table.executemany(
            "INSERT INTO texts (rowid, words) VALUES (?, ?)", ((row, _stem_all(text)) for row, text in enumerate(texts))
        )
    return table


def _no_index_error(error: Exception) -> MuAPIError:
    return MuAPIError(
        f"the catalogue cannot be searched by words: this Python's SQLite has no full-text index, FTS5 ({error}); "
        "catalog.get(slug), catalog.all() and catalog.find() without words need none"
    )


def _stem_all(text: str) -> str:
    return " ".join(map(stem, text.split()))
