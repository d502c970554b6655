"""Local files in a call's body: found, and replaced by the URLs they were uploaded to. Pure.

Lives here: which values are files, where they stand, and what is refused before one is uploaded. Does not live here:
opening them (``source``), uploading them (``upload``).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from attrs import evolve

from muapi_client._files.kinds import find_contradiction
from muapi_client._runtime.forks import forks
from muapi_client._spec.media_fields import find_kind, is_address
from muapi_client._spec.validation import URL_TO_COME, check, refusal_error
from muapi_client._types.prediction import Output
from muapi_client.errors import ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from muapi_generated.types import Call

Where: TypeAlias = tuple[str | int, ...]  # field names and list indexes, from the body down

NO_URL: Final = "no URL"  # what a field that takes a URL refuses, and one that takes any text does not


def is_picture(value: Any) -> bool:
    """Return whether a value is a PIL image, recognized without importing PIL."""
    return callable(getattr(value, "save", None)) and hasattr(value, "mode") and hasattr(value, "format")


def is_local(value: Any) -> bool:
    """Return whether a value is a local file: a path object, an open file or a PIL image.

    Text and bytes never are, nor is what an earlier job made, which can be read as well: it has a URL already.
    """
    if value is None or isinstance(value, str | int | float | dict | list | Output):
        return False
    return isinstance(value, os.PathLike) or callable(getattr(value, "read", None)) or is_picture(value)


def find_attachments(body: Any) -> list[tuple[Where, Any]]:
    """The local files in a body, nested lists and objects included, each with the place it stands at."""
    try:
        return list(_walk(body, ()))
    except RecursionError:  # it holds itself: writing it as JSON will say so
        return []


def _walk(value: Any, where: Where) -> Iterator[tuple[Where, Any]]:
    if isinstance(value, dict | list | tuple):
        for key, item in _items(value):
            yield from _walk(item, (*where, key))
    elif is_local(value):
        yield where, value


def _items(value: Any) -> Iterable[tuple[str | int, Any]]:
    return cast("Iterable[tuple[str | int, Any]]", value.items() if isinstance(value, dict) else enumerate(value))


def with_urls(call: Call[Any], urls: Mapping[Where, str]) -> Call[Any]:
    """The call with the value at each place replaced by a URL; everything else is as it was."""
    return evolve(call, body=_replace(call.body, urls, ()))


def with_stand_ins(call: Call[Any]) -> Call[Any]:
    """The call with an address in the place of each local file, for who asks about it and uploads nothing."""
    if call.files:
        with forks.kept_waiting:
            from muapi_client._protocol.forms import with_empty_files  # noqa: PLC0415 - of few operations

        call = with_empty_files(call)
    return with_urls(call, dict.fromkeys((where for where, _ in find_attachments(call.body)), URL_TO_COME))


def _replace(value: Any, urls: Mapping[Where, str], where: Where) -> Any:
    if where in urls:
        return urls[where]
    if not isinstance(value, dict | list | tuple):
        return value
    items = [(key, _replace(item, urls, (*where, key))) for key, item in _items(value)]
    return dict(items) if isinstance(value, dict) else [item for _, item in items]


def check_around(call: Call[Any], places: list[Where]) -> None:
    """Hold a call whose files are not uploaded yet against its model, so that nothing is uploaded in vain.

    Raises:
        ValidationError: The rest of the call does not fit, or a file stands in a field that takes no URL.
    """
    urls = dict.fromkeys(places, URL_TO_COME)
    check(with_urls(call, urls))
    if not call.operation.request:
        return  # a raw call: nothing is known of its fields
    for where in places:  # each on its own: of a list a check reports the first item it refuses
        if _passes(with_urls(call, {**urls, where: NO_URL})) and not is_address(_read_names(where)[-1]):
            raise refusal_error(call, where, "a file stands here, and this field takes no URL", kind="string_type")


def _passes(call: Call[Any]) -> bool:
    try:
        check(call)
    except ValidationError:
        return False
    return True


def check_kind(call: Call[Any], where: Where, head: bytes, name: str) -> None:
    """Hold a file's first bytes against the field it stands in.

    Raises:
        ValidationError: They are of another kind than the field's name tells; what is not recognized passes.
    """
    kind = find_kind(_read_names(where)) if call.operation.request else None  # of a raw call nothing is known
    if found := find_contradiction(head, kind):
        message = (
            f"{name} is {found} by its first bytes, and this field takes {kind}; strict=False sends it all the same"
        )
        raise refusal_error(call, where, message, kind="value_error")


def _read_names(where: Where) -> list[str]:
    return [step for step in where if isinstance(step, str)]
