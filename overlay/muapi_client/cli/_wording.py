"""What an error advises a program to do, in the words of a shell. Pure.

Lives here: the table. Does not live here: the errors' own words (whoever raises them), what a command adds (``_exit``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_WORDS: Final = (
    (r"mu\.wait\(error\.job\)", "muapi-client wait {id}"),
    (r"mu\.(wait|look)\('([^']+)'\)", r"muapi-client \1 \2"),
    (r"mu\.(wait|look)\((?:error|entry|id)[^)]*\)", r"muapi-client \1 {id}"),
    (r"mu\.account\.topup\(amount\)", "muapi-client topup AMOUNT"),
    (r"mu\.account\.balance\(\)", "muapi-client balance"),
    (r"mu\.sandbox\(\)", "muapi-client sandbox"),
    (r"check MUAPI_API_KEY, or api_key=", "check MUAPI_API_KEY, or muapi-client auth status"),
    (r"mu\.settle\((?:error|entry), job\), or None where it never was accepted,", "muapi-client settle"),
    (r"mu\.(unknown|resume|jobs|history|reconcile|settle)\([^)]*\)", r"muapi-client \1"),
    (r"mu\.map\(calls, run='…'\) names one", "muapi-client batch is one"),
    (r"before you submit error\.call again", "before you submit it again"),
    (r"([Gg]ive this run another name)", r"\1 (--run NAME)"),
    (r"retry_unknown=True", "--retry-unknown"),
    (r"[Pp]ass unpriced= the USD to set aside", "--unpriced USD sets something aside"),
    (r"Pass unpriced=\S+ say, to set that aside", "--unpriced 0.50, say, sets that aside"),
    (r"with reuse=False", "without --reuse"),
    (r"strict=False sends", "--raw sends"),
    (r"error\.text holds what arrived", "what arrived is printed"),
    (r"; the command line alone reads the keyring", ""),
    (r"pass api_key= or set MUAPI_API_KEY", "set MUAPI_API_KEY, or muapi-client auth login"),
    (r"\(raw_call reaches newer ones\)", "(run --raw reaches newer ones)"),
    (r"use https, or pass allow_http=True", "use https (MUAPI_BASE_URL, or muapi-client config set base_url)"),
    (r"muapi_client\.catalog\.find\(\)", "muapi-client models WORD"),
)
WORDS: Final = tuple((re.compile(found), put) for found, put in _WORDS)


def in_shell_words(text: str, request_id: str | None) -> str:
    """An error's words for who has no Python at hand.

    Args:
        request_id: The job it is about, or None.
    """
    for found, put in WORDS:
        text = found.sub(put.replace("{id}", request_id or "ID"), text)
    return text


def describe(error: BaseException, advice: Iterable[str] = ()) -> str:
    """An error and its notes, and what advice is not in them yet.

    Args:
        advice: Sentences, each with a command to type behind its last colon.
    """
    said = " ".join([str(error), *getattr(error, "__notes__", ())])
    text = in_shell_words(said, getattr(error, "request_id", None))
    more = [sentence for sentence in advice if sentence.rpartition(": ")[2] not in text]
    return " ".join([text, *more])
