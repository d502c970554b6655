"""What really happened: the jobs a fault server accepted, what it charged, how often it was asked.

Lives here: accounts of record, kept by the server's side, in micro-dollars; and the answers an undisturbed server
gives. Does not live here: faults (``wire``), sockets (``server``). A client is judged by this and by nothing it says.

A job is told apart by its marker, the ``prompt`` of its body: one marker is one job somebody wanted.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, Final

MICRO: Final = 1_000_000  # of a US dollar
WALLET: Final = 10**12  # micro-dollars in the account to begin with
SAMPLE: Final = "https://cdn.muapi.ai/outputs/{id}.png"

# How a job's life goes, by the word its marker begins with; without one, by the marker's checksum.
ENDS: Final = ("completed", "failed_400", "failed_200", "cancelled", "moderated", "at_once", "legacy")
SHARES: Final = (82, 5, 3, 2, 2, 4, 2)  # per cent of the jobs of a long run


@dataclass
class Job:
    """One accepted job."""

    id: str
    marker: str
    slug: str
    micro_usd: int  # what was charged for it
    end: str
    answers_left: int  # looks that will still find it running
    looks: int = 0
    refunded: bool = False

    @property
    def net(self) -> int:
        """What it cost in the end, in micro-dollars."""
        return 0 if self.refunded else self.micro_usd


@dataclass
class Answer:
    """A response, before anything happens to it."""

    status: int
    body: Any
    headers: list[tuple[str, str]] = field(default_factory=list)

    def content(self) -> bytes:
        """The body in bytes."""
        return json.dumps(self.body).encode()


class ServerRecord:
    """The server's books."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.posts: Counter[str] = Counter()  # submits read whole, by marker
        self.looks: Counter[str] = Counter()  # looks read whole, by job id
        self.accepted: Counter[str] = Counter()  # by marker
        self._by_key: dict[str, Job] = {}  # by idempotency key, where the caller gave one

    @property
    def charged(self) -> int:
        """All that is charged and not given back, in micro-dollars."""
        return sum(job.net for job in self.jobs.values())

    def accept(self, slug: str, marker: str, key: str | None = None) -> Job:
        """Take on a job and charge for it: the moment that must happen once for each marker.

        A submit under an idempotency key that is known is the same job again.
        """
        if key is None:
            return self._take_on(slug, marker)
        if key not in self._by_key:
            self._by_key[key] = self._take_on(slug, marker)
        return self._by_key[key]

    def _take_on(self, slug: str, marker: str) -> Job:
        self.accepted[marker] += 1
        draw = zlib.crc32(marker.encode())
        job = Job(
            id=f"{marker}.{self.accepted[marker]}",
            marker=marker,
            slug=slug,
            micro_usd=1 + draw % 1_999_999,
            end=_end(marker, draw),
            answers_left=draw // 7 % 3,
        )
        self.jobs[job.id] = job
        return job

    def submitted(self, job: Job) -> Answer:
        """What a submit is answered."""
        if job.end == "at_once":
            body: Any = {"request_id": job.id, "status": "completed", "outputs": [SAMPLE.format(id=job.id)]}
            return self._told(200, body, job)
        if job.end == "legacy":  # older routes: no cost, the id nested (observed)
            return Answer(200, {"data": {"id": job.id}})
        return self._told(200, {"request_id": job.id, "status": "processing"}, job)

    def look(self, request_id: str) -> Answer:
        """What a look is answered."""
        job = self.jobs.get(request_id)
        if job is None:
            return Answer(404, {"detail": "Not Found"})
        job.looks += 1
        if job.answers_left > 0:
            job.answers_left -= 1
            return self._told(200, {"id": job.id, "status": "processing", "outputs": []}, job)
        return self._ended(job)

    def _ended(self, job: Job) -> Answer:
        job.refunded = job.end in ("failed_400", "cancelled", "moderated")
        body = {"id": job.id, "status": job.end.split("_", maxsplit=1)[0], "outputs": [], "error": None}
        match job.end:
            case "failed_400":
                return self._told(400, {"detail": {**body, "error": "the model gave up"}}, job)
            case "failed_200":
                return self._told(200, {**body, "error": {"message": "the model gave up"}}, job)
            case "moderated":
                return self._told(200, {**body, "status": "in_review", "error": "content policy"}, job)
            case "completed" | "at_once" | "legacy":
                body |= {"status": "completed", "outputs": [SAMPLE.format(id=job.id)]}
        return self._told(200, body, job)

    def _told(self, status: int, body: dict[str, Any], job: Job) -> Answer:
        inner = body["detail"] if status >= 400 else body
        inner["cost"] = {
            "amount_usd": job.micro_usd / MICRO,
            "amount_credits": job.micro_usd // 100,
            "bonus_credits_used": 0,
            "refunded": job.refunded,
        }
        headers = [
            ("x-muapi-cost-usd", f"{job.micro_usd / MICRO:.6f}"),
            ("x-muapi-cost-credits", str(job.micro_usd // 100)),
            ("x-account-balance", f"{(WALLET - job.micro_usd) / MICRO:.4f}"),
        ]
        return Answer(status, body, headers + ([("x-muapi-cost-refunded", "true")] if job.refunded else []))

    def history(self) -> Answer:
        """Every job, newest first, on one page."""
        items = [
            {"request_id": job.id, "endpoint": job.slug, "status": "completed", "input": {"prompt": job.marker}}
            for job in reversed(self.jobs.values())
        ]
        return Answer(200, {"items": items, "next_cursor": None})

    def report(self) -> dict[str, Any]:
        """The books as JSON, for another process."""
        return {
            "jobs": [{**asdict(job), "net": job.net} for job in self.jobs.values()],
            "posts": dict(self.posts),
            "looks": sum(self.looks.values()),
        }


def _end(marker: str, draw: int) -> str:
    for end in ENDS:
        if marker.startswith(end):
            return end
    at = draw // 21 % 100
    for end, share in zip(ENDS, SHARES, strict=True):
        if at < share:
            return end
        at -= share
    return "completed"
