"""When to look next at a job that is not done. Pure: readings in, seconds out.

Lives here: the pauses. Does not live here: looking (``_jobs/waiting``).

A job's length is unknown (observed: 2 s to 30 min), so the pause grows with the time waited: lateness stays a fixed
share of the job's own length, and a long job costs few looks.
"""

from typing import Final

from attrs import field, frozen

from muapi_client._settings.numbers import require_number, to_float


@frozen(kw_only=True)
class Polling:
    """How often to look.

    Attributes:
        share: The pause, as a share of the time waited so far; lateness stays below it.
        minimum: The shortest pause, in seconds.
        maximum: The longest pause, in seconds, unless the server asks for more by Retry-After.
        jitter: How far a pause may fall short of that, as a share, so that many waiters do not look in step.

    Raises:
        MuAPIError: One of them is no number, or out of its bounds.
    """

    __module__ = "muapi_client"

    share: float = field(default=0.08, converter=to_float, validator=require_number(least=0))
    minimum: float = field(default=0.5, converter=to_float, validator=require_number(above=0))
    maximum: float = field(default=10.0, converter=to_float, validator=require_number(above=0))
    jitter: float = field(default=0.1, converter=to_float, validator=require_number(least=0, most=1))

    def pause(self, waited: float, *, draw: float, retry_after: float | None = None) -> float:
        """Seconds to let pass before the next look.

        Args:
            waited: Seconds waited so far.
            draw: A random number from 0 to 1.
            retry_after: The server's Retry-After in seconds, which wins where it is longer.
        """
        steady = min(max(self.share * waited, self.minimum), self.maximum)
        return max(steady * (1 - self.jitter * draw), retry_after or 0.0)


LAST_LOOK: Final = 1.0  # seconds kept free before a deadline for one last exchange; half of the time left if less
SHORTEST_LOOK: Final = 0.125  # seconds that an exchange takes at the least: in less it would be cut off


def fit(pause: float, *, left: float) -> float | None:
    """Cut a pause so that one more look fits before the deadline, or None where none fits.

    Args:
        pause: The pause wanted, in seconds.
        left: Seconds until the deadline.
    """
    kept = min(LAST_LOOK, left / 2)
    if pause + kept <= left:
        return pause
    return left - kept if kept > SHORTEST_LOOK else None
