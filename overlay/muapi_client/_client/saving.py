"""Reading and saving outputs for who holds them: each call is a client of its own, without a key, that ends with it.

It goes the way of ``MuAPI.download``, by the same flows and the same guard. A client's own transport is used again, and
not closed, which is its client's to do.

Lives here: blocking calls and their awaited twins. Does not live here: the values (``_types/prediction``), what is
fetched, and whether it is whole (``_files``), connections (``_transport``).
"""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from functools import partial
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from muapi_client._client.base import draw_random, load_driver
from muapi_client._files.download import plan, require_count, write_output
from muapi_client._files.fetch import DownloadLimits
from muapi_client._files.memory_file import MemoryFile
from muapi_client._files.temp_file import PartialFile, require_name
from muapi_client._files.urls import is_data_url, show_url
from muapi_client._protocol.steps import Do
from muapi_client._runtime.clock import SystemClock
from muapi_client._runtime.forks import forks
from muapi_client._runtime.tracebacks import raise_if_from_signal_handler
from muapi_client._settings.api_key import APIKey
from muapi_client._settings.arguments import require_file, require_folder
from muapi_client._settings.options import DEFAULT_BASE_URL, read_host, read_instance, read_seconds
from muapi_client._settings.retry import Retry
from muapi_client._state.upload_cache import UploadCache
from muapi_client._transport.connections import AsyncConnections, Connections
from muapi_client._types.access import Access
from muapi_client.errors import DownloadError, MuAPIError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable
    from os import PathLike

    from muapi_client._files.download import Plan
    from muapi_client._files.transfer import FileTransfer
    from muapi_client._protocol.steps import Flow
    from muapi_client._runtime.clock import Clock
    from muapi_client._types.prediction import Output, Prediction

T = TypeVar("T")

IDLE: Final = 60.0  # seconds that a server may keep silent, as of a client
WHOLE: Final = 1800.0  # seconds for one call, as of a client's wait
MOST: Final = 16  # connections of one call; each output needs one
PROGRAMS: Final = frozenset({"EPS"})  # what Pillow has another program read: no file out of the network is run here
ANYBODY: Final = Access()


class Session(NamedTuple):
    """What one call fetches with.

    Attributes:
        transfer: How files move.
        drive: Carries a flow out.
    """

    transfer: FileTransfer
    drive: Callable[[Flow[Any]], Any]


def read(output: Output, *, timeout: float | None, max_bytes: int) -> bytes:
    """Of ``Output.read``."""
    access, limits = _prepare([output], timeout, max_bytes)
    with _open(access) as session:
        content: bytes = session.drive(_read(output, limits, session.transfer))
        return content


def save(output: Output, path: str | PathLike[str], *, timeout: float | None, max_bytes: int) -> Path:
    """Of ``Output.save``."""
    target = _read_path(path)
    access, limits = _prepare([output], timeout, max_bytes)
    with _open(access) as session, PartialFile(target.parent) as part:
        saved: Path = session.drive(_save(output, target, limits, part, session.transfer))
        return saved


def open_picture(output: Output, *, timeout: float | None, max_bytes: int) -> Any:
    """Of ``Output.pil``."""
    pillow = _find_pillow()
    return _decode(pillow, read(output, timeout=timeout, max_bytes=max_bytes), output)


def save_all(
    prediction: Prediction,
    directory: str | PathLike[str],
    *,
    name: str | None,
    concurrency: int,
    timeout: float | None,
    max_bytes: int,
) -> list[Path]:
    """Of ``Prediction.save``."""
    with forks.kept_waiting:
        from muapi_client._transport.downloads import download  # noqa: PLC0415 - imports anyio

    access, limits = _prepare(prediction.outputs, timeout, max_bytes)
    planned = _plan(prediction, directory, limits, name, concurrency)
    with _open(access) as session:
        return download(planned, session.transfer, session.drive)


