"""Downloads: a job's outputs, whole or not at all, under names of ours.

Lives here: what is saved, and what it is called. Does not live here: fetching one (``fetch``), the disk
(``temp_file``), what bytes are (``media``), several at a time (``_transport/downloads``).
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path  # noqa: TC003 - attrs and checkers read the module's annotations alike
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import frozen

from muapi_client._files import media
from muapi_client._files.data_urls import decode_data_url
from muapi_client._files.fetch import fetch_url, find_misfit
from muapi_client._files.temp_file import read_directory
from muapi_client._files.urls import show_url
from muapi_client._protocol.steps import Do, Flow
from muapi_client._types.outputs import media_type
from muapi_client._types.words import show
from muapi_client.errors import DownloadError, MuAPIError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from muapi_client._files.fetch import DownloadLimits
    from muapi_client._files.part import Part
    from muapi_client._files.temp_file import PartialFile
    from muapi_client._files.transfer import FileTransfer
    from muapi_client._types.prediction import Output, Prediction

Result: TypeAlias = "Path | MuAPIError"


@frozen(kw_only=True)
class Plan:
    """One call of ``download``: which outputs are saved, where, and how many at a time."""

    request_id: str | None
    name: str | Callable[[int], str] | None
    outputs: tuple[Output, ...]
    directory: Path
    concurrency: int
    limits: DownloadLimits


def plan(
    prediction: Prediction,
    directory: Any,
    limits: DownloadLimits,
    *,
    name: str | Callable[[int], str] | None,
    concurrency: int,
) -> Plan:
    """Decide what is to be saved.

    Raises:
        DownloadError: There is nothing to save, no directory to save it to, or a limit is no whole number above 0.
    """
    require_count("max_bytes", limits.max_bytes)
    require_count("concurrency", concurrency)
    about = f"job {prediction.id}" if prediction.id else "the job"
    if not prediction.outputs:
        why = "completed without outputs" if prediction.done else f"has no outputs yet (status {prediction.status!r})"
        raise DownloadError(f"{about} {why}: there is nothing to download", request_id=prediction.id)
    return Plan(
        request_id=prediction.id,
        name=prediction.id if name is None else name,
        outputs=prediction.outputs,
        directory=read_directory(directory),
        concurrency=concurrency,
        limits=limits,
    )


def require_count(name: str, value: object) -> None:
    """Refuse a limit that lets nothing through.

    Raises:
        DownloadError: It is no whole number above 0.
    """
    if type(value) is not int or value <= 0:
        raise DownloadError(f"{name} must be a whole number above 0, not {show(value)}")


def save(plan: Plan, index: int, part: PartialFile, transfer: FileTransfer) -> Flow[Path]:
    """Save one output and answer where.

    Raises:
        DownloadError: It cannot be had, is not what it should be, or cannot be written.
    """
    suffix = yield from write_output(plan.outputs[index], plan.limits, part, transfer)
    stem = media.clean_stem(plan.name(index)) if callable(plan.name) else media.make_stem(plan.name, index)
    path: Path = yield Do(partial(transfer.disk, partial(part.place, stem, suffix)))
    return path


def write_output(output: Output, limits: DownloadLimits, part: Part, transfer: FileTransfer) -> Flow[str]:
    """Write what an output is, whole, and answer the suffix that its bytes tell, without the dot.

    Raises:
        DownloadError: It cannot be had, is not what it should be, or cannot be written.
    """
    yield Do(partial(transfer.disk, part.open))
    content, suffix = _read_output(output, limits.max_bytes)
    if content is not None:
        yield Do(partial(transfer.disk, partial(part.write, content)))
        return suffix
    return (yield from fetch_url(str(output.url), output.media_type, limits, part, transfer))


def _read_output(output: Output, maximum: int) -> tuple[bytes | None, str]:
    """Return what came in the answer itself, with its suffix: text as it is, data as JSON; None where it is elsewhere.

    Raises:
        DownloadError: A ``data:`` URL does not hold what it says.
    """
    if output.url is not None:
        content = decode_data_url(output.url, maximum)
        return content, "" if content is None else _find_suffix(content[: media.HEAD], output)
    if output.text is not None:
        return output.text.encode("utf-8", "replace"), "txt"
    return json.dumps(output.data, ensure_ascii=False, indent=2, default=str).encode("utf-8", "replace"), "json"


def _find_suffix(head: bytes, output: Output) -> str:
    told = media_type(str(output.url))
    if trouble := find_misfit(head, told, ""):
        raise DownloadError(f"{show_url(str(output.url))} is no output: {trouble}", url=output.url)
    return media.choose_suffix(media.settle(head, told))


def collect_paths(plan: Plan, results: Sequence[Result]) -> list[Path]:
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
    error = DownloadError(
        f"{first}{more}{kept}",
        url=first.url,
        saved=saved,
        request_id=plan.request_id,
        status_code=first.status_code,
    )
    for other in failed[1:]:
        error.add_note(str(other))
    if saved:
        error.add_note(f"Saved: {', '.join(map(str, saved))}")
    raise error from first
