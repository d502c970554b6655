"""Requests and answers as values, and reading a body.

Lives here: requests, answers, refusals, and JSON bodies. Does not live here: what any of them means, forms
(``multipart``).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import parse_qsl

from attrs import field, frozen

from muapi_client.emulator._messages.cost import Cost

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

_PAGES: Final = "https://errors.pydantic.dev/2.12/v/"
_DEEPEST: Final = 200  # objects and lists within each other; Python reads and writes no more than some 900
_SECRET: Final = frozenset({"x-api-key", "authorization", "x-emulator-token"})  # headers whose values are not shown


def hide_secrets(headers: Mapping[str, str]) -> dict[str, str]:
    """``headers`` with keys masked."""
    return {name: "***" if name.lower() in _SECRET else value for name, value in headers.items()}


def hide_keys(path: str) -> str:
    """``path`` with what looks like a key masked: a key can be a segment of it."""
    return re.sub(r"sk-[\w-]+", "sk-***", path)


def _show_headers(headers: Mapping[str, str]) -> str:
    """``headers`` as a representation shows them: a failing assertion prints it, and logs of CI keep that."""
    return repr(hide_secrets(headers))


@frozen
class Request:
    """One request, whole. Its representation does not show keys.

    Args:
        method: In capitals.
        path: As sent, still percent-encoded, without the query.
        query: Query parameters, decoded; of a repeated one the last counts.
        headers: Names in lower case.
        body: The bytes after the headers.
        now: The reading of the emulator's clock on arrival, in seconds.
        host: The host the client addressed; the emulator answers for any.
        served: Whether it came over HTTP rather than in process.
        peer: The address it came from over HTTP, such as ``127.0.0.1``.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(factory=dict[str, str])
    headers: Mapping[str, str] = field(factory=dict[str, str], repr=_show_headers)
    body: bytes = b""
    now: float = 0.0
    host: str = "api.muapi.ai"
    served: bool = False
    peer: str = ""


def join_headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers as a request has them: names in lower case, the values of a repeated one joined by commas."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def split_target(target: str) -> tuple[str | None, str]:
    """The host that a target names, None where it names none, and the path and query."""
    if target.startswith("/"):
        return None, target
    host, _, rest = target.partition("://")[2].partition("/")  # the absolute form, as sent to a proxy
    return host, f"/{rest}"


def parse_query(text: str) -> dict[str, str]:
    """Query parameters as a request has them: decoded; of a repeated one the last counts."""
    return dict(parse_qsl(text, keep_blank_values=True)) if text else {}


@frozen
class Response:
    """One answer, whole; ``chunks``, where there are any, are sent one by one in place of ``body``."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    chunks: tuple[bytes, ...] = ()


def make_json_response(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Response:
    """An answer in JSON that costs nothing and is no operation's."""
    content = json.dumps(body, ensure_ascii=False).encode()
    return Response(status, {"content-type": "application/json", **(headers or {})}, content)


FREE = Cost()
"""The cost of a request that is no job: nothing, and the answer says so."""


@frozen(eq=False, repr=False)
class Reply:
    """An answer before it becomes bytes; ``cost`` decides the money headers, ``None`` leaves them out.

    ``chunks``, where there are any, are sent in place of ``body``, one by one.
    """

    body: Any
    cost: Cost | None = FREE
    status: int = 200
    headers: Mapping[str, str] = field(factory=dict[str, str])
    chunks: tuple[bytes, ...] = ()


class Refusal(Exception):  # noqa: N818 - an answer on its way out, not a fault of ours
    """An answer other than success: ``detail`` is what stands under that name in the body."""

    def __init__(self, status: int, detail: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}


def live_key_error() -> Refusal:
    """The refusal of a change that a test key must not make."""
    return Refusal(403, "A test key cannot change the account: use a live key")


def build_problem(kind: str, loc: tuple[str | int, ...], msg: str, value: Any, **ctx: Any) -> dict[str, Any]:
    """One entry of a 422's ``detail``, as the live API has been seen to give it (a public log of April 2026).

    Args:
        kind: pydantic's name of the problem.
        loc: Where: ``("body", name, …)``.
        msg: What is wrong, in pydantic's words.
        value: What was sent there; of what is missing, what it is missing from.
        ctx: The limits of the rule that was broken.
    """
    entry = {"type": kind, "loc": list(loc), "msg": msg, "input": value}
    return {**entry, **({"ctx": ctx} if ctx else {}), "url": f"{_PAGES}{kind}"}


def invalid_error(*problems: Mapping[str, Any]) -> Refusal:
    """A 422 with these problems."""
    return Refusal(422, list(problems))


def parse_json_body(request: Request) -> Any:
    """What JSON says in the body, by FastAPI's rules; None where nothing was sent.

    A body that was sent as another type than JSON stays text. Python reads ``NaN`` and halves of characters, too.

    Raises:
        Refusal: 422 for what is no JSON, 400 for what cannot be read for another reason: bytes that are no UTF-8,
            brackets a thousand deep, an integer of more digits than Python reads.
    """
    if not request.body:
        return None
    main, _, sub = request.headers.get("content-type", "").partition(";")[0].strip().lower().partition("/")
    if main and not (main == "application" and (sub == "json" or sub.endswith("+json"))):
        return request.body.decode("utf-8", errors="surrogateescape")
    try:
        return json.loads(request.body)
    except json.JSONDecodeError as error:
        problem = build_problem("json_invalid", ("body", error.pos), "JSON decode error", {}, error=error.msg)
        raise invalid_error({name: part for name, part in problem.items() if name != "url"}) from None
    except (ValueError, RecursionError):
        raise Refusal(400, "There was an error parsing the body") from None


def read_json(content: bytes) -> Any:
    """Parse JSON that can be written again: what is taken in comes out in answers, and in a saved state.

    Raises:
        ValueError: It is none, or cannot.
    """
    try:
        value = json.loads(content)
    except RecursionError as error:
        raise ValueError(str(error)) from None
    if not is_writable(value):
        raise ValueError(f"it has NaN, too large a number, half a character, or brackets more than {_DEEPEST} deep")
    return value


def is_writable(value: Any) -> bool:
    """Return whether ``value`` is JSON in UTF-8: Python reads ``NaN``, ``1e999`` and halves of characters, too.

    Nor is it so deep that a saved state, which holds it deeper still, could not be read again.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, RecursionError):
        return False
    return text.count("[") + text.count("{") <= _DEEPEST or not _is_too_deep(value)


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [member for each in level for member in _list_members(each)]
    return bool(level)


def _list_members(value: Any) -> Collection[Any]:
    if isinstance(value, dict):
        return cast("dict[str, Any]", value).values()
    return cast("Collection[Any]", value) if isinstance(value, list) else []
