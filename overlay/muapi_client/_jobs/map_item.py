"""One call of a map, from the call to its outcome. Pure.

Lives here: submitting it, and going on where an earlier run of it stopped. Does not live here: the submission and the
wait (``job``), how many calls are under way (``mapping``), the journal (``_state/journal``).

In a run a call is known by its key. What an earlier process did with it stands in the journal: what has ended is
answered from there, what was accepted is waited for, what never left is submitted. Of what may have been charged the
history is asked: what it proves to have never been accepted is submitted, and anything else is told, and submitted
again only by its user's own decision. A job of the same model and time is no proof: it may be anybody's.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from attrs import evolve

from muapi_client import errors
from muapi_client._files.attachments import find_attachments
from muapi_client._jobs.doubts import look_for_doubt
from muapi_client._jobs.recall import accepted_when, read_answer, read_ended
from muapi_client._jobs.waiting import judge
from muapi_client._protocol.request import IDEMPOTENCY_KEY, has_idempotency_key
from muapi_client._protocol.steps import Do, Keep, Sleep
from muapi_client._runtime.logs import INFO, JOBS, log
from muapi_client._sandbox.guard import require_expected, warn_of_kept
from muapi_client._state.memory import is_running
from muapi_client._state.secrets import remove_secrets
from muapi_client._types.cost import is_charge
from muapi_client._types.entry_state import ENDED
from muapi_client._types.outcome import Outcome
from muapi_generated.types import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from muapi_client._protocol.steps import Flow
    from muapi_client._state.context import Context
    from muapi_client._types.entry import Entry, RunItem
    from muapi_client._types.job import Job
    from muapi_client._types.prediction import Prediction
    from muapi_client._types.reconciliation import Reconciliation

MOST_REPEATS: Final = 8  # submits again of one call in doubt, each of which may be charged
OTHERS_LOOKED_AT: Final = 2.0  # seconds between two looks at what another process has in hand


class Item:
    """One call of a map, while it is under way. What is known of it stands here at once, whoever is told of it later.

    Attributes:
        index: Its place among the calls.
        key: Its key.
        call: The call.
        job: Its job, once it was accepted; of one that another process had accepted, from the start.
        is_reused: Whether it had ended before, and was not submitted.
        is_earlier: Whether its job was submitted in an earlier run, or by another process on the same one.
        is_elsewhere: Whether another process has it in hand, and is waited for.
        is_begun: Whether anything was done for it.
        is_known: Whether it is known by now what became of its submit.
        left_in_doubt: How many submits of it may have been charged, and were followed by another.
        outcome: What came of it, once it has ended.
        trouble: What ended it in place of an outcome: no error of its own, such as a mistake in a callback.
    """

    __slots__ = (
        "call",
        "index",
        "is_begun",
        "is_earlier",
        "is_elsewhere",
        "is_known",
        "is_reused",
        "job",
        "key",
        "left_in_doubt",
        "outcome",
        "trouble",
    )

    def __init__(self, index: int, key: str, call: Call[Any]) -> None:
        self.index = index
        self.key = key
        self.call = call
        self.job: Job | None = None
        self.is_begun = self.is_known = self.is_reused = self.is_earlier = self.is_elsewhere = False
        self.left_in_doubt = 0
        self.outcome: Outcome[Any, Any] | None = None
        self.trouble: BaseException | None = None

    def accept(self, job: Job) -> None:
        """It was accepted."""
        self.job = job
        self.is_known = True

    def begin_anew(self) -> None:
        """An earlier job that asks the same, which it waited for, came to nothing: another one is submitted for it."""
        self.job = None
        self.is_known = False

    @property
    def is_doubtful(self) -> bool:
        """Whether its submit may have been charged, for all that is known."""
        if self.outcome is not None:
            return isinstance(self.outcome.error, errors.SubmitOutcomeUnknownError)
        return self.is_begun and not self.is_known

    def end(self, outcome: Outcome[Any, Any] | None, trouble: BaseException | None) -> None:
        """It has ended."""
        self.outcome, self.trouble = outcome, trouble
        self.is_known = True


class Means(NamedTuple):
    """What the flow of an item is given to do its work with: flows of its client.

    Attributes:
        run: Submits a call and waits for its job; calls what it is given with the job once it was accepted. Is given
            the key of the entry, too, whose place in its run the new one takes, or None.
        wait: Waits for a job.
        reconcile: Looks for the job of a lost submit.
        digest: Hashes what a call asks, contents of local files included; None where that cannot be told.
        new_job: Makes a job that holds its client.
        note: Called with the item whenever more is known of it: its job was accepted, another process has it in hand.
        save: Saves a prediction's outputs under a name, or None where they are not saved.
        retry_unknown: Whether what may have been charged is submitted again.
    """

    run: Callable[[Call[Any], Callable[[Job], object], str | None], Flow[Prediction]]
    wait: Callable[[Job], Flow[Prediction]]
    reconcile: Callable[[Entry], Flow[Reconciliation[Any]]]
    digest: Callable[[Call[Any]], Flow[str | None]]
    new_job: Callable[..., Job]
    note: Callable[[Item], object]
    save: Callable[[Prediction, str], Any] | None
    retry_unknown: bool


def carry_out(item: Item, means: Means, context: Context) -> Flow[Outcome[Any, Any]]:
    """Carry out one call of a map; what goes wrong with it is part of its outcome."""
    prediction: Prediction | None = None
    error: errors.MuAPIError | None = None
    files: Sequence[Path] = ()
    item.is_begun = True
    try:
        prediction = yield from _bring_to_end(item, means, context)
        item.is_known, item.is_reused = True, item.is_reused or prediction.reused
        if means.save is not None:
            files = yield Do(partial(means.save, prediction, item.key))
    except errors.MuAPIError as raised:
        error = raised
        if item.left_in_doubt and item.job is None and not isinstance(raised, errors.SubmitOutcomeUnknownError):
            raised.add_note("It was submitted before, and that one may have been charged: mu.unknown() lists it.")
        prediction = prediction or getattr(raised, "prediction", None)
        files = getattr(raised, "saved", ())
    known = (item.index, item.key, item.call, item.job, prediction, error)
    return Outcome(*known, reused=item.is_reused, files=tuple(files))


def _bring_to_end(item: Item, means: Means, context: Context) -> Flow[Prediction]:
    if item.job is not None:  # another process had it accepted, and is gone
        job = means.new_job(item.job.id, item.call, item.job.cost, item.job.submitted_at)
        item.accept(job)
        return (yield from means.wait(job))
    return (yield from (_submit(item, means, context) if context.run is None else _go_on(item, means, context)))


def _submit(
    item: Item, means: Means, context: Context, doubt: str | None = None, again: Call[Any] | None = None
) -> Flow[Prediction]:
    """Submit a call that is not under way anywhere, and wait for its end.

    A server that has too many requests is asked again for as long as a job is waited for: all calls of a map wait then,
    and none of them is the one at fault.

    Args:
        doubt: The key of the item's entry in the run, which may have been charged; None where it has none.
        again: The call as that entry has to be repeated; by default the item's.
    """

    def accept(job: Job) -> None:
        item.accept(job)
        means.note(item)

    call = item.call if again is None else again
    refused_since: float | None = None
    doubts = 0
    lost: errors.SubmitOutcomeUnknownError | None = None
    while True:
        try:
            return (yield from means.run(call, accept, doubt))
        except errors.RateLimitError as error:
            now: float = yield Sleep(0.0)
            refused_since = now if refused_since is None else refused_since
            if item.job is not None or is_charge(error.cost) or now - refused_since > context.wait_timeout:
                raise
        except errors.JournalError as error:
            if lost is None or item.job is not None or error.request_id is not None:
                raise
            lost.add_note(f"It was not submitted again: {error}")
            raise lost from error
        except errors.SubmitOutcomeUnknownError as error:
            doubts += 1
            if not means.retry_unknown or doubts > MOST_REPEATS:
                raise
            if context.run is not None:
                doubt = error.key
            lost = error
            call = _make_repetition(error, item)
            yield Sleep(context.retry.pause(doubts, draw=context.random()))


def _make_repetition(lost: errors.SubmitOutcomeUnknownError, item: Item) -> Call[Any]:
    """The call to submit again after an outcome that is unknown."""
    if lost.call is not None and has_idempotency_key(lost.call):
        return lost.call  # under the same key it is charged once, and its answer clears the doubt
    item.left_in_doubt += 1
    return item.call


def _with_known_key(call: Call[Any], entry: Entry) -> Call[Any]:
    """A call with the idempotency key of its lost submit, so that both are charged once; without one, as it is."""
    known = entry.call
    if known is None or not has_idempotency_key(known) or not isinstance(call.body, dict):
        return call
    return evolve(call, body={**call.body, IDEMPOTENCY_KEY: known.body[IDEMPOTENCY_KEY]})


def _go_on(item: Item, means: Means, context: Context) -> Flow[Prediction]:
    """Go on with a call of a run where it was left, or submit it.

    Raises:
        JournalError: The journal cannot be read or written.
        MuAPIError: Another call is known under its key; or those of submitting and waiting.
    """
    if not isinstance(item.call, Call):
        return (yield from _submit(item, means, context))  # which refuses it
    doubt: str | None = None
    again: Call[Any] | None = None
    while True:
        found = (yield from _find(item, means, context)) if doubt is None else None
        if found is None:
            try:
                return (yield from _submit(item, means, context, doubt, again))
            except errors.JournalError as error:
                if error.request_id is not None:  # accepted, and not written down
                    item.accept(means.new_job(error.request_id, item.call, error.cost))
                    raise
                taken = yield from _find(item, means, context)
                if item.job is not None or taken is None or _has_ended_unwritten(taken.entry, context):
                    raise
                if taken.entry.key == doubt and taken.entry.request_id is None:
                    raise
                doubt = again = None
                continue  # another one was faster, by the time of one write, or has settled the doubt
        entry = found.entry
        if entry.state in ENDED:
            item.is_reused = item.is_earlier = True
            return (yield from _read_end(found, item, means, context))
        request_id = context.memory.request_id_of(entry)
        if request_id is not None:
            job = means.new_job(request_id, item.call, entry.cost, accepted_when(entry))
            item.is_earlier = True
            item.accept(job)
            means.note(item)
            return (yield from means.wait(job))
        doubt = yield from _clear_doubt(entry, item, means, context)
        again = None if doubt is None else _with_known_key(item.call, entry)


def _has_ended_unwritten(entry: Entry, context: Context) -> bool:
    """Whether this client was answered with an entry's end, and without an id, and the journal does not tell it."""
    record = context.memory.get(entry.key)
    return record is not None and record.accepted and record.request_id is None and entry.state not in ENDED


