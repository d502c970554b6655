"""Entries of a journal: how a person names one, and how it looks. Pure.

A job is named by its request id. An entry that has none, since no answer told it, is named by the first digits of its
own key, as many as tell it from the others; they stay the same, and no id looks so.

Lives here: those names, and an entry as JSON. Does not live here: which entries there are (``MuAPI``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from muapi_client.cli._formats import cost_form, output_form, to_json_number
from muapi_client.cli._wording import in_shell_words
from muapi_client.errors import NotFoundError, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from muapi_client import Entry

DIGITS: Final = 8  # of a key that has 32: two of a thousand entries share them once in ten thousand journals


def name_of(entry: Entry, among: Iterable[Entry]) -> str:
    """What a person calls an entry: its request id, or the shortest beginning of its key that no other one has.

    Args:
        among: The entries it is listed with.
    """
    if entry.request_id is not None:
        return entry.request_id
    others = [other.key for other in among if other.key != entry.key]
    for digits in range(DIGITS, len(entry.key)):
        if not any(other.startswith(entry.key[:digits]) for other in others):
            return entry.key[:digits]
    return entry.key or "-"


def find(name: str, entries: Sequence[Entry]) -> Entry:
    """The entry of a name, as :func:`name_of` made it, or of a whole key.

    Raises:
        NotFoundError: None of them is called so.
        ValidationError: Several are.
    """
    found = [entry for entry in entries if name == entry.request_id or (entry.key and entry.key.startswith(name))]
    if not name or not found:
        raise NotFoundError(
            f"no submit {name!r} of this API key is unknown: `muapi-client unknown` lists those that are (nothing was"
            " changed)"
        )
    if len(found) > 1:
        named = ", ".join(name_of(entry, entries) for entry in found)
        raise ValidationError(f"{name!r} may be any of {named}: give more of its digits (nothing was changed)")
    return found[0]


def entry_form(entry: Entry, among: Iterable[Entry]) -> dict[str, Any]:
    """An entry as JSON, without what was submitted, which may be private."""
    return {
        "name": name_of(entry, among),
        "key": entry.key,
        "request_id": entry.request_id,
        "state": entry.state,
        "model": entry.slug,
        "submitted_at": entry.intended_at.isoformat(),
        "changed_at": entry.changed_at.isoformat(),
        "cost": cost_form(entry.cost),
        "set_aside_usd": to_json_number(entry.set_aside_usd),
        "outputs": [output_form(output) for output in entry.outputs],
        "saved_paths": [str(file) for file in entry.files],
        "reason": _reason(entry),
        "tag": entry.tag,
        "run": entry.run,
        "run_key": entry.run_key,
        "key_kind": entry.key_kind,
        "origin": entry.origin,
    }


def _reason(entry: Entry) -> str | None:
    """Why an entry is as it is; what this client says of a doubt is said in a shell's words, a server's words stay."""
    if entry.reason is None or entry.state != "unknown":
        return entry.reason
    return in_shell_words(entry.reason, entry.request_id)
