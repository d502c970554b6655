"""Which past requests may be the job of a submit whose outcome is unknown. Pure.

``GET history`` is the only documented way to find a request whose id was lost, and what its items hold is documented
nowhere (OpenAPI document: any JSON). So what is plainly another model's, or of another time, is left out, and the rest
are candidates for the user to judge; nothing is ever submitted again from here.

Times are compared on the server's clock: how far ours is off is read from the ``Date`` header of the history's answer.

Lives here: walking the history back, reading its times, choosing the candidates. Does not live here: how a page is
read (``_protocol/response``), clocks (the flow is given one).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache, partial
from math import ceil, floor, isfinite
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from muapi_client import catalog
from muapi_client._protocol import job_answer, response
from muapi_client._protocol.exchange import read
from muapi_client._protocol.request import STREAM, encode
from muapi_client._protocol.resend import http_date, is_cached
from muapi_client._protocol.steps import OK, Do, Keep
from muapi_client._types.reconciliation import Reconciliation
from muapi_client.errors import MuAPIError, NotFoundError, SubmitOutcomeUnknownError
from muapi_generated.api.platform.get_history import get_history
from muapi_generated.types import UNSET

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from muapi_client._protocol.steps import Flow
    from muapi_client._state.context import Context
    from muapi_client._state.memory import Record
    from muapi_client._types.entry import Entry

PAGE: Final = 100  # items a request; the document's maximum
LONGEST: Final = 1000  # items after which no page is asked for: more than a client submits while one is awaited
SKEW: Final = timedelta(minutes=2)  # how far times may be off on top of what the Date header tells
CORRECTED: Final = SKEW + timedelta(
    hours=1
)  # and this machine's calendar, which may have been set since another's submit
TIMES: Final = ("created_at", "created", "submitted_at", "timestamp")
MODELS: Final = ("model", "model_name", "endpoint", "slug", "name", "task_type")
LONGEST_SUBMIT: Final = timedelta(hours=1)  # with all its resends
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DIGITS: Final = 9  # of seconds since the epoch, at least: from 1973 on
UNITS: Final = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9))  # below which number, how many make a second
ZONE_STEP: Final = timedelta(minutes=15)  # every time zone is a multiple of it from UTC
WEST, EAST = timedelta(hours=-12), timedelta(hours=14)  # the outermost zones


class Window(NamedTuple):
    """When a lost submit can have been accepted, on the server's clock.

    Attributes:
        earliest: When it was sent.
        latest: When its last try was given up.
        now: When the history was read.
    """

    earliest: datetime
    latest: datetime
    now: datetime


class Ages(NamedTuple):
    """How long ago a lost submit was under way.

    Attributes:
        sent: Since it was first sent.
        given_up: Since its last try was given up; None where that is not known.
        margin: How far either may be off.
    """

    sent: timedelta
    given_up: timedelta | None
    margin: timedelta


class Moment(NamedTuple):
    """When an item says that it was made."""

    at: datetime  # in UTC
    naive: bool  # reported without a time zone, and read as UTC


class Page(NamedTuple):
    """A page of the history."""

    items: list[Any]
    cursor: str | None  # of the next page
    is_last: bool


class History(NamedTuple):
    """The history, as far back as it was read for a lost submit.

    Attributes:
        items: Newest first.
        window: When the submit can have been accepted.
        ages: How long ago it was under way; None where that is not known.
        reached: Whether it goes back to before the submit.
        dated: Whether the server told what its clock reads, and no cache answered for it, which lacks what came since.
    """

    items: list[Any]
    window: Window
    ages: Ages | None
    reached: bool
    dated: bool


def reconcile(
    lost: Entry | SubmitOutcomeUnknownError,
    context: Context,
    *,
    wall: Callable[[], float],
    new_job: Callable[..., Any],
) -> Flow[Reconciliation[Any]]:
    """Walk the history back to a submit, and choose the jobs that may be its.

    Nothing is settled by it, nor by a look at a candidate: nothing tells which of two lost submits a job is, or
    whether it is another program's.

    Args:
        lost: The submit, or the error it ended with.
        context: The client's.
        wall: Reads this machine's calendar: seconds since the epoch.
        new_job: What makes a job of an id.

    Raises:
        MuAPIError: The error carries no call, so there is nothing to look for; or the submit is of another API key or
            address, whose history this client cannot read, so that an empty answer would prove nothing.
        APIStatusError, APIConnectionError, ResponseError: The history could not be had.
        JournalError: The journal cannot be read.
    """
    slug = _slug_of(lost)
    yield from _refuse_other_account(lost, context)
    history = yield from _walk_back(lost, context, wall)
    known = context.memory.ids()  # jobs whose submit was answered are none of the lost ones
    if context.journal is not None:
        known |= yield Keep(partial(context.journal.ids, context.account))
    found, certain = find_candidates(history.items, slug, history.window, known)
    over = is_over(history.ages)  # a gateway may go on with a request after its client gave up
    complete = history.reached and history.dated and certain and over
    rows = [item for item in reversed(history.items) if isinstance(item, dict)]
    made = {job_answer.read_id(item): read_item_moment(item) for item in rows}
    jobs = [new_job(name, submitted_at=moment.at if (moment := made.get(name)) else None) for name in found]
    return Reconciliation(tuple(jobs), complete=complete)


def _refuse_other_account(lost: Entry | SubmitOutcomeUnknownError, context: Context) -> Flow[None]:
    """Refuse a submit of another API key or address: it is in that one's history.

    Raises:
        MuAPIError: It is.
        JournalError: The journal cannot be read.
    """
    if context.journal is None or lost.key is None:
        return
    is_elsewhere: bool = yield Keep(partial(context.journal.is_of_other_account, lost.key, context.account))
    if is_elsewhere:
        raise MuAPIError(
            "that submit is of another API key, or another address of the API: only a client with that key has the"
            " history it is in"
        )


def _walk_back(lost: Entry | SubmitOutcomeUnknownError, context: Context, wall: Callable[[], float]) -> Flow[History]:
    """Read the history page by page, until it is older than a submit, has ended, or has been read for long enough.

    Raises:
        APIStatusError, APIConnectionError, ResponseError: A page could not be had.
    """
    items: list[Any] = []
    cursor: str | None = None
    window: Window | None = None
    ages: Ages | None = None
    dated = is_fresh = True
    while True:
        asked = encode(get_history(cursor=cursor or UNSET, limit=PAGE), context)
        reply = yield from read(asked, context)
        here = EPOCH + timedelta(seconds=(yield Do(wall)))
        if reply.status not in OK:
            raise response.status_error(reply, asked, context=context)
        is_fresh = is_fresh and not is_cached(reply)
        if window is None:
            server_now = http_date(reply.headers.get("date", ""))
            dated = server_now is not None
            ages = _ages_of(lost, context.memory.get(lost.key or ""), here, reply.at)
            window = make_window(ages, server_now or here)
        page = read_page(response.decode(reply, origin=context.origin))
        items += page.items
        reached = page.is_last or (bool(page.items) and is_before(page.items, window))
        stuck = not page.items or page.cursor in (None, cursor)
        if reached or stuck or len(items) >= LONGEST:
            # Uncut: what is left out of a long page may be the job.
            return History(items, window, ages, reached, dated and is_fresh)
        cursor = page.cursor


def _slug_of(lost: Entry | SubmitOutcomeUnknownError) -> str:
    if not isinstance(lost, SubmitOutcomeUnknownError):
        return lost.slug
    if lost.call is None:
        raise MuAPIError("this error carries no call, so there is nothing to look for")
    return lost.call.operation.slug


def _ages_of(lost: Entry | SubmitOutcomeUnknownError, record: Record | None, here: datetime, now: float) -> Ages | None:
    """How long ago a submit was sent and given up; None where that is not known.

    Of one of this client's own the monotonic clock decides, which nobody sets; but it may stand still while the machine
    sleeps, so the calendar is asked, too, and the longer time counts. Of another's only the calendar tells, which may
    have been corrected since.

    Args:
        record: The client's own, or None.
        here: What this machine's calendar reads now.
        now: What the client's clock reads now, in seconds.
    """
    at: datetime | None
    if isinstance(lost, SubmitOutcomeUnknownError):
        at = None if lost.started_at is None else EPOCH + timedelta(seconds=lost.started_at)
        given_up_at = None
    else:
        at, given_up_at = lost.intended_at, lost.changed_at if lost.state == "unknown" else None
    if at is None:
        return None
    since = here - (at if at.tzinfo else at.replace(tzinfo=UTC))
    if record is not None:
        own = timedelta(seconds=now - record.reading)
        ended = timedelta(seconds=now - record.given_up) if record.given_up is not None else None
        return Ages(max(own, since), ended, SKEW)
    if since < -SKEW:  # the calendar was set back since
        return None
    ended = None if given_up_at is None else max(here - given_up_at, timedelta(0))
    return Ages(since, ended, CORRECTED)


def is_over(ages: Ages | None) -> bool:
    """Whether a submit can be accepted no more: given up for some minutes, or, where that is not known, long ago."""
    if ages is None:
        return False
    return ages.sent > LONGEST_SUBMIT if ages.given_up is None else ages.given_up > SKEW


def make_window(ages: Ages | None, server_now: datetime) -> Window:
    """When a submit can have been accepted, on the server's clock: the clocks' difference cancels out.

    Args:
        ages: How long ago it was sent and given up, or None where that is not known.
        server_now: What the server's clock reads.
    """
    if ages is None:
        return Window(EPOCH, server_now + SKEW, server_now)
    latest = server_now - (ages.given_up or timedelta(0)) + ages.margin
    return Window(server_now - ages.sent - ages.margin, latest, server_now)


def find_candidates(
    items: Sequence[Any], slug: str, window: Window, known: frozenset[str]
) -> tuple[tuple[str, ...], bool]:
    """The request ids that may be the lost one, newest first, and whether all times that matter could be read.

    A time without a zone is read as UTC. Where that puts an item into the future, or none fits, it may be the local
    time of any zone; then what fits so is a candidate too, and nothing is certain.

    Args:
        items: The history, newest first.
        slug: The model that was submitted.
        window: When it can have been accepted.
        known: Ids of jobs that are none of the lost ones.
    """
    names = _names(slug)
    moments: dict[str, Moment | None] = {}
    readable = True
    for item in items:
        request_id = job_answer.read_id(item) if isinstance(item, dict) else None
        if request_id is None:
            readable = False  # it may be the one
        elif request_id not in known and request_id not in moments and _is_of(item, names):
            moments[request_id] = read_item_moment(item)
    fitting = {name for name, moment in moments.items() if moment is None or fits(moment, window)}
    dated = {name for name in fitting if moments[name] is not None}
    ahead = any(moment.naive and moment.at > window.now + SKEW for moment in map(read_item_moment, items) if moment)
    local = {name for name, moment in moments.items() if moment and moment.naive and fits_somewhere(moment, window)}
    if ahead or not dated:
        readable = readable and not local
        fitting |= local
    readable = readable and all(moments.values())
    return tuple(name for name in moments if name in fitting), readable


def fits(moment: Moment, window: Window) -> bool:
    """Return whether a time lies within the window."""
    return window.earliest <= moment.at <= window.latest


def fits_somewhere(moment: Moment, window: Window) -> bool:
    """Return whether a time without a zone lies within the window as the local time of any zone."""
    first = max(ceil((moment.at - window.latest) / ZONE_STEP), WEST // ZONE_STEP)
    last = min(floor((moment.at - window.earliest) / ZONE_STEP), EAST // ZONE_STEP)
    return first <= last


def is_before(items: Sequence[Any], window: Window) -> bool:
    """Return whether every item is older than the window, and says so, whichever zone its time is of."""
    moments = [read_item_moment(item) for item in items]
    return all(
        moment is not None and moment.at - (WEST if moment.naive else timedelta(0)) < window.earliest
        for moment in moments
    )


def read_item_moment(item: Any) -> Moment | None:
    """When an item was made, by the first of its times that can be read."""
    if not isinstance(item, dict):
        return None
    return next((moment for name in TIMES if (moment := read_moment(item.get(name))) is not None), None)


def read_moment(value: Any) -> Moment | None:
    """Read a point in time: ISO 8601, an e-mail's date, or a number of seconds or less since the epoch."""
    if isinstance(value, str):
        text = value.strip()
        return (
            _from_number(text) if text.isascii() and text.isdigit() and len(text) > EPOCH_DIGITS else _from_text(text)
        )
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_number(value)
    return None


