"""What a job is to the user: the job itself, what the server last reported of it, and its outputs.

Lives here: values. Does not live here: reading them out of an answer (``_protocol/job_answer``), getting
them (``_jobs``), weighing which kind of key got them (``_sandbox``).
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from attrs import field, fields, frozen

from muapi_client._types.cost import Cost
from muapi_client._types.sandbox import SandboxVerdict
from muapi_client._types.schema import describe_value
from muapi_client._types.status import LONGEST_WORD, JobState, job_state
from muapi_generated.types import Call

NOT_WEIGHED: Final = SandboxVerdict(None)  # of a prediction that no client has judged, such as a webhook's claim


@frozen
class Output:
    """One thing a job made.

    Attributes:
        url: Where it can be fetched, a ``data:`` URL that holds it, or None. URLs are public and may expire (observed:
            after 7 to 30 days).
        text: The text a language or transcription model answered, or None.
        data: What came as neither: an object or number, as it was.
        media_type: The IANA media type the URL tells or its ending suggests, such as ``image/png``, or None.
    """

    __module__ = "muapi_client"
    __get_pydantic_core_schema__ = classmethod(describe_value)

    url: str | None = None
    text: str | None = None
    data: Any = field(default=None, hash=False)
    media_type: str | None = None


@frozen
class Prediction:
    """What the server reported of a job in one answer.

    Attributes:
        id: The request id, or None when the server answered a submit at once without one.
        status: The server's own word, such as ``completed``.
        outputs: What the job made; empty while it runs.
        cost: What it cost, or None where the answer reported none: unknown, not zero.
        error: Why it failed, in the server's words, whole; or None.
        balance: What was left in the account after it, in USD, or None.
        warnings: What is odd about the answer, each a sentence, such as cost headers that contradict the body.
        raw: The body as it came.
        seconds: How long it took by the client's clock: from the acceptance, or from the wait where that came later.
        looks: How many exchanges it took after the submit; 0 where the submit itself was answered so.
        status_code: The HTTP status of the answer; a failed job mostly comes with 400.
        call: What was submitted, or None where only the id is known.
        reused: Whether it is the answer to an equal call that was paid for before (``reuse=True``): nothing was
            submitted, and ``cost`` is None; ``id`` names the job that made it.
    """

    __module__ = "muapi_client"
    __get_pydantic_core_schema__ = classmethod(describe_value)

    id: str | None
    status: str
    outputs: tuple[Output, ...] = ()
    cost: Cost | None = None
    error: str | None = None
    balance: Decimal | None = None
    warnings: tuple[str, ...] = ()
    raw: Any = field(default=None, repr=False, hash=False)
    seconds: float | None = None
    looks: int = 0
    status_code: int | None = None
    call: Call[Any] | None = field(  # pydantic writes none of it: it may hold local files, and a webhook's secret
        default=None, repr=False, eq=False, metadata={"schema": None}
    )
    reused: bool = False
    _sandbox: SandboxVerdict | Callable[..., SandboxVerdict] = field(  # or what weighs the prediction when asked for
        default=NOT_WEIGHED, repr=False, eq=False, alias="sandbox", metadata={"schema": SandboxVerdict}
    )

    @property
    def done(self) -> bool:
        """Whether the job has ended well."""
        return self.state is JobState.DONE

    @property
    def state(self) -> JobState:
        """Where the job stands."""
        word = self.status[:LONGEST_WORD]
        return job_state(word, has_outputs=bool(self.outputs), has_error=bool(self.error))

    @property
    def sandbox(self) -> SandboxVerdict:
        """Whether this answer came from a sandbox (test) key, with the evidence for it; weighed when asked for.

        It goes by what the answer shows, by the model's price in the catalogue, and, for a job it submitted, by what
        its client had learnt of the key by then: a charge, samples, the key list where it was asked for.
        """
        return self._sandbox if isinstance(self._sandbox, SandboxVerdict) else self._sandbox(self)

    def __getstate__(self) -> dict[str, Any]:
        """Leave behind what weighs it, which knows the client's key, and keep what it says."""
        return {each.name: getattr(self, each.name) for each in fields(Prediction)} | {"_sandbox": self.sandbox}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Restore what :meth:`__getstate__` kept."""
        for name, value in state.items():
            object.__setattr__(self, name, value)
