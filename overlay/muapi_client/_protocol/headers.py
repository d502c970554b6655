"""The headers and cookies of a call, as they are written.

Lives here: which of them may be sent at all, and as what text. Does not live here: what the document says of their
values (``_spec/validation``), the client's own headers (``_transport/hosts``). No message repeats a value, which may
be a secret.
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
    headers = dict(_write(call, "header", call.headers))
    own = next((name for name in call.headers if name.lower() in OWN_HEADERS), None)
    if own is not None:
        raise refusal_error(call, (own,), "this header is the client's own", kind="value_error", place="header")
    cookies = b"; ".join(name + b"=" + value for name, value in _write(call, "cookie", call.cookies))
    return {**headers, b"cookie": cookies} if cookies else headers


def _write(call: Call[Any], place: Place, values: Mapping[str, Any]) -> Iterator[tuple[bytes, bytes]]:
    form, allowed = _FORMS[place]
    for name, value in values.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise refusal_error(call, (), f"no {place} can be named {show(name)}", kind="value_error", place=place)
        if value is None:
            continue
        text = _spell(value)
        if text is None or not form.fullmatch(text):
            raise refusal_error(call, (name,), f"a {place} holds {allowed}", kind="value_error", place=place)
        yield name.encode(), text.encode("latin-1")


def _spell(value: Any) -> str | None:
    """A value as text; None for one that has none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        texts = [_spell(item) for item in value]
        return None if None in texts else ",".join(filter(None, texts))
    if isinstance(value, bytes | bytearray | dict):
        return None
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - a class of the caller's may raise anything
        raise_if_from_signal_handler(error)
        return None
