"""One event of a stream.

Lives here: the value. Does not live here: reading it out of bytes (``_streams``).
"""

from decimal import Decimal
from typing import Any, Final

from attrs import field, frozen

from muapi_client._types.cost import Cost
from muapi_client._types.prediction import Prediction
from muapi_client._types.sandbox import SandboxVerdict

MESSAGE: Final = "message"  # WHATWG: the name of an event that tells none


@frozen
class StreamEvent:
    """One thing a stream says. The texts of all of them, put together, are the whole text.

    Attributes:
        text: The words it adds; empty where it adds none.
        data: Its payload, where that is JSON; or None.
        event: Its name; ``message`` where the server gives none, ``done`` for the last one.
        id: The id the server gives it, or None.
        prediction: On the last one, which the client adds once the end was seen: the whole as a prediction, whose
            output is the text. None on all others.
    """

    __module__ = "muapi_client"

    text: str = ""
    data: Any = field(default=None, hash=False)
    event: str = MESSAGE
    id: str | None = None
    prediction: Prediction | None = None

    @property
    def done(self) -> bool:
        """Whether this is the last one."""
        return self.prediction is not None

    @property
    def request_id(self) -> str | None:
        """The request id; on the last one, where the server reported it."""
        return self.prediction.id if self.prediction else None

    @property
    def cost(self) -> Cost | None:
        """What the stream cost; on the last one, where the server reported it: None is unknown, not zero."""
        return self.prediction.cost if self.prediction else None

    @property
    def balance(self) -> Decimal | None:
        """What was left in the account, in USD; on the last one, where the server reported it."""
        return self.prediction.balance if self.prediction else None

    @property
    def sandbox(self) -> SandboxVerdict | None:
        """Whether it came from a sandbox (test) key, with the evidence for it; on the last one."""
        return self.prediction.sandbox if self.prediction else None