def _find(item: Item, means: Means, context: Context) -> Flow[RunItem | None]:
    """What the journal knows of a call of a run, once no other process has it in hand.

    Raises:
        MuAPIError: It is another account's, or another call.
        WaitTimeoutError: Another process has had it in hand for as long as a job is waited for.
    """
    assert context.journal is not None
    assert context.run is not None
    read = partial(context.journal.find_item, context.run, item.key, context.account, is_running=is_running)
    began: float | None = None
    try:
        while True:
            found: RunItem | None = yield Keep(read)
            if found is None:
                return None
            yield from _refuse_another(found, item, means, context)
            if not found.is_in_hand:
                return found
            if not item.is_elsewhere:
                _tell_elsewhere(found.entry)
                item.is_elsewhere = True
                means.note(item)
            now: float = yield Sleep(OTHERS_LOOKED_AT if began is not None else 0.0)
            began = now if began is None else began
            if now - began > context.wait_timeout:
                raise errors.WaitTimeoutError(
                    f"another process has had {item.key!r} of run {context.run!r} in hand for {context.wait_timeout:g}"
                    " s; this one has sent nothing. Begin the run again to wait on.",
                    request_id=found.entry.request_id,
                )
    finally:
        item.is_elsewhere = False


def _tell_elsewhere(entry: Entry) -> None:
    if JOBS.isEnabledFor(INFO):
        host, _, rest = entry.owner.partition(":")
        pid = rest.partition(":")[0]
        facts: dict[str, Any] = {"request_id": entry.request_id, "model": entry.slug}
        log(JOBS, INFO, "another process (%s, pid %s) has a call of this run in hand: waiting", host, pid, **facts)


