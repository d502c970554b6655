"""Requests and answers as values, and reading a body.

Lives here: requests, answers, refusals, and JSON bodies. Does not live here: what any of them means, forms
(``multipart``).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NoReturn

from attrs import field, frozen

from muapi_client.emulator._messages.cost import Cost

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECRET: Final = frozenset({"x-api-key", "authorization", "x-emulator-token"})  # headers whose values are not shown


def hide_secrets(headers: Mapping[str, str]) -> dict[str, str]:
    """``headers`` with keys masked."""
    return {name: "***" if name.lower() in _SECRET else value for name, value in headers.items()}


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


@frozen
class Response:
    """One answer, whole; ``chunks``, where there are any, are sent one by one in place of ``body``."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    chunks: tuple[bytes, ...] = ()


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


def build_problem(kind: str, loc: tuple[str | int, ...], msg: str, **ctx: Any) -> dict[str, Any]:
    """One entry of a 422's ``detail``, in the form FastAPI gives it."""
    entry: dict[str, Any] = {"type": kind, "loc": list(loc), "msg": msg}
    return {**entry, "ctx": ctx} if ctx else entry


def invalid_error(*problems: Mapping[str, Any]) -> Refusal:
    """A 422 with these problems."""
    return Refusal(422, list(problems))


def parse_json_body(request: Request) -> Any:
    """The parsed body. Raises Refusal (422) as FastAPI does: absent, not JSON, or sent as another type."""
    if not request.body:
        raise invalid_error(build_problem("missing", ("body",), "Field required"))
    content_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if content_type != "application/json" and not content_type.endswith("+json"):
        raise invalid_error(not_an_object_problem("body"))
    try:
        value = json.loads(request.body, parse_constant=_no_such_number)
    except json.JSONDecodeError as error:
        raise _not_json_error(error.pos, error.msg) from None
    except (ValueError, RecursionError) as error:
        raise _not_json_error(0, str(error)) from None
    if rb"\ud" in request.body.lower() and not _is_text(value):
        message = "Input should be a valid string, unable to parse raw data as a unicode string"
        raise invalid_error(build_problem("string_unicode", ("body",), message))
    return value


def not_an_object_problem(*loc: str | int) -> dict[str, Any]:
    """The problem of a value that should have been an object with known fields."""
    return build_problem(
        "model_attributes_type", loc, "Input should be a valid dictionary or object to extract fields from"
    )


def _is_text(value: Any) -> bool:
    """Return whether every string in ``value`` can be written as UTF-8: JSON can spell halves of characters alone."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _no_such_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number")


def _not_json_error(position: int, why: str) -> Refusal:
    return invalid_error(build_problem("json_invalid", ("body", position), "JSON decode error", error=why))
