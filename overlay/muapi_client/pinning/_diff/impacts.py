"""Classes: what each kind of change does to users of this client, and what it means, in a sentence. Data.

A request narrowed breaks, widened it adds; an answer is a promise, so it is the other way about. Our own answers add:
they refuse nothing, all their fields are optional and their enums open, so that limits on them mean nothing to code and
a new word breaks no more than a list of them. An error is read from its body and never by the document.

Lives here: the table, closed: a kind and an effect that are not in it are a fault of this program. Does not live here:
finding changes.
"""

from __future__ import annotations

import json
from os.path import commonprefix
from typing import TYPE_CHECKING, Any, Final

from muapi_client.pinning._diff.findings import UNION
from muapi_client.pinning._document.strict_json import as_list, as_object

if TYPE_CHECKING:
    from muapi_client.pinning._diff.changes import Impact
    from muapi_client.pinning._diff.findings import Finding, Side

Rule = tuple["Impact", str]
LONGEST: Final = 200  # characters of a value in a sentence
_LEAD: Final = 40  # characters that two values have in common, shown before what differs

# By kind and effect. {before} and {after} are the values, {lost} and {gained} what of a list is gone and new.
EVERYWHERE: Final[dict[tuple[str, str], Rule]] = {
    ("operation", "added"): ("additive", "New."),
    ("operation", "presumed"): (
        "additive",
        "New: {after} takes no webhook and is taken for a model, as all beside it with its tag are.",
    ),
    ("operation", "undecided"): (
        "additive",
        "New: {after} looks like a model and is not taken for one: a correction has to decide.",
    ),
    ("operation", "removed"): ("breaking", "It is gone: its function goes with it, and the server will answer 404."),
    ("operation", "renamed"): (
        "breaking",
        "It is called {after} now, and so is its function; the old slug may answer 404.",
    ),
    ("operation_id", "changed"): ("cosmetic", "Its operation id changed; names here come from the path."),
    ("deprecated", "added"): ("cosmetic", "It is deprecated: it works, and may go."),
    ("deprecated", "removed"): ("cosmetic", "It is no longer deprecated."),
    ("catalogue_name", "changed"): (
        "silent",
        "Its catalogue name was {before} and is {after}: perhaps another model, at another price.",
    ),
    ("tier", "changed"): ("silent", "Its tier was {before} and is {after}: what it costs may differ."),
    ("price", "changed"): ("silent", "It costs {after} where it cost {before}."),
    ("price", "added"): ("additive", "A price is known now: {after}."),
    ("price", "removed"): ("silent", "Its price is no longer listed; it was {before}."),
    ("pricing", "changed"): ("silent", "What its price depends on changed from {before} to {after}."),
    ("currency", "changed"): ("silent", "Prices are in {after} where they were in {before}."),
    ("group", "changed"): (
        "breaking",
        "Its function moves from the group {before} to {after}; an import by group has to follow.",
    ),
    ("job", "changed"): (
        "breaking",
        "It was a {before} operation and is a {after} one: its function moves, its answer changes.",
    ),
    ("tags", "changed"): ("cosmetic", "Its tags changed; its group stays."),
    ("text", "changed"): ("cosmetic", "Words changed: {words}."),
    ("remark", "changed"): ("cosmetic", "Only a remark changed: {words}."),
    ("security", "narrowed"): ("breaking", "An API key is no longer enough."),
    ("security", "widened"): ("additive", "An API key is enough now."),
    ("security", "changed"): ("cosmetic", "What else lets a caller in changed; the API key stands as it did."),
    ("server", "removed"): ("breaking", "The API is at {after} now, it was at {before}."),
    ("server", "moved"): (
        "silent",
        "The first server is {after} now, it was {before}; this client sends to the one it is set to.",
    ),
    ("server", "changed"): ("cosmetic", "The list of servers changed; the first stays the first."),
    ("own_servers", "changed"): (
        "silent",
        "Its own servers are {after} now, they were {before}; this client sends to the one it is set to.",
    ),
}