def _refuse_another(found: RunItem, item: Item, means: Means, context: Context) -> Flow[None]:
    """Refuse a call under whose key the run has another one.

    Raises:
        MuAPIError: It is another account's, or another call.
    """
    name = f"run {context.run!r} knows {item.key!r}"
    if not found.is_ours:
        raise errors.MuAPIError(f"{name} as a job of another API or key: give this run another name. Nothing was sent.")
    is_known = is_same(found.entry, item.call)
    if not is_known and found.is_reused:  # what is asked the same may be spelt otherwise, as by a file's other name
        is_known = found.digest is not None and found.digest == (yield from means.digest(item.call))
    if not is_known:
        raise errors.MuAPIError(
            f"{name} as another call, of {found.entry.slug}: {_describe(found.entry)}. Give this run another name,"
            " or this call another key. Nothing was sent."
        )
    if found.digest is not None and find_attachments(item.call.body):
        asked = yield from means.digest(item.call)
        if asked is not None and asked != found.digest:
            raise errors.MuAPIError(
                f"{name} with other local files, or by another document: give this run another name, or this call"
                " another key. Nothing was sent."
            )


def is_same(entry: Entry, call: Call[Any]) -> bool:
    """Whether a call is the one an entry knows, as far as that can be told without its local files."""
    if entry.slug != call.operation.slug:
        return False
    if entry.call is None or call.files:
        return True
    bare = remove_secrets(call)
    if (entry.call.path, entry.call.query) != (bare.path, bare.query):
        return False
    known, given = entry.call.body, bare.body
    if not isinstance(given, dict) or not isinstance(known, dict):
        return bool(find_attachments(given)) or known == given
    uploaded = {where[0] for where, _ in find_attachments(given)}
    made_here = {IDEMPOTENCY_KEY} - given.keys()  # by the client, where the call had none
    return known.keys() - made_here == given.keys() and all(
        given[name] == known[name] for name in given.keys() - uploaded
    )


