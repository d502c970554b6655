"""``map``: its options, read and checked, and what it is made of.

Lives here: what all maps have in common, a cluster's too, and how both clients' begin. Does not live here: how it goes
on (``_transport/map_driver``), its books and its calls' flows (``_jobs``), showing how far it is (``map_display``).
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Sized
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from muapi_client._client.base import listed_price
from muapi_client._client.map_display import Display
from muapi_client._jobs.map_item import Means, carry_out
from muapi_client._jobs.mapping import Books
from muapi_client._protocol.telemetry import is_traced, load_spans
from muapi_client._runtime.forks import forks
from muapi_client._settings.arguments import require_callables, require_folder
from muapi_client._settings.options import read_flag
from muapi_client._transport.map_driver import Work, arun_map, run_map
from muapi_client._transport.scheduler import Abandoned, Task, Tasks, Threads
from muapi_client._types.words import show, with_article, writable
from muapi_client.errors import MuAPIError
from muapi_generated.types import Call

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from muapi_client._client.flows import Flows
    from muapi_client._jobs.map_item import Item
    from muapi_client._protocol.steps import Flow
    from muapi_client._runtime.clock import Clock
    from muapi_client._settings.api_key import APIKey
    from muapi_client._types.outcome import Outcome, Progress
    from muapi_client._types.prediction import Prediction

NameOf: TypeAlias = "Callable[[Prediction, str], str | Callable[[int], str]] | None"
StopOn = type[BaseException] | tuple[type[BaseException], ...] | None

NO_CALLS = (str, bytes, dict)  # what can be iterated over, and is plainly something else

MOST_THREADS = 32  # exchanges of one map that are under way at a time
MOST_TASKS = 100  # the same in an event loop


def begin_map(
    client: Any, calls: Any, *, tag: str | None, reuse: bool | None, concurrency: int, **options: Any
) -> Generator[Outcome[Any, Any]]:
    """Of ``MuAPI.map``."""
    if not isinstance(calls, Iterable) or isinstance(calls, NO_CALLS):
        is_async = isinstance(calls, AsyncIterable)
        raise calls_error(calls, "AsyncMuAPI takes what is iterated over by async for" if is_async else "")
    client = with_given(client, tag=tag, reuse=reuse)
    work = make_work(client, calls, concurrency=concurrency, **options)
    threads: Threads[Outcome[Any, Any]] = Threads(
        *world_of(client), most=count_workers(client, concurrency, MOST_THREADS)
    )
    return run_map(work, iter(calls), threads)


def begin_async_map(
    client: Any, calls: Any, *, tag: str | None, reuse: bool | None, concurrency: int, **options: Any
) -> AsyncGenerator[Outcome[Any, Any]]:
    """Of ``AsyncMuAPI.map``."""
    if not isinstance(calls, AsyncIterable | Iterable) or isinstance(calls, NO_CALLS):
        raise calls_error(calls)
    client = with_given(client, tag=tag, reuse=reuse)
    work = make_work(client, calls, concurrency=concurrency, **options)
    make_tasks = partial(Tasks, *world_of(client), most=count_workers(client, concurrency, MOST_TASKS))
    return arun_map(work, aiter(calls) if isinstance(calls, AsyncIterable) else iter(calls), make_tasks)


def with_given(client: Any, **given: Any) -> Any:
    """The client with those options that were given."""
    changes = {name: value for name, value in given.items() if value is not None}
    return client.with_options(**changes) if changes else client


def count_workers(client: Any, concurrency: int, most: int) -> int:
    """How many calls of a map are carried on at a time: who waits for a connection uses up an exchange's time."""
    connections: int = client._connections.most  # noqa: SLF001 - the other half of the client
    return min(concurrency, most, connections)


def world_of(client: Any) -> tuple[Any, Clock, str, APIKey]:
    """What a client's flows are carried out with."""
    return client._connections, client._clock, client._origin, client._key  # noqa: SLF001


def calls_error(calls: Any, hint: str = "") -> MuAPIError:
    """The error of what is no calls."""
    if isinstance(calls, Call):
        hint = "mu.run(call) runs one, mu.map([call]) takes a list"
    return MuAPIError(
        f"mu.map takes calls, such as [flux_dev_image(prompt=p) for p in prompts], not"
        f" {with_article(type(calls).__name__)}; nothing was sent" + (f". {hint}" if hint else "")
    )