async def aread(output: Output, *, timeout: float | None, max_bytes: int) -> bytes:  # noqa: ASYNC109 - as of a client
    """The twin of :func:`read`."""
    access, limits = _prepare([output], timeout, max_bytes)
    async with _aopen(access) as session:
        content: bytes = await session.drive(_read(output, limits, session.transfer))
        return content


async def asave(
    output: Output,
    path: str | PathLike[str],
    *,
    timeout: float | None,  # noqa: ASYNC109 - as above
    max_bytes: int,
) -> Path:
    """The twin of :func:`save`."""
    target = _read_path(path)
    access, limits = _prepare([output], timeout, max_bytes)
    async with _aopen(access) as session:
        with PartialFile(target.parent) as part:  # its end is not awaited: a cancelled task could not
            saved: Path = await session.drive(_save(output, target, limits, part, session.transfer))
            return saved


async def aopen_picture(output: Output, *, timeout: float | None, max_bytes: int) -> Any:  # noqa: ASYNC109 - as above
    """The twin of :func:`open_picture`; it is decoded in a thread."""
    pillow = _find_pillow()
    access, limits = _prepare([output], timeout, max_bytes)
    async with _aopen(access) as session:
        content = await session.drive(_read(output, limits, session.transfer))
        return await session.drive(_run_beside(partial(_decode, pillow, content, output), session.transfer))


async def asave_all(
    prediction: Prediction,
    directory: str | PathLike[str],
    *,
    name: str | None,
    concurrency: int,
    timeout: float | None,  # noqa: ASYNC109 - as above
    max_bytes: int,
) -> list[Path]:
    """The twin of :func:`save_all`."""
    with forks.kept_waiting:
        from muapi_client._transport.downloads import adownload  # noqa: PLC0415 - imports anyio

    access, limits = _prepare(prediction.outputs, timeout, max_bytes)
    planned = _plan(prediction, directory, limits, name, concurrency)
    async with _aopen(access) as session:
        return await adownload(planned, session.transfer, session.drive)


def _read(output: Output, limits: DownloadLimits, transfer: FileTransfer) -> Flow[bytes]:
    part = MemoryFile()
    yield from write_output(output, limits, part, transfer)
    return bytes(part.content)


def _save(output: Output, path: Path, limits: DownloadLimits, part: PartialFile, transfer: FileTransfer) -> Flow[Path]:
    told = yield from write_output(output, limits, part, transfer)
    stem, suffix = (path.stem, path.suffix[1:]) if path.suffix else (path.name, told)
    placed: Path = yield Do(partial(transfer.disk, partial(part.place, stem, suffix)))
    return placed


def _run_beside(work: Callable[[], T], transfer: FileTransfer) -> Flow[T]:
    """Do what takes a while where no event loop waits for it."""
    done: T = yield Do(partial(transfer.disk, work))
    return done


def _plan(prediction: Prediction, directory: Any, limits: DownloadLimits, name: str | None, concurrency: int) -> Plan:
    require_folder(directory)
    read_instance("name", name, str, example="text")
    return plan(prediction, directory, limits, name=name, concurrency=concurrency)


def _prepare(outputs: Iterable[Output], timeout: float | None, max_bytes: int) -> tuple[Access, DownloadLimits]:
    """How outputs are fetched, and within which limits.

    Raises:
        MuAPIError: A limit cannot be right, or only their client could fetch them.
    """
    require_count("max_bytes", max_bytes)
    seconds = WHOLE if timeout is None else read_seconds("timeout", timeout)
    listed = list(outputs)
    access = next((each._access for each in listed if each._access), ANYBODY)  # noqa: SLF001 - a value's private side
    remote = [each for each in listed if each.url is not None and not is_data_url(each.url)]
    if access.has_transport and access.transport is None and remote:
        raise DownloadError(
            f"{show_url(str(remote[0].url))} was told of over a transport of its client's own (transport=), which no"
            " pickle and no copy takes along: mu.download(prediction, directory) of such a client saves it",
            url=remote[0].url,
        )
    limits = DownloadLimits(
        retry=Retry(),
        random=draw_random,
        idle=IDLE,
        max_bytes=max_bytes,
        timeout=seconds,
        ends=_clock_of(access).now() + seconds,
    )
    return access, limits