def _describe(entry: Entry) -> str:
    call = entry.call
    text = repr(None if call is None else call if call.path or call.query else call.body)
    return text if len(text) <= 200 else f"{text[:200]}…"  # noqa: PLR2004 - characters


def _read_end(found: RunItem, item: Item, means: Means, context: Context) -> Flow[Prediction]:
    """What an ended job came to, by the journal.

    Raises:
        JobFailedError, JobCancelledError: It ended badly.
        SandboxMismatchError: A key of the other kind than is expected paid for it.
    """
    entry = found.entry
    job = means.new_job(entry.request_id or "", item.call, entry.cost, entry.intended_at)
    if found.is_reused:
        answer = read_answer(entry, found.body, item.call, context)
        require_expected(answer, job, context)
        yield from warn_of_kept(answer, context)
        return answer
    if entry.request_id is not None:
        item.accept(job)
    answer = read_ended(entry, found.body, item.call, context)
    require_expected(answer, job, context)
    yield from warn_of_kept(answer, context)
    return judge(job, answer)


def _clear_doubt(entry: Entry, item: Item, means: Means, context: Context) -> Flow[str | None]:
    """Find out whether a lost submit is to be submitted again: it was never accepted, or its user wants it so.

    Returns:
        None where its entry was withdrawn, or else its key: it may have been charged.

    Raises:
        SubmitOutcomeUnknownError: It may have been accepted and charged.
    """
    why = yield from look_for_doubt(entry, means.reconcile, context)
    if why is None:
        return None
    if means.retry_unknown:
        item.left_in_doubt += 1
        return entry.key
    raise errors.SubmitOutcomeUnknownError(
        f"{item.key!r} of run {context.run!r} was sent before and its outcome is unknown ({why}): it may have been"
        " accepted and charged, and was not sent again. mu.settle(error, job), or None where it never was accepted, is"
        " your word on it; retry_unknown=True submits such calls again.",
        call=item.call,
        started_at=entry.intended_at.timestamp(),
        key=entry.key,
    )
