"""Words as a person reads them: the server's, in whichever shape they come, and those of a message. Pure.

Lives here: a ``detail`` or an ``error`` as a sentence, what can be printed, articles and quotes. Does not live here:
which error an answer stands for (``_protocol/response``).
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from muapi_client._runtime.tracebacks import raise_if_from_signal_handler

# Absent values as they are written out as text.
ABSENT: Final = frozenset({"", "none", "null", "nil", "undefined", "n/a"})
# What an ``error`` says that is none.
NO_ERROR: Final = ABSENT | {"false", "0", "no error", "no errors", "ok", "success"}
SHORT: Final = 12  # characters of a hash that tell documents apart for a reader
# How words begin that are spoken with a vowel: initialisms by their first letter's name, others by their spelling.
VOWEL: Final = re.compile(r"[AEFHILMNORSX](?=[A-Z])|(?![Uu](?:ni|s))[AEIOUaeiou](?![A-Z])")


def read_error(answer: Mapping[str, Any]) -> str | None:
    """The failure in the server's words, whole: a string, ``{message}`` or null (observed); None where it is none."""
    error = answer.get("error")
    if isinstance(error, dict):
        told = {name: value for name, value in error.items() if value and not _is_absent(value)}
        error = told.get("message") or told.get("detail") or (error if told else None)
    if not error or (isinstance(error, list) and all(not entry or _is_absent(entry) for entry in error)):
        return None
    words = as_words(error).strip()
    return None if words.lower().rstrip(".") in NO_ERROR else words


def _is_absent(value: object) -> bool:
    return isinstance(value, str) and value.strip().lower() in ABSENT


def shorten_hashes(first: str, second: str) -> tuple[str, str]:
    """Two hashes as a message has them: their beginnings, or whole where those agree and the hashes do not."""
    if first != second and first[:SHORT] == second[:SHORT]:
        return first, second
    return first[:SHORT], second[:SHORT]


def as_words(detail: Any) -> str:
    """A ``detail`` or ``error`` as a person reads it: a string, FastAPI's list, or anything else as JSON."""
    if detail is None or detail in ("", [], {}):
        return ""
    if isinstance(detail, str):
        return writable(detail)
    if isinstance(detail, list) and all(isinstance(entry, Mapping) and "msg" in entry for entry in detail):
        return writable("; ".join(f"{_where(entry.get('loc'))}{entry['msg']}" for entry in detail))
    try:
        return writable(json.dumps(detail, ensure_ascii=False, default=str))
    except RecursionError:
        return "(nested too deeply to be shown)"


def writable(text: str) -> str:
    """A text that can be written anywhere: JSON may hold halves of characters."""
    return text.encode("utf-8", "replace").decode()


def _where(loc: Any) -> str:
    if not isinstance(loc, Sequence) or isinstance(loc, str) or not loc:
        return ""
    return ".".join(str(part) for part in loc if part != "body") + ": "


def with_article(name: str) -> str:
    """The name of a class with "a" or "an" before it, as it is spoken: an HTTPTransport, a URL, an int."""
    return f"{'an' if VOWEL.match(name) else 'a'} {name}"


def show(value: object, most: int = 40) -> str:
    """A value that was given, for a message: ``most`` characters of how Python writes it, or its type where it cannot.

    An int of more than 4,300 digits has no text, and a class of the caller's may raise.
    """
    try:
        return f"{value!r:.{most}}"
    except Exception as error:  # noqa: BLE001 - as above
        raise_if_from_signal_handler(error)
        return with_article(type(value).__name__)


def quote(text: str, most: int) -> str:
    """A text in quotes for a message; cut after ``most`` characters by an ellipsis within the quotes."""
    return repr(text if len(text) <= most else f"{text[:most]}…")
