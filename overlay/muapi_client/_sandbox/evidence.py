"""Whether answers come from a sandbox (test) key: the evidence there is, what each piece weighs, the verdict. Pure.

Nothing announces a test key (observed): no prefix, header or field. So evidence is weighed, and where it does not
settle the question the verdict is None, never a guess.

Lives here: the table and the scale. Does not live here: finding evidence in an answer (``detection``), asking for some
(``probe``), acting on the verdict (``guard``, ``mismatch``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from muapi_client._types.sandbox import SandboxVerdict

if TYPE_CHECKING:
    from collections.abc import Iterable

# A sum of this or more settles for sandbox, of minus this or less for live; between them the verdict is None.
SETTLES: Final = 10

REFERENCE: Final = "API reference, Sandbox (Testing) Mode"
COSTS: Final = "API reference, Per-Request Cost"
OBSERVED: Final = "observed by several public clients"


class Indicator(NamedTuple):
    """A kind of evidence.

    Attributes:
        weight: Positive for sandbox, negative for live, 0 for what only explains; each kind counts once.
        source: Who says that it tells the two apart.
        says: The sentence, with a place for the detail.
    """

    weight: int
    source: str
    says: str


# A test key "deducts no credits": three signs of money end the matter, whatever else was seen.
CHARGED: Final = Indicator(-100, REFERENCE, "{}, and a test key never is")
REFUNDED: Final = Indicator(-100, COSTS, "the request was refunded, and with a test key there is nothing to refund")
CHARGED_BEFORE: Final = Indicator(-100, REFERENCE, "this key was charged before: {}")
# What one answer shows by itself. Two signs that are independent settle for sandbox: see the sums below.
LIVE_PLACE: Final = Indicator(-18, OBSERVED, "an output lies where live ones do: {}")
SAMPLE_PLACE: Final = Indicator(+9, OBSERVED, "an output lies on the host of the samples: {}")
LIKE_A_SAMPLE: Final = Indicator(+3, OBSERVED, "an output looks like a sample by its URL alone: {}")
MAYBE_QUOTED: Final = Indicator(+1, OBSERVED, "an output is a sample's URL, which an unknown model may quote: {}")
SAME_OUTPUTS: Final = Indicator(+5, REFERENCE, "two different inputs got the same outputs")
NO_CHARGE: Final = Indicator(+4, REFERENCE, "the server reported a cost of 0 USD")
AT_ONCE: Final = Indicator(+4, REFERENCE, "the submit was answered with the finished job")
# What is known of the key. The list's ``is_test`` is not certain to be there, so it can be outweighed.
LISTED_LIVE: Final = Indicator(-20, OBSERVED, "the key list marks none of the account's {} active keys as a test key")
LISTED_TEST: Final = Indicator(+20, OBSERVED, "the key list marks every active key of the account ({}) as a test key")
SAMPLED_BEFORE: Final = Indicator(+10, OBSERVED, "this key was answered with samples before: {}")
# Listed as well, though these settle nothing.
FREE_MODEL: Final = Indicator(
    0, OBSERVED, "the server reported a cost of 0 USD, which the catalogue's price for {} is, too"
)
NO_COST: Final = Indicator(0, COSTS, "the server reported no cost, which is not 0")
DISPUTED: Final = Indicator(0, COSTS, "headers and body tell different costs")
LISTED_BOTH: Final = Indicator(0, OBSERVED, "the key list marks {} as test keys, and does not tell which key this is")
LISTED_SILENT: Final = Indicator(0, OBSERVED, "the key list does not tell test keys from live ones")
NOT_LISTED: Final = Indicator(0, OBSERVED, "the key list was not to be had: {}")

# The sums that matter, so that nobody has to add:
#   sample place = 9                                            None: one sign is none, and a URL can be echoed
#   sample place + no charge = 13, sample place + at once = 13    sandbox: no live output was seen on that host
#   like a sample + no charge + at once = 11                      sandbox: a model of the catalogue that quotes nothing
#   maybe quoted + no charge + at once = 9                        None: a cached live answer may be any words
#   no charge + at once = 8                                       None: a cached live job, discounted to nothing
#   same outputs + no charge = 9, same outputs + at once = 9      None: a free live job, or a cached one
#   same outputs + no charge + at once = 13                       sandbox
#   live place + no charge + at once = -10                        live: a cached job, discounted to nothing
#   live place + sample place = -9, with both of the above -1     None: it contradicts itself
INDICATORS: Final = (
    *(CHARGED, REFUNDED, CHARGED_BEFORE),
    *(LIVE_PLACE, SAMPLE_PLACE, LIKE_A_SAMPLE, MAYBE_QUOTED, SAME_OUTPUTS, NO_CHARGE, AT_ONCE),
    *(LISTED_LIVE, LISTED_TEST, SAMPLED_BEFORE),
    *(FREE_MODEL, NO_COST, DISPUTED, LISTED_BOTH, LISTED_SILENT, NOT_LISTED),
)


class Evidence(NamedTuple):
    """One piece of evidence."""

    indicator: Indicator
    detail: str = ""

    def __str__(self) -> str:
        return self.indicator.says.format(self.detail)


def weigh(found: Iterable[Evidence]) -> SandboxVerdict:
    """Weigh evidence; more of one kind weighs no more than one."""
    kinds = {piece.indicator: piece for piece in reversed(list(found))}  # of each kind, the one found first
    ordered = sorted(
        kinds.values(), key=lambda piece: (-abs(piece.indicator.weight), INDICATORS.index(piece.indicator))
    )
    return SandboxVerdict(_settle(sum(indicator.weight for indicator in kinds)), tuple(map(str, ordered)))


def _settle(weight: int) -> bool | None:
    return weight > 0 if abs(weight) >= SETTLES else None
