"""``AsyncMuAPI``: the twin of ``MuAPI``, awaited. What each method promises is written there.

Lives here: the awaiting methods. A test keeps names and signatures in step with ``client``.
"""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from muapi_client import _client  # noqa: TC001 - a string annotation is resolved by it
from muapi_client._client.base import Client, load_driver, load_flows
from muapi_client._runtime.forks import forks
from muapi_client._settings.options import refuse_coroutines
from muapi_client._transport.connections import AsyncConnections
from muapi_client._types.entry import Entry
from muapi_client._types.estimate import Estimate
from muapi_client._types.job import AsyncJob, Job
from muapi_client._types.job_event import JobEvent
from muapi_client._types.outcome import Outcome, Progress
from muapi_client._types.prediction import AsyncPrediction, Prediction
from muapi_client._types.reconciliation import Reconciliation
from muapi_client._types.sandbox import SandboxVerdict
from muapi_client._types.stream_event import StreamEvent
from muapi_client.errors import MuAPIError, SubmitOutcomeUnknownError
from muapi_generated.types import Call

if TYPE_CHECKING:
    from muapi_client._client.file_flows import Files
    from muapi_client._client.flows import Flows
    from muapi_client._protocol.steps import Flow
    from muapi_client._transport.file_transfer import AsyncFileTransfer

T = TypeVar("T")


