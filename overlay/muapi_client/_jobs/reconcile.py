"""Which past requests may be the job of a submit whose outcome is unknown. Pure.

``GET history`` is the only documented way to find a request whose id was lost, and what its items hold is documented
nowhere (OpenAPI document: any JSON). So what is plainly another model's or older is left out, and the rest are
candidates for the user to judge; nothing is ever submitted again from here.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from muapi_client import catalog
from muapi_client._protocol.job_answer import read_id
from muapi_client._protocol.request import STREAM
from muapi_client.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SKEW: Final = timedelta(minutes=2)  # how far the server's clock may be off ours
TIMES: Final = ("created_at", "created", "submitted_at", "timestamp")
MODELS: Final = ("model", "model_name", "endpoint", "slug", "name", "task_type")


def candidates(items: Iterable[Mapping[str, Any]], slug: str, since: datetime, known: frozenset[str]) -> Iterator[str]:
    """The request ids that may be the lost one, newest first.

    Args:
        items: The history, newest first.
        slug: The model that was submitted.
        since: When it was sent, in UTC.
        known: Ids of jobs whose submit was answered: they are none of the lost ones.
    """
    names = _names(slug)
    for item in items:
        request_id = read_id(item)
        if request_id is None or request_id in known:
            continue
        created = _moment(item)
        if created is not None and created < since - SKEW:
            continue
        told = {str(item[field]).rsplit("/api/v1/", 1)[-1].strip("/") for field in MODELS if item.get(field)}
        if not told or told & names:
            yield request_id


def _names(slug: str) -> set[str]:
    """A model by every name the history may tell it by; a stream by its model's, too, as prices are."""
    return {name for one in {slug, slug.removesuffix(STREAM)} for name in _names_of(one)}


def _names_of(slug: str) -> set[str]:
    try:
        model = catalog.get(slug)
    except NotFoundError:
        return {slug}
    return {name for name in (slug, slug.replace("/", "-"), model.name, model.function) if name}


def _moment(item: Mapping[str, Any]) -> datetime | None:
    from dateutil.parser import parse  # noqa: PLC0415 - slow to import, and seldom needed

    for field in TIMES:
        value = item.get(field)
        if isinstance(value, str):
            try:
                moment = parse(value)
            except (ValueError, OverflowError):
                continue
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None
