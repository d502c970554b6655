"""What an entry of a 422 says of what was sent: the value, as ``input``, and pydantic's page of the error, as ``url``.

MuAPI has been seen to tell both (a public log of April 2026). Lives here: finding the value at an entry's place. Does
not live here: judging it (``_spec/validation``), the entry's other words (``messages``).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from muapi_client.emulator._messages.messages import Request

_PAGES: Final = "https://errors.pydantic.dev/2.12/v/"
_OF_THE_BYTES: Final = frozenset({"json_invalid", "string_unicode"})  # of a body that no value could be read from


def add_inputs(
    problems: Iterable[Mapping[str, Any]], request: Request, parameters: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the entries with what was sent at each one's place; what is missing, with what it is missing from.

    Args:
        problems: Entries with ``type``, ``loc`` and ``msg``.
        request: What was sent.
        parameters: What stands in its path, by name.
    """
    return [
        {
            **{name: problem[name] for name in ("type", "loc", "msg")},
            "input": _find_input(problem, request, parameters),
            **({"ctx": problem["ctx"]} if "ctx" in problem else {}),
            "url": f"{_PAGES}{problem['type']}",
        }
        for problem in problems
    ]


def _find_input(problem: Mapping[str, Any], request: Request, parameters: Mapping[str, str]) -> Any:
    root, *place = problem["loc"]
    if problem["type"] == "json_invalid":
        return {}  # as FastAPI has it
    if problem["type"] in _OF_THE_BYTES:
        return request.body.decode("utf-8", errors="replace")
    value = {"path": parameters, "query": request.query}.get(root) if root != "body" else _read_body(request)
    for step in place[:-1] if problem["type"] == "missing" else place:
        value = _step(value, step)
    return value


def _read_body(request: Request) -> Any:
    if not request.body or request.headers.get("content-type", "").startswith("multipart/"):
        return None
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError):  # it was sent as another type
        return request.body.decode("utf-8", errors="replace")


def _step(value: Any, step: str | int) -> Any:
    """Go one step into a value; a step that names an alternative of the schema stays where it is."""
    if isinstance(value, str):  # which has steps of its own
        return value
    try:
        return value[step]
    except (LookupError, TypeError):
        return value