class AsyncMuAPI(Client):
    """The twin of :class:`muapi_client.MuAPI`, awaited; usable from several event loops, one after another."""

    __module__ = "muapi_client"

    _connect = AsyncConnections
    _handler = "handle_async_request"
    _awaits = True
    _connections: AsyncConnections
    _storage: AsyncConnections
    _any_storage: AsyncConnections

    async def run(
        self,
        call: Call[Any],
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - a job's deadline, which must not cancel the exchange
        on_accept: Callable[[AsyncJob], object] | None = None,
        on_look: Callable[[AsyncPrediction], object] | None = None,
        on_look_failed: Callable[[MuAPIError], object] | None = None,
    ) -> AsyncPrediction:
        """Submit a job and wait for its result; see ``MuAPI.run``. Callbacks may be coroutine functions."""
        flow: Flow[Any] = self._flows.run(call, timeout, on_accept, on_look, on_look_failed)
        prediction: AsyncPrediction = await self._drive(flow)  # hand_out makes it one, as below
        return prediction

    async def submit(self, call: Call[Any]) -> AsyncJob | AsyncPrediction:
        """Submit a job and do not wait; see ``MuAPI.submit``."""
        flow: Flow[Any] = self._flows.submit(call)  # its jobs are made by _new_job
        outcome: AsyncJob | AsyncPrediction = await self._drive(flow)
        return outcome

    def map(
        self,
        calls: Iterable[Call[Any]] | AsyncIterable[Call[Any]],
        *,
        concurrency: int = 64,
        ordered: bool = False,
        run: str | None = None,
        key: Callable[[int, Call[Any]], str] | None = None,
        tag: str | None = None,
        reuse: bool | None = None,
        stop_on: type[BaseException] | tuple[type[BaseException], ...] | None = None,
        retry_unknown: bool = False,
        download_to: str | PathLike[str] | None = None,
        progress: bool = False,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> AsyncGenerator[Outcome[AsyncJob, AsyncPrediction]]:
        """Run many calls side by side, and hand out what came of each; see ``MuAPI.map``. Leave it by ``aclose()``.

        ``calls`` may also be an asynchronous iterable, and ``on_progress`` a coroutine function.
        """
        with forks.kept_waiting:
            from muapi_client._client.mapping import begin_async_map  # noqa: PLC0415 - loads with the first map

        refuse_coroutines(key)
        return begin_async_map(
            self,
            calls,
            concurrency=concurrency,
            ordered=ordered,
            run=run,
            key=key,
            tag=tag,
            reuse=reuse,
            stop_on=stop_on,
            retry_unknown=retry_unknown,
            download_to=download_to,
            progress=progress,
            on_progress=on_progress,
        )

    async def look(self, job_or_id: Job | str) -> AsyncPrediction:
        """Ask once how a job stands; see ``MuAPI.look``."""
        flow: Flow[Any] = self._flows.look(job_or_id)
        prediction: AsyncPrediction = await self._drive(flow)
        return prediction

    async def wait(
        self,
        job_or_id: Job | Prediction | str,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - as in run
        on_look: Callable[[AsyncPrediction], object] | None = None,
        on_look_failed: Callable[[MuAPIError], object] | None = None,
    ) -> AsyncPrediction:
        """Wait for a job's end; see ``MuAPI.wait``."""
        flow: Flow[Any] = self._flows.wait(job_or_id, timeout, on_look, on_look_failed)
        prediction: AsyncPrediction = await self._drive(flow)
        return prediction

    def events(
        self, job_or_id: Job | Prediction | str, *, timeout: float | None = None
    ) -> AsyncGenerator[JobEvent[AsyncPrediction]]:
        """Wait for a job's end, and see each look at it; see ``MuAPI.events``. Close it early with ``aclose()``."""
        with forks.kept_waiting:
            from muapi_client._transport.stream_connection import (  # noqa: PLC0415 - imports httpx
                AsyncChannel,
                astream,
            )

        flow = self._flows.events(job_or_id, timeout)
        channel = AsyncChannel(self._connections, self._clock, self._origin, self._key)
        channel.request_id = job_or_id if isinstance(job_or_id, str) else job_or_id.id
        return astream(lambda: flow, channel)

    async def send(self, call: Call[T]) -> T:
        """Send a call to any endpoint and answer its typed body; see ``MuAPI.send``."""
        answer: T = await self._drive(self._flows.send(call))
        return answer

    def stream(self, call: Call[Any]) -> AsyncGenerator[StreamEvent]:
        """Stream what a language model answers; see ``MuAPI.stream``. Close it early with ``aclose()``."""
        with forks.kept_waiting:
            from muapi_client._transport.stream_connection import (  # noqa: PLC0415 - loads with the first stream
                AsyncChannel,
                astream,
            )

        channel = AsyncChannel(self._connections, self._clock, self._origin, self._key)
        return astream(lambda: self._flows.stream(call, channel), channel)

    async def estimate(self, call: Call[Any]) -> Estimate:
        """Ask what a job will cost, without submitting it; see ``MuAPI.estimate``."""
        return await self._drive(self._flows.estimate(call))

    async def sandbox(self, *, probe: Call[Any] | tuple[Call[Any], Call[Any]] | None = None) -> SandboxVerdict:
        """Return whether this client's key is a sandbox (test) key; see ``MuAPI.sandbox``."""
        return await self._drive(self._flows.sandbox(probe))

    def history(self, *, limit: int | None = None) -> AsyncIterator[dict[str, Any]]:
        """Walk through past requests, newest first; see ``MuAPI.history``."""
        with forks.kept_waiting:
            from muapi_client._client.resources import async_history  # noqa: PLC0415 - rarely used

        return async_history(self, limit)

    async def unknown(self, *, all_accounts: bool = False) -> list[Entry]:
        """The submits that may have been charged and whose job is not known; see ``MuAPI.unknown``."""
        return await self._drive(self._flows.unknown(all_accounts=all_accounts))

    async def resume(self, *, all_accounts: bool = False) -> AsyncIterator[AsyncJob]:
        """The jobs that were accepted and whose end was not seen; see ``MuAPI.resume``."""
        for job in await self._drive(self._flows.resume(all_accounts=all_accounts)):
            if await self._drive(self._flows.is_unfinished(job)):
                yield job

    async def jobs(
        self,
        *,
        state: str | None = None,
        slug: str | None = None,
        tag: str | None = None,
        run: str | None = None,
        since: datetime | None = None,
        all_accounts: bool = False,
    ) -> AsyncIterator[Entry]:
        """Every paid job that is known, ended ones too; see ``MuAPI.jobs``."""
        flow = self._flows.jobs(state=state, slug=slug, tag=tag, run=run, since=since, all_accounts=all_accounts)
        for entry in await self._drive(flow):
            yield entry

    async def spend_report(
        self,
        by: str | Sequence[str] = ("model", "day", "tag", "outcome"),
        *,
        tag: str | None = None,
        run: str | None = None,
        since: datetime | None = None,
        all_accounts: bool = False,
        timezone: str = "UTC",
    ) -> list[dict[str, Any]]:
        """Add up what all known jobs cost; see ``MuAPI.spend_report``."""
        wanted = {"tag": tag, "run": run, "since": since, "all_accounts": all_accounts}
        return await self._drive(self._flows.spend_report(by, timezone, **wanted))

    async def settle(self, entry: Entry | SubmitOutcomeUnknownError, job_or_id: Job | str | None) -> None:
        """Say what became of a submit whose outcome is unknown; see ``MuAPI.settle``."""
        await self._drive(self._flows.settle(entry, job_or_id))

    async def forget(self, *, before: datetime, bodies: bool = True) -> int:
        """Drop prompts, answers and texts that were made from the journal, of ended jobs; see ``MuAPI.forget``."""
        return await self._drive(self._flows.forget(before, bodies=bodies))

    async def reconcile(self, lost: SubmitOutcomeUnknownError | Entry) -> Reconciliation[AsyncJob]:
        """Look through the history for the job of a submit whose outcome is unknown; see ``MuAPI.reconcile``."""
        return await self._drive(self._flows.reconcile(lost))

    async def upload(
        self, source: Any, *, filename: str | None = None, on_progress: Callable[[int, int], object] | None = None
    ) -> str:
        """Upload a file and answer its URL; see ``MuAPI.upload``. The callback may be a coroutine function."""
        return await self._drive(self._files.upload(source, filename, on_progress))

    async def download(
        self,
        prediction: Prediction,
        directory: str | PathLike[str],
        *,
        name: str | Callable[[int], str] | None = None,
        concurrency: int = 4,
        timeout: float | None = None,  # noqa: ASYNC109 - each exchange is bounded by it, and the whole fails as one error
        max_bytes: int = 2 * 2**30,
    ) -> list[Path]:
        """Save a job's outputs; see ``MuAPI.download``."""
        with forks.kept_waiting:
            from muapi_client._transport.downloads import adownload  # noqa: PLC0415 - rarely used

        self._connections.enter()
        plan = self._files.plan(
            prediction, directory, name=name, timeout=timeout, max_bytes=max_bytes, concurrency=concurrency
        )
        files = await adownload(plan, self._transfer, self._drive)
        await self._drive(self._flows.note_saved(prediction, files))
        return files

    @property
    def account(self) -> "_client.resources.AsyncAccount":
        """The wallet; see ``MuAPI.account``."""
        with forks.kept_waiting:
            from muapi_client._client.resources import AsyncAccount  # noqa: PLC0415 - rarely used

        return AsyncAccount(self)

    @property
    def keys(self) -> "_client.resources.AsyncKeys":
        """The API keys; see ``MuAPI.keys``."""
        with forks.kept_waiting:
            from muapi_client._client.resources import AsyncKeys  # noqa: PLC0415 - rarely used

        return AsyncKeys(self)

    @property
    def models(self) -> "_client.resources.AsyncModels":
        """The server's catalogue of models and prices; see ``MuAPI.models``."""
        with forks.kept_waiting:
            from muapi_client._client.resources import AsyncModels  # noqa: PLC0415 - rarely used

        return AsyncModels(self)

    async def close(self) -> None:
        """Close this event loop's connections, and the journal where this client opened it; see ``MuAPI.close``."""
        for work in list(self._maps):
            with forks.kept_waiting:
                from muapi_client._transport.map_driver import aleave_map  # noqa: PLC0415 - a map has loaded it

            await aleave_map(work)
        await self._connections.close()
        await self._storage.close()
        await self._any_storage.close()
        for work in list(self._maps):
            with forks.kept_waiting:
                from muapi_client._transport.map_driver import aend_map  # noqa: PLC0415 - as above

            await aend_map(work)
        if self._own_journal is not None:
            self._own_journal.close()
        self._end_spans()

    async def __aenter__(self) -> Self:
        """Use the client in an ``async with`` block, which closes it."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the client."""
        await self.close()

    @property
    def _flows(self) -> "Flows":
        return load_flows()(self, AsyncJob)

    @property
    def _files(self) -> "Files":
        with forks.kept_waiting:
            from muapi_client._client.file_flows import make_file_flows  # noqa: PLC0415 - loads with the first file

        return make_file_flows(self, self._transfer)

    @property
    def _transfer(self) -> "AsyncFileTransfer":
        with forks.kept_waiting:
            from muapi_client._transport.file_transfer import AsyncFileTransfer  # noqa: PLC0415 - imports httpx

        return AsyncFileTransfer(
            self._connections,
            self._any_storage if self._context.allow_private_downloads else self._storage,
            self._upload_cache,
            clock=self._clock,
            origin=self._origin,
            api_key=self._key,
        )

    def _drive(self, flow: "Flow[T]") -> Awaitable[T]:
        answer: Awaitable[T] = load_driver().arun(flow, self._connections, self._clock, self._origin, self._key)
        return answer
