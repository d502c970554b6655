"""What the tests write into a journal: intents, answers, whole lives. The fixtures are in the conftest."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from muapi_client import Call, Cost, Output, Prediction, raw_call

if TYPE_CHECKING:
    from muapi_client import Journal

NOW = datetime(2026, 5, 17, 12, 30, tzinfo=UTC)
COST = Cost(Decimal("0.0042"), 1)
PICTURE = "https://cdn.example/a.png"


def call_of(name: str, **body: Any) -> Call[Any]:
    """A call whose prompt is the name of its model."""
    return raw_call(name, {"prompt": name, **body})


def intend(journal: Journal, key: str, **options: Any) -> None:
    """Write an intent down whose key is the name of the model, too."""
    account = options.pop("account", None)
    journal.intend(key, call_of(key), account, **{"intended_at": NOW, **options})


def finished(request_id: str | None, **values: Any) -> Prediction:
    """The answer that tells a job's end."""
    outputs = values.pop("outputs", (Output(url=PICTURE, media_type="image/png"),))
    raw = {"id": request_id, "status": "completed", "outputs": [output.url or output.text for output in outputs]}
    return Prediction(request_id, **{"status": "completed", "outputs": outputs, "cost": COST, "raw": raw, **values})


def finish(journal: Journal, key: str, **values: Any) -> None:
    """Write a whole life down: intended, accepted as ``r-key``, completed."""
    intend(journal, key, **values)
    journal.accept(key, f"r-{key}", COST)
    journal.finish(finished(f"r-{key}"))
