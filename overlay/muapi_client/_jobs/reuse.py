"""A call that was paid for before: what it asks, as a hash, and what the journal knows of others that ask so. Pure.

Two calls ask the same where operation, parameters, body and the contents of local files are the same, and the document
says the same of the operation. Webhooks and the name of a model's package are no part of it.

Lives here: the hash, whether a known answer may be given, and what has not ended yet. Does not live here: the journal,
whether outputs are still there (``_files/liveness``), what is done where there is no answer (``_client/flows``).
"""

from __future__ import annotations

import hashlib
import json
import sys
from functools import cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve

from muapi_client._files.attachments import with_urls
from muapi_client._jobs.doubts import look_for_doubt
from muapi_client._jobs.recall import accepted_when, read_answer
from muapi_client._protocol.steps import Keep
from muapi_client._runtime.forks import forks
from muapi_client._sandbox.guard import warn_of_kept
from muapi_client._spec.rendering import read_rendering
from muapi_client._state.memory import is_running
from muapi_client._state.secrets import remove_secrets
from muapi_client._types.prediction import Prediction
from muapi_client.errors import JournalError, MuAPIError, SubmitOutcomeUnknownError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from muapi_client._files.attachments import Where
    from muapi_client._protocol.steps import Flow
    from muapi_client._state.context import Context
    from muapi_client._types.entry import Entry
    from muapi_client._types.job import Job
    from muapi_client._types.prediction import Output
    from muapi_client._types.reconciliation import Reconciliation
    from muapi_generated.types import Call

CONTENT: Final = "sha256:"  # begins what stands for a file
TEXT: Final = "text:"  # begins what stands for a text that begins so, or as a file's does: no text spells a file
LATEST: Final = 3  # answers of which one may be given: each costs an exchange for every output


