"""The state of a stream, as its frames tell it: words, end, failure, cost. Pure.

Lives here: what is known of a stream so far, and what each frame adds. Does not live here: where a frame ends
(``framing``), where a payload holds its words (``payload``), which of them are new (``text``), what to do about it
(``flow``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, field

from muapi_client._protocol.job_answer import cost_from_body, read_id, settle
from muapi_client._streams import payload
from muapi_client._streams.framing import Form
from muapi_client._streams.text import Text
from muapi_client._types.cost import is_charge
from muapi_client._types.prediction import Output, Prediction
from muapi_client._types.status import JobState, meaning
from muapi_client._types.stream_event import StreamEvent

if TYPE_CHECKING:
    from decimal import Decimal

    from muapi_client._streams.framing import Frame
    from muapi_client._types.cost import Cost


@define
class StreamState:
    """The state of one stream so far.

    Attributes:
        begun: Whether a frame has come.
        charged: Whether its head reported a charge.
        ended: Whether the end was seen: nothing more is needed.
        pending: Whether it tells no more than a job that has yet to be done.
        failure: Why it failed, in the server's words, or None.
        id: The request id, or None.
        head_cost: The cost headers, which come before the stream.
        headers: The headers, without secrets.
        stream_cost: The last cost that was reported in the stream.
        data: The last payload that is JSON.
        key: Its entry in the journal, where there is one.
        seconds: How long its pieces were waited for.
        held: The end of a plain text while it may be the beginning of the key.
    """

    begun: bool = False
    charged: bool = False
    ended: bool = False
    pending: bool = False
    failure: str | None = None
    status: str = ""
    id: str | None = None
    head_cost: Cost | None = None
    headers: Mapping[str, str] = field(factory=dict)
    stream_cost: Cost | None = None
    balance: Decimal | None = None
    data: Any = None
    key: str | None = None
    seconds: float = 0.0
    held: str = ""
    warnings: list[str] = field(factory=list[str])
    _text: Text = field(factory=Text)
    _choices: dict[int, bool] = field(factory=dict[int, bool])  # the answers it tells, and whether each is complete

    @property
    def text(self) -> str:
        """The words so far."""
        return str(self._text)

    @property
    def accepted(self) -> bool:
        """Whether it is known to have been accepted."""
        return self.begun or self.charged

    @property
    def finished(self) -> bool:
        """Whether so much was reported as that the text is complete."""
        return bool(self._choices) and all(self._choices.values())

    @property
    def complete(self) -> bool:
        """Whether nothing of the text is missing, should no more come."""
        return self.ended or self.finished

    @property
    def unfinished(self) -> bool:
        """Whether it is reported in a way that would have reported that the text is complete, and has not."""
        return not self.ended and not all(self._choices.values())

    @property
    def settled(self) -> bool:
        """Whether it is known how it ends."""
        return self.ended or self.failure is not None

    @property
    def cost(self) -> Cost | None:
        """What it cost, by all that was reported: what comes last is the charge.

        The head's zero is reported before there is anything to charge, so it counts only once the end is known.
        """
        return (
            settle(self.head_cost, self.stream_cost)[0]
            if self.stream_cost or self.settled or is_charge(self.head_cost)
            else None
        )

    def take(self, frame: Frame) -> StreamEvent | None:
        """Take a frame in; what it says to the user, or None where it only says something to us."""
        self.begun = True
        name = frame.event.lower()
        if frame.form is not Form.TEXT and frame.data.strip() == payload.END:
            self.ended = True
            return None
        is_json, value = (False, None) if frame.form is Form.TEXT else payload.decode(frame.data)
        if is_json and isinstance(value, Mapping):
            self._learn(value)
        if payload.is_failure_name(name):
            self.failure = self.failure or payload.read_reason(value) or frame.data or "the server says no more"
        self.ended = self.ended or name in payload.ENDS
        words = self._text.take(name, frame, value, is_json=is_json)
        self.data = value if is_json else self.data
        return StreamEvent(words, value if is_json else None, frame.event, frame.id)

    def has_words(self, frame: Frame) -> bool:
        """Return whether a body that is one JSON value holds words that are known."""
        is_json, value = payload.decode(frame.data)
        return is_json and bool(payload.read_words(value))

    def absorb(self, answer: Prediction) -> str:
        """Take in a job's whole answer that came in place of a stream; the words it adds."""
        self.begun, self.pending, self.ended = True, False, answer.state is not JobState.RUNNING
        self.id, self.status, self.failure = answer.id, answer.status, answer.error
        self.head_cost, self.stream_cost, self.balance = (
            None,
            answer.cost or self.stream_cost,
            answer.balance or self.balance,
        )
        self.data = answer.raw
        self.warnings = [*self.warnings, *(warning for warning in answer.warnings if warning not in self.warnings)]
        words = "\n".join(output.text or output.url or "" for output in answer.outputs)
        self._text.put(words)
        return words

    def prediction(self, *, status: str = "") -> Prediction:
        """All of the stream so far, as a prediction; once it has ended ``status`` is its own."""
        text = self.text
        dispute = (
            settle(self.head_cost, self.stream_cost)[1] if self.head_cost and self.head_cost.amount_usd else None
        )  # 0: not counted yet
        odd = [] if text or status else [payload.TEXTLESS]
        return Prediction(
            id=self.id,
            status=status or self._find_status(),
            outputs=(Output(text=text),) if text else (),
            cost=self.cost,
            error=self.failure,
            balance=self.balance,
            warnings=(*self.warnings, *self._text.all_warnings, *([dispute] if dispute else []), *odd),
            raw=self.data,
            seconds=self.seconds,
            looks=1,  # it was followed: nothing of it came at once, which would speak for a sandbox
            status_code=200,
            headers=self.headers,
        )

    def _find_status(self) -> str:
        """The status: the server's word where it tells the end that was seen."""
        bad = meaning(self.status) in (JobState.FAILED, JobState.CANCELLED)
        return self.status if self.status and bad == bool(self.failure) else "failed" if self.failure else "completed"

    def _learn(self, body: Mapping[str, Any]) -> None:
        """Note what a payload tells beside its words."""
        is_ours = payload.is_ours(body)
        self.id = read_id(body if is_ours else {"request_id": body.get("request_id")}) or self.id
        self.stream_cost = cost_from_body(body) or self.stream_cost
        self.failure = self.failure or payload.read_failure(body)
        self.status = payload.read_status(body) or self.status
        self.pending = payload.is_running(body) if is_ours else self.pending
        self.ended = self.ended or payload.is_end(body)
        if payload.read_kind(body) == payload.INCOMPLETE:
            self.warnings.append(payload.CUT)
        for index, complete in payload.read_choices(body).items():
            self._choices[index] = self._choices.get(index, False) or complete
