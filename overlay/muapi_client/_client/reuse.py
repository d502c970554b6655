"""A call that asks what an earlier one did: its local files read, that one's answer looked for, its outputs probed.

Lives here: the order of these, and what is done with a job that has not ended. Does not live here: each of them
(``_jobs/reuse``, ``_files``).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import evolve

from muapi_client._files.attachments import find_attachments
from muapi_client._jobs import reuse
from muapi_client._protocol.steps import Do
from muapi_client._runtime.tracebacks import raise_if_from_signal_handler
from muapi_client._state.secrets import remove_secrets
from muapi_client.errors import JobCancelledError, JobFailedError, MuAPIError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from muapi_client._client.file_flows import Files
    from muapi_client._protocol.steps import Flow
    from muapi_client._state.context import Context
    from muapi_client._types.entry import Entry
    from muapi_client._types.job import Job
    from muapi_client._types.prediction import Prediction
    from muapi_client._types.reconciliation import Reconciliation
    from muapi_generated.types import Call


def find_paid(
    call: Call[Any],
    context: Context,
    files: Files,
    content_of: Callable[[str], str | None],
    *,
    reconcile: Callable[[Entry], Flow[Reconciliation[Any]]],
    new_job: Callable[..., Job],
    take_up: Callable[[Job], Flow[Job | Prediction | None]],
) -> Flow[Job | Prediction | None]:
    """The answer to a call that asked the same, or what comes of one that has not ended; None where there is none.

    Raises:
        UploadError: A local file cannot be read.
        JournalError: The journal cannot be read.
        DownloadError: It cannot be told whether an output is still there.
        SubmitOutcomeUnknownError: A submit that asked the same may have been accepted and charged.
    """
    digest = yield from digest_whole(call, files, content_of)
    if digest is None:
        return None
    answer = yield from reuse.find_answer(digest, call, context, are_there=files.are_there)
    if answer is not None:
        return answer
    return (
        yield from reuse.find_open_end(digest, call, context, reconcile=reconcile, new_job=new_job, take_up=take_up)
    )


def hand_out(call: Call[Any], context: Context, job: Job) -> Flow[Job | None]:
    """An earlier job that asks the same; None where a webhook is wanted, which that one does not post to."""
    bare = remove_secrets(call)
    return None if context.webhook or bare.body != call.body or bare.query != call.query else job
    yield  # makes a flow of it


def follow(
    job: Job,
    wait: Flow[Prediction],
    on_accept: Callable[[Any], object] | None,
    on_anew: Callable[[], object] | None,
) -> Flow[Prediction | None]:
    """The end of an earlier job that asks the same, as an answer; None where it failed, or the server has lost it."""
    if on_accept is not None:
        yield Do(partial(on_accept, job))
    try:
        ended = yield from wait
    except (JobFailedError, JobCancelledError, NotFoundError) as error:
        if error.request_id != job.id or _is_of_a_gateway(error):  # or a callback's own: they tell nothing of this job
            raise
        if on_anew is not None:
            on_anew()  # no step: what follows is not known by the earlier one's id
        return None
    return evolve(ended, cost=None, balance=None, reused=True)


def _is_of_a_gateway(error: MuAPIError) -> bool:
    """Whether a 404 may be another server's, behind which the job lives: MuAPI's has a detail in words."""
    return isinstance(error, NotFoundError) and not isinstance(error.detail, str)


def digest_whole(call: Call[Any], files: Files, content_of: Callable[[str], str | None]) -> Flow[str | None]:
    """What a call asks, contents of its local files included; None where that cannot be told.

    Raises:
        UploadError: A local file cannot be read.
    """
    found = find_attachments(call.body)
    if not all(can_be_read_twice(value) for _, value in found):
        return None
    contents = (yield from files.read_contents(call)) if found else {}
    return reuse.digest_call(call, content_of, contents)


def can_be_read_twice(value: Any) -> bool:
    """Whether a local file is still there once it was read: a pipe or a socket is not, nor one that is closed."""
    seekable = getattr(value, "seekable", None)
    try:
        return bool(seekable()) if callable(seekable) else True
    except Exception as error:  # noqa: BLE001 - who opens it for its upload says what is wrong
        raise_if_from_signal_handler(error)
        return False
