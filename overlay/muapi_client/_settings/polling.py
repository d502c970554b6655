"""When to look next at a job that is not done. Pure: readings in, seconds out.

Lives here: the pauses where nothing is known of the model. Does not live here: those learned from how long its jobs
took (``schedule``), looking (``_jobs/waiting``).

A job's length is unknown (observed: 2 s to 30 min), so the pause grows with the time waited: lateness stays a fixed
share of the job's own length, and a long job costs few looks.
"""

from typing import Final

from attrs import Factory, field, frozen

from muapi_client._settings.numbers import require_number, to_float
from muapi_client._settings.options import read_flag

UNLEARNED: Final = 10.0  # seconds between two looks, at most, where nothing is known of the model
LEARNED: Final = 60.0  # the same where durations are known; a job that fails early is told no later


@frozen(kw_only=True)
class Polling:
    """How often to look. ``MuAPI()`` without one looks as by ``Polling(learn=True)``.

    Attributes:
        learn: Whether looks go by how long the model's jobs took, as soon as three have been seen: few before one is
            likely to be done, and many then. What the client sees of its own jobs counts, and what its journal tells
            of earlier ones. Until then, and for a job that takes longer than any, ``share`` says how long to pause,
            for 10 seconds at most. False looks by ``share`` alone.
        share: The pause, as a share of the time waited so far; lateness stays below it.
        minimum: The shortest pause, in seconds; a webhook's hint (``mu.wake``) cuts any pause short.
        maximum: The longest pause, in seconds, unless the server asks for more by Retry-After. By default 10, with
            ``learn`` 60.
        jitter: How far a pause may fall short of that, as a share, so that many waiters do not look in step.

    Raises:
        MuAPIError: A number is none, or out of its bounds; or ``learn`` is neither True nor False.
    """

    __module__ = "muapi_client"

    learn: bool = field(default=False, validator=lambda _, __, value: read_flag("learn of Polling", value))
    share: float = field(default=0.08, converter=to_float, validator=require_number(least=0))
    minimum: float = field(default=0.5, converter=to_float, validator=require_number(above=0))
    maximum: float = field(
        default=Factory(lambda self: LEARNED if self.learn else UNLEARNED, takes_self=True),
        converter=to_float,
        validator=require_number(above=0, example=UNLEARNED),
    )
    jitter: float = field(default=0.1, converter=to_float, validator=require_number(least=0, most=1))

    def pause(self, waited: float, *, draw: float, retry_after: float | None = None) -> float:
        """Seconds to let pass before the next look at a job of which nothing is known.

        Args:
            waited: Seconds waited so far.
            draw: A random number from 0 to 1.
            retry_after: The server's Retry-After in seconds, which wins where it is longer.
        """
        longest = min(self.maximum, UNLEARNED) if self.learn else self.maximum
        steady = min(max(self.share * waited, self.minimum), longest)
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
