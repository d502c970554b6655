"""The text of a stream, out of the words of its payloads. Pure.

Lives here: what a payload's words add: all of them, or, where it tells again what was streamed, only what is new. Does
not live here: where a payload holds its words (``payload``), what else it tells (``state``).

Reported twice and lost are both wrong. Words are taken for a repetition only where the payload says that it repeats, or
where it stands at an end and equals the whole.
"""

from __future__ import annotations

from io import StringIO
from typing import Any, Final

from attrs import define, field

from muapi_client._streams import payload
from muapi_client._streams.framing import Form, Frame

GROWN: Final = "each event's text begins with the one before: the server may tell the whole again and again"
REVISED: Final = "the server sent the text once more and not as it was streamed: both stand in it"
BROKEN: Final = "an event's data is broken JSON: it stands in the text as it came"
SERIES: Final = 3  # events that each begin with the one before, until that is worth a word


@define
class Text:
    """The text of one stream so far.

    Attributes:
        warnings: What is odd about it.
    """

    warnings: list[str] = field(factory=list[str])
    _words: StringIO = field(factory=StringIO)
    _pieces: int = 0  # how many payloads had words
    _bare: bool | None = None  # whether it speaks bare text rather than JSON; the first words settle that
    _snapshots: bool | None = None  # whether payloads that look like the text so far were just that
    _enveloped: bool = False  # whether a bare "success" stood beside words
    _last: str = ""  # the last words
    _series: int = 1  # how many payloads in a row, from the first, began with the one before and reported more
    _half: str = ""  # the first half of a character that JSON has cut in two

    def __str__(self) -> str:
        return self._words.getvalue()

    @property
    def all_warnings(self) -> list[str]:
        """What is odd about it, all that can be known at its end included."""
        return [*self.warnings, *([GROWN] if self._pieces == self._series >= SERIES else [])]

    def put(self, words: str) -> None:
        """Put other words in place of all that was reported."""
        self._words = StringIO()
        self._words.write(words)

    def take(self, name: str, frame: Frame, value: Any, *, is_json: bool) -> str:
        """Take a frame in; the words it adds.

        Args:
            name: The event's, in lower case.
            frame: It.
            value: Its data, where ``is_json``.
        """
        if payload.is_comment(name, frame.data):
            return ""
        words = frame.data if frame.form is Form.TEXT else self._find_words(frame.data, value, is_json=is_json)
        added = self._mend(self._find_new(words, name, value))
        self._enveloped = self._enveloped or (bool(words) and payload.is_success(value))
        self._pieces += bool(words)
        self._words.write(added)
        return added

    def _find_words(self, data: str, value: Any, *, is_json: bool) -> str:
        """The words in a frame."""
        if is_json and payload.is_payload(value) and not (self._bare and not payload.is_known(value)):
            words = payload.read_words(value)
            if words and self._bare is None:
                self._bare = False
            return words
        if not is_json and not self._bare and data.lstrip().startswith(('{"', '[{"')):
            self._warn(BROKEN)
            return data
        if self._bare is None and data:
            self._bare = True
        return "" if is_json and value is None and not self._bare else data

    def _find_new(self, words: str, name: str, value: Any) -> str:
        """Return the words of a payload that are new."""
        if not words.strip():
            return words
        if payload.is_snapshot(value):
            return self._find_growth(words, value)
        if self._last and payload.repeats(name, value):
            return self._cut_known(words, str(self))
        may_repeat = payload.may_repeat(name, value) or (payload.is_success(value) and not self._enveloped)
        if self._last and may_repeat:
            return self._drop_repeated(words, str(self))
        grew = bool(self._last) and words.startswith(self._last) and words != self._last
        self._series += grew and self._pieces == self._series
        self._last = words
        return words

    def _drop_repeated(self, words: str, so_far: str) -> str:
        """Return what is new in a text at an end, which is the whole once more or its last words."""
        if self._snapshots and words.startswith(so_far):
            return words.removeprefix(so_far)
        return "" if words.strip() == so_far.strip() and self._is_more_than_a_word(words) else words

    def _cut_known(self, words: str, so_far: str) -> str:
        """Return what is new in a text that tells the whole, or its last part, once more."""
        if words.startswith(so_far):
            return words.removeprefix(so_far)
        if so_far.strip().endswith(words.strip()):
            return ""
        self._warn(REVISED)
        return words

    def _find_growth(self, words: str, value: Any) -> str:
        """Return what is new in a whole text so far; a text that does not begin with it is new as a whole."""
        first, self._last = not self._last, words
        if self._snapshots is False:
            return words
        so_far = str(self)
        self._snapshots = first or (words.startswith(so_far) and not self._may_be_next(words, so_far, value))
        if self._snapshots:
            return words.removeprefix(so_far)
        if self._pieces > 1:
            self._warn(REVISED)
        return words

    def _may_be_next(self, words: str, so_far: str, value: Any) -> bool:
        """Return whether a second text like the first may be the next word, rather than the same reported again."""
        told_again = "outputs" in value or value.get("partial") is False
        return words == so_far and not told_again and not self._is_more_than_a_word(words)

    def _is_more_than_a_word(self, words: str) -> bool:
        """Return whether words that were reported before cannot be the next word, which happens to be the same."""
        return self._pieces > 1 or len(words.split()) > 1

    def _mend(self, words: str) -> str:
        """Words without halves of characters: two that follow each other are one, one alone is none."""
        words, self._half = self._half + words, ""
        if words.isascii():
            return words
        if "\ud800" <= words[-1] <= "\udbff":
            words, self._half = words[:-1], words[-1]
        return words.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def _warn(self, warning: str) -> None:
        if warning not in self.warnings:
            self.warnings.append(warning)
