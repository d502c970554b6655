"""How often a failed exchange may be sent again, and after which pause. Pure.

Lives here: the numbers. Does not live here: which failures allow it (``_protocol/resend``).
"""

from attrs import field, frozen

from muapi_client._settings.numbers import require_number, to_float, to_int


@frozen(kw_only=True)
class Retry:
    """How often and how patiently a failed exchange is sent again, where it may be.

    The wait for a job does not count attempts: its own deadline bounds it.

    Attributes:
        attempts: Exchanges in all, the first one included.
        initial: The longest first back-off, in seconds; it doubles from there, with full jitter.
        maximum: The longest back-off, in seconds.
        retry_after_maximum: The longest Retry-After that is honoured, in seconds; a longer one counts as this.
        within: No try begins later than this after the first one ended, in seconds.

    Raises:
        MuAPIError: One of them is no number, or out of its bounds.
    """

    __module__ = "muapi_client"

    attempts: int = field(default=5, converter=to_int, validator=require_number(least=1, whole=True))
    initial: float = field(default=0.5, converter=to_float, validator=require_number(above=0))
    maximum: float = field(default=20.0, converter=to_float, validator=require_number(above=0))
    retry_after_maximum: float = field(default=60.0, converter=to_float, validator=require_number(least=0))
    within: float = field(default=180.0, converter=to_float, validator=require_number(least=0))

    def pause(self, failures: int, *, draw: float, retry_after: float | None = None) -> float:
        """Seconds to let pass before the next try: exponential with full jitter, or what the server asked for.

        Args:
            failures: Failed tries so far, 1 or more.
            draw: A random number from 0 to 1.
            retry_after: The server's Retry-After, in seconds, or None.
        """
        if retry_after is not None:
            return min(retry_after, self.retry_after_maximum)
        ceiling = min(self.maximum, self.initial * 2.0 ** min(failures - 1, 64))
        return ceiling * draw
