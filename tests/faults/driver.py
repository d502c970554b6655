"""A program that has many jobs done and may be killed at any moment: ``python driver.py sync|async URL FOLDER``.

What it wants is in FOLDER/wanted (a marker a line); it writes a marker to FOLDER/begun before it touches it, what
became of it to FOLDER/told, and at its end what the client counted as spent to FOLDER/closed. Started again, it first
waits for what the journal says was accepted, and then goes on with what it has not begun. It relies on nothing but the
client's public methods.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from muapi_client import AsyncMuAPI, Job, MuAPI, Polling, Prediction, Retry, errors, raw_call

if TYPE_CHECKING:
    from muapi_client import Spend

THREADS: Final = 16
TASKS: Final = 32
TRIES: Final = 4  # of a job that provably was not accepted: refused, or not sent
OPTIONS: Final[dict[str, Any]] = {
    "timeout": 1.5,  # seconds; loopback answers in a few milliseconds
    "wait_timeout": 120.0,
    "retry": Retry(attempts=6, initial=0.02, maximum=0.2, retry_after_maximum=0.1),
    "polling": Polling(minimum=0.01, maximum=0.2),
}
ENDS: Final = {errors.JobFailedError: "failed", errors.JobCancelledError: "cancelled"}


class Record:
    """The program's own notes, appended line by line: they survive a kill, not always the last of them."""

    def __init__(self, folder: Path) -> None:
        begun = folder / "begun"
        done = set(begun.read_text().split()) if begun.exists() else set()
        self.wanted = [marker for marker in (folder / "wanted").read_text().split() if marker not in done]
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._begun = os.open(begun, flags)
        self._told = os.open(folder / "told", flags)
        self._closed = os.open(folder / "closed", flags)
        self.costs: dict[str, int | None] = {}

    def begin(self, marker: str) -> None:
        """Note that a job is about to be begun."""
        os.write(self._begun, f"{marker}\n".encode())

    def tell(self, marker: str, state: str, ended: Prediction | errors.MuAPIError | None = None) -> None:
        """Note what became of a job."""
        cost = ended.cost if ended is not None else None
        known = {
            "marker": marker,
            "state": state,
            "id": (ended.id if isinstance(ended, Prediction) else ended.request_id) if ended is not None else None,
            "micro_usd": int(cost.charged_usd.scaleb(6)) if cost else None,
        }
        if known["id"] is not None:
            self.costs[known["id"]] = known["micro_usd"]
        os.write(self._told, (json.dumps(known) + "\n").encode())

    def close(self, spend: Spend) -> None:
        """Note what this process learnt of costs, job by job, and what the client says they are together."""
        known = {"spent": str(spend.total_usd), "micro_usd": sum(cost or 0 for cost in self.costs.values())}
        os.write(self._closed, (json.dumps(known) + "\n").encode())

    def tell_error(self, marker: str, error: errors.MuAPIError) -> bool:
        """Note what an error says of a job; answers whether it may safely be tried again."""
        if isinstance(error, errors.SubmitOutcomeUnknownError):
            self.tell(marker, "unknown", error)
        elif isinstance(error, errors.JobError):
            self.tell(marker, ENDS.get(type(error), "accepted"), error)
        elif error.request_id is not None:
            self.tell(marker, "accepted", error)
        else:
            self.tell(marker, f"not accepted: {type(error).__name__}", None)
            return True
        return False


def _lives_on(error: errors.MuAPIError) -> bool:
    """Whether a look was refused, as by a redirect: the job can be waited for again."""
    return isinstance(error, errors.APIStatusError) and error.request_id is not None


def _marker(job: Job) -> str:
    return str(job.call.body["prompt"]) if job.call and job.call.body else ""


def _call(marker: str) -> Any:
    return raw_call("flux-dev-image", {"prompt": marker})


def drive(url: str, folder: Path) -> None:
    """All of it, in threads."""
    record = Record(folder)
    with MuAPI("sk-faults-0123456789", url, journal=folder / "journal.db", **OPTIONS) as mu:

        def resumed(job: Job) -> None:
            for _ in range(TRIES):
                try:
                    return record.tell(_marker(job), "completed", mu.wait(job))
                except errors.MuAPIError as error:
                    record.tell_error(_marker(job), error)
                    if not _lives_on(error):
                        return None
            return None

        def begun(marker: str) -> None:
            record.begin(marker)
            for _ in range(TRIES):
                try:
                    return record.tell(marker, "completed", mu.run(_call(marker)))
                except errors.MuAPIError as error:
                    if not record.tell_error(marker, error):
                        job = Job(error.request_id, _call(marker)) if _lives_on(error) else None
                        return resumed(job) if job else None
            return None

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(resumed, mu.resume()))
            list(pool.map(begun, record.wanted))
        record.close(mu.spend)


async def adrive(url: str, folder: Path) -> None:
    """The same, in one event loop."""
    record = Record(folder)
    async with AsyncMuAPI("sk-faults-0123456789", url, journal=folder / "journal.db", **OPTIONS) as mu:

        async def resumed(job: Job) -> None:
            for _ in range(TRIES):
                try:
                    return record.tell(_marker(job), "completed", await mu.wait(job))
                except errors.MuAPIError as error:
                    record.tell_error(_marker(job), error)
                    if not _lives_on(error):
                        return None
            return None

        async def begun(marker: str) -> None:
            record.begin(marker)
            for _ in range(TRIES):
                try:
                    return record.tell(marker, "completed", await mu.run(_call(marker)))
                except errors.MuAPIError as error:
                    if not record.tell_error(marker, error):
                        job = Job(error.request_id, _call(marker)) if _lives_on(error) else None
                        return await resumed(job) if job else None
            return None

        await _each(resumed, list(mu.resume()))
        await _each(begun, record.wanted)
        record.close(mu.spend)


async def _each(work: Any, items: list[Any]) -> None:
    """Some tasks share the items."""
    left = iter(items)

    async def share() -> None:
        for item in left:
            await work(item)

    await asyncio.gather(*(share() for _ in range(TASKS)))


if __name__ == "__main__":
    kind, url, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    if kind == "sync":
        drive(url, folder)
    else:
        asyncio.run(adrive(url, folder))
