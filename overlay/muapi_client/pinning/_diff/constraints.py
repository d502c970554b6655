"""Facets: how one alternative of a value differs from another of the same kind. Pure.

Every word of JSON Schema falls under one of these: a list of choices, a limit in a direction, a rule that is either
the same or not, or a remark. None falls through.

Lives here: narrower, wider or other, one facet at a time. Does not live here: which alternatives are compared
(``values``), what narrower means to anybody (``impacts``).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from muapi_client.pinning._diff.equivalence import TEXTS
from muapi_client.pinning._diff.findings import Finding
from muapi_client.pinning._diff.schemas import BRANCH, EFFECTS
from muapi_client.pinning._document.reader import is_same, key_of
from muapi_client.pinning._document.strict_json import as_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from muapi_client.pinning._diff.equivalence import Equivalence
    from muapi_client.pinning._diff.schemas import Alternative

LEAST: Final = ("minLength", "minItems", "minProperties")
MOST: Final = ("maxLength", "maxItems", "maxProperties")
_NUMBERS: Final = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
_KEPT: Final = ("pattern", "format", "uniqueItems", "multipleOf")
_INNER: Final = ("properties", "required", "items", "additionalProperties")  # `values` goes there
_REMARKS: Final = (*TEXTS, "$id", "$schema", "$anchor", "discriminator")
# A format of numbers, or of what is only shown in another way, refuses no value.
_FORMATS: Final = {"date-time": "moment", "binary": "file"}  # that make another type of it
_IDLE_FORMATS: Final = frozenset({"int32", "int64", "float", "double", "password", "markdown", "html", "textarea"})


def compare_constraints(old: Alternative, new: Alternative, equivalence: Equivalence) -> Iterator[Finding]:
    """Every difference of two alternatives, but for what is inside them."""
    yield from _compare_choices(old, new)
    yield from _compare_bounds(old, new)
    for word in LEAST:
        yield from _compare_limits(word, old, new, at_least=True)
    for word in MOST:
        yield from _compare_limits(word, old, new, at_least=False)
    for word in _KEPT:
        yield from _compare_rules(word, old, new)
    known = {*LEAST, *MOST, *_NUMBERS, *_KEPT, *_INNER}
    for word in sorted((old.rules.keys() | new.rules.keys()) - known):
        before, after = old.rules.get(word), new.rules.get(word)
        if not equivalence.is_same(before, after):  # and not only its text: a rule may lead to a schema that changed
            if word == BRANCH and not is_same(*map(_select_effective, (before, after))):
                yield Finding("default", "changed", _select_effective(before), _select_effective(after), new.pointer)
                continue
            idle = word in _REMARKS or word.startswith("x-") or equivalence.means_same(before, after)
            effect = "inside" if is_same(before, after) and not idle else "changed"
            yield Finding("remark" if idle else "rule", effect, {word: before}, {word: after}, new.pointer)


def _select_effective(notes: Any) -> dict[str, Any]:
    """Select the notes of a union's branch that do something, beyond those that another gives for the whole."""
    return {key: note for key, note in (as_object(notes) or {}).items() if key in EFFECTS}


def _compare_choices(old: Alternative, new: Alternative) -> Iterator[Finding]:
    before = {key_of(choice): choice for choice in old.choices}
    after = {key_of(choice): choice for choice in new.choices}
    if before.keys() != after.keys():
        lost = bool(after) and (not before or not before.keys() <= after.keys())
        gained = bool(before) and (not after or not after.keys() <= before.keys())
        kind = "const" if len(before) == 1 == len(after) else "enum"
        yield Finding(kind, _effect(lost, gained), _listed(before), _listed(after), new.pointer)
    kept = [key for key in before if key in after]
    if kept != [key for key in after if key in before]:
        yield Finding("enum_order", "changed", _listed(before), _listed(after), new.pointer)


def _listed(choices: Mapping[str, Any]) -> list[Any] | None:
    return list(choices.values()) or None


def _effect(narrower: bool, wider: bool) -> str:
    return "changed" if narrower and wider else "narrowed" if narrower else "widened"


def _compare_bounds(old: Alternative, new: Alternative) -> Iterator[Finding]:
    for word, sign in (("minimum", 1), ("maximum", -1)):
        before, after = _read_bound(old, word, sign), _read_bound(new, word, sign)
        if before == after:
            continue
        narrower = before is None or (after is not None and after > before)
        was, now = (None if bound is None else _write_bound(word, bound, sign) for bound in (before, after))
        yield Finding(word, "narrowed" if narrower else "widened", was, now, new.pointer)


def _read_bound(alternative: Alternative, word: str, sign: int) -> tuple[float, bool] | None:
    """The stricter of a bound and its exclusive twin: the greater, the stricter, and exclusive beats inclusive."""
    plain, exclusive = alternative.rules.get(word), alternative.rules.get(f"exclusive{word.capitalize()}")
    found: list[tuple[float, bool]] = []
    if _is_number(plain):
        found.append((plain * sign, exclusive is True))  # OpenAPI 3.0 says true beside the bound
    if _is_number(exclusive):
        found.append((exclusive * sign, True))
    if not found:
        return None
    limit, outside = max(found)
    if outside and alternative.kind == "integer" and limit == int(limit):
        return limit + 1, False
    return limit, outside


def _write_bound(word: str, bound: tuple[float, bool], sign: int) -> Any:
    limit, outside = bound[0] * sign, bound[1]
    number = int(limit) if limit == int(limit) else limit
    return {f"exclusive{word.capitalize()}": number} if outside else number


def _compare_limits(word: str, old: Alternative, new: Alternative, *, at_least: bool) -> Iterator[Finding]:
    before, after = (
        (alternative.rules.get(word) or None) if at_least else alternative.rules.get(word) for alternative in (old, new)
    )
    if is_same(before, after):
        return
    if not all(limit is None or _is_number(limit) for limit in (before, after)):
        yield Finding("rule", "changed", {word: before}, {word: after}, new.pointer)
        return
    narrower = before is None or (after is not None and (after > before) is at_least)
    kind = "items" if word.endswith("Items") else "length" if word.endswith("Length") else "size"
    yield Finding(kind, "narrowed" if narrower else "widened", {word: before}, {word: after}, new.pointer)


def _compare_rules(word: str, old: Alternative, new: Alternative) -> Iterator[Finding]:
    """A rule that is there or not; of two different ones neither is known to be the stricter."""
    before, after = old.rules.get(word) or None, new.rules.get(word) or None
    if is_same(before, after) or (word == "uniqueItems" and bool(before) is bool(after)):
        return
    if word == "format" and all(text is None or text in _IDLE_FORMATS for text in map(_text, (before, after))):
        yield Finding("remark", "changed", {word: before}, {word: after}, new.pointer)
        return
    narrower, wider = after is not None, before is not None
    if word == "multipleOf" and _is_number(before) and _is_number(after) and before and after:
        old_step, new_step = _to_fraction(before), _to_fraction(after)
        narrower, wider = bool(old_step % new_step), bool(new_step % old_step)
    kind = {"uniqueItems": "unique", "multipleOf": "multiple_of"}.get(word, word)
    if word == "format":
        kind = next((kind_of_format for name, kind_of_format in _FORMATS.items() if name in (before, after)), kind)
    yield Finding(kind, _effect(narrower, wider), before, after, new.pointer)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) or value is None else ""


def _to_fraction(number: float) -> Fraction:
    """A number as the document writes it: 0.3 is three times 0.1, which two floats are not."""
    return Fraction(number) if isinstance(number, int) else Fraction(repr(number))


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
