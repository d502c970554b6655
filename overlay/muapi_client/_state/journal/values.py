"""How a job becomes a row of a journal, and how a row is read back.

Lives here: columns' contents, whichever store has them. Does not live here: its tables (``file_form``), and what is
written when (``base``).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from muapi_client._state.secrets import Secrets, without_hidden_headers
from muapi_client._types.cost import Cost
from muapi_client._types.entry import Entry
from muapi_client._types.entry_state import STATES
from muapi_client._types.prediction import Output
from muapi_client._types.words import writable
from muapi_generated.types import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")

IN_FLIGHT: Final = timedelta(hours=1)  # for which an intent may be under way: longer than a submit with its resends
EPOCH: Final = datetime.fromtimestamp(0, UTC)  # stands for a time that cannot be read
UNREADABLE: Final = (ValueError, TypeError, KeyError, ArithmeticError, AttributeError, RecursionError)


def as_text(moment: datetime) -> str:
    """A time as a journal has it; a naive one is local, as everywhere in Python."""
    return moment.astimezone(UTC).isoformat()


def call_as_text(call: Call[Any], secrets: Secrets) -> str | None:
    """The call as JSON without secrets, or None where local files leave it no JSON form."""
    try:
        return writable(secrets.clean_json(without_hidden_headers(call).to_json()))
    except (TypeError, ValueError, RecursionError):
        return None


def cost_as_text(cost: Cost | None) -> str | None:
    """A cost as JSON."""
    return json.dumps(cost.to_token()) if cost else None


def body_as_text(body: Any, secrets: Secrets) -> str | None:
    """An answer's body as JSON without secrets; None where it is nested too deeply to be written."""
    try:
        return None if body is None else secrets.clean_json(ENCODER.encode(body))
    except RecursionError:
        return None


def outputs_as_text(outputs: Iterable[Output], secrets: Secrets) -> str:
    """Outputs as JSON without secrets."""
    fields = [
        {name: value for name in OUTPUT_FIELDS if (value := getattr(output, name)) is not None} for output in outputs
    ]
    try:
        return secrets.clean_json(ENCODER.encode(fields))
    except RecursionError:  # of an output's data
        return "[]"


ENCODER: Final = json.JSONEncoder(default=str)
OUTPUT_FIELDS: Final = ("url", "text", "data", "media_type")


def read_entry(row: Any) -> Entry:
    """Read a row; what is damaged, or newer than this version, is left out and named in the reason."""
    troubles: list[str] = []

    def read(name: str, reader: Callable[[Any], Any], default: T) -> T | Any:
        value = row[name]
        if value is None:
            return default
        try:
            return reader(value)
        except UNREADABLE as error:
            troubles.append(f"{name} cannot be read: {error}")
            return default

    intended_at = read("intended_at", read_moment, EPOCH)
    values: dict[str, Any] = {
        "key": read("key", _word, ""),
        "request_id": read("request_id", _word, None),
        "state": read("state", _word, ""),
        "slug": read("slug", _word, ""),
        "call": read("call", Call.from_json, None),
        "intended_at": intended_at,
        "changed_at": read("changed_at", read_moment, intended_at),
        "cost": read("cost", lambda text: Cost.from_token(json.loads(text)), None),
        "set_aside_usd": read("set_aside_usd", Decimal, None),
        "outputs": read("outputs", _outputs, ()),
        "files": read("files", _files, ()),
        "tag": read("tag", _word, None),
        "run": read("run", _word, None),
        "run_key": read("run_key", _word, None),
        "origin": read("origin", _word, None),
        "key_kind": read("key_kind", _word, None),
        "owner": read("owner", _word, ""),
    }
    if values["state"] not in STATES:
        troubles.append(f"this version knows no state {values['state']!r}")
    reason = read("reason", _word, None)
    return Entry(reason="; ".join([*([reason] if reason else []), *troubles]) or None, **values)


def read_body(row: Any) -> bytes:
    """Read a row's last answer, as JSON; empty where there was none, or it was forgotten or damaged."""
    return row["said"].encode("utf-8", "replace") if isinstance(row["said"], str) else b""


def read_duration(row: Any) -> Iterator[tuple[str, dict[str, Any], float]]:
    """Read a row's model, inputs, and seconds from the intent to the last change; nothing of a damaged one."""
    try:
        seconds = (read_moment(row["changed_at"]) - read_moment(row["intended_at"])).total_seconds()
        yield _word(row["slug"]), json.loads(row["inputs"]), seconds
    except UNREADABLE:
        pass


def _word(value: Any) -> Any:
    if not isinstance(value, str):
        raise TypeError(f"it is {type(value).__name__}, not text")
    return value


def read_moment(text: str) -> datetime:
    """A time of a journal's.

    Raises:
        ValueError, TypeError: It is none.
    """
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _outputs(text: str) -> tuple[Output, ...]:
    return tuple(Output(*(item.get(name) for name in OUTPUT_FIELDS)) for item in json.loads(text))


def _files(text: str) -> tuple[Path, ...]:
    return tuple(Path(path) for path in json.loads(text))
