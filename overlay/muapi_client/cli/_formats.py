"""How values look: as aligned text for people, as JSON for programs. Pure.

Lives here: tables, amounts of money, and the JSON form of what a client answers. Does not live here: printing
(``_console``), which values a command shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from muapi_client._types.money import write_usd

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import timedelta
    from decimal import Decimal
    from pathlib import Path

    from muapi_client._types.cost import Cost
    from muapi_client._types.job import Job
    from muapi_client._types.prediction import Output, Prediction
    from muapi_client._types.stream_event import StreamEvent


AGES: Final = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))  # seconds
LEAST: Final = 10  # characters that a column keeps which gives way


def render_table(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Collection[str] = (),
    gives_way: str = "",
    width: int | None = None,
) -> str:
    """Lay rows out in columns; no cell begins a line of its own.

    Args:
        right: The heads of columns that are aligned to the right.
        gives_way: The head of the column that is cut where the table is wider than ``width``.
        width: How many characters a line may have, as far as that column can give way; None for any number.
    """
    lines = [heads, *([" ".join(cell.split()) for cell in row] for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
    excess = sum(widths) + 2 * (len(widths) - 1) - width if width is not None else 0
    if excess > 0 and gives_way:
        place = heads.index(gives_way)
        widths[place] = max(widths[place] - excess, min(LEAST, widths[place]))
        lines = [[*line[:place], _cut(line[place], widths[place]), *line[place + 1 :]] for line in lines]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if head in right else cell.ljust(width)
            for cell, width, head in zip(line, widths, heads, strict=True)
        ).rstrip()
        for line in lines
    )


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def describe_age(age: timedelta) -> str:
    """How long ago something was, in the largest unit that has passed; what lies ahead, by another clock, is 0 s."""
    seconds = max(age.total_seconds(), 0)
    return next((f"{int(seconds // size)} {unit}" for size, unit in AGES if seconds >= size), "0 s")


def format_usd(amount: Decimal | None) -> str:
    """An amount in USD in all its digits, without trailing zeros; a dash where it is unknown."""
    return "-" if amount is None else write_usd(amount)


def describe_charge(cost: Cost | None) -> str:
    """Say the cost of a request in words. Unknown is not zero."""
    if cost is None:
        return "charge unknown: the server told none"
    if cost.refunded:
        return f"charged 0 USD ({format_usd(cost.amount_usd)} USD was refunded)"
    return f"charged {format_usd(cost.amount_usd)} USD"


def to_json_number(amount: Decimal | None) -> float | None:
    """An amount as a JSON number, as the API writes it; six decimals survive a float."""
    return None if amount is None else float(amount)


def cost_form(cost: Cost | None) -> dict[str, Any] | None:
    """A cost as JSON: the API's own fields, and what was charged in the end."""
    if cost is None:
        return None
    return {
        "amount_usd": to_json_number(cost.amount_usd),
        "amount_credits": cost.amount_credits,
        "bonus_credits_used": cost.bonus_credits_used,
        "refunded": cost.refunded,
        "charged_usd": charged_form(cost),
    }


def charged_form(cost: Cost | None) -> float | None:
    """What was charged, as a JSON number in USD; None where the server told nothing, which is not zero."""
    return None if cost is None else to_json_number(cost.charged_usd)


def job_form(job: Job) -> dict[str, Any]:
    """An accepted job as JSON."""
    return {
        "request_id": job.id,
        "submitted_at": job.submitted_at.isoformat() if job.submitted_at else None,
        "cost": cost_form(job.cost),
    }


def prediction_form(prediction: Prediction, saved: Sequence[Path] = ()) -> dict[str, Any]:
    """The server's answer about a job, as JSON; nothing of it is in doubt.

    Args:
        saved: Where its outputs were saved.
    """
    return {
        "request_id": prediction.id,
        "status": prediction.status,
        "outputs": [output_form(output) for output in prediction.outputs],
        "saved_paths": [str(path) for path in saved],
        "error": prediction.error,
        "cost": cost_form(prediction.cost),
        "charged_usd": 0.0 if prediction.reused else charged_form(prediction.cost),
        "in_doubt": False,
        "reused": prediction.reused,
        "balance_usd": to_json_number(prediction.balance),
        "seconds": None if prediction.seconds is None else round(prediction.seconds, 3),
        "sandbox": prediction.sandbox.verdict,
        "warnings": list(prediction.warnings),
    }


def event_form(event: StreamEvent, saved: Sequence[Path] = ()) -> dict[str, Any]:
    """An event of a stream as JSON; the last one tells what ``run`` tells of a result."""
    if event.prediction is not None:
        return {"event": event.event, **prediction_form(event.prediction, saved)}
    return {"event": event.event, "id": event.id, "text": event.text, "data": event.data}


def output_form(output: Output) -> dict[str, Any]:
    """One output as JSON."""
    return {"url": output.url, "text": output.text, "data": output.data, "media_type": output.media_type}
