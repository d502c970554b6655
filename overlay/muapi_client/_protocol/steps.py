"""The steps a flow may ask for.

Rule 1: a flow never does I/O, sleeps or reads a clock; it yields a step and is sent the outcome.
Rule 2: only ``_transport/driver`` carries steps out, and it knows nothing of jobs or money.
Rule 3: what the network does is a value (:class:`NoReply`); what else goes wrong in a step, such as an interrupt or an
error in a callback, is thrown into the flow at the step.

Lives here: the steps and their outcomes, as values. Does not live here: carrying them out (``_transport/driver``).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, TypeVar, cast

from attrs import frozen

if TYPE_CHECKING:
    from muapi_client._runtime.delivery import Delivery
    from muapi_client._state.journal.commits import GroupCommit
    from muapi_client._state.waiters import Waiter
    from muapi_client._types.job_event import JobEvent
    from muapi_client._types.stream_event import StreamEvent
    from muapi_client.errors import APIConnectionError

R = TypeVar("R")


SLOWEST: Final = 128 * 2**10  # bytes a second; a line slower than 1 Mbit/s would need hours for anything else, too
NO_HEADERS: Final[Mapping[bytes, bytes]] = MappingProxyType({})
OK: Final = range(200, 300)  # the statuses of an answer
REDIRECTS: Final = range(300, 400)
REFUSED: Final = range(400, 500)


@frozen(repr=False)
class Send:
    """Carry out one exchange with the API.

    The driver answers with a :class:`Reply`, whatever its status, or with :class:`NoReply`, whose ``error.sent`` is
    ``delivery.started`` and nothing else. It is no tuple: crash reporters show a local that is one item by item, and
    a webhook's URL, in the query or the body, is a secret.
    """

    method: str
    path: str  # from the root of the API's origin, placeholders filled and quoted
    query: Mapping[str, Any] = MappingProxyType({})
    content: bytes | None = None  # a body: JSON, or what ``media_type`` says
    timeout: float = 60.0  # seconds for the whole exchange, connecting and reading included
    delivery: Delivery | None = None  # of this attempt alone; None: the flow does not ask, the driver makes its own
    secrets: Iterable[str] = ()  # webhooks of the job that is asked after: an answer may echo them
    media_type: str = ""  # of the body, where that is another than application/json
    headers: Mapping[bytes, bytes] = NO_HEADERS  # of the operation, beside those of every request
    route: str = ""  # the path with its placeholders, which tells no two jobs apart

    def __repr__(self) -> str:
        """Leave out query, content and headers."""
        return f"<{self.method} {self.path}>"


class Sleep(NamedTuple):
    """Let time pass; the driver answers with the clock's new reading, in seconds.

    Where there is a waiter, it passes no further once that is woken.
    """

    seconds: float
    waiter: Waiter | None = None


class Do(NamedTuple):
    """Do something the flow cannot: call a user's callback, move a file.

    The driver answers with what ``work`` returns; the awaiting one awaits it where it can be awaited.
    """

    work: Callable[[], Any]


class Keep(NamedTuple):
    """Write to the journal, or read it; the driver answers with what ``write`` returns.

    Not cut short by a cancellation.

    Attributes:
        write: What to do.
        commits: What makes it durable together with others; None for what stands alone.
        is_lasting: Whether it has to outlast a crash of the machine before the flow goes on. What does not outlasts one
            of the process, and is on the disk with the next write that has to.
    """

    write: Callable[[], Any]
    commits: GroupCommit | None = None
    is_lasting: bool = True


class Emit(NamedTuple):
    """Hand an event to the caller, of a stream or of a job that is followed.

    The driver answers with the clock's reading once the caller asks for more.
    """

    event: StreamEvent | JobEvent[Any]


class Reply(NamedTuple):
    """What came back, unjudged."""

    status: int
    headers: Mapping[str, str]  # names in lower case; a repeated header's values joined by ", "
    content: bytes
    at: float  # seconds on the driver's clock, when the last byte had arrived
    seconds: float = 0.0  # that the exchange took


class NoReply(NamedTuple):
    """No answer arrived."""

    error: APIConnectionError
    at: float  # seconds on the driver's clock
    seconds: float = 0.0  # that the exchange took


class Piece(NamedTuple):
    """The next bytes of a stream; never empty."""

    content: bytes
    at: float  # seconds on the driver's clock


class End(NamedTuple):
    """The end of a stream's body."""

    proven: bool  # by a length or a closing chunk; False where the connection was only closed
    at: float  # seconds on the driver's clock


class Stopped(BaseException):
    """No error: the caller of a stream, or of a job's events, wants no more of it.

    Thrown into the flow at an :class:`Emit`; the flow may still keep, and then lets it pass.
    """


Outcome: TypeAlias = Reply | NoReply
Step: TypeAlias = Send | Sleep | Do | Keep
Flow: TypeAlias = Generator[Step, Any, R]
StreamFlow: TypeAlias = Generator[Step | Emit, Any, R]


def has_ended(flow: Generator[Any, Any, Any]) -> bool:
    """Whether a flow returned or raised: nothing can be thrown into it any more."""
    return cast("Any", flow).gi_frame is None  # typing knows generators by another interface than Python's own
