"""What a map hands out: what came of each call, and how far it has got.

Lives here: the values. Does not live here: how they come about (``_jobs/mapping``).
"""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from attrs import field, frozen

from muapi_client._types.error import MuAPIError
from muapi_client._types.job import Job
from muapi_client._types.money import ZERO, write_usd
from muapi_client._types.prediction import Prediction, load_cards
from muapi_client._types.reprs import represent_short
from muapi_client._types.showing import show_value
from muapi_generated.types import Call

J = TypeVar("J", bound=Job)
P = TypeVar("P", bound=Prediction)
ELSEWHERE: Final = "in another process's hands"


@frozen
class Outcome(Generic[J, P]):
    """What came of one call of a map: a prediction, or an error that says why there is none.

    Attributes:
        index: The call's place among the calls, from 0.
        key: Its key in the run: what ``key=`` made of it, by default its place as text.
        call: The call.
        job: The job, or None where it was never accepted, or was answered at once.
        prediction: What came of the job; beside an error the last thing the server reported, or None.
        error: Why it did not end well, or None. A ``SubmitOutcomeUnknownError`` means that it may have been charged.
        reused: Whether it was handed out from the journal: it had ended in an earlier run, or an equal call had
            (``reuse=True``). Nothing was charged for it now.
        files: Where its outputs were saved.
    """

    __module__ = "muapi_client"

    index: int
    key: str
    call: Call[Any] = field(hash=False, repr=False)  # its body is a dictionary, which has none
    job: J | None = field(default=None, repr=False)  # prediction and error name it
    prediction: P | None = None
    error: MuAPIError | None = None
    reused: bool = False
    files: tuple[Path, ...] = ()

    __repr__ = represent_short

    def result(self) -> P:
        """What came of the job, where it ended well and its outputs were saved where that was asked for.

        Returns:
            The ``prediction``.

        Raises:
            MuAPIError: It did not: the ``error``, whatever it is.
        """
        if self.error is not None:
            raise self.error
        if self.prediction is None:
            raise MuAPIError(f"this outcome, of {self.key!r}, has neither a prediction nor an error")
        return self.prediction

    def _repr_html_(self) -> str:
        html: str = load_cards().contact_sheet([self])
        return html


class Outcomes(list[Outcome[J, P]]):
    """A list of outcomes that a notebook shows as a contact sheet: ``Outcomes(mu.map(calls))``."""

    __module__ = "muapi_client"

    def show(self, *, width: int = 160) -> None:
        """Show it in a notebook's cell with what was made: pictures, video and sound, which the browser fetches.

        What the cell shows of it by itself fetches nothing. Elsewhere its repr is printed.

        Args:
            width: Pixels of a tile.

        Raises:
            MuAPIError: The width cannot be right.
        """
        show_value(self, load_cards().contact_sheet, width)

    def _repr_html_(self) -> str:
        html: str = load_cards().contact_sheet(self)
        return html


@frozen
class Progress:
    """How far a map has got.

    Attributes:
        submitted: How many calls were accepted, or found to have been in an earlier run.
        running: How many of these have not ended.
        finished: How many ended well.
        failed: How many did not, but for the doubtful ones.
        doubtful: How many may have been accepted and charged, and nobody knows.
        charged_usd: What the ended ones cost together, in USD, in earlier runs, too.
        in_doubt_usd: What the doubtful ones may have cost, and what ``retry_unknown`` left in doubt, in USD, by the
            price list.
        expected_end: When the last call will have ended if it goes on as it went, in UTC; None where that cannot be
            told: nothing has ended yet, or the calls have no length.
        charged_before_usd: How much of ``charged_usd`` was charged for jobs that this map has not submitted: in earlier
            runs, or by other processes on the same one.
        elsewhere: How many calls of the run another process has in hand, which this map waits for. Where that process
            is on another machine and has died, it counts as alive until its lease ends: 5 minutes for a job it waited
            for, an hour for a submit.
    """

    __module__ = "muapi_client"

    submitted: int
    running: int
    finished: int
    failed: int
    doubtful: int
    charged_usd: Decimal
    in_doubt_usd: Decimal
    expected_end: datetime | None
    charged_before_usd: Decimal = ZERO
    elsewhere: int = 0

    def __str__(self) -> str:
        """One short line for a terminal."""
        parts = [f"{self.finished} finished", f"{self.running} running"]
        others = (self.elsewhere, ELSEWHERE), (self.failed, "failed"), (self.doubtful, "in doubt")
        parts += [f"{count} {what}" for count, what in others if count]
        ends = [] if self.expected_end is None else [f"done about {self.expected_end:%H:%M:%S} UTC"]
        return ", ".join([*parts, f"{write_usd(self.charged_usd)} USD", *ends])
