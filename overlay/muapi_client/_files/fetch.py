"""Fetching one URL, as a flow: when it is tried again, taken up where it broke off, or given up.

Lives here: the rules. Does not live here: an answer's headers and length (``ranges``), the connection
(``transfer``), the disk (``temp_file``), what a job's outputs are called (``download``).
"""

from __future__ import annotations

from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from attrs import evolve, field, frozen

from muapi_client._files import media
from muapi_client._files.ranges import RESTART, Fetch, Fetched
from muapi_client._files.urls import clean_url, is_loopback_url, is_safe, resolve_redirect, show_url
from muapi_client._protocol.resend import PASSING, SERVER_FAILED, retry_after
from muapi_client._protocol.response import excerpt
from muapi_client._protocol.steps import Do, Flow, Reply, Sleep
from muapi_client._protocol.telemetry import is_traced, load_spans
from muapi_client._runtime.logs import DEBUG, FILES, INFO, log
from muapi_client._settings.polling import fit
from muapi_client.errors import DownloadError

if TYPE_CHECKING:
    from collections.abc import Callable

    from muapi_client._files.part import Part
    from muapi_client._files.transfer import FileTransfer
    from muapi_client._settings.retry import Retry

HOPS: Final = 5  # redirects of one output
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
MAY_PASS: Final = PASSING | RESTART | {0, 200}  # and every 5xx; 0: no answer arrived
GONE: Final = frozenset({403, 404, 410})  # what storage says of a URL that expired


@frozen(kw_only=True)
class DownloadLimits:
    """The limits of a download.

    Attributes:
        retry: How often a failed exchange is sent again.
        random: A source of random numbers from 0 to 1, for jitter.
        idle: Seconds that a server may keep silent.
        max_bytes: Bytes one file may have.
        timeout: Seconds for all of it.
        ends: The clock's reading, in seconds, at which they are over.
        stop: Set when nobody waits any more.
        span: The OpenTelemetry span that it belongs to; None: the one that the caller is in.
    """

    retry: Retry
    random: Callable[[], float]
    idle: float
    max_bytes: int
    timeout: float
    ends: float
    stop: Event = field(factory=Event)
    span: Any = None

    def pause(self, got: Fetched, failures: int) -> float | None:
        """Seconds until the next try, as ``retry`` has it or the server asks; None where that is past their end.

        Args:
            got: The exchange that failed.
            failures: How many have failed so far.
        """
        asked = retry_after(Reply(got.status, got.headers, b"", got.at))
        pause = self.retry.pause(failures, draw=self.random(), retry_after=asked)
        return fit(pause, left=self.ends - got.at)


@frozen(kw_only=True)
class FetchProgress:
    """How far the download of one URL has come."""

    url: str  # where it is fetched now, behind the redirects
    loopback: bool  # whether it began on this machine, so that it may go on there
    size: int = 0
    validator: str = ""
    total: int | None = None  # bytes of the whole, where that was told
    hops: int = 0
    failures: int = 0

    def after_redirect(self, location: str) -> FetchProgress:
        """Follow a redirect.

        Raises:
            DownloadError: There were too many, or it leads where no file may come from.
        """
        target = resolve_redirect(self.url, location)
        if self.hops >= HOPS:
            raise DownloadError(f"{show_url(self.url)} is redirected more than {HOPS} times", url=self.url)
        if not is_safe(target, loopback=self.loopback):
            raise DownloadError(
                f"{show_url(self.url)} redirects to {show_url(target)}, which is not https", url=self.url
            )
        return evolve(self, url=target, hops=self.hops + 1, size=0, validator="", total=None)

    def after_failure(self, got: Fetched) -> FetchProgress:
        """Take in an exchange that did not bring all of the file; what it brought is kept where the rest can be had."""
        kept = got.size if got.validator and not got.whole else 0
        known = {"validator": got.validator, "total": got.total} if kept else {"validator": "", "total": None}
        return evolve(self, failures=self.failures + 1, size=kept, **known)


