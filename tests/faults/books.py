"""What a client knows of its jobs, held against what really happened. Pure: two accounts in, a count out."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any, Final

ENDED: Final = frozenset({"completed", "failed", "cancelled"})
HELD: Final = ENDED | {"accepted"}
PERHAPS: Final = frozenset({"unknown", "intent"})
TRUE_ENDS: Final = {
    "completed": "completed",
    "at_once": "completed",
    "legacy": "completed",
    "failed_400": "failed",
    "failed_200": "failed",
    "moderated": "failed",
    "cancelled": "cancelled",
}


@dataclass(frozen=True)
class Known:
    """What a client knows of one job that somebody wanted.

    Attributes:
        state: completed, failed, cancelled, accepted (not finished), unknown (perhaps charged), intent (the same),
            or anything else: it tells the user nothing about a charge.
        micro_usd: What the client says it cost in the end, or None where it says nothing.
    """

    marker: str
    state: str
    id: str | None = None
    micro_usd: int | None = None


@dataclass
class Count:
    """How a client did."""

    jobs: int = 0
    accepted: int = 0
    faults: int = 0
    perhaps: int = 0  # jobs the client tells as perhaps charged
    perhaps_charged: int = 0  # and that were
    twice: int = 0
    twice_micro_usd: int = 0
    lost: int = 0
    unfinished: int = 0  # the client holds the id and never learnt the end
    wrong_ends: int = 0
    wrong_sums: int = 0
    sum_micro_usd: int = 0  # of what the client knows the cost of
    true_micro_usd: int = 0  # the same jobs in the server's books
    troubles: list[str] = field(default_factory=list)  # a sentence for each of the last five


def count(truth: list[dict[str, Any]], known: list[Known], *, jobs: int, priced: bool = True) -> Count:
    """Count.

    Args:
        truth: The server's jobs, as ``ServerRecord.report`` tells them.
        known: What the client knows, a job each; a marker may have several.
        jobs: How many were wanted.
        priced: Whether this client tells costs at all, and a cancelled job from a failed one.
    """
    result = Count(jobs=jobs, accepted=len(truth))
    by_marker: dict[str, list[Known]] = defaultdict(list)
    for one in known:
        by_marker[one.marker].append(one)
    result.perhaps = sum(1 for one in known if one.state in PERHAPS)
    times: Counter[str] = Counter()
    for job in truth:
        times[job["marker"]] += 1
        if times[job["marker"]] > 1:
            result.twice += 1
            result.twice_micro_usd += job["micro_usd"]
            result.troubles.append(f"{job['marker']} was accepted {times[job['marker']]} times")
        _judge(job, by_marker[job["marker"]], result, priced=priced)
    ids = {job["id"] for job in truth}
    for one in known:
        if one.state in HELD and one.id is not None and one.id not in ids:
            result.wrong_ends += 1
            result.troubles.append(f"{one.marker}: the client holds {one.id}, which never was")
    return result


def _judge(job: dict[str, Any], known: list[Known], result: Count, *, priced: bool) -> None:
    mine = [one for one in known if one.state in HELD and one.id == job["id"]]
    if not mine:
        if any(one.state in PERHAPS for one in known):
            result.perhaps_charged += 1
        else:
            result.lost += 1
            result.troubles.append(f"{job['id']} ({job['micro_usd']} micro-dollars) is known to nobody: {known}")
        return
    one = mine[0]
    if one.state == "accepted":
        result.unfinished += 1
        return
    end = TRUE_ENDS[job["end"]]
    if one.state != end and (priced or (one.state == "completed") != (end == "completed")):
        result.wrong_ends += 1
        result.troubles.append(f"{job['id']} ended as {job['end']}, the client says {one.state}")
    if not priced:
        return
    result.true_micro_usd += job["net"]
    result.sum_micro_usd += one.micro_usd or 0
    if one.micro_usd != job["net"]:
        result.wrong_sums += 1
        result.troubles.append(f"{job['id']} cost {job['net']} micro-dollars, the client says {one.micro_usd}")