def make_work(
    client: Any,
    calls: Any,
    *,
    concurrency: int,
    ordered: bool,
    run: str | None,
    key: Callable[[int, Call[Any]], str] | None,
    stop_on: StopOn,
    retry_unknown: bool,
    download_to: Any,
    progress: bool | Callable[..., Display],
    on_progress: Callable[[Any], object] | None,
    name_of: NameOf = None,
) -> Work:
    """Read the options of a map.

    Args:
        progress: Whether to show how far it is; or what makes a display of one's own.
        name_of: Makes the names of a prediction's files, of it and its key; by default they are named by the key.

    Raises:
        MuAPIError: One cannot be right; nothing was sent.
    """
    if download_to is not None:
        check_folder(download_to)
    clock = client._clock  # noqa: SLF001 - the other half of the client
    flows: Flows = client._flows  # noqa: SLF001
    books = read_books(
        calls,
        concurrency=concurrency,
        ordered=ordered,
        key=key,
        stop_on=stop_on,
        on_progress=on_progress,
        began=clock.now(),
    )
    if run is not None:
        require_run(run)
        if client._context.journal is None:  # noqa: SLF001
            raise MuAPIError(f"run={run!r} is kept in the journal, and this client has none: MuAPI(journal='jobs.db')")
    save = None if download_to is None else partial(save_outputs, client, books, download_to, name_of=name_of)
    is_again = read_flag("retry_unknown", retry_unknown)
    span = load_spans().current_span() if is_traced() else None  # threads and tasks have contexts of their own

    flow_of = partial(make_item_flow, flows, run=run, save=save, retry_unknown=is_again, span=span)

    def start(workers: Any, item: Item, note: Callable[[Item], object]) -> None:
        def end(task: Task[Outcome[Any, Any]]) -> None:
            item.end(task.answer, task.error)
            note(item)

        workers.start(Task(flow_of(item, note), end))

    def read() -> Progress:
        return books.progress(clock.now(), flows.wall_time())

    make_display = progress if callable(progress) else Display if read_flag("progress", progress) else None
    display = None if make_display is None else make_display(books.length, run, read)
    work = Work(books, start, read, display)
    client._maps.add(work)  # noqa: SLF001 - closing it leaves them
    return work


def make_item_flow(
    flows: Flows,
    item: Item,
    note: Callable[[Item], object],
    *,
    run: str | None,
    save: Callable[[Prediction, str], Any] | None,
    retry_unknown: bool,
    span: Any,
) -> Flow[Outcome[Any, Any]]:
    """The flow of one call of a map, by the flows of its client.

    Args:
        note: Called with the item whenever more is known of it.
        run: The run's name, or None.
        save: Saves a prediction's outputs under a name, or None.
        retry_unknown: Whether what may have been charged is submitted again.
        span: The OpenTelemetry span that it belongs to, or None.
    """
    own, context = flows.of_item(run, item.key, span, repeats_unknown=retry_unknown)

    def begin_anew() -> None:
        item.begin_anew()
        note(item)

    def submit(call: Call[Any], on_accept: Callable[..., object], doubt: str | None) -> Flow[Prediction]:
        replacing = own
        if doubt is not None:
            replacing, _ = flows.of_item(run, item.key, span, replaces=doubt, repeats_unknown=retry_unknown)
        return replacing.run(call, None, on_accept, None, None, on_anew=begin_anew)

    means = Means(
        run=submit,
        wait=lambda job: own.wait(job, None, None, None),
        reconcile=own.reconcile,
        digest=own.digest,
        new_job=own.make_job,
        note=note,
        save=save,
        retry_unknown=retry_unknown,
    )
    return carry_out(item, means, context)


def check_folder(given: Any) -> None:
    """Refuse what no output can be saved to, before one is paid for.

    Raises:
        MuAPIError: It is no path, or something else stands there.
    """
    require_folder(given)
    with forks.kept_waiting:
        from muapi_client._files.temp_file import read_directory  # noqa: PLC0415 - loads with the first file
    read_directory(given)


def read_books(
    calls: Any,
    *,
    concurrency: int,
    ordered: bool,
    key: Callable[[int, Call[Any]], str] | None,
    stop_on: StopOn,
    on_progress: Callable[[Any], object] | None,
    began: float,
    is_kept: bool = True,
) -> Books:
    """Read the options that say how a map goes on, wherever its calls are carried on, and open its books.

    Args:
        began: The clock's reading, in seconds.
        is_kept: Whether a client's memory or a journal knows the jobs, too.

    Raises:
        MuAPIError: One cannot be right; nothing was sent.
    """
    require_callables(key=key, on_progress=on_progress)
    if type(concurrency) is not int or concurrency < 1:
        raise MuAPIError(f"concurrency must be a whole number above 0, not {show(concurrency)}")
    return Books(
        concurrency=concurrency,
        ordered=read_flag("ordered", ordered),
        key=key,
        stop_on=read_kinds(stop_on),
        on_progress=on_progress,
        price=listed_price,
        length=find_length(calls),
        began=began,
        is_kept=is_kept,
    )


def require_run(run: Any) -> None:
    """Refuse what cannot be the name of a run.

    Raises:
        MuAPIError: It cannot.
    """
    if not isinstance(run, str) or not run or run != writable(run):
        raise MuAPIError(f"run must be the name of the run, as text without halves of characters, not {show(run)}")


def find_length(calls: Any) -> int | None:
    """How many calls there are, where they tell."""
    try:
        return len(calls) if isinstance(calls, Sized) else None
    except (TypeError, ValueError, OverflowError):  # of what wraps an iterator and does not know it either
        return None


def read_kinds(stop_on: StopOn) -> tuple[type[BaseException], ...]:
    """Read which errors stop a map.

    Raises:
        MuAPIError: One is no class of errors.
    """
    kinds = () if stop_on is None else stop_on if isinstance(stop_on, tuple) else (stop_on,)
    for kind in kinds:
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise MuAPIError(
                f"stop_on must be a class of errors such as errors.AuthenticationError, or several, not {show(kind)}"
            )
    return kinds


def save_outputs(
    client: Any, books: Books, directory: Any, prediction: Prediction, key: str, *, name_of: NameOf = None
) -> Any:
    """Save a prediction's outputs by its key; what has none, such as a text that is empty, saves nothing.

    Raises:
        Abandoned: The map was left before it began.
    """
    if books.is_left:
        raise Abandoned
    name = key if name_of is None else name_of(prediction, key)
    return client.download(prediction, directory, name=name) if prediction.outputs else ()