REQUEST: Final[dict[tuple[str, str], Rule]] = {
    ("class", "added"): ("additive", "It has a class now: {after}."),
    ("class", "renamed"): ("breaking", "Its class is {after} now, it was {before}: an import of that fails."),
    ("class", "outermost"): ("types", "Its class is {after} now, it was {before}; no function takes it."),
    ("field", "added"): ("additive", "New, and may be left out."),
    ("field", "needed"): ("breaking", "New, and must be sent."),
    ("field", "removed"): ("breaking", "It is no longer taken: the server ignores it, the function refuses it."),
    ("field", "renamed"): ("breaking", "It is called {after} now; the old name is no longer taken."),
    ("parameter", "added"): ("additive", "New, and may be left out."),
    ("parameter", "needed"): ("breaking", "New, and must be sent."),
    ("parameter", "removed"): ("breaking", "It is no longer taken."),
    ("required", "narrowed"): ("breaking", "It must be sent now."),
    ("required", "widened"): ("additive", "It may be left out now."),
    ("body", "added"): ("additive", "It takes a body now, which may be left out."),
    ("body", "needed"): ("breaking", "It needs a body now."),
    ("body", "removed"): ("breaking", "It takes no body any more."),
    ("content_type", "removed"): ("breaking", "What is sent is no longer taken as {before}, only as {after}."),
    ("content_type", "narrowed"): ("cosmetic", "It is no longer taken as {lost}, which this client never sends."),
    ("content_type", "widened"): ("additive", "It is taken as {gained} too."),
    ("type", "narrowed"): ("breaking", "It takes less than before: {after} where it was {before}."),
    ("type", "widened"): ("additive", "It takes more than before: {after} where it was {before}."),
    ("type", "wider_number"): ("additive", "It takes fractions now."),
    ("type", "changed"): ("breaking", "Its type changed from {before} to {after}."),
    ("nullable", "narrowed"): ("breaking", "null is no longer taken."),
    ("nullable", "widened"): ("additive", "null is taken now."),
    ("enum", "narrowed"): ("breaking", "No longer taken: {lost}."),
    ("enum", "widened"): ("additive", "Also taken now: {gained}."),
    ("enum", "changed"): ("breaking", "No longer taken: {lost}. Also taken now: {gained}."),
    ("enum_order", "changed"): (
        "silent",
        "The same choices in another order: code that takes the first or the last gets another.",
    ),
    ("const", "changed"): ("breaking", "It must be {after} now, it was {before}."),
    ("default", "added"): ("silent", "Left out, it is {after} now; before, the document told no default."),
    ("default", "removed"): ("silent", "Left out, it was {before}; no default is told any more."),
    ("default", "changed"): ("silent", "Left out, it is {after} now, it was {before}."),
    ("default", "unused"): ("cosmetic", "Its default changed, which never counts: it must be sent."),
    ("contradiction", "added"): (
        "silent",
        "Its default {default} is none of its choices any more: left out, nobody knows what it is.",
    ),
    ("minimum", "narrowed"): ("breaking", "Its least value was {before} and is {after}."),
    ("minimum", "widened"): ("additive", "Its least value was {before} and is {after}."),
    ("maximum", "narrowed"): ("breaking", "Its greatest value was {before} and is {after}."),
    ("maximum", "widened"): ("additive", "Its greatest value was {before} and is {after}."),
    ("length", "narrowed"): ("breaking", "Its length is bound more tightly: {after}, it was {before}."),
    ("length", "widened"): ("additive", "Its length is bound less tightly: {after}, it was {before}."),
    ("items", "narrowed"): ("breaking", "Its number of items is bound more tightly: {after}, it was {before}."),
    ("items", "widened"): ("additive", "Its number of items is bound less tightly: {after}, it was {before}."),
    ("size", "narrowed"): ("breaking", "Its number of fields is bound more tightly: {after}, it was {before}."),
    ("size", "widened"): ("additive", "Its number of fields is bound less tightly: {after}, it was {before}."),
    ("multiple_of", "narrowed"): ("breaking", "It must be a multiple of {after}, it was {before}."),
    ("multiple_of", "widened"): ("additive", "It must be a multiple of {after}, it was {before}."),
    ("multiple_of", "changed"): ("breaking", "It must be a multiple of {after}, it was {before}."),
    ("format", "narrowed"): ("breaking", "Its format must be {after} now."),
    ("format", "widened"): ("additive", "Its format need not be {before} any more."),
    ("format", "changed"): ("breaking", "Its format must be {after} now, it was {before}."),
    ("media", "removed"): (
        "breaking",
        "It need not be an address any more, and so its function takes no local file any more.",
    ),
    ("media", "added"): ("additive", "Its function takes a local file now, too."),
    ("file", "narrowed"): ("breaking", "It must be a file now."),
    ("file", "widened"): ("breaking", "It is no file any more, but a text."),
    ("file", "changed"): ("breaking", "It must be a {after} now, it was a {before}."),
    ("moment", "narrowed"): ("breaking", "It must be a {after} now."),
    ("moment", "widened"): ("additive", "It need not be a {before} any more."),
    ("moment", "changed"): ("breaking", "It must be a {after} now, it was a {before}."),
    ("pattern", "narrowed"): ("breaking", "It must match {after} now."),
    ("pattern", "widened"): ("additive", "It need not match {before} any more."),
    ("pattern", "changed"): ("breaking", "It must match {after} now, it was {before}."),
    ("unique", "narrowed"): ("breaking", "No item may stand twice now."),
    ("unique", "widened"): ("additive", "An item may stand twice now."),
    ("extra_fields", "narrowed"): ("breaking", "Fields without a name in the document are refused or bound now."),
    ("extra_fields", "widened"): ("additive", "Fields without a name in the document are taken more freely."),
    ("rule", "changed"): ("breaking", "A rule changed from {before} to {after}; what was taken may be refused."),
    ("rule", "inside"): ("breaking", "What a rule leads to changed: {words}; what was taken may be refused."),
    ("read_only", "added"): ("silent", "It is ignored now when it is sent."),
    ("read_only", "removed"): ("silent", "It is no longer ignored when it is sent."),
    ("write_only", "added"): ("cosmetic", "No answer tells it any more."),
    ("write_only", "removed"): ("cosmetic", "Answers may tell it."),
}

