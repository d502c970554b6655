"""Downloads: a job's outputs, whole or not at all, under names of ours.

Lives here: what is fetched, fetched again, taken up where it broke off, refused; and several at a time. Does not live
here: an answer's headers and length (``_receiving``), the disk (``_parts``), what bytes are (``_media``).
"""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path  # noqa: TC003 - attrs and checkers read the module's annotations alike
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from attrs import evolve, field, frozen

from muapi_client import _media
from muapi_client._answers import excerpt
from muapi_client._flow import Do, Flow, Reply, Sleep
from muapi_client._parts import Part, directory_of
from muapi_client._places import hop, is_loopback, is_safe, shown
from muapi_client._polling import fit
from muapi_client._receiving import RESTART, Fetch, Fetched
from muapi_client._retry import PASSING, SERVER_FAILED, retry_after
from muapi_client.errors import DownloadError, MuAPIError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from muapi_client._exchanges import Terms
    from muapi_client._predictions import Output, Prediction
    from muapi_client._transfers import AsyncHands, Hands

MAX_BYTES: Final = 2 * 2**30  # of one output; the largest video MuAPI names is far below
HOPS: Final = 5  # redirects of one output
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
MAY_PASS: Final = PASSING | RESTART | {0, 200}  # and every 5xx; 0: no answer arrived
GONE: Final = frozenset({403, 404, 410})  # what storage says of a URL that expired

Result: TypeAlias = "Path | MuAPIError"


@frozen(kw_only=True)
class Plan:
    """What one call of ``download`` is to do.

    Attributes:
        outputs: What is saved, in this order.
        ends: The clock's reading, in seconds, at which all of it has to be here.
        stop: Set when nobody waits any more.
    """

    request_id: str | None
    outputs: tuple[Output, ...]
    directory: Path
    terms: Terms
    max_bytes: int
    concurrency: int
    timeout: float
    now: float
    stop: threading.Event = field(factory=threading.Event)

    @property
    def ends(self) -> float:
        """The reading at which the time is up."""
        return self.now + self.timeout


def plan(
    prediction: Prediction,
    directory: Any,
    terms: Terms,
    *,
    now: float,
    timeout: float,
    max_bytes: int,
    concurrency: int,
) -> Plan:
    """Decide what is to be saved.

    Raises:
        DownloadError: There is nothing to save, or no directory to save it to.
    """
    about = f"job {prediction.id}" if prediction.id else "the job"
    if not prediction.outputs:
        why = "completed without outputs" if prediction.done else f"has no outputs yet (status {prediction.status!r})"
        raise DownloadError(f"{about} {why}: there is nothing to download", request_id=prediction.id)
    for name, value in (("max_bytes", max_bytes), ("concurrency", concurrency)):
        if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
            raise DownloadError(f"{name} must be a whole number above 0, not {value!r}")
    return Plan(
        request_id=prediction.id,
        outputs=prediction.outputs,
        directory=directory_of(directory),
        terms=terms,
        max_bytes=max_bytes,
        concurrency=concurrency,
        timeout=timeout,
        now=now,
    )


# ---- One output ------------------------------------------------------------------------------------------------------


def save(plan: Plan, index: int, part: Part, hands: Hands | AsyncHands) -> Flow[Path]:
    """Save one output and answer where.

    Raises:
        DownloadError: It cannot be had, is not what it should be, or cannot be written.
    """
    yield Do(partial(hands.disk, part.open))
    output = plan.outputs[index]
    if output.url is not None:
        suffix = yield from _fetched(output.url, output.media_type, plan, part, hands)
    else:
        content, suffix = _written(output)
        yield Do(partial(hands.disk, partial(part.write, content)))
    stem = _media.file_stem(plan.request_id, index)
    path: Path = yield Do(partial(hands.disk, partial(part.place, stem, suffix)))
    return path


def _written(output: Output) -> tuple[bytes, str]:
    """What came in the answer itself: text as it is, anything else as JSON."""
    if output.text is not None:
        return output.text.encode("utf-8", "replace"), "txt"
    return json.dumps(output.data, ensure_ascii=False, indent=2, default=str).encode("utf-8", "replace"), "json"


@frozen(kw_only=True)
class Trip:
    """How far the download of one URL has come."""

    url: str  # where it is fetched now, behind the redirects
    loopback: bool  # whether it began on this machine, so that it may go on there
    size: int = 0
    validator: str = ""
    hops: int = 0
    failures: int = 0

    def redirected(self, location: str) -> Trip:
        """Follow a redirect.

        Raises:
            DownloadError: There were too many, or it leads where no file may come from.
        """
        target = hop(self.url, location)
        if self.hops >= HOPS:
            raise DownloadError(f"{shown(self.url)} is redirected more than {HOPS} times", url=self.url)
        if not is_safe(target, loopback=self.loopback):
            raise DownloadError(f"{shown(self.url)} redirects to {shown(target)}, which is not https", url=self.url)
        return evolve(self, url=target, hops=self.hops + 1, size=0, validator="")

    def failed(self, got: Fetched) -> Trip:
        """Take in an exchange that did not bring all of the file; what it brought is kept where the rest can be had."""
        kept = got.size if got.validator and not got.whole else 0
        return evolve(self, failures=self.failures + 1, size=kept, validator=got.validator if kept else "")