def fetch_url(url: str, expected: str | None, limits: DownloadLimits, part: Part, transfer: FileTransfer) -> Flow[str]:
    """Fetch a URL into ``part``, again and on from where it broke off while that looks promising.

    Args:
        expected: The media type the URL's ending suggests, or None.

    Returns:
        The suffix of the file, without its dot.

    Raises:
        DownloadError: It cannot be had, is not what a job makes, too large, or too slow.
    """
    progress = FetchProgress(url=clean_url(url), loopback=is_loopback_url(url))
    if not is_safe(progress.url, loopback=progress.loopback):
        scheme, mark, _ = progress.url.lower().partition("://")
        why = f": {scheme} addresses are not supported" if mark and scheme not in ("", "http", "https") else ""
        raise DownloadError(
            f"{show_url(url)} is no https address{why}; it is not fetched (error.url is the whole address)", url=url
        )
    now = yield Sleep(0.0)  # it may have queued
    while now < limits.ends:
        step = Do(partial(transfer.fetch, _exchange(progress, limits, now), part))
        got: Fetched = (yield from _trace(step, progress, limits)) if is_traced() else (yield step)
        now = got.at
        if got.status in REDIRECTS:
            progress = progress.after_redirect(got.headers.get("location", ""))
            continue
        trouble = transfer.key.hide_text(got.trouble)
        if got.whole:
            head: bytes = yield Do(partial(transfer.disk, lambda: transfer.key.hide(part.head())))
            reported = got.headers.get("content-type", "").partition(";")[0].strip().lower()
            trouble = find_misfit(head, expected, reported)
            if not trouble:
                if FILES.isEnabledFor(DEBUG):
                    log(FILES, DEBUG, "a file of %d bytes was fetched from %s", got.size, _name_host(url))
                return media.choose_suffix(media.settle(head, expected, reported))
        progress = progress.after_failure(got)
        if not may_pass(got) or progress.failures >= limits.retry.attempts:
            raise _give_up_error(url, progress, trouble, got.status)
        pause = limits.pause(got, progress.failures)
        if pause is None:
            break
        _note_failure(got, progress, pause)
        now = yield Sleep(pause)
    raise DownloadError(f"{show_url(url)} was not whole within {limits.timeout:g} s", url=url)


def _note_failure(got: Fetched, progress: FetchProgress, pause: float) -> None:
    if FILES.isEnabledFor(INFO):
        what = f"HTTP {got.status}" if got.status else "no answer"
        words = "a file from %s is not whole (%s): on from byte %d in %.2f s"
        log(FILES, INFO, words, _name_host(progress.url), what, progress.size, pause)


def _name_host(url: str) -> str:
    """The host of a file for a log: the path of its address may be all that keeps it private."""
    return urlsplit(url).hostname or "no host"


def _trace(step: Do, progress: FetchProgress, limits: DownloadLimits) -> Flow[Fetched]:
    """Carry out an exchange in a span."""
    got: Fetched = yield from load_spans().trace_fetch(step, limits, progress.url)
    return got


def _exchange(progress: FetchProgress, limits: DownloadLimits, now: float) -> Fetch:
    return Fetch(
        url=progress.url,
        offset=progress.size,
        validator=progress.validator,
        total=progress.total,
        maximum=limits.max_bytes,
        timeout=limits.ends - now,
        idle=limits.idle,
        stop=limits.stop,
    )


def find_misfit(head: bytes, expected: str | None, reported: str) -> str:
    """Why a whole file is not what a job makes, or "".

    Args:
        head: Its first bytes.
        expected: The media type its URL suggests, or None.
        reported: The media type the server tells, or "".
    """
    if not head:
        return "the file is empty"
    if media.is_page(head):
        return f"a web page or an error message came in its place: {excerpt(head)}"
    if media.sniff(head) is not None:
        return ""
    if reported in media.PAGES:
        return f"{reported} came in its place"
    if media.is_text(head) and (expected or "text/plain") not in media.TEXTUAL:
        return f"text came in place of {expected}: {excerpt(head)}"
    return ""


def may_pass(got: Fetched) -> bool:
    """Return whether another try may succeed: no answer, a broken one, or a refusal that passes."""
    return got.status in MAY_PASS or got.status >= SERVER_FAILED


def _give_up_error(url: str, progress: FetchProgress, trouble: str, status: int) -> DownloadError:
    tries = f" (after {progress.failures} tries)" if progress.failures > 1 else ""
    advice = "; such URLs expire: mu.look(id) may tell a fresh one" if status in GONE else ""
    what = f"{show_url(url)} could not be downloaded: {trouble}{tries}{advice}"
    return DownloadError(what, url=url, status_code=status or None)
