"""The headers and cookies of a call, as they are written.

Lives here: which of them may be sent at all, and as what text. Does not live here: what the document says of their
values (``_spec/validation``), the client's own headers (``_transport/hosts``). A value may be a secret: no message
repeats one, and no frame that an error passes through has one in a local.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Literal

from muapi_client._runtime.tracebacks import raise_if_from_signal_handler
from muapi_client._spec.validation import refusal_error
from muapi_client._types.words import show
from muapi_generated.types import OWN_HEADERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from muapi_generated.types import Call

Place = Literal["header", "cookie"]
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_FORMS: Final[Mapping[Place, tuple[re.Pattern[str], str]]] = {  # of a value, and what a message calls it
    "header": (  # RFC 9110, 5.5, in Latin-1
        re.compile(r"(?:[!-~\xa1-\xff](?:[ -~\t\xa0-\xff]*[!-~\xa1-\xff])?)?"),
        "one line of Latin-1 text, with no space around it",
    ),
    "cookie": (  # RFC 6265, 4.1.1
        re.compile(r"[!#-+\--:<-\[\]-~]*"),
        "ASCII text without spaces, quotes, commas, semicolons and backslashes",
    ),
}


def make_headers(call: Call[Any]) -> dict[bytes, bytes]:
    """Write the headers of a call; its cookies are one of them. What is null is left out.

    Raises:
        ValidationError: One has a name or a value that no header can have, or is the client's own.
    """
    for place in _FORMS:
        _check(call, place)
    headers = dict(_write(call.headers))
    cookies = b"; ".join(name + b"=" + value for name, value in _write(call.cookies))
    return {**headers, b"cookie": cookies} if cookies else headers


def _check(call: Call[Any], place: Place) -> None:
    """Hold the headers, or the cookies, of a call against what can be written.

    Raises:
        ValidationError: One cannot.
    """
    _, allowed = _FORMS[place]
    for name in call.headers if place == "header" else call.cookies:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise refusal_error(call, (), f"no {place} can be named {show(name)}", kind="value_error", place=place)
        if place == "header" and name.lower() in OWN_HEADERS:
            raise refusal_error(call, (name,), "this header is the client's own", kind="value_error", place=place)
        if not _can_hold(place, (call.headers if place == "header" else call.cookies)[name]):
            raise refusal_error(call, (name,), f"a {place} holds {allowed}", kind="value_error", place=place)


def _can_hold(place: Place, value: Any) -> bool:
    form, _ = _FORMS[place]
    text = "" if value is None else _spell(value)
    return text is not None and form.fullmatch(text) is not None


def _write(values: Mapping[str, Any]) -> Iterator[tuple[bytes, bytes]]:
    for name, value in values.items():
        text = None if value is None else _spell(value)
        if text is not None:
            yield name.encode(), text.encode("latin-1")


def _spell(value: Any) -> str | None:
    """A value as text; None for one that has none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        texts = [text for text in map(_spell, value) if text is not None]
        return ",".join(texts) if len(texts) == len(value) else None
    if value is None or isinstance(value, bytes | bytearray | dict):
        return None
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - a class of the caller's may raise anything
        raise_if_from_signal_handler(error)
        return None
