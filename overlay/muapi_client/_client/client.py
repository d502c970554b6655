"""``MuAPI``: what a user holds. One line a method; the flows hold the behaviour.

Lives here: the blocking methods and what they promise. Its awaited twin is ``async_client``; a test keeps them alike.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from muapi_client import _client  # noqa: TC001 - a string annotation is resolved by it
from muapi_client._client.base import Client, load_driver, load_flows
from muapi_client._runtime.forks import forks
from muapi_client._settings.options import refuse_coroutines
from muapi_client._transport.connections import Connections
from muapi_client._types.entry import Entry
from muapi_client._types.estimate import Estimate
from muapi_client._types.job import Job
from muapi_client._types.job_event import JobEvent
from muapi_client._types.outcome import Outcome, Progress
from muapi_client._types.prediction import Prediction
from muapi_client._types.reconciliation import Reconciliation
from muapi_client._types.sandbox import SandboxVerdict
from muapi_client._types.stream_event import StreamEvent
from muapi_client.errors import MuAPIError, SubmitOutcomeUnknownError
from muapi_generated.types import Call

if TYPE_CHECKING:
    from muapi_client._client.file_flows import Files
    from muapi_client._client.flows import Flows
    from muapi_client._protocol.steps import Flow
    from muapi_client._transport.file_transfer import BlockingFileTransfer

T = TypeVar("T")


class MuAPI(Client):
    """A client of MuAPI: submit a job, wait for its result, know what it cost. Usable from many threads."""

    __module__ = "muapi_client"

    _connect = Connections
    _handler = "handle_request"
    _awaits = False
    _connections: Connections
    _storage: Connections
    _any_storage: Connections

    def run(
        self,
        call: Call[Any],
        *,
        timeout: float | None = None,
        on_accept: Callable[[Job], object] | None = None,
        on_look: Callable[[Prediction], object] | None = None,
        on_look_failed: Callable[[MuAPIError], object] | None = None,
    ) -> Prediction:
        """Submit a job and wait for its result.

        Args:
            call: What to do, made by a function of ``muapi_client.models`` or by ``raw_call``.
            timeout: Seconds to wait for the job's end once it is accepted; by default the client's ``wait_timeout``.
            on_accept: Called with the job once it is accepted, before the waiting starts: the moment to store its id.
            on_look: Called with what each look tells.
            on_look_failed: Called with the error of each look that tells nothing: the wait goes on until its deadline
                wherever a later look may fare better, and this shows that it is alive.

        Raises:
            ValidationError: The input was refused, here or by the server; nothing was charged.
            InsufficientCreditError, SpendLimitError: There is not enough money; nothing was charged.
            SubmitOutcomeUnknownError: The job may have been accepted and charged; it was not sent again.
            JobFailedError, JobCancelledError: The job ended badly.
            WaitTimeoutError: The job has not ended in time; it lives on, and the error carries it.
            MuAPIError: Anything else; see ``muapi_client.errors``.
        """
        refuse_coroutines(on_accept, on_look, on_look_failed)
        return self._drive(self._flows.run(call, timeout, on_accept, on_look, on_look_failed))

    def submit(self, call: Call[Any]) -> Job | Prediction:
        """Submit a job and do not wait: a ``Job``, or the finished ``Prediction`` where the server answered at once.

        It does so to a sandbox (test) key, and where the call has ``sync``. :meth:`wait` takes either:
        ``mu.wait(mu.submit(call))`` is a prediction whatever came.

        Args:
            call: What to do, as :meth:`run` takes it.

        Raises:
            Those of :meth:`run`, without the waiting.
        """
        return self._drive(self._flows.submit(call))

    def map(
        self,
        calls: Iterable[Call[Any]],
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
    ) -> Generator[Outcome[Job, Prediction]]:
        """Run many calls side by side, and hand out what came of each as it comes.

        A call that goes wrong is an outcome like any other and ends nothing, but a ``SpendLimitError`` and what
        ``stop_on`` names: then no more calls are begun, and those under way are handed out. Where the server has too
        many requests (429), all submits of this client slow down together.

        A map that is left, by ``break``, an error or Ctrl-C, submits nothing more. What is being submitted is seen to
        its end, before the client is closed and before the program ends; accepted jobs live on, for MuAPI has no route
        to cancel a job. Ctrl-C while outcomes are waited for waits for that, and carries a note of what lives on. A
        second one, and any during that wait, leaves at once, the client and the program, too: what was being submitted
        may have been charged, as its note says, and the journal has it for ``unknown()``.

        With ``run`` and a journal it resumes: begun again after whatever end, it hands out what was finished, waits for
        what was accepted, submits what never left, and submits nothing that may have been charged: unless the history
        proves that it was not accepted, that is handed out as a ``SubmitOutcomeUnknownError``. Of several processes in
        one run each call is one's, and the others wait for it.

        Args:
            calls: The calls; any iterable, which may be lazy or endless. It is asked for the next call, in your thread,
                while you wait for outcomes and fewer than ``concurrency`` are under way; so one that takes its time
                holds back what has ended meanwhile. ``AsyncMuAPI`` asks in a task of its own.
            concurrency: How many calls may be under way, those you have not read yet among them.
            ordered: Whether outcomes come in the order of the calls.
            run: The name of this run in the journal.
            key: Makes the key by which a call is known in the run, and its files are named, of its place and itself;
                by default its place, as text. No two calls have the same, and the call of a key must stay the same, as
                far as that can be told: not of what a local file holds.
            tag: Your word for these jobs in the journal; by default the client's.
            reuse: Whether a call that asks what an earlier one did is answered by that one's answer, or job, at no
                charge; by default as the client does. Of two such calls that are submitted at one moment both are.
            stop_on: A class of errors, or several: after one of them no more calls are begun.
            retry_unknown: Whether to submit again what may have been charged, at your own risk: up to eight times a
                call, until it is known what became of it. What is in doubt stays so, in ``unknown()``, under no key of
                the run any more, until it is settled. A model that takes an idempotency key is asked again under the
                same one, and charges once.
            download_to: Where to save all outputs, as ``{key}-{index}.{suffix}``; a key with signs that no file's name
                can hold is cleaned, and a piece of a hash follows it: see :meth:`download`.
            progress: Whether to show how far it is: in a terminal by rich, where that is installed
                (``pip install "muapi-client[progress]"``), in a notebook's cell, elsewhere by a line on standard error
                every 10 seconds; and at the end by one with the sums, what is in doubt, and what to do about it. The
                times are local ones. What cannot be shown is not, and ends nothing.
            on_progress: Called, in your thread, with the progress whenever it has changed.

        Raises:
            MuAPIError: An option cannot be right, or a key is no text; nothing of that call was sent.
        """
        with forks.kept_waiting:
            from muapi_client._client.mapping import begin_map  # noqa: PLC0415 - loads with the first map

        refuse_coroutines(key, on_progress)
        return begin_map(
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

    def look(self, job_or_id: Job | str) -> Prediction:
        """Ask once how a job stands. A job that failed is an answer here, not an error.

        Args:
            job_or_id: The job, or its id.

        Raises:
            NotFoundError: The server knows no such job; ``cost`` is that of one which it had accepted, where known.
            APIStatusError, APIConnectionError, ResponseError: No answer could be had.
            SandboxMismatchError: The answer is not as expected, no matter who submitted the job.
        """
        return self._drive(self._flows.look(job_or_id))

    def wait(
        self,
        job_or_id: Job | Prediction | str,
        *,
        timeout: float | None = None,
        on_look: Callable[[Prediction], object] | None = None,
        on_look_failed: Callable[[MuAPIError], object] | None = None,
    ) -> Prediction:
        """Wait for a job's end, in this process or one that began elsewhere.

        A look that fails is followed by another (no answer, 408, 425, 429, 5xx, a page, an answer that cannot be read;
        404 within 30 s of the acceptance) until the deadline; what no later look can change ends the wait at once.
        MuAPI has no route to cancel a job: one that is not waited for any more runs on, and is charged.

        Args:
            job_or_id: The job, or its id; or a prediction, as :meth:`submit` may answer: of one that has ended nothing
                is asked, and it is answered as it is.
            timeout: Seconds to wait; by default the client's ``wait_timeout``.
            on_look: Called with what each look tells.
            on_look_failed: Called with the error of each look that tells nothing.

        Raises:
            NotFoundError: The server knows no such job; ``cost`` is that of one which it had accepted, where known.
            APIStatusError: The server answers what no later look can change (401, 403, 405, 410, a redirect, …); the
                job lives on.
            MuAPIError: Those of :meth:`run`, from the waiting on.
        """
        refuse_coroutines(on_look, on_look_failed)
        return self._drive(self._flows.wait(job_or_id, timeout, on_look, on_look_failed))

    def events(
        self, job_or_id: Job | Prediction | str, *, timeout: float | None = None
    ) -> Generator[JobEvent[Prediction]]:
        """Wait for a job's end, and see each look at it as an event; the last one has ``ended``.

        Looks are made as :meth:`wait` makes them, in this process, while the next event is asked for; those that fail
        are events, too, with their ``error``. Of a job that ended badly the last event tells how, and then its error is
        raised. Nothing is sent before the first event is asked for. Leaving the loop, or ``close()``, leaves the job
        alone, which lives on.

        Args:
            job_or_id: The job, or its id; or the prediction that a submit has answered at once, which is the one event.
            timeout: Seconds from the first event on; by default the client's ``wait_timeout``.

        Raises:
            JobFailedError, JobCancelledError: The job ended badly.
            WaitTimeoutError: It has not ended in time; it lives on, and the error carries it.
            MuAPIError: Those of :meth:`wait`.
        """
        with forks.kept_waiting:
            from muapi_client._transport.stream_connection import Channel, stream  # noqa: PLC0415 - imports httpx

        flow = self._flows.events(job_or_id, timeout)
        channel = Channel(self._connections, self._clock, self._origin, self._key)
        channel.request_id = job_or_id if isinstance(job_or_id, str) else job_or_id.id
        return stream(lambda: flow, channel)

    def send(self, call: Call[T]) -> T:
        """Send a call to any endpoint and answer its body, typed as the call says.

        Args:
            call: Made by any function of a generated package, or by ``raw_call``; one that submits a job is paid for as
                by :meth:`submit`.

        Raises:
            APIStatusError: The server refused.
            SubmitOutcomeUnknownError: The call changes something, and whether it did is unknown.
            ResponseError: The answer cannot be understood.
        """
        answer: T = self._drive(self._flows.send(call))
        return answer

    def stream(self, call: Call[Any]) -> Generator[StreamEvent]:
        """Stream what a language model answers: its words as they come, then one last event that tells the cost.

        Nothing is sent before the first event is asked for. It is submitted by the rules of :meth:`submit`, and cannot
        be taken up again where it broke off. Closing it early (``close()``, or leaving the loop) closes the connection;
        what was begun may be charged in full.
        ``timeout`` is the longest silence between two pieces, ``wait_timeout`` bounds all the waiting for them.

        Args:
            call: Made by a function of ``muapi_client.models`` whose slug ends with ``/stream``, or by ``raw_call``.

        Raises:
            JobFailedError, JobCancelledError: The stream says that it ended badly; ``text`` holds what had arrived.
            StreamBrokenError: It broke off or fell silent before its end; ``text`` holds what arrived.
            WaitTimeoutError: It had not ended in time; ``text`` holds what arrived.
            SandboxMismatchError: It was not as expected, which is raised after its end; ``text`` holds all of it.
            MuAPIError: Those of :meth:`submit`, until the stream begins.
        """
        with forks.kept_waiting:
            from muapi_client._transport.stream_connection import (  # noqa: PLC0415 - loads with the first stream
                Channel,
                stream,
            )

        channel = Channel(self._connections, self._clock, self._origin, self._key)
        return stream(lambda: self._flows.stream(call, channel), channel)

    def estimate(self, call: Call[Any]) -> Estimate:
        """Ask what a job will cost, without submitting it. Free.

        Args:
            call: The job's, as :meth:`run` takes it; local files in it are not uploaded.

        Raises:
            ValidationError: The input would be refused; it has no price.
            NotFoundError: The price list has no such model, so nobody can price it before it runs.
            APIStatusError, APIConnectionError, ResponseError: No price could be had.
        """
        return self._drive(self._flows.estimate(call))

    def sandbox(self, *, probe: Call[Any] | tuple[Call[Any], Call[Any]] | None = None) -> SandboxVerdict:
        """Return whether this client's key is a sandbox (test) key: True, False, or None where nothing settles it.

        Free by default: it asks for the key list (``GET keys``) and weighs it with what this client has seen so far
        and with what its journal has of this key's latest jobs.

        Args:
            probe: What may be submitted where that settles nothing. With a live key a probe is an ordinary job, charged
                at its price (``mu.estimate(call)``); ``max_spend`` and the journal hold for it. Of a pair, two
                different inputs for one model, the second is only submitted where the first settled nothing; then
                equal files count. One that is charged is not waited for: the evidence names its request.

        Raises:
            APIConnectionError: The key list was asked for and no answer arrived.
            MuAPIError: A probe could not be submitted; see :meth:`run`.
        """
        return self._drive(self._flows.sandbox(probe))

    def history(self, *, limit: int | None = None) -> Iterator[dict[str, Any]]:
        """Walk through past requests, newest first, page after page, each asked for when it is reached. Free.

        Args:
            limit: How many; by default all.

        Raises:
            APIStatusError, APIConnectionError, ResponseError: A page could not be had.
            MuAPIError: ``limit`` is no number of items; raised with the first that is asked for.
        """
        with forks.kept_waiting:
            from muapi_client._client.resources import history  # noqa: PLC0415 - rarely used

        return history(self, limit)

    def unknown(self, *, all_accounts: bool = False) -> list[Entry]:
        """The submits that may have been charged and whose job is not known, oldest first.

        Those of this client, and with a journal those of every process that wrote to it, dead ones included; not those
        whose answer may still come.

        Args:
            all_accounts: Whether to list those of other origins and keys in the journal, too.

        Raises:
            JournalError: The journal cannot be read.
        """
        return self._drive(self._flows.unknown(all_accounts=all_accounts))

    def resume(self, *, all_accounts: bool = False) -> Iterator[Job]:
        """The jobs that were accepted and whose end was not seen, oldest first: wait for each.

        Those of this client, and with a journal those of every process that wrote to it; not those that another living
        process is waiting for, which is looked at anew before each one is handed out.

        Args:
            all_accounts: Whether to list those of other origins and keys in the journal, too.

        Raises:
            JournalError: The journal cannot be read.
        """
        for job in self._drive(self._flows.resume(all_accounts=all_accounts)):
            if self._drive(self._flows.is_unfinished(job)):  # another process may have taken it up meanwhile
                yield job

    def jobs(
        self,
        *,
        state: str | None = None,
        slug: str | None = None,
        tag: str | None = None,
        run: str | None = None,
        since: datetime | None = None,
        all_accounts: bool = False,
    ) -> Iterator[Entry]:
        """Every paid job that is known, oldest first, with its state, cost and outputs; ended ones stay readable.

        Without a journal those of this client, of which the latest 1,000 ended ones are remembered; with one all that
        it holds.

        Args:
            state: Only those in this state: ``intent``, ``accepted``, ``completed``, ``failed``, ``cancelled`` or
                ``unknown``.
            slug: Only those of this model.
            tag: Only those submitted under this tag.
            run: Only those of this run.
            since: Only those submitted at this time or later; it must tell its time zone.
            all_accounts: Whether to list those of other origins and keys in the journal, too.

        Raises:
            JournalError: The journal cannot be read.
            MuAPIError: There is no such state, or ``since`` tells no time zone.
        """
        flow = self._flows.jobs(state=state, slug=slug, tag=tag, run=run, since=since, all_accounts=all_accounts)
        return iter(self._drive(flow))

    def spend_report(
        self,
        by: str | Sequence[str] = ("model", "day", "tag", "outcome"),
        *,
        tag: str | None = None,
        run: str | None = None,
        since: datetime | None = None,
        all_accounts: bool = False,
        timezone: str = "UTC",
    ) -> list[dict[str, Any]]:
        """Add up what all known jobs cost: with a journal all of this account's, else those of this client.

        Of a client without a journal the latest 1,000 ended jobs are remembered; ``mu.spend`` counts all.

        Args:
            by: What to group by: ``model``, ``day`` or ``month`` (of the submit), ``tag``, ``run``,
                ``outcome`` (the state, as :meth:`jobs` tells it); none of them makes one row of all.
            tag: Only jobs submitted under this tag.
            run: Only jobs of this run.
            since: Only those submitted at this time or later; it must tell its time zone.
            all_accounts: Whether to count those of other origins and keys in the journal, too.
            timezone: Where days and months begin at midnight: a name such as ``Europe/Berlin``, as a ``Budget`` has it.

        Returns:
            One dictionary a group: the columns, how many ``jobs``; in USD, as exact ``Decimal``, ``charged_usd``,
            ``refunded_usd`` (charged and given back), ``in_doubt_usd`` (may have been charged, by estimate) and
            ``reserved_usd`` (under way, and no cost told yet); and how many ended ``unpriced``: without a cost.

        Raises:
            JournalError: The journal cannot be read.
            MuAPIError: There is no such column or time zone, or ``since`` tells none.
        """
        wanted = {"tag": tag, "run": run, "since": since, "all_accounts": all_accounts}
        return self._drive(self._flows.spend_report(by, timezone, **wanted))

    def settle(self, entry: Entry | SubmitOutcomeUnknownError, job_or_id: Job | str | None) -> None:
        """Say what became of a submit whose outcome is unknown: nothing is sent.

        Args:
            entry: The submit, as :meth:`unknown` lists it, or the error that reported it.
            job_or_id: Its job; None where it was never accepted, which gives back what was set aside for it.

        Raises:
            JournalError: The journal cannot be written.
            MuAPIError: It is known what became of it, or the job is another submit's.
        """
        self._drive(self._flows.settle(entry, job_or_id))

    def forget(self, *, before: datetime, bodies: bool = True) -> int:
        """Drop prompts, answers and texts that were made from the journal, of ended jobs.

        What they cost stays in the books, and so do the addresses of their outputs.

        Args:
            before: Only jobs that ended before this time; it must tell its time zone.
            bodies: Whether to drop them; False only counts what would be dropped.

        Returns:
            How many jobs that is.

        Raises:
            JournalError: The journal cannot be written.
            MuAPIError: The client has no journal, or ``before`` tells no time zone.
        """
        return self._drive(self._flows.forget(before, bodies=bodies))

    def reconcile(self, lost: SubmitOutcomeUnknownError | Entry) -> Reconciliation[Job]:
        """Look through the history for the job of a submit whose outcome is unknown; nothing is submitted.

        It goes by the server's clock, and asks for no more once it has the latest 1,000 items: of a submit that more
        jobs have followed nothing is proven. Nothing is settled by it, nor by looking at a candidate or waiting for it:
        that is your word, by :meth:`settle`.

        Args:
            lost: The error of the submit, or an entry of :meth:`unknown`.

        Returns:
            The jobs it may be, newest first: of that model, accepted while the submit was under way (give or take two
            minutes, for a submit of another process an hour, since clocks are set), not known otherwise.
            Where there is none, ``complete`` says whether it was certainly never accepted.

        Raises:
            APIStatusError, APIConnectionError, ResponseError: The history could not be had.
            JournalError: The journal cannot be read.
            MuAPIError: The history is not that of the API key which submitted it, or the error carries no call.
        """
        return self._drive(self._flows.reconcile(lost))

    def upload(
        self, source: Any, *, filename: str | None = None, on_progress: Callable[[int, int], object] | None = None
    ) -> str:
        """Upload a file and answer its URL, to pass to models. Free, but the balance has to be above 0.

        Its type is read from its first bytes, and its size checked, before anything is sent: images and other files up
        to 10 MB, videos up to 50 MB (documented). Streamed from disk. Being free, it is sent again where its outcome
        is unknown, up to ``retry.attempts`` times: at worst the file is stored twice.

        Args:
            source: A path, bytes, a binary file or a PIL image. A file is read from where it stands to its end, and
                stands there again afterwards.
            filename: The name to send it under; by default its own.
            on_progress: Called with the bytes sent so far and in all; it begins anew when the file is sent again.

        Raises:
            UploadError: It cannot be read, is empty, too large, or not what its name says; nothing was sent.
            InsufficientCreditError: The balance is not above 0.
        """
        return self._drive(self._files.upload(source, filename, on_progress))

    def download(
        self,
        prediction: Prediction,
        directory: str | PathLike[str],
        *,
        name: str | Callable[[int], str] | None = None,
        concurrency: int = 4,
        timeout: float | None = None,
        max_bytes: int = 2 * 2**30,
    ) -> list[Path]:
        """Save a job's outputs as ``{name}-{index}.{suffix}``; text becomes ``.txt``, other data ``.json``.

        Fetched without the key, over https, into temporary files that are named when they are whole; what breaks off
        is taken up where the server offers that. No file is ever overwritten: one that holds the same bytes is taken
        for the output, beside any other a free name is used. The suffix follows from the bytes.

        Args:
            prediction: What ``run`` or ``wait`` answered.
            directory: Where to; made where it is missing.
            name: What the files are called; by default by the request id. Or a function that makes a file's whole name,
                without its suffix, of the output's place: ``lambda index: f"fox{index + 1}"``. Signs that no file's
                name can hold are replaced, and then a piece of a hash follows, so that no two names become one.
            concurrency: How many outputs are fetched at a time.
            timeout: Seconds for all of it; by default the client's ``wait_timeout``.
            max_bytes: Bytes one output may have.

        Returns:
            The files, in the order of ``prediction.outputs``.

        Raises:
            DownloadError: There are no outputs, or one could not be saved; ``saved`` tells which were.
        """
        with forks.kept_waiting:
            from muapi_client._transport.downloads import download  # noqa: PLC0415 - rarely used

        plan = self._files.plan(
            prediction, directory, name=name, timeout=timeout, max_bytes=max_bytes, concurrency=concurrency
        )
        files = download(plan, self._transfer, self._drive)
        self._drive(self._flows.note_saved(prediction, files))
        return files

    @property
    def account(self) -> "_client.resources.Account":
        """The wallet: ``balance()`` and ``topup(amount)``."""
        with forks.kept_waiting:
            from muapi_client._client.resources import Account  # noqa: PLC0415 - rarely used

        return Account(self)

    @property
    def keys(self) -> "_client.resources.Keys":
        """The API keys: ``list()``, ``create(name, is_test=False)`` and ``delete(id)``."""
        with forks.kept_waiting:
            from muapi_client._client.resources import Keys  # noqa: PLC0415 - rarely used

        return Keys(self)

    @property
    def models(self) -> "_client.resources.Models":
        """The server's catalogue of models and prices: ``list()`` and ``get(name)``."""
        with forks.kept_waiting:
            from muapi_client._client.resources import Models  # noqa: PLC0415 - rarely used

        return Models(self)

    def close(self) -> None:
        """Close the connections, and the journal where this client opened it; jobs under way live on at the server.

        A map that is not read to its end submits nothing more, and what it is submitting is seen to its end before.
        """
        for work in list(self._maps):
            with forks.kept_waiting:
                from muapi_client._transport.map_driver import leave_map  # noqa: PLC0415 - a map has loaded it

            leave_map(work)
        self._connections.close()
        self._storage.close()
        self._any_storage.close()
        for work in list(self._maps):
            with forks.kept_waiting:
                from muapi_client._transport.map_driver import end_map  # noqa: PLC0415 - as above

            end_map(work)
        if self._own_journal is not None:
            self._own_journal.close()
        self._end_spans()

    def __enter__(self) -> Self:
        """Use the client in a ``with`` block, which closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the client."""
        self.close()

    @property
    def _flows(self) -> "Flows":
        return load_flows()(self, Job)

    @property
    def _files(self) -> "Files":
        with forks.kept_waiting:
            from muapi_client._client.file_flows import make_file_flows  # noqa: PLC0415 - loads with the first file

        return make_file_flows(self, self._transfer)

    @property
    def _transfer(self) -> "BlockingFileTransfer":
        with forks.kept_waiting:
            from muapi_client._transport.file_transfer import BlockingFileTransfer  # noqa: PLC0415 - imports httpx

        return BlockingFileTransfer(
            self._connections,
            self._any_storage if self._context.allow_private_downloads else self._storage,
            self._upload_cache,
            clock=self._clock,
            origin=self._origin,
            api_key=self._key,
        )

    def _drive(self, flow: "Flow[T]") -> T:
        answer: T = load_driver().run(flow, self._connections, self._clock, self._origin, self._key)
        return answer