_LIMITS: Final = ("minimum", "maximum", "length", "items", "size", "multiple_of", "format", "file", "pattern", "unique")
_TURNS: Final = ("narrowed", "widened", "changed")
_IDLE_DEFAULT: Final[Rule] = ("cosmetic", "A default in an answer changed.")
_MOMENT: Final[Rule] = ("breaking", "It is read as another type: {after}, it was {before}.")
_IDLE: Final[Rule] = (
    "cosmetic",
    "A limit changed from {before} to {after}; this client never checks answers.",
)
_CLASS: Final[Rule] = ("breaking", "It is read as {after} now, it was {before}.")
ANSWER: Final[dict[tuple[str, str], Rule]] = {
    **dict.fromkeys([("class", effect) for effect in ("added", "renamed", "outermost")], _CLASS),
    ("job_answer", "added"): ("additive", "It tells the job's id now, which the client reads."),
    ("job_answer", "removed"): (
        "breaking",
        "The client reads the job's id from it, as request_id or id, and it tells none now: {after}.",
    ),
    ("field", "added"): ("additive", "New in the answer."),
    ("field", "needed"): ("additive", "New in the answer, and always there."),
    ("field", "removed"): ("breaking", "It is gone from the answer."),
    ("field", "renamed"): ("breaking", "It is called {after} in the answer now."),
    ("required", "narrowed"): ("additive", "It is always there now."),
    ("required", "widened"): ("breaking", "It may be missing now."),
    ("answer", "added"): ("additive", "Another answer is told of."),
    ("answer", "removed"): ("breaking", "This answer is gone, and with it what was promised of it."),
    ("answer", "renumbered"): ("cosmetic", "It answers {after} where it answered {before}; either is a success."),
    ("answer_class", "added"): ("breaking", "It is read as {after} now, where the JSON was given as it came."),
    ("answer_class", "removed"): ("breaking", "The JSON is given as it comes now, where it was read as {before}."),
    ("content_type", "removed"): ("breaking", "It no longer answers in {before}, only in {after}."),
    ("content_type", "narrowed"): ("cosmetic", "It no longer answers in {lost}, which this client never reads."),
    ("content_type", "widened"): ("additive", "It may answer in {gained} too."),
    ("type", "narrowed"): ("additive", "It promises more than before: {after} where it was {before}."),
    ("type", "widened"): ("breaking", "It may be something else than before: {after} where it was {before}."),
    ("type", "wider_number"): ("types", "It may have fractions now."),
    ("type", "changed"): ("breaking", "Its type changed from {before} to {after}."),
    ("nullable", "narrowed"): ("additive", "It is never null now."),
    ("nullable", "widened"): ("breaking", "It may be null now."),
    ("enum", "narrowed"): ("additive", "Never said any more: {lost}."),
    ("enum", "widened"): ("types", "May also say now: {gained}. Code that handles every value has more to handle."),
    ("enum", "changed"): ("types", "May also say now: {gained}. Never said any more: {lost}."),
    ("enum_order", "changed"): ("cosmetic", "The same choices in another order."),
    ("const", "changed"): ("types", "It says {after} now, it was {before}."),
    **dict.fromkeys([("default", effect) for effect in ("added", "removed", "changed", "unused")], _IDLE_DEFAULT),
    ("contradiction", "added"): ("cosmetic", "Its default is none of its choices."),
    **dict.fromkeys([(kind, effect) for kind in _LIMITS for effect in _TURNS], _IDLE),
    **dict.fromkeys([("moment", effect) for effect in _TURNS], _MOMENT),
    ("extra_fields", "narrowed"): ("cosmetic", "Fields without a name in the document are no longer expected."),
    ("extra_fields", "widened"): ("cosmetic", "Fields without a name in the document may come."),
    ("rule", "changed"): ("types", "A rule changed from {before} to {after}."),
    ("rule", "inside"): ("types", "What a rule leads to changed: {words}."),
    ("read_only", "added"): ("cosmetic", "It cannot be sent."),
    ("read_only", "removed"): ("cosmetic", "It can be sent."),
    ("write_only", "added"): ("breaking", "No answer tells it any more."),
    ("write_only", "removed"): ("additive", "Answers tell it now."),
}

