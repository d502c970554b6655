"""A job the server has accepted, and the token it is stored as.

Lives here: the value. Does not live here: how it is waited for (``_jobs/waiting``).
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Self

from attrs import field, frozen

from muapi_client._types.cost import Cost
from muapi_client._types.error import MuAPIError
from muapi_client._types.prediction import AsyncPrediction, Prediction
from muapi_client._types.reprs import represent_short
from muapi_generated.types import Call

TOKEN_FORM = 1  # of the JSON token a job turns into; a later form keeps reading this one


@frozen
class Job:
    """A job the server has accepted, and may have charged for. MuAPI has no route to cancel it.

    Attributes:
        id: The request id.
        call: The call that was submitted, or None where only the id is known.
        cost: What the submit's answer reported as its cost, or None where it reported none.
        submitted_at: When it was accepted, in UTC, by this machine's clock or that of the journal's server; None where
            only the id is known.
    """

    __module__ = "muapi_client"

    id: str
    call: Call[Any] | None = field(default=None, hash=False)  # its body is a dictionary, which has none
    cost: Cost | None = None
    submitted_at: datetime | None = None
    _client: Any = field(default=None, repr=False, eq=False, alias="client")

    __repr__ = represent_short

    def look(self) -> Prediction:
        """Ask once how the job stands; see ``MuAPI.look``."""
        prediction: Prediction = self._waiter().look(self)
        return prediction

    def wait(
        self,
        *,
        timeout: float | None = None,
        on_look: Callable[[Prediction], object] | None = None,
        on_look_failed: Callable[[MuAPIError], object] | None = None,
    ) -> Prediction:
        """Wait for the job's end; see ``MuAPI.wait``."""
        callbacks = {"on_look": on_look, "on_look_failed": on_look_failed}
        prediction: Prediction = self._waiter().wait(self, timeout=timeout, **callbacks)
        return prediction

    def to_json(self) -> str:
        """Turn the job into a JSON token to store and take up again in another process. It holds no key.

        Returns:
            One line of JSON, for :meth:`from_json`.

        Raises:
            MuAPIError: The call holds what has no place in JSON, such as a local file.
        """
        try:
            call = json.loads(self.call.to_json()) if self.call else None
        except (TypeError, ValueError, RecursionError) as error:
            raise MuAPIError(
                f"job {self.id} has no token, for its call cannot be written: {str(error).rstrip('.')}. Or keep the id"
                f" alone, for mu.wait({self.id!r})"
            ) from error
        return json.dumps(
            {
                "muapi_job": TOKEN_FORM,
                "id": self.id,
                "submitted_at": self.submitted_at.isoformat() if self.submitted_at else None,
                "cost": self.cost.to_token() if self.cost else None,
                "call": call,
            }
        )

    @classmethod
    def from_json(cls, text: str, client: Any = None) -> Self:
        """Take up a job from its token: ``mu.wait(Job.from_json(token))``.

        Args:
            text: What :meth:`to_json` gave.
            client: The client ``look()`` and ``wait()`` of the job itself shall use.

        Raises:
            MuAPIError: The text is no job token.
        """
        try:
            token = json.loads(text)
            _known_form(token["muapi_job"])
            return cls(
                id=_name(token["id"]),
                call=None if token["call"] is None else Call.from_json(json.dumps(token["call"])),
                cost=Cost.from_token(token["cost"]) if token["cost"] else None,
                submitted_at=_moment(token["submitted_at"]),
                client=client,
            )
        except (KeyError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
            what = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
            raise MuAPIError(
                f"this is not a job token of Job.to_json() ({what}): give the text as it was written, or call"
                " mu.wait(id) where only the job's id is known"
            ) from error

    def _waiter(self) -> Any:
        if self._client is None:
            raise MuAPIError(f"job {self.id} has no client; use mu.look(job) or mu.wait(job)")
        return self._client

    def __getstate__(self) -> dict[str, Any]:
        """Leave the client behind: it holds a key and connections."""
        return {"id": self.id, "call": self.call, "cost": self.cost, "submitted_at": self.submitted_at}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Restore what :meth:`__getstate__` kept."""
        for name, value in {**state, "_client": None}.items():
            object.__setattr__(self, name, value)


@frozen(repr=False)
class AsyncJob(Job):
    """A :class:`Job` of an ``AsyncMuAPI``: ``look`` and ``wait`` are awaited."""

    __module__ = "muapi_client"

    __getstate__ = Job.__getstate__  # attrs would write new ones, which keep the client
    __setstate__ = Job.__setstate__

    def look(self) -> Awaitable[AsyncPrediction]:  # type: ignore[override]  # the twin of Job, awaited
        """Ask once how the job stands; see ``AsyncMuAPI.look``."""
        prediction: Awaitable[AsyncPrediction] = self._waiter().look(self)
        return prediction

    def wait(  # type: ignore[override]  # the twin of Job, awaited
        self,
        *,
        timeout: float | None = None,
        on_look: Callable[[AsyncPrediction], object] | None = None,
        on_look_failed: Callable[[MuAPIError], object] | None = None,
    ) -> Awaitable[AsyncPrediction]:
        """Wait for the job's end; see ``AsyncMuAPI.wait``."""
        callbacks = {"on_look": on_look, "on_look_failed": on_look_failed}
        prediction: Awaitable[AsyncPrediction] = self._waiter().wait(self, timeout=timeout, **callbacks)
        return prediction


def _known_form(form: object) -> None:
    if form != TOKEN_FORM:
        raise ValueError(f"form {form!r}, this version reads {TOKEN_FORM}")


def _name(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"id {value!r}")
    return value


def slug_of(job: Job) -> str | None:
    """The model of a job; None where only the id is known."""
    return None if job.call is None else job.call.operation.slug


def is_token(text: object) -> bool:
    """Whether it is a text as :meth:`Job.to_json` writes it, where an id belongs."""
    return isinstance(text, str) and text.lstrip().startswith("{") and '"muapi_job"' in text


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