def _clock_of(access: Access) -> Clock:
    clock: Clock = access.clock or SystemClock()
    return clock


def _home_of(access: Access) -> str | None:
    """The host beside which private addresses are allowed, or None where all are."""
    return None if access.allow_private else read_host(access.origin or DEFAULT_BASE_URL)


@contextmanager
def _open(access: Access) -> Generator[Session]:
    with forks.kept_waiting:
        from muapi_client._transport.file_transfer import BlockingFileTransfer  # noqa: PLC0415 - imports httpx

    clock, key = _clock_of(access), access.key or APIKey("")
    connections = Connections(access.transport, _home_of(access), most=MOST)
    transfer = BlockingFileTransfer(
        connections, connections, UploadCache(), clock=clock, origin=access.origin, api_key=key
    )
    try:
        yield Session(transfer, lambda flow: load_driver().run(flow, connections, clock, access.origin, key))
    finally:
        if access.transport is None:
            connections.close()


@asynccontextmanager
async def _aopen(access: Access) -> AsyncGenerator[Session]:
    with forks.kept_waiting:
        from muapi_client._transport.file_transfer import AsyncFileTransfer  # noqa: PLC0415 - imports httpx

    clock, key = _clock_of(access), access.key or APIKey("")
    connections = AsyncConnections(access.transport, _home_of(access), most=MOST)
    connections.enter()
    transfer = AsyncFileTransfer(
        connections, connections, UploadCache(), clock=clock, origin=access.origin, api_key=key
    )

    def drive(flow: Flow[Any]) -> Awaitable[Any]:
        awaited: Awaitable[Any] = load_driver().arun(flow, connections, clock, access.origin, key)
        return awaited

    is_over = False
    try:
        yield Session(transfer, drive)
    except GeneratorExit:  # the event loop has ended, and its connections with it
        is_over = True
        raise
    finally:
        if access.transport is None and not is_over:
            await connections.close()


def _read_path(path: str | PathLike[str]) -> Path:
    """The file to write.

    Raises:
        MuAPIError: It is no path.
        DownloadError: It names no file.
    """
    require_file(path)
    target = Path(path)
    try:
        require_name(target)
        is_folder = not target.name or target.name == ".." or target.is_dir()
    except (ValueError, OSError) as error:  # a name that is too long, a folder nobody may look into
        raise DownloadError(f"{str(target)!r} is no file that can be written: {error}") from error
    if is_folder:
        raise DownloadError(
            f"{target} is a folder: give a file's name, such as {str(target / 'fox')!r}; prediction.save(folder) saves"
            " all outputs of a job in one"
        )
    return target


def _find_pillow() -> Any:
    """Pillow's module of pictures; it is asked for before anything is fetched.

    Raises:
        MuAPIError: It is not installed.
    """
    try:
        with forks.kept_waiting:
            return import_module("PIL.Image")
    except ImportError as error:
        raise MuAPIError(
            "output.pil() needs Pillow: pip install pillow. Without it output.read() answers the bytes, and"
            " output.save(path) saves them"
        ) from error


def _decode(pillow: Any, content: bytes, output: Output) -> Any:
    """The picture in some bytes, read whole.

    Raises:
        DownloadError: Pillow reads none.
    """
    what = show_url(output.url) if output.url is not None else "the output"
    try:
        picture = pillow.open(BytesIO(content))
        if picture.format in PROGRAMS:
            raise ValueError(f"{picture.format} is a program, which Ghostscript would run")  # noqa: TRY301 - as all below
        picture.load()
    except Exception as error:  # its plugins raise what they like: OSError, SyntaxError, ValueError, struct.error, …
        raise_if_from_signal_handler(error)
        kind = f" ({output.media_type})" if output.media_type else ""
        raise DownloadError(
            f"{what}{kind} is no picture that Pillow reads: {error}. output.save(path) saves it all the same",
            url=output.url,
        ) from error
    return picture