def _from_number(value: str | float) -> Moment | None:
    try:
        number = float(value)
        scale = next(scale for limit, scale in UNITS if 10 ** (EPOCH_DIGITS - 1) <= number < limit)
        return Moment(EPOCH + timedelta(seconds=number / scale), naive=False) if isfinite(number) else None
    except (OverflowError, StopIteration):  # no time of this age of the world
        return None


def _from_text(text: str) -> Moment | None:
    if ":" not in text and "T" not in text:  # a day, which is no point in time
        return None
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = parse(text.removesuffix(" UTC").removesuffix(" GMT"))
            zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            naive = moment.tzinfo is None and not text.endswith((" UTC", " GMT", " -0000"))
            return Moment(zoned.astimezone(UTC), naive)
        except (ValueError, TypeError, IndexError, OverflowError):  # no such form, or beyond the calendar
            continue
    return None


def read_page(body: Any) -> Page:
    """Read a page of the history; one without a list tells nothing, and so is not the last."""
    cursor = body.get("next_cursor") if isinstance(body, dict) else None
    tells = isinstance(body, dict) and any(isinstance(value, list) for value in body.values())
    following = str(cursor) if cursor and isinstance(cursor, str | int) else None
    return Page(response.read_items(body), following, is_last=tells and not cursor)


def _is_of(item: Mapping[str, Any], names: set[str]) -> bool:
    """Return whether an item may be of the model: a word that is no other model's name rules nothing out."""
    words = {_plain(str(item[field])) for field in MODELS if item.get(field)}
    return bool(words & {_plain(name) for name in names}) or not any(word in _all_names() for word in words)


def _plain(name: str) -> str:
    """A model's name in any spelling, or its URL, normalized."""
    return name.rsplit("/api/v1/", 1)[-1].strip("/ ").lower().replace(" ", "-").replace("_", "-").replace("/", "-")


@cache
def _all_names() -> frozenset[str]:
    """Return every name of the catalogue's models."""
    models = catalog.all()
    return frozenset(_plain(name) for model in models for name in (model.slug, model.name, model.function) if name)


def _names(slug: str) -> set[str]:
    """A model by every name the history may tell it by; a stream by its model's, too, as prices are."""
    return {name for each in {slug, slug.removesuffix(STREAM)} for name in _names_of(each)}


def _names_of(slug: str) -> set[str]:
    try:
        model = catalog.get(slug)
    except NotFoundError:
        return {slug}
    return {name for name in (slug, slug.replace("/", "-"), model.name, model.function) if name}
