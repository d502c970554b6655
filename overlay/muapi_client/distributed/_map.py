"""``map`` over the workers of a dask cluster: its options, read and checked, and what it is made of.

Lives here: what a user calls. Does not live here: the books and the loop, which are those of ``MuAPI.map``
(``_jobs/mapping``, ``_transport/map_driver``), the workers (``_cluster``, ``_runner``).
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from muapi_client._client.map_display import Display
from muapi_client._client.mapping import NO_CALLS, calls_error, read_books, require_run
from muapi_client._runtime.forks import forks
from muapi_client._settings.arguments import require_folder
from muapi_client._settings.options import read_flag, refuse_coroutines
from muapi_client._transport.map_driver import Work, run_map
from muapi_client._types.words import with_article
from muapi_client.distributed._client_options import read_client_options
from muapi_client.distributed._cluster import CLOSED, Cluster
from muapi_client.distributed._runner import MapOptions
from muapi_client.errors import MuAPIError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from distributed import Client

    from muapi_client._types.job import Job
    from muapi_client._types.outcome import Outcome, Progress
    from muapi_client._types.prediction import Prediction
    from muapi_generated.types import Call


def map(  # noqa: A001 - the word that MuAPI.map has for it
    calls: Iterable[Call[Any]],
    *,
    client: Client,
    options: Mapping[str, Any] | None = None,
    from_environment: Mapping[str, str] | None = None,
    concurrency: int = 64,
    ordered: bool = False,
    run: str | None = None,
    key: Callable[[int, Call[Any]], str] | None = None,
    tag: str | None = None,
    reuse: bool | None = None,
    stop_on: type[BaseException] | tuple[type[BaseException], ...] | None = None,
    retry_unknown: bool = False,
    download_to: str | os.PathLike[str] | None = None,
    progress: bool = False,
    on_progress: Callable[[Progress], object] | None = None,
) -> Generator[Outcome[Job, Prediction]]:
    """Run many calls on the workers of a dask cluster, and hand out what came of each as it comes.

    As :meth:`MuAPI.map`, whose words mean the same here. Calls travel as values, and each worker makes its own client.
    Without a journal nothing is ever done twice: where a worker dies, a call it was handed comes back as a
    ``SubmitOutcomeUnknownError``, but for one that it had told to be accepted, whose job another worker waits for. With
    a journal that all workers share, another worker takes a dead one's calls, and finds in the journal what became of
    them: what was accepted is waited for, what never left is submitted, and nothing that may have been charged is
    submitted again. Workers that join later take part.

    Args:
        calls: The calls; any iterable, which may be lazy or endless. Local files in them travel as paths, which must be
            readable where the workers run; a call with an open file is refused, as an outcome, and not sent.
        client: dask's ``distributed.Client``, one that blocks.
        options: What each worker makes its client of: keyword arguments of ``MuAPI`` that are values. ``journal`` is a
            file where all workers are on one machine, or the URL of a PostgreSQL database without a password.
        from_environment: Options that each worker reads from its own environment, and the names of the variables:
            ``api_key`` (by default ``MUAPI_API_KEY``), ``journal``, ``webhook``, ``base_url``. Values never travel.
        concurrency: How many calls may be under way in the whole cluster, those you have not read yet among them.
        ordered: Whether outcomes come in the order of the calls.
        run: The name of this run in the journal; by default, where there is a journal, one that is made up, under which
            it cannot be begun again.
        key: Makes the key by which a call is known in the run of its place and itself; by default its place, as text.
        tag: Your word for these jobs in the journal.
        reuse: Whether a call that asks what an ended one did is answered by that one's answer, at no charge.
        stop_on: A class of errors, or several: after one of them no more calls are begun.
        retry_unknown: Whether to submit again what may have been charged, at your own risk.
        download_to: Where each worker saves outputs: a directory that means the same to all of them.
        progress: Whether to show how far it is, as ``MuAPI.map`` does.
        on_progress: Called, in your thread, with the progress whenever it has changed.

    Returns:
        The outcomes. Their jobs hold no client: ``mu.look(outcome.job)``.

    Raises:
        AuthenticationError: A worker has no key in its environment; nothing was sent.
        MuAPIError: An option cannot be right, a worker cannot make its client, or there is no worker; nothing was sent.
            Or the cluster has lost all its workers for a minute. A note of what ends a map before its end tells which
            jobs live on; without a journal it names them all, for nothing else knows them.
    """
    require_client(client)
    if not isinstance(calls, Iterable) or isinstance(calls, NO_CALLS):
        raise calls_error(calls)
    refuse_coroutines(key, on_progress)
    if download_to is not None:
        require_folder(download_to)
    made_of = read_client_options(options, from_environment)
    books = read_books(
        calls,
        concurrency=concurrency,
        ordered=ordered,
        key=key,
        stop_on=stop_on,
        on_progress=on_progress,
        began=time.monotonic(),
        is_kept=made_of.has_journal,
    )
    if run is not None:
        require_run(run)
        if not made_of.has_journal:
            raise MuAPIError(f"run={run!r} is kept in the journal, and there is none: options={{'journal': 'jobs.db'}}")
    elif made_of.has_journal:
        run = f"map-{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid4().hex[:8]}"
    cluster = Cluster(
        client,
        MapOptions(
            client=made_of,
            concurrency=concurrency,
            run=run,
            tag=tag,
            reuse=reuse,
            retry_unknown=read_flag("retry_unknown", retry_unknown),
            download_to=None if download_to is None else os.path.abspath(os.fspath(download_to)),  # noqa: PTH100
        ),
    )

    def read() -> Progress:
        return books.progress(time.monotonic(), time.time())

    display = Display(books.length, run, read) if read_flag("progress", progress) else None
    work = Work(books, Cluster.start, read, display)
    return _run(work, cluster, iter(calls))


def _run(work: Work, cluster: Cluster, calls: Iterator[Call[Any]]) -> Generator[Outcome[Any, Any]]:
    try:
        cluster.open()
        yield from run_map(work, calls, cluster)
    except GeneratorExit:  # wherever the garbage collector is: nothing is waited for
        cluster.abandon()
        if work.books.has_begun and not cluster.options.client.has_journal:
            warnings.warn(work.books.describe(), RuntimeWarning, stacklevel=2)  # nothing else tells of them
        raise
    except BaseException:
        cluster.abandon()
        cluster.join()
        raise
    cluster.join()


def require_client(client: Any) -> None:
    """Refuse what is no client of dask's, one that is awaited, or one that is closed.

    Raises:
        MuAPIError: It is.
    """
    try:
        with forks.kept_waiting:
            from distributed import Client  # noqa: PLC0415 - an extra, imported when used
    except ImportError as error:
        raise MuAPIError(
            f'muapi_client.distributed runs on dask, which is not here ({error}): pip install "muapi-client[dask]"'
        ) from error
    if not isinstance(client, Client):
        raise MuAPIError(f"client must be dask's distributed.Client, not {with_article(type(client).__name__)}")
    if client.asynchronous:
        raise MuAPIError("client must be one that blocks: make it with Client(…) outside of an event loop")
    if client.status in CLOSED:
        raise MuAPIError("client is closed, and nothing was sent: make a new one, distributed.Client(…)")
