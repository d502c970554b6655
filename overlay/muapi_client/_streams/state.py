"""What a stream's frames say: words, its end, its failure, its cost. Pure.

Lives here: what is known of a stream so far, and what each frame adds. Does not live here: where a frame ends
(``_streams``), where a payload holds its words (``_payloads``), which of them are new (``_texts``), what to do about
it (``_streaming``).
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
class Course:
    """What is known of one stream so far.

    Attributes:
        begun: Whether a frame has come.
        charged: Whether its head told a charge.
        ended: Whether the end was seen: nothing more is needed.
        pending: Whether it tells no more than a job that has yet to be done.
        failure: Why it failed, in the server's words, or None.
        id: The request id, or None.
        told: The cost headers, which come before the stream.
        said: The last cost that was told in the stream.
        data: The last payload that is JSON.
        key: Its entry in the journal, where there is one.
        seconds: How long its pieces were waited for.
    """

    begun: bool = False
    charged: bool = False
    ended: bool = False
    pending: bool = False
    failure: str | None = None
    status: str = ""
    id: str | None = None
    told: Cost | None = None
    said: Cost | None = None
    balance: Decimal | None = None
    data: Any = None
    key: str | None = None
    seconds: float = 0.0
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
        """Whether so much was told as that the text is complete."""
        return bool(self._choices) and all(self._choices.values())

    @property
    def complete(self) -> bool:
        """Whether nothing of the text is missing, should no more come."""
        return self.ended or self.finished

    @property
    def unfinished(self) -> bool:
        """Whether it is told in a way that would have told that the text is complete, and has not."""
        return not self.ended and not all(self._choices.values())

    @property
    def settled(self) -> bool:
        """Whether it is known how it ends."""
        return self.ended or self.failure is not None

    @property
    def cost(self) -> Cost | None:
        """What it cost, by all that was told: what comes last is the charge.

        The head's zero is told before there is anything to charge, so it counts only once the end is known.
        """
        return settle(self.told, self.said)[0] if self.said or self.settled or is_charge(self.told) else None

    def take(self, frame: Frame) -> StreamEvent | None:
        """Take a frame in; what it says to the user, or None where it only says something to us."""
        self.begun = True
        name = frame.event.lower()
        if frame.form is not Form.TEXT and frame.data.strip() == payload.END:
            self.ended = True
            return None
        is_json, value = (False, None) if frame.form is Form.TEXT else payload.decoded(frame.data)
        if is_json and isinstance(value, Mapping):
            self._learn(value)
        if payload.names_failure(name):
            self.failure = self.failure or payload.reason(value) or frame.data or "the server says no more"
        self.ended = self.ended or name in payload.ENDS
        words = self._text.take(name, frame, value, is_json=is_json)
        self.data = value if is_json else self.data
        return StreamEvent(words, value if is_json else None, frame.event, frame.id)

    def reads(self, frame: Frame) -> bool:
        """Whether a body that is one JSON value holds words that are known."""
        is_json, value = payload.decoded(frame.data)
        return is_json and bool(payload.words_of(value))

    def absorb(self, said: Prediction) -> str:
        """Take in a job's whole answer that came in place of a stream; the words it adds."""
        self.begun, self.pending, self.ended = True, False, said.state is not JobState.RUNNING
        self.id, self.status, self.failure = said.id, said.status, said.error
        self.told, self.said, self.balance = None, said.cost or self.said, said.balance or self.balance
        self.data = said.raw
        self.warnings = [*self.warnings, *(warning for warning in said.warnings if warning not in self.warnings)]
        words = "\n".join(output.text or output.url or "" for output in said.outputs)
        self._text.put(words)
        return words

    def prediction(self, *, status: str = "") -> Prediction:
        """All of the stream so far, as a prediction; once it has ended ``status`` is its own."""
        text = self.text
        dispute = settle(self.told, self.said)[1] if self.told and self.told.amount_usd else None  # 0: not counted yet
        odd = [] if text or status else [payload.TEXTLESS]
        return Prediction(
            id=self.id,
            status=status or self._word(),
            outputs=(Output(text=text),) if text else (),
            cost=self.cost,
            error=self.failure,
            balance=self.balance,
            warnings=(*self.warnings, *self._text.remarks, *([dispute] if dispute else []), *odd),
            raw=self.data,
            seconds=self.seconds,
            looks=1,  # it was followed: nothing of it came at once, which would speak for a sandbox
            status_code=200,
        )

    def _word(self) -> str:
        """The status: the server's word where it tells the end that was seen."""
        bad = meaning(self.status) in (JobState.FAILED, JobState.CANCELLED)
        return self.status if self.status and bad == bool(self.failure) else "failed" if self.failure else "completed"

    def _learn(self, said: Mapping[str, Any]) -> None:
        """Note what a payload tells beside its words."""
        is_ours = payload.is_ours(said)
        self.id = read_id(said if is_ours else {"request_id": said.get("request_id")}) or self.id
        self.said = cost_from_body(said) or self.said
        self.failure = self.failure or payload.failure_of(said)
        self.status = payload.status_of(said) or self.status
        self.pending = payload.is_running(said) if is_ours else self.pending
        self.ended = self.ended or payload.is_end(said)
        if payload.kind_of(said) == payload.INCOMPLETE:
            self.warnings.append(payload.CUT)
        for index, complete in payload.choices_of(said).items():
            self._choices[index] = self._choices.get(index, False) or complete