CLIENTS: Final[dict[tuple[str, str], Rule]] = {
    ("parameter", "needed"): ("breaking", "New, and must be sent; this client does not send it."),
    ("required", "narrowed"): ("breaking", "It must be sent now, and no function takes it."),
}
_CLIENTS_OWN: Final[Rule] = ("cosmetic", "It is the client's to send, and no function takes it.")
_ERROR: Final[Rule] = ("cosmetic", "What an error looks like changed; this client reads errors as they come.")


def judge(finding: Finding, side: Side) -> Rule:
    """Look up what a finding does to users, and the sentence that says so."""
    key = (finding.kind, finding.effect)
    rule = EVERYWHERE.get(key) or (ANSWER if side in ("answer", "error") else REQUEST)[key]
    impact, sentence = rule
    if side == "error" and impact not in ("additive", "cosmetic"):
        impact, sentence = _ERROR
    if side == "client":
        impact, sentence = CLIENTS.get(key, _CLIENTS_OWN if impact != "cosmetic" else rule)
    if finding.kind == "type" and max(len(finding.before), len(finding.after)) > LONGEST:
        return impact, _tell_long_types(sentence, finding.before.split(UNION), finding.after.split(UNION))
    return impact, sentence.format_map(_sentence_values(finding))


def _tell_long_types(sentence: str, before: list[str], after: list[str]) -> str:
    """A sentence on types with more alternatives than can be shown: how many, and which came and went."""
    gained, lost = [name for name in after if name not in before], [name for name in before if name not in after]
    parts = [f" {word}: {', '.join(names)}." for word, names in (("Added", gained), ("Removed", lost)) if names]
    return sentence.format(before=_count_types(before), after=_count_types(after)) + "".join(parts)


def _count_types(names: list[str]) -> str:
    return f"one of {len(names)} types" if len(names) > 1 else show_value(names[0])


def _sentence_values(finding: Finding) -> dict[str, str]:
    before, after = finding.before, finding.after
    words = as_object(after) or as_object(before) or {}
    was, now = _show_both(before, after)
    return {
        "before": was,
        "after": now,
        "lost": _list_missing(before, after),
        "gained": _list_missing(after, before),
        "default": show_value(after["default"]) if finding.kind == "contradiction" else "",
        "words": ", ".join(words),
    }


def _list_missing(some: Any, others: Any) -> str:
    """List what one list has and the other has not; without another list, all of the one or everything else."""
    listed = as_list(some)
    if listed is None:
        return "anything else"
    there = {json.dumps(item) for item in as_list(others) or ()}
    return show_value([item for item in listed if json.dumps(item) not in there])


def show_value(value: Any) -> str:
    """A value of a document as a sentence has it: in one line, and cut where it is long."""
    return _cut(_write_value(value))


def _show_both(before: Any, after: Any) -> tuple[str, str]:
    """Two values as a sentence has them; where both would be cut alike, from shortly before they differ."""
    was, now = _write_value(before), _write_value(after)
    start = len(commonprefix([was, now])) - _LEAD
    if was == now or _cut(was) != _cut(now) or start <= 0:
        return _cut(was), _cut(now)
    return f"…{_cut(was[start:])}", f"…{_cut(now[start:])}"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _write_value(value: Any) -> str:
    fields, items = as_object(value), as_list(value)
    if fields is not None:
        return ", ".join(f"{key} {_write_value(item)}" for key, item in fields.items())
    if items is not None:
        return ", ".join(map(_write_value, items)) or "nothing"
    return "none" if value is None else json.dumps(value, ensure_ascii=False)
