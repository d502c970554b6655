"""Webhooks of a served emulator: posted for real, or handed to a callable.

Lives here: one httpx client, where it may post to, and calling beside the server's loop. Does not live here: what is
posted and when again (``_webhooks/deliveries``). Imported when an emulator is served, httpx with the first webhook.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from muapi_client._runtime.loopback import is_loopback
from muapi_client.emulator._messages.callback_errors import report_error

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from muapi_client.emulator._webhooks.deliveries import Delivery

TICK: Final = 0.02  # seconds between two looks at the queue
PATIENCE: Final = 10.0  # seconds a receiver may take
AT_ONCE: Final = 32  # posts under way together
_ELSEWHERE: Final = (
    "not posted: the emulator posts webhooks to this machine only, unless served with webhooks='anywhere' (on the "
    "command line, --webhooks anywhere)"
)
_OPEN: Final = (
    "not posted: the emulator lets other machines in, who must not have this one post to itself; it posts when served "
    "with webhooks='anywhere' (on the command line, --webhooks anywhere)"
)


class WebhookSender:
    """Takes what is due out of the queue and posts it.

    Args:
        due: The posts that are due now; each is answered once, by ``record_result``.
        is_under_way: Tells whether a post that was due is still to be made.
        record_result: Called with a post, the status it was answered with (None for none), why none came, and
            whether that is final.
        anywhere: Whether hosts other than this machine are posted to.
        open_to_others: Whether other machines can ask for a webhook. They could reach through it what listens on this
            machine for itself only, so that none is posted then, unless ``anywhere``.
    """

    def __init__(
        self,
        due: Callable[[], list[Delivery]],
        is_under_way: Callable[[Delivery], bool],
        record_result: Callable[[Delivery, int | None, str | None, bool], None],
        *,
        anywhere: bool = False,
        open_to_others: bool = False,
    ) -> None:
        self._due = due
        self._is_under_way = is_under_way
        self._record_result = record_result
        self._anywhere = anywhere
        self._open = open_to_others
        self._room = asyncio.Semaphore(AT_ONCE)
        self._client: httpx.AsyncClient | None = None

    async def run(self) -> None:
        """Post until cancelled; what is under way then is given up."""
        try:
            async with asyncio.TaskGroup() as posts:
                while True:
                    for delivery in _take_due(self._due):
                        posts.create_task(self._deliver(delivery))
                    await asyncio.sleep(TICK)
        finally:
            if self._client is not None:
                await self._client.aclose()

    async def _deliver(self, delivery: Delivery) -> None:
        if not self._anywhere and (self._open or not is_own_url(delivery.url)):
            self._record_result(delivery, None, _OPEN if self._open else _ELSEWHERE, True)
            return
        async with self._room:
            if not self._is_under_way(delivery):
                return
            status, why_not = await self._post(delivery)
        self._record_result(delivery, status, why_not, False)

    async def _post(self, delivery: Delivery) -> tuple[int | None, str | None]:
        import httpx  # noqa: PLC0415 - costs 60 ms, and few jobs have a webhook

        if self._client is None:
            # A receiver on this machine has a certificate of its own, if any; trust_env=False keeps proxies out of it.
            self._client = httpx.AsyncClient(timeout=PATIENCE, trust_env=False, verify=self._anywhere)
        try:
            sending = self._client.stream("POST", delivery.url, json=delivery.payload)
            async with asyncio.timeout(PATIENCE), sending as answered:
                return answered.status_code, None
        except Exception as error:  # noqa: BLE001 - a port of 99999 is no OSError, and one URL must not stop the rest
            return None, _reason(error)


def _reason(error: BaseException) -> str:
    first: BaseException | None = next(iter(getattr(error, "exceptions", ())), None)  # of tries at several addresses
    return f"{type(error).__name__}: {error}" if first is None else _reason(first)


async def call_receiver(due: Callable[[], list[Delivery]], attempt: Callable[[Delivery], None]) -> None:
    """Have ``attempt`` make every try that is due, one at a time and beside the loop, until cancelled.

    What it raises is reported; the tries after it are made.
    """
    loop = asyncio.get_running_loop()

    def make(tries: list[Delivery]) -> None:
        for delivery in tries:
            try:
                attempt(delivery)
            except BaseException as error:  # noqa: BLE001 - pytest.fail is none of Exception's
                report_error("deliver=", error, loop)

    while True:
        if tries := _take_due(due):
            await asyncio.to_thread(make, tries)
        await asyncio.sleep(TICK)


def _take_due(due: Callable[[], list[Delivery]]) -> list[Delivery]:
    try:
        return due()
    except Exception as error:  # noqa: BLE001 - such as a scripted output that is no JSON; the others are due yet
        report_error("a webhook", error)
        return []


def is_own_url(url: str) -> bool:
    """Return whether ``url`` is this machine's, told by its name alone."""
    try:
        return is_own(urlsplit(url).hostname or "")
    except ValueError:
        return False


def is_own(host: str) -> bool:
    """Return whether ``host`` is this machine's: a name below ``localhost`` as well, for nothing secret is posted."""
    return is_loopback(host) or host.endswith(".localhost")