def _fetched(url: str, expected: str | None, plan: Plan, part: Part, hands: Hands | AsyncHands) -> Flow[str]:
    """Fetch a URL into ``part``, again and on from where it broke off while that looks promising; answer its suffix."""
    trip = Trip(url=url, loopback=is_loopback(url))
    if not is_safe(url, loopback=trip.loopback):
        raise DownloadError(f"{shown(url)} is no https address: it is not fetched", url=url)
    now = yield Sleep(0.0)  # it may have queued
    while now < plan.ends:
        got: Fetched = yield Do(partial(hands.fetch, _exchange(trip, plan, now), part))
        now = got.at
        if got.status in REDIRECTS:
            trip = trip.redirected(got.headers.get("location", ""))
            continue
        trouble = got.trouble
        if got.whole:
            head: bytes = yield Do(partial(hands.disk, part.head))
            told = got.headers.get("content-type", "").partition(";")[0].strip().lower()
            trouble = misfit(head, expected, told)
            if not trouble:
                return _media.suffix_of(_media.settle(head, expected, told))
        trip = trip.failed(got)
        if not _may_pass(got) or trip.failures >= plan.terms.retry.attempts:
            raise _given_up(url, trip, trouble, got.status)
        asked = retry_after(Reply(got.status, got.headers, b"", got.at))
        pause = fit(plan.terms.retry.pause(trip.failures, draw=plan.terms.draw(), asked=asked), left=plan.ends - now)
        if pause is None:
            break
        now = yield Sleep(pause)
    raise DownloadError(f"{shown(url)} was not whole within {plan.timeout:g} s", url=url)


def _exchange(trip: Trip, plan: Plan, now: float) -> Fetch:
    return Fetch(
        url=trip.url,
        offset=trip.size,
        validator=trip.validator,
        maximum=plan.max_bytes,
        timeout=plan.ends - now,
        idle=plan.terms.timeout,
        stop=plan.stop,
    )


def misfit(head: bytes, expected: str | None, told: str) -> str:
    """Why a whole file is not what a job makes, or "".

    Args:
        head: Its first bytes.
        expected: The media type its URL suggests, or None.
        told: The media type the server tells, or "".
    """
    if not head:
        return "the file is empty"
    if _media.is_page(head):
        return f"a web page or an error message came in its place: {excerpt(head)}"
    if _media.sniff(head) is not None:
        return ""
    if told in ("text/html", "application/xhtml+xml"):
        return f"{told} came in its place"
    if _media.is_text(head) and (expected or "text/plain") not in _media.TEXTUAL:
        return f"text came in place of {expected}: {excerpt(head)}"
    return ""


def _may_pass(got: Fetched) -> bool:
    """Whether the next try may fare better: no answer, a broken one, or a refusal that passes."""
    return got.status in MAY_PASS or got.status >= SERVER_FAILED


def _given_up(url: str, trip: Trip, trouble: str, status: int) -> DownloadError:
    tries = f" (after {trip.failures} tries)" if trip.failures > 1 else ""
    advice = "; such URLs expire: mu.look(id) may tell a fresh one" if status in GONE else ""
    what = f"{shown(url)} could not be downloaded: {trouble}{tries}{advice}"
    return DownloadError(what, url=url, status_code=status or None)


# ---- All of them -----------------------------------------------------------------------------------------------------


def download(plan: Plan, hands: Hands, drive: Callable[[Flow[Path]], Path]) -> list[Path]:
    """Save every output, ``plan.concurrency`` at a time, blocking.

    Raises:
        DownloadError: One could not be saved; ``saved`` tells which were.
    """
    one = partial(_save_one, plan, hands, drive)
    indexes = range(len(plan.outputs))
    if 1 in (len(plan.outputs), plan.concurrency):
        return settled(plan, [one(index) for index in indexes])
    with ThreadPoolExecutor(plan.concurrency, thread_name_prefix="muapi-download") as pool:
        try:
            results = list(pool.map(one, indexes))
        except BaseException:  # an interrupt: no thread goes on behind the caller's back
            plan.stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return settled(plan, results)


def _save_one(plan: Plan, hands: Hands, drive: Callable[[Flow[Path]], Path], index: int) -> Result:
    part = Part(plan.directory)
    try:
        return drive(save(plan, index, part, hands))
    except MuAPIError as error:
        return error
    finally:
        part.discard()


async def adownload(
    plan: Plan, hands: AsyncHands, drive: Callable[[Flow[Path]], Awaitable[Path]]
) -> list[Path]:
    """The twin of :func:`download`, awaiting."""
    import anyio  # noqa: PLC0415 - needed by async programs only

    limiter = anyio.CapacityLimiter(plan.concurrency)
    results: dict[int, Result] = {}

    async def one(index: int) -> None:
        async with limiter:
            results[index] = await _asave_one(plan, hands, drive, index)

    async with anyio.create_task_group() as group:
        for index in range(len(plan.outputs)):
            group.start_soon(one, index)
    return settled(plan, [results[index] for index in sorted(results)])


async def _asave_one(
    plan: Plan, hands: AsyncHands, drive: Callable[[Flow[Path]], Awaitable[Path]], index: int
) -> Result:
    part = Part(plan.directory)
    try:
        return await drive(save(plan, index, part, hands))
    except MuAPIError as error:
        return error
    finally:
        part.discard()  # not awaited: a cancelled task could not


def settled(plan: Plan, results: Sequence[Result]) -> list[Path]:
    """Where the outputs are, in their order, or the error of the first that is missing."""
    saved = [result for result in results if not isinstance(result, MuAPIError)]
    failed = [result for result in results if isinstance(result, MuAPIError)]
    if not failed:
        return saved
    first = failed[0]
    if not isinstance(first, DownloadError):  # the client was closed
        raise first
    more = f"; {len(failed) - 1} more failed" if len(failed) > 1 else ""
    kept = f"; {len(saved)} of {len(results)} outputs were saved: error.saved" if saved else ""
    known = {"url": first.url, "request_id": plan.request_id, "status_code": first.status_code}
    error = DownloadError(f"{first}{more}{kept}", saved=saved, **known)
    for other in failed[1:]:
        error.add_note(str(other))
    raise error from first
