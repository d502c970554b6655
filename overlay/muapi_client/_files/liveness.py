"""Whether a job's outputs are still there, as a flow: URLs expire, and what is gone is no answer.

Lives here: the rules. Does not live here: the exchange (``transfer``), fetching a whole file (``fetch``).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from muapi_client._files.fetch import GONE, HOPS, REDIRECTS, FetchProgress, may_pass
from muapi_client._files.media import PAGES
from muapi_client._files.ranges import Fetch, Fetched
from muapi_client._files.urls import clean_url, is_data_url, is_loopback_url, is_safe, show_url
from muapi_client._protocol.steps import OK, Do, Flow, Sleep
from muapi_client.errors import DownloadError

if TYPE_CHECKING:
    from muapi_client._files.fetch import DownloadLimits
    from muapi_client._files.transfer import FileTransfer
    from muapi_client._types.prediction import Output

NO_FILE: Final = GONE | {416}  # 416: it is empty


def are_there(outputs: tuple[Output, ...], limits: DownloadLimits, transfer: FileTransfer) -> Flow[bool]:
    """Whether all outputs can still be fetched; what an answer held itself always is there.

    Raises:
        DownloadError: It cannot be told of one.
    """
    for output in outputs:
        url = output.url
        if url is None or is_data_url(url):
            continue
        if not (yield from _is_there(url, limits, transfer)):
            return False
    return True


def _is_there(url: str, limits: DownloadLimits, transfer: FileTransfer) -> Flow[bool]:
    progress = FetchProgress(url=clean_url(url), loopback=is_loopback_url(url))
    if not is_safe(progress.url, loopback=progress.loopback):
        return False  # download() refuses it, too, as what is refused below
    now = yield Sleep(0.0)
    while now < limits.ends:
        fetch = Fetch(url=progress.url, maximum=1, timeout=limits.ends - now, idle=limits.idle, stop=limits.stop)
        try:
            got: Fetched = yield Do(partial(transfer.probe, fetch))
            now = got.at
            if got.status in REDIRECTS and progress.hops < HOPS:  # a circle tells nothing
                progress = progress.after_redirect(got.headers.get("location", ""))
                continue
        except DownloadError:
            return False
        if got.status in OK:
            return got.headers.get("content-type", "").partition(";")[0].strip().lower() not in PAGES
        if got.status in NO_FILE:
            return False
        progress = progress.after_failure(got)
        if not may_pass(got) or progress.failures >= limits.retry.attempts:
            raise _unknown_error(url, transfer.key.hide_text(got.trouble) or f"HTTP {got.status}", got.status)
        pause = limits.pause(got, progress.failures)
        if pause is None:
            break
        now = yield Sleep(pause)
    raise _unknown_error(url, f"no answer within {limits.timeout:g} s", 0)


def _unknown_error(url: str, why: str, status: int) -> DownloadError:
    return DownloadError(
        f"a call that asks the same has ended before, and whether its output {show_url(url)} is still there cannot be"
        f" told ({why}); nothing was submitted. Try again, or submit it anew with reuse=False.",
        url=url,
        status_code=status or None,
    )