def digest_call(
    call: Call[Any], content_of: Callable[[str], str | None], contents: Mapping[Where, str] = MappingProxyType({})
) -> str | None:
    """What a call asks, as a SHA-256; None where that cannot be told: it has files of a form, cookies, or secrets.

    Args:
        content_of: The SHA-256 of the file that a URL was made for by an upload, or None of any other text.
        contents: The SHA-256 of each local file in the call's body, by its place.
    """
    operation = call.operation
    try:
        bare = remove_secrets(call)
        if call.files or call.cookies or bare.headers != call.headers:
            return None
        bare = evolve(bare, body=_with_contents(bare.body, content_of))
        body = with_urls(bare, {where: _name_content(digest) for where, digest in contents.items()}).body
        # What the document says of an operation is part of it; of a raw call it says nothing.
        fingerprint = _read_fingerprints(operation.package).get(operation.name, "") if operation.name else ""
        asked = [operation.method, operation.path, fingerprint, call.path, bare.query, bare.headers]
        text = json.dumps([*asked, body], sort_keys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return None
    with forks.kept_waiting:  # OpenSSL's own locks, too, would stay closed in a child
        return hashlib.sha256(text.encode()).hexdigest()


def _name_content(digest: str) -> str:
    """What stands for a file whose content has this SHA-256, and for no text: see :func:`_with_contents`."""
    return f"{CONTENT}{digest}"


def _with_contents(value: Any, content_of: Callable[[str], str | None]) -> Any:
    if isinstance(value, str):
        if (digest := content_of(value)) is not None:
            return _name_content(digest)
        return f"{TEXT}{value}" if value.startswith((CONTENT, TEXT)) else value
    if isinstance(value, dict):
        return {name: _with_contents(item, content_of) for name, item in value.items()}
    return [_with_contents(item, content_of) for item in value] if isinstance(value, list | tuple) else value


@cache
def _read_fingerprints(package: str) -> Mapping[str, str]:
    if package not in sys.modules:  # of a call that was made elsewhere
        raise ValueError(f"{package} is not imported")
    try:
        functions: dict[str, str] = read_rendering(package)["functions"]
    except MuAPIError as error:  # an older package has none
        raise ValueError(str(error)) from error
    return functions


def find_answer(
    digest: str, call: Call[Any], context: Context, *, are_there: Callable[[tuple[Output, ...]], Flow[bool]]
) -> Flow[Prediction | None]:
    """The latest answer to a call that asked the same, with all of its outputs still there; or None.

    Args:
        digest: What is asked.
        call: The call.
        are_there: Asks whether outputs can still be fetched.

    Raises:
        JournalError: The journal cannot be read.
        DownloadError: It cannot be told whether an output is still there.
    """
    assert context.journal is not None
    assert context.account is not None
    kind = context.key_state.kind or context.expect
    read = partial(context.journal.answers, digest, context.account, kind=kind, latest=LATEST)
    found: list[tuple[Entry, bytes]] = yield Keep(read)
    for entry, body in found:
        answer = read_answer(entry, body, call, context)
        if context.expect is not None and answer.sandbox.verdict is (context.expect == "live"):
            continue
        if answer.done and answer.outputs and (yield from are_there(answer.outputs)):
            yield from _note_reuse(entry, context)
            yield from warn_of_kept(answer, context)
            return answer
    return None


def find_open_end(
    digest: str,
    call: Call[Any],
    context: Context,
    *,
    reconcile: Callable[[Entry], Flow[Reconciliation[Any]]],
    new_job: Callable[..., Job],
    take_up: Callable[[Job], Flow[Job | Prediction | None]],
) -> Flow[Job | Prediction | None]:
    """What comes of the latest job that asks the same and has not ended as far as is known; None where nothing does.

    Args:
        digest: What is asked.
        call: The call.
        reconcile: Looks in the history for the job of a lost submit.
        new_job: Makes a job that holds its client.
        take_up: Answers what comes of a job; None where another has to be submitted.

    Raises:
        SubmitOutcomeUnknownError: A submit that asked the same may have been accepted and charged.
        JournalError: The journal cannot be read or written.
        MuAPIError: Those of ``take_up``.
    """
    assert context.journal is not None
    assert context.account is not None
    read = partial(context.journal.open_ends, digest, context.account, is_running=is_running)
    tried = set[str]()
    while True:
        found: list[Entry] = yield Keep(read)
        lost: list[Entry] = []
        for entry in found:
            request_id = context.memory.request_id_of(entry)
            if request_id is None:
                lost.append(entry)
            elif entry.key not in tried:
                tried.add(entry.key)
                taken = yield from take_up(new_job(request_id, call, entry.cost, accepted_when(entry)))
                if isinstance(taken, Prediction):
                    yield from _note_reuse(entry, context)
                if taken is not None:
                    return taken
        doubt = next((each for each in lost if each.key not in tried), None)
        if doubt is None or context.repeats_unknown:
            return None
        tried.add(doubt.key)
        why = yield from look_for_doubt(doubt, reconcile, context)
        if why is not None:
            raise SubmitOutcomeUnknownError(
                f"a call that asks the same was sent at {doubt.intended_at:%Y-%m-%d %H:%M:%S} UTC and its outcome is"
                f" unknown ({why}): it may have been accepted and charged, and was not sent again."
                " mu.settle(error, job), or None where it never was accepted, is your word on it; with reuse=False it"
                " is submitted anew.",
                call=call,
                started_at=doubt.intended_at.timestamp(),
                key=doubt.key,
            )


def _note_reuse(entry: Entry, context: Context) -> Flow[None]:
    """Write down in a run which job has answered one of its items: who goes on with it, reusing or not, pays for none.

    Raises:
        JournalError: The journal cannot be written.
    """
    if context.run is None or context.run_key is None:
        return
    assert context.journal is not None
    write = partial(context.journal.reuse, entry.key, context.run, context.run_key)
    try:
        yield Keep(write, context.journal.commits)
    except JournalError as error:
        told = f"{error}; the answer is that of job {entry.request_id}, and nothing was submitted or charged"
        raise JournalError(told) from error
