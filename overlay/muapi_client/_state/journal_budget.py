"""What is spent of budgets, kept in the journal's file by the file itself.

Lives here: a table with one row a budget and period, the triggers that keep its sums, and the condition under which an
intent may be written. Does not live here: what a budget is (``_types/budget``), which there are (``_jobs/budget``).

A sum over all jobs would be read before every submit, in a file of twenty thousand. So each row holds its sum, in
millionths of a dollar, and triggers change it in the very statement that writes a job, whichever process and version
of this package writes. An intent is one statement, too: it is written where every budget has room, or not at all, so
that two processes never share one room. The table is made when the first budget asks for it, and counts what was
written before.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from muapi_client._types.money import EXACT, MICRO_USD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from muapi_client._state.journal_store import Db
    from muapi_client._types.entry import Account

LARGEST: Final = 2**62  # millionths; SQLite's integers have 63 bits


class Limit(NamedTuple):
    """A budget as it holds for one job.

    Attributes:
        usd: The most that may be spent, in USD.
        starts: Jobs intended earlier do not count; None: all do. UTC.
        ends: Nor those intended then or later. UTC.
        tag: Only jobs of this tag count; None: all do.
        run: Only jobs of this run count; None: all do.
    """

    usd: Decimal
    starts: datetime | None = None
    ends: datetime | None = None
    tag: str | None = None
    run: str | None = None


class Room(NamedTuple):
    """The first limit that has no room, and what is spent and set aside of it, in USD."""

    limit: Limit
    spent_usd: Decimal


def _counted(row: str) -> str:
    """What a row of jobs counts as, in millionths: its cost where that is known, else what was set aside for it."""
    cost = f"CASE WHEN json_valid({row}.cost) THEN {row}.cost END"
    return f"""CAST(ROUND(1000000 * CASE
        WHEN json_extract({cost}, '$.refunded') THEN 0
        ELSE CAST(COALESCE(json_extract({cost}, '$.amount_usd'), {row}.set_aside_usd, 0) AS REAL)
    END) AS INTEGER)"""


def _counts_in(row: str, budget: str) -> str:
    """Whether a row of jobs counts in a row of budgets."""
    return f"""({row}.origin IS NULL OR ({row}.origin = {budget}.origin AND {row}.account = {budget}.account))
        AND ({budget}.tag IS NULL OR {row}.tag = {budget}.tag) AND ({budget}.run IS NULL OR {row}.run = {budget}.run)
        AND ({budget}.starts IS NULL OR {row}.intended_at >= {budget}.starts)
        AND ({budget}.ends IS NULL OR {row}.intended_at < {budget}.ends)"""


TABLE: Final = (
    """CREATE TABLE IF NOT EXISTS budget (
    scope   TEXT PRIMARY KEY, -- the other columns but the sum, as JSON
    origin  TEXT NOT NULL,
    account TEXT NOT NULL,
    tag     TEXT,
    run     TEXT,
    starts  TEXT,
    ends    TEXT,
    spent   INTEGER NOT NULL  -- in millionths of a dollar
)""",
    f"""CREATE TRIGGER IF NOT EXISTS job_written AFTER INSERT ON job BEGIN
    UPDATE budget SET spent = spent + {_counted("NEW")} WHERE {_counts_in("NEW", "budget")}; END""",  # noqa: S608 - our own words, as below
    f"""CREATE TRIGGER IF NOT EXISTS job_changed AFTER UPDATE OF cost, set_aside_usd ON job
    WHEN {_counted("NEW")} <> {_counted("OLD")} BEGIN
    UPDATE budget SET spent = spent + {_counted("NEW")} - {_counted("OLD")} WHERE {_counts_in("NEW", "budget")}; END""",  # noqa: S608
    f"""CREATE TRIGGER IF NOT EXISTS job_withdrawn AFTER DELETE ON job BEGIN
    UPDATE budget SET spent = spent - {_counted("OLD")} WHERE {_counts_in("OLD", "budget")}; END""",  # noqa: S608
)
BEGIN: Final = f"""INSERT OR IGNORE INTO budget (scope, origin, account, tag, run, starts, ends, spent)
    SELECT new.*, (SELECT COALESCE(SUM({_counted("job")}), 0) FROM job WHERE {_counts_in("job", "new")}) FROM (
        SELECT :scope AS scope, :origin AS origin, :account AS account, :tag AS tag, :run AS run, :starts AS starts,
            :ends AS ends
    ) AS new"""  # noqa: S608
FULL: Final = """SELECT json_extract("limit".value, '$[0]') AS scope, budget.spent FROM json_each(:limits) AS "limit"
    LEFT JOIN budget ON budget.scope = json_extract("limit".value, '$[0]')
    WHERE budget.spent IS NULL OR budget.spent >= json_extract("limit".value, '$[1]')
    OR budget.spent + :needed > json_extract("limit".value, '$[1]')"""
PRUNE: Final = "DELETE FROM budget WHERE ends < :before"
KEPT: Final = timedelta(days=40)  # for which the sum of a period that is over stays: clocks are set, jobs are refunded


def scope_of(limit: Limit, account: Account) -> str:
    """The key of a limit's sum."""
    starts, ends = (None if at is None else at.isoformat() for at in (limit.starts, limit.ends))
    return json.dumps([*account, limit.tag, limit.run, starts, ends])


def has_budgets(db: Db) -> bool:
    """Whether the file keeps sums at all."""
    return db.execute("SELECT 1 FROM sqlite_master WHERE name = 'budget'").fetchone() is not None


def begin_budget(db: Db, limit: Limit, account: Account) -> None:
    """Have the file keep the sum of a limit from now on; jobs that are in it count. Twice does no harm."""
    for statement in TABLE:
        db.execute(statement)
    starts, ends = (None if at is None else at.isoformat() for at in (limit.starts, limit.ends))
    values: dict[str, Any] = {
        "scope": scope_of(limit, account),
        "origin": account.origin,
        "account": account.fingerprint,
        "tag": limit.tag,
        "run": limit.run,
        "starts": starts,
        "ends": ends,
    }
    db.execute(BEGIN, values)
    if limit.starts is not None:
        db.execute(PRUNE, {"before": (limit.starts - KEPT).isoformat()})


def limits_as_text(limits: Sequence[Limit], account: Account, needed: Decimal | None) -> dict[str, Any]:
    """Limits, and what a job needs of them, as values of :data:`FULL`."""
    pairs = [[scope_of(limit, account), _millionths(limit.usd, ROUND_FLOOR)] for limit in limits]
    return {"limits": json.dumps(pairs), "needed": _millionths(needed or Decimal(0), ROUND_CEILING)}


def read_usd(millionths: int) -> Decimal:
    """An amount of the file, in USD."""
    return EXACT.multiply(Decimal(millionths), MICRO_USD)


def _millionths(usd: Decimal, rounding: str) -> int:
    return min(int(EXACT.divide(usd, MICRO_USD).to_integral_value(rounding)), LARGEST)
