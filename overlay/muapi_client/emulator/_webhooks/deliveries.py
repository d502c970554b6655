"""The queue of webhooks: what is posted where, when, and again.

Lives here: the queue of posts and the record of the tries. Pure. Does not live here: posting
(``_http/webhook_sender``, or the callable a test gave).

Chosen where the real service is undocumented: the payload is the result without its cost (observed: webhooks tell
none); up to 3 tries, the second 2 seconds after the first, the third 4 seconds after that; anything but a 2xx answer is
tried again; the query parameter ``webhook`` goes before the body's ``webhook_url``, and a test key's job posts nothing
("no side effects").
"""

from __future__ import annotations

import heapq
import json
from typing import TYPE_CHECKING, Any, Final

from attrs import define, evolve, field, frozen

from muapi_client.emulator._handlers.result_bodies import build_result_body
from muapi_client.emulator._messages.addresses import rewrite_urls
from muapi_client.emulator._state.jobs import HOOK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muapi_client.emulator._messages.messages import Request
    from muapi_client.emulator._state.jobs import Job

TRIES: Final = 3  # documented: "up to 3 tries"
BACKOFF: Final = 2.0  # seconds before the second try; each later wait is twice the one before


@frozen
class Delivery:
    """One try to tell of a job's end.

    Args:
        id: The job's.
        url: Where to.
        payload: The JSON that is posted.
        attempt: Which try it is, from 1.
        at: The reading of the emulator's clock at which it was due, in seconds.
        status: The HTTP status it was answered with; None where no answer came.
        error: Why no answer came; None where one did.
    """

    id: str
    url: str
    payload: Mapping[str, Any]
    attempt: int
    at: float
    status: int | None = None
    error: str | None = None

    @property
    def arrived(self) -> bool:
        """True where it was answered with a 2xx."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - HTTP's own range


@define
class DeliveryQueue:
    """Posts to be made, and tries made."""

    duplicates: int = 0
    tries: list[Delivery] = field(factory=list[Delivery], init=False)
    _jobs: list[tuple[float, int, Job, str]] = field(factory=list["tuple[float, int, Job, str]"], init=False)
    _again: list[tuple[float, int, Delivery]] = field(factory=list[tuple[float, int, Delivery]], init=False)
    _under_way: dict[int, Delivery] = field(factory=dict[int, Delivery], init=False)  # by identity
    _number: int = field(default=0, init=False)

    def expect(self, job: Job, url: str) -> None:
        """Post ``job``'s result to ``url`` once it has ended."""
        heapq.heappush(self._jobs, (job.ends_at, self._next(), job, url))

    def due(self, now: float) -> list[Delivery]:
        """The posts to be tried by ``now``, earliest first; each is answered once, by :meth:`record_result`."""
        self._prepare_first_tries(now)
        found = list[Delivery]()
        while self._again and self._again[0][0] <= now:
            found.append(heapq.heappop(self._again)[2])
        self._under_way |= {id(delivery): delivery for delivery in found}
        return sorted(found, key=lambda delivery: delivery.at)

    def is_under_way(self, delivery: Delivery) -> bool:
        """Return whether ``delivery`` was handed out by :meth:`due` of this very queue, and not answered yet."""
        return id(delivery) in self._under_way

    def record_result(
        self, delivery: Delivery, status: int | None, error: str | None = None, *, final: bool = False
    ) -> Delivery:
        """Note a try answered with ``status`` or not at all; unless ``final``, it is due again if it did not arrive.

        One that is not under way is an earlier queue's: nothing is noted of it.
        """
        tried = evolve(delivery, status=status, error=error)
        if self._under_way.pop(id(delivery), None) is None:
            return tried
        self.tries.append(tried)
        if tried.arrived or final or tried.attempt == TRIES:
            return tried
        at = delivery.at + BACKOFF * 2 ** (delivery.attempt - 1)
        heapq.heappush(self._again, (at, self._next(), evolve(delivery, at=at, attempt=delivery.attempt + 1)))
        return tried

    def _prepare_first_tries(self, now: float) -> None:
        """Have the posts of jobs that have ended by ``now`` wait with the others; one that is no JSON stops none."""
        while self._jobs and self._jobs[0][0] <= now:
            _, number, job, url = heapq.heappop(self._jobs)
            if not job.ended(now):  # it began later than foreseen
                heapq.heappush(self._jobs, (job.ends_at, number, job, url))
                continue
            first = Delivery(job.id, url, _payload(job), 1, job.ends_at)
            for _ in range(1 + self.duplicates):
                heapq.heappush(self._again, (first.at, self._next(), evolve(first)))

    def _next(self) -> int:
        self._number += 1
        return self._number


def _payload(job: Job) -> dict[str, Any]:
    """The result as it was when ``job`` ended, without its cost, its URLs as who submitted it reaches them."""
    result = {name: value for name, value in build_result_body(job, job.ends_at).items() if name != "cost"}
    payload: dict[str, Any] = json.loads(rewrite_urls(json.dumps(result).encode(), job.base))
    return payload


def find_webhook(request: Request, body: Mapping[str, Any]) -> str | None:
    """Find where a submit wants its result posted: the query's ``webhook``, else the body's ``webhook_url``."""
    named = request.query.get("webhook") or body.get(HOOK)
    return named if isinstance(named, str) and named else None
