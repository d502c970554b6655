"""Changes: what one difference is, and all of them together. Pure values.

Lives here: the closed set of impacts, ``Change``, ``Diff``. Does not live here: finding changes, or deciding which
impact one has (``impacts``).
"""

from collections.abc import Collection
from typing import Any, Final, Literal, Self

from attrs import evolve, frozen

from muapi_client.pinning._document.errors import PinError, list_near, quote

Impact = Literal["breaking", "types", "silent", "additive", "cosmetic"]

IMPACTS: Final[dict[Impact, str]] = {
    "breaking": "breaks code that runs",
    "types": "breaks types only",
    "silent": "changes what a call costs or does, in silence",
    "additive": "adds what nobody has to use",
    "cosmetic": "changes nothing for code",
}  # worst first


@frozen
class Change:
    """One difference, in one operation.

    Attributes:
        impact: What it does to users of this client: ``breaking``, ``types``, ``silent``, ``additive`` or ``cosmetic``.
        kind: What differs, such as ``field``, ``enum``, ``default``, ``security``; ``impacts`` has the whole set.
        effect: How: ``added``, ``removed``, ``renamed``, ``narrowed``, ``widened``, ``changed``, or a finer word.
        method: The operation's method in capitals; empty for the document itself.
        path: The operation's path; empty for the document itself.
        slug: What follows ``/api/v1/`` in the path; a catalogue name where a price belongs to no operation.
        function: The name of its function, as the old document gives it where both have the operation.
        place: Where in the operation: ``operation``, ``body``, ``query``, ``header``, ``path``, ``answer 200``;
            ``price`` or ``document`` outside of one.
        field: The field, such as ``model_id[].path``; empty for the place itself.
        before: What the old document says, as JSON; None where it says nothing.
        after: What the new document says, as JSON; None where it says nothing.
        sentence: What it means, in one sentence.
        pointer: Where it stands, as a JSON pointer into the new document, or into the old one if only that has it.
        new_function: The function's name in the new document, where it was renamed; else empty.
    """

    __module__ = "muapi_client.pinning"

    impact: Impact
    kind: str
    effect: str
    method: str
    path: str
    slug: str
    function: str
    place: str
    field: str
    before: Any
    after: Any
    sentence: str
    pointer: str
    new_function: str = ""

    @property
    def names(self) -> frozenset[str]:
        """The functions it concerns; none where it concerns all of them, or something that has none."""
        return frozenset(name for name in (self.function, self.new_function) if name)

    @property
    def concerns_all(self) -> bool:
        """True where it is of the document or the price list as a whole, and not of one model's price."""
        return not self.names and not (self.place == "price" and self.slug)


@frozen
class Diff:
    """All that changed, the worst first.

    Attributes:
        changes: Every change of every operation, sorted by impact and place.
        operations: How many operations the old and the new document have.
        functions: Every function that either document gives, with its slug.
    """

    __module__ = "muapi_client.pinning"

    changes: tuple[Change, ...]
    operations: tuple[int, int]
    functions: dict[str, str]

    @property
    def worst(self) -> Impact | None:
        """The worst impact there is; None where nothing changed."""
        return self.changes[0].impact if self.changes else None

    @property
    def counts(self) -> dict[Impact, int]:
        """How many changes of each impact there are, the worst first."""
        counted: dict[Impact, int] = dict.fromkeys(IMPACTS, 0)
        for change in self.changes:
            counted[change.impact] += 1
        return counted

    def only(self, names: Collection[str]) -> Self:
        """The part that concerns these functions; changes of the whole document concern every one.

        Args:
            names: Functions or slugs.

        Raises:
            PinError: Neither document has one of the names.
        """
        slugs: dict[str, list[str]] = {}  # a slug is the name of all its methods' functions
        for function, slug in self.functions.items():
            slugs.setdefault(slug, []).append(function)
        wanted = {function for name in names for function in slugs.get(name.strip("/").removeprefix("api/v1/"), [name])}
        strange = sorted(name for name in wanted if name not in self.functions)
        if strange:
            hint = list_near(strange[0], self.functions)
            raise PinError(f"neither document has a function {quote(strange[0])}{hint}")
        return evolve(
            self,
            changes=tuple(
                change
                for change in self.changes
                if change.concerns_all or change.names & wanted or change.slug in names
            ),
        )

    def fails(self, *on: Impact) -> bool:
        """Tell whether a build has to fail that is to fail on changes of these impacts."""
        return any(self.counts[impact] for impact in on)


def sort_changes(changes: Collection[Change]) -> tuple[Change, ...]:
    """Changes sorted, the worst first, then by operation and place."""
    rank = list(IMPACTS)
    return tuple(
        sorted(
            changes,
            key=lambda change: (
                rank.index(change.impact),
                change.slug,
                change.method,
                change.place,
                change.field,
                change.kind,
                change.effect,
            ),
        )
    )
